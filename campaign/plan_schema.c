// SPDX-License-Identifier: BSD-2-Clause
/* The keys of a campaign's plan, as libcyaml's tables. Every value is text here: what a text means
 * is checked in plan_build.c, where the error can say what is expected. */
#include "campaign/plan_raw.h"

#define OPTIONAL (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define REQUIRED CYAML_FLAG_POINTER

#define TEXT(key, flags, type, member, max) \
	CYAML_FIELD_STRING_PTR(key, flags, type, member, 1, max)
#define LIST(key, flags, type, member, entry, min, max) \
	CYAML_FIELD_SEQUENCE_COUNT(key, flags, type, member, member##_count, entry, min, max)
#define GROUP(key, type, member, fields) \
	CYAML_FIELD_MAPPING_PTR(key, OPTIONAL, type, member, fields)
/* What an entry, or the plan for all entries, may say of how it is measured. */
#define HOW(type) \
	TEXT("method", OPTIONAL, type, how.method, 16), \
	TEXT("port", OPTIONAL, type, how.port, 8), \
	TEXT("flows", OPTIONAL, type, how.flows, 8), \
	TEXT("attempts", OPTIONAL, type, how.attempts, 8), \
	TEXT("multipath", OPTIONAL, type, how.multipath, 8), \
	TEXT("first_ttl", OPTIONAL, type, how.first_ttl, 8), \
	TEXT("max_ttl", OPTIONAL, type, how.max_ttl, 8), \
	TEXT("gap_limit", OPTIONAL, type, how.gap_limit, 8), \
	TEXT("wait", OPTIONAL, type, how.wait, 16)
enum { TIME_MAX = 40, DURATION_MAX = 32, WORD_MAX = CAMPAIGN_URL_TEXT - 1 };

static const cyaml_schema_value_t text_value = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, WORD_MAX)};

static const cyaml_schema_field_t entry_fields[] = {
	TEXT("host", OPTIONAL, struct raw_entry, host, WORD_MAX),
	LIST("hosts", OPTIONAL, struct raw_entry, hosts, &text_value, 1, CAMPAIGN_HOSTS_MAX),
	TEXT("name", OPTIONAL, struct raw_entry, name, 95),
	HOW(struct raw_entry),
	TEXT("since", OPTIONAL, struct raw_entry, since, TIME_MAX),
	TEXT("until", OPTIONAL, struct raw_entry, until, TIME_MAX),
	TEXT("source", OPTIONAL, struct raw_entry, source, 1024),
	CYAML_FIELD_END};
static const cyaml_schema_value_t entry_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_entry, entry_fields)};

static const cyaml_schema_field_t vantage_fields[] = {
	TEXT("name", OPTIONAL, struct raw_vantage, name, 256),
	TEXT("lat", OPTIONAL, struct raw_vantage, lat, 24),
	TEXT("lon", OPTIONAL, struct raw_vantage, lon, 24),
	TEXT("address", OPTIONAL, struct raw_vantage, address, 64),
	CYAML_FIELD_END};

static const cyaml_schema_field_t on_event_fields[] = {
	TEXT("every", REQUIRED, struct raw_on_event, every, DURATION_MAX),
	TEXT("for", REQUIRED, struct raw_on_event, duration, DURATION_MAX),
	CYAML_FIELD_END};

static const cyaml_schema_field_t keep_fields[] = {
	TEXT("traces", OPTIONAL, struct raw_keep, traces, DURATION_MAX),
	TEXT("hourly", OPTIONAL, struct raw_keep, hourly, DURATION_MAX),
	CYAML_FIELD_END};

static const cyaml_schema_field_t events_fields[] = {
	TEXT("flapping", REQUIRED, struct raw_events, flapping, DURATION_MAX),
	CYAML_FIELD_END};

static const cyaml_schema_field_t webhook_fields[] = {
	TEXT("url", REQUIRED, struct raw_webhook, url, WORD_MAX),
	TEXT("secret_file", OPTIONAL, struct raw_webhook, secret_file, WORD_MAX),
	TEXT("format", OPTIONAL, struct raw_webhook, format, 32),
	CYAML_FIELD_END};

static const cyaml_schema_field_t alerts_fields[] = {
	GROUP("webhook", struct raw_alerts, webhook, webhook_fields),
	TEXT("exec", OPTIONAL, struct raw_alerts, exec, WORD_MAX),
	CYAML_FIELD_END};

static const cyaml_schema_field_t metrics_fields[] = {
	TEXT("listen", OPTIONAL, struct raw_metrics, listen, 63),
	TEXT("textfile", OPTIONAL, struct raw_metrics, textfile, WORD_MAX),
	CYAML_FIELD_END};

static const cyaml_schema_field_t contact_fields[] = {
	TEXT("who", REQUIRED, struct raw_who, who, CONTACT_WHO_TEXT - 1),
	TEXT("url", OPTIONAL, struct raw_who, url, CONTACT_URL_TEXT - 1),
	TEXT("mail", OPTIONAL, struct raw_who, mail, CONTACT_MAIL_TEXT - 1),
	CYAML_FIELD_END};

static const cyaml_schema_field_t plan_fields[] = {
	TEXT("campaign", REQUIRED, struct raw_campaign, campaign, 256),
	GROUP("vantage", struct raw_campaign, vantage, vantage_fields),
	TEXT("profile", OPTIONAL, struct raw_campaign, profile, WORD_MAX),
	TEXT("every", REQUIRED, struct raw_campaign, every, DURATION_MAX),
	TEXT("offset", OPTIONAL, struct raw_campaign, offset, DURATION_MAX),
	TEXT("jitter", OPTIONAL, struct raw_campaign, jitter, DURATION_MAX),
	TEXT("since", OPTIONAL, struct raw_campaign, since, TIME_MAX),
	TEXT("until", OPTIONAL, struct raw_campaign, until, TIME_MAX),
	LIST("targets", OPTIONAL, struct raw_campaign, targets, &entry_value, 1,
	     CAMPAIGN_TARGETS_MAX),
	HOW(struct raw_campaign),
	TEXT("rate_pps", OPTIONAL, struct raw_campaign, rate_pps, 16),
	TEXT("per_prefix_rate_pps", OPTIONAL, struct raw_campaign, per_prefix_rate_pps, 16),
	GROUP("on_event", struct raw_campaign, on_event, on_event_fields),
	GROUP("events", struct raw_campaign, events, events_fields),
	LIST("reference", OPTIONAL, struct raw_campaign, reference, &text_value, 0,
	     CAMPAIGN_REFERENCES_MAX),
	TEXT("store", OPTIONAL, struct raw_campaign, store, WORD_MAX),
	GROUP("keep", struct raw_campaign, keep, keep_fields),
	GROUP("alerts", struct raw_campaign, alerts, alerts_fields),
	GROUP("metrics", struct raw_campaign, metrics, metrics_fields),
	GROUP("contact", struct raw_campaign, contact, contact_fields),
	CYAML_FIELD_END};

const cyaml_schema_value_t campaign_plan_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw_campaign, plan_fields)};

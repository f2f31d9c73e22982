// SPDX-License-Identifier: BSD-2-Clause
/* From text to values: what each text of a plan means, and a refusal with its place where it means
 * nothing. What concerns several entries at once is in plan_cross.c. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "campaign/plan_raw.h"
#include "core/text.h"
#include "geo/yamlread.h"
#include "prober/plan.h"

enum { JITTER_PART = 20, JITTER_MAX_S = 30, RATE_MAX = 10000000, ATTEMPTS_MAX = 10, TTL_MAX = 255 };
#define EVERY_MIN (CAMPAIGN_EVERY_MIN_S * NS_PER_S)
#define DAY (86400 * NS_PER_S)
#define EVERY_MAX (366 * DAY)
#define KEEP_MAX (36525 * DAY)

/* --- words ------------------------------------------------------------------------------------ */

/* A name that becomes part of ids, file names and metric labels. */
static bool is_name(const char *text, size_t size)
{
	return strlen(text) < size && isalnum((unsigned char)text[0]) &&
	       text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789._-")] == '\0';
}

static int read_name(const struct yaml_at *at, const char *key, const char *text, char *out,
		     size_t size)
{
	if (text == NULL)
		return 0;
	if (!is_name(text, size))
		return yaml_refuse(at, key, "\"%s\" is no name, expected up to %zu letters, digits, "
				   "'.', '-' and '_', a letter or digit first", text, size - 1);
	text_set(out, size, text);
	return 0;
}

/* The machine's name, where the plan has none for the vantage point. */
static int default_vantage(const struct yaml_at *at, struct campaign_plan *p)
{
	char name[256] = "";

	if (gethostname(name, sizeof(name) - 1) < 0 || !is_name(name, sizeof(p->vantage)))
		return yaml_refuse(at, "campaign", "this machine's name \"%s\" names no vantage "
				   "point: say vantage: {name: ...}", name);
	text_set(p->vantage, sizeof(p->vantage), name);
	return 0;
}

static int read_vantage(const struct yaml_at *at, const struct raw_vantage *raw,
			struct campaign_plan *p)
{
	int rc = 0;

	if (raw != NULL)
		rc = read_name(at, "vantage.name", raw->name, p->vantage, sizeof(p->vantage));
	if (rc == 0 && p->vantage[0] == '\0')
		rc = default_vantage(at, p);
	if (rc < 0 || raw == NULL)
		return rc;
	if ((raw->lat == NULL) != (raw->lon == NULL))
		return yaml_refuse(at, "vantage", "a place needs lat and lon, both");
	rc = yaml_degrees(at, "vantage.lat", raw->lat, 90, &p->lat);
	if (rc == 0)
		rc = yaml_degrees(at, "vantage.lon", raw->lon, 180, &p->lon);
	p->place_known = rc == 0 && raw->lat != NULL;
	if (rc == 0 && raw->address != NULL && addr_parse(raw->address, &p->public_addr) < 0)
		rc = yaml_refuse(at, "vantage.address", "\"%s\" is no address", raw->address);
	return rc;
}

/* An absolute path: what reads it later may run in another directory. */
static int read_path(const struct yaml_at *at, const char *key, const char *text, char *out,
		     size_t size)
{
	if (text == NULL)
		return 0;
	if (text[0] != '/')
		return yaml_refuse(at, key, "\"%s\" is no whole path, expected one that begins with "
				   "/", text);
	text_set(out, size, text);
	return 0;
}

static int read_store(const struct yaml_at *at, const char *text, struct campaign_plan *p)
{
	static const char *const schemes[] = {"sqlite:", "postgresql://"};

	if (text == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t n = strlen(schemes[i]);

		if (strncmp(text, schemes[i], n) == 0 && text[n] != '\0') {
			text_set(p->store, sizeof(p->store), text);
			return 0;
		}
	}
	/* A password may be in a URL. */
	return yaml_refuse(at, "store", "\"%s\" is no store, expected sqlite:FILE or "
			   "postgresql://...", strchr(text, '@') != NULL ? "..." : text);
}

/* --- when ------------------------------------------------------------------------------------- */

static int read_schedule(const struct yaml_at *at, const struct raw_campaign *raw,
			 struct campaign_plan *p)
{
	int rc = yaml_duration(at, "every", raw->every, EVERY_MIN, EVERY_MAX, &p->every_ns);

	if (rc < 0)
		return rc;
	p->jitter_ns = p->every_ns / JITTER_PART;
	if (p->jitter_ns > JITTER_MAX_S * NS_PER_S)
		p->jitter_ns = JITTER_MAX_S * NS_PER_S;
	rc = yaml_duration(at, "offset", raw->offset, 0, INT64_MAX, &p->offset_ns);
	if (rc == 0 && p->offset_ns >= p->every_ns)
		rc = yaml_refuse(at, "offset", "an offset of %s does not lie within every, %s",
				 raw->offset, raw->every);
	if (rc == 0)
		rc = yaml_duration(at, "jitter", raw->jitter, 0, INT64_MAX, &p->jitter_ns);
	if (rc == 0 && p->jitter_ns >= p->every_ns)
		rc = yaml_refuse(at, "jitter", "a jitter of %s does not lie within every, %s",
				 raw->jitter, raw->every);
	if (rc == 0)
		rc = yaml_since_until(at, raw->since, raw->until, &p->since, &p->until);
	return rc;
}

static int read_on_event(const struct yaml_at *at, const struct raw_on_event *raw,
			 struct campaign_plan *p)
{
	int rc;

	if (raw == NULL)
		return 0;
	rc = yaml_duration(at, "on_event.every", raw->every, EVERY_MIN, EVERY_MAX,
			   &p->on_event_every_ns);
	if (rc == 0 && p->on_event_every_ns > p->every_ns)
		rc = yaml_refuse(at, "on_event.every", "%s is no closer look than every, which is "
				 "shorter", raw->every);
	if (rc == 0)
		rc = yaml_duration(at, "on_event.for", raw->duration, p->on_event_every_ns,
				   EVERY_MAX, &p->on_event_for_ns);
	p->on_event = rc == 0;
	return rc;
}

static int read_keep(const struct yaml_at *at, const struct raw_keep *raw, struct campaign_plan *p)
{
	int rc;

	if (raw == NULL)
		return 0;
	rc = yaml_duration(at, "keep.traces", raw->traces, p->every_ns, KEEP_MAX,
			   &p->keep_traces_ns);
	if (rc == 0)
		rc = yaml_duration(at, "keep.hourly", raw->hourly, 3600 * NS_PER_S, KEEP_MAX,
				   &p->keep_hourly_ns);
	if (rc == 0 && p->keep_hourly_ns > 0 && p->keep_hourly_ns < p->keep_traces_ns)
		rc = yaml_refuse(at, "keep.hourly", "hourly summaries would go before the traces "
				 "they sum up");
	return rc;
}

/* --- how -------------------------------------------------------------------------------------- */

/* max: lifts the cap, where this machine allows it. */
static int read_rate(const struct yaml_at *at, const char *key, const char *text, uint32_t *out)
{
	uint64_t v = *out;

	if (text != NULL && strcmp(text, "max") == 0)
		v = 0;
	else if (text != NULL && text_to_u64(text, 1, RATE_MAX, &v) < 0)
		return yaml_refuse(at, key, "\"%s\" is no rate, expected 1 to %d packets a second, "
				   "or max", text, RATE_MAX);
	*out = (uint32_t)v;
	return 0;
}

/* In thousandths: of a fleet each has a part of what a network is sent. */
static int read_milli(const struct yaml_at *at, const char *key, const char *text, uint64_t *out)
{
	if (text != NULL && strcmp(text, "max") == 0)
		*out = 0;
	else if (text != NULL && text_to_milli(text, 1, RATE_MAX * UINT64_C(1000), out) < 0)
		return yaml_refuse(at, key, "\"%s\" is no rate, expected 0.001 to %d packets a second, "
				   "or max", text, RATE_MAX);
	return 0;
}

static int read_u8(const struct yaml_at *at, const char *key, const char *text, const char *what,
		   unsigned min, unsigned max, uint8_t *out)
{
	uint64_t v = *out;
	int rc = yaml_number(at, key, text, what, min, max, &v);

	*out = (uint8_t)v;
	return rc;
}

static int read_flows(const struct yaml_at *at, const struct raw_how *raw, struct campaign_how *out)
{
	uint64_t flows = 0;
	int rc = yaml_number(at, "flows", raw->flows, "number of flows", 1, CAMPAIGN_FLOWS_MAX,
			     &flows);

	out->flows = (uint16_t)flows;
	if (rc < 0 || raw->multipath == NULL)
		return rc;
	if (strcmp(raw->multipath, "99") == 0)
		out->multipath = 99;
	else if (strcmp(raw->multipath, "95") == 0 || strcmp(raw->multipath, "true") == 0)
		out->multipath = 95;
	else
		return yaml_refuse(at, "multipath", "\"%s\" is no confidence, expected 95 (or true) "
				   "or 99", raw->multipath);
	if (raw->flows != NULL)
		return yaml_refuse(at, "flows", "multipath takes as many flows as it needs: name one "
				   "of the two");
	return 0;
}

static int read_how(const struct yaml_at *at, const struct raw_how *raw,
		    const struct campaign_how *above, struct campaign_how *out)
{
	uint8_t gap = PLAN_GAP_LIMIT_DEFAULT;
	int64_t wait_ns = 0;
	int rc;

	/* A port of its own may go with the method for all. */
	out->method = above != NULL ? above->method : METHOD_UNKNOWN;
	rc = yaml_method_port(at, raw->method, raw->port, &out->method, &out->port);
	if (raw->method == NULL)
		out->method = METHOD_UNKNOWN;
	if (rc == 0)
		rc = read_flows(at, raw, out);
	if (rc == 0)
		rc = read_u8(at, "attempts", raw->attempts, "number of attempts", 1, ATTEMPTS_MAX,
			     &out->attempts);
	if (rc == 0)
		rc = read_u8(at, "first_ttl", raw->first_ttl, "TTL", 1, TTL_MAX, &out->first_ttl);
	if (rc == 0)
		rc = read_u8(at, "max_ttl", raw->max_ttl, "TTL", 1, TTL_MAX, &out->max_ttl);
	if (rc == 0)
		rc = read_u8(at, "gap_limit", raw->gap_limit, "number of silent hops", 0, TTL_MAX,
			     &gap);
	if (raw->gap_limit != NULL)
		out->gap_limit = gap > 0 ? gap : TTL_MAX;
	if (rc == 0)
		rc = yaml_duration(at, "wait", raw->wait, NS_PER_MS, 60 * NS_PER_S, &wait_ns);
	out->wait_ms = (uint32_t)(wait_ns / NS_PER_MS);
	return rc;
}

static int check_ttls(const struct yaml_at *at, const struct raw_how *raw,
		      const struct campaign_how *entry, const struct campaign_how *plan)
{
	struct campaign_how how;

	campaign_how_settle(entry, plan, METHOD_UNKNOWN, 0, &how);
	if (how.first_ttl <= how.max_ttl)
		return 0;
	return yaml_refuse(at, raw->first_ttl != NULL ? "first_ttl" : "max_ttl",
			   "the first TTL (%u) lies behind the last (%u)", how.first_ttl,
			   how.max_ttl);
}

/* --- targets ---------------------------------------------------------------------------------- */

/* A word for one entry's hosts; *out is owned. A file is looked for beside the plan. */
static int copy_word(const struct yaml_at *at, const char *key, const char *text, char **out)
{
	const char *file = at->doc->name, *slash = strrchr(file, '/');
	int rc = 0;

	if (text[0] == '@' && text[1] == '\0')
		return yaml_refuse(at, key, "\"@\" names no file, expected @FILE");
	if (text[0] == '@' && strcmp(text, "@-") == 0)
		return yaml_refuse(at, key, "\"@-\" would be read once, and a round comes again: name "
				   "a file");
	if (text[0] == '@' && text[1] != '/' && slash != NULL)
		rc = asprintf(out, "@%.*s/%s", (int)(slash - file), file, text + 1);
	else
		*out = strdup(text);
	if (rc < 0 || *out == NULL) {
		*out = NULL;
		return yaml_out_of_memory(at);
	}
	return text[0] == '@' ? 0 : yaml_host(at, key, text);
}

/* Whether a word is one destination, which another can stand for. */
static bool is_single(const char *word)
{
	struct prefix p;

	if (word[0] == '@')
		return false;
	return strchr(word, '/') == NULL ||
	       (prefix_parse(word, &p) == 0 && p.len == 8 * addr_size(p.addr));
}

static int read_hosts(const struct yaml_at *at, const struct raw_entry *raw,
		      struct campaign_target *out)
{
	unsigned count = raw->host != NULL ? 1 : raw->hosts_count;
	char key[24] = "host";

	if ((raw->host != NULL) == (raw->hosts != NULL))
		return yaml_refuse(at, raw->host != NULL ? "hosts" : "", "an entry has %s, expected "
				   "host or hosts", raw->host != NULL ? "both" : "neither");
	out->hosts = calloc(count, sizeof(*out->hosts));
	if (out->hosts == NULL)
		return yaml_out_of_memory(at);
	for (unsigned i = 0; i < count; i++) {
		const char *text = raw->host != NULL ? raw->host : raw->hosts[i];
		int rc;

		if (raw->host == NULL)
			snprintf(key, sizeof(key), "hosts[%u]", i);
		rc = copy_word(at, key, text, &out->hosts[i]);
		out->hosts_count += out->hosts[i] != NULL;
		if (rc < 0)
			return rc;
		if (count > 1 && !is_single(text))
			return yaml_refuse(at, key, "\"%s\" is more than one host: those that stand "
					   "for each other are addresses and names", text);
	}
	return 0;
}

static int build_target(const struct yaml_at *at, const struct raw_entry *raw,
			const struct campaign_how *plan, struct campaign_target *out)
{
	int rc = read_hosts(at, raw, out);

	if (rc == 0)
		rc = read_how(at, &raw->how, plan, &out->how);
	if (rc == 0)
		rc = yaml_since_until(at, raw->since, raw->until, &out->since, &out->until);
	if (rc < 0)
		return rc;
	rc = check_ttls(at, &raw->how, &out->how, plan);
	if (rc < 0)
		return rc;
	out->name = raw->name != NULL ? strdup(raw->name) : NULL;
	return raw->name != NULL && out->name == NULL ? yaml_out_of_memory(at) : 0;
}

static int build_targets(const struct yaml_at *top, const struct raw_campaign *raw,
			 bool profile_alone, struct campaign_plan *p)
{
	int rc = 0;

	p->targets_of_profile = raw->targets_count == 0 || profile_alone;
	if (profile_alone && strcmp(raw->targets[0].host, "profile") != 0)
		return yaml_refuse(top, "targets", "\"%s\" is a single word, expected profile or a "
				   "list", raw->targets[0].host);
	if (p->targets_of_profile)
		return 0;
	p->targets = calloc(raw->targets_count, sizeof(*p->targets));
	if (p->targets == NULL)
		return yaml_out_of_memory(top);
	for (unsigned i = 0; rc == 0 && i < raw->targets_count; i++) {
		struct yaml_at at = yaml_entry(top, "targets", i);

		p->targets[i].index = i;
		p->targets_count++;
		if (raw->targets[i].host != NULL && strcmp(raw->targets[i].host, "profile") == 0)
			rc = yaml_refuse(&at, "host", "profile is no host: for the profile's targets "
					 "write targets: profile, without a list");
		else
			rc = build_target(&at, &raw->targets[i], &p->how, &p->targets[i]);
	}
	return rc;
}

static int read_references(const struct yaml_at *top, const struct raw_campaign *raw,
			   struct campaign_plan *p)
{
	for (unsigned i = 0; i < raw->reference_count; i++) {
		struct yaml_at at = yaml_entry(top, "reference", i);

		if (addr_parse(raw->reference[i], &p->references[i]) < 0)
			return yaml_refuse(&at, "", "\"%s\" is no address: a reference host must not "
					   "depend on a name service", raw->reference[i]);
		p->references_count++;
	}
	return 0;
}

/* --- who is told ------------------------------------------------------------------------------ */

static int read_alerts(const struct yaml_at *at, const struct raw_alerts *raw,
		       struct campaign_plan *p)
{
	static const struct word bodies[] = {
		{"event", CAMPAIGN_BODY_EVENT}, {"alertmanager", CAMPAIGN_BODY_ALERTMANAGER},
		{NULL, 0}};
	const struct raw_webhook *hook;
	int rc, body = CAMPAIGN_BODY_EVENT;

	if (raw == NULL)
		return 0;
	hook = raw->webhook;
	if (hook == NULL && raw->exec == NULL)
		return yaml_refuse(at, "alerts", "alerts go nowhere, expected webhook or exec");
	rc = read_path(at, "alerts.exec", raw->exec, p->alert_exec, sizeof(p->alert_exec));
	p->alerts = rc == 0;
	if (rc < 0 || hook == NULL)
		return rc;
	if (strncasecmp(hook->url, "https://", 8) != 0 && strncasecmp(hook->url, "http://", 7) != 0)
		return yaml_refuse(at, "alerts.webhook.url", "\"%s\" is no URL, expected https://... "
				   "or http://...", hook->url);
	if (hook->format != NULL && word_value(bodies, hook->format, &body) < 0)
		return yaml_refuse(at, "alerts.webhook.format", "\"%s\" is no format, expected event "
				   "or alertmanager", hook->format);
	text_set(p->webhook_url, sizeof(p->webhook_url), hook->url);
	p->webhook_body = (uint8_t)body;
	return read_path(at, "alerts.webhook.secret_file", hook->secret_file, p->webhook_secret,
			 sizeof(p->webhook_secret));
}

int campaign_listen(const char *text, struct addr *address, uint16_t *port)
{
	const char *colon = strrchr(text, ':');
	bool bracket = text[0] == '[';
	char host[ADDR_TEXT];
	struct addr a;
	uint64_t number;
	size_t n;

	if (colon == NULL || text_to_u64(colon + 1, 1, 65535, &number) < 0)
		return BP_EPARSE;
	n = (size_t)(colon - text);
	if (bracket && (n < 2 || colon[-1] != ']'))
		return BP_EPARSE;
	text += bracket;
	n -= bracket ? 2 : 0;
	if (n >= sizeof(host))
		return BP_EPARSE;
	text_copy(host, sizeof(host), text, n);
	if (addr_parse(host, &a) < 0 || (a.family == 6) != bracket)
		return BP_EPARSE;
	*address = a;
	*port = (uint16_t)number;
	return 0;
}

static int read_metrics(const struct yaml_at *at, const struct raw_metrics *raw,
			struct campaign_plan *p)
{
	struct addr address;
	uint16_t port;

	if (raw == NULL)
		return 0;
	if (raw->listen == NULL && raw->textfile == NULL)
		return yaml_refuse(at, "metrics", "metrics go nowhere, expected listen or textfile");
	if (raw->listen != NULL && campaign_listen(raw->listen, &address, &port) < 0)
		return yaml_refuse(at, "metrics.listen", "\"%s\" is nothing to listen at, expected "
				   "ADDRESS:PORT (127.0.0.1:9923, [::1]:9923)", raw->listen);
	text_set(p->metrics_listen, sizeof(p->metrics_listen),
		 raw->listen != NULL ? raw->listen : "");
	p->metrics = true;
	return read_path(at, "metrics.textfile", raw->textfile, p->metrics_textfile,
			 sizeof(p->metrics_textfile));
}

static int read_contact(const struct yaml_at *at, const struct raw_who *raw,
			struct campaign_plan *p)
{
	struct bp_error wrong;

	if (raw == NULL)
		return 0;
	if (contact_set(&p->contact, raw->who, raw->url, raw->mail, &wrong) < 0)
		return yaml_refuse(at, "contact", "%s", wrong.text);
	p->contact_known = true;
	return 0;
}

int campaign_plan_build(const struct yamldoc *doc, const struct raw_campaign *raw,
			bool profile_alone, struct campaign_plan *p, struct bp_error *err)
{
	struct yaml_at top = {.doc = doc, .err = err, .path = ""};
	int rc = read_name(&top, "campaign", raw->campaign, p->campaign, sizeof(p->campaign));

	p->rate_pps = PLAN_RATE_PPS_DEFAULT;
	if (rc == 0)
		rc = read_vantage(&top, raw->vantage, p);
	if (rc == 0)
		rc = read_schedule(&top, raw, p);
	if (rc == 0)
		rc = read_how(&top, &raw->how, NULL, &p->how);
	if (rc == 0)
		rc = check_ttls(&top, &raw->how, &p->how, &p->how);
	if (rc == 0)
		rc = build_targets(&top, raw, profile_alone, p);
	if (rc == 0)
		rc = read_rate(&top, "rate_pps", raw->rate_pps, &p->rate_pps);
	if (rc == 0)
		/* No cap at all is no cap per prefix either, unless one is named. */
		p->prefix_mpps = p->rate_pps > 0 ? PLAN_PREFIX_PPS_DEFAULT * 1000 : 0;
	if (rc == 0)
		rc = read_milli(&top, "per_prefix_rate_pps", raw->per_prefix_rate_pps,
				&p->prefix_mpps);
	if (rc == 0)
		rc = read_on_event(&top, raw->on_event, p);
	if (rc == 0 && raw->events != NULL)
		rc = yaml_duration(&top, "events.flapping", raw->events->flapping, p->every_ns,
				   EVERY_MAX, &p->flapping_ns);
	if (rc == 0)
		rc = read_references(&top, raw, p);
	if (rc == 0)
		rc = read_store(&top, raw->store, p);
	if (rc == 0)
		rc = read_keep(&top, raw->keep, p);
	if (rc == 0)
		rc = read_alerts(&top, raw->alerts, p);
	if (rc == 0)
		rc = read_metrics(&top, raw->metrics, p);
	if (rc == 0)
		rc = read_contact(&top, raw->contact, p);
	p->profile = strdup(raw->profile != NULL ? raw->profile : "dprk");
	return rc == 0 && p->profile == NULL ? yaml_out_of_memory(&top) : rc;
}

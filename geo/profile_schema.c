// SPDX-License-Identifier: BSD-2-Clause
/* The keys of a profile, as libcyaml's tables. Every value is text here: what a text means (a date,
 * a prefix, an AS number) is checked in profile_build.c, where the error can say what is expected.
 * libcyaml would take 010 for eight and 1e3x for a number. */
#include "geo/profile_raw.h"

#define OPTIONAL (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define REQUIRED CYAML_FLAG_POINTER

#define TEXT(key, flags, type, member, max) \
	CYAML_FIELD_STRING_PTR(key, flags, type, member, 1, max)
#define LIST(key, flags, type, member, entry, min, max) \
	CYAML_FIELD_SEQUENCE_COUNT(key, flags, type, member, member##_count, entry, min, max)
/* What every entry may carry. */
#define VALID(type) \
	TEXT("since", OPTIONAL, type, valid.since, 40), \
	TEXT("until", OPTIONAL, type, valid.until, 40), \
	TEXT("source", OPTIONAL, type, valid.source, 1024)

static const cyaml_schema_value_t text_value = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, 64)};

static const cyaml_schema_field_t place_fields[] = {
	TEXT("lat", REQUIRED, struct raw_place, lat, 24),
	TEXT("lon", REQUIRED, struct raw_place, lon, 24),
	CYAML_FIELD_END};

static const cyaml_schema_field_t judge_fields[] = {
	TEXT("v4", OPTIONAL, struct raw_judge, v4, 8),
	TEXT("v6", OPTIONAL, struct raw_judge, v6, 8),
	CYAML_FIELD_END};

static const cyaml_schema_field_t network_fields[] = {
	TEXT("name", REQUIRED, struct raw_network, name, PROFILE_TEXT_MAX),
	LIST("asn", OPTIONAL, struct raw_network, asn, &text_value, 1, PROFILE_LIST_MAX),
	LIST("prefixes", REQUIRED, struct raw_network, prefixes, &text_value, 1, PROFILE_LIST_MAX),
	CYAML_FIELD_MAPPING_PTR("judge_by", OPTIONAL, struct raw_network, judge_by, judge_fields),
	CYAML_FIELD_MAPPING_PTR("place", OPTIONAL, struct raw_network, place, place_fields),
	VALID(struct raw_network),
	CYAML_FIELD_END};

static const cyaml_schema_field_t asn_fields[] = {
	TEXT("asn", REQUIRED, struct raw_asn, asn, 16),
	TEXT("org", OPTIONAL, struct raw_asn, org, PROFILE_TEXT_MAX),
	VALID(struct raw_asn),
	CYAML_FIELD_END};
static const cyaml_schema_value_t asn_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_asn, asn_fields)};

static const cyaml_schema_field_t prefix_fields[] = {
	TEXT("prefix", REQUIRED, struct raw_prefix, prefix, 64),
	TEXT("asn", OPTIONAL, struct raw_prefix, asn, 16),
	TEXT("label", OPTIONAL, struct raw_prefix, label, PROFILE_TEXT_MAX),
	VALID(struct raw_prefix),
	CYAML_FIELD_END};
static const cyaml_schema_value_t prefix_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_prefix, prefix_fields)};

static const cyaml_schema_field_t border_fields[] = {
	TEXT("id", REQUIRED, struct raw_border, id, 64),
	TEXT("name", OPTIONAL, struct raw_border, name, PROFILE_TEXT_MAX),
	TEXT("short", OPTIONAL, struct raw_border, short_name, 8),
	TEXT("country", OPTIONAL, struct raw_border, country, 8),
	TEXT("color", OPTIONAL, struct raw_border, color, 16),
	CYAML_FIELD_MAPPING_PTR("place", OPTIONAL, struct raw_border, place, place_fields),
	LIST("networks", OPTIONAL, struct raw_border, networks, &asn_value, 0, PROFILE_LIST_MAX),
	LIST("prefixes", OPTIONAL, struct raw_border, prefixes, &prefix_value, 0, PROFILE_LIST_MAX),
	VALID(struct raw_border),
	CYAML_FIELD_END};
static const cyaml_schema_value_t border_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_border, border_fields)};

static const cyaml_schema_field_t other_fields[] = {
	TEXT("id", REQUIRED, struct raw_border, id, 64),
	TEXT("name", OPTIONAL, struct raw_border, name, PROFILE_TEXT_MAX),
	LIST("networks", OPTIONAL, struct raw_border, networks, &asn_value, 0, PROFILE_LIST_MAX),
	LIST("prefixes", OPTIONAL, struct raw_border, prefixes, &prefix_value, 0, PROFILE_LIST_MAX),
	VALID(struct raw_border),
	CYAML_FIELD_END};
static const cyaml_schema_value_t other_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_border, other_fields)};

static const cyaml_schema_field_t label_fields[] = {
	TEXT("prefix", REQUIRED, struct raw_label, prefix, 64),
	TEXT("label", REQUIRED, struct raw_label, label, PROFILE_TEXT_MAX),
	TEXT("org", OPTIONAL, struct raw_label, org, PROFILE_TEXT_MAX),
	TEXT("asn", OPTIONAL, struct raw_label, asn, 16),
	TEXT("country", OPTIONAL, struct raw_label, country, 8),
	TEXT("border", OPTIONAL, struct raw_label, border, 64),
	TEXT("role", OPTIONAL, struct raw_label, role, 32),
	VALID(struct raw_label),
	CYAML_FIELD_END};
static const cyaml_schema_value_t label_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_label, label_fields)};

static const cyaml_schema_field_t target_fields[] = {
	TEXT("host", REQUIRED, struct raw_target, host, 253),
	TEXT("name", OPTIONAL, struct raw_target, name, PROFILE_TEXT_MAX),
	TEXT("method", OPTIONAL, struct raw_target, method, 16),
	TEXT("port", OPTIONAL, struct raw_target, port, 8),
	VALID(struct raw_target),
	CYAML_FIELD_END};
static const cyaml_schema_value_t target_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_target, target_fields)};

static const cyaml_schema_field_t profile_fields[] = {
	TEXT("profile", REQUIRED, struct raw_profile, profile, 63),
	TEXT("version", REQUIRED, struct raw_profile, version, 31),
	CYAML_FIELD_MAPPING("network", CYAML_FLAG_DEFAULT, struct raw_profile, network,
			    network_fields),
	TEXT("timezone", OPTIONAL, struct raw_profile, timezone, 64),
	LIST("borders", REQUIRED, struct raw_profile, borders, &border_value, 1,
	     PROFILE_BORDERS_MAX),
	LIST("others", OPTIONAL, struct raw_profile, others, &other_value, 0, PROFILE_LIST_MAX),
	LIST("labels", OPTIONAL, struct raw_profile, labels, &label_value, 0, PROFILE_LIST_MAX),
	LIST("targets", OPTIONAL, struct raw_profile, targets, &target_value, 0, PROFILE_LIST_MAX),
	CYAML_FIELD_END};

const cyaml_schema_value_t profile_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw_profile, profile_fields)};

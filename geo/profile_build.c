// SPDX-License-Identifier: BSD-2-Clause
/* From text to values: what each text of a profile means, and a refusal with its place where it
 * means nothing. One function per kind of entry; checks between entries are in profile_cross.c. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "geo/profile_raw.h"
#include "geo/yamlread.h"

static int read_valid(const struct yaml_at *at, const struct raw_valid *raw, struct validity *out)
{
	out->source = raw->source;
	return yaml_since_until(at, raw->since, raw->until, &out->since, &out->until);
}

static int read_asn(const struct yaml_at *at, const char *key, const char *text, uint32_t *out)
{
	uint64_t v = *out;
	int rc = yaml_number(at, key, text, "AS number", 1, UINT32_MAX - 1, &v);

	*out = (uint32_t)v;
	return rc;
}

static int read_place(const struct yaml_at *at, const struct raw_place *raw,
		      struct profile_place *out)
{
	int rc;

	if (raw == NULL)
		return 0;
	rc = yaml_degrees(at, "place.lat", raw->lat, 90, &out->lat);
	if (rc == 0)
		rc = yaml_degrees(at, "place.lon", raw->lon, 180, &out->lon);
	out->known = rc == 0;
	return rc;
}

static int read_country(const struct yaml_at *at, const char *text, const char **out)
{
	if (text != NULL && (strlen(text) != 2 || !isupper((unsigned char)text[0]) ||
			     !isupper((unsigned char)text[1])))
		return yaml_refuse(at, "country",
			      "\"%s\" is no country, expected two capital letters of "
			      "ISO 3166-1 (CN)",
			      text);
	*out = text;
	return 0;
}

static int read_color(const struct yaml_at *at, const char *text, unsigned i, const char **out)
{
	/* Apart under the common colour-vision deficiencies (Okabe and Ito); green is "other". */
	static const char *const palette[] = {"#E69F00", "#0072B2", "#CC79A7",
					      "#56B4E9", "#D55E00", "#F0E442"};

	*out = palette[i % (sizeof(palette) / sizeof(palette[0]))];
	if (text == NULL)
		return 0;
	if (strlen(text) != 7 || text[0] != '#' || strspn(text + 1, "0123456789abcdefABCDEF") != 6)
		return yaml_refuse(at, "color",
			      "\"%s\" is no colour, expected \"#RRGGBB\" (quoted: # begins "
			      "a comment)",
			      text);
	*out = text;
	return 0;
}

/* Ids are keys of the verdict's p and words on command lines. */
static int read_id(const struct yaml_at *at, const char *key, const char *text, size_t max,
		   const char **out)
{
	static const char *const taken[] = {"other", "mixed", "undetermined", "none", "inside"};

	if (strlen(text) > max || !isalnum((unsigned char)text[0]) ||
	    text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-")] != '\0')
		return yaml_refuse(at, key, "\"%s\" is no id, expected up to %zu of a-z, 0-9, - and _",
			      text, max);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (strcmp(text, taken[i]) == 0)
			return yaml_refuse(at, key, "\"%s\" is a word of the verdict, choose another id",
				      text);
	*out = text;
	return 0;
}

static int build_networks(const struct yaml_at *up, const struct raw_asn *raw, unsigned count,
			  struct profile_network **out, unsigned *out_count)
{
	struct profile_network *list = calloc(count + 1, sizeof(*list));

	if (list == NULL)
		return yaml_out_of_memory(up);
	*out = list;
	*out_count = count;
	for (unsigned i = 0; i < count; i++) {
		struct yaml_at at = yaml_entry(up, "networks", i);
		int rc = read_asn(&at, "asn", raw[i].asn, &list[i].asn);

		if (rc == 0)
			rc = read_valid(&at, &raw[i].valid, &list[i].valid);
		if (rc < 0)
			return rc;
		list[i].org = raw[i].org;
	}
	return 0;
}

static int build_prefixes(const struct yaml_at *up, const struct raw_prefix *raw, unsigned count,
			  struct profile_prefix **out, unsigned *out_count)
{
	struct profile_prefix *list = calloc(count + 1, sizeof(*list));

	if (list == NULL)
		return yaml_out_of_memory(up);
	*out = list;
	*out_count = count;
	for (unsigned i = 0; i < count; i++) {
		struct yaml_at at = yaml_entry(up, "prefixes", i);
		int rc = yaml_prefix(&at, "prefix", raw[i].prefix, &list[i].prefix);

		if (rc == 0)
			rc = read_asn(&at, "asn", raw[i].asn, &list[i].asn);
		if (rc == 0)
			rc = read_valid(&at, &raw[i].valid, &list[i].valid);
		if (rc < 0)
			return rc;
		list[i].label = raw[i].label;
	}
	return 0;
}

static int read_judge(const struct yaml_at *at, const struct raw_judge *raw, struct profile *p)
{
	uint64_t v4 = 24, v6 = 48;
	int rc = 0;

	if (raw != NULL)
		rc = yaml_number(at, "judge_by.v4", raw->v4, "prefix length", 1, 32, &v4);
	if (raw != NULL && rc == 0)
		rc = yaml_number(at, "judge_by.v6", raw->v6, "prefix length", 1, 128, &v6);
	p->judge_v4 = (uint8_t)v4;
	p->judge_v6 = (uint8_t)v6;
	return rc;
}

static int build_network(const struct yaml_at *top, const struct raw_network *raw,
			 struct profile *p)
{
	struct yaml_at at = {.doc = top->doc, .err = top->err, .path = "network"};
	struct validity valid = {0};
	int rc;

	p->network_name = raw->name;
	rc = read_valid(&at, &raw->valid, &valid);
	if (rc == 0)
		rc = read_judge(&at, raw->judge_by, p);
	if (rc == 0)
		rc = read_place(&at, raw->place, &p->place);
	if (rc < 0)
		return rc;
	p->asns = calloc(raw->asn_count + 1, sizeof(*p->asns));
	p->prefixes = calloc(raw->prefixes_count + 1, sizeof(*p->prefixes));
	if (p->asns == NULL || p->prefixes == NULL)
		return yaml_out_of_memory(&at);
	for (unsigned i = 0; i < raw->asn_count; i++) {
		struct yaml_at here = yaml_entry(&at, "asn", i);

		rc = read_asn(&here, "", raw->asn[i], &p->asns[p->asns_count++]);
		if (rc < 0)
			return rc;
	}
	for (unsigned i = 0; i < raw->prefixes_count; i++) {
		struct yaml_at here = yaml_entry(&at, "prefixes", i);
		struct profile_prefix *out = &p->prefixes[p->prefixes_count++];
		unsigned judge;
		char text[PREFIX_TEXT];

		rc = yaml_prefix(&here, "", raw->prefixes[i], &out->prefix);
		if (rc < 0)
			return rc;
		out->valid = valid;
		judge = out->prefix.addr.family == 4 ? p->judge_v4 : p->judge_v6;
		if (judge < out->prefix.len)
			return yaml_refuse(&here, "",
				      "verdicts are kept per /%u (judge_by), which is wider than "
				      "the network's %s",
				      judge, prefix_format(out->prefix, text));
	}
	return 0;
}

/* What shows that a path takes a border, or another way in. */
struct ways {
	struct profile_network **networks;
	struct profile_prefix **prefixes;
	unsigned *networks_count, *prefixes_count;
};

static int build_ways(const struct yaml_at *at, const struct raw_border *raw, const char *what,
		      const struct ways *out)
{
	int rc = build_networks(at, raw->networks, raw->networks_count, out->networks,
				out->networks_count);

	if (rc == 0)
		rc = build_prefixes(at, raw->prefixes, raw->prefixes_count, out->prefixes,
				    out->prefixes_count);
	if (rc == 0 && *out->networks_count == 0 && *out->prefixes_count == 0)
		rc = yaml_refuse(at, "", "%s\"%s\" has no networks and no prefixes: nothing could show "
				 "that a path takes it", what, raw->id);
	return rc;
}

static int build_border(const struct yaml_at *at, const struct raw_border *raw, unsigned i,
			struct profile_border *out)
{
	const struct ways ways = {&out->networks, &out->prefixes, &out->networks_count,
				  &out->prefixes_count};
	int rc = read_id(at, "id", raw->id, 31, &out->id);

	out->name = raw->name != NULL ? raw->name : raw->id;
	out->short_name = raw->short_name != NULL ? raw->short_name : raw->id;
	if (rc == 0)
		rc = read_country(at, raw->country, &out->country);
	if (rc == 0)
		rc = read_color(at, raw->color, i, &out->color);
	if (rc == 0)
		rc = read_place(at, raw->place, &out->place);
	if (rc == 0)
		rc = read_valid(at, &raw->valid, &out->valid);
	return rc == 0 ? build_ways(at, raw, "border ", &ways) : rc;
}

static int build_other(const struct yaml_at *at, const struct raw_border *raw,
		       struct profile_other *out)
{
	const struct ways ways = {&out->networks, &out->prefixes, &out->networks_count,
				  &out->prefixes_count};
	int rc = read_id(at, "id", raw->id, 31, &out->id);

	out->name = raw->name != NULL ? raw->name : raw->id;
	if (rc == 0)
		rc = read_valid(at, &raw->valid, &out->valid);
	return rc == 0 ? build_ways(at, raw, "", &ways) : rc;
}

static int build_label(const struct yaml_at *at, const struct raw_label *raw,
		       struct profile_label *out)
{
	static const char *const roles[] = {"exchange", "customer", "border_router"};
	int rc = yaml_prefix(at, "prefix", raw->prefix, &out->prefix);

	if (rc == 0)
		rc = read_asn(at, "asn", raw->asn, &out->asn);
	if (rc == 0)
		rc = read_country(at, raw->country, &out->country);
	if (rc == 0)
		rc = read_valid(at, &raw->valid, &out->valid);
	if (rc < 0)
		return rc;
	out->label = raw->label;
	out->org = raw->org;
	out->border = raw->border;
	if (raw->role == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(raw->role, roles[i]) == 0)
			out->role = roles[i];
	if (out->role == NULL)
		return yaml_refuse(at, "role", "\"%s\" is no role, expected exchange, customer or "
			      "border_router", raw->role);
	return 0;
}

static int build_target(const struct yaml_at *at, const struct raw_target *raw,
			struct profile_target *out)
{
	int rc = yaml_host(at, "host", raw->host);

	if (rc == 0)
		rc = yaml_method_port(at, raw->method, raw->port, &out->method, &out->port);
	out->host = raw->host;
	out->name = raw->name;
	return rc < 0 ? rc : read_valid(at, &raw->valid, &out->valid);
}

static int read_timezone(const struct yaml_at *at, const char *text, const char **out)
{
	*out = text != NULL ? text : "UTC";
	if (text == NULL)
		return 0;
	/* The name ends up in TZ, where a leading ':' or '/' would mean a file. */
	if (!isalpha((unsigned char)text[0]) || strstr(text, "..") != NULL)
		return yaml_refuse(at, "timezone", "\"%s\" is no time zone, expected a name such as "
			      "Asia/Pyongyang", text);
	for (const char *c = text; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) && strchr("/_+-", *c) == NULL)
			return yaml_refuse(at, "timezone",
				      "\"%s\" is no time zone, expected a name such as "
				      "Asia/Pyongyang",
				      text);
	return 0;
}

static int build_lists(const struct yaml_at *top, const struct raw_profile *raw, struct profile *p)
{
	int rc = 0;

	p->borders = calloc(raw->borders_count + 1, sizeof(*p->borders));
	p->others = calloc(raw->others_count + 1, sizeof(*p->others));
	p->labels = calloc(raw->labels_count + 1, sizeof(*p->labels));
	p->targets = calloc(raw->targets_count + 1, sizeof(*p->targets));
	if (!p->borders || !p->others || !p->labels || !p->targets)
		return yaml_out_of_memory(top);
	for (unsigned i = 0; rc == 0 && i < raw->borders_count; i++) {
		struct yaml_at at = yaml_entry(top, "borders", i);

		rc = build_border(&at, &raw->borders[i], i, &p->borders[p->borders_count++]);
	}
	for (unsigned i = 0; rc == 0 && i < raw->others_count; i++) {
		struct yaml_at at = yaml_entry(top, "others", i);

		rc = build_other(&at, &raw->others[i], &p->others[p->others_count++]);
	}
	for (unsigned i = 0; rc == 0 && i < raw->labels_count; i++) {
		struct yaml_at at = yaml_entry(top, "labels", i);

		rc = build_label(&at, &raw->labels[i], &p->labels[p->labels_count++]);
	}
	for (unsigned i = 0; rc == 0 && i < raw->targets_count; i++) {
		struct yaml_at at = yaml_entry(top, "targets", i);

		rc = build_target(&at, &raw->targets[i], &p->targets[p->targets_count++]);
	}
	return rc;
}

int profile_build(const struct yamldoc *doc, const struct raw_profile *raw, struct profile *p,
		  struct bp_error *err)
{
	struct yaml_at top = {.doc = doc, .err = err, .path = ""};
	int rc = read_id(&top, "profile", raw->profile, 63, &p->id);

	p->version = raw->version;
	if (rc == 0)
		rc = read_timezone(&top, raw->timezone, &p->timezone);
	if (rc == 0)
		rc = build_network(&top, &raw->network, p);
	if (rc == 0)
		rc = build_lists(&top, raw, p);
	return rc;
}

void profile_build_fini(struct profile *p)
{
	for (unsigned i = 0; i < p->borders_count; i++) {
		free(p->borders[i].networks);
		free(p->borders[i].prefixes);
	}
	for (unsigned i = 0; i < p->others_count; i++) {
		free(p->others[i].networks);
		free(p->others[i].prefixes);
	}
	free(p->asns);
	free(p->prefixes);
	free(p->borders);
	free(p->others);
	free(p->labels);
	free(p->targets);
}

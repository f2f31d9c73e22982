// SPDX-License-Identifier: BSD-2-Clause
/* From text to values: what each text of a profile means, and a refusal with its place where it
 * means nothing. One function per kind of entry; checks between entries are in profile_cross.c. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "geo/profile_raw.h"

/* Where in the document, for errors: doc, err, and the entry's path. */
struct at {
	const struct yamldoc *doc;
	struct bp_error *err;
	char path[96];
};

static int refuse(const struct at *at, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(const struct at *at, const char *key, const char *fmt, ...)
{
	char path[160], what[BP_ERROR_TEXT];
	va_list ap;

	snprintf(path, sizeof(path), "%s%s%s", at->path, at->path[0] && key[0] != '[' ? "." : "",
		 key);
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return yamldoc_fail(at->doc, at->err, BP_EPARSE, path, "%s", what);
}

static struct at entry(const struct at *up, const char *list, unsigned i)
{
	struct at at = {.doc = up->doc, .err = up->err};

	snprintf(at.path, sizeof(at.path), "%.60s%s%s[%u]", up->path, up->path[0] ? "." : "", list,
		 i);
	return at;
}

static int out_of_memory(const struct at *at)
{
	return bp_fail(at->err, BP_ENOMEM, "%s: out of memory", at->doc->name);
}

static int read_time(const struct at *at, const char *key, const char *text, struct wall *out)
{
	if (text == NULL)
		return 0;
	/* wall_parse knows "now" and "2h ago" too: a profile that means something else every day. */
	if (strlen(text) < 10 || text[4] != '-' || wall_parse(text, (struct wall){0}, out) < 0)
		return refuse(at, key,
			      "\"%s\" is no time, expected a date (2017-10-01) or RFC 3339 "
			      "(2017-10-01T09:07:51Z)",
			      text);
	return 0;
}

static int read_valid(const struct at *at, const struct raw_valid *raw, struct validity *out)
{
	int rc = read_time(at, "since", raw->since, &out->since);

	if (rc == 0)
		rc = read_time(at, "until", raw->until, &out->until);
	if (rc < 0)
		return rc;
	if (raw->since != NULL && raw->until != NULL && out->until.ns <= out->since.ns)
		return refuse(at, "until", "until %s is not after since %s", raw->until,
			      raw->since);
	out->source = raw->source;
	return 0;
}

static int read_asn(const struct at *at, const char *key, const char *text, uint32_t *out)
{
	uint64_t v;

	if (text == NULL)
		return 0;
	if (text_to_u64(text, 1, UINT32_MAX - 1, &v) < 0)
		return refuse(at, key, "\"%s\" is no AS number, expected 1 to 4294967294", text);
	*out = (uint32_t)v;
	return 0;
}

static int read_prefix(const struct at *at, const char *key, const char *text, struct prefix *out)
{
	int rc = prefix_parse(text, out);
	char host[ADDR_TEXT], right[PREFIX_TEXT];
	const char *slash = strchr(text, '/');
	struct addr a;
	uint64_t len;

	if (rc == 0)
		return 0;
	if (rc == BP_ERANGE && slash != NULL && (size_t)(slash - text) < sizeof(host)) {
		text_copy(host, sizeof(host), text, (size_t)(slash - text));
		if (addr_parse(host, &a) == 0 &&
		    text_to_u64(slash + 1, 0, 8 * addr_size(a), &len) == 0)
			return refuse(at, key,
				      "\"%s\" has bits set after the first %u, expected %s", text,
				      (unsigned)len,
				      prefix_format(prefix_of(a, (uint8_t)len), right));
	}
	return refuse(at, key, "\"%s\" is no prefix, expected ADDRESS/LENGTH (192.0.2.0/24, "
		      "2001:db8::/32)", text);
}

static int read_degrees(const struct at *at, const char *key, const char *text, double limit,
			double *out)
{
	char *end;
	double v;

	errno = 0;
	v = strtod(text, &end);
	/* The first test refuses nan, inf and 0x, which strtod likes. */
	if (text[strspn(text, "+-.0123456789")] != '\0' || *end != '\0' || errno != 0 ||
	    !isfinite(v) || fabs(v) > limit)
		return refuse(at, key, "\"%s\" is no %s, expected degrees from -%.0f to %.0f", text,
			      key[strlen(key) - 1] == 't' ? "latitude" : "longitude", limit, limit);
	*out = v;
	return 0;
}

static int read_place(const struct at *at, const struct raw_place *raw, struct profile_place *out)
{
	int rc;

	if (raw == NULL)
		return 0;
	rc = read_degrees(at, "place.lat", raw->lat, 90, &out->lat);
	if (rc == 0)
		rc = read_degrees(at, "place.lon", raw->lon, 180, &out->lon);
	out->known = rc == 0;
	return rc;
}

static int read_country(const struct at *at, const char *text, const char **out)
{
	if (text != NULL && (strlen(text) != 2 || !isupper((unsigned char)text[0]) ||
			     !isupper((unsigned char)text[1])))
		return refuse(at, "country",
			      "\"%s\" is no country, expected two capital letters of "
			      "ISO 3166-1 (CN)",
			      text);
	*out = text;
	return 0;
}

static int read_color(const struct at *at, const char *text, unsigned i, const char **out)
{
	/* Apart under the common colour-vision deficiencies (Okabe and Ito); green is "other". */
	static const char *const palette[] = {"#E69F00", "#0072B2", "#CC79A7",
					      "#56B4E9", "#D55E00", "#F0E442"};

	*out = palette[i % (sizeof(palette) / sizeof(palette[0]))];
	if (text == NULL)
		return 0;
	if (strlen(text) != 7 || text[0] != '#' || strspn(text + 1, "0123456789abcdefABCDEF") != 6)
		return refuse(at, "color",
			      "\"%s\" is no colour, expected \"#RRGGBB\" (quoted: # begins "
			      "a comment)",
			      text);
	*out = text;
	return 0;
}

/* Ids are keys of the verdict's p and words on command lines. */
static int read_id(const struct at *at, const char *key, const char *text, size_t max,
		   const char **out)
{
	static const char *const taken[] = {"other", "mixed", "undetermined", "none", "inside"};

	if (strlen(text) > max || !isalnum((unsigned char)text[0]) ||
	    text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-")] != '\0')
		return refuse(at, key, "\"%s\" is no id, expected up to %zu of a-z, 0-9, - and _",
			      text, max);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (strcmp(text, taken[i]) == 0)
			return refuse(at, key, "\"%s\" is a word of the verdict, choose another id",
				      text);
	*out = text;
	return 0;
}

static int build_networks(const struct at *up, const struct raw_asn *raw, unsigned count,
			  struct profile_network **out, unsigned *out_count)
{
	struct profile_network *list = calloc(count + 1, sizeof(*list));

	if (list == NULL)
		return out_of_memory(up);
	*out = list;
	*out_count = count;
	for (unsigned i = 0; i < count; i++) {
		struct at at = entry(up, "networks", i);
		int rc = read_asn(&at, "asn", raw[i].asn, &list[i].asn);

		if (rc == 0)
			rc = read_valid(&at, &raw[i].valid, &list[i].valid);
		if (rc < 0)
			return rc;
		list[i].org = raw[i].org;
	}
	return 0;
}

static int build_prefixes(const struct at *up, const struct raw_prefix *raw, unsigned count,
			  struct profile_prefix **out, unsigned *out_count)
{
	struct profile_prefix *list = calloc(count + 1, sizeof(*list));

	if (list == NULL)
		return out_of_memory(up);
	*out = list;
	*out_count = count;
	for (unsigned i = 0; i < count; i++) {
		struct at at = entry(up, "prefixes", i);
		int rc = read_prefix(&at, "prefix", raw[i].prefix, &list[i].prefix);

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

static int read_judge(const struct at *at, const struct raw_judge *raw, struct profile *p)
{
	uint64_t v4 = 24, v6 = 48;

	if (raw != NULL && raw->v4 != NULL && text_to_u64(raw->v4, 1, 32, &v4) < 0)
		return refuse(at, "judge_by.v4", "\"%s\" is no prefix length, expected 1 to 32",
			      raw->v4);
	if (raw != NULL && raw->v6 != NULL && text_to_u64(raw->v6, 1, 128, &v6) < 0)
		return refuse(at, "judge_by.v6", "\"%s\" is no prefix length, expected 1 to 128",
			      raw->v6);
	p->judge_v4 = (uint8_t)v4;
	p->judge_v6 = (uint8_t)v6;
	return 0;
}

static int build_network(const struct at *top, const struct raw_network *raw, struct profile *p)
{
	struct at at = {.doc = top->doc, .err = top->err, .path = "network"};
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
		return out_of_memory(&at);
	for (unsigned i = 0; i < raw->asn_count; i++) {
		struct at here = entry(&at, "asn", i);

		rc = read_asn(&here, "", raw->asn[i], &p->asns[p->asns_count++]);
		if (rc < 0)
			return rc;
	}
	for (unsigned i = 0; i < raw->prefixes_count; i++) {
		struct at here = entry(&at, "prefixes", i);
		struct profile_prefix *out = &p->prefixes[p->prefixes_count++];
		unsigned judge;
		char text[PREFIX_TEXT];

		rc = read_prefix(&here, "", raw->prefixes[i], &out->prefix);
		if (rc < 0)
			return rc;
		out->valid = valid;
		judge = out->prefix.addr.family == 4 ? p->judge_v4 : p->judge_v6;
		if (judge < out->prefix.len)
			return refuse(&here, "",
				      "verdicts are kept per /%u (judge_by), which is wider than "
				      "the network's %s",
				      judge, prefix_format(out->prefix, text));
	}
	return 0;
}

static int build_border(const struct at *at, const struct raw_border *raw, unsigned i,
			struct profile_border *out)
{
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
	if (rc == 0)
		rc = build_networks(at, raw->networks, raw->networks_count, &out->networks,
				    &out->networks_count);
	if (rc == 0)
		rc = build_prefixes(at, raw->prefixes, raw->prefixes_count, &out->prefixes,
				    &out->prefixes_count);
	if (rc == 0 && out->networks_count == 0 && out->prefixes_count == 0)
		rc = refuse(at, "",
			    "border \"%s\" has no networks and no prefixes: nothing could show "
			    "that a path takes it",
			    raw->id);
	return rc;
}

static int build_other(const struct at *at, const struct raw_border *raw, struct profile_other *out)
{
	int rc = read_id(at, "id", raw->id, 31, &out->id);

	out->name = raw->name != NULL ? raw->name : raw->id;
	if (rc == 0)
		rc = read_valid(at, &raw->valid, &out->valid);
	if (rc == 0)
		rc = build_networks(at, raw->networks, raw->networks_count, &out->networks,
				    &out->networks_count);
	if (rc == 0)
		rc = build_prefixes(at, raw->prefixes, raw->prefixes_count, &out->prefixes,
				    &out->prefixes_count);
	if (rc == 0 && out->networks_count == 0 && out->prefixes_count == 0)
		rc = refuse(at, "",
			    "\"%s\" has no networks and no prefixes: nothing could show that a "
			    "path takes it",
			    raw->id);
	return rc;
}

static int build_label(const struct at *at, const struct raw_label *raw, struct profile_label *out)
{
	static const char *const roles[] = {"exchange", "customer", "border_router"};
	int rc = read_prefix(at, "prefix", raw->prefix, &out->prefix);

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
		return refuse(at, "role", "\"%s\" is no role, expected exchange, customer or "
			      "border_router", raw->role);
	return 0;
}

/* An address, a prefix, or a name; something of digits and dots only must be one of the first. */
static int read_host(const struct at *at, const char *text)
{
	struct prefix p;

	if (strchr(text, '/') != NULL)
		return read_prefix(at, "host", text, &p);
	if (strchr(text, ':') != NULL || text[strspn(text, ".0123456789")] == '\0') {
		struct addr a;

		if (addr_parse(text, &a) < 0)
			return refuse(at, "host", "\"%s\" is no address", text);
		return 0;
	}
	for (const char *c = text; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) && strchr("-._", *c) == NULL)
			return refuse(at, "host",
				      "\"%s\" is no host, expected an address, a prefix or a "
				      "name",
				      text);
	if (text[0] == '-' || text[0] == '.')
		return refuse(at, "host",
			      "\"%s\" is no host, expected an address, a prefix or a name", text);
	return 0;
}

static int build_target(const struct at *at, const struct raw_target *raw,
			struct profile_target *out)
{
	static const struct word methods[] = {
		{"icmp", METHOD_ICMP}, {"udp", METHOD_UDP}, {"tcp", METHOD_TCP}, {NULL, 0}};
	int rc = read_host(at, raw->host), method = METHOD_UNKNOWN;
	uint64_t port = 0;

	if (rc < 0)
		return rc;
	if (raw->method != NULL && word_value(methods, raw->method, &method) < 0)
		return refuse(at, "method", "\"%s\" is no method, expected icmp, udp or tcp",
			      raw->method);
	if (raw->port != NULL && text_to_u64(raw->port, 1, 65535, &port) < 0)
		return refuse(at, "port", "\"%s\" is no port, expected 1 to 65535", raw->port);
	if (port != 0 && method != METHOD_UDP && method != METHOD_TCP)
		return refuse(at, "port", "a port needs method udp or tcp");
	out->host = raw->host;
	out->name = raw->name;
	out->method = (uint8_t)method;
	out->port = (uint16_t)port;
	return read_valid(at, &raw->valid, &out->valid);
}

static int read_timezone(const struct at *at, const char *text, const char **out)
{
	*out = text != NULL ? text : "UTC";
	if (text == NULL)
		return 0;
	/* The name ends up in TZ, where a leading ':' or '/' would mean a file. */
	if (!isalpha((unsigned char)text[0]) || strstr(text, "..") != NULL)
		return refuse(at, "timezone", "\"%s\" is no time zone, expected a name such as "
			      "Asia/Pyongyang", text);
	for (const char *c = text; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) && strchr("/_+-", *c) == NULL)
			return refuse(at, "timezone",
				      "\"%s\" is no time zone, expected a name such as "
				      "Asia/Pyongyang",
				      text);
	return 0;
}

static int build_lists(const struct at *top, const struct raw_profile *raw, struct profile *p)
{
	int rc = 0;

	p->borders = calloc(raw->borders_count + 1, sizeof(*p->borders));
	p->others = calloc(raw->others_count + 1, sizeof(*p->others));
	p->labels = calloc(raw->labels_count + 1, sizeof(*p->labels));
	p->targets = calloc(raw->targets_count + 1, sizeof(*p->targets));
	if (!p->borders || !p->others || !p->labels || !p->targets)
		return out_of_memory(top);
	for (unsigned i = 0; rc == 0 && i < raw->borders_count; i++) {
		struct at at = entry(top, "borders", i);

		rc = build_border(&at, &raw->borders[i], i, &p->borders[p->borders_count++]);
	}
	for (unsigned i = 0; rc == 0 && i < raw->others_count; i++) {
		struct at at = entry(top, "others", i);

		rc = build_other(&at, &raw->others[i], &p->others[p->others_count++]);
	}
	for (unsigned i = 0; rc == 0 && i < raw->labels_count; i++) {
		struct at at = entry(top, "labels", i);

		rc = build_label(&at, &raw->labels[i], &p->labels[p->labels_count++]);
	}
	for (unsigned i = 0; rc == 0 && i < raw->targets_count; i++) {
		struct at at = entry(top, "targets", i);

		rc = build_target(&at, &raw->targets[i], &p->targets[p->targets_count++]);
	}
	return rc;
}

int profile_build(const struct yamldoc *doc, const struct raw_profile *raw, struct profile *p,
		  struct bp_error *err)
{
	struct at top = {.doc = doc, .err = err, .path = ""};
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

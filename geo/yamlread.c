// SPDX-License-Identifier: BSD-2-Clause
/* Texts to values, each with a refusal that says what was expected. */
#include "geo/yamlread.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/record/trace.h"
#include "core/text.h"

int yaml_refuse(const struct yaml_at *at, const char *key, const char *fmt, ...)
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

struct yaml_at yaml_entry(const struct yaml_at *up, const char *list, unsigned i)
{
	struct yaml_at at = {.doc = up->doc, .err = up->err};

	snprintf(at.path, sizeof(at.path), "%.60s%s%s[%u]", up->path, up->path[0] ? "." : "", list,
		 i);
	return at;
}

int yaml_out_of_memory(const struct yaml_at *at)
{
	return bp_fail(at->err, BP_ENOMEM, "%s: out of memory", at->doc->name);
}

static int read_time(const struct yaml_at *at, const char *key, const char *text, struct wall *out)
{
	if (text == NULL)
		return 0;
	/* wall_parse knows "now" and "2h ago" too. */
	if (strlen(text) < 10 || text[4] != '-' || wall_parse(text, (struct wall){0}, out) < 0)
		return yaml_refuse(at, key,
				   "\"%s\" is no time, expected a date (2017-10-01) or RFC 3339 "
				   "(2017-10-01T09:07:51Z)", text);
	return 0;
}

int yaml_since_until(const struct yaml_at *at, const char *since, const char *until,
		     struct wall *out_since, struct wall *out_until)
{
	int rc = read_time(at, "since", since, out_since);

	if (rc == 0)
		rc = read_time(at, "until", until, out_until);
	if (rc == 0 && since != NULL && until != NULL && out_until->ns <= out_since->ns)
		rc = yaml_refuse(at, "until", "until %s is not after since %s", until, since);
	return rc;
}

int yaml_prefix(const struct yaml_at *at, const char *key, const char *text, struct prefix *out)
{
	char host[ADDR_TEXT], right[PREFIX_TEXT];
	const char *slash;
	struct addr a;
	uint64_t len;
	int rc;

	if (text == NULL)
		return 0;
	slash = strchr(text, '/');
	rc = prefix_parse(text, out);
	if (rc == 0)
		return 0;
	if (rc == BP_ERANGE && slash != NULL && (size_t)(slash - text) < sizeof(host)) {
		text_copy(host, sizeof(host), text, (size_t)(slash - text));
		if (addr_parse(host, &a) == 0 &&
		    text_to_u64(slash + 1, 0, 8 * addr_size(a), &len) == 0)
			return yaml_refuse(at, key,
					   "\"%s\" has bits set after the first %u, expected %s",
					   text, (unsigned)len,
					   prefix_format(prefix_of(a, (uint8_t)len), right));
	}
	return yaml_refuse(at, key, "\"%s\" is no prefix, expected ADDRESS/LENGTH (192.0.2.0/24, "
			   "2001:db8::/32)", text);
}

int yaml_degrees(const struct yaml_at *at, const char *key, const char *text, double limit,
		 double *out)
{
	char *end;
	double v;

	if (text == NULL)
		return 0;
	errno = 0;
	v = strtod(text, &end);
	/* The first test refuses nan, inf and 0x, which strtod likes. */
	if (text[strspn(text, "+-.0123456789")] != '\0' || *end != '\0' || errno != 0 ||
	    !isfinite(v) || fabs(v) > limit)
		return yaml_refuse(at, key, "\"%s\" is no %s, expected degrees from -%.0f to %.0f",
				   text, key[strlen(key) - 1] == 't' ? "latitude" : "longitude",
				   limit, limit);
	*out = v;
	return 0;
}

int yaml_number(const struct yaml_at *at, const char *key, const char *text, const char *what,
		uint64_t min, uint64_t max, uint64_t *out)
{
	if (text != NULL && text_to_u64(text, min, max, out) < 0)
		return yaml_refuse(at, key, "\"%s\" is no %s, expected %llu to %llu", text, what,
				   (unsigned long long)min, (unsigned long long)max);
	return 0;
}

/* As a person writes it in a plan. */
static const char *duration_text(int64_t ns, char out[static 32])
{
	static const struct { int64_t s; const char *unit; } units[] = {
		{86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		int64_t one = units[i].s * NS_PER_S;

		if (ns > 0 && ns % one == 0) {
			snprintf(out, 32, "%lld%s", (long long)(ns / one), units[i].unit);
			return out;
		}
	}
	snprintf(out, 32, "%lld%s", (long long)(ns / NS_PER_MS), ns == 0 ? "" : "ms");
	return out;
}

int yaml_duration(const struct yaml_at *at, const char *key, const char *text, int64_t min_ns,
		  int64_t max_ns, int64_t *out_ns)
{
	char least[32], most[32];
	int64_t ns;

	if (text == NULL)
		return 0;
	if (duration_parse(text, &ns) < 0)
		return yaml_refuse(at, key, "\"%s\" is no duration, expected a number and s, m, h "
				   "or d (90s, 15m, 6h)", text);
	if (ns < min_ns || ns > max_ns)
		return yaml_refuse(at, key, "%s is out of range, expected %s to %s", text,
				   duration_text(min_ns, least), duration_text(max_ns, most));
	*out_ns = ns;
	return 0;
}

int yaml_host(const struct yaml_at *at, const char *key, const char *text)
{
	struct prefix p;

	if (strchr(text, '/') != NULL)
		return yaml_prefix(at, key, text, &p);
	if (strchr(text, ':') != NULL || text[strspn(text, ".0123456789")] == '\0') {
		struct addr a;

		if (addr_parse(text, &a) < 0)
			return yaml_refuse(at, key, "\"%s\" is no address", text);
		return 0;
	}
	for (const char *c = text; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) && strchr("-._", *c) == NULL)
			return yaml_refuse(at, key, "\"%s\" is no host, expected an address, a "
					   "prefix or a name", text);
	if (text[0] == '-' || text[0] == '.')
		return yaml_refuse(at, key, "\"%s\" is no host, expected an address, a prefix or a "
				   "name", text);
	return 0;
}

int yaml_method_port(const struct yaml_at *at, const char *method, const char *port,
		     uint8_t *out_method, uint16_t *out_port)
{
	int value = *out_method;
	uint64_t v = *out_port;
	int rc;

	if (method != NULL && word_value(method_words, method, &value) < 0)
		return yaml_refuse(at, "method", "\"%s\" is no method, expected icmp, udp or tcp",
				   method);
	rc = yaml_number(at, "port", port, "port", 1, 65535, &v);
	if (rc == 0 && port != NULL && value != METHOD_UDP && value != METHOD_TCP)
		rc = yaml_refuse(at, "port", "a port needs method udp or tcp");
	*out_method = (uint8_t)value;
	*out_port = (uint16_t)v;
	return rc;
}

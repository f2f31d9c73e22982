// SPDX-License-Identifier: BSD-2-Clause
/*
 * The plan's grammar, both ways: a table of keys per line, read strictly (unknown, repeated, empty
 * or out-of-range words refuse the line) and written by the same table. Untrusted input: looks at
 * every byte before it believes one. Opens nothing.
 */
#include "prober/plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/buf.h"
#include "core/text.h"

enum {
	PLAN_ATTEMPTS_MAX = 10,
	PLAN_FLOW_MAX = 1595, /* METHOD_FLOWS_MAX - 1: each flow has ports of its own */
	PLAN_WAIT_MS_MAX = 60000,
	PLAN_BUDGET_MS_MAX = 24 * 3600 * 1000,
	PLAN_RATE_MAX = 10 * 1000 * 1000,
};

enum value {
	VALUE_NUMBER, /* unsigned of the field's size, min..max */
	VALUE_RATE,   /* the same, or "max" for 0 */
	VALUE_MILLI,  /* the same, in thousandths: up to three places behind a point */
	VALUE_HEX,    /* 1..16 hexadecimal digits, uint64_t */
	VALUE_TEXT,   /* percent-encoded UTF-8 without control characters */
	VALUE_IFNAME,
	VALUE_BOOL,
	VALUE_ADDR,   /* min..max: families */
	VALUE_METHOD,
	VALUE_PREFIX,
};

struct key {
	const char *name;
	enum value value;
	size_t offset, size;
	uint64_t min, max;
	bool required;
};

#define FIELD(type, member) offsetof(struct type, member), sizeof(((struct type *)0)->member)

static const struct key run_keys[] = {
	{"vantage", VALUE_TEXT, FIELD(plan_run, vantage), 0, 0, false},
	{"seed", VALUE_HEX, FIELD(plan_run, seed), 0, 0, false},
	{"rate_pps", VALUE_RATE, FIELD(plan_run, rate_pps), 1, PLAN_RATE_MAX, false},
	{"prefix_pps", VALUE_MILLI, FIELD(plan_run, prefix_mpps), 1, PLAN_RATE_MAX * UINT64_C(1000),
	 false},
	{"router_pps", VALUE_RATE, FIELD(plan_run, router_pps), 1, PLAN_RATE_MAX, false},
	{"ifname", VALUE_IFNAME, FIELD(plan_run, ifname), 0, 0, false},
	{"src", VALUE_ADDR, FIELD(plan_run, src4), 4, 4, false},
	{"src6", VALUE_ADDR, FIELD(plan_run, src6), 6, 6, false},
	{"window", VALUE_NUMBER, FIELD(plan_run, window), 0, PLAN_WINDOW_MAX, false},
	{"progress", VALUE_BOOL, FIELD(plan_run, progress), 0, 1, false},
	{"hops", VALUE_BOOL, FIELD(plan_run, hops), 0, 1, false},
};

static const struct key trace_keys[] = {
	{"seq", VALUE_NUMBER, FIELD(plan_trace, seq), 0, UINT64_MAX, true},
	{"dst", VALUE_ADDR, FIELD(plan_trace, dst), 4, 6, true},
	{"method", VALUE_METHOD, FIELD(plan_trace, method), 0, 0, true},
	{"dport", VALUE_NUMBER, FIELD(plan_trace, dport), 0, UINT16_MAX, false},
	{"flow", VALUE_NUMBER, FIELD(plan_trace, flow), 0, PLAN_FLOW_MAX, false},
	{"multipath", VALUE_NUMBER, FIELD(plan_trace, multipath), 50, 99, false},
	{"first", VALUE_NUMBER, FIELD(plan_trace, first_ttl), 1, UINT8_MAX, false},
	{"max", VALUE_NUMBER, FIELD(plan_trace, max_ttl), 1, UINT8_MAX, false},
	{"attempts", VALUE_NUMBER, FIELD(plan_trace, attempts), 1, PLAN_ATTEMPTS_MAX, false},
	{"gap", VALUE_NUMBER, FIELD(plan_trace, gap_limit), 0, UINT8_MAX, false},
	{"wait_ms", VALUE_NUMBER, FIELD(plan_trace, wait_ms), 1, PLAN_WAIT_MS_MAX, false},
	{"budget_ms", VALUE_NUMBER, FIELD(plan_trace, budget_ms), 0, PLAN_BUDGET_MS_MAX, false},
	{"target", VALUE_TEXT, FIELD(plan_trace, target), 0, 0, false},
};

struct plan_avoid { struct prefix prefix; };

static const struct key avoid_keys[] = {
	{"prefix", VALUE_PREFIX, FIELD(plan_avoid, prefix), 0, 0, true},
};

enum {
	RUN_KEYS = sizeof(run_keys) / sizeof(run_keys[0]),
	TRACE_KEYS = sizeof(trace_keys) / sizeof(trace_keys[0]),
	AVOID_KEYS = sizeof(avoid_keys) / sizeof(avoid_keys[0]),
};

static const char header_line[] = "borderpath-plan 1";

void plan_run_defaults(struct plan_run *run)
{
	/* Padding too: equal plans are equal bytes. */
	memset(run, 0, sizeof(*run));
	run->rate_pps = PLAN_RATE_PPS_DEFAULT;
	run->prefix_mpps = PLAN_PREFIX_PPS_DEFAULT * 1000;
	run->router_pps = PLAN_ROUTER_PPS_DEFAULT;
	run->window = PLAN_WINDOW_DEFAULT;
}

void plan_trace_defaults(struct plan_trace *trace)
{
	memset(trace, 0, sizeof(*trace));
	trace->method = METHOD_ICMP;
	trace->first_ttl = PLAN_FIRST_TTL_DEFAULT;
	trace->max_ttl = PLAN_MAX_TTL_DEFAULT;
	trace->attempts = PLAN_ATTEMPTS_DEFAULT;
	trace->gap_limit = PLAN_GAP_LIMIT_DEFAULT;
	trace->wait_ms = PLAN_WAIT_MS_DEFAULT;
}

/* --- reading --- */

static void put_number(void *field, size_t size, uint64_t v)
{
	switch (size) {
	case sizeof(uint8_t): *(uint8_t *)field = (uint8_t)v; break;
	case sizeof(uint16_t): *(uint16_t *)field = (uint16_t)v; break;
	case sizeof(uint32_t): *(uint32_t *)field = (uint32_t)v; break;
	case sizeof(uint64_t): *(uint64_t *)field = v; break;
	}
}

static uint64_t get_number(const void *field, size_t size)
{
	switch (size) {
	case sizeof(uint8_t): return *(const uint8_t *)field;
	case sizeof(uint16_t): return *(const uint16_t *)field;
	case sizeof(uint32_t): return *(const uint32_t *)field;
	default: return *(const uint64_t *)field;
	}
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int read_hex(const char *text, uint64_t *out)
{
	uint64_t v = 0;
	size_t n = 0;

	for (; text[n] != '\0'; n++) {
		if (hex_digit(text[n]) < 0)
			return BP_EPARSE;
		if (n >= 16)
			return BP_ERANGE;
		v = v << 4 | (uint64_t)hex_digit(text[n]);
	}
	*out = v;
	return 0;
}

/* text holds at most PLAN_LINE_MAX bytes. What does not survive text_copy unchanged is refused: it
 * was too long, not UTF-8, or held a control character. */
static int read_text(const char *text, char *out, size_t size)
{
	char plain[PLAN_LINE_MAX], copy[PLAN_LINE_MAX];
	size_t n = 0;

	for (; *text != '\0'; text++) {
		int high, low;

		if (*text != '%') {
			plain[n++] = *text;
			continue;
		}
		high = hex_digit(text[1]);
		low = high < 0 ? -1 : hex_digit(text[2]);
		if (low < 0)
			return BP_EPARSE;
		plain[n++] = (char)(high << 4 | low);
		text += 2;
	}
	if (n >= size)
		return BP_ERANGE;
	if (!text_copy(copy, size, plain, n) || memcmp(copy, plain, n) != 0)
		return BP_EPARSE;
	memset(out, 0, size);
	memcpy(out, plain, n);
	return 0;
}

/* As dev_valid_name() of the kernel, and nothing that is not printable. */
static int read_ifname(const char *text, char *out, size_t size)
{
	if (strlen(text) >= size)
		return BP_ERANGE;
	if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0 || strpbrk(text, "/:") != NULL)
		return BP_EPARSE;
	memset(out, 0, size);
	memcpy(out, text, strlen(text));
	return 0;
}

static int read_addr(const char *text, const struct key *k, struct addr *out)
{
	struct addr a;
	int rc = addr_parse(text, &a);

	if (rc < 0)
		return rc;
	if (a.family < k->min || a.family > k->max)
		return BP_ERANGE;
	*out = a;
	return 0;
}

static int read_value(const struct key *k, const char *text, void *base)
{
	void *field = (char *)base + k->offset;
	uint64_t v = 0;
	int rc, method;

	switch (k->value) {
	case VALUE_TEXT: return read_text(text, field, k->size);
	case VALUE_IFNAME: return read_ifname(text, field, k->size);
	case VALUE_HEX: return read_hex(text, field);
	case VALUE_ADDR: return read_addr(text, k, field);
	case VALUE_METHOD:
		rc = word_value(method_words, text, &method);
		if (rc == 0)
			*(uint8_t *)field = (uint8_t)method;
		return rc < 0 ? BP_EPARSE : 0;
	case VALUE_PREFIX: return prefix_parse(text, field);
	case VALUE_RATE:
	case VALUE_MILLI:
		if (strcmp(text, "max") == 0) {
			put_number(field, k->size, 0);
			return 0;
		}
		/* fall through */
	case VALUE_NUMBER:
		rc = k->value == VALUE_MILLI ? text_to_milli(text, k->min, k->max, &v)
					     : text_to_u64(text, k->min, k->max, &v);
		if (rc == 0)
			put_number(field, k->size, v);
		return rc;
	case VALUE_BOOL:
		rc = text_to_u64(text, 0, 1, &v);
		if (rc == 0)
			*(bool *)field = v == 1;
		return rc;
	}
	return BP_EINVAL;
}

/* One key=value word, terminated. `seen` has a bit for each key. */
static int read_word(char *word, const struct key *keys, size_t count, uint32_t *seen, void *base,
		     struct bp_error *err)
{
	char *value = strchr(word, '=');
	int rc;

	if (value == NULL)
		return bp_fail(err, BP_EPARSE, "\"%.40s\" is not key=value", word);
	*value++ = '\0';
	for (size_t i = 0; i < count; i++) {
		if (strcmp(keys[i].name, word) != 0)
			continue;
		if (*seen & 1u << i)
			return bp_fail(err, BP_EPARSE, "%s is given twice", word);
		*seen |= 1u << i;
		if (*value == '\0')
			return bp_fail(err, BP_EPARSE, "%s has no value", word);
		rc = read_value(&keys[i], value, base);
		if (rc == BP_ERANGE)
			return bp_fail(err, rc, "%s=%.80s is out of range", word, value);
		if (rc < 0)
			return bp_fail(err, rc, "%s=%.80s is malformed", word, value);
		return 0;
	}
	return bp_fail(err, BP_EPARSE, "unknown word \"%.40s\"", word);
}

/* The words behind the first one; `at` points at what follows it: a space or the end. */
static int read_words(char *at, const struct key *keys, size_t count, void *base,
		      struct bp_error *err)
{
	uint32_t seen = 0;
	int rc;

	while (*at == ' ') {
		char *word = at + 1, *end = strchr(word, ' ');

		at = end != NULL ? end : word + strlen(word);
		if (end != NULL)
			*at = '\0';
		rc = read_word(word, keys, count, &seen, base, err);
		if (rc < 0)
			return rc;
		if (end != NULL)
			*at = ' ';
	}
	for (size_t i = 0; i < count; i++) {
		if (keys[i].required && !(seen & 1u << i))
			return bp_fail(err, BP_EPARSE, "%s= is missing", keys[i].name);
	}
	return 0;
}

static int read_run(char *words, struct plan_run *out, struct bp_error *err)
{
	struct plan_run run;
	int rc;

	plan_run_defaults(&run);
	rc = read_words(words, run_keys, RUN_KEYS, &run, err);
	if (rc == 0)
		*out = run;
	return rc;
}

static int read_trace(char *words, struct plan_trace *out, struct bp_error *err)
{
	struct plan_trace trace;
	int rc;

	plan_trace_defaults(&trace);
	rc = read_words(words, trace_keys, TRACE_KEYS, &trace, err);
	if (rc < 0)
		return rc;
	if (trace.first_ttl > trace.max_ttl)
		return bp_fail(err, BP_ERANGE, "first=%u is beyond max=%u", trace.first_ttl,
			       trace.max_ttl);
	if (trace.method == METHOD_ICMP && trace.dport != 0)
		return bp_fail(err, BP_ERANGE, "icmp has no dport");
	*out = trace;
	return 0;
}

static int read_avoid(char *words, struct prefix *out, struct bp_error *err)
{
	struct plan_avoid avoid;
	int rc = read_words(words, avoid_keys, AVOID_KEYS, &avoid, err);

	if (rc == 0)
		*out = avoid.prefix;
	return rc;
}

int plan_parse_line(const char *line, size_t n, enum plan_line *kind, struct plan_run *run,
		    struct plan_trace *trace, struct prefix *avoid, struct bp_error *err)
{
	char text[PLAN_LINE_MAX + 1];
	size_t first;
	int rc;

	if (n > PLAN_LINE_MAX)
		return bp_fail(err, BP_ERANGE, "longer than %d bytes", PLAN_LINE_MAX);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)line[i];

		if (c < 0x20 || c > 0x7e)
			return bp_fail(err, BP_EPARSE, "byte 0x%02x is not printable ASCII", c);
	}
	memcpy(text, line, n);
	text[n] = '\0';
	first = strcspn(text, " ");

	if (strcmp(text, header_line) == 0) {
		*kind = PLAN_LINE_HEADER;
	} else if (strcmp(text, "end") == 0) {
		*kind = PLAN_LINE_END;
	} else if (first == 3 && memcmp(text, "run", 3) == 0) {
		rc = read_run(text + first, run, err);
		if (rc < 0)
			return rc;
		*kind = PLAN_LINE_RUN;
	} else if (first == 5 && memcmp(text, "trace", 5) == 0) {
		rc = read_trace(text + first, trace, err);
		if (rc < 0)
			return rc;
		*kind = PLAN_LINE_TRACE;
	} else if (first == 5 && memcmp(text, "avoid", 5) == 0) {
		rc = read_avoid(text + first, avoid, err);
		if (rc < 0)
			return rc;
		*kind = PLAN_LINE_AVOID;
	} else {
		return bp_fail(err, BP_EPARSE, "\"%.40s\" begins no line of a plan", text);
	}
	return 0;
}

/* --- writing --- */

static void write_text(struct buf *out, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "-._~:/@,+";

	for (; *text != '\0'; text++) {
		if (strchr(plain, *text) != NULL)
			buf_char(out, *text);
		else
			buf_printf(out, "%%%02X", (unsigned)(unsigned char)*text);
	}
}

/* What is at its "none" is left out: an empty text, no address, dport 0, a number that may not be
 * said. */
static bool is_none(const struct key *k, const void *field)
{
	switch (k->value) {
	case VALUE_TEXT:
	case VALUE_IFNAME: return *(const char *)field == '\0';
	case VALUE_ADDR: return !addr_is_set(*(const struct addr *)field);
	case VALUE_NUMBER:
		return get_number(field, k->size) == 0 &&
		       (k->min > 0 || strcmp(k->name, "dport") == 0);
	default: return false;
	}
}

static void write_value(struct buf *out, const struct key *k, const void *field)
{
	char text[PREFIX_TEXT], milli[TEXT_MILLI];

	switch (k->value) {
	case VALUE_TEXT: write_text(out, field); break;
	case VALUE_IFNAME: buf_str(out, field); break;
	case VALUE_HEX: buf_printf(out, "%016" PRIx64, *(const uint64_t *)field); break;
	case VALUE_ADDR: buf_str(out, addr_format(*(const struct addr *)field, text)); break;
	case VALUE_METHOD: buf_str(out, word_of(method_words, *(const uint8_t *)field)); break;
	case VALUE_BOOL: buf_char(out, *(const bool *)field ? '1' : '0'); break;
	case VALUE_PREFIX: buf_str(out, prefix_format(*(const struct prefix *)field, text)); break;
	case VALUE_MILLI:
		if (get_number(field, k->size) != 0) {
			buf_str(out, text_milli(get_number(field, k->size), milli));
			break;
		}
		/* fall through */
	case VALUE_RATE:
		if (get_number(field, k->size) == 0) {
			buf_str(out, "max");
			break;
		}
		/* fall through */
	case VALUE_NUMBER: buf_printf(out, "%" PRIu64, get_number(field, k->size)); break;
	}
}

static void write_line(struct buf *out, const char *word, const struct key *keys, size_t count,
		       const void *base)
{
	buf_str(out, word);
	for (size_t i = 0; i < count; i++) {
		const void *field = (const char *)base + keys[i].offset;

		if (is_none(&keys[i], field))
			continue;
		buf_printf(out, " %s=", keys[i].name);
		write_value(out, &keys[i], field);
	}
	buf_char(out, '\n');
}

void plan_write_header(struct buf *out)
{
	buf_str(out, header_line);
	buf_char(out, '\n');
}

void plan_write_run(struct buf *out, const struct plan_run *run)
{
	write_line(out, "run", run_keys, RUN_KEYS, run);
}

void plan_write_avoid(struct buf *out, struct prefix p)
{
	struct plan_avoid avoid = {p};

	write_line(out, "avoid", avoid_keys, AVOID_KEYS, &avoid);
}

void plan_write_trace(struct buf *out, const struct plan_trace *trace)
{
	write_line(out, "trace", trace_keys, TRACE_KEYS, trace);
}

void plan_write_end(struct buf *out)
{
	buf_str(out, "end\n");
}

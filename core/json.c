// SPDX-License-Identifier: BSD-2-Clause
/* The JSON writer. Owns commas, escaping (RFC 8259) and number text; knows no record. */
#include "core/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"

void json_start(struct json_writer *w, struct buf *out)
{
	*w = (struct json_writer){.out = out};
}

/* Bytes that stand for themselves in a JSON string: ASCII without controls, quote, backslash. */
static bool plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* How many plain bytes text begins with; *n is its length. */
static size_t plain_length(const char *text, size_t *n)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t run = 0;

	while (plain(s[run]))
		run++;
	*n = s[run] == '\0' ? run : run + strlen(text + run);
	return run;
}

/* The letter of a two-character escape, or 0. */
static char escape_letter(unsigned char c)
{
	switch (c) {
	case '"':
	case '\\':
		return (char)c;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return 0;
	}
}

/* One character that is not plain; returns how many bytes of s it took. */
static size_t put_special(struct buf *out, const unsigned char *s, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	size_t len = utf8_length(s, n);
	char esc[6] = {'\\', escape_letter(*s), '0', '0', 0, 0};

	if (len == 0) {
		buf_append(out, "\xef\xbf\xbd", 3);
		return 1;
	}
	if (esc[1] != 0) {
		buf_append(out, esc, 2);
	} else if (*s >= 0x80) {
		buf_append(out, s, len);
	} else {
		esc[1] = 'u';
		esc[4] = hex[*s >> 4];
		esc[5] = hex[*s & 15];
		buf_append(out, esc, 6);
	}
	return len;
}

/* Text that is not plain throughout, with its quotes. */
static void put_escaped(struct buf *out, const char *text, size_t n)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t at = 0;

	buf_char(out, '"');
	while (at < n) {
		size_t run = at;

		while (run < n && plain(s[run]))
			run++;
		buf_append(out, s + at, run - at);
		at = run;
		if (at < n)
			at += put_special(out, s + at, n - at);
	}
	buf_char(out, '"');
}

/* The comma and the key, and room for `more` bytes of value behind them, all checked once: records
 * are made of hundreds of short members. Returns where the value goes, NULL when it fails. */
static char *lead(struct json_writer *w, const char *key, size_t more)
{
	uint32_t bit = UINT32_C(1) << (w->depth % JSON_DEPTH_MAX);
	bool comma = w->filled & bit;
	size_t n = 0;
	char *at;

	w->filled |= bit;
	if (key != NULL && plain_length(key, &n) < n) {
		if (comma)
			buf_char(w->out, ',');
		put_escaped(w->out, key, n);
		buf_char(w->out, ':');
		return buf_room(w->out, more);
	}
	at = buf_room(w->out, n + 4 + more);
	if (at == NULL)
		return NULL;
	if (comma)
		*at++ = ',';
	if (key != NULL) {
		*at++ = '"';
		memcpy(at, key, n);
		at += n;
		*at++ = '"';
		*at++ = ':';
	}
	return at;
}

/* A member whose value is n bytes of JSON. */
static void put_value(struct json_writer *w, const char *key, const char *value, size_t n)
{
	char *at = lead(w, key, n);

	if (at == NULL)
		return;
	memcpy(at, value, n);
	buf_wrote(w->out, at + n);
}

static void begin(struct json_writer *w, const char *key, char open, bool array)
{
	uint32_t bit;

	put_value(w, key, &open, 1);
	if (w->depth + 1 >= JSON_DEPTH_MAX) {
		w->out->failed = true;
		return;
	}
	bit = UINT32_C(1) << ++w->depth;
	w->filled &= ~bit;
	w->arrays = array ? w->arrays | bit : w->arrays & ~bit;
}

void json_begin_object(struct json_writer *w, const char *key)
{
	begin(w, key, '{', false);
}

void json_begin_array(struct json_writer *w, const char *key)
{
	begin(w, key, '[', true);
}

void json_end(struct json_writer *w)
{
	if (w->depth == 0) {
		w->out->failed = true;
		return;
	}
	buf_char(w->out, w->arrays & (UINT32_C(1) << w->depth) ? ']' : '}');
	w->depth--;
}

void json_put_str(struct json_writer *w, const char *key, const char *text)
{
	size_t n, run = plain_length(text, &n);
	char *at = lead(w, key, n + 2);

	if (at == NULL)
		return;
	if (run < n) {
		buf_wrote(w->out, at);
		put_escaped(w->out, text, n);
		return;
	}
	*at++ = '"';
	memcpy(at, text, n);
	at += n;
	*at++ = '"';
	buf_wrote(w->out, at);
}

/* Writes the digits of v before `end`; returns where they begin. */
static char *digits(char *end, uint64_t v)
{
	do {
		*--end = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	return end;
}

static uint64_t magnitude(int64_t v)
{
	return v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

void json_put_int(struct json_writer *w, const char *key, int64_t value)
{
	char text[24], *end = text + sizeof(text), *at = digits(end, magnitude(value));

	if (value < 0)
		*--at = '-';
	put_value(w, key, at, (size_t)(end - at));
}

void json_put_decimal(struct json_writer *w, const char *key, int64_t value, unsigned places)
{
	char text[48], *end = text + sizeof(text), *at = end;
	uint64_t v = magnitude(value);

	while (places > 0 && v % 10 == 0) {
		v /= 10;
		places--;
	}
	if (places > 0) {
		for (; places > 0; places--, v /= 10)
			*--at = (char)('0' + v % 10);
		*--at = '.';
	}
	at = digits(at, v);
	if (value < 0)
		*--at = '-';
	put_value(w, key, at, (size_t)(end - at));
}

void json_put_real(struct json_writer *w, const char *key, double value)
{
	char text[40];

	if (!isfinite(value)) {
		json_put_null(w, key);
		return;
	}
	/* Probabilities and weights are mostly short decimals: no printf for those. */
	if (fabs(value) < 1e9) {
		int64_t micro = llround(value * 1e6);

		if ((double)micro / 1e6 == value) {
			json_put_decimal(w, key, micro, 6);
			return;
		}
	}
	for (int precision = 15; precision <= 17; precision++) {
		snprintf(text, sizeof(text), "%.*g", precision, value);
		if (strtod(text, NULL) == value)
			break;
	}
	put_value(w, key, text, strlen(text));
}

void json_put_bool(struct json_writer *w, const char *key, bool value)
{
	put_value(w, key, value ? "true" : "false", value ? 4 : 5);
}

void json_put_null(struct json_writer *w, const char *key)
{
	put_value(w, key, "null", 4);
}

void json_put_raw(struct json_writer *w, const char *key, const char *text, size_t n)
{
	put_value(w, key, text, n);
}

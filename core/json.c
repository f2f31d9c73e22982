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

/* Bytes that JSON wants escaped, or that begin a sequence to be checked. */
static bool plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* The letter of a two-character escape, or 0. */
static char escape_letter(unsigned char c)
{
	switch (c) {
	case '"':
	case '\\': return (char)c;
	case '\b': return 'b';
	case '\f': return 'f';
	case '\n': return 'n';
	case '\r': return 'r';
	case '\t': return 't';
	default: return 0;
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

static void put_text(struct buf *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n = strlen(text), at = 0;

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

/* The comma and the key before a value. */
static void lead(struct json_writer *w, const char *key)
{
	uint32_t bit = UINT32_C(1) << (w->depth % JSON_DEPTH_MAX);

	if (w->filled & bit)
		buf_char(w->out, ',');
	w->filled |= bit;
	if (key != NULL) {
		put_text(w->out, key);
		buf_char(w->out, ':');
	}
}

static void begin(struct json_writer *w, const char *key, char open, bool array)
{
	uint32_t bit;

	lead(w, key);
	buf_char(w->out, open);
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
	lead(w, key);
	put_text(w->out, text);
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
	lead(w, key);
	buf_append(w->out, at, (size_t)(end - at));
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
	lead(w, key);
	buf_append(w->out, at, (size_t)(end - at));
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
	lead(w, key);
	buf_str(w->out, text);
}

void json_put_bool(struct json_writer *w, const char *key, bool value)
{
	lead(w, key);
	buf_str(w->out, value ? "true" : "false");
}

void json_put_null(struct json_writer *w, const char *key)
{
	lead(w, key);
	buf_str(w->out, "null");
}

void json_put_raw(struct json_writer *w, const char *key, const char *text, size_t n)
{
	lead(w, key);
	buf_append(w->out, text, n);
}

// SPDX-License-Identifier: BSD-2-Clause
/* Objects out of a stream of bytes. Owns where they begin and end; parses nothing. */
#include "core/record/jsonstream.h"

#include <stdio.h>
#include <string.h>

#include "core/record/format.h"

static bool is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Something that is no object: passed over, so that one message tells of all of it. */
static int pass_foreign(struct record_reader *r, int c, struct bp_error *err)
{
	struct json_stream *s = &r->json;
	const char *what = c == '\0' ? "a NUL byte" : "expected an object";
	bool comma = false;

	r->line = s->line;
	for (; c != EOF && c != '\n'; c = record_byte(r)) {
		/* In an array on one line there may be good ones behind it. */
		if (c == '{' && comma && s->arrays > 0)
			break;
		if (!is_blank(c))
			comma = c == ',';
	}
	if (c != EOF)
		r->at--;
	return bp_fail(err, BP_EPARSE, "not JSON: %s", what);
}

/* Up to the brace that opens the next object: 0, BP_EOF, or pass_foreign's. */
static int find_object(struct record_reader *r, struct bp_error *err)
{
	struct json_stream *s = &r->json;
	int c;

	for (;;) {
		c = record_byte(r);
		switch (c) {
		case '{':
			return 0;
		case EOF:
			if (r->io_error != 0)
				return bp_fail_sys(err, r->io_error, "%s", r->name);
			return BP_EOF;
		case '\n':
			s->lines |= s->ended;
			s->ended = false;
			s->line++;
			break;
		case '[':
			s->arrays++;
			break;
		case ']':
			s->arrays -= s->arrays > 0;
			break;
		case ' ':
		case '\t':
		case '\r':
			break;
		case ',':
			s->ended = false;
			break;
		case 0xef:
			c = record_byte(r);
			if (c == 0xbb && (c = record_byte(r)) == 0xbf)
				break;
			/* fall through */
		default:
			s->ended = false;
			return pass_foreign(r, c, err);
		}
	}
}

/* The object in the making. */
struct scan {
	size_t depth;
	bool in_string, escaped, too_long, cut;
};

static void keep(struct record_reader *r, struct scan *o, const unsigned char *from)
{
	size_t n = (size_t)(r->at - from);

	if (r->text.used + n > RECORD_LINE_MAX)
		o->too_long = true;
	if (!o->too_long)
		buf_append(&r->text, from, n);
}

/* A newline inside an object. In a string it is no JSON: the object is broken off. Where objects
 * come one a line, so is one whose next line begins with a brace. */
static bool broken_off(struct record_reader *r, const struct scan *o)
{
	if (o->in_string)
		return true;
	if (!r->json.lines || record_byte(r) == EOF)
		return false;
	r->at--;
	return *r->at == '{';
}

/* Inside a string, up to behind its end or to the newline that cannot be in it. */
static const unsigned char *scan_string(const unsigned char *s, const unsigned char *end,
					struct scan *o)
{
	for (; s < end && *s != '\n'; s++) {
		if (o->escaped) {
			o->escaped = false;
		} else if (*s == '\\') {
			o->escaped = true;
		} else if (*s == '"') {
			o->in_string = false;
			return s + 1;
		}
	}
	return s;
}

/* Over what has been read, up to the object's end, a newline, or the end of what there is. */
static const unsigned char *scan_bytes(const unsigned char *s, const unsigned char *end,
				       struct scan *o)
{
	if (o->in_string)
		s = scan_string(s, end, o);
	while (s < end && *s != '\n' && o->depth > 0) {
		unsigned char c = *s++;

		/* Quotes and brackets differ from all else by their bits: most bytes stop here. */
		if (c != '"' && (c & 0xd9) != 0x59)
			continue;
		if (c == '"') {
			o->in_string = true;
			s = scan_string(s, end, o);
		} else if (c == '{' || c == '[') {
			o->depth++;
		} else if (c == '}' || c == ']') {
			o->depth--;
		}
	}
	return s;
}

/* Behind the opening brace to the closing one: 0, EOF, or '\n' where it is broken off. */
static int scan_object(struct record_reader *r, struct scan *o)
{
	while (o->depth > 0) {
		const unsigned char *from;

		if (r->at == r->end && !record_more(r))
			return EOF;
		from = r->at;
		r->at = scan_bytes(r->at, r->end, o);
		if (r->at < r->end && *r->at == '\n' && o->depth > 0) {
			r->at++;
			keep(r, o, from);
			o->cut = broken_off(r, o);
			r->json.line++;
			if (o->cut)
				return '\n';
		} else {
			keep(r, o, from);
		}
	}
	return 0;
}

int record_object(struct record_reader *r, const char **object, size_t *n, struct bp_error *err)
{
	struct scan o;
	int rc;

	if (r->json.line == 0)
		r->json.line = 1;
	rc = find_object(r, err);
	if (rc < 0)
		return rc;
	r->line = r->json.line;
	o = (struct scan){.depth = 1};
	buf_clear(&r->text);
	buf_char(&r->text, '{');
	rc = scan_object(r, &o);
	r->json.ended = rc == 0;
	if (rc == EOF && r->io_error != 0)
		return bp_fail_sys(err, r->io_error, "%s", r->name);
	if (o.too_long)
		return bp_fail(err, BP_ERANGE, "object over %d MiB", RECORD_LINE_MAX >> 20);
	if (rc == EOF)
		return bp_fail(err, BP_ETRUNC, "the last object is cut");
	if (o.cut)
		return bp_fail(err, BP_EPARSE, "not JSON: the object is not closed");
	if (r->text.failed)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	*object = r->text.bytes;
	*n = r->text.used;
	return 0;
}

bool json_stream_begins(const char *head, size_t n)
{
	const char *at = head, *end = head + n;

	if (n >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
		at += 3;
	while (at < end && is_blank(*at))
		at++;
	return at < end && (*at == '{' || *at == '[');
}

bool json_stream_has(const char *head, size_t n, const char *text)
{
	return memmem(head, n, text, strlen(text)) != NULL;
}

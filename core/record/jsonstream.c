// SPDX-License-Identifier: BSD-2-Clause
/* Objects out of a stream of bytes. Owns where they begin and end; parses nothing. */
#include "core/record/jsonstream.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/record/format.h"

static int next(struct record_reader *r)
{
	int c = r->json.back - 1;

	if (c < 0)
		return record_byte(r);
	r->json.back = 0;
	return c;
}

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
	for (; c != EOF && c != '\n'; c = next(r)) {
		/* In an array on one line there may be good ones behind it. */
		if (c == '{' && comma && s->arrays > 0)
			break;
		if (!is_blank(c))
			comma = c == ',';
	}
	if (c != EOF)
		s->back = c + 1;
	return bp_fail(err, BP_EPARSE, "not JSON: %s", what);
}

/* Up to the brace that opens the next object: 0, BP_EOF, or pass_foreign's. */
static int find_object(struct record_reader *r, struct bp_error *err)
{
	struct json_stream *s = &r->json;
	int c;

	for (;;) {
		c = next(r);
		switch (c) {
		case '{':
			return 0;
		case EOF:
			if (ferror(r->file))
				return bp_fail_sys(err, errno ? errno : EIO, "%s", r->name);
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
			c = next(r);
			if (c == 0xbb && (c = next(r)) == 0xbf)
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
	char run[4096]; /* not yet in r->text */
	size_t used;
};

static void keep_run(struct record_reader *r, struct scan *o)
{
	if (r->text.used + o->used > RECORD_LINE_MAX)
		o->too_long = true;
	if (!o->too_long)
		buf_append(&r->text, o->run, o->used);
	o->used = 0;
}

/* A newline inside an object. In a string it is no JSON: the object is broken off. Where objects
 * come one a line, so is one whose next line begins with a brace. */
static bool broken_off(struct record_reader *r, const struct scan *o)
{
	struct json_stream *s = &r->json;
	int c;

	if (o->in_string)
		return true;
	if (!s->lines)
		return false;
	c = next(r);
	if (c != EOF)
		s->back = c + 1;
	return c == '{';
}

/* Behind the opening brace to the closing one. */
static int scan_object(struct record_reader *r, struct scan *o)
{
	int c;

	while (o->depth > 0) {
		c = next(r);
		if (c == EOF)
			return EOF;
		if (c == '\n') {
			o->cut = broken_off(r, o);
			r->json.line++;
			if (o->cut)
				return c;
		}
		o->run[o->used++] = (char)c;
		if (o->used == sizeof(o->run))
			keep_run(r, o);
		if (o->in_string) {
			if (o->escaped)
				o->escaped = false;
			else if (c == '\\')
				o->escaped = true;
			else if (c == '"')
				o->in_string = false;
		} else if (c == '"') {
			o->in_string = true;
		} else if (c == '{' || c == '[') {
			o->depth++;
		} else if (c == '}' || c == ']') {
			o->depth--;
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
	errno = 0;
	rc = find_object(r, err);
	if (rc < 0)
		return rc;
	r->line = r->json.line;
	o = (struct scan){.depth = 1, .run = {'{'}, .used = 1};
	buf_clear(&r->text);
	rc = scan_object(r, &o);
	keep_run(r, &o);
	r->json.ended = rc == 0;
	if (rc == EOF && ferror(r->file))
		return bp_fail_sys(err, errno ? errno : EIO, "%s", r->name);
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

// SPDX-License-Identifier: BSD-2-Clause
/*
 * borderpath-events 1
 * seen 2026-11-22T10:00:00.000000000Z
 * told 2026-11-22T09:45:12.000000000Z ev-0123456789abcdef-0123456789abcdef0123456789abcdef
 */
#include "cli/cursor.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/whole.h"

static const char head[] = "borderpath-events 1";
enum { LINE = 256, LINES_MAX = 200000 };

static int damaged(const char *path, unsigned line, struct bp_error *err)
{
	return bp_fail(err, BP_EPARSE, "%s:%u: no cursor of borderpath events, or a damaged one; "
		       "without it everything is new again", path, line);
}

enum { CHAIN = 19, SAID_TEXT = CHAIN + 1 + 2 * crypto_generichash_BYTES_MIN + 1 };

/* The event without its revision, and a digest of what is said of it. */
static void said_of(const struct event *e, char out[static SAID_TEXT])
{
	unsigned char digest[crypto_generichash_BYTES_MIN];
	char text[512];
	int n = snprintf(text, sizeof(text), "%u %u %d %u %s\n%s", e->kind, e->status,
			 e->withdrawn, e->changes, e->from.what, e->to.what);

	crypto_generichash(digest, sizeof(digest), (const unsigned char *)text, (size_t)n, NULL, 0);
	snprintf(out, SAID_TEXT, "%.*s-", CHAIN, e->id);
	sodium_bin2hex(out + strlen(out), 2 * sizeof(digest) + 1, digest, sizeof(digest));
}

static bool is_said(const char *text)
{
	static const char hex[] = "0123456789abcdef";

	return strlen(text) == SAID_TEXT - 1 && strncmp(text, "ev-", 3) == 0 &&
	       strspn(text + 3, hex) == CHAIN - 3 && text[CHAIN] == '-' &&
	       strspn(text + CHAIN + 1, hex) == SAID_TEXT - CHAIN - 2;
}

/* A time without relatives: what we wrote. */
static bool parse_time(const char *text, struct wall *out)
{
	char again[WALL_TEXT];

	return wall_parse(text, (struct wall){0}, out) == 0 &&
	       strcmp(wall_format(*out, again), text) == 0;
}

static int put(struct intern *t, const char *text)
{
	uint32_t number;

	return diff_intern_put(t, text, strlen(text) + 1, &number);
}

/* "told SEEN SAID". */
static int take_told(struct cursor *c, const char *line)
{
	const char *text = line + 5, *said = strchr(text, ' ');
	char time[WALL_TEXT];
	struct wall seen;

	if (said == NULL || (size_t)(said - text) >= sizeof(time))
		return BP_EPARSE;
	snprintf(time, sizeof(time), "%.*s", (int)(said - text), text);
	if (!parse_time(time, &seen) || !is_said(said + 1))
		return BP_EPARSE;
	return put(&c->said, said + 1) < 0 || put(&c->keep, line) < 0 ? BP_ENOMEM : 0;
}

static int take_line(struct cursor *c, unsigned number, char *line)
{
	size_t n = strlen(line);

	if (n == 0 || line[n - 1] != '\n')
		return BP_EPARSE;
	line[n - 1] = '\0';
	if (number == 1)
		return strcmp(line, head) == 0 ? 0 : BP_EPARSE;
	if (number == 2)
		return strncmp(line, "seen ", 5) == 0 && parse_time(line + 5, &c->seen) ?
		       0 : BP_EPARSE;
	return number <= LINES_MAX && strncmp(line, "told ", 5) == 0 ? take_told(c, line) :
	       BP_EPARSE;
}

int cursor_read(const char *path, struct cursor *c, struct bp_error *err)
{
	struct cursor read = {0};
	unsigned number = 0;
	char line[LINE];
	FILE *f = fopen(path, "re");
	int rc = 0, sys;

	*c = read;
	if (f == NULL)
		return errno == ENOENT ? 0 : bp_fail_sys(err, errno, "cannot read %s", path);
	while (rc == 0 && fgets(line, sizeof(line), f) != NULL)
		rc = take_line(&read, ++number, line);
	sys = ferror(f) ? errno : 0;
	fclose(f);
	if (sys != 0)
		rc = bp_fail_sys(err, sys, "cannot read %s", path);
	else if (rc == BP_ENOMEM)
		bp_fail(err, rc, "out of memory");
	else if (rc < 0 || number < 2)
		rc = damaged(path, number > 0 ? number : 1, err);
	if (rc < 0)
		cursor_fini(&read);
	else
		*c = read;
	c->next = c->seen;
	return rc;
}

void cursor_fini(struct cursor *c)
{
	diff_intern_fini(&c->said);
	diff_intern_fini(&c->keep);
	*c = (struct cursor){0};
}

bool cursor_is_new(const struct cursor *c, const struct event *e)
{
	char said[SAID_TEXT];

	said_of(e, said);
	for (uint32_t i = 0; i < c->said.count; i++) {
		if (strcmp(diff_intern_get(&c->said, i), said) == 0)
			return false;
	}
	return c->seen.ns == 0 || e->seen.ns > c->seen.ns - CURSOR_NEW_NS;
}

int cursor_add(struct cursor *c, const struct event *e)
{
	char line[LINE], seen[WALL_TEXT], said[SAID_TEXT];

	said_of(e, said);
	snprintf(line, sizeof(line), "told %s %s", wall_format(e->seen, seen), said);
	return put(&c->keep, line);
}

void cursor_reach(struct cursor *c, struct wall seen)
{
	if (seen.ns > c->next.ns)
		c->next = seen;
}

/* Of what is too old to come again nothing need be known. */
static bool can_come(const struct cursor *c, const char *line)
{
	char text[LINE];
	struct wall seen;

	snprintf(text, sizeof(text), "%.*s", (int)strcspn(line + 5, " "), line + 5);
	return !parse_time(text, &seen) || seen.ns > c->next.ns - CURSOR_LOOK_NS;
}

int cursor_write(const struct cursor *c, const char *path, struct bp_error *err)
{
	char seen[WALL_TEXT];
	struct buf out;
	int rc;

	buf_init(&out);
	buf_printf(&out, "%s\nseen %s\n", head, wall_format(c->next, seen));
	for (uint32_t i = 0; i < c->keep.count; i++) {
		const char *line = diff_intern_get(&c->keep, i);

		if (can_come(c, line))
			buf_printf(&out, "%s\n", line);
	}
	rc = out.failed ? bp_fail(err, BP_ENOMEM, "out of memory") :
	     whole_write(path, out.bytes, out.used, err);
	buf_fini(&out);
	return rc;
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * borderpath-events 1
 * seen 2026-11-22T10:00:00.000000000Z
 * told 2026-11-22T09:45:12.000000000Z 2026-11-22T09:30:07.000000000Z 0123456789abcdef...
 *
 * The times of a line are an event's `seen` and `at`; then, what was said of it.
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

enum { CHAIN = 19, DIGEST = crypto_generichash_BYTES_MIN };
/* While a shift is young, where it begins may move by so many times its interval. */
enum { SHIFT_MOVES = 4 };

static bool is_shift(const struct event *e)
{
	return e->kind == EVENT_RTT_SHIFT || e->kind == EVENT_RETURN_PATH;
}

/* What is said of which event: of a shift by what it is about, of others by their id without its
 * revision. */
static void tell(const struct event *e, struct told *out)
{
	unsigned char digest[DIGEST];
	char text[512];
	int n = snprintf(text, sizeof(text), "%.*s %u %u %d %u %d %s\n%s",
			 is_shift(e) ? EVENT_FINGERPRINT_TEXT : CHAIN,
			 is_shift(e) ? e->fingerprint : e->id, e->kind, e->status, e->withdrawn,
			 e->changes, e->shift_ns < 0, e->from.what, e->to.what);

	*out = (struct told){.seen = e->seen, .at = e->at};
	crypto_generichash(digest, sizeof(digest), (const unsigned char *)text, (size_t)n, NULL, 0);
	sodium_bin2hex(out->what, sizeof(out->what), digest, sizeof(digest));
}

/* A time without relatives: what we wrote. */
static bool parse_time(const char *text, struct wall *out)
{
	char again[WALL_TEXT];

	return wall_parse(text, (struct wall){0}, out) == 0 &&
	       strcmp(wall_format(*out, again), text) == 0;
}

static int add(struct cursor *c, const struct told *told)
{
	struct told *slot = list_add(&c->told, sizeof(*slot));

	if (slot == NULL)
		return BP_ENOMEM;
	*slot = *told;
	return 0;
}

/* "told SEEN AT WHAT". */
static int take_told(struct cursor *c, const char *line)
{
	char seen[WALL_TEXT], at[WALL_TEXT];
	struct told t;
	int end = 0;

	if (sscanf(line, "told %39s %39s %32[0-9a-f]%n", seen, at, t.what, &end) != 3 ||
	    line[end] != '\0' || strlen(t.what) != 2 * DIGEST || !parse_time(seen, &t.seen) ||
	    !parse_time(at, &t.at))
		return BP_EPARSE;
	return add(c, &t);
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
	return number <= LINES_MAX ? take_told(c, line) : BP_EPARSE;
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
	free(c->told.items);
	*c = (struct cursor){0};
}

bool cursor_is_new(const struct cursor *c, const struct event *e)
{
	const struct told *told = c->told.items;
	int64_t round = e->not_after.ns - e->not_before.ns;
	int64_t slack = is_shift(e) ? SHIFT_MOVES * round : INT64_MAX;
	struct told now;

	tell(e, &now);
	for (uint32_t i = 0; i < c->told.count; i++) {
		if (strcmp(told[i].what, now.what) == 0 &&
		    llabs(told[i].at.ns - now.at.ns) <= slack)
			return false;
	}
	return c->seen.ns == 0 || e->seen.ns > c->seen.ns - CURSOR_NEW_NS;
}

int cursor_add(struct cursor *c, const struct event *e)
{
	struct told now;

	tell(e, &now);
	return add(c, &now);
}

void cursor_reach(struct cursor *c, struct wall seen)
{
	if (seen.ns > c->next.ns)
		c->next = seen;
}

int cursor_write(const struct cursor *c, const char *path, struct bp_error *err)
{
	const struct told *told = c->told.items;
	char seen[WALL_TEXT], at[WALL_TEXT];
	struct buf out;
	int rc;

	buf_init(&out);
	buf_printf(&out, "%s\nseen %s\n", head, wall_format(c->next, seen));
	for (uint32_t i = 0; i < c->told.count; i++) {
		/* Of what is too old to come again nothing need be known. */
		if (told[i].seen.ns > c->next.ns - CURSOR_LOOK_NS)
			buf_printf(&out, "told %s %s %s\n", wall_format(told[i].seen, seen),
				   wall_format(told[i].at, at), told[i].what);
	}
	rc = out.failed ? bp_fail(err, BP_ENOMEM, "out of memory") :
	     whole_write(path, out.bytes, out.used, err);
	buf_fini(&out);
	return rc;
}

// SPDX-License-Identifier: BSD-2-Clause
/* What is new to a cursor, what it keeps, and which files it refuses. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cursor.h"
#include "core/text.h"

#define T0 (INT64_C(1795341600) * NS_PER_S)
#define ROUND (900 * NS_PER_S)

static char path[64];

static int set_up(void **state)
{
	int fd;

	(void)state;
	strcpy(path, "/tmp/test_cursor.XXXXXX");
	fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

static struct event *some_event(enum event_kind kind, int64_t at_ns)
{
	struct event *e = malloc(sizeof(*e));

	assert_non_null(e);
	event_init(e);
	e->kind = (uint8_t)kind;
	e->status = EVENT_CONFIRMED;
	e->at.ns = e->not_after.ns = at_ns;
	e->not_before.ns = at_ns - ROUND;
	e->seen.ns = at_ns + ROUND;
	text_set(e->profile, sizeof(e->profile), "p");
	text_set(e->from.what, sizeof(e->from.what), "west");
	text_set(e->to.what, sizeof(e->to.what), "east");
	event_set_fingerprint(e);
	event_set_id(e, e->at, 1);
	return e;
}

/* Told, written, read again. */
static void told(struct cursor *c, const struct event *e, int64_t seen_ns)
{
	struct bp_error err;

	memset(c, 0, sizeof(*c));
	assert_int_equal(cursor_add(c, e), 0);
	cursor_reach(c, (struct wall){seen_ns});
	assert_int_equal(cursor_write(c, path, &err), 0);
	cursor_fini(c);
	if (cursor_read(path, c, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(c->seen.ns, seen_ns);
}

static void what_is_new(void **state)
{
	struct event *e = some_event(EVENT_OUTAGE, T0), x;
	struct cursor c = {0};

	(void)state;
	assert_true(cursor_is_new(&c, e));
	told(&c, e, T0 + 4 * ROUND);
	assert_false(cursor_is_new(&c, e));
	x = *e;
	event_set_id(&x, x.at, 7);
	x.seen_by = 8;
	x.seen.ns += ROUND;
	assert_false(cursor_is_new(&c, &x)); /* a revision, more precise */
	x.status = EVENT_RESOLVED;
	assert_true(cursor_is_new(&c, &x)); /* over */
	x = *e;
	x.kind = EVENT_RECOVERY;
	assert_true(cursor_is_new(&c, &x));
	x = *e;
	x.changes = 5;
	assert_true(cursor_is_new(&c, &x));
	x = *e;
	text_set(x.to.what, sizeof(x.to.what), "other");
	assert_true(cursor_is_new(&c, &x));
	x = *e;
	event_set_id(&x, (struct wall){T0 + ROUND}, 1);
	assert_true(cursor_is_new(&c, &x)); /* another one */
	/* Older than a day: it was seen, or is told too late to be news. */
	x.seen.ns = c.seen.ns - CURSOR_NEW_NS;
	assert_false(cursor_is_new(&c, &x));
	cursor_fini(&c);
	free(e);
}

static void a_shift_may_move(void **state)
{
	struct event *e = some_event(EVENT_RTT_SHIFT, T0), x;
	struct cursor c;

	(void)state;
	e->shift_ns = 40 * NS_PER_MS;
	told(&c, e, T0 + 9 * ROUND);
	x = *e;
	x.at.ns = x.not_after.ns = T0 + 3 * ROUND;
	x.not_before.ns = x.at.ns - ROUND;
	x.shift_ns = 41 * NS_PER_MS;
	event_set_id(&x, x.at, 1);
	assert_false(cursor_is_new(&c, &x));
	x.at.ns = T0 + 5 * ROUND;
	assert_true(cursor_is_new(&c, &x));
	x.at.ns = T0;
	x.shift_ns = -x.shift_ns;
	assert_true(cursor_is_new(&c, &x)); /* back */
	cursor_fini(&c);
	free(e);
}

static void what_is_old_goes(void **state)
{
	struct event *e = some_event(EVENT_BORDER_SWITCH, T0);
	struct bp_error err;
	struct cursor c;
	char text[512];
	FILE *f;

	(void)state;
	told(&c, e, T0 + ROUND);
	assert_int_equal(c.told.count, 1);
	/* Nothing is taken back. */
	cursor_reach(&c, (struct wall){T0});
	assert_int_equal(c.next.ns, T0 + ROUND);
	cursor_reach(&c, (struct wall){e->seen.ns + CURSOR_LOOK_NS});
	assert_int_equal(cursor_write(&c, path, &err), 0);
	cursor_fini(&c);
	f = fopen(path, "r");
	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	assert_string_equal(text, "borderpath-events 1\nseen 2026-11-24T10:15:00.000000000Z\n");
	free(e);
}

#define SEEN "seen 2026-11-22T10:00:00.000000000Z\n"
#define AT "2026-11-22T10:00:00.000000000Z "
#define WHAT "0123456789abcdef0123456789abcdef"

static void damaged(void **state)
{
	static const struct { const char *text; unsigned line; } files[] = {
		{"", 1},
		{"\n", 1},
		{"borderpath-events 2\n" SEEN, 1},
		{"borderpath-events 1", 1},
		{"borderpath-events 1\n", 1},
		{"borderpath-events 1\nseen yesterday\n", 2},
		{"borderpath-events 1\nseen 2h ago\n", 2},
		{"borderpath-events 1\nseen 2026-11-22T10:00:00Z\n", 2},
		{"borderpath-events 1\n" SEEN "told\n", 3},
		{"borderpath-events 1\n" SEEN "told " AT AT "\n", 3},
		{"borderpath-events 1\n" SEEN "told " AT AT WHAT "0\n", 3},
		{"borderpath-events 1\n" SEEN "told " AT AT "0123\n", 3},
		{"borderpath-events 1\n" SEEN "told " AT "now " WHAT "\n", 3},
		{"borderpath-events 1\n" SEEN "told " AT AT WHAT "\nmore\n", 4},
		{"borderpath-events 1\n" SEEN "told " AT AT WHAT, 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct bp_error err;
		struct cursor c;
		char want[128];
		FILE *f = fopen(path, "w");

		assert_non_null(f);
		fputs(files[i].text, f);
		fclose(f);
		if (cursor_read(path, &c, &err) != BP_EPARSE)
			fail_msg("taken: %s", files[i].text);
		snprintf(want, sizeof(want), "%s:%u: ", path, files[i].line);
		if (strncmp(err.text, want, strlen(want)) != 0)
			fail_msg("%s: %s", files[i].text, err.text);
		assert_int_equal(c.told.count, 0);
		cursor_fini(&c);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(what_is_new), T(a_shift_may_move), T(what_is_old_goes), T(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

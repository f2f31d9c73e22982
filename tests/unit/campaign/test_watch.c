// SPDX-License-Identifier: BSD-2-Clause
/*
 * The watch beside a real store: a switch is found as rounds are committed, is in the store once,
 * and is told once, whoever is killed when; gaps are no news.
 */
#include "tests/unit/campaign/watch_bed.h"

static void play(struct bed *b, unsigned first, const char *const *rounds)
{
	for (unsigned i = 0; rounds[i] != NULL; i++) {
		struct round r = commit(b, first + i, rounds[i]);

		if (watch_round(b->watch, b->store, &r, wall_now(), &b->err) < 0)
			fail_msg("%s", b->err.text);
	}
}

static const char *const calm[] = {"dddd", "dddd", "dddd", "dddd", NULL};
static const char *const moved[] = {"kdkk", "kdkk", "kdkk", NULL};

static void a_switch_is_told_once(void **state)
{
	struct bed *b = *state;
	unsigned all;

	play(b, 0, calm);
	assert_int_equal(b->told_count, 0);
	play(b, 4, moved);
	assert_int_equal(switches(b, EVENT_PROVISIONAL), 3);
	assert_int_equal(switches(b, EVENT_CONFIRMED), 3);
	assert_int_equal(b->told_count, stored(b));
	/* Between the last sight of the one and the first of the other. */
	assert_true(b->told[0].not_before.ns >= T0 + 3 * EVERY);
	assert_true(b->told[0].not_after.ns <= T0 + 4 * EVERY + 5 * NS_PER_S);
	assert_int_equal(b->cells, 7 * 4);
	/* Started again: known, and not told; what comes then is. */
	all = stored(b);
	open_watch(b);
	assert_int_equal(watch_recall(b->watch, b->store, wall_now(), &b->err), 0);
	assert_int_equal(b->told_count, 0);
	assert_int_equal(b->recalled, 7 * 4);
	assert_int_equal(stored(b), all);
	play(b, 7, (const char *const[]){"kdkd", "kdkd", NULL});
	assert_int_equal(switches(b, EVENT_CONFIRMED), 1);
	assert_string_equal(b->told[0].to.what, "dandong");
}

/* A process that was killed behind the commit of a round had told nobody of its events. */
static void a_killed_one_is_made_good(void **state)
{
	struct bed *b = *state;

	play(b, 0, calm);
	play(b, 4, (const char *const[]){"kddd", NULL});
	commit(b, 5, "kddd"); /* and is killed */
	open_watch(b);
	assert_int_equal(watch_recall(b->watch, b->store, wall_now(), &b->err), 0);
	assert_int_equal(switches(b, EVENT_CONFIRMED), 1);
	/* Once. */
	open_watch(b);
	assert_int_equal(watch_recall(b->watch, b->store, wall_now(), &b->err), 0);
	assert_int_equal(b->told_count, 0);
}

/* What was missed is no change: it is told only that it moved some time in between. */
static void a_gap_widens(void **state)
{
	struct bed *b = *state;

	play(b, 0, calm);
	play(b, 4, (const char *const[]){"-", "-", NULL});
	assert_int_equal(b->told_count, 0);
	play(b, 6, moved);
	assert_int_equal(switches(b, EVENT_CONFIRMED), 3);
	assert_true(b->told[0].not_before.ns < T0 + 4 * EVERY);
	assert_true(b->told[0].not_after.ns >= T0 + 6 * EVERY);
}

/* Who is told fails: nothing of it is lost with the next round. */
static void who_is_told_fails(void **state)
{
	struct bed *b = *state;
	struct round r;

	play(b, 0, calm);
	r = commit(b, 4, "kddd");
	b->refuse = true;
	assert_int_equal(watch_round(b->watch, b->store, &r, wall_now(), &b->err), BP_EIO);
	b->refuse = false;
	play(b, 5, (const char *const[]){"kddd", NULL});
	assert_int_equal(switches(b, EVENT_CONFIRMED), 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_switch_is_told_once),
		T(a_killed_one_is_made_good),
		T(a_gap_widens),
		T(who_is_told_fails),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

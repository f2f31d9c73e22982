// SPDX-License-Identifier: BSD-2-Clause
/* Where on the path a shift arises, by differences round by round. */
#include "tests/unit/analysis/shift_bed.h"

enum { ROUNDS = 120, MOVED = 70, FIRST = 1000 };

/* The three hops of a path, as levels of before and after, in ms; below zero: no answer. */
struct hop { double before, after, noise; };

static const struct {
	const char *why;
	struct hop outside, inside, target;  /* inside.before 0: the caller knows of none */
	uint64_t id_before, id_after;
	enum shift_where where;
} rows[] = {
	{"the last outside hop moved with it", {150, 180, .5}, {0, 0, 0}, {282, 312, .5}, 7, 7,
	 SHIFT_WHERE_ON_THE_WAY},
	{"it stands still", {150, 150, .5}, {0, 0, 0}, {282, 312, .5}, 7, 7, SHIFT_WHERE_INSIDE},
	{"downwards alike", {180, 150, .5}, {0, 0, 0}, {312, 282, .5}, 7, 7,
	 SHIFT_WHERE_ON_THE_WAY},
	{"another last outside hop", {150, 90, .5}, {0, 0, 0}, {282, 186, .5}, 7, 8,
	 SHIFT_WHERE_BORDER},
	{"another one, as far away", {150, 150, .5}, {0, 0, 0}, {282, 186, .5}, 7, 8,
	 SHIFT_WHERE_BORDER},
	{"only the crossing moved", {150, 150, .5}, {200, 230, .5}, {282, 312, .5}, 7, 7,
	 SHIFT_WHERE_BORDER},
	{"only what lies behind it", {150, 150, .5}, {200, 200, .5}, {282, 312, .5}, 7, 7,
	 SHIFT_WHERE_INSIDE},
	{"half and half", {150, 165, .5}, {0, 0, 0}, {282, 312, .5}, 7, 7, SHIFT_WHERE_UNKNOWN},
	{"the last outside hop was never heard", {-1, -1, 0}, {0, 0, 0}, {282, 312, .5}, 0, 0,
	 SHIFT_WHERE_UNKNOWN},
	{"nor after the shift", {150, -1, .5}, {0, 0, 0}, {282, 312, .5}, 7, 0,
	 SHIFT_WHERE_UNKNOWN},
	{"nobody knows who it was", {150, 180, .5}, {0, 0, 0}, {282, 312, .5}, 0, 0,
	 SHIFT_WHERE_ON_THE_WAY},
	{"a router that answers when it likes, and stood still", {150, 150, 20}, {0, 0, 0},
	 {282, 400, .5}, 7, 7, SHIFT_WHERE_INSIDE},
};

static double hop_at(struct bed *b, const struct hop *h, size_t i)
{
	double level = i < MOVED ? h->before : h->after;

	return level < 0 ? -1 : level + h->noise * bed_queue(b);
}

static int64_t ns_of(double ms)
{
	return ms < 0 ? SHIFT_LOST : (int64_t)(ms * 1e6);
}

static void test_rows(void **state)
{
	struct shift_list found = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t target[ROUNDS], outside[ROUNDS], inside[ROUNDS];
		uint64_t id[ROUNDS];
		struct shift_path path = {target, outside, NULL, id, ROUNDS};
		enum shift_where where = (enum shift_where)-1;
		struct bed b;

		bed_init(&b, i + 1, FIRST + ROUNDS);
		bed_level(&b, FIRST, rows[i].target.before, .5);
		for (size_t k = 0; k < ROUNDS; k++) {
			double common = bed_queue(&b); /* queues that all of them share */
			double out = hop_at(&b, &rows[i].outside, k);

			bed_put(&b, hop_at(&b, &rows[i].target, k) + common);
			target[k] = b.rtt_ns[FIRST + k];
			outside[k] = ns_of(out < 0 ? out : out + common);
			inside[k] = ns_of(hop_at(&b, &rows[i].inside, k) + common);
			/* One round in eight is answered by somebody else. */
			id[k] = k < MOVED ? rows[i].id_before : rows[i].id_after;
			if (id[k] != 0 && k % 8 == 3)
				id[k] = 99;
		}
		if (rows[i].inside.before > 0)
			path.inside_ns = inside;
		detect(&b, SHIFT_SUSTAINED, &found);
		assert_int_equal(found.count, 1);
		assert_int_equal(found.items[0].index, FIRST + MOVED);
		assert_int_equal(shift_where(&found.items[0], &path, FIRST, &where), 0);
		if (where != rows[i].where)
			fail_msg("%s: %s", rows[i].why, shift_where_word(where));
		bed_fini(&b);
	}
	shift_list_fini(&found);
}

/* A path that was recorded at other times than the shift says nothing of it. */
static void test_out_of_reach(void **state)
{
	int64_t x[10] = {0};
	struct shift_path path = {.target_ns = x, .outside_ns = x, .n = 10};
	struct shift s = {.index = 50, .before_count = 10, .after_count = 10, .shift_ns = 1};
	enum shift_where where;

	(void)state;
	assert_int_equal(shift_where(&s, &path, 0, &where), 0);
	assert_int_equal(where, SHIFT_WHERE_UNKNOWN);
	assert_int_equal(shift_where(&s, &path, 50, &where), 0);
	assert_int_equal(where, SHIFT_WHERE_UNKNOWN);
	/* Too few rounds on one side. */
	assert_int_equal(shift_where(&s, &path, 47, &where), 0);
	assert_int_equal(where, SHIFT_WHERE_UNKNOWN);
	assert_string_equal(shift_where_word(SHIFT_WHERE_UNKNOWN), "unknown");
	assert_string_equal(shift_where_word(SHIFT_WHERE_ON_THE_WAY), "on_the_way");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_out_of_reach),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

// SPDX-License-Identifier: BSD-2-Clause
/* Shifts: what is one and what is none, the numbers told of one, and months of nothing. */
#include "tests/unit/analysis/shift_bed.h"

/* --- what is one and what is none ------------------------------------------------------------- */

static void nothing(struct bed *b) { (void)b; }
static void one_point(struct bed *b) { bed_put(b, 100); }

static void two_points(struct bed *b)
{
	bed_put(b, 100);
	bed_put(b, 300);
}

static void constant(struct bed *b) { bed_level(b, 400, 180, 0); }
static void quiet(struct bed *b) { bed_level(b, 3000, 180, .5); }
static void all_lost(struct bed *b) { bed_lost(b, 500); }

static void step_up(struct bed *b)
{
	bed_level(b, 100, 180, .5);
	bed_level(b, 100, 186, .5);
}

static void step_down(struct bed *b)
{
	bed_level(b, 100, 282, .5);
	bed_level(b, 60, 186, .5);
}

/* Every value of a level is the same: nothing but the step tells the noise. */
static void step_without_noise(struct bed *b)
{
	bed_level(b, 50, 100, 0);
	bed_level(b, 50, 120, 0);
}

static void step_short(struct bed *b)
{
	bed_level(b, 12, 100, .3);
	bed_level(b, 8, 150, .3);
}

static void step_at_end(struct bed *b)
{
	bed_level(b, 600, 180, .5);
	bed_level(b, 6, 220, .5);
}

static void step_of_window_end(struct bed *b)
{
	bed_level(b, 896, 180, .5);
	bed_level(b, 1000, 200, .5);
	bed_level(b, 800, 180, .5);
}

static void staircase(struct bed *b)
{
	for (int i = 0; i < 5; i++)
		bed_level(b, 40, 100 + 20 * i, .5);
}

static void excursion(struct bed *b)
{
	bed_level(b, 100, 180, .5);
	bed_level(b, 12, 230, .5);
	bed_level(b, 100, 180, .5);
}

static void excursion_brief(struct bed *b)
{
	bed_level(b, 100, 180, .5);
	bed_level(b, 5, 230, .5);
	bed_level(b, 100, 180, .5);
}

static void spikes(struct bed *b)
{
	for (int i = 0; i < 60; i++) {
		bed_level(b, 13, 180, .5);
		bed_put(b, 180 + 20 * (i % 11));
	}
}

static void spike_pairs(struct bed *b)
{
	for (int i = 0; i < 30; i++) {
		bed_level(b, 20, 180, .5);
		bed_level(b, 2, 400, 5);
	}
}

static void bursts_of_loss(struct bed *b)
{
	for (int i = 0; i < 20; i++) {
		bed_level(b, 30, 180, .5);
		bed_lost(b, 5 + (unsigned)i);
		bed_put(b, 260);
		bed_lost(b, 2);
	}
}

/* The level is another one after a day without an answer. */
static void step_over_gap(struct bed *b)
{
	bed_level(b, 100, 180, .5);
	bed_lost(b, 96);
	bed_level(b, 100, 210, .5);
}

static void gap_without_step(struct bed *b)
{
	bed_level(b, 100, 180, .5);
	bed_lost(b, 96);
	bed_level(b, 100, 180, .5);
}

static void ramp(struct bed *b)
{
	bed_level(b, 200, 180, .5);
	for (int i = 0; i < 80; i++)
		bed_put(b, 180 + .5 * i + .5 * bed_queue(b));
	bed_level(b, 200, 220, .5);
}

static void swell(struct bed *b)
{
	for (int i = 0; i < 2880; i++)
		bed_put(b, 180 + 15 * (1 - cos(2 * M_PI * i / 96)) + bed_queue(b));
}

/* Queues that fill within a round and empty within one, each evening. */
static void evenings(struct bed *b)
{
	for (int i = 0; i < 2880; i++)
		bed_put(b, 180 + .5 * bed_queue(b) + (i % 96 > 70 ? 5 + 20 * bed_even(b) : 0));
}

static void evenings_and_step(struct bed *b)
{
	for (int i = 0; i < 1920; i++)
		bed_put(b, (i < 975 ? 180 : 230) + .5 * bed_queue(b) +
			   (i % 96 > 70 ? 5 + 10 * bed_even(b) : 0));
}

static void swell_and_step(struct bed *b)
{
	for (int i = 0; i < 1920; i++)
		bed_put(b, (i < 975 ? 180 : 230) + 8 * (1 - cos(2 * M_PI * i / 96)) +
			   .5 * bed_queue(b));
}

/* A hop that answers when its timer lets it. */
static void quantised(struct bed *b)
{
	for (int i = 0; i < 2000; i++)
		bed_put(b, 100 + 10 * floor(3 * bed_even(b) * bed_even(b)));
}

/* Rounded to 10 ms between two of its steps: which one is said more often is no level. */
static void rounded(struct bed *b)
{
	for (int i = 0; i < 300; i++)
		bed_put(b, 10 * floor((284 + (i > 150 ? 2 : 0) + 3 * bed_even(b)) / 10 + .5));
}

static void two_ways(struct bed *b)
{
	for (int i = 0; i < 2000; i++)
		bed_put(b, 180 + (bed_even(b) < .5 ? 6 : 0) + .3 * bed_queue(b));
}

static void heavy_tail(struct bed *b)
{
	for (int i = 0; i < 2000; i++)
		bed_put(b, 180 + bed_queue(b) + (bed_even(b) < .05 ? 60 * bed_queue(b) : 0));
}

static void restless_level(struct bed *b)
{
	bed_level(b, 300, 180, .5);
	bed_level(b, 100, 215, 8);
	bed_level(b, 300, 180, .5);
}

static void beneath_notice(struct bed *b)
{
	bed_level(b, 300, 180, .1);
	bed_level(b, 300, 180.5, .1);
}

static const struct {
	const char *why;
	void (*make)(struct bed *b);
	unsigned count;         /* of shifts, by the default setting */
	unsigned at[4];
	unsigned sensitive;     /* how many by the other, at least */
} shapes[] = {
	{"no point", nothing, 0, {0}, 0},
	{"one point has no side", one_point, 0, {0}, 0},
	{"two are two spikes", two_points, 0, {0}, 0},
	{"no noise, no step", constant, 0, {0}, 0},
	{"a month of nothing", quiet, 0, {0}, 0},
	{"nothing answered", all_lost, 0, {0}, 0},
	{"up by twelve times the noise", step_up, 1, {100}, 1},
	{"from one border's level to the other's", step_down, 1, {100}, 1},
	{"a step is no resolution", step_without_noise, 1, {50}, 1},
	{"twenty points are a series", step_short, 1, {12}, 1},
	{"six points of a new level are enough at the end", step_at_end, 1, {600}, 1},
	{"where one window ends", step_of_window_end, 2, {896, 1896}, 2},
	{"each stair", staircase, 4, {40, 80, 120, 160}, 4},
	{"out and back, three hours", excursion, 2, {100, 112}, 2},
	{"out and back, an hour: for the sensitive", excursion_brief, 0, {0}, 2},
	{"single spikes of every size", spikes, 0, {0}, 0},
	{"two high points are no level", spike_pairs, 0, {0}, 0},
	{"loss says nothing about levels", bursts_of_loss, 0, {0}, 0},
	{"a gap stays one, the step is where it ends", step_over_gap, 1, {196}, 1},
	{"a gap alone", gap_without_step, 0, {0}, 0},
	{"twenty hours from level to level are no moment", ramp, 0, {0}, 0},
	{"a daily swell", swell, 0, {0}, 0},
	{"each evening at once", evenings, 0, {0}, 0},
	{"a step between evenings", evenings_and_step, 1, {975}, 1},
	{"a step on a swell", swell_and_step, 1, {975}, 1},
	{"answers by a timer", quantised, 0, {0}, 0},
	{"rounded to 10 ms", rounded, 0, {0}, 0},
	{"balanced over two ways", two_ways, 0, {0}, 0},
	{"one in twenty far out", heavy_tail, 0, {0}, 0},
	{"a level may be restless", restless_level, 2, {300, 400}, 2},
	{"half a millisecond", beneath_notice, 0, {0}, 0},
};

static void test_shapes(void **state)
{
	struct shift_list found = {0};
	struct bed b;

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		bed_init(&b, i + 1, 3000);
		shapes[i].make(&b);
		detect(&b, SHIFT_SUSTAINED, &found);
		if (found.count != shapes[i].count)
			fail_msg("%s: %zu shifts, the first at %d", shapes[i].why, found.count,
				 found.count > 0 ? (int)found.items[0].index : -1);
		for (unsigned k = 0; k < found.count; k++) {
			if (found.items[k].index != shapes[i].at[k])
				fail_msg("%s: at %d", shapes[i].why, (int)found.items[k].index);
			assert_int_equal(found.items[k].status, SHIFT_CONFIRMED);
			assert_true(found.items[k].confidence > .5 &&
				    found.items[k].confidence < 1);
			assert_true(found.items[k].p < .01);
		}
		detect(&b, SHIFT_SENSITIVE, &found);
		if (found.count < shapes[i].sensitive)
			fail_msg("%s: sensitive %zu", shapes[i].why, found.count);
		bed_fini(&b);
	}
	shift_list_fini(&found);
}

/* What is short has to be plain, also for the sensitive; what lasts has not. */
static void test_short_has_to_be_plain(void **state)
{
	static const struct { unsigned points; double ms; size_t count; } rows[] = {
		{5, 230, 2}, {5, 200, 2}, {5, 190, 0}, {7, 190, 0}, {12, 190, 2}, {40, 184, 2},
	};
	struct shift_list found = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bed b;

		bed_init(&b, i + 1, 300);
		bed_level(&b, 100, 180, .3);
		bed_level(&b, rows[i].points, rows[i].ms, .3);
		bed_level(&b, 100, 180, .3);
		detect(&b, SHIFT_SENSITIVE, &found);
		if (found.count != rows[i].count)
			fail_msg("%u points of %.0f ms: %zu", rows[i].points, rows[i].ms,
				 found.count);
		bed_fini(&b);
	}
	shift_list_fini(&found);
}

/* --- the numbers ------------------------------------------------------------------------------ */

static void test_numbers(void **state)
{
	struct shift_list found = {0};
	const struct shift *s;
	struct bed b;

	(void)state;
	bed_init(&b, 7, 400);
	bed_level(&b, 150, 282, .5);
	bed_lost(&b, 3);
	bed_level(&b, 150, 186, .5);
	detect(&b, SHIFT_SUSTAINED, &found);
	assert_int_equal(found.count, 1);
	s = &found.items[0];
	/* The moment lies between the last answer of the old level and the first of the new. */
	assert_int_equal(s->last_index, 149);
	assert_int_equal(s->index, 153);
	assert_int_equal(s->not_before.ns, b.at[149].ns);
	assert_int_equal(s->not_after.ns, b.at[153].ns);
	assert_int_equal(s->before_count, SHIFT_LEVEL);
	assert_int_equal(s->after_count, SHIFT_LEVEL);
	/* Medians of queues of 0.5 ms lie 0.35 ms above the level. */
	assert_true(llabs(s->before_ns - 282350000) < 200000);
	assert_true(llabs(s->after_ns - 186350000) < 200000);
	assert_true(s->interval_known);
	assert_true(s->low_ns <= -96 * NS_PER_MS && s->high_ns >= -96 * NS_PER_MS);
	assert_true(s->low_ns <= s->shift_ns && s->shift_ns <= s->high_ns);
	assert_true(s->high_ns - s->low_ns < NS_PER_MS);
	assert_true(s->p < 1e-20);
	assert_true(s->confidence > .95);
	/* Without times: the same but for the moments. */
	shift_list_clear(&found);
	assert_int_equal(shift_detect(scratch, SHIFT_SUSTAINED, NULL, b.rtt_ns, b.n, &found), 0);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.items[0].index, 153);
	assert_int_equal(found.items[0].not_before.ns, 0);
	shift_list_fini(&found);
	bed_fini(&b);
}

/* The 95 % interval holds the true size about as often as it says, of independent points. */
static void test_interval_covers(void **state)
{
	struct shift_list found = {0};
	unsigned covered = 0, known = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 400; seed++) {
		struct bed b;

		bed_init(&b, seed, 200);
		bed_level(&b, 60, 100, 2);
		bed_level(&b, 40, 130, 2);
		detect(&b, SHIFT_SUSTAINED, &found);
		if (found.count == 1 && found.items[0].index == 60) {
			known++;
			covered += found.items[0].low_ns <= 30 * NS_PER_MS &&
				   found.items[0].high_ns >= 30 * NS_PER_MS;
		}
		bed_fini(&b);
	}
	assert_true(known > 380);
	assert_true(covered * 100 >= known * 92 && covered * 100 <= known * 98);
	shift_list_fini(&found);
}

/* All points at one moment, as when a clock stands: the points still tell. */
static void test_identical_times(void **state)
{
	struct shift_list found = {0};
	struct bed b;

	(void)state;
	bed_init(&b, 3, 400);
	b.step_ns = 0;
	step_up(&b);
	detect(&b, SHIFT_SUSTAINED, &found);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.items[0].index, 100);
	assert_int_equal(found.items[0].not_before.ns, found.items[0].not_after.ns);
	shift_list_fini(&found);
	bed_fini(&b);
}

static void test_a_million_points(void **state)
{
	struct shift_list found = {0};
	struct bed b;

	(void)state;
	bed_init(&b, 5, 1000000);
	for (unsigned i = 0; i < 10; i++)
		bed_level(&b, 100000, i % 2 == 0 ? 180 : 190, .5);
	detect(&b, SHIFT_SUSTAINED, &found);
	assert_int_equal(found.count, 9);
	for (unsigned i = 0; i < 9; i++)
		assert_int_equal(found.items[i].index, (i + 1) * 100000);
	shift_list_fini(&found);
	bed_fini(&b);
}

/* --- months of nothing ------------------------------------------------------------------------ */

/* 30 days of rounds with loss of 2 %, spikes, and the congestion of the kind. */
static void month(struct bed *b, unsigned kind)
{
	double far = 20 + 300 * bed_even(b), hour = 24 * bed_even(b);

	for (int i = 0; i < 2880; i++) {
		double h = fmod(hour + i * .25, 24);
		double sine = .5 * (1 - cos(2 * M_PI * h / 24));
		double ms = far + (.2 + kind % 3) * bed_queue(b);

		if (kind % 4 == 1)
			ms += 25 * sine;
		else if (kind % 4 == 2)
			ms += h >= 19 && h < 23 ? 25 * bed_even(b) : 0;
		else if (kind % 4 == 3)
			ms += 30 * exp(-(h - 12) * (h - 12) / 12) * bed_even(b);
		if (bed_even(b) < .004)
			ms += 200 * bed_even(b);
		bed_put(b, bed_even(b) < .02 ? -1 : ms);
	}
}

static void test_quiet_months(void **state)
{
	struct shift_list found = {0};
	size_t all = 0;

	(void)state;
	for (unsigned seed = 1; seed <= 96; seed++) {
		struct bed b;

		bed_init(&b, seed, 2880);
		month(&b, seed);
		detect(&b, SHIFT_SUSTAINED, &found);
		if (found.count > 1)
			fail_msg("month %u: %zu shifts", seed, found.count);
		all += found.count;
		bed_fini(&b);
	}
	assert_true(all <= 5);
	shift_list_fini(&found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_short_has_to_be_plain),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_interval_covers),
		cmocka_unit_test(test_identical_times),
		cmocka_unit_test(test_a_million_points),
		cmocka_unit_test(test_quiet_months),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

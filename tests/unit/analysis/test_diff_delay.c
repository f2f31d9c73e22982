// SPDX-License-Identifier: BSD-2-Clause
/* Delays of two sides: what is a shift, what is the hour, and the tests behind it. */
#include "tests/unit/analysis/diff_bed.h"

#include <math.h>

#include "analysis/diff_stats.h"

static void test_delay(void **state)
{
	struct two *t = *state;
	struct diff d;

	for (int i = 0; i < 8; i++) {
		delay(add(t, false, DANDONG, i), (280 + i % 3) * NS_PER_MS);
		delay(add(t, true, DANDONG, i), (184 + i % 3) * NS_PER_MS);
	}
	compute(t, &d);
	assert_int_equal(d.rows[0].rtt, DIFF_CHANGED);
	assert_int_equal(d.rows[0].before.rtt_median_ns, 281 * NS_PER_MS);
	assert_int_equal(d.rows[0].after.rtt_min_ns, 184 * NS_PER_MS);
	assert_int_equal(d.rows[0].shift_ns, -96 * NS_PER_MS);
	assert_true(d.rows[0].shift_low_ns >= -98 * NS_PER_MS);
	assert_true(d.rows[0].shift_high_ns <= -94 * NS_PER_MS);
	assert_int_equal(d.result, DIFF_RESULT_CHANGED);
	diff_fini(&d);
	t->before.count = t->after.count = 3; /* of each side the first three: too few to tell */
	compute(t, &d);
	assert_int_equal(d.rows[0].rtt, DIFF_TOO_FEW);
	assert_int_equal(d.result, DIFF_RESULT_SAME);
	t->before.count = t->after.count = 8;
	diff_fini(&d);
}

static void test_delay_noise_is_no_shift(void **state)
{
	struct two *t = *state;
	struct diff d;

	for (int i = 0; i < 12; i++) {
		delay(add(t, false, DANDONG, i), (280 + i * 7 % 11) * NS_PER_MS);
		delay(add(t, true, DANDONG, i), (280 + i * 5 % 11) * NS_PER_MS);
	}
	compute(t, &d);
	assert_int_equal(d.rows[0].rtt, DIFF_SAME);
	diff_fini(&d);
}

/* Two moments whose own samples agree to the microsecond still differ by the load of the hour. */
static void test_delay_of_the_hour_is_none(void **state)
{
	struct two *t = *state;
	struct diff d;

	for (int i = 0; i < 8; i++) {
		delay(add(t, false, DANDONG, i), 280 * NS_PER_MS + i * NS_PER_US);
		delay(add(t, true, DANDONG, i), 285 * NS_PER_MS + i * NS_PER_US);
	}
	compute(t, &d);
	assert_int_equal(d.rows[0].rtt, DIFF_SAME);
	diff_fini(&d);
	for (int i = 0; i < 8; i++)
		delay(t->after.traces[i], 287 * NS_PER_MS + i * NS_PER_US);
	compute(t, &d);
	assert_int_equal(d.rows[0].rtt, DIFF_CHANGED);
	diff_fini(&d);
}

static void test_delay_of_another_host_is_another_thing(void **state)
{
	struct two *t = *state;
	struct diff d;

	/* After, a farther host of the same prefix joins: the prefix did not slow down. */
	for (int i = 0; i < 8; i++) {
		delay(add(t, false, DANDONG, i), 280 * NS_PER_MS);
		delay(add(t, true, DANDONG, i), 280 * NS_PER_MS);
		delay(add_from(t, true, "fra1", "175.45.176.80",
			       UP "219.158.115.122 219.158.102.214 219.158.39.42 *3 =175.45.176.80",
			       i),
		      400 * NS_PER_MS);
	}
	compute(t, &d);
	assert_int_equal(d.rows[0].rtt, DIFF_SAME);
	assert_int_equal(d.rows[0].after.rtt_n, 8);
	assert_int_equal(d.target_count, 2);
	diff_fini(&d);
}

/* --- numbers ---------------------------------------------------------------------------------- */

static void test_fisher(void **state)
{
	(void)state;
	/* Fisher's tea, and a textbook table (R: fisher.test). */
	assert_true(fabs(fisher_p(3, 1, 1, 3) - 0.485714) < 1e-5);
	assert_true(fabs(fisher_p(8, 2, 1, 5) - 0.034965) < 1e-5);
	assert_true(fabs(fisher_p(4, 0, 0, 4) - 2. / 70) < 1e-9);
	assert_true(fabs(fisher_p(3, 0, 0, 3) - .1) < 1e-9);
	assert_true(fisher_p(0, 0, 3, 4) == 1);
	assert_true(fisher_p(5, 0, 7, 0) == 1);
}

static void test_shift(void **state)
{
	/* Hollander and Wolfe, example 4.1, in hundredths: R's wilcox.test gives -30.5. */
	static const int64_t x[] = {80, 83, 189, 104, 145, 138, 191, 164, 73, 146};
	static const int64_t y[] = {115, 88, 90, 74, 121};
	struct rtt_stratum s[2] = {{x, y, 10, 5}, {0}};
	struct rtt_shift shift;

	(void)state;
	assert_int_equal(rtt_shift_of(s, 2, &shift), 0);
	assert_int_equal(shift.estimate_ns, -30); /* of -31 and -30 */
	assert_true(shift.enough);
	assert_true(shift.low_ns > -90 && shift.low_ns < -60);
	assert_true(shift.high_ns < 30 && shift.high_ns > 0);
	s[0].before_count = s[0].after_count = 3;
	assert_int_equal(rtt_shift_of(s, 1, &shift), 0);
	assert_false(shift.enough);
	s[0].before_count = 0;
	assert_int_equal(rtt_shift_of(s, 1, &shift), 0);
	assert_int_equal(shift.estimate_ns, 0);
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void fill_sorted(int64_t *x, unsigned n, uint32_t *seed, unsigned spread, int64_t add)
{
	for (unsigned i = 0; i < n; i++)
		x[i] = add + (int64_t)(path_next(seed) % spread);
	qsort(x, n, sizeof(*x), by_size);
}

/* The numbers are those of all pairs in order. */
static void test_shift_is_of_all_pairs(void **state)
{
	int64_t x[2][40], y[2][40], all[3200];
	uint32_t seed = 5;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		unsigned spread = 1 + path_next(&seed) % 50, pairs = 0, cut;
		struct rtt_stratum s[2];
		struct rtt_shift shift;
		double mean = 0, variance = 0;

		for (int i = 0; i < 2; i++) {
			unsigned n = 4 + path_next(&seed) % 37, m = 4 + path_next(&seed) % 37;

			fill_sorted(x[i], n, &seed, spread, 0);
			fill_sorted(y[i], m, &seed, spread, 7);
			s[i] = (struct rtt_stratum){x[i], y[i], n, m};
			for (unsigned k = 0; k < n * m; k++)
				all[pairs++] = y[i][k % m] - x[i][k / m];
			mean += n * m / 2.;
			variance += n * m * (n + m + 1.) / 12;
		}
		qsort(all, pairs, sizeof(*all), by_size);
		cut = (unsigned)floor(mean - 1.959964 * sqrt(variance));
		cut = cut < 1 ? 1 : cut;
		assert_int_equal(rtt_shift_of(s, 2, &shift), 0);
		assert_int_equal(shift.low_ns, all[cut - 1]);
		assert_int_equal(shift.high_ns, all[pairs - cut]);
		assert_true(shift.estimate_ns >= all[(pairs - 1) / 2] - 1 &&
			    shift.estimate_ns <= all[pairs / 2] + 1);
	}
}

/* A day of a sweep, both sides: bounded, the same every time, and right. */
static void test_shift_of_many_is_bounded(void **state)
{
	enum { TARGETS = 256, EACH = 288 };
	struct rtt_stratum *s = calloc(TARGETS, sizeof(*s));
	int64_t *x = calloc(2 * TARGETS * EACH, sizeof(*x));
	struct rtt_shift shift, again;
	uint32_t seed = 9;

	(void)state;
	for (unsigned i = 0; i < TARGETS; i++) {
		int64_t *b = &x[2 * i * EACH], *a = b + EACH, far = (int64_t)i * 1000000;

		fill_sorted(b, EACH, &seed, 5000000, far);
		fill_sorted(a, EACH, &seed, 5000000, far + 2000000);
		s[i] = (struct rtt_stratum){b, a, EACH, EACH};
	}
	assert_int_equal(rtt_shift_of(s, TARGETS, &shift), 0);
	assert_int_equal(rtt_shift_of(s, TARGETS, &again), 0);
	assert_memory_equal(&shift.estimate_ns, &again.estimate_ns, 3 * sizeof(int64_t));
	assert_true(shift.enough);
	assert_in_range(shift.estimate_ns, 1900000, 2100000);
	assert_true(shift.low_ns > 1500000 && shift.low_ns <= shift.estimate_ns);
	assert_true(shift.high_ns < 2500000 && shift.high_ns >= shift.estimate_ns);
	free(x);
	free(s);
}

/* One answer of each host is little; of six hosts that all moved it is enough. */
static void test_hosts_add_up(void **state)
{
	static const int64_t before[] = {100, 110, 120, 130, 140, 150};
	static const int64_t after[] = {201, 212, 223, 234, 245, 256};
	struct rtt_stratum s[6];
	struct rtt_shift shift;

	(void)state;
	for (unsigned i = 0; i < 6; i++)
		s[i] = (struct rtt_stratum){&before[i], &after[i], 1, 1};
	assert_int_equal(rtt_shift_of(s, 6, &shift), 0);
	assert_true(shift.enough);
	assert_int_equal(shift.low_ns, 101);
	assert_int_equal(shift.high_ns, 106);
	assert_int_equal(rtt_shift_of(s, 5, &shift), 0);
	assert_false(shift.enough);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_delay, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delay_noise_is_no_shift, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delay_of_the_hour_is_none, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delay_of_another_host_is_another_thing, setup,
						teardown),
		cmocka_unit_test(test_fisher),
		cmocka_unit_test(test_shift),
		cmocka_unit_test(test_shift_is_of_all_pairs),
		cmocka_unit_test(test_shift_of_many_is_bounded),
		cmocka_unit_test(test_hosts_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

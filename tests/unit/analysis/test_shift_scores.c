// SPDX-License-Identifier: BSD-2-Clause
/*
 * How well shifts are found in the labelled series that the project was handed, where they lie
 * beside the tree: no worse than was asked for, and both forms alike on all of them. Figures:
 * doc/benchmarks-shifts.md.
 */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <unistd.h>

#include "analysis/shift.h"
#include "tests/bench/labelled.h"

#define SHARED "../shared/data/rtt-labelled"
enum { STATIONARY = 13864, STATIONARY_MOST = 8 };

static struct corpus real, artificial;
static struct shift_scratch *scratch;
static bool there;

static int setup(void **state)
{
	(void)state;
	scratch = shift_scratch_new();
	there = access(SHARED, R_OK) == 0;
	if (there) {
		read_corpus(SHARED, "real", &real);
		read_corpus(SHARED, "artificial", &artificial);
	} else {
		print_message("skipped: " SHARED " is not there\n");
	}
	return scratch != NULL ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	shift_scratch_free(scratch);
	for (unsigned k = 0; k < 2; k++) {
		struct corpus *c = k == 0 ? &real : &artificial;

		for (size_t i = 0; i < c->count; i++) {
			samples_fini(&c->files[i].series);
			free(c->files[i].labels);
		}
	}
	return 0;
}

static void detect(enum shift_setting setting, const struct samples *s, struct shift_list *out)
{
	shift_list_clear(out);
	assert_int_equal(shift_detect(scratch, setting, s->at, s->rtt_ns, s->count, out), 0);
}

static double f1(const struct corpus *c, enum shift_setting setting, bool sustained)
{
	struct shift_list found = {0};
	struct score score = {0};

	for (size_t i = 0; i < c->count; i++) {
		size_t *at;

		detect(setting, &c->files[i].series, &found);
		at = must_alloc(found.count, sizeof(*at));
		for (size_t k = 0; k < found.count; k++)
			at[k] = found.items[k].index;
		match(&c->files[i], at, found.count, sustained, &score);
		free(at);
	}
	shift_list_fini(&found);
	return score_f(&score, 1);
}

static void test_floors(void **state)
{
	(void)state;
	if (!there)
		skip();
	assert_true(f1(&real, SHIFT_SUSTAINED, true) >= .77);
	assert_true(f1(&real, SHIFT_SENSITIVE, false) >= .70);
	assert_true(f1(&artificial, SHIFT_SENSITIVE, false) >= .82);
}

static void test_stationary(void **state)
{
	struct shift_list found = {0};
	unsigned seen = 0;

	(void)state;
	if (!there)
		skip();
	for (size_t i = 0; i < real.count; i++) {
		if (real.files[i].number != STATIONARY)
			continue;
		detect(SHIFT_SUSTAINED, &real.files[i].series, &found);
		assert_in_range(found.count, 1, STATIONARY_MOST);
		seen++;
	}
	assert_int_equal(seen, 1);
	shift_list_fini(&found);
}

static void assert_agree(const struct samples *s, enum shift_setting setting)
{
	struct shift_list whole = {0}, arrived = {0};
	struct shift_state state;

	detect(setting, s, &whole);
	shift_state_init(&state, setting);
	for (size_t i = 0; i < s->count; i++)
		assert_int_equal(shift_state_add(&state, scratch, s->at[i], s->rtt_ns[i],
						 &arrived), 0);
	assert_int_equal(shift_state_flush(&state, scratch, &arrived), 0);
	assert_int_equal(whole.count, arrived.count);
	for (size_t i = 0; i < whole.count; i++) {
		assert_int_equal(whole.items[i].index, arrived.items[i].index);
		assert_int_equal(whole.items[i].shift_ns, arrived.items[i].shift_ns);
		assert_true(whole.items[i].confidence == arrived.items[i].confidence);
	}
	shift_state_fini(&state);
	shift_list_fini(&whole);
	shift_list_fini(&arrived);
}

static void test_both_forms_agree(void **state)
{
	(void)state;
	if (!there)
		skip();
	for (size_t i = 0; i < real.count; i++) {
		assert_agree(&real.files[i].series, SHIFT_SUSTAINED);
		assert_agree(&real.files[i].series, SHIFT_SENSITIVE);
	}
	for (size_t i = 0; i < artificial.count; i++) {
		assert_agree(&artificial.files[i].series, SHIFT_SUSTAINED);
		assert_agree(&artificial.files[i].series, SHIFT_SENSITIVE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_floors),
		cmocka_unit_test(test_stationary),
		cmocka_unit_test(test_both_forms_agree),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

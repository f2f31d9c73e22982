// SPDX-License-Identifier: BSD-2-Clause
/* Shifts of a whole series and as it arrives: the same in the end, provisional before. */
#include "tests/unit/analysis/shift_bed.h"

static void assert_same_lists(const struct shift_list *a, const struct shift_list *b)
{
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		const struct shift *x = &a->items[i], *y = &b->items[i];

		assert_int_equal(x->status, y->status);
		assert_int_equal(x->index, y->index);
		assert_int_equal(x->last_index, y->last_index);
		assert_int_equal(x->not_before.ns, y->not_before.ns);
		assert_int_equal(x->not_after.ns, y->not_after.ns);
		assert_int_equal(x->before_ns, y->before_ns);
		assert_int_equal(x->after_ns, y->after_ns);
		assert_int_equal(x->shift_ns, y->shift_ns);
		assert_int_equal(x->low_ns, y->low_ns);
		assert_int_equal(x->high_ns, y->high_ns);
		assert_true(x->p == y->p && x->confidence == y->confidence);
	}
}

/* Asked in between, as a daemon asks: that changes nothing. */
static void as_it_arrives(const struct bed *b, enum shift_setting setting, size_t every,
			  struct shift_list *out)
{
	struct shift_list pending = {0};
	struct shift_state s;
	size_t had = 0;

	shift_list_clear(out);
	shift_state_init(&s, setting);
	for (size_t i = 0; i < b->n; i++) {
		assert_int_equal(shift_state_add(&s, scratch, b->at[i], b->rtt_ns[i], out), 0);
		if (every == 0 || i % every != 0)
			continue;
		shift_list_clear(&pending);
		assert_int_equal(shift_state_pending(&s, scratch, &pending), 0);
		for (size_t k = 0; k < pending.count; k++) {
			assert_int_equal(pending.items[k].status, SHIFT_PROVISIONAL);
			assert_true(pending.items[k].index <= i);
			assert_true(out->count == 0 ||
				    pending.items[k].index > out->items[out->count - 1].index);
		}
	}
	for (had = 0; had + 1 < out->count; had++)
		assert_true(out->items[had].index < out->items[had + 1].index);
	shift_list_clear(&pending);
	assert_int_equal(shift_state_pending(&s, scratch, &pending), 0);
	had = out->count;
	assert_int_equal(shift_state_flush(&s, scratch, out), 0);
	/* What flush says is what was pending. */
	assert_int_equal(out->count - had, pending.count);
	for (size_t k = 0; k < pending.count; k++)
		assert_int_equal(pending.items[k].index, out->items[had + k].index);
	shift_state_fini(&s);
	shift_list_fini(&pending);
}

/* Levels, noises and gaps by chance, some of it beyond any sense. */
static void by_chance(struct bed *b)
{
	size_t most = (size_t)(bed_even(b) * (double)b->size);

	while (b->n < most) {
		unsigned n = (unsigned)(bed_even(b) * (bed_even(b) < .5 ? 20 : 600)) + 1;
		double level = bed_even(b) * (bed_even(b) < .1 ? 5000 : 300);
		double noise = bed_even(b) < .3 ? 0 : bed_queue(b) * 3;

		n = n > most - b->n ? (unsigned)(most - b->n) : n;
		if (bed_even(b) < .1)
			bed_lost(b, n);
		else
			bed_level(b, n, level, noise);
		b->step_ns = bed_even(b) < .2 ? 0 : (int64_t)(bed_even(b) * 30) * BED_MINUTE;
	}
}

static void test_both_forms_agree(void **state)
{
	struct shift_list whole = {0}, arrived = {0};
	size_t shifts = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 30; seed++) {
		struct bed b;

		bed_init(&b, seed, 6000);
		by_chance(&b);
		for (int i = SHIFT_SUSTAINED; i <= SHIFT_SENSITIVE; i++) {
			detect(&b, (enum shift_setting)i, &whole);
			as_it_arrives(&b, (enum shift_setting)i, seed % 3 == 0 ? 197 : 0, &arrived);
			assert_same_lists(&whole, &arrived);
			shifts += whole.count;
		}
		bed_fini(&b);
	}
	assert_true(shifts > 500);
	shift_list_fini(&whole);
	shift_list_fini(&arrived);
}

/* A new level is told within a few points, long before it is confirmed. */
static void test_provisional_is_soon(void **state)
{
	struct shift_list found = {0};
	struct shift_state s;
	struct bed b;

	(void)state;
	bed_init(&b, 9, 2000);
	bed_level(&b, 500, 282, .5);
	bed_level(&b, 1400, 186, .5);
	shift_state_init(&s, SHIFT_SUSTAINED);
	for (size_t i = 0; i < 506; i++)
		assert_int_equal(shift_state_add(&s, scratch, b.at[i], b.rtt_ns[i], &found), 0);
	assert_int_equal(found.count, 0);
	assert_int_equal(shift_state_pending(&s, scratch, &found), 0);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.items[0].index, 500);
	assert_int_equal(found.items[0].status, SHIFT_PROVISIONAL);
	shift_list_clear(&found);
	for (size_t i = 506; i < 1100; i++)
		assert_int_equal(shift_state_add(&s, scratch, b.at[i], b.rtt_ns[i], &found), 0);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.items[0].index, 500);
	assert_int_equal(found.items[0].status, SHIFT_CONFIRMED);
	/* Once told it is not pending any more. */
	shift_list_clear(&found);
	assert_int_equal(shift_state_pending(&s, scratch, &found), 0);
	assert_int_equal(found.count, 0);
	shift_state_fini(&s);
	shift_list_fini(&found);
	bed_fini(&b);
}

/* Out before the window is settled, so that the memory of a state has its bound. */
static void test_state_is_bounded(void **state)
{
	struct shift_list found = {0};
	struct shift_state s;

	(void)state;
	shift_state_init(&s, SHIFT_SUSTAINED);
	for (int64_t i = 0; i < 20000; i++) {
		struct wall at = {BED_START + i * BED_MINUTE};

		assert_int_equal(shift_state_add(&s, scratch, at, 100 * NS_PER_MS, &found), 0);
		assert_true(s.size <= 2 * SHIFT_WINDOW);
	}
	assert_int_equal(found.count, 0);
	shift_state_fini(&s);
	shift_list_fini(&found);
}

/* Wherever in a window, and between two of them, it is told once and at its place. */
static void test_everywhere(void **state)
{
	struct shift_list found = {0};

	(void)state;
	for (unsigned at = 6; at < 2000; at += at > 860 && at < 910 ? 1 : 29) {
		struct bed b;

		bed_init(&b, at, 2010);
		bed_level(&b, at, 180, .3);
		bed_level(&b, 2006 - at, 200, .3);
		detect(&b, SHIFT_SUSTAINED, &found);
		assert_int_equal(found.count, 1);
		assert_int_equal(found.items[0].index, at);
		bed_fini(&b);
	}
	shift_list_fini(&found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_forms_agree),
		cmocka_unit_test(test_everywhere),
		cmocka_unit_test(test_provisional_is_soon),
		cmocka_unit_test(test_state_is_bounded),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

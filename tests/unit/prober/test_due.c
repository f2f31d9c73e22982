// SPDX-License-Identifier: BSD-2-Clause
/* Whose turn it is: order of waits, order of the line, and both against a plain model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "prober/due.h"

static void waits_end_in_order(void **state)
{
	static const int64_t when[] = {50, 10, 40, 10, 30, 20, 60, 5};
	struct due d;
	struct mono next;
	int64_t last = 0;

	(void)state;
	assert_int_equal(due_init(&d, 8), 0);
	assert_false(due_next(&d, &next));
	for (uint32_t i = 0; i < 8; i++)
		due_wait(&d, i, (struct mono){when[i]});
	assert_true(due_next(&d, &next));
	assert_int_equal(next.ns, 5);
	assert_int_equal(due_take(&d, (struct mono){4}), DUE_NONE);
	for (int i = 0; i < 7; i++) {
		uint32_t slot = due_take(&d, (struct mono){50});

		assert_int_not_equal(slot, DUE_NONE);
		assert_true(when[slot] >= last);
		last = when[slot];
	}
	assert_int_equal(due_take(&d, (struct mono){59}), DUE_NONE);
	assert_int_equal(due_take(&d, (struct mono){60}), 6);
	due_fini(&d);
}

static void the_line_is_fair(void **state)
{
	struct due d;

	(void)state;
	assert_int_equal(due_init(&d, 4), 0);
	assert_int_equal(due_head(&d), DUE_NONE);
	for (uint32_t i = 0; i < 4; i++)
		due_line_up(&d, i);
	due_line_up(&d, 0); /* stands there already: keeps its place */
	assert_int_equal(due_head(&d), 0);
	due_forget(&d, 2);  /* from the middle */
	due_wait(&d, 0, (struct mono){9}); /* leaves the head */
	assert_int_equal(due_head(&d), 1);
	due_line_up(&d, 0); /* from waiting to the end */
	due_forget(&d, 1);
	assert_int_equal(due_head(&d), 3);
	due_forget(&d, 3);
	assert_int_equal(due_head(&d), 0);
	due_forget(&d, 0);
	assert_int_equal(due_head(&d), DUE_NONE);
	assert_int_equal(due_take(&d, (struct mono){INT64_MAX}), DUE_NONE);
	due_fini(&d);
}

/* 20,000 pseudo-random steps against an array that says when each slot waits. */
static void as_a_plain_model(void **state)
{
	enum { N = 37 };
	int64_t model[N];
	struct due d;
	uint32_t x = 12345, slot;

	(void)state;
	assert_int_equal(due_init(&d, N), 0);
	for (int i = 0; i < N; i++)
		model[i] = INT64_MAX;
	for (int step = 0; step < 20000; step++) {
		int64_t least = INT64_MAX;
		struct mono next;

		x = x * 1664525 + 1013904223;
		slot = (x >> 8) % N;
		switch (x >> 28) {
		case 0:
			due_forget(&d, slot);
			model[slot] = INT64_MAX;
			break;
		case 1:
			slot = due_take(&d, (struct mono){INT64_MAX - 1});
			if (slot != DUE_NONE) {
				for (int i = 0; i < N; i++)
					assert_true(model[slot] <= model[i]);
				model[slot] = INT64_MAX;
			}
			break;
		default:
			model[slot] = x % 1000;
			due_wait(&d, slot, (struct mono){model[slot]});
		}
		for (int i = 0; i < N; i++)
			least = model[i] < least ? model[i] : least;
		assert_int_equal(due_next(&d, &next), least != INT64_MAX);
		if (least != INT64_MAX)
			assert_int_equal(next.ns, least);
	}
	due_fini(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_end_in_order),
		cmocka_unit_test(the_line_is_fair),
		cmocka_unit_test(as_a_plain_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

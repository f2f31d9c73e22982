// SPDX-License-Identifier: BSD-2-Clause
/* Clock steps: what they void, at the edges too, and that a full list voids more, never less. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "prober/steps.h"

static bool between(const struct steps *s, int64_t a, int64_t b)
{
	return steps_between(s, (struct mono){a}, (struct mono){b});
}

static void one_step(void **state)
{
	static const struct {
		const char *why;
		int64_t a, b;
		bool voided;
	} rows[] = {
		{"long before", 10, 20, false},
		{"up to the look before", 10, 99, false},
		{"touches the look before", 10, 100, true},
		{"ends inside", 10, 150, true},
		{"inside", 120, 130, true},
		{"around", 10, 500, true},
		{"begins inside", 150, 500, true},
		{"touches the look after", 200, 500, true},
		{"after", 201, 500, false},
		{"one moment inside", 150, 150, true},
	};
	struct steps s = {0};

	(void)state;
	assert_false(between(&s, 0, INT64_MAX));
	steps_add(&s, (struct mono){100}, (struct mono){200});
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (between(&s, rows[i].a, rows[i].b) != rows[i].voided)
			fail_msg("%s", rows[i].why);
	}
}

static void more_than_there_is_room_for(void **state)
{
	struct steps s = {0};

	(void)state;
	for (int64_t i = 0; i < 3 * STEPS_ROOM; i++)
		steps_add(&s, (struct mono){100 * i}, (struct mono){100 * i + 10});
	assert_int_equal(s.count, STEPS_ROOM);
	/* Every step is still covered, the old ones by one long interval ... */
	for (int64_t i = 0; i < 3 * STEPS_ROOM; i++)
		assert_true(between(&s, 100 * i + 5, 100 * i + 6));
	assert_true(between(&s, 150, 160));
	/* ... and between the recent ones an RTT is still good. */
	assert_false(between(&s, 100 * (3 * STEPS_ROOM - 1) - 50, 100 * (3 * STEPS_ROOM - 1) - 40));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_step),
		cmocka_unit_test(more_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

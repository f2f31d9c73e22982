// SPDX-License-Identifier: BSD-2-Clause
/* A responder is told once, however often it answers; many responders cost frames, not memory. */
#include "prober/seen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void once_each(void **state)
{
	struct seen *s = calloc(1, sizeof(*s));
	uint8_t bytes[4] = {192, 0, 2, 0};
	unsigned told = 0;

	(void)state;
	assert_non_null(s);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 8; i++) {
			bytes[3] = (uint8_t)i;
			told += seen_new(s, addr_v4(bytes));
		}
	}
	assert_int_equal(told, 8);
	free(s);
}

static void a_flood_only_repeats(void **state)
{
	struct seen *s = calloc(1, sizeof(*s));

	(void)state;
	assert_non_null(s);
	for (unsigned i = 0; i < 1 << 16; i++) {
		uint8_t bytes[4] = {10, 0, (uint8_t)(i >> 8), (uint8_t)i};

		assert_true(seen_new(s, addr_v4(bytes)));
		assert_false(seen_new(s, addr_v4(bytes)));
	}
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(once_each),
		cmocka_unit_test(a_flood_only_repeats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

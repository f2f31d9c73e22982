// SPDX-License-Identifier: BSD-2-Clause
/* The cursor at 0, at the last byte, one past, backwards, and after its first failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/cur.h"

static const uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};

static void reads_in_order(void **state)
{
	struct cur c = cur_of(bytes, sizeof(bytes));
	uint8_t out[2];

	(void)state;
	assert_int_equal(cur_left(&c), 8);
	assert_int_equal(cur_u8(&c), 1);
	assert_int_equal(cur_be16(&c), 0x0203);
	assert_int_equal(cur_position(&c), 3);
	assert_int_equal(cur_be32(&c), 0x04050607);
	assert_int_equal(cur_left(&c), 1);
	cur_copy(&c, out, 1);
	assert_int_equal(out[0], 8);
	assert_int_equal(cur_left(&c), 0);
	assert_false(c.failed);
}

/* One byte too many, for each kind of read: zeros, and the cursor does not move. */
static void one_past_the_end(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 7; kind++) {
		struct cur c = cur_of(bytes, sizeof(bytes)), sub;
		uint8_t out[4] = {9, 9, 9, 9};
		size_t at = kind == 0 ? 8 : kind == 1 ? 7 : 5;

		cur_skip(&c, at);
		assert_false(c.failed);
		switch (kind) {
		case 0: assert_int_equal(cur_u8(&c), 0); break;
		case 1: assert_int_equal(cur_be16(&c), 0); break;
		case 2: assert_int_equal(cur_be32(&c), 0); break;
		case 3: assert_null(cur_take(&c, 4)); break;
		case 4: cur_skip(&c, 4); break;
		case 5:
			cur_copy(&c, out, 4);
			assert_int_equal(out[0] | out[1] | out[2] | out[3], 0);
			break;
		case 6:
			sub = cur_sub(&c, 4);
			assert_true(sub.failed);
			assert_int_equal(cur_left(&sub), 0);
			assert_int_equal(cur_u8(&sub), 0);
			break;
		}
		assert_true(c.failed);
		assert_int_equal(cur_position(&c), at);
		/* Sticky: even what would fit now reads as zero, and no skip heals it. */
		cur_skip(&c, 0);
		assert_int_equal(cur_u8(&c), 0);
		assert_null(cur_take(&c, 0));
		assert_true(c.failed);
	}
}

static void seeks(void **state)
{
	struct cur c = cur_of(bytes, sizeof(bytes));

	(void)state;
	cur_skip(&c, 7);
	assert_int_equal(cur_u8(&c), 8);
	assert_false(c.failed);
	assert_int_equal(cur_left(&c), 0);
	cur_skip(&c, 1);
	assert_true(c.failed);
	c = cur_of(bytes, sizeof(bytes));
	cur_skip(&c, SIZE_MAX);
	assert_true(c.failed);
	c = cur_of(bytes, sizeof(bytes));
	cur_skip(&c, 4);
	assert_null(cur_take(&c, SIZE_MAX - 2));
	assert_true(c.failed);
}

static void sub_cursors_stay_inside(void **state)
{
	struct cur c = cur_of(bytes, sizeof(bytes)), sub;

	(void)state;
	cur_skip(&c, 2);
	sub = cur_sub(&c, 3);
	assert_int_equal(cur_position(&c), 5);
	assert_int_equal(cur_position(&sub), 0);
	assert_int_equal(cur_be16(&sub), 0x0304);
	assert_int_equal(cur_be16(&sub), 0);
	assert_true(sub.failed);
	assert_false(c.failed);
	assert_int_equal(cur_u8(&c), 6);
	sub = cur_sub(&c, 0);
	assert_false(sub.failed);
	assert_int_equal(cur_left(&sub), 0);
	sub = cur_sub(&c, 2);
	cur_skip(&sub, 2);
	assert_false(sub.failed);
	cur_skip(&sub, 1);
	assert_true(sub.failed);
}

static void nothing_at_all(void **state)
{
	struct cur c = cur_of("", 0);

	(void)state;
	assert_int_equal(cur_left(&c), 0);
	assert_non_null(cur_take(&c, 0));
	assert_false(c.failed);
	assert_int_equal(cur_u8(&c), 0);
	assert_true(c.failed);
}

/* High bytes are no signs. */
static void high_bytes(void **state)
{
	static const uint8_t high[] = {0xff, 0xfe, 0xfd, 0xfc, 0x80, 0, 0, 1};
	struct cur c = cur_of(high, sizeof(high));

	(void)state;
	assert_true(cur_be32(&c) == 0xfffefdfcu);
	assert_true(cur_be32(&c) == 0x80000001u);
	c = cur_of(high, sizeof(high));
	assert_int_equal(cur_be16(&c), 0xfffe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_in_order), cmocka_unit_test(one_past_the_end),
		cmocka_unit_test(seeks),          cmocka_unit_test(sub_cursors_stay_inside),
		cmocka_unit_test(nothing_at_all), cmocka_unit_test(high_bytes),
	};

	return cmocka_run_group_tests_name("core/cur", tests, NULL, NULL);
}

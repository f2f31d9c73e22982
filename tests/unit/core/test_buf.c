// SPDX-License-Identifier: BSD-2-Clause
/* The growing buffer: growth, termination, consuming, and its sticky failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/buf.h"

static void appends(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b);
	assert_null(b.bytes);
	buf_str(&b, "");
	assert_string_equal(b.bytes, "");
	buf_str(&b, "a");
	buf_char(&b, 'b');
	buf_append(&b, "\0c", 2);
	buf_printf(&b, "%d-%s", 42, "x");
	assert_int_equal(b.used, 8);
	assert_memory_equal(b.bytes, "ab\0c42-x", 9);
	buf_clear(&b);
	assert_int_equal(b.used, 0);
	assert_string_equal(b.bytes, "");
	buf_fini(&b);
	assert_null(b.bytes);
	buf_fini(&b);
}

/* Each length across the first growths: terminated, and nothing lost. */
static void grows_past_every_edge(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b);
	for (size_t n = 0; n < 3000; n++) {
		assert_int_equal(b.used, n);
		buf_char(&b, (char)('a' + n % 26));
		assert_true(b.size > b.used);
		assert_int_equal(b.bytes[b.used], 0);
	}
	for (size_t n = 0; n < 3000; n++)
		assert_int_equal(b.bytes[n], 'a' + n % 26);
	buf_fini(&b);
	for (size_t n = 250; n < 520; n++) {
		buf_init(&b);
		buf_printf(&b, "%*s", (int)n, "x");
		assert_int_equal(b.used, n);
		assert_int_equal(strlen(b.bytes), n);
		buf_fini(&b);
	}
}

static void consumes(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b);
	buf_consume(&b, 5);
	buf_str(&b, "hello world");
	buf_consume(&b, 0);
	assert_string_equal(b.bytes, "hello world");
	buf_consume(&b, 6);
	assert_string_equal(b.bytes, "world");
	assert_int_equal(b.used, 5);
	buf_consume(&b, 5);
	assert_string_equal(b.bytes, "");
	buf_str(&b, "again");
	buf_consume(&b, SIZE_MAX);
	assert_int_equal(b.used, 0);
	buf_fini(&b);
}

/* More than memory can hold: failed for good, what was there stays, until cleared. */
static void failure_is_sticky(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b);
	buf_str(&b, "kept");
	buf_append(&b, "", SIZE_MAX / 2);
	assert_true(b.failed);
	buf_str(&b, "lost");
	buf_char(&b, 'x');
	buf_printf(&b, "%d", 1);
	assert_string_equal(b.bytes, "kept");
	assert_true(b.failed);
	buf_clear(&b);
	assert_false(b.failed);
	buf_str(&b, "new");
	assert_string_equal(b.bytes, "new");
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends), cmocka_unit_test(grows_past_every_edge),
		cmocka_unit_test(consumes), cmocka_unit_test(failure_is_sticky),
	};

	return cmocka_run_group_tests_name("core/buf", tests, NULL, NULL);
}

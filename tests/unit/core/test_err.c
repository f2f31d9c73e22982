// SPDX-License-Identifier: BSD-2-Clause
/* Errors: one line, always terminated, codes from errno, prefixes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/err.h"

static void every_code_has_words(void **state)
{
	(void)state;
	for (int code = 0; code >= BP_EFOREIGN; code--) {
		assert_string_not_equal(bp_strerror(code), "unknown error");
		for (int other = 0; other > code; other--)
			assert_string_not_equal(bp_strerror(code), bp_strerror(other));
	}
	assert_string_equal(bp_strerror(1), "unknown error");
	assert_string_equal(bp_strerror(BP_EFOREIGN - 1), "unknown error");
}

static void filling(void **state)
{
	struct bp_error e;
	char text[2 * BP_ERROR_TEXT];

	(void)state;
	assert_int_equal(bp_fail(NULL, BP_EPARSE, "nobody listens"), BP_EPARSE);
	assert_int_equal(bp_fail_sys(NULL, ENOENT, "nobody listens"), BP_ENOTFOUND);
	assert_int_equal(bp_error_prefix(NULL, "nobody"), BP_OK);
	assert_int_equal(bp_fail(&e, BP_EPARSE, "line %d", 7), BP_EPARSE);
	assert_int_equal(e.code, BP_EPARSE);
	assert_int_equal(e.sys, 0);
	assert_string_equal(e.text, "line 7");
	assert_int_equal(bp_error_prefix(&e, "file.%s", "txt"), BP_EPARSE);
	assert_string_equal(e.text, "file.txt: line 7");

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	bp_fail(&e, BP_EIO, "%s", text);
	assert_int_equal(strlen(e.text), BP_ERROR_TEXT - 1);
	/* A long message loses its end to a prefix, not the prefix; both stay terminated. */
	bp_error_prefix(&e, "where");
	assert_memory_equal(e.text, "where: aaa", 10);
	assert_in_range(strlen(e.text), BP_ERROR_TEXT - 4, BP_ERROR_TEXT - 1);
	bp_error_prefix(&e, "%s", text);
	assert_int_equal(strlen(e.text), BP_ERROR_TEXT - 1);
}

static const struct { int sys, code; } codes[] = {
	{EPERM, BP_EPERM}, {EACCES, BP_EPERM}, {ENOENT, BP_ENOTFOUND}, {ENOMEM, BP_ENOMEM},
	{EAGAIN, BP_EAGAIN}, {EIO, BP_EIO}, {EPIPE, BP_EIO}, {EISDIR, BP_EIO},
};

static void from_errno(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct bp_error e;

		assert_int_equal(bp_fail_sys(&e, codes[i].sys, "x"), codes[i].code);
		assert_int_equal(e.code, codes[i].code);
		assert_int_equal(e.sys, codes[i].sys);
		assert_memory_equal(e.text, "x: ", 3);
		assert_string_equal(e.text + 3, strerror(codes[i].sys));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_words),
		cmocka_unit_test(filling),
		cmocka_unit_test(from_errno),
	};

	return cmocka_run_group_tests_name("core/err", tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause
/* Bounded text, UTF-8, strict integers, words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/err.h"
#include "core/text.h"

static const struct { const char *in; size_t n; size_t size; const char *out; bool all;
		      const char *reason; } copies[] = {
	{"abc", 3, 4, "abc", true, "fits exactly"},
	{"abc", 3, 3, "ab", false, "one too long"},
	{"abc", 3, 1, "", false, "room for the end only"},
	{"", 0, 1, "", true, "nothing"},
	{"abcdef", 3, 10, "abc", true, "need not be terminated"},
	{"a\nb\tc\x1b[31m\x7f", 11, 20, "a?b?c?[31m?", true, "no control characters"},
	{"a\0b", 3, 20, "a?b", true, "NUL"},
	{"\xc3\xa9", 2, 3, "\xc3\xa9", true, "two bytes"},
	{"\xc3\xa9", 2, 2, "", false, "two bytes are not cut in half"},
	{"x\xe6\x9c\x9d", 4, 4, "x", false, "three bytes neither"},
	{"\xf0\x9f\x9b\xb0", 4, 5, "\xf0\x9f\x9b\xb0", true, "four bytes"},
	{"\xc3", 1, 5, "?", true, "cut by the sender"},
	{"\xc3(", 2, 5, "?(", true, "not continued"},
	{"\x80\xbf", 2, 5, "??", true, "continuation alone"},
	{"\xc0\xaf", 2, 5, "??", true, "overlong slash"},
	{"\xe0\x80\xaf", 3, 5, "???", true, "overlong slash"},
	{"\xed\xa0\x80", 3, 5, "???", true, "a surrogate"},
	{"\xf4\x90\x80\x80", 4, 6, "????", true, "past U+10FFFF"},
	{"\xf8\x88\x80\x80\x80", 5, 8, "?????", true, "five bytes"},
	{"\xfe\xff", 2, 5, "??", true, "never in UTF-8"},
	{"\xed\x9f\xbf", 3, 5, "\xed\x9f\xbf", true, "just before the surrogates"},
	{"\xee\x80\x80", 3, 5, "\xee\x80\x80", true, "just after"},
	{"\xf4\x8f\xbf\xbf", 4, 6, "\xf4\x8f\xbf\xbf", true, "the last one"},
	{"\xc2\xa0", 2, 4, "\xc2\xa0", true, "the first that is none of C1"},
	{"\xdf\xbf", 2, 4, "\xdf\xbf", true, "the last of two bytes"},
	{"\xc2\x80", 2, 4, "?", true, "the first of C1"},
	{"\xc2\x9b" "31m", 5, 9, "?31m", true, "CSI as one character"},
	{"a\xc2\x9fz", 4, 9, "a?z", true, "the last of C1"},
	{"a\xc2\x85z", 4, 4, "a?z", true, "what it becomes is what needs room"},
	{"\xe2\x80\xa7", 3, 9, "\xe2\x80\xa7", true, "U+2027, a point"},
	{"\xe2\x80\xa8\xe2\x80\xa9", 6, 9, "??", true, "line and paragraph separators"},
	{"\xe2\x80\xaa" "a\xe2\x80\xae", 7, 9, "?a?", true, "U+202A, U+202E: embedding, override"},
	{"\xe2\x80\xaf", 3, 9, "\xe2\x80\xaf", true, "U+202F, a narrow space"},
	{"\xe2\x81\xa5", 3, 9, "\xe2\x81\xa5", true, "U+2065"},
	{"\xe2\x81\xa6" "a\xe2\x81\xa9", 7, 9, "?a?", true, "U+2066, U+2069: isolates"},
	{"\xe2\x81\xaa", 3, 9, "\xe2\x81\xaa", true, "U+206A"},
	{"\xe2\x80\x8f", 3, 9, "\xe2\x80\x8f", true, "U+200F: a mark, names in Hebrew have it"},
	{"\xf0\x9f\x80\xa8", 4, 9, "\xf0\x9f\x80\xa8", true, "four bytes that end like them"},
};

static void copies_keep_utf8_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(copies) / sizeof(copies[0]); i++) {
		char out[32];
		bool all;

		memset(out, 'x', sizeof(out));
		all = text_copy(out, copies[i].size, copies[i].in, copies[i].n);
		if (strcmp(out, copies[i].out) != 0 || all != copies[i].all)
			fail_msg("row %zu: \"%s\" %d (%s)", i, out, all, copies[i].reason);
		/* Nothing behind the room it was given. */
		assert_int_equal(out[copies[i].size], 'x');
	}
	char one = 'x';

	assert_false(text_set(&one, 0, "a"));
	assert_int_equal(one, 'x');
}

/* All two-byte beginnings: the length is what the first byte says, or 0. */
static void utf8_first_bytes(void **state)
{
	unsigned good = 0;

	(void)state;
	for (unsigned b = 0; b < 256; b++) {
		const unsigned char s[4] = {(unsigned char)b, 0x90, 0x80, 0x80};
		size_t n = utf8_length(s, 4);

		good += n > 0;
		assert_int_equal(n, b < 0x80 ? 1 : b < 0xc2 ? 0 : b < 0xe0 ? 2 : b == 0xe0 ? 0 :
				 b < 0xf0 ? 3 : b < 0xf4 ? 4 : 0);
		for (size_t cut = 1; cut < n; cut++)
			assert_int_equal(utf8_length(s, cut), 0);
	}
	assert_int_equal(good, 128 + 30 + 15 + 4);
}

static const struct { const char *text; uint64_t min, max; int code; uint64_t is; } numbers[] = {
	{"0", 0, 0, 0, 0},
	{"42", 0, 100, 0, 42},
	{"007", 0, 100, 0, 7},
	{"18446744073709551615", 0, UINT64_MAX, 0, UINT64_MAX},
	{"18446744073709551616", 0, UINT64_MAX, BP_ERANGE, 0},
	{"99999999999999999999999", 0, UINT64_MAX, BP_ERANGE, 0},
	{"101", 0, 100, BP_ERANGE, 0},
	{"4", 5, 100, BP_ERANGE, 0},
	{"", 0, 100, BP_EPARSE, 0},
	{"-1", 0, 100, BP_EPARSE, 0},
	{"+1", 0, 100, BP_EPARSE, 0},
	{" 1", 0, 100, BP_EPARSE, 0},
	{"1 ", 0, 100, BP_EPARSE, 0},
	{"1.0", 0, 100, BP_EPARSE, 0},
	{"0x10", 0, 100, BP_EPARSE, 0},
	{"1e3", 0, 10000, BP_EPARSE, 0},
};

static void integers_are_strict(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		uint64_t v = 77;
		int rc = text_to_u64(numbers[i].text, numbers[i].min, numbers[i].max, &v);

		if (rc != numbers[i].code || v != (rc == 0 ? numbers[i].is : 77))
			fail_msg("\"%s\": %d %llu", numbers[i].text, rc, (unsigned long long)v);
	}
}

static void thousandths_are_strict(void **state)
{
	static const struct {
		const char *text;
		int code;
		uint64_t is;
		const char *back;
	} rows[] = {
		{"0.8", 0, 800, "0.8"}, {"1", 0, 1000, "1"}, {"25.000", 0, 25000, "25"},
		{"13.333", 0, 13333, "13.333"}, {"0.001", 0, 1, "0.001"},
		{"10.010", 0, 10010, "10.01"},
		{"10000000", 0, 10000000000, "10000000"},
		{"0", BP_ERANGE, 0, NULL}, {"0.0001", BP_EPARSE, 0, NULL}, {"1.", BP_EPARSE, 0, NULL},
		{".5", BP_EPARSE, 0, NULL}, {"", BP_EPARSE, 0, NULL}, {".", BP_EPARSE, 0, NULL},
		{"-1", BP_EPARSE, 0, NULL}, {"1.-5", BP_EPARSE, 0, NULL}, {"1e3", BP_EPARSE, 0, NULL},
		{"1.2.3", BP_EPARSE, 0, NULL}, {"10000000.001", BP_ERANGE, 0, NULL},
		{"18446744073709551616", BP_ERANGE, 0, NULL},
		{"00000000000000000000000000000000000000000001", BP_ERANGE, 0, NULL},
	};
	char back[TEXT_MILLI];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t v = 77;
		int rc = text_to_milli(rows[i].text, 1, 10000000000, &v);

		if (rc != rows[i].code || v != (rc == 0 ? rows[i].is : 77))
			fail_msg("\"%s\": %d %llu", rows[i].text, rc, (unsigned long long)v);
		if (rc == 0)
			assert_string_equal(text_milli(v, back), rows[i].back);
	}
	assert_string_equal(text_milli(UINT64_MAX, back), "18446744073709551.615");
}

static void words(void **state)
{
	static const struct word table[] = {{"a", 1}, {"b", 2}, {"also_b", 2}, {NULL, 0}};
	int v = 77;

	(void)state;
	assert_string_equal(word_of(table, 2), "b");
	assert_string_equal(word_of(table, 0), "unknown");
	assert_int_equal(word_value(table, "also_b", &v), 0);
	assert_int_equal(v, 2);
	assert_int_equal(word_value(table, "B", &v), BP_ENOTFOUND);
	assert_int_equal(word_value(table, "", &v), BP_ENOTFOUND);
	assert_int_equal(v, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_keep_utf8_whole), cmocka_unit_test(utf8_first_bytes),
		cmocka_unit_test(integers_are_strict),    cmocka_unit_test(thousandths_are_strict),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests_name("core/text", tests, NULL, NULL);
}

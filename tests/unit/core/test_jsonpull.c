// SPDX-License-Identifier: BSD-2-Clause
/* The JSON reader: what it takes, what it refuses and where, exact numbers, jansson's opinion. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/jsonpull.h"
#include "tests/unit/seeds.h"

#define BYTES(text) text, sizeof(text) - 1

static const struct {
	const char *bytes;
	size_t n;
	const char *says; /* "" accepted */
	const char *reason;
} rows[] = {
	{BYTES("{}"), "", "nothing in it"},
	{BYTES(" [ 1 , -0 , 0.5e+10 , 1E-2 ] "), "", "numbers, blanks"},
	{BYTES("{\"a\":{\"b\":[null,true,false]},\"c\":\"\"}"), "", "words, nesting"},
	{BYTES("{\"a\" : 1 ,\"b\":2}"), "", "a blank before the colon"},
	{BYTES("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\udef0\""), "", "every escape"},
	{BYTES("\"\xc3\xa9\xf0\x9f\x9b\xb0\""), "", "UTF-8"},
	{BYTES("\"\\u0000\""), "", "NUL as an escape"},
	{BYTES("123456789012345678901234567890"), "", "a number of any size"},
	{BYTES("{\"a\":1,\"a\":2}"), "", "a member twice is the caller's affair"},
	{BYTES(""), "column 1: it ends too early", "empty"},
	{BYTES("{"), "column 2: it ends too early", "cut"},
	{BYTES("{\"a"), "column 4: the text is not closed", "cut in a key"},
	{BYTES("{\"a\""), "column 5: expected a colon", "cut behind a key"},
	{BYTES("{\"a\":"), "column 6: it ends too early", "cut behind a colon"},
	{BYTES("{\"a\":1"), "column 7: it ends too early", "cut behind a value"},
	{BYTES("{\"a\":1,}"), "column 8: expected a member", "a comma too many"},
	{BYTES("[1,]"), "column 4: expected a value", "a comma too many"},
	{BYTES("[,1]"), "column 2: expected a value", "a comma first"},
	{BYTES("[1 2]"), "column 4: expected a comma", "no comma"},
	{BYTES("{\"a\" 1}"), "column 6: expected a colon", "no colon"},
	{BYTES("{a:1}"), "column 2: expected a member", "a bare key"},
	{BYTES("{'a':1}"), "column 2: expected a member", "single quotes"},
	{BYTES("[1}"), "column 3: expected a comma", "the wrong bracket"},
	{BYTES("{}{}"), "column 3: more than one value", "two values"},
	{BYTES("[]]"), "column 3: more than one value", "closed twice"},
	{BYTES("01"), "column 1: no number", "a leading zero"},
	{BYTES("-"), "column 1: no number", "a sign alone"},
	{BYTES("1."), "column 1: no number", "no digit behind the point"},
	{BYTES(".5"), "column 1: expected a value", "none before it"},
	{BYTES("1e"), "column 1: no number", "no exponent"},
	{BYTES("+1"), "column 1: expected a value", "a plus"},
	{BYTES("NaN"), "column 1: expected a value", "no number at all"},
	{BYTES("nul"), "column 1: expected a value", "half a word"},
	{BYTES("\"\n\""), "column 2: a control character", "a newline in a text"},
	{BYTES("\"a\0b\""), "column 3: a control character", "a NUL in a text"},
	{BYTES("[1\0]"), "column 3: expected a comma", "a NUL behind a number"},
	{BYTES("[\0]"), "column 2: a NUL byte", "a NUL"},
	{BYTES("\"\\x\""), "column 2: no such escape", "an escape of C"},
	{BYTES("\"\\u12g4\""), "column 2: no such escape", "no hexadecimal"},
	{BYTES("\"\\ud83d\""), "column 2: no such escape", "half a surrogate pair"},
	{BYTES("\"\\udef0\\ud83d\""), "column 2: no such escape", "a pair the wrong way round"},
	{BYTES("\"\xff\""), "column 2: malformed UTF-8", "no UTF-8"},
	{BYTES("\"\xc0\xaf\""), "column 2: malformed UTF-8", "overlong"},
	{BYTES("\"\xed\xa0\x80\""), "column 2: malformed UTF-8", "a surrogate in UTF-8"},
	{BYTES("\"\xe2\x82"), "column 2: malformed UTF-8", "cut in a character"},
};

/* Passes over it all. */
static int verdict(const char *bytes, size_t n, struct bp_error *err)
{
	struct pull_value v;
	struct pull p;

	pull_start(&p, bytes, n, &v);
	pull_skip(&p, &v);
	return pull_end(&p, err);
}

static void accepts_and_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bp_error err = {0};
		/* On the heap and to the byte: reading over the end is seen. */
		char *copy = malloc(rows[i].n + (rows[i].n == 0));
		json_t *dom;

		seed_write("jsonpull", "row", i, rows[i].bytes, rows[i].n);
		memcpy(copy, rows[i].bytes, rows[i].n);
		verdict(copy, rows[i].n, &err);
		if ((rows[i].says[0] == '\0') != (err.code == 0) ||
		    strstr(err.text, rows[i].says) == NULL)
			fail_msg("%s: \"%s\"", rows[i].reason, err.text);
		dom = json_loadb(copy, rows[i].n,
				 JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
		/* jansson 2.14 swallows a NUL behind a number. */
		if (memchr(copy, '\0', rows[i].n) == NULL &&
		    (dom != NULL) != (rows[i].says[0] == '\0'))
			fail_msg("%s: jansson thinks otherwise", rows[i].reason);
		json_decref(dom);
		free(copy);
	}
}

static void depth_is_bounded(void **state)
{
	char deep[2 * (PULL_DEPTH_MAX + 1)];
	struct bp_error err = {0};

	(void)state;
	memset(deep, '[', PULL_DEPTH_MAX + 1);
	memset(deep + PULL_DEPTH_MAX + 1, ']', PULL_DEPTH_MAX + 1);
	assert_int_equal(verdict(deep + 1, sizeof(deep) - 2, NULL), 0);
	assert_int_equal(verdict(deep, sizeof(deep), &err), BP_EPARSE);
	assert_non_null(strstr(err.text, "nested too deeply"));
}

static const struct {
	const char *number;
	unsigned places;
	bool fits;
	int64_t is;
	bool whole; /* pull_int takes it, as is / 10^places */
} numbers[] = {
	{"0", 6, true, 0, true},
	{"-0", 6, true, 0, true},
	{"1.01", 6, true, 1010000, false},
	{"0.000001", 6, true, 1, false},
	{"0.0000005", 6, true, 1, false},
	{"0.00000049", 6, true, 0, false},
	{"-2.5", 0, true, -3, false},
	{"1.0169999999999999", 6, true, 1017000, false},
	{"20.126000000000001", 6, true, 20126000, false},
	{"999999999.123456", 6, true, INT64_C(999999999123456), false},
	{"5e0", 0, true, 5, true},
	{"5.0", 0, true, 5, true},
	{"50e-1", 0, true, 5, true},
	{"0.5e1", 0, true, 5, true},
	{"9007199254740993", 0, true, INT64_C(9007199254740993), true},
	{"9223372036854775807", 0, true, INT64_MAX, true},
	{"9223372036854775808", 0, false, 0, false},
	{"1e400", 0, false, 0, false},
	{"1e-400", 3, true, 0, false},
	{"0e999999999999", 3, true, 0, true},
	{"1e999999999999", 3, false, 0, false},
	{"123456789012345678901234567890", 0, false, 0, false},
	{"0.1234567890123456789012345", 6, true, 123457, false},
	{"1234567890123456789.5", 0, true, INT64_C(1234567890123456790), false},
};

static void numbers_are_exact(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		int64_t is = -77, whole = -77;
		struct pull_value v;
		struct pull p;

		pull_start(&p, numbers[i].number, strlen(numbers[i].number), &v);
		assert_int_equal(pull_end(&p, NULL), 0);
		if (pull_decimal(&v, numbers[i].places, &is) != numbers[i].fits ||
		    is != (numbers[i].fits ? numbers[i].is : -77))
			fail_msg("%s: %lld", numbers[i].number, (long long)is);
		if (pull_int(&v, INT64_MIN, INT64_MAX, &whole) != numbers[i].whole)
			fail_msg("%s as a whole: %lld", numbers[i].number, (long long)whole);
	}
}

static void texts(void **state)
{
	static const char json[] = "[\"plain\",\"\\u00e9\\n\\ud83d\\udef0\\\"\",\"\xe6\x9c\x9d\xe6\x9c\x9d\",7]";
	static const char *const are[] = {"plain", "\xc3\xa9?\xf0\x9f\x9b\xb0\"", "\xe6\x9c\x9d\xe6\x9c\x9d", ""};
	struct pull_value v;
	struct pull p;
	char text[16];
	size_t i = 0;

	(void)state;
	pull_start(&p, json, strlen(json), &v);
	while (pull_element(&p, &v)) {
		assert_int_equal(pull_text(&v, text, sizeof(text)), i < 3);
		assert_string_equal(text, are[i++]);
	}
	assert_int_equal(i, 4);
	assert_int_equal(pull_end(&p, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_and_refuses),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(numbers_are_exact),
		cmocka_unit_test(texts),
	};

	return cmocka_run_group_tests_name("core/jsonpull", tests, NULL, NULL);
}

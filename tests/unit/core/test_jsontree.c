// SPDX-License-Identifier: BSD-2-Clause
/* The JSON tree: what it holds, and how it says what is no JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/buf.h"
#include "core/jsontree.h"
#include "tests/unit/seeds.h"

#define BYTES(text) text, sizeof(text) - 1

static const struct {
	const char *bytes;
	size_t n;
	int code;
	const char *says;
	const char *reason;
} rows[] = {
	{BYTES("{\"a\":[1,\"x\",{}],\"b\":null}"), 0, "", "a value"},
	{BYTES("{\"type\":\"tr"), BP_ETRUNC, "not JSON at column 11: premature end of input", "cut in a text"},
	{BYTES("{\"a\":1"), BP_ETRUNC, "not JSON at column 6: premature end of input", "cut behind a value"},
	{BYTES("{\"a\":tr"), BP_ETRUNC, "not JSON at column 7: premature end of input", "half a word"},
	{BYTES(""), BP_ETRUNC, "not JSON at column 0: premature end of input", "empty"},
	{BYTES("0.0.1\"}"), BP_EPARSE, "not JSON at column 3: '[' or '{' expected", "the front is cut off"},
	{BYTES("x\n"), BP_EPARSE, "not JSON at column 1: lexical error: invalid char in json text", "a word"},
	{BYTES("\"text\""), BP_EPARSE, "'[' or '{' expected", "a text alone"},
	{BYTES("{\"a\":1,\"b\":2,\"a\":3}"), BP_EPARSE, "not JSON: duplicate member \"a\"", "twice"},
	{BYTES("{\"a\":1,\"\\u0061\":3}"), BP_EPARSE, "not JSON: duplicate member \"a\"", "twice, once with an escape"},
	{BYTES("{\"a\":{\"b\":1,\"b\":2}}"), BP_EPARSE, "not JSON: duplicate member \"b\"", "twice, inside"},
	{BYTES("{\"a\":{\"b\":1},\"b\":2}"), 0, "", "at two levels"},
	{BYTES("{\"a\\u0000b\":1}"), BP_EPARSE, "a NUL in a key", "a key that ends too early"},
	{BYTES("[1e999]"), BP_EPARSE, "real number overflow", "no double"},
	{BYTES("[123456789012345678901234567890]"), 0, "", "a long number of somebody's"},
	{BYTES("[1}"), BP_EPARSE, "column 3: parse error: after array element, I expect ',' or ']'", "the wrong bracket"},
	{BYTES("{}x"), BP_EPARSE, "column 3: parse error: trailing garbage", "something behind it"},
	{BYTES("{}"), 0, "", "nothing in it"},
	{BYTES(" [ 1 , -0 , 0.5e+10 , 1E-2 ] "), 0, "", "numbers, blanks"},
	{BYTES("{\"a\":{\"b\":[null,true,false]},\"c\":\"\"}"), 0, "", "words, nesting"},
	{BYTES("{\"a\" : 1 ,\"b\":2}"), 0, "", "a blank before the colon"},
	{BYTES("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\udef0\"]"), 0, "", "every escape"},
	{BYTES("[\"\xc3\xa9\xf0\x9f\x9b\xb0\"]"), 0, "", "UTF-8"},
	{BYTES("[\"\\u0000\"]"), 0, "", "NUL as an escape"},
	{BYTES("[\"\\ud83d\"]"), 0, "", "half a surrogate pair: a question mark"},
	{BYTES("{"), BP_ETRUNC, "column 1: premature end of input", "cut"},
	{BYTES("{\"a"), BP_ETRUNC, "column 3: premature end of input", "cut in a key"},
	{BYTES("{\"a\":"), BP_ETRUNC, "column 5: premature end of input", "cut behind a colon"},
	{BYTES("{\"a\":1,}"), BP_EPARSE, "column 8: parse error: invalid object key", "a comma too many"},
	{BYTES("[1,]"), BP_EPARSE, "column 4: parse error: unallowed token", "a comma before the end"},
	{BYTES("[,1]"), BP_EPARSE, "column 2: parse error: unallowed token", "a comma first"},
	{BYTES("[1 2]"), BP_EPARSE, "column 4: parse error: after array element", "no comma"},
	{BYTES("{\"a\" 1}"), BP_EPARSE, "column 6: parse error: object key and value must", "no colon"},
	{BYTES("{a:1}"), BP_EPARSE, "column 2: lexical error", "a bare key"},
	{BYTES("{'a':1}"), BP_EPARSE, "column 2: lexical error", "single quotes"},
	{BYTES("[1/**/]"), BP_EPARSE, "lexical error: probable comment", "a comment"},
	{BYTES("{}{}"), BP_EPARSE, "column 3: parse error: trailing garbage", "two values"},
	{BYTES("[]]"), BP_EPARSE, "column 3: parse error: trailing garbage", "closed twice"},
	{BYTES("[01]"), BP_EPARSE, "column 3: parse error", "a leading zero"},
	{BYTES("[-]"), BP_EPARSE, "column 2: lexical error: malformed number", "a sign alone"},
	{BYTES("[1.]"), BP_EPARSE, "column 3: lexical error: malformed number", "no digit behind the point"},
	{BYTES("[.5]"), BP_EPARSE, "column 2: lexical error", "none before it"},
	{BYTES("[1e]"), BP_EPARSE, "column 3: lexical error: malformed number", "no exponent"},
	{BYTES("[+1]"), BP_EPARSE, "column 2: lexical error", "a plus"},
	{BYTES("[NaN]"), BP_EPARSE, "column 2: lexical error", "no number at all"},
	{BYTES("[\"\n\"]"), BP_EPARSE, "lexical error: invalid character inside string", "a newline in a text"},
	{BYTES("[\"a\0b\"]"), BP_EPARSE, "lexical error: invalid character inside string", "a NUL in a text"},
	{BYTES("[1\0]"), BP_EPARSE, "lexical error", "a NUL behind a number"},
	{BYTES("[\"\\x\"]"), BP_EPARSE, "column 3: lexical error: inside a string", "an escape of C"},
	{BYTES("[\"\\u12g4\"]"), BP_EPARSE, "lexical error: invalid (non-hex) character", "no hexadecimal"},
	{BYTES("[1,\v2]"), BP_EPARSE, "column 4: a control character", "a vertical tab between values"},
	{BYTES("[1,\f2]"), BP_EPARSE, "column 4: a control character", "a form feed"},
	{BYTES("[\"\xff\"]"), BP_EPARSE, "column 3: malformed UTF-8", "no UTF-8"},
	{BYTES("[\"\xc0\xaf\"]"), BP_EPARSE, "column 3: malformed UTF-8", "overlong"},
	{BYTES("[\"\xed\xa0\x80\"]"), BP_EPARSE, "column 3: malformed UTF-8", "a surrogate in UTF-8"},
	{BYTES("[\"\xe2\x82"), BP_EPARSE, "column 3: malformed UTF-8", "cut in a character"},
};

static void accepts_and_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bp_error err = {0};
		char *copy = malloc(rows[i].n + (rows[i].n == 0));
		struct json_node *tree;

		seed_write("jsontree", "row", i, rows[i].bytes, rows[i].n);
		memcpy(copy, rows[i].bytes, rows[i].n);
		tree = json_tree(copy, rows[i].n, &err);
		if (err.code != rows[i].code || (tree != NULL) != (rows[i].code == 0) ||
		    strstr(err.text, rows[i].says) == NULL)
			fail_msg("%s: %d \"%s\"", rows[i].reason, err.code, err.text);
		free(tree);
		free(copy);
	}
}

static void holds_what_was_written(void **state)
{
	char json[] = "{\"a\":[1,\"x\\n\\u00e9\",{\"b\":2.50}],\"\\u0063\":{},\"d\":\"\",\"e\":true}";
	struct json_node *tree = json_tree(json, strlen(json), NULL);
	const struct json_node *a = node_get(tree, "a"), *v;
	int64_t n = 0;
	size_t i;

	(void)state;
	/* Nothing of the bytes is needed any more. */
	memset(json, 'x', sizeof(json));
	assert_non_null(tree);
	assert_int_equal(tree->count, 4);
	assert_true(node_is(a, NODE_ARRAY));
	assert_int_equal(a->count, 3);
	NODE_EACH(a, i, v)
	{
		if (i == 0)
			assert_true(node_int(v, 0, 9, &n) && n == 1);
		if (i == 1)
			assert_string_equal(node_text(v), "x\n\xc3\xa9");
		if (i == 2)
			assert_string_equal(node_get(v, "b")->text, "2.50");
	}
	assert_int_equal(i, 3);
	assert_true(node_is(node_get(tree, "c"), NODE_OBJECT));
	assert_string_equal(node_text(node_get(tree, "d")), "");
	assert_true(node_is(node_get(tree, "e"), NODE_TRUE));
	assert_null(node_get(tree, "b"));
	assert_null(node_get(a, "b"));
	assert_null(node_text(a));
	assert_false(node_int(node_get(tree, "d"), 0, 9, &n));
	free(tree);
}

/* Thousands of members: no two the same, found in no time; one twice is seen. */
static void many_members(void **state)
{
	struct bp_error err = {0};
	struct json_node *tree;
	struct buf out;

	(void)state;
	buf_init(&out);
	buf_str(&out, "{\"k0\":0");
	for (unsigned i = 1; i < 60000; i++)
		buf_printf(&out, ",\"k%u\":%u", i, i);
	buf_char(&out, '}');
	tree = json_tree(out.bytes, out.used, &err);
	assert_non_null(tree);
	assert_int_equal(tree->count, 60000);
	assert_string_equal(node_get(tree, "k59999")->text, "59999");
	free(tree);
	out.used--;
	buf_str(&out, ",\"k777\":1}");
	assert_null(json_tree(out.bytes, out.used, &err));
	assert_string_equal(err.text, "not JSON: duplicate member \"k777\"");
	buf_fini(&out);
}

static void depth_is_bounded(void **state)
{
	char deep[2 * (NODE_DEPTH_MAX + 1)];
	struct bp_error err = {0};
	struct json_node *tree;

	(void)state;
	memset(deep, '[', NODE_DEPTH_MAX + 1);
	memset(deep + NODE_DEPTH_MAX + 1, ']', NODE_DEPTH_MAX + 1);
	tree = json_tree(deep + 1, sizeof(deep) - 2, NULL);
	assert_non_null(tree);
	free(tree);
	assert_null(json_tree(deep, sizeof(deep), &err));
	assert_non_null(strstr(err.text, "nested too deeply"));
}

static const struct {
	const char *number;
	unsigned places;
	bool fits;
	int64_t is;
	bool whole; /* node_int takes it, as is / 10^places */
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
		char json[64];
		struct json_node *tree;
		const struct json_node *v;

		snprintf(json, sizeof(json), "[%s]", numbers[i].number);
		tree = json_tree(json, strlen(json), NULL);
		/* What no double holds is refused as a whole. */
		if (tree == NULL) {
			assert_false(numbers[i].fits);
			continue;
		}
		v = tree + 1;
		if (node_decimal(v, numbers[i].places, &is) != numbers[i].fits ||
		    is != (numbers[i].fits ? numbers[i].is : -77))
			fail_msg("%s: %lld", numbers[i].number, (long long)is);
		if (node_int(v, INT64_MIN, INT64_MAX, &whole) != numbers[i].whole)
			fail_msg("%s as a whole: %lld", numbers[i].number, (long long)whole);
		free(tree);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_and_refuses),
		cmocka_unit_test(holds_what_was_written),
		cmocka_unit_test(many_members),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(numbers_are_exact),
	};

	return cmocka_run_group_tests_name("core/jsontree", tests, NULL, NULL);
}

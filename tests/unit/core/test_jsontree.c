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
	{BYTES("{\"type\":\"tr"), BP_ETRUNC, "not JSON at column 11: premature end of input near '\"tr'", "cut in a text"},
	{BYTES("{\"a\":1"), BP_ETRUNC, "not JSON at column 6: premature end of input", "cut behind a value"},
	{BYTES("{\"a\":tr"), BP_EPARSE, "not JSON at column 7: expected a value near 'tr'", "half a word"},
	{BYTES(""), BP_ETRUNC, "not JSON at column 0: premature end of input", "empty"},
	{BYTES("0.0.1\"}"), BP_EPARSE, "not JSON at column 3: '[' or '{' expected near '0.0'", "the front is cut off"},
	{BYTES("x\n"), BP_EPARSE, "not JSON at column 1: '[' or '{' expected near 'x'", "a word"},
	{BYTES("\"text\""), BP_EPARSE, "'[' or '{' expected near '", "a text alone"},
	{BYTES("{\"a\":1,\"b\":2,\"a\":3}"), BP_EPARSE, "not JSON: duplicate member \"a\"", "twice"},
	{BYTES("{\"a\":1,\"\\u0061\":3}"), BP_EPARSE, "not JSON: duplicate member \"a\"", "twice, once with an escape"},
	{BYTES("{\"a\":{\"b\":1,\"b\":2}}"), BP_EPARSE, "not JSON: duplicate member \"b\"", "twice, inside"},
	{BYTES("{\"a\":{\"b\":1},\"b\":2}"), 0, "", "at two levels"},
	{BYTES("{\"a\\u0000b\":1}"), BP_EPARSE, "a NUL in a key", "a key that ends too early"},
	{BYTES("[1e999]"), BP_EPARSE, "real number overflow", "no double"},
	{BYTES("[123456789012345678901234567890]"), 0, "", "a long number of somebody's"},
	{BYTES("[1}"), BP_EPARSE, "expected a comma", "the wrong bracket"},
	{BYTES("{}x"), BP_EPARSE, "more than one value", "something behind it"},
};

static void accepts_and_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bp_error err = {0};
		char *copy = malloc(rows[i].n + (rows[i].n == 0));
		struct json_node *tree;

		seed_write("jsonpull", "tree", i, rows[i].bytes, rows[i].n);
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
	assert_true(node_is(a, PULL_ARRAY));
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
	assert_true(node_is(node_get(tree, "c"), PULL_OBJECT));
	assert_string_equal(node_text(node_get(tree, "d")), "");
	assert_true(node_is(node_get(tree, "e"), PULL_TRUE));
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_and_refuses),
		cmocka_unit_test(holds_what_was_written),
		cmocka_unit_test(many_members),
	};

	return cmocka_run_group_tests_name("core/jsontree", tests, NULL, NULL);
}

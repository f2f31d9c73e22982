// SPDX-License-Identifier: BSD-2-Clause
/*
 * The JSON tree, whose grammar is yajl's, beside jansson: what jansson takes it takes, and every
 * value is the same. Seeds come from tests/unit/core/test_jsontree.c.
 */
#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/jsontree.h"
#include "tests/fuzz/fuzz.h"

static void same_number(const struct json_node *v, const json_t *j)
{
	int64_t n;

	if (json_is_integer(j)) {
		must(node_int(v, INT64_MIN, INT64_MAX, &n) || json_integer_value(j) == INT64_MIN);
		must(json_integer_value(j) == INT64_MIN || n == json_integer_value(j));
	} else if (fabs(json_real_value(j)) < 1e9) {
		must(node_decimal(v, 6, &n));
		must(fabs((double)n / 1e6 - json_real_value(j)) < 1e-6);
	}
}

/* Every member is found. */
static void same_tree(const struct json_node *v, const json_t *j)
{
	const struct json_node *inner;
	size_t i;

	switch (v->kind) {
	case NODE_OBJECT:
		must(json_is_object(j) && v->count == json_object_size(j));
		NODE_EACH(v, i, inner)
		{
			const json_t *member = json_object_get(j, inner->key);

			must(member != NULL && node_get(v, inner->key) == inner);
			same_tree(inner, member);
		}
		break;
	case NODE_ARRAY:
		must(json_is_array(j) && v->count == json_array_size(j));
		NODE_EACH(v, i, inner)
			same_tree(inner, json_array_get(j, i));
		break;
	case NODE_STRING:
		must(json_is_string(j) && v->n == json_string_length(j));
		must(memcmp(v->text, json_string_value(j), v->n) == 0 && v->text[v->n] == '\0');
		break;
	case NODE_NUMBER:
		must(json_is_number(j));
		same_number(v, j);
		break;
	default:
		must(v->kind == (json_is_true(j) ? NODE_TRUE : json_is_false(j) ? NODE_FALSE :
									       NODE_NULL));
	}
}

/* dom NULL: jansson does not take it; yajl may (half a surrogate pair, numbers of any size). */
static void check_tree(const char *bytes, size_t n, const json_t *dom)
{
	struct bp_error err = {0};
	struct json_node *tree = json_tree(bytes, n, &err);

	must((tree == NULL) == (err.code < 0 && err.text[0] != '\0'));
	must(dom == NULL || tree != NULL || strstr(err.text, "nested too deeply") != NULL);
	if (tree != NULL && dom != NULL)
		same_tree(tree, dom);
	free(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	json_t *dom = json_loadb(bytes, size, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);

	/* jansson 2.14 swallows a NUL behind a number. */
	if (memchr(data, '\0', size) != NULL) {
		json_decref(dom);
		dom = NULL;
	}
	check_tree(bytes, size, dom);
	json_decref(dom);
	return 0;
}

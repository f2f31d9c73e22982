// SPDX-License-Identifier: BSD-2-Clause
/*
 * The JSON reader, and the tree made with it, beside jansson: what one takes the other takes, and
 * every value is the same. Seeds come from tests/unit/core/test_jsonpull.c.
 */
#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/jsontree.h"
#include "core/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void same_text(const struct pull_value *v, const json_t *j)
{
	char text[64], want[64];

	must(pull_text(v, text, sizeof(text)));
	text_copy(want, sizeof(want), json_string_value(j), json_string_length(j));
	must(strcmp(text, want) == 0);
}

static void same_number(const struct pull_value *v, const json_t *j)
{
	int64_t n;

	if (json_is_integer(j)) {
		must(pull_int(v, INT64_MIN, INT64_MAX, &n) || json_integer_value(j) == INT64_MIN);
		must(json_integer_value(j) == INT64_MIN || n == json_integer_value(j));
	} else if (fabs(json_real_value(j)) < 1e9) {
		must(pull_decimal(v, 6, &n));
		must(fabs((double)n / 1e6 - json_real_value(j)) < 1e-6);
	}
}

static void same(struct pull *p, const struct pull_value *v, const json_t *j)
{
	struct pull_value key, inner;
	size_t i = 0;

	switch (v->kind) {
	case PULL_OBJECT:
		must(json_is_object(j));
		while (pull_member(p, &key, &inner)) {
			const json_t *member = NULL;

			if (!key.escaped)
				member = json_object_getn(j, key.text, key.n);
			i++;
			if (member == NULL)
				pull_skip(p, &inner);
			else
				same(p, &inner, member);
		}
		must(i == json_object_size(j));
		break;
	case PULL_ARRAY:
		must(json_is_array(j));
		while (pull_element(p, &inner))
			same(p, &inner, json_array_get(j, i++));
		must(i == json_array_size(j));
		break;
	case PULL_STRING:
		must(json_is_string(j));
		same_text(v, j);
		break;
	case PULL_NUMBER:
		must(json_is_number(j));
		same_number(v, j);
		break;
	case PULL_TRUE:
		must(json_is_true(j));
		break;
	case PULL_FALSE:
		must(json_is_false(j));
		break;
	default:
		must(json_is_null(j));
	}
}

/* The tree has decoded keys: every member is found. */
static void same_tree(const struct json_node *v, const json_t *j)
{
	const struct pull_value value = node_value(v);
	const struct json_node *inner;
	size_t i;

	switch (v->kind) {
	case PULL_OBJECT:
		must(json_is_object(j) && v->count == json_object_size(j));
		NODE_EACH(v, i, inner)
		{
			const json_t *member = json_object_get(j, inner->key);

			must(member != NULL && node_get(v, inner->key) == inner);
			same_tree(inner, member);
		}
		break;
	case PULL_ARRAY:
		must(json_is_array(j) && v->count == json_array_size(j));
		NODE_EACH(v, i, inner)
			same_tree(inner, json_array_get(j, i));
		break;
	case PULL_STRING:
		must(json_is_string(j) && v->n == json_string_length(j));
		must(memcmp(v->text, json_string_value(j), v->n) == 0 && v->text[v->n] == '\0');
		break;
	case PULL_NUMBER:
		must(json_is_number(j));
		same_number(&value, j);
		break;
	default:
		must(v->kind == (json_is_true(j) ? PULL_TRUE : json_is_false(j) ? PULL_FALSE :
									       PULL_NULL));
	}
}

static void check_tree(const char *bytes, size_t n, const json_t *dom)
{
	struct bp_error err = {0};
	struct json_node *tree = json_tree(bytes, n, &err);

	must((tree == NULL) == (err.code < 0 && err.text[0] != '\0'));
	if (dom == NULL || !(json_is_object(dom) || json_is_array(dom)))
		must(tree == NULL || dom == NULL);
	else
		must(tree != NULL || strstr(err.text, "nested too deeply") != NULL);
	if (tree != NULL && dom != NULL)
		same_tree(tree, dom);
	free(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES;
	struct bp_error err = {0};
	struct pull_value v;
	json_error_t e;
	struct pull p;
	json_t *dom;
	int rc;

	pull_start(&p, bytes, size, &v);
	pull_skip(&p, &v);
	rc = pull_end(&p, &err);
	/* jansson 2.14 swallows a NUL behind a number. */
	if (memchr(data, '\0', size) != NULL) {
		must(rc < 0);
		return 0;
	}
	dom = json_loadb(bytes, size, flags, &e);
	if (dom == NULL) {
		enum json_error_code code = json_error_code(&e);

		/* It is JSON nevertheless: numbers of any size, members twice, NUL in a key. */
		check_tree(bytes, size, NULL);
		must(rc < 0 || code == json_error_numeric_overflow ||
		     code == json_error_duplicate_key || code == json_error_null_byte_in_key);
		return 0;
	}
	must(rc == 0 || strstr(err.text, "nested too deeply") != NULL);
	if (rc == 0) {
		pull_start(&p, bytes, size, &v);
		same(&p, &v, dom);
		must(pull_end(&p, NULL) == 0);
	}
	check_tree(bytes, size, dom);
	json_decref(dom);
	return 0;
}

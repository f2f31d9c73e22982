// SPDX-License-Identifier: BSD-2-Clause
/* The JSON tree. Owns the block, and the words for what is no JSON; the grammar is jsonpull's. */
#include "core/jsontree.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/text.h"

struct build {
	struct pull p;
	struct json_node *nodes;
	uint32_t used;
	char *text; /* where the next text goes: never longer than what it is read from */
	bool no_memory;
	const char *twice; /* a member that came twice */
};

/* Decodes a string, or copies a number, and terminates it. */
static const char *keep(struct build *b, const struct pull_value *v, uint32_t *n)
{
	char *begin = b->text;

	if (v->escaped) {
		b->text += pull_decode(v, b->text);
	} else {
		memcpy(b->text, v->text, v->n);
		b->text += v->n;
	}
	*n = (uint32_t)(b->text - begin);
	*b->text++ = '\0';
	return begin;
}

static int by_key(const void *a, const void *b)
{
	const struct json_node *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

enum { FEW = 32 };

/* Members of the object that have a name in common: of few each is looked at beside each. */
static void find_twice(struct build *b, const struct json_node *object)
{
	const struct json_node **sorted, *few[FEW], *v;
	uint32_t i;

	sorted = object->count <= FEW ? few : calloc(object->count, sizeof(*sorted));
	if (sorted == NULL) {
		b->no_memory = true;
		return;
	}
	NODE_EACH(object, i, v)
		sorted[i] = v;
	if (object->count <= FEW) {
		for (i = 1; i < object->count; i++) {
			for (uint32_t k = 0; k < i; k++) {
				if (few[i]->key_n == few[k]->key_n &&
				    memcmp(few[i]->key, few[k]->key, few[i]->key_n) == 0 &&
				    strcmp(few[i]->key, few[k]->key) == 0)
					b->twice = few[i]->key;
			}
		}
		return;
	}
	qsort(sorted, object->count, sizeof(*sorted), by_key);
	for (i = 1; i < object->count; i++) {
		if (strcmp(sorted[i - 1]->key, sorted[i]->key) == 0)
			b->twice = sorted[i]->key;
	}
	free(sorted);
}

/* No double holds it. Only an exponent or hundreds of digits make it so. */
static bool is_too_large(const struct json_node *v)
{
	return (v->n > 300 || memchr(v->text, 'e', v->n) || memchr(v->text, 'E', v->n)) &&
	       isinf(strtod(v->text, NULL));
}

static struct json_node *add(struct build *b, const struct pull_value *v)
{
	struct json_node *node = &b->nodes[b->used++];

	*node = (struct json_node){.key = "", .text = "", .kind = (uint8_t)v->kind, .span = 1};
	if (v->kind == PULL_STRING || v->kind == PULL_NUMBER)
		node->text = keep(b, v, &node->n);
	if (v->kind == PULL_NUMBER && b->p.fault == NULL && is_too_large(node))
		b->p.fault = "real number overflow";
	return node;
}

/* What is inside of v, which was just entered; no deeper than PULL_DEPTH_MAX. */
static void fill(struct build *b, struct json_node *node)
{
	uint32_t at = b->used - 1, n;
	struct pull_value key, v;
	struct json_node *inner;

	if (node->kind == PULL_ARRAY) {
		while (pull_element(&b->p, &v)) {
			node->count++;
			inner = add(b, &v);
			if (v.kind == PULL_OBJECT || v.kind == PULL_ARRAY)
				fill(b, inner);
		}
	} else {
		while (pull_member(&b->p, &key, &v)) {
			const char *name = keep(b, &key, &n);

			if (memchr(name, '\0', n) != NULL && b->p.fault == NULL)
				b->p.fault = "a NUL in a key";
			node->count++;
			inner = add(b, &v);
			inner->key = name;
			inner->key_n = (uint16_t)(n < UINT16_MAX ? n : UINT16_MAX);
			if (v.kind == PULL_OBJECT || v.kind == PULL_ARRAY)
				fill(b, inner);
		}
		find_twice(b, node);
	}
	node->span = b->used - at;
}

/* No more values than these begin, or stand between two. */
static size_t count_nodes(const char *bytes, size_t n)
{
	size_t count = 1;

	for (size_t i = 0; i < n; i++)
		count += (bytes[i] == ',') + (bytes[i] == '[') + (bytes[i] == '{');
	return count;
}

/* How long the piece at s is that cannot be taken: a word, or one character. */
static size_t piece(const unsigned char *s, const unsigned char *end)
{
	size_t n = 0;

	while (s + n < end && isalnum(s[n]))
		n++;
	return n > 0 ? n : s < end;
}

static int tell(struct build *b, const char *bytes, size_t n, const struct pull_value *first,
		struct bp_error *err)
{
	const struct pull *p = &b->p;
	const unsigned char *near = p->token, *end = p->end;
	const char *what = p->fault;
	char text[32];
	size_t len;
	int code = BP_EPARSE;

	if (b->twice != NULL && p->fault == NULL) {
		text_set(text, sizeof(text), b->twice);
		return bp_fail(err, BP_EPARSE, "not JSON: duplicate member \"%s\"", text);
	}
	if (first->kind != PULL_OBJECT && first->kind != PULL_ARRAY) {
		what = "'[' or '{' expected";
		if (first->kind != PULL_NONE)
			near = (const unsigned char *)first->text - (first->kind == PULL_STRING);
		len = first->kind == PULL_STRING ? first->n + 2 :
		      first->kind != PULL_NONE	 ? first->n :
						   piece(near, end);
	} else if (p->at == end || p->cut) {
		what = "premature end of input";
		code = BP_ETRUNC;
		len = (size_t)(end - near);
	} else {
		len = near < p->at ? (size_t)(p->at - near) : piece(near, end);
	}
	text_copy(text, sizeof(text), (const char *)near, len);
	if (n == 0 || len == 0)
		return bp_fail(err, BP_ETRUNC, "not JSON at column %zu: premature end of input", n);
	return bp_fail(err, code, "not JSON at column %zu: %s near '%s'",
		       (size_t)((const char *)near + len - bytes), what, text);
}

struct json_node *json_tree(const char *bytes, size_t n, struct bp_error *err)
{
	size_t room = count_nodes(bytes, n);
	struct pull_value first;
	struct build b = {0};

	if (n >= UINT32_MAX / 2) {
		bp_fail(err, BP_ERANGE, "JSON of over 2 GB");
		return NULL;
	}
	/* Of text: each ends where a quote, a comma or a bracket stood. */
	b.nodes = malloc(room * sizeof(*b.nodes) + n + 2);
	if (b.nodes == NULL) {
		bp_fail(err, BP_ENOMEM, "out of memory");
		return NULL;
	}
	b.text = (char *)(b.nodes + room);
	pull_start(&b.p, bytes, n, &first);
	if (first.kind != PULL_NONE)
		add(&b, &first);
	if (first.kind == PULL_OBJECT || first.kind == PULL_ARRAY)
		fill(&b, b.nodes);
	if (pull_end(&b.p, NULL) == 0 && b.twice == NULL && !b.no_memory &&
	    (first.kind == PULL_OBJECT || first.kind == PULL_ARRAY))
		return b.nodes;
	if (b.no_memory)
		bp_fail(err, BP_ENOMEM, "out of memory");
	else
		tell(&b, bytes, n, &first, err);
	free(b.nodes);
	return NULL;
}

const struct json_node *node_get(const struct json_node *object, const char *key)
{
	const struct json_node *v;
	size_t n = strlen(key);
	uint32_t i;

	if (!node_is(object, PULL_OBJECT))
		return NULL;
	NODE_EACH(object, i, v)
	{
		if (v->key_n == n && memcmp(v->key, key, n) == 0)
			return v;
	}
	return NULL;
}

const char *node_text(const struct json_node *v)
{
	return node_is(v, PULL_STRING) ? v->text : NULL;
}

bool node_int(const struct json_node *v, int64_t min, int64_t max, int64_t *out)
{
	struct pull_value number;

	if (v == NULL)
		return false;
	number = node_value(v);
	return pull_int(&number, min, max, out);
}

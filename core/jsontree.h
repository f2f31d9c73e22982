// SPDX-License-Identifier: BSD-2-Clause
/*
 * A JSON value as a tree in one block of memory: parents before their members, texts decoded and
 * terminated. For readers that ask for members by name, in no order. Read-only; refuses members
 * that come twice, for nobody could say which one holds.
 */
#ifndef CORE_JSONTREE_H
#define CORE_JSONTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/jsonpull.h"

struct json_node {
	const char *key;  /* of a member; "" otherwise */
	const char *text; /* of a string, or the digits of a number; "" otherwise */
	uint32_t n;       /* bytes of text, which may contain NUL */
	uint32_t count;   /* members or elements */
	uint32_t span;    /* nodes of this value, itself included: the next one is so far away */
	uint16_t key_n;   /* bytes of key, at most UINT16_MAX: what is longer is so many long */
	uint8_t kind;     /* enum pull_kind */
};

/* The n bytes as a tree, owned by the caller: free(). NULL: BP_EPARSE, BP_ETRUNC where they end too
 * early, BP_ENOMEM. The bytes are not needed after it. */
struct json_node *json_tree(const char *bytes, size_t n, struct bp_error *err);

/* The member of that name, or NULL; also when object is NULL or no object. */
const struct json_node *node_get(const struct json_node *object, const char *key);
/* The text of a string, or NULL when it is none or NULL. */
const char *node_text(const struct json_node *v);
static inline bool node_is(const struct json_node *v, enum pull_kind kind)
{
	return v != NULL && v->kind == kind;
}
/* A number or string as pull_value, for pull_int and pull_decimal. */
static inline struct pull_value node_value(const struct json_node *v)
{
	return (struct pull_value){.kind = (enum pull_kind)v->kind, .text = v->text, .n = v->n};
}

/* A whole number of [min, max]. False, and *out left alone, when v is none, or NULL. */
bool node_int(const struct json_node *v, int64_t min, int64_t max, int64_t *out);

/* Every member or element v of a list, with its index i. */
#define NODE_EACH(list, i, v)                                                       \
	for ((i) = 0, (v) = (list) != NULL ? (list) + 1 : NULL;                     \
	     (list) != NULL && (i) < (list)->count; (i)++, (v) += (v)->span)

#endif

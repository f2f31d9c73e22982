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

enum { NODE_DEPTH_MAX = 64 };

enum node_kind {
	NODE_NONE,
	NODE_OBJECT,
	NODE_ARRAY,
	NODE_STRING,
	NODE_NUMBER,
	NODE_TRUE,
	NODE_FALSE,
	NODE_NULL,
};

struct json_node {
	const char *key;  /* of a member; "" otherwise */
	const char *text; /* of a string, or the digits of a number; "" otherwise */
	uint32_t n;       /* bytes of text, which may contain NUL */
	uint32_t count;   /* members or elements */
	uint32_t span;    /* nodes of this value, itself included: the next one is so far away */
	uint16_t key_n;   /* bytes of key, at most UINT16_MAX: what is longer is so many long */
	uint8_t kind;     /* enum node_kind */
};

/* The n bytes as a tree, owned by the caller: free(). NULL: BP_EPARSE, BP_ETRUNC where they end too
 * early, BP_ENOMEM. The bytes are not needed after it. */
struct json_node *json_tree(const char *bytes, size_t n, struct bp_error *err);

/* The member of that name, or NULL; also when object is NULL or no object. */
const struct json_node *node_get(const struct json_node *object, const char *key);
/* The text of a string, or NULL when it is none or NULL. */
const char *node_text(const struct json_node *v);
static inline bool node_is(const struct json_node *v, enum node_kind kind)
{
	return v != NULL && v->kind == kind;
}

/* A whole number (5, 5.0, 5e0) of [min, max]. False, and *out left alone, when v is none, or
 * NULL. */
bool node_int(const struct json_node *v, int64_t min, int64_t max, int64_t *out);
/* A number times 10^places, rounded; all digits count, whatever their form. False, and *out left
 * alone, when v is no number, or NULL, or does not fit. */
bool node_decimal(const struct json_node *v, unsigned places, int64_t *out);

/* Every member or element v of a list, with its index i. */
#define NODE_EACH(list, i, v)                                                       \
	for ((i) = 0, (v) = (list) != NULL ? (list) + 1 : NULL;                     \
	     (list) != NULL && (i) < (list)->count; (i)++, (v) += (v)->span)

#endif

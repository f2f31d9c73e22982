// SPDX-License-Identifier: BSD-2-Clause
/*
 * A JSON reader that is pulled along: the caller asks for the next member or element, takes what
 * it knows and skips the rest. Nothing is copied or allocated. Strict (RFC 8259): also what is
 * skipped must be JSON, in well-formed UTF-8, and no deeper than PULL_DEPTH_MAX. The first fault
 * ends it all: loops end, and the caller tests once. Says nothing of members that come twice.
 *
 *	pull_start(&p, bytes, n, &v);
 *	if (v.kind == PULL_OBJECT)
 *		while (pull_member(&p, &key, &v))
 *			if (pull_is(&key, "hop")) ... else pull_skip(&p, &v);
 *	rc = pull_end(&p, err);
 */
#ifndef CORE_JSONPULL_H
#define CORE_JSONPULL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/err.h"

enum { PULL_DEPTH_MAX = 64 };

enum pull_kind {
	PULL_NONE, /* there is none: a fault */
	PULL_OBJECT,
	PULL_ARRAY,
	PULL_STRING,
	PULL_NUMBER,
	PULL_TRUE,
	PULL_FALSE,
	PULL_NULL,
};

/* A value, in the caller's bytes. */
struct pull_value {
	enum pull_kind kind;
	bool escaped;     /* a string with backslashes: pull_text makes text of it */
	const char *text; /* a string without its quotes, a number; not terminated */
	size_t n;
};

struct pull {
	const unsigned char *begin, *at, *end;
	const unsigned char *token; /* what was begun last: a value, a key, what stands between */
	const char *fault; /* NULL: none */
	bool cut;          /* the fault is that the bytes end here */
	unsigned depth;    /* open objects and arrays */
	bool fresh;        /* the innermost has had nothing yet */
	uint64_t objects;  /* bit d - 1: what is open at depth d is an object */
};

/* The one value that the n bytes are, which are borrowed. An object or array is entered. */
void pull_start(struct pull *p, const char *bytes, size_t n, struct pull_value *v);
/* The next member of the open object, or element of the open array; one that is an object or array
 * is entered, and must be read to its end or skipped before the next. False at the end, which is
 * passed, and at a fault. */
bool pull_member(struct pull *p, struct pull_value *key, struct pull_value *v);
bool pull_element(struct pull *p, struct pull_value *v);
/* Passes over what is left of v when it is an object or array just entered; else nothing. */
void pull_skip(struct pull *p, const struct pull_value *v);
/* 0, or BP_EPARSE with the column; also when anything but blanks follows. */
int pull_end(struct pull *p, struct bp_error *err);

/* Whether a key (or any string without escapes) is this. */
static inline bool pull_is(const struct pull_value *v, const char *word)
{
	size_t n = strlen(word);

	return v->n == n && memcmp(v->text, word, n) == 0;
}

/* A string as text of UTF-8, cut to size - 1 bytes and terminated (text_copy). Escapes of no
 * character and NUL become '?'. False when v is no string; *out is empty then. */
bool pull_text(const struct pull_value *v, char *out, size_t size);
/* A string decoded into out, which has room for v->n bytes; not terminated. How many they are. */
size_t pull_decode(const struct pull_value *v, char *out);
/* A number times 10^places, rounded; all digits count, whatever their form. False when v is no
 * number, or does not fit. */
bool pull_decimal(const struct pull_value *v, unsigned places, int64_t *out);
/* A whole number (5, 5.0, 5e0). False when v is none, or is outside [min, max]. */
bool pull_int(const struct pull_value *v, int64_t min, int64_t max, int64_t *out);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * One JSON value after another out of a parsed record, each checked for type and range. The first
 * that is wrong is named by its path in the caller's error, and nothing is read after it: a reader
 * asks for every field and tests once. Private to core/record.
 */
#ifndef CORE_RECORD_JSONL_FIELDS_H
#define CORE_RECORD_JSONL_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/jsontree.h"
#include "core/text.h"

enum { FIELD_DEPTH = 8 };

/* Where the reading stands. rc is 0 or the BP_E* of the first failure; sticky. */
struct fields {
	struct bp_error *err;
	int rc;
	unsigned depth;
	struct {
		const char *key;
		size_t index;
	} path[FIELD_DEPTH];
};

/* One JSON value; free() it. Numbers that fit no int64 (a hash of somebody's) are no reason
 * to refuse it. NULL: err->code is BP_EPARSE, BP_ETRUNC (it ends too early) or BP_ENOMEM. */
struct json_node *fields_parse(const char *text, size_t n, struct bp_error *err);

/* For messages: into the member `key`, or with key NULL into the element `index`, and out again. */
void field_enter(struct fields *in, const char *key, size_t index);
void field_leave(struct fields *in);
/* Fails with "path.key: expected"; key NULL is the place itself. The first failure stands. */
void field_refuse(struct fields *in, int code, const char *key, const char *expected);

/* A member by type, borrowed. NULL: there is none, it is null, or the reading has failed. */
const struct json_node *field_object(struct fields *in, const struct json_node *object,
				     const char *key);
const struct json_node *field_array(struct fields *in, const struct json_node *object,
				    const char *key);
const struct json_node *field_string(struct fields *in, const struct json_node *object,
				     const char *key);

/* Values: *out is left alone when there is none, and when it is wrong. The bools say whether there
 * was one. Integers may be written 5 or 5.0. */
bool field_int(struct fields *in, const struct json_node *object, const char *key, int64_t min,
	       int64_t max, int64_t *out);
bool field_real(struct fields *in, const struct json_node *object, const char *key, double min,
		double max, double *out);
bool field_bool(struct fields *in, const struct json_node *object, const char *key, bool *out);
/* A text of the measurement itself: cutting it would lose data, so too long is refused. */
void field_text(struct fields *in, const struct json_node *object, const char *key, char *out,
		size_t size);
/* A text of a later pass, which can be made again: cut to what there is room for. */
void field_text_cut(struct fields *in, const struct json_node *object, const char *key, char *out,
		    size_t size);
void field_word(struct fields *in, const struct json_node *object, const char *key,
		const struct word *table, uint8_t *out);
void field_addr(struct fields *in, const struct json_node *object, const char *key,
		struct addr *out);
/* RFC 3339 only: a record is never relative. */
void field_wall(struct fields *in, const struct json_node *object, const char *key,
		struct wall *out);
/* A number of ns_per_unit nanoseconds each. Beyond FIELD_NS_EXACT (11 days) double precision no
 * longer tells nanoseconds apart: refused. */
#define FIELD_NS_EXACT 1e15
void field_ns(struct fields *in, const struct json_node *object, const char *key,
	      double ns_per_unit, double min, int64_t *out);

/* field_int into a field of any integer type. */
#define FIELD_INT(in, object, key, min, max, field)                \
	do {                                                       \
		int64_t value_;                                    \
		if (field_int(in, object, key, min, max, &value_)) \
			(field) = (__typeof__(field))value_;       \
	} while (0)

#endif

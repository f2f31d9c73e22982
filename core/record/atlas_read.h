// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the two halves of the reader of RIPE Atlas results share: the result in the making, and how
 * its members are taken. atlas_answer.c reads the answers of a hop, atlas_read.c all around them.
 * Private to core/record/atlas*.c.
 */
#ifndef CORE_RECORD_ATLAS_READ_H
#define CORE_RECORD_ATLAS_READ_H

#include <string.h>

#include "core/jsontree.h"
#include "core/record/trace.h"

/* A type that was told, even as "not known": atlas_unmarked has no say. Never leaves the reader. */
enum { TYPE_TOLD = 1u << 15 };
/* quoted_ttl was told as not known, likewise. */
enum { QUOTE_UNKNOWN = -2 };

/* The result in the making. */
struct reading {
	struct bp_error *err;
	int rc;          /* the first wrong member; sticky */
	struct trace *t; /* owned until given away */
	uint32_t room;
	int64_t hop;     /* of the open hop; 0 none */
	uint8_t attempt; /* of its last probe */
	int64_t msm_id, prb_id, timestamp, fw; /* -1 none */
	bool traceroute, foreign, has_result, failed;
	bool own; /* an object "borderpath" was there */
	const struct json_node *from; /* the last address read, and what it was */
	struct addr from_addr;
};

/* The first wrong member ends the reading: err gets "hop N: ..." and rc the code. */
void atlas_refuse(struct reading *in, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Integers out of [0, max] are not known: old firmware wrote what it found in memory. */
void atlas_int(const struct json_node *v, int64_t max, int64_t *out);
/* Whether a member has this name. */
static inline bool atlas_is(const struct json_node *member, const char *name)
{
	size_t n = strlen(name);

	return member->key_n == n && memcmp(member->key, name, n) == 0;
}
/* An address, perhaps with the interface behind a '%'. "" and null are none: *out is left alone. */
void atlas_addr(struct reading *in, const char *key, const struct json_node *v, struct addr *out);
/* A text, cut to size - 1 bytes; false, and empty, when v is none. */
bool atlas_copy(const struct json_node *v, char *out, size_t size);
/* A text of which the first stays. */
void atlas_text(const struct json_node *v, char *out, size_t size);

/* atlas_int into a field of any integer type. */
#define ATLAS_INT(v, max, field)                     \
	do {                                         \
		int64_t value_ = (field);            \
		atlas_int(v, max, &value_);          \
		(field) = (__typeof__(field))value_; \
	} while (0)

/* The elements of a hop's "result", an array, as entries of in->t. */
void atlas_answers(struct reading *in, const struct json_node *result);
/* A hop without answers, for it could not be asked. */
void atlas_not_sent(struct reading *in);

#endif

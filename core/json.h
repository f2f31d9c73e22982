// SPDX-License-Identifier: BSD-2-Clause
/*
 * A JSON writer into a struct buf: owns commas, nesting and escaping, so that a caller only says
 * what comes next. Numbers are written without printf. Compact: no spaces, no newline. Reads
 * nothing and checks no schema; failure to grow is the buffer's sticky `failed`.
 */
#ifndef CORE_JSON_H
#define CORE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"

enum { JSON_DEPTH_MAX = 32 };

struct json_writer {
	struct buf *out;   /* borrowed */
	unsigned depth;    /* open objects and arrays */
	uint32_t filled;   /* bit d: the level d has a member, so a comma comes next */
	uint32_t arrays;   /* bit d: the level d is an array */
};

/* Every call takes the member's key first, NULL inside an array and at the top. Keys are escaped
 * like any text. Deeper than JSON_DEPTH_MAX sets out->failed. */
void json_start(struct json_writer *w, struct buf *out);
void json_begin_object(struct json_writer *w, const char *key);
void json_begin_array(struct json_writer *w, const char *key);
/* Closes the innermost open object or array. */
void json_end(struct json_writer *w);

/* Malformed UTF-8 becomes U+FFFD, control characters are escaped: the output is always JSON. */
void json_put_str(struct json_writer *w, const char *key, const char *text);
void json_put_int(struct json_writer *w, const char *key, int64_t value);
/* value / 10^places, exactly, without trailing zeros: (12345, 3) is 12.345 and (5000, 3) is 5. */
void json_put_decimal(struct json_writer *w, const char *key, int64_t value, unsigned places);
/* The shortest decimal that reads back as the same double; null for infinities and NaN. */
void json_put_real(struct json_writer *w, const char *key, double value);
void json_put_bool(struct json_writer *w, const char *key, bool value);
void json_put_null(struct json_writer *w, const char *key);
/* n bytes that are one JSON value already. */
void json_put_raw(struct json_writer *w, const char *key, const char *text, size_t n);

#endif

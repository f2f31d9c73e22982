// SPDX-License-Identifier: BSD-2-Clause
/*
 * A reading cursor over bytes we do not trust. Every read is bounds-checked; the first read past
 * the end sets `failed` for good and reads after that give zeros, so a parser reads a whole
 * structure and tests once. Never reads outside [start, end), never writes.
 */
#ifndef CORE_CUR_H
#define CORE_CUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cur {
	const uint8_t *start;
	const uint8_t *at;
	const uint8_t *end;
	bool failed;
};

static inline struct cur cur_of(const void *bytes, size_t size)
{
	const uint8_t *b = bytes;

	return (struct cur){.start = b, .at = b, .end = b + size};
}

static inline size_t cur_left(const struct cur *c) { return (size_t)(c->end - c->at); }
static inline size_t cur_position(const struct cur *c) { return (size_t)(c->at - c->start); }

/* Borrowed pointer to the next n bytes, or NULL with `failed` set; advances. */
const uint8_t *cur_take(struct cur *c, size_t n);
uint8_t cur_u8(struct cur *c);
/* Big-endian on the wire, host order in the result. */
uint16_t cur_be16(struct cur *c);
uint32_t cur_be32(struct cur *c);
void cur_skip(struct cur *c, size_t n);
/* Copies n bytes out, or zeroes them when there are not enough. */
void cur_copy(struct cur *c, void *out, size_t n);
/* A cursor over the next n bytes; this one advances past them. A failed one is empty and failed. */
struct cur cur_sub(struct cur *c, size_t n);

#endif

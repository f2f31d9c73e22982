// SPDX-License-Identifier: BSD-2-Clause
/*
 * Small packed values, for the store's blobs: integers of 7 bits a byte (LEB128, low part first),
 * signed ones folded so that small ones stay small, texts behind their length. Writing goes into a
 * struct buf, reading through a struct cur: what comes from a file is never trusted. Every value
 * has one way to be written, so that equal values are equal bytes.
 */
#ifndef CAMPAIGN_PACK_H
#define CAMPAIGN_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/buf.h"
#include "core/cur.h"

enum { PACK_VARINT_MAX = 10 };

/* Writes v at `at`, where there is room for PACK_VARINT_MAX; returns the end. */
static inline uint8_t *pack_varint_at(uint8_t *at, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*at++ = (uint8_t)(v | 0x80);
	*at++ = (uint8_t)v;
	return at;
}

/* 0, -1, 1, -2 ... as 0, 1, 2, 3 ... */
static inline uint64_t pack_fold(int64_t v)
{
	return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}
static inline int64_t pack_unfold(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

void pack_u8(struct buf *out, uint8_t v);
void pack_varint(struct buf *out, uint64_t v);
void pack_signed(struct buf *out, int64_t v);
void pack_real(struct buf *out, double v);
/* The family (0, 4, 6), then its bytes. */
void pack_addr(struct buf *out, struct addr a);
void pack_text(struct buf *out, const char *text);

/* Over-long integers, families that do not exist and texts that do not fit set c->failed. */
uint64_t take_varint(struct cur *c);
/* The same, and at most max. */
uint64_t take_below(struct cur *c, uint64_t max);
int64_t take_signed(struct cur *c);
double take_real(struct cur *c);
struct addr take_addr(struct cur *c);
/* Shown and written as JSON later: what is no clean UTF-8 is refused. */
void take_text(struct cur *c, char *out, size_t size);

#endif

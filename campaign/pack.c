// SPDX-License-Identifier: BSD-2-Clause
/* Packed values: one byte form for each, bounds-checked both ways. Knows no records. */
#include "campaign/pack.h"

#include <string.h>

#include "core/text.h"

void pack_u8(struct buf *out, uint8_t v)
{
	buf_append(out, &v, 1);
}

void pack_varint(struct buf *out, uint64_t v)
{
	uint8_t bytes[PACK_VARINT_MAX];

	buf_append(out, bytes, (size_t)(pack_varint_at(bytes, v) - bytes));
}

void pack_signed(struct buf *out, int64_t v)
{
	pack_varint(out, pack_fold(v));
}

void pack_real(struct buf *out, double v)
{
	uint8_t bytes[8];
	uint64_t u;

	memcpy(&u, &v, sizeof(u));
	for (unsigned i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(u >> (56 - 8 * i));
	buf_append(out, bytes, sizeof(bytes));
}

void pack_addr(struct buf *out, struct addr a)
{
	pack_u8(out, a.family);
	buf_append(out, a.bytes, addr_size(a));
}

void pack_text(struct buf *out, const char *text)
{
	size_t n = strlen(text);

	pack_varint(out, n);
	buf_append(out, text, n);
}

uint64_t take_varint(struct cur *c)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t b = cur_u8(c);

		if (c->failed || (shift == 63 && b > 1) || (shift > 0 && b == 0))
			break;
		v |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80)
			return v;
	}
	c->failed = true;
	return 0;
}

uint64_t take_below(struct cur *c, uint64_t max)
{
	uint64_t v = take_varint(c);

	if (v <= max)
		return v;
	c->failed = true;
	return 0;
}

int64_t take_signed(struct cur *c)
{
	return pack_unfold(take_varint(c));
}

double take_real(struct cur *c)
{
	uint64_t u = (uint64_t)cur_be32(c) << 32;
	double v;

	u |= cur_be32(c);
	memcpy(&v, &u, sizeof(v));
	return v;
}

struct addr take_addr(struct cur *c)
{
	struct addr a = {.family = cur_u8(c)};

	if (a.family != 0 && a.family != 4 && a.family != 6) {
		c->failed = true;
		return (struct addr){0};
	}
	cur_copy(c, a.bytes, addr_size(a));
	return c->failed ? (struct addr){0} : a;
}

void take_text(struct cur *c, char *out, size_t size)
{
	size_t n = (size_t)take_below(c, size - 1);
	const uint8_t *text = cur_take(c, n);

	/* text_copy changes what is not clean: then it is none of ours. */
	out[0] = '\0';
	if (text == NULL || !text_copy(out, size, (const char *)text, n) ||
	    memcmp(out, text, n) != 0) {
		c->failed = true;
		out[0] = '\0';
	}
}

// SPDX-License-Identifier: BSD-2-Clause
/* The bounds-checked reading cursor. Fails once, stays failed, reads zeros from then on. */
#include "core/cur.h"

#include <string.h>

const uint8_t *cur_take(struct cur *c, size_t n)
{
	const uint8_t *p = c->at;

	if (c->failed || n > cur_left(c)) {
		c->failed = true;
		return NULL;
	}
	c->at += n;
	return p;
}

uint8_t cur_u8(struct cur *c)
{
	const uint8_t *p = cur_take(c, 1);

	return p ? p[0] : 0;
}

uint16_t cur_be16(struct cur *c)
{
	const uint8_t *p = cur_take(c, 2);

	if (!p)
		return 0;
	return (uint16_t)(p[0] << 8 | p[1]);
}

uint32_t cur_be32(struct cur *c)
{
	const uint8_t *p = cur_take(c, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

void cur_skip(struct cur *c, size_t n)
{
	cur_take(c, n);
}

void cur_copy(struct cur *c, void *out, size_t n)
{
	const uint8_t *p = cur_take(c, n);

	if (p)
		memcpy(out, p, n);
	else
		memset(out, 0, n);
}

struct cur cur_sub(struct cur *c, size_t n)
{
	const uint8_t *p = cur_take(c, n);

	if (p == NULL)
		return (struct cur){.start = c->at, .at = c->at, .end = c->at, .failed = true};
	return cur_of(p, n);
}

// SPDX-License-Identifier: BSD-2-Clause
/* A direct-mapped cache by (prefix, TTL), and the hops that all targets share. */
#include "prober/engine/known.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"

int known_init(struct known *k)
{
	memset(k, 0, sizeof(*k));
	/* calloc: pages of places never used are never touched. */
	k->hops = calloc(KNOWN_ROOM, sizeof(k->hops[0]));
	return k->hops != NULL ? 0 : BP_ENOMEM;
}

void known_fini(struct known *k)
{
	free(k->hops);
	k->hops = NULL;
}

static struct addr prefix_addr(struct addr dst)
{
	/* By hand: for each probe, and addr_mask goes bit by bit. */
	if (dst.family == 6)
		memset(dst.bytes + 6, 0, 10);
	else
		dst.bytes[3] = 0;
	return dst;
}

/* The TTLs of a prefix lie side by side: a target's are on a page or two. */
static struct known_hop *place(const struct known *k, struct addr prefix, uint8_t ttl)
{
	return &k->hops[(addr_hash(prefix) * 32u + ttl) % KNOWN_ROOM];
}

static struct known_hop *look_up(const struct known *k, struct addr dst, uint8_t ttl)
{
	struct addr prefix = prefix_addr(dst);
	struct known_hop *h = place(k, prefix, ttl);

	return h->ttl == ttl && addr_equal(h->prefix, prefix) ? h : NULL;
}

static struct known_hop *take(struct known *k, struct addr dst, uint8_t ttl)
{
	struct addr prefix = prefix_addr(dst);
	struct known_hop *h = place(k, prefix, ttl);

	if (h->ttl != ttl || !addr_equal(h->prefix, prefix))
		*h = (struct known_hop){.prefix = prefix, .ttl = ttl};
	return h;
}

static struct known_shared *shared_at(struct known *k, struct addr a, uint8_t ttl)
{
	return &k->shared[a.family == 6][ttl];
}

void known_router(struct known *k, struct addr dst, uint8_t ttl, struct addr from,
		  struct known_step before)
{
	struct known_shared *s = shared_at(k, dst, ttl);
	struct known_hop *h = take(k, dst, ttl);
	uint8_t *split = &k->split[dst.family == 6];

	if (!addr_equal(h->from, from))
		*h = (struct known_hop){.prefix = h->prefix, .ttl = ttl};
	h->from = from;
	if (addr_is_set(before.from))
		h->before = before;
	if (h->in_a_row < UINT8_MAX)
		h->in_a_row++;
	if (addr_is_set(s->from) && !addr_equal(s->from, from) && (*split == 0 || ttl < *split))
		*split = ttl;
	if (!addr_equal(s->from, from))
		*s = (struct known_shared){.from = from};
	if (s->in_a_row < UINT8_MAX)
		s->in_a_row++;
}

struct known_step known_way(const struct known *k, struct addr dst, uint8_t ttl)
{
	const struct known_hop *h = look_up(k, dst, ttl);

	return h != NULL ? h->before : (struct known_step){0};
}

void known_destination(struct known *k, struct addr dst, uint8_t ttl, bool done)
{
	uint8_t *shortest = &k->shortest[dst.family == 6];
	struct known_hop *h = take(k, dst, 0);

	if (done || h->length == 0 || ttl < h->length)
		h->length = ttl;
	if (*shortest == 0 || ttl < *shortest)
		*shortest = ttl;
}

struct addr known_expected(const struct known *k, struct addr dst, uint8_t ttl)
{
	const struct known_hop *h = look_up(k, dst, ttl);
	const struct known_shared *s = &k->shared[dst.family == 6][ttl];
	uint8_t split = k->split[dst.family == 6];

	if (h != NULL)
		return h->in_a_row >= KNOWN_SURE ? h->from : (struct addr){0};
	if (split != 0 && ttl >= split)
		return (struct addr){0};
	return s->in_a_row >= KNOWN_SHARED ? s->from : (struct addr){0};
}

struct addr known_guess(const struct known *k, struct addr dst, uint8_t ttl)
{
	const struct known_hop *h = look_up(k, dst, ttl);

	return h != NULL ? h->from : k->shared[dst.family == 6][ttl].from;
}

uint8_t known_length(const struct known *k, struct addr dst)
{
	const struct known_hop *h = look_up(k, dst, 0);

	return h != NULL ? h->length : 0;
}

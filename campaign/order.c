// SPDX-License-Identifier: BSD-2-Clause
/* Turns, rounds, and a bijection for each number of bits. */
#include "campaign/order.h"

#include <stdlib.h>
#include <string.h>

enum { NETWORK_V4 = 24, NETWORK_V6 = 48 }; /* what the prober's cap per prefix goes by */

static unsigned network_bits(struct addr a)
{
	return a.family == 4 ? NETWORK_V4 : NETWORK_V6;
}

/* The finaliser of splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators,
 * 2014). */
static uint64_t mixed(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* A permutation of the numbers of `bits` bits: each step can be undone, so no two meet. */
static uint64_t permuted(uint64_t x, unsigned bits, uint64_t seed)
{
	uint64_t mask = (UINT64_C(1) << bits) - 1;

	if (bits == 0)
		return 0;
	for (unsigned i = 0; i < 3; i++) {
		uint64_t key = mixed(seed + i);

		x = (x * (key | 1) + (key >> 32)) & mask;
		x ^= x >> (bits + 1) / 2;
	}
	return x;
}

static uint64_t seed_of(const struct order *o, struct addr network)
{
	return mixed(o->seed ^ addr_hash(network));
}

/* The low digits of the turn choose the network, the high ones the host: 256 turns in a /16 are 256
 * networks. */
static struct addr address_of(const struct order *o, const struct target *t, uint64_t turn)
{
	unsigned host = (unsigned)(8 * addr_size(t->prefix.addr)) - t->prefix.len, networks = 0;
	uint64_t seed = seed_of(o, t->prefix.addr), net;

	if (t->prefix.len < network_bits(t->prefix.addr))
		networks = network_bits(t->prefix.addr) - t->prefix.len;
	if (networks > host)
		networks = host;
	host -= networks;
	net = permuted(turn & ((UINT64_C(1) << networks) - 1), networks, seed);
	return target_address(t, net << host | permuted(turn >> networks, host, mixed(seed ^ net)));
}

/* An entry's place: which of its network it is, then by a hash of the network. */
struct place { uint32_t entry, rank, hash; };

static struct addr network_of(const struct target *t)
{
	unsigned bits = network_bits(t->prefix.addr);

	return addr_mask(t->prefix.addr, (uint8_t)(t->prefix.len < bits ? t->prefix.len : bits));
}

static int by_network(const void *a, const void *b, void *arg)
{
	const struct order *o = arg;
	const struct target *items = o->targets->items;
	const struct place *p = a, *q = b;
	int rc = addr_compare(network_of(&items[p->entry]), network_of(&items[q->entry]));

	return rc != 0 ? rc : (p->entry > q->entry) - (p->entry < q->entry);
}

static int by_place(const void *a, const void *b)
{
	const struct place *p = a, *q = b;

	if (p->rank != q->rank)
		return p->rank < q->rank ? -1 : 1;
	if (p->hash != q->hash)
		return p->hash < q->hash ? -1 : 1;
	return (p->entry > q->entry) - (p->entry < q->entry);
}

static int mix_entries(struct order *o)
{
	struct place *places = calloc(o->count, sizeof(*places));
	struct addr before = {0};

	if (places == NULL)
		return BP_ENOMEM;
	for (uint32_t i = 0; i < o->count; i++)
		places[i].entry = i;
	qsort_r(places, o->count, sizeof(*places), by_network, o);
	for (uint32_t i = 0; i < o->count; i++) {
		struct addr network = network_of(&o->targets->items[places[i].entry]);

		if (i > 0 && addr_equal(network, before))
			places[i].rank = places[i - 1].rank + 1;
		places[i].hash = (uint32_t)seed_of(o, network);
		before = network;
	}
	qsort(places, o->count, sizeof(*places), by_place);
	for (uint32_t i = 0; i < o->count; i++)
		o->line[i] = places[i].entry;
	free(places);
	return 0;
}

int order_init(struct order *o, const struct targets *targets, uint64_t seed, bool mix)
{
	int rc = 0;

	*o = (struct order){.targets = targets, .seed = seed, .count = targets->count};
	o->line = calloc(o->count > 0 ? o->count : 1, sizeof(*o->line));
	if (o->line == NULL)
		return BP_ENOMEM;
	for (uint32_t i = 0; i < o->count; i++)
		o->line[i] = i;
	if (mix)
		rc = mix_entries(o);
	if (rc < 0)
		order_fini(o);
	return rc;
}

void order_fini(struct order *o)
{
	free(o->line);
	o->line = NULL;
	o->count = o->at = 0;
}

bool order_next(struct order *o, uint32_t *entry, struct addr *dst)
{
	const struct target *t;
	uint32_t i;

	if (o->at == o->count) {
		/* A round is over: those that have given all they hold are out. */
		o->count = o->kept;
		o->at = o->kept = 0;
		o->round++;
		if (o->count == 0)
			return false;
	}
	i = o->line[o->at++];
	t = &o->targets->items[i];
	if (target_size(t) > o->round + 1)
		o->line[o->kept++] = i;
	*entry = i;
	*dst = address_of(o, t, o->round);
	return true;
}

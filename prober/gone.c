// SPDX-License-Identifier: BSD-2-Clause
/* Two direct-mapped tables of 32-bit tags. */
#include "prober/gone.h"

/* splitmix64's finaliser (Steele, Lea, Flood, OOPSLA 2014): place and tag are far-apart bits. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static uint64_t hash(enum method method, struct addr dst, uint32_t what)
{
	return mix((uint64_t)(addr_hash(dst) + (uint32_t)method * 0x9e3779b9u) << 32 | what);
}

/* 0 is an empty place. */
static uint32_t tag(uint64_t h)
{
	return (uint32_t)(h >> 32) | 1;
}

static uint64_t hash_flow(enum method method, struct addr dst, uint16_t sport, uint16_t dport)
{
	return hash(method, dst, (uint32_t)sport << 16 | dport);
}

void gone_add(struct gone *g, const struct flow *f, const uint32_t *tokens, uint32_t count)
{
	uint64_t h = hash_flow(f->method, f->dst, f->sport, f->dport);

	g->flows[h % GONE_FLOWS] = tag(h);
	for (uint32_t i = 0; i < count; i++) {
		if (tokens[i] == 0)
			continue;
		h = hash(f->method, f->dst, tokens[i]);
		g->tokens[h % GONE_TOKENS] = tag(h);
	}
}

bool gone_token(const struct gone *g, enum method method, struct addr dst, uint32_t token)
{
	uint64_t h = hash(method, dst, token);

	return g->tokens[h % GONE_TOKENS] == tag(h);
}

bool gone_flow(const struct gone *g, enum method method, struct addr dst, uint16_t sport,
	       uint16_t dport)
{
	uint64_t h = hash_flow(method, dst, sport, dport);

	return g->flows[h % GONE_FLOWS] == tag(h);
}

// SPDX-License-Identifier: BSD-2-Clause
/* Which buckets a probe needs, and when they have what it takes. */
#include "prober/engine/pacing.h"

#include <stdlib.h>

#include "prober/engine/pacing_state.h"

/* One that was told to come is waited for as long as a token takes, at most so long; and is known
 * again for some tokens more. */
#define EXPECTED_NS (100 * NS_PER_MS)
#define KEPT_TOKENS 50

/* While a router's loss is being looked into, nobody asks it before so much has passed. */
#define SUSPECT_NS (10 * NS_PER_MS)

static int family_index(struct addr a)
{
	return a.family == 6;
}

/* A bucket that had not filled up again was forgotten for another. */
static void count_evicted(struct pacing *p, const struct bucket *before, struct mono now)
{
	p->counters.evicted += addr_is_set(before->key) && !mono_reached(now, before->full_at);
}

struct bucket *pacing_obtain_router(struct pacing *p, struct addr key, struct mono now)
{
	int64_t cap = p->interval_ns[LEVEL_ROUTER];
	struct bucket before, *b = bucket_table_obtain(&p->routers, key, cap, now, &before);
	struct router *r = pacing_router_of(p, b);

	if (addr_equal(before.key, key))
		return b;
	count_evicted(p, &before, now);
	/* Without a cap it is its throttle that gives a bucket an interval. */
	p->slowed_routers -= cap == 0 && before.interval_ns > 0;
	p->known_routers += !addr_is_set(before.key);
	turns_clear(&p->turns, &r->line);
	*r = (struct router){0};
	throttle_init(&r->throttle, THROTTLE_ROUTER, now);
	return b;
}

static struct bucket *prefix_bucket(struct pacing *p, const struct pacing_ask *a, struct mono now)
{
	struct addr key = addr_mask(a->dst, a->dst.family == 6 ? 48 : 24);
	struct bucket before, *b;

	if (!p->interval_ns[LEVEL_PREFIX])
		return NULL;
	b = bucket_table_obtain(&p->prefixes, key, p->interval_ns[LEVEL_PREFIX], now, &before);
	if (!addr_equal(before.key, key)) {
		count_evicted(p, &before, now);
		turns_clear(&p->turns, &p->of_prefixes[b - p->prefixes.items]);
	}
	return b;
}

struct addr pacing_assumed_router(const struct pacing *p, const struct pacing_ask *a)
{
	return addr_is_set(a->router) ? a->router : known_guess(&p->known, a->dst, a->ttl);
}

/* NULL: nothing to limit. A destination answers for itself, not as a router. */
static struct bucket *router_bucket(struct pacing *p, const struct pacing_ask *a, struct mono now)
{
	struct addr router = pacing_assumed_router(p, a);

	if (addr_equal(router, a->dst))
		return NULL;
	if (!addr_is_set(router))
		return &p->unknown[family_index(a->dst)][a->ttl];
	return pacing_obtain_router(p, router, now);
}

static void level_init(struct pacing *p, int level, uint64_t mpps, int64_t burst)
{
	int64_t rate = (int64_t)mpps;

	p->interval_ns[level] = rate ? (1000 * NS_PER_S + rate - 1) / rate : 0;
	p->burst[level] = burst;
}

static int64_t burst_of(uint64_t mpps)
{
	int64_t ten_ms = (int64_t)(mpps / 100000);

	return ten_ms > PACING_BURST ? ten_ms : PACING_BURST;
}

struct pacing *pacing_new(const struct pacing_config *c, struct mono now)
{
	struct pacing *p = calloc(1, sizeof(*p));
	uint32_t buckets = c->buckets ? c->buckets : PACING_BUCKETS_DEFAULT;
	uint64_t rate_mpps = c->rate_pps * UINT64_C(1000);

	if (!p)
		return NULL;
	if (bucket_table_init(&p->prefixes, buckets) < 0 ||
	    bucket_table_init(&p->routers, buckets) < 0 || known_init(&p->known) < 0) {
		pacing_free(p);
		return NULL;
	}
	p->of_routers = calloc(p->routers.room, sizeof(p->of_routers[0]));
	p->of_prefixes = calloc(p->prefixes.room, sizeof(p->of_prefixes[0]));
	if (!p->of_routers || !p->of_prefixes ||
	    turns_init(&p->turns, c->prefix_mpps || c->router_pps ? PACING_PLACES : 0) < 0) {
		pacing_free(p);
		return NULL;
	}
	level_init(p, LEVEL_GLOBAL, rate_mpps, burst_of(rate_mpps));
	level_init(p, LEVEL_PREFIX, c->prefix_mpps, burst_of(c->prefix_mpps));
	level_init(p, LEVEL_ROUTER, c->router_pps * UINT64_C(1000), PACING_ROUTER_BURST);
	p->run_burst = p->burst[LEVEL_GLOBAL];
	throttle_init(&p->run, THROTTLE_RUN, now);
	p->slack_at = now;
	p->global = (struct bucket){.interval_ns = p->interval_ns[LEVEL_GLOBAL], .full_at = now};
	for (int f = 0; f < PACING_FAMILIES; f++)
		for (int ttl = 0; ttl < PACING_TTLS; ttl++)
			p->unknown[f][ttl] =
				(struct bucket){.interval_ns = p->interval_ns[LEVEL_ROUTER],
						.full_at = now};
	return p;
}

void pacing_free(struct pacing *p)
{
	if (!p)
		return;
	bucket_table_fini(&p->prefixes);
	bucket_table_fini(&p->routers);
	free(p->of_routers);
	free(p->of_prefixes);
	turns_fini(&p->turns);
	known_fini(&p->known);
	free(p);
}

/* --- whose turn it is ------------------------------------------------------------------------- */

/* ttl 0: for its prefix. */
static uint64_t waiter(const struct pacing_ask *a, uint8_t ttl)
{
	return a->trace << 40 ^ (uint64_t)addr_hash(a->dst) << 8 ^ ttl;
}

static struct turns_line *line_of(struct pacing *p, const struct bucket *b, int level,
				  const struct pacing_ask *a)
{
	if (level == LEVEL_PREFIX)
		return &p->of_prefixes[b - p->prefixes.items];
	return addr_is_set(b->key) ? &pacing_router_of(p, b)->line :
				     &p->of_unknown[family_index(a->dst)][a->ttl];
}

/* What the user caps may be waited for by many, and for long: without an order the trace of a known
 * host, losing to a sweep's each time, ended without the routers that it had still to ask. Whoever
 * has waited longest is next; a token beyond those that others before this one are expected to
 * take is its own. It comes back no later than the bucket can be full, so that none runs over where
 * those before it have gone. */
static bool lacks_turn(struct pacing *p, const struct bucket *b, int level,
		       const struct pacing_ask *a, struct mono now, struct mono *when)
{
	struct turns_line *line = line_of(p, b, level, a);
	uint64_t who = waiter(a, level == LEVEL_PREFIX ? 0 : a->ttl);
	int64_t burst = p->burst[level], token = b->interval_ns;
	struct turns_patience patience = {token < EXPECTED_NS ? token : EXPECTED_NS,
					  KEPT_TOKENS * token};
	uint32_t ahead = turns_ahead(&p->turns, line, who, (uint32_t)burst, patience, now);
	struct mono at = bucket_ready_at(b, ahead < burst ? burst - ahead : 1);

	if (mono_reached(now, at)) {
		if (ahead < burst)
			return false;
		at = mono_add(now, patience.expected_ns);
	}
	turns_wait(&p->turns, line, who, at, now);
	*when = at;
	return true;
}

static bool lacks(struct pacing *p, struct bucket *b, int level, const struct pacing_ask *a,
		  struct mono now, struct mono *when)
{
	struct mono at, turn;

	if (!b || !b->interval_ns)
		return false;
	if (level != LEVEL_GLOBAL && p->interval_ns[level])
		return lacks_turn(p, b, level, a, now, when);
	at = bucket_ready_at(b, p->burst[level]);
	if (mono_reached(now, at))
		return false;
	/* Thousands that wait for one router would all come back for one token: each is given a
	 * turn of its own, as far as the next second goes. */
	turn = mono_add(b->promised, b->interval_ns);
	if (level == LEVEL_ROUTER && turn.ns > at.ns && mono_since(turn, now) < NS_PER_S)
		at = turn;
	b->promised = at;
	*when = at;
	return true;
}

enum pacing_hold pacing_ready(struct pacing *p, const struct pacing_ask *a, struct mono now,
			      struct mono *when)
{
	if (lacks(p, &p->global, LEVEL_GLOBAL, a, now, when)) {
		p->counters.held_global++;
		return PACING_GLOBAL;
	}
	if (lacks(p, prefix_bucket(p, a, now), LEVEL_PREFIX, a, now, when)) {
		p->counters.held_prefix++;
		return PACING_PREFIX;
	}
	if (pacing_suspected(p, router_bucket(p, a, now), a->again, now)) {
		*when = mono_add(now, SUSPECT_NS);
		p->counters.held_router++;
		return PACING_ROUTER;
	}
	if (lacks(p, router_bucket(p, a, now), LEVEL_ROUTER, a, now, when)) {
		p->counters.held_router++;
		return PACING_ROUTER;
	}
	return PACING_GO;
}

uint8_t pacing_take(struct pacing *p, const struct pacing_ask *a, struct mono now)
{
	struct bucket *prefix = prefix_bucket(p, a, now), *router = router_bucket(p, a, now);

	p->counters.taken++;
	bucket_take(&p->global, now);
	if (prefix)
		bucket_take(prefix, now);
	if (router)
		bucket_take(router, now);
	turns_leave(&p->turns, waiter(a, 0));
	turns_leave(&p->turns, waiter(a, a->ttl));
	return pacing_expect(p, a, now);
}

const struct known *pacing_known(const struct pacing *p)
{
	return &p->known;
}

const struct pacing_counters *pacing_counters(const struct pacing *p)
{
	return &p->counters;
}

uint32_t pacing_router_pps(const struct pacing *p, struct addr router)
{
	const struct bucket *b;

	if (!p->interval_ns[LEVEL_ROUTER])
		return 0;
	b = bucket_table_find(&p->routers, router);
	return (uint32_t)(NS_PER_S / (b ? b->interval_ns : p->interval_ns[LEVEL_ROUTER]));
}

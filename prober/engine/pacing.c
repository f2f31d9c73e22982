// SPDX-License-Identifier: BSD-2-Clause
/*
 * Token buckets, kept as the virtual scheduling form of the generic cell rate algorithm (ITU-T
 * I.371, annex A): one time stamp a bucket, `full_at`, at which it would be full again. Exact in
 * whole nanoseconds, no timer; a bucket whose time has passed says nothing and may be forgotten.
 */
#include "prober/engine/pacing.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum {
	WAYS = 8, /* places in which one key may lie */
	ROUTER_PPS_FLOOR = 1,
	/*
	 * Each answer takes a 32nd off the interval of a slowed router: 22 answers win back one
	 * halving. Losing speed on one silence and regaining it over many answers settles near
	 * the router's own limit, as TCP's window does near the link's. Forty targets behind
	 * routers that give one a second (test_pacing.c) waste 21 % of their probes with a 16th,
	 * 17 % with this, 14 % with a 64th that takes 4 % longer.
	 */
	RECOVERY_SHARE = 32,
	FAMILIES = 2,
	TTLS = 256,
};

struct bucket {
	struct addr key;     /* none: free */
	int64_t interval_ns; /* time for one token; 0: no limit */
	struct mono full_at; /* full from then on */
	struct mono slowed;  /* when last; INT64_MIN: never */
};

struct table {
	struct bucket *buckets; /* sets * WAYS */
	uint32_t sets;
};

struct pacing {
	struct pacing_counters counters;
	int64_t interval_ns[3]; /* LEVEL_*: configured */
	int64_t burst[3];
	struct bucket global;
	struct table prefixes, routers;
	/* Who answered last at a TTL, for any destination of the family; and the bucket of those
	 * that have not been heard of yet: a hundred targets at once must not find the first router
	 * unprotected because it has not said its name. */
	struct addr seen[FAMILIES][TTLS];
	struct bucket unknown[FAMILIES][TTLS];
};

enum { LEVEL_GLOBAL, LEVEL_PREFIX, LEVEL_ROUTER };

/* --- one bucket ------------------------------------------------------------------------------- */

/* The time at which one more token is there: the bucket may lack all but one. */
static struct mono ready_at(const struct bucket *b, int64_t burst)
{
	return mono_add(b->full_at, -(burst - 1) * b->interval_ns);
}

static void take(struct bucket *b, struct mono now)
{
	if (!mono_reached(b->full_at, now))
		b->full_at = now;
	b->full_at = mono_add(b->full_at, b->interval_ns);
}

/* Changes the speed and keeps the number of tokens. */
static void set_interval(struct bucket *b, int64_t interval_ns, struct mono now)
{
	int64_t missing = mono_since(b->full_at, now);

	if (missing > 0)
		b->full_at = mono_add(now, (int64_t)((double)missing * (double)interval_ns /
						     (double)b->interval_ns));
	b->interval_ns = interval_ns;
}

/* --- tables ----------------------------------------------------------------------------------- */

static struct bucket *set_of(const struct table *t, struct addr key)
{
	return &t->buckets[(size_t)(addr_hash(key) % t->sets) * WAYS];
}

static struct bucket *look_up(const struct table *t, struct addr key)
{
	struct bucket *set = set_of(t, key);

	for (int i = 0; i < WAYS; i++)
		if (addr_equal(set[i].key, key))
			return &set[i];
	return NULL;
}

/* Finds the key's bucket or makes a full one in the place whose loss matters least: a free one,
 * else the fullest. */
static struct bucket *obtain(struct pacing *p, struct table *t, struct addr key,
			     int64_t interval_ns, struct mono now)
{
	struct bucket *b = look_up(t, key), *set = set_of(t, key);

	if (b)
		return b;
	b = set;
	for (int i = 0; i < WAYS && addr_is_set(b->key); i++)
		if (!addr_is_set(set[i].key) || set[i].full_at.ns < b->full_at.ns)
			b = &set[i];
	if (addr_is_set(b->key) && !mono_reached(now, b->full_at))
		p->counters.evicted++;
	*b = (struct bucket){.key = key,
			     .interval_ns = interval_ns,
			     .full_at = now,
			     .slowed = {INT64_MIN}};
	return b;
}

static int table_init(struct table *t, uint32_t buckets)
{
	t->sets = (buckets + WAYS - 1) / WAYS;
	t->buckets = calloc((size_t)t->sets * WAYS, sizeof(*t->buckets));
	return t->buckets ? 0 : -1;
}

/* --- which buckets a probe needs -------------------------------------------------------------- */

static int family_index(struct addr a)
{
	return a.family == 6;
}

static struct bucket *prefix_bucket(struct pacing *p, const struct pacing_ask *a, struct mono now)
{
	if (!p->interval_ns[LEVEL_PREFIX])
		return NULL;
	return obtain(p, &p->prefixes, addr_mask(a->dst, a->dst.family == 6 ? 48 : 24),
		      p->interval_ns[LEVEL_PREFIX], now);
}

/* The router assumed to answer this probe; none: not a guess even. */
static struct addr assumed_router(const struct pacing *p, const struct pacing_ask *a)
{
	return addr_is_set(a->router) ? a->router : p->seen[family_index(a->dst)][a->ttl];
}

/* NULL: nothing to limit. A destination answers for itself, not as a router. */
static struct bucket *router_bucket(struct pacing *p, const struct pacing_ask *a, struct mono now)
{
	struct addr router = assumed_router(p, a);

	if (!p->interval_ns[LEVEL_ROUTER] || addr_equal(router, a->dst))
		return NULL;
	if (!addr_is_set(router))
		return &p->unknown[family_index(a->dst)][a->ttl];
	return obtain(p, &p->routers, router, p->interval_ns[LEVEL_ROUTER], now);
}

/* --- the interface ---------------------------------------------------------------------------- */

static void level_init(struct pacing *p, int level, uint32_t pps, int64_t burst)
{
	p->interval_ns[level] = pps ? (NS_PER_S + pps - 1) / pps : 0;
	p->burst[level] = burst;
}

static int64_t burst_of(uint32_t pps)
{
	return pps / 100 > PACING_BURST ? pps / 100 : PACING_BURST;
}

struct pacing *pacing_new(const struct pacing_config *c, struct mono now)
{
	struct pacing *p = calloc(1, sizeof(*p));
	uint32_t buckets = c->buckets ? c->buckets : PACING_BUCKETS_DEFAULT;

	if (!p)
		return NULL;
	if (table_init(&p->prefixes, buckets) < 0 || table_init(&p->routers, buckets) < 0) {
		pacing_free(p);
		return NULL;
	}
	level_init(p, LEVEL_GLOBAL, c->rate_pps, burst_of(c->rate_pps));
	level_init(p, LEVEL_PREFIX, c->prefix_pps, burst_of(c->prefix_pps));
	level_init(p, LEVEL_ROUTER, c->router_pps, PACING_ROUTER_BURST);
	p->global = (struct bucket){.interval_ns = p->interval_ns[LEVEL_GLOBAL], .full_at = now};
	for (int f = 0; f < FAMILIES; f++)
		for (int ttl = 0; ttl < TTLS; ttl++)
			p->unknown[f][ttl] =
				(struct bucket){.interval_ns = p->interval_ns[LEVEL_ROUTER],
						.full_at = now};
	return p;
}

void pacing_free(struct pacing *p)
{
	if (!p)
		return;
	free(p->prefixes.buckets);
	free(p->routers.buckets);
	free(p);
}

static bool lacks(const struct pacing *p, const struct bucket *b, int level, struct mono now,
		  struct mono *when)
{
	struct mono at;

	if (!b || !b->interval_ns)
		return false;
	at = ready_at(b, p->burst[level]);
	if (mono_reached(now, at))
		return false;
	*when = at;
	return true;
}

enum pacing_hold pacing_ready(struct pacing *p, const struct pacing_ask *a, struct mono now,
			      struct mono *when)
{
	if (lacks(p, &p->global, LEVEL_GLOBAL, now, when)) {
		p->counters.held_global++;
		return PACING_GLOBAL;
	}
	if (lacks(p, prefix_bucket(p, a, now), LEVEL_PREFIX, now, when)) {
		p->counters.held_prefix++;
		return PACING_PREFIX;
	}
	if (lacks(p, router_bucket(p, a, now), LEVEL_ROUTER, now, when)) {
		p->counters.held_router++;
		return PACING_ROUTER;
	}
	return PACING_GO;
}

void pacing_take(struct pacing *p, const struct pacing_ask *a, struct mono now)
{
	struct bucket *prefix = prefix_bucket(p, a, now), *router = router_bucket(p, a, now);

	p->counters.taken++;
	take(&p->global, now);
	if (prefix)
		take(prefix, now);
	if (router)
		take(router, now);
}

static void recover(const struct pacing *p, struct bucket *b, struct mono now)
{
	int64_t normal = p->interval_ns[LEVEL_ROUTER];
	int64_t faster = b->interval_ns - b->interval_ns / RECOVERY_SHARE;

	if (b->interval_ns > normal)
		set_interval(b, faster > normal ? faster : normal, now);
}

void pacing_answered(struct pacing *p, const struct pacing_ask *a, struct addr from,
		     bool destination, struct mono now)
{
	struct addr assumed = assumed_router(p, a);
	struct bucket *b;

	if (destination || !addr_is_set(from) || !p->interval_ns[LEVEL_ROUTER])
		return;
	p->seen[family_index(from)][a->ttl] = from;
	b = obtain(p, &p->routers, from, p->interval_ns[LEVEL_ROUTER], now);
	if (!addr_equal(assumed, from))
		take(b, now);
	recover(p, b, now);
}

void pacing_silent(struct pacing *p, const struct pacing_ask *a, struct mono now)
{
	struct addr router = assumed_router(p, a);
	int64_t slowest = NS_PER_S / ROUTER_PPS_FLOOR;
	struct bucket *b;

	if (!p->interval_ns[LEVEL_ROUTER] || !addr_is_set(router) || addr_equal(router, a->dst))
		return;
	b = obtain(p, &p->routers, router, p->interval_ns[LEVEL_ROUTER], now);
	/* Attempts lost together tell of one emptied bucket, not of many. */
	if (b->slowed.ns != INT64_MIN && mono_since(now, b->slowed) < NS_PER_S)
		return;
	if (b->interval_ns >= slowest)
		return;
	set_interval(b, 2 * b->interval_ns < slowest ? 2 * b->interval_ns : slowest, now);
	b->slowed = now;
	p->counters.slowed++;
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
	b = look_up(&p->routers, router);
	return (uint32_t)(NS_PER_S / (b ? b->interval_ns : p->interval_ns[LEVEL_ROUTER]));
}

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

#include "prober/engine/throttle.h"

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
	OWED_TO_ROUTER = 1,
	OWED_TO_RUN = 2,
	SEVERAL = 3,       /* routers slowed together ... */
	SEVERAL_SHARE = 4, /* ... and a quarter of all: the path is too slow, not they */
	SLACK_ANSWERS = 16,
	RTT_AGING = 4096, /* answers in which a router's lowest RTT is half forgotten, or so */
};

/* While a router's loss is being looked into, nobody asks it before so much has passed. */
#define SUSPECT_NS (10 * NS_PER_MS)
/* A router is blamed for what it loses beyond what all lose, by this much. */
#define ROUTER_MARGIN 0.10f

/* An answer that took so much longer than the router's fastest waited in a queue that is filling:
 * a quarter of the default wait. */
#define LATE_NS (500 * NS_PER_MS)
#define SLACK_HALF_LIFE_NS (500 * NS_PER_MS)

struct bucket {
	struct addr key;     /* none: free */
	int64_t interval_ns; /* time for one token; 0: no limit */
	struct mono full_at; /* full from then on */
	struct mono slowed;  /* when last; INT64_MIN: never */
	struct mono promised; /* the latest time that somebody was told to come back at */
};

/* What else is known of a router. */
struct router {
	struct throttle throttle;
	int64_t rtt_min_ns;   /* 0: none yet */
};

struct table {
	struct bucket *buckets; /* sets * WAYS */
	struct router *routers; /* as many; NULL for prefixes */
	uint32_t sets;
};

struct pacing {
	struct pacing_counters counters;
	int64_t interval_ns[3]; /* LEVEL_*: configured */
	int64_t burst[3];
	struct bucket global;
	int64_t run_burst;      /* of the run, unless it is throttled */
	struct table prefixes, routers;
	struct throttle run;
	uint32_t known_routers, slowed_routers; /* with a bucket; of those, held by a throttle */
	struct pacing_cut cuts[PACING_CUTS]; /* a ring */
	struct known known;
	int64_t slack_ns;       /* as it was at slack_at */
	struct mono slack_at;
	/* The bucket of those that have not been heard of yet: a hundred targets at once must not
	 * find the first router unprotected because it has not said its name. */
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
	bool taken;

	if (b)
		return b;
	b = set;
	for (int i = 0; i < WAYS && addr_is_set(b->key); i++)
		if (!addr_is_set(set[i].key) || set[i].full_at.ns < b->full_at.ns)
			b = &set[i];
	taken = addr_is_set(b->key);
	if (taken && !mono_reached(now, b->full_at))
		p->counters.evicted++;
	*b = (struct bucket){.key = key,
			     .interval_ns = interval_ns,
			     .full_at = now,
			     .slowed = {INT64_MIN},
			     .promised = now};
	if (t->routers) {
		struct router *r = &t->routers[b - t->buckets];

		if (r->throttle.interval_ns > 0 && interval_ns == 0)
			p->slowed_routers--;
		p->known_routers += !taken;
		throttle_init(&r->throttle, THROTTLE_ROUTER, now);
		r->rtt_min_ns = 0;
	}
	return b;
}

static int table_init(struct table *t, uint32_t buckets, bool routers)
{
	size_t n;

	t->sets = (buckets + WAYS - 1) / WAYS;
	n = (size_t)t->sets * WAYS;
	t->buckets = calloc(n, sizeof(*t->buckets));
	t->routers = routers ? calloc(n, sizeof(*t->routers)) : NULL;
	return t->buckets && (t->routers || !routers) ? 0 : -1;
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
	return addr_is_set(a->router) ? a->router : known_guess(&p->known, a->dst, a->ttl);
}

/* NULL: nothing to limit. A destination answers for itself, not as a router. */
static struct bucket *router_bucket(struct pacing *p, const struct pacing_ask *a, struct mono now)
{
	struct addr router = assumed_router(p, a);

	if (addr_equal(router, a->dst))
		return NULL;
	if (!addr_is_set(router))
		return &p->unknown[family_index(a->dst)][a->ttl];
	return obtain(p, &p->routers, router, p->interval_ns[LEVEL_ROUTER], now);
}

/* The router that is expected to answer; NULL: nobody is. The destination itself is never: a host
 * that is down is not lost to our speed, and one that answers a first SYN need not answer a
 * second. */
static struct bucket *expected_router(struct pacing *p, const struct pacing_ask *a, struct mono now)
{
	struct addr r = addr_is_set(a->router) ? a->router :
						 known_expected(&p->known, a->dst, a->ttl);

	if (!addr_is_set(r) || addr_equal(r, a->dst))
		return NULL;
	return obtain(p, &p->routers, r, p->interval_ns[LEVEL_ROUTER], now);
}

/* --- throttles -------------------------------------------------------------------------------- */

static struct throttle *throttle_of(const struct pacing *p, const struct bucket *router)
{
	return &p->routers.routers[router - p->routers.buckets].throttle;
}

/* Whether those that are slowed by themselves are so many, of those that are known, that it is not
 * they but the way to them. */
static bool several_slowed(const struct pacing *p)
{
	return p->slowed_routers >= SEVERAL &&
	       SEVERAL_SHARE * p->slowed_routers >= p->known_routers;
}

/* What a router loses that is slowed by itself says nothing of the others. */
static bool counts_for_run(const struct pacing *p, const struct bucket *router)
{
	return throttle_of(p, router)->interval_ns == 0 || several_slowed(p);
}

/* The run's own pace takes the place of those of routers. */
static void free_routers(struct pacing *p, struct mono now)
{
	for (size_t i = 0; i < (size_t)p->routers.sets * WAYS && p->slowed_routers; i++) {
		struct throttle *t = &p->routers.routers[i].throttle;

		if (t->interval_ns == 0)
			continue;
		throttle_init(t, THROTTLE_ROUTER, now);
		p->routers.buckets[i].interval_ns = 0;
		p->slowed_routers--;
	}
}

static void count_cuts(struct pacing *p, struct throttle *t, uint32_t before)
{
	if (t->cuts != before)
		p->cuts[p->counters.cuts++ % PACING_CUTS] = (struct pacing_cut){
			.at = t->cut_at, .pps = throttle_pps(t), .of_run = t == &p->run};
}

/* What the run's throttle says becomes the bucket's pace, where the user's cap is not slower. */
static void follow_run(struct pacing *p, uint32_t cuts_before, struct mono now)
{
	int64_t normal = p->interval_ns[LEVEL_GLOBAL], interval = p->run.interval_ns;

	count_cuts(p, &p->run, cuts_before);
	if (interval <= normal) {
		interval = normal;
		p->burst[LEVEL_GLOBAL] = p->run_burst;
	} else {
		/* Ten milliseconds' worth: a burst of forty is five seconds of a slow pace. */
		p->burst[LEVEL_GLOBAL] = 2 + 10 * NS_PER_MS / interval;
	}
	if (interval == p->global.interval_ns)
		return;
	if (p->run.cuts != cuts_before) {
		p->global.full_at = mono_add(now, p->burst[LEVEL_GLOBAL] * interval);
		if (several_slowed(p))
			free_routers(p, now);
	}
	p->global.interval_ns = interval;
}

/* The same for a router that nobody capped. Under a cap pacing_silent looks after it. */
static void follow_router(struct pacing *p, struct bucket *b, uint32_t cuts_before, struct mono now)
{
	struct throttle *t = throttle_of(p, b);

	if (p->interval_ns[LEVEL_ROUTER])
		return;
	count_cuts(p, t, cuts_before);
	if (t->cuts != cuts_before)
		b->full_at = mono_add(now, p->burst[LEVEL_ROUTER] * t->interval_ns);
	p->slowed_routers += (t->interval_ns > 0) - (b->interval_ns > 0);
	b->interval_ns = t->interval_ns;
}

/* Whether what this router lost lately is still being looked into. Probes sent meanwhile would
 * share its fate. A cap of the user's is slow enough. */
static bool router_suspected(struct pacing *p, struct bucket *b, struct mono now)
{
	struct throttle *t;
	uint32_t cuts;
	bool suspected;

	if (!b || p->interval_ns[LEVEL_ROUTER] || !addr_is_set(b->key))
		return false;
	t = throttle_of(p, b);
	cuts = t->cuts;
	suspected = throttle_suspects(t, now);
	follow_router(p, b, cuts, now);
	return suspected;
}

static bool run_suspected(struct pacing *p, struct mono now)
{
	uint32_t cuts = p->run.cuts;
	bool suspected = throttle_suspects(&p->run, now);

	follow_run(p, cuts, now);
	return suspected;
}

/* A mean over some answers, of which single ones that took long cannot move much: they tell of a
 * router's slow path, not of a queue that all stand in. */
static void learn_slack(struct pacing *p, int64_t queued, struct mono now)
{
	int64_t mean = pacing_slack(p, now) / 2, most = 2 * mean + 20 * NS_PER_MS;

	p->slack_ns = mean + ((queued < most ? queued : most) - mean) / SLACK_ANSWERS;
	p->slack_at = now;
}

/* How long its answer stood in queues; also learns the router's fastest. */
static int64_t queued_ns(struct pacing *p, const struct bucket *router, int64_t rtt_ns)
{
	int64_t *low = &p->routers.routers[router - p->routers.buckets].rtt_min_ns;

	if (rtt_ns <= 0)
		return 0;
	if (*low == 0 || rtt_ns < *low)
		*low = rtt_ns;
	/* A route that became longer is no queue for ever. */
	*low += (rtt_ns - *low) / RTT_AGING;
	return rtt_ns - *low;
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
	if (table_init(&p->prefixes, buckets, false) < 0 ||
	    table_init(&p->routers, buckets, true) < 0 || known_init(&p->known) < 0) {
		pacing_free(p);
		return NULL;
	}
	level_init(p, LEVEL_GLOBAL, c->rate_pps, burst_of(c->rate_pps));
	level_init(p, LEVEL_PREFIX, c->prefix_pps, burst_of(c->prefix_pps));
	level_init(p, LEVEL_ROUTER, c->router_pps, PACING_ROUTER_BURST);
	p->run_burst = p->burst[LEVEL_GLOBAL];
	throttle_init(&p->run, THROTTLE_RUN, now);
	p->slack_at = now;
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
	free(p->routers.routers);
	known_fini(&p->known);
	free(p);
}

static bool lacks(const struct pacing *p, struct bucket *b, int level, struct mono now,
		  struct mono *when)
{
	struct mono at, turn;

	if (!b || !b->interval_ns)
		return false;
	at = ready_at(b, p->burst[level]);
	if (mono_reached(now, at))
		return false;
	/* Thousands that wait for one router would all come back for one token: each is given a
	 * turn of its own, as far as the next second goes. */
	turn = mono_add(b->promised, b->interval_ns);
	if (level == LEVEL_ROUTER && !p->interval_ns[LEVEL_ROUTER] && turn.ns > at.ns &&
	    mono_since(turn, now) < NS_PER_S)
		at = turn;
	b->promised = at;
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
	if (router_suspected(p, router_bucket(p, a, now), now) ||
	    (a->again && run_suspected(p, now))) {
		*when = mono_add(now, SUSPECT_NS);
		p->counters.held_router++;
		return PACING_ROUTER;
	}
	if (lacks(p, router_bucket(p, a, now), LEVEL_ROUTER, now, when)) {
		p->counters.held_router++;
		return PACING_ROUTER;
	}
	return PACING_GO;
}

uint8_t pacing_take(struct pacing *p, const struct pacing_ask *a, struct mono now)
{
	struct bucket *prefix = prefix_bucket(p, a, now), *router = router_bucket(p, a, now);
	struct bucket *expected;

	p->counters.taken++;
	take(&p->global, now);
	if (prefix)
		take(prefix, now);
	if (router)
		take(router, now);
	expected = expected_router(p, a, now);
	if (!expected) {
		throttle_passed(&p->run);
		return 0;
	}
	throttle_sent(throttle_of(p, expected), now);
	if (counts_for_run(p, expected)) {
		throttle_sent(&p->run, now);
		return OWED_TO_ROUTER | OWED_TO_RUN;
	}
	throttle_passed(&p->run);
	return OWED_TO_ROUTER;
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
	uint32_t run_cuts = p->run.cuts, cuts;
	int64_t queued = 0;
	struct throttle *t;
	struct bucket *b;

	if (destination)
		known_destination(&p->known, a->dst, a->ttl, false);
	if (!destination && addr_is_set(from)) {
		known_router(&p->known, a->dst, a->ttl, from);
		b = obtain(p, &p->routers, from, p->interval_ns[LEVEL_ROUTER], now);
		if (!addr_equal(assumed, from))
			take(b, now);
		if (p->interval_ns[LEVEL_ROUTER])
			recover(p, b, now);
		queued = queued_ns(p, b, a->rtt_ns);
		if (a->rtt_ns > 0)
			learn_slack(p, queued, now);
		t = throttle_of(p, b);
		cuts = t->cuts;
		if (a->owed & OWED_TO_ROUTER)
			throttle_answered(t, a->sent, false, now);
		else if (a->sent.ns)
			throttle_told(t, a->sent, true, now);
		if (!a->owed && a->sent.ns && counts_for_run(p, b))
			throttle_told(&p->run, a->sent, true, now);
		follow_router(p, b, cuts, now);
	}
	if (a->owed & OWED_TO_RUN)
		throttle_answered(&p->run, a->sent, queued > LATE_NS, now);
	follow_run(p, run_cuts, now);
}

bool pacing_lost(struct pacing *p, const struct pacing_ask *a, struct mono now)
{
	struct bucket *b = expected_router(p, a, now);
	uint32_t run_cuts = p->run.cuts, cuts;
	struct throttle *t;
	bool by_router = false;

	if (b) {
		t = throttle_of(p, b);
		cuts = t->cuts;
		/* A router that loses no more than all do is not the one. */
		t->background = throttle_loss(&p->run) + ROUTER_MARGIN;
		if (a->owed & OWED_TO_ROUTER)
			throttle_lost(t, a->sent, now);
		else if (a->sent.ns)
			throttle_told(t, a->sent, false, now);
		by_router = throttle_is_cause(t, a->sent) && !several_slowed(p);
		follow_router(p, b, cuts, now);
	}
	if ((a->owed & OWED_TO_RUN) && by_router)
		throttle_forgotten(&p->run, a->sent, now);
	else if (a->owed & OWED_TO_RUN)
		throttle_lost(&p->run, a->sent, now);
	else if (!a->owed && a->sent.ns && b && !by_router && counts_for_run(p, b))
		throttle_told(&p->run, a->sent, false, now);
	follow_run(p, run_cuts, now);
	/* Where so much is lost nobody may be known yet of a TTL within the path, or at its end. */
	if (!b && known_length(&p->known, a->dst) < a->ttl)
		return false;
	return by_router || throttle_is_cause(&p->run, a->sent) ||
	       (b && throttle_is_cause(throttle_of(p, b), a->sent));
}

void pacing_forgotten(struct pacing *p, const struct pacing_ask *a, struct mono now)
{
	struct bucket *b = expected_router(p, a, now);
	uint32_t run_cuts = p->run.cuts, cuts;

	if (a->owed & OWED_TO_RUN)
		throttle_forgotten(&p->run, a->sent, now);
	follow_run(p, run_cuts, now);
	if (!b || !(a->owed & OWED_TO_ROUTER))
		return;
	cuts = throttle_of(p, b)->cuts;
	throttle_forgotten(throttle_of(p, b), a->sent, now);
	follow_router(p, b, cuts, now);
}

void pacing_reached(struct pacing *p, struct addr dst, uint8_t ttl)
{
	known_destination(&p->known, dst, ttl, true);
}

int64_t pacing_slack(const struct pacing *p, struct mono now)
{
	int64_t halvings = mono_since(now, p->slack_at) / SLACK_HALF_LIFE_NS;

	return halvings < 40 ? 2 * p->slack_ns >> halvings : 0;
}

uint32_t pacing_held_pps(const struct pacing *p)
{
	int64_t interval = p->run.interval_ns;

	return interval > p->interval_ns[LEVEL_GLOBAL] ? throttle_pps(&p->run) : 0;
}

uint32_t pacing_lowest_pps(const struct pacing *p, struct mono since)
{
	uint32_t of_run = 0, of_router = 0;

	for (uint32_t i = 0; i < PACING_CUTS && i < p->counters.cuts; i++) {
		const struct pacing_cut *c = &p->cuts[i];
		uint32_t *lowest = c->of_run ? &of_run : &of_router;

		if (mono_reached(c->at, since) && (*lowest == 0 || c->pps < *lowest))
			*lowest = c->pps;
	}
	return of_run ? of_run : of_router;
}

const struct known *pacing_known(const struct pacing *p)
{
	return &p->known;
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

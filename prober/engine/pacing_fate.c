// SPDX-License-Identifier: BSD-2-Clause
/* What becomes of probes, and what the throttles make of it: the pace of the run and of routers. */
#include <stddef.h>

#include "prober/engine/pacing_state.h"

enum {
	ROUTER_PPS_FLOOR = 1,
	/*
	 * Each answer takes a 32nd off the interval of a slowed router: 22 answers win back one
	 * halving. Losing speed on one silence and regaining it over many answers settles near
	 * the router's own limit, as TCP's window does near the link's. Forty targets behind
	 * routers that give one a second (test_pacing.c) waste 21 % of their probes with a 16th,
	 * 17 % with this, 14 % with a 64th that takes 4 % longer.
	 */
	RECOVERY_SHARE = 32,
	OWED_TO_ROUTER = 1,
	OWED_TO_RUN = 2,
	SEVERAL = 3,       /* routers slowed together ... */
	SEVERAL_SHARE = 4, /* ... and a quarter of all: the path is too slow, not they */
	SLACK_ANSWERS = 16,
	RTT_AGING = 4096, /* answers in which a router's lowest RTT is half forgotten, or so */
};

/* A router is blamed for what it loses beyond what all lose, by this much. */
#define ROUTER_MARGIN 0.10f

/* An answer that took so much longer than the router's fastest waited in a queue that is filling:
 * a quarter of the default wait. */
#define LATE_NS (500 * NS_PER_MS)
#define SLACK_HALF_LIFE_NS (500 * NS_PER_MS)

/* --- throttles -------------------------------------------------------------------------------- */

static struct throttle *throttle_of(const struct pacing *p, const struct bucket *router)
{
	return &pacing_router_of(p, router)->throttle;
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
	for (size_t i = 0; i < p->routers.room && p->slowed_routers; i++) {
		if (p->routers.items[i].interval_ns == 0)
			continue;
		throttle_init(&p->of_routers[i].throttle, THROTTLE_ROUTER, now);
		p->of_routers[i].cuts_counted = 0;
		p->routers.items[i].interval_ns = 0;
		p->slowed_routers--;
	}
}

/* Whether the throttle has cut since it was last asked here: whatever is told to one may be what
 * it was waiting for. */
static bool count_cuts(struct pacing *p, const struct throttle *t, uint32_t *counted)
{
	if (t->cuts == *counted)
		return false;
	*counted = t->cuts;
	p->cuts[p->counters.cuts++ % PACING_CUTS] = (struct pacing_cut){
		.at = t->cut_at, .pps = throttle_pps(t), .of_run = t == &p->run};
	return true;
}

/* What the run's throttle says becomes the bucket's pace, where the user's cap is not slower. */
static void follow_run(struct pacing *p, struct mono now)
{
	int64_t normal = p->interval_ns[LEVEL_GLOBAL], interval = p->run.interval_ns;
	bool cut = count_cuts(p, &p->run, &p->run_cuts_counted);

	if (interval <= normal) {
		interval = normal;
		p->burst[LEVEL_GLOBAL] = p->run_burst;
	} else {
		/* Ten milliseconds' worth: a burst of forty is five seconds of a slow pace. */
		p->burst[LEVEL_GLOBAL] = 2 + 10 * NS_PER_MS / interval;
	}
	if (interval == p->global.interval_ns)
		return;
	if (cut) {
		p->global.full_at = mono_add(now, p->burst[LEVEL_GLOBAL] * interval);
		if (several_slowed(p))
			free_routers(p, now);
	}
	p->global.interval_ns = interval;
}

/* The same for a router that nobody capped. Under a cap pacing_silent looks after it. */
static void follow_router(struct pacing *p, struct bucket *b, struct mono now)
{
	struct throttle *t = throttle_of(p, b);

	if (p->interval_ns[LEVEL_ROUTER])
		return;
	if (count_cuts(p, t, &pacing_router_of(p, b)->cuts_counted))
		b->full_at = mono_add(now, p->burst[LEVEL_ROUTER] * t->interval_ns);
	p->slowed_routers += (t->interval_ns > 0) - (b->interval_ns > 0);
	b->interval_ns = t->interval_ns;
}

/* Whether what this router lost lately is still being looked into. Probes sent meanwhile would
 * share its fate. A cap of the user's is slow enough. */
static bool router_suspected(struct pacing *p, struct bucket *b, struct mono now)
{
	bool suspected;

	if (!b || p->interval_ns[LEVEL_ROUTER] || !addr_is_set(b->key))
		return false;
	suspected = throttle_suspects(throttle_of(p, b), now);
	follow_router(p, b, now);
	return suspected;
}

static bool run_suspected(struct pacing *p, struct mono now)
{
	bool suspected = throttle_suspects(&p->run, now);

	follow_run(p, now);
	return suspected;
}

bool pacing_suspected(struct pacing *p, struct bucket *router, bool again, struct mono now)
{
	return router_suspected(p, router, now) || (again && run_suspected(p, now));
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
	int64_t *low = &pacing_router_of(p, router)->rtt_min_ns;

	if (rtt_ns <= 0)
		return 0;
	if (*low == 0 || rtt_ns < *low)
		*low = rtt_ns;
	/* A route that became longer is no queue for ever. */
	*low += (rtt_ns - *low) / RTT_AGING;
	return rtt_ns - *low;
}

/* --- what became of a probe ------------------------------------------------------------------- */

/* The router that is expected to answer; none: nobody is. The destination itself is never: a host
 * that is down is not lost to our speed, and one that answers a first SYN need not answer a
 * second. */
static struct addr expected_router(const struct pacing *p, const struct pacing_ask *a)
{
	struct addr r = addr_is_set(a->router) ? a->router :
						 known_expected(&p->known, a->dst, a->ttl);

	return addr_equal(r, a->dst) ? (struct addr){0} : r;
}

/* Its bucket, or NULL. */
static struct bucket *expected_bucket(struct pacing *p, const struct pacing_ask *a, struct mono now)
{
	struct addr r = expected_router(p, a);

	return addr_is_set(r) ? pacing_obtain_router(p, r, now) : NULL;
}

uint8_t pacing_expect(struct pacing *p, const struct pacing_ask *a, struct mono now)
{
	struct bucket *expected = expected_bucket(p, a, now);

	if (!expected) {
		throttle_passed(&p->run);
		return 0;
	}
	throttle_sent(throttle_of(p, expected), now);
	follow_router(p, expected, now);
	if (counts_for_run(p, expected)) {
		throttle_sent(&p->run, now);
		follow_run(p, now);
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
		bucket_set_interval(b, faster > normal ? faster : normal, now);
}

/* Nobody will know what this router would have made of a probe that left at `sent`. */
static void forget_expected(struct pacing *p, struct addr router, struct mono sent, struct mono now)
{
	struct bucket *b = bucket_table_find(&p->routers, router);

	if (!b)
		return;
	throttle_forgotten(throttle_of(p, b), sent, now);
	follow_router(p, b, now);
}

/* A router answered. Returns for how long its answer stood in queues. */
static int64_t router_answered(struct pacing *p, const struct pacing_ask *a, struct addr from,
			       bool expected, struct mono now)
{
	bool assumed = addr_equal(pacing_assumed_router(p, a), from);
	struct bucket *b;
	int64_t queued;

	known_router(&p->known, a->dst, a->ttl, from, a->before);
	b = pacing_obtain_router(p, from, now);
	if (!assumed)
		bucket_take(b, now);
	if (p->interval_ns[LEVEL_ROUTER])
		recover(p, b, now);
	queued = queued_ns(p, b, a->rtt_ns);
	if (a->rtt_ns > 0)
		learn_slack(p, queued, now);
	if (expected)
		throttle_answered(throttle_of(p, b), a->sent, false, now);
	else if (a->sent.ns)
		throttle_told(throttle_of(p, b), a->sent, true, now);
	if (!a->owed && a->sent.ns && counts_for_run(p, b))
		throttle_told(&p->run, a->sent, true, now);
	follow_router(p, b, now);
	return queued;
}

void pacing_answered(struct pacing *p, const struct pacing_ask *a, struct addr from,
		     bool destination, struct mono now)
{
	struct addr expected = expected_router(p, a);
	bool owed = a->owed & OWED_TO_ROUTER;
	int64_t queued = 0;

	/* Another than the one it was counted for, on a path that branches or ends here. */
	if (owed && addr_is_set(expected) && (destination || !addr_equal(expected, from))) {
		forget_expected(p, expected, a->sent, now);
		owed = false;
	}
	if (destination)
		known_destination(&p->known, a->dst, a->ttl, false);
	else if (addr_is_set(from))
		queued = router_answered(p, a, from, owed, now);
	if (a->owed & OWED_TO_RUN)
		throttle_answered(&p->run, a->sent, queued > LATE_NS, now);
	follow_run(p, now);
}

/* Whether the nearest router before this TTL that is expected to answer lost by our speed what left
 * then: on a slow link in mid-path what goes past it is lost with what it is asked. */
static bool lost_before(const struct pacing *p, const struct pacing_ask *a)
{
	for (uint8_t ttl = a->ttl; ttl-- > 1;) {
		struct addr r = known_expected(&p->known, a->dst, ttl);
		const struct bucket *b;

		if (!addr_is_set(r))
			continue;
		b = bucket_table_find(&p->routers, r);
		return b && throttle_is_cause(throttle_of(p, b), a->sent);
	}
	return false;
}

bool pacing_lost(struct pacing *p, const struct pacing_ask *a, struct mono now)
{
	struct bucket *b = expected_bucket(p, a, now);
	struct throttle *t = b ? throttle_of(p, b) : NULL;
	bool by_router = false;

	if (b) {
		/* A router that loses no more than all do is not the one. */
		t->background = throttle_loss(&p->run) + ROUTER_MARGIN;
		if (a->owed & OWED_TO_ROUTER)
			throttle_lost(t, a->sent, now);
		else if (a->sent.ns)
			throttle_told(t, a->sent, false, now);
		by_router = throttle_is_cause(t, a->sent) && !several_slowed(p);
		follow_router(p, b, now);
	}
	if ((a->owed & OWED_TO_RUN) && by_router)
		throttle_forgotten(&p->run, a->sent, now);
	else if (a->owed & OWED_TO_RUN)
		throttle_lost(&p->run, a->sent, now);
	else if (!a->owed && a->sent.ns && b && !by_router && counts_for_run(p, b))
		throttle_told(&p->run, a->sent, false, now);
	follow_run(p, now);
	/* Where so much is lost nobody may be known yet of a TTL within the path, or at its end. */
	if (!b && known_length(&p->known, a->dst) < a->ttl)
		return false;
	return by_router || throttle_is_cause(&p->run, a->sent) ||
	       (b ? throttle_is_cause(t, a->sent) : lost_before(p, a));
}

void pacing_forgotten(struct pacing *p, const struct pacing_ask *a, struct mono now)
{
	if (a->owed & OWED_TO_RUN)
		throttle_forgotten(&p->run, a->sent, now);
	follow_run(p, now);
	if (a->owed & OWED_TO_ROUTER)
		forget_expected(p, expected_router(p, a), a->sent, now);
}

void pacing_reached(struct pacing *p, struct addr dst, uint8_t ttl)
{
	known_destination(&p->known, dst, ttl, true);
}

void pacing_silent(struct pacing *p, const struct pacing_ask *a, struct mono now)
{
	struct addr router = pacing_assumed_router(p, a);
	int64_t slowest = NS_PER_S / ROUTER_PPS_FLOOR;
	struct bucket *b;

	if (!p->interval_ns[LEVEL_ROUTER] || !addr_is_set(router) || addr_equal(router, a->dst))
		return;
	b = pacing_obtain_router(p, router, now);
	/* Attempts lost together tell of one emptied bucket, not of many. */
	if (b->slowed.ns != INT64_MIN && mono_since(now, b->slowed) < NS_PER_S)
		return;
	if (b->interval_ns >= slowest)
		return;
	bucket_set_interval(b, 2 * b->interval_ns < slowest ? 2 * b->interval_ns : slowest, now);
	b->slowed = now;
	p->counters.slowed++;
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

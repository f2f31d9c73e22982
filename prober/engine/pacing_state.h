// SPDX-License-Identifier: BSD-2-Clause
/*
 * What engine/pacing.c (which buckets a probe needs) and engine/pacing_fate.c (what the throttles
 * make of what becomes of it) share. Nobody else includes this.
 */
#ifndef PROBER_ENGINE_PACING_STATE_H
#define PROBER_ENGINE_PACING_STATE_H

#include "prober/engine/bucket.h"
#include "prober/engine/pacing.h"
#include "prober/engine/pacing_turns.h"
#include "prober/engine/throttle.h"

enum { PACING_FAMILIES = 2, PACING_TTLS = 256 };
enum { LEVEL_GLOBAL, LEVEL_PREFIX, LEVEL_ROUTER, LEVELS };

/* What else is known of a router. */
struct router {
	struct throttle throttle;
	uint32_t cuts_counted; /* of the throttle's */
	int64_t rtt_min_ns;    /* 0: none yet */
	struct turns_line line;
};

struct pacing {
	struct pacing_counters counters;
	int64_t interval_ns[LEVELS]; /* configured */
	int64_t burst[LEVELS];
	struct bucket global;
	int64_t run_burst;      /* of the run, unless it is throttled */
	struct bucket_table prefixes, routers;
	struct router *of_routers; /* owned; beside the buckets of routers */
	struct turns_line *of_prefixes; /* owned; the same */
	struct turns turns;     /* of those that wait for what the user capped */
	struct throttle run;
	uint32_t run_cuts_counted;
	uint32_t known_routers, slowed_routers; /* with a bucket; of those, held by a throttle */
	struct pacing_cut cuts[PACING_CUTS]; /* a ring */
	struct known known;
	int64_t slack_ns;       /* as it was at slack_at */
	struct mono slack_at;
	/* The bucket of those that have not been heard of yet: a hundred targets at once must not
	 * find the first router unprotected because it has not said its name. */
	struct bucket unknown[PACING_FAMILIES][PACING_TTLS];
	struct turns_line of_unknown[PACING_FAMILIES][PACING_TTLS];
};

/* b is one of p->routers. */
static inline struct router *pacing_router_of(const struct pacing *p, const struct bucket *b)
{
	return &p->of_routers[b - p->routers.items];
}

/* pacing.c: its bucket, made where there is none. */
struct bucket *pacing_obtain_router(struct pacing *p, struct addr key, struct mono now);
/* pacing.c: the router assumed to answer this probe; none: not a guess even. */
struct addr pacing_assumed_router(const struct pacing *p, const struct pacing_ask *a);

/* pacing_fate.c: whether what this router lost lately (its bucket; NULL: nobody's) is still being
 * looked into, or where the probe repeats another, what the run lost. */
bool pacing_suspected(struct pacing *p, struct bucket *router, bool again, struct mono now);
/* pacing_fate.c: the probe left. Returns what is owed for it, as pacing_take. */
uint8_t pacing_expect(struct pacing *p, const struct pacing_ask *a, struct mono now);

#endif

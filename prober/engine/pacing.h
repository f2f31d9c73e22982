// SPDX-License-Identifier: BSD-2-Clause
/*
 * When a probe may leave: token buckets for the whole run, for each destination prefix (/24, /48)
 * and for each router that has to answer. Says yes, or until when to hold; chooses no target and
 * sends nothing. Memory is fixed at pacing_new. No clock of its own.
 *
 * Whoever has waited longest for a prefix or a router that the user capped is next: a probe that
 * `n` others wait before leaves within n + 1 tokens. So a target that comes late gets its share
 * beside a sweep that wants the same routers, and no more than that.
 *
 * The caps are the user's and are never exceeded. Below them, or without any, two throttles
 * (engine/throttle.h) look for loss that our own speed causes: one for the run, whose probes may
 * fill a slow link, and one for each router, which may limit its answers. They are told of probes
 * that somebody is expected to answer (engine/known.h) and what became of those.
 *
 * The caller goes round its tracers, one probe each (that spreads load over targets), asks
 * tracer_next, then pacing_ready:
 *   PACING_GO      send, then pacing_take
 *   PACING_GLOBAL  nobody may send before *when
 *   PACING_PREFIX  nothing to this prefix before *when: go on with the next tracer
 *   PACING_ROUTER  not this TTL before *when: tracer_defer, then ask this tracer again
 */
#ifndef PROBER_ENGINE_PACING_H
#define PROBER_ENGINE_PACING_H

#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/clock.h"
#include "prober/engine/known.h"

enum {
	/* Of the whole run, and of a prefix. A default trace of a ten-hop path is 36 probes: 16
	 * first attempts at once (the tracer's `ahead`), then two more at each of ten TTLs. It must
	 * not have to wait for tokens, so a burst is that and a little. A rate over 4000 a second
	 * gets 10 ms worth of it, as long as a busy poll loop may sleep. */
	PACING_BURST = 40,
	/* What a Linux router answers one asker before it falls back to one a second
	 * (net.ipv4.icmp_ratelimit, measured: 6, then 1/s). Two default traces fit. */
	PACING_ROUTER_BURST = 6,
	PACING_BUCKETS_DEFAULT = 4096,
	PACING_CUTS = 64, /* remembered one by one */
	/* Probes that wait in order: a thousand targets at sixteen TTLs each. Whoever comes beyond
	 * that competes for what nobody in order wants. */
	PACING_PLACES = 16384,
};

struct pacing_config {
	uint32_t rate_pps;    /* whole run; 0: no limit, as for the others */
	uint64_t prefix_mpps; /* each /24 or /48; thousandths of a packet a second */
	uint32_t router_pps;  /* each router, at most; slower when it falls silent */
	uint32_t buckets;     /* prefixes, and routers, remembered; 0: PACING_BUCKETS_DEFAULT */
};

struct pacing_ask {
	struct addr dst;
	uint8_t ttl;
	uint64_t trace;     /* tells the traces to one destination apart, where there are several */
	struct addr router; /* tracer_responder(); none: who answered last at this TTL for any
			     * destination of the family is assumed */
	bool again;         /* by tracer_again: it waits until its loss has been looked into */
	/* Of a probe that has left, for what became of it: */
	struct mono sent;   /* 0: its fate was told before */
	uint8_t owed;       /* what pacing_take said */
	int64_t rtt_ns;     /* of its answer; 0 or less: unknown */
	struct known_step before; /* of its answer: the hop before */
};

enum pacing_hold { PACING_GO, PACING_GLOBAL, PACING_PREFIX, PACING_ROUTER };

/* A throttle's cut: of the run's pace, or else of one router's. */
struct pacing_cut {
	struct mono at;
	uint32_t pps; /* from then on */
	bool of_run;
};

struct pacing_counters {
	uint64_t taken;                                 /* probes let through */
	uint64_t held_global, held_prefix, held_router; /* times the answer was "not yet" */
	uint64_t slowed;  /* times a router was slowed because it had fallen silent */
	uint64_t evicted; /* buckets forgotten before they were full again */
	uint32_t cuts;    /* times a throttle cut a pace */
};

struct pacing; /* 64 bytes for each prefix in use and 264 for each router, both up to
		* config.buckets (1.3 MB at the default); 0.9 MB at most, with caps, for those that
		* wait; and 0.5 MB at most for all else */

/* NULL: out of memory. */
struct pacing *pacing_new(const struct pacing_config *c, struct mono now);
void pacing_free(struct pacing *p);

/* May this probe leave now? If not, which bucket holds it; *when is then the time at which its turn
 * may have come (untouched on PACING_GO): it keeps its place when it is asked for again then. */
enum pacing_hold pacing_ready(struct pacing *p, const struct pacing_ask *a, struct mono now,
			      struct mono *when);
/* The probe left: takes its tokens. Not 0 when a router is expected to answer it: then exactly one
 * of pacing_answered, pacing_lost and pacing_forgotten is owed for it, with this in ask.owed. */
uint8_t pacing_take(struct pacing *p, const struct pacing_ask *a, struct mono now);
/* `from` answered the probe that was asked for as `a`. A router (not the destination itself, whose
 * own answers the prefix bucket limits) is remembered as the one at this TTL, pays for the answer
 * if another was assumed, and regains a little of its speed if it had been slowed. */
void pacing_answered(struct pacing *p, const struct pacing_ask *a, struct addr from,
		     bool destination, struct mono now);
/* The probe asked for as `a` expired within the path (tracer_take_silent). If its router is known
 * from an earlier answer, to this target or another, it is probably limiting: half its speed, to
 * not less than one a second, and at most once a second. A TTL at which nobody ever answered is
 * left alone. */
void pacing_silent(struct pacing *p, const struct pacing_ask *a, struct mono now);
/* A probe is overdue, within the path or beyond (tracer_take_overdue). Returns whether its loss is
 * to be put down to our speed (the run's, its router's, or that of the nearest known one before
 * it), and a router or the destination is expected to answer there, or nobody can be known yet:
 * then it is worth asking again, slower. */
bool pacing_lost(struct pacing *p, const struct pacing_ask *a, struct mono now);
/* Nobody waits for its answer any more. */
void pacing_forgotten(struct pacing *p, const struct pacing_ask *a, struct mono now);
/* A trace ended: dst is at this TTL. */
void pacing_reached(struct pacing *p, struct addr dst, uint8_t ttl);
/* By how much the RTTs of routers have lately exceeded their lowest: the queues on the way, which
 * whoever waits for an answer should allow for. */
int64_t pacing_slack(const struct pacing *p, struct mono now);
/* Probes a second that the run's throttle holds it to; 0: nothing does. */
uint32_t pacing_held_pps(const struct pacing *p);
/* The lowest pace that a cut since then (of the last PACING_CUTS) led to: the run's if there was
 * one, else a router's. 0: no cut. */
uint32_t pacing_lowest_pps(const struct pacing *p, struct mono since);
/* What the run has learned of paths so far. */
const struct known *pacing_known(const struct pacing *p);
const struct pacing_counters *pacing_counters(const struct pacing *p);
/* Probes a second this router is asked at present, rounded down; 0: no limit. */
uint32_t pacing_router_pps(const struct pacing *p, struct addr router);

#endif

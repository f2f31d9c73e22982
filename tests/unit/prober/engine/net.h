// SPDX-License-Identifier: BSD-2-Clause
/*
 * A scripted network with a scripted clock, for running whole traceroutes without a packet: paths
 * written as strings, routers with Linux's ICMP rate limit, loss, jitter, duplicates, late replies,
 * clocks that step. Drives tracers and pacing exactly as a prober's loop does, and checks in every
 * run what must hold in all of them. The same seed gives the same run.
 */
#ifndef TESTS_UNIT_PROBER_ENGINE_NET_H
#define TESTS_UNIT_PROBER_ENGINE_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "prober/engine/pacing.h"
#include "prober/engine/tracer.h"

/* splitmix64: needs no warm-up (Steele, Lea, Flood 2014). */
uint64_t net_random(uint64_t *state);
/* True once in `of` on average; never for 0. */
bool net_chance(uint64_t *state, uint32_t of);

/* A router and its limit on ICMP errors, Linux's inet_peer_xrlim_allow(); interval_ns 0: none. */
struct net_router {
	struct addr addr;
	int64_t interval_ns;
	int64_t tokens_ns;
	struct mono last;
	uint32_t asked, refused; /* probes that reached it; left unanswered by the limit */
};

enum { NET_ROUTERS = 1024, NET_SYMBOLS = 255 };

/*
 * A path: one symbol a TTL, the last one holds for all further TTLs.
 *   r  a router of its own              0-9 the router of that number (the same wherever it stands)
 *   *  silent                           D   the destination
 *   P  the destination, limiting its answers as a router does
 *   X  a filter of its own: prohibited  x   the filter before, again
 *   H  a router: unreachable            h   the one before, again
 */
struct net_path {
	const char *symbols;
	int64_t rtt_ns; /* of the last symbol; hop i of n has i/n of it */
	uint32_t base;  /* number of this path's first router of its own: shared paths share it */
	struct addr dst;
};

struct net_script {
	uint32_t loss_1_in;      /* a reply is lost; 0: never, as for all below */
	uint32_t duplicate_1_in; /* it comes twice */
	uint32_t late_1_in;      /* it comes late_ns later */
	int64_t late_ns;
	int64_t jitter_ns;         /* 0..jitter added to each RTT: replies overtake each other */
	uint32_t odd_1_in;         /* another answer than the path says, from some router */
	uint32_t not_sent_1_in;    /* the kernel refuses the probe */
	uint32_t rtt_lies_1_in;    /* the RTT is unknown, negative or hours (a clock step) */
	uint32_t stall_1_in;       /* the loop stands still for stall_ns before reading replies */
	int64_t stall_ns;
	int64_t limit_interval_ns; /* routers' ICMP limit: 6, then one per interval */
};

/* How one target's trace went. */
struct net_result {
	enum stop stop;
	enum reach reach;
	uint8_t last_ttl;
	uint32_t sent, credited, late, duplicates;
	int64_t took_ns;
	uint32_t firsts_after_further; /* first attempts that left after any further one */
	uint8_t sent_at[256], answered_at[256];
	uint8_t top;
};

struct net;

/* Room for `targets` at once in flight. NULL: out of memory. */
struct net *net_new(uint64_t seed, const struct net_script *script, size_t targets);
void net_free(struct net *n);
struct net_router *net_router(struct net *n, uint32_t number);
struct mono net_now(const struct net *n);
/* The clock the engine sees goes on by so much. */
void net_skip(struct net *n, int64_t ns);

/* Interrupts every trace still running at that time after the start; 0: never. */
void net_interrupt_after(struct net *n, int64_t ns);

typedef void net_done_fn(void *ctx, size_t index, const struct net_result *r);
/* Traces paths[0..count) with at most as many at once as net_new was told. pacing may be NULL.
 * Returns NULL, or what was violated: every run checks that no (ttl, attempt) leaves twice, out of
 * order, out of range, too close to the one before, or beyond the destination or the gap limit;
 * that the rate holds in every window; that no answer is credited twice or refused; that waits lie
 * in the future; that it ends. */
const char *net_run(struct net *n, const struct net_path *paths, size_t count,
		    const struct tracer_config *c, struct pacing *pacing,
		    const struct pacing_config *limits, net_done_fn *done, void *ctx);
/* One target. */
const char *net_run_one(struct net *n, const char *symbols, int64_t rtt_ns,
			const struct tracer_config *c, struct net_result *out);

/* The interface's defaults. */
struct tracer_config net_config(void);
struct addr net_addr(uint8_t a, uint8_t b, uint8_t c, uint8_t d);

#endif

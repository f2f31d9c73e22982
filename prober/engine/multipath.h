// SPDX-License-Identifier: BSD-2-Clause
/*
 * All load-balanced paths to one target as a state machine: (state, event, now) -> send (flow, ttl,
 * attempt) | wait | done. Decides which flows there are, where each is asked, and when enough were.
 * No I/O, no clock, no packets; pacing is the caller's, as for the tracer, which it embeds.
 *
 * The Multipath Detection Algorithm (Augustin, Friedman, Teixeira 2007; Veitch, Augustin, Friedman,
 * Teixeira 2009) with node control: for each node, an address at a TTL, flows known to pass it are
 * asked one TTL further until the exact stopping rule excludes one more successor; flows that are
 * wanted for that are added. What differs from the papers:
 *   - the first flow's path is surveyed by a tracer, then all TTLs are asked side by side;
 *   - where all flows answered by one node, the others are taken to pass it ("inherited") instead
 *     of being asked; where there are several, every flow in use is asked, so that shares of flows
 *     rest on measured hops;
 *   - a flow silent where others are answered is asked again, up to `attempts`, then counts as one
 *     more possible node, a star, if meanwhile a flow answered before was answered again. If not,
 *     somebody there limits his answers, and the attempts are a second apart. A TTL silent for all
 *     flows is one star, passed through;
 *   - one flow is repeated at each branching: different answers are balancing per packet. Flows
 *     steer nothing below it, until all meet again in one node; there each TTL is enumerated as a
 *     whole.
 */
#ifndef PROBER_ENGINE_MULTIPATH_H
#define PROBER_ENGINE_MULTIPATH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/clock.h"
#include "core/record/frame.h"
#include "prober/engine/tracer.h"

enum {
	/* Flows of one target. Enough for about 40 equal successors of one node at 95 %. */
	MULTIPATH_FLOWS_MAX = 256,
	MULTIPATH_NODES_MAX = 128, /* at one TTL */
	/* Probes of one flow at one TTL: what tells per-packet balancing at 99 % is 8 answers. */
	MULTIPATH_ATTEMPTS_MAX = TRACER_ATTEMPTS_MAX,
};

struct multipath_config {
	struct tracer_config path; /* of every flow; attempts: before a flow counts as silent */
	uint8_t level;             /* of confidence at each node, percent, 50..99 */
	uint16_t flows_max;        /* 1..MULTIPATH_FLOWS_MAX; 0: MULTIPATH_FLOWS_MAX */
	bool sparing_end;          /* the destination limits its answers as routers do (UDP) */
};

struct multipath_step {
	enum tracer_want want;
	uint16_t flow;        /* TRACER_SEND; a number not seen before is a new flow */
	uint8_t ttl, attempt; /* TRACER_SEND */
	struct mono until;    /* TRACER_WAIT */
};

/* 16 bytes for each flow and TTL (131 kB at the defaults, of which flows never used touch nothing),
 * 20 for each node, and 30 kB. */
struct multipath;

/* Values out of range are brought into it. NULL: out of memory. */
struct multipath *multipath_new(const struct multipath_config *c, struct mono now);
void multipath_free(struct multipath *m);
/* Its time starts again: only before the first probe was sent. */
void multipath_start(struct multipath *m, struct mono now);

/* What to do now; as tracer_next. TRACER_SEND is repeated until one of the three below is called
 * for it or an answer makes it pointless. */
struct multipath_step multipath_next(struct multipath *m, struct mono now);
void multipath_sent(struct multipath *m, uint16_t flow, uint8_t ttl, uint8_t attempt,
		    struct mono at);
void multipath_not_sent(struct multipath *m, uint16_t flow, uint8_t ttl, uint8_t attempt,
			struct mono at);
/* Nothing at this TTL before `until` (PACING_ROUTER). */
void multipath_defer(struct multipath *m, uint8_t ttl, struct mono until);
/* The flow just offered cannot be had, nor any further one: what is there must do. */
void multipath_no_more_flows(struct multipath *m);
/* As tracer_reply. False: answered before, never sent, or all is done (then *late). */
bool multipath_reply(struct multipath *m, uint16_t flow, uint8_t ttl, uint8_t attempt,
		     enum tracer_event event, struct addr from, int64_t rtt_ns, struct mono now,
		     bool *late);
/* As tracer_take_silent: a TTL with one known router, which answers nearly all flows, at which an
 * attempt expired. */
bool multipath_take_silent(struct multipath *m, uint8_t *ttl);
/* As tracer_slack. */
void multipath_slack(struct multipath *m, int64_t ns);
/* Ends it from outside: every flow's stop reason is then `why`. */
void multipath_stop(struct multipath *m, enum stop why);

/* The one router at this TTL, as far as seen; none where nobody or several answered. */
struct addr multipath_responder(const struct multipath *m, uint8_t ttl);

/* Valid when done. Flow numbers are below multipath_flows(); of those some may never have been
 * asked anything when it was stopped. */
uint16_t multipath_flows(const struct multipath *m);
/* How one flow ended: by its own answers and those it inherits. */
struct multipath_end {
	enum stop stop;
	enum reach reach;
	uint8_t last_ttl; /* of its path; 0: none */
};
struct multipath_end multipath_end_of(const struct multipath *m, uint16_t flow);
/* Whether the flow, not asked at this TTL of its path, passes what flow 0 found there. */
bool multipath_inherits(const struct multipath *m, uint16_t flow, uint8_t ttl);
/* How the nodes at this TTL (0: the source) share packets among the next TTL's. PER_PACKET also
 * where a per-packet balancer nearer makes it impossible to know. */
enum balancing multipath_balancing(const struct multipath *m, uint8_t ttl);
/* That no successor of any node is missing: the product over nodes of 1 - multipath_missed(). */
double multipath_confidence(const struct multipath *m);
/* Ended before the rule was content: flows, nodes, or time ran out, or it was stopped. */
bool multipath_cut(const struct multipath *m);

/* The chance that n flows, each taking one of k successors at random, leave at least one of them
 * unseen: sum over i = 1..k of (-1)^(i+1) C(k,i) (1 - i/k)^n. */
double multipath_missed(unsigned k, unsigned n);
/* The smallest n for which that is at most eps: 6, 11, 16, 21, 27, 33, 38 for k = 2..8 at 0.05.
 * k up to MULTIPATH_NODES_MAX + 2. */
unsigned multipath_stopping_point(unsigned k, double eps);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * One traceroute as a state machine: (state, event, now) -> next probe | wait | done. Decides which
 * TTL and attempt to send, how long to wait, and when and why to stop. No I/O, no real clock, no
 * packets, no memory of its own: runs against a scripted network in the tests exactly as against
 * the kernel. Pacing across targets is engine/pacing.h; the caller asks it before it sends.
 */
#ifndef PROBER_ENGINE_TRACER_H
#define PROBER_ENGINE_TRACER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/clock.h"
#include "core/record/trace.h"

enum {
	TRACER_ATTEMPTS_MAX = 10,
	TRACER_AGAIN_MAX = 3, /* more at one TTL, by tracer_again */
	/* `ahead` for methods whose destination limits its own answers as a router does (UDP: port
	 * unreachables). Each TTL sent beyond the destination takes one of the six that Linux gives
	 * at once: with 16 ahead one of three attempts at the destination was answered, with 4 all
	 * three, for 40 ms more on a path of 120 ms (test_tracer_runs.c). */
	TRACER_AHEAD_SPARING = 4,
};

struct tracer_config {
	uint8_t first_ttl, max_ttl; /* 1..255, first <= max */
	uint8_t attempts;           /* per TTL, 1..TRACER_ATTEMPTS_MAX */
	uint8_t gap_limit;          /* TTLs in a row wholly silent; 0: no limit */
	int64_t wait_ns;            /* longest wait for one probe */
	int64_t budget_ns;          /* for the whole target; 0: none */
	uint8_t ahead;              /* TTLs in flight beyond the last answered; 0: default 16 */
	struct addr dst;            /* TTLs that ran out in its name are no loop: a NAT in front of
				     * it puts it on the errors from behind, too. None: not known */
	uint8_t length;             /* TTL at which the destination is expected, from others near it
				     * in this run; 0: unknown. No TTL beyond is sent until that
				     * one has been heard of or given up */
	uint8_t turn_span;          /* the survey's first so many TTLs ... */
	uint8_t turn;               /* ... begin with this one of them, and go round: 0 the first */
	bool one_at_end;            /* attempts that reach the destination never overlap (a host
				     * answers no second SYN of a half-open connection) */
};

/* What an accepted answer means for the trace. Told by ICMP type, never by source alone. */
enum tracer_event {
	TRACER_TTL_EXCEEDED,
	TRACER_DESTINATION, /* echo reply, port unreachable by the target, SYN-ACK, RST */
	TRACER_UNREACHABLE, /* !H, !N, frag needed ...: ends the path beyond this TTL */
	TRACER_PROHIBITED,  /* !X and kin: a filter. Never ends a trace by itself: the same router
			     * may say so at many TTLs while another method passes (mtr#434) */
};

enum tracer_want { TRACER_SEND, TRACER_WAIT, TRACER_DONE };

struct tracer_step {
	enum tracer_want want;
	uint8_t ttl, attempt; /* TRACER_SEND */
	struct mono until;    /* TRACER_WAIT: call again then, or when something arrives */
};

struct tracer; /* fixed size, in tracer_state.h for those who embed it */

#include "prober/engine/tracer_state.h"

/* Rows a tracer needs that goes as far as this. */
#define TRACER_ROWS(max_ttl) ((uint32_t)(max_ttl) + 1)

/* rows: TRACER_ROWS(c->max_ttl) of them, whatever they hold, lent until the tracer is no longer
 * used. Values out of range are brought into it. The order of work afterwards: hand over every
 * reply that is already captured, then ask tracer_next, then pacing, then send: a probe must not
 * expire while its answer lies unread. */
void tracer_init(struct tracer *t, struct tracer_hop *rows, const struct tracer_config *c,
		 struct mono now);
/* What to do now. TRACER_SEND repeats the same answer until tracer_sent, tracer_not_sent or
 * tracer_defer is called for it, or a reply makes it pointless. Expires overdue probes as a side
 * effect. Constant time unless something happened since, else one pass over the TTLs in use. */
struct tracer_step tracer_next(struct tracer *t, struct mono now);
void tracer_sent(struct tracer *t, uint8_t ttl, uint8_t attempt, struct mono at);
/* The kernel refused this probe: it counts as answered by nothing, at once. */
void tracer_not_sent(struct tracer *t, uint8_t ttl, uint8_t attempt, struct mono at);
/* Pacing holds this TTL's router back (PACING_ROUTER): tracer_next offers another TTL, or waits.
 * All TTLs deferred are offered again at the earliest `until` given. A first attempt that is
 * deferred still goes before any second one. */
void tracer_defer(struct tracer *t, uint8_t ttl, struct mono until);
/* An accepted answer to (ttl, attempt). rtt_ns may be -1; one that cannot be true (a clock step) is
 * not believed. Returns false when this probe was answered before (a duplicate), never sent, or the
 * trace is done (then *late is set); *late is set when its wait had already ended. */
bool tracer_reply(struct tracer *t, uint8_t ttl, uint8_t attempt, enum tracer_event event,
		  struct addr from, int64_t rtt_ns, struct mono now, bool *late);
/* What spoke as the destination at this TTL or below is something nearer than it: the probe was
 * answered by a router too. (That routers answer from beyond is seen here without being told.) The
 * trace goes on to where nobody contradicts the destination. */
void tracer_nearer(struct tracer *t, uint8_t ttl, struct mono now);
/* Whether anybody but an impostor spoke as the destination at this TTL, now that there is one. */
void tracer_spoke(struct tracer *t, uint8_t ttl, bool truly, struct mono now);
/* The highest TTL from beyond which a router answered, or for the same probe, whether anything
 * spoke as the destination or not. */
uint8_t tracer_nearer_ttl(const struct tracer *t);
/* Takes one TTL within the path, not the destination's, at which an attempt expired: its router may
 * be limiting, so tell pacing_silent. Each expiry is told once. False: no more. Ask after
 * tracer_next, also when it says TRACER_DONE. */
bool tracer_take_silent(struct tracer *t, uint8_t *ttl);
/* Takes one TTL at which an attempt expired, whether within the path or beyond it, the
 * destination's too. Each expiry is told once, of all attempts that were out there. False: no
 * more. Ask as above. */
bool tracer_take_overdue(struct tracer *t, uint8_t *ttl);
/* Nothing was ever heard at this TTL, all attempts that it is owed are lost, and the caller knows
 * that this is its own speed's doing: one attempt more, after a pause that grows. At most
 * TRACER_AGAIN_MAX of them at one TTL. May reopen a trace that was done, but none that was stopped
 * or ran out of time. False: no. */
bool tracer_again(struct tracer *t, uint8_t ttl, struct mono now);
/* The queues on the way have grown by so much since RTTs were measured: waits are as much longer
 * from now on, still never longer than the user's. */
void tracer_slack(struct tracer *t, int64_t ns);
/* Ends it from outside (interrupt, error); tracer_next says TRACER_DONE from then on. */
void tracer_stop(struct tracer *t, enum stop why);

/* Valid when done. */
enum stop tracer_stop_reason(const struct tracer *t);
enum reach tracer_reach(const struct tracer *t);
/* The highest TTL that belongs to the path: the lowest at which the destination answered, or where
 * the stop rule cut; 0 when nothing was sent. TTLs sent ahead of it are not part of the record
 * (they are counted). */
uint8_t tracer_last_ttl(const struct tracer *t);
/* Who answered (ttl) last, none if nobody: for the router bucket of the next attempt. */
struct addr tracer_responder(const struct tracer *t, uint8_t ttl);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * Shared beginnings: what the paths to many targets have in common, learned from a few whole traces
 * (scouts), confirmed by every later trace, and inherited by it. Pure: traces in, traces out; who
 * is asked what and when is the caller's.
 *
 * The beginning of the scouts is the hops before an anchor. A later target is asked from the anchor
 * on: hop by hop as ever, but nothing nearer. Its trace inherits the hops before the anchor only
 * when the anchor answers it as it answered the scouts. The rules, each with its reason:
 *
 *   - At every TTL up to the last one in common, all scouts that got an answer got it from the same
 *     single router, as a TTL exceeded. Silence contradicts nobody (routers ration their answers),
 *     but the anchor and the last hop in common answered every scout.
 *   - Nothing inside the profile's network, no answer of a destination, and no router that answers
 *     at two TTLs of the beginning.
 *   - The inherited hops belong to one border of the profile at most (a listed other way in counts
 *     as one). If they do, the anchor lies before the last hop in common, and what is in common
 *     from the anchor on belongs to the same border and to no other: so a verdict never rests on
 *     inherited hops of a carrier alone. The last hop in common may be where two ways join, and a
 *     router may answer with an address of its other side (measured in namespaces): as the anchor
 *     it would confirm a way that is not taken.
 *
 * What it cannot see: a branch within the beginning (a balancer between hops 1 and the anchor that
 * joins again before it), for targets that are no scouts.
 */
#ifndef ANALYSIS_BEGINNING_H
#define ANALYSIS_BEGINNING_H

#include <stdbool.h>
#include <stdint.h>

#include "core/record/names.h"
#include "core/record/trace.h"
#include "geo/profile.h"

enum beginning_state {
	BEGINNING_NOT_ASKED,
	BEGINNING_SILENT,
	BEGINNING_ROUTER, /* one router let the TTL run out, and nobody else answered */
	BEGINNING_ELSE,   /* several routers, an unreachable, the destination */
};

/* A trace reduced to what is compared. */
struct beginning_hop {
	struct addr from;  /* for BEGINNING_ROUTER */
	uint8_t ttl;
	uint8_t state;     /* enum beginning_state */
	bool inside;       /* somebody inside the profile's network answers here */
	bool again;        /* an address that answered at a lower TTL too */
	uint32_t speakers; /* a bit for each border that answers here, one more for listed others */
	bool foreign;      /* somebody of another named network answers here */
};
struct beginning_view {
	struct beginning_hop hops[TRACE_MAX_TTL + 1]; /* by TTL; [0] is not used */
	uint8_t first_ttl, last_ttl;                  /* asked; 0: nothing was */
};

struct beginning {
	uint8_t first_ttl;
	uint8_t anchor_ttl; /* 0: nothing worth sharing; else hops first_ttl..anchor_ttl - 1 are */
	struct addr anchor;
	struct addr from[TRACE_MAX_TTL + 1]; /* of the shared hops, by TTL; none: silent */
	uint32_t speakers;                   /* of the shared hops: at most one bit */
	bool foreign;                        /* some of them are another named network's */
};

enum beginning_answer {
	BEGINNING_CONFIRMED,
	BEGINNING_DOUBTFUL, /* cannot be told: this target is to be traced whole */
	BEGINNING_REFUTED,  /* another way: the same, and the beginning is to be learned anew */
};

/* names and profile as for border_judge. BP_ENOMEM. */
int beginning_read(const struct trace *t, const struct names *names, const struct profile *p,
		   struct wall now, struct beginning_view *out);

/* What n >= 1 whole traces from the same first TTL have in common. */
void beginning_learn(const struct beginning_view *const *scouts, unsigned n,
		     struct beginning *out);
/* How many of the shared hops answered this scout: it is from the best one that others inherit. */
unsigned beginning_known(const struct beginning *b, const struct beginning_view *scout);

/* What a trace from the anchor on, and its view, say of the beginning it would inherit. */
enum beginning_answer beginning_confirm(const struct beginning *b, const struct trace *later,
					const struct beginning_view *view);
/* What a whole trace says of it. */
enum beginning_answer beginning_check(const struct beginning *b,
				      const struct beginning_view *whole);

/* A copy of `later` with one entry for each shared hop before its own, from `source`, flagged
 * REPLY_INHERITED, without times. Counters stay those of `later`. *out is owned (free). BP_ENOMEM,
 * BP_ERANGE when there is no room for them. */
int beginning_inherit(const struct beginning *b, const struct trace *source,
		      const struct trace *later, struct trace **out);

#endif

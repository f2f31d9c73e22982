// SPDX-License-Identifier: BSD-2-Clause
/*
 * The reduced path: what a trace says of the way to the border, once answers are turned into hops
 * that speak for a border, for another way in, for nobody, or for the inside. One router that
 * answers at many TTLs is one hop, at the first of them. Weighs nothing: that is border_rules.c.
 */
#ifndef ANALYSIS_BORDER_PATH_H
#define ANALYSIS_BORDER_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/record/names.h"
#include "core/record/trace.h"
#include "core/record/verdict.h"
#include "geo/profile.h"

enum {
	BORDER_PATH_HOPS = 1024, /* distinct addresses kept; more are counted in `dropped` */
	BORDER_PATH_STEPS = 255, /* TTLs */
	BORDER_PATH_SPEAKERS = VERDICT_BORDERS_MAX + 1, /* borders, then "other" */
};

enum border_hop_kind {
	BORDER_HOP_SKIPPED, /* private, shared, exchange LAN: shown, no part of AS logic */
	BORDER_HOP_UNNAMED, /* public, of no known network: speaks for nobody */
	BORDER_HOP_FOREIGN, /* a named network that is no way in by the profile */
	BORDER_HOP_WAY,	    /* a way in that the profile lists among its others (a satellite) */
	BORDER_HOP_CARRIER, /* a border's network */
	BORDER_HOP_INSIDE,
};

struct border_hop {
	uint8_t ttl;   /* the first it answered at */
	uint8_t kind;  /* enum border_hop_kind */
	uint8_t basis; /* enum via_basis, for carriers */
	int8_t border; /* index, for carriers; -1 */
	unsigned answers;
	struct addr from;
	uint32_t asn;		 /* 0: none */
	const char *org;	 /* borrowed from names or profile; may be empty, never NULL */
	const char *country;	 /* likewise */
	const struct name *name; /* may be NULL */
	bool filter;		 /* said "administratively prohibited" */
	bool customer;		 /* the overlay: a customer's router on the carrier's space */
	bool border_router;	 /* the overlay: known to stand at the border */
	bool conflict;		 /* AS table and profile disagree */
	bool once_way;		 /* an other way in, but not at the time of the record */
	int8_t once;		 /* border whose network this is at another time; -1 */
};

/* All hops of one TTL, outside and before the inside, reduced to who speaks there. */
struct border_step {
	uint8_t ttl;
	int8_t speaker;		      /* border index, `other`, or -1: the one with most answers */
	bool split;		      /* two borders, or one and a listed other way */
	const struct border_hop *hop; /* of the speaker; the first of that TTL when nobody speaks */
	unsigned votes[BORDER_PATH_SPEAKERS]; /* answers by speaker */
};

struct border_path {
	unsigned borders; /* of the profile, at most VERDICT_BORDERS_MAX */
	unsigned other;	  /* = borders: the speaker after the last */
	struct border_hop hops[BORDER_PATH_HOPS];
	unsigned hop_count, dropped;
	struct border_step steps[BORDER_PATH_STEPS]; /* by TTL, only those with hops outside */
	unsigned step_count;
	const struct border_hop *last_outside; /* last public hop before the inside; NULL none */
	const struct border_hop *first_inside; /* NULL: not seen */
	uint8_t forged_ttl;		       /* an answer set aside as forged; 0 none */
	struct addr forged_from;
	uint8_t last_answer_ttl; /* 0: nothing answered */
	uint8_t last_probed_ttl;
};

/* Whether a border was a way in at that time: its own validity, and that of a network of its. */
bool border_is_open(const struct profile *p, unsigned border, struct wall when);

/* Fills *out. names may be NULL. */
void border_path_reduce(const struct trace *t, const struct names *names, const struct profile *p,
			struct wall when, struct border_path *out);

#endif

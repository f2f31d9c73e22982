// SPDX-License-Identifier: BSD-2-Clause
/*
 * A judged trace reduced to what series, events and reports look at: who asked whom, what became of
 * it, by which border, how long it took, and who answered on the way. The same whether it came from
 * the daemon, a file or a store (which fills it without opening bodies). Pure.
 */
#ifndef ANALYSIS_POINT_H
#define ANALYSIS_POINT_H

#include <stdbool.h>
#include <stdint.h>

#include "analysis/diff_intern.h"
#include "core/addr.h"
#include "core/clock.h"
#include "core/record/names.h"
#include "core/record/trace.h"
#include "core/record/verdict.h"
#include "geo/profile.h"

/* Who answers on ways, kept once. Number 0 is the destination of whatever trace. */
enum { NODE_DESTINATION = 0 };
struct node {
	struct addr addr;    /* not set for NODE_DESTINATION */
	uint32_t asn;        /* 0: of no table */
	bool skipped;        /* private, shared, an exchange: no part of AS logic */
};
struct nodes { struct intern intern; /* of struct node */ };
int nodes_init(struct nodes *n);     /* BP_ENOMEM */
void nodes_fini(struct nodes *n);
int nodes_put(struct nodes *n, const struct node *node, uint32_t *number);
const struct node *nodes_get(const struct nodes *n, uint32_t number);

struct point_hop { uint8_t ttl; uint32_t node; };

enum { POINT_HOPS_MAX = 512 };

struct point {
	/* Borrowed, and one pointer for one name within a stream of points. Never NULL; empty: not
	 * known. */
	const char *vantage, *campaign, *round, *target, *id;
	struct wall start, end;      /* of the trace; 0 not known; no end: as long as its start */
	struct addr dst;
	struct prefix prefix;        /* judge prefix; outside the network the address alone */
	uint8_t method, reach, stop; /* their enums */
	int32_t dport, flow;         /* -1: none */
	bool measured;               /* false: STOP_ERROR, nothing was sent: says nothing */
	bool judged;
	uint8_t outcome, class;      /* their enums; undetermined and unknown where not judged */
	const char *border;          /* for OUTCOME_BORDER; else empty */
	double confidence;
	uint32_t via_asn;            /* 0 not known */
	const char *via_org;         /* may be empty */
	/* The destination's answers in time: as diff_delays. -1: none. */
	int64_t rtt_min_ns, rtt_median_ns;
	uint16_t asked, answered;    /* probes at the destination's TTL, and how many it answered; a
				      * destination that did not answer: the attempts, 0 */
	int16_t reply_ttl;           /* of its first answer; -1 */
	uint8_t last_ttl;            /* highest TTL that anybody answered at; 0: nobody did */
	uint32_t last_node;          /* who did, for last_ttl > 0 */
	/* The last hop outside, as the verdict tells; ttl 0: not told. */
	uint8_t outside_ttl;
	struct addr outside;
	int64_t outside_rtt_ns;      /* least; -1 */
	/* Who answered, rising by TTL then node, each once; silent TTLs have none. Cut behind the
	 * destination, as core/record/flat.h says. Borrowed. */
	const struct point_hop *hops;
	unsigned hop_count;
	int64_t example;             /* whoever made the point knows the trace by it; 0 none */
};

/* Room for what a point borrows, used again for the next. A zeroed struct is empty. */
struct point_room {
	struct intern names;         /* vantages, campaigns, rounds, targets, borders, orgs */
	struct point_hop hops[POINT_HOPS_MAX];
	char id[TRACE_ID_TEXT];
	int64_t *delays;             /* owned */
	unsigned delays_room;
};
void point_room_fini(struct point_room *r);

/* Of a whole trace. names and v may be NULL (not judged). BP_ENOMEM. */
int point_of_trace(const struct trace *t, const struct names *names, const struct verdict *v,
		   const struct profile *p, struct nodes *nodes, struct point_room *room,
		   struct point *out);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * Series: what each (vantage point, prefix, method) showed round by round, on the rounds that were
 * measured. Points and rounds go in, as they come; cells come out, each when its round is over: one
 * per key and round. A round that was missed, or measured by a vantage point that was offline, is a
 * gap of each key it would have measured: never an outage, never a value. Pure; bounded by keys and
 * by what one round holds.
 *
 * Points without a round (files of single traces) make rounds by themselves: one ends when a
 * (destination, method, flow) of its vantage point comes again, or after a pause of 10 minutes.
 */
#ifndef ANALYSIS_SERIES_H
#define ANALYSIS_SERIES_H

#include "analysis/point.h"
#include "core/record/round.h"

enum { SERIES_BORDERS_MAX = VERDICT_BORDERS_MAX + 1, SERIES_HOSTS_MAX = 16,
       SERIES_FLOWS_MAX = 256 }; /* of one destination; of more, no outside hop is sought */

/* One (vantage, campaign, prefix, method). Numbers are stable while the series live. */
struct series_key {
	uint32_t number;
	const char *vantage, *campaign;
	struct prefix prefix;
	uint8_t method;
};

enum cell_state {
	CELL_UNKNOWN,
	CELL_MEASURED,
	CELL_MISSED,  /* nobody measured; `why` says why */
	CELL_OFFLINE, /* our own health: the vantage point reached nobody */
};

/* One destination in a cell. */
struct cell_host {
	struct addr dst;
	const char *target;         /* as the plan names it */
	uint16_t traces, reached;   /* flows */
	uint16_t asked, answered;
	uint8_t outcome;            /* over its flows; OUTCOME_MIXED: decided differently */
	int border;                 /* index, or -1 */
	int64_t rtt_min_ns, rtt_median_ns; /* -1 */
	int64_t outside_rtt_ns;     /* least over flows that show the same outside hop; -1 */
	int16_t reply_ttl;          /* -1; of the lowest flow */
};

struct cell {
	const struct series_key *key;
	const char *round;          /* id; empty: made by the series */
	struct wall planned;        /* of the round; its first start where it has no plan */
	struct wall first, last;    /* first and last start of what is in it */
	/* First and last sights: the least end of a trace, and the greatest start. 0: none. */
	struct wall any_first;      /* of any trace */
	struct wall shown, held;    /* of those that show `outcome` (mixed: of the second border) */
	struct wall answered_first, answered_last; /* of those that reached their destination */
	struct wall end;            /* when it could be known: the end of the round, or of its last
				     * trace. Of a gap: of the round, else its planned moment */
	int64_t every_ns;           /* distance of the rounds so far (median); 0 not known */
	uint8_t state;              /* enum cell_state; below: of CELL_MEASURED only */
	uint8_t why;                /* enum round_why */
	bool look;                  /* a closer look between rounds, not of the schedule */
	bool moved;                 /* the vantage point's identity differs from its round before */
	bool reference;             /* a reference host answered in the round */
	bool online;                /* the round says that somebody did, a target too */
	bool unsure;                /* the round says of its vantage point's health that nobody can
				     * tell: no target answered, and no reference host */
	uint16_t traces, hosts, hosts_reached;
	uint16_t asked, answered;   /* loss to the destinations = 1 - answered / asked */
	/* Verdicts by index of border (series_border), `other` the last; mixed and undetermined. */
	uint16_t by_border[SERIES_BORDERS_MAX], mixed, undetermined, none;
	uint16_t by_reach[5];       /* by enum reach; all counts stop at UINT16_MAX */
	uint16_t by_class[6];       /* by enum path_class */
	uint8_t outcome;            /* of all: one border when every decided trace says so, mixed
				     * when they differ, undetermined when none is decided */
	int border;                 /* index for OUTCOME_BORDER; -1 */
	double confidence;          /* mean over those that decided */
	uint32_t via_asn; const char *via_org; /* of the most; 0, "" */
	int64_t rtt_min_ns;         /* least over hosts; -1 */
	int64_t rtt_median_ns;      /* median over hosts of their medians; -1 */
	int64_t outside_rtt_ns;     /* least; -1 */
	uint32_t last_node; uint8_t last_ttl; /* where most silent paths ended */
	/* Who answered at which TTL in any trace: rising, each once. */
	const struct point_hop *hops; unsigned hop_count;
	const struct cell_host *host; unsigned host_count; /* in the order of addresses, at most
				     * SERIES_HOSTS_MAX; `hosts` counts all */
	char example[TRACE_ID_TEXT]; /* a trace that shows the outcome */
};

struct series;
/* on_cell gets cells of one key in the order of `end` (a closer look may end before the round that
 * was planned before it); everything is borrowed until it returns. Negative stops and is
 * returned. */
int series_new(const struct profile *p, struct nodes *nodes,
	       int (*on_cell)(void *arg, const struct cell *c), void *arg, struct series **out);
void series_free(struct series *s);
/* In any order within a round; rounds of a vantage point in their order. A round that nobody tells
 * of (series_round) is over when the third one after it begins. BP_ENOMEM. */
int series_point(struct series *s, const struct point *p);
/* The round is over: its cells come out, with those of rounds before it that are still open. Where
 * it missed anything, keys that have nothing in it get a gap; where it did not, they are not asked
 * any more, and get none until they are measured again. A closer look leaves no gaps. */
int series_round(struct series *s, const struct round *r);
/* Nothing more comes: what is open comes out. */
int series_end(struct series *s);
/* Ids of the borders by index: the profile's in its order, then "other". NULL behind the last. */
const char *series_border(const struct series *s, unsigned index);
unsigned series_border_count(const struct series *s);
unsigned series_key_count(const struct series *s);
const struct series_key *series_key(const struct series *s, uint32_t number);

#endif

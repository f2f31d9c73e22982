// SPDX-License-Identifier: BSD-2-Clause
/*
 * What routing tables say of a network around a moment: for each prefix which network stands before
 * its origin, at how many peers of the collectors; as last told before the moment, and as last told
 * by the end of the window. It is what routers announce, not what packets do. Fed line by line, in
 * whatever order, of one file or many; pure but for memory.
 *
 * Memory: 100 bytes for each peer and each (peer, prefix) of the network; other prefixes' lines are
 * passed over, but for what they tell of their peer.
 */
#ifndef ANALYSIS_ROUTES_H
#define ANALYSIS_ROUTES_H

#include "core/json.h"
#include "core/record/bgpline.h"
#include "geo/profile.h"

enum { ROUTES_PEERS_MAX = 1 << 16, ROUTES_PREFIXES_MAX = 1 << 12, ROUTES_STATES_MAX = 1 << 20 };

/* Peers whose route into that prefix ends "... upstream origin". */
struct routes_row {
	struct prefix prefix;
	uint32_t origin;        /* 0: several (aggregated) */
	uint32_t upstream;      /* 0: none, or several */
	unsigned before, after; /* peers, of routes_prefix.before and .after */
	struct wall first;      /* first told in the window from the moment on; 0: not there */
};

/* Peers with a route. */
struct routes_prefix { struct prefix prefix; unsigned before, after; };

struct routes {
	const struct profile *profile;   /* borrowed */
	struct routes_row *rows;         /* owned; by prefix, most peers first */
	unsigned row_count;
	struct routes_prefix *prefixes;  /* owned; sorted */
	unsigned prefix_count;
	unsigned peers;                  /* that told of the network */
	struct wall before_told, after_told; /* the last line on each side, of any prefix; 0: none,
	                                      * and nothing can be said of that side */
	uint64_t lines, skipped;         /* read in all; not understood, told by who read them */
};

struct routes_maker;

/* Before is before `at`; after is from it until `until`, what is later is passed over. p stays as
 * it is until routes_fini. BP_ENOMEM. */
int routes_new(const struct profile *p, struct wall at, struct wall until,
	       struct routes_maker **out);
void routes_free(struct routes_maker *m);
/* A table's entries are its peer's whole view at that time: what the peer told before and is not in
 * it is withdrawn. The peer's view is that of all lines, of whatever file. BP_ENOMEM, BP_ERANGE
 * (more peers or prefixes than fit). */
int routes_take(struct routes_maker *m, const struct bgp_line *line);
/* A line that was not understood. */
void routes_skip(struct routes_maker *m);
/* *out is filled and borrows p alone; routes_fini frees it. BP_ENOMEM. */
int routes_make(struct routes_maker *m, struct routes *out);
void routes_fini(struct routes *r);

/* The prefix's sums; NULL: not there. */
const struct routes_prefix *routes_prefix_of(const struct routes *r, struct prefix p);
/* The id of the border that this network stands for at that time; NULL: none. */
const char *routes_border(const struct profile *p, uint32_t asn, struct wall when);
/* "routes":{...} as a member. */
void routes_json(struct json_writer *w, const struct routes *r);

#endif

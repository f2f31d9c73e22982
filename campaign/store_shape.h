// SPDX-License-Identifier: BSD-2-Clause
/*
 * Traces that are alike in all but their moment, destination and times have one *shape*: the point
 * of one of them, and which slots of a body hold the times that a point wants. A shape is made from
 * a whole trace by point_of_trace, so that a store's points are those of its records; a trace more
 * costs a look into a table. Private to the engines, which say what rows point to.
 */
#ifndef CAMPAIGN_STORE_SHAPE_H
#define CAMPAIGN_STORE_SHAPE_H

#include "analysis/point.h"
#include "campaign/store.h"

struct shape_key {
	int64_t path, verdict, settings;
	int64_t naming;   /* 0: as `geo` names */
	int64_t geo;
	int64_t goal;     /* where the destination's very address decides; else 0 */
	uint32_t epoch;   /* of the profile: how many of its labels' dates are past */
	uint8_t method, family, unused[2];
};

struct shape {
	struct shape_key key;
	uint64_t hash;
	struct point point;     /* without names of its own, start, dst, prefix, ports and times */
	bool outside_is_dst;
	uint16_t delays, outside; /* how many slots of each */
	uint32_t slot_at, hop_at; /* in the table's lists */
};

/* row: the engine's, as shapes_find was given it. */
struct shape_source {
	/* Its trace, hops in the order of the body's slots, without times. Owned by the caller. */
	int (*hops)(void *arg, const void *row, struct trace **out, struct bp_error *err);
	/* How the addresses of that trace, in its own order now, are named; and its latest
	 * judgement, where the key has one. */
	int (*judgement)(void *arg, const void *row, const struct shape_key *key,
			 const struct trace *t, struct names *names, struct verdict *verdict,
			 struct bp_error *err);
	/* BP_EPARSE, with a word for the row. */
	int (*damaged)(void *arg, const void *row, struct bp_error *err);
};

struct shapes;
/* profile, nodes and room of `to` stay as they are until shapes_free, as source; one pointer for
 * one name, of room. */
int shapes_new(const struct shape_source *source, void *arg, const struct store_points *to,
	       struct shapes **out);
void shapes_free(struct shapes *t);
uint32_t shapes_epoch(const struct shapes *t, struct wall when);
/* The shape of the trace of `row`, which started then. Borrowed until the next call, as are its
 * hops and slots: first those of the destination's `delays` answers, then the `outside` ones of the
 * last hop outside. 0, BP_ENOMEM, BP_EPARSE (damaged), errors of the engine. */
int shapes_find(struct shapes *t, const struct shape_key *like, const void *row, struct wall start,
		const struct shape **out, struct bp_error *err);
const uint32_t *shapes_slots(const struct shapes *t, const struct shape *x);
const struct point_hop *shapes_hops(const struct shapes *t, const struct shape *x);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * Traces that are alike in all but their moment, destination and times have one *shape*: the point
 * of one of them, and which slots of a body hold the times that a point wants. A shape is made from
 * a whole trace by point_of_trace, so that a store's points are those of its records; a trace more
 * costs a look into a table. Private to campaign/sqlite*.c.
 */
#ifndef CAMPAIGN_SQLITE_SHAPE_H
#define CAMPAIGN_SQLITE_SHAPE_H

#include "analysis/point.h"
#include "campaign/sqlite.h"

/* What a point depends on beside its moment, destination and times: rows, 0 none. */
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

struct shapes;
/* profile, nodes and room stay as they are until shapes_free; one pointer for one name, of room. */
int shapes_new(struct sqlite_store *s, const struct store_points *to, struct shapes **out);
void shapes_free(struct shapes *t);
uint32_t shapes_epoch(const struct shapes *t, struct wall when);
/* The shape of the trace on which st stands (columns of STMT_TRACES), which lies in `segment` and
 * started then. Borrowed until the next call, as are its hops and slots: first those of the
 * destination's `delays` answers, then the `outside` ones of the last hop outside. 0, BP_ENOMEM,
 * BP_EPARSE (damaged), errors of SQLite. */
int shapes_find(struct shapes *t, const struct shape_key *like, sqlite3_stmt *st, int64_t segment,
		struct wall start, const struct shape **out, struct bp_error *err);
const uint32_t *shapes_slots(const struct shapes *t, const struct shape *x);
const struct point_hop *shapes_hops(const struct shapes *t, const struct shape *x);

#endif

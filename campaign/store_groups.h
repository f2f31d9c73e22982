// SPDX-License-Identifier: BSD-2-Clause
/*
 * The groups of store_groups, of rows that an engine reads: each is told by the row numbers that
 * its traces share, and what these stand for is asked for once. Vantage point after vantage point:
 * rows are added, then all groups given. Private to the engines.
 */
#ifndef CAMPAIGN_STORE_GROUPS_H
#define CAMPAIGN_STORE_GROUPS_H

#include "campaign/store_engine.h"

/* A trace as far as a group needs it. */
struct groups_row {
	int64_t goal, settings, path; /* rows */
	int64_t example;
	int64_t start_us;             /* for dated */
	bool dated, timed;            /* timed: an answer of the destination has a time */
	const uint8_t *body;          /* as campaign/body.h; borrowed, as `own` */
	size_t body_size;
	const void *own;              /* the engine's, for `hops` and `keep` */
};
struct groups_path {
	uint64_t way;
	uint32_t slots;
	uint8_t reach;
	bool failed; /* could not be measured: in no group */
};

/* What rows stand for. path: of row->path, of which this is the first. goal, settings: their fields
 * of the scratch trace t. */
struct groups_source {
	int (*path)(void *arg, const struct groups_row *row, struct groups_path *out,
		    struct bp_error *err);
	int (*goal)(void *arg, int64_t id, struct trace *t, struct bp_error *err);
	int (*settings)(void *arg, int64_t id, struct trace *t, struct bp_error *err);
	/* The trace of a row, its hops in the order of the body's slots, without times. Owned. */
	int (*hops)(void *arg, const struct groups_row *row, struct trace **out,
		    struct bp_error *err);
	/* NULL: nothing to be kept. The row is now the example of the group of this number, of
	 * those that are given next. */
	int (*keep)(void *arg, uint32_t group, const struct groups_row *row, struct bp_error *err);
	int (*give)(void *arg, uint32_t group, const struct store_group *g, struct bp_error *err);
};

struct grouping;
/* source stays as it is until groups_free. BP_ENOMEM. */
int groups_new(const struct groups_source *source, void *arg, struct grouping **out);
void groups_free(struct grouping *w);
/* Forgets the groups there are. */
void groups_forget(struct grouping *w);
int groups_add(struct grouping *w, const struct groups_row *row, struct bp_error *err);
/* All that there are; then there are none. vantage: theirs. */
int groups_give(struct grouping *w, const char *vantage, struct bp_error *err);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * A walk over what a selection chooses, oldest first: a page of items at a time; of its segments as
 * many at once as make some thousand traces, with everything that these point to. Private to
 * campaign/postgres/.
 */
#ifndef CAMPAIGN_POSTGRES_PG_WALK_H
#define CAMPAIGN_POSTGRES_PG_WALK_H

#include "campaign/postgres/pg_group.h"

struct pg_walk {
	struct pg_store *s;
	struct store_select select;
	struct pg_filter filter;
	unsigned want, cursor;
	bool open;
	struct pg_item items[PG_ITEMS];
	int count, next, loaded; /* items before `loaded` have their segments in `group` */
	struct pg_group group;
	int asked; /* items before it are asked ahead (behind `loaded`); 0: none */
	struct pg_group ahead;
	struct pg_array ids, ahead_ids;
	PGresult *texts; /* of the page's rounds and objects */
};

/* want: bits of enum pg_want. What the selection points to stays until the close. */
int pg_walk_open(struct pg_store *s, const struct store_select *select, unsigned want,
		 struct pg_walk **out, struct bp_error *err);
void pg_walk_close(struct pg_walk *w);
/* 1 and the moment of the item that is next, 0 at the end, negative. */
int pg_walk_next(struct pg_walk *w, struct wall *at, struct bp_error *err);
/* The same item, and passes it: borrowed until the next call, as the rows of a segment, which are
 * in w->group. */
int pg_walk_take(struct pg_walk *w, const struct pg_item **out, struct bp_error *err);
/* The JSON of a round or an object of no segment, borrowed; NULL: it is there no more. */
const char *pg_walk_text(const struct pg_walk *w, const struct pg_item *item, size_t *n);

#endif

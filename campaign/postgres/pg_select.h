// SPDX-License-Identifier: BSD-2-Clause
/*
 * A selection: what there is to read, oldest first, behind a cursor of the server; and which rows
 * of a segment. All under one view of the store. Private to campaign/postgres/.
 */
#ifndef CAMPAIGN_POSTGRES_PG_SELECT_H
#define CAMPAIGN_POSTGRES_PG_SELECT_H

#include "campaign/postgres/pg.h"

enum pg_item_kind { PG_ITEM_SEGMENT, PG_ITEM_ROUND, PG_ITEM_OBJECT /* of no segment */ };
struct pg_item {
	int64_t at_us, id;
	int64_t traces; /* of a segment */
	uint8_t kind;	/* enum pg_item_kind */
};
enum { PG_ITEMS = 2048 };

/* Which traces are wanted. */
struct pg_filter {
	const struct store_select *select;
	int64_t since_us, until_us; /* far away: open */
	bool by_goal;
	int32_t *goals; /* owned, sorted: rows of goals that fit */
	uint32_t goal_count;
	int32_t last_verdict; /* that was looked at, and what came of it; -1: none */
	bool last_fits;
};

/* Opens a view of the store, unless there is one or a transaction is under way; closes it. */
int pg_view_open(struct pg_store *s, struct bp_error *err);
void pg_view_close(struct pg_store *s);

int pg_filter_init(struct pg_store *s, const struct store_select *select, struct pg_filter *out,
		   struct bp_error *err);
void pg_filter_fini(struct pg_filter *f);
bool pg_filter_goal(const struct pg_filter *f, int32_t goal);
/* start_us PG_MINUS_INFINITY: it has none. */
bool pg_filter_start(const struct pg_filter *f, int64_t start_us);
/* The verdict (0: none) was fetched. */
int pg_filter_border(struct pg_store *s, struct pg_filter *f, int32_t verdict, bool *out,
		     struct bp_error *err);

/* The items of a selection, by the cursor of this number (pg_store.cursors). */
int pg_items_open(struct pg_store *s, const struct pg_filter *f, unsigned want, unsigned cursor,
		  struct bp_error *err);
/* Up to PG_ITEMS more; their number, 0 at the end. */
int pg_items_next(struct pg_store *s, unsigned cursor, struct pg_item items[static PG_ITEMS],
		  struct bp_error *err);
void pg_items_close(struct pg_store *s, unsigned cursor);

#endif

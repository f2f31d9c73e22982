// SPDX-License-Identifier: BSD-2-Clause
/*
 * A selection as SQL and as a filter: which segments, rounds and objects there are to read, oldest
 * first, over an index; and which rows of a segment. Private to campaign/sqlite*.c.
 */
#ifndef CAMPAIGN_SQLITE_SELECT_H
#define CAMPAIGN_SQLITE_SELECT_H

#include "campaign/sqlite.h"

/* Parameters of the list that the reader sets: behind which item it goes on, and how many. */
enum { SELECT_FROM_AT = 1, SELECT_FROM_KIND, SELECT_FROM_ID, SELECT_LIMIT };
/* The list: at, kind (0 segment, 1 round, 2 object of no segment), row, first, last. Finalised by
 * the caller. */
int select_list(struct store *s, const struct store_select *select, sqlite3_stmt **out,
		struct bp_error *err);
/* The same for segments alone, for store_groups: id, first, last, vantage, base_us; those of one
 * vantage point together. */
int select_segments(struct store *s, const struct store_select *select, sqlite3_stmt **out,
		    struct bp_error *err);

struct select_filter {
	const struct store_select *select;
	int64_t since_us, until_us; /* INT64_MIN, INT64_MAX: open */
	int64_t base_us;	    /* of the segment */
	bool by_goal;
	int64_t *goals; /* owned, sorted: rows of goals that fit */
	uint32_t goal_count;
	int64_t last_verdict; /* that was looked at, and what came of it */
	bool last_fits;
};
int select_filter_init(struct store *s, const struct store_select *select,
		       struct select_filter *out, struct bp_error *err);
void select_filter_fini(struct select_filter *f);
void select_segment(struct select_filter *f, int64_t base_us);
/* Whether a row (columns of STMT_TRACES) is wanted. */
int select_row(struct store *s, struct select_filter *f, sqlite3_stmt *st, bool *out,
	       struct bp_error *err);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * A selection as SQL and as a filter: which segments, rounds and objects there are to read, oldest
 * first, over an index; and which rows of a segment. Private to campaign/sqlite*.c.
 */
#ifndef CAMPAIGN_SQLITE_SELECT_H
#define CAMPAIGN_SQLITE_SELECT_H

#include "campaign/sqlite.h"

/* What there is to read, oldest first, page by page: no statement stays open from page to page. */
enum select_kind { SELECT_SEGMENT, SELECT_ROUND, SELECT_OBJECT /* of no segment */ };
struct select_item {
	int64_t at, kind, id, first, last; /* kind: enum select_kind; rows of a segment */
};
enum { SELECT_PAGE = 256 };
struct select_list {
	sqlite3_stmt *st;
	struct select_item items[SELECT_PAGE];
	int count, next;
};
int select_list_open(struct sqlite_store *s, const struct store_select *select,
		     struct select_list **out, struct bp_error *err);
void select_list_close(struct select_list *l);
/* The item that is next, again and again until select_list_pass: 1, 0 at the end, negative.
 * Borrowed until the call after the pass. */
int select_list_next(struct sqlite_store *s, struct select_list *l, const struct select_item **out,
		     struct bp_error *err);
static inline void select_list_pass(struct select_list *l)
{
	l->next++;
}
/* The same for segments alone, for store_groups: id, first, last, vantage, base_us; those of one
 * vantage point together. */
int select_segments(struct sqlite_store *s, const struct store_select *select, sqlite3_stmt **out,
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
int select_filter_init(struct sqlite_store *s, const struct store_select *select,
		       struct select_filter *out, struct bp_error *err);
void select_filter_fini(struct select_filter *f);
void select_segment(struct select_filter *f, int64_t base_us);
/* Whether a row (columns of STMT_TRACES) is wanted. */
int select_row(struct sqlite_store *s, struct select_filter *f, sqlite3_stmt *st, bool *out,
	       struct bp_error *err);

#endif

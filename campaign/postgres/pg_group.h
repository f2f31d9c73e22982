// SPDX-License-Identifier: BSD-2-Clause
/*
 * Some segments with their rows and all that these point to, fetched with a few statements; and a
 * row as a record. Private to campaign/postgres/.
 */
#ifndef CAMPAIGN_POSTGRES_PG_GROUP_H
#define CAMPAIGN_POSTGRES_PG_GROUP_H

#include "campaign/postgres/pg_select.h"

struct pg_segment {
	int32_t id, geo, judge;
	int64_t base_us, start_min_us, start_max_us, seq_base;
	bool undated;
	char vantage[TRACE_VANTAGE_TEXT], campaign[TRACE_CAMPAIGN_TEXT], round[TRACE_ID_TEXT];
	char run[TRACE_ID_TEXT];
};

/* A row of trace, with the latest judgement. */
struct pg_row {
	const struct pg_segment *segment;
	int64_t start_us, took_us; /* PG_MINUS_INFINITY: none */
	int32_t goal, settings, path, verdict, judge, naming, seq, sub; /* sub -1: none */
	bool ours, judged_anew, timed; /* timed: an answer of the destination has a time */
	int16_t nth;
	uint32_t body_size;
	const uint8_t *body;
	const char *foreign; /* the id, where it is not ours and names were wanted */
};

/* What store_trace takes. */
static inline int64_t pg_row_example(const struct pg_row *r)
{
	return (int64_t)r->segment->id << PG_SEGMENT_BITS | r->nth;
}

/* What was loaded of some segments, all of it owned. Rows are in order of segment, then nth. */
struct pg_group {
	struct pg_segment *segments; /* in order of their ids */
	struct pg_row *rows;
	PGresult *traces, *foreign, *objects;
	unsigned segment_count, row_count;
	struct pg_known *holds; /* what is known, for which this group keeps it; NULL: nothing */
};

/* Loads segments (ids: int4) into an empty group: rows that f (NULL: all) lets through by goal and
 * time; of one number if nth is not negative. want: bits of enum pg_want. What rows point to stays
 * known until the clear. */
int pg_group_load(struct pg_store *s, const struct pg_array *ids, int nth,
		  const struct pg_filter *f, unsigned want, struct pg_group *g,
		  struct bp_error *err);
/* The same in two halves (pg_ahead_ask): what it is asked for, and taken with, is the same. */
int pg_group_ask(struct pg_store *s, const void *asker, const struct pg_array *ids,
		 const struct pg_filter *f, struct pg_group *g, struct bp_error *err);
int pg_group_take(struct pg_store *s, const struct pg_array *ids, const struct pg_filter *f,
		  unsigned want, struct pg_group *g, struct bp_error *err);
/* An empty group becomes one of this row alone, as far as that is at hand: only what it points to,
 * and is not known, is asked for. Its latest judgement is. */
int pg_group_of(struct pg_store *s, const struct pg_row *row, unsigned want, struct pg_group *g,
		struct bp_error *err);
void pg_group_clear(struct pg_group *g);
/* The first row at or behind (segment, nth); row_count: none. */
unsigned pg_group_at(const struct pg_group *g, int32_t segment, int nth);

/* Beyond what a wall can hold: INT64_MIN, which no trace has. */
struct wall pg_wall(int64_t us);
/* Of a row whose values are known: its hops in the order of the body's slots, without times; the
 * trace without its id; how it is named and judged, as the trace t shows its hops; its id; all of
 * that. Owned by the caller. */
int pg_row_hops(struct pg_store *s, const struct pg_row *r, struct trace **out,
		struct bp_error *err);
int pg_row_trace(struct pg_store *s, const struct pg_row *r, struct trace **out,
		 struct bp_error *err);
int pg_row_names(struct pg_store *s, const struct pg_row *r, const struct trace *t,
		 struct names *out, struct bp_error *err);
int pg_row_verdict(struct pg_store *s, const struct pg_row *r, const struct trace *t,
		   struct verdict *out, struct bp_error *err);
void pg_row_id(const struct pg_row *r, char out[static TRACE_ID_TEXT]);
int pg_row_record(struct pg_store *s, const struct pg_row *r, struct record *out,
		  struct bp_error *err);

#endif

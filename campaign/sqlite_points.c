// SPDX-License-Identifier: BSD-2-Clause
/*
 * Points (campaign/store_points.h) out of a file: one pass over the rows of what is selected,
 * segment by segment in order of time.
 */
#include <stdlib.h>
#include <string.h>

#include "campaign/sqlite_cache.h"
#include "campaign/sqlite_select.h"
#include "campaign/store_points.h"

/* What the rows of a segment share. */
struct run_of_rows {
	int64_t id, geo, judge, base_us, seq_base;
	const char *vantage, *campaign, *round; /* of room */
	char run[TRACE_ID_TEXT];
};

struct sqlite_point_reader {
	struct store_point_reader reader; /* first */
	struct sqlite_store *s;
	struct store_select select;
	struct store_points to;
	struct select_filter filter;
	struct point_rows *points;
	struct select_list *list;
	sqlite3_stmt *rows;
	struct run_of_rows of;
	char profile[64]; /* of the judge that was asked for */
};

static int no_memory(struct bp_error *err)
{
	return bp_fail(err, BP_ENOMEM, "out of memory");
}

/* --- what rows point to ----------------------------------------------------------------------- */

/* A row is the statement that stands on it (columns of STMT_TRACES). */
static sqlite3_stmt *statement(const void *row)
{
	return (sqlite3_stmt *)(uintptr_t)row;
}

static bool is_null(sqlite3_stmt *st, int at)
{
	return sqlite3_column_type(st, at) == SQLITE_NULL;
}

static int read_hops(void *arg, const void *row, struct trace **out, struct bp_error *err)
{
	struct sqlite_point_reader *r = arg;

	return read_hops_row(r->s, statement(row), out, err);
}

static int read_judged(void *arg, const void *row, const struct shape_key *key,
		       const struct trace *t, struct names *names, struct verdict *verdict,
		       struct bp_error *err)
{
	struct sqlite_point_reader *r = arg;
	const struct judgement_row judged = {
		.verdict = key->verdict, .naming = key->naming, .segment = r->of.id};

	(void)row;
	return read_judgement(r->s, t, &judged, names, verdict, err);
}

static int damaged(void *arg, const void *row, struct bp_error *err)
{
	struct sqlite_point_reader *r = arg;

	return cached_damaged(r->s, "trace", sqlite3_column_int64(statement(row), 0), err);
}

static int read_goal(void *arg, int64_t id, struct trace *t, struct bp_error *err)
{
	struct sqlite_point_reader *r = arg;
	const void *bytes;
	int n, rc = cached_blob(r->s, CACHED_GOAL, id, &bytes, &n, err);

	if (rc == 0 && value_read_goal(bytes, n, t) < 0)
		rc = cached_damaged(r->s, "goal", id, err);
	return rc;
}

static int read_judge(void *arg, int64_t id, const char **profile, struct bp_error *err)
{
	struct sqlite_point_reader *r = arg;
	const unsigned char *text;
	sqlite3_stmt *st;
	int rc = sql_get(r->s, STMT_JUDGE_GET, &st, err);

	if (rc < 0)
		return rc;
	sqlite3_bind_int64(st, 1, id);
	rc = sql_step(r->s, st, err);
	if (rc <= 0)
		return rc < 0 ? rc : cached_damaged(r->s, "judge", id, err);
	text = sqlite3_column_text(st, 0);
	text_set(r->profile, sizeof(r->profile), text != NULL ? (const char *)text : "");
	sqlite3_reset(st);
	*profile = r->profile;
	return 0;
}

static int read_trace_id(void *arg, const void *row, char out[static TRACE_ID_TEXT],
			 struct bp_error *err)
{
	struct sqlite_point_reader *r = arg;

	return read_id(r->s, statement(row), r->of.run, r->of.seq_base, out, err);
}

static const struct points_source of_file = {
	.shape = {.hops = read_hops, .judgement = read_judged, .damaged = damaged},
	.goal = read_goal, .judge = read_judge, .id = read_trace_id};

/* --- rows ------------------------------------------------------------------------------------- */

static int begin_rows(struct sqlite_point_reader *r, const struct select_item *item,
		      struct bp_error *err)
{
	const struct cached_segment *g;
	struct run_of_rows *of = &r->of;
	int rc = cached_segment(r->s, item->id, &g, err);

	if (rc < 0)
		return rc;
	*of = (struct run_of_rows){.id = item->id, .geo = g->geo, .judge = g->judge,
				   .base_us = g->base_us, .seq_base = g->seq_base};
	memcpy(of->run, g->run, sizeof(of->run));
	rc = point_rows_name(r->points, g->vantage, &of->vantage, err);
	if (rc == 0)
		rc = point_rows_name(r->points, g->campaign, &of->campaign, err);
	if (rc == 0)
		rc = point_rows_name(r->points, g->round, &of->round, err);
	select_segment(&r->filter, of->base_us);
	return rc;
}

static int give_point(struct sqlite_point_reader *r, sqlite3_stmt *st, struct bp_error *err)
{
	const struct points_row row = {
		.example = sqlite3_column_int64(st, 0),
		.start = read_start(st, r->of.base_us),
		.end = read_end(st, r->of.base_us),
		.goal = sqlite3_column_int64(st, 6),
		.settings = sqlite3_column_int64(st, 7),
		.path = sqlite3_column_int64(st, 8),
		.verdict = sqlite3_column_int64(st, 9),
		.judge = is_null(st, 10) ? r->of.judge : sqlite3_column_int64(st, 10),
		.naming = sqlite3_column_int64(st, 11),
		.geo = r->of.geo,
		.body = sqlite3_column_blob(st, 12),
		.body_size = (size_t)sqlite3_column_bytes(st, 12),
		.vantage = r->of.vantage,
		.campaign = r->of.campaign,
		.round = r->of.round,
		.own = st,
	};

	return point_rows_give(r->points, &row, err);
}

static int give_rows(struct sqlite_point_reader *r, const struct select_item *item,
		     struct bp_error *err)
{
	int rc = begin_rows(r, item, err);
	bool wanted;

	if (rc < 0)
		return rc;
	sqlite3_bind_int64(r->rows, 1, item->first);
	sqlite3_bind_int64(r->rows, 2, item->last);
	while (rc == 0 && (rc = sql_step(r->s, r->rows, err)) == 1) {
		rc = 0;
		/* Rows of a segment lie together; another's among them is damage. */
		if (sqlite3_column_int64(r->rows, 1) != item->id)
			continue;
		rc = select_row(r->s, &r->filter, r->rows, &wanted, err);
		if (rc == 0 && wanted)
			rc = give_point(r, r->rows, err);
	}
	sqlite3_reset(r->rows);
	return rc;
}

static int give_round(struct sqlite_point_reader *r, int64_t id, struct bp_error *err)
{
	struct round round;
	sqlite3_stmt *st;
	int rc = r->to.on_round != NULL ? sql_get(r->s, STMT_ROUND_GET, &st, err) : 0;

	if (rc < 0 || r->to.on_round == NULL)
		return rc;
	sqlite3_bind_int64(st, 1, id);
	rc = sql_step(r->s, st, err);
	if (rc <= 0)
		return rc;
	rc = point_rows_round((const char *)sqlite3_column_blob(st, 0),
			      (size_t)sqlite3_column_bytes(st, 0), &round, err);
	sqlite3_reset(st);
	if (rc < 0)
		return rc == BP_ENOMEM ? rc : cached_damaged(r->s, "round", id, err);
	return r->to.on_round(r->to.arg, &round, err);
}

/* --- what there is, in order ------------------------------------------------------------------ */

int sqlite_points_open(struct sqlite_store *s, const struct store_select *select,
		       const struct store_points *to, struct sqlite_point_reader **out,
		       struct bp_error *err)
{
	struct sqlite_point_reader *r = calloc(1, sizeof(*r));
	int rc;

	if (r == NULL)
		return no_memory(err);
	r->reader.engine = &sqlite_engine;
	r->s = s;
	r->to = *to;
	if (select != NULL)
		r->select = *select;
	if (point_rows_new(&of_file, r, &r->to, &r->points) < 0) {
		sqlite_points_close(r);
		return no_memory(err);
	}
	rc = select_filter_init(s, &r->select, &r->filter, err);
	if (rc == 0)
		rc = select_list_open(s, &r->select, &r->list, err);
	/* A statement of its own: on_point may read from the store, too. */
	if (rc == 0 && sqlite3_prepare_v2(s->db, stmt_sql[STMT_TRACES], -1, &r->rows, NULL) !=
			       SQLITE_OK)
		rc = sql_fail(s, sqlite3_extended_errcode(s->db), err);
	if (rc < 0)
		sqlite_points_close(r);
	else
		*out = r;
	return rc;
}

void sqlite_points_close(struct sqlite_point_reader *r)
{
	if (r == NULL)
		return;
	select_list_close(r->list);
	sqlite3_finalize(r->rows);
	select_filter_fini(&r->filter);
	point_rows_free(r->points);
	free(r);
}

int sqlite_points_next(struct sqlite_point_reader *r, struct wall *at, struct bp_error *err)
{
	const struct select_item *item;
	int rc = select_list_next(r->s, r->list, &item, err);

	/* Beyond what a wall can hold is the end of times. */
	if (rc == 1 && __builtin_mul_overflow(item->at, NS_PER_US, &at->ns))
		at->ns = item->at < 0 ? INT64_MIN : INT64_MAX;
	return rc;
}

int sqlite_points_give(struct sqlite_point_reader *r, struct bp_error *err)
{
	const struct select_item *item;
	int rc = select_list_next(r->s, r->list, &item, err);

	if (rc <= 0)
		return rc;
	select_list_pass(r->list);
	switch (item->kind) {
	case SELECT_SEGMENT: return give_rows(r, item, err);
	case SELECT_ROUND: return give_round(r, item->id, err);
	default: return 0;
	}
}

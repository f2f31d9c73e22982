// SPDX-License-Identifier: BSD-2-Clause
/* Points (campaign/store_points.h) out of a server: a walk, and the rows of its segments. */
#include <stdlib.h>
#include <string.h>

#include "campaign/postgres/pg_known.h"
#include "campaign/postgres/pg_walk.h"
#include "campaign/store_points.h"
#include "campaign/value.h"

struct pg_point_reader {
	struct store_point_reader reader; /* first */
	struct pg_store *s;
	struct pg_walk *walk;
	struct point_rows *points;
	struct store_points to;
	/* Of the segment at work: of room. */
	const char *vantage, *campaign, *round;
};

/* --- what rows point to ----------------------------------------------------------------------- */

static int read_hops(void *arg, const void *row, struct trace **out, struct bp_error *err)
{
	struct pg_point_reader *r = arg;

	return pg_row_hops(r->s, row, out, err);
}

static int read_judgement(void *arg, const void *row, const struct shape_key *key,
			  const struct trace *t, struct names *names, struct verdict *verdict,
			  struct bp_error *err)
{
	struct pg_point_reader *r = arg;
	int rc = pg_row_names(r->s, row, t, names, err);

	return rc < 0 || key->verdict == 0 ? rc : pg_row_verdict(r->s, row, t, verdict, err);
}

static int damaged(void *arg, const void *row, struct bp_error *err)
{
	struct pg_point_reader *r = arg;

	return pg_damaged(r->s, "segment", ((const struct pg_row *)row)->segment->id, err);
}

static int read_goal(void *arg, int64_t id, struct trace *t, struct bp_error *err)
{
	struct pg_point_reader *r = arg;
	size_t n = 0;
	const void *key = pg_known_get(r->s, PG_KNOWN_GOAL, (int32_t)id, &n);

	return key == NULL || value_read_goal(key, (int)n, t) < 0
		       ? pg_damaged(r->s, "goal", id, err)
		       : 0;
}

static int read_judge(void *arg, int64_t id, const char **profile, struct bp_error *err)
{
	struct pg_point_reader *r = arg;
	const struct pg_judge *judge = pg_known_get(r->s, PG_KNOWN_JUDGE, (int32_t)id, NULL);

	if (judge == NULL)
		return pg_damaged(r->s, "judge", id, err);
	*profile = judge->profile;
	return 0;
}

static int read_id(void *arg, const void *row, char out[static TRACE_ID_TEXT],
		   struct bp_error *err)
{
	(void)arg;
	(void)err;
	pg_row_id(row, out);
	return 0;
}

static const struct points_source of_server = {
	.shape = {.hops = read_hops, .judgement = read_judgement, .damaged = damaged},
	.goal = read_goal,
	.judge = read_judge,
	.id = read_id};

/* --- rows ------------------------------------------------------------------------------------- */

static int begin_segment(struct pg_point_reader *r, const struct pg_segment *g,
			 struct bp_error *err)
{
	int rc = point_rows_name(r->points, g->vantage, &r->vantage, err);

	if (rc == 0)
		rc = point_rows_name(r->points, g->campaign, &r->campaign, err);
	if (rc == 0)
		rc = point_rows_name(r->points, g->round, &r->round, err);
	return rc;
}

static struct wall end_of(const struct pg_row *r)
{
	int64_t begin = r->start_us != PG_MINUS_INFINITY ? r->start_us : r->segment->base_us;

	return r->took_us != PG_MINUS_INFINITY ? pg_wall(begin + r->took_us) : (struct wall){0};
}

static int give_row(struct pg_point_reader *r, const struct pg_row *row, struct bp_error *err)
{
	struct pg_store *s = r->s;
	struct points_row p = {
		.goal = row->goal,
		.settings = row->settings,
		.path = row->path,
		.verdict = row->verdict,
		.judge = row->judge,
		.naming = row->naming,
		.geo = row->segment->geo,
		.example = pg_row_example(row),
		.end = end_of(row),
		.vantage = r->vantage,
		.campaign = r->campaign,
		.round = r->round,
		.body = row->body,
		.body_size = row->body_size,
		.own = row,
	};
	bool wanted;
	int rc = pg_filter_border(s, &r->walk->filter, row->verdict, &wanted, err);

	if (rc < 0 || !wanted)
		return rc;
	if (row->start_us != PG_MINUS_INFINITY)
		p.start = pg_wall(row->start_us);
	s->at_hand = row;
	rc = point_rows_give(r->points, &p, err);
	s->at_hand = NULL;
	return rc;
}

static int give_segment(struct pg_point_reader *r, int32_t id, struct bp_error *err)
{
	const struct pg_group *g = &r->walk->group;
	unsigned at = pg_group_at(g, id, 0);
	int rc = 0;

	if (at < g->row_count && g->rows[at].segment->id == id)
		rc = begin_segment(r, g->rows[at].segment, err);
	for (; rc == 0 && at < g->row_count && g->rows[at].segment->id == id; at++)
		rc = give_row(r, &g->rows[at], err);
	return rc;
}

static int give_round(struct pg_point_reader *r, const struct pg_item *item, struct bp_error *err)
{
	size_t n = 0;
	const char *json = r->to.on_round != NULL ? pg_walk_text(r->walk, item, &n) : NULL;
	struct round round;
	int rc;

	if (json == NULL)
		return 0;
	rc = point_rows_round(json, n, &round, err);
	if (rc < 0)
		return rc == BP_ENOMEM ? rc : pg_damaged(r->s, "round", item->id, err);
	return r->to.on_round(r->to.arg, &round, err);
}

/* --- what stands behind store.h --------------------------------------------------------------- */

int pg_points_open(struct store *store, const struct store_select *select,
		   const struct store_points *to, struct store_point_reader **out,
		   struct bp_error *err)
{
	struct pg_store *s = pg_of(store);
	struct pg_point_reader *r = calloc(1, sizeof(*r));
	int rc;

	if (r == NULL)
		return pg_no_memory(err);
	r->reader.engine = s->store.engine;
	r->s = s;
	r->to = *to;
	rc = point_rows_new(&of_server, r, &r->to, &r->points) < 0 ? pg_no_memory(err) : 0;
	if (rc == 0)
		rc = pg_walk_open(s, select, PG_WANT_NAMES, &r->walk, err);
	if (rc < 0)
		pg_points_close(&r->reader);
	else
		*out = &r->reader;
	return rc;
}

void pg_points_close(struct store_point_reader *reader)
{
	struct pg_point_reader *r = (struct pg_point_reader *)reader;

	pg_walk_close(r->walk);
	point_rows_free(r->points);
	free(r);
}

int pg_points_next(struct store_point_reader *reader, struct wall *at, struct bp_error *err)
{
	return pg_walk_next(((struct pg_point_reader *)reader)->walk, at, err);
}

int pg_points_give(struct store_point_reader *reader, struct bp_error *err)
{
	struct pg_point_reader *r = (struct pg_point_reader *)reader;
	const struct pg_item *item;
	int rc = pg_walk_take(r->walk, &item, err);

	if (rc < 0)
		return rc;
	switch (item->kind) {
	case PG_ITEM_SEGMENT: return give_segment(r, (int32_t)item->id, err);
	case PG_ITEM_ROUND: return give_round(r, item, err);
	default: return 0;
	}
}

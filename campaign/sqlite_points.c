// SPDX-License-Identifier: BSD-2-Clause
/*
 * Points out of a store: one pass over the rows of what is selected, segment by segment in order of
 * time. Of a body only the times of the destination and of the last hop outside are looked at; all
 * else of a point is its trace's shape (sqlite_shape.h), its goal and its segment.
 */
#include <stdlib.h>
#include <string.h>

#include "campaign/body.h"
#include "campaign/sqlite_cache.h"
#include "campaign/sqlite_select.h"
#include "campaign/sqlite_shape.h"
#include "core/record/jsonl.h"

enum { GOALS = 8192, SETTINGS = 256, JUDGES = 64 };

struct goal_info {
	int64_t id;
	struct addr dst;
	struct prefix prefix;
	uint8_t method;
	int32_t dport, flow;
	const char *target; /* of room */
	bool near;          /* over UDP an IPv6 target may answer from its /64 */
};

/* What the rows of a segment share. */
struct run_of_rows {
	int64_t id, first, last, geo, judge, base_us, seq_base;
	const char *vantage, *campaign, *round; /* of room */
	char run[TRACE_ID_TEXT];
};

struct sqlite_point_reader {
	struct store_point_reader reader; /* first */
	struct sqlite_store *s;
	struct store_select select;
	struct store_points to;
	struct select_filter filter;
	struct shapes *shapes;
	struct goal_info *goals; /* owned: GOALS, by row */
	int64_t judges[JUDGES];  /* rows of `judge`; negative: another profile's */
	struct trace *head;      /* owned: scratch */
	struct select_list *list;
	sqlite3_stmt *rows;
	struct run_of_rows of;
};

static int no_memory(struct bp_error *err)
{
	return bp_fail(err, BP_ENOMEM, "out of memory");
}

/* One pointer for one name. */
static int name_of(struct sqlite_point_reader *r, const char *text, const char **out,
		   struct bp_error *err)
{
	struct intern *names = &r->to.room->names;
	uint32_t number;

	if (diff_intern_put(names, text, strlen(text) + 1, &number) < 0)
		return no_memory(err);
	*out = diff_intern_get(names, number);
	return 0;
}

static int delays_room(struct point_room *room, unsigned wanted)
{
	int64_t *more;

	if (wanted <= room->delays_room)
		return 0;
	more = reallocarray(room->delays, wanted, sizeof(*more));
	if (more == NULL)
		return BP_ENOMEM;
	room->delays = more;
	room->delays_room = wanted;
	return 0;
}

static struct prefix prefix_for(const struct profile *p, struct addr dst)
{
	struct prefix x = profile_judge_prefix(p, dst);

	return x.len == 0 ? prefix_of(dst, dst.family == 4 ? 32 : 128) : x;
}

/* --- what rows share -------------------------------------------------------------------------- */

/* Borrowed until the next call. */
static int find_goal(struct sqlite_point_reader *r, int64_t id, const struct goal_info **out,
		     struct bp_error *err)
{
	struct goal_info *g = &r->goals[(uint64_t)id % GOALS];
	const void *bytes;
	int n, rc;

	*out = g;
	if (g->id == id)
		return 0;
	rc = cached_blob(r->s, CACHED_GOAL, id, &bytes, &n, err);
	if (rc == 0 && value_read_goal(bytes, n, r->head) < 0)
		rc = cached_damaged(r->s, "goal", id, err);
	if (rc < 0)
		return rc;
	g->id = 0;
	g->dst = r->head->dst;
	g->method = r->head->method;
	g->dport = r->head->dport;
	g->flow = r->head->flow;
	g->prefix = prefix_for(r->to.profile, r->head->dst);
	g->near = r->head->method == METHOD_UDP && r->head->dst.family == 6;
	rc = name_of(r, r->head->target, &g->target, err);
	if (rc == 0)
		g->id = id;
	return rc;
}

/* Whether a judgement is the profile's. */
static int is_ours(struct sqlite_point_reader *r, int64_t judge, bool *out, struct bp_error *err)
{
	int64_t *slot = &r->judges[(uint64_t)judge % JUDGES];
	const unsigned char *profile;
	sqlite3_stmt *st;
	int rc;

	if (*slot != judge && *slot != -judge) {
		rc = sql_get(r->s, STMT_JUDGE_GET, &st, err);
		if (rc < 0)
			return rc;
		sqlite3_bind_int64(st, 1, judge);
		rc = sql_step(r->s, st, err);
		if (rc <= 0)
			return rc < 0 ? rc : cached_damaged(r->s, "judge", judge, err);
		profile = sqlite3_column_text(st, 0);
		*slot = profile != NULL &&
			strcmp((const char *)profile, r->to.profile->id) == 0 ? judge : -judge;
		sqlite3_reset(st);
	}
	*out = *slot == judge;
	return 0;
}

static int begin_rows(struct sqlite_point_reader *r, const struct select_item *item,
		      struct bp_error *err)
{
	const struct cached_segment *g;
	struct run_of_rows *of = &r->of;
	int rc = cached_segment(r->s, item->id, &g, err);

	if (rc < 0)
		return rc;
	*of = (struct run_of_rows){.id = item->id, .first = item->first, .last = item->last,
				   .geo = g->geo, .judge = g->judge, .base_us = g->base_us,
				   .seq_base = g->seq_base};
	memcpy(of->run, g->run, sizeof(of->run));
	rc = name_of(r, g->vantage, &of->vantage, err);
	if (rc == 0)
		rc = name_of(r, g->campaign, &of->campaign, err);
	if (rc == 0)
		rc = name_of(r, g->round, &of->round, err);
	select_segment(&r->filter, of->base_us);
	return rc;
}

/* --- a row ------------------------------------------------------------------------------------ */

static bool is_null(sqlite3_stmt *st, int at)
{
	return sqlite3_column_type(st, at) == SQLITE_NULL;
}

static int compare_ns(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Least and median of the destination's times, least of the last hop outside. */
static int read_delays(struct sqlite_point_reader *r, const struct shape *x, const uint8_t *body,
		       size_t n, struct point *p, struct bp_error *err)
{
	const uint32_t *slots = shapes_slots(r->shapes, x);
	unsigned count = 0;
	int64_t *delays;

	p->rtt_min_ns = p->rtt_median_ns = p->outside_rtt_ns = -1;
	if (delays_room(r->to.room, x->delays) < 0)
		return no_memory(err);
	delays = r->to.room->delays;
	for (unsigned i = 0; i < x->delays; i++) {
		int64_t ns = body_rtt(body, n, slots[i]);

		if (ns >= 0)
			delays[count++] = ns;
	}
	if (count > 0) {
		if (count > 1)
			qsort(delays, count, sizeof(*delays), compare_ns);
		p->rtt_min_ns = delays[0];
		p->rtt_median_ns = (delays[(count - 1) / 2] + delays[count / 2]) / 2;
	}
	for (unsigned i = 0; i < x->outside; i++) {
		int64_t ns = body_rtt(body, n, slots[x->delays + i]);

		if (ns >= 0 && (p->outside_rtt_ns < 0 || ns < p->outside_rtt_ns))
			p->outside_rtt_ns = ns;
	}
	return 0;
}

static int find_shape(struct sqlite_point_reader *r, sqlite3_stmt *st, const struct goal_info *g,
		      struct wall start, const struct shape **out, struct bp_error *err)
{
	struct shape_key key = {
		.path = sqlite3_column_int64(st, 8), .settings = sqlite3_column_int64(st, 7),
		.verdict = sqlite3_column_int64(st, 9), .naming = sqlite3_column_int64(st, 11),
		.geo = r->of.geo, .goal = g->near ? g->id : 0, .method = g->method,
		.family = g->dst.family, .epoch = shapes_epoch(r->shapes, start),
	};
	bool ours = false;
	int rc = 0;

	if (key.verdict != 0)
		rc = is_ours(r, is_null(st, 10) ? r->of.judge : sqlite3_column_int64(st, 10), &ours,
			     err);
	if (!ours)
		key.verdict = 0;
	return rc < 0 ? rc : shapes_find(r->shapes, &key, st, r->of.id, start, out, err);
}

static int give_point(struct sqlite_point_reader *r, sqlite3_stmt *st, struct bp_error *err)
{
	struct wall start = read_start(st, r->of.base_us), end = read_end(st, r->of.base_us);
	const struct goal_info *g;
	const struct shape *x;
	struct point p;
	int rc = find_goal(r, sqlite3_column_int64(st, 6), &g, err);

	if (rc == 0 && (start.ns == INT64_MIN || end.ns == INT64_MIN))
		rc = cached_damaged(r->s, "trace", sqlite3_column_int64(st, 0), err);
	if (rc == 0)
		rc = find_shape(r, st, g, start, &x, err);
	if (rc < 0)
		return rc;
	p = x->point;
	p.vantage = r->of.vantage;
	p.campaign = r->of.campaign;
	p.round = r->of.round;
	p.target = g->target;
	p.start = start;
	p.end = end.ns > start.ns ? end : start;
	p.dst = g->dst;
	p.prefix = g->prefix;
	p.dport = g->dport;
	p.flow = g->flow;
	p.hops = shapes_hops(r->shapes, x);
	p.example = sqlite3_column_int64(st, 0);
	if (x->outside_is_dst)
		p.outside = p.dst;
	rc = read_delays(r, x, sqlite3_column_blob(st, 12), (size_t)sqlite3_column_bytes(st, 12),
			 &p, err);
	if (rc == 0)
		rc = read_id(r->s, st, r->of.run, r->of.seq_base, r->to.room->id, err);
	p.id = r->to.room->id;
	return rc < 0 ? rc : r->to.on_point(r->to.arg, &p, err);
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
	struct record rec;
	struct round round;
	sqlite3_stmt *st;
	int rc = r->to.on_round != NULL ? sql_get(r->s, STMT_ROUND_GET, &st, err) : 0;

	if (rc < 0 || r->to.on_round == NULL)
		return rc;
	sqlite3_bind_int64(st, 1, id);
	rc = sql_step(r->s, st, err);
	if (rc <= 0)
		return rc;
	record_init(&rec);
	rc = jsonl_read((const char *)sqlite3_column_blob(st, 0),
			(size_t)sqlite3_column_bytes(st, 0), &rec, err);
	sqlite3_reset(st);
	if (rc == 0)
		rc = round_read(&rec, &round, err);
	record_fini(&rec);
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
	r->goals = calloc(GOALS, sizeof(*r->goals));
	r->head = trace_new(0);
	if (r->goals == NULL || r->head == NULL || shapes_new(s, &r->to, &r->shapes) < 0) {
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
	shapes_free(r->shapes);
	free(r->goals);
	free(r->head);
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

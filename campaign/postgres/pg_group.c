// SPDX-License-Identifier: BSD-2-Clause
/*
 * Loading segments: their rows, their latest judgements, and the values of all of them. What is
 * asked of the server is a few statements for each group, not for each trace.
 */
#include "campaign/postgres/pg_group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/body.h"
#include "campaign/postgres/pg_known.h"
#include "campaign/value.h"

enum { TIMESTAMPTZ = 1184 };

/* --- loading a group -------------------------------------------------------------------------- */

void pg_group_clear(struct pg_group *g)
{
	free(g->segments);
	free(g->rows);
	PQclear(g->traces);
	PQclear(g->foreign);
	PQclear(g->objects);
	pg_known_release(g->holds);
	*g = (struct pg_group){0};
}

static void take_segment(const PGresult *res, int i, struct pg_segment *g)
{
	g->id = pg_get_i32(res, i, 0);
	g->geo = pg_get_i32(res, i, 1);
	g->judge = pg_get_i32(res, i, 2);
	g->base_us = pg_get_i64(res, i, 3);
	g->start_min_us = pg_get_i64(res, i, 4);
	g->start_max_us = pg_get_i64(res, i, 5);
	g->undated = pg_get_bool(res, i, 6);
	g->seq_base = pg_get_i64(res, i, 7);
	text_set(g->vantage, sizeof(g->vantage), pg_get_text(res, i, 8));
	text_set(g->campaign, sizeof(g->campaign), pg_get_text(res, i, 9));
	text_set(g->round, sizeof(g->round), pg_get_text(res, i, 10));
	text_set(g->run, sizeof(g->run), pg_get_text(res, i, 11));
}

static int load_segments(struct pg_store *s, const struct pg_array *ids, struct pg_group *g,
			 struct bp_error *err)
{
	PGresult *res;
	int rc;

	pg_param_array(&s->params, PG_INT4S, ids);
	rc = pg_query_constant(
		s,
		"SELECT g.id, g.geo, g.judge, g.base_us, g.start_min_us, g.start_max_us,"
		" g.undated, g.seq_base, v.word, c.word, r.word, n.word FROM segment g"
		" LEFT JOIN word v ON v.id = g.vantage LEFT JOIN word c ON c.id = g.campaign"
		" LEFT JOIN word r ON r.id = g.round LEFT JOIN word n ON n.id = g.run"
		" WHERE g.id = ANY ($1) ORDER BY g.id",
		&res, err);
	if (rc < 0)
		return rc;
	g->segments = calloc((size_t)PQntuples(res) + 1, sizeof(*g->segments));
	if (g->segments == NULL)
		rc = pg_no_memory(err);
	for (int i = 0; rc == 0 && i < PQntuples(res); i++)
		take_segment(res, i, &g->segments[g->segment_count++]);
	PQclear(res);
	return rc;
}

static const struct pg_segment *find_segment(const struct pg_group *g, int32_t id)
{
	unsigned least = 0, most = g->segment_count;

	while (least < most) {
		unsigned middle = (least + most) / 2;

		if (g->segments[middle].id < id)
			least = middle + 1;
		else
			most = middle;
	}
	return least < g->segment_count && g->segments[least].id == id ? &g->segments[least] : NULL;
}

static void param_start(struct pg_params *p, int64_t us)
{
	pg_param_i64(p, us == PG_MINUS_INFINITY ? us : us - PG_EPOCH_US);
	p->types[p->count - 1] = TIMESTAMPTZ;
}

/* The days that the segments reach over: other partitions are not looked into. */
static void param_window(struct pg_params *p, const struct pg_group *g, const struct pg_filter *f)
{
	int64_t least = INT64_MAX, most = INT64_MIN;

	for (unsigned i = 0; i < g->segment_count; i++) {
		const struct pg_segment *x = &g->segments[i];

		if (x->undated || x->start_min_us < least)
			least = x->undated ? PG_MINUS_INFINITY : x->start_min_us;
		if (x->start_max_us > most)
			most = x->start_max_us;
	}
	if (f != NULL && f->select->since.ns != 0 && f->since_us > least)
		least = f->since_us;
	if (f != NULL && f->select->until.ns != 0 && f->until_us <= most)
		most = f->until_us - 1;
	param_start(p, least);
	param_start(p, most);
}

static int load_traces(struct pg_store *s, const void *asker, const struct pg_array *ids, int nth,
		       const struct pg_filter *f, struct pg_group *g, struct bp_error *err)
{
	static const char text[] =
		"SELECT segment, nth, start, took, seq, sub, goal, settings, path, verdict, naming,"
		" body, rtt_min IS NOT NULL FROM trace WHERE segment = ANY ($1) AND"
		" start >= $2 AND start <= $3%s";
	char sql[sizeof(text) + 64];
	struct pg_array goals = {0};
	bool few = f != NULL && f->by_goal && f->goal_count <= 64;

	snprintf(sql, sizeof(sql), text,
		 few	    ? " AND goal = ANY ($4)"
		 : nth >= 0 ? " AND nth = $4::integer"
			    : "");
	pg_param_array(&s->params, PG_INT4S, ids);
	param_window(&s->params, g, f);
	for (uint32_t i = 0; few && i < f->goal_count; i++) {
		goals.count++;
		pg_put_i32(&goals.bytes, f->goals[i]);
	}
	if (few)
		pg_param_array(&s->params, PG_INT4S, &goals);
	else if (nth >= 0)
		pg_param_i32(&s->params, nth);
	pg_array_fini(&goals);
	return asker != NULL ? pg_ahead_ask(s, asker, sql, err)
			     : pg_query(s, sql, &g->traces, err);
}

static int by_place(const void *a, const void *b)
{
	const struct pg_row *x = a, *y = b;

	return x->segment->id != y->segment->id ? (x->segment->id > y->segment->id ? 1 : -1)
						: x->nth - y->nth;
}

static int take_rows(struct pg_store *s, struct pg_group *g, const struct pg_filter *f,
		     struct bp_error *err)
{
	int count = PQntuples(g->traces);
	bool sorted = true;

	g->rows = reallocarray(NULL, (size_t)count + 1, sizeof(*g->rows));
	if (g->rows == NULL)
		return pg_no_memory(err);
	for (int i = 0; i < count; i++) {
		const PGresult *r = g->traces;
		int64_t start = pg_get_i64(r, i, 2);
		struct pg_row row = {
			.segment = find_segment(g, pg_get_i32(r, i, 0)),
			.nth = pg_get_i16(r, i, 1),
			.start_us = start == PG_MINUS_INFINITY ? start : start + PG_EPOCH_US,
			.took_us = pg_is_null(r, i, 3) ? PG_MINUS_INFINITY : pg_get_i64(r, i, 3),
			.ours = !pg_is_null(r, i, 4),
			.seq = pg_get_i32(r, i, 4),
			.sub = pg_is_null(r, i, 5) ? -1 : pg_get_i32(r, i, 5),
			.goal = pg_get_i32(r, i, 6),
			.settings = pg_get_i32(r, i, 7),
			.path = pg_get_i32(r, i, 8),
			.verdict = pg_get_i32(r, i, 9),
			.naming = pg_get_i32(r, i, 10),
			.timed = pg_get_bool(r, i, 12),
		};
		size_t n;

		if (row.segment == NULL)
			return pg_damaged(s, "segment", pg_get_i32(r, i, 0), err);
		row.judge = row.segment->judge;
		row.body = pg_get_bytes(r, i, 11, &n);
		row.body_size = (uint32_t)n;
		if (f != NULL &&
		    (!pg_filter_goal(f, row.goal) || !pg_filter_start(f, row.start_us)))
			continue;
		sorted = sorted && (g->row_count == 0 ||
				    by_place(&g->rows[g->row_count - 1], &row) < 0);
		g->rows[g->row_count++] = row;
	}
	/* Mostly they come as they were written. */
	if (!sorted)
		qsort(g->rows, g->row_count, sizeof(*g->rows), by_place);
	return 0;
}

unsigned pg_group_at(const struct pg_group *g, int32_t segment, int nth)
{
	unsigned least = 0, most = g->row_count;

	while (least < most) {
		unsigned middle = (least + most) / 2;
		const struct pg_row *r = &g->rows[middle];

		if (r->segment->id < segment || (r->segment->id == segment && r->nth < nth))
			least = middle + 1;
		else
			most = middle;
	}
	return least;
}

static int load_judgements(struct pg_store *s, const struct pg_array *ids, struct pg_group *g,
			   struct bp_error *err)
{
	PGresult *res;
	int rc;

	pg_param_array(&s->params, PG_INT4S, ids);
	rc = pg_query_constant(
		s,
		"SELECT DISTINCT ON (segment, nth) segment, nth, judge, verdict, naming FROM"
		" judgement WHERE segment = ANY ($1) ORDER BY segment, nth, n DESC",
		&res, err);
	if (rc < 0)
		return rc;
	for (int i = 0; i < PQntuples(res); i++) {
		int32_t segment = pg_get_i32(res, i, 0);
		int16_t nth = pg_get_i16(res, i, 1);
		unsigned at = pg_group_at(g, segment, nth);
		struct pg_row *r = &g->rows[at];

		if (at == g->row_count || r->segment->id != segment || r->nth != nth)
			continue;
		r->judge = pg_get_i32(res, i, 2);
		r->verdict = pg_get_i32(res, i, 3);
		r->naming = pg_get_i32(res, i, 4);
		r->judged_anew = true;
	}
	PQclear(res);
	return 0;
}

/* Ids of another form than ours, where there are some. */
static int load_foreign(struct pg_store *s, const struct pg_array *ids, struct pg_group *g,
			struct bp_error *err)
{
	unsigned i = 0;
	int rc;

	while (i < g->row_count && g->rows[i].ours)
		i++;
	if (i == g->row_count)
		return 0;
	pg_param_array(&s->params, PG_INT4S, ids);
	rc = pg_query_constant(
		s, "SELECT segment, nth, id FROM foreign_id WHERE segment = ANY ($1)", &g->foreign,
		err);
	for (int k = 0; rc == 0 && k < PQntuples(g->foreign); k++) {
		int32_t segment = pg_get_i32(g->foreign, k, 0);
		int16_t nth = pg_get_i16(g->foreign, k, 1);
		unsigned at = pg_group_at(g, segment, nth);
		struct pg_row *r = &g->rows[at];

		if (at < g->row_count && r->segment->id == segment && r->nth == nth)
			r->foreign = pg_get_text(g->foreign, k, 2);
	}
	return rc;
}

/* The databases that a row's addresses are named by; 0: not named by them, or otherwise. */
static int32_t usual_geo(const struct pg_store *s, const struct pg_row *r)
{
	const struct pg_named *named;

	if (r->naming == 0)
		return r->segment->geo;
	named = pg_known_get(s, PG_KNOWN_NAMING, r->naming, NULL);
	return named != NULL && !named->own ? named->geo : 0;
}

static int want_row(struct pg_store *s, const struct pg_row *r, unsigned want, bool border)
{
	int rc = pg_want(s, PG_KNOWN_GOAL, r->goal);

	if (rc == 0)
		rc = pg_want(s, PG_KNOWN_SETTINGS, r->settings);
	if (rc == 0)
		rc = pg_want(s, PG_KNOWN_PATH, r->path);
	if (rc == 0 && (want & PG_WANT_NAMES || border))
		rc = pg_want(s, PG_KNOWN_VERDICT, r->verdict);
	if (!(want & PG_WANT_NAMES))
		return rc;
	if (rc == 0 && r->verdict != 0)
		rc = pg_want(s, PG_KNOWN_JUDGE, r->judge);
	if (rc == 0)
		rc = pg_want(s, PG_KNOWN_NAMING, r->naming);
	return rc == 0 ? pg_want(s, PG_KNOWN_GEO, r->segment->geo) : rc;
}

/* A goal's or a settings' address. What is missing is said when the row is read. */
static int want_end(struct pg_store *s, enum pg_known_kind kind, int32_t id, int32_t geo,
		    struct trace *head)
{
	size_t n;
	const void *key;

	if (!pg_want_names_of(s, kind, id, geo))
		return 0;
	key = pg_known_get(s, kind, id, &n);
	if (key == NULL || (kind == PG_KNOWN_GOAL ? value_read_goal : value_read_settings)(
				   key, (int)n, head) < 0)
		return 0;
	return pg_want_name(s, geo, kind == PG_KNOWN_GOAL ? head->dst : head->src);
}

/* Source, destination, and all who answered: of each way, once. */
static int want_names(struct pg_store *s, const struct pg_row *r, struct trace *head)
{
	int32_t geo = usual_geo(s, r);
	const struct pg_path *p;
	int rc;

	if (geo == 0)
		return 0;
	rc = want_end(s, PG_KNOWN_GOAL, r->goal, geo, head);
	if (rc == 0)
		rc = want_end(s, PG_KNOWN_SETTINGS, r->settings, geo, head);
	if (rc < 0 || !pg_want_names_of(s, PG_KNOWN_PATH, r->path, geo))
		return rc;
	p = pg_known_get(s, PG_KNOWN_PATH, r->path, NULL);
	for (int i = 0; p != NULL && i < p->count && rc == 0; i++) {
		struct trace_entry e;
		size_t n;
		const void *key = pg_known_get(s, PG_KNOWN_HOP, p->hops[i], &n);

		if (key != NULL && !body_hop_says_dst(key, n) &&
		    body_read_hop(key, n, head->dst, &e) == 0)
			rc = pg_want_name(s, geo, e.reply.from);
	}
	return rc;
}

static int load_values(struct pg_store *s, struct pg_group *g, unsigned want, bool border,
		       struct bp_error *err)
{
	struct trace *head;
	int rc = 0;

	for (unsigned i = 0; i < g->row_count && rc == 0; i++)
		rc = want_row(s, &g->rows[i], want, border);
	rc = rc < 0 ? pg_no_memory(err) : pg_fetch(s, err);
	if (rc < 0 || !(want & PG_WANT_NAMES))
		return rc;
	head = trace_new(0);
	if (head == NULL)
		return pg_no_memory(err);
	for (unsigned i = 0; i < g->row_count && rc == 0; i++)
		rc = want_names(s, &g->rows[i], head);
	free(head);
	return rc < 0 ? pg_no_memory(err) : pg_fetch_names(s, err);
}

static int begin(struct pg_store *s, const void *asker, const struct pg_array *ids, int nth,
		 const struct pg_filter *f, struct pg_group *g, struct bp_error *err)
{
	int rc = load_segments(s, ids, g, err);

	return rc == 0 ? load_traces(s, asker, ids, nth, f, g, err) : rc;
}

int pg_group_ask(struct pg_store *s, const void *asker, const struct pg_array *ids,
		 const struct pg_filter *f, struct pg_group *g, struct bp_error *err)
{
	return begin(s, asker, ids, -1, f, g, err);
}

int pg_group_take(struct pg_store *s, const struct pg_array *ids, const struct pg_filter *f,
		  unsigned want, struct pg_group *g, struct bp_error *err)
{
	bool border = f != NULL && f->select->border != NULL;
	int rc;

	pg_known_trim(s->known);
	pg_known_hold(s->known);
	g->holds = s->known;
	rc = g->traces == NULL ? pg_ahead_take(s, &g->traces, err) : 0;
	if (rc == 0)
		rc = take_rows(s, g, f, err);
	if (rc == 0 && (border || want & (PG_WANT_NAMES | PG_WANT_JUDGED)))
		rc = load_judgements(s, ids, g, err);
	if (rc == 0 && want & PG_WANT_NAMES)
		rc = load_foreign(s, ids, g, err);
	return rc < 0 ? rc : load_values(s, g, want, border, err);
}

int pg_group_load(struct pg_store *s, const struct pg_array *ids, int nth,
		  const struct pg_filter *f, unsigned want, struct pg_group *g,
		  struct bp_error *err)
{
	int rc = begin(s, NULL, ids, nth, f, g, err);

	return rc == 0 ? pg_group_take(s, ids, f, want, g, err) : rc;
}

int pg_group_of(struct pg_store *s, const struct pg_row *row, unsigned want, struct pg_group *g,
		struct bp_error *err)
{
	struct pg_array ids = {0};
	int rc = 0;

	g->rows = malloc(2 * sizeof(*g->rows));
	if (g->rows == NULL)
		return pg_no_memory(err);
	g->rows[0] = *row;
	g->row_count = 1;
	pg_known_hold(s->known);
	g->holds = s->known;
	ids.count = 1;
	pg_put_i32(&ids.bytes, row->segment->id);
	if (want & PG_WANT_NAMES)
		rc = load_foreign(s, &ids, g, err);
	pg_array_fini(&ids);
	return rc < 0 ? rc : load_values(s, g, want, false, err);
}

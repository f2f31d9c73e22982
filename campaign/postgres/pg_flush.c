// SPDX-License-Identifier: BSD-2-Clause
/*
 * Sending what waits: locks and a look which traces are there already (pg_there.c), values,
 * partitions, segments, and then the traces in one COPY. In a transaction that is open.
 */
#include <stdlib.h>
#include <string.h>

#include "campaign/postgres/pg_news.h"

static const int64_t US_PER_DAY = INT64_C(86400) * 1000000;

/* --- namings ---------------------------------------------------------------------------------- */

/* A trace needs a naming of its own if its addresses are named otherwise than everywhere, or if its
 * networks are not those that its path's row has. */
static int decide_namings(struct pg_store *s, struct bp_error *err)
{
	struct pg_news *n = s->news;
	int rc = 0;

	for (uint32_t i = 0; i < n->trace_count && rc == 0; i++) {
		struct pg_waiting_trace *w = &n->traces[i];
		bool own;

		if (w->there || !w->naming.named)
			continue;
		own = pg_naming_is_own(n, &w->naming);
		if (own || w->naming_ref != 0)
			rc = pg_ref_naming(s, &w->naming, own, &w->naming_ref);
	}
	for (uint32_t i = 0; i < n->judgement_count && rc == 0; i++) {
		struct pg_waiting_judgement *j = &n->judgements[i];

		if (j->naming.named)
			rc = pg_ref_naming(s, &j->naming, pg_naming_is_own(n, &j->naming),
					   &j->naming_ref);
	}
	return rc < 0 ? pg_no_memory(err) : 0;
}

/* What the row of each trace's path says of the first that took it: equal, or the trace has its
 * own. naming_ref is 1 for "other networks" until it is decided. */
static void compare_paths(struct pg_store *s)
{
	struct pg_news *n = s->news;

	for (uint32_t i = 0; i < n->trace_count; i++) {
		struct pg_waiting_trace *w = &n->traces[i];
		int32_t row_as_path;
		int64_t row_hash;

		if (w->path < 0) {
			row_as_path = n->paths_of[-1 - w->path].row_as_path;
			row_hash = n->paths_of[-1 - w->path].row_path_hash;
		} else {
			row_as_path = w->path_as_path;
			row_hash = w->path_path_hash;
		}
		w->naming_ref = pg_row(n, PG_KIND_WORD, w->naming.as_path) != row_as_path;
		/* 0: as the path's. */
		if (w->path_hash == row_hash)
			w->path_hash = 0;
	}
}

static int send_values(struct pg_store *s, struct bp_error *err)
{
	int rc = pg_values_send(s, PG_KIND_WORD, PG_KIND_PATH, err);

	if (rc < 0)
		return rc;
	compare_paths(s);
	rc = decide_namings(s, err);
	return rc < 0 ? rc : pg_values_send(s, PG_KIND_NAMING, PG_KIND_JUDGE, err);
}

/* --- days ------------------------------------------------------------------------------------- */

enum { DAYS = sizeof(((struct pg_news *)0)->days) / sizeof(uint32_t) };

static bool is_one_of(const uint32_t *days, unsigned count, uint32_t day)
{
	for (unsigned i = 0; i < count; i++) {
		if (days[i] == day)
			return true;
	}
	return false;
}

static int make_day(struct pg_store *s, uint32_t day, struct bp_error *err)
{
	struct pg_news *n = s->news;
	int rc;

	if (n->touched_count == PG_DAYS_MAX)
		return bp_fail(err, BP_ERANGE,
			       "the store: traces of more than %d days at once: fewer at a time",
			       PG_DAYS_MAX);
	n->touched[n->touched_count++] = day;
	if (is_one_of(n->days, n->day_count < DAYS ? n->day_count : DAYS, day))
		return 0;
	pg_param_i32(&s->params, (int32_t)day);
	rc = pg_query_constant(s, "SELECT store_day(date '2000-01-01' + $1)", NULL, err);
	n->days[n->day_count++ % DAYS] = day;
	return rc;
}

static int make_days(struct pg_store *s, struct bp_error *err)
{
	struct pg_news *n = s->news;
	int rc = 0;

	for (uint32_t i = 0; i < n->trace_count && rc == 0; i++) {
		const struct pg_waiting_trace *w = &n->traces[i];
		uint32_t day;

		/* Before 2000, and without a start: no day of their own. */
		if (w->there || w->start_us < PG_EPOCH_US)
			continue;
		day = (uint32_t)((w->start_us - PG_EPOCH_US) / US_PER_DAY);
		if (!is_one_of(n->touched, n->touched_count, day))
			rc = make_day(s, day, err);
	}
	return rc;
}

/* --- segments and traces ---------------------------------------------------------------------- */

static void put_i64(struct pg_array *a, bool known, int64_t v)
{
	a->count++;
	if (known)
		pg_put_i64(&a->bytes, v);
	else
		pg_put_null(&a->bytes);
}

enum { SEGMENT_WORDS = 7, SEGMENT_NUMBERS = 6 };

static void put_segment(struct pg_news *n, const struct pg_waiting_segment *g,
			struct pg_array *words, struct pg_array *numbers, struct pg_array *undated)
{
	bool ours = g->key.run[0] != '\0';

	pg_array_row(&words[0], (int32_t)g->kept);
	pg_array_row(&words[1], pg_row(n, PG_KIND_WORD, g->vantage));
	pg_array_row(&words[2], pg_row(n, PG_KIND_WORD, g->campaign));
	pg_array_row(&words[3], pg_row(n, PG_KIND_WORD, g->round));
	pg_array_row(&words[4], pg_row(n, PG_KIND_WORD, g->run));
	pg_array_row(&words[5], pg_row(n, PG_KIND_GEO, g->geo));
	pg_array_row(&words[6], pg_row(n, PG_KIND_JUDGE, g->judge));
	put_i64(&numbers[0], true, g->base_us);
	put_i64(&numbers[1], true, g->start_min_us);
	put_i64(&numbers[2], true, g->start_max_us);
	put_i64(&numbers[3], ours, g->seq_base);
	put_i64(&numbers[4], ours, g->seq_min);
	put_i64(&numbers[5], ours, g->seq_max);
	undated->count++;
	pg_put_bool(&undated->bytes, g->undated);
}

/* Numbers rise in the order in which the rows are given. */
static int take_ids(struct pg_news *n, const PGresult *res)
{
	int count = PQntuples(res), at = 0;
	int32_t *ids = calloc((size_t)count + 1, sizeof(*ids));

	if (ids == NULL)
		return BP_ENOMEM;
	for (int i = 0; i < count; i++)
		ids[i] = pg_get_i32(res, i, 0);
	qsort(ids, (size_t)count, sizeof(*ids), pg_by_row);
	for (uint32_t i = 0; i < n->segment_count; i++) {
		if (n->segments[i].kept > 0 && at < count)
			n->segments[i].id = ids[at++];
	}
	free(ids);
	return 0;
}

static int send_segments(struct pg_store *s, struct bp_error *err)
{
	struct pg_news *n = s->news;
	struct pg_array words[SEGMENT_WORDS] = {0}, numbers[SEGMENT_NUMBERS] = {0}, undated = {0};
	PGresult *res = NULL;
	int rc = 0;

	for (uint32_t i = 0; i < n->segment_count; i++) {
		if (n->segments[i].kept > 0)
			put_segment(n, &n->segments[i], words, numbers, &undated);
	}
	if (undated.count > 0) {
		for (unsigned i = 0; i < SEGMENT_WORDS; i++)
			pg_param_array(&s->params, PG_INT4S, &words[i]);
		for (unsigned i = 0; i < SEGMENT_NUMBERS; i++)
			pg_param_array(&s->params, PG_INT8S, &numbers[i]);
		pg_param_array(&s->params, PG_BOOLS, &undated);
		rc = pg_query_constant(
			s,
			"INSERT INTO segment(traces, vantage, campaign, round, run, geo,"
			" judge, base_us, start_min_us, start_max_us, seq_base, seq_min,"
			" seq_max, undated) SELECT a, b, c, d, e, f, g, h, i, j, k, l, m, o"
			" FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,"
			" $14) WITH ORDINALITY u(a, b, c, d, e, f, g, h, i, j, k, l, m, o,"
			" nth) ORDER BY u.nth RETURNING id",
			&res, err);
		if (rc == 0)
			rc = take_ids(n, res) < 0 ? pg_no_memory(err) : 0;
	}
	PQclear(res);
	for (unsigned i = 0; i < SEGMENT_WORDS; i++)
		pg_array_fini(&words[i]);
	for (unsigned i = 0; i < SEGMENT_NUMBERS; i++)
		pg_array_fini(&numbers[i]);
	pg_array_fini(&undated);
	return rc;
}

static void put_or_null(struct buf *out, bool known, int64_t v)
{
	if (known)
		pg_put_i64(out, v);
	else
		pg_put_null(out);
}

static void put_trace(const struct pg_news *n, const struct pg_waiting_segment *g,
		      const struct pg_waiting_trace *w, struct buf *out)
{
	static const char fields[2] = {0, 15};

	buf_append(out, fields, 2);
	pg_put_i64(out, w->start_us == PG_MINUS_INFINITY ? PG_MINUS_INFINITY
							 : w->start_us - PG_EPOCH_US);
	put_or_null(out, w->ended, w->took_us);
	put_or_null(out, w->path_hash != 0, w->path_hash);
	put_or_null(out, w->rtt_min_us >= 0, w->rtt_min_us);
	put_or_null(out, w->rtt_median_us >= 0 && w->rtt_median_us != w->rtt_min_us,
		    w->rtt_median_us);
	pg_put_i32(out, g->id);
	if (w->ours)
		pg_put_i32(out, (int32_t)(w->seq - g->seq_base));
	else
		pg_put_null(out);
	if (w->ours && w->sub >= 0)
		pg_put_i32(out, (int32_t)w->sub);
	else
		pg_put_null(out);
	pg_put_i32(out, pg_row(n, PG_KIND_GOAL, w->goal));
	pg_put_i32(out, pg_row(n, PG_KIND_SETTINGS, w->settings));
	pg_put_i32(out, pg_row(n, PG_KIND_PATH, w->path));
	pg_put_row(out, pg_row(n, PG_KIND_VERDICT, w->verdict));
	pg_put_row(out, w->naming.named ? pg_row(n, PG_KIND_NAMING, w->naming_ref) : 0);
	pg_put_i16(out, (int16_t)w->nth);
	pg_put_bytes(out, n->bytes.bytes + w->body_at, w->body_size);
}

static int send_traces(struct pg_store *s, struct bp_error *err)
{
	struct pg_news *n = s->news;

	buf_clear(&n->rows);
	for (uint32_t i = 0; i < n->segment_count; i++) {
		const struct pg_waiting_segment *g = &n->segments[i];

		for (uint32_t k = g->first; k < g->first + g->count; k++) {
			if (!n->traces[k].there)
				put_trace(n, g, &n->traces[k], &n->rows);
		}
	}
	if (n->rows.used == 0)
		return n->rows.failed ? pg_no_memory(err) : 0;
	return pg_copy(s,
		       "COPY trace(start, took, path_hash, rtt_min, rtt_median, segment, seq, sub,"
		       " goal, settings, path, verdict, naming, nth, body) FROM STDIN"
		       " (FORMAT binary)",
		       &n->rows, err);
}

static int send_foreign_ids(struct pg_store *s, struct bp_error *err)
{
	struct pg_news *n = s->news;
	struct pg_array ids = {0}, segments = {0}, nths = {0};
	int rc = 0;

	for (uint32_t i = 0; i < n->segment_count; i++) {
		const struct pg_waiting_segment *g = &n->segments[i];

		for (uint32_t k = g->first; k < g->first + g->count; k++) {
			const struct pg_waiting_trace *w = &n->traces[k];

			if (w->there || w->id_size == 0)
				continue;
			ids.count++;
			pg_put_bytes(&ids.bytes, n->bytes.bytes + w->id_at, w->id_size);
			pg_array_row(&segments, g->id);
			nths.count++;
			pg_put_i16(&nths.bytes, (int16_t)w->nth);
		}
	}
	if (ids.count > 0) {
		pg_param_array(&s->params, PG_TEXTS, &ids);
		pg_param_array(&s->params, PG_INT4S, &segments);
		pg_param_array(&s->params, PG_INT2S, &nths);
		rc = pg_query_constant(s, "INSERT INTO foreign_id SELECT * FROM unnest($1, $2, $3)",
				       NULL, err);
	}
	pg_array_fini(&ids);
	pg_array_fini(&segments);
	pg_array_fini(&nths);
	return rc;
}

/* --- what else waits -------------------------------------------------------------------------- */

static int send_object(struct pg_store *s, const struct pg_waiting_object *o, struct bp_error *err)
{
	struct pg_news *n = s->news;
	const struct pg_waiting_segment *g = o->segment < 0 ? NULL : &n->segments[o->segment];

	pg_param_bytes(&s->params, PG_UUID, &o->hash, sizeof(o->hash));
	pg_param_i32(&s->params, o->kind);
	pg_param_i64(&s->params, o->at_us);
	pg_param_i32(&s->params, pg_row(n, PG_KIND_WORD, o->vantage));
	pg_param_i32(&s->params, pg_row(n, PG_KIND_WORD, o->campaign));
	pg_param_i32(&s->params, pg_row(n, PG_KIND_WORD, o->round));
	pg_param_i32(&s->params, g != NULL && g->kept > 0 ? g->id : 0);
	pg_param_i32(&s->params, g != NULL ? n->traces[o->after].nth : 0);
	pg_param_bytes(&s->params, PG_TEXT, n->bytes.bytes + o->json_at, o->json_size);
	return pg_query_constant(
		s,
		"INSERT INTO object(hash, kind, at_us, vantage, campaign, round, segment,"
		" after, json) VALUES ($1, $2, $3, nullif($4, 0), nullif($5, 0),"
		" nullif($6, 0), nullif($7, 0), CASE WHEN $7 <> 0 THEN $8 END, $9)"
		" ON CONFLICT DO NOTHING",
		NULL, err);
}

static int send_judgements(struct pg_store *s, struct bp_error *err)
{
	static const char fields[2] = {0, 5};
	struct pg_news *n = s->news;
	struct buf *rows = &n->rows;

	if (n->judgement_count == 0)
		return 0;
	buf_clear(rows);
	for (uint32_t i = 0; i < n->judgement_count; i++) {
		const struct pg_waiting_judgement *j = &n->judgements[i];

		buf_append(rows, fields, 2);
		pg_put_i32(rows, j->segment);
		pg_put_i16(rows, j->nth);
		pg_put_i32(rows, pg_row(n, PG_KIND_JUDGE, j->judge));
		pg_put_i32(rows, pg_row(n, PG_KIND_VERDICT, j->verdict));
		pg_put_row(rows, pg_row(n, PG_KIND_NAMING, j->naming_ref));
	}
	return pg_copy(s,
		       "COPY judgement(segment, nth, judge, verdict, naming) FROM STDIN"
		       " (FORMAT binary)",
		       rows, err);
}

/* A round that is there stands behind what comes late of it, too. */
static int move_rounds(struct pg_store *s, struct bp_error *err)
{
	struct pg_news *n = s->news;
	struct pg_array rounds = {0}, at = {0};
	int rc = 0;

	for (uint32_t i = 0; i < n->segment_count; i++) {
		const struct pg_waiting_segment *g = &n->segments[i];

		if (g->kept == 0 || g->round == 0)
			continue;
		pg_array_row(&rounds, pg_row(n, PG_KIND_WORD, g->round));
		put_i64(&at, true, g->start_min_us);
	}
	if (rounds.count > 0) {
		pg_param_array(&s->params, PG_INT4S, &rounds);
		pg_param_array(&s->params, PG_INT8S, &at);
		rc = pg_query_constant(
			s,
			"UPDATE round r SET at_us = x.at FROM (SELECT u.round, max(u.at) AS"
			" at FROM unnest($1, $2) u(round, at) GROUP BY 1) x"
			" WHERE r.round = x.round AND r.at_us < x.at",
			NULL, err);
	}
	pg_array_fini(&rounds);
	pg_array_fini(&at);
	return rc;
}

int pg_flush(struct pg_store *s, struct bp_error *err)
{
	struct pg_news *n = s->news;
	uint32_t kept = 0;
	int rc = n->trace_count + n->round_count > 0 ? pg_lock_waiting(s, err) : 0;

	if (rc == 0 && n->trace_count > 0)
		rc = pg_mark_there(s, err);
	for (uint32_t i = 0; i < n->segment_count; i++)
		kept += n->segments[i].kept;
	/* What was sent once more needs nothing new. */
	if (rc == 0 && kept + n->object_count + n->judgement_count + n->round_count > 0)
		rc = send_values(s, err);
	if (rc == 0 && kept > 0)
		rc = make_days(s, err);
	if (rc == 0 && kept > 0)
		rc = send_segments(s, err);
	if (rc == 0 && kept > 0)
		rc = send_traces(s, err);
	if (rc == 0 && kept > 0)
		rc = send_foreign_ids(s, err);
	for (uint32_t i = 0; i < n->object_count && rc == 0; i++)
		rc = send_object(s, &n->objects[i], err);
	if (rc == 0)
		rc = send_judgements(s, err);
	if (rc == 0 && kept > 0)
		rc = move_rounds(s, err);
	if (rc == 0)
		rc = pg_rounds_send(s, err);
	if (rc == 0)
		pg_news_clear(n);
	return rc;
}

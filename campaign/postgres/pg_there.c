// SPDX-License-Identifier: BSD-2-Clause
/*
 * Who writes which vantage point, and which of the traces that wait are in the store already: under
 * the lock of the vantage point nobody else adds any of its.
 */
#include <stdlib.h>
#include <string.h>

#include "campaign/postgres/pg_news.h"

/* Of ids that are not of our form, which any vantage point may send. The first of all locks. */
static const int64_t LOCK_FOREIGN = INT64_MIN;

/* --- locks ------------------------------------------------------------------------------------ */

int64_t pg_lock_key(const struct pg_store *s, const char *vantage)
{
	int64_t key = (int64_t)pg_hash_of(s, vantage, strlen(vantage)).h[0];

	return key == LOCK_FOREIGN ? 0 : key;
}

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static bool is_locked(const struct pg_news *n, int64_t key)
{
	for (uint32_t i = 0; i < n->locked_count; i++) {
		if (n->locked[i] == key)
			return true;
	}
	return false;
}

int pg_lock(struct pg_store *s, int64_t *keys, unsigned count, struct bp_error *err)
{
	struct pg_news *n = s->news;
	struct pg_array wanted = {0};
	void *list = n->locked;
	int rc = pg_room(&list, &n->locked_room, n->locked_count + count, sizeof(*n->locked));

	n->locked = list;
	if (rc < 0)
		return pg_no_memory(err);
	if (count > 1)
		qsort(keys, count, sizeof(*keys), by_number);
	for (unsigned i = 0; i < count; i++) {
		if (is_locked(n, keys[i]))
			continue;
		n->locked[n->locked_count++] = keys[i];
		wanted.count++;
		pg_put_i64(&wanted.bytes, keys[i]);
	}
	if (wanted.count > 0) {
		pg_param_array(&s->params, PG_INT8S, &wanted);
		rc = pg_query_constant(s,
				       "SELECT pg_advisory_xact_lock(x.k) FROM (SELECT u.k FROM"
				       " unnest($1) u(k) ORDER BY 1) x",
				       NULL, err);
	}
	pg_array_fini(&wanted);
	return rc;
}

int pg_lock_waiting(struct pg_store *s, struct bp_error *err)
{
	struct pg_news *n = s->news;
	int64_t *keys = malloc((n->segment_count + n->round_count + 1) * sizeof(*keys));
	unsigned count = 0;
	int rc;

	if (keys == NULL)
		return pg_no_memory(err);
	for (uint32_t i = 0; i < n->trace_count; i++) {
		if (n->traces[i].id_size > 0) {
			keys[count++] = LOCK_FOREIGN;
			break;
		}
	}
	for (uint32_t i = 0; i < n->segment_count; i++) {
		if (count == 0 || keys[count - 1] != n->segments[i].lock)
			keys[count++] = n->segments[i].lock;
	}
	for (uint32_t i = 0; i < n->round_count; i++) {
		if (count == 0 || keys[count - 1] != n->rounds[i].lock)
			keys[count++] = n->rounds[i].lock;
	}
	rc = pg_lock(s, keys, count, err);
	free(keys);
	return rc;
}

/* --- what is there already -------------------------------------------------------------------- */

static void mark_ours(struct pg_store *s, const char *run, int64_t seq, int64_t sub)
{
	struct pg_news *n = s->news;
	struct trace_key k = {.seq = seq, .sub = sub};
	char id[TRACE_ID_TEXT];
	uint32_t at = 0, number;

	text_set(k.run, sizeof(k.run), run);
	trace_key_text(&k, id);
	while (pg_places_next(&n->ids, pg_id_hash(s, id), &at, &number)) {
		struct pg_waiting_trace *w = &n->traces[number];

		if (w->ours && w->seq == seq && w->sub == sub)
			w->there = true;
	}
}

static void mark_foreign(struct pg_store *s, const char *id)
{
	struct pg_news *n = s->news;
	uint32_t at = 0, number;

	while (pg_places_next(&n->ids, pg_id_hash(s, id), &at, &number)) {
		struct pg_waiting_trace *w = &n->traces[number];

		if (w->id_size == strlen(id) &&
		    memcmp(n->bytes.bytes + w->id_at, id, w->id_size) == 0)
			w->there = true;
	}
}

/* The reach of the numbers of each segment under way, and segments that lie in it. */
static int find_segments(struct pg_store *s, PGresult **out, struct bp_error *err)
{
	struct pg_news *n = s->news;
	struct pg_array runs = {0}, least = {0}, most = {0};
	int rc = 0;

	for (uint32_t i = 0; i < n->segment_count; i++) {
		const struct pg_waiting_segment *g = &n->segments[i];

		if (g->key.run[0] == '\0' || g->count == 0)
			continue;
		runs.count = ++least.count;
		most.count = runs.count;
		pg_put_text(&runs.bytes, g->key.run);
		pg_put_i64(&least.bytes, g->seq_min);
		pg_put_i64(&most.bytes, g->seq_max);
	}
	*out = NULL;
	if (runs.count > 0) {
		pg_param_array(&s->params, PG_TEXTS, &runs);
		pg_param_array(&s->params, PG_INT8S, &least);
		pg_param_array(&s->params, PG_INT8S, &most);
		rc = pg_query_constant(
			s,
			"SELECT DISTINCT g.id, w.word, g.seq_base, g.start_min_us,"
			" g.start_max_us, g.undated FROM unnest($1, $2, $3) u(run, least,"
			" most) JOIN word w ON w.word = u.run JOIN segment g ON"
			" g.run = w.id AND g.seq_max >= u.least AND g.seq_min <= u.most",
			out, err);
	}
	pg_array_fini(&runs);
	pg_array_fini(&least);
	pg_array_fini(&most);
	return rc;
}

static int mark_segment(struct pg_store *s, const PGresult *segments, int row, struct bp_error *err)
{
	const char *run = pg_get_text(segments, row, 1);
	int64_t base = pg_get_i64(segments, row, 2);
	PGresult *res;
	int rc;

	pg_param_i32(&s->params, pg_get_i32(segments, row, 0));
	pg_param_i64(&s->params, pg_get_i64(segments, row, 3));
	pg_param_i64(&s->params, pg_get_i64(segments, row, 4));
	pg_param_bool(&s->params, pg_get_bool(segments, row, 5));
	rc = pg_query_constant(
		s,
		"SELECT seq, sub FROM trace WHERE segment = $1 AND seq IS NOT NULL AND"
		" start <= timestamptz '1970-01-01 00:00:00+00' + $3 * interval '1"
		" microsecond' AND start >= CASE WHEN $4 THEN timestamptz '-infinity' ELSE"
		" timestamptz '1970-01-01 00:00:00+00' + $2 * interval '1 microsecond' END",
		&res, err);
	if (rc < 0)
		return rc;
	for (int i = 0; i < PQntuples(res); i++)
		mark_ours(s, run, base + pg_get_i32(res, i, 0),
			  pg_is_null(res, i, 1) ? -1 : pg_get_i32(res, i, 1));
	PQclear(res);
	return 0;
}

static int mark_foreigners(struct pg_store *s, struct bp_error *err)
{
	struct pg_news *n = s->news;
	struct pg_array ids = {0};
	PGresult *res = NULL;
	int rc = 0;

	for (uint32_t i = 0; i < n->trace_count; i++) {
		if (n->traces[i].id_size == 0)
			continue;
		ids.count++;
		pg_put_bytes(&ids.bytes, n->bytes.bytes + n->traces[i].id_at, n->traces[i].id_size);
	}
	if (ids.count > 0) {
		pg_param_array(&s->params, PG_TEXTS, &ids);
		rc = pg_query_constant(s, "SELECT id FROM foreign_id WHERE id = ANY ($1)", &res,
				       err);
	}
	for (int i = 0; rc == 0 && res != NULL && i < PQntuples(res); i++)
		mark_foreign(s, pg_get_text(res, i, 0));
	PQclear(res);
	pg_array_fini(&ids);
	return rc;
}

/* Of traces from .. to of a segment, or of those of them that stay. */
static void measure_segment(struct pg_news *n, struct pg_waiting_segment *g)
{
	bool dated = false, numbered = false;

	g->kept = 0;
	g->undated = false;
	g->start_min_us = g->start_max_us = 0;
	for (uint32_t i = g->first; i < g->first + g->count; i++) {
		const struct pg_waiting_trace *w = &n->traces[i];

		if (w->there)
			continue;
		g->kept++;
		if (w->start_us == PG_MINUS_INFINITY) {
			g->undated = true;
		} else {
			if (!dated || w->start_us < g->start_min_us)
				g->start_min_us = w->start_us;
			if (!dated || w->start_us > g->start_max_us)
				g->start_max_us = w->start_us;
			dated = true;
		}
		if (!w->ours)
			continue;
		if (!numbered || w->seq < g->seq_min)
			g->seq_min = w->seq;
		if (!numbered || w->seq > g->seq_max)
			g->seq_max = w->seq;
		numbered = true;
	}
}

int pg_mark_there(struct pg_store *s, struct bp_error *err)
{
	struct pg_news *n = s->news;
	PGresult *segments;
	int rc;

	for (uint32_t i = 0; i < n->segment_count; i++)
		measure_segment(n, &n->segments[i]);
	rc = find_segments(s, &segments, err);
	for (int i = 0; rc == 0 && segments != NULL && i < PQntuples(segments); i++)
		rc = mark_segment(s, segments, i, err);
	PQclear(segments);
	if (rc == 0)
		rc = mark_foreigners(s, err);
	for (uint32_t i = 0; i < n->segment_count; i++)
		measure_segment(n, &n->segments[i]);
	return rc;
}

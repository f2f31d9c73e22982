// SPDX-License-Identifier: BSD-2-Clause
/*
 * Retention by campaign and vantage point: segments that are too old go, some at a time, and their
 * hours are kept. Whole days of everybody go much faster with store_drop_days (doc/store.md).
 */
#include <stdlib.h>

#include "campaign/postgres/pg_news.h"

/* A transaction's: as many rounds, of 1024 traces at the most that people do. */
enum { RETIRE_SEGMENTS = 64 };

/* Of a campaign and a vantage point, $2 and $3; "": of any. */
#define OF_OWNER                                                                 \
	" AND ($2 = '' OR campaign = (SELECT id FROM word WHERE word = $2)) AND" \
	" ($3 = '' OR vantage = (SELECT id FROM word WHERE word = $3))"

/* Segments of $1, and traces of them that are older than $2. */
#define TOO_OLD                                                                           \
	" t.segment = ANY ($1) AND t.start < timestamptz '1970-01-01 00:00:00+00' + $2 *" \
	" interval '1 microsecond'"

/* In this order; the third counts. */
static const char *const steps[] = {
	"DELETE FROM judgement j USING trace t WHERE j.segment = t.segment AND j.nth = t.nth "
	"AND" TOO_OLD,
	"DELETE FROM foreign_id f USING trace t WHERE f.segment = t.segment AND f.nth = t.nth "
	"AND" TOO_OLD,
	"DELETE FROM object o USING trace t WHERE o.segment = t.segment AND o.after = t.nth "
	"AND" TOO_OLD,
	"DELETE FROM trace t WHERE" TOO_OLD,
	/* What is left of it begins later. */
	"UPDATE segment SET start_min_us = greatest(start_min_us, $2), start_max_us ="
	" greatest(start_max_us, $2), undated = false WHERE id = ANY ($1)",
	"DELETE FROM segment g WHERE g.id = ANY ($1) AND $2 IS NOT NULL AND NOT EXISTS (SELECT 1"
	" FROM trace t WHERE t.segment = g.id)",
};
enum { STEP_TRACES = 3, STEP_COUNT = sizeof(steps) / sizeof(steps[0]) };

/* As in SQLite: what an offline vantage point heard, what could not be measured and closer looks
 * say nothing of a target. */
static const char roll_up[] =
	"INSERT INTO hour(hour_us, vantage, campaign, prefix, method, outcome, border, traces,"
	" reached, rtt_n, rtt_min, rtt_sum) SELECT us_of(date_trunc('hour', t.start, 'UTC')),"
	" coalesce(s.vantage, 0), coalesce(s.campaign, 0), coalesce(text(g.prefix), ''), g.method,"
	" coalesce(v.outcome, -1), coalesce(v.border, ''), count(*), count(*) FILTER (WHERE"
	" p.reach = 1), count(t.rtt_min), min(t.rtt_min), sum(t.rtt_min)"
	" FROM trace t JOIN segment s ON s.id = t.segment JOIN goal g ON g.id = t.goal"
	" JOIN path p ON p.id = t.path LEFT JOIN LATERAL (SELECT j.verdict FROM judgement j WHERE"
	" j.segment = t.segment AND j.nth = t.nth ORDER BY j.n DESC LIMIT 1) j ON true"
	" LEFT JOIN verdict v ON v.id = coalesce(j.verdict, t.verdict) WHERE" TOO_OLD
	" AND isfinite(t.start) AND NOT (p.stop = $3 AND cardinality(p.list) = 0) AND NOT EXISTS"
	" (SELECT 1 FROM round o WHERE o.round = s.round AND (o.offline OR o.look))"
	" GROUP BY 1, 2, 3, 4, 5, 6, 7"
	" ON CONFLICT (hour_us, vantage, campaign, prefix, method, outcome, border) DO UPDATE SET"
	" traces = hour.traces + excluded.traces, reached = hour.reached + excluded.reached,"
	" rtt_n = hour.rtt_n + excluded.rtt_n, rtt_min = least(hour.rtt_min, excluded.rtt_min),"
	" rtt_sum = coalesce(hour.rtt_sum, 0) + coalesce(excluded.rtt_sum, 0)";

static int list_segments(struct pg_store *s, const char *campaign, const char *vantage,
			 int64_t before_us, struct pg_array *out, struct bp_error *err)
{
	PGresult *res;
	int rc;

	pg_param_i64(&s->params, before_us);
	pg_param_text(&s->params, campaign != NULL ? campaign : "");
	pg_param_text(&s->params, vantage != NULL ? vantage : "");
	pg_param_i32(&s->params, RETIRE_SEGMENTS);
	rc = pg_query(s,
		      "SELECT id FROM segment WHERE start_min_us < $1" OF_OWNER
		      " ORDER BY start_min_us LIMIT $4 FOR UPDATE SKIP LOCKED",
		      &res, err);
	if (rc < 0)
		return rc;
	for (int i = 0; i < PQntuples(res); i++) {
		out->count++;
		pg_put_i32(&out->bytes, pg_get_i32(res, i, 0));
	}
	PQclear(res);
	return 0;
}

static int retire(struct pg_store *s, const struct pg_array *segments, int64_t before_us,
		  bool hourly, uint64_t *dropped, struct bp_error *err)
{
	int rc = 0;

	if (hourly) {
		pg_param_array(&s->params, PG_INT4S, segments);
		pg_param_i64(&s->params, before_us);
		pg_param_i32(&s->params, STOP_ERROR);
		rc = pg_query(s, roll_up, NULL, err);
	}
	for (unsigned i = 0; i < STEP_COUNT && rc == 0; i++) {
		PGresult *res;

		pg_param_array(&s->params, PG_INT4S, segments);
		pg_param_i64(&s->params, before_us);
		rc = pg_query(s, steps[i], &res, err);
		if (rc < 0)
			break;
		if (i == STEP_TRACES)
			*dropped = strtoull(PQcmdTuples(res), NULL, 10);
		PQclear(res);
	}
	return rc;
}

int pg_retire_some(struct store *store, const char *campaign, const char *vantage,
		   struct wall before, bool hourly, uint64_t *dropped, bool *more,
		   struct bp_error *err)
{
	struct pg_store *s = pg_of(store);
	struct pg_array segments = {0};
	uint64_t sum = 0;
	int rc = pg_begin(store, err);

	if (rc < 0)
		return rc;
	rc = list_segments(s, campaign, vantage, pg_us_of(before), &segments, err);
	if (rc == 0 && segments.count > 0)
		rc = retire(s, &segments, pg_us_of(before), hourly, &sum, err);
	if (rc == 0)
		rc = pg_commit(store, err);
	if (rc < 0) {
		pg_undo(store);
	} else {
		*dropped = sum;
		*more = segments.count > 0;
	}
	pg_array_fini(&segments);
	return rc;
}

int pg_retire_hours(struct store *store, const char *campaign, const char *vantage,
		    struct wall before, uint64_t *dropped, struct bp_error *err)
{
	struct pg_store *s = pg_of(store);
	PGresult *res = NULL;
	int rc = pg_begin(store, err);

	if (rc < 0)
		return rc;
	pg_param_i64(&s->params, pg_us_of(before));
	pg_param_text(&s->params, campaign != NULL ? campaign : "");
	pg_param_text(&s->params, vantage != NULL ? vantage : "");
	rc = pg_query(s, "DELETE FROM hour WHERE hour_us < $1" OF_OWNER, &res, err);
	if (rc == 0)
		rc = pg_commit(store, err);
	if (rc < 0)
		pg_undo(store);
	else
		*dropped = strtoull(PQcmdTuples(res), NULL, 10);
	PQclear(res);
	return rc;
}

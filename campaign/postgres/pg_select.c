// SPDX-License-Identifier: BSD-2-Clause
/*
 * Selections as SQL and as a filter. Time, vantage point, campaign and round choose segments by an
 * index; target, prefix and method choose goals, of which there are few: they become row numbers.
 */
#include "campaign/postgres/pg_select.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/postgres/pg_known.h"
#include "campaign/value.h"

/* A round is found by where it is read, which is at or behind where it was planned. */
static const int64_t SLACK_LEAST_US = INT64_C(86400) * 1000000;
/* Far enough from the ends that slack can be added. */
static const int64_t FAR_US = INT64_MAX / 4;

/* --- a view ----------------------------------------------------------------------------------- */

int pg_view_open(struct pg_store *s, struct bp_error *err)
{
	int rc = pg_ready(s, err);

	if (rc == 0 && s->readers == 0 && !s->writing)
		rc = pg_exec(s, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err);
	if (rc == 0)
		s->readers++;
	return rc;
}

void pg_view_close(struct pg_store *s)
{
	if (s->readers > 0 && --s->readers == 0 && !s->writing && s->link != NULL)
		pg_exec(s, "ROLLBACK", NULL);
}

/* --- items ------------------------------------------------------------------------------------ */

enum { P_SINCE = 1, P_UNTIL, P_SLACK_SINCE, P_SLACK_UNTIL, P_VANTAGE, P_CAMPAIGN, P_ROUND };

static void put_owner(struct buf *sql, const struct store_select *select, const char *table)
{
	if (select->vantage != NULL && select->vantage[0] == '\0')
		buf_printf(sql, " AND %s.vantage IS NULL", table);
	else if (select->vantage != NULL)
		buf_printf(sql, " AND %s.vantage = (SELECT id FROM word WHERE word = $%d)", table,
			   P_VANTAGE);
	if (select->campaign != NULL)
		buf_printf(sql, " AND %s.campaign = (SELECT id FROM word WHERE word = $%d)", table,
			   P_CAMPAIGN);
}

static void put_segments(struct buf *sql, const struct store_select *select, unsigned want)
{
	buf_printf(sql,
		   "SELECT g.start_min_us AS at, 0 AS kind, g.id::bigint AS id,"
		   " g.traces::bigint AS traces FROM segment g WHERE"
		   " g.start_min_us >= $%d AND g.start_min_us < $%d AND g.start_max_us >= $%d",
		   P_SLACK_SINCE, P_UNTIL, P_SINCE);
	put_owner(sql, select, "g");
	if (select->round != NULL)
		buf_printf(sql, " AND g.round = (SELECT id FROM word WHERE word = $%d)", P_ROUND);
	/* What an offline vantage point measured says nothing of its targets. */
	if (want & PG_WANT_STEADY)
		buf_str(sql, " AND NOT EXISTS (SELECT 1 FROM round o WHERE o.round = g.round AND"
			     " (o.offline OR o.look))");
	else if (select->online)
		buf_str(sql, " AND NOT EXISTS (SELECT 1 FROM round o WHERE o.round = g.round AND"
			     " o.offline)");
}

static void put_rounds(struct buf *sql, const struct store_select *select)
{
	buf_str(sql, "SELECT r.at_us, 1, r.id, 0::bigint FROM round r WHERE ");
	if (select->round != NULL) {
		buf_printf(sql, "r.round = (SELECT id FROM word WHERE word = $%d)", P_ROUND);
		return;
	}
	buf_printf(sql,
		   "r.at_us >= $%d AND r.at_us < $%d AND ((r.planned_us >= $%d AND"
		   " r.planned_us < $%d) OR (r.at_us >= $%d AND r.at_us < $%d))",
		   P_SLACK_SINCE, P_SLACK_UNTIL, P_SINCE, P_UNTIL, P_SINCE, P_UNTIL);
	put_owner(sql, select, "r");
}

static void put_objects(struct buf *sql, const struct store_select *select)
{
	buf_printf(sql,
		   "SELECT o.at_us, 2, o.id, 0::bigint FROM object o WHERE o.segment IS NULL AND"
		   " o.at_us >= $%d AND o.at_us < $%d",
		   P_SINCE, P_UNTIL);
	put_owner(sql, select, "o");
}

/* The longest of all segments: one that began so long before may reach into the window. */
static int find_slack(struct pg_store *s, const struct store_select *select, int64_t *out,
		      struct bp_error *err)
{
	PGresult *res;
	int rc;

	/* All of a round began in it. */
	*out = 0;
	if (select->round != NULL)
		return 0;
	rc = pg_query_constant(s, "SELECT max(start_max_us - start_min_us) FROM segment", &res, err);
	if (rc < 0)
		return rc;
	*out = pg_get_i64(res, 0, 0);
	PQclear(res);
	if (*out < SLACK_LEAST_US)
		*out = SLACK_LEAST_US;
	if (*out > INT64_MAX / 8)
		*out = INT64_MAX / 8;
	return 0;
}

/* Each parameter is named once, whatever the rest names: else its type would not be known. */
int pg_items_open(struct pg_store *s, const struct pg_filter *f, unsigned want, unsigned cursor,
		  struct bp_error *err)
{
	const struct store_select *select = f->select;
	struct buf sql;
	int64_t slack;
	int rc = find_slack(s, select, &slack, err);

	if (rc < 0)
		return rc;
	buf_init(&sql);
	buf_printf(&sql, "DECLARE items_%u NO SCROLL CURSOR FOR SELECT at, kind, id, traces FROM (",
		   cursor);
	if (select->rounds_only) {
		buf_str(&sql, "SELECT 0::bigint AS at, 0 AS kind, 0::bigint AS id, 0::bigint AS"
			      " traces WHERE false");
	} else {
		put_segments(&sql, select, want);
	}
	if (!select->rounds_only && !(want & PG_WANT_SEGMENTS)) {
		buf_str(&sql, " UNION ALL ");
		put_objects(&sql, select);
	}
	if (!(want & PG_WANT_SEGMENTS)) {
		buf_str(&sql, " UNION ALL ");
		put_rounds(&sql, select);
	}
	buf_str(&sql, ") x WHERE coalesce($1::bigint, $2::bigint, $3::bigint, $4::bigint) IS NOT"
		      " NULL AND concat($5::text, $6::text, $7::text) IS NOT NULL"
		      " ORDER BY at, kind, id");
	pg_param_i64(&s->params, f->since_us);
	pg_param_i64(&s->params, f->until_us);
	pg_param_i64(&s->params, f->since_us - slack);
	pg_param_i64(&s->params, f->until_us + slack);
	pg_param_text(&s->params, select->vantage != NULL ? select->vantage : "");
	pg_param_text(&s->params, select->campaign != NULL ? select->campaign : "");
	pg_param_text(&s->params, select->round != NULL ? select->round : "");
	rc = sql.failed ? pg_no_memory(err) : pg_query(s, sql.bytes, NULL, err);
	buf_fini(&sql);
	return rc;
}

int pg_items_next(struct pg_store *s, unsigned cursor, struct pg_item items[static PG_ITEMS],
		  struct bp_error *err)
{
	char sql[64];
	PGresult *res;
	int rc, count;

	snprintf(sql, sizeof(sql), "FETCH %d FROM items_%u", PG_ITEMS, cursor);
	rc = pg_query(s, sql, &res, err);
	if (rc < 0)
		return rc;
	count = PQntuples(res);
	for (int i = 0; i < count && i < PG_ITEMS; i++)
		items[i] = (struct pg_item){
			.at_us = pg_get_i64(res, i, 0),
			.kind = (uint8_t)pg_get_i32(res, i, 1),
			.id = pg_get_i64(res, i, 2),
			.traces = pg_get_i64(res, i, 3),
		};
	PQclear(res);
	return count < PG_ITEMS ? count : PG_ITEMS;
}

void pg_items_close(struct pg_store *s, unsigned cursor)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "CLOSE items_%u", cursor);
	if (s->link != NULL && PQtransactionStatus(s->link) == PQTRANS_INTRANS)
		pg_exec(s, sql, NULL);
}

/* --- rows ------------------------------------------------------------------------------------- */

static bool goal_fits(const struct store_select *select, const struct trace *t)
{
	struct addr a;

	if (select->method != METHOD_UNKNOWN && t->method != select->method)
		return false;
	if (addr_is_set(select->prefix.addr) && !prefix_has(select->prefix, t->dst))
		return false;
	return select->target == NULL || strcmp(t->target, select->target) == 0 ||
	       (addr_parse(select->target, &a) == 0 && addr_equal(a, t->dst));
}

static int find_goals(struct pg_store *s, struct pg_filter *f, struct bp_error *err)
{
	struct trace *t = trace_new(0);
	PGresult *res = NULL;
	int rc = t == NULL ? pg_no_memory(err)
			   : pg_query(s, "SELECT id, key FROM goal ORDER BY id", &res, err);

	if (rc == 0) {
		f->goals = calloc((size_t)PQntuples(res) + 1, sizeof(*f->goals));
		rc = f->goals == NULL ? pg_no_memory(err) : 0;
	}
	for (int i = 0; rc == 0 && i < PQntuples(res); i++) {
		size_t n;
		const void *key = pg_get_bytes(res, i, 1, &n);

		trace_init(t);
		if (value_read_goal(key, (int)n, t) < 0)
			rc = pg_damaged(s, "goal", pg_get_i32(res, i, 0), err);
		else if (goal_fits(f->select, t))
			f->goals[f->goal_count++] = pg_get_i32(res, i, 0);
	}
	PQclear(res);
	free(t);
	return rc;
}

int pg_filter_init(struct pg_store *s, const struct store_select *select, struct pg_filter *out,
		   struct bp_error *err)
{
	*out = (struct pg_filter){.select = select, .last_verdict = -1};
	out->since_us = select->since.ns != 0 ? pg_us_of(select->since) : -FAR_US;
	out->until_us = select->until.ns != 0 ? pg_us_of(select->until) : FAR_US;
	/* until is not within: a part of a microsecond more counts as a whole one. */
	if (select->until.ns != 0 && select->until.ns % NS_PER_US != 0)
		out->until_us++;
	out->by_goal = select->method != METHOD_UNKNOWN || addr_is_set(select->prefix.addr) ||
		       select->target != NULL;
	return out->by_goal ? find_goals(s, out, err) : 0;
}

void pg_filter_fini(struct pg_filter *f)
{
	free(f->goals);
	f->goals = NULL;
}

bool pg_filter_goal(const struct pg_filter *f, int32_t goal)
{
	return !f->by_goal || (f->goal_count > 0 && bsearch(&goal, f->goals, f->goal_count,
							    sizeof(goal), pg_by_row) != NULL);
}

bool pg_filter_start(const struct pg_filter *f, int64_t start_us)
{
	/* What has no time is in no window. */
	if (start_us == PG_MINUS_INFINITY)
		return f->select->since.ns == 0 && f->select->until.ns == 0;
	return start_us >= f->since_us && start_us < f->until_us;
}

/* The border by its id; "other", "mixed" ... by their outcome. */
int pg_filter_border(struct pg_store *s, struct pg_filter *f, int32_t verdict, bool *out,
		     struct bp_error *err)
{
	const char *border = f->select->border;
	struct trace *none;
	struct verdict v = {0};
	const void *bytes;
	size_t n;
	int rc;

	*out = border == NULL;
	if (border == NULL || verdict == 0)
		return 0;
	if (verdict != f->last_verdict) {
		bytes = pg_known_get(s, PG_KNOWN_VERDICT, verdict, &n);
		none = trace_new(0);
		if (none == NULL)
			return pg_no_memory(err);
		rc = bytes == NULL ? BP_EPARSE : value_read_verdict(bytes, (int)n, &v, none);
		free(none);
		if (rc < 0)
			return pg_damaged(s, "verdict", verdict, err);
		f->last_fits =
			strcmp(v.outcome == OUTCOME_BORDER ? v.border
							   : word_of(outcome_words, v.outcome),
			       border) == 0;
		f->last_verdict = verdict;
	}
	*out = f->last_fits;
	return 0;
}

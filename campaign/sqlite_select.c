// SPDX-License-Identifier: BSD-2-Clause
/*
 * Selections of the store. Time, vantage point and campaign choose segments by an index; target,
 * prefix and method choose goals, border verdicts, of which there are few: both become row numbers.
 */
#include "campaign/sqlite_select.h"

#include <stdlib.h>
#include <string.h>

#include "campaign/sqlite_cache.h"
#include "core/text.h"

/* Behind which item a page goes on, and how many it has. */
enum { SELECT_FROM_AT = 1, SELECT_FROM_KIND, SELECT_FROM_ID, SELECT_LIMIT };
enum {
	P_SINCE = SELECT_LIMIT + 1,
	P_UNTIL,
	P_SLACK_SINCE,
	P_SLACK_UNTIL,
	P_VANTAGE,
	P_CAMPAIGN,
	P_ROUND,
};
/* A round is found by where it is read, which is at or behind where it was planned. */
static const int64_t SLACK_LEAST_US = INT64_C(86400) * 1000000;

static int64_t us_of(struct wall w)
{
	int64_t us = w.ns / NS_PER_US;

	return w.ns % NS_PER_US < 0 ? us - 1 : us;
}

static void set_window(const struct store_select *select, int64_t *since, int64_t *until)
{
	/* Far enough from the ends that slack can be added. */
	*since = select->since.ns != 0 ? us_of(select->since) : INT64_MIN / 4;
	*until = select->until.ns != 0 ? us_of(select->until) : INT64_MAX / 4;
	/* until is not within: a part of a microsecond more counts as a whole one. */
	if (select->until.ns != 0 && select->until.ns % NS_PER_US != 0)
		++*until;
}

static void put_owner(struct buf *sql, const struct store_select *select)
{
	/* The empty name is nobody's. */
	if (select->vantage != NULL && select->vantage[0] == '\0')
		buf_str(sql, " AND vantage IS NULL");
	else if (select->vantage != NULL)
		buf_printf(sql, " AND vantage = (SELECT id FROM text WHERE text = ?%d)", P_VANTAGE);
	if (select->campaign != NULL)
		buf_printf(sql, " AND campaign = (SELECT id FROM text WHERE text = ?%d)",
			   P_CAMPAIGN);
}

static void put_segments(struct buf *sql, const struct store_select *select)
{
	buf_printf(sql,
		   " FROM segment WHERE start_min_us >= ?%d AND start_min_us < ?%d AND"
		   " start_max_us >= ?%d",
		   P_SLACK_SINCE, P_UNTIL, P_SINCE);
	put_owner(sql, select);
	if (select->round != NULL)
		buf_printf(sql, " AND round = (SELECT id FROM text WHERE text = ?%d)", P_ROUND);
}

/* What an offline vantage point measured says nothing of its targets. Of groups, looks: closer
 * looks are no rounds to compare with others. */
static void put_online(struct buf *sql, bool looks)
{
	buf_str(sql, " AND NOT EXISTS (SELECT 1 FROM round o WHERE o.id = segment.round AND"
		     " (o.why = 'vantage_offline' OR"
		     " json_extract(o.json, '$.health.state') = 'offline'");
	if (!looks)
		buf_str(sql, " OR json_extract(o.json, '$.look')");
	buf_str(sql, "))");
}

static int bind_list(struct sqlite_store *s, const struct store_select *select, sqlite3_stmt *st,
		     struct bp_error *err)
{
	int64_t since, until, slack = 0;
	int rc = sql_int(s, "SELECT value FROM meta WHERE key = 'longest_us'", &slack, err);

	if (rc < 0)
		return rc;
	if (slack < SLACK_LEAST_US)
		slack = SLACK_LEAST_US;
	if (slack > INT64_MAX / 8)
		slack = INT64_MAX / 8;
	/* All of a round began in it. */
	if (select->round != NULL)
		slack = 0;
	set_window(select, &since, &until);
	sqlite3_bind_int64(st, P_SINCE, since);
	sqlite3_bind_int64(st, P_UNTIL, until);
	sqlite3_bind_int64(st, P_SLACK_SINCE, since - slack);
	sqlite3_bind_int64(st, P_SLACK_UNTIL, until + slack);
	if (select->vantage != NULL && select->vantage[0] != '\0')
		sqlite3_bind_text(st, P_VANTAGE, select->vantage, -1, SQLITE_TRANSIENT);
	if (select->campaign != NULL)
		sqlite3_bind_text(st, P_CAMPAIGN, select->campaign, -1, SQLITE_TRANSIENT);
	if (select->round != NULL)
		sqlite3_bind_text(st, P_ROUND, select->round, -1, SQLITE_TRANSIENT);
	return 0;
}

static int prepare(struct sqlite_store *s, const struct store_select *select, struct buf *sql,
		   sqlite3_stmt **out, struct bp_error *err)
{
	sqlite3_stmt *st = NULL;
	int rc;

	if (sql->failed)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	if (sqlite3_prepare_v2(s->db, sql->bytes, -1, &st, NULL) != SQLITE_OK)
		return sql_fail(s, sqlite3_extended_errcode(s->db), err);
	rc = bind_list(s, select, st, err);
	if (rc < 0)
		sqlite3_finalize(st);
	else
		*out = st;
	return rc;
}

/* Left to itself, SQLite takes the index by campaign: a look at every round there is, for the
 * traces of one. */
static void put_list_rounds(struct buf *sql, const struct store_select *select)
{
	if (select->round != NULL) {
		buf_printf(sql, "SELECT at_us AS at, 1 AS kind, id, 0 AS first, 0 AS last FROM round"
			   " WHERE id = (SELECT id FROM text WHERE text = ?%d) AND at_us >= ?%d",
			   P_ROUND, SELECT_FROM_AT);
		return;
	}
	buf_printf(sql,
		   "SELECT at_us AS at, 1 AS kind, id, 0 AS first, 0 AS last FROM round"
		   " INDEXED BY round_by_start WHERE at_us >= ?%d AND at_us < ?%d AND at_us >= ?%d AND ((planned_us >="
		   " ?%d AND planned_us < ?%d) OR (at_us >= ?%d AND at_us < ?%d))",
		   P_SLACK_SINCE, P_SLACK_UNTIL, SELECT_FROM_AT, P_SINCE, P_UNTIL, P_SINCE,
		   P_UNTIL);
	put_owner(sql, select);
}

static int prepare_list(struct sqlite_store *s, const struct store_select *select,
			sqlite3_stmt **out, struct bp_error *err)
{
	struct buf sql;
	int rc;

	buf_init(&sql);
	buf_str(&sql, "SELECT at, kind, id, first, last FROM (");
	put_list_rounds(&sql, select);
	if (!select->rounds_only) {
		buf_str(&sql, " UNION ALL SELECT start_min_us, 0, id, first, last");
		put_segments(&sql, select);
		if (select->online)
			put_online(&sql, true);
		buf_printf(&sql,
			   " AND start_min_us >= ?%d UNION ALL"
			   " SELECT at_us, 2, id, 0, 0 FROM object WHERE segment IS NULL"
			   " AND at_us >= ?%d AND at_us < ?%d AND at_us >= ?%d",
			   SELECT_FROM_AT, P_SINCE, P_UNTIL, SELECT_FROM_AT);
		put_owner(&sql, select);
	}
	buf_printf(&sql, ") WHERE (at, kind, id) > (?%d, ?%d, ?%d) ORDER BY at, kind, id LIMIT ?%d",
		   SELECT_FROM_AT, SELECT_FROM_KIND, SELECT_FROM_ID, SELECT_LIMIT);
	rc = prepare(s, select, &sql, out, err);
	buf_fini(&sql);
	return rc;
}

int select_list_open(struct sqlite_store *s, const struct store_select *select,
		     struct select_list **out, struct bp_error *err)
{
	struct select_list *l = calloc(1, sizeof(*l));
	int rc;

	if (l == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	rc = prepare_list(s, select, &l->st, err);
	if (rc < 0)
		free(l);
	else
		*out = l;
	return rc;
}

void select_list_close(struct select_list *l)
{
	if (l == NULL)
		return;
	sqlite3_finalize(l->st);
	free(l);
}

static int load_page(struct sqlite_store *s, struct select_list *l, struct bp_error *err)
{
	struct select_item from = l->count > 0 ? l->items[l->count - 1]
					       : (struct select_item){.at = INT64_MIN};
	int rc;

	sqlite3_bind_int64(l->st, SELECT_FROM_AT, from.at);
	sqlite3_bind_int64(l->st, SELECT_FROM_KIND, from.kind);
	sqlite3_bind_int64(l->st, SELECT_FROM_ID, from.id);
	sqlite3_bind_int(l->st, SELECT_LIMIT, SELECT_PAGE);
	l->next = l->count = 0;
	while (l->count < SELECT_PAGE && (rc = sql_step(s, l->st, err)) == 1)
		l->items[l->count++] = (struct select_item){
			sqlite3_column_int64(l->st, 0), sqlite3_column_int64(l->st, 1),
			sqlite3_column_int64(l->st, 2), sqlite3_column_int64(l->st, 3),
			sqlite3_column_int64(l->st, 4)};
	sqlite3_reset(l->st);
	return rc < 0 ? rc : 0;
}

int select_list_next(struct sqlite_store *s, struct select_list *l, const struct select_item **out,
		     struct bp_error *err)
{
	int rc = 0;

	/* A page that is not full is the last. */
	if (l->next == l->count && (l->count == 0 || l->count == SELECT_PAGE))
		rc = load_page(s, l, err);
	if (rc < 0 || l->next == l->count)
		return rc;
	*out = &l->items[l->next];
	return 1;
}

int select_segments(struct sqlite_store *s, const struct store_select *select, sqlite3_stmt **out,
		    struct bp_error *err)
{
	struct buf sql;
	int rc;

	buf_init(&sql);
	buf_str(&sql, "SELECT id, first, last, vantage, base_us");
	put_segments(&sql, select);
	put_online(&sql, false);
	/* Of one vantage point in the order they lie in the file. */
	buf_str(&sql, " ORDER BY vantage, id");
	rc = prepare(s, select, &sql, out, err);
	buf_fini(&sql);
	return rc;
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

static int find_goals(struct sqlite_store *s, struct select_filter *f, struct bp_error *err)
{
	struct trace *t = trace_new(0);
	sqlite3_stmt *st = NULL;
	uint32_t room = 0;
	int rc = 0;

	if (t == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	if (sqlite3_prepare_v2(s->db, "SELECT id, key FROM goal ORDER BY id", -1, &st, NULL) !=
	    SQLITE_OK)
		rc = sql_fail(s, sqlite3_extended_errcode(s->db), err);
	while (rc == 0 && (rc = sql_step(s, st, err)) == 1) {
		rc = 0;
		trace_init(t);
		if (value_read_goal(sqlite3_column_blob(st, 1), sqlite3_column_bytes(st, 1), t) < 0)
			rc = cached_damaged(s, "goal", sqlite3_column_int64(st, 0), err);
		else if (goal_fits(f->select, t)) {
			if (f->goal_count == room) {
				int64_t *more = realloc(f->goals, (2 * room + 64) * sizeof(*more));

				if (more == NULL) {
					rc = bp_fail(err, BP_ENOMEM, "out of memory");
					break;
				}
				f->goals = more;
				room = 2 * room + 64;
			}
			f->goals[f->goal_count++] = sqlite3_column_int64(st, 0);
		}
	}
	sqlite3_finalize(st);
	free(t);
	return rc;
}

int select_filter_init(struct sqlite_store *s, const struct store_select *select,
		       struct select_filter *out, struct bp_error *err)
{
	*out = (struct select_filter){.select = select, .last_verdict = -1};
	set_window(select, &out->since_us, &out->until_us);
	out->by_goal = select->method != METHOD_UNKNOWN || addr_is_set(select->prefix.addr) ||
		       select->target != NULL;
	return out->by_goal ? find_goals(s, out, err) : 0;
}

void select_filter_fini(struct select_filter *f)
{
	free(f->goals);
	f->goals = NULL;
}

void select_segment(struct select_filter *f, int64_t base_us)
{
	f->base_us = base_us;
}

static int compare_rows(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* The border by its id; "other", "mixed" ... by their outcome. */
static int verdict_fits(struct sqlite_store *s, struct select_filter *f, int64_t verdict,
			struct bp_error *err)
{
	struct trace *none;
	struct verdict v = {0};
	const void *bytes;
	int n, rc;

	if (verdict == f->last_verdict)
		return 0;
	f->last_fits = false;
	if (verdict != 0) {
		rc = cached_blob(s, CACHED_VERDICT, verdict, &bytes, &n, err);
		if (rc < 0)
			return rc;
		none = trace_new(0);
		if (none == NULL)
			return bp_fail(err, BP_ENOMEM, "out of memory");
		rc = value_read_verdict(bytes, n, &v, none);
		free(none);
		if (rc < 0)
			return cached_damaged(s, "verdict", verdict, err);
		f->last_fits =
			strcmp(v.outcome == OUTCOME_BORDER ? v.border
							   : word_of(outcome_words, v.outcome),
			       f->select->border) == 0;
	}
	f->last_verdict = verdict;
	return 0;
}

int select_row(struct sqlite_store *s, struct select_filter *f, sqlite3_stmt *st, bool *out,
	       struct bp_error *err)
{
	int64_t goal = sqlite3_column_int64(st, 6), start = f->base_us;
	bool known = sqlite3_column_type(st, 2) != SQLITE_NULL;
	int rc;

	*out = false;
	if (__builtin_add_overflow(start, sqlite3_column_int64(st, 2), &start))
		return 0;
	/* What has no time is in no window. */
	if (known ? start < f->since_us || start >= f->until_us
		  : f->select->since.ns != 0 || f->select->until.ns != 0)
		return 0;
	if (f->by_goal && (f->goal_count == 0 || bsearch(&goal, f->goals, f->goal_count,
							 sizeof(goal), compare_rows) == NULL))
		return 0;
	if (f->select->border != NULL) {
		rc = verdict_fits(s, f, sqlite3_column_int64(st, 9), err);
		if (rc < 0 || !f->last_fits)
			return rc;
	}
	*out = true;
	return 0;
}

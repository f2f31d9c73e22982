// SPDX-License-Identifier: BSD-2-Clause
/*
 * Retention: traces of a campaign that are too old go, a few segments a transaction, so that a
 * daemon and readers beside it hardly wait. What others put into the store stays. Rounds stay, and
 * roll-ups by the hour where they are asked for. Values that nothing points to any more stay until
 * they are swept (sqlite_sweep.c). The newest segment's row stays, so that no number of a row is
 * ever given twice.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/sqlite.h"

enum { RETIRE_SEGMENTS = 32, RETIRE_TRACES = 32768, RETIRE_ROUNDS = 1024 };

/* Of the rows of one segment that began before ?2. */
#define TOO_OLD                                                                          \
	"SELECT t.n FROM trace t JOIN segment s ON s.id = t.segment WHERE s.id = ?1 AND" \
	" t.n BETWEEN s.first AND s.last AND s.base_us + coalesce(t.start, 0) < ?2"

/* Silence that a vantage point heard while it was cut off, and what could not be measured, say
 * nothing of a target; closer looks are made where something goes on, and would outweigh the
 * rest. */
static const char roll_up[] =
	"INSERT INTO hour(hour_us, vantage, campaign, prefix, method, outcome, border, traces,"
	" reached, rtt_n, rtt_min, rtt_sum)"
	" SELECT (s.base_us + t.start) / 3600000000 * 3600000000, coalesce(s.vantage, 0),"
	" coalesce(s.campaign, 0), coalesce(g.prefix, ''), g.method, coalesce(v.outcome, -1),"
	" coalesce(v.border, ''), count(*), sum(p.reach = 1), count(t.rtt_min), min(t.rtt_min),"
	" sum(t.rtt_min)"
	" FROM segment s JOIN trace t ON t.n BETWEEN s.first AND s.last AND t.segment = s.id"
	" JOIN goal g ON g.id = t.goal JOIN path p ON p.id = t.path"
	" LEFT JOIN verdict v ON v.id = t.verdict"
	" WHERE s.id = ?1 AND s.base_us + t.start < ?2 AND NOT (p.stop = ?3 AND"
	" p.count = 0) AND NOT EXISTS"
	" (SELECT 1 FROM round o WHERE o.id = s.round AND (o.why = 'vantage_offline' OR"
	" json_extract(o.json, '$.health.state') = 'offline' OR"
	" json_extract(o.json, '$.look'))) GROUP BY 1, 2, 3, 4, 5, 6, 7"
	" ON CONFLICT DO UPDATE SET traces = traces + excluded.traces,"
	" reached = reached + excluded.reached, rtt_n = rtt_n + excluded.rtt_n,"
	" rtt_min = min(coalesce(rtt_min, excluded.rtt_min), coalesce(excluded.rtt_min, rtt_min)),"
	" rtt_sum = coalesce(rtt_sum, 0) + coalesce(excluded.rtt_sum, 0)";

/* In this order; the count is that of the traces. */
static const char *const steps[] = {
	"DELETE FROM judgement WHERE trace IN (" TOO_OLD ")",
	"DELETE FROM foreign_id WHERE n IN (" TOO_OLD ")",
	"DELETE FROM object WHERE segment = ?1 AND after IN (" TOO_OLD ")",
	"DELETE FROM trace WHERE n IN (" TOO_OLD ")",
	/* What is left of it begins later. */
	"UPDATE segment SET start_min_us = max(start_min_us, ?2),"
	" start_max_us = max(start_max_us, ?2) WHERE id = ?1",
	"DELETE FROM segment WHERE id = ?1 AND id < (SELECT max(id) FROM segment) AND"
	" NOT EXISTS (SELECT 1 FROM trace t WHERE t.n BETWEEN segment.first AND segment.last AND"
	" t.segment = segment.id)",
};
enum { STEP_TRACES = 3, STEP_COUNT = sizeof(steps) / sizeof(steps[0]) };

/* Of a campaign and a vantage point, ?2 and ?3; NULL: of any. */
#define OF_OWNER                                                                     \
	" AND (?2 IS NULL OR campaign = (SELECT id FROM text WHERE text = ?2)) AND" \
	" (?3 IS NULL OR vantage = (SELECT id FROM text WHERE text = ?3))"

struct retiring {
	sqlite3_stmt *list, *roll_up, *steps[STEP_COUNT];
	const char *campaign, *vantage;
	int64_t before_us, row;
};

static int prepare(struct sqlite_store *s, const char *sql, sqlite3_stmt **out,
		   struct bp_error *err)
{
	return sqlite3_prepare_v2(s->db, sql, -1, out, NULL) == SQLITE_OK
		       ? 0
		       : sql_fail(s, sqlite3_extended_errcode(s->db), err);
}

static void bind_owner(sqlite3_stmt *st, const char *campaign, const char *vantage)
{
	sqlite3_bind_text(st, 2, campaign, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 3, vantage, -1, SQLITE_STATIC);
}

static int run(struct sqlite_store *s, struct retiring *r, sqlite3_stmt *st, int64_t segment,
	       struct bp_error *err)
{
	sqlite3_bind_int64(st, 1, segment);
	sqlite3_bind_int64(st, 2, r->before_us);
	if (st == r->roll_up)
		sqlite3_bind_int(st, 3, STOP_ERROR);
	return sql_step(s, st, err);
}

static int retire_segment(struct sqlite_store *s, struct retiring *r, int64_t segment, bool hourly,
			  int64_t *dropped, struct bp_error *err)
{
	int rc = hourly ? run(s, r, r->roll_up, segment, err) : 0;

	/* While the segment still says which hours it is of. */
	if (rc == 0)
		rc = tallies_drop(s, segment, err);
	for (unsigned i = 0; i < STEP_COUNT && rc == 0; i++) {
		rc = run(s, r, r->steps[i], segment, err);
		if (i == STEP_TRACES && rc == 0)
			*dropped += sqlite3_changes(s->db);
	}
	return rc == 0 ? tallies_fill(s, segment, err) : rc;
}

/* One transaction's worth. *more: there may be another. */
static int retire_some(struct sqlite_store *s, struct retiring *r, bool hourly, uint64_t *dropped,
		       bool *more, struct bp_error *err)
{
	int64_t ids[RETIRE_SEGMENTS], sum = 0;
	unsigned count = 0, done = 0;
	int rc = sqlite_begin(s, err);

	if (rc < 0)
		return rc;
	sqlite3_bind_int64(r->list, 1, r->before_us);
	bind_owner(r->list, r->campaign, r->vantage);
	sqlite3_bind_int64(r->list, 4, r->row);
	while (count < RETIRE_SEGMENTS && (rc = sql_step(s, r->list, err)) == 1)
		ids[count++] = sqlite3_column_int64(r->list, 0);
	sqlite3_reset(r->list);
	rc = rc < 0 ? rc : 0;
	while (done < count && sum < RETIRE_TRACES && rc == 0)
		rc = retire_segment(s, r, ids[done++], hourly, &sum, err);
	if (rc == 0)
		rc = sqlite_commit(s, err);
	if (rc < 0) {
		sqlite_undo(s);
		return rc;
	}
	*dropped += (uint64_t)sum;
	*more = count > 0;
	return 0;
}

int sqlite_retire_some(struct sqlite_store *s, const char *campaign, const char *vantage,
		       struct wall before, int64_t row, bool hourly, uint64_t *dropped, bool *more,
		       struct bp_error *err)
{
	struct retiring r = {.campaign = campaign,
			     .vantage = vantage,
			     .before_us = before.ns / NS_PER_US,
			     .row = row};
	uint64_t sum = 0;
	int rc;

	if (s->mode != STORE_WRITE)
		return bp_fail(err, BP_EPERM, "%s: opened for reading only", s->path);
	rc = prepare(s,
		     "SELECT id FROM segment WHERE start_min_us < ?1 AND coalesce(round, 0) <= ?4"
		     OF_OWNER " ORDER BY start_min_us LIMIT 32",
		     &r.list, err);
	if (rc == 0)
		rc = prepare(s, roll_up, &r.roll_up, err);
	for (unsigned i = 0; i < STEP_COUNT && rc == 0; i++)
		rc = prepare(s, steps[i], &r.steps[i], err);
	if (rc == 0)
		rc = retire_some(s, &r, hourly, &sum, more, err);
	sqlite3_finalize(r.list);
	sqlite3_finalize(r.roll_up);
	for (unsigned i = 0; i < STEP_COUNT; i++)
		sqlite3_finalize(r.steps[i]);
	if (rc == 0)
		*dropped = sum;
	return rc;
}

int sqlite_retire_hours(struct sqlite_store *s, const char *campaign, const char *vantage,
			struct wall before, uint64_t *dropped, struct bp_error *err)
{
	sqlite3_stmt *st = NULL;
	int rc;

	if (s->mode != STORE_WRITE)
		return bp_fail(err, BP_EPERM, "%s: opened for reading only", s->path);
	rc = sqlite_begin(s, err);
	if (rc < 0)
		return rc;
	rc = prepare(s, "DELETE FROM hour WHERE hour_us < ?1" OF_OWNER, &st, err);
	if (rc == 0) {
		sqlite3_bind_int64(st, 1, before.ns / NS_PER_US);
		bind_owner(st, campaign, vantage);
		rc = sql_step(s, st, err);
	}
	if (rc == 0) {
		*dropped = (uint64_t)sqlite3_changes(s->db);
		rc = sqlite_commit(s, err);
	}
	sqlite3_finalize(st);
	if (rc < 0)
		sqlite_undo(s);
	return rc;
}

/* Texts of theirs stay until they are swept. */
int sqlite_retire_rounds(struct sqlite_store *s, struct wall before, int64_t row,
			 uint64_t *dropped, bool *more, struct bp_error *err)
{
	static const char *const sql[] = {
		"DELETE FROM round WHERE id IN (SELECT id FROM round WHERE at_us < ?1 AND id < ?2"
		" ORDER BY at_us LIMIT ?3)",
		"DELETE FROM object WHERE id IN (SELECT id FROM object WHERE segment IS NULL AND"
		" at_us < ?1 ORDER BY at_us LIMIT ?3)",
	};
	int64_t sum[2] = {0};
	int rc;

	if (s->mode != STORE_WRITE)
		return bp_fail(err, BP_EPERM, "%s: opened for reading only", s->path);
	rc = sqlite_begin(s, err);
	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < 2 && rc == 0; i++) {
		sqlite3_stmt *st = NULL;

		rc = prepare(s, sql[i], &st, err);
		if (rc == 0) {
			sqlite3_bind_int64(st, 1, before.ns / NS_PER_US);
			sqlite3_bind_int64(st, 2, row);
			sqlite3_bind_int(st, 3, RETIRE_ROUNDS);
			rc = sql_step(s, st, err);
			sum[i] = sqlite3_changes(s->db);
		}
		sqlite3_finalize(st);
	}
	if (rc == 0)
		rc = sqlite_commit(s, err);
	if (rc < 0) {
		sqlite_undo(s);
		return rc;
	}
	*dropped = (uint64_t)sum[0];
	*more = sum[0] == RETIRE_ROUNDS || sum[1] == RETIRE_ROUNDS;
	return 0;
}

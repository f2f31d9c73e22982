// SPDX-License-Identifier: BSD-2-Clause
/* Rounds in the order in which they were committed: for who sends them on. A round's number is
 * given out within the transaction that commits it, so numbers grow with commits. */
#include "campaign/sqlite.h"

static int prepare(struct sqlite_store *s, const char *sql, int64_t after, sqlite3_stmt **out,
		   struct bp_error *err)
{
	if (sqlite3_prepare_v2(s->db, sql, -1, out, NULL) != SQLITE_OK)
		return sql_fail(s, sqlite3_extended_errcode(s->db), err);
	sqlite3_bind_int64(*out, 1, after);
	return 0;
}

int sqlite_next_round(struct sqlite_store *s, int64_t after, int64_t *row, struct round *out,
		      struct bp_error *err)
{
	sqlite3_stmt *st = NULL;
	int64_t id = 0;
	int rc = prepare(s, "SELECT min(id) FROM round WHERE id > ?1", after, &st, err);

	if (rc == 0)
		rc = sql_step(s, st, err);
	if (rc == 1)
		id = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	if (rc < 0)
		return rc;
	if (id == 0)
		return bp_fail(err, BP_ENOTFOUND, "%s: no further round", s->path);
	rc = sqlite_round(s, id, out, err);
	if (rc == 0 || rc == BP_EPARSE || rc == BP_EUNSUP)
		*row = id;
	return rc;
}

int sqlite_backlog(struct sqlite_store *s, int64_t after, struct store_backlog *out,
		   struct bp_error *err)
{
	int64_t pages = 0, unused = 0, size = 0;
	sqlite3_stmt *st = NULL;
	int rc = prepare(s, "SELECT count(*), coalesce(sum(traces), 0),"
			 " coalesce(min(min(planned_us, coalesce(start_us, planned_us))), 0)"
			 " FROM round WHERE id > ?1", after, &st, err);

	if (rc == 0)
		rc = sql_step(s, st, err);
	if (rc == 1) {
		out->rounds = (uint64_t)sqlite3_column_int64(st, 0);
		out->traces = (uint64_t)sqlite3_column_int64(st, 1);
		out->oldest = (struct wall){sqlite3_column_int64(st, 2) * NS_PER_US};
	}
	sqlite3_finalize(st);
	if (rc >= 0)
		rc = sql_int(s, "PRAGMA page_count", &pages, err);
	if (rc == 0)
		rc = sql_int(s, "PRAGMA freelist_count", &unused, err);
	if (rc == 0)
		rc = sql_int(s, "PRAGMA page_size", &size, err);
	if (rc == 0)
		out->bytes = (uint64_t)((pages - unused) * size);
	return rc;
}

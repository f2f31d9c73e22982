// SPDX-License-Identifier: BSD-2-Clause
/*
 * The book of batches (store.h), for a centre that is one machine: through which number each epoch
 * is in, the numbers beyond it that came early, and what was set aside. Its tables are made by the
 * first collector that writes here: a store without one has none.
 */
#include <string.h>

#include "campaign/sqlite.h"

static const char tables[] =
	"CREATE TABLE IF NOT EXISTS batch(vantage TEXT NOT NULL, epoch TEXT NOT NULL, through INTEGER"
	" NOT NULL, PRIMARY KEY (vantage, epoch)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS batch_early(vantage TEXT NOT NULL, epoch TEXT NOT NULL, seq INTEGER"
	" NOT NULL, PRIMARY KEY (vantage, epoch, seq)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS batch_refused(id INTEGER PRIMARY KEY, vantage TEXT NOT NULL,"
	" epoch TEXT NOT NULL, seq INTEGER NOT NULL, at_us INTEGER NOT NULL, reason TEXT NOT NULL,"
	" size INTEGER NOT NULL, bytes BLOB);"
	"CREATE INDEX IF NOT EXISTS batch_bytes ON batch_refused(vantage, id) WHERE bytes IS NOT NULL";

/* Who sends nothing but what is refused does not fill the disk. */
static const char forget_bytes[] =
	"UPDATE batch_refused SET bytes = NULL WHERE id IN (SELECT id FROM (SELECT id,"
	" sum(max(size, 4096)) OVER (ORDER BY id DESC) AS so_far FROM batch_refused WHERE vantage = ?1"
	" AND bytes IS NOT NULL) WHERE so_far > ?3)";

/* Prepared, with vantage and epoch bound as 1 and 2, seq as 3 where there is one. */
static int book_open(struct sqlite_store *s, const char *sql, const char *vantage,
		     const char *epoch, uint64_t seq, sqlite3_stmt **out, struct bp_error *err)
{
	int rc = sqlite3_prepare_v2(s->db, sql, -1, out, NULL);

	if (rc != SQLITE_OK)
		return sql_fail(s, rc, err);
	sqlite3_bind_text(*out, 1, vantage, -1, SQLITE_STATIC);
	sqlite3_bind_text(*out, 2, epoch, -1, SQLITE_STATIC);
	if (sqlite3_bind_parameter_count(*out) >= 3)
		sqlite3_bind_int64(*out, 3, (int64_t)seq);
	return 0;
}

/* 1 and *value: there is a row; 0: none. */
static int book_ask(struct sqlite_store *s, const char *sql, const char *vantage,
		    const char *epoch, uint64_t seq, int64_t *value, struct bp_error *err)
{
	sqlite3_stmt *st;
	int rc = book_open(s, sql, vantage, epoch, seq, &st, err);

	if (rc < 0)
		return rc;
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW && value != NULL)
		*value = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : sql_fail(s, rc, err);
}

/* From `through` on: what follows it without a hole is under the mark from now on. */
static int advance(struct sqlite_store *s, const char *vantage, const char *epoch,
		   uint64_t through, struct bp_error *err)
{
	int rc;

	while ((rc = book_ask(s, "DELETE FROM batch_early WHERE vantage = ?1 AND epoch = ?2 AND"
			      " seq = ?3 RETURNING seq", vantage, epoch, through + 1, NULL, err)) > 0)
		through++;
	if (rc == 0)
		rc = book_ask(s, "INSERT INTO batch VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET"
			      " through = excluded.through", vantage, epoch, through, NULL, err);
	return rc < 0 ? rc : 0;
}

static int through_of(struct sqlite_store *s, const char *vantage, const char *epoch,
		      int64_t *through, struct bp_error *err)
{
	int rc = sqlite3_exec(s->db, tables, NULL, NULL, NULL);

	*through = 0;
	if (rc != SQLITE_OK)
		return sql_fail(s, rc, err);
	rc = book_ask(s, "SELECT through FROM batch WHERE vantage = ?1 AND epoch = ?2", vantage,
		      epoch, 0, through, err);
	return rc < 0 ? rc : 0;
}

static int mark(struct sqlite_store *s, const char *vantage, const char *epoch, uint64_t seq,
		bool *already, struct bp_error *err)
{
	int64_t through;
	int rc = through_of(s, vantage, epoch, &through, err);

	if (rc == 0 && (uint64_t)through < seq)
		rc = book_ask(s, "INSERT INTO batch_early VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING"
			      " RETURNING seq", vantage, epoch, seq, NULL, err);
	if (rc < 0)
		return rc;
	*already = rc == 0;
	return *already ? 0 : advance(s, vantage, epoch, (uint64_t)through, err);
}

static int skip(struct sqlite_store *s, const char *vantage, const char *epoch, uint64_t to,
		struct bp_error *err)
{
	int64_t through;
	int rc = through_of(s, vantage, epoch, &through, err);

	if (rc < 0 || (uint64_t)through >= to)
		return rc;
	rc = book_ask(s, "DELETE FROM batch_early WHERE vantage = ?1 AND epoch = ?2 AND seq <= ?3",
		      vantage, epoch, to, NULL, err);
	return rc < 0 ? rc : advance(s, vantage, epoch, to, err);
}

static int done(struct sqlite_store *s, int rc)
{
	s->failed |= rc < 0;
	return rc;
}

static int check(const struct sqlite_store *s, uint64_t seq, struct bp_error *err)
{
	if (!s->writing || s->failed)
		return bp_fail(err, BP_EINVAL, "the store: not in a transaction");
	if (seq < 1 || seq > INT64_MAX)
		return bp_fail(err, BP_EINVAL, "the store: batches are numbered from 1");
	return 0;
}

int sqlite_mark_batch(struct sqlite_store *s, const char *vantage, const char *epoch, uint64_t seq,
		      bool *already, struct bp_error *err)
{
	int rc = check(s, seq, err);

	return done(s, rc == 0 ? mark(s, vantage, epoch, seq, already, err) : rc);
}

int sqlite_refuse_batch(struct sqlite_store *s, const char *vantage, const char *epoch,
			uint64_t seq, const char *reason, const void *bytes, size_t n,
			struct bp_error *err)
{
	sqlite3_stmt *st;
	bool already = false;
	int rc = check(s, seq, err);

	if (rc == 0)
		rc = mark(s, vantage, epoch, seq, &already, err);
	if (rc < 0 || already)
		return done(s, rc);
	rc = book_open(s, "INSERT INTO batch_refused(vantage, epoch, seq, at_us, reason, bytes, size)"
		       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, length(?6))", vantage, epoch, seq, &st, err);
	if (rc < 0)
		return done(s, rc);
	sqlite3_bind_int64(st, 4, s->now_us);
	sqlite3_bind_text(st, 5, reason, -1, SQLITE_STATIC);
	bind_blob(st, 6, bytes, n);
	rc = sqlite3_step(st);
	sqlite3_finalize(st);
	rc = rc == SQLITE_DONE ? 0 : sql_fail(s, rc, err);
	if (rc == 0)
		rc = book_ask(s, forget_bytes, vantage, epoch, STORE_REFUSED_BYTES, NULL, err);
	return done(s, rc);
}

int sqlite_skip_batches(struct sqlite_store *s, const char *vantage, const char *epoch,
			uint64_t through, struct bp_error *err)
{
	int rc = check(s, through, err);

	return done(s, rc == 0 ? skip(s, vantage, epoch, through, err) : rc);
}

int sqlite_marks(struct sqlite_store *s, store_on_mark *on_mark, void *arg, struct bp_error *err)
{
	int64_t there = 0;
	sqlite3_stmt *st;
	int rc = sql_int(s, "SELECT count(*) FROM sqlite_master WHERE name = 'batch'", &there, err);

	if (rc < 0 || there == 0)
		return rc;
	rc = sqlite3_prepare_v2(s->db, "SELECT vantage, epoch, through FROM batch ORDER BY 1, 2", -1,
				&st, NULL);
	if (rc != SQLITE_OK)
		return sql_fail(s, rc, err);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		rc = on_mark(arg, (const char *)sqlite3_column_text(st, 0),
			     (const char *)sqlite3_column_text(st, 1),
			     (uint64_t)sqlite3_column_int64(st, 2), err);
		if (rc < 0)
			break;
	}
	sqlite3_finalize(st);
	return rc == SQLITE_DONE ? 0 : rc < 0 ? rc : sql_fail(s, rc, err);
}

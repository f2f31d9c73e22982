// SPDX-License-Identifier: BSD-2-Clause
/*
 * Sweeping: values that nothing refers to any more go. Marked first, in pieces that hold no lock;
 * then dropped, a few thousand looked at in a transaction, which begins with what was written
 * since: rows only ever come behind those there are, so that this is little. What refers goes
 * before what it refers to. The newest row of each table stays, so that no number is ever given
 * twice; what other processes remember of rows is told void by the store's epoch (meta).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/sqlite.h"

enum { MARK_TRACES = 8192, MARK_ROWS = 4096, SWEEP_ROWS = 2048, COLUMNS = 6 };

enum kind {
	KIND_NONE, KIND_PATH, KIND_VERDICT, KIND_NAMING, KIND_GOAL, KIND_SETTINGS, KIND_JUDGE,
	KIND_HOP, KIND_GEO, KIND_NAME, KIND_TEXT, KINDS
};

/* In the order of enum kind, in which they are swept. */
static const struct { const char *table, *drop[2]; } kinds[KINDS] = {
	[KIND_PATH] = {"path", {"DELETE FROM path WHERE id = ?1"}},
	[KIND_VERDICT] = {"verdict", {"DELETE FROM verdict WHERE id = ?1"}},
	[KIND_NAMING] = {"naming", {"DELETE FROM naming WHERE id = ?1",
				    "DELETE FROM naming_name WHERE naming = ?1"}},
	[KIND_GOAL] = {"goal", {"DELETE FROM goal WHERE id = ?1"}},
	[KIND_SETTINGS] = {"settings", {"DELETE FROM settings WHERE id = ?1"}},
	[KIND_JUDGE] = {"judge", {"DELETE FROM judge WHERE id = ?1"}},
	[KIND_HOP] = {"hop", {"DELETE FROM hop WHERE id = ?1"}},
	[KIND_GEO] = {"geo", {"DELETE FROM geo WHERE id = ?1",
			      "DELETE FROM geo_name WHERE geo = ?1"}},
	[KIND_NAME] = {"name", {"DELETE FROM name WHERE id = ?1"}},
	[KIND_TEXT] = {"text", {"DELETE FROM text WHERE id = ?1"}},
};

struct source { const char *sql; uint8_t of[COLUMNS]; };

/* Tables that grow with what is measured: read on from row ?1, at most ?2 of them. The list of a
 * path is its last column. */
enum { BIG_TRACE, BIG_PATH, BIG_HOP, BIGS };
static const struct source big[BIGS] = {
	[BIG_TRACE] = {"SELECT n, goal, settings, path, verdict, judge, naming FROM trace"
		       " WHERE n > ?1 ORDER BY n LIMIT ?2",
		       {KIND_GOAL, KIND_SETTINGS, KIND_PATH, KIND_VERDICT, KIND_JUDGE,
			KIND_NAMING}},
	[BIG_PATH] = {"SELECT id, as_path, list FROM path WHERE id > ?1 ORDER BY id LIMIT ?2",
		      {KIND_TEXT, KIND_HOP}},
	[BIG_HOP] = {"SELECT id, addr FROM hop WHERE id > ?1 ORDER BY id LIMIT ?2", {KIND_TEXT}},
};

/* The others are read whole, in each transaction. A judgement may be made anew of an old trace. */
static const struct source small[] = {
	{"SELECT verdict, judge, naming FROM judgement", {KIND_VERDICT, KIND_JUDGE, KIND_NAMING}},
	{"SELECT judge, geo, vantage, campaign, round, run FROM segment",
	 {KIND_JUDGE, KIND_GEO, KIND_TEXT, KIND_TEXT, KIND_TEXT, KIND_TEXT}},
	{"SELECT geo FROM judge", {KIND_GEO}},
	{"SELECT geo, as_path FROM naming", {KIND_GEO, KIND_TEXT}},
	{"SELECT name, addr FROM geo_name", {KIND_NAME, KIND_TEXT}},
	{"SELECT name, addr FROM naming_name", {KIND_NAME, KIND_TEXT}},
	{"SELECT id, campaign, vantage FROM round", {KIND_TEXT, KIND_TEXT, KIND_TEXT}},
	{"SELECT vantage, campaign, round FROM object", {KIND_TEXT, KIND_TEXT, KIND_TEXT}},
	{"SELECT DISTINCT vantage, campaign FROM hour", {KIND_TEXT, KIND_TEXT}},
};
enum { SMALLS = sizeof(small) / sizeof(small[0]) };

struct sweep {
	uint8_t kind;                /* that is being swept */
	bool marked;                 /* all that was there before */
	int64_t at;                  /* swept up to this row */
	int64_t seen[BIGS];          /* marked up to these */
	int64_t limit[KINDS];        /* rows from here on stay */
	uint8_t *live[KINDS];        /* owned; a bit a row below the limit */
};

void sweep_free(struct sweep *w)
{
	for (unsigned k = 0; w != NULL && k < KINDS; k++)
		free(w->live[k]);
	free(w);
}

static int no_memory(struct bp_error *err)
{
	return bp_fail(err, BP_ENOMEM, "out of memory");
}

static int prepare(struct sqlite_store *s, const char *sql, sqlite3_stmt **out,
		   struct bp_error *err)
{
	return sqlite3_prepare_v2(s->db, sql, -1, out, NULL) == SQLITE_OK
		       ? 0
		       : sql_fail(s, sqlite3_extended_errcode(s->db), err);
}

static int begin(struct sqlite_store *s, struct bp_error *err)
{
	struct sweep *w = calloc(1, sizeof(*w));
	int rc = 0;

	if (w == NULL)
		return no_memory(err);
	w->kind = KIND_PATH;
	for (unsigned k = KIND_PATH; k < KINDS && rc == 0; k++) {
		char sql[64];

		snprintf(sql, sizeof(sql), "SELECT coalesce(max(id), 0) FROM %s", kinds[k].table);
		rc = sql_int(s, sql, &w->limit[k], err);
		if (rc == 0)
			w->live[k] = calloc(1, (size_t)w->limit[k] / 8 + 1);
		if (rc == 0 && w->live[k] == NULL)
			rc = no_memory(err);
	}
	if (rc < 0)
		sweep_free(w);
	else
		s->sweep = w;
	return rc;
}

/* --- marking ---------------------------------------------------------------------------------- */

static void mark(struct sweep *w, unsigned kind, int64_t id)
{
	if (id > 0 && id < w->limit[kind])
		w->live[kind][id / 8] |= (uint8_t)(1u << (id % 8));
}

static bool is_live(const struct sweep *w, int64_t id)
{
	return w->live[w->kind][id / 8] >> (id % 8) & 1;
}

/* As sqlite_cache.c reads it; what is damaged is found damaged there. */
static void mark_list(struct sweep *w, const uint8_t *list, int n)
{
	int width = n > 0 ? list[0] : 0;

	for (int at = 1; width > 0 && width <= 5 && at + width <= n; at += width) {
		int64_t id = 0;

		for (int k = 0; k < width; k++)
			id = id << 8 | list[at + k];
		mark(w, KIND_HOP, id);
	}
}

/* `first`: the column of the first kind. */
static void mark_row(struct sweep *w, const struct source *src, sqlite3_stmt *st, int first)
{
	for (int i = 0; i < COLUMNS && src->of[i] != KIND_NONE; i++) {
		if (src->of[i] == KIND_HOP)
			mark_list(w, sqlite3_column_blob(st, first + i),
				  sqlite3_column_bytes(st, first + i));
		else
			mark(w, src->of[i], sqlite3_column_int64(st, first + i));
	}
}

static bool has(const struct source *src, unsigned kind)
{
	return memchr(src->of, (int)kind, COLUMNS) != NULL;
}

/* One piece of a table that grows. *more: there may be another. */
static int mark_on(struct sqlite_store *s, unsigned which, bool *more, struct bp_error *err)
{
	const int most = which == BIG_TRACE ? MARK_TRACES : MARK_ROWS;
	struct sweep *w = s->sweep;
	sqlite3_stmt *st = NULL;
	int rows = 0, rc = prepare(s, big[which].sql, &st, err);

	if (rc < 0)
		return rc;
	sqlite3_bind_int64(st, 1, w->seen[which]);
	sqlite3_bind_int(st, 2, most);
	while ((rc = sql_step(s, st, err)) == 1) {
		w->seen[which] = sqlite3_column_int64(st, 0);
		mark_row(w, &big[which], st, 1);
		rows++;
	}
	sqlite3_finalize(st);
	*more = rows == most;
	return rc;
}

/* A piece of what grows and refers to the kind that is being swept. *more: it was not all. */
static int mark_some(struct sqlite_store *s, bool *more, struct bp_error *err)
{
	int rc = 0;

	*more = false;
	for (unsigned i = 0; i < BIGS && rc == 0 && !*more; i++) {
		if (has(&big[i], s->sweep->kind))
			rc = mark_on(s, i, more, err);
	}
	return rc;
}

static int mark_small(struct sqlite_store *s, const struct source *src, struct bp_error *err)
{
	sqlite3_stmt *st = NULL;
	int rc = prepare(s, src->sql, &st, err);

	while (rc == 0 && (rc = sql_step(s, st, err)) == 1) {
		mark_row(s->sweep, src, st, 0);
		rc = 0;
	}
	sqlite3_finalize(st);
	return rc;
}

/* --- dropping --------------------------------------------------------------------------------- */

static int drop(struct sqlite_store *s, const int64_t *ids, unsigned count, struct bp_error *err)
{
	int rc = 0;

	for (unsigned i = 0; i < 2 && kinds[s->sweep->kind].drop[i] != NULL && rc == 0; i++) {
		sqlite3_stmt *st = NULL;

		rc = prepare(s, kinds[s->sweep->kind].drop[i], &st, err);
		for (unsigned k = 0; k < count && rc == 0; k++) {
			sqlite3_bind_int64(st, 1, ids[k]);
			rc = sql_step(s, st, err);
		}
		sqlite3_finalize(st);
	}
	/* Whoever remembers them looks again. */
	return rc == 0 && count > 0 ?
		       sql_exec(s, "UPDATE meta SET value = value + 1 WHERE key = 'epoch'", err) :
		       rc;
}

/* Rows of a table that are looked at, and those of them that nothing refers to. */
static int list_dead(struct sqlite_store *s, int64_t *ids, unsigned *count, unsigned *looked,
		     struct bp_error *err)
{
	struct sweep *w = s->sweep;
	sqlite3_stmt *st = NULL;
	char sql[96];
	int rc;

	*count = *looked = 0;
	snprintf(sql, sizeof(sql), "SELECT id FROM %s WHERE id > ?1 AND id < ?2 ORDER BY id"
		 " LIMIT ?3", kinds[w->kind].table);
	rc = prepare(s, sql, &st, err);
	if (rc < 0)
		return rc;
	sqlite3_bind_int64(st, 1, w->at);
	sqlite3_bind_int64(st, 2, w->limit[w->kind]);
	sqlite3_bind_int(st, 3, SWEEP_ROWS);
	while ((rc = sql_step(s, st, err)) == 1) {
		w->at = sqlite3_column_int64(st, 0);
		++*looked;
		if (!is_live(w, w->at))
			ids[(*count)++] = w->at;
	}
	sqlite3_finalize(st);
	return rc;
}

/* Within a transaction: nobody else writes. */
static int sweep_rows(struct sqlite_store *s, uint64_t *dropped, unsigned *looked,
		      struct bp_error *err)
{
	int64_t ids[SWEEP_ROWS];
	unsigned count = 0;
	bool more = true;
	int rc = 0;

	while (more && rc == 0)
		rc = mark_some(s, &more, err);
	for (unsigned i = 0; i < SMALLS && rc == 0; i++) {
		if (has(&small[i], s->sweep->kind))
			rc = mark_small(s, &small[i], err);
	}
	if (rc == 0)
		rc = list_dead(s, ids, &count, looked, err);
	if (rc == 0)
		rc = drop(s, ids, count, err);
	if (rc == 0)
		*dropped = count;
	return rc;
}

static int sweep_some(struct sqlite_store *s, uint64_t *dropped, struct bp_error *err)
{
	unsigned looked = 0;
	int rc = sqlite_begin(s, err);

	if (rc < 0)
		return rc;
	rc = sweep_rows(s, dropped, &looked, err);
	if (rc == 0)
		rc = sqlite_commit(s, err);
	if (rc < 0) {
		sqlite_undo(s);
		return rc;
	}
	if (looked == 0) {
		s->sweep->kind++;
		s->sweep->at = 0;
		s->sweep->marked = false;
	}
	return 0;
}

int sqlite_sweep_some(struct sqlite_store *s, uint64_t *dropped, bool *more, struct bp_error *err)
{
	uint64_t some = 0;
	bool marking = false;
	int rc = 0;

	if (s->mode != STORE_WRITE)
		return bp_fail(err, BP_EPERM, "%s: opened for reading only", s->path);
	if (s->sweep == NULL)
		rc = begin(s, err);
	if (rc == 0 && !s->sweep->marked)
		rc = mark_some(s, &marking, err);
	if (rc == 0 && !marking) {
		s->sweep->marked = true;
		rc = sweep_some(s, &some, err);
	}
	if (rc < 0 || s->sweep->kind == KINDS) {
		sweep_free(s->sweep);
		s->sweep = NULL;
	}
	if (rc < 0)
		return rc;
	*dropped = some;
	*more = s->sweep != NULL;
	return 0;
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * Mending: whatever can be read of a damaged store goes into a new one. Rows are asked for by
 * number, and where a page cannot be read, by the next numbers until one can. What comes over is
 * checked as everything that is read; it may be added twice without harm.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/sqlite_cache.h"

/* Rows a step over what cannot be read: a page has some two dozen. */
enum { SALVAGE_STEP = 4, SALVAGE_COMMIT = 2000 };

struct salvage {
	struct sqlite_store *from, *to;
	struct store_salvage count;
	unsigned pending; /* traces of the transaction under way */
	/* Those of them that were judged more than once. */
	struct rejudged {
		int64_t n, segment;
	} again[SALVAGE_COMMIT];
	unsigned again_count;
	int64_t judge; /* row in the original that to->now_us is of */
};

/* A failure that is the damage itself, or one that ends the mending. */
static bool is_damage(int rc)
{
	return rc == BP_EPARSE || rc == BP_EIO || rc == BP_ENOTFOUND;
}

/* The highest row number of a table: as it says, or as far as can be seen. */
static int64_t last_row(struct salvage *v, const char *sql)
{
	int64_t most = 0;

	return sql_int(v->from, sql, &most, NULL) == 0 ? most : 0;
}

static void behind(struct salvage *v, int64_t segment, int64_t n)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(v->from->db,
			       "SELECT kind, at_us, json, (SELECT text FROM text WHERE"
			       " id = o.vantage), (SELECT text FROM text WHERE id ="
			       " o.campaign), (SELECT text FROM text WHERE id = o.round)"
			       " FROM object o WHERE segment = ?1 AND after = ?2 ORDER BY"
			       " id",
			       -1, &st, NULL) != SQLITE_OK)
		return;
	sqlite3_bind_int64(st, 1, segment);
	sqlite3_bind_int64(st, 2, n);
	while (sqlite3_step(st) == SQLITE_ROW) {
		struct wall at = {sqlite3_column_int64(st, 1) * NS_PER_US};

		sqlite_add_object(v->to, (enum record_kind)sqlite3_column_int(st, 0), at,
				  (const char *)sqlite3_column_text(st, 3),
				  (const char *)sqlite3_column_text(st, 4),
				  (const char *)sqlite3_column_text(st, 5),
				  (const char *)sqlite3_column_text(st, 2),
				  (size_t)sqlite3_column_bytes(st, 2), NULL);
	}
	sqlite3_finalize(st);
}

/* The judgements of a trace that was judged anew, oldest first: the first goes in with the trace,
 * the others behind it. */
struct history {
	sqlite3_stmt *st;
	int64_t segment;
};

static void history_open(struct salvage *v, int64_t n, int64_t segment, struct history *h)
{
	static const char sql[] =
		"SELECT m.verdict, m.judge, m.naming, j.judged_us FROM judgement m"
		" JOIN judge j ON j.id = m.judge WHERE m.trace = ?1 ORDER BY"
		" m.judge";

	*h = (struct history){.segment = segment};
	if (sqlite3_prepare_v2(v->from->db, sql, -1, &h->st, NULL) == SQLITE_OK)
		sqlite3_bind_int64(h->st, 1, n);
}

static bool history_next(struct salvage *v, struct history *h, const struct trace *t,
			 struct names *names, struct verdict *verdict)
{
	while (h->st != NULL && sqlite3_step(h->st) == SQLITE_ROW) {
		struct judgement_row row = {sqlite3_column_int64(h->st, 0),
					    sqlite3_column_int64(h->st, 1),
					    sqlite3_column_int64(h->st, 2), h->segment};

		names_init(names);
		memset(verdict, 0, sizeof(*verdict));
		if (read_judgement(v->from, t, &row, names, verdict, NULL) == 0)
			return true;
		names_fini(names);
		v->count.lost++;
	}
	return false;
}

static int save_history(struct salvage *v, struct history *h, const struct trace *t,
			struct bp_error *err)
{
	struct names names;
	struct verdict verdict;
	int rc = 0;

	/* Without an id there is nothing to add a judgement to. */
	while (rc == 0 && t->id[0] != '\0' && history_next(v, h, t, &names, &verdict)) {
		struct wall at = {sqlite3_column_int64(h->st, 3) * NS_PER_US};

		rc = sqlite_add_judgement(v->to, t->id, &names, &verdict, at, err);
		names_fini(&names);
	}
	return rc;
}

/* Behind all traces of a transaction: a judgement ends the segment under way. */
static int save_histories(struct salvage *v, struct bp_error *err)
{
	int rc = 0;

	for (unsigned i = 0; i < v->again_count && rc == 0; i++) {
		struct names names;
		struct verdict first;
		struct record rec;
		struct history h;

		record_init(&rec);
		if (sqlite_trace(v->from, v->again[i].n, &rec, NULL) == 0) {
			history_open(v, v->again[i].n, v->again[i].segment, &h);
			if (history_next(v, &h, rec.trace, &names, &first)) {
				names_fini(&names);
				rc = save_history(v, &h, rec.trace, err);
			}
			sqlite3_finalize(h.st);
		}
		record_fini(&rec);
	}
	v->again_count = 0;
	return rc;
}

static int commit(struct salvage *v, bool again, struct bp_error *err)
{
	int rc = save_histories(v, err);

	if (rc == 0)
		rc = sqlite_commit(v->to, err);
	v->pending = 0;
	v->judge = 0;
	return rc == 0 && again ? sqlite_begin(v->to, err) : rc;
}

/* The copy's judgements were made when the original's were. */
static void same_moment(struct salvage *v, int64_t judge, int64_t segment)
{
	const struct cached_segment *g;
	sqlite3_stmt *st;

	if (judge == 0 && cached_segment(v->from, segment, &g, NULL) == 0)
		judge = g->judge;
	if (judge == v->judge || sql_get(v->from, STMT_JUDGE_GET, &st, NULL) < 0)
		return;
	sqlite3_bind_int64(st, 1, judge);
	if (sqlite3_step(st) == SQLITE_ROW) {
		v->to->now_us = sqlite3_column_int64(st, 3);
		v->judge = judge;
	}
	sqlite3_reset(st);
}

static int save_trace(struct salvage *v, sqlite3_stmt *st, struct bp_error *err)
{
	int64_t n = sqlite3_column_int64(st, 0), segment = sqlite3_column_int64(st, 1);
	struct record rec;
	struct names names;
	struct verdict verdict;
	struct history h;
	int rc;

	record_init(&rec);
	rc = read_trace_row(v->from, st, &rec, err);
	if (rc < 0) {
		v->count.lost += is_damage(rc);
		return is_damage(rc) ? 0 : rc;
	}
	same_moment(v, sqlite3_column_int64(st, 10), segment);
	history_open(v, n, segment, &h);
	if (history_next(v, &h, rec.trace, &names, &verdict)) {
		names_fini(&rec.names);
		rec.names = names;
		rec.verdict = verdict;
		same_moment(v, sqlite3_column_int64(h.st, 1), segment);
		v->again[v->again_count++] = (struct rejudged){n, segment};
	}
	sqlite3_finalize(h.st);
	rc = sqlite_add_trace(v->to, rec.trace, &rec.names, &rec.verdict, err);
	if (rc == 0) {
		v->count.traces++;
		v->pending++;
		behind(v, segment, n);
	}
	record_fini(&rec);
	/* Segments of the copy end where those of the original do. */
	if (rc == 0 && v->pending >= SALVAGE_COMMIT)
		rc = commit(v, true, err);
	return rc;
}

/* Rows [from, last] of a table, by a statement with a lower and an upper bound. */
static int save_rows(struct salvage *v, const char *sql, int64_t last,
		     int (*save)(struct salvage *v, sqlite3_stmt *st, struct bp_error *err),
		     struct bp_error *err)
{
	sqlite3_stmt *st = NULL;
	int64_t at = 1;
	int rc = 0;

	if (sqlite3_prepare_v2(v->from->db, sql, -1, &st, NULL) != SQLITE_OK) {
		v->count.lost += (uint64_t)last;
		return 0;
	}
	while (at <= last && rc == 0) {
		bool damaged;

		sqlite3_bind_int64(st, 1, at);
		while (rc == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW) {
			at = sqlite3_column_int64(st, 0) + 1;
			rc = save(v, st, err);
		}
		if (rc < 0)
			break;
		damaged = rc != SQLITE_DONE;
		sqlite3_reset(st);
		rc = 0;
		if (!damaged)
			break;
		at += SALVAGE_STEP;
		v->count.lost += SALVAGE_STEP;
	}
	sqlite3_finalize(st);
	return rc;
}

static int save_round(struct salvage *v, sqlite3_stmt *st, struct bp_error *err)
{
	struct record rec;
	struct round r;
	bool already;
	int rc;

	record_init(&rec);
	rc = jsonl_read((const char *)sqlite3_column_blob(st, 1),
			(size_t)sqlite3_column_bytes(st, 1), &rec, err);
	if (rc == 0)
		rc = round_read(&rec, &r, err);
	record_fini(&rec);
	if (rc < 0) {
		v->count.lost += is_damage(rc);
		return is_damage(rc) ? 0 : rc;
	}
	/* Where it is read: as it was, not behind the traces that came over last. */
	rc = segment_end(v->to, err);
	if (rc < 0)
		return rc;
	v->to->last_segment = 1;
	v->to->last_segment_start_us = sqlite3_column_int64(st, 2);
	rc = sqlite_add_round(v->to, &r, &already, err);
	v->count.rounds += rc == 0;
	return rc;
}

/* Objects that stand behind no trace. */
static void save_objects(struct salvage *v)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(v->from->db,
			       "SELECT kind, at_us, json, (SELECT text FROM text WHERE"
			       " id = o.vantage), (SELECT text FROM text WHERE id ="
			       " o.campaign), (SELECT text FROM text WHERE id = o.round)"
			       " FROM object o NOT INDEXED WHERE segment IS NULL ORDER BY id",
			       -1, &st, NULL) == SQLITE_OK) {
		while (sqlite3_step(st) == SQLITE_ROW) {
			struct wall at = {sqlite3_column_int64(st, 1) * NS_PER_US};

			sqlite_add_object(v->to, (enum record_kind)sqlite3_column_int(st, 0), at,
					  (const char *)sqlite3_column_text(st, 3),
					  (const char *)sqlite3_column_text(st, 4),
					  (const char *)sqlite3_column_text(st, 5),
					  (const char *)sqlite3_column_text(st, 2),
					  (size_t)sqlite3_column_bytes(st, 2), NULL);
		}
	}
	sqlite3_finalize(st);
}

static int save_hour(struct salvage *v, sqlite3_stmt *st, sqlite3_stmt *add, struct bp_error *err)
{
	int rc = 0;

	for (int i = 0; i < 2 && rc == 0; i++) {
		const char *owner = (const char *)sqlite3_column_text(st, i);
		int64_t id = 0;

		if (owner != NULL)
			rc = intern_text(v->to, owner, &id, err);
		sqlite3_bind_int64(add, i + 1, id);
	}
	for (int i = 2; i < 12; i++)
		sqlite3_bind_value(add, i + 1, sqlite3_column_value(st, i));
	return rc == 0 ? sql_step(v->to, add, err) : rc;
}

/* Roll-ups: of traces that were dropped there is nothing else. */
static int save_hours(struct salvage *v, struct bp_error *err)
{
	static const char get[] =
		"SELECT (SELECT text FROM text WHERE id = h.vantage), (SELECT text FROM text WHERE"
		" id = h.campaign), hour_us, prefix, method, outcome, border, traces, reached,"
		" rtt_n, rtt_min, rtt_sum FROM hour h";
	static const char put[] =
		"INSERT OR IGNORE INTO hour(vantage, campaign, hour_us, prefix, method, outcome,"
		" border, traces, reached, rtt_n, rtt_min, rtt_sum)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
	sqlite3_stmt *st = NULL, *add = NULL;
	int rc = 0;

	if (sqlite3_prepare_v2(v->from->db, get, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(v->to->db, put, -1, &add, NULL) == SQLITE_OK) {
		while (rc == 0 && sqlite3_step(st) == SQLITE_ROW)
			rc = save_hour(v, st, add, err);
	}
	sqlite3_finalize(st);
	sqlite3_finalize(add);
	return rc;
}

static int save_all(struct salvage *v, struct bp_error *err)
{
	int64_t traces = last_row(v, "SELECT max(n) FROM trace");
	int64_t segments = last_row(v, "SELECT max(last) FROM segment NOT INDEXED");
	int64_t rounds = last_row(v, "SELECT max(id) FROM round NOT INDEXED");
	int64_t texts = last_row(v, "SELECT max(id) FROM text NOT INDEXED");
	int rc = sqlite_begin(v->to, err);

	if (rc == 0)
		rc = save_rows(v,
			       "SELECT n, segment, start, took, seq, sub, goal, settings, path,"
			       " verdict, judge, naming, body FROM trace WHERE n >= ?1 ORDER BY n",
			       traces > segments ? traces : segments, save_trace, err);
	if (rc == 0)
		rc = save_rows(v,
			       "SELECT id, json, at_us FROM round NOT INDEXED WHERE id >= ?1 ORDER"
			       " BY id",
			       rounds > texts ? rounds : texts, save_round, err);
	if (rc == 0) {
		save_objects(v);
		rc = save_hours(v, err);
	}
	if (rc == 0)
		rc = commit(v, false, err);
	if (rc < 0)
		sqlite_undo(v->to);
	return rc;
}

int sqlite_salvage(const char *from, const char *to, struct store_salvage *out,
		   struct bp_error *err)
{
	struct salvage v = {0};
	int rc = sqlite_open_damaged(from, &v.from, err);

	if (rc == 0)
		rc = sqlite_open(to, STORE_WRITE, &v.to, err);
	if (rc == 0)
		rc = save_all(&v, err);
	if (rc == 0 && v.count.traces == 0 && v.count.rounds == 0 && v.count.lost > 0)
		rc = bp_fail(err, BP_EPARSE, "%s: nothing in it can be read", v.from->path);
	sqlite_close(v.from);
	sqlite_close(v.to);
	if (rc == 0)
		*out = v.count;
	return rc;
}

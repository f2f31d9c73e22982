// SPDX-License-Identifier: BSD-2-Clause
/*
 * Judging anew: one more judgement of a trace that is in the store. The first judgement lies beside
 * its trace; when a second one comes, both become rows of `judgement`, and the trace has the
 * latest.
 */
#include <string.h>

#include "campaign/sqlite_cache.h"

static int find_trace(struct sqlite_store *s, const char *id, int64_t *out, struct bp_error *err)
{
	struct trace_key k;
	sqlite3_stmt *st;
	int rc;

	*out = 0;
	if (trace_key_parse(id, &k)) {
		rc = ids_find(s, &k, out, err);
	} else {
		rc = sql_get(s, STMT_FOREIGN_FIND, &st, err);
		if (rc < 0)
			return rc;
		bind_text(st, 1, id);
		rc = sql_step(s, st, err);
		if (rc == 1)
			*out = sqlite3_column_int64(st, 0);
		sqlite3_reset(st);
	}
	if (rc >= 0 && *out == 0)
		return bp_fail(err, BP_ENOTFOUND, "%s: no trace %s", s->path, id);
	return rc < 0 ? rc : 0;
}

static int add_row(struct sqlite_store *s, int64_t trace, int64_t judge, int64_t verdict,
		   int64_t naming, struct bp_error *err)
{
	sqlite3_stmt *st;
	int rc = sql_get(s, STMT_JUDGEMENT_ADD, &st, err);

	if (rc < 0)
		return rc;
	sqlite3_bind_int64(st, 1, trace);
	sqlite3_bind_int64(st, 2, judge);
	sqlite3_bind_int64(st, 3, verdict);
	bind_nonzero(st, 4, naming);
	return sql_step(s, st, err);
}

/* One row for all that one run judges by the same data at the same moment. */
static int judge_row(struct sqlite_store *s, const struct verdict *v, int64_t geo, int64_t at_us,
		     int64_t *out, struct bp_error *err)
{
	struct judge_last *last = &s->judged;
	int rc;

	if (last->row == 0 || last->geo != geo || last->at_us != at_us ||
	    strcmp(last->profile, v->profile) != 0 ||
	    strcmp(last->profile_version, v->profile_version) != 0) {
		rc = intern_judge(s, v, geo, at_us, &last->row, err);
		if (rc < 0) {
			last->row = 0;
			return rc;
		}
		last->geo = geo;
		last->at_us = at_us;
		text_set(last->profile, sizeof(last->profile), v->profile);
		text_set(last->profile_version, sizeof(last->profile_version),
			 v->profile_version);
	}
	*out = last->row;
	return 0;
}

static int64_t us_of(struct wall w)
{
	int64_t us = w.ns / NS_PER_US;

	return w.ns % NS_PER_US < 0 ? us - 1 : us;
}

static int add_judgement(struct sqlite_store *s, int64_t n, const struct names *names,
			 const struct verdict *v, int64_t at_us, struct bp_error *err)
{
	struct record rec;
	struct flat_trace f;
	char as_path[FLAT_AS_PATH_TEXT];
	int64_t networks = 0, geo = 0, judge = 0, verdict = 0, naming = 0;
	int64_t old_verdict, old_judge, old_naming, segment;
	bool own;
	sqlite3_stmt *st;
	int rc;

	record_init(&rec);
	/* The verdict is written relative to the path. */
	rc = sqlite_trace(s, n, &rec, err);
	if (rc == 0)
		rc = sql_get(s, STMT_TRACE_JUDGED, &st, err);
	if (rc < 0)
		goto out;
	sqlite3_bind_int64(st, 1, n);
	rc = sql_step(s, st, err);
	if (rc < 0)
		goto out;
	old_verdict = sqlite3_column_int64(st, 0);
	old_judge = sqlite3_column_int64(st, 1);
	old_naming = sqlite3_column_int64(st, 2);
	segment = sqlite3_column_int64(st, 3);
	sqlite3_reset(st);
	naming = old_naming;
	rc = 0;
	if (names != NULL) {
		flat_trace(rec.trace, names, &f);
		if (f.as_count > 0)
			rc = intern_text(s, flat_as_path_text(&f, as_path), &networks, err);
		if (rc == 0)
			rc = intern_geo(s, &names->geo, &geo, err);
		if (rc == 0)
			rc = intern_naming(s, rec.trace, names, geo, networks, &naming, &own, err);
	}
	if (rc == 0)
		rc = judge_row(s, v, geo, at_us, &judge, err);
	if (rc == 0)
		rc = intern_verdict(s, rec.trace, v, &verdict, err);
	if (rc == 0 && old_verdict != 0)
		rc = add_row(s, n, old_judge, old_verdict, old_naming, err);
	if (rc == 0)
		rc = add_row(s, n, judge, verdict, naming, err);
	if (rc == 0)
		rc = sql_get(s, STMT_TRACE_JUDGE, &st, err);
	if (rc == 0) {
		sqlite3_bind_int64(st, 1, n);
		sqlite3_bind_int64(st, 2, verdict);
		sqlite3_bind_int64(st, 3, judge);
		bind_nonzero(st, 4, naming);
		rc = sql_step(s, st, err);
	}
	if (rc == 0)
		rc = tallies_later(s, segment, err);
out:
	record_fini(&rec);
	return rc;
}

int sqlite_add_judgement(struct sqlite_store *s, const char *trace_id, const struct names *names,
			 const struct verdict *verdict, struct wall judged_at, struct bp_error *err)
{
	int64_t n;
	int rc;

	if (!s->writing || s->failed)
		return bp_fail(err, BP_EINVAL, "the store: nothing was begun, or it was undone");
	rc = segment_end(s, err);
	if (rc == 0)
		rc = find_trace(s, trace_id, &n, err);
	if (rc == 0)
		rc = add_judgement(s, n, names, verdict, us_of(judged_at), err);
	/* That there is no such trace harms nothing. */
	if (rc < 0 && rc != BP_ENOTFOUND)
		s->failed = true;
	return rc;
}

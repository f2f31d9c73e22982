// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writing a round: one transaction from store_begin to store_commit. Traces go into the segment
 * under way; its row is written when the next one begins, or at the commit. The first failure
 * undoes all.
 */
#include <stdlib.h>
#include <string.h>

#include "campaign/body.h"
#include "campaign/sqlite.h"
#include "core/text.h"

static int refuse_order(struct bp_error *err)
{
	return bp_fail(err, BP_EINVAL, "the store: no round was begun, or it was undone");
}

static int failed(struct sqlite_store *s, int rc)
{
	if (rc < 0)
		s->failed = true;
	return rc;
}

static int64_t us_of(struct wall w)
{
	int64_t us = w.ns / NS_PER_US;

	return w.ns % NS_PER_US < 0 ? us - 1 : us;
}

/* --- transactions ----------------------------------------------------------------------------- */

/* Where new rows begin, and whether another process has dropped some that we remember. */
static int learn_state(struct sqlite_store *s, struct bp_error *err)
{
	int64_t epoch = 0;
	sqlite3_stmt *st;
	int rc = sql_get(s, STMT_NEXT, &st, err);

	if (rc == 0)
		rc = sql_step(s, st, err);
	if (rc < 0)
		return rc;
	s->next_n = sqlite3_column_int64(st, 0) + 1;
	s->next_segment = sqlite3_column_int64(st, 1) + 1;
	sqlite3_reset(st);
	rc = sql_get(s, STMT_EPOCH, &st, err);
	if (rc == 0)
		rc = sql_step(s, st, err);
	if (rc < 0)
		return rc;
	epoch = rc == 1 ? sqlite3_column_int64(st, 0) : 0;
	sqlite3_reset(st);
	if (epoch != s->epoch) {
		intern_clear(s);
		s->epoch = epoch;
	}
	return 0;
}

int sqlite_begin(struct sqlite_store *s, struct bp_error *err)
{
	int rc;

	if (s->mode != STORE_WRITE)
		return bp_fail(err, BP_EPERM, "%s: opened for reading only", s->path);
	if (s->writing)
		return refuse_order(err);
	rc = sql_run(s, STMT_BEGIN, err);
	if (rc < 0)
		return rc;
	s->writing = true;
	s->failed = false;
	s->seg.open = false;
	s->last_segment = 0;
	s->judged.row = 0;
	tallies_clear(&s->tallies);
	s->now_us = us_of(wall_now());
	id_set_clear(&s->old_ids);
	rc = learn_state(s, err);
	if (rc < 0)
		sqlite_undo(s);
	return rc;
}

void sqlite_undo(struct sqlite_store *s)
{
	if (!s->writing)
		return;
	/* SQLite has undone it by itself when the disk was full. */
	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	s->writing = s->failed = false;
	s->seg.open = false;
	tallies_clear(&s->tallies);
	intern_clear(s);
	id_set_clear(&s->ids);
	id_set_clear(&s->old_ids);
}

/* --- segments --------------------------------------------------------------------------------- */

static int bind_segment_texts(struct sqlite_store *s, sqlite3_stmt *st, int64_t *vantage,
			      struct bp_error *err)
{
	const char *const texts[] = {s->seg.vantage, s->seg.campaign, s->seg.round, s->seg.run};
	int rc = 0;

	for (int i = 0; i < 4 && rc == 0; i++) {
		int64_t id = 0;

		rc = intern_text(s, texts[i], &id, err);
		bind_nonzero(st, 4 + i, id);
		if (i == 0)
			*vantage = id;
	}
	return rc;
}

int segment_end(struct sqlite_store *s, struct bp_error *err)
{
	struct segment *g = &s->seg;
	int64_t vantage = 0;
	sqlite3_stmt *st;
	int rc;

	if (!g->open || g->count == 0) {
		g->open = false;
		return 0;
	}
	if (g->start_min_us > g->start_max_us)
		g->start_min_us = g->start_max_us = 0;
	rc = sql_get(s, STMT_SEGMENT_ADD, &st, err);
	if (rc == 0)
		rc = bind_segment_texts(s, st, &vantage, err);
	if (rc < 0)
		return rc;
	sqlite3_bind_int64(st, 1, g->id);
	sqlite3_bind_int64(st, 2, g->first);
	sqlite3_bind_int64(st, 3, g->first + g->count - 1);
	bind_nonzero(st, 8, g->geo_id);
	bind_nonzero(st, 9, g->judge_id);
	sqlite3_bind_int64(st, 10, g->base_us);
	sqlite3_bind_int64(st, 11, g->start_min_us);
	sqlite3_bind_int64(st, 12, g->start_max_us);
	for (int i = 13; i <= 15; i++)
		sqlite3_bind_null(st, i);
	if (g->run[0] != '\0') {
		sqlite3_bind_int64(st, 13, g->seq_base);
		sqlite3_bind_int64(st, 14, g->seq_min);
		sqlite3_bind_int64(st, 15, g->seq_max);
	}
	rc = sql_step(s, st, err);
	if (rc == 0)
		rc = sql_get(s, STMT_LONGEST, &st, err);
	if (rc == 0) {
		sqlite3_bind_int64(st, 1, g->start_max_us - g->start_min_us);
		rc = sql_step(s, st, err);
	}
	if (rc == 0)
		rc = tallies_write(s, vantage, g->id, err);
	s->last_segment = g->id;
	s->last_segment_start_us = g->start_min_us;
	g->open = false;
	return rc;
}

/* What comes with a trace. */
struct addition {
	const struct trace *t;
	const struct names *names;     /* NULL: none */
	const struct verdict *verdict; /* NULL: none */
	bool ours;		       /* key is its id */
	struct trace_key key;
};

static bool segment_fits(const struct segment *g, const struct addition *a)
{
	const struct trace *t = a->t;

	if (!g->open || g->count >= SEGMENT_TRACES_MAX || strcmp(g->run, a->key.run) != 0 ||
	    strcmp(g->round, t->round) != 0 || strcmp(g->vantage, t->vantage) != 0 ||
	    strcmp(g->campaign, t->campaign) != 0 || g->named != (a->names != NULL) ||
	    (g->named && !geo_source_equal(&g->geo, &a->names->geo)))
		return false;
	return a->verdict == NULL || !g->judged ||
	       (strcmp(g->profile, a->verdict->profile) == 0 &&
		strcmp(g->profile_version, a->verdict->profile_version) == 0);
}

static int segment_begin(struct sqlite_store *s, const struct addition *a, struct bp_error *err)
{
	struct segment *g = &s->seg;
	const struct trace *t = a->t;
	int rc = segment_end(s, err);

	if (rc < 0)
		return rc;
	*g = (struct segment){.open = true, .id = s->next_segment++, .first = s->next_n};
	text_set(g->vantage, sizeof(g->vantage), t->vantage);
	text_set(g->campaign, sizeof(g->campaign), t->campaign);
	text_set(g->round, sizeof(g->round), t->round);
	text_set(g->run, sizeof(g->run), a->key.run);
	g->named = a->names != NULL;
	if (g->named) {
		g->geo = a->names->geo;
		rc = intern_geo(s, &g->geo, &g->geo_id, err);
	}
	g->base_us = us_of(t->start);
	g->start_min_us = INT64_MAX;
	g->start_max_us = INT64_MIN;
	g->seq_base = g->seq_min = g->seq_max = a->key.seq;
	id_set_clear(&s->ids);
	if (rc == 0 && a->ours)
		rc = ids_top(s, a->key.run, &s->run_top, err);
	return rc;
}

static int segment_judged(struct sqlite_store *s, const struct verdict *v, struct bp_error *err)
{
	struct segment *g = &s->seg;

	if (g->judged)
		return 0;
	text_set(g->profile, sizeof(g->profile), v->profile);
	text_set(g->profile_version, sizeof(g->profile_version), v->profile_version);
	g->judged = true;
	return intern_judge(s, v, g->geo_id, s->now_us, &g->judge_id, err);
}

/* --- traces ----------------------------------------------------------------------------------- */

/* Whether the store has this id: 1, 0, or an error. The segment under way is that of the trace. */
static int have_already(struct sqlite_store *s, const struct addition *a, struct bp_error *err)
{
	int64_t n = 0;
	sqlite3_stmt *st;
	int rc;

	if (a->t->id[0] == '\0')
		return 0;
	if (!a->ours) {
		rc = sql_get(s, STMT_FOREIGN_FIND, &st, err);
		if (rc < 0)
			return rc;
		bind_text(st, 1, a->t->id);
		rc = sql_step(s, st, err);
		sqlite3_reset(st);
		return rc;
	}
	if (id_set_find(&s->ids, &a->key) != 0)
		return 1;
	if (a->key.seq > s->run_top)
		return 0;
	rc = ids_find(s, &a->key, &n, err);
	return rc < 0 ? rc : n != 0;
}

static int remember_id(struct sqlite_store *s, const struct addition *a, int64_t n,
		       struct bp_error *err)
{
	struct segment *g = &s->seg;
	sqlite3_stmt *st;
	int rc;

	if (a->ours) {
		if (a->key.seq < g->seq_min)
			g->seq_min = a->key.seq;
		if (a->key.seq > g->seq_max)
			g->seq_max = a->key.seq;
		return id_set_put(&s->ids, &a->key, n) < 0
			       ? bp_fail(err, BP_ENOMEM, "out of memory")
			       : 0;
	}
	if (a->t->id[0] == '\0')
		return 0;
	rc = sql_get(s, STMT_FOREIGN_ADD, &st, err);
	if (rc < 0)
		return rc;
	sqlite3_bind_int64(st, 1, n);
	bind_text(st, 2, a->t->id);
	return sql_step(s, st, err);
}

static void bind_times(struct sqlite_store *s, sqlite3_stmt *st, const struct trace *t)
{
	struct segment *g = &s->seg;
	int64_t start = us_of(t->start), end = us_of(t->end);

	sqlite3_bind_null(st, 3);
	sqlite3_bind_null(st, 4);
	/* A time that is not known is no time: the segment is as wide as those that are. */
	if (t->start.ns != 0)
		sqlite3_bind_int64(st, 3, start - g->base_us);
	if (t->end.ns != 0)
		sqlite3_bind_int64(st, 4, end - (t->start.ns != 0 ? start : g->base_us));
	if (t->start.ns != 0 && start < g->start_min_us)
		g->start_min_us = start;
	if (t->start.ns != 0 && start > g->start_max_us)
		g->start_max_us = start;
}

static void bind_id(struct sqlite_store *s, sqlite3_stmt *st, const struct addition *a)
{
	sqlite3_bind_null(st, 5);
	sqlite3_bind_null(st, 6);
	if (!a->ours)
		return;
	sqlite3_bind_int64(st, 5, a->key.seq - s->seg.seq_base);
	if (a->key.sub >= 0)
		sqlite3_bind_int64(st, 6, a->key.sub);
}

static void bind_rtt(sqlite3_stmt *st, const struct flat_trace *f)
{
	int64_t min = f->rtt_min_ns < 0 ? -1 : body_us(f->rtt_min_ns);
	int64_t median = f->rtt_median_ns < 0 ? -1 : body_us(f->rtt_median_ns);

	bind_known(st, 13, min);
	/* NULL: as the least. */
	bind_known(st, 14, median == min ? -1 : median);
}

/* The rows that the trace points to. */
struct rows {
	int64_t goal, settings, verdict, naming;
	struct path_row path;
};

static int intern_all(struct sqlite_store *s, const struct addition *a, const struct flat_trace *f,
		      struct rows *out, struct bp_error *err)
{
	char as_path[FLAT_AS_PATH_TEXT];
	int64_t networks = 0;
	bool own = false;
	int rc = 0;

	if (f->as_count > 0)
		rc = intern_text(s, flat_as_path_text(f, as_path), &networks, err);
	if (rc == 0)
		rc = intern_goal(s, a->t, &out->goal, err);
	if (rc == 0)
		rc = intern_settings(s, a->t, &out->settings, err);
	if (rc == 0)
		rc = intern_path(s, a->t, f, networks, &out->path, err);
	if (rc == 0 && a->names != NULL) {
		rc = intern_naming(s, a->t, a->names, s->seg.geo_id, networks, &out->naming, &own,
				   err);
		if (!own && out->path.same_as_path)
			out->naming = 0;
	}
	if (rc == 0 && a->verdict != NULL)
		rc = segment_judged(s, a->verdict, err);
	if (rc == 0 && a->verdict != NULL)
		rc = intern_verdict(s, a->t, a->verdict, &out->verdict, err);
	return rc;
}

static int insert(struct sqlite_store *s, const struct addition *a, struct bp_error *err)
{
	struct flat_trace f;
	struct rows rows = {0};
	sqlite3_stmt *st;
	int rc;

	flat_trace(a->t, a->names, &f);
	rc = intern_all(s, a, &f, &rows, err);
	if (rc == 0)
		rc = sql_get(s, STMT_TRACE_ADD, &st, err);
	if (rc < 0)
		return rc;
	buf_clear(&s->body);
	body_put(&s->body, a->t, s->order, rows.path.slots);
	if (s->body.failed)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	sqlite3_bind_int64(st, 1, s->next_n);
	sqlite3_bind_int64(st, 2, s->seg.id);
	bind_times(s, st, a->t);
	bind_id(s, st, a);
	sqlite3_bind_int64(st, 7, rows.goal);
	sqlite3_bind_int64(st, 8, rows.settings);
	sqlite3_bind_int64(st, 9, rows.path.id);
	bind_nonzero(st, 10, rows.path.same_hash ? 0 : (int64_t)f.path_hash);
	bind_nonzero(st, 11, rows.verdict);
	bind_nonzero(st, 12, rows.naming);
	bind_rtt(st, &f);
	bind_blob(st, 15, s->body.bytes, s->body.used);
	rc = sql_step(s, st, err);
	if (rc == 0)
		rc = remember_id(s, a, s->next_n, err);
	if (rc == 0)
		rc = tallies_add(s, a->t, &f, a->verdict, us_of(a->t->start), err);
	s->next_n++;
	s->seg.count++;
	return rc;
}

int sqlite_add_trace(struct sqlite_store *s, const struct trace *t, const struct names *names,
		     const struct verdict *verdict, struct bp_error *err)
{
	struct addition a = {.t = t};
	int rc;

	if (!s->writing || s->failed)
		return refuse_order(err);
	/* It will be read again: what no reader takes is not kept either. */
	if (trace_validate(t, t->size) < 0)
		return failed(s, bp_fail(err, BP_EINVAL, "the store: a trace that is none"));
	if (names != NULL && (names->count > 0 || geo_source_known(&names->geo)))
		a.names = names;
	if (verdict != NULL && verdict->judged)
		a.verdict = verdict;
	a.ours = trace_key_parse(t->id, &a.key);
	if (!segment_fits(&s->seg, &a)) {
		rc = segment_begin(s, &a, err);
		if (rc < 0)
			return failed(s, rc);
	}
	rc = have_already(s, &a, err);
	if (rc == 0)
		rc = insert(s, &a, err);
	return failed(s, rc < 0 ? rc : 0);
}

/* --- objects and rounds ----------------------------------------------------------------------- */

static int bind_texts(struct sqlite_store *s, sqlite3_stmt *st, int at, const char *const *texts,
		      int n, struct bp_error *err)
{
	int rc = 0;

	for (int i = 0; i < n && rc == 0; i++) {
		int64_t id = 0;

		rc = intern_text(s, texts[i] ? texts[i] : "", &id, err);
		bind_nonzero(st, at + i, id);
	}
	return rc;
}

int sqlite_add_object(struct sqlite_store *s, enum record_kind kind, struct wall at,
		      const char *vantage, const char *campaign, const char *round,
		      const char *json, size_t n, struct bp_error *err)
{
	const char *const texts[] = {vantage, campaign, round};
	bool behind = s->seg.open && s->seg.count > 0;
	sqlite3_stmt *st;
	int rc;

	if (!s->writing || s->failed)
		return refuse_order(err);
	while (n > 0 && (json[n - 1] == '\n' || json[n - 1] == '\r'))
		n--;
	rc = sql_get(s, STMT_OBJECT_ADD, &st, err);
	if (rc == 0)
		rc = bind_texts(s, st, 4, texts, 3, err);
	if (rc < 0)
		return failed(s, rc);
	sqlite3_bind_int64(st, 1, intern_hash(s, json, n));
	sqlite3_bind_int(st, 2, (int)kind);
	sqlite3_bind_int64(st, 3, us_of(at));
	bind_nonzero(st, 7, behind ? s->seg.id : 0);
	bind_nonzero(st, 8, behind ? s->next_n - 1 : 0);
	sqlite3_bind_text64(st, 9, json, n, SQLITE_STATIC, SQLITE_UTF8);
	return failed(s, sql_step(s, st, err));
}

static void bind_wall(sqlite3_stmt *st, int at, struct wall w)
{
	if (w.ns == 0)
		sqlite3_bind_null(st, at);
	else
		sqlite3_bind_int64(st, at, us_of(w));
}

static int add_round(struct sqlite_store *s, const struct round *r, const struct buf *json,
		     struct bp_error *err)
{
	const char *const texts[] = {r->id, r->campaign, r->vantage};
	/* Where it is read: behind what it holds. */
	int64_t at = us_of(r->planned);
	sqlite3_stmt *st;
	int rc = sql_get(s, STMT_ROUND_ADD, &st, err);

	if (s->last_segment != 0 && s->last_segment_start_us > at)
		at = s->last_segment_start_us;
	if (rc == 0)
		rc = bind_texts(s, st, 1, texts, 3, err);
	if (rc < 0)
		return rc;
	sqlite3_bind_int64(st, 4, us_of(r->planned));
	sqlite3_bind_int64(st, 5, at);
	bind_wall(st, 6, r->start);
	bind_wall(st, 7, r->end);
	sqlite3_bind_int64(st, 8, r->expected);
	sqlite3_bind_int64(st, 9, r->done);
	sqlite3_bind_int64(st, 10, r->missed);
	sqlite3_bind_int64(st, 11, r->traces);
	sqlite3_bind_text(st, 12,
			  r->why == ROUND_WHY_NONE ? NULL : word_of(round_why_words, r->why), -1,
			  SQLITE_STATIC);
	sqlite3_bind_text64(st, 13, json->bytes, json->used - 1, SQLITE_STATIC, SQLITE_UTF8);
	return sql_step(s, st, err);
}

int sqlite_add_round(struct sqlite_store *s, const struct round *r, bool *already,
		     struct bp_error *err)
{
	struct buf json;
	int rc;

	if (!s->writing || s->failed)
		return refuse_order(err);
	if (r->id[0] == '\0' || r->campaign[0] == '\0' || r->vantage[0] == '\0')
		return failed(s, bp_fail(err, BP_EINVAL,
					 "the store: a round without id, campaign or vantage"));
	rc = segment_end(s, err);
	buf_init(&json);
	round_write_json(&json, r);
	if (rc == 0)
		rc = json.failed ? bp_fail(err, BP_ENOMEM, "out of memory")
				 : add_round(s, r, &json, err);
	buf_fini(&json);
	if (rc == 0 && already != NULL)
		*already = sqlite3_changes(s->db) == 0;
	s->last_segment = 0;
	return failed(s, rc);
}

int sqlite_commit(struct sqlite_store *s, struct bp_error *err)
{
	int rc;

	if (!s->writing || s->failed)
		return refuse_order(err);
	rc = segment_end(s, err);
	if (rc == 0)
		rc = tallies_settle(s, err);
	if (rc == 0)
		rc = sql_run(s, STMT_COMMIT, err);
	if (rc < 0)
		return failed(s, rc);
	s->writing = false;
	id_set_clear(&s->ids);
	return 0;
}

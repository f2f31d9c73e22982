// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reading: what is selected, as records. A list of segments, rounds and objects is made page by
 * page over an index; then each segment's rows, which lie together. No statement stays open from
 * page to page, so that a long reading never holds up a writer's log.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/body.h"
#include "campaign/sqlite_cache.h"
#include "campaign/sqlite_select.h"

static int no_memory(struct bp_error *err)
{
	return bp_fail(err, BP_ENOMEM, "out of memory");
}

/* --- one row ---------------------------------------------------------------------------------- */

static bool is_null(sqlite3_stmt *st, int at)
{
	return sqlite3_column_type(st, at) == SQLITE_NULL;
}

static int read_entries(struct sqlite_store *s, const struct cached_path *p, struct trace *t,
			struct bp_error *err)
{
	int rc = 0;

	t->stop = p->stop;
	t->reach = p->reach;
	t->reached_by = p->reached_by;
	t->first_ttl = p->first_ttl;
	t->max_ttl = p->max_ttl;
	t->sent = p->sent;
	t->received = p->received;
	t->entry_count = p->count;
	t->size = (uint32_t)trace_size(p->count);
	for (uint32_t i = 0; i < p->count && rc == 0; i++)
		rc = cached_hop(s, p->hops[i], t->dst, &t->entries[i], err);
	return rc;
}

/* Times of microseconds; beyond what a wall can hold is damage, and trace_validate finds 0 fine. */
static struct wall wall_of(int64_t us)
{
	const int64_t most = INT64_MAX / NS_PER_US;

	return (struct wall){us > most || us < -most ? INT64_MIN : us * NS_PER_US};
}

static int64_t add(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

int read_id(struct sqlite_store *s, sqlite3_stmt *st, const char *run, int64_t seq_base,
	    char out[static TRACE_ID_TEXT], struct bp_error *err)
{
	struct trace_key k;
	sqlite3_stmt *foreign;
	int rc;

	if (!is_null(st, 4)) {
		text_set(k.run, sizeof(k.run), run);
		k.seq = add(seq_base, sqlite3_column_int64(st, 4));
		k.sub = is_null(st, 5) ? -1 : sqlite3_column_int64(st, 5);
		trace_key_text(&k, out);
		return 0;
	}
	out[0] = '\0';
	rc = sql_get(s, STMT_FOREIGN_GET, &foreign, err);
	if (rc < 0)
		return rc;
	sqlite3_bind_int64(foreign, 1, sqlite3_column_int64(st, 0));
	rc = sql_step(s, foreign, err);
	if (rc == 1) {
		const unsigned char *id = sqlite3_column_text(foreign, 0);

		text_set(out, TRACE_ID_TEXT, id ? (const char *)id : "");
		sqlite3_reset(foreign);
	}
	return rc < 0 ? rc : 0;
}

struct wall read_start(sqlite3_stmt *st, int64_t base_us)
{
	return is_null(st, 2) ? (struct wall){0}
			      : wall_of(add(base_us, sqlite3_column_int64(st, 2)));
}

struct wall read_end(sqlite3_stmt *st, int64_t base_us)
{
	if (is_null(st, 3))
		return (struct wall){0};
	return wall_of(add(add(base_us, sqlite3_column_int64(st, 2)),
			   sqlite3_column_int64(st, 3)));
}

static int put_usual(struct sqlite_store *s, int64_t geo, struct addr a, struct names *out,
		     struct bp_error *err)
{
	const struct name *known;
	struct name *n;
	int rc;

	if (!addr_is_set(a) || names_find(out, a) != NULL)
		return 0;
	rc = cached_name(s, geo, a, &known, err);
	if (rc < 0 || known == NULL)
		return rc;
	n = names_put(out, a);
	if (n == NULL)
		return no_memory(err);
	*n = *known;
	return 0;
}

static int read_own_names(struct sqlite_store *s, int64_t naming, struct names *out,
			  struct bp_error *err)
{
	sqlite3_stmt *st;
	int rc = sql_get(s, STMT_NAMING_NAMES, &st, err);

	if (rc < 0)
		return rc;
	sqlite3_bind_int64(st, 1, naming);
	while ((rc = sql_step(s, st, err)) == 1) {
		struct name value, *n;

		rc = value_read_name(sqlite3_column_blob(st, 0), sqlite3_column_bytes(st, 0),
				     &value);
		n = rc < 0 ? NULL : names_put(out, value.addr);
		if (n == NULL) {
			sqlite3_reset(st);
			return rc < 0 ? cached_damaged(s, "naming", naming, err) : no_memory(err);
		}
		*n = value;
	}
	return rc;
}

static int read_names(struct sqlite_store *s, int64_t naming, int64_t geo, const struct trace *t,
		      struct names *out, struct bp_error *err)
{
	bool own = false;
	int rc = 0;

	if (naming != 0) {
		sqlite3_stmt *st;

		rc = sql_get(s, STMT_NAMING_GET, &st, err);
		if (rc < 0)
			return rc;
		sqlite3_bind_int64(st, 1, naming);
		rc = sql_step(s, st, err);
		if (rc <= 0)
			return rc < 0 ? rc : cached_damaged(s, "naming", naming, err);
		geo = sqlite3_column_int64(st, 0);
		own = sqlite3_column_int(st, 1) != 0;
		sqlite3_reset(st);
	}
	if (geo == 0)
		return 0;
	rc = cached_geo(s, geo, &out->geo, err);
	if (rc < 0 || own)
		return rc < 0 ? rc : read_own_names(s, naming, out, err);
	rc = put_usual(s, geo, t->src, out, err);
	if (rc == 0)
		rc = put_usual(s, geo, t->dst, out, err);
	for (uint32_t i = 0; i < t->entry_count && rc == 0; i++)
		rc = put_usual(s, geo, t->entries[i].reply.from, out, err);
	return rc;
}

static int read_verdict(struct sqlite_store *s, int64_t verdict, int64_t judge,
			const struct trace *t, struct verdict *out, struct bp_error *err)
{
	const unsigned char *profile, *version;
	const void *bytes;
	sqlite3_stmt *st;
	int n, rc = cached_blob(s, CACHED_VERDICT, verdict, &bytes, &n, err);

	if (rc == 0 && value_read_verdict(bytes, n, out, t) < 0)
		rc = cached_damaged(s, "verdict", verdict, err);
	if (rc < 0 || judge == 0)
		return rc;
	rc = sql_get(s, STMT_JUDGE_GET, &st, err);
	if (rc < 0)
		return rc;
	sqlite3_bind_int64(st, 1, judge);
	rc = sql_step(s, st, err);
	if (rc == 1) {
		profile = sqlite3_column_text(st, 0);
		version = sqlite3_column_text(st, 1);
		text_set(out->profile, sizeof(out->profile), profile ? (const char *)profile : "");
		text_set(out->profile_version, sizeof(out->profile_version),
			 version ? (const char *)version : "");
		out->judged_at = wall_of(sqlite3_column_int64(st, 3));
		sqlite3_reset(st);
	}
	return rc < 0 ? rc : 0;
}

int read_judgement(struct sqlite_store *s, const struct trace *t, const struct judgement_row *row,
		   struct names *names, struct verdict *out, struct bp_error *err)
{
	const struct cached_segment *g;
	int rc = cached_segment(s, row->segment, &g, err);

	if (rc == 0)
		rc = read_names(s, row->naming, g->geo, t, names, err);
	return rc < 0 || row->verdict == 0 ? rc
					   : read_verdict(s, row->verdict, row->judge, t, out, err);
}

static int read_goal_settings(struct sqlite_store *s, int64_t goal, int64_t settings,
			      struct trace *t, struct bp_error *err)
{
	const void *bytes;
	int n, rc = cached_blob(s, CACHED_GOAL, goal, &bytes, &n, err);

	if (rc == 0 && value_read_goal(bytes, n, t) < 0)
		rc = cached_damaged(s, "goal", goal, err);
	if (rc == 0)
		rc = cached_blob(s, CACHED_SETTINGS, settings, &bytes, &n, err);
	if (rc == 0 && value_read_settings(bytes, n, t) < 0)
		rc = cached_damaged(s, "settings", settings, err);
	return rc;
}

static int hops_of(struct sqlite_store *s, sqlite3_stmt *st, const struct cached_path *p,
		   struct trace **out, struct bp_error *err)
{
	struct trace *t = trace_new(p->count);
	int rc;

	if (t == NULL)
		return no_memory(err);
	rc = read_goal_settings(s, sqlite3_column_int64(st, 6), sqlite3_column_int64(st, 7), t,
				err);
	if (rc == 0)
		rc = read_entries(s, p, t, err);
	if (rc < 0)
		free(t);
	else
		*out = t;
	return rc;
}

int read_hops_row(struct sqlite_store *s, sqlite3_stmt *st, struct trace **out,
		  struct bp_error *err)
{
	const struct cached_path *p;
	int rc = cached_path(s, sqlite3_column_int64(st, 8), &p, err);

	return rc < 0 ? rc : hops_of(s, st, p, out, err);
}

/* Without names, verdict, id and times of its own. */
static int read_bare_row(struct sqlite_store *s, sqlite3_stmt *st, struct trace **out,
			 struct bp_error *err)
{
	const struct cached_path *p;
	struct trace *t = NULL;
	int n, rc = cached_path(s, sqlite3_column_int64(st, 8), &p, err);

	if (rc == 0)
		rc = hops_of(s, st, p, &t, err);
	if (rc < 0)
		return rc;
	n = sqlite3_column_bytes(st, 12);
	if (body_read(sqlite3_column_blob(st, 12), n > 0 ? (size_t)n : 0, p->slots, t) < 0) {
		free(t);
		return cached_damaged(s, "trace", sqlite3_column_int64(st, 0), err);
	}
	*out = t;
	return 0;
}

/* With what its segment says. */
static int read_dated_row(struct sqlite_store *s, sqlite3_stmt *st, struct trace **out,
			  const struct cached_segment **of, struct bp_error *err)
{
	const struct cached_segment *g;
	struct trace *t = NULL;
	int rc = cached_segment(s, sqlite3_column_int64(st, 1), &g, err);

	if (rc == 0)
		rc = read_bare_row(s, st, &t, err);
	if (rc < 0)
		return rc;
	memcpy(t->vantage, g->vantage, sizeof(t->vantage));
	memcpy(t->campaign, g->campaign, sizeof(t->campaign));
	memcpy(t->round, g->round, sizeof(t->round));
	t->start = read_start(st, g->base_us);
	t->end = read_end(st, g->base_us);
	*of = g;
	*out = t;
	return 0;
}

int read_trace_row(struct sqlite_store *s, sqlite3_stmt *st, struct record *out,
		   struct bp_error *err)
{
	int64_t row = sqlite3_column_int64(st, 0), verdict = sqlite3_column_int64(st, 9);
	const struct cached_segment *g;
	struct trace *t;
	int rc = read_dated_row(s, st, &out->trace, &g, err);

	if (rc < 0)
		return rc;
	out->kind = RECORD_TRACE;
	t = out->trace;
	rc = read_id(s, st, g->run, g->seq_base, t->id, err);
	if (rc == 0 && trace_validate(t, t->size) < 0)
		rc = cached_damaged(s, "trace", row, err);
	if (rc == 0)
		rc = read_names(s, sqlite3_column_int64(st, 11), g->geo, t, &out->names, err);
	if (rc == 0 && verdict != 0)
		rc = read_verdict(s, verdict,
				  is_null(st, 10) ? g->judge : sqlite3_column_int64(st, 10), t,
				  &out->verdict, err);
	if (rc < 0)
		record_fini(out);
	return rc;
}

/* --- what is read, in order ------------------------------------------------------------------- */

enum { PAGE = 256 };

struct reading {
	struct sqlite_store *s;
	const struct store_select *select;
	struct select_filter filter;
	int (*on_record)(void *arg, struct record *r, struct bp_error *err);
	void *arg;
};

/* A row of JSON as a record: what it says is what was written. */
static int give_json(struct reading *r, enum stmt which, int column, int64_t id,
		     struct bp_error *err)
{
	struct record rec;
	sqlite3_stmt *st;
	int rc = sql_get(r->s, which, &st, err);

	if (rc < 0)
		return rc;
	sqlite3_bind_int64(st, 1, id);
	rc = sql_step(r->s, st, err);
	if (rc <= 0)
		return rc;
	record_init(&rec);
	rc = jsonl_read((const char *)sqlite3_column_blob(st, column),
			(size_t)sqlite3_column_bytes(st, column), &rec, err);
	sqlite3_reset(st);
	if (rc < 0)
		return rc == BP_ENOMEM
			       ? rc
			       : cached_damaged(r->s, which == STMT_ROUND_GET ? "round" : "object",
						id, err);
	rc = r->on_record(r->arg, &rec, err);
	record_fini(&rec);
	return rc;
}

/* Objects behind the traces up to row n, when one of those before them was given. */
struct behind {
	sqlite3_stmt *st;
	bool row;
	int64_t ids[PAGE];
	int64_t after[PAGE];
	int n, at;
};

static int load_behind(struct reading *r, int64_t segment, struct behind *b, struct bp_error *err)
{
	sqlite3_stmt *st;
	int64_t after = b->n > 0 ? b->after[b->n - 1] : 0, id = b->n > 0 ? b->ids[b->n - 1] : 0;
	int rc = sql_get(r->s, STMT_OBJECTS, &st, err);

	if (rc < 0)
		return rc;
	sqlite3_bind_int64(st, 1, segment);
	sqlite3_bind_int64(st, 2, after);
	sqlite3_bind_int64(st, 3, id);
	b->n = b->at = 0;
	while (b->n < PAGE && (rc = sql_step(r->s, st, err)) == 1) {
		b->ids[b->n] = sqlite3_column_int64(st, 0);
		b->after[b->n++] = sqlite3_column_int64(st, 1);
	}
	sqlite3_reset(st);
	return rc < 0 ? rc : 0;
}

/* Gives those that stand before row n (INT64_MAX: all that are left). */
static int give_behind(struct reading *r, int64_t segment, struct behind *b, int64_t n, bool *any,
		       struct bp_error *err)
{
	int rc = 0;

	while (rc == 0 && b->at < b->n && b->after[b->at] < n) {
		if (*any)
			rc = give_json(r, STMT_OBJECT_GET, 1, b->ids[b->at], err);
		*any = *any && b->at + 1 < b->n && b->after[b->at + 1] == b->after[b->at];
		if (++b->at == b->n && b->n == PAGE && rc == 0)
			rc = load_behind(r, segment, b, err);
	}
	return rc;
}

static int give_trace(struct reading *r, sqlite3_stmt *st, bool *any, struct bp_error *err)
{
	struct record rec;
	bool wanted;
	int rc = select_row(r->s, &r->filter, st, &wanted, err);

	if (rc < 0 || !wanted)
		return rc;
	record_init(&rec);
	rc = read_trace_row(r->s, st, &rec, err);
	if (rc == 0) {
		*any = true;
		rc = r->on_record(r->arg, &rec, err);
	}
	record_fini(&rec);
	return rc;
}

static int give_segment(struct reading *r, const struct select_item *item, struct bp_error *err)
{
	struct behind b = {0};
	const struct cached_segment *g;
	sqlite3_stmt *st = NULL;
	bool any = false;
	int rc = load_behind(r, item->id, &b, err);

	if (rc == 0)
		rc = cached_segment(r->s, item->id, &g, err);
	if (rc < 0)
		return rc;
	select_segment(&r->filter, g->base_us);
	/* A statement of its own: on_record may read from the store, too. */
	if (sqlite3_prepare_v2(r->s->db, stmt_sql[STMT_TRACES], -1, &st, NULL) != SQLITE_OK)
		return sql_fail(r->s, sqlite3_extended_errcode(r->s->db), err);
	sqlite3_bind_int64(st, 1, item->first);
	sqlite3_bind_int64(st, 2, item->last);
	while (rc == 0 && (rc = sql_step(r->s, st, err)) == 1) {
		rc = give_behind(r, item->id, &b, sqlite3_column_int64(st, 0), &any, err);
		/* Rows of a segment lie together; another's among them is damage. */
		if (rc == 0 && sqlite3_column_int64(st, 1) == item->id)
			rc = give_trace(r, st, &any, err);
	}
	sqlite3_finalize(st);
	return rc < 0 ? rc : give_behind(r, item->id, &b, INT64_MAX, &any, err);
}

static int give_item(struct reading *r, const struct select_item *item, struct bp_error *err)
{
	switch (item->kind) {
	case SELECT_SEGMENT:
		return give_segment(r, item, err);
	case SELECT_ROUND:
		return give_json(r, STMT_ROUND_GET, 0, item->id, err);
	default:
		return give_json(r, STMT_OBJECT_GET, 1, item->id, err);
	}
}

int sqlite_read(struct sqlite_store *s, const struct store_select *select,
		int (*on_record)(void *arg, struct record *r, struct bp_error *err), void *arg,
		struct bp_error *err)
{
	static const struct store_select all;
	struct reading r = {.s = s,
			    .select = select ? select : &all,
			    .on_record = on_record,
			    .arg = arg};
	const struct select_item *item;
	struct select_list *list = NULL;
	int rc = select_filter_init(s, r.select, &r.filter, err);

	if (rc == 0)
		rc = select_list_open(s, r.select, &list, err);
	while (rc == 0 && (rc = select_list_next(s, list, &item, err)) == 1) {
		select_list_pass(list);
		rc = give_item(&r, item, err);
	}
	select_list_close(list);
	select_filter_fini(&r.filter);
	return rc;
}

/* The row of a trace; to be reset by the caller after 0. */
static int trace_row(struct sqlite_store *s, int64_t example, sqlite3_stmt **out,
		     struct bp_error *err)
{
	sqlite3_stmt *st;
	int rc = sql_get(s, STMT_TRACE_AT, &st, err);

	if (rc < 0)
		return rc;
	sqlite3_bind_int64(st, 1, example);
	rc = sql_step(s, st, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return bp_fail(err, BP_ENOTFOUND, "%s: trace %lld is there no more", s->path,
			       (long long)example);
	*out = st;
	return 0;
}

int sqlite_trace(struct sqlite_store *s, int64_t example, struct record *out, struct bp_error *err)
{
	sqlite3_stmt *st;
	int rc = trace_row(s, example, &st, err);

	if (rc < 0)
		return rc;
	rc = read_trace_row(s, st, out, err);
	sqlite3_reset(st);
	return rc;
}

int sqlite_trace_bare(struct sqlite_store *s, int64_t example, struct trace **out,
		      struct bp_error *err)
{
	const struct cached_segment *g;
	sqlite3_stmt *st;
	int rc = trace_row(s, example, &st, err);

	if (rc < 0)
		return rc;
	rc = read_dated_row(s, st, out, &g, err);
	sqlite3_reset(st);
	return rc;
}

/* --- the latest rounds ------------------------------------------------------------------------ */

int sqlite_last_planned(struct sqlite_store *s, const char *campaign, const char *vantage,
			struct wall *out, struct bp_error *err)
{
	sqlite3_stmt *st;
	int rc = sql_get(s, STMT_LAST_PLANNED, &st, err);

	if (rc < 0)
		return rc;
	bind_text(st, 1, campaign);
	bind_text(st, 2, vantage);
	rc = sql_step(s, st, err);
	if (rc < 0)
		return rc;
	*out = rc == 1 && !is_null(st, 0) ? wall_of(sqlite3_column_int64(st, 0)) : (struct wall){0};
	sqlite3_reset(st);
	return 0;
}

int sqlite_last_rounds(struct sqlite_store *s, const char *campaign, const char *vantage,
		       struct round *out, unsigned max, struct bp_error *err)
{
	sqlite3_stmt *st;
	unsigned count = 0;
	int rc = sql_get(s, STMT_LAST_ROUNDS, &st, err);

	if (rc < 0)
		return rc;
	bind_text(st, 1, campaign);
	bind_text(st, 2, vantage);
	sqlite3_bind_int64(st, 3, max);
	while (count < max && (rc = sql_step(s, st, err)) == 1) {
		struct record rec;

		record_init(&rec);
		rc = jsonl_read((const char *)sqlite3_column_blob(st, 0),
				(size_t)sqlite3_column_bytes(st, 0), &rec, err);
		if (rc == 0)
			rc = round_read(&rec, &out[count], err);
		record_fini(&rec);
		if (rc < 0)
			break;
		count++;
	}
	sqlite3_reset(st);
	return rc < 0 ? rc : (int)count;
}

int sqlite_round(struct sqlite_store *s, int64_t row, struct round *out, struct bp_error *err)
{
	struct record rec;
	sqlite3_stmt *st;
	int rc = sql_get(s, STMT_ROUND_GET, &st, err);

	if (rc < 0)
		return rc;
	sqlite3_bind_int64(st, 1, row);
	rc = sql_step(s, st, err);
	if (rc <= 0)
		return rc < 0 ? rc
			      : bp_fail(err, BP_EPARSE,
					"the store: its index names a round "
					"that is not there");
	record_init(&rec);
	rc = jsonl_read((const char *)sqlite3_column_blob(st, 0),
			(size_t)sqlite3_column_bytes(st, 0), &rec, err);
	if (rc == 0)
		rc = round_read(&rec, out, err);
	record_fini(&rec);
	sqlite3_reset(st);
	/* Torn, or wrong: damaged all the same. */
	return rc == 0 || rc == BP_ENOMEM || rc == BP_EUNSUP ?
		       rc : bp_fail(err, BP_EPARSE, "%s: round %lld is damaged", s->path,
				    (long long)row);
}

int sqlite_slots(struct sqlite_store *s, const char *campaign, const char *vantage, unsigned max,
		 int (*on_slot)(void *arg, struct wall planned, int64_t row, struct bp_error *err),
		 void *arg, struct bp_error *err)
{
	sqlite3_stmt *st;
	int rc = sql_get(s, STMT_SLOTS, &st, err);

	if (rc < 0)
		return rc;
	bind_text(st, 1, campaign);
	bind_text(st, 2, vantage);
	sqlite3_bind_int64(st, 3, max);
	while ((rc = sql_step(s, st, err)) == 1) {
		rc = on_slot(arg, wall_of(sqlite3_column_int64(st, 0)), sqlite3_column_int64(st, 1),
			     err);
		if (rc != 0)
			break;
	}
	sqlite3_reset(st);
	return rc < 0 ? rc : 0;
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * Groups (campaign/store_groups.h) out of a file: the rows of a window, vantage point by vantage
 * point.
 */
#include <stdlib.h>
#include <string.h>

#include "campaign/sqlite_cache.h"
#include "campaign/sqlite_select.h"
#include "campaign/store_groups.h"

struct sqlite_grouping {
	struct sqlite_store *s;
	struct grouping *groups;
	struct select_filter filter;
	int64_t vantage, base_us; /* of the segment */
	store_on_group *on_group;
	void *arg;
};

static int no_memory(struct bp_error *err)
{
	return bp_fail(err, BP_ENOMEM, "out of memory");
}

/* --- what rows stand for ---------------------------------------------------------------------- */

static int read_path(void *arg, const struct groups_row *row, struct groups_path *out,
		     struct bp_error *err)
{
	struct sqlite_grouping *w = arg;
	const struct cached_path *p;
	int rc = cached_path(w->s, row->path, &p, err);

	if (rc < 0)
		return rc;
	if (p->reach > REACH_SILENT)
		return cached_damaged(w->s, "path", row->path, err);
	*out = (struct groups_path){.slots = p->slots,
				    .reach = p->reach,
				    .way = p->way,
				    .failed = p->stop == STOP_ERROR && p->count == 0};
	return 0;
}

static int read_goal(void *arg, int64_t id, struct trace *t, struct bp_error *err)
{
	struct sqlite_grouping *w = arg;
	const void *bytes;
	int n, rc = cached_blob(w->s, CACHED_GOAL, id, &bytes, &n, err);

	if (rc == 0 && value_read_goal(bytes, n, t) < 0)
		rc = cached_damaged(w->s, "goal", id, err);
	return rc;
}

static int read_settings(void *arg, int64_t id, struct trace *t, struct bp_error *err)
{
	struct sqlite_grouping *w = arg;
	const void *bytes;
	int n, rc = cached_blob(w->s, CACHED_SETTINGS, id, &bytes, &n, err);

	if (rc == 0 && value_read_settings(bytes, n, t) < 0)
		rc = cached_damaged(w->s, "settings", id, err);
	return rc;
}

static int read_hops(void *arg, const struct groups_row *row, struct trace **out,
		     struct bp_error *err)
{
	struct sqlite_grouping *w = arg;

	/* The statement that stands on it. */
	return read_hops_row(w->s, (sqlite3_stmt *)(uintptr_t)row->own, out, err);
}

static int give(void *arg, uint32_t group, const struct store_group *g, struct bp_error *err)
{
	struct sqlite_grouping *w = arg;

	(void)group;
	return w->on_group(w->arg, g, err);
}

static const struct groups_source of_file = {.path = read_path,
					     .goal = read_goal,
					     .settings = read_settings,
					     .hops = read_hops,
					     .give = give};

/* --- rows ------------------------------------------------------------------------------------- */

static int take_row(struct sqlite_grouping *w, sqlite3_stmt *st, struct bp_error *err)
{
	const struct groups_row row = {
		.example = sqlite3_column_int64(st, 0),
		.start_us = w->base_us + sqlite3_column_int64(st, 2),
		.dated = sqlite3_column_type(st, 2) != SQLITE_NULL,
		.goal = sqlite3_column_int64(st, 6),
		.settings = sqlite3_column_int64(st, 7),
		.path = sqlite3_column_int64(st, 8),
		.body = sqlite3_column_blob(st, 12),
		.body_size = (size_t)sqlite3_column_bytes(st, 12),
		/* Without a least one there is none. */
		.timed = sqlite3_column_type(st, 13) != SQLITE_NULL,
		.own = st,
	};

	return groups_add(w->groups, &row, err);
}

static int take_segment(struct sqlite_grouping *w, sqlite3_stmt *rows, int64_t id, int64_t first,
			int64_t last, struct bp_error *err)
{
	bool wanted;
	int rc = 0;

	select_segment(&w->filter, w->base_us);
	sqlite3_bind_int64(rows, 1, first);
	sqlite3_bind_int64(rows, 2, last);
	while (rc == 0 && (rc = sql_step(w->s, rows, err)) == 1) {
		rc = 0;
		if (sqlite3_column_int64(rows, 1) != id)
			continue;
		rc = select_row(w->s, &w->filter, rows, &wanted, err);
		if (rc == 0 && wanted)
			rc = take_row(w, rows, err);
	}
	sqlite3_reset(rows);
	return rc;
}

/* --- groups ----------------------------------------------------------------------------------- */

/* One pointer for one name, as long as the store is open. */
static int vantage_name(struct sqlite_store *s, int64_t id, const char **out, struct bp_error *err)
{
	struct vantage_name *v;
	int rc;

	for (v = s->vantages; v != NULL; v = v->next) {
		if (v->id == id) {
			*out = v->name;
			return 0;
		}
	}
	v = calloc(1, sizeof(*v));
	if (v == NULL)
		return no_memory(err);
	rc = cached_text(s, id, v->name, sizeof(v->name), err);
	if (rc < 0) {
		free(v);
		return rc;
	}
	v->id = id;
	v->next = s->vantages;
	s->vantages = v;
	*out = v->name;
	return 0;
}

static int give_all(struct sqlite_grouping *w, struct bp_error *err)
{
	const char *name;
	int rc = vantage_name(w->s, w->vantage, &name, err);

	return rc < 0 ? rc : groups_give(w->groups, name, err);
}

static int take_all(struct sqlite_grouping *w, const struct store_select *select,
		    struct bp_error *err)
{
	sqlite3_stmt *segments = NULL, *rows = NULL;
	int rc = select_segments(w->s, select, &segments, err);

	if (rc < 0)
		return rc;
	rc = sql_get(w->s, STMT_GROUP_ROWS, &rows, err);
	while (rc == 0 && (rc = sql_step(w->s, segments, err)) == 1) {
		int64_t vantage = sqlite3_column_int64(segments, 3);

		rc = vantage != w->vantage ? give_all(w, err) : 0;
		if (rc < 0)
			break;
		w->vantage = vantage;
		w->base_us = sqlite3_column_int64(segments, 4);
		rc = take_segment(w, rows, sqlite3_column_int64(segments, 0),
				  sqlite3_column_int64(segments, 1),
				  sqlite3_column_int64(segments, 2), err);
	}
	sqlite3_finalize(segments);
	return rc == 0 ? give_all(w, err) : rc;
}

void grouping_free(struct sqlite_grouping *w)
{
	if (w != NULL)
		groups_free(w->groups);
	free(w);
}

/* Who asks for one vantage point after the other finds what he needed for the last one. */
static struct sqlite_grouping *grouping_of(struct sqlite_store *s)
{
	struct sqlite_grouping *w = s->grouping;

	if (w == NULL) {
		w = calloc(1, sizeof(*w));
		if (w == NULL || groups_new(&of_file, w, &w->groups) < 0) {
			free(w);
			return NULL;
		}
		w->s = s;
		s->grouping = w;
	}
	w->vantage = 0;
	groups_forget(w->groups);
	return w;
}

int sqlite_groups(struct sqlite_store *s, const struct store_select *select,
		  int (*on_group)(void *arg, const struct store_group *g, struct bp_error *err),
		  void *arg, struct bp_error *err)
{
	static const struct store_select all;
	struct sqlite_grouping *w = grouping_of(s);
	bool ours;
	int rc;

	if (w == NULL)
		return no_memory(err);
	w->on_group = on_group;
	w->arg = arg;
	/* One view of the store for all groups and the traces that on_group asks for, and one lock
	 * instead of one a trace. */
	ours = sqlite3_get_autocommit(s->db) != 0 &&
	       sqlite3_exec(s->db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK;
	rc = select_filter_init(s, select ? select : &all, &w->filter, err);
	if (rc == 0)
		rc = take_all(w, select ? select : &all, err);
	select_filter_fini(&w->filter);
	if (ours)
		sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
	return rc;
}

int sqlite_vantages(struct sqlite_store *s, store_on_name *on_name, void *arg,
		    struct bp_error *err)
{
	/* From name to name by the index: there are many segments and few names. */
	static const char sql[] =
		"WITH RECURSIVE v(id) AS (SELECT min(vantage) FROM segment UNION ALL"
		" SELECT (SELECT min(vantage) FROM segment WHERE vantage > v.id) FROM v"
		" WHERE v.id IS NOT NULL)"
		" SELECT id FROM v WHERE id IS NOT NULL"
		" UNION ALL SELECT 0 WHERE EXISTS (SELECT 1 FROM segment WHERE vantage IS NULL)";
	sqlite3_stmt *st = NULL;
	const char *name;
	int rc = 0;

	if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) != SQLITE_OK)
		return sql_fail(s, sqlite3_extended_errcode(s->db), err);
	while (rc == 0 && (rc = sql_step(s, st, err)) == 1) {
		rc = vantage_name(s, sqlite3_column_int64(st, 0), &name, err);
		if (rc == 0)
			rc = on_name(arg, name, err);
	}
	sqlite3_finalize(st);
	return rc;
}

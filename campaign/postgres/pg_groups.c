// SPDX-License-Identifier: BSD-2-Clause
/*
 * Groups (campaign/store_groups.h) out of a server: of each vantage point the rows of a window,
 * some thousand at a time. The example of each group stays at hand until it was given: whoever
 * judges ways asks for thousands of them, and the server would be asked for each.
 */
#include <stdlib.h>
#include <string.h>

#include "campaign/postgres/pg_known.h"
#include "campaign/postgres/pg_walk.h"
#include "campaign/store_groups.h"
#include "campaign/value.h"
#include "campaign/way.h"

/* Segments that examples are of. */
struct kept_segments {
	struct kept_segments *next;
	struct pg_segment *segments;
};
struct example {
	struct pg_row row; /* its body: body_at */
	size_t body_at;
};

struct pg_grouping {
	struct pg_store *s;
	struct grouping *groups;
	struct store_select select;
	struct kept_segments *kept;
	struct example *examples; /* owned: of each group */
	uint32_t example_room;
	struct buf bodies, scratch;
	store_on_group *on_group;
	void *arg;
};

/* --- what rows stand for ---------------------------------------------------------------------- */

static int read_hops(void *arg, const struct groups_row *row, struct trace **out,
		     struct bp_error *err)
{
	struct pg_grouping *w = arg;

	return pg_row_hops(w->s, row->own, out, err);
}

static int read_path(void *arg, const struct groups_row *row, struct groups_path *out,
		     struct bp_error *err)
{
	struct pg_grouping *w = arg;
	const struct pg_path *p = pg_known_get(w->s, PG_KNOWN_PATH, (int32_t)row->path, NULL);
	struct trace *t = NULL;
	int rc = read_hops(arg, row, &t, err);

	if (rc < 0)
		return rc;
	if (p->reach > REACH_SILENT) {
		free(t);
		return pg_damaged(w->s, "path", row->path, err);
	}
	trace_sort(t);
	*out = (struct groups_path){.slots = (uint32_t)p->slots,
				    .reach = p->reach,
				    .way = way_of(t, w->s->store.way_key, &w->scratch),
				    .failed = p->stop == STOP_ERROR && p->count == 0};
	free(t);
	return w->scratch.failed ? pg_no_memory(err) : 0;
}

static int read_goal(void *arg, int64_t id, struct trace *t, struct bp_error *err)
{
	struct pg_grouping *w = arg;
	size_t n = 0;
	const void *key = pg_known_get(w->s, PG_KNOWN_GOAL, (int32_t)id, &n);

	return key == NULL || value_read_goal(key, (int)n, t) < 0
		       ? pg_damaged(w->s, "goal", id, err)
		       : 0;
}

static int read_settings(void *arg, int64_t id, struct trace *t, struct bp_error *err)
{
	struct pg_grouping *w = arg;
	size_t n = 0;
	const void *key = pg_known_get(w->s, PG_KNOWN_SETTINGS, (int32_t)id, &n);

	return key == NULL || value_read_settings(key, (int)n, t) < 0
		       ? pg_damaged(w->s, "settings", id, err)
		       : 0;
}

static int keep_example(void *arg, uint32_t group, const struct groups_row *row,
			struct bp_error *err)
{
	struct pg_grouping *w = arg;
	size_t at = w->bodies.used;

	if (group >= w->example_room) {
		uint32_t room = w->example_room > 0 ? 2 * w->example_room : 1024;
		struct example *more = NULL;

		if (room > group)
			more = reallocarray(w->examples, room, sizeof(*more));
		if (more == NULL)
			return pg_no_memory(err);
		w->examples = more;
		w->example_room = room;
	}
	buf_append(&w->bodies, row->body, row->body_size);
	w->examples[group] = (struct example){*(const struct pg_row *)row->own, at};
	return w->bodies.failed ? pg_no_memory(err) : 0;
}

static int give(void *arg, uint32_t group, const struct store_group *g, struct bp_error *err)
{
	struct pg_grouping *w = arg;
	struct example *x = &w->examples[group];
	int rc;

	x->row.body = (const uint8_t *)w->bodies.bytes + x->body_at;
	w->s->at_hand = &x->row;
	rc = w->on_group(w->arg, g, err);
	w->s->at_hand = NULL;
	return rc;
}

static const struct groups_source of_server = {.path = read_path,
					       .goal = read_goal,
					       .settings = read_settings,
					       .hops = read_hops,
					       .keep = keep_example,
					       .give = give};

/* --- a vantage point -------------------------------------------------------------------------- */

static void forget(struct pg_grouping *w)
{
	while (w->kept != NULL) {
		struct kept_segments *next = w->kept->next;

		free(w->kept->segments);
		free(w->kept);
		w->kept = next;
	}
	buf_clear(&w->bodies);
	groups_forget(w->groups);
}

/* Takes over the segments of a group: rows point to them. */
static int keep_segments(struct pg_grouping *w, struct pg_group *g, struct bp_error *err)
{
	struct kept_segments *k = g->segments != NULL ? malloc(sizeof(*k)) : NULL;

	if (g->segments == NULL)
		return 0;
	if (k == NULL)
		return pg_no_memory(err);
	*k = (struct kept_segments){w->kept, g->segments};
	w->kept = k;
	g->segments = NULL;
	return 0;
}

static int take_row(struct pg_grouping *w, struct pg_walk *walk, const struct pg_row *r,
		    struct bp_error *err)
{
	const struct groups_row row = {
		.goal = r->goal,
		.settings = r->settings,
		.path = r->path,
		.example = pg_row_example(r),
		.start_us = r->start_us,
		.dated = r->start_us != PG_MINUS_INFINITY,
		.timed = r->timed,
		.body = r->body,
		.body_size = r->body_size,
		.own = r,
	};
	bool wanted;
	int rc = pg_filter_border(w->s, &walk->filter, r->verdict, &wanted, err);

	return rc < 0 || !wanted ? rc : groups_add(w->groups, &row, err);
}

static int take_all(struct pg_grouping *w, struct pg_walk *walk, struct bp_error *err)
{
	struct pg_group *g = &walk->group;
	const struct pg_item *item;
	struct wall at;
	int rc;

	while ((rc = pg_walk_next(walk, &at, err)) == 1) {
		rc = pg_walk_take(walk, &item, err);
		for (unsigned i = rc == 0 ? pg_group_at(g, (int32_t)item->id, 0) : 0;
		     rc == 0 && i < g->row_count && g->rows[i].segment->id == item->id; i++)
			rc = take_row(w, walk, &g->rows[i], err);
		if (rc == 0)
			rc = keep_segments(w, g, err);
		if (rc < 0)
			break;
	}
	return rc;
}

static int group_vantage(void *arg, const char *vantage, struct bp_error *err)
{
	struct pg_grouping *w = arg;
	struct store_select select = w->select;
	struct pg_walk *walk;
	int rc;

	select.vantage = vantage;
	/* What examples point to stays until they were given. */
	pg_known_trim(w->s->known);
	pg_known_hold(w->s->known);
	rc = pg_walk_open(w->s, &select, PG_WANT_JUDGED | PG_WANT_STEADY | PG_WANT_SEGMENTS,
			  &walk, err);
	if (rc == 0) {
		rc = take_all(w, walk, err);
		if (rc == 0)
			rc = groups_give(w->groups, vantage, err);
		pg_walk_close(walk);
	}
	forget(w);
	pg_known_release(w->s->known);
	return rc;
}

/* --- what stands behind store.h --------------------------------------------------------------- */

void pg_grouping_free(struct pg_grouping *w)
{
	if (w == NULL)
		return;
	forget(w);
	groups_free(w->groups);
	buf_fini(&w->bodies);
	buf_fini(&w->scratch);
	free(w->examples);
	free(w);
}

static struct pg_grouping *grouping_of(struct pg_store *s)
{
	struct pg_grouping *w = s->grouping;

	if (w != NULL)
		return w;
	w = calloc(1, sizeof(*w));
	if (w == NULL || groups_new(&of_server, w, &w->groups) < 0) {
		free(w);
		return NULL;
	}
	w->s = s;
	buf_init(&w->bodies);
	buf_init(&w->scratch);
	return s->grouping = w;
}

int pg_groups(struct store *store, const struct store_select *select, store_on_group *on_group,
	      void *arg, struct bp_error *err)
{
	static const struct store_select all;
	struct pg_store *s = pg_of(store);
	struct pg_grouping *w = grouping_of(s);
	const char *name;
	int rc;

	if (w == NULL)
		return pg_no_memory(err);
	w->select = select != NULL ? *select : all;
	w->on_group = on_group;
	w->arg = arg;
	/* One view of the store for all groups and the traces that on_group asks for. */
	rc = pg_view_open(s, err);
	if (rc < 0)
		return rc;
	if (w->select.vantage == NULL)
		rc = pg_vantages(store, group_vantage, w, err);
	else
		rc = pg_vantage_name(s, w->select.vantage, &name, err);
	if (rc == 0 && w->select.vantage != NULL)
		rc = group_vantage(w, name, err);
	pg_view_close(s);
	return rc;
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * Traces that show the same, counted: one pass over the rows of a window, vantage point by vantage
 * point, so that what is looked up for each row is little and near. A group is told by the row
 * numbers that its traces share; hops are read only where the slots of its destination's answers
 * must be known, once a path.
 */
#include <stdlib.h>
#include <string.h>

#include "campaign/body.h"
#include "campaign/sqlite_cache.h"
#include "campaign/sqlite_select.h"

struct group {
	int64_t goal, settings; /* rows */
	uint32_t path_at;       /* in grouping.paths */
	int32_t sport;
	uint32_t count, rtt_count;
	int64_t example, first_us, last_us;
};

struct path_info {
	int64_t id;
	uint64_t way;
	uint32_t slots;
	uint8_t reach;
	bool failed;
	/* Those of the destination's answers, in grouping.slots; for traces of one method, 0 not
	 * known yet, and to one goal where the address of the destination decides (slots_goal). */
	uint8_t slots_method;
	int64_t slots_goal;
	uint32_t slot_at, slot_count;
};
struct rtt {
	uint32_t group;
	int64_t ns;
};

enum { GOALS = 8192, SOURCES = 256 };
struct goal_info {
	int64_t id;
	struct addr dst;
	uint8_t method;
	int32_t flow, dport;
};
struct source_info {
	int64_t id;
	struct addr src;
};

/* A growing array of any of them. */
struct list {
	void *items;
	uint32_t count, room;
};
/* What is in a list, by a hash of it: its number + 1 (0: free), and as much of the hash as tells
 * most others apart without a look at them. */
struct place {
	uint32_t number1, tag;
};
struct places {
	struct place *slots;
	uint32_t size, used;
};

struct grouping {
	struct sqlite_store *s;
	struct list groups, paths, rtts, slots;
	struct places group_places, path_places;
	struct select_filter filter;
	int64_t vantage, base_us;    /* of the segment */
	int (*on_group)(void *arg, const struct store_group *g, struct bp_error *err);
	void *arg;
	struct goal_info *goals;     /* GOALS, by row */
	struct source_info *sources; /* SOURCES */
	struct trace *head;	     /* scratch */
};

static int no_memory(struct bp_error *err)
{
	return bp_fail(err, BP_ENOMEM, "out of memory");
}

static void *list_add(struct list *l, size_t size)
{
	if (l->count == l->room) {
		uint32_t room = l->room ? 2 * l->room : 1024;
		void *more = room > l->room ? realloc(l->items, room * size) : NULL;

		if (more == NULL)
			return NULL;
		l->items = more;
		l->room = room;
	}
	return memset((char *)l->items + size * l->count++, 0, size);
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

/* --- places ----------------------------------------------------------------------------------- */

static uint64_t group_hash(const struct group *g)
{
	uint64_t few = (uint64_t)g->path_at << 32 | (uint32_t)g->sport;

	return mix(mix(mix(1, few), (uint64_t)g->goal), (uint64_t)g->settings);
}

static bool group_same(const struct group *a, const struct group *b)
{
	return a->path_at == b->path_at && a->goal == b->goal && a->sport == b->sport &&
	       a->settings == b->settings;
}

static void places_put(struct places *p, uint64_t hash, uint32_t number)
{
	uint32_t at = (uint32_t)hash & (p->size - 1);

	while (p->slots[at].number1 != 0)
		at = (at + 1) & (p->size - 1);
	p->slots[at] = (struct place){number + 1, (uint32_t)(hash >> 32)};
	p->used++;
}

static int places_grow(struct places *p, uint64_t (*hash)(const struct grouping *, uint32_t),
		       const struct grouping *w)
{
	struct places more = {.size = p->size ? 2 * p->size : 4096};

	if (2 * (uint64_t)p->used < p->size)
		return 0;
	more.slots = more.size > p->size ? calloc(more.size, sizeof(*more.slots)) : NULL;
	if (more.slots == NULL)
		return BP_ENOMEM;
	/* As many as there are in the list. */
	for (uint32_t i = 0; i < p->used; i++)
		places_put(&more, hash(w, i), i);
	free(p->slots);
	*p = more;
	return 0;
}

static void places_clear(struct places *p)
{
	if (p->used > 0)
		memset(p->slots, 0, p->size * sizeof(*p->slots));
	p->used = 0;
}

static uint64_t hash_of_group(const struct grouping *w, uint32_t at)
{
	return group_hash(&((const struct group *)w->groups.items)[at]);
}

static uint64_t hash_of_path(const struct grouping *w, uint32_t at)
{
	return mix(2, (uint64_t)((const struct path_info *)w->paths.items)[at].id);
}

/* --- rows ------------------------------------------------------------------------------------- */

static int load_path(struct grouping *w, int64_t id, struct path_info *out, struct bp_error *err)
{
	const struct cached_path *p;
	int rc = cached_path(w->s, id, &p, err);

	if (rc < 0)
		return rc;
	if (p->reach > REACH_SILENT)
		return cached_damaged(w->s, "path", id, err);
	*out = (struct path_info){.id = id,
				  .slots = p->slots,
				  .reach = p->reach,
				  .way = p->way,
				  .failed = p->stop == STOP_ERROR && p->count == 0};
	return 0;
}

static int find_path(struct grouping *w, int64_t id, uint32_t *out, struct bp_error *err)
{
	struct path_info *paths = w->paths.items, *p, fresh;
	uint64_t hash = mix(2, (uint64_t)id);
	int rc;

	if (places_grow(&w->path_places, hash_of_path, w) < 0)
		return no_memory(err);
	for (uint32_t at = (uint32_t)hash;; at++) {
		struct place *place = &w->path_places.slots[at & (w->path_places.size - 1)];

		if (place->number1 == 0)
			break;
		if (place->tag == hash >> 32 && paths[place->number1 - 1].id == id) {
			*out = place->number1 - 1;
			return 0;
		}
	}
	rc = load_path(w, id, &fresh, err);
	if (rc < 0)
		return rc;
	p = list_add(&w->paths, sizeof(*p));
	if (p == NULL)
		return no_memory(err);
	*p = fresh;
	*out = w->paths.count - 1;
	places_put(&w->path_places, hash, *out);
	return 0;
}

static int find_group(struct grouping *w, const struct group *like, uint32_t *out,
		      struct bp_error *err)
{
	struct group *groups = w->groups.items, *g;
	uint64_t hash = group_hash(like);

	if (places_grow(&w->group_places, hash_of_group, w) < 0)
		return no_memory(err);
	for (uint32_t at = (uint32_t)hash;; at++) {
		struct place *place = &w->group_places.slots[at & (w->group_places.size - 1)];

		if (place->number1 == 0)
			break;
		if (place->tag == hash >> 32 && group_same(&groups[place->number1 - 1], like)) {
			*out = place->number1 - 1;
			return 0;
		}
	}
	g = list_add(&w->groups, sizeof(*g));
	if (g == NULL)
		return no_memory(err);
	*g = *like;
	*out = w->groups.count - 1;
	places_put(&w->group_places, hash, *out);
	return 0;
}

/* Which slots of the path's bodies are answers of the destination that count. The path says who is
 * the destination; but over UDP an IPv6 target may answer from its /64. */
static int find_slots(struct grouping *w, struct path_info *p, int64_t goal, sqlite3_stmt *row,
		      struct bp_error *err)
{
	const uint16_t void_flags = REPLY_LATE | REPLY_DUP | REPLY_FTL | REPLY_CLOCK;
	struct trace *t = NULL;
	int rc = read_hops_row(w->s, row, &t, err);

	if (rc < 0)
		return rc;
	p->slots_method = t->method;
	p->slots_goal = t->method == METHOD_UDP && t->dst.family == 6 ? goal : 0;
	p->slot_at = w->slots.count;
	p->slot_count = 0;
	for (uint32_t i = 0; i < p->slots && rc == 0; i++) {
		const struct trace_entry *e = &t->entries[i];
		uint32_t *slot;

		if ((e->reply.flags & void_flags) != 0 || !trace_entry_is_destination(t, e))
			continue;
		slot = list_add(&w->slots, sizeof(*slot));
		if (slot == NULL) {
			rc = no_memory(err);
			break;
		}
		*slot = i;
		p->slot_count++;
	}
	free(t);
	return rc;
}

static int take_rtts(struct grouping *w, uint32_t group, const struct path_info *p,
		     const uint8_t *body, size_t n, struct bp_error *err)
{
	struct group *g = &((struct group *)w->groups.items)[group];
	const uint32_t *slots = w->slots.items;

	for (uint32_t i = 0; i < p->slot_count; i++) {
		int64_t ns = body_rtt(body, n, slots[p->slot_at + i]);
		struct rtt *r;

		if (ns < 0)
			continue;
		r = list_add(&w->rtts, sizeof(*r));
		if (r == NULL)
			return no_memory(err);
		*r = (struct rtt){group, ns};
		g->rtt_count++;
	}
	return 0;
}

/* What a goal says, and a settings' source: few of both. Borrowed until the next call. */
static int find_goal(struct grouping *w, int64_t id, const struct goal_info **out,
		     struct bp_error *err)
{
	struct goal_info *g = &w->goals[(uint64_t)id % GOALS];
	const void *bytes;
	int n, rc;

	if (g->id != id) {
		rc = cached_blob(w->s, CACHED_GOAL, id, &bytes, &n, err);
		if (rc == 0 && value_read_goal(bytes, n, w->head) < 0)
			rc = cached_damaged(w->s, "goal", id, err);
		if (rc < 0)
			return rc;
		*g = (struct goal_info){id, w->head->dst, w->head->method, w->head->flow,
					w->head->dport};
	}
	*out = g;
	return 0;
}

static int find_source(struct grouping *w, int64_t id, struct addr *out, struct bp_error *err)
{
	struct source_info *s = &w->sources[(uint64_t)id % SOURCES];
	const void *bytes;
	int n, rc;

	if (s->id != id) {
		rc = cached_blob(w->s, CACHED_SETTINGS, id, &bytes, &n, err);
		if (rc == 0 && value_read_settings(bytes, n, w->head) < 0)
			rc = cached_damaged(w->s, "settings", id, err);
		if (rc < 0)
			return rc;
		*s = (struct source_info){id, w->head->src};
	}
	*out = s->src;
	return 0;
}

static int take_row(struct grouping *w, sqlite3_stmt *st, struct bp_error *err)
{
	const uint8_t *body = sqlite3_column_blob(st, 12);
	size_t n = (size_t)sqlite3_column_bytes(st, 12);
	int64_t start = w->base_us + sqlite3_column_int64(st, 2);
	bool known = sqlite3_column_type(st, 2) != SQLITE_NULL;
	struct group like = {.goal = sqlite3_column_int64(st, 6),
			     .settings = sqlite3_column_int64(st, 7)};
	const struct goal_info *goal;
	struct path_info *path;
	struct group *g;
	uint32_t at = 0;
	int rc = find_path(w, sqlite3_column_int64(st, 8), &like.path_at, err);

	if (rc < 0)
		return rc;
	path = &((struct path_info *)w->paths.items)[like.path_at];
	if (path->failed)
		return 0;
	like.sport = body_sport(body, n, path->slots);
	rc = find_group(w, &like, &at, err);
	if (rc < 0)
		return rc;
	g = &((struct group *)w->groups.items)[at];
	if (g->count == 0 || (known && (g->first_us == 0 || start < g->first_us)))
		g->example = sqlite3_column_int64(st, 0);
	if (known && (g->first_us == 0 || start < g->first_us))
		g->first_us = start;
	if (known && start > g->last_us)
		g->last_us = start;
	g->count++;
	/* Without a least one there is none. */
	if (sqlite3_column_type(st, 13) == SQLITE_NULL)
		return 0;
	rc = find_goal(w, like.goal, &goal, err);
	if (rc == 0 && (path->slots_method != goal->method || goal->method == METHOD_UNKNOWN ||
			(path->slots_goal != 0 && path->slots_goal != like.goal)))
		rc = find_slots(w, path, like.goal, st, err);
	return rc < 0 ? rc : take_rtts(w, at, path, body, n, err);
}

static int take_segment(struct grouping *w, sqlite3_stmt *rows, int64_t id, int64_t first,
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

static int give(struct grouping *w, const struct group *g, const int64_t *rtts,
		struct bp_error *err)
{
	const struct path_info *path = &((const struct path_info *)w->paths.items)[g->path_at];
	struct store_group out = {.way = path->way,
				  .path = g->path_at,
				  .reach = path->reach,
				  .sport = g->sport,
				  .example = g->example,
				  .count = g->count,
				  .first = {g->first_us * NS_PER_US},
				  .last = {g->last_us * NS_PER_US},
				  .rtt_ns = rtts,
				  .rtt_count = g->rtt_count};
	const struct goal_info *goal;
	int rc = find_goal(w, g->goal, &goal, err);

	if (rc == 0)
		rc = find_source(w, g->settings, &out.src, err);
	if (rc == 0)
		rc = vantage_name(w->s, w->vantage, &out.vantage, err);
	if (rc < 0)
		return rc;
	out.dst = goal->dst;
	out.method = goal->method;
	out.flow = goal->flow;
	out.dport = goal->dport;
	return w->on_group(w->arg, &out, err);
}

static void forget_all(struct grouping *w)
{
	w->groups.count = w->rtts.count = w->paths.count = w->slots.count = 0;
	places_clear(&w->group_places);
	places_clear(&w->path_places);
}

/* All that there are; then there are none. */
static int give_all(struct grouping *w, struct bp_error *err)
{
	const struct group *groups = w->groups.items;
	const struct rtt *rtts = w->rtts.items;
	int64_t *sorted = malloc((w->rtts.count + 1) * sizeof(*sorted));
	uint32_t *ends = calloc(w->groups.count + 1, sizeof(*ends));
	int rc = sorted == NULL || ends == NULL ? no_memory(err) : 0;

	for (uint32_t i = 0; rc == 0 && i < w->groups.count; i++)
		ends[i + 1] = ends[i] + groups[i].rtt_count;
	/* ends[i] is where group i is filled next; afterwards, where it ends. */
	for (uint32_t i = 0; rc == 0 && i < w->rtts.count; i++)
		sorted[ends[rtts[i].group]++] = rtts[i].ns;
	for (uint32_t i = 0; rc == 0 && i < w->groups.count; i++)
		rc = give(w, &groups[i], sorted + ends[i] - groups[i].rtt_count, err);
	free(sorted);
	free(ends);
	forget_all(w);
	return rc;
}

static int take_all(struct grouping *w, const struct store_select *select, struct bp_error *err)
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

void grouping_free(struct grouping *w)
{
	if (w == NULL)
		return;
	free(w->groups.items);
	free(w->paths.items);
	free(w->rtts.items);
	free(w->slots.items);
	free(w->group_places.slots);
	free(w->path_places.slots);
	free(w->goals);
	free(w->sources);
	free(w->head);
	free(w);
}

/* Who asks for one vantage point after the other finds what he needed for the last one. */
static struct grouping *grouping_of(struct sqlite_store *s)
{
	struct grouping *w = s->grouping;

	if (w == NULL) {
		w = calloc(1, sizeof(*w));
		if (w == NULL)
			return NULL;
		w->goals = calloc(GOALS, sizeof(*w->goals));
		w->sources = calloc(SOURCES, sizeof(*w->sources));
		w->head = trace_new(0);
		if (w->goals == NULL || w->sources == NULL || w->head == NULL) {
			grouping_free(w);
			return NULL;
		}
		s->grouping = w;
	}
	w->s = s;
	w->vantage = 0;
	forget_all(w);
	return w;
}

int sqlite_groups(struct sqlite_store *s, const struct store_select *select,
		  int (*on_group)(void *arg, const struct store_group *g, struct bp_error *err),
		  void *arg, struct bp_error *err)
{
	static const struct store_select all;
	struct grouping *w = grouping_of(s);
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

// SPDX-License-Identifier: BSD-2-Clause
/*
 * Traces that show the same, counted: one pass over the rows of a window, vantage point by vantage
 * point, so that what is looked up for each row is little and near. Hops are read only where the
 * slots of its destination's answers must be known, once a path.
 */
#include "campaign/store_groups.h"

#include <stdlib.h>
#include <string.h>

#include "campaign/body.h"

struct group {
	int64_t goal, settings; /* rows */
	uint32_t path_at;       /* in grouping.paths */
	int32_t sport;
	uint32_t count, rtt_count;
	int64_t example, first_us, last_us;
};

struct path_info {
	int64_t id;
	struct groups_path path;
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
	const struct groups_source *source;
	void *arg;
	struct list groups, paths, rtts, slots;
	struct places group_places, path_places;
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

static int find_path(struct grouping *w, const struct groups_row *row, uint32_t *out,
		     struct bp_error *err)
{
	int64_t id = row->path;
	struct path_info *paths = w->paths.items, *p, fresh = {.id = id};
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
	rc = w->source->path(w->arg, row, &fresh.path, err);
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
static int find_slots(struct grouping *w, struct path_info *p, const struct groups_row *row,
		      struct bp_error *err)
{
	const uint16_t void_flags = REPLY_LATE | REPLY_DUP | REPLY_FTL | REPLY_CLOCK;
	struct trace *t = NULL;
	int rc = w->source->hops(w->arg, row, &t, err);

	if (rc < 0)
		return rc;
	p->slots_method = t->method;
	p->slots_goal = t->method == METHOD_UDP && t->dst.family == 6 ? row->goal : 0;
	p->slot_at = w->slots.count;
	p->slot_count = 0;
	for (uint32_t i = 0; i < p->path.slots && i < t->entry_count && rc == 0; i++) {
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
		     const struct groups_row *row, struct bp_error *err)
{
	struct group *g = &((struct group *)w->groups.items)[group];
	const uint32_t *slots = w->slots.items;

	for (uint32_t i = 0; i < p->slot_count; i++) {
		int64_t ns = body_rtt(row->body, row->body_size, slots[p->slot_at + i]);
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
	int rc;

	if (g->id != id) {
		rc = w->source->goal(w->arg, id, w->head, err);
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
	int rc;

	if (s->id != id) {
		rc = w->source->settings(w->arg, id, w->head, err);
		if (rc < 0)
			return rc;
		*s = (struct source_info){id, w->head->src};
	}
	*out = s->src;
	return 0;
}

static int count_row(struct grouping *w, uint32_t at, const struct groups_row *row,
		     struct bp_error *err)
{
	struct group *g = &((struct group *)w->groups.items)[at];
	int64_t start = row->start_us;
	bool first = row->dated && (g->first_us == 0 || start < g->first_us);
	int rc = 0;

	if ((g->count == 0 || first) && w->source->keep != NULL)
		rc = w->source->keep(w->arg, at, row, err);
	if (g->count == 0 || first)
		g->example = row->example;
	if (first)
		g->first_us = start;
	if (row->dated && start > g->last_us)
		g->last_us = start;
	g->count++;
	return rc;
}

int groups_add(struct grouping *w, const struct groups_row *row, struct bp_error *err)
{
	struct group like = {.goal = row->goal, .settings = row->settings};
	const struct goal_info *goal;
	struct path_info *path;
	uint32_t at = 0;
	int rc = find_path(w, row, &like.path_at, err);

	if (rc < 0)
		return rc;
	path = &((struct path_info *)w->paths.items)[like.path_at];
	if (path->path.failed)
		return 0;
	like.sport = body_sport(row->body, row->body_size, path->path.slots);
	rc = find_group(w, &like, &at, err);
	if (rc == 0)
		rc = count_row(w, at, row, err);
	if (rc < 0 || !row->timed)
		return rc;
	rc = find_goal(w, like.goal, &goal, err);
	if (rc == 0 && (path->slots_method != goal->method || goal->method == METHOD_UNKNOWN ||
			(path->slots_goal != 0 && path->slots_goal != like.goal)))
		rc = find_slots(w, path, row, err);
	return rc < 0 ? rc : take_rtts(w, at, path, row, err);
}

/* --- groups ----------------------------------------------------------------------------------- */

static int give(struct grouping *w, const char *vantage, uint32_t number, const int64_t *rtts,
		struct bp_error *err)
{
	const struct group *g = &((const struct group *)w->groups.items)[number];
	const struct path_info *path = &((const struct path_info *)w->paths.items)[g->path_at];
	struct store_group out = {.vantage = vantage,
				  .way = path->path.way,
				  .path = g->path_at,
				  .reach = path->path.reach,
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
	if (rc < 0)
		return rc;
	out.dst = goal->dst;
	out.method = goal->method;
	out.flow = goal->flow;
	out.dport = goal->dport;
	return w->source->give(w->arg, number, &out, err);
}

void groups_forget(struct grouping *w)
{
	w->groups.count = w->rtts.count = w->paths.count = w->slots.count = 0;
	places_clear(&w->group_places);
	places_clear(&w->path_places);
}

int groups_give(struct grouping *w, const char *vantage, struct bp_error *err)
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
		rc = give(w, vantage, i, sorted + ends[i] - groups[i].rtt_count, err);
	free(sorted);
	free(ends);
	groups_forget(w);
	return rc;
}

void groups_free(struct grouping *w)
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

int groups_new(const struct groups_source *source, void *arg, struct grouping **out)
{
	struct grouping *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return BP_ENOMEM;
	w->source = source;
	w->arg = arg;
	w->goals = calloc(GOALS, sizeof(*w->goals));
	w->sources = calloc(SOURCES, sizeof(*w->sources));
	w->head = trace_new(0);
	if (w->goals == NULL || w->sources == NULL || w->head == NULL) {
		groups_free(w);
		return BP_ENOMEM;
	}
	*out = w;
	return 0;
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * One set behind another: what both know has two numbers, and gets one. Numbers are given in the
 * order in which the second set met things, so the sum is the set that would have been filled with
 * one after the other.
 */
#include <stdlib.h>
#include <string.h>

#include "analysis/diff_set.h"
#include "core/err.h"

/* The new number of each old one. */
struct merging {
	struct diff_set *into;
	const struct diff_set *from;
	uint32_t *vantages, *texts, *sources, *places, *ways, *verdicts, *sights;
};

static int map_new(const struct intern *from, uint32_t **map)
{
	*map = calloc(from->count + 1, sizeof(**map));
	return *map != NULL ? 0 : BP_ENOMEM;
}

/* Values that say the same in both. */
static int map_values(struct intern *into, const struct intern *from, uint32_t **map)
{
	int rc = map_new(from, map);

	for (uint32_t i = 0; rc == 0 && i < from->count; i++)
		rc = diff_intern_put(into, diff_intern_get(from, i), from->items[i].size,
				     *map + i);
	return rc;
}

static int map_places(struct merging *m)
{
	int rc = map_new(&m->from->places, &m->places);

	for (uint32_t i = 0; rc == 0 && i < m->from->places.count; i++) {
		const struct set_place *old = diff_intern_get(&m->from->places, i);
		struct set_place x = *old;

		x.vantage = m->vantages[old->vantage];
		rc = diff_set_place(m->into, &x, &m->places[i]);
	}
	return rc;
}

static int map_sights(struct merging *m)
{
	int rc = map_new(&m->from->sights, &m->sights);

	for (uint32_t i = 0; rc == 0 && i < m->from->sights.count; i++) {
		const struct set_sight *old = diff_intern_get(&m->from->sights, i);
		struct set_sight x = {m->ways[old->way], m->verdicts[old->verdict]};

		rc = diff_intern_put(&m->into->sights, &x, sizeof(x), &m->sights[i]);
	}
	return rc;
}

static int merge_items(struct merging *m)
{
	struct diff_set *s = m->into;
	const struct diff_set *from = m->from;
	int rc = diff_set_room(s, from->count, from->rtt_count);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < from->count; i++) {
		struct set_item *x = &s->items[s->count++];

		*x = from->items[i];
		x->place = m->places[x->place];
		x->src = m->sources[x->src];
		x->round = m->texts[x->round];
		x->id = m->texts[x->id];
		x->sight = m->sights[x->sight];
		x->rtt_at += s->rtt_count;
	}
	if (from->rtt_count > 0)
		memcpy(&s->rtts[s->rtt_count], from->rtts, from->rtt_count * sizeof(*s->rtts));
	s->rtt_count += from->rtt_count;
	return 0;
}

/* The reason is that of the first that is missing, else of the first in part. */
static void add_rounds(struct diff_rounds *into, const struct diff_rounds *from)
{
	if (from->missed > 0 ? into->missed == 0 :
	    from->partial > 0 && into->missed == 0 && into->partial == 0)
		into->why = from->why;
	/* Moments of both are not told apart: of two that overlap the fuller one stands. */
	if (into->slots == 0 || (from->first.ns <= into->last.ns && from->slots > into->slots)) {
		into->slots = from->slots;
		into->first = from->first;
		into->last = from->last;
	} else if (from->first.ns > into->last.ns) {
		into->slots += from->slots;
		into->last = from->last;
	}
	into->rounds += from->rounds;
	into->missed += from->missed;
	into->partial += from->partial;
}

static int merge_rounds(struct merging *m)
{
	for (unsigned i = 0; i < m->from->rounds_count; i++) {
		const struct set_rounds *old = &m->from->rounds[i];
		struct set_rounds *x = diff_set_rounds(m->into, m->vantages[old->vantage]);

		if (x == NULL)
			return BP_ENOMEM;
		for (unsigned side = 0; side < 2; side++)
			add_rounds(&x->sides[side], &old->sides[side]);
	}
	return 0;
}

int diff_set_merge(struct diff_set *into, const struct diff_set *from)
{
	struct merging m = {.into = into, .from = from};
	uint32_t *left_out = NULL;
	int rc = map_values(&into->vantages, &from->vantages, &m.vantages);

	if (rc == 0)
		rc = map_values(&into->texts, &from->texts, &m.texts);
	if (rc == 0)
		rc = map_values(&into->sources, &from->sources, &m.sources);
	if (rc == 0)
		rc = map_values(&into->ways, &from->ways, &m.ways);
	if (rc == 0)
		rc = map_values(&into->verdicts, &from->verdicts, &m.verdicts);
	if (rc == 0)
		rc = map_values(&into->left_out, &from->left_out, &left_out);
	if (rc == 0)
		rc = map_places(&m);
	if (rc == 0)
		rc = map_sights(&m);
	if (rc == 0)
		rc = merge_items(&m);
	if (rc == 0)
		rc = merge_rounds(&m);
	free(m.vantages);
	free(m.texts);
	free(m.sources);
	free(m.places);
	free(m.ways);
	free(m.verdicts);
	free(m.sights);
	free(left_out);
	return rc;
}

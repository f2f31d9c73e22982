// SPDX-License-Identifier: BSD-2-Clause
/*
 * The two sets while they are filled, and in order: internal to the diff. What shows the same is
 * one item, whatever it came as, and the order is that of what is in it: so nothing depends on who
 * came first.
 */
#ifndef ANALYSIS_DIFF_SET_H
#define ANALYSIS_DIFF_SET_H

#include "analysis/diff.h"
#include "analysis/diff_intern.h"
#include "analysis/diff_sight.h"

/* There may be millions of them. */
struct set_item {
	uint32_t place, src;      /* of set.places, set.sources */
	uint32_t round, id;       /* of set.texts */
	uint32_t sight;
	int32_t flow, sport, dport;
	uint32_t count;
	uint32_t rtt_count;
	uint64_t rtt_at;          /* in set.rtts */
	int64_t example;
	struct wall first, last;
	uint8_t reach, side;
};

/* One target by one method, seen from one vantage point. */
struct set_place { uint32_t vantage; struct addr dst; uint8_t method, unused[2]; };
_Static_assert(sizeof(struct set_place) == sizeof(uint32_t) + sizeof(struct addr) + 3,
	       "no padding");

struct set_sight { uint32_t way, verdict; };

/* The rounds of a vantage point on one side. */
struct set_rounds { uint32_t vantage; struct diff_rounds sides[2]; };

struct diff_set {
	const struct profile *profile;
	struct intern vantages, texts; /* names; ids of rounds and traces, 0 the empty one */
	uint32_t last_vantage, last_source; /* of the item before: mostly the same */
	struct intern sources;         /* struct addr */
	struct intern places;          /* struct set_place */
	struct prefix *prefixes;       /* of each place: judge prefix; outside the network the
					* address alone */
	size_t prefix_room;
	struct intern ways, verdicts, sights; /* the last: of struct set_sight */
	struct set_item *items;
	size_t count, room;
	int64_t *rtts;
	size_t rtt_count, rtt_room;
	struct set_rounds *rounds;   /* one a vantage point */
	unsigned rounds_count, rounds_room;
	struct intern left_out;      /* ids of closer looks, and of rounds whose vantage point was
				      * offline */
	int64_t *scratch;            /* of diff_set_trace */
	uint32_t scratch_room;
	/* by diff_set_settle */
	uint32_t *order;             /* of the items: their places in items */
	size_t order_count;          /* what was made one is there once */
	uint32_t *place_rank;        /* by vantage, prefix, method, target */
	uint32_t *place_key;         /* equal for those of one vantage, prefix and method */
	uint32_t *vantage_rank, *way_rank, *verdict_rank;
};

static inline const char *set_vantage(const struct diff_set *s, uint32_t number)
{
	return diff_intern_get(&s->vantages, number);
}
static inline const char *set_text(const struct diff_set *s, uint32_t number)
{
	return diff_intern_get(&s->texts, number);
}
/* Number i of a settled set, in its order. */
static inline const struct set_item *set_item(const struct diff_set *s, size_t i)
{
	return &s->items[s->order[i]];
}
static inline const struct set_place *set_place(const struct diff_set *s,
						const struct set_item *i)
{
	return diff_intern_get(&s->places, i->place);
}
static inline const struct way *set_way(const struct diff_set *s, const struct set_item *i)
{
	const struct set_sight *x = diff_intern_get(&s->sights, i->sight);

	return diff_intern_get(&s->ways, x->way);
}
static inline const struct sight_verdict *set_verdict(const struct diff_set *s,
						      const struct set_item *i)
{
	const struct set_sight *x = diff_intern_get(&s->sights, i->sight);

	return diff_intern_get(&s->verdicts, x->verdict);
}

/* Leaves out what an offline vantage point measured, and closer looks; sorts by vantage, prefix,
 * method, target, side, then by what the items show, and makes one of those that show the same:
 * first start and id of the earliest (of equal starts the lower id, then example), all their
 * delays. BP_ENOMEM. */
int diff_set_settle(struct diff_set *s);
/* Of one vantage point, prefix and method; and of one target there. */
static inline bool set_same_key(const struct diff_set *s, const struct set_item *a,
				const struct set_item *b)
{
	return s->place_key[a->place] == s->place_key[b->place];
}
static inline bool set_same_target(const struct set_item *a, const struct set_item *b)
{
	return a->place == b->place;
}
/* Flow and ports: by them the items of one target and side are sorted. */
static inline int set_compare_flow(const struct set_item *a, const struct set_item *b)
{
	if (a->flow != b->flow)
		return a->flow < b->flow ? -1 : 1;
	if (a->sport != b->sport)
		return a->sport < b->sport ? -1 : 1;
	return (a->dport > b->dport) - (a->dport < b->dport);
}

#endif

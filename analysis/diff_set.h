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

struct set_item {
	uint64_t order;           /* of vantage, prefix, method, target and side; when settled */
	struct prefix prefix;     /* judge prefix; outside the network the address alone */
	struct addr src, dst;
	uint8_t method, reach, side;
	int32_t flow, sport, dport;
	uint32_t vantage, round, id; /* of set.vantages; of set.texts */
	uint32_t sight;
	uint32_t count;
	uint32_t rtt_count;
	uint64_t rtt_at;          /* in set.rtts */
	int64_t example;
	struct wall first, last;
};

struct set_sight { uint32_t way, verdict; };

/* The rounds of a vantage point on one side. */
struct set_rounds { uint32_t vantage; struct diff_rounds sides[2]; };

struct diff_set {
	const struct profile *profile;
	struct intern vantages, texts; /* names; ids of rounds and traces, 0 the empty one */
	uint32_t last_vantage;         /* of the item before: mostly the same */
	struct intern ways, verdicts, sights; /* the last: of struct set_sight */
	struct set_item *items;
	size_t count, room;
	int64_t *rtts;
	size_t rtt_count, rtt_room;
	struct set_rounds *rounds;   /* one a vantage point */
	unsigned rounds_count, rounds_room;
	struct intern offline;       /* ids of rounds whose vantage point was offline */
	int64_t *scratch;            /* of diff_set_trace */
	uint32_t scratch_room;
	/* by diff_set_settle */
	struct intern targets;       /* struct set_target */
	uint32_t *target_rank, *vantage_rank, *way_rank, *verdict_rank;
};

static inline const char *set_vantage(const struct diff_set *s, uint32_t number)
{
	return diff_intern_get(&s->vantages, number);
}
static inline const char *set_text(const struct diff_set *s, uint32_t number)
{
	return diff_intern_get(&s->texts, number);
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

/* Leaves out what an offline vantage point measured, sorts by vantage, prefix, method, target,
 * side, then by what the items show, and makes one of those that show the same: first start and id
 * of the earliest (of equal starts the lower id, then example), all their delays. BP_ENOMEM. */
int diff_set_settle(struct diff_set *s);
/* Of one vantage point, prefix and method; and of one target there. */
bool set_same_key(const struct set_item *a, const struct set_item *b);
bool set_same_target(const struct set_item *a, const struct set_item *b);
/* The same flow on both sides: what differs is not another way by load balancing. */
bool set_same_flow(const struct set_item *a, const struct set_item *b);

#endif

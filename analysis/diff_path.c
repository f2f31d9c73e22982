// SPDX-License-Identifier: BSD-2-Clause
/*
 * Sets of paths compared. Owns the meaning of "explained". Traces that show one way are compared
 * once and counted as many: the cost is that of the different ways of a row, not of its traces.
 */
#include "analysis/diff_path.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/diff_stats.h"
#include "core/err.h"

enum { TTLS_TO_DIFFER = 2 };
static const double CHANCE = .05;

/* One way of a side. */
struct view {
	const struct way *way;
	const struct set_item *first; /* the first item that shows it */
	unsigned traces;              /* that show it */
	uint8_t at[WAY_TTLS];         /* index of the TTL's hop in the way, + 1; 0: it has none */
	/* Of an after view: what as_known said of it. */
	bool asked, known;
	uint8_t known_ttl;
};

static const struct way_hop *hop_at(const struct view *v, unsigned ttl)
{
	return v->at[ttl] != 0 ? &v->way->hops[v->at[ttl] - 1] : NULL;
}

static uint32_t asn_at(const struct view *v, unsigned ttl)
{
	const struct way_hop *h = hop_at(v, ttl);

	return h != NULL ? h->asn : 0;
}

/* Silent, or public and in no table: may be anybody. Behind its end a way that was not at its
 * destination is silent for ever. */
static bool hidden_at(const struct view *v, unsigned ttl)
{
	const struct way_hop *h = hop_at(v, ttl);

	if (h != NULL && h->count > 0)
		return h->hidden;
	return !v->way->reached || ttl < v->way->last;
}

/* --- networks --------------------------------------------------------------------------------- */

/* Every hop of a has its network in b at about the same TTL, or b is hidden there; one hidden hop
 * explains one. Returns the first TTL that is not explained, 0 when all are. */
static uint8_t as_unexplained(const struct view *a, const struct view *b)
{
	unsigned used = 0;

	for (unsigned i = 0; i < a->way->hop_count; i++) {
		unsigned ttl = a->way->hops[i].ttl;
		uint32_t asn = a->way->hops[i].asn;
		bool found = false;

		if (asn == 0 || ttl >= WAY_TTLS - 1)
			continue;
		for (unsigned t = ttl - 1; t <= ttl + 1 && !found; t++)
			found = asn_at(b, t) == asn;
		for (unsigned t = ttl > 1 ? ttl - 1 : 1; t <= ttl + 1 && !found; t++) {
			if (hidden_at(b, t) && t > used) {
				found = true;
				used = t;
			}
		}
		if (!found)
			return (uint8_t)ttl;
	}
	return 0;
}

static bool as_same(const struct view *a, const struct view *b, uint8_t *ttl)
{
	const struct way *x = a->way, *y = b->way;
	uint8_t from_a, from_b;

	if (x->as_count == y->as_count &&
	    memcmp(way_as_path(x), way_as_path(y), x->as_count * sizeof(uint32_t)) == 0)
		return true;
	from_a = as_unexplained(a, b);
	from_b = as_unexplained(b, a);
	if (from_a == 0 && from_b == 0)
		return true;
	*ttl = from_a == 0 ? from_b : from_b == 0 || from_a < from_b ? from_a : from_b;
	return false;
}

/* --- hops ------------------------------------------------------------------------------------- */

/* All addresses of a side, TTL by TTL, and how many of its traces showed each. */
struct seen { uint8_t ttl; struct addr addr; unsigned traces; };
struct seen_set { struct seen *items; unsigned count; unsigned answered[WAY_TTLS]; };

static int by_ttl_addr(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	return x->ttl != y->ttl ? x->ttl - y->ttl : addr_compare(x->addr, y->addr);
}

struct sight_side {
	struct view *views; /* in the order of their ways */
	unsigned count;
	unsigned traces;    /* of all views */
	struct seen_set seen;
	const struct set_item *const *items;
	unsigned item_count;
};

static int seen_fill(struct sight_side *side)
{
	struct seen_set *s = &side->seen;
	unsigned total = 0, kept = 0;

	for (unsigned i = 0; i < side->count; i++) {
		for (unsigned k = 0; k < side->views[i].way->hop_count; k++)
			total += side->views[i].way->hops[k].count;
	}
	s->items = calloc(total + 1, sizeof(*s->items));
	if (s->items == NULL)
		return BP_ENOMEM;
	for (unsigned i = 0; i < side->count; i++) {
		const struct view *v = &side->views[i];

		for (unsigned k = 0; k < v->way->hop_count; k++) {
			const struct way_hop *h = &v->way->hops[k];
			const struct addr *addrs = way_addrs(v->way, h);

			s->answered[h->ttl] += h->count > 0 ? v->traces : 0;
			for (unsigned n = 0; n < h->count; n++)
				s->items[s->count++] =
					(struct seen){h->ttl, addrs[n], v->traces};
		}
	}
	qsort(s->items, s->count, sizeof(*s->items), by_ttl_addr);
	for (unsigned i = 0; i < s->count; i++) {
		if (kept > 0 && by_ttl_addr(&s->items[kept - 1], &s->items[i]) == 0)
			s->items[kept - 1].traces += s->items[i].traces;
		else
			s->items[kept++] = s->items[i];
	}
	s->count = kept;
	return 0;
}

static unsigned seen_traces(const struct seen_set *s, unsigned ttl, struct addr a)
{
	struct seen key = {(uint8_t)ttl, a, 0};
	const struct seen *x = bsearch(&key, s->items, s->count, sizeof(key), by_ttl_addr);

	return x != NULL ? x->traces : 0;
}

/* TTLs at which v shows only addresses that the set does not have while others answer there. own:
 * the set contains a trace that showed v. *first: the first such TTL. */
static unsigned hops_novel(const struct view *v, const struct seen_set *s, bool own,
			   uint8_t *first)
{
	unsigned novel = 0;

	for (unsigned i = 0; i < v->way->hop_count; i++) {
		const struct way_hop *h = &v->way->hops[i];
		const struct addr *addrs = way_addrs(v->way, h);
		bool known = false;

		if (h->count == 0 || s->answered[h->ttl] <= own)
			continue;
		for (unsigned k = 0; k < h->count && !known; k++)
			known = seen_traces(s, h->ttl, addrs[k]) > own;
		if (known)
			continue;
		if (novel++ == 0)
			*first = h->ttl;
	}
	return novel;
}

/* --- sets ------------------------------------------------------------------------------------- */

struct sides { const struct diff_set *set; struct sight_side before, after; };

/* Whether one other trace of the set goes through the same networks. own: v is of that set. */
static bool as_known(const struct view *v, const struct sight_side *set, bool own, uint8_t *ttl)
{
	uint8_t first = 0;

	for (unsigned i = 0; i < set->count; i++) {
		if (own && &set->views[i] == v && v->traces == 1)
			continue;
		if (as_same(v, &set->views[i], ttl))
			return true;
		first = *ttl > first ? *ttl : first;
	}
	*ttl = first;
	return false;
}

/* The same of a view after against the set before, asked once. */
static bool after_known(struct view *v, const struct sight_side *before, uint8_t *ttl)
{
	if (!v->asked) {
		v->asked = true;
		v->known_ttl = *ttl;
		v->known = as_known(v, before, false, &v->known_ttl);
	}
	*ttl = v->known_ttl;
	return v->known;
}

static void shown_by(struct diff_path *out, const struct set_item *before,
		     const struct set_item *after, enum diff_level level, uint8_t ttl)
{
	out->level = level;
	out->ttl = ttl;
	out->before = before;
	out->after = after;
}

/* TTLs at which one flow shows one router before and another after, neither of which the other side
 * knows. Where one flow shows several routers, something on the way does not keep flows together:
 * that TTL says nothing. */
static unsigned hops_differ(const struct view *b, const struct view *a, const struct sides *s,
			    uint8_t *first)
{
	unsigned differ = 0;

	for (unsigned i = 0; b->way != a->way && i < b->way->hop_count; i++) {
		const struct way_hop *x = &b->way->hops[i], *y = hop_at(a, x->ttl);
		struct addr from, to;

		if (x->count != 1 || y == NULL || y->count != 1)
			continue;
		from = *way_addrs(b->way, x);
		to = *way_addrs(a->way, y);
		if (addr_equal(from, to) || seen_traces(&s->after.seen, x->ttl, from) > 0 ||
		    seen_traces(&s->before.seen, x->ttl, to) > 0)
			continue;
		if (differ++ == 0)
			*first = x->ttl;
	}
	return differ;
}

/* The view of an item's way; NULL when that was not chosen. Views are in the order of ranks. */
static struct view *view_of(const struct sides *s, const struct sight_side *side,
			    const struct set_item *item)
{
	const struct way *way = set_way(s->set, item);
	const struct set_sight *x = diff_intern_get(&s->set->sights, item->sight);
	uint32_t rank = s->set->way_rank[x->way];
	unsigned low = 0, high = side->count;

	while (low < high) {
		unsigned middle = (low + high) / 2;
		const struct set_sight *m =
			diff_intern_get(&s->set->sights, side->views[middle].first->sight);

		if (side->views[middle].way == way)
			return &side->views[middle];
		if (s->set->way_rank[m->way] < rank)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* One flow, before and after. Returns true when nothing can be found that says more. */
static bool compare_flow(const struct sides *s, const struct set_item *x, const struct set_item *y,
			 bool *compared, struct diff_path *out)
{
	struct view *b = view_of(s, &s->before, x), *a = view_of(s, &s->after, y);
	uint8_t ttl = 0;

	if (b == NULL || a == NULL)
		return false;
	*compared = true;
	if (!after_known(a, &s->before, &ttl)) {
		as_same(b, a, &ttl);
		shown_by(out, x, y, DIFF_LEVEL_AS, ttl);
		out->change = DIFF_CHANGED;
		return true;
	}
	if (out->change != DIFF_CHANGED && hops_differ(b, a, s, &ttl) >= TTLS_TO_DIFFER) {
		shown_by(out, x, y, DIFF_LEVEL_HOP, ttl);
		out->change = DIFF_CHANGED;
	}
	return false;
}

/* A flow that is not known cannot be the same. */
static bool same_flow(const struct set_item *x, const struct set_item *y)
{
	return (x->flow >= 0 || x->sport >= 0) && x->src == y->src && set_compare_flow(x, y) == 0;
}

/* The same flows on both sides: what differs beyond silence has changed. Items of both sides are in
 * the order of their targets, then flows. */
static bool compare_flows(const struct sides *s, struct diff_path *out)
{
	const struct sight_side *before = &s->before, *after = &s->after;
	const uint32_t *rank = s->set->place_rank;
	bool compared = false;
	unsigned k = 0;

	for (unsigned i = 0; i < after->item_count; i++) {
		const struct set_item *y = after->items[i];

		while (k < before->item_count &&
		       (rank[before->items[k]->place] < rank[y->place] ||
			(before->items[k]->place == y->place &&
			 set_compare_flow(before->items[k], y) < 0)))
			k++;
		for (unsigned n = k; n < before->item_count; n++) {
			const struct set_item *x = before->items[n];

			if (x->place != y->place || set_compare_flow(x, y) != 0)
				break;
			if (same_flow(x, y) && compare_flow(s, x, y, &compared, out))
				return true;
		}
	}
	return compared;
}

/* No flow is on both sides: count what is new after, and what is new before within before. */
static void compare_sets(const struct sides *s, enum diff_level level, struct diff_path *out)
{
	const struct sight_side *before = &s->before, *after = &s->after;
	unsigned new_before = 0, new_after = 0;
	const struct view *shown = NULL;
	uint8_t ttl = 0, shown_ttl = 0;

	for (unsigned i = 0; i < before->count && before->traces > 1; i++) {
		const struct view *v = &before->views[i];
		bool new = level == DIFF_LEVEL_AS
				   ? !as_known(v, before, true, &ttl)
				   : hops_novel(v, &before->seen, true, &ttl) >= TTLS_TO_DIFFER;

		new_before += new ? v->traces : 0;
	}
	for (unsigned i = 0; i < after->count; i++) {
		struct view *v = &after->views[i];
		bool new = level == DIFF_LEVEL_AS
				   ? !after_known(v, before, &ttl)
				   : hops_novel(v, &before->seen, false, &ttl) >= TTLS_TO_DIFFER;

		if (!new)
			continue;
		new_after += v->traces;
		if (shown == NULL) {
			shown = v;
			shown_ttl = ttl;
		}
	}
	if (shown == NULL)
		return;
	if (fisher_p(new_before, before->traces - new_before, new_after,
		     after->traces - new_after) < CHANCE)
		out->change = DIFF_CHANGED;
	else if (out->change != DIFF_CHANGED)
		out->change = DIFF_TOO_FEW;
	if (out->change == DIFF_CHANGED || out->level == DIFF_LEVEL_NONE)
		shown_by(out, before->items[0], shown->first, level, shown_ttl);
}

static bool any_answer(const struct sight_side *side)
{
	for (unsigned i = 0; i < WAY_TTLS; i++) {
		if (side->seen.answered[i] > 0)
			return true;
	}
	return false;
}

static void compare(const struct sides *s, struct diff_path *out)
{
	if (!any_answer(&s->before) || !any_answer(&s->after))
		return;
	out->change = DIFF_SAME;
	if (compare_flows(s, out))
		return;
	compare_sets(s, DIFF_LEVEL_AS, out);
	if (out->change != DIFF_CHANGED)
		compare_sets(s, DIFF_LEVEL_HOP, out);
}

/* --- views ------------------------------------------------------------------------------------ */

/* An item by the rank of its way, then by its place. */
struct ranked { uint32_t rank, place; };

static int by_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return x->rank != y->rank ? (x->rank > y->rank) - (x->rank < y->rank) :
	       (x->place > y->place) - (x->place < y->place);
}

static void view_begin(struct view *v, const struct way *way, const struct set_item *first)
{
	memset(v, 0, sizeof(*v));
	v->way = way;
	v->first = first;
	for (unsigned i = 0; i < way->hop_count; i++)
		v->at[way->hops[i].ttl] = (uint8_t)(i + 1);
}

/* The first of n ways that is chosen as number k of DIFF_WAYS_MAX. */
static unsigned chosen(unsigned k, unsigned n)
{
	return (unsigned)((uint64_t)k * n / DIFF_WAYS_MAX);
}

static void views_fill(const struct diff_set *s, const struct ranked *r, unsigned n,
		       unsigned ways, struct sight_side *side)
{
	unsigned number = 0;
	bool taken = false;

	for (unsigned i = 0; i < n; i++) {
		const struct set_item *item = side->items[r[i].place];

		if (i == 0 || r[i].rank != r[i - 1].rank) {
			number += i > 0;
			taken = ways <= DIFF_WAYS_MAX || (side->count < DIFF_WAYS_MAX &&
							  number == chosen(side->count, ways));
			if (taken)
				view_begin(&side->views[side->count++], set_way(s, item), item);
		}
		if (!taken)
			continue;
		side->views[side->count - 1].traces += item->count;
		side->traces += item->count;
	}
}

static int side_views(const struct diff_set *s, const struct set_item *const *items, unsigned n,
		      struct sight_side *side)
{
	struct ranked *r = calloc(n, sizeof(*r));
	unsigned ways = 0;

	if (r == NULL)
		return BP_ENOMEM;
	side->items = items;
	side->item_count = n;
	for (unsigned i = 0; i < n; i++) {
		const struct set_sight *x = diff_intern_get(&s->sights, items[i]->sight);

		r[i] = (struct ranked){s->way_rank[x->way], i};
	}
	qsort(r, n, sizeof(*r), by_rank);
	for (unsigned i = 0; i < n; i++)
		ways += i == 0 || r[i].rank != r[i - 1].rank;
	side->views = calloc(ways < DIFF_WAYS_MAX ? ways : DIFF_WAYS_MAX, sizeof(*side->views));
	if (side->views != NULL)
		views_fill(s, r, n, ways, side);
	free(r);
	return side->views != NULL ? seen_fill(side) : BP_ENOMEM;
}

int diff_paths(const struct diff_set *s, const struct set_item *const *before,
	       unsigned before_count, const struct set_item *const *after, unsigned after_count,
	       struct diff_path *out)
{
	struct sides sides = {.set = s};
	int rc;

	*out = (struct diff_path){.before = before[0], .after = after[0]};
	rc = side_views(s, before, before_count, &sides.before);
	if (rc == 0)
		rc = side_views(s, after, after_count, &sides.after);
	if (rc == 0)
		compare(&sides, out);
	free(sides.before.views);
	free(sides.before.seen.items);
	free(sides.after.views);
	free(sides.after.seen.items);
	return rc;
}

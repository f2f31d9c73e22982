// SPDX-License-Identifier: BSD-2-Clause
/* Sets of paths compared. Owns the meaning of "explained"; reads traces, changes none. */
#include "analysis/diff_path.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/diff_stats.h"
#include "core/err.h"

enum { LANE_TTLS = 256, LANE_ADDRS = 4, TTLS_TO_DIFFER = 2 };
static const double CHANCE = .05;

/* One trace by TTL. */
struct lane {
	const struct diff_item *item;
	const struct profile *profile;
	uint8_t last;                      /* last TTL that matters: the destination's, or probed */
	bool reached;
	struct lane_hop {
		uint8_t count;
		uint32_t asn;              /* of the first address that has one; 0 none */
		bool hidden;               /* silent, or public and in no table: may be anybody */
		struct addr addr[LANE_ADDRS];
	} hop[LANE_TTLS];
};

/* 0 for an exchange's address, whatever a table says: it is no network of the path. */
static uint32_t asn_of(const struct lane *l, struct addr a)
{
	const struct names *names = l->item->names;
	const struct name *n = names != NULL ? names_find(names, a) : NULL;
	const struct profile_label *label = profile_label(l->profile, a, l->item->trace->start);

	if (label != NULL && label->role != NULL && strcmp(label->role, "exchange") == 0)
		return 0;
	return n != NULL ? n->asn : 0;
}

static void lane_add(struct lane *l, const struct trace_entry *e)
{
	struct lane_hop *h = &l->hop[e->ttl];

	for (unsigned i = 0; i < h->count; i++) {
		if (addr_equal(h->addr[i], e->reply.from))
			return;
	}
	if (h->count < LANE_ADDRS)
		h->addr[h->count++] = e->reply.from;
	if (h->asn == 0)
		h->asn = asn_of(l, e->reply.from);
}

/* Unreachables repeat one router at TTLs that are not its own: one hop is enough. */
static bool repeats(const struct lane *l, const struct trace_entry *e)
{
	const struct reply *r = &e->reply;

	return r->icmp_type >= 0 && icmp_is_unreachable(r->from.family, r->icmp_type) &&
	       !icmp_is_port_unreachable(r->from.family, r->icmp_type, r->icmp_code) &&
	       l->last != 0 && e->ttl > l->last;
}

static void lane_fill(struct lane *l, const struct diff_item *item, const struct profile *p)
{
	const struct trace *t = item->trace;
	uint8_t filter_ttl = 0, probed = 0;

	memset(l, 0, sizeof(*l));
	l->item = item;
	l->profile = p;
	for (uint32_t i = 0; i < t->entry_count; i++) {
		const struct trace_entry *e = &t->entries[i];
		const struct reply *r = &e->reply;

		probed = e->ttl;
		if (!addr_is_set(r->from) || (r->flags & (REPLY_FTL | REPLY_NEARER | REPLY_LATE)))
			continue;
		if (l->reached && e->ttl > l->last)
			break;
		if (filter_ttl != 0 && repeats(l, e))
			continue;
		/* One trace's answer in many: it names the network, and is no witness. */
		if (r->flags & REPLY_INHERITED) {
			l->hop[e->ttl].asn = asn_of(l, r->from);
			continue;
		}
		lane_add(l, e);
		if (r->icmp_type >= 0 && icmp_is_unreachable(r->from.family, r->icmp_type))
			filter_ttl = e->ttl;
		l->last = e->ttl;
		l->reached = l->reached || trace_entry_is_destination(t, e);
	}
	if (!l->reached)
		l->last = probed;
	for (unsigned ttl = 1; ttl < LANE_TTLS; ttl++) {
		struct lane_hop *h = &l->hop[ttl];
		bool public = h->count > 0 && addr_kind(h->addr[0]) == ADDR_KIND_GLOBAL;

		h->hidden = h->count == 0 ? !l->reached || ttl < l->last : h->asn == 0 && public;
	}
}

static unsigned lane_as_path(const struct lane *l, uint32_t *out, unsigned max)
{
	unsigned n = 0;

	for (unsigned ttl = 1; ttl < LANE_TTLS && n < max; ttl++) {
		uint32_t asn = l->hop[ttl].asn;

		if (asn != 0 && (n == 0 || out[n - 1] != asn))
			out[n++] = asn;
	}
	return n;
}

unsigned diff_as_path(const struct diff_item *item, const struct profile *p, uint32_t *out,
		      unsigned max)
{
	struct lane l;

	lane_fill(&l, item, p);
	return lane_as_path(&l, out, max);
}

/* --- networks ------------------------------------------------------------------------------- */

/* Every hop of a has its network in b at about the same TTL, or b is hidden there; one hidden hop
 * explains one. Returns the first TTL that is not explained, 0 when all are. */
static uint8_t as_unexplained(const struct lane *a, const struct lane *b)
{
	unsigned used = 0;

	for (unsigned ttl = 1; ttl < LANE_TTLS - 1; ttl++) {
		uint32_t asn = a->hop[ttl].asn;
		bool found = false;

		if (asn == 0)
			continue;
		for (unsigned t = ttl - 1; t <= ttl + 1 && !found; t++)
			found = b->hop[t].asn == asn;
		for (unsigned t = ttl > 1 ? ttl - 1 : 1; t <= ttl + 1 && !found; t++) {
			if (b->hop[t].hidden && t > used) {
				found = true;
				used = t;
			}
		}
		if (!found)
			return (uint8_t)ttl;
	}
	return 0;
}

static bool as_same(const struct lane *a, const struct lane *b, uint8_t *ttl)
{
	uint32_t x[DIFF_AS_MAX], y[DIFF_AS_MAX];
	unsigned n = lane_as_path(a, x, DIFF_AS_MAX), m = lane_as_path(b, y, DIFF_AS_MAX);
	uint8_t from_a, from_b;

	if (n == m && memcmp(x, y, n * sizeof(x[0])) == 0)
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
struct seen { uint8_t ttl; struct addr addr; unsigned lanes; };
struct seen_set { struct seen *items; unsigned count; unsigned answered[LANE_TTLS]; };

static int by_ttl_addr(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	return x->ttl != y->ttl ? x->ttl - y->ttl : addr_compare(x->addr, y->addr);
}

static int seen_fill(struct seen_set *s, const struct lane *lanes, unsigned n)
{
	unsigned total = 0, kept = 0;

	memset(s, 0, sizeof(*s));
	for (unsigned i = 0; i < n; i++) {
		for (unsigned ttl = 1; ttl < LANE_TTLS; ttl++)
			total += lanes[i].hop[ttl].count;
	}
	s->items = calloc(total + 1, sizeof(*s->items));
	if (s->items == NULL)
		return BP_ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		for (unsigned ttl = 1; ttl < LANE_TTLS; ttl++) {
			const struct lane_hop *h = &lanes[i].hop[ttl];

			s->answered[ttl] += h->count > 0;
			for (unsigned k = 0; k < h->count; k++)
				s->items[s->count++] =
					(struct seen){(uint8_t)ttl, h->addr[k], 1};
		}
	}
	qsort(s->items, s->count, sizeof(*s->items), by_ttl_addr);
	for (unsigned i = 0; i < s->count; i++) {
		if (kept > 0 && by_ttl_addr(&s->items[kept - 1], &s->items[i]) == 0)
			s->items[kept - 1].lanes++;
		else
			s->items[kept++] = s->items[i];
	}
	s->count = kept;
	return 0;
}

static unsigned seen_lanes(const struct seen_set *s, unsigned ttl, struct addr a)
{
	struct seen key = {(uint8_t)ttl, a, 0};
	const struct seen *x = bsearch(&key, s->items, s->count, sizeof(key), by_ttl_addr);

	return x != NULL ? x->lanes : 0;
}

/* TTLs at which l shows only addresses that the set does not have while others answer there. own:
 * the set contains l itself. *first: the first such TTL. */
static unsigned hops_novel(const struct lane *l, const struct seen_set *s, bool own, uint8_t *first)
{
	unsigned novel = 0;

	for (unsigned ttl = 1; ttl < LANE_TTLS; ttl++) {
		const struct lane_hop *h = &l->hop[ttl];
		bool known = false;

		if (h->count == 0 || s->answered[ttl] <= own)
			continue;
		for (unsigned k = 0; k < h->count && !known; k++)
			known = seen_lanes(s, ttl, h->addr[k]) > own;
		if (known)
			continue;
		if (novel++ == 0)
			*first = (uint8_t)ttl;
	}
	return novel;
}

/* --- sets ------------------------------------------------------------------------------------- */

static bool same_flow(const struct lane *a, const struct lane *b)
{
	const struct trace *x = a->item->trace, *y = b->item->trace;

	return (x->flow >= 0 || x->sport >= 0) && x->flow == y->flow && x->sport == y->sport &&
	       x->dport == y->dport && addr_equal(x->dst, y->dst) && addr_equal(x->src, y->src);
}

struct sides {
	struct lane *before, *after;
	unsigned before_count, after_count;
	struct seen_set seen_before, seen_after;
};

/* Whether one lane of the set (but not itself) goes through the same networks. */
static bool as_known(const struct lane *l, const struct lane *set, unsigned n, uint8_t *ttl)
{
	uint8_t first = 0;

	for (unsigned i = 0; i < n; i++) {
		if (&set[i] == l)
			continue;
		if (as_same(l, &set[i], ttl))
			return true;
		first = *ttl > first ? *ttl : first;
	}
	*ttl = first;
	return false;
}

static void shown_by(struct diff_path *out, const struct lane *before, const struct lane *after,
		     enum diff_level level, uint8_t ttl)
{
	out->level = level;
	out->ttl = ttl;
	out->before = before->item;
	out->after = after->item;
}

/* TTLs at which one flow shows one router before and another after, neither of which the other side
 * knows. Where one flow shows several routers, something on the way does not keep flows together:
 * that TTL says nothing. */
static unsigned hops_differ(const struct lane *b, const struct lane *a, const struct sides *s,
			    uint8_t *first)
{
	unsigned differ = 0;

	for (unsigned ttl = 1; ttl < LANE_TTLS; ttl++) {
		const struct lane_hop *x = &b->hop[ttl], *y = &a->hop[ttl];

		if (x->count != 1 || y->count != 1 || addr_equal(x->addr[0], y->addr[0]) ||
		    seen_lanes(&s->seen_after, ttl, x->addr[0]) > 0 ||
		    seen_lanes(&s->seen_before, ttl, y->addr[0]) > 0)
			continue;
		if (differ++ == 0)
			*first = (uint8_t)ttl;
	}
	return differ;
}

/* The same flows on both sides: what differs beyond silence has changed. */
static bool compare_flows(const struct sides *s, struct diff_path *out)
{
	bool compared = false;

	for (unsigned i = 0; i < s->after_count; i++) {
		for (unsigned k = 0; k < s->before_count; k++) {
			const struct lane *b = &s->before[k], *a = &s->after[i];
			uint8_t ttl = 0;

			if (!same_flow(b, a))
				continue;
			compared = true;
			if (!as_known(a, s->before, s->before_count, &ttl)) {
				as_same(b, a, &ttl);
				shown_by(out, b, a, DIFF_LEVEL_AS, ttl);
				out->change = DIFF_CHANGED;
				return true;
			}
			if (out->change != DIFF_CHANGED &&
			    hops_differ(b, a, s, &ttl) >= TTLS_TO_DIFFER) {
				shown_by(out, b, a, DIFF_LEVEL_HOP, ttl);
				out->change = DIFF_CHANGED;
			}
		}
	}
	return compared;
}

/* No flow is on both sides: count what is new after, and what is new before within before. */
static void compare_sets(const struct sides *s, enum diff_level level, struct diff_path *out)
{
	unsigned new_before = 0, new_after = 0;
	const struct lane *shown = NULL;
	uint8_t ttl = 0, shown_ttl = 0;

	for (unsigned i = 0; i < s->before_count && s->before_count > 1; i++) {
		const struct lane *l = &s->before[i];

		new_before += level == DIFF_LEVEL_AS
				      ? !as_known(l, s->before, s->before_count, &ttl)
				      : hops_novel(l, &s->seen_before, true, &ttl) >=
						TTLS_TO_DIFFER;
	}
	for (unsigned i = 0; i < s->after_count; i++) {
		const struct lane *l = &s->after[i];
		bool new = level == DIFF_LEVEL_AS
				   ? !as_known(l, s->before, s->before_count, &ttl)
				   : hops_novel(l, &s->seen_before, false, &ttl) >= TTLS_TO_DIFFER;

		if (new && new_after++ == 0) {
			shown = l;
			shown_ttl = ttl;
		}
	}
	if (shown == NULL)
		return;
	if (fisher_p(new_before, s->before_count - new_before, new_after,
		     s->after_count - new_after) < CHANCE)
		out->change = DIFF_CHANGED;
	else if (out->change != DIFF_CHANGED)
		out->change = DIFF_TOO_FEW;
	if (out->change == DIFF_CHANGED || out->level == DIFF_LEVEL_NONE)
		shown_by(out, &s->before[0], shown, level, shown_ttl);
}

static bool any_answer(const struct lane *lanes, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		for (unsigned ttl = 1; ttl < LANE_TTLS; ttl++) {
			if (lanes[i].hop[ttl].count > 0)
				return true;
		}
	}
	return false;
}

static void compare(const struct sides *s, struct diff_path *out)
{
	if (!any_answer(s->before, s->before_count) || !any_answer(s->after, s->after_count))
		return;
	out->change = DIFF_SAME;
	if (compare_flows(s, out))
		return;
	compare_sets(s, DIFF_LEVEL_AS, out);
	if (out->change != DIFF_CHANGED)
		compare_sets(s, DIFF_LEVEL_HOP, out);
}

enum { LANES_MAX = 256 }; /* a side's traces beyond are thinned evenly: about 5 MiB a side */

static struct lane *lanes_of(const struct diff_item *const *items, const struct profile *p,
			     unsigned *n)
{
	unsigned count = *n < LANES_MAX ? *n : LANES_MAX;
	struct lane *lanes = malloc(count * sizeof(*lanes));

	for (unsigned i = 0; lanes != NULL && i < count; i++)
		lane_fill(&lanes[i], items[(uint64_t)i * *n / count], p);
	*n = count;
	return lanes;
}

int diff_paths(const struct diff_item *const *before, unsigned before_count,
	       const struct diff_item *const *after, unsigned after_count,
	       const struct profile *p, struct diff_path *out)
{
	struct sides s = {.before_count = before_count, .after_count = after_count};
	int rc = BP_ENOMEM;

	*out = (struct diff_path){.before = before[0], .after = after[0]};
	s.before = lanes_of(before, p, &s.before_count);
	s.after = lanes_of(after, p, &s.after_count);
	if (s.before == NULL || s.after == NULL)
		goto out;
	if (seen_fill(&s.seen_before, s.before, s.before_count) < 0 ||
	    seen_fill(&s.seen_after, s.after, s.after_count) < 0)
		goto out;
	compare(&s, out);
	rc = 0;
out:
	free(s.seen_before.items);
	free(s.seen_after.items);
	free(s.before);
	free(s.after);
	return rc;
}

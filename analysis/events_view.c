// SPDX-License-Identifier: BSD-2-Clause
/* What one vantage point sees to be silent. Puts no two of them together. */
#include "analysis/events_view.h"

#include <stdlib.h>

enum { HOST_UPS_MIN = 3, STALE_ROUNDS = 3 };

bool view_has_say(const struct events *v, const struct key_state *k, uint8_t now)
{
	int64_t every = lag_of(v, k) / 2;

	return now != REACH_NOW_NONE && k->flap == NULL &&
	       (every == 0 || v->now.ns - k->measured.ns <= STALE_ROUNDS * every);
}

/* Keys of one prefix stand together: from `at` to before the return. */
static unsigned prefix_end(const struct vantage_state *who, unsigned at)
{
	unsigned end = at;

	while (end < who->key_count && who->keys[end]->prefix == who->keys[at]->prefix)
		end++;
	return end;
}

/* Several methods: silent when the last of them fell silent. */
static bool see_prefix(const struct events *v, const struct vantage_state *who, unsigned at,
		       unsigned end, struct prefix_view *out)
{
	bool up = false;

	*out = (struct prefix_view){.prefix = who->keys[at]->prefix,
				    .first = at,
				    .end = end,
				    .solid = true};
	for (unsigned i = at; i < end; i++) {
		const struct key_state *k = who->keys[i];
		const struct reach_state *r = &k->reach;

		if (!view_has_say(v, k, r->now))
			continue;
		out->way = k->border.standing;
		if (out->key == NULL)
			out->key = k;
		if (r->now == REACH_NOW_UP)
			continue;
		out->key = k;
		out->held |= r->now == REACH_NOW_DOWN;
		out->solid &= !r->answers;
		if (r->first.ns >= out->not_after.ns) {
			out->not_before = r->up_last;
			out->not_after = r->first;
			out->planned = r->planned;
		}
	}
	/* An answer to another method, or campaign, counts if it was asked since. */
	for (unsigned i = at; i < end; i++) {
		const struct key_state *k = who->keys[i];

		up |= view_has_say(v, k, k->reach.now) && k->reach.now == REACH_NOW_UP &&
		      k->measured.ns >= out->not_after.ns;
	}
	out->down = out->key != NULL && !up;
	return out->key != NULL;
}

static struct view *add_view(struct views *w, uint8_t scope)
{
	struct view *x = w->count < VIEWS_MAX ? &w->items[w->count++] : NULL;

	if (x != NULL)
		*x = (struct view){.scope = scope, .solid = true};
	return x;
}

/* The moment that all agree on; else that of the last to fall silent. */
static void widen(struct view *x, const struct prefix_view *p)
{
	bool first = x->prefix_count == 0;

	if (x->prefix_count < EVENT_PREFIXES_MAX)
		x->prefixes[x->prefix_count++] = p->prefix->prefix;
	x->held |= p->held;
	x->solid &= p->solid;
	if (first || p->not_before.ns > x->not_after.ns) {
		x->not_before = p->not_before;
		x->not_after = p->not_after;
		x->planned = p->planned;
		x->key = p->key;
		return;
	}
	if (p->not_after.ns < x->not_before.ns)
		return;
	if (p->not_before.ns > x->not_before.ns)
		x->not_before = p->not_before;
	if (p->not_after.ns < x->not_after.ns)
		x->not_after = p->not_after;
	if (p->planned.ns < x->planned.ns)
		x->planned = p->planned;
}

int view_by_prefix(const void *a, const void *b)
{
	const struct prefix *x = a, *y = b;
	int c = addr_compare(x->addr, y->addr);

	return c != 0 ? c : x->len - y->len;
}

static bool of_border(const struct prefix_view *p, struct way_in way)
{
	return p->way.outcome == way.outcome && p->way.border == way.border;
}

/* All prefixes behind a border are silent, several of them, and others are not. */
static void see_border(const struct events *v, struct views *w, struct way_in way)
{
	unsigned silent = 0;
	struct view *x;

	for (unsigned i = 0; i < w->prefix_count; i++) {
		if (!of_border(&w->prefixes[i], way))
			continue;
		if (!w->prefixes[i].down)
			return;
		silent++;
	}
	if (silent < 2 || (x = add_view(w, EVENT_SCOPE_BORDER)) == NULL)
		return;
	border_state_text(v, way, x->border, sizeof(x->border));
	for (unsigned i = 0; i < w->prefix_count; i++) {
		if (of_border(&w->prefixes[i], way)) {
			widen(x, &w->prefixes[i]);
			w->prefixes[i].down = false;
		}
	}
}

/* A host that another method still reaches is not silent. */
static bool reached_otherwise(const struct vantage_state *who, const struct prefix_view *p,
			      const struct host_state *silent)
{
	for (unsigned i = p->first; i < p->end; i++) {
		const struct key_state *k = who->keys[i];

		for (unsigned h = 0; h < k->host_count; h++) {
			if (addr_equal(k->host[h].dst, silent->dst) &&
			    k->host[h].reach.now == REACH_NOW_UP &&
			    k->host[h].seen.ns >= silent->reach.first.ns)
				return true;
		}
	}
	return false;
}

static void see_host(const struct events *v, const struct vantage_state *who,
		     const struct prefix_view *p, const struct key_state *k,
		     const struct host_state *s, struct views *w)
{
	int64_t stale = STALE_ROUNDS * lag_of(v, k) / 2;
	struct view *x;

	if (s->reach.now < REACH_NOW_SUSPECT || s->reach.ups < HOST_UPS_MIN ||
	    (stale > 0 && v->now.ns - s->seen.ns > stale) || reached_otherwise(who, p, s))
		return;
	x = add_view(w, EVENT_SCOPE_HOST);
	if (x == NULL)
		return;
	x->prefix = p->prefix->prefix;
	x->host = s->dst;
	x->target = s->target;
	x->held = s->reach.now == REACH_NOW_DOWN;
	x->solid = !s->reach.answers;
	x->not_before = s->reach.up_last;
	x->not_after = s->reach.first;
	x->planned = s->reach.planned;
	x->key = k;
}

static void see_hosts(const struct events *v, const struct vantage_state *who,
		      const struct prefix_view *p, struct views *w)
{
	for (unsigned i = p->first; i < p->end; i++) {
		const struct key_state *k = who->keys[i];

		for (unsigned h = 0; k->flap == NULL && h < k->host_count; h++)
			see_host(v, who, p, k, &k->host[h], w);
	}
}

void views_see(const struct events *v, const struct vantage_state *who, struct views *w)
{
	w->count = w->prefix_count = w->down = 0;
	for (unsigned i = 0, end; i < who->key_count; i = end) {
		struct prefix_view *p = &w->prefixes[w->prefix_count];

		end = prefix_end(who, i);
		if (!see_prefix(v, who, i, end, p))
			continue;
		w->prefix_count++;
		w->down += p->down;
		if (!p->down)
			see_hosts(v, who, p, w);
	}
	if (w->down == 0)
		return;
	if (w->down == w->prefix_count && w->down >= 2) {
		struct view *x = add_view(w, EVENT_SCOPE_NETWORK);

		for (unsigned i = 0; x != NULL && i < w->prefix_count; i++)
			widen(x, &w->prefixes[i]);
	} else {
		for (unsigned i = 0; i < series_border_count(v->series) - 1; i++)
			see_border(v, w, (struct way_in){OUTCOME_BORDER, (int8_t)i});
		for (unsigned i = 0; i < w->prefix_count; i++) {
			struct view *x = w->prefixes[i].down ? add_view(w, EVENT_SCOPE_PREFIX)
							     : NULL;

			if (x == NULL)
				continue;
			widen(x, &w->prefixes[i]);
			x->prefix = w->prefixes[i].prefix->prefix;
			x->prefix_count = 0;
		}
	}
	for (unsigned i = 0; i < w->count; i++)
		qsort(w->items[i].prefixes, w->items[i].prefix_count, sizeof(struct prefix),
		      view_by_prefix);
}

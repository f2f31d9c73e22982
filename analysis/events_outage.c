// SPDX-License-Identifier: BSD-2-Clause
/*
 * What silence is an outage of: each vantage point sees the widest thing that is silent for it (the
 * network, all behind one border, a prefix, a host), and those who see the same at the same time
 * share one event. Looked at whenever a moment's cells are in.
 */
#include <stdlib.h>
#include <string.h>

#include "analysis/events_inside.h"
#include "core/err.h"

enum { HOST_UPS_MIN = 3, STALE_ROUNDS = 3, VIEWS_MAX = 512 };

/* Something that is silent, as one vantage point sees it. */
struct view {
	uint8_t scope;
	bool held, solid;          /* in enough rounds; none of it answers again */
	struct prefix prefix;
	struct addr host;
	const char *target;
	char border[VERDICT_ID_TEXT];
	struct wall not_before, not_after, planned;
	const struct key_state *key; /* one that shows it */
	struct prefix prefixes[EVENT_PREFIXES_MAX];
	unsigned prefix_count;
};

/* One prefix, for one vantage point: all methods together. */
struct prefix_view {
	const struct prefix_state *prefix;
	unsigned first, end;       /* of the vantage point's keys */
	const struct key_state *key;
	bool down, held, solid;
	struct way_in way;
	struct wall not_before, not_after, planned;
};

struct views {
	struct view *items;        /* owned, VIEWS_MAX */
	unsigned count;
	struct prefix_view *prefixes; /* owned, v->prefix_count */
	unsigned prefix_count, down;
};

/* --- what one sees ---------------------------------------------------------------------------- */

static bool has_say(const struct events *v, const struct key_state *k, uint8_t now)
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

		if (!has_say(v, k, r->now))
			continue;
		out->way = k->border.standing;
		if (out->key == NULL)
			out->key = k;
		up |= r->now == REACH_NOW_UP;
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

static int by_prefix(const void *a, const void *b)
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
			      struct addr host)
{
	for (unsigned i = p->first; i < p->end; i++) {
		const struct key_state *k = who->keys[i];

		for (unsigned h = 0; h < k->host_count; h++) {
			if (addr_equal(k->host[h].dst, host) &&
			    k->host[h].reach.now == REACH_NOW_UP)
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
	    (stale > 0 && v->now.ns - s->seen.ns > stale) || reached_otherwise(who, p, s->dst))
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

static void see(const struct events *v, const struct vantage_state *who, struct views *w)
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
		      by_prefix);
}

/* --- what is told ----------------------------------------------------------------------------- */

static bool is_open_outage(const struct track *t)
{
	return !t->over && t->e->kind == EVENT_OUTAGE && t->e->scope != EVENT_SCOPE_VANTAGE;
}

static bool is_about(const struct track *t, const struct view *x)
{
	return is_open_outage(t) && t->e->scope == x->scope &&
	       prefix_equal(t->e->prefix, x->prefix) && addr_equal(t->e->host, x->host) &&
	       (x->scope != EVENT_SCOPE_BORDER || strcmp(t->e->from.what, x->border) == 0);
}

static bool holds_prefix(const struct event *e, struct prefix p)
{
	for (unsigned i = 0; i < e->prefix_count; i++) {
		if (prefix_equal(e->prefixes[i], p))
			return true;
	}
	return false;
}

/* Whether the event is about that prefix, alone or among others. */
static bool is_in(const struct event *e, struct prefix p)
{
	return addr_is_set(e->prefix.addr) ? prefix_equal(e->prefix, p) : holds_prefix(e, p);
}

/* A wider outage that others see there at the time: this is its part. */
static bool is_part(const struct events *v, const struct view *x, const struct key_state *k)
{
	int64_t lag = lag_of(v, k);

	for (unsigned i = 0; i < v->track_count; i++) {
		const struct track *t = v->tracks[i];
		const struct event *e = t->e;

		if (is_open_outage(t) && e->scope != x->scope && holds_prefix(e, x->prefix) &&
		    x->not_before.ns - lag <= e->not_after.ns &&
		    e->not_before.ns - lag <= x->not_after.ns)
			return true;
	}
	return false;
}

static void claim_of(const struct view *x, struct claim *out)
{
	*out = (struct claim){.kind = EVENT_OUTAGE,
			      .scope = x->scope,
			      .prefix = x->prefix,
			      .host = x->host,
			      .not_before = x->not_before,
			      .not_after = x->not_after,
			      .planned = x->planned,
			      .confidence = x->held ? .99 : .9};
	text_set(out->from.what, sizeof(out->from.what),
		 x->scope == EVENT_SCOPE_BORDER ? x->border : "reached");
	text_set(out->to.what, sizeof(out->to.what),
		 x->key->down_class == EVENT_OUTAGE_FILTERED ? "filtered" : "silent");
}

static void add_prefixes(struct event *e, const struct view *x)
{
	for (unsigned i = 0; i < x->prefix_count && e->prefix_count < EVENT_PREFIXES_MAX; i++) {
		if (!holds_prefix(e, x->prefixes[i]))
			e->prefixes[e->prefix_count++] = x->prefixes[i];
	}
	qsort(e->prefixes, e->prefix_count, sizeof(e->prefixes[0]), by_prefix);
}

static void tell_why(const struct events *v, struct track *t, const struct vantage_state *who,
		     const struct view *x)
{
	const struct key_state *k = x->key;
	const struct node *n = nodes_get(v->nodes, k->down_node);
	char text[ADDR_TEXT];

	if (x->scope == EVENT_SCOPE_HOST)
		track_evidence(t, x->not_after, who->name, "",
			       "%s does not answer, others in its prefix do",
			       x->target != NULL && x->target[0] != '\0'
				       ? x->target
				       : addr_format(x->host, text));
	else if (k->down_ttl == 0)
		track_evidence(t, x->not_after, who->name, "", "no probed host answered");
	else
		track_evidence(t, x->not_after, who->name, "",
			       "no probed host answered; paths ended at TTL %u, %s (AS%u)",
			       k->down_ttl, addr_format(n->addr, text), n->asn);
}

static int take_view(struct events *v, struct vantage_state *who, const struct view *x)
{
	struct track *t = NULL;
	struct claim claim;
	struct member *m;
	int rc = 0;

	for (unsigned i = 0; i < v->track_count && t == NULL; i++) {
		if (is_about(v->tracks[i], x))
			t = v->tracks[i];
	}
	m = t != NULL ? track_member(t, NULL, who) : NULL;
	if (m == NULL && (!x->solid || is_part(v, x, x->key)))
		return 0;
	claim_of(x, &claim);
	if (t == NULL)
		rc = track_new(v, &claim, &t);
	if (rc == 0 && (m == NULL || m->state == MEMBER_GONE || m->state == MEMBER_OVER)) {
		rc = track_join(t, NULL, who, &claim, &m);
		if (rc == 0)
			tell_why(v, t, who, x);
	}
	if (rc < 0)
		return rc;
	add_prefixes(t->e, x);
	m->mark = v->mark;
	if (x->held && m->state != MEMBER_HELD) {
		m->state = MEMBER_HELD;
		m->confidence = claim.confidence;
		t->dirty = true;
	}
	return 0;
}

/* --- what is over ----------------------------------------------------------------------------- */

/* Whether this one can still tell, and since when what it is about answers there; 0: not known. */
static bool can_tell(const struct events *v, const struct track *t,
		     const struct vantage_state *who, struct wall *since)
{
	bool able = false;

	*since = (struct wall){0};
	for (unsigned i = 0; i < who->key_count && who->offline == 0; i++) {
		const struct key_state *k = who->keys[i];
		const struct reach_state *r = &k->reach;

		if (!is_in(t->e, k->key->prefix))
			continue;
		for (unsigned h = 0; h < k->host_count; h++) {
			if (addr_equal(k->host[h].dst, t->e->host))
				r = &k->host[h].reach;
		}
		able = able || has_say(v, k, r->now);
		if ((r->now == REACH_NOW_UP || r->answers) &&
		    r->back_first.ns >= t->e->not_after.ns &&
		    (since->ns == 0 || r->back_first.ns < since->ns))
			*since = r->back_first;
	}
	return able;
}

static struct track *wider_of(const struct events *v, const struct track *t,
			      const struct vantage_state *who)
{
	for (unsigned i = 0; i < v->track_count; i++) {
		struct track *x = v->tracks[i];
		const struct member *m = track_member(x, NULL, who);

		if (x != t && is_open_outage(x) && m != NULL && m->mark == v->mark &&
		    x->e->scope > t->e->scope &&
		    (x->e->scope == EVENT_SCOPE_NETWORK || holds_prefix(x->e, t->e->prefix)))
			return x;
	}
	return NULL;
}

static void end_track(struct track *t, struct track *wider, bool recovered)
{
	struct event *e = t->e;

	if (recovered && e->status == EVENT_CONFIRMED) {
		e->kind = EVENT_RECOVERY;
		e->status = EVENT_RESOLVED;
		for (unsigned i = 0; i < t->member_count; i++) {
			const struct member *m = &t->members[i];

			if (m->state == MEMBER_OVER &&
			    (e->until.ns == 0 || m->until.ns < e->until.ns))
				e->until = m->until;
		}
		t->over = t->dirty = true;
	} else if (wider != NULL) {
		track_fold(t, wider);
	} else {
		e->withdrawn = e->status == EVENT_PROVISIONAL;
		e->status = EVENT_RESOLVED;
		t->over = t->dirty = true;
	}
}

static void look_for_ends(struct events *v, struct track *t)
{
	struct track *wider = NULL;
	bool live = false, recovered = false;

	for (unsigned i = 0; i < t->member_count; i++) {
		struct member *m = &t->members[i];
		struct wall since;

		if (m->vantage->looked != v->mark || m->mark == v->mark ||
		    m->state == MEMBER_GONE || m->state == MEMBER_OVER)
			continue;
		if (!can_tell(v, t, m->vantage, &since))
			continue;
		wider = wider_of(v, t, m->vantage);
		if (wider != NULL) {
			m->state = MEMBER_GONE;
		} else if (since.ns == 0 && m->state == MEMBER_HELD) {
			/* Part of it flaps, or is told otherwise: it is not over yet. */
			continue;
		} else if (m->state == MEMBER_HELD || t->e->status == EVENT_CONFIRMED) {
			m->state = MEMBER_OVER;
			m->until = since;
		} else {
			m->state = MEMBER_GONE;
		}
		t->dirty = true;
	}
	for (unsigned i = 0; i < t->member_count; i++) {
		live |= t->members[i].state == MEMBER_HELD ||
			t->members[i].state == MEMBER_SUSPECTED;
		recovered |= t->members[i].state == MEMBER_OVER;
	}
	if (!live)
		end_track(t, wider, recovered);
}

/* What kind of outage most of them see; answers now and then, with most lost, are a limit. */
static void classify(struct track *t)
{
	unsigned votes[EVENT_OUTAGE_RATE_LIMITED + 1] = {0};
	uint8_t best = EVENT_OUTAGE_SILENT;

	for (unsigned i = 0; i < t->member_count; i++) {
		const struct member *m = &t->members[i];

		for (unsigned n = 0; n < m->vantage->key_count && m->state != MEMBER_GONE; n++) {
			const struct key_state *k = m->vantage->keys[n];
			const struct reach_state *r = &k->reach;

			if (r->now < REACH_NOW_SUSPECT || !is_in(t->e, k->key->prefix))
				continue;
			votes[r->backs >= 2 && 2 * r->back_answered <= r->back_asked
				      ? EVENT_OUTAGE_RATE_LIMITED
				      : k->down_class]++;
		}
	}
	for (uint8_t i = EVENT_OUTAGE_SILENT; i <= EVENT_OUTAGE_RATE_LIMITED; i++)
		best = votes[i] > votes[best] ? i : best;
	if (t->e->scope == EVENT_SCOPE_HOST)
		best = EVENT_OUTAGE_SILENT;
	else if (votes[best] == 0 && t->e->outage != EVENT_OUTAGE_UNKNOWN)
		return;
	if (t->e->outage != best) {
		t->e->outage = best;
		t->dirty = true;
	}
}

int outage_flush(struct events *v)
{
	struct views w = {.items = NULL};
	bool any = false;
	int rc = 0;

	for (unsigned i = 0; i < v->vantage_count && !any; i++)
		any = v->vantages[i]->reach_changed;
	if (!any)
		return 0;
	w.items = calloc(VIEWS_MAX, sizeof(*w.items));
	w.prefixes = calloc(v->prefix_count + 1, sizeof(*w.prefixes));
	if (w.items == NULL || w.prefixes == NULL) {
		rc = BP_ENOMEM;
		goto out;
	}
	v->mark++;
	for (unsigned i = 0; i < v->vantage_count && rc == 0; i++) {
		struct vantage_state *who = v->vantages[i];

		if (who->offline > 0 || !who->reach_changed)
			continue;
		who->reach_changed = false;
		who->looked = v->mark;
		see(v, who, &w);
		/* The wider first, so that the narrower find that they are part of it. */
		for (uint8_t scope = EVENT_SCOPE_NETWORK; scope >= EVENT_SCOPE_HOST; scope--) {
			for (unsigned k = 0; k < w.count && rc == 0; k++) {
				if (w.items[k].scope == scope)
					rc = take_view(v, who, &w.items[k]);
			}
		}
	}
	for (unsigned i = 0; i < v->track_count && rc == 0; i++) {
		if (!is_open_outage(v->tracks[i]))
			continue;
		classify(v->tracks[i]);
		look_for_ends(v, v->tracks[i]);
	}
out:
	free(w.items);
	free(w.prefixes);
	return rc;
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * What silence is an outage of: each vantage point sees the widest thing that is silent for it (the
 * network, all behind one border, a prefix, a host), and those who see the same at the same time
 * share one event. Looked at whenever a moment's cells are in.
 */
#include <stdlib.h>
#include <string.h>

#include "analysis/events_view.h"
#include "core/err.h"

enum { GIVE_UP_ROUNDS = 96 };

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
	qsort(e->prefixes, e->prefix_count, sizeof(e->prefixes[0]), view_by_prefix);
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

static bool view_holds(const struct view *x, struct prefix p)
{
	for (unsigned i = 0; i < x->prefix_count; i++) {
		if (prefix_equal(x->prefixes[i], p))
			return true;
	}
	return x->prefix_count == 0 && prefix_equal(x->prefix, p);
}

/* Two others, who know that they are well, reached some of it since. */
static bool is_contradicted(const struct events *v, const struct vantage_state *who,
			    const struct view *x)
{
	unsigned others = 0;

	for (unsigned i = 0; i < v->vantage_count; i++) {
		const struct vantage_state *other = v->vantages[i];
		bool reaches = false;

		if (other == who || other->offline > 0 || other->unsure)
			continue;
		for (unsigned n = 0; n < other->key_count && !reaches; n++) {
			const struct key_state *k = other->keys[n];

			reaches = view_has_say(v, k, k->reach.now) && k->moved == 0 &&
				  k->reach.now == REACH_NOW_UP &&
				  k->measured.ns >= x->not_after.ns &&
				  view_holds(x, k->key->prefix);
		}
		others += reaches;
	}
	return others >= 2;
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
	/* Nobody answers it, nowhere: most likely it is cut off. It has no vote until somebody
	 * does. */
	who->cut_off = who->cut_off || (who->unsure && is_contradicted(v, who, x));
	if (m == NULL && (!x->solid || who->cut_off || is_part(v, x, x->key)))
		return 0;
	if (who->cut_off && m->state == MEMBER_SUSPECTED) {
		m->state = MEMBER_GONE;
		t->dirty = true;
	}
	if (who->cut_off && m->state == MEMBER_GONE)
		return 0;
	claim_of(x, &claim);
	/* What is left of a wider one began long ago, and was perhaps told before that: it has a
	 * name of its own. */
	if (v->now.ns - x->not_after.ns > lag_of(v, x->key))
		claim.planned = v->now;
	if (t == NULL)
		rc = track_new(v, &claim, &t);
	if (rc == 0 && (m == NULL || m->state == MEMBER_GONE || m->state == MEMBER_OVER)) {
		rc = track_join(t, NULL, who, &claim, &m);
		if (rc == 0) {
			m->reference = who->reference;
			m->online = who->heard;
			tell_why(v, t, who, x);
		}
	}
	if (rc < 0)
		return rc;
	m->reference &= who->reference;
	m->online &= who->heard;
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
		able = able || view_has_say(v, k, r->now);
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

/* Routers that paths ended at, and how many did. */
enum { ENDS_MAX = 32 };
struct ends { const struct key_state *key[ENDS_MAX]; unsigned votes[ENDS_MAX], count; };

static void count_end(struct ends *ends, const struct key_state *k)
{
	unsigned i = 0;

	while (i < ends->count && ends->key[i]->down_node != k->down_node)
		i++;
	if (k->down_ttl == 0 || i == ENDS_MAX)
		return;
	if (i == ends->count) {
		ends->key[i] = k;
		ends->votes[ends->count++] = 0;
	}
	ends->votes[i]++;
}

static void tell_end(const struct events *v, struct track *t, const struct ends *ends)
{
	const struct key_state *k = NULL;
	const struct node *n;
	unsigned best = 0;

	for (unsigned i = 0; i < ends->count; i++) {
		if (ends->votes[i] > best) {
			best = ends->votes[i];
			k = ends->key[i];
		}
	}
	if (k == NULL || k->down_node == NODE_DESTINATION)
		return;
	n = nodes_get(v->nodes, k->down_node);
	if (addr_equal(n->addr, t->e->last_hop))
		return;
	t->e->last_hop = n->addr;
	t->e->to.asn = n->asn;
	/* Who carries it is the one whose name is known. */
	text_set(t->e->to.org, sizeof(t->e->to.org),
		 n->asn != 0 && n->asn == k->border.asn && k->border.org != NULL ? k->border.org
										  : "");
}

/* What kind of outage most of them see; answers now and then, with most lost, are a limit. */
static void classify(const struct events *v, struct track *t)
{
	unsigned votes[EVENT_OUTAGE_RATE_LIMITED + 1] = {0};
	struct ends ends = {.count = 0};
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
			count_end(&ends, k);
		}
	}
	for (uint8_t i = EVENT_OUTAGE_SILENT; i <= EVENT_OUTAGE_RATE_LIMITED; i++)
		best = votes[i] > votes[best] ? i : best;
	if (t->e->scope == EVENT_SCOPE_HOST)
		best = EVENT_OUTAGE_SILENT;
	else if (votes[best] == 0 && t->e->outage != EVENT_OUTAGE_UNKNOWN)
		return;
	/* Where paths ended is told with what else is news, and is none by itself. */
	if (t->e->scope != EVENT_SCOPE_HOST)
		tell_end(v, t, &ends);
	if (t->e->outage != best) {
		t->e->outage = best;
		t->dirty = true;
	}
}

/* When what it is about was last asked from there. */
static struct wall last_asked(const struct track *t, const struct vantage_state *who)
{
	struct wall last = {0};

	for (unsigned i = 0; i < who->key_count; i++) {
		const struct key_state *k = who->keys[i];
		struct wall at = k->measured;

		if (!is_in(t->e, k->key->prefix))
			continue;
		for (unsigned h = 0; addr_is_set(t->e->host) && h < k->host_count; h++) {
			if (addr_equal(k->host[h].dst, t->e->host))
				at = k->host[h].seen;
		}
		if (at.ns > last.ns)
			last = at;
	}
	return last;
}

/* A host that was taken out of the plan, a vantage point that is gone: nobody will say that it is
 * over. */
static void give_up(struct events *v, struct track *t)
{
	int64_t long_ago = GIVE_UP_ROUNDS * v->every_ns;
	bool live = false, gone = false;

	for (unsigned i = 0; i < t->member_count; i++) {
		struct member *m = &t->members[i];

		if (m->state != MEMBER_SUSPECTED && m->state != MEMBER_HELD)
			continue;
		if (long_ago > 0 && v->now.ns - last_asked(t, m->vantage).ns > long_ago) {
			m->state = MEMBER_GONE;
			gone = true;
		} else {
			live = true;
		}
	}
	if (!gone || live)
		return;
	track_evidence(t, v->now, "", "", "it is not asked any more: how it ended is not known");
	end_track(t, NULL, false);
}

int outage_flush(struct events *v)
{
	struct views w = {.items = NULL};
	bool any = false;
	int rc = 0;

	for (unsigned i = 0; i < v->track_count; i++) {
		if (is_open_outage(v->tracks[i]))
			give_up(v, v->tracks[i]);
	}
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
		views_see(v, who, &w);
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
		classify(v, v->tracks[i]);
		look_for_ends(v, v->tracks[i]);
	}
out:
	free(w.items);
	free(w.prefixes);
	return rc;
}

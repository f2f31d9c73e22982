// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is known of an open event by now: who saw it, of how many who could have, between which
 * moments, and how sure that makes it. Who has no vote is said in doc/detection.md.
 */
#include <stdlib.h>
#include <string.h>

#include "analysis/events_inside.h"

static bool is_live(const struct member *m)
{
	return m->state == MEMBER_SUSPECTED || m->state == MEMBER_HELD;
}

/* The tightest that all agree on, else the earliest sight. */
static void refresh_moment(struct track *t)
{
	struct wall low = {0}, high = {0};
	const struct member *first = NULL;

	for (unsigned i = 0; i < t->member_count; i++) {
		const struct member *m = &t->members[i];

		if (m->state == MEMBER_GONE)
			continue;
		if (m->not_before.ns > low.ns)
			low = m->not_before;
		if (first == NULL || m->not_after.ns < high.ns) {
			high = m->not_after;
			first = m;
		}
	}
	if (first == NULL)
		return;
	if (low.ns > high.ns)
		low = first->not_before;
	t->e->not_before = low;
	t->e->not_after = t->e->at = high;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Distinct vantage points that saw it; the first of them in order into the event. */
static unsigned refresh_vantages(struct track *t, unsigned *live)
{
	const char **names = calloc(t->member_count + 1, sizeof(*names));
	unsigned n = 0, kept = 0;
	struct event *e = t->e;

	*live = 0;
	if (names == NULL)
		return 0;
	for (unsigned i = 0; i < t->member_count; i++) {
		const struct member *m = &t->members[i];

		if (m->state != MEMBER_GONE || e->status == EVENT_RESOLVED)
			names[n++] = m->vantage->name;
	}
	qsort(names, n, sizeof(*names), by_name);
	for (unsigned i = 0; i < n; i++) {
		if (kept == 0 || strcmp(names[kept - 1], names[i]) != 0)
			names[kept++] = names[i];
	}
	memset(e->vantages, 0, sizeof(e->vantages));
	e->vantage_count = kept < EVENT_VANTAGES_MAX ? kept : EVENT_VANTAGES_MAX;
	for (unsigned i = 0; i < e->vantage_count; i++)
		text_set(e->vantages[i], sizeof(e->vantages[i]), names[i]);
	if (e->scope != EVENT_SCOPE_VANTAGE)
		text_set(e->vantage, sizeof(e->vantage), kept == 1 ? names[0] : "");
	for (unsigned i = 0; i < kept; i++) {
		bool sees = false;

		for (unsigned k = 0; k < t->member_count && !sees; k++)
			sees = is_live(&t->members[k]) &&
			       strcmp(t->members[k].vantage->name, names[i]) == 0;
		*live += sees;
	}
	free(names);
	return kept;
}

/* Whether it could have seen it: not while its vantage point moved to another upstream. */
static bool has_said(const struct events *v, const struct key_state *k, const struct track *t)
{
	const struct event *e = t->e;

	if (k->measured.ns + lag_of(v, k) < e->not_after.ns || k->measured.ns == 0 || k->moved > 0)
		return false;
	if (e->kind == EVENT_BORDER_SWITCH)
		return k->border.standing.outcome != OUTCOME_UNDETERMINED &&
		       k->border.told.ns + lag_of(v, k) >= e->not_after.ns &&
		       (!k->vantage->unsure || k->border.told.ns >= k->measured.ns);
	if (e->kind == EVENT_OUTAGE || e->kind == EVENT_RECOVERY)
		return k->reach.now != REACH_NOW_NONE;
	return true;
}

static bool is_outage(const struct event *e)
{
	return e->kind == EVENT_OUTAGE || e->kind == EVENT_RECOVERY;
}

/* Who counts as having seen it. */
static bool counts(const struct track *t, const struct member *m)
{
	return m->state != MEMBER_GONE || t->e->status == EVENT_RESOLVED;
}

static bool has_member(const struct track *t, const struct vantage_state *who)
{
	for (unsigned i = 0; i < t->member_count; i++) {
		if (t->members[i].vantage == who && counts(t, &t->members[i]))
			return true;
	}
	return false;
}

/* Vantage points that measured what it is about lately. */
static unsigned seen_of(const struct events *v, const struct track *t)
{
	unsigned n = 0;

	if (t->e->scope == EVENT_SCOPE_VANTAGE)
		return 1;
	for (unsigned i = 0; i < v->vantage_count; i++) {
		const struct vantage_state *who = v->vantages[i];
		bool said = false;

		for (unsigned p = 0; p < v->prefix_count && !said; p++) {
			const struct prefix_state *x = v->prefixes[p];

			if (addr_is_set(t->e->prefix.addr) &&
			    !prefix_equal(x->prefix, t->e->prefix))
				continue;
			for (unsigned k = 0; k < x->key_count && !said; k++)
				said = x->keys[k]->vantage == who && has_said(v, x->keys[k], t);
		}
		/* Who reaches nobody and cannot tell why has no vote; who saw it has one. */
		n += has_member(t, who) ||
		     (said && who->offline == 0 && !(who->unsure && is_outage(t->e)));
	}
	return n;
}

/* The one method that all of it was seen by: of an outage, that all were asked by. */
static void refresh_method(struct track *t)
{
	uint8_t method = METHOD_UNKNOWN;
	bool several = false;

	for (unsigned i = 0; i < t->member_count; i++) {
		const struct member *m = &t->members[i];
		unsigned n = m->key != NULL ? 1 : m->vantage->key_count;

		for (unsigned k = 0; k < n && m->state != MEMBER_GONE; k++) {
			const struct key_state *x = m->key != NULL ? m->key : m->vantage->keys[k];

			if (addr_is_set(t->e->prefix.addr) &&
			    !prefix_equal(t->e->prefix, x->key->prefix))
				continue;
			several |= method != METHOD_UNKNOWN && x->key->method != method;
			method = x->key->method;
		}
	}
	if (method != METHOD_UNKNOWN)
		t->e->method = several ? METHOD_UNKNOWN : method;
}

/* Whether two vantage points make it sure. Of an outage those who reach nobody at all, and cannot
 * tell why, do only where they are most of all who measured: others may have yet to say. */
static bool two_agree(const struct events *v, const struct track *t, unsigned live)
{
	unsigned sure = 0;

	for (unsigned i = 0; i < t->member_count && is_outage(t->e); i++)
		sure += is_live(&t->members[i]) && !t->members[i].vantage->unsure;
	return live >= 2 && (!is_outage(t->e) || sure >= 2 || 2 * live > seen_of(v, t));
}

static void refresh_status(const struct events *v, struct track *t, unsigned live)
{
	struct event *e = t->e;
	bool held = false, lasts = e->kind == EVENT_OUTAGE || e->kind == EVENT_FLAPPING;

	for (unsigned i = 0; i < t->member_count; i++)
		held |= t->members[i].state == MEMBER_HELD || t->members[i].state == MEMBER_OVER;
	if (e->status == EVENT_PROVISIONAL && (held || two_agree(v, t, live)))
		e->status = EVENT_CONFIRMED;
	if (live > 0 || lasts || t->over)
		return;
	/* Nobody sees it any more. */
	e->withdrawn = e->status == EVENT_PROVISIONAL;
	e->status = EVENT_RESOLVED;
	t->over = true;
}

void track_refresh(struct events *v, struct track *t)
{
	unsigned live = 0;
	bool over = false;
	double best = 0;

	if (t->member_count > 0) {
		refresh_moment(t);
		t->e->seen_by = refresh_vantages(t, &live);
		if (t->e->scope != EVENT_SCOPE_VANTAGE)
			refresh_method(t);
		if (t->e->status != EVENT_RESOLVED) {
			refresh_status(v, t, live);
			/* Who saw it stays known when nobody sees it any more. */
			if (t->e->status == EVENT_RESOLVED)
				t->e->seen_by = refresh_vantages(t, &live);
		}
	}
	t->e->reference = t->e->online = 0;
	for (unsigned i = 0; i < t->member_count; i++) {
		const struct member *m = &t->members[i];

		if (m->confidence > best)
			best = m->confidence;
		over |= m->state == MEMBER_OVER;
		t->e->reference += counts(t, m) && m->reference;
		t->e->online += counts(t, m) && m->online;
	}
	t->e->confidence = best < 1 ? best : 1;
	/* Who is back by the end of it was not there to tell. */
	if (t->revision == 0 || !over || !is_outage(t->e))
		t->e->seen_of = seen_of(v, t);
	if (t->e->seen_of < t->e->seen_by)
		t->e->seen_of = t->e->seen_by;
}

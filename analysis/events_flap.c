// SPDX-License-Identifier: BSD-2-Clause
/*
 * Flapping: many changes of border or reach of one key within an hour are one event with their
 * count, and the switches and outages among them are part of it. And what becomes of the vantage
 * point itself: down, or moved to another upstream.
 */
#include <string.h>

#include "analysis/events_inside.h"

/* --- flapping --------------------------------------------------------------------------------- */

static const struct change *last_change(const struct key_state *k, unsigned back)
{
	return &k->changes[(k->change_count - 1 - back) % CHANGES_MAX];
}

static int64_t window_ns(const struct events *v, const struct key_state *k)
{
	const int64_t hour = 3600 * NS_PER_S;

	if (v->o.flap_ns > 0)
		return v->o.flap_ns;
	/* Four rounds are an hour of the usual campaign. */
	return k->every_ns > 0 && k->every_ns < hour / 60 ? 4 * k->every_ns : hour;
}

/* Changes within the window that ends with the last one. */
static unsigned recent_changes(const struct events *v, const struct key_state *k)
{
	unsigned n = 0;

	while (n < k->change_count && n < CHANGES_MAX &&
	       last_change(k, 0)->at.ns - last_change(k, n)->at.ns <= window_ns(v, k))
		n++;
	return n;
}

/* Of these, those since the last time that one of them stayed for a while: what had settled before
 * is no part of it. */
static unsigned unsettled(const struct events *v, const struct key_state *k, unsigned n)
{
	int64_t round = 3 * lag_of(v, k) / 4, third = window_ns(v, k) / 3;
	int64_t while_ns = third > round ? third : round;
	unsigned m = 1;

	while (m < n && last_change(k, m - 1)->at.ns - last_change(k, m)->at.ns <= while_ns)
		m++;
	return m > 1 ? m : n;
}

/* What was told of these changes one by one is part of it. */
static void fold_singles(struct events *v, const struct key_state *k, struct wall since)
{
	for (unsigned i = 0; i < v->track_count; i++) {
		struct track *t = v->tracks[i];
		bool single = t->e->kind == EVENT_BORDER_SWITCH || t->e->kind == EVENT_OUTAGE;

		if (!t->over && single && t->e->scope == EVENT_SCOPE_PREFIX &&
		    prefix_equal(t->e->prefix, k->key->prefix) && t->e->not_after.ns >= since.ns &&
		    (track_member(t, k, k->vantage) != NULL ||
		     track_member(t, NULL, k->vantage) != NULL))
			track_fold(t, k->flap);
	}
}

static int start(struct events *v, struct key_state *k, unsigned n, const struct cell *c)
{
	const struct change *first = last_change(k, n - 1);
	struct claim claim = {.kind = EVENT_FLAPPING,
			      .scope = EVENT_SCOPE_PREFIX,
			      .prefix = k->key->prefix,
			      .not_before = first->before,
			      .not_after = first->at,
			      .planned = c->planned,
			      .confidence = 1};
	struct track *t = NULL;
	int rc;

	/* Others flap there already, since when ever. */
	for (unsigned i = 0; i < v->track_count && t == NULL; i++) {
		if (!v->tracks[i]->over && v->tracks[i]->e->kind == EVENT_FLAPPING &&
		    prefix_equal(v->tracks[i]->e->prefix, k->key->prefix))
			t = v->tracks[i];
	}
	rc = t == NULL ? track_new(v, &claim, &t) : 0;
	if (rc == 0)
		rc = track_join(t, k, k->vantage, &claim, NULL);
	if (rc < 0)
		return rc;
	track_set(t, k, MEMBER_HELD);
	k->flap = t;
	k->flap_count = n;
	k->flap_from = first->from;
	fold_singles(v, k, first->at);
	border_after_flap(k);
	return 0;
}

static void count(struct key_state *k)
{
	struct track *t = k->flap;

	for (unsigned i = 0; i < t->member_count; i++) {
		const struct key_state *m = t->members[i].key;

		if (m->flap == t && m->flap_count > t->e->changes)
			t->e->changes = m->flap_count;
	}
	t->dirty = true;
	t->late = t->revision > 0;
}

int flap_change(struct events *v, struct key_state *k, const struct cell *c, bool border,
		struct wall before, struct wall at)
{
	const struct change x = {.at = at, .before = before, .from = k->border.last};
	int rc = 0;

	k->changes[k->change_count++ % CHANGES_MAX] = x;
	if (border)
		k->flap_border = x;
	if (k->flap != NULL) {
		k->flap_count++;
	} else {
		unsigned n = recent_changes(v, k);

		if (n < v->o.flap_changes)
			return 0;
		rc = start(v, k, unsettled(v, k, n), c);
	}
	if (rc < 0)
		return rc;
	count(k);
	track_evidence(k->flap, at, k->key->vantage, c->example, "%s",
		       border ? "the way in changed" : "answers came or went");
	return 0;
}

/* What holds after it, if it is not what held before: a switch of its own. */
static int tell_net_change(struct events *v, struct key_state *k, const struct cell *c,
			   struct track *flap)
{
	struct border_state *b = &k->border;
	struct claim claim = {.kind = EVENT_BORDER_SWITCH,
			      .scope = EVENT_SCOPE_PREFIX,
			      .prefix = k->key->prefix,
			      .way = b->standing,
			      .not_before = k->flap_border.before,
			      .not_after = k->flap_border.at,
			      .planned = c->planned,
			      .confidence = c->confidence};
	struct track *t;
	int rc;

	if (b->standing.outcome == OUTCOME_UNDETERMINED ||
	    k->flap_from.outcome == OUTCOME_UNDETERMINED ||
	    (b->standing.outcome == k->flap_from.outcome &&
	     b->standing.border == k->flap_from.border))
		return 0;
	border_state_text(v, k->flap_from, claim.from.what, sizeof(claim.from.what));
	border_state_text(v, b->standing, claim.to.what, sizeof(claim.to.what));
	claim.to.asn = b->asn;
	text_set(claim.to.org, sizeof(claim.to.org), b->org != NULL ? b->org : "");
	rc = track_claim(v, k, k->vantage, &claim, &t);
	if (rc < 0)
		return rc;
	track_set(t, k, MEMBER_HELD);
	track_evidence(t, claim.not_after, k->key->vantage, c->example,
		       "what holds since it stopped flapping");
	track_coincide(t, flap);
	b->track = t;
	return 0;
}

static void leave(struct key_state *k)
{
	struct track *t = k->flap;
	struct member *m = track_member(t, k, k->vantage);
	bool live = false;

	k->flap = NULL;
	k->vantage->reach_changed = true;
	if (m != NULL) {
		m->state = MEMBER_OVER;
		m->until = last_change(k, 0)->at;
	}
	for (unsigned i = 0; i < t->member_count; i++) {
		live |= t->members[i].state == MEMBER_HELD;
		if (t->members[i].until.ns > t->e->until.ns)
			t->e->until = t->members[i].until;
	}
	if (!live) {
		t->e->status = EVENT_RESOLVED;
		t->over = true;
	} else {
		t->e->until = (struct wall){0};
	}
	t->dirty = true;
}

static int64_t quiet_ns(const struct events *v, const struct key_state *k)
{
	int64_t rounds = v->o.clear_rounds * lag_of(v, k) / 2;

	return window_ns(v, k) > rounds ? window_ns(v, k) : rounds;
}

int flap_cell(struct events *v, struct key_state *k, const struct cell *c)
{
	struct track *t = k->flap;

	if (t == NULL || c->last.ns - last_change(k, 0)->at.ns < quiet_ns(v, k))
		return 0;
	leave(k);
	border_after_flap(k);
	note_way(k, t->e->not_before, last_change(k, 0)->at);
	return tell_net_change(v, k, c, t);
}

void flap_flush(struct events *v)
{
	for (unsigned i = 0; i < v->track_count; i++) {
		struct track *t = v->tracks[i];

		for (unsigned m = 0; t->e->kind == EVENT_FLAPPING && m < t->member_count; m++) {
			uint32_t number = t->members[m].key->key->number;
			struct key_state *k = v->keys[number];

			if (k->flap == t && v->now.ns - k->measured.ns > 2 * quiet_ns(v, k)) {
				leave(k);
				border_after_flap(k);
			}
		}
	}
}

/* --- the vantage point ------------------------------------------------------------------------ */

static int vantage_track(struct events *v, struct vantage_state *who, uint8_t kind,
			 struct wall before, struct wall at, struct wall planned,
			 struct track **out)
{
	struct claim claim = {.kind = kind,
			      .scope = EVENT_SCOPE_VANTAGE,
			      .not_before = before,
			      .not_after = at,
			      .planned = planned,
			      .confidence = 1};
	int rc = track_new(v, &claim, out);

	if (rc == 0)
		rc = track_join(*out, NULL, who, &claim, NULL);
	if (rc == 0)
		text_set((*out)->e->vantage, sizeof((*out)->e->vantage), who->name);
	return rc;
}

static int went_offline(struct events *v, struct vantage_state *who, const struct cell *c)
{
	struct track *t;
	int rc;

	if (c->planned.ns <= who->planned.ns)
		return 0;
	who->planned = c->planned;
	if (who->offline++ == 0) {
		who->offline_first = c->end;
		who->offline_round = c->planned;
	}
	/* What was so from the start is no change. */
	if (who->offline < v->o.raise_rounds || who->down != NULL || who->online.ns == 0)
		return 0;
	rc = vantage_track(v, who, EVENT_OUTAGE, who->online, who->offline_first,
			   who->offline_round, &t);
	if (rc < 0)
		return rc;
	t->e->outage = EVENT_OUTAGE_VANTAGE;
	text_set(t->e->from.what, sizeof(t->e->from.what), "reached");
	text_set(t->e->to.what, sizeof(t->e->to.what), "silent");
	track_set(t, NULL, MEMBER_HELD);
	track_evidence(t, c->end, who->name, "", "it reached nobody: no target, no reference host");
	who->down = t;
	return 0;
}

static void came_back(struct vantage_state *who, const struct cell *c)
{
	struct track *t = who->down;

	who->offline = 0;
	who->reference = c->reference;
	who->heard = c->online;
	who->unsure = c->unsure;
	who->cut_off = who->cut_off && c->unsure;
	if (c->last.ns > who->online.ns)
		who->online = c->last;
	if (t == NULL)
		return;
	who->down = NULL;
	track_set(t, NULL, MEMBER_OVER);
	t->e->kind = EVENT_RECOVERY;
	t->e->status = EVENT_RESOLVED;
	t->e->until = c->any_first;
	t->over = true;
}

/* Seen in one round; the next one tells whether it stays there. */
static int moved(struct events *v, struct key_state *k, const struct cell *c)
{
	struct vantage_state *who = k->vantage;
	int rc = 0;

	if (who->move != NULL && c->planned.ns > who->move_planned.ns) {
		track_set(who->move, NULL, c->moved ? MEMBER_GONE : MEMBER_HELD);
		who->move = NULL;
	}
	if (!c->moved || c->planned.ns <= who->move_planned.ns)
		return 0;
	who->move_planned = c->planned;
	rc = vantage_track(v, who, EVENT_PATH_CHANGE, who->online, c->any_first, c->planned,
			   &who->move);
	if (rc < 0)
		return rc;
	who->move->e->networks = true;
	track_evidence(who->move, c->any_first, who->name, c->example,
		       "its address, its network or its first transit changed");
	return 0;
}

int vantage_cell(struct events *v, struct key_state *k, const struct cell *c)
{
	int rc;

	if (c->look)
		return 0;
	if (c->state == CELL_OFFLINE)
		return went_offline(v, k->vantage, c);
	if (c->state != CELL_MEASURED)
		return 0;
	rc = moved(v, k, c);
	came_back(k->vantage, c);
	return rc;
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * Events that are open: their members, how vantage points are put together, and their revisions.
 * What members make of them is events_votes.c's; finds nothing itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/events_inside.h"
#include "analysis/sentence.h"
#include "core/err.h"

enum { TRACKS_MAX = 1024, KEEP_ROUNDS = 12, KEEP_WAY_ROUNDS = 128 };

int64_t lag_of(const struct events *v, const struct key_state *k)
{
	return 2 * (k != NULL && k->every_ns > 0 ? k->every_ns : v->every_ns);
}

/* --- members ---------------------------------------------------------------------------------- */

/* Rounds and closer looks that overlap may show the new before the last of the old: then the first
 * sight of the new is all that is known. */
static struct wall old_until(const struct claim *c)
{
	return c->not_before.ns < c->not_after.ns ? c->not_before : c->not_after;
}

struct member *track_member(struct track *t, const struct key_state *k,
			    const struct vantage_state *vantage)
{
	for (unsigned i = 0; i < t->member_count; i++) {
		if (t->members[i].key == k && t->members[i].vantage == vantage)
			return &t->members[i];
	}
	return NULL;
}

int track_join(struct track *t, struct key_state *k, struct vantage_state *vantage,
	       const struct claim *claim, struct member **out)
{
	struct member *m = track_member(t, k, vantage);

	if (m == NULL && t->member_count == t->member_room) {
		unsigned room = t->member_room > 0 ? 2 * t->member_room : 4;
		struct member *p = reallocarray(t->members, room, sizeof(*p));

		if (p == NULL)
			return BP_ENOMEM;
		t->members = p;
		t->member_room = room;
	}
	if (m == NULL)
		m = &t->members[t->member_count++];
	*m = (struct member){.key = k,
			     .vantage = vantage,
			     .state = MEMBER_SUSPECTED,
			     .not_before = old_until(claim),
			     .not_after = claim->not_after,
			     .at = claim->not_after,
			     .confidence = claim->confidence};
	t->dirty = true;
	if (out != NULL)
		*out = m;
	return 0;
}

void track_set(struct track *t, const struct key_state *k, uint8_t state)
{
	for (unsigned i = 0; i < t->member_count; i++) {
		if (t->members[i].key == k && t->members[i].state != state) {
			t->members[i].state = state;
			t->dirty = true;
		}
	}
}

/* --- finding ---------------------------------------------------------------------------------- */

/* Mixed, on the way from one to another, is not told apart from the other. */
static bool same_end(const struct track *t, const struct claim *c)
{
	return strcmp(t->e->to.what, c->to.what) == 0 ||
	       (c->kind == EVENT_BORDER_SWITCH &&
		(t->way.outcome == OUTCOME_MIXED || c->way.outcome == OUTCOME_MIXED));
}

static bool same_thing(const struct track *t, const struct claim *c)
{
	const struct event *e = t->e;

	return e->kind == c->kind && e->scope == c->scope && prefix_equal(e->prefix, c->prefix) &&
	       addr_equal(e->host, c->host) &&
	       strcmp(e->from.what, c->from.what) == 0 && same_end(t, c) &&
	       (e->shift_ns < 0) == (c->shift_ns < 0);
}

/* Distance of the brackets; 0: they overlap. */
static int64_t apart(const struct event *e, const struct claim *c)
{
	if (c->not_before.ns > e->not_after.ns)
		return c->not_before.ns - e->not_after.ns;
	return e->not_before.ns > c->not_after.ns ? e->not_before.ns - c->not_after.ns : 0;
}

int track_new(struct events *v, const struct claim *c, struct track **out)
{
	struct track *t = calloc(1, sizeof(*t));

	if (t != NULL)
		t->e = malloc(sizeof(*t->e));
	if (t == NULL || t->e == NULL)
		goto out;
	if (v->track_count == v->track_room) {
		unsigned room = v->track_room > 0 ? 2 * v->track_room : 32;
		struct track **p = reallocarray(v->tracks, room, sizeof(*p));

		if (p == NULL)
			goto out;
		v->tracks = p;
		v->track_room = room;
	}
	event_init(t->e);
	text_set(t->e->profile, sizeof(t->e->profile), v->o.profile->id);
	t->e->kind = c->kind;
	t->e->scope = c->scope;
	t->e->status = EVENT_PROVISIONAL;
	t->e->prefix = c->prefix;
	t->e->host = c->host;
	t->e->from = c->from;
	t->e->to = c->to;
	t->e->shift_ns = c->shift_ns;
	t->e->not_before = old_until(c);
	t->e->not_after = t->e->at = c->not_after;
	t->way = c->way;
	t->round = c->planned;
	t->number = ++v->track_number;
	t->dirty = true;
	v->tracks[v->track_count++] = t;
	*out = t;
	return 0;
out:
	free(t != NULL ? t->e : NULL);
	free(t);
	return BP_ENOMEM;
}

int track_claim(struct events *v, struct key_state *k, struct vantage_state *vantage,
		const struct claim *c, struct track **out)
{
	struct track *best = NULL;
	int64_t nearest = lag_of(v, k);
	int rc = 0;

	for (unsigned i = v->track_count; i-- > 0;) {
		struct track *t = v->tracks[i];
		const struct member *m = track_member(t, k, vantage);

		/* Who saw it before and no longer sees the same, but another one of its kind. */
		if (t->over || m != NULL || !same_thing(t, c) || apart(t->e, c) > nearest)
			continue;
		if (best == NULL || apart(t->e, c) < nearest) {
			best = t;
			nearest = apart(t->e, c);
		}
	}
	if (best == NULL)
		rc = track_new(v, c, &best);
	if (rc == 0)
		rc = track_join(best, k, vantage, c, NULL);
	if (rc < 0)
		return rc;
	if (best->way.outcome == OUTCOME_MIXED && c->way.outcome != OUTCOME_MIXED) {
		best->way = c->way;
		best->e->to = c->to;
	}
	*out = best;
	return 0;
}

/* --- what is known of it ---------------------------------------------------------------------- */

void track_evidence(struct track *t, struct wall at, const char *vantage, const char *trace,
		    const char *fmt, ...)
{
	struct event_evidence *x = &t->e->evidence[t->e->evidence_count];
	va_list ap;

	if (t->e->evidence_count == EVENT_EVIDENCE_MAX)
		return;
	*x = (struct event_evidence){.at = at};
	text_set(x->vantage, sizeof(x->vantage), vantage);
	text_set(x->trace, sizeof(x->trace), trace);
	va_start(ap, fmt);
	vsnprintf(x->why, sizeof(x->why), fmt, ap);
	va_end(ap);
	t->e->evidence_count++;
}

static void coincide(struct track *a, const struct track *b)
{
	for (unsigned i = 0; i < a->with_count; i++) {
		if (a->with[i] == b->number)
			return;
	}
	if (a->with_count == EVENT_COINCIDES_MAX)
		return;
	a->with[a->with_count++] = b->number;
	a->dirty = true;
}

void track_coincide(struct track *a, struct track *b)
{
	coincide(a, b);
	coincide(b, a);
}

void track_fold(struct track *t, const struct track *into)
{
	if (t->over)
		return;
	t->e->withdrawn = t->e->status == EVENT_PROVISIONAL;
	t->e->status = EVENT_RESOLVED;
	t->over = t->dirty = true;
	coincide(t, into);
}

/* --- telling ---------------------------------------------------------------------------------- */

struct track *track_find(const struct events *v, uint64_t number)
{
	for (unsigned i = 0; i < v->track_count; i++) {
		if (v->tracks[i]->number == number)
			return v->tracks[i];
	}
	return NULL;
}

static void refresh_coincides(const struct events *v, struct track *t)
{
	unsigned n = 0;

	for (unsigned i = 0; i < t->with_count; i++) {
		const struct track *other = track_find(v, t->with[i]);

		/* One that is told no more keeps the name it had. */
		if (other != NULL && other->e->id[0] != '\0')
			text_set(t->e->coincides[n], sizeof(t->e->coincides[n]), other->e->id);
		if (t->e->coincides[n][0] != '\0')
			n++;
	}
	t->e->coincide_count = n;
}

static bool is_due(const struct events *v, const struct track *t)
{
	if (!t->dirty)
		return false;
	return !t->late || t->over || t->revision == 0 ||
	       v->now.ns - t->told.ns >= v->o.flap_again_ns;
}

static void drop(struct events *v, unsigned at)
{
	struct track *t = v->tracks[at];

	for (unsigned i = 0; i < v->key_room; i++) {
		struct key_state *k = v->keys[i];

		if (k == NULL)
			continue;
		if (k->border.track == t)
			k->border.track = NULL;
		if (k->flap == t)
			k->flap = NULL;
		if (k->path != NULL && k->path->track == t)
			k->path->track = NULL;
	}
	for (unsigned i = 0; i < v->vantage_count; i++) {
		if (v->vantages[i]->down == t)
			v->vantages[i]->down = NULL;
		if (v->vantages[i]->move == t)
			v->vantages[i]->move = NULL;
	}
	free(t->members);
	free(t->e);
	free(t);
	memmove(&v->tracks[at], &v->tracks[at + 1],
		(v->track_count - at - 1) * sizeof(struct track *));
	v->track_count--;
}

/* What nothing can be added to any more. */
static bool is_done(const struct events *v, const struct track *t)
{
	bool open = !t->over && (t->e->kind == EVENT_OUTAGE || t->e->kind == EVENT_FLAPPING ||
				 t->e->status == EVENT_PROVISIONAL);
	/* A shift of the delay may be found hours after the switch that it came with. */
	bool way = !t->over && (t->e->kind == EVENT_BORDER_SWITCH ||
				t->e->kind == EVENT_PATH_CHANGE);
	int64_t keep = v->every_ns > 0 ? (way ? KEEP_WAY_ROUNDS : KEEP_ROUNDS) * v->every_ns
				       : 3600 * NS_PER_S;
	struct wall last = t->told.ns > t->e->not_after.ns ? t->told : t->e->not_after;

	return !open && !t->dirty && v->now.ns - last.ns > keep;
}

static int tell(struct events *v, struct track *t)
{
	refresh_coincides(v, t);
	sentence_summary(t->e, v->o.profile, v->networks_of);
	t->dirty = false;
	t->told = v->now;
	*v->revision = *t->e;
	return v->on_event(v->arg, v->revision);
}

static bool has_name(const struct events *v, const struct track *t)
{
	size_t n = strcspn(t->e->id + 3, "-") + 3;

	for (unsigned i = 0; i < v->track_count; i++) {
		const struct track *x = v->tracks[i];

		if (x != t && x->revision > 0 && strncmp(x->e->id, t->e->id, n) == 0)
			return true;
	}
	return false;
}

/* Two that began in one round from one state, to different ones, are told apart by a nanosecond. */
static void name_track(const struct events *v, struct track *t)
{
	event_set_fingerprint(t->e);
	text_set(t->e->revises, sizeof(t->e->revises), t->e->id);
	event_set_id(t->e, t->round, t->revision + 1);
	while (t->revision == 0 && has_name(v, t)) {
		t->round.ns++;
		event_set_id(t->e, t->round, 1);
	}
	t->revision++;
}

int tracks_tell(struct events *v)
{
	int rc = 0;

	for (unsigned i = 0; i < v->track_count; i++) {
		struct track *t = v->tracks[i];

		if (!is_due(v, t))
			continue;
		track_refresh(v, t);
		t->e->seen = v->now;
		name_track(v, t);
	}
	for (unsigned i = 0; i < v->track_count && rc == 0; i++) {
		if (is_due(v, v->tracks[i]))
			rc = tell(v, v->tracks[i]);
	}
	for (unsigned i = v->track_count; i-- > 0;) {
		if (is_done(v, v->tracks[i]))
			drop(v, i);
	}
	while (v->track_count > TRACKS_MAX)
		drop(v, 0);
	return rc;
}

void tracks_fini(struct events *v)
{
	for (unsigned i = 0; i < v->track_count; i++) {
		free(v->tracks[i]->members);
		free(v->tracks[i]->e);
		free(v->tracks[i]);
	}
	free(v->tracks);
}

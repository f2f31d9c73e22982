// SPDX-License-Identifier: BSD-2-Clause
/* The frame: cells have their turn in one order for all, and what changed is told moment by
 * moment. */
#include "analysis/events.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/events_inside.h"
#include "analysis/sentence.h"
#include "core/err.h"

enum { RAISE_ROUNDS = 2, CLEAR_ROUNDS = 3, FLAP_CHANGES = 4, HELD_MAX = 1 << 16 };

int events_new(const struct events_options *o, const struct series *s, const struct nodes *nodes,
	       int (*on_event)(void *arg, const struct event *e), void *arg, struct events **out)
{
	struct events *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return BP_ENOMEM;
	v->o = *o;
	v->o.raise_rounds = o->raise_rounds > 0 ? o->raise_rounds : RAISE_ROUNDS;
	v->o.clear_rounds = o->clear_rounds > 0 ? o->clear_rounds : CLEAR_ROUNDS;
	v->o.flap_changes = o->flap_changes > 1 ? o->flap_changes : FLAP_CHANGES;
	v->o.flap_again_ns = o->flap_again_ns > 0 ? o->flap_again_ns : 900 * NS_PER_S;
	if (v->o.flap_changes > CHANGES_MAX)
		v->o.flap_changes = CHANGES_MAX;
	v->series = s;
	v->nodes = nodes;
	v->on_event = on_event;
	v->arg = arg;
	v->networks_of = sentence_networks(o->profile);
	v->revision = malloc(sizeof(*v->revision));
	if (v->revision == NULL) {
		free(v);
		return BP_ENOMEM;
	}
	*out = v;
	return 0;
}

void events_free(struct events *v)
{
	if (v == NULL)
		return;
	queue_fini(v);
	for (unsigned i = 0; i < v->key_room; i++) {
		if (v->keys[i] != NULL) {
			path_free(v->keys[i]->path);
			delay_free(v->keys[i]->delay);
		}
		free(v->keys[i]);
	}
	for (unsigned i = 0; i < v->vantage_count; i++) {
		free(v->vantages[i]->keys);
		free(v->vantages[i]);
	}
	for (unsigned i = 0; i < v->prefix_count; i++) {
		free(v->prefixes[i]->keys);
		free(v->prefixes[i]);
	}
	free(v->keys);
	free(v->vantages);
	free(v->prefixes);
	tracks_fini(v);
	shift_scratch_free(v->scratch);
	free(v->revision);
	free(v);
}

/* --- who -------------------------------------------------------------------------------------- */

/* Room for one more pointer. */
static bool room_for(void *items, unsigned *room, unsigned count)
{
	unsigned more = *room > 0 ? 2 * *room : 16;
	void **old, *p;

	if (count < *room)
		return true;
	memcpy(&old, items, sizeof(old));
	p = reallocarray(old, more, sizeof(void *));
	if (p == NULL)
		return false;
	memcpy(items, &p, sizeof(p));
	*room = more;
	return true;
}

static struct vantage_state *find_vantage(struct events *v, const char *name)
{
	struct vantage_state *who;

	for (unsigned i = 0; i < v->vantage_count; i++) {
		if (strcmp(v->vantages[i]->name, name) == 0)
			return v->vantages[i];
	}
	if (!room_for(&v->vantages, &v->vantage_room, v->vantage_count))
		return NULL;
	who = calloc(1, sizeof(*who));
	if (who != NULL) {
		who->name = name;
		v->vantages[v->vantage_count++] = who;
	}
	return who;
}

static struct prefix_state *find_prefix(struct events *v, struct prefix prefix)
{
	struct prefix_state *p;

	for (unsigned i = 0; i < v->prefix_count; i++) {
		if (prefix_equal(v->prefixes[i]->prefix, prefix))
			return v->prefixes[i];
	}
	if (!room_for(&v->prefixes, &v->prefix_room, v->prefix_count))
		return NULL;
	p = calloc(1, sizeof(*p));
	if (p != NULL) {
		p->prefix = prefix;
		v->prefixes[v->prefix_count++] = p;
	}
	return p;
}

static bool key_before(const struct series_key *a, const struct series_key *b)
{
	int c = addr_compare(a->prefix.addr, b->prefix.addr);

	if (c == 0)
		c = a->prefix.len - b->prefix.len;
	return c < 0 || (c == 0 && a->number < b->number);
}

static struct key_state *new_key(struct events *v, const struct series_key *key)
{
	struct vantage_state *who = find_vantage(v, key->vantage);
	struct prefix_state *p = find_prefix(v, key->prefix);
	struct key_state *k;

	unsigned at;

	if (who == NULL || p == NULL || !room_for(&p->keys, &p->key_room, p->key_count) ||
	    !room_for(&who->keys, &who->key_room, who->key_count))
		return NULL;
	k = calloc(1, sizeof(*k));
	if (k == NULL)
		return NULL;
	k->key = key;
	k->vantage = who;
	k->prefix = p;
	k->inside = profile_judge_prefix(v->o.profile, key->prefix.addr).len > 0;
	p->keys[p->key_count++] = k;
	for (at = who->key_count++; at > 0 && key_before(key, who->keys[at - 1]->key); at--)
		who->keys[at] = who->keys[at - 1];
	who->keys[at] = k;
	v->keys[key->number] = k;
	return k;
}

static struct key_state *find_key(struct events *v, const struct series_key *key)
{
	if (key->number >= v->key_room) {
		unsigned room = v->key_room > 0 ? v->key_room : 16;
		struct key_state **p;

		while (room <= key->number)
			room *= 2;
		p = reallocarray(v->keys, room, sizeof(*p));
		if (p == NULL)
			return NULL;
		memset(p + v->key_room, 0, (room - v->key_room) * sizeof(struct key_state *));
		v->keys = p;
		v->key_room = room;
	}
	return v->keys[key->number] != NULL ? v->keys[key->number] : new_key(v, key);
}

/* --- one cell, one moment --------------------------------------------------------------------- */

static void note_round(struct key_state *k, const struct cell *c)
{
	if (c->every_ns > 0)
		k->every_ns = c->every_ns;
	if (c->look || c->planned.ns <= k->planned.ns)
		return;
	/* What was under way when the vantage point moved shows in the round after it too. */
	if (c->moved)
		k->moved = 2;
	else if (k->moved > 0)
		k->moved--;
	if (k->moved > 0)
		k->moved_at = c->end;
	k->planned = c->planned;
}

int events_step(struct events *v, const struct cell *c)
{
	struct key_state *k = find_key(v, c->key);
	int rc;

	if (k == NULL)
		return BP_ENOMEM;
	rc = vantage_cell(v, k, c);
	/* Hosts elsewhere, those of reference above all, only tell how we are. */
	if (rc < 0 || c->state != CELL_MEASURED || !k->inside)
		return rc;
	note_round(k, c);
	/* It moved to another upstream: what that does not let through is no news. */
	rc = k->moved > 0 && c->hosts_reached == 0 ? 0 : reach_cell(v, k, c);
	if (rc == 0)
		rc = border_cell(v, k, c);
	if (rc == 0)
		rc = path_cell(v, k, c);
	if (rc == 0)
		rc = delay_cell(v, k, c);
	if (rc == 0)
		rc = flap_cell(v, k, c);
	k->measured = c->end;
	k->started = c->last;
	return rc;
}

int events_flush(struct events *v)
{
	int rc;

	flap_flush(v);
	rc = outage_flush(v);
	return rc == 0 ? tracks_tell(v) : rc;
}

/* The cells that ended no later than `until`, those of one moment together. */
static int run(struct events *v, struct wall until)
{
	const struct cell *c;
	int rc = 0;

	while (rc == 0 && (c = queue_next(v, until)) != NULL) {
		/* A latecomer is seen now: what was told is not told otherwise. */
		struct wall at = c->end.ns > v->now.ns ? c->end : v->now;

		v->now = at;
		rc = events_step(v, c);
		queue_drop(v);
		c = queue_next(v, until);
		if (rc == 0 && (c == NULL || c->end.ns > at.ns))
			rc = events_flush(v);
	}
	return rc;
}

/* --- what comes in ---------------------------------------------------------------------------- */

int events_cell(struct events *v, const struct cell *c)
{
	int64_t lag;
	int rc = queue_push(v, c);

	if (rc < 0)
		return rc;
	if (c->every_ns > v->every_ns)
		v->every_ns = c->every_ns;
	if (c->end.ns > v->newest.ns)
		v->newest = c->end;
	lag = 2 * v->every_ns;
	/* Nobody is so late that more would have to wait. */
	if (lag > 0 && v->newest.ns - queue_first(v).ns > 2 * lag)
		return run(v, (struct wall){v->newest.ns - lag - 1});
	return v->heap_count > HELD_MAX ? run(v, v->newest) : 0;
}

int events_settle(struct events *v, struct wall until)
{
	return run(v, until);
}

int events_end(struct events *v)
{
	int rc = run(v, (struct wall){INT64_MAX});

	if (rc == 0)
		rc = delay_end(v);
	return rc == 0 ? events_flush(v) : rc;
}

/* --- how it stands ---------------------------------------------------------------------------- */

static bool concerns(const struct track *t, const struct key_state *k)
{
	const struct event *e = t->e;

	for (unsigned i = 0; i < t->member_count; i++) {
		const struct member *m = &t->members[i];
		bool here = m->key == k;

		if (m->state == MEMBER_GONE || m->state == MEMBER_OVER)
			continue;
		if (m->key == NULL && m->vantage == k->vantage) {
			here = e->scope == EVENT_SCOPE_VANTAGE ||
			       prefix_equal(e->prefix, k->key->prefix);
			for (unsigned p = 0; p < e->prefix_count && !here; p++)
				here = prefix_equal(e->prefixes[p], k->key->prefix);
		}
		if (here)
			return true;
	}
	return false;
}

void events_now(const struct events *v, const struct series_key *key, struct events_now *out)
{
	const struct key_state *k = key->number < v->key_room ? v->keys[key->number] : NULL;

	*out = (struct events_now){.suspected = false};
	for (unsigned i = 0; k != NULL && i < v->track_count; i++) {
		const struct track *t = v->tracks[i];
		const struct event *e = t->e;
		bool lasts = e->kind == EVENT_OUTAGE || e->kind == EVENT_FLAPPING;

		if (t->over || !concerns(t, k))
			continue;
		if (e->status == EVENT_PROVISIONAL) {
			out->suspected = true;
			out->suspected_kind = e->kind;
		} else if (e->scope == EVENT_SCOPE_VANTAGE) {
			out->vantage_down |= e->kind == EVENT_OUTAGE;
		} else if (lasts ||
			   v->now.ns - e->at.ns <= v->o.clear_rounds * lag_of(v, k) / 2) {
			out->active |= 1u << e->kind;
		}
	}
}

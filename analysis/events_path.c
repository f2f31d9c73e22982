// SPDX-License-Identifier: BSD-2-Clause
/*
 * Path changes of one key, by sets: at each TTL, who answered any flow in the last rounds. A way is
 * new where, at two TTLs or more, only others answer. One TTL alone is none: a router may answer
 * from either side, and its neighbours stay. Silence is never new. How many rounds it takes depends
 * on how often this key has shown new ways that were only other branches of a balanced path.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/events_inside.h"
#include "core/err.h"

enum { KEEP_ROUNDS = 256, TIDY_ROUNDS = 16, TTLS_TO_DIFFER = 2, NETWORKS_MAX = 32 };
static const double FADE = .97, SUSPECT_CHANCE = .1, HOLD_CHANCE = .01;

/* --- sets ------------------------------------------------------------------------------------- */

static bool knows(const struct path_ttl *t, uint32_t node)
{
	for (unsigned i = 0; i < t->count; i++) {
		if (t->known[i].node == node)
			return true;
	}
	return false;
}

static void forget_old(struct path_ttl *t, uint32_t round)
{
	for (unsigned i = t->count; i-- > 0;) {
		if (round - t->known[i].seen > KEEP_ROUNDS) {
			t->known[i] = t->known[--t->count];
			t->many = false;
		}
	}
}

static void add(struct path_ttl *t, uint32_t node, uint32_t round)
{
	for (unsigned i = 0; i < t->count; i++) {
		if (t->known[i].node == node) {
			t->known[i].seen = round;
			return;
		}
	}
	if (t->count == PATH_NODES)
		t->many = true;
	else
		t->known[t->count++] = (struct path_node){node, round};
}

static void learn(struct path_state *p, const struct cell *c)
{
	for (unsigned i = 0; i < c->hop_count; i++) {
		if (c->hops[i].ttl <= PATH_TTLS && c->hops[i].ttl > 0)
			add(&p->ttl[c->hops[i].ttl - 1], c->hops[i].node, p->rounds);
	}
}

/* TTLs at which only others answer than are known; *first the first of them. */
static unsigned new_at(const struct path_state *p, const struct cell *c, uint8_t *first)
{
	unsigned n = 0;

	for (unsigned i = 0, next; i < c->hop_count; i = next) {
		uint8_t ttl = c->hops[i].ttl;
		const struct path_ttl *t = &p->ttl[ttl <= PATH_TTLS && ttl > 0 ? ttl - 1 : 0];
		bool known = t->count == 0 || t->many || ttl > PATH_TTLS || ttl == 0;

		for (next = i; next < c->hop_count && c->hops[next].ttl == ttl; next++)
			known = known || knows(t, c->hops[next].node);
		if (known)
			continue;
		if (n++ == 0)
			*first = ttl;
	}
	return n;
}

/* --- networks --------------------------------------------------------------------------------- */

struct networks { uint32_t asn[NETWORKS_MAX]; unsigned count; };

static uint32_t asn_of(const struct events *v, uint32_t number)
{
	const struct node *n = nodes_get(v->nodes, number);

	return number == NODE_DESTINATION || n->skipped ? 0 : n->asn;
}

/* Networks in the order of TTLs, neighbours once; of several at one TTL the lowest number. `since`:
 * nodes seen in that round or later. */
static void networks_of(const struct events *v, const struct path_ttl *ttls, uint32_t since,
			struct networks *out)
{
	out->count = 0;
	for (unsigned t = 0; t < PATH_TTLS; t++) {
		uint32_t asn = 0;

		for (unsigned i = 0; i < ttls[t].count; i++) {
			uint32_t a = ttls[t].known[i].seen >= since
					     ? asn_of(v, ttls[t].known[i].node)
					     : 0;

			asn = a != 0 && (asn == 0 || a < asn) ? a : asn;
		}
		if (asn != 0 && out->count < NETWORKS_MAX &&
		    (out->count == 0 || out->asn[out->count - 1] != asn))
			out->asn[out->count++] = asn;
	}
}

static bool has_network(const struct events *v, const struct path_ttl *ttls, uint32_t asn)
{
	for (unsigned t = 0; t < PATH_TTLS; t++) {
		for (unsigned i = 0; i < ttls[t].count; i++) {
			if (asn_of(v, ttls[t].known[i].node) == asn)
				return true;
		}
	}
	return false;
}

/* Somebody's network came, or one went from a TTL at which others answer now. */
static bool networks_differ(const struct events *v, const struct path_state *p)
{
	for (unsigned t = 0; t < PATH_TTLS; t++) {
		const struct path_ttl *was = &p->ttl[t], *is = &p->next[t];
		bool replaced = is->count > 0 && was->count > 0;

		for (unsigned i = 0; i < is->count; i++) {
			uint32_t asn = asn_of(v, is->known[i].node);

			replaced = replaced && !knows(was, is->known[i].node);
			if (asn != 0 && !has_network(v, p->ttl, asn))
				return true;
		}
		for (unsigned i = 0; replaced && i < was->count; i++) {
			uint32_t asn = asn_of(v, was->known[i].node);

			if (asn != 0 && !has_network(v, p->next, asn))
				return true;
		}
	}
	return false;
}

/* "3356 20485": what differs, with one network in common on either side. */
static void put_networks(const struct networks *n, unsigned from, unsigned to,
			 struct event_state *out)
{
	size_t used = 0;

	for (unsigned i = from; i < to && i < n->count && used < sizeof(out->what); i++)
		used += (size_t)snprintf(out->what + used, sizeof(out->what) - used,
					 "%s%" PRIu32, i > from ? " " : "", n->asn[i]);
}

static void tell_networks(const struct events *v, const struct path_state *p, struct claim *out)
{
	struct networks was, is;
	unsigned head = 0, tail = 0;

	networks_of(v, p->ttl, 0, &was);
	networks_of(v, p->next, 0, &is);
	while (head < was.count && head < is.count && was.asn[head] == is.asn[head])
		head++;
	while (tail < was.count - head && tail < is.count - head &&
	       was.asn[was.count - 1 - tail] == is.asn[is.count - 1 - tail])
		tail++;
	head -= head > 0;
	tail -= tail > 0;
	put_networks(&was, head, was.count - tail, &out->from);
	put_networks(&is, head, is.count - tail, &out->to);
}

/* The lowest address at that TTL. */
static void tell_router(const struct events *v, const struct path_ttl *t, struct event_state *out)
{
	struct addr low = {0};
	char text[ADDR_TEXT];
	bool reached = false;

	for (unsigned i = 0; i < t->count; i++) {
		const struct node *n = nodes_get(v->nodes, t->known[i].node);

		reached |= t->known[i].node == NODE_DESTINATION;
		if (t->known[i].node != NODE_DESTINATION &&
		    (!addr_is_set(low) || addr_compare(n->addr, low) < 0))
			low = n->addr;
	}
	text_set(out->what, sizeof(out->what),
		 addr_is_set(low) ? addr_format(low, text)
		 : reached	  ? "the destination"
				  : "");
}

/* --- what is suspected ------------------------------------------------------------------------ */

static int suspect(struct events *v, struct key_state *k, const struct cell *c)
{
	struct path_state *p = k->path;
	struct claim claim = {.kind = EVENT_PATH_CHANGE,
			      .scope = EVENT_SCOPE_PREFIX,
			      .prefix = k->key->prefix,
			      .not_before = p->held,
			      .not_after = p->not_after,
			      .planned = p->planned,
			      .confidence = 1 - p->chance};
	bool networks = networks_differ(v, p);
	int rc;

	if (networks) {
		tell_networks(v, p, &claim);
	} else {
		tell_router(v, &p->ttl[p->first_ttl - 1], &claim.from);
		tell_router(v, &p->next[p->first_ttl - 1], &claim.to);
	}
	rc = track_claim(v, k, k->vantage, &claim, &p->track);
	if (rc < 0)
		return rc;
	p->track->e->networks |= networks;
	if (p->track->e->ttl == 0 || p->first_ttl < p->track->e->ttl)
		p->track->e->ttl = p->first_ttl;
	track_evidence(p->track, c->any_first, k->key->vantage, c->example,
		       "from TTL %u on nobody answers any flow who did before%s", p->first_ttl,
		       c->look ? " (a closer look)" : "");
	return 0;
}

static void take_back(struct key_state *k)
{
	struct path_state *p = k->path;

	if (p->track != NULL)
		track_set(p->track, k, MEMBER_GONE);
	p->track = NULL;
	p->pending = 0;
	free(p->next);
	p->next = NULL;
}

/* The new way is the way: where it differs nothing of the old is known any more. */
static void replace(struct path_state *p)
{
	for (unsigned t = 0; t < PATH_TTLS; t++) {
		struct path_ttl *was = &p->ttl[t];
		bool known = false;

		for (unsigned i = 0; i < p->next[t].count; i++)
			known = known || knows(was, p->next[t].known[i].node);
		if (p->next[t].count > 0 && !known)
			*was = (struct path_ttl){.count = 0};
		for (unsigned i = 0; i < p->next[t].count; i++)
			add(was, p->next[t].known[i].node, p->rounds);
	}
}

static int differs(struct events *v, struct key_state *k, const struct cell *c, uint8_t first)
{
	struct path_state *p = k->path;
	int rc = 0;

	if (p->next == NULL)
		p->next = calloc(PATH_TTLS, sizeof(*p->next));
	if (p->next == NULL)
		return BP_ENOMEM;
	if (p->pending++ == 0) {
		p->chance = 1;
		p->not_after = c->any_first;
		p->planned = c->planned;
		p->first_ttl = first;
	}
	p->chance *= (p->novel + 1) / (p->measured + 2);
	for (unsigned i = 0; i < c->hop_count; i++) {
		if (c->hops[i].ttl <= PATH_TTLS && c->hops[i].ttl > 0)
			add(&p->next[c->hops[i].ttl - 1], c->hops[i].node, p->rounds);
	}
	if (p->track == NULL && p->chance <= SUSPECT_CHANCE)
		rc = suspect(v, k, c);
	if (rc < 0 || p->pending < v->o.raise_rounds || p->chance > HOLD_CHANCE)
		return rc;
	if (p->track != NULL)
		track_set(p->track, k, MEMBER_HELD);
	p->track = NULL;
	note_way(k, p->held, p->not_after);
	replace(p);
	free(p->next);
	p->next = NULL;
	p->measured = p->measured * FADE + p->pending;
	p->novel = p->novel * FADE + 1;
	p->pending = 0;
	p->held = c->last;
	return 0;
}

void path_free(struct path_state *p)
{
	if (p != NULL)
		free(p->next);
	free(p);
}

void note_way(struct key_state *k, struct wall not_before, struct wall not_after)
{
	k->ways[k->way_count++ % WAYS_SEEN] = (struct bracket){not_before, not_after};
}

void path_forget(struct key_state *k)
{
	if (k->path == NULL)
		return;
	take_back(k);
	memset(k->path, 0, sizeof(*k->path));
}

void path_fold(struct events *v, struct key_state *k, struct track *into)
{
	int64_t lag = lag_of(v, k);

	for (unsigned i = 0; i < v->track_count; i++) {
		struct track *t = v->tracks[i];

		if (!t->over && t->e->kind == EVENT_PATH_CHANGE &&
		    track_member(t, k, k->vantage) != NULL &&
		    t->e->not_before.ns - lag <= into->e->not_after.ns &&
		    into->e->not_before.ns - lag <= t->e->not_after.ns)
			track_fold(t, into);
	}
}

int path_cell(struct events *v, struct key_state *k, const struct cell *c)
{
	struct path_state *p = k->path;
	uint8_t first = 0;

	/* What the border or reach tell is told there. */
	if (k->flap != NULL || k->border.pending.outcome != OUTCOME_UNDETERMINED ||
	    c->hosts_reached == 0 || k->reach.now > REACH_NOW_UP || k->moved > 0)
		return 0;
	if (p == NULL) {
		p = k->path = calloc(1, sizeof(*p));
		if (p == NULL)
			return BP_ENOMEM;
	}
	p->rounds++;
	for (unsigned t = 0; p->rounds % TIDY_ROUNDS == 0 && t < PATH_TTLS; t++)
		forget_old(&p->ttl[t], p->rounds);
	if (new_at(p, c, &first) >= TTLS_TO_DIFFER)
		return differs(v, k, c, first);
	p->measured = p->measured * FADE + 1;
	p->novel *= FADE;
	if (p->pending > 0) {
		/* Another branch of a balanced path: known from now on. */
		p->novel += p->pending;
		p->measured += p->pending;
		for (unsigned t = 0; t < PATH_TTLS; t++) {
			for (unsigned i = 0; i < p->next[t].count; i++)
				add(&p->ttl[t], p->next[t].known[i].node, p->rounds);
		}
		take_back(k);
	}
	learn(p, c);
	p->held = c->last;
	return 0;
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * The TTL that answers arrive with: where it changes for at least half of the hosts, and stays so,
 * while the way there stands, another way back is suspected. Also whether the way there stands.
 */
#include <string.h>

#include "analysis/events_inside.h"

enum {
	KEEP_ROUNDS = 256,
	ROUNDS_MIN = 8,      /* of a host, before anything of it is new */
	WAY_TTLS_MIN = 2,    /* routers that must be known to say that the way there stands */
};
static const double FADE = .97, HOLD_CHANCE = .01;

/* --- the way there ---------------------------------------------------------------------------- */

static bool is_near(struct wall a_first, struct wall a_last, struct wall b_first,
		    struct wall b_last, int64_t lag)
{
	return a_first.ns - lag <= b_last.ns && b_first.ns - lag <= a_last.ns;
}

bool way_changed(const struct events *v, const struct key_state *k, struct wall not_before,
		 struct wall not_after, struct track **out)
{
	unsigned kept = k->way_count < WAYS_SEEN ? k->way_count : WAYS_SEEN;
	int64_t lag = lag_of(v, k);

	*out = NULL;
	for (unsigned i = v->track_count; i-- > 0 && *out == NULL;) {
		struct track *t = v->tracks[i];
		const struct event *e = t->e;
		bool way = e->kind == EVENT_BORDER_SWITCH || e->kind == EVENT_PATH_CHANGE;

		if (way && !e->withdrawn &&
		    is_near(not_before, not_after, e->not_before, e->not_after, lag) &&
		    track_member(t, k, k->vantage) != NULL)
			*out = t;
	}
	for (unsigned i = 0; i < kept; i++) {
		if (is_near(not_before, not_after, k->ways[i].not_before, k->ways[i].not_after,
			    lag))
			return true;
	}
	return *out != NULL;
}

bool way_is_known(const struct key_state *k)
{
	unsigned known = 0;

	for (unsigned i = 0; k->path != NULL && i < PATH_TTLS; i++)
		known += k->path->ttl[i].count > 0 && !k->path->ttl[i].many;
	return known >= WAY_TTLS_MIN && k->path->pending == 0 &&
	       k->border.pending.outcome == OUTCOME_UNDETERMINED;
}

/* --- replies ---------------------------------------------------------------------------------- */

static struct reply_host *find_host(struct reply_state *r, struct addr dst)
{
	for (unsigned i = 0; i < r->count; i++) {
		if (addr_equal(r->hosts[i].dst, dst))
			return &r->hosts[i];
	}
	if (r->count == SERIES_HOSTS_MAX)
		memmove(&r->hosts[0], &r->hosts[1], --r->count * sizeof(r->hosts[0]));
	r->hosts[r->count] = (struct reply_host){.dst = dst};
	return &r->hosts[r->count++];
}

static void learn(struct reply_host *h, int16_t ttl)
{
	unsigned at = 0;

	for (unsigned i = 0; i < h->count; i++) {
		if (h->ttl[i] == ttl) {
			h->seen[i] = h->rounds;
			return;
		}
		if (h->seen[i] < h->seen[at])
			at = i;
	}
	if (h->count < REPLY_TTLS)
		at = h->count++;
	h->ttl[at] = ttl;
	h->seen[at] = h->rounds;
}

static bool knows(const struct reply_host *h, int16_t ttl)
{
	for (unsigned i = 0; i < h->count; i++) {
		if (h->ttl[i] == ttl && h->rounds - h->seen[i] <= KEEP_ROUNDS)
			return true;
	}
	return false;
}

static void take(struct reply_host *h, int16_t ttl, const struct cell *c)
{
	h->rounds++;
	if (h->rounds > ROUNDS_MIN && !knows(h, ttl)) {
		if (h->pending++ == 0 || h->next != ttl) {
			h->pending = 1;
			h->chance = 1;
			h->first = c->answered_first;
			h->planned = c->planned;
		}
		h->next = ttl;
		h->chance *= (h->novel + 1) / (h->measured + 2);
		return;
	}
	h->measured = h->measured * FADE + 1 + h->pending;
	h->novel = h->novel * FADE + h->pending;
	if (h->pending > 0)
		learn(h, h->next);
	h->pending = 0;
	learn(h, ttl);
	h->held = c->answered_last;
}

static bool is_held(const struct events *v, const struct reply_host *h)
{
	return h->pending >= v->o.raise_rounds && h->chance <= HOLD_CHANCE;
}

static int tell(struct events *v, struct key_state *k, const struct cell *c,
		const struct reply_host *h, unsigned held, unsigned all)
{
	struct claim claim = {.kind = EVENT_RETURN_PATH,
			      .scope = EVENT_SCOPE_PREFIX,
			      .prefix = k->key->prefix,
			      .not_before = h->held,
			      .not_after = h->first,
			      .planned = h->planned,
			      .confidence = 1 - h->chance};
	struct track *way, *t;
	int rc;

	/* With another way there, another reply TTL is no news. */
	if (!way_is_known(k) || way_changed(v, k, claim.not_before, claim.not_after, &way))
		return 0;
	border_state_text(v, k->border.standing, claim.from.what, sizeof(claim.from.what));
	claim.to = claim.from;
	rc = track_claim(v, k, k->vantage, &claim, &t);
	if (rc < 0)
		return rc;
	track_set(t, k, MEMBER_HELD);
	track_evidence(t, h->first, k->key->vantage, c->example,
		       "answers of %u of %u hosts arrive with another TTL, %d instead of %d; the "
		       "way there did not change",
		       held, all, h->next, h->count > 0 ? h->ttl[0] : -1);
	return 0;
}

int reply_cell(struct events *v, struct key_state *k, const struct cell *c, struct reply_state *r)
{
	const struct reply_host *first = NULL;
	unsigned all = 0, held = 0;
	int rc = 0;

	for (unsigned i = 0; i < c->host_count; i++) {
		struct reply_host *h;

		if (c->host[i].reply_ttl < 0)
			continue;
		h = find_host(r, c->host[i].dst);
		take(h, c->host[i].reply_ttl, c);
		all++;
		if (is_held(v, h)) {
			held++;
			first = first == NULL ? h : first;
		}
	}
	if (held == 0 || 2 * held < all)
		return 0;
	rc = tell(v, k, c, first, held, all);
	/* It is the usual one from now on. */
	for (unsigned i = 0; i < r->count && rc == 0; i++) {
		struct reply_host *h = &r->hosts[i];

		if (!is_held(v, h))
			continue;
		h->count = 0;
		learn(h, h->next);
		h->novel = h->novel * FADE + 1;
		h->measured = h->measured * FADE + h->pending;
		h->pending = 0;
		h->held = c->answered_last;
	}
	return rc;
}

// SPDX-License-Identifier: BSD-2-Clause
/* Who answered in a round, and what most of its paths say of the vantage point. */
#include "campaign/vantage.h"

#include <stdlib.h>
#include <string.h>

/* Far more than a vantage point has; what does not fit has no vote. */
enum { REFERENCES_MAX = 64, VOTES_MAX = 64 };

/* So many paths say: this network, by this address. */
struct vote {
	uint32_t asn, count;
	struct addr addr;
	char org[NAME_ORG_TEXT];
};

struct votes {
	struct vote items[VOTES_MAX];
	unsigned count;
};

struct vantage_watch {
	struct addr stated;
	const struct profile *profile; /* NULL: none */
	struct { struct addr addr; bool answered; } references[REFERENCES_MAX];
	unsigned references_count;
	bool target_answered;
	struct votes sources;  /* addresses that probes left with */
	struct votes egress;   /* the network at the beginning of a path */
	struct votes transit;  /* the network behind it, by its first hop */
	struct votes networks; /* of all routers that answered */
};

int vantage_watch_new(struct addr stated, const struct profile *profile,
		      struct vantage_watch **out)
{
	struct vantage_watch *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return BP_ENOMEM;
	w->stated = stated;
	w->profile = profile;
	*out = w;
	return 0;
}

void vantage_watch_free(struct vantage_watch *w)
{
	free(w);
}

static void vote(struct votes *v, uint32_t asn, struct addr addr, const struct name *name)
{
	unsigned i = 0;

	while (i < v->count && (v->items[i].asn != asn || !addr_equal(v->items[i].addr, addr)))
		i++;
	if (i == VOTES_MAX)
		return;
	if (i == v->count) {
		v->items[i] = (struct vote){.asn = asn, .addr = addr};
		if (name != NULL)
			text_set(v->items[i].org, sizeof(v->items[i].org), name->org);
		v->count++;
	}
	v->items[i].count++;
}

static const struct name *network_of(const struct names *n, struct addr a)
{
	const struct name *name = n != NULL && addr_is_set(a) ? names_find(n, a) : NULL;

	return name != NULL && name->asn != 0 ? name : NULL;
}

/* A reply that shows where the path goes: not one that speaks for somebody else. */
static bool shows_the_way(const struct trace_entry *e)
{
	return addr_is_set(e->reply.from) && !(e->reply.flags & (REPLY_NEARER | REPLY_FTL));
}

/* Who answered at a TTL, by preference somebody whose network is known. NULL: nobody did. */
static const struct trace_entry *hop_at(const struct trace *t, uint8_t ttl, const struct names *n)
{
	const struct trace_entry *best = NULL;
	uint32_t i, end;

	if (!trace_hop(t, ttl, &i, &end))
		return NULL;
	for (; i < end; i++) {
		const struct trace_entry *e = &t->entries[i];

		if (!shows_the_way(e))
			continue;
		if (network_of(n, e->reply.from) != NULL)
			return e;
		best = best == NULL ? e : best;
	}
	return best;
}

/* From our own network into the next. A silent hop between the two may hide a third: such a path
 * has no vote. Silence before anybody answered is our own side's. */
static void take_path(struct vantage_watch *w, const struct trace *t, const struct names *n)
{
	const struct name *own = network_of(n, w->stated);
	bool answered = false, gap = false;
	uint8_t last = t->entry_count > 0 ? t->entries[t->entry_count - 1].ttl : 0;

	if (own == NULL && addr_kind(t->src) == ADDR_KIND_GLOBAL)
		own = network_of(n, t->src);
	if (own != NULL)
		vote(&w->egress, own->asn, (struct addr){0}, own);
	for (unsigned ttl = 1; ttl <= last; ttl++) {
		const struct trace_entry *hop = hop_at(t, (uint8_t)ttl, n);
		const struct name *name = hop ? network_of(n, hop->reply.from) : NULL;

		gap |= hop == NULL && answered;
		answered |= hop != NULL;
		if (name == NULL)
			continue;
		if (own == NULL) {
			own = name;
			vote(&w->egress, own->asn, (struct addr){0}, own);
		}
		if (name->asn == own->asn) {
			gap = false;
			continue;
		}
		if (!gap)
			vote(&w->transit, name->asn, hop->reply.from, name);
		return;
	}
}

static void take_networks(struct vantage_watch *w, const struct trace *t, const struct names *n)
{
	for (uint32_t i = 0; i < t->entry_count; i++) {
		const struct trace_entry *e = &t->entries[i];
		const struct name *name = network_of(n, e->reply.from);

		/* What was inherited from another trace answered there, and is counted there. */
		if (name != NULL && shows_the_way(e) && !(e->reply.flags & REPLY_INHERITED) &&
		    !trace_entry_is_destination(t, e))
			vote(&w->networks, name->asn, (struct addr){0}, name);
	}
}

static void take_reference(struct vantage_watch *w, const struct trace *t)
{
	unsigned i = 0;

	/* One that we cut short, or could not ask, was not silent. */
	if (t->reach != REACH_REACHED &&
	    (t->stop == STOP_TIMEOUT || t->stop == STOP_INTERRUPTED || t->stop == STOP_ERROR))
		return;
	while (i < w->references_count && !addr_equal(w->references[i].addr, t->dst))
		i++;
	if (i == REFERENCES_MAX)
		return;
	if (i == w->references_count)
		w->references[w->references_count++].addr = t->dst;
	w->references[i].answered |= t->reach == REACH_REACHED;
}

void vantage_watch_take(struct vantage_watch *w, const struct trace *t, const struct names *n,
			bool reference)
{
	if (reference)
		take_reference(w, t);
	else
		w->target_answered |= t->reach == REACH_REACHED;
	if (addr_is_set(t->src))
		vote(&w->sources, 0, t->src, NULL);
	take_path(w, t, n);
	take_networks(w, t, n);
}

/* --- the count ------------------------------------------------------------------------------- */

/* How many votes a network has; of the items, which has most in *best (the lower address of
 * two). */
static uint32_t votes_of(const struct votes *v, uint32_t asn, const struct vote **best)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < v->count; i++) {
		const struct vote *x = &v->items[i];

		if (x->asn != asn)
			continue;
		sum += x->count;
		if (*best == NULL || x->count > (*best)->count ||
		    (x->count == (*best)->count && addr_compare(x->addr, (*best)->addr) < 0))
			*best = x;
	}
	return sum;
}

/* The network with most votes. The one that it was before stays as long as it has any and no
 * other has more than half: where paths are spread over two carriers, chance moves nobody. NULL:
 * no vote. */
static const struct vote *most(const struct votes *v, uint32_t before)
{
	const struct vote *winner = NULL, *old = NULL;
	uint32_t sum = 0, high = 0;

	for (unsigned i = 0; i < v->count; i++)
		sum += v->items[i].count;
	for (unsigned i = 0; i < v->count; i++) {
		const struct vote *best = NULL;
		uint32_t of = votes_of(v, v->items[i].asn, &best);

		if (of > high || (of == high && best->asn < winner->asn)) {
			high = of;
			winner = best;
		}
	}
	if (before != 0 && 2 * high <= sum && votes_of(v, before, &old) > 0)
		return old;
	return winner;
}

/* The address that most probes left with; IPv4 before IPv6, or a plan of both would change it. */
static struct addr most_source(const struct votes *v)
{
	const struct vote *best = NULL;

	for (unsigned i = 0; i < v->count; i++) {
		const struct vote *x = &v->items[i];

		if (best == NULL || x->addr.family < best->addr.family ||
		    (x->addr.family == best->addr.family &&
		     (x->count > best->count ||
		      (x->count == best->count && addr_compare(x->addr, best->addr) < 0))))
			best = x;
	}
	return best == NULL ? (struct addr){0} : best->addr;
}

static bool saw_another_network(const struct vantage_watch *w, uint32_t own)
{
	for (unsigned i = 0; i < w->networks.count; i++) {
		if (w->networks.items[i].asn != own)
			return true;
	}
	return false;
}

static uint8_t health(const struct vantage_watch *w, const struct round *r, uint32_t own)
{
	if (r->reference_asked == 0)
		return w->target_answered ? ROUND_HEALTH_OK : ROUND_HEALTH_UNKNOWN;
	if (r->reference_answered == r->reference_asked)
		return ROUND_HEALTH_OK;
	if (r->reference_answered > 0 || w->target_answered)
		return ROUND_HEALTH_PARTIAL;
	return saw_another_network(w, own) ? ROUND_HEALTH_UNKNOWN : ROUND_HEALTH_OFFLINE;
}

/* A network that the profile tells as a way in: of a border, or another. */
static bool carries(const struct vantage_watch *w, uint32_t asn, struct wall when)
{
	return w->profile != NULL && (profile_border_of_asn(w->profile, asn, when) >= 0 ||
				      profile_other_of_asn(w->profile, asn, when) >= 0);
}

static uint8_t changed(const struct vantage_watch *w, const struct round *before,
		       const struct round *r)
{
	uint8_t bits = 0;

	if (addr_is_set(before->public_addr) && addr_is_set(r->public_addr)) {
		if (!addr_equal(before->public_addr, r->public_addr))
			bits |= ROUND_CHANGED_ADDRESS;
	} else if (addr_is_set(before->source) && addr_is_set(r->source) &&
		   !addr_equal(before->source, r->source)) {
		bits |= ROUND_CHANGED_ADDRESS;
	}
	if (before->egress_asn != 0 && r->egress_asn != 0 && before->egress_asn != r->egress_asn)
		bits |= ROUND_CHANGED_EGRESS;
	if (before->transit_asn != 0 && r->transit_asn != 0 &&
	    before->transit_asn != r->transit_asn && !carries(w, r->transit_asn, r->planned) &&
	    !carries(w, before->transit_asn, r->planned))
		bits |= ROUND_CHANGED_TRANSIT;
	return bits;
}

void vantage_watch_end(struct vantage_watch *w, const struct round *before, struct round *r)
{
	const struct vote *egress = most(&w->egress, before ? before->egress_asn : 0);
	const struct vote *transit = most(&w->transit, before ? before->transit_asn : 0);

	r->source = most_source(&w->sources);
	r->public_addr = w->stated;
	if (!addr_is_set(w->stated) && addr_kind(r->source) == ADDR_KIND_GLOBAL)
		r->public_addr = r->source;
	if (egress != NULL) {
		r->egress_asn = egress->asn;
		text_set(r->egress_org, sizeof(r->egress_org), egress->org);
	}
	if (transit != NULL) {
		r->transit_asn = transit->asn;
		r->transit = transit->addr;
		text_set(r->transit_org, sizeof(r->transit_org), transit->org);
	}
	r->changed = before == NULL ? 0 : changed(w, before, r);
	r->reference_asked = (uint16_t)w->references_count;
	r->reference_answered = 0;
	for (unsigned i = 0; i < w->references_count; i++)
		r->reference_answered += w->references[i].answered;
	r->health = health(w, r, r->egress_asn);
	if (r->health != ROUND_HEALTH_OFFLINE)
		return;
	/* Silence that we heard while we were cut off is nobody's but ours. */
	r->done = 0;
	r->missed = r->expected;
	if (r->missed > 0 && (r->why == ROUND_WHY_NONE || r->why > ROUND_WHY_OFFLINE))
		r->why = ROUND_WHY_OFFLINE;
}

void vantage_known(struct round *known, const struct round *r)
{
	if (addr_is_set(r->source))
		known->source = r->source;
	if (addr_is_set(r->public_addr))
		known->public_addr = r->public_addr;
	if (r->egress_asn != 0) {
		known->egress_asn = r->egress_asn;
		text_set(known->egress_org, sizeof(known->egress_org), r->egress_org);
	}
	if (r->transit_asn != 0) {
		known->transit_asn = r->transit_asn;
		known->transit = r->transit;
		text_set(known->transit_org, sizeof(known->transit_org), r->transit_org);
	}
}

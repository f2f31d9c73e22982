// SPDX-License-Identifier: BSD-2-Clause
/*
 * From answers to the reduced path. Owns who a hop speaks for: overlay label first, then the
 * profile's prefixes, then the AS table; and which answers are no hops at all (forged, repeated).
 */
#include "analysis/border_path.h"

#include <string.h>

static bool network_listed(const struct profile_network *n, unsigned count, uint32_t asn,
			   const struct wall *when)
{
	for (unsigned i = 0; asn != 0 && i < count; i++) {
		if (n[i].asn == asn && (when == NULL || validity_holds(&n[i].valid, *when)))
			return true;
	}
	return false;
}

/* The narrowest entry that holds, or NULL; when NULL: at any time. */
static const struct profile_prefix *prefix_listed(const struct profile_prefix *p, unsigned count,
						  struct addr a, const struct wall *when)
{
	const struct profile_prefix *best = NULL;

	for (unsigned i = 0; i < count; i++) {
		if (prefix_has(p[i].prefix, a) &&
		    (when == NULL || validity_holds(&p[i].valid, *when)) &&
		    (best == NULL || p[i].prefix.len > best->prefix.len))
			best = &p[i];
	}
	return best;
}

bool border_is_open(const struct profile *p, unsigned border, struct wall when)
{
	const struct profile_border *b = &p->borders[border];

	if (!validity_holds(&b->valid, when))
		return false;
	for (unsigned i = 0; i < b->networks_count; i++) {
		if (validity_holds(&b->networks[i].valid, when))
			return true;
	}
	for (unsigned i = 0; b->networks_count == 0 && i < b->prefixes_count; i++) {
		if (validity_holds(&b->prefixes[i].valid, when))
			return true;
	}
	return false;
}

/* The border whose network or prefix this is at some other time, or -1. */
static int border_once(const struct profile *p, unsigned borders, uint32_t asn, struct addr a)
{
	for (unsigned i = 0; i < borders; i++) {
		const struct profile_border *b = &p->borders[i];

		if (network_listed(b->networks, b->networks_count, asn, NULL) ||
		    prefix_listed(b->prefixes, b->prefixes_count, a, NULL) != NULL)
			return (int)i;
	}
	return -1;
}

static int border_of_id(const struct profile *p, unsigned borders, const char *id)
{
	for (unsigned i = 0; id != NULL && i < borders; i++) {
		if (strcmp(p->borders[i].id, id) == 0)
			return (int)i;
	}
	return -1;
}

/* A way the profile lists among its others: 1 at that time, -1 at another, 0 never. */
static int other_way(const struct profile *p, uint32_t asn, struct addr a, struct wall when,
		     const char **name)
{
	int found = 0;

	for (unsigned i = 0; i < p->others_count; i++) {
		const struct profile_other *o = &p->others[i];

		if (validity_holds(&o->valid, when) &&
		    (network_listed(o->networks, o->networks_count, asn, &when) ||
		     prefix_listed(o->prefixes, o->prefixes_count, a, &when) != NULL)) {
			*name = o->name != NULL ? o->name : o->id;
			return 1;
		}
		if (network_listed(o->networks, o->networks_count, asn, NULL) ||
		    prefix_listed(o->prefixes, o->prefixes_count, a, NULL) != NULL) {
			*name = o->name != NULL ? o->name : o->id;
			found = -1;
		}
	}
	return found;
}

static bool has_role(const struct profile_label *l, const char *role)
{
	return l != NULL && l->role != NULL && strcmp(l->role, role) == 0;
}

/* Whether the border whose prefix covers a, and not its AS, is named by the hop's AS at another
 * time only: then the space was not yet (or no longer) a way in. */
static bool dated_network(const struct profile_border *b, uint32_t asn, struct wall when)
{
	return network_listed(b->networks, b->networks_count, asn, NULL) &&
	       !network_listed(b->networks, b->networks_count, asn, &when);
}

/* Label, then the profile's prefix, then the AS table: what was written down for this border is
 * better than what a table says of the whole world. A disagreement is kept as such. */
static void hop_carrier(const struct profile *p, unsigned borders, const struct profile_label *l,
			struct wall when, struct border_hop *h)
{
	int by_asn = h->asn != 0 ? profile_border_of_asn(p, h->asn, when) : -1;
	int by_prefix = profile_border_of_addr(p, h->from, when);
	int by_label = l != NULL ? border_of_id(p, borders, l->border) : -1;
	const struct profile_border *at;
	const struct profile_prefix *x;
	int b;

	if (l != NULL && by_label < 0 && l->asn != 0)
		by_label = profile_border_of_asn(p, l->asn, when);
	b = by_label >= 0 ? by_label : by_prefix >= 0 ? by_prefix : by_asn;
	if (b < 0 || b >= (int)borders || !border_is_open(p, (unsigned)b, when))
		return;
	if (by_label < 0 && by_asn != b && dated_network(&p->borders[b], h->asn, when))
		return;
	h->kind = BORDER_HOP_CARRIER;
	h->border = (int8_t)b;
	h->basis = by_label >= 0 ? VIA_LABEL : by_asn == b ? VIA_HOP : VIA_PREFIX;
	/* Two borders named, or a carrier's prefix announced by a stranger (customer, error). */
	h->conflict = by_label < 0 && by_asn != b && h->asn != 0;
	at = &p->borders[b];
	x = h->basis == VIA_PREFIX ?
		    prefix_listed(at->prefixes, at->prefixes_count, h->from, &when) : NULL;
	if (x != NULL && (h->asn == 0 || h->conflict)) {
		h->asn = x->asn;
		h->org = x->label != NULL ? x->label : "";
	}
	/* The profile's name for its own carriers: short, and the same in every table's year. */
	for (unsigned i = 0; i < at->networks_count && h->asn != 0; i++) {
		if (at->networks[i].asn == h->asn && at->networks[i].org != NULL)
			h->org = at->networks[i].org;
	}
}

static void hop_classify(const struct names *names, const struct profile *p, unsigned borders,
			 struct wall when, struct border_hop *h)
{
	const struct profile_label *l = profile_label(p, h->from, when);
	enum addr_kind kind = addr_kind(h->from);
	const char *way = NULL;
	int other;

	h->name = names != NULL ? names_find(names, h->from) : NULL;
	h->asn = h->name != NULL ? h->name->asn : 0;
	h->org = h->name != NULL ? h->name->org : "";
	h->country = h->name != NULL ? h->name->country : "";
	if (l != NULL && l->asn != 0) {
		h->asn = l->asn;
		h->org = l->org != NULL ? l->org : h->org;
	}
	if (has_role(l, "exchange")) {
		h->kind = BORDER_HOP_SKIPPED;
		return;
	}
	h->customer = has_role(l, "customer");
	h->border_router = has_role(l, "border_router");
	hop_carrier(p, borders, l, when, h);
	if (h->kind == BORDER_HOP_CARRIER)
		return;
	h->border_router = false;
	other = other_way(p, h->asn, h->from, when, &way);
	if (other > 0) {
		h->kind = BORDER_HOP_WAY;
		if (h->org[0] == '\0')
			h->org = way;
		return;
	}
	if (kind == ADDR_KIND_PRIVATE || kind == ADDR_KIND_SHARED || kind == ADDR_KIND_LOOPBACK ||
	    kind == ADDR_KIND_LINK_LOCAL || kind == ADDR_KIND_MULTICAST) {
		h->kind = BORDER_HOP_SKIPPED;
		return;
	}
	h->once_way = other < 0;
	h->once = (int8_t)border_once(p, borders, h->asn, h->from);
	h->kind = h->asn != 0 ? BORDER_HOP_FOREIGN : BORDER_HOP_UNNAMED;
}

/* A router outside that says the probe's life ended there; text of other tools has no types. */
static bool outside_transit(const struct trace *t, const struct profile *p, struct wall when,
			    const struct trace_entry *e)
{
	const struct reply *r = &e->reply;

	return addr_is_set(r->from) && !(r->flags & REPLY_NEARER) &&
	       addr_kind(r->from) != ADDR_KIND_PRIVATE &&
	       !profile_inside(p, r->from, when) && !trace_entry_is_destination(t, e) &&
	       (r->icmp_type < 0 ||
		icmp_is_ttl_exceeded(r->from.family, r->icmp_type, r->icmp_code));
}

/* An answer in the destination's name before at least two routers further out have answered is
 * somebody else's (a proxy, a middlebox): the TTL before which that holds. */
static uint8_t forged_before(const struct trace *t, const struct profile *p, struct wall when)
{
	const struct trace_entry *last = NULL;

	for (uint32_t i = t->entry_count; i-- > 0;) {
		const struct trace_entry *e = &t->entries[i];

		if (!outside_transit(t, p, when, e))
			continue;
		if (last == NULL)
			last = e;
		else if (e->ttl != last->ttl && !addr_equal(e->reply.from, last->reply.from))
			return e->ttl;
	}
	return 0;
}

static struct border_hop *hop_of(struct border_path *out, struct addr a)
{
	for (unsigned i = 0; i < out->hop_count; i++) {
		if (addr_equal(out->hops[i].from, a))
			return &out->hops[i];
	}
	return NULL;
}

/* Inside is what lies in the network's prefixes. A port-unreachable from elsewhere may be the
 * target's (a host that answers from its other interface) or a firewall's that let no TTL run out
 * before: it ends a trace and proves no way in. */
static bool is_inside(const struct trace *t, const struct profile *p, struct wall when,
		      struct addr from, bool destination)
{
	return profile_inside(p, from, when) || (destination && addr_equal(from, t->dst));
}

static void reduce_entry(const struct trace *t, const struct names *names, const struct profile *p,
			 struct wall when, uint8_t forged_until, const struct trace_entry *e,
			 struct border_path *out)
{
	const struct reply *r = &e->reply;
	bool destination = trace_entry_is_destination(t, e);
	bool inside;
	struct border_hop *h;

	out->last_probed_ttl = e->ttl;
	if (!addr_is_set(r->from))
		return;
	inside = is_inside(t, p, when, r->from, destination);
	if ((r->flags & REPLY_NEARER) ||
	    (inside && ((r->flags & REPLY_FTL) || (destination && e->ttl < forged_until)))) {
		out->forged_ttl = e->ttl;
		out->forged_from = r->from;
		return;
	}
	out->last_answer_ttl = e->ttl;
	h = hop_of(out, r->from);
	if (h == NULL) {
		if (out->hop_count == BORDER_PATH_HOPS) {
			out->dropped++;
			return;
		}
		h = &out->hops[out->hop_count++];
		*h = (struct border_hop){.ttl = e->ttl, .from = r->from, .border = -1, .once = -1};
		hop_classify(names, p, out->borders, when, h);
		if (inside)
			h->kind = BORDER_HOP_INSIDE;
	}
	h->answers++;
	if (icmp_is_prohibited(r->from.family, r->icmp_type, r->icmp_code))
		h->filter = true;
}

static int hop_speaker(const struct border_path *path, const struct border_hop *h)
{
	if (h->kind == BORDER_HOP_CARRIER && !h->customer)
		return h->border;
	if (h->kind == BORDER_HOP_FOREIGN || h->kind == BORDER_HOP_WAY)
		return (int)path->other;
	return -1;
}

/* The lowest address of a speaker at one TTL, and its hop: settles ties by the data alone. */
static const struct border_hop *lowest_hop(const struct border_path *path, int speaker,
					   unsigned begin, unsigned end)
{
	const struct border_hop *low = NULL;

	for (unsigned i = begin; i < end; i++) {
		const struct border_hop *h = &path->hops[i];

		if (hop_speaker(path, h) == speaker &&
		    (low == NULL || addr_compare(h->from, low->from) < 0))
			low = h;
	}
	return low;
}

static void step_finish(struct border_path *path, struct border_step *s, unsigned begin,
			unsigned end)
{
	unsigned borders = 0;
	bool way = false;

	s->speaker = -1;
	s->hop = &path->hops[begin];
	for (unsigned i = begin; i < end; i++) {
		way = way || path->hops[i].kind == BORDER_HOP_WAY;
		/* Of routers that speak for nobody, a public one is the better example. */
		if (s->hop->kind == BORDER_HOP_SKIPPED)
			s->hop = &path->hops[i];
	}
	for (unsigned k = 0; k <= path->other; k++) {
		const struct border_hop *h = lowest_hop(path, (int)k, begin, end);

		if (h == NULL)
			continue;
		borders += k < path->other;
		if (s->speaker < 0 || s->votes[k] > s->votes[s->speaker] ||
		    (s->votes[k] == s->votes[s->speaker] &&
		     addr_compare(h->from, s->hop->from) < 0)) {
			s->speaker = (int8_t)k;
			s->hop = h;
		}
	}
	s->split = borders > 1 || (borders == 1 && way);
}

/* Hops are in order of TTL; those from the first inside one on are not outside any more. */
static void reduce_steps(struct border_path *out)
{
	unsigned end = out->hop_count, i = 0;

	for (unsigned k = 0; k < out->hop_count; k++) {
		if (out->hops[k].kind == BORDER_HOP_INSIDE) {
			out->first_inside = &out->hops[k];
			break;
		}
	}
	while (i < end && out->step_count < BORDER_PATH_STEPS) {
		struct border_step *s = &out->steps[out->step_count];
		unsigned begin = i;

		*s = (struct border_step){.ttl = out->hops[i].ttl};
		if (out->first_inside != NULL && s->ttl >= out->first_inside->ttl)
			break;
		for (; i < end && out->hops[i].ttl == s->ttl; i++) {
			const struct border_hop *h = &out->hops[i];
			int who = hop_speaker(out, h);

			if (who >= 0)
				s->votes[who] += h->answers;
			if (h->kind != BORDER_HOP_SKIPPED)
				out->last_outside = h;
		}
		step_finish(out, s, begin, i);
		/* Of two routers at the last TTL the one that speaks is the one to name. */
		if (s->hop->kind != BORDER_HOP_SKIPPED)
			out->last_outside = s->hop;
		out->step_count++;
	}
}

void border_path_reduce(const struct trace *t, const struct names *names, const struct profile *p,
			struct wall when, struct border_path *out)
{
	uint8_t forged_until = forged_before(t, p, when);

	memset(out, 0, offsetof(struct border_path, hops));
	out->hop_count = out->dropped = out->step_count = 0;
	out->last_outside = out->first_inside = NULL;
	out->forged_ttl = out->last_answer_ttl = out->last_probed_ttl = 0;
	out->forged_from = (struct addr){0};
	out->borders =
		p->borders_count < VERDICT_BORDERS_MAX ? p->borders_count : VERDICT_BORDERS_MAX;
	out->other = out->borders;
	for (uint32_t i = 0; i < t->entry_count; i++)
		reduce_entry(t, names, p, when, forged_until, &t->entries[i], out);
	reduce_steps(out);
}

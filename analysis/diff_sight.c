// SPDX-License-Identifier: BSD-2-Clause
/* Ways and verdicts as bytes. Compares none: that is diff_path.c. */
#include "analysis/diff_sight.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/border.h"
#include "core/err.h"

/* --- the way ---------------------------------------------------------------------------------- */

/* One trace by TTL. */
struct lane_hop { struct way_hop hop; struct addr addr[WAY_ADDRS]; };
struct lane {
	const struct trace *trace;
	const struct names *names;
	const struct profile *profile;
	uint8_t last;
	bool reached;
	uint8_t top; /* places of hop up to it are set; nobody looks beyond */
	struct lane_hop hop[WAY_TTLS];
};

/* 0 for an exchange's address, whatever a table says: it is no network of the path. */
static uint32_t asn_of(const struct lane *l, struct addr a)
{
	const struct name *n = l->names != NULL ? names_find(l->names, a) : NULL;
	const struct profile_label *label = profile_label(l->profile, a, l->trace->start);

	if (label != NULL && label->role != NULL && strcmp(label->role, "exchange") == 0)
		return 0;
	return n != NULL ? n->asn : 0;
}

/* Entries are in order of TTL: what was never asked for is never cleared. */
static struct lane_hop *lane_hop(struct lane *l, uint8_t ttl)
{
	while (l->top < ttl)
		l->hop[++l->top].hop = (struct way_hop){0};
	return &l->hop[ttl];
}

static void lane_add(struct lane *l, const struct trace_entry *e)
{
	struct lane_hop *h = lane_hop(l, e->ttl);

	for (unsigned i = 0; i < h->hop.count; i++) {
		if (addr_equal(h->addr[i], e->reply.from))
			return;
	}
	if (h->hop.count < WAY_ADDRS)
		h->addr[h->hop.count++] = e->reply.from;
	if (h->hop.asn == 0)
		h->hop.asn = asn_of(l, e->reply.from);
}

/* Unreachables repeat one router at TTLs that are not its own: one hop is enough. */
static bool repeats(const struct lane *l, const struct trace_entry *e)
{
	const struct reply *r = &e->reply;

	return r->icmp_type >= 0 && icmp_is_unreachable(r->from.family, r->icmp_type) &&
	       !icmp_is_port_unreachable(r->from.family, r->icmp_type, r->icmp_code) &&
	       l->last != 0 && e->ttl > l->last;
}

static void lane_fill(struct lane *l)
{
	const struct trace *t = l->trace;
	uint8_t filter_ttl = 0, probed = 0;

	for (uint32_t i = 0; i < t->entry_count; i++) {
		const struct trace_entry *e = &t->entries[i];
		const struct reply *r = &e->reply;

		probed = e->ttl;
		if (!addr_is_set(r->from) || (r->flags & (REPLY_FTL | REPLY_NEARER | REPLY_LATE)))
			continue;
		if (l->reached && e->ttl > l->last)
			break;
		if (filter_ttl != 0 && repeats(l, e))
			continue;
		/* One trace's answer in many: it names the network, and is no witness. */
		if (r->flags & REPLY_INHERITED) {
			lane_hop(l, e->ttl)->hop.asn = asn_of(l, r->from);
			continue;
		}
		lane_add(l, e);
		if (r->icmp_type >= 0 && icmp_is_unreachable(r->from.family, r->icmp_type))
			filter_ttl = e->ttl;
		l->last = e->ttl;
		l->reached = l->reached || trace_entry_is_destination(t, e);
	}
	if (!l->reached)
		l->last = probed;
}

/* A way while it is put together: all that can be in one. */
struct parts {
	struct { struct way way; struct way_hop hops[WAY_TTLS]; } head;
	uint32_t as_path[DIFF_AS_MAX];
	struct addr addrs[WAY_TTLS * WAY_ADDRS];
	unsigned addr_count;
};

static void parts_add(struct parts *p, const struct lane_hop *from, unsigned ttl, struct addr dst)
{
	struct way *w = &p->head.way;
	struct way_hop *h = &p->head.hops[w->hop_count++];

	*h = from->hop;
	h->ttl = (uint8_t)ttl;
	h->first = (uint16_t)p->addr_count;
	h->hidden = h->count > 0 && h->asn == 0 && addr_kind(from->addr[0]) == ADDR_KIND_GLOBAL;
	for (unsigned k = 0; k < h->count; k++)
		p->addrs[p->addr_count++] =
			addr_equal(from->addr[k], dst) ?
				(struct addr){.family = WAY_DESTINATION} : from->addr[k];
	if (h->asn != 0 && w->as_count < DIFF_AS_MAX &&
	    (w->as_count == 0 || p->as_path[w->as_count - 1] != h->asn))
		p->as_path[w->as_count++] = h->asn;
}

/* One behind the other. */
static int parts_put(const struct parts *p, struct intern *ways, uint32_t *number)
{
	struct { struct way way; char bytes[sizeof(*p)]; } packed;
	size_t hops = p->head.way.hop_count * sizeof(struct way_hop);
	size_t networks = p->head.way.as_count * sizeof(p->as_path[0]);
	size_t addrs = p->addr_count * sizeof(p->addrs[0]);

	_Static_assert(offsetof(typeof(packed), bytes) == sizeof(struct way), "one block");
	memcpy(&packed, &p->head, sizeof(struct way) + hops);
	memcpy(packed.bytes + hops, p->as_path, networks);
	memcpy(packed.bytes + hops + networks, p->addrs, addrs);
	return diff_intern_put(ways, &packed, sizeof(struct way) + hops + networks + addrs,
			       number);
}

int sight_way(const struct trace *t, const struct names *names, const struct profile *p,
	      struct intern *ways, uint32_t *number)
{
	struct lane lane;
	struct parts parts;

	_Static_assert(offsetof(typeof(parts.head), hops) == sizeof(struct way), "one block");
	memset(&lane, 0, offsetof(struct lane, hop));
	lane.trace = t;
	lane.names = names;
	lane.profile = p;
	lane_fill(&lane);
	parts.addr_count = 0;
	/* Where the destination did not answer, the last TTL says how long was asked. */
	parts.head.way = (struct way){.last = lane.reached ? lane.last : 0,
				      .reached = lane.reached};
	for (unsigned ttl = 1; ttl <= lane.top; ttl++) {
		const struct lane_hop *h = &lane.hop[ttl];

		if (h->hop.count > 0 || h->hop.asn != 0)
			parts_add(&parts, h, ttl, t->dst);
	}
	return parts_put(&parts, ways, number);
}

/* --- the verdict ------------------------------------------------------------------------------ */

bool sight_decided(const struct diff_verdict *v)
{
	return v->judged && v->outcome != OUTCOME_UNDETERMINED;
}

static void verdict_out(const struct verdict *v, struct diff_verdict *out)
{
	memset(out, 0, sizeof(*out));
	out->judged = v->judged;
	out->outcome = v->outcome;
	text_set(out->border, sizeof(out->border), v->border);
	out->via_asn = v->via_asn;
	text_set(out->via_org, sizeof(out->via_org), v->via_org);
	out->confidence = v->confidence;
	out->p_count = v->p_count;
	for (unsigned i = 0; i < v->p_count; i++) {
		text_set(out->p[i].id, sizeof(out->p[i].id), v->p[i].id);
		out->p[i].p = v->p[i].p;
	}
}

int sight_verdict(const struct verdict *v, struct intern *verdicts, uint32_t *number)
{
	struct sight_verdict s;

	/* Padding too: it is the bytes that are compared. */
	memset(&s, 0, sizeof(s));
	if (v != NULL && v->judged)
		verdict_out(v, &s.v);
	for (unsigned i = 0; s.v.outcome == OUTCOME_UNDETERMINED && i < s.v.p_count; i++) {
		for (unsigned k = 0; k < v->evidence_count; k++) {
			const struct verdict_evidence *e = &v->evidence[k];

			if (e->weight > 0 && strcmp(e->says, s.v.p[i].id) == 0)
				s.weight[i] += e->weight;
		}
	}
	return diff_intern_put(verdicts, &s, sizeof(s), number);
}

/* As a verdict again, as far as border_judge_list reads it. */
static void inflate(const struct sight_verdict *s, struct verdict *out)
{
	out->judged = s->v.judged;
	out->outcome = s->v.outcome;
	text_set(out->border, sizeof(out->border), s->v.border);
	out->via_asn = s->v.via_asn;
	text_set(out->via_org, sizeof(out->via_org), s->v.via_org);
	out->confidence = s->v.confidence;
	out->p_count = s->v.p_count;
	memcpy(out->p, s->v.p, sizeof(out->p));
	for (unsigned i = 0; i < s->v.p_count; i++) {
		struct verdict_evidence *e = &out->evidence[out->evidence_count];

		if (s->weight[i] <= 0)
			continue;
		text_set(e->says, sizeof(e->says), s->v.p[i].id);
		e->weight = s->weight[i];
		out->evidence_count++;
	}
}

int sight_judge(const struct sight_votes *votes, unsigned n, struct diff_verdict *out)
{
	struct verdict *all, *v = NULL;
	const struct verdict **list = NULL;
	unsigned total = 0, at = 0;
	int rc = BP_ENOMEM;

	for (unsigned i = 0; i < n; i++)
		total += votes[i].verdict->v.judged ? votes[i].count : 0;
	memset(out, 0, sizeof(*out));
	if (total == 0)
		return 0;
	if (n == 1 && total == 1) {
		*out = votes[0].verdict->v;
		return 0;
	}
	all = calloc(n + 1, sizeof(*all));
	list = calloc(total, sizeof(const struct verdict *));
	if (all == NULL || list == NULL)
		goto out;
	v = &all[n];
	for (unsigned i = 0; i < n; i++) {
		if (!votes[i].verdict->v.judged)
			continue;
		inflate(votes[i].verdict, &all[i]);
		for (unsigned k = 0; k < votes[i].count; k++)
			list[at++] = &all[i];
	}
	border_judge_list(list, total, v);
	verdict_out(v, out);
	rc = 0;
out:
	free(all);
	free(list);
	return rc;
}

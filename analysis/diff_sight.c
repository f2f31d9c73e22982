// SPDX-License-Identifier: BSD-2-Clause
/* Ways and verdicts as bytes. Compares none: that is diff_path.c. */
#include "analysis/diff_sight.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/border.h"
#include "core/err.h"

/* --- the way ---------------------------------------------------------------------------------- */

/* One trace by TTL. */
struct lane {
	const struct trace *trace;
	const struct names *names;
	const struct profile *profile;
	uint8_t last;
	bool reached;
	uint8_t top; /* places of hop up to it are set; nobody looks beyond */
	struct way_hop hop[WAY_TTLS];
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
static struct way_hop *lane_hop(struct lane *l, uint8_t ttl)
{
	while (l->top < ttl)
		l->hop[++l->top] = (struct way_hop){0};
	return &l->hop[ttl];
}

static void lane_add(struct lane *l, const struct trace_entry *e)
{
	struct way_hop *h = lane_hop(l, e->ttl);

	for (unsigned i = 0; i < h->count; i++) {
		if (addr_equal(h->addr[i], e->reply.from))
			return;
	}
	if (h->count < WAY_ADDRS)
		h->addr[h->count++] = e->reply.from;
	if (h->asn == 0)
		h->asn = asn_of(l, e->reply.from);
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
			lane_hop(l, e->ttl)->asn = asn_of(l, r->from);
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

static void hop_finish(struct way_hop *h, unsigned ttl, struct addr dst)
{
	h->ttl = (uint8_t)ttl;
	h->hidden = h->count > 0 && h->asn == 0 && addr_kind(h->addr[0]) == ADDR_KIND_GLOBAL;
	for (unsigned k = 0; k < h->count; k++) {
		if (addr_equal(h->addr[k], dst))
			h->addr[k] = (struct addr){.family = WAY_DESTINATION};
	}
}

int sight_way(const struct trace *t, const struct names *names, const struct profile *p,
	      struct intern *ways, uint32_t *number)
{
	struct lane lane;
	struct { struct way way; struct way_hop hops[WAY_TTLS]; } packed;
	struct way *w = &packed.way;
	unsigned n = 0;

	_Static_assert(offsetof(typeof(packed), hops) == sizeof(struct way), "one block");
	memset(&lane, 0, offsetof(struct lane, hop));
	lane.trace = t;
	lane.names = names;
	lane.profile = p;
	lane_fill(&lane);
	memset(w, 0, sizeof(*w));
	/* Where the destination did not answer, the last TTL says how long was asked. */
	w->last = lane.reached ? lane.last : 0;
	w->reached = lane.reached;
	for (unsigned ttl = 1; ttl <= lane.top; ttl++) {
		struct way_hop *h = &lane.hop[ttl];

		if (h->count == 0 && h->asn == 0)
			continue;
		hop_finish(h, ttl, t->dst);
		packed.hops[n++] = *h;
		if (h->asn != 0 && w->as_count < DIFF_AS_MAX &&
		    (w->as_count == 0 || w->as_path[w->as_count - 1] != h->asn))
			w->as_path[w->as_count++] = h->asn;
	}
	w->hop_count = (uint8_t)n;
	return diff_intern_put(ways, &packed, sizeof(struct way) + n * sizeof(struct way_hop),
			       number);
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

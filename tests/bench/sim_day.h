// SPDX-License-Identifier: BSD-2-Clause
/*
 * The simulated day of bench_store, from a seed: vantage points that trace the 1024 addresses of a
 * /22 every 15 minutes, 15 hops each, one attempt. What repeats does so as in reality: the first
 * hops are the vantage point's, the middle is a network's and balanced over a few branches, the
 * last outside router is a border's; answers get lost, some routers are silent, some hosts are not
 * there. Static functions in a header: one program includes it.
 */
#ifndef TESTS_BENCH_SIM_DAY_H
#define TESTS_BENCH_SIM_DAY_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/record/names.h"
#include "core/record/round.h"
#include "core/record/trace.h"
#include "core/record/verdict.h"
#include "core/text.h"

enum {
	SIM_TARGETS = 1024,
	SIM_ROUNDS = 96,
	SIM_HOPS = 15,
	SIM_EVERY_S = 900,
	SIM_BRANCHES = 4,	/* ways through the middle, by the flow's ports */
	SIM_LOSS_PERMILLE = 46, /* of answers */
	SIM_THERE_PERCENT = 55, /* hosts that answer */
};
#define SIM_START INT64_C(1795305600) /* 2026-11-22T00:00:00Z */

/* splitmix64, Steele, Lea, Flood 2014. */
static uint64_t sim_mix(uint64_t z)
{
	z += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static uint64_t sim_of(uint64_t seed, uint64_t a, uint64_t b, uint64_t c)
{
	return sim_mix(sim_mix(sim_mix(seed ^ a) ^ b << 20) ^ c << 40);
}

struct sim_trace {
	struct trace *t; /* room for SIM_HOPS */
	struct names names;
	struct verdict verdict;
};

/* Which border a network takes in an hour: one of them moves in the middle of the day. */
static bool sim_by_khasan(unsigned network, unsigned hour)
{
	return network == 1 || (network == 2 && hour >= 12);
}

static struct addr sim_v4(unsigned a, unsigned b, unsigned c, unsigned d)
{
	return addr_v4((const uint8_t[]){(uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d});
}

/* Who stands at a TTL; not set: nobody who answers. */
static struct addr sim_router(unsigned vantage, unsigned target, unsigned ttl, unsigned branch,
			      bool khasan)
{
	unsigned network = target / 256;

	if (ttl <= 4)
		return sim_v4(100, 64 + vantage / 4, vantage % 4 * 64 + ttl, 1);
	if (ttl <= 9)
		return ttl == 6 ? (struct addr){0}
				: sim_v4(62, 10 + vantage, ttl * 8 + branch, 1 + network);
	if (ttl <= 11)
		return khasan ? sim_v4(188, 43, 225, 150 + ttl % 2 * 4 + vantage % 3)
			      : sim_v4(219, 158, 100 + vantage % 3, 10 * ttl + network);
	if (ttl <= 13)
		return (struct addr){0};
	if (ttl == 14)
		return network % 2 ? sim_v4(175, 45, 176 + network, 1) : (struct addr){0};
	return sim_v4(175, 45, 176 + network, target % 256);
}

static void sim_name(struct name *n, unsigned ttl, bool khasan)
{
	static const struct {
		uint32_t asn;
		const char *org, *country, *label;
	} who[] = {
		{64500, "An access network", "DE", ""},
		{3356, "A transit network of some size", "US", ""},
		{4837, "CHINA UNICOM China169 Backbone", "CN", "China Unicom backbone"},
		{20485, "Joint Stock Company TransTeleCom", "RU", "TransTeleCom backbone"},
		{131279, "Ryugyong-dong", "KP", "inside"},
	};
	unsigned k = ttl <= 4 ? 0 : ttl <= 9 ? 1 : ttl <= 11 ? 2 + khasan : 4;

	n->asn = who[k].asn;
	n->source = who[k].label[0] ? NAME_SOURCE_OVERLAY : NAME_SOURCE_ASN_DB;
	text_set(n->org, sizeof(n->org), who[k].org);
	text_set(n->country, sizeof(n->country), who[k].country);
	text_set(n->label, sizeof(n->label), who[k].label);
}

static void sim_evidence(struct verdict *v, const char *rule, const struct trace_entry *e,
			 const char *says, double weight, const char *why)
{
	struct verdict_evidence *x = &v->evidence[v->evidence_count++];

	text_set(x->rule, sizeof(x->rule), rule);
	x->ttl = e->ttl;
	x->from = e->reply.from;
	text_set(x->says, sizeof(x->says), says);
	x->weight = weight;
	text_set(x->why, sizeof(x->why), why);
}

/* As the rules would have it: by the last hop outside, and what is behind it. */
static void sim_judge(struct sim_trace *s, bool khasan)
{
	struct verdict *v = &s->verdict;
	const struct trace_entry *e = s->t->entries, *outside = NULL, *inside = NULL;
	const char *border = khasan ? "khasan" : "dandong";

	memset(v, 0, sizeof(*v));
	v->judged = true;
	text_set(v->profile, sizeof(v->profile), "dprk");
	text_set(v->profile_version, sizeof(v->profile_version), "2026-11-22");
	for (unsigned i = 9; i < SIM_HOPS; i++) {
		if (e[i].why == WHY_NONE && i < 11)
			outside = &e[i];
		else if (e[i].why == WHY_NONE && inside == NULL)
			inside = &e[i];
	}
	v->p_count = 3;
	strcpy(v->p[0].id, "dandong");
	strcpy(v->p[1].id, "khasan");
	strcpy(v->p[2].id, "other");
	if (outside == NULL) {
		text_set(v->rule, sizeof(v->rule), "nothing-outside");
		v->p[0].p = v->p[1].p = v->confidence = .45;
		v->p[2].p = .1;
		return;
	}
	v->outcome = OUTCOME_BORDER;
	v->class = inside ? CLASS_BORDER : CLASS_INSIDE_SILENT;
	v->via_basis = VIA_HOP;
	v->via_asn = khasan ? 20485 : 4837;
	text_set(v->via_org, sizeof(v->via_org),
		 khasan ? "Joint Stock Company TransTeleCom" : "CHINA UNICOM China169 Backbone");
	text_set(v->border, sizeof(v->border), border);
	v->confidence = inside ? .97 : .9;
	v->p[khasan].p = v->confidence;
	v->p[!khasan].p = (1 - v->confidence) / 2;
	v->p[2].p = (1 - v->confidence) / 2;
	text_set(v->rule, sizeof(v->rule), "last-outside-network");
	v->last_outside_ttl = outside->ttl;
	v->last_outside = outside->reply.from;
	sim_evidence(v, "last-outside-network", outside, border, 2.1,
		     "last network before the border: a carrier of this profile; by its AS");
	sim_evidence(v, "known-last-router", outside, border, 1.3,
		     "known to be the last router before the network");
	sim_evidence(v, "carrier-before", &e[9], border, .7,
		     "in the carrier of the last hop outside too");
	if (inside != NULL) {
		v->first_inside_ttl = inside->ttl;
		v->first_inside = inside->reply.from;
		sim_evidence(v, "inside-answers", inside, "inside", 0, "answers from inside");
	}
}

static void sim_entry(struct trace *t, uint64_t seed, unsigned ttl, struct addr from,
		      int64_t *tx_ns)
{
	struct trace_entry *e = &t->entries[t->entry_count++];
	uint64_t r = sim_mix(seed ^ ttl), id = sim_mix(r);
	bool last = ttl == SIM_HOPS;

	trace_entry_init(e, (uint8_t)ttl, 1);
	*tx_ns += 200 * NS_PER_MS + (int64_t)(r % 200000000);
	e->tx_ns = *tx_ns;
	t->sent++;
	if (!addr_is_set(from))
		return;
	t->received++;
	e->why = WHY_NONE;
	e->reply.from = from;
	/* A floor, and a tail of some milliseconds. */
	e->reply.rtt_ns = ttl * 18 * NS_PER_MS + from.bytes[3] * 10 * NS_PER_US +
			  (int64_t)((r >> 32) % 4000000) * (int64_t)(1 + (r & 3));
	e->reply.icmp_type = last ? 0 : 11;
	e->reply.icmp_code = 0;
	e->reply.reply_ttl = (int16_t)((from.bytes[2] & 1 ? 255 : 64) - (int)ttl);
	e->reply.quoted_ttl = last ? -1 : 1;
	e->reply.size = last ? 60 : from.bytes[2] % 3 ? 56 : 96;
	/* Every third router sends 0. */
	e->reply.ip_id = from.bytes[2] % 3 == 1 ? 0 : (int32_t)(id & 0xffff);
}

static void sim_head(struct trace *t, unsigned vantage, unsigned target, const struct round *r,
		     uint64_t seed, uint64_t run)
{
	trace_init(t);
	snprintf(t->vantage, sizeof(t->vantage), "v%02u", vantage);
	snprintf(t->id, sizeof(t->id), "v%02u-dl%06llx-%u", vantage, (unsigned long long)run,
		 target);
	text_set(t->campaign, sizeof(t->campaign), r->campaign);
	text_set(t->round, sizeof(t->round), r->id);
	text_set(t->tool, sizeof(t->tool), "borderpath 0.1.0");
	text_set(t->ifname, sizeof(t->ifname), "eth0");
	t->src = sim_v4(203, 0, 113, vantage);
	t->dst = sim_v4(175, 45, 176 + target / 256, target % 256);
	addr_format(t->dst, t->target);
	t->method = METHOD_ICMP;
	t->stamps = STAMPS_PCAP;
	t->first_ttl = 1;
	t->max_ttl = 32;
	t->attempts = 1;
	t->gap_limit = 5;
	t->sport = (int32_t)(20000 + seed % 12768);
	t->flow = 0;
	t->probe_size = 60;
	t->wait_ms = 2000;
	t->rate_pps = 50;
	t->sent = t->received = t->drops = 0;
	t->clock_known = t->refused_known = true;
}

static int sim_names(struct sim_trace *s, bool khasan)
{
	const struct trace *t = s->t;

	s->names.count = 0;
	for (uint32_t i = 0; i < t->entry_count; i++) {
		struct name *n;

		if (!addr_is_set(t->entries[i].reply.from))
			continue;
		n = names_put(&s->names, t->entries[i].reply.from);
		if (n == NULL)
			return -1;
		sim_name(n, t->entries[i].ttl, khasan);
	}
	for (unsigned k = 0; k < 2; k++) {
		struct name *n = names_put(&s->names, k ? t->dst : t->src);

		if (n == NULL)
			return -1;
		sim_name(n, k ? SIM_HOPS : 1, khasan);
	}
	strcpy(s->names.geo.asn_db, "/var/lib/borderpath/asn.mmdb");
	strcpy(s->names.geo.asn_built, "2026-06-17");
	strcpy(s->names.geo.asn_sha256,
	       "6f1c1b8a4f0e4a4cb8a9b0a2b36e6f8fd9a8e1d21c9fb5f8bb2a74d0a4d35d1e");
	strcpy(s->names.geo.country_db, "/var/lib/borderpath/country.mmdb");
	strcpy(s->names.geo.country_built, "2026-06-17");
	strcpy(s->names.geo.country_sha256,
	       "0b6a1d0f52b1ad9c0d9c0b44be0d8ec39f4d2a6c0d55a5d9d1a1d25ce4f0c1aa");
	return 0;
}

/* The trace of one target in one round. 0, or -1: out of memory. */
static int sim_make(struct sim_trace *s, uint64_t seed, unsigned vantage, unsigned slot,
		    unsigned target, const struct round *r)
{
	uint64_t own = sim_of(seed, vantage, slot, target);
	/* The flow's ports are the run's: its branch changes from round to round, within two. */
	unsigned branch = (unsigned)(sim_of(seed, vantage, target, 7) % SIM_BRANCHES);
	bool khasan = sim_by_khasan(target / 256, slot / 4 % 24);
	bool there = sim_of(seed, target, 3, 5) % 100 < SIM_THERE_PERCENT;
	int64_t tx = 0;

	if (own % 16 == 0)
		branch = (branch + 1) % SIM_BRANCHES;
	sim_head(s->t, vantage, target, r, own, (uint64_t)vantage << 16 | slot);
	for (unsigned ttl = 1; ttl <= SIM_HOPS; ttl++) {
		struct addr from = sim_router(vantage, target, ttl, branch, khasan);

		if ((ttl == SIM_HOPS && !there) ||
		    sim_of(seed, own, ttl, 11) % 1000 < SIM_LOSS_PERMILLE)
			from = (struct addr){0};
		sim_entry(s->t, own, ttl, from, &tx);
	}
	there = s->t->entries[SIM_HOPS - 1].why == WHY_NONE;
	s->t->stop = there ? STOP_REACHED : STOP_GAP_LIMIT;
	s->t->reach = there ? REACH_REACHED : REACH_SILENT;
	s->t->reached_by = there ? REACHED_BY_ECHO_REPLY : REACHED_BY_NONE;
	s->t->start.ns =
		r->start.ns + (int64_t)target * 600 * NS_PER_MS + (int64_t)(own % 500000000);
	s->t->end.ns = s->t->start.ns + tx + 2 * NS_PER_S + (int64_t)(own >> 40);
	s->t->size = (uint32_t)trace_size(s->t->entry_count);
	sim_judge(s, khasan);
	return sim_names(s, khasan);
}

static void sim_round(struct round *r, unsigned vantage, unsigned slot)
{
	round_init(r);
	text_set(r->campaign, sizeof(r->campaign), "sweep");
	snprintf(r->vantage, sizeof(r->vantage), "v%02u", vantage);
	r->planned.ns = (SIM_START + (int64_t)slot * SIM_EVERY_S) * NS_PER_S;
	r->start.ns = r->planned.ns + (int64_t)(sim_mix(vantage) % 30) * NS_PER_S;
	r->end.ns = r->start.ns + 640 * NS_PER_S;
	r->expected = r->done = r->traces = SIM_TARGETS;
	r->health = ROUND_HEALTH_OK;
	round_set_id(r);
}

#endif

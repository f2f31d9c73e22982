// SPDX-License-Identifier: BSD-2-Clause
/*
 * Randomised records from a fixed seed: every field of trace, names and verdict, known and not
 * known. For round trips; not meant to look like a measurement.
 */
#ifndef TESTS_UNIT_CORE_RECORD_RANDOM_TRACE_H
#define TESTS_UNIT_CORE_RECORD_RANDOM_TRACE_H

#include <stdlib.h>
#include <string.h>

#include "core/record/names.h"
#include "core/record/trace.h"
#include "core/record/verdict.h"

/* xorshift64* (Vigna 2016): the same numbers on every machine. */
static inline uint64_t rnd(uint64_t *s)
{
	*s ^= *s >> 12;
	*s ^= *s << 25;
	*s ^= *s >> 27;
	return *s * UINT64_C(0x2545f4914f6cdd1d);
}

static inline uint64_t rnd_below(uint64_t *s, uint64_t n) { return rnd(s) % n; }
/* One in `n`. */
static inline bool rnd_one_in(uint64_t *s, uint64_t n) { return rnd_below(s, n) == 0; }

/* Text of up to size - 1 bytes, with all that needs escaping and UTF-8 of every length. */
static inline void rnd_text(uint64_t *s, char *out, size_t size)
{
	static const char *const pieces[] = {"a", "Z", "0", " ", "\"", "\\", "/", "{", "]", ",", ":",
					     "\xc3\xa9", "\xe6\x9c\x9d", "\xf0\x9f\x9b\xb0", "-"};
	size_t want = rnd_below(s, size), used = 0;

	while (used < want) {
		const char *p = pieces[rnd_below(s, sizeof(pieces) / sizeof(pieces[0]))];
		size_t n = strlen(p);

		if (used + n > want)
			break;
		memcpy(out + used, p, n);
		used += n;
	}
	out[used] = '\0';
}

static inline struct addr rnd_addr(uint64_t *s)
{
	uint8_t b[16] = {0};
	size_t n = rnd_one_in(s, 2) ? 4 : 16;

	for (size_t i = 0; i < n; i++)
		b[i] = rnd_one_in(s, 3) ? 0 : (uint8_t)rnd(s);
	return n == 4 ? addr_v4(b) : addr_v6(b);
}

static inline int64_t rnd_or_unknown(uint64_t *s, int64_t max)
{
	return rnd_one_in(s, 4) ? -1 : rnd_one_in(s, 4) ? max :
	       (int64_t)rnd_below(s, (uint64_t)max + 1);
}

static inline void rnd_reply(uint64_t *s, struct reply *r)
{
	r->from = rnd_addr(s);
	r->rtt_ns = rnd_or_unknown(s, INT64_C(1000000000000));
	r->icmp_type = (int16_t)rnd_or_unknown(s, 255);
	r->icmp_code = (int16_t)rnd_or_unknown(s, 255);
	r->tcp_flags = (int16_t)rnd_or_unknown(s, 511);
	r->reply_ttl = (int16_t)rnd_or_unknown(s, 255);
	r->quoted_ttl = (int16_t)rnd_or_unknown(s, 255);
	r->size = (int32_t)rnd_or_unknown(s, INT32_MAX);
	r->ip_id = (int32_t)rnd_or_unknown(s, 65535);
	r->mtu = (int32_t)rnd_or_unknown(s, INT32_MAX);
	r->flags = (uint16_t)rnd_below(s, 512);
	r->mpls_count = (uint8_t)rnd_below(s, TRACE_MPLS_MAX + 1);
	for (unsigned i = 0; i < r->mpls_count; i++)
		r->mpls[i] = (struct mpls){.label = (uint32_t)rnd_below(s, 1u << 20),
					   .exp = (uint8_t)rnd_below(s, 8),
					   .s = (uint8_t)rnd_below(s, 2),
					   .ttl = (uint8_t)rnd(s)};
	r->iface.role = (uint8_t)rnd_below(s, IFACE_NEXT_HOP + 1);
	if (r->iface.role != IFACE_NONE) {
		r->iface.index = rnd_one_in(s, 2) ? 0 : (uint32_t)rnd(s);
		r->iface.mtu = rnd_one_in(s, 2) ? 0 : (uint32_t)rnd(s);
		if (rnd_one_in(s, 2))
			r->iface.addr = rnd_addr(s);
		rnd_text(s, r->iface.name, sizeof(r->iface.name));
	}
}

static inline void rnd_head(uint64_t *s, struct trace *t)
{
	rnd_text(s, t->id, sizeof(t->id));
	rnd_text(s, t->campaign, sizeof(t->campaign));
	rnd_text(s, t->round, sizeof(t->round));
	rnd_text(s, t->vantage, sizeof(t->vantage));
	rnd_text(s, t->target, sizeof(t->target));
	rnd_text(s, t->tool, sizeof(t->tool));
	rnd_text(s, t->ifname, sizeof(t->ifname));
	rnd_text(s, t->error, sizeof(t->error));
	rnd_text(s, t->inherited_from, sizeof(t->inherited_from));
	if (!rnd_one_in(s, 4))
		t->src = rnd_addr(s);
	if (!rnd_one_in(s, 4))
		t->dst = rnd_addr(s);
	t->method = (uint8_t)rnd_below(s, METHOD_TCP + 1);
	t->stop = (uint8_t)rnd_below(s, STOP_ERROR + 1);
	t->reach = (uint8_t)rnd_below(s, REACH_SILENT + 1);
	t->reached_by = (uint8_t)rnd_below(s, REACHED_BY_RST + 1);
	t->stamps = (uint8_t)rnd_below(s, STAMPS_IMPORT + 1);
	t->first_ttl = (uint8_t)rnd(s);
	t->max_ttl = (uint8_t)rnd(s);
	t->attempts = (uint8_t)rnd(s);
	t->gap_limit = (uint8_t)rnd(s);
	t->sport = (int32_t)rnd_or_unknown(s, 65535);
	t->dport = (int32_t)rnd_or_unknown(s, 65535);
	t->flow = (int32_t)rnd_or_unknown(s, INT32_MAX);
	t->probe_size = (int32_t)rnd_or_unknown(s, INT32_MAX);
	t->wait_ms = rnd_or_unknown(s, INT64_MAX);
	t->rate_pps = rnd_or_unknown(s, INT64_MAX);
	t->sent = rnd_or_unknown(s, INT64_MAX);
	t->received = rnd_or_unknown(s, INT64_MAX);
	t->drops = rnd_or_unknown(s, INT64_MAX);
	/* 1700 .. 2200, to the nanosecond. */
	t->start.ns = rnd_one_in(s, 4) ? 0 : (int64_t)rnd_below(s, UINT64_C(7200000000000000000));
	t->end.ns = rnd_one_in(s, 4) ? 0 : -(int64_t)rnd_below(s, UINT64_C(8400000000000000000));
	t->clock_known = rnd_one_in(s, 2);
	t->clock_stepped = t->clock_known && rnd_one_in(s, 2);
	t->refused_known = rnd_one_in(s, 2);
	if (t->refused_known)
		t->refused = (struct refused){(uint32_t)rnd(s), (uint32_t)rnd(s), (uint32_t)rnd(s),
					      (uint32_t)rnd(s), UINT32_MAX};
	if (rnd_one_in(s, 2)) {
		t->slowed_times = (uint32_t)rnd(s);
		t->slowed_pps = (uint32_t)rnd(s);
		t->repeated = (uint32_t)rnd_below(s, 3);
	}
	t->place_known = rnd_one_in(s, 2);
	if (t->place_known) {
		t->lat = (double)rnd_below(s, 181) - 90;
		t->lon = (double)rnd_below(s, 3600001) / 1e4 - 180;
	}
}

/* Owned: free(). */
static inline struct trace *rnd_trace(uint64_t *s, uint32_t entries)
{
	struct trace *t = trace_new(entries);

	if (t == NULL)
		abort();
	rnd_head(s, t);
	for (uint32_t i = 0; i < entries; i++) {
		struct trace_entry *e = &t->entries[t->entry_count++];

		trace_entry_init(e, (uint8_t)(1 + rnd_below(s, 255)),
				 (uint8_t)(1 + rnd_below(s, 255)));
		e->tx_ns = rnd_one_in(s, 4) ? TX_UNKNOWN :
			   (int64_t)rnd_below(s, UINT64_C(1000000000000)) - 250000000000;
		e->why = (uint8_t)rnd_below(s, WHY_INTERRUPTED + 1);
		if (e->why == WHY_NONE)
			rnd_reply(s, &e->reply);
		else
			e->reply.flags = (uint16_t)rnd_below(s, 512);
	}
	trace_sort(t);
	t->size = (uint32_t)trace_size(t->entry_count);
	return t;
}

static inline void rnd_names(uint64_t *s, const struct trace *t, struct names *names)
{
	for (uint32_t i = 0; i < t->entry_count; i++) {
		struct name *n;

		if (!addr_is_set(t->entries[i].reply.from))
			continue;
		n = names_put(names, t->entries[i].reply.from);
		if (n == NULL)
			abort();
		n->asn = rnd_one_in(s, 3) ? 0 : (uint32_t)rnd(s);
		n->source = (uint8_t)rnd_below(s, NAME_SOURCE_OVERLAY + 1);
		rnd_text(s, n->org, sizeof(n->org));
		rnd_text(s, n->country, sizeof(n->country));
		rnd_text(s, n->overlay_country, sizeof(n->overlay_country));
		rnd_text(s, n->label, sizeof(n->label));
		rnd_text(s, n->host, sizeof(n->host));
	}
	rnd_text(s, names->geo.asn_db, sizeof(names->geo.asn_db));
	rnd_text(s, names->geo.country_db, sizeof(names->geo.country_db));
	rnd_text(s, names->geo.asn_built, sizeof(names->geo.asn_built));
	rnd_text(s, names->geo.country_built, sizeof(names->geo.country_built));
	rnd_text(s, names->geo.asn_sha256, sizeof(names->geo.asn_sha256));
	rnd_text(s, names->geo.country_sha256, sizeof(names->geo.country_sha256));
}

static inline double rnd_unit(uint64_t *s)
{
	return rnd_one_in(s, 3) ? (double)rnd_below(s, 101) / 100 :
	       (double)(rnd(s) >> 11) / 9007199254740992.0;
}

static inline void rnd_verdict(uint64_t *s, struct verdict *v)
{
	memset(v, 0, sizeof(*v));
	v->judged = true;
	rnd_text(s, v->profile, sizeof(v->profile));
	rnd_text(s, v->profile_version, sizeof(v->profile_version));
	v->outcome = (uint8_t)rnd_below(s, OUTCOME_NONE + 1);
	v->class = (uint8_t)rnd_below(s, CLASS_NOT_INSIDE + 1);
	v->via_basis = (uint8_t)rnd_below(s, VIA_LABEL + 1);
	rnd_text(s, v->border, sizeof(v->border));
	v->via_asn = rnd_one_in(s, 2) ? 0 : (uint32_t)rnd(s);
	rnd_text(s, v->via_org, sizeof(v->via_org));
	v->confidence = rnd_unit(s);
	v->p_count = (uint8_t)rnd_below(s, VERDICT_BORDERS_MAX + 2);
	for (unsigned i = 0; i < v->p_count; i++) {
		/* Keys of one object: different. */
		v->p[i].id[0] = (char)('a' + i);
		rnd_text(s, v->p[i].id + 1, sizeof(v->p[i].id) - 1);
		v->p[i].p = rnd_unit(s);
	}
	rnd_text(s, v->rule, sizeof(v->rule));
	v->last_outside_ttl = (uint8_t)rnd(s);
	v->first_inside_ttl = (uint8_t)rnd_below(s, 2);
	if (rnd_one_in(s, 2))
		v->last_outside = rnd_addr(s);
	if (rnd_one_in(s, 2))
		v->first_inside = rnd_addr(s);
	v->evidence_count = (uint8_t)rnd_below(s, VERDICT_EVIDENCE_MAX + 1);
	for (unsigned i = 0; i < v->evidence_count; i++) {
		struct verdict_evidence *e = &v->evidence[i];

		rnd_text(s, e->rule, sizeof(e->rule));
		e->ttl = (uint8_t)rnd(s);
		if (rnd_one_in(s, 2))
			e->from = rnd_addr(s);
		rnd_text(s, e->says, sizeof(e->says));
		e->weight = (rnd_unit(s) - 0.5) * 10;
		rnd_text(s, e->why, sizeof(e->why));
	}
}

#endif

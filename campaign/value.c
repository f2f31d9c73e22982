// SPDX-License-Identifier: BSD-2-Clause
/*
 * The values that are rows of their own in the store, as keys: equal values, equal bytes. A verdict
 * names an address by its TTL where the path shows it there, so that one verdict serves many paths.
 */
#include "campaign/value.h"

#include "campaign/pack.h"
#include "core/cur.h"
#include "core/err.h"

/* How an address of a verdict is written. */
enum { PLACE_NONE, PLACE_PATH, PLACE_OWN };

static int taken(const struct cur *c)
{
	return c->failed || cur_left(c) > 0 ? BP_EPARSE : 0;
}

static struct cur cur_of_blob(const void *bytes, int n)
{
	return cur_of(bytes != NULL ? bytes : "", n > 0 ? (size_t)n : 0);
}

static bool take_bool(struct cur *c)
{
	return take_below(c, 1) != 0;
}

void value_put_goal(struct buf *out, const struct trace *t)
{
	pack_text(out, t->target);
	pack_addr(out, t->dst);
	pack_u8(out, t->method);
	pack_signed(out, t->dport);
	pack_signed(out, t->flow);
}

int value_read_goal(const void *bytes, int n, struct trace *t)
{
	struct cur c = cur_of_blob(bytes, n);
	int64_t dport, flow;

	take_text(&c, t->target, sizeof(t->target));
	t->dst = take_addr(&c);
	t->method = cur_u8(&c);
	dport = take_signed(&c);
	flow = take_signed(&c);
	if (dport < -1 || dport > 65535 || flow < -1 || flow > INT32_MAX)
		return BP_EPARSE;
	t->dport = (int32_t)dport;
	t->flow = (int32_t)flow;
	return taken(&c);
}

void value_put_settings(struct buf *out, const struct trace *t)
{
	pack_addr(out, t->src);
	pack_text(out, t->tool);
	pack_text(out, t->ifname);
	pack_text(out, t->error);
	pack_u8(out, t->stamps);
	pack_u8(out, t->attempts);
	pack_u8(out, t->gap_limit);
	pack_signed(out, t->probe_size);
	pack_signed(out, t->wait_ms);
	pack_signed(out, t->rate_pps);
	pack_u8(out, t->place_known);
	if (t->place_known) {
		pack_real(out, t->lat);
		pack_real(out, t->lon);
	}
}

int value_read_settings(const void *bytes, int n, struct trace *t)
{
	struct cur c = cur_of_blob(bytes, n);
	int64_t size;

	t->src = take_addr(&c);
	take_text(&c, t->tool, sizeof(t->tool));
	take_text(&c, t->ifname, sizeof(t->ifname));
	take_text(&c, t->error, sizeof(t->error));
	t->stamps = cur_u8(&c);
	t->attempts = cur_u8(&c);
	t->gap_limit = cur_u8(&c);
	size = take_signed(&c);
	t->wait_ms = take_signed(&c);
	t->rate_pps = take_signed(&c);
	t->place_known = take_bool(&c);
	if (t->place_known) {
		t->lat = take_real(&c);
		t->lon = take_real(&c);
	}
	if (size < -1 || size > INT32_MAX)
		return BP_EPARSE;
	t->probe_size = (int32_t)size;
	return taken(&c);
}

void value_put_name(struct buf *out, const struct name *n)
{
	pack_addr(out, n->addr);
	pack_varint(out, n->asn);
	pack_u8(out, n->source);
	pack_text(out, n->org);
	pack_text(out, n->country);
	pack_text(out, n->overlay_country);
	pack_text(out, n->label);
	pack_text(out, n->host);
}

int value_read_name(const void *bytes, int n, struct name *out)
{
	struct cur c = cur_of_blob(bytes, n);

	*out = (struct name){.addr = take_addr(&c)};
	out->asn = (uint32_t)take_below(&c, UINT32_MAX);
	out->source = (uint8_t)take_below(&c, NAME_SOURCE_OVERLAY);
	take_text(&c, out->org, sizeof(out->org));
	take_text(&c, out->country, sizeof(out->country));
	take_text(&c, out->overlay_country, sizeof(out->overlay_country));
	take_text(&c, out->label, sizeof(out->label));
	take_text(&c, out->host, sizeof(out->host));
	return taken(&c);
}

/* --- verdicts --------------------------------------------------------------------------------- */

struct addr value_addr_at(const struct trace *t, uint8_t ttl)
{
	uint32_t begin, end;

	if (ttl != 0 && trace_hop(t, ttl, &begin, &end)) {
		for (uint32_t i = begin; i < end; i++) {
			if (addr_is_set(t->entries[i].reply.from))
				return t->entries[i].reply.from;
		}
	}
	return (struct addr){0};
}

static void put_place(struct buf *out, uint8_t ttl, struct addr from, const struct trace *t)
{
	pack_u8(out, ttl);
	if (!addr_is_set(from)) {
		pack_u8(out, PLACE_NONE);
	} else if (addr_equal(value_addr_at(t, ttl), from)) {
		pack_u8(out, PLACE_PATH);
	} else {
		pack_u8(out, PLACE_OWN);
		pack_addr(out, from);
	}
}

static void read_place(struct cur *c, uint8_t *ttl, struct addr *from, const struct trace *t)
{
	*ttl = cur_u8(c);
	switch (cur_u8(c)) {
	case PLACE_NONE:
		*from = (struct addr){0};
		break;
	case PLACE_PATH:
		*from = value_addr_at(t, *ttl);
		break;
	case PLACE_OWN:
		*from = take_addr(c);
		break;
	default:
		c->failed = true;
	}
}

void value_put_verdict(struct buf *out, const struct verdict *v, const struct trace *t)
{
	pack_u8(out, v->outcome);
	pack_u8(out, v->class);
	pack_u8(out, v->via_basis);
	pack_text(out, v->border);
	pack_varint(out, v->via_asn);
	pack_text(out, v->via_org);
	pack_real(out, v->confidence);
	pack_u8(out, v->p_count);
	for (unsigned i = 0; i < v->p_count; i++) {
		pack_text(out, v->p[i].id);
		pack_real(out, v->p[i].p);
	}
	pack_text(out, v->rule);
	put_place(out, v->last_outside_ttl, v->last_outside, t);
	put_place(out, v->first_inside_ttl, v->first_inside, t);
	pack_u8(out, v->evidence_count);
	for (unsigned i = 0; i < v->evidence_count; i++) {
		const struct verdict_evidence *e = &v->evidence[i];

		pack_text(out, e->rule);
		put_place(out, e->ttl, e->from, t);
		pack_text(out, e->says);
		pack_real(out, e->weight);
		pack_text(out, e->why);
	}
}

static void read_evidence(struct cur *c, struct verdict *v, const struct trace *t)
{
	v->evidence_count = (uint8_t)take_below(c, VERDICT_EVIDENCE_MAX);
	for (unsigned i = 0; i < v->evidence_count && !c->failed; i++) {
		struct verdict_evidence *e = &v->evidence[i];

		take_text(c, e->rule, sizeof(e->rule));
		read_place(c, &e->ttl, &e->from, t);
		take_text(c, e->says, sizeof(e->says));
		e->weight = take_real(c);
		take_text(c, e->why, sizeof(e->why));
	}
}

int value_read_verdict(const void *bytes, int n, struct verdict *v, const struct trace *t)
{
	struct cur c = cur_of_blob(bytes, n);

	v->outcome = (uint8_t)take_below(&c, OUTCOME_NONE);
	v->class = (uint8_t)take_below(&c, CLASS_NOT_INSIDE);
	v->via_basis = (uint8_t)take_below(&c, VIA_LABEL);
	take_text(&c, v->border, sizeof(v->border));
	v->via_asn = (uint32_t)take_below(&c, UINT32_MAX);
	take_text(&c, v->via_org, sizeof(v->via_org));
	v->confidence = take_real(&c);
	v->p_count = (uint8_t)take_below(&c, VERDICT_BORDERS_MAX + 1);
	for (unsigned i = 0; i < v->p_count && !c.failed; i++) {
		take_text(&c, v->p[i].id, sizeof(v->p[i].id));
		v->p[i].p = take_real(&c);
	}
	take_text(&c, v->rule, sizeof(v->rule));
	read_place(&c, &v->last_outside_ttl, &v->last_outside, t);
	read_place(&c, &v->first_inside_ttl, &v->first_inside, t);
	read_evidence(&c, v, t);
	v->judged = !c.failed;
	return taken(&c);
}

// SPDX-License-Identifier: BSD-2-Clause
/* The flights of a multipath target, and their records. */
#include "prober/bundle.h"

#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "prober/method/method.h"

struct bundle *bundle_new(const struct plan_trace *plan, uint32_t flows, struct mono now)
{
	struct multipath_config config = {
		.path = flight_path(plan),
		.level = plan->multipath,
		.flows_max = (uint16_t)(flows < BUNDLE_FLOWS ? flows : BUNDLE_FLOWS),
		.sparing_end = plan->method == METHOD_UDP,
	};
	struct bundle *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->plan = *plan;
	b->reserved = config.flows_max;
	b->engine = multipath_new(&config, now);
	if (b->engine == NULL) {
		free(b);
		return NULL;
	}
	return b;
}

void bundle_free(struct bundle *b)
{
	if (b == NULL)
		return;
	multipath_free(b->engine);
	free(b);
}

struct plan_trace bundle_plan(const struct bundle *b, uint16_t flow)
{
	struct plan_trace plan = b->plan;

	plan.flow = (uint16_t)(plan.flow + flow);
	plan.attempts = MULTIPATH_ATTEMPTS_MAX;
	return plan;
}

bool bundle_has_flow(const struct bundle *b, uint16_t flow)
{
	return flow < BUNDLE_FLOWS && b->plan.flow + flow < METHOD_FLOWS_MAX;
}

void bundle_add(struct bundle *b, struct flight *f, uint16_t flow)
{
	b->flights[flow] = f;
	b->reserved--;
	f->bundle = b;
	f->member = flow;
}

void bundle_answered(const struct flight_hit *hit, struct addr from, struct mono now)
{
	const struct flight *f = hit->flight;
	bool late;

	if (hit->first)
		multipath_reply(f->bundle->engine, f->member, hit->ttl, hit->attempt, hit->event,
				from, hit->rtt_ns, now, &late);
}

/* --- records --- */

/* What the first flow found at this TTL: its first answer in time, else its silence. */
static const struct trace_entry *entry_at(const struct trace *first, uint8_t ttl)
{
	uint32_t begin, end;

	if (first == NULL || !trace_hop(first, ttl, &begin, &end))
		return NULL;
	for (uint32_t i = begin; i < end; i++) {
		if (addr_is_set(first->entries[i].reply.from) &&
		    !(first->entries[i].reply.flags & REPLY_DUP))
			return &first->entries[i];
	}
	return &first->entries[begin];
}

static void inherit(struct trace *t, const struct trace_entry *from)
{
	struct trace_entry *e = &t->entries[t->entry_count++];

	*e = *from;
	e->attempt = 1;
	e->tx_ns = TX_UNKNOWN;
	e->reply.rtt_ns = -1;
	e->reply.flags = (uint16_t)((e->reply.flags & ~REPLY_LATE) | REPLY_INHERITED);
}

/* The record with room for what it inherits, and that filled in. Takes t. */
static struct trace *with_inherited(const struct bundle *b, struct trace *t, uint16_t flow,
				    const struct trace *first)
{
	const struct trace_entry *from[TRACE_MAX_TTL + 1] = {0};
	struct trace *more;
	uint32_t count = 0;

	for (unsigned ttl = b->plan.first_ttl; ttl <= b->plan.max_ttl; ttl++) {
		if (multipath_inherits(b->engine, flow, (uint8_t)ttl))
			from[ttl] = entry_at(first, (uint8_t)ttl);
		count += from[ttl] != NULL;
	}
	if (count == 0)
		return t;
	more = realloc(t, trace_size(t->entry_count + count));
	if (more == NULL) {
		free(t);
		return NULL;
	}
	for (unsigned ttl = b->plan.first_ttl; ttl <= b->plan.max_ttl; ttl++) {
		if (from[ttl] != NULL)
			inherit(more, from[ttl]);
	}
	trace_sort(more);
	more->size = (uint32_t)trace_size(more->entry_count);
	text_set(more->inherited_from, sizeof(more->inherited_from), first->id);
	return more;
}

struct trace *bundle_record(const struct bundle *b, const struct record_run *run, uint16_t flow,
			    const struct trace *first)
{
	struct multipath_end end = multipath_end_of(b->engine, flow);
	struct flight *f = b->flights[flow];
	struct trace *t;

	/* The flight's own tracer was told all and asked nothing; now it says where the probes end
	 * that belong to the path. */
	tracer_stop(&f->tracer, end.stop);
	t = record_flight(run, f);
	if (t == NULL)
		return NULL;
	t->attempts = b->plan.attempts;
	if (t->stop == STOP_ERROR)
		return t;
	t->stop = (uint8_t)end.stop;
	t->reach = (uint8_t)end.reach;
	if (t->reach != REACH_REACHED)
		t->reached_by = REACHED_BY_NONE;
	else if (t->reached_by == REACHED_BY_NONE && first != NULL)
		t->reached_by = first->reached_by;
	return with_inherited(b, t, flow, first);
}

void bundle_paths(const struct bundle *b, uint32_t flows, struct frame_paths *out)
{
	bundle_no_paths(&b->plan, out);
	out->flows = flows;
	out->cut = multipath_cut(b->engine);
	out->confidence = multipath_confidence(b->engine);
	for (unsigned ttl = 0; ttl <= TRACE_MAX_TTL; ttl++)
		out->balancing[ttl] = (uint8_t)multipath_balancing(b->engine, (uint8_t)ttl);
}

void bundle_no_paths(const struct plan_trace *plan, struct frame_paths *out)
{
	*out = (struct frame_paths){.seq = plan->seq, .flows = 1, .level = plan->multipath,
				    .cut = 1};
}

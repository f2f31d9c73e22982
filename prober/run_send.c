// SPDX-License-Identifier: BSD-2-Clause
/* What targets want, whose turn it is, and what pacing lets through. */
#include "prober/run_state.h"

#include "prober/admit.h"

enum { AGAIN_NS = 1000 * 1000 }; /* after a full device queue */

_Static_assert(PLAN_BURST == (int)PACING_BURST && PLAN_ROUTER_BURST == (int)PACING_ROUTER_BURST,
	       "what is foreseen of a run is what happens");

/* A probe of the batch being made; its place in the array is its place in the batch. */
struct batched { uint32_t slot; uint8_t ttl, attempt, owed; };

struct flight *run_begin_flight(struct run *r, const struct plan_trace *p, struct bp_error *err)
{
	struct probe_packet packet;
	struct flow flow;
	struct flight *f;

	if (admit_flow(&r->plan, p, r->ifindex, &r->flights, &r->ports, &flow, &packet, err) < 0)
		return NULL;
	f = flight_begin(&r->flights, p, &flow, &packet, r->now, r->now_wall);
	if (f == NULL) {
		port_release(&r->ports, flow.method, flow.dst.family, flow.sport);
		bp_fail(err, BP_ENOMEM, "out of memory");
		return NULL;
	}
	if (addr_kind(p->dst) == ADDR_KIND_LINK_LOCAL && p->dst.family == 6)
		f->scope = (uint32_t)r->ifindex;
	f->refused_before = r->refused;
	f->drops_before = r->drops;
	f->cuts_before = pacing_counters(r->pacing)->cuts;
	f->pps_before = pacing_held_pps(r->pacing);
	return f;
}

/* Whether this flow came another way than those whose answers make one expected at this TTL: behind
 * a fork one way may answer where the other is silent. */
static bool is_elsewhere(struct run *r, const struct flight *f, uint8_t ttl)
{
	struct known_step way = known_way(pacing_known(r->pacing), f->flow.dst, ttl);
	struct addr mine = {0};

	if (addr_is_set(way.from) && way.ttl >= f->plan.first_ttl)
		mine = target_responder(f, way.ttl);
	return addr_is_set(mine) && !addr_equal(mine, way.from);
}

/* The attempts at this TTL are overdue. Where that is our own speed's doing, and it has not been
 * heard of at all, it is asked once more. */
static bool lose(struct run *r, struct flight *f, uint8_t ttl)
{
	struct addr router = target_responder(f, ttl);
	bool elsewhere = !addr_is_set(router) && is_elsewhere(r, f, ttl), ours = false;

	for (uint32_t i = 0; i < f->probe_count; i++) {
		struct flight_probe *p = &f->probes[i];
		struct pacing_ask ask;

		if (p->ttl != ttl || p->state != PROBE_SENT || p->answers > 0)
			continue;
		ask = run_fate(f, p, router);
		if (elsewhere)
			pacing_forgotten(r->pacing, &ask, r->now);
		else
			ours = pacing_lost(r->pacing, &ask, r->now);
	}
	return ours && tracer_again(&f->tracer, ttl, r->now);
}

/* A flow that its bundle wants, begun when it is new; NULL: there is no further one. */
static struct flight *flow_of(struct run *r, struct bundle *b, uint16_t flow)
{
	struct plan_trace plan = bundle_plan(b, flow);
	struct flight *f = b->flights[flow];
	struct bp_error err;

	if (f == NULL && bundle_has_flow(b, flow)) {
		f = run_begin_flight(r, &plan, &err);
		if (f == NULL)
			return NULL;
		bundle_add(b, f, flow);
		r->reserved--;
	}
	if (f != NULL)
		flight_start(f, r->now, r->now_wall);
	return f;
}

/* What the target wants next, after all that is overdue was told; *whose: the flight it is for. */
static struct tracer_step next_step(struct run *r, struct flight *f, struct flight **whose)
{
	struct tracer_step step;
	uint16_t flow;
	uint8_t ttl;
	bool again;

	target_slack(f, r->slack_ns);
	do {
		again = false;
		step = target_next(f, r->now, &flow);
		while (target_take_silent(f, &ttl)) {
			struct pacing_ask ask = run_ask(f, ttl, target_responder(f, ttl));

			pacing_silent(r->pacing, &ask, r->now);
		}
		while (target_take_overdue(f, &ttl))
			again |= lose(r, f, ttl);
		*whose = f;
		if (f->bundle == NULL || step.want != TRACER_SEND)
			continue;
		*whose = flow_of(r, f->bundle, flow);
		if (*whose == NULL) {
			multipath_no_more_flows(f->bundle->engine);
			again = true;
		}
	} while (again);
	return step;
}

/* What others have shown of the way there. A batch of targets that all begin at TTL 1 would ask the
 * first router for as many answers at once: each begins at another of the TTLs that are known to be
 * in use. */
static void give_hint(struct run *r, struct flight *f)
{
	const struct known *k = pacing_known(r->pacing);
	struct addr dst = f->flow.dst;
	uint8_t length = known_length(k, dst);
	uint8_t used = length ? length : known_shortest(k, dst.family);
	uint8_t first = f->plan.first_ttl;

	f->hint = (struct flight_hint){.length = length};
	if (used < first)
		return;
	f->hint.turn_span = (uint8_t)(used - first + 1);
	f->hint.turn = (uint8_t)(addr_hash(dst) % f->hint.turn_span);
}

static void start(struct run *r, struct flight *f)
{
	if (f->sent == 0)
		give_hint(r, f);
	target_start(f, r->now, r->now_wall);
}

/* Puts a target where it belongs now: finished, waiting, or in line to send. */
static void place(struct run *r, struct flight *f, struct tracer_step step)
{
	uint32_t slot = flight_slot(&r->flights, f);
	struct mono soon = mono_add(r->now, 1);

	switch (step.want) {
	case TRACER_SEND: due_line_up(&r->due, slot); break;
	case TRACER_WAIT:
		/* A wait that is over already must not be taken again in the same round. */
		due_wait(&r->due, slot, mono_reached(r->now, step.until) ? soon : step.until);
		break;
	case TRACER_DONE: run_finish(r, f); break;
	}
}

void run_settle(struct run *r, struct flight *f)
{
	struct flight *whose;
	struct tracer_step step;

	start(r, f);
	step = next_step(r, f, &whose);
	place(r, f, step);
}

/* --- probes out --- */

/* Adds the head of the line to the batch if pacing lets it; false: nobody more may send now. */
static bool batch_head(struct run *r, struct flight *f, struct batched *b, unsigned *count)
{
	uint32_t slot = flight_slot(&r->flights, f);

	/* Before the loop: it would forget what is deferred within. */
	start(r, f);
	for (;;) {
		struct flight *whose;
		struct tracer_step step = next_step(r, f, &whose);
		struct pacing_ask ask;
		struct mono when;

		if (step.want != TRACER_SEND) {
			place(r, f, step);
			return true;
		}
		ask = run_ask(f, step.ttl, target_responder(f, step.ttl));
		ask.again = step.attempt > f->plan.attempts;
		switch (pacing_ready(r->pacing, &ask, r->now, &when)) {
		case PACING_GLOBAL:
			r->held = when;
			return false;
		case PACING_PREFIX:
			due_wait(&r->due, slot, when);
			return true;
		case PACING_ROUTER:
			target_defer(f, step.ttl, when);
			continue;
		case PACING_GO:
			break;
		}
		flight_prepare(&r->flights, whose, step.ttl, step.attempt);
		if (sender_add(r->tools->sender, f->flow.dst, f->scope, &whose->packet) < 0)
			return false;
		b[(*count)++] = (struct batched){flight_slot(&r->flights, whose), step.ttl,
						 step.attempt,
						 pacing_take(r->pacing, &ask, r->now)};
		due_forget(&r->due, slot);
		return true;
	}
}

void run_send_batch(struct run *r)
{
	struct send_result results[SEND_BATCH];
	struct batched batch[SEND_BATCH];
	unsigned count = 0;
	uint32_t slot;

	if (!mono_reached(r->now, r->held))
		return;
	while (count < SEND_BATCH && (slot = due_head(&r->due)) != DUE_NONE) {
		if (!batch_head(r, &r->flights.slots[slot], batch, &count))
			break;
	}
	if (count == 0)
		return;
	sender_flush(r->tools->sender, results);
	for (unsigned i = 0; i < count; i++) {
		struct flight *f = &r->flights.slots[batch[i].slot];

		if (results[i].sent == SENT_OK) {
			target_sent(&r->flights, f, batch[i].ttl, batch[i].attempt, r->now);
			if (f->probe_count > 0)
				f->probes[f->probe_count - 1].owed = batch[i].owed;
			r->sent++;
			r->repeated += batch[i].attempt > f->plan.attempts;
		} else if (results[i].sent == SENT_REFUSED) {
			target_refused(f, batch[i].ttl, batch[i].attempt, r->now,
				       results[i].sys);
			r->send_errors++;
		} else {
			r->held = mono_add(r->now, AGAIN_NS);
		}
		if (results[i].sent != SENT_OK && batch[i].owed) {
			struct pacing_ask ask = run_ask(f, batch[i].ttl, (struct addr){0});

			ask.sent = r->now;
			ask.owed = batch[i].owed;
			pacing_forgotten(r->pacing, &ask, r->now);
		}
		due_wait(&r->due, flight_slot(&r->flights, target_lead(f)), r->now);
	}
}

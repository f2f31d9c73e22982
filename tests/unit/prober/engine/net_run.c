// SPDX-License-Identifier: BSD-2-Clause
/* Traces through the scripted network, as a prober's loop drives them; a second book on each. */
#include <string.h>

#include "tests/unit/prober/engine/net_state.h"

/* --- checking --------------------------------------------------------------------------------- */

static void check_rate(struct net *n, const struct pacing_config *limits)
{
	double burst = PACING_BURST;

	if (!limits || !limits->rate_pps)
		return;
	if (limits->rate_pps / 100 > PACING_BURST)
		burst = limits->rate_pps / 100;
	n->tokens += (double)mono_since(n->now, n->tokens_at) * 1e-9 * limits->rate_pps;
	n->tokens_at = n->now;
	if (n->tokens > burst)
		n->tokens = burst;
	n->tokens -= 1;
	if (n->tokens < -1e-3)
		net_fault(n, "faster than the rate");
}

static void check_sending(struct net *n, struct slot *s, uint8_t ttl, uint8_t attempt)
{
	const struct tracer_config *c = &s->tracer.config;
	int reach = s->heard > c->first_ttl - 1 ? s->heard : c->first_ttl - 1;
	bool unanswered = s->sent_bits[ttl] & ~s->answered_bits[ttl];
	int64_t tail_wait = c->wait_ns < NS_PER_S / 2 ? c->wait_ns : NS_PER_S / 2;

	if (ttl < c->first_ttl || ttl > c->max_ttl)
		net_fault(n, "a TTL out of range");
	if (attempt < 1 || attempt > c->attempts)
		net_fault(n, "an attempt out of range");
	if (s->sent_bits[ttl] != (1u << (attempt - 1)) - 1)
		net_fault(n, "attempts out of order, or twice");
	if (s->destination && ttl > s->destination)
		net_fault(n, "beyond the destination");
	if (c->gap_limit && ttl > c->first_ttl + c->ahead - 1 && ttl > reach + c->gap_limit)
		net_fault(n, "further than the gap limit beyond the last answer");
	if (attempt == 1) {
		if (s->repeated && !s->lengthened)
			net_fault(n, "a first attempt after a further one, for no new answer");
		s->result.firsts_after_further += s->repeated;
		return;
	}
	s->repeated = true;
	s->lengthened = false;
	if (mono_since(n->now, s->last[ttl]) < 5 * NS_PER_MS)
		net_fault(n, "attempts at one TTL closer than 5 ms");
	if (unanswered && ttl > s->heard &&
	    mono_since(n->now, s->last_out[ttl]) < tail_wait)
		net_fault(n, "asked again before the wait at the tail was over");
}

static void check_done(struct net *n, struct slot *s)
{
	const struct net_result *r = &s->result;

	if (r->stop == STOP_UNKNOWN)
		net_fault(n, "done without a reason");
	if ((r->reach == REACH_REACHED) != (s->destination != 0))
		net_fault(n, "reached, or not, against the answers");
	if (r->stop == STOP_REACHED && r->last_ttl != s->destination)
		net_fault(n, "the last TTL is not the lowest at which the destination answered, uncontradicted");
	if (r->last_ttl > s->tracer.config.max_ttl)
		net_fault(n, "a last TTL beyond the highest allowed");
	for (int ttl = s->tracer.config.first_ttl; ttl <= r->last_ttl; ttl++)
		if (!s->sent_bits[ttl] && r->stop != STOP_INTERRUPTED && r->stop != STOP_TIMEOUT)
			net_fault(n, "a TTL of the path was never probed");
	if (tracer_next(&s->tracer, n->now).want != TRACER_DONE)
		net_fault(n, "done, and then not");
}

/* --- the loop --------------------------------------------------------------------------------- */

/* The lowest TTL that spoke as the destination and beyond which no router answered. */
static void who_is_the_destination(struct slot *s, const struct arrival *a)
{
	if (a->event == TRACER_DESTINATION)
		s->spoke_as_destination[a->ttl] = true;
	if (a->event == TRACER_TTL_EXCEEDED && a->ttl > s->nearer + 1)
		s->nearer = (uint8_t)(a->ttl - 1);
	s->destination = 0;
	for (int ttl = 255; ttl > s->nearer; ttl--)
		if (s->spoke_as_destination[ttl])
			s->destination = (uint8_t)ttl;
}

static void deliver(struct net *n, const struct arrival *a, struct pacing *pacing)
{
	struct slot *s = &n->slots[a->slot];
	struct pacing_ask ask = {.ttl = a->ttl};
	uint16_t bit = (uint16_t)(1u << (a->attempt - 1));
	bool late, credited;

	if (!s->busy || s->generation != a->generation)
		return;
	ask.dst = s->path.dst;
	ask.router = tracer_responder(&s->tracer, a->ttl);
	s->hold = n->now;
	credited = tracer_reply(&s->tracer, a->ttl, a->attempt, (enum tracer_event)a->event,
				a->from, a->rtt_ns, n->now, &late);
	if (!credited) {
		s->result.duplicates++;
		if (!(s->answered_bits[a->ttl] & bit))
			net_fault(n, "an answer was not credited");
		return;
	}
	if (s->answered_bits[a->ttl] & bit)
		net_fault(n, "an answer was credited twice");
	s->answered_bits[a->ttl] |= bit;
	s->result.answered_at[a->ttl]++;
	s->result.credited++;
	s->result.late += late;
	s->lengthened = true;
	if (a->ttl > s->heard)
		s->heard = a->ttl;
	who_is_the_destination(s, a);
	if (!addr_equal(tracer_responder(&s->tracer, a->ttl), a->from))
		net_fault(n, "another responder than the one that answered");
	if (pacing)
		pacing_answered(pacing, &ask, a->from, a->event == TRACER_DESTINATION, n->now);
}

static void send_probe(struct net *n, struct slot *s, uint8_t ttl, uint8_t attempt,
		       const struct pacing_config *limits)
{
	check_sending(n, s, ttl, attempt);
	check_rate(n, limits);
	s->sent_bits[ttl] |= (uint16_t)(1u << (attempt - 1));
	s->last[ttl] = n->now;
	if (net_chance(&n->random, n->script.not_sent_1_in)) {
		tracer_not_sent(&s->tracer, ttl, attempt, n->now);
		/* Nothing will answer it: for the book it is as good as answered. */
		s->answered_bits[ttl] |= (uint16_t)(1u << (attempt - 1));
		return;
	}
	s->last_out[ttl] = n->now;
	s->result.sent++;
	s->result.sent_at[ttl]++;
	if (ttl > s->result.top)
		s->result.top = ttl;
	tracer_sent(&s->tracer, ttl, attempt, n->now);
	net_carry(n, s, ttl, attempt);
}

static void conclude(struct net *n, struct slot *s, net_done_fn *done, void *ctx)
{
	s->result.stop = tracer_stop_reason(&s->tracer);
	s->result.reach = tracer_reach(&s->tracer);
	s->result.last_ttl = tracer_last_ttl(&s->tracer);
	s->result.took_ns = mono_since(n->now, s->start);
	check_done(n, s);
	s->busy = false;
	if (done)
		done(ctx, s->index, &s->result);
}

static void report_silence(struct net *n, struct slot *s, struct pacing *pacing)
{
	struct pacing_ask ask = {.dst = s->path.dst};

	while (tracer_take_silent(&s->tracer, &ask.ttl)) {
		ask.router = tracer_responder(&s->tracer, ask.ttl);
		if (pacing)
			pacing_silent(pacing, &ask, n->now);
	}
}

/* What this slot may do now. Returns when to look again. *all is moved if nobody may send. */
static struct mono turn(struct net *n, struct slot *s, struct pacing *pacing,
			const struct pacing_config *limits, struct mono *all, net_done_fn *done,
			void *ctx)
{
	struct mono when = {INT64_MAX};

	for (int guard = 0; guard < 4096; guard++) {
		struct tracer_step step = tracer_next(&s->tracer, n->now), again;
		struct pacing_ask ask = {.dst = s->path.dst, .ttl = step.ttl};

		report_silence(n, s, pacing);
		if (step.want == TRACER_DONE) {
			conclude(n, s, done, ctx);
			return n->now;
		}
		if (step.want == TRACER_WAIT) {
			if (mono_reached(n->now, step.until) || step.until.ns == INT64_MAX)
				net_fault(n, "a wait that is over, or never");
			again = tracer_next(&s->tracer, mono_add(step.until, -1));
			if (again.want != TRACER_WAIT || again.until.ns != step.until.ns)
				net_fault(n, "awake before its time");
			return step.until;
		}
		again = tracer_next(&s->tracer, n->now);
		if (again.want != step.want || again.ttl != step.ttl ||
		    again.attempt != step.attempt)
			net_fault(n, "the same question, another answer");
		ask.router = tracer_responder(&s->tracer, step.ttl);
		switch (pacing ? pacing_ready(pacing, &ask, n->now, &when) : PACING_GO) {
		case PACING_GO:
			if (pacing)
				pacing_take(pacing, &ask, n->now);
			send_probe(n, s, step.ttl, step.attempt, limits);
			/* One probe a turn, so that the load goes round; without pacing all. */
			if (pacing && n->slot_n > 1)
				return n->now;
			continue;
		case PACING_GLOBAL:
			*all = when;
			break;
		case PACING_PREFIX:
			break;
		case PACING_ROUTER:
			tracer_defer(&s->tracer, step.ttl, when);
			if (mono_reached(n->now, when))
				net_fault(n, "held until a time that has passed");
			continue;
		}
		if (mono_reached(n->now, when))
			net_fault(n, "held until a time that has passed");
		return when;
	}
	net_fault(n, "a tracer that never comes to rest");
	return n->now;
}

static void begin(struct net *n, struct slot *s, const struct net_path *path, size_t index,
		  const struct tracer_config *c)
{
	uint32_t generation = s->generation + 1;

	memset(s, 0, sizeof(*s));
	/* A tracer must not depend on what its memory held before. */
	memset(&s->tracer, 0xa5, sizeof(s->tracer));
	memset(s->rows, 0xa5, sizeof(s->rows));
	s->generation = generation;
	s->busy = true;
	s->path = *path;
	s->index = index;
	s->start = n->now;
	s->hold = n->now;
	tracer_init(&s->tracer, s->rows, c, n->now);
}

static void interrupt(struct net *n)
{
	for (size_t i = 0; i < n->slot_n; i++)
		if (n->slots[i].busy)
			tracer_stop(&n->slots[i].tracer, STOP_INTERRUPTED);
}

const char *net_run(struct net *n, const struct net_path *paths, size_t count,
		    const struct tracer_config *c, struct pacing *pacing,
		    const struct pacing_config *limits, net_done_fn *done, void *ctx)
{
	size_t next = 0, busy = 0, first = 0;
	/* A loop that polls wakes up about once a millisecond at most under load. */
	int64_t tick = n->slot_n > 1 ? NS_PER_MS : 1;
	/* Nobody may take longer than all waits one after the other, at the slowest pace. */
	struct mono end = mono_add(n->now, (int64_t)(count + 1) * 3000 * NS_PER_S);

	n->start = n->tokens_at = n->now;
	n->tokens = limits && limits->rate_pps / 100 > PACING_BURST ? limits->rate_pps / 100
								   : PACING_BURST;
	do {
		struct mono wake = {INT64_MAX}, all = n->now;
		bool interrupted = n->interrupt_ns &&
				   mono_since(n->now, n->start) >= n->interrupt_ns;

		while (n->heap_n && mono_reached(n->now, n->heap[0].at)) {
			struct arrival a = net_pop(n);

			deliver(n, &a, pacing);
		}
		if (interrupted)
			interrupt(n);
		busy = 0;
		for (size_t k = 0; k < n->slot_n; k++) {
			struct slot *s = &n->slots[(first + k) % n->slot_n];
			struct mono until;

			if (!s->busy && next < count && !interrupted) {
				begin(n, s, &paths[next], next, c);
				next++;
			}
			if (!s->busy)
				continue;
			if (!mono_reached(n->now, s->hold) && !interrupted)
				until = s->hold;
			else if (all.ns > n->now.ns && !interrupted)
				until = all;
			else
				s->hold = until = turn(n, s, pacing, limits, &all, done, ctx);
			wake = mono_min(wake, until);
			busy++;
		}
		first++;
		if (n->heap_n)
			wake = mono_min(wake, n->heap[0].at);
		if (n->interrupt_ns && !interrupted)
			wake = mono_min(wake, mono_add(n->start, n->interrupt_ns));
		if (busy && wake.ns - n->now.ns < tick)
			wake = mono_add(n->now, tick);
		if (busy)
			n->now = wake;
		if (net_chance(&n->random, n->script.stall_1_in))
			n->now = mono_add(n->now, n->script.stall_ns);
		if (n->now.ns > end.ns)
			net_fault(n, "it does not end");
	} while (!n->fault && busy);
	return n->fault;
}

static void keep(void *ctx, size_t index, const struct net_result *r)
{
	(void)index;
	*(struct net_result *)ctx = *r;
}

const char *net_run_one(struct net *n, const char *symbols, int64_t rtt_ns,
			const struct tracer_config *c, struct net_result *out)
{
	struct net_path p = {symbols, rtt_ns, 1, net_addr(192, 0, 2, 1)};

	memset(out, 0, sizeof(*out));
	return net_run(n, &p, 1, c, NULL, NULL, keep, out);
}

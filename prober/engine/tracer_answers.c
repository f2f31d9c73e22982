// SPDX-License-Identifier: BSD-2-Clause
/* What answers tell of the path: how long it takes, who is there, what is a loop, and who the
 * destination is and who only says so. */
#include "prober/engine/tracer_inside.h"

#include <string.h>

enum {
	/*
	 * A loop of n routers shows each address every n TTLs: four sightings are three turns. Two
	 * or three prove nothing: a router that forwards packets of TTL 0, or a middlebox that
	 * answers for its neighbour, shows one address at adjacent TTLs of a sound path.
	 */
	LOOP_TTLS = 4,
};

/* The clocks of the two stamps may have been set between them: such an RTT is negative or longer
 * than the trace has lasted by the clock that nobody sets. */
static void learn_rtt(struct tracer *t, const struct tracer_hop *h, uint8_t attempt, int64_t rtt_ns,
		      struct mono now)
{
	if (rtt_ns < 0 || rtt_ns > mono_since(now, t->start))
		rtt_ns = attempt == h->sent ? mono_since(now, h->last) : -1;
	if (rtt_ns > t->rtt_max_ns)
		t->rtt_max_ns = rtt_ns;
}

/* The TTL at which this router is seen for the LOOP_TTLS-th time; 0: not that often. */
static uint8_t loop_ttl(const struct tracer *t, const struct tracer_hop *router)
{
	int seen = 0;

	for (int ttl = t->config.first_ttl; ttl <= t->top; ttl++)
		if ((t->hops[ttl].said & SAID_TTL_EXCEEDED) &&
		    tracer_same_router(&t->hops[ttl], router) && ++seen == LOOP_TTLS)
			return (uint8_t)ttl;
	return 0;
}

/* The destination is the lowest TTL that spoke so and that nobody contradicted. */
static void find_destination(struct tracer *t, struct mono now)
{
	int ttl = t->nearer + 1, was = t->destination;

	while (ttl <= t->top && !(t->hops[ttl].said & SAID_DESTINATION))
		ttl++;
	t->destination = (uint8_t)(ttl <= t->top ? ttl : 0);
	if (t->destination == was)
		return;
	t->reached = now;
	t->settled = false;
}

/* Nobody up to this TTL is the destination: a router answered from beyond, or for the same
 * probe. */
static void disown(struct tracer *t, int ttl, struct mono now)
{
	if (ttl <= t->nearer)
		return;
	t->nearer = (uint8_t)ttl;
	if (t->destination && t->destination <= ttl)
		find_destination(t, now);
}

static void learn_answer(struct tracer *t, uint8_t ttl, enum tracer_event event, struct addr from,
			 struct mono now)
{
	struct tracer_hop *h = &t->hops[ttl];
	uint8_t loop;

	h->said |= (uint8_t)(1u << event);
	memcpy(h->from, from.bytes, sizeof(h->from));
	t->family = from.family;
	t->heard = ttl > t->heard ? ttl : t->heard;
	if (event == TRACER_DESTINATION && ttl > t->nearer &&
	    (!t->destination || ttl < t->destination)) {
		t->destination = ttl;
		t->reached = now;
	}
	if (event != TRACER_TTL_EXCEEDED)
		return;
	disown(t, ttl - 1, now);
	if (addr_equal(from, t->config.dst))
		return;
	loop = loop_ttl(t, h);
	if (loop && (!t->loop || loop < t->loop))
		t->loop = loop;
}

bool tracer_reply(struct tracer *t, uint8_t ttl, uint8_t attempt, enum tracer_event event,
		  struct addr from, int64_t rtt_ns, struct mono now, bool *late)
{
	struct tracer_hop *h = &t->hops[ttl];
	uint16_t bit;

	*late = t->stop != STOP_UNKNOWN;
	if (*late || !tracer_in_range(t, ttl) || attempt < 1 || attempt > h->sent)
		return false;
	bit = (uint16_t)(1u << (attempt - 1));
	if ((h->answered | h->refused) & bit)
		return false;
	*late = attempt <= h->closed || mono_reached(now, tracer_deadline(t, ttl));
	h->answered |= bit;
	learn_rtt(t, h, attempt, rtt_ns, now);
	learn_answer(t, ttl, event, from, now);
	t->settled = false;
	return true;
}

void tracer_nearer(struct tracer *t, uint8_t ttl, struct mono now)
{
	if (!t->stop && tracer_in_range(t, ttl))
		disown(t, ttl, now);
}

void tracer_spoke(struct tracer *t, uint8_t ttl, bool truly, struct mono now)
{
	if (t->stop || !tracer_in_range(t, ttl) || ttl > t->top)
		return;
	if (truly)
		t->hops[ttl].said |= SAID_DESTINATION;
	else
		t->hops[ttl].said &= (uint8_t)~SAID_DESTINATION;
	find_destination(t, now);
}

uint8_t tracer_nearer_ttl(const struct tracer *t)
{
	return t->nearer;
}

enum reach tracer_reach(const struct tracer *t)
{
	unsigned said = t->heard ? t->hops[t->heard].said : 0;

	if (t->destination)
		return REACH_REACHED;
	if (said & SAID_PROHIBITED)
		return REACH_FILTERED;
	if (said & SAID_UNREACHABLE)
		return REACH_UNREACHABLE;
	/* Silence can only be claimed by a trace that was allowed to listen to the end. */
	if (!t->top || t->stop == STOP_INTERRUPTED || t->stop == STOP_ERROR || !t->stop)
		return REACH_UNKNOWN;
	return REACH_SILENT;
}

struct addr tracer_responder(const struct tracer *t, uint8_t ttl)
{
	struct addr a = {0};

	if (!tracer_in_range(t, ttl) || !t->hops[ttl].said)
		return a;
	a.family = t->family;
	memcpy(a.bytes, t->hops[ttl].from, sizeof(a.bytes));
	return a;
}

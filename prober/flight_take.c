// SPDX-License-Identifier: BSD-2-Clause
/* Which answers are believed, and what they say of a target. */
#include <stdlib.h>
#include <string.h>

#include "prober/flight_inside.h"
#include "prober/impostor.h"

enum { NO_PROBE = UINT32_MAX, ANSWER_ROOM_FIRST = 12 };
enum { SAID_BOTH = 1 << TRACER_DESTINATION | 1 << TRACER_TTL_EXCEEDED };

static uint32_t find_token(const struct flight *f, uint32_t token)
{
	/* Most guesses end here: a flood costs little, many flows to one target or not. */
	if (token == 0 || !flight_may_have(f, token))
		return NO_PROBE;
	/* The last are asked for most. */
	for (uint32_t i = f->probe_count; i-- > 0;) {
		if (f->tokens[i] == token)
			return i;
	}
	return NO_PROBE;
}

/* Some routers quote the IP-ID in their own byte order. Where it is half a token, both halves must
 * still be right: 32 bits, as ever. Returns 0 (no token) where that cannot be. */
static uint32_t swapped_token(const struct match *m)
{
	uint32_t hi = m->token >> 16, swapped = (hi << 8 | hi >> 8) & 0xffff;

	if (m->src.family != 4 || m->method == METHOD_TCP || m->reply.quoted_ttl < 0 ||
	    m->token_known != 2)
		return 0;
	return swapped << 16 | (m->token & 0xffff);
}

/*
 * The probe of f that this packet proves to know, and the flags that says. Each of the places a
 * token is looked for in wants all of its 32 bits: an attacker who sees no probe has at most three
 * guesses a packet, against as many tokens as are in flight to that destination; one who knows a
 * half has those guesses at the other, and each wrong one is counted.
 */
static uint32_t believed_probe(const struct flight *f, const struct match *m, uint16_t *flags)
{
	uint32_t i = m->token_known == 2 ? find_token(f, m->token) : NO_PROBE;

	/* The first copy is whole and the second is not: somebody was at it all the same. */
	*flags = m->token_again && m->token_copy != m->token ? REPLY_REWRITTEN : 0;
	if (i == NO_PROBE) {
		*flags = REPLY_REWRITTEN;
		if (m->token_again)
			i = find_token(f, m->token_copy);
		if (i == NO_PROBE)
			i = find_token(f, swapped_token(m));
	}
	if (!addr_equal(m->src, f->flow.src) || m->sport != f->flow.sport ||
	    m->dport != f->flow.dport)
		*flags |= REPLY_NAT;
	return i;
}

static bool same_ports(const struct flow *f, const struct match *m)
{
	return f->sport == m->sport && f->dport == m->dport;
}

/* The flight and probe of a packet. *ours tells that its addresses and ports are a flight's,
 * whatever the token. */
static struct flight *find(const struct flights *fs, const struct match *m, uint32_t *probe,
			   uint16_t *flags, bool *ours)
{
	struct flight *f = flight_chain_of(fs, m->method, m->dst);

	*ours = false;
	for (; f != NULL; f = flight_chain(fs, f->next)) {
		if (!flight_goes_to(f, m->method, m->dst))
			continue;
		*ours |= same_ports(&f->flow, m);
		*probe = believed_probe(f, m, flags);
		if (*probe != NO_PROBE)
			return f;
	}
	return NULL;
}

/* Answers to probes of traces that were written already. *ours as in find(). */
static bool came_late(const struct flights *fs, const struct match *m, bool *ours)
{
	const struct gone *g = fs->gone;

	if (g == NULL)
		return false;
	*ours = *ours || gone_flow(g, m->method, m->dst, m->sport, m->dport);
	return (m->token_known == 2 && gone_token(g, m->method, m->dst, m->token)) ||
	       (m->token_again && gone_token(g, m->method, m->dst, m->token_copy));
}

static enum flight_verdict take_departure(struct flights *fs, const struct match *m, int ifindex,
					  struct wall stamp, struct flight_hit *hit)
{
	uint16_t flags;
	uint32_t i;
	bool ours;
	struct flight *f = find(fs, m, &i, &flags, &ours);

	/* A probe that a loop brings back through this machine leaves it with another TTL. */
	if (f == NULL || flags != 0 || m->ttl != f->probes[i].ttl)
		return FLIGHT_NOTHING;
	/* On stacked devices the packet passes several: the first names the device of the route,
	 * the last is the one at the wire. */
	if (f->ifindex == 0)
		f->ifindex = ifindex;
	f->probes[i].departed = stamp;
	hit->flight = f;
	hit->ttl = m->ttl;
	hit->attempt = f->probes[i].attempt;
	return FLIGHT_DEPARTURE;
}

static bool is_exceeded(const struct reply *r)
{
	return icmp_is_ttl_exceeded(r->from.family, r->icmp_type, r->icmp_code);
}

/* Whether this address has answered for this target as a router does. */
static bool is_router(const struct flight *f, struct addr a)
{
	for (uint32_t i = 0; i < f->answer_count; i++) {
		if (addr_equal(f->answers[i].reply.from, a) && is_exceeded(&f->answers[i].reply))
			return true;
	}
	return false;
}

/* A port-unreachable ends a UDP trace when it is the target's own. It is from the target itself, or
 * from its neighbour on a link (IPv6 hosts that answer for a prefix use their interface's address),
 * or at least from nobody who answered as a router before: a firewall on the way that rejects
 * (iptables' REJECT says port-unreachable) lets the TTL run out first, so it has. */
static bool is_targets_own(const struct flight *f, struct addr from)
{
	struct addr dst = f->flow.dst;

	if (addr_equal(from, dst))
		return true;
	if (dst.family == 6 && from.family == 6 && prefix_has(prefix_of(dst, 64), from))
		return true;
	return !is_router(f, from);
}

enum tracer_event flight_event(const struct flight *f, const struct match *m)
{
	const struct reply *r = &m->reply;
	uint8_t family = r->from.family;

	switch (m->reached_by) {
	case REACHED_BY_ECHO_REPLY:
	case REACHED_BY_SYN_ACK:
	case REACHED_BY_RST:
		/* These were looked up by their source: it is the destination. */
		return TRACER_DESTINATION;
	case REACHED_BY_PORT_UNREACHABLE:
		return is_targets_own(f, r->from) ? TRACER_DESTINATION : TRACER_UNREACHABLE;
	case REACHED_BY_NONE:
		break;
	}
	if (icmp_is_prohibited(family, r->icmp_type, r->icmp_code))
		return TRACER_PROHIBITED;
	if (icmp_is_unreachable(family, r->icmp_type))
		return TRACER_UNREACHABLE;
	return TRACER_TTL_EXCEEDED;
}

/* Answers that say where the probe ended. Others (parameter problem, reassembly time) tell nothing
 * of the path. */
static bool is_telling(const struct match *m)
{
	const struct reply *r = &m->reply;

	return m->reached_by != REACHED_BY_NONE || is_exceeded(r) ||
	       icmp_is_unreachable(r->from.family, r->icmp_type);
}

/* The same packet, seen again on another device of a stack. The last answer to the probe is asked:
 * a duplicate has copies as the first one has. */
static bool is_copy(const struct flight *f, uint32_t probe, int ifindex, struct wall stamp)
{
	const struct flight_answer *a = f->answers + f->answer_count;
	int64_t apart;

	if (f->probes[probe].answers == 0)
		return false;
	do
		a--;
	while (a->probe != probe);
	apart = stamp.ns - a->stamp.ns;
	return ifindex != a->ifindex && apart > -FLIGHT_COPY_NS && apart < FLIGHT_COPY_NS;
}

static struct flight_answer *add_answer(struct flight *f)
{
	uint32_t room = f->answer_room ? 2 * f->answer_room : ANSWER_ROOM_FIRST;
	struct flight_answer *a;

	if (f->answer_count == f->answer_room) {
		a = realloc(f->answers, room * sizeof(a[0]));
		if (a == NULL)
			return NULL;
		f->answers = a;
		f->answer_room = room;
	}
	return &f->answers[f->answer_count++];
}

static enum flight_verdict keep(struct flight *f, uint32_t i, const struct match *m,
				enum tracer_event event, uint16_t flags,
				int ifindex, struct wall stamp, struct mono now)
{
	struct flight_probe *p = &f->probes[i];
	struct flight_answer *a;

	if (flags & (REPLY_LATE | REPLY_DUP)) {
		if (f->extra_count == FLIGHT_EXTRA_MAX || p->answers > FLIGHT_EXTRA_PER_PROBE)
			return flags & REPLY_DUP ? FLIGHT_DUPLICATE : FLIGHT_LATE;
		f->extra_count++;
	}
	a = add_answer(f);
	if (a == NULL)
		return FLIGHT_DUPLICATE; /* out of memory: no room is kept, so it is counted */
	a->probe = i;
	a->ifindex = ifindex;
	a->event = (uint8_t)event;
	a->arrived = now;
	a->stamp = stamp;
	a->reply = m->reply;
	a->reply.flags = flags;
	p->answers++;
	return FLIGHT_ANSWER;
}

static enum flight_verdict take_answer(struct flight *f, uint32_t i, uint16_t flags,
				       const struct match *m, int ifindex, struct wall stamp,
				       struct mono now, struct flight_hit *hit)
{
	struct flight_probe *p = &f->probes[i];
	enum tracer_event event = flight_event(f, m);
	enum flight_verdict verdict;
	bool late = false, first;

	if (is_copy(f, i, ifindex, stamp))
		return FLIGHT_NOTHING;
	hit->flight = f;
	hit->ttl = p->ttl;
	hit->attempt = p->attempt;
	hit->event = event;
	hit->destination = event == TRACER_DESTINATION;
	hit->rtt_ns = p->departed.ns != 0 && stamp.ns >= p->departed.ns ?
			      stamp.ns - p->departed.ns : -1;

	if (is_exceeded(&m->reply) && m->reply.quoted_ttl >= 0 && m->reply.quoted_ttl != 1)
		flags |= REPLY_QUOTE;
	hit->expected = tracer_responder(&f->tracer, hit->ttl);
	first = tracer_reply(&f->tracer, hit->ttl, hit->attempt, event, m->reply.from, hit->rtt_ns,
			     now, &late);
	hit->first = first;
	hit->probe = i;
	if (!first && late)
		return FLIGHT_LATE; /* the trace is done and about to be written */
	p->said |= (uint8_t)(1u << event);
	flags |= late ? REPLY_LATE : 0;
	flags |= first ? 0 : REPLY_DUP;
	f->received += first;
	if (event == TRACER_DESTINATION && f->reached_by == REACHED_BY_NONE)
		f->reached_by = (uint8_t)m->reached_by;
	f->syn_ack |= m->reached_by == REACHED_BY_SYN_ACK;
	verdict = keep(f, i, m, event, flags, ifindex, stamp, now);
	if ((p->said & SAID_BOTH) == SAID_BOTH)
		impostor_unmask(f, i, now);
	if (f->impostor >= 0 && (p->said & 1u << TRACER_DESTINATION))
		impostor_set_apart(f, now);
	return verdict;
}

enum flight_verdict flights_take(struct flights *fs, const struct match *m, int ifindex,
				 struct wall stamp, struct mono now, struct flight_hit *hit)
{
	struct flight *f;
	uint32_t i;
	uint16_t flags;
	bool ours;

	*hit = (struct flight_hit){.rtt_ns = -1};
	if (m->kind == MATCH_DEPARTURE)
		return take_departure(fs, m, ifindex, stamp, hit);
	if (m->kind != MATCH_REPLY || !is_telling(m))
		return FLIGHT_FOREIGN;
	f = find(fs, m, &i, &flags, &ours);
	if (f != NULL)
		return take_answer(f, i, flags, m, ifindex, stamp, now, hit);
	if (came_late(fs, m, &ours))
		return FLIGHT_LATE;
	return ours ? FLIGHT_BAD_TOKEN : FLIGHT_FOREIGN;
}

bool flights_reset_seen(struct flights *fs, const struct flow *reset)
{
	struct flight *f = flight_chain_of(fs, METHOD_TCP, reset->dst);
	bool ours = false;

	for (; f != NULL; f = flight_chain(fs, f->next)) {
		if (flight_goes_to(f, METHOD_TCP, reset->dst) && f->flow.sport == reset->sport &&
		    f->flow.dport == reset->dport)
			ours = f->reset = true;
	}
	return ours;
}

int64_t flight_rtt(const struct flight *f, const struct flight_answer *a, const struct steps *steps,
		   uint16_t *flags)
{
	const struct flight_probe *p = &f->probes[a->probe];
	int64_t rtt;

	if (p->departed.ns == 0)
		return -1;
	rtt = a->stamp.ns - p->departed.ns;
	/* Handed over before it left and read after it arrived: both ends are on the safe side. */
	if (rtt < 0 || steps_between(steps, p->sent, a->arrived)) {
		*flags |= REPLY_CLOCK;
		return -1;
	}
	return rtt;
}

// SPDX-License-Identifier: BSD-2-Clause
/* Slots, the look-up by (method, destination), tokens, and which answers are believed. */
#include "prober/flight.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "prober/impostor.h"

enum { NO_SLOT = UINT32_MAX, NO_PROBE = UINT32_MAX, ANSWER_ROOM_FIRST = 12, PROBE_ROOM_FIRST = 16 };
enum { SAID_BOTH = 1 << TRACER_DESTINATION | 1 << TRACER_TTL_EXCEEDED };

_Static_assert(sizeof(struct flight) <= FLIGHT_SLOT_MAX, "the size this header promises");

int flights_init(struct flights *fs, uint32_t room, const uint8_t key[static METHOD_KEY_SIZE])
{
	uint32_t buckets = 16;

	while (buckets < 2 * room)
		buckets *= 2;
	memset(fs, 0, sizeof(*fs));
	memcpy(fs->key, key, METHOD_KEY_SIZE);
	/* calloc: pages of slots never used are never touched. */
	fs->slots = calloc(room, sizeof(fs->slots[0]));
	fs->buckets = malloc(buckets * sizeof(fs->buckets[0]));
	fs->gone = calloc(1, sizeof(*fs->gone));
	if (fs->slots == NULL || fs->buckets == NULL || fs->gone == NULL) {
		flights_fini(fs);
		return BP_ENOMEM;
	}
	memset(fs->buckets, 0xff, buckets * sizeof(fs->buckets[0])); /* NO_SLOT */
	fs->bucket_mask = buckets - 1;
	fs->free = NO_SLOT;
	fs->room = room;
	return 0;
}

void flights_fini(struct flights *fs)
{
	/* Slots never used were never touched. */
	for (uint32_t i = 0; i < fs->fresh; i++) {
		free(fs->slots[i].rows);
		free(fs->slots[i].tokens);
		free(fs->slots[i].probes);
		free(fs->slots[i].answers);
	}
	free(fs->slots);
	free(fs->buckets);
	free(fs->gone);
	memset(fs, 0, sizeof(*fs));
}

/* Chains are by method and destination only: a NAT on the way may change the ports in a quote. */
static uint32_t *bucket_of(const struct flights *fs, enum method method, struct addr dst)
{
	return &fs->buckets[(addr_hash(dst) + 0x9e3779b9u * (uint32_t)method) & fs->bucket_mask];
}

static struct flight *chain(const struct flights *fs, uint32_t slot)
{
	return slot == NO_SLOT ? NULL : &fs->slots[slot];
}

/* The first flight to dst by this method. Packets come in before there is a table: a plan that has
 * not said its run line yet has no flights. */
static struct flight *chain_of(const struct flights *fs, enum method method, struct addr dst)
{
	return fs->buckets == NULL ? NULL : chain(fs, *bucket_of(fs, method, dst));
}

static bool flies_to(const struct flight *f, enum method method, struct addr dst)
{
	return f->flow.method == method && addr_equal(f->flow.dst, dst);
}

/* --- a target's life --- */

static bool make_rows(struct flight *f, uint32_t rows)
{
	struct tracer_hop *more;

	if (rows <= f->row_room)
		return true;
	more = realloc(f->rows, rows * sizeof(more[0]));
	if (more == NULL)
		return false;
	f->rows = more;
	f->row_room = rows;
	return true;
}

/* Two of its bytes, as members of the sets token_bits. */
static bool may_have(const struct flight *f, uint32_t token)
{
	return f->token_bits[0][token % 256 / 64] >> token % 64 &
	       f->token_bits[1][token >> 8 & 3] >> (token >> 10) % 64 & 1;
}

static void note_token(struct flight *f, uint32_t token)
{
	f->token_bits[0][token % 256 / 64] |= UINT64_C(1) << token % 64;
	f->token_bits[1][token >> 8 & 3] |= UINT64_C(1) << (token >> 10) % 64;
}

/* The next probe's place; NULL: out of memory. */
static struct flight_probe *add_probe(struct flight *f, uint32_t token)
{
	uint32_t room = f->probe_room ? 2 * f->probe_room : PROBE_ROOM_FIRST;
	struct flight_probe *p;
	uint32_t *tokens;

	if (f->probe_count == f->probe_room) {
		tokens = realloc(f->tokens, room * sizeof(tokens[0]));
		if (tokens == NULL)
			return NULL;
		f->tokens = tokens;
		p = realloc(f->probes, room * sizeof(p[0]));
		if (p == NULL)
			return NULL;
		f->probes = p;
		f->probe_room = room;
	}
	f->tokens[f->probe_count] = token;
	note_token(f, token);
	return &f->probes[f->probe_count++];
}

static struct flight *free_slot(struct flights *fs)
{
	struct flight *f = chain(fs, fs->free);

	if (f != NULL)
		fs->free = f->next;
	else if (fs->fresh < fs->room)
		f = &fs->slots[fs->fresh++];
	return f;
}

static void put_back(struct flights *fs, struct flight *f)
{
	f->next = fs->free;
	fs->free = flight_slot(fs, f);
}

struct tracer_config flight_path(const struct plan_trace *plan)
{
	return (struct tracer_config){
		.first_ttl = plan->first_ttl, .max_ttl = plan->max_ttl,
		.attempts = plan->attempts, .gap_limit = plan->gap_limit,
		.wait_ns = plan->wait_ms * NS_PER_MS,
		.budget_ns = plan->budget_ms * NS_PER_MS,
		/* Probes ahead of the destination cost its answers to those that count: port
		 * unreachables are rationed, and a half-open connection answers one SYN. */
		.ahead = plan->method == METHOD_UDP ? TRACER_AHEAD_SPARING : 0,
		.dst = plan->dst,
		.one_at_end = plan->method == METHOD_TCP,
	};
}

static void start_tracer(struct flight *f, struct mono now, struct wall start)
{
	struct tracer_config config = flight_path(&f->plan);

	config.length = f->hint.length;
	config.turn_span = f->hint.turn_span;
	config.turn = f->hint.turn;
	tracer_init(&f->tracer, f->rows, &config, now);
	f->begun = now;
	f->start = start;
}

void flight_start(struct flight *f, struct mono now, struct wall start)
{
	if (f->sent == 0 && f->refused_sys == 0)
		start_tracer(f, now, start);
}

struct flight *flight_begin(struct flights *fs, const struct plan_trace *plan,
			    const struct flow *flow, const struct probe_packet *packet,
			    struct mono now, struct wall start)
{
	struct flight *f = free_slot(fs);
	uint32_t *bucket;

	if (f == NULL)
		return NULL;
	if (!make_rows(f, TRACER_ROWS(plan->max_ttl))) {
		put_back(fs, f);
		return NULL;
	}
	f->plan = *plan;
	f->bundle = NULL;
	f->member = 0;
	f->flow = *flow;
	f->packet = *packet;
	f->scope = 0;
	f->ifindex = f->refused_sys = 0;
	f->sent = f->received = f->drops_before = 0;
	f->impostor = -1;
	f->cuts_before = f->pps_before = 0;
	f->hint = (struct flight_hint){0};
	f->reached_by = REACHED_BY_NONE;
	f->syn_ack = f->reset = false;
	memset(&f->refused_before, 0, sizeof(f->refused_before));
	f->probe_count = f->answer_count = f->extra_count = 0;
	memset(f->token_bits, 0, sizeof(f->token_bits));
	start_tracer(f, now, start);

	bucket = bucket_of(fs, flow->method, flow->dst);
	f->next = *bucket;
	*bucket = flight_slot(fs, f);
	f->used = true;
	fs->used++;
	return f;
}

void flight_end(struct flights *fs, struct flight *f)
{
	uint32_t *link = bucket_of(fs, f->flow.method, f->flow.dst);

	while (*link != flight_slot(fs, f))
		link = &fs->slots[*link].next;
	*link = f->next;
	gone_add(fs->gone, &f->flow, f->tokens, f->probe_count);
	f->used = false;
	fs->used--;
	put_back(fs, f);
}

bool flights_has(const struct flights *fs, const struct flow *flow)
{
	const struct flight *f = chain_of(fs, flow->method, flow->dst);

	for (; f != NULL; f = chain(fs, f->next)) {
		if (flies_to(f, flow->method, flow->dst) && f->flow.sport == flow->sport &&
		    f->flow.dport == flow->dport)
			return true;
	}
	return false;
}

/* --- probes out --- */

uint32_t flight_token(const struct flights *fs, const struct flow *flow, uint64_t seq, uint8_t ttl,
		      uint8_t attempt)
{
	uint8_t key[METHOD_KEY_SIZE];

	memcpy(key, fs->key, sizeof(key));
	for (unsigned i = 0; i < 8; i++)
		key[i] ^= (uint8_t)(seq >> 8 * i);
	return method_token(key, flow, ttl, attempt);
}

void flight_prepare(const struct flights *fs, struct flight *f, uint8_t ttl, uint8_t attempt)
{
	method_row(f->flow.method, f->flow.dst.family)
		->patch(&f->packet, ttl, flight_token(fs, &f->flow, f->plan.seq, ttl, attempt));
}

void flight_sent(const struct flights *fs, struct flight *f, uint8_t ttl, uint8_t attempt,
		 struct mono at)
{
	struct flight_probe *p =
		add_probe(f, flight_token(fs, &f->flow, f->plan.seq, ttl, attempt));

	if (p == NULL) {
		tracer_not_sent(&f->tracer, ttl, attempt, at);
		return;
	}
	*p = (struct flight_probe){.ttl = ttl, .attempt = attempt, .sent = at,
				   .state = PROBE_SENT};
	f->sent++;
	tracer_sent(&f->tracer, ttl, attempt, at);
}

void flight_refused(struct flight *f, uint8_t ttl, uint8_t attempt, struct mono at, int sys)
{
	struct flight_probe *p = add_probe(f, 0);

	f->refused_sys = sys;
	if (p != NULL)
		*p = (struct flight_probe){.ttl = ttl, .attempt = attempt, .sent = at,
					   .state = PROBE_REFUSED};
	tracer_not_sent(&f->tracer, ttl, attempt, at);
}

/* --- packets in --- */

static uint32_t find_token(const struct flight *f, uint32_t token)
{
	/* Most guesses end here: a flood costs little, many flows to one target or not. */
	if (token == 0 || !may_have(f, token))
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
	struct flight *f = chain_of(fs, m->method, m->dst);

	*ours = false;
	for (; f != NULL; f = chain(fs, f->next)) {
		if (!flies_to(f, m->method, m->dst))
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
	struct flight *f = chain_of(fs, METHOD_TCP, reset->dst);
	bool ours = false;

	for (; f != NULL; f = chain(fs, f->next)) {
		if (flies_to(f, METHOD_TCP, reset->dst) && f->flow.sport == reset->sport &&
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

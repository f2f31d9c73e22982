// SPDX-License-Identifier: BSD-2-Clause
/* The scripted network: see net.h. Deterministic: one PRNG, one clock, a heap of replies. */
#include "tests/unit/prober/engine/net.h"

#include <stdlib.h>
#include <string.h>

struct arrival {
	struct mono at;
	uint64_t order; /* equals arrive in the order they were made */
	int64_t rtt_ns;
	struct addr from;
	uint32_t slot, generation;
	uint8_t ttl, attempt;
	uint8_t event;
};

/* One target in flight: the tracer, and a second, independent book on what it does. */
struct slot {
	struct tracer tracer;
	struct tracer_hop rows[TRACER_TTLS];
	struct net_path path;
	struct net_result result;
	struct mono start;
	struct mono hold; /* not to be asked before, unless something arrives */
	size_t index;
	uint32_t generation;
	bool busy;
	uint8_t heard, destination, nearer;
	bool spoke_as_destination[256];
	bool lengthened; /* something answered since the last further attempt left */
	bool repeated;   /* a further attempt has left */
	struct mono last[256], last_out[256]; /* asked of the kernel; taken by it */
	uint16_t sent_bits[256], answered_bits[256];
};

struct net {
	uint64_t random;
	struct net_script script;
	struct mono now, start;
	int64_t interrupt_ns;
	struct net_router routers[NET_ROUTERS];
	struct arrival *heap;
	size_t heap_n, heap_room;
	uint64_t order;
	struct slot *slots;
	size_t slot_n;
	const char *fault;
	double tokens; /* the reference for the global rate: plain token counting */
	struct mono tokens_at;
};

enum { NUMBERED = 1000 }; /* routers '0'..'9' */

uint64_t net_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

bool net_chance(uint64_t *state, uint32_t of)
{
	return of && net_random(state) % of == 0;
}

struct addr net_addr(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return addr_v4((uint8_t[4]){a, b, c, d});
}

struct tracer_config net_config(void)
{
	return (struct tracer_config){
		.first_ttl = 1,
		.max_ttl = 32,
		.attempts = 3,
		.gap_limit = 5,
		.wait_ns = 2 * NS_PER_S,
	};
}

struct net *net_new(uint64_t seed, const struct net_script *script, size_t targets)
{
	struct net *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->random = seed;
	n->now = n->start = (struct mono){1000 * NS_PER_S};
	if (script)
		n->script = *script;
	n->slot_n = targets;
	n->slots = calloc(targets, sizeof(*n->slots));
	/* All a trace may send, twice over for duplicates, is more than can ever be in flight. */
	n->heap_room = targets * 1024 + 16384;
	n->heap = calloc(n->heap_room, sizeof(*n->heap));
	if (!n->slots || !n->heap) {
		net_free(n);
		return NULL;
	}
	for (uint32_t i = 0; i < NET_ROUTERS; i++) {
		n->routers[i].addr = net_addr(10, 0, (uint8_t)(i >> 8), (uint8_t)i);
		n->routers[i].interval_ns = n->script.limit_interval_ns;
		n->routers[i].tokens_ns = 6 * n->script.limit_interval_ns;
		n->routers[i].last = n->now;
	}
	return n;
}

void net_free(struct net *n)
{
	if (!n)
		return;
	free(n->slots);
	free(n->heap);
	free(n);
}

struct net_router *net_router(struct net *n, uint32_t number)
{
	return &n->routers[number % NET_ROUTERS];
}

struct mono net_now(const struct net *n)
{
	return n->now;
}

void net_skip(struct net *n, int64_t ns)
{
	n->now = mono_add(n->now, ns);
}

void net_interrupt_after(struct net *n, int64_t ns)
{
	n->interrupt_ns = ns;
}

static void fault(struct net *n, const char *what)
{
	if (!n->fault)
		n->fault = what;
}

/* --- replies under way ------------------------------------------------------------------------ */

static bool earlier(const struct arrival *a, const struct arrival *b)
{
	return a->at.ns != b->at.ns ? a->at.ns < b->at.ns : a->order < b->order;
}

static void swap(struct arrival *a, struct arrival *b)
{
	struct arrival t = *a;

	*a = *b;
	*b = t;
}

static void push(struct net *n, struct arrival a)
{
	size_t i = n->heap_n;

	if (n->heap_n == n->heap_room) {
		fault(n, "the test's own heap of replies is too small");
		return;
	}
	a.order = n->order++;
	n->heap[n->heap_n++] = a;
	for (; i && earlier(&n->heap[i], &n->heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&n->heap[i], &n->heap[(i - 1) / 2]);
}

static struct arrival pop(struct net *n)
{
	struct arrival first = n->heap[0];
	size_t i = 0;

	n->heap[0] = n->heap[--n->heap_n];
	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= n->heap_n)
			return first;
		if (child + 1 < n->heap_n && earlier(&n->heap[child + 1], &n->heap[child]))
			child++;
		if (!earlier(&n->heap[child], &n->heap[i]))
			return first;
		swap(&n->heap[child], &n->heap[i]);
		i = child;
	}
}

/* --- what the network answers ----------------------------------------------------------------- */

/* include/net/inetpeer.h, net/ipv4/inetpeer.c: a bucket in time units, six answers deep. */
static bool router_allows(struct net_router *r, struct mono now)
{
	r->asked++;
	if (!r->interval_ns)
		return true;
	r->tokens_ns += mono_since(now, r->last);
	r->last = now;
	if (r->tokens_ns > 6 * r->interval_ns)
		r->tokens_ns = 6 * r->interval_ns;
	if (r->tokens_ns < r->interval_ns) {
		r->refused++;
		return false;
	}
	r->tokens_ns -= r->interval_ns;
	return true;
}

/* Index of the symbol that holds at this TTL. */
static size_t symbol_at(const struct net_path *p, uint8_t ttl)
{
	size_t n = strlen(p->symbols);

	return ttl <= n ? ttl - 1u : n - 1;
}

/* Which router stands there: its own by position, or that of the refusal it repeats. */
static uint32_t router_at(const struct net_path *p, size_t i)
{
	char s = p->symbols[i];

	if (s >= '0' && s <= '9')
		return NUMBERED + (uint32_t)(s - '0');
	if (s == 'x' || s == 'h')
		while (i && p->symbols[i] != (s == 'x' ? 'X' : 'H'))
			i--;
	return (p->base + (uint32_t)i) % NUMBERED;
}

static bool answer_to(struct net *n, const struct net_path *p, uint8_t ttl, struct arrival *a)
{
	size_t i = symbol_at(p, ttl);
	char s = p->symbols[i];
	struct net_router *r = net_router(n, router_at(p, i));

	if (net_chance(&n->random, n->script.odd_1_in)) {
		a->event = (uint8_t)(net_random(&n->random) % 4);
		a->from = net_router(n, (uint32_t)(net_random(&n->random) % 8))->addr;
		if (a->event == TRACER_DESTINATION)
			a->from = p->dst;
		return true;
	}
	if (s == '*')
		return false;
	if (s == 'D') {
		a->event = TRACER_DESTINATION;
		a->from = p->dst;
		return true;
	}
	a->from = s == 'P' ? p->dst : r->addr;
	a->event = s == 'X' || s == 'x'   ? TRACER_PROHIBITED
		   : s == 'H' || s == 'h' ? TRACER_UNREACHABLE
		   : s == 'P'             ? TRACER_DESTINATION
					  : TRACER_TTL_EXCEEDED;
	return router_allows(r, n->now);
}

static void carry(struct net *n, const struct slot *s, uint8_t ttl, uint8_t attempt)
{
	const struct net_script *c = &n->script;
	size_t hops = strlen(s->path.symbols), i = symbol_at(&s->path, ttl);
	struct arrival a = {.slot = (uint32_t)(s - n->slots),
			    .generation = s->generation,
			    .ttl = ttl,
			    .attempt = attempt};

	if (!answer_to(n, &s->path, ttl, &a) || net_chance(&n->random, c->loss_1_in))
		return;
	a.rtt_ns = s->path.rtt_ns * (int64_t)(i + 1) / (int64_t)hops;
	if (c->jitter_ns)
		a.rtt_ns += (int64_t)(net_random(&n->random) % (uint64_t)c->jitter_ns);
	if (net_chance(&n->random, c->late_1_in))
		a.rtt_ns += c->late_ns;
	a.at = mono_add(n->now, a.rtt_ns);
	if (net_chance(&n->random, c->rtt_lies_1_in)) {
		const int64_t lies[] = {-1, -7 * NS_PER_S, 3600 * NS_PER_S, INT64_MAX, INT64_MIN};

		a.rtt_ns = lies[net_random(&n->random) % 5];
	}
	push(n, a);
	if (net_chance(&n->random, c->duplicate_1_in)) {
		a.at = mono_add(a.at, (int64_t)(net_random(&n->random) % (50 * NS_PER_MS)));
		push(n, a);
	}
}

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
		fault(n, "faster than the rate");
}

static void check_sending(struct net *n, struct slot *s, uint8_t ttl, uint8_t attempt)
{
	const struct tracer_config *c = &s->tracer.config;
	int reach = s->heard > c->first_ttl - 1 ? s->heard : c->first_ttl - 1;
	bool unanswered = s->sent_bits[ttl] & ~s->answered_bits[ttl];
	int64_t tail_wait = c->wait_ns < NS_PER_S / 2 ? c->wait_ns : NS_PER_S / 2;

	if (ttl < c->first_ttl || ttl > c->max_ttl)
		fault(n, "a TTL out of range");
	if (attempt < 1 || attempt > c->attempts)
		fault(n, "an attempt out of range");
	if (s->sent_bits[ttl] != (1u << (attempt - 1)) - 1)
		fault(n, "attempts out of order, or twice");
	if (s->destination && ttl > s->destination)
		fault(n, "beyond the destination");
	if (c->gap_limit && ttl > c->first_ttl + c->ahead - 1 && ttl > reach + c->gap_limit)
		fault(n, "further than the gap limit beyond the last answer");
	if (attempt == 1) {
		if (s->repeated && !s->lengthened)
			fault(n, "a first attempt after a further one, for no new answer");
		s->result.firsts_after_further += s->repeated;
		return;
	}
	s->repeated = true;
	s->lengthened = false;
	if (mono_since(n->now, s->last[ttl]) < 5 * NS_PER_MS)
		fault(n, "attempts at one TTL closer than 5 ms");
	if (unanswered && ttl > s->heard &&
	    mono_since(n->now, s->last_out[ttl]) < tail_wait)
		fault(n, "asked again before the wait at the tail was over");
}

static void check_done(struct net *n, struct slot *s)
{
	const struct net_result *r = &s->result;

	if (r->stop == STOP_UNKNOWN)
		fault(n, "done without a reason");
	if ((r->reach == REACH_REACHED) != (s->destination != 0))
		fault(n, "reached, or not, against the answers");
	if (r->stop == STOP_REACHED && r->last_ttl != s->destination)
		fault(n, "the last TTL is not the lowest at which the destination answered, uncontradicted");
	if (r->last_ttl > s->tracer.config.max_ttl)
		fault(n, "a last TTL beyond the highest allowed");
	for (int ttl = s->tracer.config.first_ttl; ttl <= r->last_ttl; ttl++)
		if (!s->sent_bits[ttl] && r->stop != STOP_INTERRUPTED && r->stop != STOP_TIMEOUT)
			fault(n, "a TTL of the path was never probed");
	if (tracer_next(&s->tracer, n->now).want != TRACER_DONE)
		fault(n, "done, and then not");
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
			fault(n, "an answer was not credited");
		return;
	}
	if (s->answered_bits[a->ttl] & bit)
		fault(n, "an answer was credited twice");
	s->answered_bits[a->ttl] |= bit;
	s->result.answered_at[a->ttl]++;
	s->result.credited++;
	s->result.late += late;
	s->lengthened = true;
	if (a->ttl > s->heard)
		s->heard = a->ttl;
	who_is_the_destination(s, a);
	if (!addr_equal(tracer_responder(&s->tracer, a->ttl), a->from))
		fault(n, "another responder than the one that answered");
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
	carry(n, s, ttl, attempt);
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
				fault(n, "a wait that is over, or never");
			again = tracer_next(&s->tracer, mono_add(step.until, -1));
			if (again.want != TRACER_WAIT || again.until.ns != step.until.ns)
				fault(n, "awake before its time");
			return step.until;
		}
		again = tracer_next(&s->tracer, n->now);
		if (again.want != step.want || again.ttl != step.ttl ||
		    again.attempt != step.attempt)
			fault(n, "the same question, another answer");
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
				fault(n, "held until a time that has passed");
			continue;
		}
		if (mono_reached(n->now, when))
			fault(n, "held until a time that has passed");
		return when;
	}
	fault(n, "a tracer that never comes to rest");
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
			struct arrival a = pop(n);

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
			fault(n, "it does not end");
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

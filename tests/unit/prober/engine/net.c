// SPDX-License-Identifier: BSD-2-Clause
/* The scripted network: see net.h. Deterministic: one PRNG, one clock, a heap of replies. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/prober/engine/net_state.h"

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

void net_fault(struct net *n, const char *what)
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
		net_fault(n, "the test's own heap of replies is too small");
		return;
	}
	a.order = n->order++;
	n->heap[n->heap_n++] = a;
	for (; i && earlier(&n->heap[i], &n->heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&n->heap[i], &n->heap[(i - 1) / 2]);
}

struct arrival net_pop(struct net *n)
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

void net_carry(struct net *n, const struct slot *s, uint8_t ttl, uint8_t attempt)
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

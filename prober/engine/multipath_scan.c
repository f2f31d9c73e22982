// SPDX-License-Identifier: BSD-2-Clause
/*
 * One look at everything that is known, nearest TTL first: which node each flow passes there, which
 * nodes are still short of flows, and so what is to be asked. Keeps nothing between looks but what
 * probes and answers left: an answer that changes what is known nearer changes all beyond.
 */
#include <string.h>

#include "prober/engine/multipath_state.h"

static bool is_known(uint8_t at)
{
	return at <= AT_STAR;
}

/* --- one TTL --- */

/* One router that refuses at TTL after TTL is one hop: beyond the first its word is as good as
 * silence (so in the tracer). */
static bool is_echo(const struct multipath *m, const struct way *w, const struct cell *c,
		    unsigned ttl)
{
	return c->event == TRACER_PROHIBITED && w->no_ttl != 0 &&
	       addr_equal(m->stages[ttl].nodes[c->node], m->stages[w->no_ttl].nodes[w->no_node]);
}

/* Whether any living flow was answered at this TTL by somebody new to it. */
static bool has_answers(const struct multipath *m, struct look *k, unsigned ttl)
{
	bool any = false;

	k->destination = false;
	for (unsigned f = 0; f < m->flows; f++) {
		const struct cell *c = multipath_cell(m, f, ttl);

		if (!m->ways[f].alive || c->sent == 0 || c->node == AT_NONE ||
		    is_echo(m, &m->ways[f], c, ttl))
			continue;
		any = true;
		k->destination |= c->event == TRACER_DESTINATION;
	}
	return any;
}

/* Where this flow is at this TTL by its own answers; asks again where it was not heard. */
static uint8_t place_of(struct multipath *m, struct look *k, unsigned flow, unsigned ttl,
			bool answers)
{
	struct cell *c = multipath_cell(m, flow, ttl);

	if (c->sent == 0)
		return AT_UNASKED;
	if (c->node != AT_NONE)
		return is_echo(m, &m->ways[flow], c, ttl) ? AT_STAR : c->node;
	if (multipath_waiting(m, c, ttl, k->now)) {
		multipath_wait_for(m, k, c, ttl);
		return AT_UNKNOWN;
	}
	multipath_note_overdue(m, c, ttl);
	return !answers || multipath_is_silent(m, k, flow, ttl) ? AT_STAR : AT_UNKNOWN;
}

/* Whether the flow may be asked there now: up to the survey's end at once, beyond it hop by hop. */
static bool is_ready(const struct multipath *m, const struct way *w, unsigned ttl)
{
	return ttl <= m->survey_end || ttl == m->config.path.first_ttl || is_known(w->prev);
}

static void mark(uint64_t *seen, uint8_t at)
{
	if (is_known(at))
		seen[at / 64] |= UINT64_C(1) << at % 64;
}

static void gather_flow(struct multipath *m, const struct look *k, unsigned flow, unsigned ttl)
{
	const struct way *w = &m->ways[flow];
	const struct cell *c = multipath_cell(m, flow, ttl);
	struct gather *g = &m->gather[k->blurred ? 0 : w->prev];

	g->flows++;
	if (w->here == AT_UNASKED)
		return;
	g->asked++;
	if (!is_known(w->here))
		return;
	mark(g->seen, w->here);
	mark(g->seen, c->sent ? c->other : AT_NONE);
	if (w->here != AT_STAR && (g->resolved == 0 || g->tester == UINT16_MAX))
		g->tester = (uint16_t)flow;
	else if (g->resolved == 0)
		g->tester = UINT16_MAX;
	g->resolved++;
	g->conflict |= c->sent && c->other != AT_NONE;
}

static unsigned count_of(const uint64_t *seen)
{
	unsigned n = 0;

	for (unsigned i = 0; i < SEEN_WORDS; i++)
		n += (unsigned)__builtin_popcountll(seen[i]);
	return n;
}

/* Of these, those that have an address. */
static unsigned named_of(const uint64_t *seen)
{
	return count_of(seen) - (unsigned)(seen[AT_STAR / 64] >> AT_STAR % 64 & 1);
}

/* Asks further flows of node v at this TTL, those that would inherit, until it has enough. */
static void recruit(struct multipath *m, struct look *k, unsigned v, unsigned ttl, unsigned need)
{
	struct gather *g = &m->gather[v];

	for (unsigned f = 0; f < m->flows && g->asked < need; f++) {
		struct way *w = &m->ways[f];

		if (!w->alive || w->here != AT_UNASKED || (k->blurred ? 0 : w->prev) != v ||
		    !is_known(w->prev))
			continue;
		multipath_want(m, k, f, ttl);
		w->here = AT_UNKNOWN;
		g->asked++;
	}
}

/*
 * Does the flow choose, or chance? One flow asked as often as two successors would need flows: if
 * chance chose, it would have met both. `one_at_end`: a host answers no second SYN of a
 * connection that is half open.
 */
static void test_flow(struct multipath *m, struct look *k, unsigned flow, unsigned ttl)
{
	struct cell *c = multipath_cell(m, flow, ttl);
	unsigned answers = (unsigned)__builtin_popcount(c->answered), out = 0;

	if (c->other != AT_NONE || answers >= m->base)
		return;
	if (multipath_waiting(m, c, ttl, k->now)) {
		unsigned open = ((1u << c->sent) - 1) & ~((1u << c->closed) - 1);

		out = (unsigned)__builtin_popcount(open & ~(unsigned)c->answered);
		multipath_wait_for(m, k, c, ttl);
	}
	if (out > 0 && m->config.path.one_at_end)
		return;
	if (answers + out < m->base && c->sent < MULTIPATH_ATTEMPTS_MAX)
		multipath_want(m, k, flow, ttl);
}

/* --- how many flows --- */

struct shortage { unsigned sum, most; };

/* Few flows silent beside many that are answered are more likely lost answers than a branch: no
 * further flows are looked for that share their fate. The doubt stays in the confidence. */
static bool is_worth_it(unsigned v, unsigned flows, unsigned alive)
{
	return v != AT_STAR || 10 * flows >= alive;
}

static void judge_node(struct multipath *m, struct look *k, unsigned v, unsigned ttl,
		       unsigned alive, struct shortage *lack)
{
	struct gather *g = &m->gather[v];
	unsigned found = count_of(g->seen), need;

	if (g->flows == 0)
		return;
	need = multipath_point(m, (found > 0 ? found : 1) + 1);
	recruit(m, k, v, ttl, need);
	if (named_of(g->seen) > 1 && !k->blurred)
		test_flow(m, k, g->tester, ttl);
	if (g->asked < need && is_worth_it(v, g->flows, alive)) {
		/* A new flow passes v with the share of those that do. Half of what that asks for
		 * at a time, and not much on the word of a few flows: those too many are asked at
		 * every TTL where flows part. */
		unsigned short_of = need - g->asked, most = 2 * short_of + 1;
		unsigned stretch = (short_of * alive / g->flows + 1) / 2;

		stretch = stretch < most ? stretch : most;
		lack->sum += short_of;
		if (stretch > lack->most)
			lack->most = stretch;
	}
	if (named_of(g->seen) > 1)
		m->stages[ttl - 1].balancing = g->conflict || k->blurred ?
			BALANCING_PER_PACKET : BALANCING_PER_FLOW;
}

/* The place after v among those a flow can have been at, at the TTL before this one. */
static unsigned after(const struct multipath *m, unsigned ttl, unsigned v)
{
	v++;
	return v < AT_STAR && v >= m->stages[ttl - 1].count ? AT_STAR : v;
}

/* Judges the nodes of the TTL before by what was found at this one. */
static void judge_nodes(struct multipath *m, struct look *k, unsigned ttl)
{
	struct shortage lack = {0};
	unsigned alive = 0, unknown = 0, wanted;
	uint8_t *balancing = &m->stages[ttl - 1].balancing;

	for (unsigned v = 0; v < AT_COUNT; v = after(m, ttl, v))
		m->gather[v] = (struct gather){0};
	*balancing = BALANCING_NONE;
	for (unsigned f = 0; f < m->flows; f++) {
		if (!m->ways[f].alive)
			continue;
		if (is_known(m->ways[f].prev)) {
			gather_flow(m, k, f, ttl);
			alive++;
		} else {
			unknown++;
		}
	}
	for (unsigned v = 0; v < AT_COUNT; v = after(m, ttl, v)) {
		uint8_t before = *balancing;

		judge_node(m, k, v, ttl, alive, &lack);
		if (before == BALANCING_PER_PACKET)
			*balancing = before;
	}
	/* The flows whose node is not known yet may be the ones that are missing. And they are no
	 * fair sample: a silent node is known last, after all its attempts. */
	wanted = lack.sum > lack.most || unknown > 0 ? lack.sum : lack.most;
	if (wanted > unknown && wanted - unknown > k->grow)
		k->grow = wanted - unknown;
}

/* --- going on --- */

static void end_way(struct way *w, unsigned ttl, enum stop why)
{
	w->alive = false;
	w->end = (uint8_t)ttl;
	w->stop = (uint8_t)why;
}

/* Something nearer spoke as the destination: a router answered the same flow from beyond. */
static bool is_contradicted(const struct multipath *m, unsigned flow, unsigned ttl)
{
	while (++ttl <= m->heard) {
		const struct cell *c = multipath_cell(m, flow, ttl);

		if (c->sent > 0 && c->node != AT_NONE && c->event == TRACER_TTL_EXCEEDED)
			return true;
	}
	return false;
}

/* The flow leaves this TTL; `c`: the cell that speaks for it, its own or flow 0's. */
static void step_on(struct multipath *m, const struct look *k, struct way *w, const struct cell *c,
		    unsigned ttl)
{
	unsigned gap = m->config.path.gap_limit;

	w->prev = w->here == AT_UNASKED ? AT_UNKNOWN : w->here;
	if (w->here == AT_STAR) {
		w->stars++;
		if (c->node != AT_NONE)
			w->heard = (uint8_t)(c->event + 1);
	} else if (is_known(w->here)) {
		w->stars = 0;
		w->heard = (uint8_t)(c->event + 1);
		if (c->event == TRACER_PROHIBITED && w->no_ttl == 0) {
			w->no_ttl = (uint8_t)ttl;
			w->no_node = c->node;
		}
		if (c->event == TRACER_DESTINATION && !k->next_blurred &&
		    is_contradicted(m, (unsigned)(w - m->ways), ttl))
			return;
		if (c->event == TRACER_DESTINATION || c->event == TRACER_UNREACHABLE) {
			end_way(w, ttl, c->event == TRACER_DESTINATION ? STOP_REACHED :
				STOP_UNREACHABLE);
			return;
		}
	}
	if (gap > 0 && w->stars >= gap)
		end_way(w, ttl, STOP_GAP_LIMIT);
	else if (ttl == m->limit && is_known(w->here))
		end_way(w, ttl, m->limit < m->config.path.max_ttl ? STOP_LOOP : STOP_MAX_TTL);
}

/* A TTL at which all flows met one node, flow 0 among them: who was not asked passes it too. */
static void inherit(struct multipath *m)
{
	uint8_t here = m->ways[0].here;

	for (unsigned f = 1; f < m->flows; f++) {
		struct way *w = &m->ways[f];

		if (w->alive && w->here == AT_UNASKED && is_known(w->prev))
			w->here = is_known(here) ? here : AT_UNKNOWN;
	}
}

static bool look_at(struct multipath *m, struct look *k, unsigned ttl)
{
	bool answers = has_answers(m, k, ttl), any = false, conflict = false, shared;
	uint64_t seen[SEEN_WORDS] = {0};
	struct stage *s = &m->stages[ttl];

	s->spared = s->controlling = false;
	for (unsigned f = 0; f < m->flows; f++) {
		struct way *w = &m->ways[f];

		if (!w->alive)
			continue;
		any = true;
		w->here = place_of(m, k, f, ttl, answers);
		if (is_known(w->here)) {
			uint8_t other = multipath_cell(m, f, ttl)->other;

			mark(seen, w->here);
			mark(seen, other);
			conflict |= other != AT_NONE;
		}
	}
	if (!any)
		return false;
	s->kinds = (uint8_t)count_of(seen);
	shared = s->kinds <= 1 && m->ways[0].alive && !conflict;
	for (unsigned f = 0; f < m->flows; f++) {
		struct way *w = &m->ways[f];

		if (!w->alive || w->here != AT_UNASKED || !is_ready(m, w, ttl) ||
		    (f >= m->base && shared))
			continue;
		multipath_want(m, k, f, ttl);
		w->here = AT_UNKNOWN;
	}
	judge_nodes(m, k, ttl);
	if (shared && s->kinds == 1)
		inherit(m);
	k->next_blurred = s->kinds > 1 && (k->blurred || conflict);
	return true;
}

/* Counts what may be missing behind the nodes of the TTL before. */
static void doubt(const struct multipath *m, struct look *k, unsigned ttl)
{
	for (unsigned v = 0; v < AT_COUNT; v = after(m, ttl, v)) {
		const struct gather *g = &m->gather[v];
		unsigned found = count_of(g->seen);

		if (g->flows > 0)
			k->confidence *= 1 - multipath_missed((found > 0 ? found : 1) + 1,
							      g->resolved);
	}
}

static void look_once(struct multipath *m, struct look *k)
{
	m->offer_count = 0;
	m->wake = (struct mono){INT64_MAX};
	for (unsigned f = 0; f < m->flows; f++)
		m->ways[f] = (struct way){.alive = true};
	for (unsigned ttl = m->config.path.first_ttl; ttl <= m->limit; ttl++) {
		if (!look_at(m, k, ttl))
			return;
		if (k->summing)
			doubt(m, k, ttl);
		for (unsigned f = 0; f < m->flows; f++) {
			struct way *w = &m->ways[f];
			const struct cell *own = multipath_cell(m, f, ttl);

			if (w->alive)
				step_on(m, k, w, own->sent ? own : multipath_cell(m, 0, ttl), ttl);
		}
		k->blurred = k->next_blurred;
	}
}

static bool is_behind(const struct offer *a, const struct offer *b)
{
	return a->last != b->last ? a->last : a->flow > b->flow;
}

/* Nearer flows and TTLs first, so that a wave goes over many routers. */
static void spread(struct multipath *m)
{
	for (unsigned i = 1; i < m->offer_count; i++) {
		struct offer o = m->offers[i];
		unsigned at = i;

		for (; at > 0 && is_behind(&m->offers[at - 1], &o); at--)
			m->offers[at] = m->offers[at - 1];
		m->offers[at] = o;
	}
}

void multipath_look(struct multipath *m, struct mono now)
{
	struct look k;

	for (;;) {
		k = (struct look){.now = now, .confidence = 1};
		look_once(m, &k);
		if (k.grow == 0 || m->flows == m->flows_max)
			break;
		m->flows = (uint16_t)(m->flows + k.grow < m->flows_max ? m->flows + k.grow :
				      m->flows_max);
	}
	spread(m);
	m->dirty = false;
	if (k.wanting || k.waiting)
		return;
	m->short_of |= k.grow > 0;
	multipath_sum_up(m, now);
	m->cut = m->short_of;
	m->stop = STOP_REACHED;
}

void multipath_sum_up(struct multipath *m, struct mono now)
{
	struct look k = {.now = now, .confidence = 1, .summing = true};

	look_once(m, &k);
	m->confidence = k.confidence;
	m->offer_count = 0;
}

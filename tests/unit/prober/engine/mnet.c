// SPDX-License-Identifier: BSD-2-Clause
/* The scripted network with branches: see mnet.h. */
#include "tests/unit/prober/engine/mnet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/prober/engine/net.h"

enum { ANSWERS_MAX = 32768, HOP_NS = 5 * 1000 * 1000 };

struct answer {
	struct mono at, sent;
	uint16_t flow;
	uint8_t ttl, attempt;
	char node;
	bool prohibited;
};

struct mnet {
	const char *topology;
	uint64_t seed, random;
	const struct mnet_script *script;
	struct mono now;
	struct answer *answers;
	unsigned count;
	uint8_t sent[MNET_FLOWS][MNET_TTLS];
	struct { int64_t tokens_ns; struct mono last; } limits[128]; /* by node */
	const char *fault;
};

/* The word of a node: its marks and nexts. */
static const char *word_at(const char *topology, char node)
{
	const char *p = topology;

	while (p != NULL && *p != node) {
		p = strchr(p, ' ');
		p += p != NULL;
	}
	return p;
}

static bool has_mark(const char *topology, char node, char mark)
{
	const char *p = word_at(topology, node);

	for (; p != NULL && *p != ':' && *p != '\0'; p++) {
		if (*p == mark)
			return true;
	}
	return false;
}

static unsigned nexts(const char *topology, char node, const char **out)
{
	const char *p = word_at(topology, node);

	if (p == NULL)
		return 0;
	*out = strchr(p, ':') + 1;
	return (unsigned)strcspn(*out, " ");
}

static char walk(struct mnet *n, unsigned flow, unsigned ttl)
{
	char at = 'S';

	for (unsigned i = 0; i < ttl && at != 'D'; i++) {
		uint64_t hash = n->seed ^ (uint64_t)at << 32 ^ (uint64_t)flow * 0x9e3779b97f4a7c15u;
		const char *list = "";
		unsigned count = nexts(n->topology, at, &list);

		/* A path that ends in nothing. */
		if (count == 0)
			return 0;
		if (has_mark(n->topology, at, '%'))
			at = list[net_random(&n->random) % count];
		else
			at = list[net_random(&hash) % count];
	}
	return at;
}

static bool allows(struct mnet *n, char node)
{
	int64_t most = (node == 'D' ? n->script->target_burst : n->script->router_burst) * NS_PER_S;
	int64_t *tokens = &n->limits[(unsigned)node].tokens_ns;

	if (most == 0)
		return true;
	*tokens += mono_since(n->now, n->limits[(unsigned)node].last);
	n->limits[(unsigned)node].last = n->now;
	if (*tokens > most)
		*tokens = most;
	if (*tokens < NS_PER_S)
		return false;
	*tokens -= NS_PER_S;
	return true;
}

static void carry(struct mnet *n, const struct multipath_step *s)
{
	struct answer *a = &n->answers[n->count];
	char node = walk(n, s->flow, s->ttl);

	if (n->count == ANSWERS_MAX) {
		n->fault = "the test's own list of answers is too small";
		return;
	}
	if (node == 0 || has_mark(n->topology, node, '-') ||
	    net_chance(&n->random, n->script->loss_1_in) || !allows(n, node))
		return;
	*a = (struct answer){.sent = n->now, .flow = s->flow, .ttl = s->ttl,
			     .attempt = s->attempt, .node = node,
			     .prohibited = has_mark(n->topology, node, '!')};
	a->at = mono_add(n->now, s->ttl * HOP_NS);
	if (n->script->jitter_ns > 0)
		a->at = mono_add(a->at, (int64_t)(net_random(&n->random) %
						  (uint64_t)n->script->jitter_ns));
	n->count++;
}

static void check_sent(struct mnet *n, const struct multipath_step *s,
		       const struct multipath_config *c)
{
	if (s->flow >= c->flows_max || s->ttl < c->path.first_ttl || s->ttl > c->path.max_ttl)
		n->fault = "a flow or TTL out of range";
	else if (s->attempt != ++n->sent[s->flow][s->ttl])
		n->fault = "attempts out of order, or twice";
	else if (s->attempt > MULTIPATH_ATTEMPTS_MAX)
		n->fault = "an attempt out of range";
}

/* The earliest answer, removed; false: none until then. */
static bool next_answer(struct mnet *n, struct mono until, struct answer *out)
{
	unsigned best = 0;

	for (unsigned i = 1; i < n->count; i++) {
		if (n->answers[i].at.ns < n->answers[best].at.ns)
			best = i;
	}
	if (n->count == 0 || n->answers[best].at.ns > until.ns)
		return false;
	*out = n->answers[best];
	n->answers[best] = n->answers[--n->count];
	return true;
}

static void deliver(struct mnet *n, struct multipath *m, const struct answer *a,
		    struct mnet_result *out)
{
	struct addr from = net_addr(10, 0, 0, (uint8_t)a->node);
	bool late;
	enum tracer_event event = a->node == 'D' ? TRACER_DESTINATION :
				  a->prohibited ? TRACER_PROHIBITED : TRACER_TTL_EXCEEDED;

	n->now = a->at;
	if (!multipath_reply(m, a->flow, a->ttl, a->attempt, event, from,
			     mono_since(n->now, a->sent), n->now, &late) && !late)
		n->fault = "an answer was refused";
	if (multipath_reply(m, a->flow, a->ttl, a->attempt, event, from, 0, n->now, &late))
		n->fault = "an answer was credited twice";
	if (out->at[a->flow][a->ttl] == 0)
		out->at[a->flow][a->ttl] = a->node;
}

static void take_result(struct mnet *n, struct multipath *m, const struct multipath_config *c,
			struct mnet_result *out)
{
	out->flows = multipath_flows(m);
	out->cut = multipath_cut(m);
	out->confidence = multipath_confidence(m);
	for (unsigned ttl = 0; ttl < MNET_TTLS; ttl++)
		out->balancing[ttl] = (uint8_t)multipath_balancing(m, (uint8_t)ttl);
	for (uint16_t f = 0; f < out->flows; f++) {
		struct multipath_end *end = &out->ends[f];

		*end = multipath_end_of(m, f);
		if (end->stop == STOP_UNKNOWN || (out->asked[f] && end->last_ttl == 0))
			n->fault = "a flow without an end";
		for (uint8_t ttl = c->path.first_ttl; ttl <= c->path.max_ttl; ttl++) {
			bool inherits = multipath_inherits(m, f, ttl);

			if (ttl > end->last_ttl)
				out->at[f][ttl] = 0;
			if (ttl > end->last_ttl ? inherits : inherits && n->sent[f][ttl])
				n->fault = "inherits what it was asked, or beyond its end";
			if (ttl <= end->last_ttl && !inherits && n->sent[f][ttl] == 0 &&
			    n->script->stop_after_ns == 0)
				n->fault = "a TTL of a flow neither asked nor inherited";
			if (inherits) {
				out->at[f][ttl] = out->at[0][ttl];
				out->inherited[f][ttl] = true;
			}
		}
	}
}

static void run(struct mnet *n, struct multipath *m, const struct multipath_config *c,
		struct mnet_result *out)
{
	for (unsigned steps = 0; n->fault == NULL; steps++) {
		struct multipath_step s;
		struct answer a;
		uint8_t ttl;

		if (n->script->stop_after_ns > 0 && n->now.ns >= n->script->stop_after_ns)
			multipath_stop(m, STOP_INTERRUPTED);
		s = multipath_next(m, n->now);
		while (multipath_take_silent(m, &ttl))
			;
		if (steps > 200000)
			n->fault = "it does not end";
		if (s.want == TRACER_DONE)
			return;
		if (s.want == TRACER_WAIT) {
			if (s.until.ns <= n->now.ns)
				n->fault = "a wait that is over";
			else if (next_answer(n, s.until, &a))
				do
					deliver(n, m, &a, out);
				while (next_answer(n, n->now, &a));
			else if (s.until.ns == INT64_MAX)
				n->fault = "waits for ever";
			else
				n->now = s.until;
			out->waves++;
			continue;
		}
		if (n->script->flows_at_most > 0 && s.flow >= n->script->flows_at_most) {
			multipath_no_more_flows(m);
			continue;
		}
		check_sent(n, &s, c);
		out->asked[s.flow] = true;
		out->probes++;
		if (net_chance(&n->random, n->script->refused_1_in)) {
			multipath_not_sent(m, s.flow, s.ttl, s.attempt, n->now);
			continue;
		}
		multipath_sent(m, s.flow, s.ttl, s.attempt, n->now);
		carry(n, &s);
	}
}

const char *mnet_run(const char *topology, uint64_t seed, const struct mnet_script *script,
		     const struct multipath_config *c, struct mnet_result *out)
{
	static const struct mnet_script plain = {0};
	struct mnet *n = calloc(1, sizeof(*n));
	struct multipath *m = NULL;
	const char *fault = "out of memory";

	memset(out, 0, sizeof(*out));
	if (n == NULL)
		return fault;
	n->topology = topology;
	n->seed = n->random = seed;
	net_random(&n->seed);
	n->script = script != NULL ? script : &plain;
	for (unsigned i = 0; i < 128; i++)
		n->limits[i].tokens_ns = 1000 * NS_PER_S; /* full */
	n->now.ns = 1;
	n->answers = calloc(ANSWERS_MAX, sizeof(n->answers[0]));
	m = n->answers != NULL ? multipath_new(c, n->now) : NULL;
	if (m != NULL) {
		run(n, m, c, out);
		out->took_ns = n->now.ns;
		take_result(n, m, c, out);
		fault = n->fault;
	}
	multipath_free(m);
	free(n->answers);
	free(n);
	return fault;
}

struct multipath_config mnet_config(uint8_t level)
{
	return (struct multipath_config){
		.path = {.first_ttl = 1, .max_ttl = 32, .attempts = 3, .gap_limit = 5,
			 .wait_ns = 2 * NS_PER_S},
		.level = level,
		.flows_max = MULTIPATH_FLOWS_MAX,
	};
}

/* --- links --- */

enum { LETTERS = 27, LINK_TTLS = 12 }; /* a-z, and D first */
struct links { bool has[LINK_TTLS][LETTERS][LETTERS]; };

static unsigned letter(char node)
{
	return node == 'D' ? 0 : (unsigned)(node - 'a' + 1);
}

static void write_links(const struct links *l, char *out, size_t size)
{
	static const char names[] = "Dabcdefghijklmnopqrstuvwxyz";
	size_t used = 0;

	out[0] = '\0';
	for (unsigned ttl = 0; ttl < LINK_TTLS; ttl++) {
		for (unsigned i = 0; i < LETTERS * LETTERS; i++) {
			if (l->has[ttl][i / LETTERS][i % LETTERS] && used + 8 < size)
				used += (size_t)snprintf(out + used, size - used, "%s%u%c%c",
							 used > 0 ? " " : "", ttl,
							 names[i / LETTERS],
							 names[i % LETTERS]);
		}
	}
}

static void link_from(const char *topology, char node, unsigned ttl, struct links *l)
{
	const char *list = "";
	unsigned count = nexts(topology, node, &list);

	for (unsigned i = 0; i < count && ttl < LINK_TTLS; i++) {
		if (ttl > 0 && !has_mark(topology, node, '-') && !has_mark(topology, list[i], '-'))
			l->has[ttl][letter(node)][letter(list[i])] = true;
		if (list[i] != 'D')
			link_from(topology, list[i], ttl + 1, l);
	}
}

void mnet_true_links(const char *topology, char *out, size_t size)
{
	struct links *l = calloc(1, sizeof(*l));

	if (l == NULL)
		abort();
	link_from(topology, 'S', 0, l);
	write_links(l, out, size);
	free(l);
}

void mnet_found_links(const struct mnet_result *r, char *out, size_t size)
{
	struct links *l = calloc(1, sizeof(*l));

	if (l == NULL)
		abort();
	for (unsigned f = 0; f < r->flows; f++) {
		for (unsigned ttl = 1; ttl < LINK_TTLS; ttl++) {
			if (r->at[f][ttl] != 0 && r->at[f][ttl + 1] != 0)
				l->has[ttl][letter(r->at[f][ttl])]
				      [letter(r->at[f][ttl + 1])] = true;
		}
	}
	write_links(l, out, size);
	free(l);
}

// SPDX-License-Identifier: BSD-2-Clause
/* What the traces of a key in a round say together. Knows no round and no other key. */
#include "analysis/series_cell.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"

/* Of a point, what a cell is made of. */
struct sample {
	struct wall start, end;
	struct addr dst, outside;
	int32_t flow, dport;
	uint8_t reach, class, outcome, last_ttl;
	int border;
	uint32_t via_asn, last_node;
	double confidence;
	int64_t rtt_min_ns, rtt_median_ns, outside_rtt_ns;
	uint16_t asked, answered;
	int16_t reply_ttl;
	const char *target, *via_org;
	char id[TRACE_ID_TEXT];
};

enum { VIAS_MAX = 16 };

void gather_fini(struct gather *g)
{
	free(g->samples);
	free(g->hops);
	memset(g, 0, sizeof(*g));
}

void cell_room_fini(struct cell_room *r)
{
	free(r->samples);
	free(r->values);
	free(r->hops);
	memset(r, 0, sizeof(*r));
}

/* --- gathering -------------------------------------------------------------------------------- */

static int by_hop(const struct point_hop *x, const struct point_hop *y)
{
	if (x->ttl != y->ttl)
		return x->ttl - y->ttl;
	return (x->node > y->node) - (x->node < y->node);
}

/* The hops of one more trace, in order: what the others showed mostly has them already. */
static bool keep_hops(struct gather *g, const struct point_hop *hops, unsigned n)
{
	unsigned at = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned high = g->hop_count;

		/* Most often it is the next one. */
		if (at + 1 < high && by_hop(&g->hops[at + 1], &hops[i]) == 0) {
			at++;
			continue;
		}
		while (at < high) {
			unsigned middle = (at + high) / 2;

			if (by_hop(&g->hops[middle], &hops[i]) < 0)
				at = middle + 1;
			else
				high = middle;
		}
		if (at < g->hop_count && by_hop(&g->hops[at], &hops[i]) == 0)
			continue;
		if (g->hop_count == g->hop_room) {
			unsigned room = g->hop_room > 0 ? 2 * g->hop_room : 32;
			struct point_hop *p = reallocarray(g->hops, room, sizeof(*p));

			if (p == NULL)
				return false;
			g->hops = p;
			g->hop_room = room;
		}
		memmove(&g->hops[at + 1], &g->hops[at], (g->hop_count - at) * sizeof(*hops));
		g->hops[at] = hops[i];
		g->hop_count++;
	}
	return true;
}

static bool room_for_sample(struct gather *g)
{
	unsigned room = g->room > 0 ? 2 * g->room : 4;
	struct sample *p;

	if (g->count < g->room)
		return true;
	p = reallocarray(g->samples, room, sizeof(*p));
	if (p == NULL)
		return false;
	g->samples = p;
	g->room = room;
	return true;
}

int gather_add(struct gather *g, const struct point *p, const struct gather_names *names)
{
	struct sample *s;

	if (!room_for_sample(g) || !keep_hops(g, p->hops, p->hop_count))
		return BP_ENOMEM;
	s = &g->samples[g->count++];
	*s = (struct sample){.start = p->start,
			     .end = p->end.ns > p->start.ns ? p->end : p->start,
			     .dst = p->dst,
			     .outside = p->outside_ttl != 0 ? p->outside : (struct addr){0},
			     .flow = p->flow,
			     .dport = p->dport,
			     .reach = p->reach,
			     .class = p->class,
			     .outcome = p->outcome,
			     .last_ttl = p->last_ttl,
			     .border = names->border,
			     .via_asn = p->via_asn,
			     .last_node = p->last_node,
			     .confidence = p->confidence,
			     .rtt_min_ns = p->rtt_min_ns,
			     .rtt_median_ns = p->rtt_median_ns,
			     .outside_rtt_ns = p->outside_rtt_ns,
			     .asked = p->asked,
			     .answered = p->answered,
			     .reply_ttl = p->reply_ttl,
			     .target = names->target,
			     .via_org = names->via_org};
	/* A border that this profile does not name is one of nobody's. */
	if (s->outcome == OUTCOME_BORDER && s->border < 0)
		s->outcome = OUTCOME_OTHER;
	text_set(s->id, sizeof(s->id), p->id);
	return 0;
}

struct wall gather_end(const struct gather *g)
{
	struct wall end = {0};

	for (unsigned i = 0; i < g->count; i++) {
		if (g->samples[i].end.ns > end.ns)
			end = g->samples[i].end;
	}
	return end;
}

/* --- numbers ---------------------------------------------------------------------------------- */

static uint16_t add16(uint16_t a, unsigned b)
{
	return a + b < UINT16_MAX ? (uint16_t)(a + b) : UINT16_MAX;
}

static int64_t least(int64_t a, int64_t b)
{
	return b >= 0 && (a < 0 || b < a) ? b : a;
}

static void first_of(struct wall *t, struct wall other)
{
	if (other.ns != 0 && (t->ns == 0 || other.ns < t->ns))
		*t = other;
}

static void last_of(struct wall *t, struct wall other)
{
	if (other.ns > t->ns)
		*t = other;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t median(int64_t *values, unsigned n)
{
	if (n == 0)
		return -1;
	qsort(values, n, sizeof(*values), by_value);
	return values[(n - 1) / 2] + (values[n / 2] - values[(n - 1) / 2]) / 2;
}

static int by_who(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;
	int c = addr_compare(x->dst, y->dst);

	if (c == 0)
		c = (x->flow > y->flow) - (x->flow < y->flow);
	if (c == 0)
		c = (x->dport > y->dport) - (x->dport < y->dport);
	if (c == 0)
		c = (x->start.ns > y->start.ns) - (x->start.ns < y->start.ns);
	return c != 0 ? c : strcmp(x->id, y->id);
}

/* --- verdicts --------------------------------------------------------------------------------- */

/* Which borders several verdicts are for: bits by index, `other` the last. */
struct votes {
	uint32_t borders;
	unsigned decided, mixed, none, all;
};

static void vote(struct votes *v, const struct sample *s, unsigned borders)
{
	v->all++;
	if (s->outcome == OUTCOME_BORDER)
		v->borders |= 1u << s->border;
	else if (s->outcome == OUTCOME_OTHER)
		v->borders |= 1u << (borders - 1);
	v->mixed += s->outcome == OUTCOME_MIXED;
	v->none += s->outcome == OUTCOME_NONE;
	v->decided += s->outcome == OUTCOME_BORDER || s->outcome == OUTCOME_OTHER ||
		      s->outcome == OUTCOME_MIXED;
}

static uint8_t outcome_of(const struct votes *v, unsigned borders, int *border)
{
	*border = -1;
	if (v->decided == 0)
		return v->none == v->all ? OUTCOME_NONE : OUTCOME_UNDETERMINED;
	if (v->mixed > 0 || (v->borders & (v->borders - 1)) != 0)
		return OUTCOME_MIXED;
	if (v->borders == 1u << (borders - 1))
		return OUTCOME_OTHER;
	*border = __builtin_ctz(v->borders);
	return OUTCOME_BORDER;
}

static bool shows(const struct cell *c, const struct sample *s)
{
	switch (c->outcome) {
	case OUTCOME_MIXED:
		return s->outcome != OUTCOME_UNDETERMINED && s->outcome != OUTCOME_NONE;
	case OUTCOME_BORDER:
		return s->outcome == OUTCOME_BORDER && s->border == c->border;
	default:
		return s->outcome == c->outcome;
	}
}

/* Mixed is seen when a trace shows another border than the first one did. */
static struct wall mixed_since(const struct sample *all, unsigned n, unsigned borders)
{
	struct wall ends[SERIES_BORDERS_MAX] = {{0}}, first = {0}, second = {0}, mixed = {0};

	for (unsigned i = 0; i < n; i++) {
		if (all[i].outcome == OUTCOME_BORDER)
			first_of(&ends[all[i].border], all[i].end);
		else if (all[i].outcome == OUTCOME_OTHER)
			first_of(&ends[borders - 1], all[i].end);
		else if (all[i].outcome == OUTCOME_MIXED)
			first_of(&mixed, all[i].end);
	}
	for (unsigned i = 0; i < borders; i++) {
		if (ends[i].ns == 0)
			continue;
		if (first.ns == 0 || ends[i].ns < first.ns) {
			second = first;
			first = ends[i];
		} else {
			first_of(&second, ends[i]);
		}
	}
	first_of(&second, mixed);
	return second;
}

/* Who carried most of those that decided, of the first VIAS_MAX that did; of as many, the lower
 * number. */
static void take_via(struct cell *c, const struct sample *all, unsigned n)
{
	struct { const struct sample *first; unsigned count; } vias[VIAS_MAX];
	unsigned via_count = 0, best = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned k = 0;

		if (all[i].via_asn == 0 || !shows(c, &all[i]))
			continue;
		while (k < via_count && vias[k].first->via_asn != all[i].via_asn)
			k++;
		if (k == VIAS_MAX)
			continue;
		if (k == via_count) {
			vias[via_count].first = &all[i];
			vias[via_count++].count = 0;
		}
		vias[k].count++;
	}
	for (unsigned k = 0; k < via_count; k++) {
		const struct sample *s = vias[k].first;

		if (vias[k].count > best || (vias[k].count == best && s->via_asn < c->via_asn)) {
			best = vias[k].count;
			c->via_asn = s->via_asn;
			c->via_org = s->via_org;
		}
	}
}

static void take_verdicts(struct cell *c, const struct sample *all, unsigned n, unsigned borders)
{
	struct votes votes = {0};
	double confidence = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct sample *s = &all[i];

		vote(&votes, s, borders);
		if (s->outcome == OUTCOME_BORDER)
			c->by_border[s->border] = add16(c->by_border[s->border], 1);
		else if (s->outcome == OUTCOME_OTHER)
			c->by_border[borders - 1] = add16(c->by_border[borders - 1], 1);
		else if (s->outcome == OUTCOME_MIXED)
			c->mixed = add16(c->mixed, 1);
		else if (s->outcome == OUTCOME_NONE)
			c->none = add16(c->none, 1);
		else
			c->undetermined = add16(c->undetermined, 1);
	}
	c->outcome = outcome_of(&votes, borders, &c->border);
	for (unsigned i = 0; i < n; i++) {
		if (!shows(c, &all[i]))
			continue;
		confidence += c->outcome != OUTCOME_UNDETERMINED ? all[i].confidence : 0;
		first_of(&c->shown, all[i].end);
		last_of(&c->held, all[i].start);
		if (c->example[0] == '\0')
			text_set(c->example, sizeof(c->example), all[i].id);
	}
	if (c->outcome == OUTCOME_MIXED)
		c->shown = mixed_since(all, n, borders);
	if (votes.decided > 0)
		c->confidence = confidence / votes.decided;
	take_via(c, all, n);
}

/* --- hosts ------------------------------------------------------------------------------------ */

/* Delay to the outside hop that most flows show (of as many, the lower address). */
static int64_t outside_of(const struct sample *s, unsigned n)
{
	unsigned best = 0;
	struct addr who = {0};
	int64_t rtt = -1;

	for (unsigned i = 0; i < n; i++) {
		unsigned count = 0;

		for (unsigned k = 0; k < n; k++)
			count += addr_equal(s[k].outside, s[i].outside);
		if (addr_is_set(s[i].outside) &&
		    (count > best || (count == best && addr_compare(s[i].outside, who) < 0))) {
			best = count;
			who = s[i].outside;
		}
	}
	for (unsigned i = 0; i < n; i++) {
		if (addr_is_set(who) && addr_equal(s[i].outside, who))
			rtt = least(rtt, s[i].outside_rtt_ns);
	}
	return rtt;
}

/* One destination: n samples, in the order of flows. values has room for n. */
static void fill_host(struct cell_host *h, const struct sample *s, unsigned n, unsigned borders,
		      int64_t *values)
{
	struct votes votes = {0};
	unsigned answered = 0;

	*h = (struct cell_host){.dst = s[0].dst,
				.target = s[0].target,
				.rtt_min_ns = -1,
				.reply_ttl = -1,
				.outside_rtt_ns = n <= SERIES_FLOWS_MAX ? outside_of(s, n) : -1};
	for (unsigned i = 0; i < n; i++) {
		vote(&votes, &s[i], borders);
		h->traces = add16(h->traces, 1);
		h->reached = add16(h->reached, s[i].reach == REACH_REACHED);
		h->asked = add16(h->asked, s[i].asked);
		h->answered = add16(h->answered, s[i].answered);
		h->rtt_min_ns = least(h->rtt_min_ns, s[i].rtt_min_ns);
		if (s[i].rtt_median_ns >= 0)
			values[answered++] = s[i].rtt_median_ns;
		if (h->reply_ttl < 0)
			h->reply_ttl = s[i].reply_ttl;
	}
	h->rtt_median_ns = median(values, answered);
	h->outcome = outcome_of(&votes, borders, &h->border);
}

/* values has room for 2 n. */
static void take_hosts(struct cell *c, const struct sample *all, unsigned n, unsigned borders,
		       int64_t *values, struct cell_host *hosts)
{
	unsigned medians = 0;

	for (unsigned i = 0, next; i < n; i = next) {
		struct cell_host h;

		for (next = i + 1; next < n && addr_equal(all[next].dst, all[i].dst);)
			next++;
		fill_host(&h, &all[i], next - i, borders, values + n);
		c->hosts = add16(c->hosts, 1);
		c->hosts_reached = add16(c->hosts_reached, h.reached > 0);
		c->rtt_min_ns = least(c->rtt_min_ns, h.rtt_min_ns);
		c->outside_rtt_ns = least(c->outside_rtt_ns, h.outside_rtt_ns);
		if (h.rtt_median_ns >= 0)
			values[medians++] = h.rtt_median_ns;
		if (c->host_count < SERIES_HOSTS_MAX)
			hosts[c->host_count++] = h;
	}
	c->rtt_median_ns = median(values, medians);
	c->host = hosts;
}

/* --- the cell --------------------------------------------------------------------------------- */

static void take_counts(struct cell *c, const struct sample *all, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const struct sample *s = &all[i];

		c->traces = add16(c->traces, 1);
		c->asked = add16(c->asked, s->asked);
		c->answered = add16(c->answered, s->answered);
		if (s->reach < sizeof(c->by_reach) / sizeof(c->by_reach[0]))
			c->by_reach[s->reach] = add16(c->by_reach[s->reach], 1);
		if (s->class < sizeof(c->by_class) / sizeof(c->by_class[0]))
			c->by_class[s->class] = add16(c->by_class[s->class], 1);
		first_of(&c->first, s->start);
		last_of(&c->last, s->start);
		first_of(&c->any_first, s->end);
		if (s->reach == REACH_REACHED) {
			first_of(&c->answered_first, s->end);
			last_of(&c->answered_last, s->start);
		}
	}
}

/* Where most silent ones ended; of as many, the farther. */
static void take_last(struct cell *c, const struct sample *all, unsigned n)
{
	unsigned counts[TRACE_MAX_TTL + 1] = {0}, best = 0;

	for (unsigned i = 0; i < n; i++)
		counts[all[i].last_ttl] += all[i].reach != REACH_REACHED;
	for (unsigned ttl = 1; ttl <= TRACE_MAX_TTL; ttl++) {
		if (counts[ttl] > 0 && counts[ttl] >= best) {
			best = counts[ttl];
			c->last_ttl = (uint8_t)ttl;
		}
	}
	for (unsigned i = n; i-- > 0;) {
		if (c->last_ttl != 0 && all[i].last_ttl == c->last_ttl &&
		    all[i].reach != REACH_REACHED)
			c->last_node = all[i].last_node;
	}
}

static bool room_for(struct cell_room *room, const struct gather *g)
{
	if (g->count > room->sample_room) {
		void *p = reallocarray(room->samples, g->count, sizeof(*room->samples));

		if (p == NULL)
			return false;
		room->samples = p;
		room->sample_room = g->count;
	}
	if (2 * g->count > room->value_room) {
		void *p = reallocarray(room->values, 2 * (size_t)g->count, sizeof(*room->values));

		if (p == NULL)
			return false;
		room->values = p;
		room->value_room = 2 * g->count;
	}
	if (g->hop_count > room->hop_room) {
		void *p = reallocarray(room->hops, g->hop_count, sizeof(*room->hops));

		if (p == NULL)
			return false;
		room->hops = p;
		room->hop_room = g->hop_count;
	}
	return true;
}

int cell_fill(struct cell *c, const struct gather *g, unsigned borders, struct cell_room *room)
{
	unsigned n = g->count;

	if (!room_for(room, g))
		return BP_ENOMEM;
	memcpy(room->samples, g->samples, n * sizeof(*g->samples));
	qsort(room->samples, n, sizeof(*room->samples), by_who);
	take_counts(c, room->samples, n);
	take_verdicts(c, room->samples, n, borders);
	take_hosts(c, room->samples, n, borders, room->values, room->hosts);
	take_last(c, room->samples, n);
	if (g->hop_count > 0)
		memcpy(room->hops, g->hops, g->hop_count * sizeof(*g->hops));
	c->hop_count = g->hop_count;
	c->hops = room->hops;
	return 0;
}

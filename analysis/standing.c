// SPDX-License-Identifier: BSD-2-Clause
/* Rows by (destination, method, port), found by hash; each holds two rounds. */
#include "analysis/standing.h"

#include <stdlib.h>
#include <string.h>

/* Smaller differences of two medians are the network's noise. */
#define RTT_NOISE_NS (5 * NS_PER_MS)
static const int64_t rtt_noise_part = 20;

void standing_fini(struct standing *s)
{
	free(s->rows);
	free(s->index);
	*s = (struct standing){0};
}

static bool same_destination(const struct standing_row *r, const struct trace *t)
{
	return addr_equal(r->dst, t->dst) && r->method == t->method && r->dport == t->dport;
}

/* The place in the index of a destination, or the free one where it belongs. */
static uint32_t *place_of(const struct standing *s, const struct trace *t)
{
	unsigned at = addr_hash(t->dst) * 31u + t->method * 7u + (unsigned)t->dport;

	for (;; at++) {
		uint32_t *place = &s->index[at & (s->index_size - 1)];

		if (*place == 0 || same_destination(&s->rows[*place - 1], t))
			return place;
	}
}

static bool grow(struct standing *s)
{
	unsigned room = s->room ? 2 * s->room : 16, size = 4 * room;
	struct standing_row *rows = reallocarray(s->rows, room, sizeof(*rows));
	uint32_t *index;

	if (rows == NULL)
		return false;
	s->rows = rows;
	index = calloc(size, sizeof(*index));
	if (index == NULL)
		return false;
	free(s->index);
	s->index = index;
	s->index_size = size;
	s->room = room;
	for (unsigned i = 0; i < s->count; i++) {
		const struct standing_row *r = &s->rows[i];
		const struct trace key = {.dst = r->dst, .method = r->method, .dport = r->dport};

		*place_of(s, &key) = i + 1;
	}
	return true;
}

static struct standing_row *row_of(struct standing *s, const struct trace *t)
{
	struct standing_row *r;
	uint32_t *place;

	if (s->count == s->room && s->count < STANDING_ROWS_MAX && !grow(s)) {
		s->failed = true;
		return NULL;
	}
	place = place_of(s, t);
	if (*place != 0)
		return &s->rows[*place - 1];
	if (s->count == STANDING_ROWS_MAX) {
		s->beyond++;
		return NULL;
	}
	r = &s->rows[s->count];
	*place = ++s->count;
	*r = (struct standing_row){.dst = t->dst, .method = t->method, .dport = t->dport};
	return r;
}

static bool determined(uint8_t outcome)
{
	return outcome != OUTCOME_UNDETERMINED;
}

static void take_verdict(struct standing_round *n, const struct trace *t, const struct verdict *v)
{
	bool judged = v != NULL && v->judged;
	uint8_t outcome = judged ? v->outcome : OUTCOME_UNDETERMINED;

	if (t->stop == STOP_ERROR || (n->flows > 0 && !n->failed && !determined(outcome)))
		return;
	if (n->flows > 0 && !n->failed && determined(n->outcome) &&
	    (n->outcome != outcome || strcmp(n->border, judged ? v->border : "") != 0)) {
		n->outcome = OUTCOME_MIXED;
		n->border[0] = '\0';
		return;
	}
	n->outcome = outcome;
	n->class = judged ? v->class : CLASS_UNKNOWN;
	n->confidence = judged ? v->confidence : 0;
	n->via_asn = judged ? v->via_asn : 0;
	text_set(n->via_org, sizeof(n->via_org), judged ? v->via_org : "");
	text_set(n->border, sizeof(n->border), judged ? v->border : "");
}

static void take_times(struct standing_round *n, const struct trace *t)
{
	struct hop_stats d = trace_destination_stats(t);

	if (d.min_ns < 0 || (n->rtt_min_ns >= 0 && n->rtt_min_ns <= d.min_ns))
		return;
	n->rtt_min_ns = d.min_ns;
	n->rtt_median_ns = d.median_ns;
}

static void take_hops(struct standing_round *n, const struct trace *t)
{
	/* Of several flows one is compared with itself. */
	for (uint32_t i = 0; t->flow <= 0 && i < t->entry_count; i++) {
		const struct trace_entry *e = &t->entries[i];

		if (e->ttl >= 1 && e->ttl <= STANDING_HOPS && addr_is_set(e->reply.from) &&
		    !addr_is_set(n->hop[e->ttl - 1]))
			n->hop[e->ttl - 1] = e->reply.from;
	}
}

static bool same_verdict(const struct standing_span *s, const struct standing_round *n)
{
	return s->since.ns != 0 && s->outcome == n->outcome && strcmp(s->border, n->border) == 0;
}

/* From what the round before left, and this round's verdict. What is undetermined ends nothing: if
 * the same verdict comes again behind it, it has stood all along. */
static void stand(struct standing_row *r)
{
	const struct standing_span *span = &r->settled[0], *was = &r->settled[1];
	const struct standing_round *n = &r->now;

	r->span = *span;
	r->was = *was;
	if (n->failed || same_verdict(span, n))
		return;
	if (span->since.ns != 0 && determined(span->outcome))
		r->was = *span;
	if (determined(n->outcome) && !determined(span->outcome) && same_verdict(was, n)) {
		r->span = *was;
		r->was = (struct standing_span){0};
		return;
	}
	r->span = (struct standing_span){.outcome = n->outcome, .since = r->at,
					 .open = span->since.ns == 0};
	text_set(r->span.border, sizeof(r->span.border), n->border);
}

static bool path_differs(const struct standing_round *a, const struct standing_round *b)
{
	for (unsigned i = 0; i < STANDING_HOPS; i++) {
		if (addr_is_set(a->hop[i]) && addr_is_set(b->hop[i]) &&
		    !addr_equal(a->hop[i], b->hop[i]))
			return true;
	}
	return false;
}

static bool rtt_differs(int64_t before, int64_t now)
{
	int64_t by = now > before ? now - before : before - now;

	return before >= 0 && now >= 0 && by > RTT_NOISE_NS && by > before / rtt_noise_part;
}

static void compare(struct standing_row *r)
{
	const struct standing_round *n = &r->now, *b = &r->before;

	r->changed = 0;
	if (b->flows == 0 || b->failed || n->failed)
		return;
	if (determined(n->outcome) && r->was.since.ns != 0 && r->span.since.ns == r->at.ns)
		r->changed |= STANDING_BORDER;
	if (path_differs(b, n))
		r->changed |= STANDING_PATH;
	if ((b->reach == REACH_REACHED) != (n->reach == REACH_REACHED))
		r->changed |= STANDING_REACH;
	if (rtt_differs(b->rtt_median_ns, n->rtt_median_ns))
		r->changed |= STANDING_RTT;
}

static void begin_round(struct standing_row *r, const struct trace *t)
{
	if (r->now.flows > 0) {
		r->before = r->now;
		r->settled[0] = r->span;
		r->settled[1] = r->was;
	}
	r->now = (struct standing_round){.rtt_min_ns = -1, .rtt_median_ns = -1, .failed = true};
	text_set(r->round, sizeof(r->round), t->round);
	text_set(r->target, sizeof(r->target), t->target);
	r->at = t->start;
}

void standing_take(struct standing *s, const struct trace *t, const struct verdict *v)
{
	struct standing_row *r = row_of(s, t);

	if (r == NULL)
		return;
	if (r->now.flows == 0 || strcmp(r->round, t->round) != 0)
		begin_round(r, t);
	take_verdict(&r->now, t, v);
	take_times(&r->now, t);
	take_hops(&r->now, t);
	if (r->now.flows == 0 || t->reach == REACH_REACHED)
		r->now.reach = t->reach;
	if (t->stop != STOP_ERROR)
		r->now.failed = false;
	r->now.flows++;
	stand(r);
	compare(r);
}

bool standing_bounded(const struct standing *s, const char *round)
{
	for (unsigned i = 0; i < s->count; i++) {
		const struct standing_row *r = &s->rows[i];

		if ((round == NULL || strcmp(r->round, round) == 0) && r->span.open)
			return false;
	}
	return true;
}

static int by_destination(const void *a, const void *b, void *rows)
{
	const struct standing_row *x = (const struct standing_row *)rows + *(const uint32_t *)a;
	const struct standing_row *y = (const struct standing_row *)rows + *(const uint32_t *)b;
	int rc = addr_compare(x->dst, y->dst);

	if (rc == 0)
		rc = (int)x->method - (int)y->method;
	return rc != 0 ? rc : x->dport < y->dport ? -1 : x->dport > y->dport;
}

uint32_t *standing_order(const struct standing *s)
{
	uint32_t *order = s->count > 0 ? calloc(s->count, sizeof(*order)) : NULL;

	if (order == NULL)
		return NULL;
	for (uint32_t i = 0; i < s->count; i++)
		order[i] = i;
	qsort_r(order, s->count, sizeof(*order), by_destination, s->rows);
	return order;
}

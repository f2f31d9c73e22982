// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whose line is next. Rounds under way are served in turn, one line each. Of each, the prober may
 * have what keeps it busy at its rate, as long as its lines have been taking, and ten seconds of
 * work beyond that, in case this process is busy. But beside a round that has little left, and
 * before one of another plan is to begin, it has eight lines of each: so a sweep of hours makes
 * the round of the known hosts wait for eight lines, not for its own. A plan whose rate is below
 * the prober's is held to it by probes foreseen, settled when the answer tells how many there
 * were.
 */
#include "campaign/run_inside.h"

#include <stdlib.h>

static struct run_line **bucket(struct run *run, uint64_t seq)
{
	return &run->lines[seq % RUN_BUCKETS];
}

struct run_line *run_feed_find(struct run *run, uint64_t seq)
{
	struct run_line *l = *bucket(run, seq);

	while (l != NULL && l->plan.seq != seq)
		l = l->next;
	return l;
}

void run_feed_take(struct run *run, struct run_line *l)
{
	struct run_line **at = bucket(run, l->plan.seq);

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	run->out--;
	if (l->round != NULL)
		l->round->out--;
}

void run_feed_return(struct run *run)
{
	for (unsigned i = 0; i < RUN_BUCKETS; i++) {
		struct run_line *l;

		while ((l = run->lines[i]) != NULL) {
			struct run_round *x = l->round;

			run_feed_take(run, l);
			if (x != NULL && x->end_why == ROUND_WHY_NONE && l->asked < RUN_ASKED_MAX) {
				run_flows_forget(x, l);
				l->next = x->again;
				x->again = l;
				continue;
			}
			if (x != NULL) {
				x->missed[x->end_why != ROUND_WHY_NONE ? x->end_why :
					  ROUND_WHY_PROBER]++;
			}
			free(l);
		}
	}
}

void run_feed_orphan(struct run_round *x)
{
	struct run *run = x->desk->run;

	for (unsigned i = 0; x->out > 0 && i < RUN_BUCKETS; i++) {
		for (struct run_line *l = run->lines[i]; l != NULL; l = l->next) {
			if (l->round != x)
				continue;
			l->round = NULL;
			x->out--;
		}
	}
}

void run_feed_fini(struct run *run)
{
	for (unsigned i = 0; i < RUN_BUCKETS; i++) {
		struct run_line *l;

		while ((l = run->lines[i]) != NULL) {
			run->lines[i] = l->next;
			free(l);
		}
	}
}

/* --- how much it may ask ---------------------------------------------------------------------- */

static uint32_t rate_of(const struct run_round *x)
{
	const struct run *run = x->desk->run;
	uint32_t rate = x->book->line.rate_pps;

	return rate != 0 ? rate : run->child.orders.run.rate_pps;
}

/* Whether another round is to be done soon, or to begin. */
static bool is_in_the_way(const struct run_round *x)
{
	const struct run *run = x->desk->run;
	int64_t before = (int64_t)(2 * x->ns);

	if (before < RUN_AHEAD_S * NS_PER_S)
		before = RUN_AHEAD_S * NS_PER_S;
	if (before > RUN_CLEAR_MAX_NS)
		before = RUN_CLEAR_MAX_NS;
	for (const struct run_round *y = run->rounds; y != NULL; y = y->next) {
		if (y != x && y->r.expected <= y->r.done + RUN_SHORT)
			return true;
	}
	for (unsigned i = 0; i < run->desk_count; i++) {
		const struct run_desk *d = &run->desks[i];

		if (d != x->desk && d->next.ns != 0 && mono_since(d->next, run->now) < before)
			return true;
	}
	return false;
}

/* Lines that it may have out. */
static unsigned allowance(const struct run_round *x)
{
	const struct run *run = x->desk->run;
	uint32_t rate = rate_of(x);
	double lines;

	if (is_in_the_way(x))
		return RUN_LINES_MIN;
	if (rate == 0)
		return RUN_LINES_MAX / run->round_count;
	lines = rate / x->probes * (x->ns / (double)NS_PER_S + RUN_AHEAD_S) / run->round_count;
	return lines < RUN_LINES_MIN ? RUN_LINES_MIN :
	       lines > RUN_LINES_MAX ? RUN_LINES_MAX : (unsigned)lines;
}

/* Whether the prober alone would let it send faster than its plan says. */
static bool is_held(const struct run_round *x)
{
	uint32_t all = x->desk->run->child.orders.run.rate_pps, own = x->book->line.rate_pps;

	return own != 0 && (all == 0 || own < all);
}

static bool has_tokens(struct run_round *x)
{
	struct run *run = x->desk->run;
	double rate = x->book->line.rate_pps;

	if (!is_held(x))
		return true;
	x->tokens += rate * (double)mono_since(run->now, x->filled) / (double)NS_PER_S;
	if (x->tokens > PLAN_BURST)
		x->tokens = PLAN_BURST;
	x->filled = run->now;
	if (x->tokens > 0)
		return true;
	run_wake(run, mono_add(run->now, (int64_t)((1 - x->tokens) / rate * (double)NS_PER_S)));
	return false;
}

static bool may_give(struct run_round *x)
{
	struct run *run = x->desk->run;

	return (x->again != NULL || !x->fed) && x->out < allowance(x) &&
	       !mono_reached(run->now, x->feed_limit) && has_tokens(x);
}

bool run_feed_ready(struct run *run)
{
	if (run->child.ending || run->child.renew)
		return false;
	for (struct run_round *x = run->rounds; x != NULL; x = x->next) {
		if (may_give(x))
			return true;
	}
	return false;
}

/* --- the line --------------------------------------------------------------------------------- */

/* The next one of a round, from what is asked again, else from its feed. NULL: there is none. */
static struct run_line *next_line(struct run_round *x)
{
	struct run_line *l = x->again;

	if (l != NULL) {
		x->again = l->next;
		return l;
	}
	l = calloc(1, sizeof(*l));
	/* Nothing is lost: it comes when there is memory again, or the time runs out. */
	if (l == NULL)
		return NULL;
	l->round = x;
	if (feed_next(x->feed, &l->plan, &l->from))
		return l;
	x->fed = true;
	free(l);
	return NULL;
}

static bool give(struct run_round *x, struct buf *out)
{
	struct run *run = x->desk->run;
	struct run_line *l = next_line(x), **at;
	struct mono due = {x->feed_limit.ns + mono_since(x->limit, x->feed_limit) / 2};
	int64_t left = mono_since(due, run->now) / NS_PER_MS;

	if (l == NULL)
		return false;
	l->plan.seq = ++run->seq;
	l->asked++;
	l->start = l->end = (struct wall){0};
	l->why = ROUND_WHY_NONE;
	l->cost = x->probes;
	l->sent = 0;
	/* What would outlast the round ends before it does, with what it has. */
	if (left > 0 && left < UINT32_MAX &&
	    (l->plan.budget_ms == 0 || l->plan.budget_ms > (uint32_t)left))
		l->plan.budget_ms = (uint32_t)left;
	x->tokens -= l->cost;
	plan_write_trace(out, &l->plan);
	at = bucket(run, l->plan.seq);
	l->next = *at;
	*at = l;
	x->out++;
	run->out++;
	return true;
}

/* Behind all others. */
static void rotate(struct run *run)
{
	struct run_round *first = run->rounds, **at = &run->rounds;

	if (first == NULL || first->next == NULL)
		return;
	run->rounds = first->next;
	while (*at != NULL)
		at = &(*at)->next;
	*at = first;
	first->next = NULL;
}

enum probe_more run_feed_more(void *arg, struct buf *out)
{
	struct run *run = arg;

	for (uint32_t i = 0; !run->child.avoid_said && i < run->avoid.count; i++)
		plan_write_avoid(out, run->avoid.items[i]);
	run->child.avoid_said = true;
	if (run->child.ending)
		return PROBE_MORE_NONE;
	for (unsigned n = run->round_count; n > 0 && !run->child.renew; n--) {
		struct run_round *x = run->rounds;
		bool given = may_give(x) && give(x, out);

		rotate(run);
		if (given)
			return PROBE_MORE_NOW;
	}
	return PROBE_MORE_LATER;
}

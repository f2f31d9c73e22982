// SPDX-License-Identifier: BSD-2-Clause
/*
 * Slots that nobody measured, and rounds that found no journal: rows of the store all the same, so
 * that a gap in the data says why it is one. A row a slot, up to RUN_GAP_ROWS of one gap: of a
 * longer one the oldest slots share a row, which stands at the first of them and says how many
 * there are.
 */
#include "campaign/run_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Measurements that a round of the plan has. Asks the feed, when no round has been there yet. */
static uint32_t expected_of(struct run_desk *d, struct wall slot)
{
	struct feed_from from = {.plan = d->book->plan, .profile = d->book->profile,
				 .lookup = d->run->lookup, .avoid = &d->run->avoid, .slot = slot};
	struct bp_error err;
	struct feed *f;

	if (d->expected > 0)
		return d->expected;
	if (feed_new(&from, &f, &err) < 0)
		return 0;
	d->expected = (uint32_t)feed_expected(f);
	feed_free(f);
	return d->expected;
}

/* Whether a slot that was missed whole goes on where a gap ends, for the same reason. */
static bool goes_on(const struct run_gap *g, const struct round *r, int64_t every_ns)
{
	return g->every_ns == every_ns && g->r.start.ns == 0 && r->start.ns == 0 &&
	       g->r.planned.ns + (int64_t)g->count * every_ns == r->planned.ns &&
	       g->r.why == r->why && g->r.expected == r->expected &&
	       g->r.missed == r->missed && strcmp(g->r.note, r->note) == 0;
}

/* In order of slots. While a store refuses for months they are one gap, not one each. */
static void put(struct run_desk *d, const struct round *r, uint64_t count, int64_t every_ns)
{
	struct run_gap *g, **at = &d->gaps;

	while (*at != NULL && (*at)->r.planned.ns <= r->planned.ns) {
		if (goes_on(*at, r, every_ns)) {
			(*at)->count += count;
			return;
		}
		at = &(*at)->next;
	}
	g = calloc(1, sizeof(*g));
	if (g == NULL) {
		run_note(d->run, d, "out of memory: %" PRIu64 " missed rounds are not on the "
			 "record", count);
		return;
	}
	g->r = *r;
	g->count = count;
	g->every_ns = every_ns;
	g->next = *at;
	*at = g;
}

static void add(struct run_desk *d, struct wall first, uint64_t count, enum round_why why,
		const char *note)
{
	const struct campaign_plan *p = d->book->plan;
	struct round r;

	round_init(&r);
	text_set(r.campaign, sizeof(r.campaign), p->campaign);
	text_set(r.vantage, sizeof(r.vantage), p->vantage);
	r.planned = first;
	r.every_ns = p->every_ns;
	r.expected = r.missed = expected_of(d, first);
	r.why = (uint8_t)why;
	text_set(r.note, sizeof(r.note), note);
	put(d, &r, count, p->every_ns);
}

void run_gap_add(struct run_desk *d, struct wall first, uint64_t count, enum round_why why)
{
	add(d, first, count, why, "");
}

void run_gap_add_round(struct run_desk *d, const struct round *r)
{
	put(d, r, 1, d->book->plan->every_ns);
}

/* Why it is missing nobody knows any more: a process that could not tell the store was ended, or
 * the store lost it. */
static int on_hole(void *arg, struct wall first, uint64_t count, struct bp_error *err)
{
	(void)err;
	add(arg, first, count, ROUND_WHY_DOWN, "nothing was on the record when a later process "
	    "began");
	return 0;
}

void run_gap_look_inside(struct run_desk *d)
{
	const struct campaign_plan *p = d->book->plan;
	struct store_grid grid = {.every_ns = p->every_ns,
				  .offset_ns = p->offset_ns,
				  .since = p->since,
				  .until = d->round != NULL ? d->round->r.planned : d->opened};
	struct bp_error err;

	/* What cannot be read refuses at the next commit, and says so. */
	if (!d->looked_inside &&
	    store_holes(d->keep->store, p->campaign, p->vantage, &grid, on_hole, d, &err) == 0)
		d->looked_inside = true;
}

void run_gap_look_back(struct run_desk *d, struct wall until)
{
	const struct campaign_plan *p = d->book->plan;
	struct wall from = d->last, first;
	int64_t behind;

	if (!d->last_known || d->last.ns == 0)
		return;
	if (p->since.ns > from.ns)
		from.ns = p->since.ns - 1;
	if (p->until.ns != 0 && p->until.ns < until.ns)
		until = p->until;
	/* The first of the grid behind it. */
	behind = (from.ns - p->offset_ns) % p->every_ns;
	first.ns = from.ns - behind + (behind < 0 ? 0 : p->every_ns);
	if (first.ns >= until.ns)
		return;
	run_gap_add(d, first, (uint64_t)((until.ns - first.ns - 1) / p->every_ns) + 1,
		    ROUND_WHY_DOWN);
}

/* --- into the store --------------------------------------------------------------------------- */

/* The oldest slots of a gap that is too long: one row. */
static uint64_t sum_up(const struct run_gap *g, struct round *r)
{
	uint64_t slots = g->count - RUN_GAP_ROWS + 1, missed = slots * g->r.missed;
	struct wall to = {r->planned.ns + (int64_t)(slots - 1) * g->every_ns};
	char text[WALL_TEXT];

	if (g->count <= RUN_GAP_ROWS)
		return 1;
	snprintf(r->note, sizeof(r->note), "%" PRIu64 " slots, up to %s, in one row", slots,
		 wall_format_short(to, text));
	r->slots = slots;
	r->expected = r->missed = missed > UINT32_MAX ? UINT32_MAX : (uint32_t)missed;
	return slots;
}

static void announce(struct run_desk *d, const struct round *r)
{
	const struct campaign_events *e = &d->run->o->events;

	d->run->result->missed_rounds++;
	run_metrics_round(d, r);
	if (e->on_round != NULL)
		e->on_round(e->arg, d->book->plan, r);
}

int run_gap_commit(struct run_desk *d, struct bp_error *err)
{
	struct run_gap *g = d->gaps, left = *g;
	struct round *rows = calloc(RUN_GAP_BATCH, sizeof(rows[0]));
	unsigned n = 0;
	int rc;

	if (rows == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	rc = store_begin(d->keep->store, err);
	while (rc == 0 && left.count > 0 && n < RUN_GAP_BATCH) {
		bool already = false;
		uint64_t slots;

		rows[n] = left.r;
		round_set_id(&rows[n]);
		slots = sum_up(&left, &rows[n]);
		rc = store_add_round(d->keep->store, &rows[n], &already, err);
		n += !already;
		left.r.planned.ns += (int64_t)slots * left.every_ns;
		left.count -= slots;
		run_breathe(d->run);
	}
	if (rc == 0)
		rc = store_commit(d->keep->store, err);
	if (rc < 0) {
		store_undo(d->keep->store);
		goto out;
	}
	g->r.planned = left.r.planned;
	g->count = left.count;
	if (d->last.ns < left.r.planned.ns - left.every_ns)
		d->last.ns = left.r.planned.ns - left.every_ns;
	if (g->count == 0) {
		d->gaps = g->next;
		free(g);
	}
	for (unsigned i = 0; i < n; i++) {
		announce(d, &rows[i]);
		run_watch_round(d, &rows[i]);
	}
out:
	free(rows);
	return rc;
}

void run_gaps_fini(struct run_desk *d)
{
	struct run_gap *g;

	while ((g = d->gaps) != NULL) {
		d->gaps = g->next;
		free(g);
	}
}

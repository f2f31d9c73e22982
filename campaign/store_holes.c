// SPDX-License-Identifier: BSD-2-Clause
/*
 * Slots without a row: what a killed process, a store that refused and one that was mended may have
 * left between rounds. An index tells the moments; a row is opened only where one is missing.
 */
#include "campaign/store_engine.h"

static bool is_slot(const struct store_grid *g, struct wall t)
{
	return (t.ns - g->offset_ns) % g->every_ns == 0;
}

/* The first slot behind t. */
static struct wall slot_behind(const struct store_grid *g, struct wall t)
{
	int64_t into = (t.ns - g->offset_ns) % g->every_ns;

	return (struct wall){t.ns - (into < 0 ? into + g->every_ns : into) + g->every_ns};
}

struct search {
	struct store *s;
	const struct store_grid *grid;
	struct wall next; /* the first slot that is accounted for; 0: none was seen */
	int (*on_hole)(void *arg, struct wall first, uint64_t count, struct bp_error *err);
	void *arg;
};

/* A row of another grid, or none at all? 1: the search is over. */
static int pass_other(struct search *h, int64_t row, struct wall planned, struct bp_error *err)
{
	struct round r;
	int rc = h->s->engine->round(h->s, row, &r, err);

	if (rc < 0 || r.every_ns != 0)
		return rc < 0 ? rc : 1;
	if (h->next.ns == 0)
		h->next = slot_behind(h->grid, planned);
	return 0;
}

/* The row before a hole: whose it is, and how far it reaches. 1: the search is over. */
static int pass_hole(struct search *h, int64_t row, struct wall planned, struct bp_error *err)
{
	const struct store_grid *g = h->grid;
	struct wall first, end = h->next.ns < g->until.ns ? h->next : g->until;
	struct round r;
	int rc = h->s->engine->round(h->s, row, &r, err);

	if (rc < 0)
		return rc;
	/* What is recorded is whole milliseconds. */
	if (r.every_ns / NS_PER_MS != g->every_ns / NS_PER_MS)
		return 1;
	if (r.slots > 1 && r.slots > (uint64_t)((h->next.ns - planned.ns) / g->every_ns))
		return 0;
	first.ns = planned.ns + (r.slots > 1 ? (int64_t)r.slots : 1) * g->every_ns;
	if (first.ns >= end.ns)
		return 0;
	return h->on_hole(h->arg, first, (uint64_t)((end.ns - first.ns - 1) / g->every_ns) + 1,
			  err);
}

static int take_slot(void *arg, struct wall planned, int64_t row, struct bp_error *err)
{
	struct search *h = arg;
	int rc = 0;

	if (planned.ns < h->grid->since.ns)
		return 1;
	if (!is_slot(h->grid, planned))
		return pass_other(h, row, planned, err);
	if (h->next.ns > planned.ns + h->grid->every_ns)
		rc = pass_hole(h, row, planned, err);
	h->next = planned;
	return rc;
}

int store_holes(struct store *s, const char *campaign, const char *vantage,
		const struct store_grid *grid,
		int (*on_hole)(void *arg, struct wall first, uint64_t count, struct bp_error *err),
		void *arg, struct bp_error *err)
{
	struct search h = {.s = s, .grid = grid, .on_hole = on_hole, .arg = arg};
	int rc = s->engine->slots(s, campaign, vantage, STORE_HOLES_ROWS, take_slot, &h, err);

	return rc < 0 ? rc : 0;
}

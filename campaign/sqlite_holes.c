// SPDX-License-Identifier: BSD-2-Clause
/*
 * Slots without a row: what a killed process, a store that refused and one that was mended may have
 * left between rounds. The index tells the moments; a row is opened only where one is missing.
 */
#include "campaign/sqlite.h"
#include "core/record/jsonl.h"

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

static int read_round(struct store *s, int64_t id, struct round *out, struct bp_error *err)
{
	struct record rec;
	sqlite3_stmt *st;
	int rc = sql_get(s, STMT_ROUND_GET, &st, err);

	if (rc < 0)
		return rc;
	sqlite3_bind_int64(st, 1, id);
	rc = sql_step(s, st, err);
	if (rc <= 0)
		return rc < 0 ? rc : bp_fail(err, BP_EPARSE, "the store: its index names a round "
					     "that is not there");
	record_init(&rec);
	rc = jsonl_read((const char *)sqlite3_column_blob(st, 0),
			(size_t)sqlite3_column_bytes(st, 0), &rec, err);
	if (rc == 0)
		rc = round_read(&rec, out, err);
	record_fini(&rec);
	sqlite3_reset(st);
	return rc;
}

struct search {
	const struct store_grid *grid;
	struct wall next; /* the first slot that is accounted for; 0: none was seen */
	int (*on_hole)(void *arg, struct wall first, uint64_t count, struct bp_error *err);
	void *arg;
};

/* A row of another grid, or none at all? 1: the search is over. */
static int pass_other(struct store *s, struct search *h, int64_t id, struct wall planned,
		      struct bp_error *err)
{
	struct round r;
	int rc = read_round(s, id, &r, err);

	if (rc < 0 || r.every_ns != 0)
		return rc < 0 ? rc : 1;
	if (h->next.ns == 0)
		h->next = slot_behind(h->grid, planned);
	return 0;
}

/* The row before a hole: whose it is, and how far it reaches. 1: the search is over. */
static int pass_hole(struct store *s, struct search *h, int64_t id, struct wall planned,
		     struct bp_error *err)
{
	const struct store_grid *g = h->grid;
	struct wall first, end = h->next.ns < g->until.ns ? h->next : g->until;
	struct round r;
	int rc = read_round(s, id, &r, err);

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

int store_holes(struct store *s, const char *campaign, const char *vantage,
		const struct store_grid *grid,
		int (*on_hole)(void *arg, struct wall first, uint64_t count, struct bp_error *err),
		void *arg, struct bp_error *err)
{
	struct search h = {.grid = grid, .on_hole = on_hole, .arg = arg};
	sqlite3_stmt *st;
	int rc = sql_get(s, STMT_SLOTS, &st, err);

	if (rc < 0)
		return rc;
	bind_text(st, 1, campaign);
	bind_text(st, 2, vantage);
	sqlite3_bind_int(st, 3, STORE_HOLES_ROWS);
	while ((rc = sql_step(s, st, err)) == 1) {
		struct wall planned = {sqlite3_column_int64(st, 0) * NS_PER_US};
		int64_t id = sqlite3_column_int64(st, 1);

		if (planned.ns < grid->since.ns)
			break;
		if (!is_slot(grid, planned)) {
			rc = pass_other(s, &h, id, planned, err);
		} else {
			rc = h.next.ns > planned.ns + grid->every_ns ?
			     pass_hole(s, &h, id, planned, err) : 0;
			h.next = planned;
		}
		if (rc != 0)
			break;
	}
	sqlite3_reset(st);
	return rc < 0 ? rc : 0;
}

// SPDX-License-Identifier: BSD-2-Clause
/* PostgreSQL's row in the table of engines. */
#include "campaign/postgres/pg.h"

static const char *const schemes[] = {"postgresql:", "postgres:", NULL};

static const uint8_t *secret_of(const struct store *s)
{
	const struct pg_store *p = (const struct pg_store *)s;

	return p->mode == STORE_WRITE ? p->hash_key : NULL;
}

const struct store_engine pg_engine = {
	.name = "PostgreSQL",
	.schemes = schemes,
	.open = pg_open,
	.open_again = pg_open_again,
	.close = pg_close,
	.begin = pg_begin,
	.add_trace = pg_add_trace,
	.add_object = pg_add_object,
	.add_round = pg_add_round,
	.commit = pg_commit,
	.undo = pg_undo,
	.read = pg_read,
	.trace = pg_trace,
	.trace_bare = pg_trace_bare,
	.groups = pg_groups,
	.points_open = pg_points_open,
	.points_close = pg_points_close,
	.points_next = pg_points_next,
	.points_give = pg_points_give,
	.vantages = pg_vantages,
	.last_planned = pg_last_planned,
	.last_rounds = pg_last_rounds,
	.slots = pg_slots,
	.round = pg_round,
	.add_judgement = pg_add_judgement,
	.retire_some = pg_retire_some,
	.retire_hours = pg_retire_hours,
	.mark_batch = pg_mark_batch,
	.refuse_batch = pg_refuse_batch,
	.skip_batches = pg_skip_batches,
	.marks = pg_marks,
	.secret = secret_of,
	.claim = pg_claim,
};

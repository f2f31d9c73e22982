// SPDX-License-Identifier: BSD-2-Clause
/* The inside of the outbox, shared by campaign/fleet/cut*.c and by nobody else. */
#ifndef CAMPAIGN_FLEET_CUT_INSIDE_H
#define CAMPAIGN_FLEET_CUT_INSIDE_H

#include <sqlite3.h>

#include "campaign/fleet/cut.h"

/* An epoch: the batches behind place `base`, to where the next one begins. */
struct cut_epoch {
	char name[BATCH_EPOCH_TEXT];
	uint64_t base;
};

struct cut {
	sqlite3 *db;
	char *file;
	char vantage[BUS_NAME_TEXT];
	struct cut_state state;
	char round[ROUND_ID_TEXT];     /* the id of the round at state.row */
	struct batch_writer *writer;
	struct cut_epoch *epochs;      /* owned; oldest first */
	unsigned epoch_count;
	char told[BP_ERROR_TEXT];      /* what the last cut lost; empty: nothing */
	bool broken;                   /* the file is damaged */
	bool own;                      /* the last epoch is of this process, and of this spool */
};

int cut_fail(struct cut *c, struct bp_error *err);
/* One statement of text, without results. */
int cut_exec(struct cut *c, const char *sql, struct bp_error *err);

int cut_prepare(struct cut *c, const char *sql, sqlite3_stmt **out, struct bp_error *err);
/* One step of a statement that is over then: 1 a row (still there), 0 none. */
int cut_step(struct cut *c, sqlite3_stmt *st, struct bp_error *err);

/* cut_epoch.c */
int cut_epochs_read(struct cut *c, struct bp_error *err);
/* Within a transaction, behind what is cut; whoever undoes it makes epoch_count what it was. */
int cut_epoch_begin(struct cut *c, struct bp_error *err);
/* Of a batch, by its place; NULL: of none. */
const struct cut_epoch *cut_epoch_of(const struct cut *c, uint64_t place);
/* The oldest that is not wholly confirmed, or the last; NULL: none. */
const struct cut_epoch *cut_epoch_first(const struct cut *c, bool *last);
/* Fills what it says of an epoch, by its cut and confirmed. */
void cut_epoch_state(const struct cut *c, struct cut_state *out);

/* cut_round.c: gives the batches of a round, in order; once more from its first part where they
 * were too large. What does not read is left out, and the round says so. on_batch: negative
 * stops. */
struct cut_parts {
	struct cut *cut;
	struct store *spool;
	const struct round *round;
	const struct cut_epoch *epoch;
	int (*on_batch)(void *arg, const struct batch_head *head, const char *bytes, size_t n,
			struct bp_error *err);
	void *arg;
	bool bare;             /* the round alone, as if no trace of it could be read */
	uint64_t damaged;      /* out: traces that are there, as far as is known, and do not read */
};
int cut_round(struct cut_parts *p, struct bp_error *err);

#endif

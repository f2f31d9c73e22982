// SPDX-License-Identifier: BSD-2-Clause
/* The inside of the outbox, shared by campaign/fleet/cut*.c and by nobody else. */
#ifndef CAMPAIGN_FLEET_CUT_INSIDE_H
#define CAMPAIGN_FLEET_CUT_INSIDE_H

#include <sqlite3.h>

#include "campaign/fleet/cut.h"

struct cut {
	sqlite3 *db;
	char *file;
	char vantage[BUS_NAME_TEXT];
	struct cut_state state;
	char round[ROUND_ID_TEXT];     /* the id of the round at state.row */
	struct batch_writer *writer;
};

int cut_fail(struct cut *c, struct bp_error *err);
/* One statement of text, without results. */
int cut_exec(struct cut *c, const char *sql, struct bp_error *err);

/* cut_round.c: gives the batches of a round, in order. on_batch: negative stops. */
struct cut_parts {
	struct cut *cut;
	struct store *spool;
	const struct round *round;
	int (*on_batch)(void *arg, const struct batch_head *head, const char *bytes, size_t n,
			struct bp_error *err);
	void *arg;
};
int cut_round(const struct cut_parts *p, struct bp_error *err);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * The outbox of an agent: rounds of its spool cut into batches, in the order in which the spool
 * committed them. A batch is kept as the bytes that are sent, from the moment it is cut until the
 * centre has it: so the same seq is always the same bytes, whatever becomes of the spool. One small
 * SQLite file, durable at each step (synchronous FULL). Also what is known of plans, so that a new
 * process goes on where the old one stood. Knows no broker.
 *
 * A batch has a place here, from 1 without a hole, and a name for the centre: epoch and seq. What
 * is cut after a start, or of a spool that was made anew, is of a new epoch (cut_epoch.c says why).
 */
#ifndef CAMPAIGN_FLEET_CUT_H
#define CAMPAIGN_FLEET_CUT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "campaign/fleet/batch.h"
#include "campaign/store.h"
#include "core/buf.h"
#include "core/err.h"

struct cut;

/* Made when it is not there. BP_EINVAL: it is another vantage point's; BP_EPARSE: it is damaged;
 * else as of store_open. */
int cut_open(const char *file, const char *vantage, struct cut **out, struct bp_error *err);
void cut_close(struct cut *c);
/* Its file turned out to be damaged: nothing more is to be expected of it. */
bool cut_is_broken(const struct cut *c);
/* Gives the file, of an outbox that nobody has open, another name (which one), so that cut_open
 * makes a new one: cut_aside.c. */
int cut_put_aside(const char *file, char aside[static PATH_MAX], struct bp_error *err);

struct cut_state {
	uint64_t cut, confirmed;   /* place of the last batch; 0: none */
	/* The oldest that is not wholly confirmed, or the last; empty: none. Its batches. */
	char epoch[BATCH_EPOCH_TEXT];
	uint64_t epoch_cut, epoch_confirmed;
	uint64_t bytes;            /* of batches that are not confirmed */
	uint64_t records;          /* in them */
	int64_t row;               /* of the spool: cut up to this round */
	uint64_t lost_traces;      /* dropped before they were cut, or damaged */
	uint64_t lost_rounds;      /* damaged: nothing is known of them but that they were */
};
void cut_state(const struct cut *c, struct cut_state *out);

/* Cuts the next round of the spool. A round whose traces are not all there any more, or do not
 * read, says so: they are missed, why spool_full. One that does not read itself is passed over, and
 * counted. BP_ENOTFOUND: there is none; else nothing was cut. A spool that was made anew is begun
 * from its first round, and *anew (may be NULL) says so. */
int cut_next(struct cut *c, struct store *spool, bool *anew, struct bp_error *err);
/* What the last cut_next found damaged, in a line; empty: nothing. */
const char *cut_told(const struct cut *c);
/* A slot that was cut as one that never began may be measured even so, where a clock had run
 * ahead: its round takes the old one's place in the spool, and is cut again, whole. id: of a round
 * that was announced; NULL: whichever, after a start. *again counts. */
int cut_measured(struct cut *c, struct store *spool, const char *id, unsigned *again,
		 struct bp_error *err);
/* A batch that is not confirmed, by its place: its bytes and head. BP_ENOTFOUND. */
int cut_get(struct cut *c, uint64_t place, struct buf *bytes, struct batch_head *head,
	    struct bp_error *err);
/* The centre has all batches up to seq of cut_state's epoch: the next one's turn is behind the last
 * of it. BP_ERANGE: so many were never cut of the epoch under way (an older one's other batches
 * were of an outbox that is no more: this one is a copy); nothing is confirmed, and what is cut
 * next is of a new epoch. Less than is known already is nothing new (*news false). */
int cut_confirm(struct cut *c, uint64_t seq, bool *news, struct bp_error *err);
/* Traces were dropped before they were cut. */
int cut_lost(struct cut *c, uint64_t traces, struct bp_error *err);

/* What is known of a plan, by campaign. */
enum { CUT_REASON_TEXT = 400 };
struct cut_plan {
	char campaign[BUS_NAME_TEXT];
	uint64_t revision;              /* the last that was seen */
	uint64_t running;               /* that is on disk; 0: none */
	char reason[CUT_REASON_TEXT];   /* why the last was refused; empty: it was not */
};
int cut_plan_put(struct cut *c, const struct cut_plan *p, struct bp_error *err);
int cut_plan_drop(struct cut *c, const char *campaign, struct bp_error *err);
/* At most max, by name; returns how many. */
int cut_plans(struct cut *c, struct cut_plan *out, unsigned max, struct bp_error *err);

#endif

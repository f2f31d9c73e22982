// SPDX-License-Identifier: BSD-2-Clause
/*
 * A batch: records of one round on their way from an agent to the centre (doc/fleet-protocol.md).
 * Pure: bytes in, bytes out. Reading believes nothing: sizes are bounded before they are believed,
 * every record is a record, and of the vantage point that the batch is of.
 */
#ifndef CAMPAIGN_FLEET_BATCH_H
#define CAMPAIGN_FLEET_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "campaign/fleet/bus.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/record/jsonl.h"
#include "core/record/round.h"
#include "core/record/trace.h"

enum {
	BATCH_VERSION = 1,
	BATCH_RECORDS_MAX = 1024,
	BATCH_RECORDS = 256,            /* an agent cuts by so many */
	BATCH_PLAIN_MAX = 16 << 20,
	BATCH_LINE_MAX = 4 << 20,       /* one record: a line's tree takes 16 times its bytes */
	BATCH_EPOCH_TEXT = 16,
	BATCH_OLD_DAYS = 400,           /* what is older than that is not believed */
	BATCH_AHEAD_DAYS = 1,           /* nor what is of a time still to come */
	BATCH_ROUND_DAYS = 7,           /* a trace begins so long behind its round's moment */
	BATCH_EARLY_DAYS = 1,           /* or so long before it: a clock was set */
};

struct batch_head {
	char vantage[BUS_NAME_TEXT], epoch[BATCH_EPOCH_TEXT], tool[TRACE_TOOL_TEXT];
	char round[ROUND_ID_TEXT];
	uint64_t seq;                   /* from 1 */
	uint32_t part, parts, records;  /* part from 1 */
};

/* Writing: begin, records (each as its JSON line, or as values), end. */
struct batch_writer;
int batch_writer_new(struct batch_writer **out);      /* BP_ENOMEM; used again and again */
void batch_writer_free(struct batch_writer *w);
void batch_begin(struct batch_writer *w);
/* BP_ERANGE: this record is over BATCH_LINE_MAX by itself, no batch can hold it; it is not in. */
int batch_add(struct batch_writer *w, const struct record *r, struct bp_error *err);
/* head->records is counted here. BP_ERANGE: over a bound; cut it smaller. Borrowed until the next
 * begin. */
int batch_end(struct batch_writer *w, struct batch_head *head, const char **bytes, size_t *n,
	      struct bp_error *err);

/* Why a batch is refused for ever; but BATCH_NEWER is for a newer program to read. */
enum batch_refusal {
	BATCH_OK, BATCH_OVERSIZED, BATCH_MALFORMED, BATCH_VERSION_UNKNOWN, BATCH_FOREIGN,
	BATCH_NEWER,  /* it, or a record in it */
	BATCH_FAILED, /* nothing is wrong with it that batch_read knows: a store did not take it */
	BATCH_REFUSALS
};
const char *batch_refusal_name(enum batch_refusal r); /* "oversized", ... */

/* The name of a message, VANTAGE.EPOCH.SEQ.TRY, into id (as Nats-Msg-Id). */
enum { BATCH_ID_TEXT = BUS_NAME_TEXT + BATCH_EPOCH_TEXT + 44 };
void batch_id(const struct batch_head *head, unsigned attempt, char id[static BATCH_ID_TEXT]);
/* Fills epoch and seq of a head from such a name, where the batch itself could not be read. False,
 * and head as it was: it is none, or of another vantage point. */
bool batch_id_read(const char *vantage, const char *id, struct batch_head *head);

/* Between which moments things may have begun. */
struct batch_times {
	struct wall least, most;
};
/* Of a batch that the broker had at `stamp` (0: not known) and that is read at `now`: what both
 * clocks find too old, or too far ahead, is not believed. */
struct batch_times batch_times_of(struct wall stamp, struct wall now);

/* Reads a whole batch that came from `vantage` (the subject's). on_record gets each record with
 * what its line says (as jsonl's reader gives it), and may take its parts by making them empty; a
 * negative of it stops and is returned, with *refusal BATCH_OK. BP_EPARSE with *refusal set: for
 * ever refused; the text says why, in clean UTF-8. head is filled as far as it could be read (seq
 * 0: not known). What on_record was given before a refusal is not to be kept.
 *
 * Records are traces, paths, runs, and one round, the last. Of the vantage point are: those that
 * name it, traces and a round whose ids are made of its name (as prober/record.h and round_set_id
 * make them), so that nobody takes another's ids. Rounds and what is in them lie within `times`
 * (NULL: any), traces near the moment in the id of their round: each day is a table of the store,
 * and the latest moment is what reports take for now. BP_ENOMEM. */
int batch_read(const char *vantage, const struct batch_times *times, const void *bytes, size_t n,
	       struct batch_head *head,
	       int (*on_record)(void *arg, struct record *r, struct bp_error *err), void *arg,
	       enum batch_refusal *refusal, struct bp_error *err);

#endif

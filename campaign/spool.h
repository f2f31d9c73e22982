// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where a round is until the store has it: one journal file a round, native JSON Lines, beside the
 * store (or where the caller says), bounded in all. A trace is in the journal as soon as it is
 * finished, so a killed program loses none; the round object is its last line, and only then it is
 * whole. Where the disk takes no more, a journal goes on in memory, bounded too, and says so. Journals
 * of the last rounds that the store has taken are kept (SPOOL_KEPT), so that a store that loses its
 * tail can have them again. Knows no store: the caller moves rounds over.
 */
#ifndef CAMPAIGN_SPOOL_H
#define CAMPAIGN_SPOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/record/jsonl.h"
#include "core/record/names.h"
#include "core/record/round.h"
#include "core/record/trace.h"
#include "core/record/verdict.h"

enum { SPOOL_KEPT = 8 };
#define SPOOL_BYTES_DEFAULT (INT64_C(256) << 20)
#define SPOOL_MEMORY_MAX (INT64_C(32) << 20)

struct spool;
struct spool_journal; /* of a round under way */

/* Makes dir when it is not there (0700). A directory that cannot be written is no failure: the spool
 * is in memory then (spool_in_memory says so). */
int spool_open(const char *dir, int64_t bytes_max, struct spool **out, struct bp_error *err);
void spool_close(struct spool *s);

/* Begins the journal of a round: r as far as it is known (planned, expected). */
int spool_begin(struct spool *s, const struct round *r, struct spool_journal **out,
		struct bp_error *err);
/* BP_ERANGE: full; what does not fit is not kept, and the caller counts it as missed. */
int spool_trace(struct spool_journal *j, const struct trace *t, const struct names *names,
		const struct verdict *v, struct bp_error *err);
int spool_object(struct spool_journal *j, const char *json, size_t n, struct bp_error *err);
/* The round is over: its object is written, the file made durable. j is gone then, also on failure. */
int spool_end(struct spool_journal *j, const struct round *r, struct bp_error *err);

/* The rounds that wait, oldest first: those of this run, and whatever an earlier one left. One that
 * was left without its last line is given with what it has: r->why is ROUND_WHY_DOWN, missed what is
 * not there. 0, or BP_ENOTFOUND when none waits. */
int spool_next(struct spool *s, struct round *r, struct bp_error *err);
/* Its records, in the order they came, without the round. */
int spool_read(struct spool *s, const struct round *r,
	       int (*on_record)(void *arg, struct record *rec, struct bp_error *err), void *arg,
	       struct bp_error *err);
/* The store has it: waits no longer (its journal is among those kept). */
void spool_taken(struct spool *s, const struct round *r);
/* All journals kept wait again: for a store that was mended or made anew. */
void spool_again(struct spool *s);

struct spool_state { uint64_t rounds, traces, bytes; bool in_memory; };
void spool_state(const struct spool *s, struct spool_state *out);

#endif

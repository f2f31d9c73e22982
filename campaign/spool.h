// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where a round is until the store has it: one journal file a round, native JSON Lines, beside the
 * store (or where the caller says), bounded in all. A trace is in the journal as soon as it is
 * finished, so a killed program loses none; the round object is its last line, and only then it is
 * whole. Where the disk takes no more, a journal goes on in memory, bounded too, and says so.
 * Journals of the last rounds that the store has taken are kept (SPOOL_KEPT), so that a store that
 * loses its tail can have them again. Knows no store: the caller moves rounds over.
 *
 * In the directory (0700): ROUND-ID.part, under way or cut off by a crash; ROUND-ID.jsonl, waits;
 * ROUND-ID.taken, kept. Whatever else lies there is left alone and told.
 */
#ifndef CAMPAIGN_SPOOL_H
#define CAMPAIGN_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/record/jsonl.h"
#include "core/record/names.h"
#include "core/record/round.h"
#include "core/record/trace.h"
#include "core/record/verdict.h"

enum { SPOOL_KEPT = 8, SPOOL_BLOCK = 4096 };
#define SPOOL_BYTES_DEFAULT (INT64_C(256) << 20)
/* A few rounds of a few targets. */
#define SPOOL_BYTES_MIN (INT64_C(256) << 10)
#define SPOOL_MEMORY_MAX (INT64_C(32) << 20)

struct spool;
struct spool_journal; /* of a round under way */

/* Makes dir when it is not there (0700). bytes_max 0: SPOOL_BYTES_DEFAULT. A directory that
 * cannot be written is no failure: the spool is in memory then (spool_state says so) and tries
 * again with each round. BP_EAGAIN: another process has this spool; BP_ENOMEM. */
int spool_open(const char *dir, int64_t bytes_max, struct spool **out, struct bp_error *err);
/* Journals still under way stay as they are: cut off. */
void spool_close(struct spool *s);
/* What there is to tell people since it was last asked: one line, borrowed until the next call;
 * NULL: nothing more. */
const char *spool_note(struct spool *s);

/* Begins the journal of a round: r as far as it is known (id, planned, expected). Journals of
 * several rounds may be under way. BP_ERANGE: full, even for rounds without a trace (those have
 * a 16th on top); BP_EINVAL: no id, or this round is here already and the store has not taken
 * it. */
int spool_begin(struct spool *s, const struct round *r, struct spool_journal **out,
		struct bp_error *err);
/* BP_ERANGE: full; what does not fit is not kept, and the caller counts it as missed. Kept journals
 * make way first. */
int spool_trace(struct spool_journal *j, const struct trace *t, const struct names *names,
		const struct verdict *v, struct bp_error *err);
/* A line of another kind (paths, run), with or without its newline. */
int spool_object(struct spool_journal *j, const char *json, size_t n, struct bp_error *err);
/* The round goes no further: its journal stays as it is, cut off, for the next process. NULL is
 * nothing. */
void spool_leave(struct spool_journal *j);
/* The round is over: its object is written, the file made durable. j is gone then, also on failure
 * (BP_ENOMEM: the round waits as one that was cut off). Where the disk refuses, it waits in
 * memory. */
int spool_end(struct spool_journal *j, const struct round *r, struct bp_error *err);

/* The rounds that wait, oldest first: those of this run, and whatever an earlier one left. One that
 * was left without its last line is given with what it has: r->why is ROUND_WHY_DOWN, missed what
 * is not there. A line that is damaged is missed, too. 0, or BP_ENOTFOUND when none waits; BP_EIO:
 * none but such as cannot be read now. Where the round itself is damaged, its journal is put aside
 * as by spool_refused. err may not be NULL. */
int spool_next(struct spool *s, struct round *r, struct bp_error *err);
/* The planned moment of the latest round that waits or that a store has taken: it was measured,
 * even if no store can be asked now. False: there is none. */
bool spool_newest(const struct spool *s, struct wall *out);
/* Its records, in the order they came, without the round. on_record may take parts of the record by
 * making them empty; negative stops and is returned. */
int spool_read(struct spool *s, const struct round *r,
	       int (*on_record)(void *arg, struct record *rec, struct bp_error *err), void *arg,
	       struct bp_error *err);
/* The store has it: waits no longer (its journal is among those kept). */
void spool_taken(struct spool *s, const struct round *r);
/* The store will never take it (it refuses the content, not the moment): out of the way, as
 * ROUND-ID.refused, for people. */
void spool_refused(struct spool *s, const struct round *r);
/* All journals kept wait again: for a store that was mended or made anew. */
void spool_again(struct spool *s);
/* Whether a round waits because of that: it was announced when the first store took it. */
bool spool_is_again(const struct spool *s, const struct round *r);

/* What waits or is under way, and bytes with the kept ones (a file counts in whole
 * SPOOL_BLOCKs). */
struct spool_state {
	uint64_t rounds, traces, bytes;
	bool in_memory;   /* the disk took no more when last asked */
	uint64_t ignored; /* files of others in the directory */
	uint64_t cut;     /* last lines that a crash cut in two, dropped */
	uint64_t damaged; /* lines that could not be read, passed over */
};
void spool_state(const struct spool *s, struct spool_state *out);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * A store as a side of a diff: its groups of traces become items of the set. Traces of one way are
 * judged once, by the one that started first; so the cost is that of the different ways, not of the
 * traces. What was faster than light is what was marked so when it was measured.
 */
#ifndef CLI_DIFF_STORE_H
#define CLI_DIFF_STORE_H

#include <stdint.h>

#include "analysis/diff.h"
#include "analysis/judge_pass.h"
#include "campaign/store.h"

struct diff_store;

/* store and pass (with a cache) stay as they are until diff_store_free. number tells the examples
 * of several stores apart: from 1. BP_ENOMEM. */
int diff_store_new(struct store *store, unsigned number, struct judge_pass *pass,
		   struct diff_store **out);
void diff_store_free(struct diff_store *d);

/* From now on all goes into this set; it is borrowed until the next one. */
void diff_store_begin(struct diff_store *d, struct diff_set *set);
/* Adds the traces that are selected to a side; *traces grows by how many there were. */
int diff_store_groups(struct diff_store *d, const struct store_select *select,
		      enum diff_when side, uint64_t *traces, struct bp_error *err);
/* Adds the rounds of it. */
int diff_store_rounds(struct diff_store *d, const struct store_select *select,
		      enum diff_when side, struct bp_error *err);
/* Once for the diff of the set: examples of its rows that are of this store get the words by which
 * diff_store_example knows them, for as long as there is a d. BP_ENOMEM. */
int diff_store_keep(struct diff_store *d, struct diff *of);
/* The number in a row's example; the whole trace that it stands for (out is initialised and empty;
 * BP_ENOTFOUND: dropped meanwhile). */
unsigned diff_store_number(int64_t example);
int diff_store_example(struct diff_store *d, int64_t example, struct record *out,
		       struct bp_error *err);

#endif

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

/* pass (with a cache) and set stay as they are until diff_store_close. number tells the examples of
 * several stores apart: from 1. As store_open; BP_ENOMEM. */
int diff_store_open(const char *url, unsigned number, struct judge_pass *pass,
		    struct diff_set *set, struct diff_store **out, struct bp_error *err);
void diff_store_close(struct diff_store *d);

/* Adds what is selected to a side, its rounds too. *traces grows by how many there were. */
int diff_store_read(struct diff_store *d, const struct store_select *select, enum diff_when side,
		    uint64_t *traces, struct bp_error *err);
/* The same of the window before and the one after, at a time; all that is added is added as by two
 * reads, and the first failure in that order is told. Examples of the latter are those of *after,
 * which has that number, is for nothing else, and is the caller's to close. */
int diff_store_read_two(struct diff_store *d, const struct store_select select[static 2],
			unsigned number, struct diff_store **after, uint64_t *traces,
			struct bp_error *err);
/* The number in an item's `example`; the whole trace that it stands for (out is initialised and
 * empty; BP_ENOTFOUND: dropped meanwhile); its id, empty when it is gone. */
unsigned diff_store_number(int64_t example);
int diff_store_example(struct diff_store *d, int64_t example, struct record *out,
		       struct bp_error *err);
int diff_store_id(struct diff_store *d, int64_t example, char out[static TRACE_ID_TEXT],
		  struct bp_error *err);

#endif

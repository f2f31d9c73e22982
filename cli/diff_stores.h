// SPDX-License-Identifier: BSD-2-Clause
/*
 * The stores of a diff: what is wanted of each, their traces as examples. Either all of it goes
 * into a set beside what files hold; or, where there are stores only, vantage point after vantage
 * point is compared by itself, which takes the memory of one (of two, by two threads).
 */
#ifndef CLI_DIFF_STORES_H
#define CLI_DIFF_STORES_H

#include "cli/diff_store.h"

/* The windows of a store that are the two sides, by enum diff_when. */
struct diff_windows {
	struct store_select of[2];
	bool wanted[2];
};

struct diff_stores;

/* Room for so many. pass (with a cache) stays as it is until diff_stores_free. BP_ENOMEM. */
int diff_stores_new(unsigned most, struct judge_pass *pass, struct diff_stores **out);
void diff_stores_free(struct diff_stores *s);

/* Opens one more; errors as of store_open. What the windows point to stays until the free. */
int diff_stores_add(struct diff_stores *s, const char *url, const struct diff_windows *windows,
		    struct bp_error *err);
/* Either adds all that is wanted of the last one to a set, which is borrowed until
 * diff_stores_free; or compares that of all of them, once, where `beside`
 * of the processors are busy for us already. *traces grows by how many there were. */
int diff_stores_fill(struct diff_stores *s, struct diff_set *set, uint64_t *traces,
		     struct bp_error *err);
int diff_stores_compare(struct diff_stores *s, bool targets, unsigned beside, uint64_t *traces,
			struct diff *out, struct bp_error *err);

/* Before examples of a filled set are looked up: finds them in its diff. BP_ENOMEM. */
int diff_stores_keep(struct diff_stores *s, struct diff *d);
/* The whole trace that an example of a row stands for (out is initialised and empty). BP_ENOTFOUND:
 * it is of none of these stores, or was dropped meanwhile. */
int diff_stores_example(struct diff_stores *s, int64_t example, struct record *out,
			struct bp_error *err);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where to begin, that what stood before a window is known: the last rounds before it of each
 * campaign and vantage point, an hour at least.
 */
#ifndef CLI_POINTS_WARM_H
#define CLI_POINTS_WARM_H

#include "analysis/diff_intern.h"
#include "cli/points_kept.h"
#include "core/record/jsonl.h"
#include "core/record/round.h"

struct warming {
	unsigned rounds;           /* so many of each */
	struct wall least, until;  /* of those that began in between */
	struct intern keys;
	struct list last;          /* struct wall, `rounds` for each key: a ring */
	struct list counts;        /* uint32_t */
};

/* BP_ENOMEM. */
int warm_add(struct warming *w, const struct round *r);
/* For store_read: arg is the warming; what is no round is passed over. */
int warm_record(void *arg, struct record *r, struct bp_error *err);
struct wall warm_from(const struct warming *w);
void warming_fini(struct warming *w);

#endif

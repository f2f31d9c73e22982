// SPDX-License-Identifier: BSD-2-Clause
/*
 * Gaps of several sources. What one of them missed (it was copied too early, its clock ran ahead)
 * another may have measured: a gap is held until its vantage point goes on, and is none where the
 * round came after all.
 */
#ifndef CLI_POINTS_GAPS_H
#define CLI_POINTS_GAPS_H

#include <stdbool.h>

#include "cli/points_kept.h"
#include "core/record/round.h"

struct gaps {
	struct list held;   /* struct round, in the order they came */
};

bool gaps_is(const struct round *r);
/* BP_ENOMEM. A copy. */
int gaps_hold(struct gaps *g, const struct round *r);
/* The first held one of that vantage point and campaign that lies before `at`; it is taken out.
 * Until then those named `round` are dropped: that one was measured. vantage NULL: any, whenever.
 * False: there is none. */
bool gaps_next(struct gaps *g, const char *vantage, const char *campaign, const char *round,
	       struct wall at, struct round *out);
void gaps_fini(struct gaps *g);

#endif

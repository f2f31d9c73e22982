// SPDX-License-Identifier: BSD-2-Clause
/* What follows from a diff's rows as a whole. Internal to the diff. */
#ifndef ANALYSIS_DIFF_SUM_H
#define ANALYSIS_DIFF_SUM_H

#include "analysis/diff.h"
#include "analysis/diff_set.h"

/* Fills d->points: who has rows, and who has rounds; a vantage point that measured nothing is told
 * all the same. BP_ENOMEM. */
int diff_points(const struct diff_set *s, struct diff *d);
/* What came of it, from when to when, and why nothing did: all but rows, moves and points. */
void diff_summarise(struct diff *d, const struct profile *p);

#endif

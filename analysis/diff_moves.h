// SPDX-License-Identifier: BSD-2-Clause
/* The moves of a diff whose rows are filled and sorted. Private to analysis/diff*.c. */
#ifndef ANALYSIS_DIFF_MOVES_H
#define ANALYSIS_DIFF_MOVES_H

#include "analysis/diff.h"

/* Fills d->moves. BP_ENOMEM: what is there is diff_fini's to free. */
int diff_moves(struct diff *d);

#endif

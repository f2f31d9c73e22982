// SPDX-License-Identifier: BSD-2-Clause
/*
 * Rounds of a campaign that the store has, read again and again: for whoever is told of them, and
 * may have missed it (a collector that was killed between its commit and the telling). A round's
 * row may be there before all of its traces: so it is given at the second reading that finds it.
 */
#ifndef CAMPAIGN_FLEET_COLLECT_ROUNDS_H
#define CAMPAIGN_FLEET_COLLECT_ROUNDS_H

#include <stddef.h>

#include "campaign/store.h"
#include "core/record/round.h"

/* What the last reading found. Zeroed before; collect_rounds_fini frees. */
struct collect_rounds {
	struct collect_round { char id[ROUND_ID_TEXT]; bool given; } *found; /* owned, sorted */
	size_t count;
};
void collect_rounds_fini(struct collect_rounds *seen);

/* Gives each round since then that the last reading found too, once, oldest first; no closer looks.
 * on_round may use the store; negative stops and is returned. */
int collect_rounds_again(struct store *s, const char *campaign, struct wall since,
			 struct collect_rounds *seen,
			 int (*on_round)(void *arg, const struct round *r, struct bp_error *err),
			 void *arg, struct bp_error *err);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * The vantage point's own health and identity in a round, from the traces it took: which reference
 * hosts answered, with which address it sends, which network it sits in, who carries it on first.
 * So that "we were down", "we moved" and "they were down" are told apart. Pure; asks nobody.
 */
#ifndef CAMPAIGN_VANTAGE_H
#define CAMPAIGN_VANTAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/record/names.h"
#include "core/record/round.h"
#include "core/record/trace.h"

struct vantage_watch;

/* stated: the public address as the plan says, none when it does not. BP_ENOMEM. */
int vantage_watch_new(struct addr stated, struct vantage_watch **out);
void vantage_watch_free(struct vantage_watch *w);
/* A trace of the round, named. */
void vantage_watch_take(struct vantage_watch *w, const struct trace *t, const struct names *n,
			bool reference);
/* Fills health, reference_*, identity and, against the round before (NULL: none), changed; an
 * unknown is no change. Where the vantage was offline, why of what is missed becomes
 * ROUND_WHY_OFFLINE. */
void vantage_watch_end(struct vantage_watch *w, const struct round *before, struct round *r);

#endif

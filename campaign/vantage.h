// SPDX-License-Identifier: BSD-2-Clause
/*
 * The vantage point's own health and identity in a round, from the traces it took: which reference
 * hosts answered, with which address it sends, which network it sits in, who carries it on first.
 * So that "we were down", "we moved" and "they were down" are told apart. Pure; asks nobody.
 *
 * Offline: reference hosts were asked and none answered, nor a target, nor a router of a network
 * that is not our own. Whoever sees foreign routers is not offline: then a silent target is a
 * result. The first transit is the network behind our own on most paths: the first hop in another
 * network, where no silent hop lies between (it may hide one). Private and unnamed hops are passed
 * over.
 */
#ifndef CAMPAIGN_VANTAGE_H
#define CAMPAIGN_VANTAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/record/names.h"
#include "core/record/round.h"
#include "core/record/trace.h"
#include "geo/profile.h"

struct vantage_watch;

/* stated: the public address as the plan says, none when it does not. profile (borrowed; NULL:
 * none) tells which networks carry over the borders: where one of these is our first transit,
 * another one in its place is what we measure, and no move of ours. BP_ENOMEM. */
int vantage_watch_new(struct addr stated, const struct profile *profile,
		      struct vantage_watch **out);
void vantage_watch_free(struct vantage_watch *w);
/* A trace of the round, named. */
void vantage_watch_take(struct vantage_watch *w, const struct trace *t, const struct names *n,
			bool reference);
/* Fills health, reference_*, identity and, against `before` (NULL: nothing is known), changed; an
 * unknown is no change. Offline: nothing of the round is done, all of it is missed, by
 * ROUND_WHY_OFFLINE where no reason comes before it. */
void vantage_watch_end(struct vantage_watch *w, const struct round *before, struct round *r);
/* Keeps in *known what is known of the vantage point so far: takes over what r knows. For `before`,
 * so that a round that knew nothing (offline, or a gap) hides no move. */
void vantage_known(struct round *known, const struct round *r);

#endif

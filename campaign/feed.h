// SPDX-License-Identifier: BSD-2-Clause
/*
 * What one round sends: the plan's targets (or the profile's), resolved, unfolded and put in order,
 * as lines for borderpath-probe; reference hosts first. The do-not-probe lists leave out before
 * anything is counted. Knows no clock but the slot, no child and no result.
 */
#ifndef CAMPAIGN_FEED_H
#define CAMPAIGN_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "campaign/hosts.h"
#include "campaign/plan.h"
#include "core/prefixset.h"
#include "geo/profile.h"
#include "prober/plan.h"

struct feed;

/* Where a line comes from. */
struct feed_line {
	bool reference;
	unsigned target;  /* index in the plan's targets, or in the profile's */
	unsigned host;    /* index in the target's hosts */
};

/* hosts NULL: the first of each. avoid is settled, borrowed. A name that does not resolve is no failure:
 * it is counted (feed_unresolved) and told through on_note (may be NULL). BP_ENOTFOUND: nothing to
 * measure at all; BP_ENOMEM. The plan and the profile are borrowed for the feed's life. */
int feed_new(const struct campaign_plan *p, const struct profile *profile, const struct hosts *hosts,
	     const struct prefixset *avoid, struct wall slot,
	     void (*on_note)(void *arg, const char *text), void *arg, struct feed **out,
	     struct bp_error *err);
void feed_free(struct feed *f);
/* The next line (seq is the caller's to set), false after the last. */
bool feed_next(struct feed *f, struct plan_trace *line, struct feed_line *from);
/* Measurements in all (round.expected); those that could not be resolved are in it. */
uint64_t feed_expected(const struct feed *f);
uint64_t feed_unresolved(const struct feed *f);
uint64_t feed_avoided(const struct feed *f);
/* The run line that the plan asks for. */
void feed_run(const struct campaign_plan *p, struct plan_run *out);

#endif

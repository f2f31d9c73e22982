// SPDX-License-Identifier: BSD-2-Clause
/*
 * The live view of `campaign run`, drawn on stderr where that is a terminal: what the run tells is
 * fed to analysis/report/live.h, and the view is drawn again, in place, as often as people can
 * read. What else is written to the terminal goes between campaign_live_clear and the next drawing.
 */
#ifndef CLI_CAMPAIGN_LIVE_H
#define CLI_CAMPAIGN_LIVE_H

#include <stdbool.h>

#include "campaign/plan.h"
#include "cli/options.h"
#include "core/record/round.h"
#include "core/record/trace.h"
#include "core/record/verdict.h"

struct campaign_live;

/* Not when quiet, not where stderr is no terminal that can move its cursor. */
bool campaign_live_wanted(const struct options *o);
/* profile: as given on the command line; NULL: each plan's own. BP_ENOMEM. */
int campaign_live_new(const struct options *o, const char *profile, struct campaign_live **out);
/* Draws it a last time, if it was drawn, and frees. NULL is nothing, as in all that follow. */
void campaign_live_free(struct campaign_live *l);

/* What the run tells (struct campaign_events). */
void campaign_live_begin(struct campaign_live *l, const struct campaign_plan *p,
			 const struct round *r, struct wall next);
void campaign_live_trace(struct campaign_live *l, const struct campaign_plan *p,
			 const struct trace *t, const struct verdict *v);
void campaign_live_round(struct campaign_live *l, const struct campaign_plan *p,
			 const struct round *r);
/* next: when its next round starts; waiting: rounds in its spool that the store has not taken. */
void campaign_live_look(struct campaign_live *l, const struct campaign_plan *p, struct wall next,
			uint64_t waiting);
/* false: there is no view, the caller prints the line itself. */
bool campaign_live_note(struct campaign_live *l, const char *text);

/* Takes the view away, for a line of the caller's. */
void campaign_live_clear(struct campaign_live *l);
/* Draws it when it was cleared, or when the last drawing is some time ago. */
void campaign_live_draw(struct campaign_live *l);

#endif

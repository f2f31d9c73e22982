// SPDX-License-Identifier: BSD-2-Clause
/*
 * WATCH: the event engine of one plan, beside its store. Reads back what the store holds of the
 * last days, takes each round when it is committed, keeps the events it finds in the store (as
 * objects, each revision once) and hands them on behind that. What it knows is what the store
 * holds: started again, it finds the same. Runs nothing and tells nobody by itself.
 */
#ifndef CAMPAIGN_WATCH_H
#define CAMPAIGN_WATCH_H

#include "analysis/events.h"
#include "analysis/series.h"
#include "campaign/plan.h"
#include "campaign/store.h"
#include "core/record/event.h"
#include "geo/profile.h"

struct watch_hooks {
	/* A revision that is new: it is in the store. Negative stops, and is returned: the round is
	 * watched again with the next. */
	int (*on_event)(void *arg, const struct event *e, struct bp_error *err);
	/* Each cell, behind what came of it; also while history is read (recalled). Its hops and
	 * its hosts are not there any more. NULL: not wanted. */
	void (*on_cell)(void *arg, const struct cell *c, const struct events_now *now,
			bool recalled);
	/* Called every now and then while the store is read; NULL: not wanted. */
	void (*on_breath)(void *arg);
	void *arg;
};

struct watch;
/* plan and profile are borrowed, and stay as they are. BP_ENOMEM. */
int watch_new(const struct campaign_plan *plan, const struct profile *profile,
	      const struct watch_hooks *hooks, struct watch **out);
void watch_free(struct watch *w);
/* A round that the store has just taken, gaps and closer looks too; the first time, and after
 * anything went wrong, behind what the store holds of the time before it. */
int watch_round(struct watch *w, struct store *s, const struct round *r, struct bp_error *err);
/* Without a new round: reads history, if it was not read yet. */
int watch_recall(struct watch *w, struct store *s, struct bp_error *err);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * WATCH: the event engine beside a store. Reads back what the store holds of the last days, takes
 * each round when it is committed, keeps the events it finds in the store (as objects, each
 * revision once) and hands them on behind that. What it knows is what the store holds: started
 * again, it finds the same. Runs nothing and tells nobody by itself.
 *
 * Of one plan (campaign run): one campaign and vantage point; what a round shows is told at once.
 *
 * Of many vantage points (a centre, over the store of all): options.vantage NULL. Whatever vantage
 * point a round is of, whoever committed it calls watch_round; every few seconds somebody calls
 * watch_settle, which tells what by then nobody can add to: a change that was seen in one round
 * from two vantage points some ten seconds behind the second one, once, with seen_by of seen_of. A
 * vantage point that delivers what it kept while it was cut off is waited for while it does so; one
 * that is dead is not. What comes later than that is seen when it comes. Who does not vote is said
 * in doc/detection.md; of whom the centre knows that the clock is off, it says so (watch_distrust);
 * rounds that begin in the future are left out by themselves.
 */
#ifndef CAMPAIGN_WATCH_H
#define CAMPAIGN_WATCH_H

#include "analysis/events.h"
#include "analysis/series.h"
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

struct watch_options {
	const char *campaign, *vantage;  /* borrowed. NULL: any */
	const struct profile *profile;   /* borrowed, and stays as it is */
	int64_t every_ns;                /* history is 300 of these, or two days; 0: not known */
	int64_t flapping_ns;             /* as in events_options; 0 */
};

struct watch;
/* BP_ENOMEM. */
int watch_new(const struct watch_options *options, const struct watch_hooks *hooks,
	      struct watch **out);
void watch_free(struct watch *w);
/* A round that the store has just taken, gaps and closer looks too; the first time, and after
 * anything went wrong, behind what the store holds (of the time before it; a centre: all of it).
 * Rounds of one vantage point in their order; one that was taken before is passed over. */
int watch_round(struct watch *w, struct store *s, const struct round *r, struct wall now,
		struct bp_error *err);
/* Whether a round (no closer look) was taken, or need not be: false where one that the store has
 * was never told. */
bool watch_knows(const struct watch *w, const struct round *r);
/* Without a new round: reads history, if it was not read yet. */
int watch_recall(struct watch *w, struct store *s, struct wall now, struct bp_error *err);
/* Of many vantage points: what has waited long enough at this moment has its turn. */
int watch_settle(struct watch *w, struct store *s, struct wall now, struct bp_error *err);
/* From now on rounds of that vantage point are not looked at (its clock is off, its key was
 * stolen), as if it were silent; or again they are. To be called before history is read. BP_ENOMEM:
 * it is not. */
int watch_distrust(struct watch *w, const char *vantage, bool distrusted);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * RUN: the daemon. One poll loop over signals, the prober child and the schedules of its plans:
 * starts rounds on their slots, feeds the child fairly (each round under way has a bounded number
 * of lines out, in turn), takes traces into the round's journal, commits finished rounds to the
 * store, and only then announces them. The child lives while a round is under way, is restarted
 * when it dies, and what it had in hand is asked again once. No printing: what happens is told
 * through callbacks.
 */
#ifndef CAMPAIGN_RUN_H
#define CAMPAIGN_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "campaign/plan.h"
#include "core/err.h"
#include "core/record/event.h"
#include "core/record/names.h"
#include "core/record/round.h"
#include "core/record/trace.h"
#include "core/record/verdict.h"
#include "geo/geo.h"
#include "geo/profile.h"

/* Closer looks at a prefix last for so many times `for` in a row at most; then it has a rest of
 * one. */
enum { CAMPAIGN_LOOK_TIMES = 4 };

struct campaign_events {
	/* Finished and committed: whatever is announced is in the store. */
	void (*on_round)(void *arg, const struct campaign_plan *p, const struct round *r);
	/* A revision of an event that is new; it is in the store. May be NULL, as the next. */
	void (*on_event)(void *arg, const struct campaign_plan *p, const struct event *e);
	/* For a live view; borrowed until return. */
	void (*on_trace)(void *arg, const struct campaign_plan *p, const struct round *r,
			 const struct trace *t, const struct verdict *v);
	void (*on_begin)(void *arg, const struct campaign_plan *p, const struct round *r,
			 struct wall next);
	/* One line; p is NULL for what concerns all plans. */
	void (*on_note)(void *arg, const struct campaign_plan *p, const char *text);
	/* Every tick_ns (0: never), for each plan: when its next round starts (0: none does), and
	 * how many rounds the store has not taken yet. May be NULL. */
	void (*on_look)(void *arg, const struct campaign_plan *p, struct wall next,
			uint64_t waiting);
	int64_t tick_ns;
	void *arg;
};

struct campaign_options {
	const char *const *plans;   /* files */
	unsigned plan_count;
	bool once;                  /* one round of each now, then end */
	const char *store;          /* overrides the plans'; NULL: theirs */
	const char *spool_dir;      /* NULL: beside the store */
	int64_t spool_bytes;        /* 0: SPOOL_BYTES_DEFAULT */
	const char *profile, *asn_db, *country_db; /* as in cli/options.h; NULL: the plan's */
	const char *avoid;          /* a do-not-probe list besides the usual ones; NULL: none */
	struct campaign_events events;
};

/* What came of it, for the exit code. */
struct campaign_result {
	uint64_t rounds, missed_rounds; /* committed: measured, missed whole */
	uint64_t missed;                /* measurements missed in rounds that were measured */
	uint64_t waiting;               /* rounds still in the spool */
};

/* Runs until SIGTERM or SIGINT (finishes what is in flight, a second one abandons it), or, once,
 * until its rounds are done. SIGHUP reads the plans, the profiles, the databases and the
 * do-not-probe lists again: what does not read is told, and the old one stays. BP_EAGAIN: another
 * process holds the lock of a plan (campaign, vantage and store); BP_EINVAL: plans of several
 * vantage points. A store that refuses is no failure. Tells systemd (sd_notify: READY, STATUS,
 * WATCHDOG, RELOADING, STOPPING) where it listens. */
int campaign_run(const struct campaign_options *o, struct campaign_result *out,
		 struct bp_error *err);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * From files and stores to what changed: points into series, cells into the engine of events and,
 * where a report is wanted, into its maker. What lies before the window only warms up: it is in
 * neither.
 */
#ifndef CLI_CHANGES_H
#define CLI_CHANGES_H

#include "analysis/events.h"
#include "analysis/report.h"
#include "cli/points.h"

struct changes_options {
	const struct select *select;   /* --border: of `report` alone */
	struct judge_pass *pass;       /* with a cache */
	bool report;                   /* one is wanted */
	bool cold;                     /* nothing before the window warms up */
	bool all;                      /* every revision is kept, not the last of each event that
					* stands */
	bool sensitive;                /* of the shift detector */
	int64_t flap_ns;               /* 0: events.h's */
	struct wall horizon;           /* what is dated later is left out and counted; 0: nothing */
};

struct changes;
/* Everything in o stays as it is until changes_free. BP_ENOMEM. */
int changes_new(const struct changes_options *o, struct changes **out);
void changes_free(struct changes *c);
/* To add files and stores to. */
struct points *changes_points(struct changes *c);
/* Reads what was added. Once. */
int changes_read(struct changes *c, struct bp_error *err);
/* Events in the window, owned by c: without `all` the last revision of each that is confirmed or
 * over, by `at`; with it every revision, by `seen`. An outage or a flapping that had begun before
 * and went on into the window is among them. */
struct event *const *changes_events(const struct changes *c, unsigned *count);
/* How many cells of the window were measured; when the last of all ended, 0 none. */
uint64_t changes_measured(const struct changes *c);
struct wall changes_seen(const struct changes *c);
/* Traces and rounds behind the horizon, and a vantage point that has such (NULL: none). */
uint64_t changes_ahead(const struct changes *c, const char **vantage);
/* BP_ENOTFOUND: nothing was measured in the window. Valid until changes_free. */
int changes_report(struct changes *c, const struct report **out);
const struct select_counts *changes_counts(const struct changes *c);

#endif

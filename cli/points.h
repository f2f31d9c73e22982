// SPDX-License-Identifier: BSD-2-Clause
/*
 * What series are made of, out of any number of stores and files, in order of time: the points of a
 * round, then the round. Several sources give the same stream as one that holds them all, whatever
 * their order: what two of them hold comes once. A verdict that the profile gave is taken as it
 * stands; what has none is judged here.
 *
 * Memory: stores are read as they go; a trace of a file takes some 500 bytes until the end, and a
 * round 4 kB, since a file need not be in order.
 */
#ifndef CLI_POINTS_H
#define CLI_POINTS_H

#include "analysis/judge_pass.h"
#include "analysis/point.h"
#include "cli/select.h"
#include "core/record/round.h"

struct points;

/* Of select, --border chooses networks: those that were entered by it at some time in the window,
 * with all that is of them. To find them everything is read twice.
 *
 * select, pass (with a cache) and the profile in it stay as they are until points_free. `warm`: so
 * many rounds before select->since come too, of each campaign and vantage point, at least an hour
 * and at most three days; 0: none. BP_ENOMEM. */
int points_new(const struct select *select, struct judge_pass *pass, unsigned warm,
	       struct points **out);
void points_free(struct points *p);
/* Valid until points_free: what the points are made with. */
struct nodes *points_nodes(struct points *p);

/* A word of the command line: a file is read now, a store is opened. What is wrong with it is told
 * and counted, as select_read does. Negative: nothing can go on. */
int points_add(struct points *p, const char *word, struct bp_error *err);
/* The same for a record that somebody else reads; v is its verdict. Others than traces and rounds
 * are left out. */
int points_take(struct points *p, const struct record *r, const struct verdict *v,
		struct bp_error *err);

/* Where the points begin: select->since less what warms up; ns 0: open. After all are added. */
int points_from(struct points *p, struct wall *from, struct bp_error *err);

struct points_to {
	int (*on_point)(void *arg, const struct point *p, struct bp_error *err);
	int (*on_round)(void *arg, const struct round *r, struct bp_error *err);
	void *arg;
};
/* Streams what was added. Negative stops and is returned. Once. */
int points_read(struct points *p, const struct points_to *to, struct bp_error *err);

/* Files failed, records skipped: for the exit code, after points_read. */
const struct select_counts *points_counts(const struct points *p);

#endif

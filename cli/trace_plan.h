// SPDX-License-Identifier: BSD-2-Clause
/*
 * The plan of `borderpath trace`: unfolds the targets into lines for borderpath-probe, as the child
 * takes them. Owns the order of measurement, the numbers of the traces and what is left out; knows
 * nothing of results.
 */
#ifndef CLI_TRACE_PLAN_H
#define CLI_TRACE_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "campaign/order.h"
#include "campaign/probe.h"
#include "campaign/targets.h"
#include "cli/forecast.h"
#include "cli/options.h"
#include "cli/trace_options.h"

/* A run over more paths than this is bulk: results are printed as they come, destinations have no
 * reverse names, and the summary counts instead of listing. */
enum { TRACE_BULK_PATHS = 256 };

struct trace_plan {
	const struct trace_options *o; /* borrowed */
	struct targets targets;
	struct prefixset avoid;        /* the do-not-probe lists */
	struct prefixset asked;        /* bulk: all targets, to know a destination from a router */
	struct order order;
	bool bulk;
	uint32_t doubled;   /* entries that lie in another one */
	uint64_t paths;     /* in all, without those left out */
	uint64_t avoided;   /* destinations left out: on a do-not-probe list */
	/* where it stands */
	bool begun, ended, avoid_said;
	uint32_t entry;     /* of the destination at hand ... */
	struct addr dst;    /* ... and its address */
	unsigned next_flow;
	uint64_t next_seq;
	uint64_t planned;   /* paths handed out */
};

/* o is borrowed for the plan's life. */
void trace_plan_init(struct trace_plan *p, const struct trace_options *o);
void trace_plan_fini(struct trace_plan *p);
/* Takes the words of the command line, or the profile's targets when there is none, and the
 * do-not-probe lists: the option's, the user's and the system's. *failures: words and lines that
 * name nothing; the first of each word was told on stderr. Then everything but where it stands is
 * final. */
int trace_plan_collect(struct trace_plan *p, const struct profile *profile, int argc, char **argv,
		       uint64_t *failures, struct bp_error *err);
/* The second half of it, for targets and lists (settled) that came otherwise: the numbers of the
 * whole run, and its order. BP_ENOMEM. */
int trace_plan_settle(struct trace_plan *p);
/* The do-not-probe list as lines, on the first call only: they stand before the first path. The
 * prober keeps to it by itself; what is left out here it would refuse. */
void trace_plan_avoid(struct trace_plan *p, struct buf *out);
/* The next path to measure, in the order of measurement; false: that was the last. */
bool trace_plan_next(struct trace_plan *p, struct plan_trace *out);
/* The next lines, as probe_run's `more`. A destination's flows have consecutive seq, from 1. */
enum probe_more trace_plan_more(struct trace_plan *p, struct buf *out);
/* The number of the destination that the trace seq belongs to, from 0. */
uint64_t trace_plan_target(const struct trace_plan *p, uint64_t seq);
/* Whether a is among what a bulk run measures. */
bool trace_plan_has(const struct trace_plan *p, struct addr a);
/* What it costs. avoid (settled): the plan's own list or a longer one. BP_ENOMEM. */
int trace_plan_forecast(const struct trace_plan *p, const struct prefixset *avoid,
			struct forecast *out);
/* How an entry is measured: the options, then what the profile says of it, then ICMP. */
uint8_t trace_plan_method(const struct trace_plan *p, const struct target *t);

#endif

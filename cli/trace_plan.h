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

#include "cli/options.h"
#include "cli/probe.h"
#include "cli/targets.h"
#include "cli/trace_options.h"

struct trace_plan {
	const struct trace_options *o; /* borrowed */
	struct targets targets, avoid;
	/* where it stands */
	unsigned next_target;
	uint64_t next_address, next_seq;
	unsigned next_flow;
	uint64_t avoided; /* destinations left out: on the do-not-probe list */
	uint64_t planned; /* paths handed out */
};

/* o is borrowed for the plan's life. */
void trace_plan_init(struct trace_plan *p, const struct trace_options *o);
void trace_plan_fini(struct trace_plan *p);
/* Takes the words of the command line, or the profile's targets when there is none, and the
 * do-not-probe list. *failures: words that name nothing; each was told on stderr. */
int trace_plan_collect(struct trace_plan *p, const struct profile *profile, int argc, char **argv,
		       int *failures, struct bp_error *err);
/* The next path to measure, in the order of measurement; false: that was the last. */
bool trace_plan_next(struct trace_plan *p, struct plan_trace *out);
/* The next lines, as probe_run's `more`. A destination's flows have consecutive seq, from 1. */
enum probe_more trace_plan_more(struct trace_plan *p, struct buf *out);
/* The number of the destination that the trace seq belongs to, from 0. */
uint64_t trace_plan_target(const struct trace_plan *p, uint64_t seq);
/* The least time the run takes at its rates, in seconds; *paths: how many it has. */
uint64_t trace_plan_least_seconds(const struct trace_plan *p, uint64_t *paths);

#endif

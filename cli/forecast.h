// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a run will cost, before a packet is sent: probes, time, load on a network. Arithmetic over
 * the plan and its caps; asks nobody. Loss and pacing by loss are not foreseen.
 */
#ifndef CLI_FORECAST_H
#define CLI_FORECAST_H

#include <stdint.h>

#include "cli/trace_plan.h"
#include "core/addr.h"

/* What holds a run back the most. */
enum forecast_bound { BOUND_NONE, BOUND_RATE, BOUND_PREFIX, BOUND_ROUTER };
/* Three cases: every destination answers at the first TTL asked; paths of FORECAST_HOPS hops; every
 * TTL is asked to the last, and nobody answers. */
enum forecast_case { CASE_LEAST, CASE_USUAL, CASE_MOST, CASES };
enum { FORECAST_HOPS = 15 };

struct forecast_network { struct prefix network; uint64_t paths; };

struct forecast {
	uint64_t destinations, paths;
	uint32_t path_probes[CASES];      /* for one path */
	uint64_t probes[CASES];
	double seconds[CASES];            /* -1: nothing but the machine limits it */
	uint8_t bound[CASES];             /* enum forecast_bound */
	struct forecast_network *networks; /* owned: each /24 or /48 with paths into it, sorted */
	uint32_t network_count;
	uint32_t busiest;                 /* index, of the most paths */
};

/* avoid (settled): what is left out, the plan's own list or a longer one. BP_ENOMEM. */
int forecast_make(const struct trace_plan *p, const struct prefixset *avoid, struct forecast *out);
void forecast_fini(struct forecast *f);

extern const struct word forecast_bound_words[];

#endif

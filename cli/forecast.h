// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a run will cost, before a packet is sent: probes, bytes, time, load on a network. Arithmetic
 * over rows of paths and the caps of a run; asks nobody. Loss and pacing by loss are not foreseen.
 */
#ifndef CLI_FORECAST_H
#define CLI_FORECAST_H

#include <stdint.h>

#include "core/addr.h"
#include "core/prefixset.h"
#include "core/text.h"
#include "prober/plan.h"

/* What holds a run back the most. */
enum forecast_bound { BOUND_NONE, BOUND_RATE, BOUND_PREFIX, BOUND_ROUTER };
/* Three cases: every destination answers at the first TTL asked; paths of FORECAST_HOPS hops; every
 * TTL is asked to the last, and nobody answers. */
enum forecast_case { CASE_LEAST, CASE_USUAL, CASE_MOST, CASES };
/* Of the usual hops the last FORECAST_INSIDE_HOPS are behind the last one outside: typically three
 * silent ones and the host (FACTS "How real paths look at the border", 1). */
enum { FORECAST_HOPS = 15, FORECAST_INSIDE_HOPS = 4 };
/* Of all load-balanced paths: the flows that the rule asks of a node without branches. */
enum { FORECAST_FLOWS = 6 };

/* Paths measured alike: to each address of a prefix, by so many flows. */
struct forecast_row {
	struct prefix prefix;
	const struct prefixset *out; /* settled: what of it is not measured, or by another row */
	uint16_t flows;              /* 1 with multipath */
	uint8_t method, attempts, multipath, first_ttl, max_ttl;
	uint32_t wait_ms;
};

struct forecast_network {
	struct prefix network;
	uint64_t paths;
	uint64_t probes[CASES];
};

struct forecast {
	uint64_t destinations, paths;
	uint64_t probes[CASES];
	uint64_t past[CASES];             /* of them into the network that is watched, behind its
					   * borders */
	uint64_t past_paths;              /* paths that lead there */
	uint64_t bytes[CASES];            /* of IP packets sent */
	double seconds[CASES];            /* -1: nothing but the machine limits it */
	uint8_t bound[CASES];             /* enum forecast_bound */
	struct forecast_network *networks; /* owned: each /24 or /48 with paths into it, sorted */
	uint32_t network_count;
	uint32_t busiest;                 /* index, of the most probes */
};

/* inside (settled): the network that is watched; NULL: none. BP_ENOMEM. */
int forecast_make(const struct plan_run *run, const struct forecast_row *rows, uint32_t count,
		  const struct prefixset *inside, struct forecast *out);
void forecast_fini(struct forecast *f);

extern const struct word forecast_bound_words[];

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * A target's record, made when it is done: entries in order, times from the capture, what was
 * refused while it ran. Pure: everything it needs is an argument.
 *
 * The id of a trace:  VANTAGE "-" START "-" SEQ ["." FLOW]
 *   VANTAGE  the vantage point's name, its first 28 bytes, other than [A-Za-z0-9._] as "_"; no name: "here"
 *   START    nanoseconds since 1970 when the run started, in base 36, lower case
 *   SEQ      the sequence number in the plan, decimal
 *   FLOW     the number of the flow, decimal, where one line of the plan gives several traces
 * Read from the right: START and SEQ hold no "-". Two runs of one vantage point never start in the
 * same nanosecond, and a plan's numbers only grow: so it is unique for ever.
 */
#ifndef PROBER_RECORD_H
#define PROBER_RECORD_H

#include "core/record/trace.h"
#include "prober/flight.h"
#include "prober/plan.h"
#include "prober/steps.h"

/* What all traces of a run share, as it is when one of them ends. */
struct record_run {
	const struct plan_run *plan;
	struct wall start;           /* of the run: the epoch of its ids */
	struct mono now;
	struct wall now_wall;
	struct refused refused;      /* counters so far */
	uint64_t drops;              /* of the capture so far */
	uint32_t cuts;               /* of the pace so far */
	uint32_t lowest_pps;         /* the pace at its lowest while this trace ran; 0: never cut */
	const struct steps *steps;
	const char *ifname;          /* of f->ifindex; "" unknown */
};

/* Of a flight whose tracer is done. Owned by the caller (free); NULL: out of memory. */
struct trace *record_flight(const struct record_run *run, const struct flight *f);
/* Of a target that could not be measured. */
struct trace *record_failure(const struct record_run *run, const struct plan_trace *plan,
			     const char *error);
/* Writes the id. Returns out. */
const char *record_id(const char *vantage, struct wall start, uint64_t seq,
		      char out[static TRACE_ID_TEXT]);

#endif

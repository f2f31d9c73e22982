// SPDX-License-Identifier: BSD-2-Clause
/*
 * A multipath target: several flights to one destination, one a flow, driven together by one
 * engine/multipath. Owns the engine and knows its flights; the slots stay the table's. The first
 * flow's flight leads: its place in the line, and its wait, stand for all. Sends nothing and opens
 * nothing; the run does what it says.
 *
 * Memory: what multipath.h states, 2 kB here, and a flight for each flow (flight.h), up to
 * BUNDLE_FLOWS.
 */
#ifndef PROBER_BUNDLE_H
#define PROBER_BUNDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/record/frame.h"
#include "prober/engine/multipath.h"
#include "prober/flight.h"
#include "prober/plan.h"
#include "prober/record.h"

enum { BUNDLE_FLOWS = MULTIPATH_FLOWS_MAX };

struct bundle {
	struct multipath *engine;
	struct plan_trace plan;                /* the line */
	uint32_t reserved;                     /* slots kept free for flows it may come to have */
	struct flight *flights[BUNDLE_FLOWS];  /* [flow]; NULL: not begun */
};

/* For a line with multipath set, of at most `flows` flows. NULL: out of memory. */
struct bundle *bundle_new(const struct plan_trace *plan, uint32_t flows, struct mono now);
void bundle_free(struct bundle *b);
/* What one of its flows is to measure: as the line, but its own flow number, and as many attempts
 * as may be made of one probe. */
struct plan_trace bundle_plan(const struct bundle *b, uint16_t flow);
/* Whether there is a flow of that number to be had: flow numbers end at METHOD_FLOWS_MAX. */
bool bundle_has_flow(const struct bundle *b, uint16_t flow);
/* f flies for it from now on. Flow 0 first: it leads. */
void bundle_add(struct bundle *b, struct flight *f, uint16_t flow);
static inline struct flight *bundle_lead(const struct bundle *b) { return b->flights[0]; }

/* An answer that flights_take kept. */
void bundle_answered(const struct flight_hit *hit, struct addr from, struct mono now);

/* The record of one flow, when the engine is done: what it was asked, and what it inherits from
 * `first`, the record of flow 0 (NULL for that one itself). As record_flight. */
struct trace *bundle_record(const struct bundle *b, const struct record_run *run, uint16_t flow,
			    const struct trace *first);
/* What goes behind the records of `flows` flows. */
void bundle_paths(const struct bundle *b, uint32_t flows, struct frame_paths *out);
/* The same for a target that could not be measured. */
void bundle_no_paths(const struct plan_trace *plan, struct frame_paths *out);

#endif

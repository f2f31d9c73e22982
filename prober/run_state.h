// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the files of the run share: run.c (the loop, packets and targets in), run_send.c (what
 * targets want, probes out) and run_end.c (records out). Nobody else includes this.
 */
#ifndef PROBER_RUN_STATE_H
#define PROBER_RUN_STATE_H

#include "prober/due.h"
#include "prober/engine/pacing.h"
#include "prober/input.h"
#include "prober/io/port.h"
#include "prober/progress.h"
#include "prober/run.h"
#include "prober/seen.h"
#include "prober/target.h"
#include "prober/watch.h"

struct run {
	struct run_tools *tools;
	struct output *out;
	struct input in;
	struct plan_run plan;
	bool planned;              /* the run line was read, the rest below is set up */
	int ifindex;               /* of plan.ifname; 0: by route */
	struct wall start;
	struct flights flights;
	struct pacing *pacing;
	struct ports ports;
	struct due due;
	struct steps steps;
	struct slew slew;
	struct mono looked;        /* last look at the clock that saw no step */
	struct watch watch;
	struct progress progress;
	struct seen seen;          /* responders told by HOP frames */
	struct refused refused;
	uint64_t drops, sent, send_errors, read, done;
	uint32_t reserved;         /* slots free and promised to bundles */
	uint32_t repeated;         /* probes sent again for loss by our own speed */
	int64_t slack_ns;          /* of this round: what the queues on the way add to RTTs */
	struct plan_trace next;    /* read and not begun */
	bool has_next;
	struct mono held;          /* nobody may send before: the run's bucket, or a full queue */
	bool told_of_resets, stopping, interrupted;
	int code;                  /* of the failure that ends the run; err has the text */
	struct bp_error *err;
	struct mono now;           /* one reading of the clock per round ... */
	struct wall now_wall;      /* ... and of the other, at the same moment */
};

/* run_end.c */

/* A target that could not be measured: its record says why. */
void run_fail_target(struct run *r, const struct plan_trace *p, const char *why);
/* A target that is done: its records, and its slots are free. f leads. */
void run_finish(struct run *r, struct flight *f);
/* Ends all that fly, as interrupted. */
void run_stop_all(struct run *r);
/* What the capture has dropped so far. */
void run_know_drops(struct run *r);
/* What pacing is to be asked about a probe of f; and about the fate of one that has left, once. */
struct pacing_ask run_ask(const struct flight *f, uint8_t ttl, struct addr router);
struct pacing_ask run_fate(struct flight *f, struct flight_probe *p, struct addr router);

/* run_send.c */

/* A flight of p, its source and port chosen. NULL: err says what stands against it. */
struct flight *run_begin_flight(struct run *r, const struct plan_trace *p, struct bp_error *err);
/* Lets the target say what it wants, and puts it where it belongs: finished, waiting, in line. */
void run_settle(struct run *r, struct flight *f);
/* At most one batch, from the head of the line. */
void run_send_batch(struct run *r);

#endif

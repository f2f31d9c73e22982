// SPDX-License-Identifier: BSD-2-Clause
/*
 * The run: plan in, probes out, packets in, records out, in one poll loop without threads. Joins
 * the rooms of the prober; runs without privilege, on what main opened before it gave them up.
 */
#ifndef PROBER_RUN_H
#define PROBER_RUN_H

#include "core/clock.h"
#include "core/err.h"
#include "prober/io/capture.h"
#include "prober/io/events.h"
#include "prober/io/peer.h"
#include "prober/io/route.h"
#include "prober/io/send.h"
#include "prober/limits.h"
#include "prober/method/method.h"
#include "prober/output.h"

/* What was opened with privilege, and what was read with it. Borrowed by the run. */
struct run_tools {
	struct sender *sender;
	struct capture *capture;
	struct events events;
	struct route_names names;
	struct limits limits;
	struct peer peer;
	bool unlimited;                /* this user may lift the caps */
	int lo_index;
	uint8_t key[METHOD_KEY_SIZE];  /* of the tokens; random, new for each run */
};

/* How a run ended, for END and the exit code. */
struct run_end {
	struct frame_end frame;
	bool reader_gone;
};

/* Follows the plan on plan_fd to its end; frames go to out. 0, or BP_E* with err when the run as a
 * whole failed (what was measured until then has been handed out). *end is filled either way. */
int run_plan(struct run_tools *tools, int plan_fd, struct output *out, struct run_end *end,
	     struct bp_error *err);

#endif

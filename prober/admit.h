// SPDX-License-Identifier: BSD-2-Clause
/*
 * From a line of the plan to a flow that can be measured: which source and port its probes carry,
 * and its first packet. What stands against it becomes the text of the target's error record.
 */
#ifndef PROBER_ADMIT_H
#define PROBER_ADMIT_H

#include "core/err.h"
#include "prober/flight.h"
#include "prober/io/port.h"
#include "prober/method/method.h"
#include "prober/plan.h"

enum { ADMIT_PORT_TRIES = 8 };

/* Fills flow and packet, and holds the flow's port. ifindex: of run->ifname, 0 by route. A port
 * that somebody else or another flight to the same target has is passed over, ADMIT_PORT_TRIES
 * times. */
int admit_flow(const struct plan_run *run, const struct plan_trace *trace, int ifindex,
	       const struct flights *flights, struct ports *ports, struct flow *flow,
	       struct probe_packet *packet, struct bp_error *err);

#endif

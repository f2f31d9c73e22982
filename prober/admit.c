// SPDX-License-Identifier: BSD-2-Clause
/* From where, and by which port. */
#include "prober/admit.h"

#include "prober/io/route.h"

static int find_source(const struct plan_run *run, const struct plan_trace *trace, int ifindex,
		       struct addr *src, struct bp_error *err)
{
	struct route_want want = {
		.dst = trace->dst, .dport = trace->dport, .ifname = run->ifname,
		.ifindex = ifindex, .src = trace->dst.family == 4 ? run->src4 : run->src6,
	};

	return route_source(&want, src, err);
}

int admit_flow(const struct plan_run *run, const struct plan_trace *trace, int ifindex,
	       const struct flights *flights, struct ports *ports, struct flow *flow,
	       struct probe_packet *packet, struct bp_error *err)
{
	const struct method_row *row = method_row(trace->method, trace->dst.family);
	struct addr src;
	struct flow f;
	int rc;

	if (row == NULL)
		return bp_fail(err, BP_EUNSUP, "no such method for this family");
	rc = find_source(run, trace, ifindex, &src, err);
	if (rc < 0)
		return rc;
	rc = BP_EAGAIN;
	for (unsigned skip = 0; skip < ADMIT_PORT_TRIES && rc == BP_EAGAIN; skip++) {
		method_flow(trace->method, src, trace->dst, trace->dport, run->seed, trace->flow,
			    skip, &f);
		/* Two flights of one flow would have the same tokens. */
		if (flights_has(flights, &f)) {
			bp_fail(err, BP_EAGAIN, "flow %u to this target is in flight already",
				trace->flow);
			continue;
		}
		rc = port_hold(ports, f.method, f.dst.family, f.sport, err);
	}
	if (rc < 0)
		return rc;
	rc = row->build(&f, packet, err);
	if (rc < 0) {
		port_release(ports, f.method, f.dst.family, f.sport);
		return rc;
	}
	*flow = f;
	return 0;
}

// SPDX-License-Identifier: BSD-2-Clause
/* May it be probed, from where, by which port. */
#include "prober/admit.h"

#include <string.h>

#include "prober/io/route.h"

static bool is_mapped4(struct addr a)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	return a.family == 6 && memcmp(a.bytes, prefix, sizeof(prefix)) == 0;
}

static const char *why_never(struct addr dst)
{
	static const uint8_t zero[16], ones[4] = {0xff, 0xff, 0xff, 0xff};

	if (addr_kind(dst) == ADDR_KIND_MULTICAST)
		return "a multicast address";
	if (dst.family == 4 && memcmp(dst.bytes, ones, sizeof(ones)) == 0)
		return "the broadcast address";
	if (dst.family == 4 && dst.bytes[0] == 0)
		return "in 0.0.0.0/8, which names no other host (RFC 1122)";
	if (dst.family == 6 && memcmp(dst.bytes, zero, sizeof(zero)) == 0)
		return "the unspecified address";
	if (is_mapped4(dst))
		return "an IPv4-mapped address: give the IPv4 address itself";
	return NULL;
}

int admit_target(const struct limits *limits, struct addr dst, struct bp_error *err)
{
	char text[ADDR_TEXT], list[PREFIX_TEXT];
	const char *never = why_never(dst);
	const struct prefix *p = limits_forbids(limits, dst);

	addr_format(dst, text);
	if (never != NULL)
		return bp_fail(err, BP_EPERM, "%s is %s: not probed", text, never);
	if (p != NULL)
		return bp_fail(err, BP_EPERM, "%s is on the do-not-probe list of this machine (%s)",
			       text, prefix_format(*p, list));
	return 0;
}

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

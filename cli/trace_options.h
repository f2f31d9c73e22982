// SPDX-License-Identifier: BSD-2-Clause
/*
 * What `borderpath trace` is asked to do, from its command line. Owns the meaning of its options
 * and the vantage point's name; opens nothing and measures nothing.
 */
#ifndef CLI_TRACE_OPTIONS_H
#define CLI_TRACE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/options.h"
#include "prober/plan.h"

struct trace_options {
	struct options common;
	struct plan_run run;
	struct plan_trace each;  /* what all targets share */
	uint8_t family;          /* 0: any */
	uint8_t method;          /* METHOD_UNKNOWN: the target's own, else icmp */
	unsigned flow_first, flow_count;
	bool unlimited;          /* --rate max */
	uint64_t prefix_mpps;    /* 0: not said */
	bool no_names;
	bool shared_beginnings;  /* hops common to all targets are asked once */
	const char *avoid_path;
	bool dry_run;
	const char *contact_path; /* NULL: the user's, else the system's */
	const char *probing_path; /* NULL: not written */
	bool place_known;        /* of the vantage point: */
	double lat, lon;         /* degrees, north and east */
};

void trace_options_init(struct trace_options *o);
/* Reads the options; optind then stands at the first target. 0, or a cli_exit + 1 to leave with
 * (what is wrong is told). Needs sodium_init. */
int trace_options_parse(struct trace_options *o, int argc, char **argv);

#endif

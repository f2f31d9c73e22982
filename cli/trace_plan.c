// SPDX-License-Identifier: BSD-2-Clause
/* Targets to plan lines, lazily: whatever waits is a number, not a line in memory. */
#include "cli/trace_plan.h"

#include <stdio.h>

#include "cli/cli.h"

enum { PLAN_BATCH = 256 };

void trace_plan_init(struct trace_plan *p, const struct trace_options *o)
{
	*p = (struct trace_plan){.o = o};
	targets_init(&p->targets);
	targets_init(&p->avoid);
}

void trace_plan_fini(struct trace_plan *p)
{
	targets_fini(&p->targets);
	targets_fini(&p->avoid);
}

int trace_plan_collect(struct trace_plan *p, const struct profile *profile, int argc, char **argv,
		       int *failures, struct bp_error *err)
{
	const struct trace_options *o = p->o;
	struct bp_error wrong;
	int rc;

	*failures = 0;
	if (o->avoid_path != NULL) {
		char word[4096];

		snprintf(word, sizeof(word), "@%s", o->avoid_path);
		rc = targets_add(&p->avoid, word, 0, err);
		if (rc < 0)
			return rc;
	}
	if (argc == 0)
		return targets_add_profile(&p->targets, profile, o->family, wall_now(), err);
	for (int i = 0; i < argc; i++) {
		rc = targets_add(&p->targets, argv[i], o->family, &wrong);
		if (rc == 0)
			continue;
		/* One wrong name does not stop the others: it is told; the exit says partial. */
		cli_say("%s", wrong.text);
		(*failures)++;
	}
	return 0;
}

static bool to_avoid(const struct trace_plan *p, struct addr a)
{
	for (unsigned i = 0; i < p->avoid.count; i++) {
		if (prefix_has(p->avoid.items[i].prefix, a))
			return true;
	}
	return false;
}

/* Steps to the next flow, address, target. */
static void step(struct trace_plan *p)
{
	if (++p->next_flow < p->o->flow_count)
		return;
	p->next_flow = 0;
	if (++p->next_address < target_size(&p->targets.items[p->next_target]))
		return;
	p->next_address = 0;
	p->next_target++;
}

bool trace_plan_next(struct trace_plan *p, struct plan_trace *out)
{
	const struct target *target;

	for (;;) {
		if (p->next_target >= p->targets.count)
			return false;
		target = &p->targets.items[p->next_target];
		*out = p->o->each;
		out->dst = target_address(target, p->next_address);
		if (!to_avoid(p, out->dst))
			break;
		p->avoided += p->next_flow == 0;
		step(p);
	}
	/* From 1: 0 is "not known". */
	out->seq = ++p->next_seq;
	out->method = p->o->method != METHOD_UNKNOWN ? p->o->method :
		      target->method != METHOD_UNKNOWN ? target->method : METHOD_ICMP;
	if (out->dport == 0 && p->o->method == METHOD_UNKNOWN)
		out->dport = target->port;
	if (out->method == METHOD_ICMP)
		out->dport = 0;
	out->flow = (uint16_t)(p->o->flow_first + p->next_flow);
	text_set(out->target, sizeof(out->target), target->text);
	p->planned++;
	step(p);
	return true;
}

enum probe_more trace_plan_more(struct trace_plan *p, struct buf *out)
{
	struct plan_trace t;

	for (unsigned n = 0; n < PLAN_BATCH; n++) {
		if (!trace_plan_next(p, &t))
			return PROBE_MORE_NONE;
		plan_write_trace(out, &t);
	}
	return PROBE_MORE_NOW;
}

uint64_t trace_plan_target(const struct trace_plan *p, uint64_t seq)
{
	return seq > 0 ? (seq - 1) / p->o->flow_count : 0;
}

/* Every path's probes pass the first router, and a prefix's own cap holds for its probes. A path is
 * taken to be ten hops long. */
uint64_t trace_plan_least_seconds(const struct trace_plan *p, uint64_t *paths)
{
	const struct plan_run *run = &p->o->run;
	uint64_t probes = 10 * (uint64_t)p->o->each.attempts, widest = 0, least = 0, s;

	*paths = 0;
	for (unsigned i = 0; i < p->targets.count; i++) {
		uint64_t n = target_size(&p->targets.items[i]) * p->o->flow_count;

		*paths += n;
		n = n < 256 ? n : 256;
		widest = n > widest ? n : widest;
	}
	if (run->rate_pps > 0)
		least = *paths * probes / run->rate_pps;
	if (run->prefix_pps > 0 && (s = widest * probes / run->prefix_pps) > least)
		least = s;
	if (run->router_pps > 0 && (s = *paths * p->o->each.attempts / run->router_pps) > least)
		least = s;
	return least;
}

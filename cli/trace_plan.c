// SPDX-License-Identifier: BSD-2-Clause
/* Targets to plan lines, lazily: whatever waits is a number, not a line in memory. */
#include "cli/trace_plan.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"

enum { PLAN_BATCH = 256 };

void trace_plan_init(struct trace_plan *p, const struct trace_options *o)
{
	*p = (struct trace_plan){.o = o};
	targets_init(&p->targets);
}

void trace_plan_fini(struct trace_plan *p)
{
	targets_fini(&p->targets);
	prefixset_fini(&p->avoid);
	prefixset_fini(&p->asked);
	order_fini(&p->order);
}

/* --- what is asked for ------------------------------------------------------------------------ */

static int collect_words(struct trace_plan *p, int argc, char **argv, uint64_t *failures)
{
	for (int i = 0; i < argc; i++) {
		uint64_t wrong = p->targets.wrong;
		struct bp_error err;
		int rc = targets_add(&p->targets, argv[i], p->o->family, &err);

		if (rc == 0)
			continue;
		/* One wrong name does not stop the others: it is told; the exit says partial. */
		wrong = p->targets.wrong - wrong;
		cli_say("%s", err.text);
		if (wrong > 1)
			cli_say("%s: %llu lines in all that name nothing", argv[i],
				(unsigned long long)wrong);
		*failures += wrong > 1 ? wrong : 1;
	}
	return 0;
}

int trace_plan_settle(struct trace_plan *p)
{
	const struct targets *t = &p->targets;
	uint64_t destinations = 0;
	int rc = targets_settle(&p->targets, p->o->method == METHOD_UNKNOWN ?
				TARGETS_BY_METHOD : 0, &p->doubled);

	for (uint32_t i = 0; i < t->count; i++) {
		uint64_t out = prefixset_overlap(&p->avoid, t->items[i].prefix);

		p->avoided += out;
		destinations += target_size(&t->items[i]) - out;
	}
	p->paths = destinations * p->o->flow_count;
	p->bulk = p->paths > TRACE_BULK_PATHS;
	for (uint32_t i = 0; rc == 0 && p->bulk && i < t->count; i++)
		rc = prefixset_add(&p->asked, t->items[i].prefix);
	prefixset_settle(&p->asked);
	return rc < 0 ? rc : order_init(&p->order, t, p->o->run.seed, p->bulk);
}

int trace_plan_collect(struct trace_plan *p, const struct profile *profile, int argc, char **argv,
		       uint64_t *failures, struct bp_error *err)
{
	int rc = targets_load_avoid(&p->avoid, p->o->avoid_path, err);

	*failures = 0;
	if (rc == 0 && argc == 0)
		rc = targets_add_profile(&p->targets, profile, p->o->family, wall_now(), err);
	else if (rc == 0)
		rc = collect_words(p, argc, argv, failures);
	if (rc < 0)
		return rc;
	return trace_plan_settle(p) < 0 ? bp_fail(err, BP_ENOMEM, "out of memory") : 0;
}

/* --- the lines -------------------------------------------------------------------------------- */

uint8_t trace_plan_method(const struct trace_plan *p, const struct target *t)
{
	return p->o->method != METHOD_UNKNOWN ? p->o->method :
	       t->method != METHOD_UNKNOWN ? t->method : METHOD_ICMP;
}

/* Goes to the next path; false at the end. */
static bool step(struct trace_plan *p)
{
	if (p->ended)
		return false;
	if (p->begun && ++p->next_flow < p->o->flow_count)
		return true;
	p->begun = true;
	p->next_flow = 0;
	do {
		p->ended = !order_next(&p->order, &p->entry, &p->dst);
		if (p->ended)
			return false;
	} while (prefixset_find(&p->avoid, p->dst) != NULL);
	return true;
}

bool trace_plan_next(struct trace_plan *p, struct plan_trace *out)
{
	const struct target *target;
	char text[PREFIX_TEXT];

	if (!step(p))
		return false;
	target = &p->targets.items[p->entry];
	*out = p->o->each;
	out->dst = p->dst;
	/* From 1: 0 is "not known". */
	out->seq = ++p->next_seq;
	out->method = trace_plan_method(p, target);
	if (out->dport == 0 && p->o->method == METHOD_UNKNOWN)
		out->dport = target->port;
	if (out->method == METHOD_ICMP)
		out->dport = 0;
	out->flow = (uint16_t)(p->o->flow_first + p->next_flow);
	text_set(out->target, sizeof(out->target), target_text(&p->targets, target, text));
	p->planned++;
	return true;
}

void trace_plan_avoid(struct trace_plan *p, struct buf *out)
{
	for (uint32_t i = 0; !p->avoid_said && i < p->avoid.count; i++)
		plan_write_avoid(out, p->avoid.items[i]);
	p->avoid_said = true;
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

bool trace_plan_has(const struct trace_plan *p, struct addr a)
{
	return prefixset_find(&p->asked, a) != NULL;
}

int trace_plan_forecast(const struct trace_plan *p, const struct prefixset *avoid,
			struct forecast *out)
{
	const struct plan_trace *each = &p->o->each;
	uint32_t n = p->targets.count;
	struct forecast_row *rows = calloc(n > 0 ? n : 1, sizeof(*rows));
	int rc;

	if (rows == NULL)
		return BP_ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		rows[i] = (struct forecast_row){
			.prefix = p->targets.items[i].prefix, .out = avoid,
			.flows = (uint16_t)p->o->flow_count, .attempts = each->attempts,
			.method = trace_plan_method(p, &p->targets.items[i]),
			.multipath = each->multipath, .first_ttl = each->first_ttl,
			.max_ttl = each->max_ttl, .wait_ms = each->wait_ms};
	rc = forecast_make(&p->o->run, rows, n, NULL, out);
	free(rows);
	return rc;
}

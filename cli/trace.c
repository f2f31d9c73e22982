// SPDX-License-Identifier: BSD-2-Clause
/*
 * borderpath trace: measure now, name, judge, print. Joins the plan (trace_plan.h), the child that
 * measures it (probe.h) and what is shown (trace_show.h), and tells what the run comes to.
 * Whatever was measured is printed, whatever happens.
 */
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/probe.h"
#include "cli/resolve.h"
#include "cli/trace_options.h"
#include "cli/trace_plan.h"
#include "cli/trace_show.h"

struct trace_run {
	const struct trace_options *o;
	struct session session;
	struct resolver *resolver; /* NULL: no names */
	struct trace_plan plan;
	struct trace_show show;
	struct bp_error *err;
};

/* --- what the child asks and tells ------------------------------------------------------------ */

static enum probe_more on_more(void *arg, struct buf *out)
{
	struct trace_run *r = arg;

	return trace_plan_more(&r->plan, out);
}

static int on_trace(void *arg, const struct trace *t)
{
	struct trace_run *r = arg;

	return trace_show_trace(&r->show, t, trace_plan_target(&r->plan, t->seq));
}

static void on_progress(void *arg, const struct frame_progress *p)
{
	struct trace_run *r = arg;

	trace_show_progress(&r->show, p);
}

/* Names are looked up while the measurement goes on. */
static void on_hop(void *arg, struct addr from)
{
	struct trace_run *r = arg;

	resolver_ask(r->resolver, from);
}

static void on_note(void *arg, const char *text)
{
	struct trace_run *r = arg;

	trace_show_clear(&r->show);
	if (!r->o->common.quiet)
		cli_say("%s", text);
}

/* --- the run ---------------------------------------------------------------------------------- */

/* What the run comes to: the exit code, and a line where it is not 0. */
static int conclude(const struct trace_run *r, const struct frame_end *end, int failures)
{
	if (end->interrupted) {
		cli_say("interrupted: %llu of %llu paths are complete, %llu as far as they came",
			(unsigned long long)(r->show.traces - r->show.cut - r->show.failed),
			(unsigned long long)r->plan.planned, (unsigned long long)r->show.cut);
		return CLI_PARTIAL;
	}
	if (end->code < 0) {
		cli_say("%s", end->text);
		return r->show.traces > r->show.failed ? CLI_PARTIAL : CLI_FAILURE;
	}
	if (r->show.failed > 0)
		cli_say("%llu of %llu paths not measured: %s", (unsigned long long)r->show.failed,
			(unsigned long long)r->plan.planned, r->show.failure);
	if (r->plan.avoided > 0)
		cli_say("%llu target%s left out: on the do-not-probe list",
			(unsigned long long)r->plan.avoided, r->plan.avoided == 1 ? "" : "s");
	if (r->show.traces == r->show.failed && (r->show.failed > 0 || failures > 0))
		return CLI_FAILURE;
	return r->show.failed > 0 || failures > 0 || r->plan.avoided > 0 ||
	       r->show.traces < r->plan.planned ? CLI_PARTIAL : CLI_OK;
}

enum { LONG_RUN_SECONDS = 20 };

static void tell_long_run(const struct trace_run *r)
{
	uint64_t paths, seconds = trace_plan_least_seconds(&r->plan, &paths);

	if (r->o->common.quiet || seconds < LONG_RUN_SECONDS)
		return;
	if (seconds < 120)
		cli_say("%llu paths at polite rates take %llu s or more (rates: borderpath help "
			"trace)", (unsigned long long)paths, (unsigned long long)seconds);
	else
		cli_say("%llu paths at polite rates take %llu min or more (rates: borderpath help "
			"trace)", (unsigned long long)paths, (unsigned long long)seconds / 60);
}

static int run(struct trace_run *r, int argc, char **argv)
{
	struct probe_run probe = {.run = r->o->run, .more = on_more, .on_trace = on_trace,
				  .on_note = on_note, .arg = r};
	struct frame_end end = {0};
	int failures, rc, flushed;

	rc = trace_plan_collect(&r->plan, r->session.profile, argc, argv, &failures, r->err);
	if (rc < 0)
		return cli_error(r->err);
	if (r->plan.targets.count == 0) {
		if (failures == 0)
			cli_say("no %stargets: name one, or add targets to profile '%s'",
				r->o->family == 4 ? "IPv4 " : r->o->family == 6 ? "IPv6 " : "",
				r->session.profile->id);
		return CLI_FAILURE;
	}
	tell_long_run(r);
	/* No names is no failure: the hops are shown by address. */
	if (!r->o->no_names && resolver_open(&r->resolver, r->err) < 0)
		r->resolver = NULL;
	r->show.resolver = r->resolver;
	if (r->resolver != NULL) {
		probe.run.hops = true;
		probe.on_hop = on_hop;
	}
	if (!r->o->common.quiet && isatty(STDERR_FILENO)) {
		probe.run.progress = true;
		probe.on_progress = on_progress;
	}
	rc = probe_run(&probe, &end, r->err);
	trace_show_clear(&r->show);
	if (rc < 0) {
		struct bp_error first = *r->err;

		/* What was measured is printed, unless it is the printing that failed. */
		if (!r->show.output_failed)
			(void)trace_show_finish(&r->show);
		cli_error(&first);
		return r->show.traces > r->show.failed && !r->show.output_failed ? CLI_PARTIAL :
		       CLI_FAILURE;
	}
	flushed = trace_show_finish(&r->show);
	return flushed < 0 ? cli_error(r->err) : conclude(r, &end, failures);
}

int cmd_trace(int argc, char **argv)
{
	struct trace_options o;
	struct trace_run r = {.o = &o};
	struct bp_error err;
	int rc;

	if (sodium_init() < 0) {
		cli_say("the system gives no random numbers");
		return CLI_FAILURE;
	}
	trace_options_init(&o);
	rc = trace_options_parse(&o, argc, argv);
	if (rc != 0)
		return rc - 1;
	rc = session_open(&o.common, true, &r.session, &err);
	if (rc < 0)
		return cli_error(&err);
	r.err = &err;
	trace_plan_init(&r.plan, &o);
	trace_show_init(&r.show, &o, &r.session, &err);
	rc = run(&r, argc - optind, argv + optind);
	resolver_close(r.resolver);
	trace_plan_fini(&r.plan);
	trace_show_fini(&r.show);
	return session_end(&r.session, rc);
}

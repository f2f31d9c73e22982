// SPDX-License-Identifier: BSD-2-Clause
/*
 * borderpath trace: measure now, name, judge, print. Joins the plan (trace_plan.h), the child that
 * measures it (probe.h) and what is shown (trace_show.h), and tells what the run comes to.
 * Whatever was measured is printed, whatever happens.
 */
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

#include "campaign/probe.h"
#include "cli/cli.h"
#include "cli/resolve.h"
#include "cli/trace_dry.h"
#include "cli/trace_end.h"
#include "cli/trace_options.h"
#include "cli/trace_plan.h"
#include "cli/trace_shared.h"
#include "cli/trace_show.h"

struct trace_run {
	const struct trace_options *o;
	struct session session;
	struct resolver *resolver; /* NULL: no names */
	struct probe *probe;       /* started; NULL: it has run, or is not wanted */
	struct trace_plan plan;
	struct trace_shared *shared; /* NULL: every target is asked whole */
	struct trace_show show;
	struct bp_error *err;
};

/* --- what the child asks and tells ------------------------------------------------------------ */

static enum probe_more on_more(void *arg, struct buf *out)
{
	struct trace_run *r = arg;

	trace_plan_avoid(&r->plan, out);
	return r->shared != NULL ? trace_shared_more(r->shared, out) :
	       trace_plan_more(&r->plan, out);
}

static void on_note(void *arg, const char *text)
{
	struct trace_run *r = arg;

	trace_show_clear(&r->show);
	if (!r->o->common.quiet)
		cli_say("%s", text);
}

static int show_trace(struct trace_run *r, const struct trace *t)
{
	return trace_show_trace(&r->show, t, trace_plan_target(&r->plan, t->seq));
}

static int on_trace(void *arg, const struct trace *t)
{
	struct trace_run *r = arg;
	struct trace *shown;
	const char *note;
	int rc;

	if (r->shared == NULL)
		return show_trace(r, t);
	rc = trace_shared_take(r->shared, t, &shown, r->err);
	if (rc < 0)
		return rc;
	note = trace_shared_note(r->shared);
	if (note != NULL)
		on_note(r, note);
	rc = shown != NULL ? show_trace(r, shown) : 0;
	free(shown);
	return rc;
}

static int on_paths(void *arg, const struct frame_paths *p)
{
	struct trace_run *r = arg;

	return trace_show_paths(&r->show, p, trace_plan_target(&r->plan, p->seq));
}

/* What waits for its turn, and what was to be asked once more. */
static int finish(struct trace_run *r)
{
	struct trace *t;
	int rc = 0;

	while (rc == 0 && r->shared != NULL && (t = trace_shared_left(r->shared)) != NULL) {
		rc = show_trace(r, t);
		free(t);
	}
	return rc < 0 ? rc : trace_show_finish(&r->show);
}

static void on_progress(void *arg, const struct frame_progress *p)
{
	struct trace_run *r = arg;

	trace_show_progress(&r->show, p);
}

/* Names are looked up while the measurement goes on; of a bulk run those of routers only. */
static void on_hop(void *arg, struct addr from)
{
	struct trace_run *r = arg;

	if (!trace_plan_has(&r->plan, from))
		resolver_ask(r->resolver, from);
}

/* --- the run ---------------------------------------------------------------------------------- */

enum { LONG_RUN_SECONDS = 20 };

/* What is not seen to end soon is said before, by the same arithmetic as --dry-run. */
static void tell_long_run(const struct trace_run *r)
{
	struct forecast f;
	struct buf line;

	if (r->o->common.quiet || trace_plan_forecast(&r->plan, &r->plan.avoid, &f) < 0)
		return;
	if (f.seconds[CASE_USUAL] >= LONG_RUN_SECONDS) {
		buf_init(&line);
		duration_put(&line, f.seconds[CASE_USUAL]);
		if (!line.failed)
			cli_say("%llu paths at these rates take about %s (--dry-run says more)",
				(unsigned long long)f.paths, line.bytes);
		buf_fini(&line);
	}
	forecast_fini(&f);
}

/* What the run was, once nothing more comes. */
static struct trace_end end_of(const struct trace_run *r, const struct frame_end *frame,
			       struct wall start, uint64_t wrong)
{
	return (struct trace_end){
		.vantage = r->o->run.vantage, .start = start, .end = wall_now(),
		.planned = r->plan.paths, .traces = r->show.traces, .failed = r->show.failed,
		.cut = r->show.cut, .failure = r->show.failure, .avoided = r->plan.avoided,
		.wrong = wrong, .frame = *frame,
	};
}

/* Runs the prober and shows what it sends. Its failing is a way to end, told in *frame: whatever
 * was measured is shown. Negative: the output failed. */
static int measure(struct trace_run *r, struct probe_run *probe, struct frame_end *frame)
{
	int rc = probe_run(r->probe, probe, frame, r->err);

	r->probe = NULL;
	trace_show_clear(&r->show);
	if (rc < 0 && r->show.output_failed)
		return rc;
	if (rc < 0) {
		frame->code = rc;
		text_set(frame->text, sizeof(frame->text), r->err->text);
	}
	return finish(r);
}

/* Whether there is something to measure; tells when not. */
static bool has_targets(const struct trace_run *r, uint64_t wrong)
{
	if (r->plan.targets.count > 0)
		return true;
	if (wrong == 0)
		cli_say("no %stargets: name one, or add targets to profile '%s'",
			r->o->family == 4 ? "IPv4 " : r->o->family == 6 ? "IPv6 " : "",
			r->session.profile->id);
	return false;
}

static int run(struct trace_run *r, int argc, char **argv)
{
	struct probe_run probe = {.run = r->o->run, .more = on_more, .on_trace = on_trace,
				  .on_paths = on_paths, .on_note = on_note, .arg = r};
	struct wall start = wall_now();
	struct frame_end frame = {0};
	struct trace_end end;
	uint64_t wrong;

	if (trace_plan_collect(&r->plan, r->session.profile, argc, argv, &wrong, r->err) < 0)
		return cli_error(r->err);
	if (!has_targets(r, wrong))
		return CLI_FAILURE;
	if (r->plan.doubled > 0 && !r->o->common.quiet)
		cli_say("%u target%s named more than once: measured once", r->plan.doubled,
			r->plan.doubled == 1 ? " is" : "s are");
	if (r->o->dry_run)
		return trace_dry_run(&r->plan, wrong, &r->session);
	tell_long_run(r);
	if (r->o->shared_beginnings &&
	    (r->shared = trace_shared_new(r->o, &r->plan, &r->session)) == NULL) {
		cli_say("out of memory");
		return CLI_FAILURE;
	}
	r->show.bulk = r->plan.bulk;
	r->show.paths = r->plan.paths;
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
	if (measure(r, &probe, &frame) < 0)
		return cli_error(r->err);
	end = end_of(r, &frame, start, wrong);
	if (trace_show_mark(&r->show, &end) < 0)
		return cli_error(r->err);
	return trace_end_tell(&end, r->o->common.quiet);
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
	/* First: it takes as long to get ready as we do. */
	rc = o.dry_run ? 0 : probe_start(&r.probe, &err);
	if (rc == 0)
		rc = session_open(&o.common, true, &r.session, &err);
	if (rc < 0) {
		probe_abandon(r.probe);
		return cli_error(&err);
	}
	r.err = &err;
	trace_plan_init(&r.plan, &o);
	trace_show_init(&r.show, &o, &r.session, &err);
	rc = run(&r, argc - optind, argv + optind);
	probe_abandon(r.probe);
	resolver_close(r.resolver);
	trace_shared_free(r.shared);
	trace_plan_fini(&r.plan);
	trace_show_fini(&r.show);
	return session_end(&r.session, rc);
}

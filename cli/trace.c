// SPDX-License-Identifier: BSD-2-Clause
/*
 * borderpath trace: measure now, name, judge, print. Turns options and targets into a plan for
 * borderpath-probe, and its traces into records. In text, targets are printed in the order asked
 * for; JSON Lines stream as they finish. Whatever was measured is printed, whatever happens.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "analysis/annotate.h"
#include "analysis/border.h"
#include "analysis/paths.h"
#include "analysis/report/summary.h"
#include "analysis/report/trace_text.h"
#include "cli/cli.h"
#include "cli/probe.h"
#include "cli/resolve.h"
#include "cli/targets.h"
#include "cli/trace_options.h"
#include "core/record/jsonl.h"

enum { PLAN_BATCH = 256 };

/* A finished target kept until it is its turn to be printed, or until its flows are complete. */
struct held {
	uint64_t target;         /* number of the destination, from 0 */
	unsigned flows;          /* traces taken */
	struct buf text;         /* what is printed of it */
	struct report_summary summary; /* its line of the summary */
	struct paths paths;      /* several flows: all together */
	struct verdict *verdicts; /* one a flow */
	struct held *next;
};

struct trace_run {
	const struct trace_options *o;
	struct session session;
	struct resolver *resolver;   /* NULL: no names */
	struct targets targets, avoid;
	/* where the plan stands */
	unsigned next_target;
	uint64_t next_address, next_seq;
	unsigned next_flow;
	uint64_t avoided, planned;   /* destinations */
	/* results */
	struct held *held;           /* sorted by target */
	uint64_t printed;            /* destinations printed, in order (text) */
	uint64_t traces, failed, cut; /* traces taken; of them not measured, interrupted */
	char failure[TRACE_ERROR_TEXT]; /* the first one's reason */
	struct report_summary summary;
	struct buf out;
	bool progress_shown, output_failed;
	struct bp_error *err;
};

/* --- the plan --------------------------------------------------------------------------------- */

static bool to_avoid(const struct trace_run *r, struct addr a)
{
	for (unsigned i = 0; i < r->avoid.count; i++) {
		if (prefix_has(r->avoid.items[i].prefix, a))
			return true;
	}
	return false;
}

/* Steps to the next flow, address, target; false at the end. */
static bool plan_step(struct trace_run *r)
{
	if (r->next_target >= r->targets.count)
		return false;
	if (++r->next_flow < r->o->flow_count)
		return true;
	r->next_flow = 0;
	if (++r->next_address < target_size(&r->targets.items[r->next_target]))
		return true;
	r->next_address = 0;
	return ++r->next_target < r->targets.count;
}

static enum probe_more plan_more(void *arg, struct buf *out)
{
	struct trace_run *r = arg;
	bool more = r->next_target < r->targets.count;

	for (unsigned n = 0; more && n < PLAN_BATCH; n++) {
		const struct target *target = &r->targets.items[r->next_target];
		struct plan_trace t = r->o->each;

		t.dst = target_address(target, r->next_address);
		if (to_avoid(r, t.dst)) {
			r->avoided += r->next_flow == 0;
			more = plan_step(r);
			continue;
		}
		/* A destination's flows have consecutive numbers, from 1: 0 is "not known". */
		t.seq = ++r->next_seq;
		t.method = r->o->method != METHOD_UNKNOWN ? r->o->method :
			   target->method != METHOD_UNKNOWN ? target->method : METHOD_ICMP;
		if (t.dport == 0 && r->o->method == METHOD_UNKNOWN)
			t.dport = target->port;
		if (t.method == METHOD_ICMP)
			t.dport = 0;
		t.flow = (uint16_t)(r->o->flow_first + r->next_flow);
		text_set(t.target, sizeof(t.target), target->text);
		plan_write_trace(out, &t);
		r->planned++;
		more = plan_step(r);
	}
	return more ? PROBE_MORE_NOW : PROBE_MORE_NONE;
}

/* --- results ---------------------------------------------------------------------------------- */

static void progress_clear(struct trace_run *r)
{
	if (r->progress_shown)
		fputs("\r\033[K", stderr);
	r->progress_shown = false;
}

/* Columns of the terminal that shows the progress. */
static unsigned progress_width(void)
{
	struct winsize ws;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0 ? ws.ws_col : 80;
}

static void on_progress(void *arg, const struct frame_progress *p)
{
	struct trace_run *r = arg;
	char from[ADDR_TEXT];
	struct buf line;

	buf_init(&line);
	buf_printf(&line, "%llu of %llu paths, %llu probes, %llu replies",
		   (unsigned long long)p->done, (unsigned long long)p->planned,
		   (unsigned long long)p->sent, (unsigned long long)p->received);
	if (p->drops > 0)
		buf_printf(&line, ", %llu dropped", (unsigned long long)p->drops);
	if (addr_is_set(p->from))
		buf_printf(&line, "   hop %u: %s", p->ttl, addr_format(p->from, from));
	if (addr_is_set(p->from) && p->rtt_ns >= 0)
		buf_printf(&line, " %.1f ms", (double)p->rtt_ns / 1e6);
	/* A line that wraps cannot be taken back: what does not fit is cut. */
	if (!line.failed)
		fprintf(stderr, "\r\033[K%.*s", (int)progress_width() - 1, line.bytes);
	fflush(stderr);
	buf_fini(&line);
	r->progress_shown = true;
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

	progress_clear(r);
	if (!r->o->common.quiet)
		cli_say("%s", text);
}

static int emit(struct trace_run *r, const struct buf *b)
{
	int rc;

	if (b->failed)
		return bp_fail(r->err, BP_ENOMEM, "out of memory");
	if (b->used == 0)
		return 0;
	progress_clear(r);
	rc = session_write(&r->session, b->bytes, b->used, r->err);
	r->output_failed = rc < 0;
	return rc;
}

static void held_free(struct held *h)
{
	buf_fini(&h->text);
	report_summary_fini(&h->summary);
	paths_fini(&h->paths);
	free(h->verdicts);
	free(h);
}

/* Takes a destination out of the list of what waits. */
static void held_drop(struct trace_run *r, struct held *h)
{
	struct held **at = &r->held;

	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
	held_free(h);
}

/* The place of a destination in the list of what waits, made when new. */
static struct held *held_of(struct trace_run *r, uint64_t target)
{
	struct held **at = &r->held, *h;

	while (*at != NULL && (*at)->target < target)
		at = &(*at)->next;
	if (*at != NULL && (*at)->target == target)
		return *at;
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return NULL;
	h->verdicts = calloc(r->o->flow_count, sizeof(*h->verdicts));
	if (h->verdicts == NULL) {
		free(h);
		return NULL;
	}
	h->target = target;
	buf_init(&h->text);
	paths_init(&h->paths);
	h->next = *at;
	*at = h;
	return h;
}

/* All flows of a destination are there (or the run is over): what is said of them together. */
static int held_finish(struct trace_run *r, struct held *h)
{
	const struct profile *p = r->session.profile;
	struct style style = style_of(&r->session);
	struct verdict *v = NULL;
	struct names names;
	int rc = 0;

	names_init(&names);
	if (r->o->flow_count == 1 || h->paths.merged == NULL)
		goto out;
	v = calloc(1, sizeof(*v));
	if (v == NULL) {
		rc = bp_fail(r->err, BP_ENOMEM, "out of memory");
		goto out;
	}
	border_judge_flows(h->verdicts, h->flows, v);
	if (r->o->common.format == OUTPUT_JSONL) {
		paths_write_json(&r->out, &h->paths, v);
		goto out;
	}
	rc = annotate(h->paths.merged, r->session.geo, &names);
	if (rc < 0)
		goto out;
	resolver_fill(r->resolver, &names);
	buf_printf(&h->text, "%u flows seen together: %u nodes, %u links.\n", h->flows,
		   h->paths.node_count, h->paths.link_count);
	report_trace(&h->text, &style, h->paths.merged, &names, v, p, !r->o->no_names,
		     r->o->common.verbose > 0);
	report_summary_add(&h->summary, h->paths.merged, v, p);
out:
	names_fini(&names);
	free(v);
	return rc;
}

/* Prints, in order, every destination whose turn has come. */
static int held_flush(struct trace_run *r, bool all)
{
	int rc = 0;

	while (rc == 0 && r->held != NULL) {
		struct held *h = r->held;

		if (!all && (h->target != r->printed || h->flows < r->o->flow_count))
			break;
		rc = held_finish(r, h);
		if (rc == 0 && h->text.used > 0) {
			buf_char(&h->text, '\n');
			rc = emit(r, &h->text);
			report_summary_move(&r->summary, &h->summary);
		}
		r->printed = h->target + 1;
		held_drop(r, h);
	}
	return rc;
}

/* One JSON object now, and one more when the flows of its destination are complete. */
static int show_jsonl(struct trace_run *r, const struct trace *t, const struct names *names,
		      const struct verdict *v, struct held *h)
{
	bool complete = h != NULL && h->flows == r->o->flow_count;
	int rc = 0;

	buf_clear(&r->out);
	jsonl_write_trace(&r->out, t, names, v);
	if (complete)
		rc = held_finish(r, h);
	if (rc == 0)
		rc = emit(r, &r->out);
	if (complete)
		held_drop(r, h);
	return rc;
}

static int show_text(struct trace_run *r, const struct trace *t, const struct names *names,
		     const struct verdict *v, struct held *h)
{
	struct style style = style_of(&r->session);

	if (r->o->flow_count == 1) {
		report_trace(&h->text, &style, t, names, v, r->session.profile, !r->o->no_names,
			     r->o->common.verbose > 0);
		report_summary_add(&h->summary, t, v, r->session.profile);
	}
	return held_flush(r, false);
}

static int show(struct trace_run *r, const struct trace *t, const struct names *names,
		const struct verdict *v)
{
	struct held *h = NULL;

	if (r->o->common.format == OUTPUT_JSONL && r->o->flow_count == 1)
		return show_jsonl(r, t, names, v, NULL);
	h = held_of(r, t->seq > 0 ? (t->seq - 1) / r->o->flow_count : 0);
	if (h == NULL)
		return bp_fail(r->err, BP_ENOMEM, "out of memory");
	if (h->flows < r->o->flow_count)
		h->verdicts[h->flows++] = *v;
	if (r->o->flow_count > 1 && t->stop != STOP_ERROR && paths_add(&h->paths, t, v) < 0)
		return bp_fail(r->err, BP_ENOMEM, "out of memory");
	return r->o->common.format == OUTPUT_JSONL ? show_jsonl(r, t, names, v, h) :
	       show_text(r, t, names, v, h);
}

static void count(struct trace_run *r, const struct trace *t)
{
	r->traces++;
	r->cut += t->stop == STOP_INTERRUPTED;
	if (t->stop != STOP_ERROR)
		return;
	r->failed++;
	if (r->failure[0] == '\0')
		text_set(r->failure, sizeof(r->failure), t->error);
}

static int on_trace(void *arg, const struct trace *t)
{
	struct trace_run *r = arg;
	struct verdict *v = calloc(1, sizeof(*v));
	struct names names;
	int rc;

	names_init(&names);
	count(r, t);
	rc = v == NULL ? BP_ENOMEM : annotate(t, r->session.geo, &names);
	if (rc < 0) {
		bp_fail(r->err, rc, "out of memory");
	} else {
		resolver_fill(r->resolver, &names);
		border_judge(t, &names, r->session.profile, wall_now(), v);
		rc = show(r, t, &names, v);
	}
	names_fini(&names);
	free(v);
	return rc;
}

/* --- the run ---------------------------------------------------------------------------------- */

static int collect_targets(struct trace_run *r, int argc, char **argv, int *failures)
{
	const struct trace_options *o = r->o;
	struct bp_error err;
	int rc;

	*failures = 0;
	if (o->avoid_path != NULL) {
		char word[4096];

		snprintf(word, sizeof(word), "@%s", o->avoid_path);
		rc = targets_add(&r->avoid, word, 0, r->err);
		if (rc < 0)
			return rc;
	}
	if (argc == 0)
		return targets_add_profile(&r->targets, r->session.profile, o->family, wall_now(),
					   r->err);
	for (int i = 0; i < argc; i++) {
		rc = targets_add(&r->targets, argv[i], o->family, &err);
		if (rc == 0)
			continue;
		/* One wrong name does not stop the others: it is told; the exit says partial. */
		cli_say("%s", err.text);
		(*failures)++;
	}
	return 0;
}

static int finish_text(struct trace_run *r)
{
	struct style style = style_of(&r->session);
	int rc = held_flush(r, true);

	if (rc < 0 || r->traces == r->failed)
		return rc;
	buf_clear(&r->out);
	if (r->traces > 1)
		report_summary(&r->out, &style, &r->summary);
	report_always(&r->out, &style, r->session.profile);
	return emit(r, &r->out);
}

static int finish_jsonl(struct trace_run *r)
{
	int rc = 0;

	/* Interrupted: the flows that are there are still judged together. */
	while (rc == 0 && r->held != NULL) {
		struct held *h = r->held;

		buf_clear(&r->out);
		rc = held_finish(r, h);
		if (rc == 0)
			rc = emit(r, &r->out);
		held_drop(r, h);
	}
	return rc;
}

static int finish(struct trace_run *r)
{
	return r->o->common.format == OUTPUT_JSONL ? finish_jsonl(r) : finish_text(r);
}

/* What the run comes to: the exit code, and a line where it is not 0. */
static int conclude(const struct trace_run *r, const struct frame_end *end, int failures)
{
	if (end->interrupted) {
		cli_say("interrupted: %llu of %llu paths are complete, %llu as far as they came",
			(unsigned long long)(r->traces - r->cut - r->failed),
			(unsigned long long)r->planned, (unsigned long long)r->cut);
		return CLI_PARTIAL;
	}
	if (end->code < 0) {
		cli_say("%s", end->text);
		return r->traces > r->failed ? CLI_PARTIAL : CLI_FAILURE;
	}
	if (r->failed > 0)
		cli_say("%llu of %llu paths not measured: %s", (unsigned long long)r->failed,
			(unsigned long long)r->planned, r->failure);
	if (r->avoided > 0)
		cli_say("%llu target%s left out: on the do-not-probe list",
			(unsigned long long)r->avoided, r->avoided == 1 ? "" : "s");
	if (r->traces == r->failed && (r->failed > 0 || failures > 0))
		return CLI_FAILURE;
	return r->failed > 0 || failures > 0 || r->avoided > 0 || r->traces < r->planned ?
	       CLI_PARTIAL : CLI_OK;
}

/* The least time a run takes at its rates, in seconds: every path's probes pass the first router,
 * and a prefix's own cap holds for its probes. A path is taken to be ten hops long. */
static uint64_t least_seconds(const struct trace_run *r, uint64_t *paths)
{
	const struct plan_run *p = &r->o->run;
	uint64_t probes = 10 * (uint64_t)r->o->each.attempts, widest = 0, least = 0, s;

	*paths = 0;
	for (unsigned i = 0; i < r->targets.count; i++) {
		uint64_t n = target_size(&r->targets.items[i]) * r->o->flow_count;

		*paths += n;
		n = n < 256 ? n : 256;
		widest = n > widest ? n : widest;
	}
	if (p->rate_pps > 0)
		least = *paths * probes / p->rate_pps;
	if (p->prefix_pps > 0 && (s = widest * probes / p->prefix_pps) > least)
		least = s;
	if (p->router_pps > 0 && (s = *paths * r->o->each.attempts / p->router_pps) > least)
		least = s;
	return least;
}

enum { LONG_RUN_SECONDS = 20 };

static void tell_long_run(const struct trace_run *r)
{
	uint64_t paths, seconds = least_seconds(r, &paths);

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
	struct probe_run probe = {.run = r->o->run, .more = plan_more, .on_trace = on_trace,
				  .on_note = on_note, .arg = r};
	struct frame_end end = {0};
	int failures, rc, flushed;

	rc = collect_targets(r, argc, argv, &failures);
	if (rc < 0)
		return cli_error(r->err);
	if (r->targets.count == 0) {
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
	if (r->resolver != NULL) {
		probe.run.hops = true;
		probe.on_hop = on_hop;
	}
	if (!r->o->common.quiet && isatty(STDERR_FILENO)) {
		probe.run.progress = true;
		probe.on_progress = on_progress;
	}
	rc = probe_run(&probe, &end, r->err);
	progress_clear(r);
	if (rc < 0) {
		struct bp_error first = *r->err;

		/* What was measured is printed, unless it is the printing that failed. */
		if (!r->output_failed)
			(void)finish(r);
		cli_error(&first);
		return r->traces > r->failed && !r->output_failed ? CLI_PARTIAL : CLI_FAILURE;
	}
	flushed = finish(r);
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
	rc = run(&r, argc - optind, argv + optind);
	while (r.held != NULL)
		held_drop(&r, r.held);
	resolver_close(r.resolver);
	targets_fini(&r.targets);
	targets_fini(&r.avoid);
	report_summary_fini(&r.summary);
	buf_fini(&r.out);
	return session_end(&r.session, rc);
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * borderpath trace: measure now, name, judge, print. Turns options and targets into a plan for
 * borderpath-probe, and its traces into records. In text, targets are printed in the order asked
 * for; JSON Lines stream as they finish. Whatever was measured is printed, whatever happens.
 */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/annotate.h"
#include "analysis/border.h"
#include "analysis/paths.h"
#include "analysis/report/trace_text.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/probe.h"
#include "cli/resolve.h"
#include "cli/targets.h"
#include "core/record/jsonl.h"

const char trace_usage[] =
"usage: borderpath trace [OPTIONS] [TARGET...]\n"
"\n"
"Measures the path to each TARGET now, names its hops, judges which border it takes, and prints it.\n"
"TARGET is a host, an address, a prefix (every address in it) or @FILE (one a line); without one, the\n"
"profile's targets are measured. Needs borderpath-probe, which alone may open raw sockets.\n"
"\n"
"What is sent\n"
"  -I, -U, -T            ICMP echo, UDP, TCP SYN; the same as -M icmp|udp|tcp. Without: the profile's\n"
"                        method for its own targets, else icmp\n"
"  -p PORT               destination port (udp 33434, tcp 80)\n"
"  -4, -6                only this family\n"
"  -f TTL, -m TTL        first TTL (1), last TTL (32)\n"
"  -q N                  probes a hop (3)\n"
"  -w TIME               longest wait for an answer (2s); waits adapt to what was measured\n"
"  --gap-limit N         silent hops in a row that end a path (5; 0: none)\n"
"  -i IFACE, -s ADDR     device, source address (else by route)\n"
"  --flow N, --flows N   which flow (0); flows 0..N-1, judged together\n"
"  --vantage NAME        who measures (the host's name); also fixes the ports, so that rounds compare\n"
"\n"
"Good manners\n"
"  --rate PPS            probes a second in all (100, bursts of 40); 'max' lifts every cap, for\n"
"                        laboratories, and only where the limits file or root allows\n"
"  --per-prefix-rate PPS probes a second into one /24 or /48 (25, bursts of 40)\n"
"  --do-not-probe FILE   addresses and prefixes never to probe, one a line\n"
"\n"
"What is printed\n"
"  -n                    no reverse names\n"
"  --format text|jsonl   for people, or one JSON object a line (jsonl)\n"
"  -o FILE, -v, --quiet  write to FILE; say more; no progress and no warnings\n"
"  --color auto|always|never, --profile NAME|FILE, --asn-db FILE, --country-db FILE\n"
"\n"
"Exit: 0 done (a silent target is data), 1 failure, 2 usage, 3 partial.\n";

enum { OPT_GAP = OPT_COMMAND_FIRST, OPT_RATE, OPT_PREFIX_RATE, OPT_FLOW, OPT_FLOWS, OPT_VANTAGE,
       OPT_AVOID };
enum { FLOWS_MAX = 1024, NAMES_WAIT_MS = 1000, PLAN_BATCH = 256 };

struct trace_options {
	struct options common;
	struct plan_run run;
	struct plan_trace each;  /* what all targets share */
	uint8_t family;          /* 0: any */
	uint8_t method;          /* METHOD_UNKNOWN: the target's own, else icmp */
	unsigned flow_first, flow_count;
	bool no_names;
	const char *avoid_path;
};

/* A finished target kept until it is its turn to be printed, or until its flows are complete. */
struct held {
	uint64_t target;         /* number of the destination, from 0 */
	unsigned flows;          /* traces taken */
	struct buf text;         /* what is printed of it, and its line of the summary */
	struct buf summary;
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
	uint64_t traces, failed;     /* traces taken; of them not measured */
	char failure[TRACE_ERROR_TEXT]; /* the first one's reason */
	struct buf summary, out;
	bool progress_shown;
	struct bp_error *err;
};

/* --- options ---------------------------------------------------------------------------------- */

static int take_number(const struct trace_options *o, const char *option, const char *arg,
		       uint64_t min, uint64_t max, uint64_t *out)
{
	if (text_to_u64(arg, min, max, out) == 0)
		return 0;
	return cli_usage(o->common.command, "%s takes a whole number from %llu to %llu, not '%s'",
			 option, (unsigned long long)min, (unsigned long long)max, arg) + 1;
}

static int take_u8(const struct trace_options *o, const char *option, const char *arg, uint8_t min,
		   uint8_t max, uint8_t *out)
{
	uint64_t v;
	int rc = take_number(o, option, arg, min, max, &v);

	if (rc == 0)
		*out = (uint8_t)v;
	return rc;
}

static int take_rate(const struct trace_options *o, const char *option, const char *arg,
		     uint32_t *out)
{
	uint64_t v;
	int rc = take_number(o, option, arg, 1, 10000000, &v);

	if (rc == 0)
		*out = (uint32_t)v;
	return rc;
}

static int take_wait(struct trace_options *o, const char *arg)
{
	int64_t ns;

	if (duration_parse(arg, &ns) < 0 || ns < NS_PER_MS || ns > 60 * NS_PER_S)
		return cli_usage(o->common.command, "-w takes a time from 1ms to 60s, not '%s'",
				 arg) + 1;
	o->each.wait_ms = (uint32_t)(ns / NS_PER_MS);
	return 0;
}

static int take_source(struct trace_options *o, const char *arg)
{
	struct addr a;

	if (addr_parse(arg, &a) < 0)
		return cli_usage(o->common.command, "-s takes an address, not '%s'", arg) + 1;
	if (a.family == 4)
		o->run.src4 = a;
	else
		o->run.src6 = a;
	return 0;
}

static int take_text(const struct trace_options *o, const char *option, const char *arg, char *out,
		     size_t size)
{
	if (arg[0] != '\0' && strlen(arg) < size) {
		text_set(out, size, arg);
		return 0;
	}
	return cli_usage(o->common.command, "%s takes 1 to %zu characters", option, size - 1) + 1;
}

static int take_method(struct trace_options *o, const char *arg)
{
	int method;

	if (word_value(method_words, arg, &method) < 0)
		return cli_usage(o->common.command, "-M takes icmp, udp or tcp, not '%s'", arg) + 1;
	o->method = (uint8_t)method;
	return 0;
}

/* 0, or a cli_exit + 1 to leave with. */
static int take_option(struct trace_options *o, int opt, const char *arg)
{
	uint64_t v;
	int rc;

	switch (opt) {
	case 'I': o->method = METHOD_ICMP; return 0;
	case 'U': o->method = METHOD_UDP; return 0;
	case 'T': o->method = METHOD_TCP; return 0;
	case 'M': return take_method(o, arg);
	case '4': o->family = 4; return 0;
	case '6': o->family = 6; return 0;
	case 'n': o->no_names = true; return 0;
	case 'f': return take_u8(o, "-f", arg, 1, 255, &o->each.first_ttl);
	case 'm': return take_u8(o, "-m", arg, 1, 255, &o->each.max_ttl);
	case 'q': return take_u8(o, "-q", arg, 1, 10, &o->each.attempts);
	case 'w': return take_wait(o, arg);
	case 's': return take_source(o, arg);
	case 'i': return take_text(o, "-i", arg, o->run.ifname, sizeof(o->run.ifname));
	case OPT_VANTAGE:
		return take_text(o, "--vantage", arg, o->run.vantage, sizeof(o->run.vantage));
	case OPT_GAP: return take_u8(o, "--gap-limit", arg, 0, 255, &o->each.gap_limit);
	case OPT_AVOID: o->avoid_path = arg; return 0;
	case OPT_PREFIX_RATE: return take_rate(o, "--per-prefix-rate", arg, &o->run.prefix_pps);
	case OPT_RATE:
		if (strcmp(arg, "max") == 0) {
			o->run.rate_pps = o->run.prefix_pps = o->run.router_pps = 0;
			return 0;
		}
		return take_rate(o, "--rate", arg, &o->run.rate_pps);
	case 'p':
		rc = take_number(o, "-p", arg, 1, 65535, &v);
		o->each.dport = rc == 0 ? (uint16_t)v : 0;
		return rc;
	case OPT_FLOW:
		rc = take_number(o, "--flow", arg, 0, FLOWS_MAX - 1, &v);
		o->flow_first = rc == 0 ? (unsigned)v : 0;
		return rc;
	case OPT_FLOWS:
		rc = take_number(o, "--flows", arg, 1, FLOWS_MAX, &v);
		o->flow_count = rc == 0 ? (unsigned)v : 1;
		return rc;
	default: return options_take(&o->common, opt, arg);
	}
}

static int parse_options(struct trace_options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		OPTIONS_COMMON,
		{"gap-limit", required_argument, NULL, OPT_GAP},
		{"rate", required_argument, NULL, OPT_RATE},
		{"per-prefix-rate", required_argument, NULL, OPT_PREFIX_RATE},
		{"flow", required_argument, NULL, OPT_FLOW},
		{"flows", required_argument, NULL, OPT_FLOWS},
		{"vantage", required_argument, NULL, OPT_VANTAGE},
		{"do-not-probe", required_argument, NULL, OPT_AVOID},
		{NULL, 0, NULL, 0},
	};
	int opt, rc;

	while ((opt = options_next(&o->common, argc, argv, OPTIONS_SHORT "IUTM:p:46f:m:q:w:i:s:n",
				   longs)) != -1) {
		if (opt == '?')
			return CLI_USAGE + 1;
		rc = take_option(o, opt, optarg);
		if (rc != 0)
			return rc;
	}
	if (o->each.first_ttl > o->each.max_ttl)
		return cli_usage("trace", "the first TTL (%u) lies behind the last (%u)",
				 o->each.first_ttl, o->each.max_ttl) + 1;
	if (o->flow_first + o->flow_count > FLOWS_MAX)
		return cli_usage("trace", "flows go up to %d", FLOWS_MAX - 1) + 1;
	if (o->method == METHOD_ICMP && o->each.dport != 0)
		return cli_usage("trace", "-p needs udp or tcp: icmp has no ports") + 1;
	return 0;
}

/* The vantage point's name decides the ports of its flows, run after run. */
static void set_vantage(struct plan_run *run)
{
	unsigned char hash[16];

	if (run->vantage[0] == '\0' &&
	    (gethostname(run->vantage, sizeof(run->vantage) - 1) < 0 || run->vantage[0] == '\0'))
		text_set(run->vantage, sizeof(run->vantage), "unnamed");
	crypto_generichash(hash, sizeof(hash), (const unsigned char *)run->vantage,
			   strlen(run->vantage), NULL, 0);
	memcpy(&run->seed, hash, sizeof(run->seed));
}

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

static bool plan_more(void *arg, struct buf *out)
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
	return more;
}

/* --- results ---------------------------------------------------------------------------------- */

static void progress_clear(struct trace_run *r)
{
	if (r->progress_shown)
		fputs("\r\033[K", stderr);
	r->progress_shown = false;
}

static void on_progress(void *arg, const struct frame_progress *p)
{
	struct trace_run *r = arg;
	char from[ADDR_TEXT];

	fprintf(stderr, "\r\033[K%llu of %llu paths, %llu probes, %llu replies",
		(unsigned long long)p->done, (unsigned long long)p->planned,
		(unsigned long long)p->sent, (unsigned long long)p->received);
	if (p->drops > 0)
		fprintf(stderr, ", %llu dropped", (unsigned long long)p->drops);
	if (addr_is_set(p->from))
		fprintf(stderr, "   hop %u: %s %.1f ms", p->ttl, addr_format(p->from, from),
			p->rtt_ns >= 0 ? (double)p->rtt_ns / 1e6 : 0.0);
	fflush(stderr);
	r->progress_shown = true;
}

static void on_note(void *arg, const char *text)
{
	struct trace_run *r = arg;

	progress_clear(r);
	if (!r->o->common.quiet)
		cli_say("%s", text);
}

static struct style style_of(const struct session *s)
{
	return (struct style){.color = s->color, .utf8 = s->utf8, .width = s->width};
}

static int emit(struct trace_run *r, const struct buf *b)
{
	if (b->failed)
		return bp_fail(r->err, BP_ENOMEM, "out of memory");
	if (b->used == 0)
		return 0;
	progress_clear(r);
	return session_write(&r->session, b->bytes, b->used, r->err);
}

static void held_free(struct held *h)
{
	buf_fini(&h->text);
	buf_fini(&h->summary);
	paths_fini(&h->paths);
	free(h->verdicts);
	free(h);
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
	h->target = target;
	buf_init(&h->text);
	buf_init(&h->summary);
	paths_init(&h->paths);
	h->verdicts = calloc(r->o->flow_count, sizeof(*h->verdicts));
	if (h->verdicts == NULL) {
		free(h);
		return NULL;
	}
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
	report_summary_line(&h->summary, &style, h->paths.merged, v, p);
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
			buf_append(&r->summary, h->summary.bytes, h->summary.used);
		}
		r->printed = h->target + 1;
		r->held = h->next;
		held_free(h);
	}
	return rc;
}

static int show_text(struct trace_run *r, const struct trace *t, const struct names *names,
		     const struct verdict *v, struct held *h)
{
	struct style style = style_of(&r->session);

	if (r->o->flow_count > 1)
		return 0;
	report_trace(&h->text, &style, t, names, v, r->session.profile, !r->o->no_names,
		     r->o->common.verbose > 0);
	report_summary_line(&h->summary, &style, t, v, r->session.profile);
	return 0;
}

static int on_trace(void *arg, const struct trace *t)
{
	struct trace_run *r = arg;
	bool jsonl = r->o->common.format == OUTPUT_JSONL;
	struct held *h = NULL;
	struct verdict *v = calloc(1, sizeof(*v));
	struct names names;
	int rc;

	names_init(&names);
	r->traces++;
	if (t->stop == STOP_ERROR) {
		r->failed++;
		if (r->failure[0] == '\0')
			text_set(r->failure, sizeof(r->failure), t->error);
	}
	rc = v == NULL ? BP_ENOMEM : annotate(t, r->session.geo, &names);
	if (rc < 0) {
		bp_fail(r->err, rc, "out of memory");
		goto out;
	}
	resolver_fill(r->resolver, &names);
	border_judge(t, &names, r->session.profile, wall_now(), v);
	buf_clear(&r->out);
	if (!jsonl || r->o->flow_count > 1) {
		h = held_of(r, t->seq > 0 ? (t->seq - 1) / r->o->flow_count : 0);
		if (h == NULL) {
			rc = bp_fail(r->err, BP_ENOMEM, "out of memory");
			goto out;
		}
		if (h->flows < r->o->flow_count)
			h->verdicts[h->flows++] = *v;
	}
	if (r->o->flow_count > 1 && t->stop != STOP_ERROR)
		rc = paths_add(&h->paths, t);
	if (rc == 0 && jsonl)
		jsonl_write_trace(&r->out, t, &names, v);
	else if (rc == 0)
		rc = show_text(r, t, &names, v, h);
	if (rc == 0 && jsonl && h != NULL && h->flows == r->o->flow_count)
		rc = held_finish(r, h);
	if (rc == 0 && jsonl)
		rc = emit(r, &r->out);
	else if (rc == 0)
		rc = held_flush(r, false);
	if (jsonl && h != NULL && h->flows == r->o->flow_count) {
		struct held **at = &r->held;

		while (*at != h)
			at = &(*at)->next;
		*at = h->next;
		held_free(h);
	}
out:
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
		/* One wrong name does not stop the others: it is told, and the exit says partial. */
		cli_say("%s", err.text);
		(*failures)++;
	}
	return 0;
}

static int finish_text(struct trace_run *r)
{
	int rc = held_flush(r, true);

	if (rc < 0 || r->o->common.format == OUTPUT_JSONL || r->traces == r->failed)
		return rc;
	buf_clear(&r->out);
	if (r->traces > 1 && r->summary.used > 0) {
		buf_append(&r->out, r->summary.bytes, r->summary.used);
		buf_char(&r->out, '\n');
	}
	report_always(&r->out, r->session.profile);
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
		r->held = h->next;
		held_free(h);
	}
	return rc;
}

/* What the run comes to: the exit code, and a line where it is not 0. */
static int conclude(const struct trace_run *r, const struct frame_end *end, int failures)
{
	if (end->interrupted) {
		cli_say("interrupted: %llu of %llu paths were handed over",
			(unsigned long long)r->traces, (unsigned long long)r->planned);
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
		cli_say("%llu targets left out: on the do-not-probe list",
			(unsigned long long)r->avoided);
	if (r->traces == r->failed && (r->failed > 0 || failures > 0))
		return CLI_FAILURE;
	return r->failed > 0 || failures > 0 || r->avoided > 0 || r->traces < r->planned ?
	       CLI_PARTIAL : CLI_OK;
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
			cli_say("no targets: name one, or add targets to profile '%s'",
				r->session.profile->id);
		return CLI_FAILURE;
	}
	/* No names is no failure: the hops are shown by address. */
	if (!r->o->no_names && resolver_open(NAMES_WAIT_MS, &r->resolver, r->err) < 0)
		r->resolver = NULL;
	if (!r->o->common.quiet && isatty(STDERR_FILENO)) {
		probe.run.progress = true;
		probe.on_progress = on_progress;
	}
	rc = probe_run(&probe, &end, r->err);
	progress_clear(r);
	if (rc < 0) {
		struct bp_error first = *r->err;

		if (rc != BP_EIO || r->traces > r->failed)
			(void)(r->o->common.format == OUTPUT_JSONL ? finish_jsonl(r) : finish_text(r));
		cli_error(&first);
		return r->traces > r->failed && first.sys != EPIPE ? CLI_PARTIAL : CLI_FAILURE;
	}
	flushed = r->o->common.format == OUTPUT_JSONL ? finish_jsonl(r) : finish_text(r);
	return flushed < 0 ? cli_error(r->err) : conclude(r, &end, failures);
}

int cmd_trace(int argc, char **argv)
{
	struct trace_options o = {.flow_count = 1};
	struct trace_run r = {.o = &o};
	struct bp_error err;
	int rc;

	if (sodium_init() < 0) {
		cli_say("the system gives no random numbers");
		return CLI_FAILURE;
	}
	options_init(&o.common, "trace");
	plan_run_defaults(&o.run);
	plan_trace_defaults(&o.each);
	o.each.dport = 0;
	rc = parse_options(&o, argc, argv);
	if (rc != 0)
		return rc - 1;
	set_vantage(&o.run);
	rc = session_open(&o.common, true, &r.session, &err);
	if (rc < 0)
		return cli_error(&err);
	r.err = &err;
	rc = run(&r, argc - optind, argv + optind);
	while (r.held != NULL) {
		struct held *h = r.held;

		r.held = h->next;
		held_free(h);
	}
	resolver_close(r.resolver);
	targets_fini(&r.targets);
	targets_fini(&r.avoid);
	buf_fini(&r.summary);
	buf_fini(&r.out);
	if (session_close(&r.session, &err) < 0 && rc == CLI_OK)
		rc = cli_error(&err);
	return rc;
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * borderpath collect: the centre of a fleet with its options. On stdout one round object a line,
 * once all of it is in the store; on stderr what is to be told.
 */
#include "campaign/fleet/collect.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "campaign/store.h"
#include "cli/cli.h"
#include "cli/fleet.h"
#include "cli/fleet/commands.h"
#include "cli/options.h"
#include "core/text.h"

enum { OPT_SERVER = OPT_COMMAND_FIRST, OPT_NKEY, OPT_CA, OPT_STORE, OPT_REPLICAS, OPT_STREAM_BYTES,
       OPT_OUTBOX, OPT_NO_WATCH, OPT_NEW_STORE };

#define TURN_NS (NS_PER_S / 2)
#define STATUS_NS (10 * NS_PER_S)

struct centre {
	struct options common;
	struct collect_options o;
	struct session session; /* its output alone */
	int signals;
	bool output_failed;
	int64_t dog_ns;         /* the service manager wants to hear as often; 0: it does not */
	struct mono fed, told;
	char outbox[PATH_MAX];  /* the default */
};

/* --- what happens ----------------------------------------------------------------------------- */

static void on_round(void *arg, const struct round *r)
{
	struct centre *s = arg;
	struct bp_error err;
	struct buf line;

	if (s->output_failed)
		return;
	buf_init(&line);
	round_write_json(&line, r);
	if (line.failed)
		cli_say("out of memory: a round is not printed, but in the store");
	else if (session_write(&s->session, line.bytes, line.used, &err) < 0) {
		cli_say("%s: rounds are no longer printed", err.text);
		s->output_failed = true;
	}
	buf_fini(&line);
}

static void on_note(void *arg, const char *text)
{
	const struct centre *s = arg;

	if (!s->common.quiet)
		cli_say("%s", text);
}

/* For people: what is sure. The rest is in the store. */
static void on_event(void *arg, const struct event *e)
{
	const struct centre *s = arg;

	if (e->status == EVENT_PROVISIONAL || e->withdrawn || s->common.quiet)
		return;
	cli_say("%s%s: %s", word_of(event_kind_words, e->kind),
		e->status == EVENT_RESOLVED && e->kind != EVENT_RECOVERY ? " is over" : "",
		e->summary);
}

static void feed_dog(struct centre *s)
{
	struct mono now = mono_now();

	if (s->dog_ns > 0 && mono_since(now, s->fed) >= s->dog_ns / 2) {
		sd_notify(0, "WATCHDOG=1");
		s->fed = now;
	}
}

static void on_breath(void *arg)
{
	feed_dog(arg);
}

/* --- options ---------------------------------------------------------------------------------- */

static int take_replicas(struct centre *s, const char *arg)
{
	uint64_t n;

	if (text_to_u64(arg, 1, 5, &n) < 0)
		return cli_usage("collect", "--replicas '%s' is none of 1 to 5", arg) + 1;
	s->o.replicas = (unsigned)n;
	return 0;
}

static int take_option(struct centre *s, int opt, const char *arg)
{
	switch (opt) {
	case OPT_SERVER: s->o.bus.url = arg; return 0;
	case OPT_NKEY: s->o.bus.nkey_file = arg; return 0;
	case OPT_CA: s->o.bus.ca_file = arg; return 0;
	case OPT_STORE: s->o.store = arg; return 0;
	case OPT_OUTBOX: s->o.outbox = arg; return 0;
	case OPT_NO_WATCH: s->o.watch = false; return 0;
	case OPT_NEW_STORE: s->o.new_store = true; return 0;
	case OPT_REPLICAS: return take_replicas(s, arg);
	case OPT_STREAM_BYTES:
		if (options_bytes(arg, &s->o.stream_bytes) == 0)
			return 0;
		return cli_usage("collect", "--stream-bytes '%s' is no size such as 4G", arg) + 1;
	default: return options_take(&s->common, opt, arg);
	}
}

/* Of the service manager, or of the user; empty: neither has a place for it. */
static void default_outbox(struct centre *s)
{
	const char *unit = getenv("STATE_DIRECTORY"), *state = getenv("XDG_STATE_HOME"),
		   *home = getenv("HOME");
	int n = -1;

	if (unit != NULL && unit[0] == '/')
		n = snprintf(s->outbox, sizeof(s->outbox), "%s", unit);
	else if (state != NULL && state[0] == '/')
		n = snprintf(s->outbox, sizeof(s->outbox), "%s/borderpath/collect", state);
	else if (home != NULL && home[0] == '/')
		n = snprintf(s->outbox, sizeof(s->outbox), "%s/.local/state/borderpath/collect",
			     home);
	if (s->o.outbox == NULL && n > 0 && (size_t)n < sizeof(s->outbox))
		s->o.outbox = s->outbox;
}

static int parse(struct centre *s, int argc, char **argv)
{
	static const struct option longs[] = {
		OPTIONS_COMMON,
		{"server", required_argument, NULL, OPT_SERVER},
		{"nkey", required_argument, NULL, OPT_NKEY},
		{"ca", required_argument, NULL, OPT_CA},
		{"store", required_argument, NULL, OPT_STORE},
		{"replicas", required_argument, NULL, OPT_REPLICAS},
		{"stream-bytes", required_argument, NULL, OPT_STREAM_BYTES},
		{"outbox", required_argument, NULL, OPT_OUTBOX},
		{"no-watch", no_argument, NULL, OPT_NO_WATCH},
		{"new-store", no_argument, NULL, OPT_NEW_STORE},
		{NULL, 0, NULL, 0},
	};
	struct bp_error err;
	int opt, rc;

	options_init(&s->common, "collect");
	while ((opt = options_next(&s->common, argc, argv, OPTIONS_SHORT, longs)) != -1) {
		rc = opt == '?' ? CLI_USAGE + 1 : take_option(s, opt, optarg);
		if (rc != 0)
			return rc;
	}
	if (optind < argc)
		return cli_usage("collect", "what is '%s'?", argv[optind]) + 1;
	if (s->o.bus.url == NULL || s->o.store == NULL)
		return cli_usage("collect", "--server and --store are needed") + 1;
	if (bus_url_check(s->o.bus.url, &err) < 0)
		return cli_usage("collect", "--server: %s", err.text) + 1;
	default_outbox(s);
	return 0;
}

/* --- its life --------------------------------------------------------------------------------- */

/* Before any thread is made: the library's have signals blocked, too. */
static int take_signals(struct centre *s)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
		return -1;
	s->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signals < 0 ? -1 : 0;
}

static bool is_told_to_stop(const struct centre *s)
{
	struct signalfd_siginfo info;

	return read(s->signals, &info, sizeof(info)) == (ssize_t)sizeof(info);
}

static void tell_manager(struct centre *s, const struct collect *c)
{
	struct mono now = mono_now();
	struct collect_counts n;

	feed_dog(s);
	if (s->told.ns != 0 && mono_since(now, s->told) < STATUS_NS)
		return;
	s->told = now;
	collect_count(c, &n);
	sd_notifyf(0, "STATUS=%s%s%llu batches, %llu traces, %llu rounds, %llu set aside",
		   n.bus ? "" : "the broker is away; ", n.store ? "" : "the store is away; ",
		   (unsigned long long)n.batches, (unsigned long long)n.traces,
		   (unsigned long long)n.rounds, (unsigned long long)n.refused);
}

static int run(struct centre *s)
{
	const struct collect_hooks hooks = {.on_round = on_round, .on_event = on_event,
					    .on_note = on_note, .on_breath = on_breath, .arg = s};
	struct collect *c;
	struct bp_error err;
	uint64_t usec = 0;
	int rc = CLI_OK;

	if (take_signals(s) < 0) {
		bp_fail_sys(&err, errno, "signals");
		return cli_error(&err);
	}
	if (collect_open(&s->o, &hooks, &c, &err) < 0)
		return cli_error(&err);
	if (sd_watchdog_enabled(0, &usec) > 0)
		s->dog_ns = (int64_t)usec * NS_PER_US;
	sd_notify(0, "READY=1");
	while (!is_told_to_stop(s) && !collect_failed(c, &err)) {
		collect_step(c, TURN_NS);
		tell_manager(s, c);
	}
	if (collect_failed(c, &err))
		rc = cli_error(&err);
	sd_notify(0, "STOPPING=1");
	collect_close(c);
	return rc;
}

int cmd_collect(int argc, char **argv)
{
	struct centre *s = calloc(1, sizeof(*s));
	struct bp_error err;
	int rc;

	if (s == NULL) {
		cli_say("out of memory");
		return CLI_FAILURE;
	}
	s->signals = -1;
	s->o = (struct collect_options){.bus = {.name = "borderpath collect", .inbox = "centre"},
					.replicas = 1, .watch = true};
	rc = parse(s, argc, argv);
	if (rc != 0) {
		rc--;
	} else if (session_open_output(&s->common, &s->session, &err) < 0) {
		rc = cli_error(&err);
	} else {
		rc = session_end(&s->session, run(s));
	}
	if (s->signals >= 0)
		close(s->signals);
	free(s);
	return rc;
}

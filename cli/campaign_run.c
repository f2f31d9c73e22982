// SPDX-License-Identifier: BSD-2-Clause
/*
 * borderpath campaign run and once: the daemon with its options. On stdout one round object a line,
 * once it is in the store; on stderr what is to be told.
 */
#include "campaign/run.h"
#include "campaign/spool.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cli/campaign.h"
#include "cli/campaign_live.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "core/text.h"

enum { OPT_STORE = OPT_COMMAND_FIRST, OPT_SPOOL, OPT_SPOOL_BYTES, OPT_AVOID };

#define LOOK_NS (NS_PER_S / 2)

struct campaign_show {
	struct options common;
	struct campaign_options run;
	struct session session; /* its output alone */
	struct campaign_live *live; /* NULL: no terminal to draw it on */
	bool several;           /* plans: a line says whose it is */
	char (*measured)[ROUND_ID_TEXT]; /* once, quiet: of each plan the round; empty: none */
	bool output_failed;
};

/* --- what happens ----------------------------------------------------------------------------- */

static void note_measured(struct campaign_show *s, const struct campaign_plan *p,
			  const struct round *r)
{
	for (unsigned i = 0; i < s->run.plan_count; i++) {
		if (strcmp(s->run.plans[i], p->file) == 0)
			text_set(s->measured[i], ROUND_ID_TEXT, r->id);
	}
}

static void on_round(void *arg, const struct campaign_plan *p, const struct round *r)
{
	struct campaign_show *s = arg;
	struct bp_error err;
	struct buf line;

	campaign_live_round(s->live, p, r);
	/* What a quiet `once` has to tell is seen when all are in the store. */
	if (s->measured != NULL && r->done > 0)
		note_measured(s, p, r);
	if (s->output_failed || s->measured != NULL)
		return;
	/* Both may be one terminal. */
	campaign_live_clear(s->live);
	buf_init(&line);
	round_write_json(&line, r);
	if (line.failed)
		cli_say("out of memory: a round is not printed, but in the store");
	else if (session_write(&s->session, line.bytes, line.used, &err) < 0) {
		/* Measuring is for the store: a reader that went away does not end it. */
		cli_say("%s: rounds are no longer printed", err.text);
		s->output_failed = true;
	}
	buf_fini(&line);
	campaign_live_draw(s->live);
}

static void on_begin(void *arg, const struct campaign_plan *p, const struct round *r,
		     struct wall next)
{
	struct campaign_show *s = arg;

	campaign_live_begin(s->live, p, r, next);
}

static void on_trace(void *arg, const struct campaign_plan *p, const struct round *r,
		     const struct trace *t, const struct verdict *v)
{
	struct campaign_show *s = arg;

	(void)r;
	campaign_live_trace(s->live, p, t, v);
}

static void on_look(void *arg, const struct campaign_plan *p, struct wall next, uint64_t waiting)
{
	struct campaign_show *s = arg;

	campaign_live_look(s->live, p, next, waiting);
}

static void on_note(void *arg, const struct campaign_plan *p, const char *text)
{
	struct campaign_show *s = arg;

	if (s->common.quiet || campaign_live_note(s->live, text))
		return;
	if (s->several && p != NULL)
		cli_say("%s: %s", p->campaign, text);
	else
		cli_say("%s", text);
}

/* For people: what is sure. The rest is in the store, and in `borderpath events --all`. `once
 * --quiet` has said what its round changed, before it is sure: not twice. */
static void on_event(void *arg, const struct campaign_plan *p, const struct event *e)
{
	struct campaign_show *s = arg;
	char text[EVENT_SUMMARY_TEXT + 64];

	if (e->status == EVENT_PROVISIONAL || e->withdrawn || s->common.quiet)
		return;
	snprintf(text, sizeof(text), "%s%s: %s", word_of(event_kind_words, e->kind),
		 e->status == EVENT_RESOLVED && e->kind != EVENT_RECOVERY ? " is over" : "",
		 e->summary);
	if (campaign_live_note(s->live, text))
		return;
	if (s->several)
		cli_say("%s: %s", p->campaign, text);
	else
		cli_say("%s", text);
}

/* --- options ---------------------------------------------------------------------------------- */

static int take_option(struct campaign_show *s, int opt, const char *arg)
{
	switch (opt) {
	case OPT_STORE: s->run.store = arg; return 0;
	case OPT_SPOOL: s->run.spool_dir = arg; return 0;
	case OPT_AVOID: s->run.avoid = arg; return 0;
	case OPT_SPOOL_BYTES:
		if (options_bytes(arg, &s->run.spool_bytes) < 0)
			return cli_usage("campaign", "--spool-bytes '%s' is no size such as 256M",
					 arg) + 1;
		if (s->run.spool_bytes < SPOOL_BYTES_MIN)
			return cli_usage("campaign", "--spool-bytes %s: a spool needs at least 256K",
					 arg) + 1;
		return 0;
	default: return options_take(&s->common, opt, arg);
	}
}

static int parse(struct campaign_show *s, int argc, char **argv)
{
	static const struct option longs[] = {
		OPTIONS_COMMON,
		{"store", required_argument, NULL, OPT_STORE},
		{"spool", required_argument, NULL, OPT_SPOOL},
		{"spool-bytes", required_argument, NULL, OPT_SPOOL_BYTES},
		{"do-not-probe", required_argument, NULL, OPT_AVOID},
		{NULL, 0, NULL, 0},
	};
	int opt, rc;

	options_init(&s->common, "campaign");
	s->common.profile = NULL;
	while ((opt = options_next(&s->common, argc, argv, OPTIONS_SHORT, longs)) != -1) {
		rc = opt == '?' ? CLI_USAGE + 1 : take_option(s, opt, optarg);
		if (rc != 0)
			return rc;
	}
	if (optind == argc)
		return cli_usage("campaign", "%s takes plans", argv[0]) + 1;
	s->run.profile = s->common.profile;
	s->run.asn_db = s->common.asn_db;
	s->run.country_db = s->common.country_db;
	s->run.plans = (const char *const *)argv + optind;
	s->run.plan_count = (unsigned)(argc - optind);
	s->several = s->run.plan_count > 1;
	return 0;
}

/* --- the commands ----------------------------------------------------------------------------- */

/* 3: what the plan wanted is not there whole. */
static int exit_of_once(const struct campaign_result *r)
{
	if (r->rounds == 0 && r->waiting == 0)
		return CLI_FAILURE;
	return r->missed > 0 || r->waiting > 0 ? CLI_PARTIAL : CLI_OK;
}

/* For cron's mail: nothing, unless something changed. */
static int tell_changes(struct campaign_show *s, int code)
{
	struct bp_error err;

	for (unsigned i = 0; i < s->run.plan_count; i++) {
		if (s->measured[i][0] == '\0' ||
		    campaign_status_changes(&s->run, &s->session, s->run.plans[i], s->measured[i],
					    &err) == 0)
			continue;
		cli_say("what changed cannot be told: %s", err.text);
		code = code == CLI_OK ? CLI_PARTIAL : code;
	}
	return code;
}

static int run_plans(struct campaign_show *s)
{
	struct campaign_result result;
	struct bp_error err;
	int rc;

	s->run.events = (struct campaign_events){.on_round = on_round, .on_note = on_note,
						 .on_event = on_event, .arg = s};
	if (campaign_live_wanted(&s->common) &&
	    campaign_live_new(&s->common, s->run.profile, &s->live) == 0) {
		s->run.events.on_begin = on_begin;
		s->run.events.on_trace = on_trace;
		s->run.events.on_look = on_look;
		s->run.events.tick_ns = LOOK_NS;
	}
	rc = campaign_run(&s->run, &result, &err);
	campaign_live_free(s->live);
	if (rc < 0)
		return cli_error(&err);
	if (!s->run.once)
		return CLI_OK;
	return s->measured != NULL ? tell_changes(s, exit_of_once(&result)) : exit_of_once(&result);
}

static int start(struct campaign_show *s, int argc, char **argv)
{
	struct bp_error err;
	int rc = parse(s, argc, argv);

	if (rc != 0)
		return rc - 1;
	if (sodium_init() < 0) {
		cli_say("the system gives no random numbers");
		return CLI_FAILURE;
	}
	if (session_open_output(&s->common, &s->session, &err) < 0)
		return cli_error(&err);
	if (s->run.once && s->common.quiet) {
		s->measured = calloc(s->run.plan_count, sizeof(*s->measured));
		if (s->measured == NULL)
			return cli_error((bp_fail(&err, BP_ENOMEM, "out of memory"), &err));
	}
	rc = run_plans(s);
	free(s->measured);
	return s->output_failed ? CLI_FAILURE : session_end(&s->session, rc);
}

int campaign_run_command(int argc, char **argv)
{
	struct campaign_show s = {0};

	return start(&s, argc, argv);
}

int campaign_once(int argc, char **argv)
{
	struct campaign_show s = {.run.once = true};

	return start(&s, argc, argv);
}

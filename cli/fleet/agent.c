// SPDX-License-Identifier: BSD-2-Clause
/*
 * borderpath agent: a vantage point of a fleet, with its options. On stdout one round object a
 * line, once it is safe in the spool; on stderr what is to be told.
 */
#include "campaign/fleet/agent.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/fleet/bus.h"
#include "cli/cli.h"
#include "cli/fleet.h"
#include "cli/fleet/commands.h"
#include "cli/options.h"
#include "core/text.h"

enum { OPT_SERVER = OPT_COMMAND_FIRST, OPT_VANTAGE, OPT_NKEY, OPT_CA, OPT_SPOOL, OPT_SPOOL_BYTES,
       OPT_AVOID };

struct agent_show {
	struct options common;
	struct agent_options run;
	struct session session;   /* its output alone */
	char *spool;              /* owned: the default place */
	bool output_failed;
};

static void on_round(void *arg, const char *line, size_t n)
{
	struct agent_show *s = arg;
	struct bp_error err;

	if (s->output_failed || session_write(&s->session, line, n, &err) == 0)
		return;
	/* Measuring is for the centre: a reader that went away does not end it. */
	cli_say("%s: rounds are no longer printed", err.text);
	s->output_failed = true;
}

static void on_note(void *arg, const char *text)
{
	const struct agent_show *s = arg;

	if (!s->common.quiet)
		cli_say("%s", text);
}

/* Under the service manager's state directory, or the user's (XDG). */
static char *default_spool(const char *vantage)
{
	const char *state = getenv("STATE_DIRECTORY"), *xdg = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	char *out = NULL;
	int n = -1;

	if (state != NULL && *state == '/')
		n = asprintf(&out, "%.*s", (int)strcspn(state, ":"), state);
	else if (xdg != NULL && *xdg == '/')
		n = asprintf(&out, "%s/borderpath/agent-%s", xdg, vantage);
	else if (home != NULL && *home == '/')
		n = asprintf(&out, "%s/.local/state/borderpath/agent-%s", home, vantage);
	return n < 0 ? NULL : out;
}

static int take_option(struct agent_show *s, int opt, const char *arg)
{
	switch (opt) {
	case OPT_SERVER: s->run.server = arg; return 0;
	case OPT_VANTAGE: s->run.vantage = arg; return 0;
	case OPT_NKEY: s->run.nkey_file = arg; return 0;
	case OPT_CA: s->run.ca_file = arg; return 0;
	case OPT_SPOOL: s->run.spool = arg; return 0;
	case OPT_AVOID: s->run.avoid = arg; return 0;
	case OPT_SPOOL_BYTES:
		if (options_bytes(arg, &s->run.spool_bytes) < 0)
			return cli_usage("agent", "--spool-bytes '%s' is no size such as 1G", arg) + 1;
		if (s->run.spool_bytes < AGENT_SPOOL_BYTES_MIN)
			return cli_usage("agent", "--spool-bytes %s: a spool needs at least 1M", arg) + 1;
		return 0;
	default: return options_take(&s->common, opt, arg);
	}
}

static int parse(struct agent_show *s, int argc, char **argv)
{
	static const struct option longs[] = {
		OPTIONS_COMMON,
		{"server", required_argument, NULL, OPT_SERVER},
		{"vantage", required_argument, NULL, OPT_VANTAGE},
		{"nkey", required_argument, NULL, OPT_NKEY},
		{"ca", required_argument, NULL, OPT_CA},
		{"spool", required_argument, NULL, OPT_SPOOL},
		{"spool-bytes", required_argument, NULL, OPT_SPOOL_BYTES},
		{"do-not-probe", required_argument, NULL, OPT_AVOID},
		{NULL, 0, NULL, 0},
	};
	struct bp_error err;
	int opt, rc;

	options_init(&s->common, "agent");
	s->common.profile = NULL;
	while ((opt = options_next(&s->common, argc, argv, OPTIONS_SHORT, longs)) != -1) {
		rc = opt == '?' ? CLI_USAGE + 1 : take_option(s, opt, optarg);
		if (rc != 0)
			return rc;
	}
	if (optind < argc)
		return cli_usage("agent", "plans come from the broker: '%s'", argv[optind]) + 1;
	if (s->run.server == NULL || s->run.vantage == NULL)
		return cli_usage("agent", "--server and --vantage are needed") + 1;
	if (bus_url_check(s->run.server, &err) < 0)
		return cli_usage("agent", "--server: %s", err.text) + 1;
	if (s->run.spool == NULL)
		s->run.spool = s->spool = default_spool(s->run.vantage);
	if (s->run.spool == NULL)
		return cli_usage("agent", "--spool is needed where there is no home") + 1;
	s->run.profile = s->common.profile;
	s->run.asn_db = s->common.asn_db;
	s->run.country_db = s->common.country_db;
	return 0;
}

int cmd_agent(int argc, char **argv)
{
	struct agent_show s = {.run = {.on_round = on_round, .on_note = on_note}};
	struct bp_error err;
	int rc = parse(&s, argc, argv);

	if (rc != 0) {
		free(s.spool);
		return rc - 1;
	}
	s.run.arg = &s;
	if (sodium_init() < 0) {
		cli_say("the system gives no random numbers");
		rc = CLI_FAILURE;
	} else if (session_open_output(&s.common, &s.session, &err) < 0) {
		rc = cli_error(&err);
	} else {
		rc = agent_run(&s.run, &err) < 0 ? cli_error(&err) : CLI_OK;
		rc = session_end(&s.session, rc);
	}
	free(s.spool);
	return rc;
}

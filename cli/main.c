// SPDX-License-Identifier: BSD-2-Clause
/*
 * borderpath: everything people type. Unprivileged: packets are the child borderpath-probe's. This
 * file finds the row of the command table and runs it; only here and in the commands is printed.
 */
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/fleet.h"
#include "core/buf.h"

const struct command commands[] = {
	{"trace", cmd_trace, "measure now, name, judge, print", trace_usage},
	{"judge", cmd_judge, "name and judge recorded traces of any readable format", judge_usage},
	{"convert", cmd_convert, "one record format to another", convert_usage},
	{"campaign", cmd_campaign, "measure again and again, as a plan says", campaign_usage},
	{"report", cmd_report, "borders over time, shares, delay, reachability", report_usage},
	{"events", cmd_events, "what changed: switches, paths, delays, outages", events_usage},
	{"diff", cmd_diff, "what changed between two sets of records", diff_usage},
	{"agent", cli_fleet, "a vantage point of a fleet", agent_usage},
	{"collect", cli_fleet, "the centre of a fleet: takes results in", collect_usage},
	{"fleet", cli_fleet, "a fleet's keys and permissions, and how it fares", fleet_usage},
	{"shifts", cmd_shifts, "where any series of round-trip times moved to another level",
	 shifts_usage},
	{"geo", cmd_geo, "what the databases and the overlay say, and how old they are", geo_usage},
	{"profile", cmd_profile, "check or show a profile", profile_usage},
	{NULL, NULL, NULL, NULL},
};

const struct command *command_find(const char *name)
{
	for (const struct command *c = commands; c->name != NULL; c++) {
		if (strcmp(c->name, name) == 0)
			return c;
	}
	return NULL;
}

static void help_text(struct buf *out)
{
	buf_str(out, "usage: borderpath COMMAND [OPTIONS] [ARGUMENTS]\n\n"
		"Which border traffic into a network with few ways in takes, when that changes, and\n"
		"what it does to delay and reachability.\n\n");
	for (const struct command *c = commands; c->name != NULL; c++)
		buf_printf(out, "  %-9s %s\n", c->name, c->summary);
	buf_str(out, "\n  help COMMAND tells a command's options; --version prints the version.\n");
}

static int cmd_help(int argc, char **argv)
{
	const struct command *c;
	struct buf text;
	int rc;

	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		buf_init(&text);
		help_text(&text);
		rc = cli_print(text.failed ? "" : text.bytes);
		buf_fini(&text);
		return rc;
	}
	c = command_find(argv[1]);
	if (c == NULL) {
		cli_say("no command '%s': borderpath help lists them", argv[1]);
		return CLI_USAGE;
	}
	return cli_print(c->usage);
}

/* A descriptor that came closed would be given to the next file opened, and results written into
 * it. What takes its place cannot be used as the standard stream is: reading or writing fails. */
static void hold_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
	}
}

int main(int argc, char **argv)
{
	const struct command *c;
	struct buf text;
	int rc;

	hold_standard_streams();
	setlocale(LC_CTYPE, "");
	/* A reader that went away is a write error, seen after the child was stopped in order. */
	signal(SIGPIPE, SIG_IGN);
	/* A limit on the size of files is a write that fails, as on a full disk. */
	signal(SIGXFSZ, SIG_IGN);
	if (argc < 2) {
		buf_init(&text);
		help_text(&text);
		fputs(text.failed ? "" : text.bytes, stderr);
		buf_fini(&text);
		return CLI_USAGE;
	}
	rc = cli_elsewhere(argc, argv);
	if (rc >= 0)
		return rc;
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
		return cli_print("borderpath " BP_VERSION "\n");
	if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
	    strcmp(argv[1], "-h") == 0)
		return cmd_help(argc - 1, argv + 1);
	c = command_find(argv[1]);
	if (c == NULL) {
		cli_say("no command '%s': borderpath help lists them", argv[1]);
		return CLI_USAGE;
	}
	return c->run(argc - 1, argv + 1);
}

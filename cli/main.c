// SPDX-License-Identifier: BSD-2-Clause
/*
 * borderpath: everything people type. Unprivileged: packets are the child borderpath-probe's. This
 * file finds the row of the command table and runs it; only here and in the commands is printed.
 */
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

const struct command commands[] = {
	{"trace", cmd_trace, "measure now, name, judge, print", trace_usage},
	{"judge", cmd_judge, "name and judge recorded traces of any readable format", judge_usage},
	{"convert", cmd_convert, "one record format to another", convert_usage},
	{"diff", cmd_diff, "what changed between two sets of records", diff_usage},
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

void cli_say(const char *fmt, ...)
{
	va_list ap;

	fputs("borderpath: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int cli_error(const struct bp_error *err)
{
	cli_say("%s", err->text);
	return CLI_FAILURE;
}

int cli_usage(const char *command, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "borderpath %s: ", command);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, " (see: borderpath help %s)\n", command);
	return CLI_USAGE;
}

static void print_help(FILE *out)
{
	fputs("usage: borderpath COMMAND [OPTIONS] [ARGUMENTS]\n\n"
	      "Which border traffic into a network with few ways in takes, when that changes, and\n"
	      "what it does to delay and reachability.\n\n", out);
	for (const struct command *c = commands; c->name != NULL; c++)
		fprintf(out, "  %-9s %s\n", c->name, c->summary);
	fputs("\n  help COMMAND tells a command's options; --version prints the version.\n", out);
}

static int cmd_help(int argc, char **argv)
{
	const struct command *c;

	if (argc < 2) {
		print_help(stdout);
		return CLI_OK;
	}
	c = command_find(argv[1]);
	if (c == NULL) {
		cli_say("no command '%s': borderpath help lists them", argv[1]);
		return CLI_USAGE;
	}
	printf("%s", c->usage);
	return CLI_OK;
}

int main(int argc, char **argv)
{
	const struct command *c;

	setlocale(LC_CTYPE, "");
	/* A reader that went away is told as a write error, after the child was stopped in order. */
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		print_help(stderr);
		return CLI_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		printf("borderpath %s\n", BP_VERSION);
		return fflush(stdout) == 0 ? CLI_OK : CLI_FAILURE;
	}
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

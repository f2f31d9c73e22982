// SPDX-License-Identifier: BSD-2-Clause
/*
 * The command line as a table: one row per subcommand gives help and dispatch. Each command lives
 * in its own file, returns an exit code and never calls exit. stdout is data, stderr is talk.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "core/err.h"

enum cli_exit {
	CLI_OK = 0,
	CLI_FAILURE = 1,
	CLI_USAGE = 2,
	CLI_PARTIAL = 3, /* planned measurements not taken, or records skipped */
	/* diff(1)'s meanings, for `borderpath diff` only */
	CLI_DIFF_SAME = 0,
	CLI_DIFF_CHANGED = 1,
	CLI_DIFF_TROUBLE = 2,
};

struct command {
	const char *name;
	int (*run)(int argc, char **argv); /* argv[0] is the command's name */
	const char *summary;               /* one line for `borderpath help` */
	const char *usage;                 /* the text of `borderpath help COMMAND` */
};

extern const struct command commands[]; /* ends with name NULL */
const struct command *command_find(const char *name);

int cmd_trace(int argc, char **argv);
int cmd_judge(int argc, char **argv);
int cmd_convert(int argc, char **argv);
int cmd_campaign(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_events(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_shifts(int argc, char **argv);
int cmd_geo(int argc, char **argv);
int cmd_profile(int argc, char **argv);

extern const char trace_usage[], judge_usage[], convert_usage[], campaign_usage[],
	report_usage[], events_usage[], diff_usage[], shifts_usage[], geo_usage[], profile_usage[];

/* One line on stderr: "borderpath: ...". */
void cli_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A text as the result, on stdout. Returns CLI_OK, or CLI_FAILURE after telling that it failed. */
int cli_print(const char *text);
/* Fills err for a result that did not get out, for the reason sys, errno; BP_EOF where the reader
 * of a pipe went away. */
int cli_write_failed(int sys, const char *name, struct bp_error *err);
/* As cli_say, and returns CLI_FAILURE. Nothing is said of BP_EOF. */
int cli_error(const struct bp_error *err);
/* "borderpath COMMAND: ... (see: borderpath help COMMAND)"; returns CLI_USAGE. */
int cli_usage(const char *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif

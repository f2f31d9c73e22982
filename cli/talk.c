// SPDX-License-Identifier: BSD-2-Clause
/* What every command says in the same way: one line on stderr, and its exit code. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "cli/cli.h"

void cli_say(const char *fmt, ...)
{
	va_list ap;

	fputs("borderpath: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int cli_write_failed(int sys, const char *name, struct bp_error *err)
{
	/* Who closed a pipe (head, a pager that was left) has what he wanted. */
	if (sys == EPIPE)
		return bp_fail(err, BP_EOF, "cannot write to %s: its reader is gone", name);
	return bp_fail_sys(err, sys, "cannot write to %s", name);
}

int cli_print(const char *text)
{
	struct bp_error err;

	if (fputs(text, stdout) >= 0 && fflush(stdout) == 0)
		return CLI_OK;
	cli_write_failed(errno, "standard output", &err);
	return cli_error(&err);
}

int cli_error(const struct bp_error *err)
{
	if (err->code != BP_EOF)
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

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

int cli_print(const char *text)
{
	struct bp_error err;

	if (fputs(text, stdout) >= 0 && fflush(stdout) == 0)
		return CLI_OK;
	bp_fail_sys(&err, errno, "cannot write to standard output");
	return cli_error(&err);
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

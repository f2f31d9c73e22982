// SPDX-License-Identifier: BSD-2-Clause
/*
 * The subcommands of `borderpath campaign`: each in its own file, called with argv[0] its own name
 * and optind 1. Each returns an exit code.
 */
#ifndef CLI_CAMPAIGN_H
#define CLI_CAMPAIGN_H

#include "core/err.h"

struct campaign_options;
struct session;

int campaign_check(int argc, char **argv);
int campaign_status(int argc, char **argv);
int campaign_run_command(int argc, char **argv);
int campaign_once(int argc, char **argv);
int campaign_recover(int argc, char **argv);

/* What differs between this round, the last one that was measured by the plan of file, and the one
 * before: written to the session's output, or nothing where nothing does. */
int campaign_status_changes(const struct campaign_options *o, const struct session *session,
			    const char *file, const char *round, struct bp_error *err);

#endif

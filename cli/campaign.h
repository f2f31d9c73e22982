// SPDX-License-Identifier: BSD-2-Clause
/*
 * The subcommands of `borderpath campaign`: each in its own file, called with argv[0] its own name
 * and optind 1. Each returns an exit code.
 */
#ifndef CLI_CAMPAIGN_H
#define CLI_CAMPAIGN_H

int campaign_check(int argc, char **argv);
int campaign_status(int argc, char **argv);
int campaign_run_command(int argc, char **argv);
int campaign_once(int argc, char **argv);
int campaign_recover(int argc, char **argv);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * The commands of a fleet, each in its own file of cli/fleet/, called as those of cli/cli.h are
 * (argv[0] its own name, optind 1). Each returns an exit code.
 */
#ifndef CLI_FLEET_COMMANDS_H
#define CLI_FLEET_COMMANDS_H

int cmd_agent(int argc, char **argv);
int cmd_collect(int argc, char **argv);
int cmd_fleet(int argc, char **argv);        /* init, add, revoke, set ... */
int campaign_deploy(int argc, char **argv);
int campaign_withdraw(int argc, char **argv);
int campaign_list(int argc, char **argv);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * What tells the two programs people type apart. `borderpath` starts in a few milliseconds and
 * links no library of a broker or a database server; `borderpath-fleet` is the same program with
 * NATS and PostgreSQL in it. Everybody types `borderpath`: where a command needs the other one, it
 * becomes it, as git does with its remote helpers.
 *
 * borderpath links cli/light/, borderpath-fleet and the tests link cli/fleet/.
 */
#ifndef CLI_FLEET_H
#define CLI_FLEET_H

/* Whether the command line (argv[0] the program) needs what this program does not link. Then all of
 * it is executed by borderpath-fleet (beside this program, else on PATH), and this returns only
 * when that fails: an exit code, after telling why. Negative: it is for this program. */
int cli_elsewhere(int argc, char **argv);

/* Runs the fleet's command argv[0]: agent, collect, fleet; deploy, withdraw or list of `campaign`.
 * Returns an exit code. */
int cli_fleet(int argc, char **argv);

extern const char agent_usage[], collect_usage[], fleet_usage[];

#endif

// SPDX-License-Identifier: BSD-2-Clause
/* borderpath fleet: finds the subcommand. */
#include "cli/fleet/fleet.h"

#include <sodium.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/fleet.h"
#include "cli/fleet/commands.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} subcommands[] = {
	{"init", fleet_init},
	{"add", fleet_add},
	{"revoke", fleet_revoke},
	{"set", fleet_set},
	{"budget", fleet_budget},
	{"refresh", fleet_refresh},
	{"status", fleet_status},
	{NULL, NULL},
};

int cmd_fleet(int argc, char **argv)
{
	if (argc < 2)
		return cli_usage("fleet", "say what to do: init, add, revoke, set, budget, refresh or status");
	if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)
		return cli_print(fleet_usage);
	if (sodium_init() < 0) {
		cli_say("libsodium does not start");
		return CLI_FAILURE;
	}
	for (unsigned i = 0; subcommands[i].name != NULL; i++) {
		if (strcmp(argv[1], subcommands[i].name) == 0)
			return subcommands[i].run(argc - 1, argv + 1);
	}
	return cli_usage("fleet", "no '%s', expected one of: init, add, revoke, set, budget, "
			 "refresh, status", argv[1]);
}

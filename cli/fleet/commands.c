// SPDX-License-Identifier: BSD-2-Clause
/* The commands of a fleet as a table. Only borderpath-fleet and tests link it. */
#include "cli/fleet/commands.h"

#include <string.h>

#include "cli/cli.h"
#include "cli/fleet.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} rows[] = {
	{"agent", cmd_agent},
	{"collect", cmd_collect},
	{"fleet", cmd_fleet},
	{"deploy", campaign_deploy},
	{"withdraw", campaign_withdraw},
	{"list", campaign_list},
	{NULL, NULL},
};

int cli_elsewhere(int argc, char **argv)
{
	(void)argc, (void)argv;
	return -1;
}

int cli_fleet(int argc, char **argv)
{
	for (unsigned i = 0; rows[i].name != NULL; i++) {
		if (strcmp(rows[i].name, argv[0]) == 0)
			return rows[i].run(argc, argv);
	}
	return cli_usage(argv[0], "not built yet");
}

// SPDX-License-Identifier: BSD-2-Clause
/* What `borderpath help` says of the fleet's commands: in both programs. */
#include "cli/fleet.h"

const char agent_usage[] =
"usage: borderpath agent --server URL --vantage NAME [OPTIONS]\n"
"\n"
"A vantage point of a fleet: takes its plans from the broker, measures as `campaign run` does, and\n"
"sends what it measured.\n";

const char collect_usage[] =
"usage: borderpath collect --server URL --store STORE [OPTIONS]\n"
"\n"
"The centre of a fleet: takes results in, commits them, then lets the vantage points forget them.\n";

const char fleet_usage[] =
"usage: borderpath fleet init|add|revoke|status [OPTIONS]\n"
"\n"
"Server configuration, keys and permissions of a fleet; what each vantage point is doing.\n";

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
"The centre of a fleet: takes results off the broker and commits them; only then the vantage points\n"
"forget them. Until SIGTERM; prints one `round` object for each round that is whole in the store.\n"
"Several collectors may run. Where the store is away or full, results wait at the broker and in the\n"
"spools, and it goes on by itself.\n"
"\n"
"  --server URL          the broker: nats://HOST:4222 or tls://HOST:4222; several by comma\n"
"  --store STORE         postgresql://USER@HOST/DATABASE (the password from PGPASSFILE or ~/.pgpass),\n"
"                        or sqlite:FILE, for one collector\n"
"  --nkey FILE           the key that `borderpath fleet init` made for the centre; mode 0600\n"
"  --ca FILE             the authority that signed the broker's certificate, PEM (the system's)\n"
"  --replicas N          copies of what is kept at a cluster of brokers: 1, 3 or 5 (1)\n"
"  --stream-bytes N      what the broker keeps of results that nobody took yet (4G); a larger number\n"
"                        than before is set, a smaller one is not\n"
"  --no-watch            look for no events over the vantage points, raise no alert\n"
"  --outbox DIR          alerts that wait to be delivered (under the user's state directory)\n"
"  --quiet               no notes, no events on stderr\n";

const char fleet_usage[] =
"usage: borderpath fleet init|add|revoke|status [OPTIONS]\n"
"\n"
"Server configuration, keys and permissions of a fleet; what each vantage point is doing.\n";

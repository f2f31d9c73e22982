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
"usage: borderpath fleet init --server URL --vantages NAME,NAME... -o DIR [OPTIONS]\n"
"       borderpath fleet add NAME --dir DIR\n"
"       borderpath fleet revoke NAME --dir DIR\n"
"\n"
"Server configuration, keys and permissions of a fleet. A key and an account of the broker for each\n"
"vantage point: none can write as another, read its results, or change a plan.\n"
"\n"
"  init                  makes DIR: keys, certificates, the configuration of nats-server, and a README\n"
"                        that says what goes where. Dials nobody, and overwrites nothing\n"
"  add                   a key and an account for one more\n"
"  revoke                one's key holds no longer, once the broker has read accounts.conf again\n"
"\n"
"  --server URL          the broker, as vantage points dial it: tls://HOST:PORT (4222); three by comma\n"
"                        are a cluster\n"
"  --vantages NAMES      by comma; letters, digits, '-', '_'\n"
"  --replicas 1|3        of one broker, or of three (as many as --server names)\n"
"  --no-tls              for a tunnel or a laboratory (else an authority of the fleet's own is made)\n"
"  --server-dir PATH     where DIR/server will lie on the broker's machine (where it is now)\n"
"  --jetstream-dir PATH  where the broker keeps streams (/var/lib/nats/jetstream)\n"
"  --budget PPS          packets a second into one /24 or /48 of the whole fleet (40)\n"
"  -o DIR                init: is made\n"
"  -d, --dir DIR         what init made\n"
"  --quiet               says nothing of what goes where\n"
"\n"
"Exit: 0 done, 1 failure, 2 usage.\n";

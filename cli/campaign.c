// SPDX-License-Identifier: BSD-2-Clause
/* borderpath campaign: finds the subcommand's row and runs it. */
#include "cli/campaign.h"

#include <string.h>

#include "cli/cli.h"
#include "cli/fleet.h"
#include "core/buf.h"

struct subcommand {
	const char *name;
	int (*run)(int argc, char **argv); /* argv[0] is the subcommand's name */
	const char *summary;
};

static const struct subcommand subcommands[] = {
	{"check", campaign_check, "what a plan would do, without doing it"},
	{"once", campaign_once, "one round of each plan, now"},
	{"run", campaign_run_command, "rounds as planned, until told to stop"},
	{"status", campaign_status, "how campaigns fare"},
	{"recover", campaign_recover, "a damaged store, mended"},
	{"deploy", cli_fleet, "a plan, handed to a fleet"},
	{"withdraw", cli_fleet, "a campaign, taken from a fleet"},
	{"list", cli_fleet, "what a fleet measures"},
	{NULL, NULL, NULL},
};

const char campaign_usage[] =
"usage: borderpath campaign check|once|run|status [OPTIONS] PLAN...\n"
"       borderpath campaign recover [OPTIONS] PLAN\n"
"       borderpath campaign deploy PLAN | withdraw NAME | list --server URL\n"
"\n"
"A campaign measures the same targets again and again, as a plan (YAML) says: what, how often, how\n"
"politely, and where it is kept.\n"
"\n"
"  check                 reads plans, tells their first fault as file:line:column, and prints what\n"
"                        they would do: targets, probes a round and a day, how many of them past the\n"
"                        border and into each network, what that takes in bytes and time. Sends nothing\n"
"  once                  one round of each plan, now, for cron; leaves a campaign that runs alone\n"
"  run                   rounds on the plans' grid, until SIGTERM or SIGINT (what is in flight is\n"
"                        finished; a second one abandons it). SIGHUP reads plans, profiles and\n"
"                        databases again. One line of JSON a round on stdout, once it is in the store;\n"
"                        a live view where stderr is a terminal\n"
"  status                whether it runs, the last round and the next, a day's rounds, who we are, how\n"
"                        things stand per target, what waits: from the store and the spool alone\n"
"  deploy                hands a plan, with what its lists and its profile's file hold, to a fleet: each\n"
"                        vantage point gets it with a moment and a share\n"
"                        of the fleet's budget of its own (packets a second into one /24 or /48)\n"
"  withdraw              takes a campaign from it; what was measured stays\n"
"  list                  what a fleet measures, and which vantage point runs it or refuses it\n"
"  recover               reads what it can out of a damaged store into a new one, and puts in what\n"
"                        the spool still has. Stop the campaign first; the damaged file is kept\n"
"\n"
"  --store STORE         sqlite:FILE, instead of the plans'\n"
"  --spool DIR           once, run, status, recover: rounds wait there for the store (else beside it,\n"
"                        in STORE.spool)\n"
"  --spool-bytes N       once, run: how much of them (256M; 256K or more)\n"
"  --do-not-probe FILE   check, once, run: addresses and prefixes to leave alone, besides the usual\n"
"                        lists\n"
"  --contact FILE        check: who measures, where a plan does not say it (else contact.yaml)\n"
"  --probing-txt FILE    check: write what tells it to those who are measured (RFC 9511)\n"
"  --server URL, --nkey FILE, --ca FILE\n"
"                        deploy, withdraw, list: the broker, the operator's key, whom to trust\n"
"  -d, --dir DIR         or all of it from what `fleet init` made\n"
"  --vantage NAME        deploy: to this one, too (several times: to these); who runs the same plan goes\n"
"                        on with it. Without it: to all. withdraw: from this one alone\n"
"  --format text|jsonl   check, status, deploy, list: for people, or one JSON object a line\n"
"  --profile NAME|FILE   instead of the plans'\n"
"  --asn-db FILE, --country-db FILE\n"
"  -o FILE, -v           write to FILE; check: list every network, status: every target\n"
"  --quiet               no warnings; once: only what the round changed; run: no live view; status:\n"
"                        only what is not as planned\n"
"  --color auto|always|never\n"
"\n"
"Exit: 0 done, 1 failure (check: a plan is unusable), 2 usage, 3 partial (status: nothing was measured\n"
"for three times `every`, the vantage point was offline, or rounds wait for the store; list: a plan\n"
"does not run where it should).\n";

static int no_such(const char *name)
{
	struct buf known;
	int rc;

	buf_init(&known);
	for (const struct subcommand *s = subcommands; s->name != NULL; s++)
		buf_printf(&known, "%s%s", s == subcommands ? "" : ", ", s->name);
	if (name == NULL)
		rc = cli_usage("campaign", "say what to do: %s", known.failed ? "" : known.bytes);
	else
		rc = cli_usage("campaign", "no '%s', expected one of: %s", name,
			       known.failed ? "" : known.bytes);
	buf_fini(&known);
	return rc;
}

int cmd_campaign(int argc, char **argv)
{
	if (argc < 2)
		return no_such(NULL);
	if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)
		return cli_print(campaign_usage);
	for (const struct subcommand *s = subcommands; s->name != NULL; s++) {
		if (strcmp(argv[1], s->name) == 0)
			return s->run(argc - 1, argv + 1);
	}
	return no_such(argv[1]);
}

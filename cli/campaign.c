// SPDX-License-Identifier: BSD-2-Clause
/* borderpath campaign: finds the subcommand's row and runs it. */
#include "cli/campaign.h"

#include <string.h>

#include "cli/cli.h"
#include "core/buf.h"

struct subcommand {
	const char *name;
	int (*run)(int argc, char **argv); /* argv[0] is the subcommand's name */
	const char *summary;
};

static const struct subcommand subcommands[] = {
	{"check", campaign_check, "what a plan would do, without doing it"},
	{NULL, NULL, NULL},
};

const char campaign_usage[] =
"usage: borderpath campaign check [OPTIONS] PLAN...\n"
"\n"
"A campaign measures the same targets again and again, as a plan (YAML) says: what, how often, how\n"
"politely, and where it is kept.\n"
"\n"
"  check                 reads plans, tells their first fault as file:line:column, and prints what they\n"
"                        would do: targets, probes a round and a day, how many of them past the border\n"
"                        and into each network, what that takes in bytes and time. Sends nothing\n"
"\n"
"  --contact FILE        check: who measures, where a plan does not say it (else contact.yaml)\n"
"  --probing-txt FILE    check: write what tells it to those who are measured (RFC 9511)\n"
"  --format text|jsonl   for people, or one JSON object a line\n"
"  --profile NAME|FILE   instead of the plans'\n"
"  -o FILE, -v, --quiet  write to FILE; list every network; no warnings\n"
"  --color auto|always|never\n"
"\n"
"Exit: 0 done, 1 failure (check: a plan is unusable), 2 usage, 3 partial.\n";

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

// SPDX-License-Identifier: BSD-2-Clause
/* borderpath campaign recover: a damaged store is mended, and it is said what came of it. */
#include "campaign/recover.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>

#include "campaign/plan.h"
#include "cli/campaign.h"
#include "cli/cli.h"
#include "cli/options.h"

enum { OPT_STORE = OPT_COMMAND_FIRST, OPT_SPOOL };

struct recover_options {
	struct options common;
	const char *store, *spool_dir, *plan;
};

static int parse(struct recover_options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		OPTIONS_COMMON,
		{"store", required_argument, NULL, OPT_STORE},
		{"spool", required_argument, NULL, OPT_SPOOL},
		{NULL, 0, NULL, 0},
	};
	int opt, rc;

	options_init(&o->common, "campaign");
	while ((opt = options_next(&o->common, argc, argv, OPTIONS_SHORT, longs)) != -1) {
		rc = 0;
		if (opt == OPT_STORE)
			o->store = optarg;
		else if (opt == OPT_SPOOL)
			o->spool_dir = optarg;
		else
			rc = opt == '?' ? CLI_USAGE + 1 : options_take(&o->common, opt, optarg);
		if (rc != 0)
			return rc;
	}
	if (argc - optind > 1 || (argc == optind && o->store == NULL))
		return cli_usage("campaign", "recover takes one plan, or --store") + 1;
	o->plan = argc > optind ? argv[optind] : NULL;
	return 0;
}

/* The store that is meant: the option's, else the plan's. Owned by *p. */
static const char *store_of(const struct recover_options *o, struct campaign_plan **p,
			    struct bp_error *err)
{
	*p = NULL;
	if (o->store != NULL)
		return o->store;
	return campaign_plan_load(o->plan, p, err) < 0 ? NULL : (*p)->store;
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static int tell(const struct recover_options *o, const struct recover_end *e)
{
	const struct store_salvage *s = &e->salvage;
	char text[PATH_MAX + 256];

	snprintf(text, sizeof(text), "Read out of the old store: %" PRIu64 " round%s, %" PRIu64
		 " trace%s; %" PRIu64 " more could not be read.\nPut back from the spool: %" PRIu64
		 " round%s.\nThe old file is %s.\n", s->rounds, plural(s->rounds), s->traces,
		 plural(s->traces), s->lost, e->rounds, plural(e->rounds), e->aside);
	if (e->waiting > 0)
		cli_say("%" PRIu64 " round%s still wait%s in the spool", e->waiting,
			plural(e->waiting), e->waiting == 1 ? "s" : "");
	if (!o->common.quiet && cli_print(text) != CLI_OK)
		return CLI_FAILURE;
	return s->lost > 0 || e->waiting > 0 ? CLI_PARTIAL : CLI_OK;
}

int campaign_recover(int argc, char **argv)
{
	struct recover_options o = {0};
	struct campaign_plan *p;
	struct recover_end end;
	struct bp_error err;
	const char *store;
	int rc = parse(&o, argc, argv);

	if (rc != 0)
		return rc - 1;
	if (sodium_init() < 0) {
		cli_say("the system gives no random numbers");
		return CLI_FAILURE;
	}
	store = store_of(&o, &p, &err);
	if (store == NULL || recover_store(store, o.spool_dir, NULL, NULL, &end, &err) < 0)
		rc = cli_error(&err);
	else
		rc = tell(&o, &end);
	campaign_plan_free(p);
	return rc;
}

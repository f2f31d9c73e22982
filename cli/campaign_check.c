// SPDX-License-Identifier: BSD-2-Clause
/* borderpath campaign check: plans are read and their first fault is told. */
#include "cli/campaign.h"

#include "campaign/plan.h"
#include "cli/cli.h"
#include "cli/options.h"

int campaign_check(int argc, char **argv)
{
	static const struct option longs[] = {OPTIONS_COMMON, {NULL, 0, NULL, 0}};
	struct options o;
	int opt, rc, code = CLI_OK;

	options_init(&o, "campaign");
	while ((opt = options_next(&o, argc, argv, OPTIONS_SHORT, longs)) != -1) {
		rc = opt == '?' ? CLI_USAGE + 1 : options_take(&o, opt, optarg);
		if (rc != 0)
			return rc - 1;
	}
	if (optind == argc)
		return cli_usage("campaign", "check takes plans");
	for (int i = optind; i < argc; i++) {
		struct campaign_plan *p;
		struct bp_error err;

		if (campaign_plan_load(argv[i], &p, &err) < 0)
			code = cli_error(&err);
		else
			campaign_plan_free(p);
	}
	return code;
}

// SPDX-License-Identifier: BSD-2-Clause
/* borderpath campaign list: what a fleet was told to measure, and what each vantage point does of
 * it. */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "cli/campaign_check.h"
#include "cli/cli.h"
#include "cli/fleet/commands.h"
#include "cli/fleet/fleet.h"
#include "cli/fleet/state.h"
#include "cli/fleet/view.h"
#include "cli/options.h"
#include "core/json.h"
#include "core/record/jsonl_write.h"
#include "core/text.h"

struct list {
	struct options common;
	struct fleet_dial dial;
	struct view view;
	struct states states;
	unsigned amiss;         /* plans that do not run */
};

static int take_options(struct list *l, int argc, char **argv)
{
	static const struct option longs[] = {
		OPTIONS_COMMON,
		FLEET_DIAL_OPTIONS,
		{NULL, 0, NULL, 0},
	};
	int opt, rc = 0;

	options_init(&l->common, "campaign");
	l->common.profile = NULL;
	while (rc == 0 && (opt = options_next(&l->common, argc, argv, OPTIONS_SHORT "d:", longs)) !=
			  -1) {
		if (opt == '?')
			return CLI_USAGE + 1;
		if (!fleet_dial_take(&l->dial, opt, optarg))
			rc = options_take(&l->common, opt, optarg);
	}
	if (rc == 0 && optind < argc)
		rc = cli_usage("campaign", "list takes no '%s'", argv[optind]) + 1;
	return rc == 0 ? fleet_dial_check(&l->dial, "campaign") : rc;
}

/* What a vantage point has made of the revision that is there for it. */
static const char *state_word(const struct view_plan *p, const struct state *s,
			      const struct state_plan *has)
{
	if (p == NULL)
		return "missing";       /* the broker lost it: deploy again */
	if (s == NULL || s->stamp.ns == 0)
		return "unheard";
	if (has == NULL || (uint64_t)has->revision < p->revision)
		return "waiting";
	if (has->reason[0] != '\0')
		return "refused";
	return (uint64_t)has->running == p->revision ? "running" : "waiting";
}

static void put_text(struct buf *out, struct list *l, const struct deployment *c)
{
	char when[WALL_TEXT], share[TEXT_MILLI];

	buf_printf(out, "%s: every ", c->campaign);
	check_put_duration(out, c->every_ns);
	buf_printf(out, ", %u networks, %s packets a second each; deployed %s by %s\n",
		   c->networks.count, text_milli(c->share_mpps, share),
		   wall_format_short(c->at, when), c->tool);
	for (unsigned i = 0; i < c->seats_count; i++) {
		const char *name = c->seats[i].vantage;
		const struct view_plan *p = view_plan_of(&l->view, name, c->campaign);
		const struct state *s = states_find(&l->states, name);
		const struct state_plan *has = state_plan_of(s, c->campaign);
		const char *word = state_word(p, s, has);

		l->amiss += strcmp(word, "running") != 0;
		buf_printf(out, "  %-16s %-8s revision %" PRIu64, name, word,
			   p != NULL ? p->revision : 0);
		if (p != NULL)
			buf_printf(out, " of %s", wall_format_short(p->created, when));
		if (has != NULL && has->running != 0 && p != NULL &&
		    (uint64_t)has->running != p->revision)
			buf_printf(out, ", runs %" PRId64, has->running);
		if (has != NULL && has->reason[0] != '\0')
			buf_printf(out, ": %s", has->reason);
		buf_char(out, '\n');
	}
}

static void put_json(struct buf *out, struct list *l, const struct deployment *c)
{
	struct json_writer w;

	json_start(&w, out);
	json_begin_object(&w, NULL);
	json_put_str(&w, "type", "campaign");
	json_put_str(&w, "campaign", c->campaign);
	jsonl_put_wall(&w, "at", c->at);
	json_put_str(&w, "tool", c->tool);
	json_put_decimal(&w, "every_s", c->every_ns / NS_PER_MS, 3);
	json_put_decimal(&w, "per_prefix_rate_pps", (int64_t)c->share_mpps, 3);
	json_put_int(&w, "networks", c->networks.count);
	json_begin_array(&w, "vantages");
	for (unsigned i = 0; i < c->seats_count; i++) {
		const char *name = c->seats[i].vantage;
		const struct view_plan *p = view_plan_of(&l->view, name, c->campaign);
		const struct state *s = states_find(&l->states, name);
		const struct state_plan *has = state_plan_of(s, c->campaign);
		const char *word = state_word(p, s, has);

		l->amiss += strcmp(word, "running") != 0;
		json_begin_object(&w, NULL);
		json_put_str(&w, "name", name);
		json_put_str(&w, "state", word);
		json_put_int(&w, "revision", p != NULL ? (int64_t)p->revision : 0);
		if (p != NULL)
			jsonl_put_wall(&w, "at", p->created);
		json_put_decimal(&w, "offset_s", deployment_offset(c, i) / NS_PER_MS, 3);
		if (has != NULL) {
			jsonl_put_nonzero(&w, "running", has->running);
			jsonl_put_text(&w, "reason", has->reason);
		}
		json_end(&w);
	}
	json_end(&w);
	json_end(&w);
	buf_char(out, '\n');
}

static int show(struct list *l, struct bp_error *err)
{
	struct session session;
	struct buf out;
	int rc;

	buf_init(&out);
	for (unsigned i = 0; i < l->view.deployed_count; i++) {
		if (l->common.format == OUTPUT_JSONL)
			put_json(&out, l, &l->view.deployed[i]);
		else
			put_text(&out, l, &l->view.deployed[i]);
	}
	if (l->view.deployed_count == 0 && l->common.format != OUTPUT_JSONL)
		buf_str(&out, "Nothing is deployed.\n");
	rc = out.failed ? bp_fail(err, BP_ENOMEM, "out of memory")
			: session_open_output(&l->common, &session, err);
	if (rc == 0) {
		rc = out.used > 0 ? session_write(&session, out.bytes, out.used, err) : 0;
		if (session_end(&session, rc < 0 ? CLI_FAILURE : CLI_OK) != CLI_OK && rc == 0)
			rc = bp_fail(err, BP_EIO, "the result was not written");
	}
	buf_fini(&out);
	return rc;
}

int campaign_list(int argc, char **argv)
{
	struct list l = {0};
	struct bus *bus = NULL;
	struct bp_error err;
	int rc = take_options(&l, argc, argv), code;

	if (rc != 0)
		return rc - 1;
	if (sodium_init() < 0)
		return CLI_FAILURE;
	rc = fleet_dial_open(&l.dial, "operator", &bus, &err);
	if (rc == 0)
		rc = view_read(bus, &l.view, &err);
	if (rc == 0)
		rc = states_read(bus, &l.states, &err);
	if (rc == 0 && l.view.roster_known)
		view_prune(&l.view);
	/* For shares and moments as they are; where they cannot be, deploy says why. */
	if (rc == 0)
		(void)deployment_settle(l.view.deployed, l.view.deployed_count,
					l.view.roster_known ? l.view.roster.budget_pps
							   : ROSTER_BUDGET_PPS, &err);
	if (rc == 0)
		rc = show(&l, &err);
	code = rc < 0 ? cli_error(&err) : l.amiss > 0 ? CLI_PARTIAL : CLI_OK;
	bus_close(bus);
	view_fini(&l.view);
	states_fini(&l.states);
	return code;
}

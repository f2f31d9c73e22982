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
#include "cli/fleet/turned.h"
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
	struct wall now;        /* the broker's */
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

/* What one has made of a plan. */
struct fare {
	const char *name, *word;
	const struct view_plan *plan;   /* NULL: the broker lost it */
	const struct state *state;
	const struct state_plan *has;
};

static struct fare fare_of(const struct list *l, const char *name, const char *campaign)
{
	struct fare f = {.name = name, .plan = view_plan_of(&l->view, name, campaign),
			 .state = states_find(&l->states, name)};

	f.has = state_plan_of(f.state, campaign);
	f.word = state_plan_word(f.state, campaign, f.plan != NULL ? f.plan->revision : 0, l->now);
	return f;
}

static unsigned running_of(const struct list *l, const struct deployment *c)
{
	unsigned n = 0;

	for (unsigned i = 0; i < c->seats_count; i++) {
		struct fare f = fare_of(l, c->seats[i].vantage, c->campaign);

		n += strcmp(f.word, "running") == 0;
	}
	return n;
}

/* The plan of one whose key was revoked, which the broker still holds: the next deploy takes it
 * away. */
static bool is_left_over(const struct list *l, const struct view_plan *p, const char *campaign,
			 char name[static BUS_NAME_TEXT])
{
	const char *dot = strchr(p->key, '.');

	if (!l->view.roster_known || dot == NULL || strcmp(dot + 1, campaign) != 0)
		return false;
	text_copy(name, BUS_NAME_TEXT, p->key, (size_t)(dot - p->key));
	return roster_find(&l->view.roster, name) == NULL;
}

static void put_fare(struct buf *out, const struct list *l, const struct fare *f)
{
	char when[WALL_TEXT];

	buf_printf(out, "  %-16s %-8s revision %" PRIu64, f->name, f->word,
		   f->plan != NULL ? f->plan->revision : 0);
	if (f->plan != NULL)
		buf_printf(out, " of %s", wall_format_short(f->plan->created, when));
	if (strcmp(f->word, "silent") == 0) {
		buf_str(out, ", last heard ");
		duration_put(out, (double)(l->now.ns - f->state->stamp.ns) / 1e9);
		buf_str(out, " ago");
	} else if (f->has != NULL && f->has->running != 0 && f->plan != NULL &&
		   (uint64_t)f->has->running != f->plan->revision) {
		buf_printf(out, ", runs %" PRId64, f->has->running);
	}
	if (f->has != NULL && f->has->reason[0] != '\0')
		buf_printf(out, ": %s", f->has->reason);
	buf_char(out, '\n');
}

static void put_text(struct buf *out, const struct list *l, const struct deployment *c)
{
	char when[WALL_TEXT], share[TEXT_MILLI], name[BUS_NAME_TEXT];

	buf_printf(out, "%s: running %u/%u, every ", c->campaign, running_of(l, c), c->seats_count);
	check_put_duration(out, c->every_ns);
	buf_printf(out, ", %u network%s, %s packets a second each; deployed %s by %s\n",
		   c->networks.count, c->networks.count == 1 ? "" : "s",
		   text_milli(c->share_mpps, share), wall_format_short(c->at, when), c->tool);
	for (unsigned i = 0; i < c->seats_count; i++) {
		struct fare f = fare_of(l, c->seats[i].vantage, c->campaign);

		put_fare(out, l, &f);
	}
	for (unsigned i = 0; i < l->view.plans_count; i++) {
		if (is_left_over(l, &l->view.plans[i], c->campaign, name))
			buf_printf(out, "  %-16s revoked  the next deploy takes its plan away\n", name);
	}
}

static void put_fare_json(struct json_writer *w, const struct fare *f)
{
	json_begin_object(w, NULL);
	json_put_str(w, "name", f->name);
	json_put_str(w, "state", f->word);
	json_put_int(w, "revision", f->plan != NULL ? (int64_t)f->plan->revision : 0);
	if (f->plan != NULL)
		jsonl_put_wall(w, "at", f->plan->created);
	if (f->state != NULL)
		jsonl_put_wall(w, "seen", f->state->stamp);
}

static void put_json(struct buf *out, const struct list *l, const struct deployment *c)
{
	char name[BUS_NAME_TEXT];
	struct json_writer w;

	json_start(&w, out);
	json_begin_object(&w, NULL);
	json_put_str(&w, "type", "campaign");
	json_put_str(&w, "campaign", c->campaign);
	jsonl_put_wall(&w, "at", c->at);
	json_put_str(&w, "tool", c->tool);
	json_put_int(&w, "running", running_of(l, c));
	json_put_int(&w, "of", c->seats_count);
	json_put_decimal(&w, "every_s", c->every_ns / NS_PER_MS, 3);
	json_put_decimal(&w, "per_prefix_rate_pps", (int64_t)c->share_mpps, 3);
	json_put_int(&w, "networks", c->networks.count);
	json_begin_array(&w, "vantages");
	for (unsigned i = 0; i < c->seats_count; i++) {
		struct fare f = fare_of(l, c->seats[i].vantage, c->campaign);

		put_fare_json(&w, &f);
		json_put_decimal(&w, "offset_s", deployment_offset(c, i) / NS_PER_MS, 3);
		if (f.has != NULL) {
			jsonl_put_nonzero(&w, "running", f.has->running);
			jsonl_put_text(&w, "reason", f.has->reason);
		}
		json_end(&w);
	}
	for (unsigned i = 0; i < l->view.plans_count; i++) {
		if (!is_left_over(l, &l->view.plans[i], c->campaign, name))
			continue;
		put_fare_json(&w, &(struct fare){.name = name, .word = "revoked",
						 .plan = &l->view.plans[i]});
		json_end(&w);
	}
	json_end(&w);
	json_end(&w);
	buf_char(out, '\n');
}

/* *amiss: not all run where they should. */
static int show(const struct list *l, bool *amiss, struct bp_error *err)
{
	struct session session;
	struct buf out;
	int rc;

	buf_init(&out);
	for (unsigned i = 0; i < l->view.deployed_count; i++) {
		const struct deployment *c = &l->view.deployed[i];

		*amiss = *amiss || running_of(l, c) < c->seats_count;
		if (l->common.format == OUTPUT_JSONL)
			put_json(&out, l, c);
		else
			put_text(&out, l, c);
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
	bool amiss = false;
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
	/* Who was revoked here is known, though the broker may not. */
	if (rc == 0 && l.dial.dir != NULL && l.view.roster_known)
		rc = view_take_list(l.dial.dir, &l.view, &err);
	if (rc == 0)
		l.now = turned_now(&l.dial, l.view.roster.replicas);
	if (rc == 0 && l.view.roster_known)
		view_prune(&l.view);
	/* For shares and moments as they are; where they cannot be, deploy says why. */
	if (rc == 0)
		(void)deployment_settle(l.view.deployed, l.view.deployed_count,
					l.view.roster_known ? l.view.roster.budget_pps
							   : ROSTER_BUDGET_PPS, &err);
	if (rc == 0)
		rc = show(&l, &amiss, &err);
	code = rc < 0 ? cli_error(&err) : amiss ? CLI_PARTIAL : CLI_OK;
	bus_close(bus);
	view_fini(&l.view);
	states_fini(&l.states);
	return code;
}

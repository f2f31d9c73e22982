// SPDX-License-Identifier: BSD-2-Clause
/* borderpath campaign deploy, campaign withdraw: a plan, handed to the vantage points of a fleet,
 * each with its moment and its share; and taken back. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/fleet/enclose.h"
#include "cli/campaign_check.h"
#include "cli/cli.h"
#include "cli/fleet/commands.h"
#include "cli/fleet/fleet.h"
#include "cli/fleet/view.h"
#include "cli/options.h"
#include "core/json.h"
#include "core/text.h"
#include "geo/yamldoc.h"

enum { OPT_VANTAGE = OPT_FLEET_FIRST, OPT_CONTACT, OPT_AVOID };

struct deploy {
	struct options common;
	struct fleet_dial dial;
	struct check_with with;
	const char *vantages[ROSTER_VANTAGES_MAX]; /* as asked; none: all */
	unsigned vantages_count;
	const char *word;                          /* the file, or the campaign's name */
	struct check check;
	struct buf yaml;                           /* the plan, and what its files hold */
	struct view view;
	unsigned changed, left;                    /* left: withdraw: who goes on with it */
};

static int take_options(struct deploy *d, int argc, char **argv, const char *what)
{
	static const struct option longs[] = {
		OPTIONS_COMMON,
		FLEET_DIAL_OPTIONS,
		{"vantage", required_argument, NULL, OPT_VANTAGE},
		{"contact", required_argument, NULL, OPT_CONTACT},
		{"do-not-probe", required_argument, NULL, OPT_AVOID},
		{NULL, 0, NULL, 0},
	};
	int opt, rc = 0;

	options_init(&d->common, "campaign");
	d->common.profile = NULL;
	while (rc == 0 && (opt = options_next(&d->common, argc, argv, OPTIONS_SHORT "d:", longs)) !=
			  -1) {
		if (opt == '?')
			return CLI_USAGE + 1;
		if (opt == OPT_CONTACT)
			d->with.contact_path = optarg;
		else if (opt == OPT_AVOID)
			d->with.avoid_path = optarg;
		else if (opt == OPT_VANTAGE && d->vantages_count < ROSTER_VANTAGES_MAX)
			d->vantages[d->vantages_count++] = optarg;
		else if (!fleet_dial_take(&d->dial, opt, optarg))
			rc = options_take(&d->common, opt, optarg);
	}
	if (rc == 0 && argc - optind != 1)
		rc = cli_usage("campaign", "%s takes one %s", argv[0], what) + 1;
	if (rc == 0 && d->common.profile != NULL)
		rc = cli_usage("campaign", "the plan names the profile of a fleet's campaign") + 1;
	if (rc == 0)
		d->word = argv[optind];
	/* Read twice: for its check, and to be sent. */
	if (rc == 0 && strcmp(d->word, "-") == 0)
		rc = cli_usage("campaign", "%s takes no plan from a pipe", argv[0]) + 1;
	return rc == 0 ? fleet_dial_check(&d->dial, "campaign") : rc;
}

/* --- the plan --------------------------------------------------------------------------------- */

static int put_lines(const struct check_lines *lines, const char *file, const char *kind)
{
	const char *at = lines->text.bytes;

	for (unsigned i = 0; i < lines->count && at != NULL; i++) {
		size_t n = strcspn(at, "\n");

		cli_say("%s: %s%.*s", file, kind, (int)n, at);
		at += n + 1;
	}
	return (int)lines->count;
}

static int check_plan(struct deploy *d, const char *yaml, size_t n, struct bp_error *err)
{
	struct check *c = &d->check;

	if (!d->common.quiet)
		put_lines(&c->warnings, d->word, "warning: ");
	if (put_lines(&c->faults, d->word, "") > 0)
		return bp_fail(err, BP_EINVAL, "%s: nothing was deployed", d->word);
	if (!bus_name_ok(c->plan->campaign))
		return bp_fail(err, BP_EINVAL, "%s: in a fleet a campaign's name has no dot: \"%s\"",
			       d->word, c->plan->campaign);
	return enclose_plan(c->plan, yaml, n, &d->yaml, err);
}

/* As `campaign check` does, and what only a fleet cannot have. */
static int load_plan(struct deploy *d, struct bp_error *err)
{
	char *yaml = NULL;
	size_t n = 0;
	int rc = check_load(d->word, &d->with, &d->check, err);

	if (rc == 0)
		rc = yamldoc_read_file(d->word, "plan", &yaml, &n, err);
	if (rc == 0)
		rc = check_plan(d, yaml, n, err);
	free(yaml);
	return rc;
}

static int fill(struct deploy *d, struct deployment *out, struct bp_error *err)
{
	const struct campaign_plan *p = d->check.plan;
	int rc = 0;

	*out = (struct deployment){.at = wall_now(), .every_ns = p->every_ns,
				   .offset_ns = p->offset_ns, .jitter_ns = p->jitter_ns,
				   .prefix_mpps = p->prefix_mpps};
	text_set(out->campaign, sizeof(out->campaign), p->campaign);
	text_set(out->tool, sizeof(out->tool), "borderpath " BP_VERSION);
	for (uint32_t i = 0; rc == 0 && i < feed_rows(d->check.feed); i++) {
		struct feed_row r;

		feed_row(d->check.feed, i, &r);
		/* Reference hosts are near each vantage point, or of the one who asks for it. */
		if (!r.reference)
			rc = deployment_add_network(out, r.prefix);
	}
	prefixset_settle(&out->networks);
	if (rc < 0)
		return bp_fail(err, rc, "out of memory");
	if (out->networks.count > DEPLOYMENT_NETWORKS_MAX)
		return bp_fail(err, BP_ERANGE, "%s: %u networks, and a fleet's campaign has at most %d",
			       d->word, out->networks.count, DEPLOYMENT_NETWORKS_MAX);
	return 0;
}

/* --- the fleet -------------------------------------------------------------------------------- */

static bool is_named(const struct deploy *d, const char *vantage)
{
	for (unsigned i = 0; i < d->vantages_count; i++) {
		if (strcmp(d->vantages[i], vantage) == 0)
			return true;
	}
	return false;
}

/* Each of the fleet, and once. */
static int check_named(const struct deploy *d, struct bp_error *err)
{
	const struct roster *r = &d->view.roster;

	for (unsigned i = 0; i < d->vantages_count; i++) {
		if (roster_find(r, d->vantages[i]) == NULL)
			return bp_fail(err, BP_ENOTFOUND, "no vantage point of the fleet is called "
				       "\"%s\"", d->vantages[i]);
		for (unsigned k = 0; k < i; k++) {
			if (strcmp(d->vantages[k], d->vantages[i]) == 0)
				return bp_fail(err, BP_EINVAL, "%s is named twice", d->vantages[i]);
		}
	}
	return 0;
}

/* Those who run it and are not named; NULL: names none. */
static unsigned others_of(const struct deploy *d, const struct deployment *c, const char **names)
{
	unsigned n = 0;

	for (unsigned i = 0; c != NULL && i < c->seats_count; i++) {
		const char *name = c->seats[i].vantage;

		if (is_named(d, name) || roster_find(&d->view.roster, name) == NULL)
			continue;
		if (names != NULL)
			names[n] = name;
		n++;
	}
	return n;
}

/* A campaign is one plan: some cannot have another one of its name than the others. */
static int run_another(const char *campaign, const char *const *others, unsigned n,
		       struct bp_error *err)
{
	struct buf list;
	int rc;

	buf_init(&list);
	for (unsigned i = 0; i < n && i < 4; i++)
		buf_printf(&list, "%s%s", i > 0 ? ", " : "", others[i]);
	if (n > 4)
		buf_printf(&list, " and %u more", n - 4);
	rc = bp_fail(err, BP_EINVAL, "%s run%s another plan that is called %s: nothing was deployed; "
		     "without --vantage all get this one, and under another name these alone",
		     list.failed ? "others" : list.bytes, n == 1 ? "s" : "", campaign);
	buf_fini(&list);
	return rc;
}

static int seat(struct deploy *d, struct deployment *out, struct bp_error *err)
{
	const struct deployment *before = view_find(&d->view, out->campaign);
	const struct roster *r = &d->view.roster;
	const char *names[2 * ROSTER_VANTAGES_MAX];
	unsigned count = 0;
	int rc = check_named(d, err);

	if (rc < 0)
		return rc;
	if (d->vantages_count > 0 && before != NULL)
		count = others_of(d, before, names);
	if (count > 0 && !view_has_source(&d->view, out->campaign, d->yaml.bytes, d->yaml.used))
		return run_another(out->campaign, names, count, err);
	for (unsigned i = 0; i < d->vantages_count; i++)
		names[count++] = d->vantages[i];
	for (unsigned i = 0; d->vantages_count == 0 && i < r->count; i++) {
		if (r->keys[i].revoked.ns == 0)
			names[count++] = r->keys[i].name;
	}
	if (count == 0)
		return bp_fail(err, BP_ENOTFOUND, "the fleet has no vantage points");
	/* Who had a moment in the interval keeps it. */
	if (before != NULL) {
		out->seats = calloc(before->seats_count + 1, sizeof(*out->seats));
		if (out->seats == NULL)
			return bp_fail(err, BP_ENOMEM, "out of memory");
		memcpy(out->seats, before->seats, before->seats_count * sizeof(*out->seats));
		out->seats_count = before->seats_count;
	}
	return deployment_seat(out, names, count) < 0 ? bp_fail(err, BP_ENOMEM, "out of memory") : 0;
}

static int dial(struct deploy *d, struct bus **bus, struct bp_error *err)
{
	char path[PATH_MAX];
	int rc = 0;

	/* For the replicas of what is not there yet. */
	if (d->dial.dir != NULL)
		rc = roster_load(fleet_path(d->dial.dir, "fleet.json", path), &d->view.roster, err);
	if (rc == 0)
		rc = fleet_dial_open(&d->dial, "operator", bus, err);
	if (rc == 0)
		rc = view_read(*bus, &d->view, err);
	if (rc == 0)
		rc = view_sync(*bus, d->dial.dir, &d->view, err);
	return rc;
}

/* The plan was looked at with its own rate. */
static int check_share(struct deploy *d, struct bp_error *err)
{
	const struct deployment *c = view_find(&d->view, d->check.plan->campaign);
	char share[TEXT_MILLI];

	if (c->share_mpps == c->prefix_mpps)
		return 0;
	if (check_slower(&d->check, c->share_mpps) < 0)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	text_milli(c->share_mpps, share);
	if (!d->common.quiet)
		put_lines(&d->check.warnings, d->word, "warning: by its share: ");
	if (put_lines(&d->check.faults, d->word, "by its share: ") > 0)
		return bp_fail(err, BP_EINVAL, "%s: %u vantage point%s ha%s %s packets a second each into "
			       "one network: nothing was deployed", d->word, c->seats_count,
			       fleet_s(c->seats_count), c->seats_count == 1 ? "s" : "ve", share);
	return 0;
}

static int hand_out(struct deploy *d, struct bus *bus, struct bp_error *err)
{
	struct deployment made;
	int rc = fill(d, &made, err);

	if (rc == 0)
		rc = seat(d, &made, err);
	if (rc < 0) {
		deployment_fini(&made);
		return rc;
	}
	if (view_put_take(&d->view, &made, d->yaml.bytes, d->yaml.used) < 0)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	rc = view_settle(&d->view, err);
	if (rc == 0)
		rc = check_share(d, err);
	if (rc == 0)
		rc = view_send(bus, &d->view, d->check.plan->campaign, &d->changed, err);
	return rc;
}

/* --- what was done ---------------------------------------------------------------------------- */

static unsigned changed_of(const struct view *v, const struct deployment *c)
{
	unsigned n = 0;

	for (unsigned i = 0; i < c->seats_count; i++) {
		const struct view_plan *p = view_plan_of(v, c->seats[i].vantage, c->campaign);

		n += p != NULL && p->changed;
	}
	return n;
}

static void put_text(struct buf *out, const struct deploy *d, const struct deployment *c)
{
	uint32_t budget = d->view.roster.budget_pps;
	char share[TEXT_MILLI];

	buf_printf(out, "%s: %u vantage point%s, every ", c->campaign, c->seats_count,
		   fleet_s(c->seats_count));
	check_put_duration(out, c->every_ns);
	buf_printf(out, ", %s packets a second each into one network\n",
		   text_milli(c->share_mpps, share));
	for (unsigned i = 0; i < c->seats_count; i++) {
		const char *name = c->seats[i].vantage;
		const struct view_plan *p = view_plan_of(&d->view, name, c->campaign);

		buf_printf(out, "  %-16s ", name);
		check_put_duration(out, deployment_offset(c, i));
		buf_str(out, " into the interval, up to ");
		check_put_duration(out, deployment_jitter(c));
		buf_printf(out, " later; revision %llu%s\n",
			   (unsigned long long)(p != NULL ? p->revision : 0),
			   p != NULL && !p->changed ? ", as it was" : "");
	}
	buf_printf(out, "The fleet's budget is %u packets a second into one network (/24, /48); %u "
		   "network%s probed.\n", budget, c->networks.count,
		   c->networks.count == 1 ? " is" : "s are");
	for (unsigned i = 0; i < d->view.deployed_count; i++) {
		const struct deployment *other = &d->view.deployed[i];
		unsigned n = other != c ? changed_of(&d->view, other) : 0;

		if (n > 0)
			buf_printf(out, "%s shares networks with it: %u plan%s changed, %s packets a "
				   "second each now\n", other->campaign, n, fleet_s(n),
				   text_milli(other->share_mpps, share));
	}
}

static void put_json(struct buf *out, const struct deploy *d, const struct deployment *c)
{
	struct json_writer w;

	json_start(&w, out);
	json_begin_object(&w, NULL);
	json_put_str(&w, "type", "deploy");
	json_put_str(&w, "campaign", c->campaign);
	json_put_decimal(&w, "every_s", c->every_ns / NS_PER_MS, 3);
	json_put_int(&w, "budget_pps", d->view.roster.budget_pps);
	json_put_decimal(&w, "per_prefix_rate_pps", (int64_t)c->share_mpps, 3);
	json_put_int(&w, "networks", c->networks.count);
	json_put_int(&w, "changed", d->changed);
	json_begin_array(&w, "vantages");
	for (unsigned i = 0; i < c->seats_count; i++) {
		const char *name = c->seats[i].vantage;
		const struct view_plan *p = view_plan_of(&d->view, name, c->campaign);

		json_begin_object(&w, NULL);
		json_put_str(&w, "name", name);
		json_put_decimal(&w, "offset_s", deployment_offset(c, i) / NS_PER_MS, 3);
		json_put_decimal(&w, "jitter_s", deployment_jitter(c) / NS_PER_MS, 3);
		json_put_int(&w, "revision", p != NULL ? (int64_t)p->revision : 0);
		json_put_bool(&w, "changed", p != NULL && p->changed);
		json_end(&w);
	}
	json_end(&w);
	json_end(&w);
	buf_char(out, '\n');
}

static int show(const struct deploy *d, const struct buf *out, struct bp_error *err)
{
	struct session session;
	int rc;

	if (out->failed)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	rc = session_open_output(&d->common, &session, err);
	if (rc < 0)
		return rc;
	rc = session_write(&session, out->bytes, out->used, err);
	if (session_end(&session, rc < 0 ? CLI_FAILURE : CLI_OK) != CLI_OK && rc == 0)
		rc = bp_fail(err, BP_EIO, "the result was not written");
	return rc;
}

static int end(struct deploy *d, struct bus *bus, int rc, const struct bp_error *err)
{
	int code = rc < 0 ? cli_error(err) : CLI_OK;

	bus_close(bus);
	check_fini(&d->check);
	buf_fini(&d->yaml);
	view_fini(&d->view);
	free(d);
	return code;
}

int campaign_deploy(int argc, char **argv)
{
	struct deploy *d = calloc(1, sizeof(*d));
	struct bus *bus = NULL;
	struct bp_error err;
	struct buf out;
	int rc;

	if (d == NULL || sodium_init() < 0)
		return CLI_FAILURE;
	rc = take_options(d, argc, argv, "plan");
	if (rc != 0) {
		free(d);
		return rc - 1;
	}
	buf_init(&out);
	rc = load_plan(d, &err);
	if (rc == 0)
		rc = dial(d, &bus, &err);
	if (rc == 0)
		rc = hand_out(d, bus, &err);
	if (rc == 0) {
		const struct deployment *c = view_find(&d->view, d->check.plan->campaign);

		if (d->common.format == OUTPUT_JSONL)
			put_json(&out, d, c);
		else
			put_text(&out, d, c);
		rc = show(d, &out, &err);
	}
	buf_fini(&out);
	return end(d, bus, rc, &err);
}

/* The others go on, by their new shares. */
static int take_from_named(struct deploy *d, struct deployment *c, struct bus *bus,
			   struct bp_error *err)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < c->seats_count; i++) {
		if (!is_named(d, c->seats[i].vantage))
			c->seats[kept++] = c->seats[i];
	}
	c->seats_count = kept;
	if (view_settle(&d->view, err) < 0)
		return err->code;
	return view_send(bus, &d->view, d->word, &d->changed, err);
}

static int take_back(struct deploy *d, struct bus *bus, struct bp_error *err)
{
	struct deployment *c = view_find(&d->view, d->word);
	const char *kinds[] = {"plan", "deployed"};
	char key[VIEW_KEY_TEXT];
	int rc;

	if (c == NULL)
		return bp_fail(err, BP_ENOTFOUND, "no campaign of the fleet is called \"%s\"", d->word);
	rc = check_named(d, err);
	for (unsigned i = 0; rc == 0 && i < d->vantages_count; i++) {
		if (!deployment_has(c, d->vantages[i]))
			rc = bp_fail(err, BP_ENOTFOUND, "%s does not run %s: nothing was withdrawn",
				     d->vantages[i], d->word);
	}
	if (rc < 0)
		return rc;
	d->left = d->vantages_count > 0 ? others_of(d, c, NULL) : 0;
	if (d->left > 0)
		return take_from_named(d, c, bus, err);
	view_remove(&d->view, d->word);
	rc = view_settle(&d->view, err);
	if (rc == 0)
		rc = view_send(bus, &d->view, NULL, &d->changed, err);
	for (unsigned i = 0; rc == 0 && i < 2; i++) {
		snprintf(key, sizeof(key), "%s.%s", kinds[i], d->word);
		rc = bus_delete(bus, "BP_FLEET", key, err);
	}
	return rc;
}

static void put_withdrawn(struct buf *out, const struct deploy *d)
{
	if (d->common.format == OUTPUT_JSONL)
		buf_printf(out, "{\"type\":\"withdraw\",\"campaign\":\"%s\",\"changed\":%u,"
			   "\"left\":%u}\n", d->word, d->changed, d->left);
	else if (d->left == 0)
		buf_printf(out, "%s is withdrawn: %u plan%s changed. What was measured stays.\n",
			   d->word, d->changed, fleet_s(d->changed));
	else
		buf_printf(out, "%s is withdrawn from %u, and %u go%s on: %u plan%s changed. What was measured "
			   "stays.\n", d->word, d->vantages_count, d->left, d->left == 1 ? "es" : "",
			   d->changed, fleet_s(d->changed));
}

int campaign_withdraw(int argc, char **argv)
{
	struct deploy *d = calloc(1, sizeof(*d));
	struct bus *bus = NULL;
	struct bp_error err;
	struct buf out;
	int rc;

	if (d == NULL || sodium_init() < 0)
		return CLI_FAILURE;
	rc = take_options(d, argc, argv, "campaign's name");
	if (rc != 0) {
		free(d);
		return rc - 1;
	}
	buf_init(&out);
	rc = dial(d, &bus, &err);
	if (rc == 0)
		rc = take_back(d, bus, &err);
	if (rc == 0) {
		put_withdrawn(&out, d);
		rc = show(d, &out, &err);
	}
	buf_fini(&out);
	return end(d, bus, rc, &err);
}

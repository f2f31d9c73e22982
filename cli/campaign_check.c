// SPDX-License-Identifier: BSD-2-Clause
/* borderpath campaign check: reads plans, gathers what their next round would be, and shows it. */
#include "cli/campaign_check.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/schedule.h"
#include "campaign/targets.h"
#include "cli/campaign.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "core/text.h"

struct check_options {
	struct options common;
	struct check_with with;
	const char *probing_path;
};

enum { OPT_CONTACT = OPT_COMMAND_FIRST, OPT_PROBING, OPT_AVOID, OPT_STORE };

/* --- facts ------------------------------------------------------------------------------------ */

void check_say(struct check_lines *lines, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&lines->text, fmt, ap);
	va_end(ap);
	buf_char(&lines->text, '\n');
	lines->count++;
}

static void on_note(void *arg, const char *text)
{
	struct check *c = arg;

	check_say(&c->warnings, "%s", text);
}

static void look_up_starts(struct check *c, struct wall now)
{
	const struct campaign_plan *p = c->plan;
	struct schedule s;

	schedule_init(&s, p->every_ns, p->offset_ns, p->jitter_ns, p->since, p->until, p->campaign,
		      p->vantage, (struct wall){0});
	for (int i = 0; i < CHECK_STARTS; i++) {
		c->starts[i] = schedule_next(&s, now);
		if (c->starts[i].ns == 0)
			return;
		now = (struct wall){c->starts[i].ns + 1};
	}
}

/* The slot of the next round: what holds then is measured. */
static struct wall next_slot(const struct check *c, struct wall now)
{
	return c->starts[0].ns != 0 ? c->starts[0] : now;
}

static int look_up_inside(struct check *c, struct wall when)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < c->profile->prefixes_count; i++) {
		if (validity_holds(&c->profile->prefixes[i].valid, when))
			rc = prefixset_add(&c->inside, c->profile->prefixes[i].prefix);
	}
	prefixset_settle(&c->inside);
	return rc;
}

static int look_up_avoid(struct check *c, const char *path, struct prefixset *own,
			 struct bp_error *err)
{
	int rc = targets_load_avoid(own, path, err);

	if (rc == 0 && (manners_add_all(&c->avoid, own) < 0 ||
			manners_add_all(&c->avoid, &c->manners.limits.never) < 0))
		rc = bp_fail(err, BP_ENOMEM, "out of memory");
	return rc;
}

static void count_hosts(struct check *c, struct wall when)
{
	for (unsigned i = 0; i < c->plan->targets_count; i++) {
		const struct campaign_target *t = &c->plan->targets[i];

		if (validity_holds(&(struct validity){.since = t->since, .until = t->until}, when))
			c->standby += t->hosts_count - 1;
	}
}

static int foresee_feed(const struct check *c, const struct feed *feed, struct forecast *out)
{
	uint32_t n = feed_rows(feed);
	struct forecast_row *rows = calloc(n > 0 ? n : 1, sizeof(*rows));
	int rc;

	if (rows == NULL)
		return BP_ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		struct feed_row r;

		feed_row(feed, i, &r);
		rows[i] = (struct forecast_row){
			.prefix = r.prefix, .out = r.out, .method = r.how->method,
			.flows = r.how->multipath > 0 ? 1 : r.how->flows,
			.attempts = r.how->attempts, .multipath = r.how->multipath,
			.first_ttl = r.how->first_ttl, .max_ttl = r.how->max_ttl,
			.wait_ms = r.how->wait_ms};
	}
	rc = forecast_make(&c->run, rows, n, &c->inside, out);
	free(rows);
	return rc;
}

static int foresee(struct check *c, const struct prefixset *own)
{
	for (uint32_t i = 0; i < feed_rows(c->feed); i++) {
		struct feed_row r;

		feed_row(c->feed, i, &r);
		c->methods |= 1u << r.how->method;
		c->avoided += prefixset_overlap(own, r.prefix);
	}
	c->never = feed_avoided(c->feed) > c->avoided ? feed_avoided(c->feed) - c->avoided : 0;
	return foresee_feed(c, c->feed, &c->forecast);
}

/* Where a closer look costs the most: the network past the border that has the most probes; where
 * there is none there, any. */
static const struct forecast_network *busiest_inside(const struct check *c)
{
	const struct forecast *f = &c->forecast;
	const struct forecast_network *most = NULL;
	bool in = false;

	if (f->network_count > 0)
		most = &f->networks[f->busiest];
	for (uint32_t i = 0; i < f->network_count; i++) {
		const struct forecast_network *n = &f->networks[i];

		if (prefixset_find(&c->inside, n->network.addr) == NULL)
			continue;
		if (!in || n->probes[CASE_USUAL] > most->probes[CASE_USUAL])
			most = n;
		in = true;
	}
	return most;
}

static int foresee_look(struct check *c, struct feed_from from)
{
	const struct forecast_network *at = busiest_inside(c);
	struct bp_error ignored;
	struct feed *feed;
	int rc;

	if (!c->plan->on_event || at == NULL)
		return 0;
	from.only = &at->network;
	from.only_count = 1;
	from.flows = FEED_LOOK_FLOWS;
	from.on_note = NULL;
	rc = feed_new(&from, &feed, &ignored);
	if (rc < 0)
		return rc == BP_ENOMEM ? rc : 0;
	rc = foresee_feed(c, feed, &c->look);
	feed_free(feed);
	if (rc == 0)
		c->look_at = at->network;
	return rc;
}

static int gather(struct check *c, const struct check_with *with, struct bp_error *err)
{
	struct wall now = wall_now();
	struct prefixset own = {0};
	struct feed_from from = {.plan = c->plan, .avoid = &c->avoid, .on_note = on_note, .arg = c};
	int rc = campaign_plan_profile(c->plan, with->profile, &c->profile, err);

	if (rc < 0)
		return rc;
	if (with->store != NULL)
		text_set(c->plan->store, sizeof(c->plan->store), with->store);
	feed_run(c->plan, &c->run);
	look_up_starts(c, now);
	from.profile = c->profile;
	from.slot = next_slot(c, now);
	count_hosts(c, from.slot);
	rc = manners_look(&c->manners, &c->run, c->plan->contact_known ? NULL : with->contact_path,
			  err);
	if (rc < 0)
		return rc;
	if (c->plan->contact_known) {
		c->manners.contact = c->plan->contact;
		c->manners.has_contact = true;
	}
	rc = look_up_avoid(c, with->avoid_path, &own, err);
	if (rc == 0)
		rc = feed_new(&from, &c->feed, err);
	if (rc == 0 && (look_up_inside(c, from.slot) < 0 || foresee(c, &own) < 0 ||
			foresee_look(c, from) < 0))
		rc = bp_fail(err, BP_ENOMEM, "out of memory");
	prefixset_fini(&own);
	return rc;
}

uint64_t check_traces(const struct check *c)
{
	uint64_t traces = c->forecast.paths;

	/* Of all load-balanced paths the usual number of flows. */
	for (uint32_t i = 0; i < feed_rows(c->feed); i++) {
		struct feed_row r;

		feed_row(c->feed, i, &r);
		if (r.how->multipath > 0)
			traces += (prefix_size(r.prefix) - prefixset_overlap(r.out, r.prefix)) *
				  (FORECAST_FLOWS - 1);
	}
	return traces;
}

int check_slower(struct check *c, uint64_t prefix_mpps)
{
	struct forecast made;

	c->run.prefix_mpps = prefix_mpps;
	if (foresee_feed(c, c->feed, &made) < 0)
		return BP_ENOMEM;
	forecast_fini(&c->forecast);
	c->forecast = made;
	buf_clear(&c->faults.text);
	buf_clear(&c->warnings.text);
	c->faults.count = c->warnings.count = 0;
	check_doubt_time(c);
	return 0;
}

void check_fini(struct check *c)
{
	feed_free(c->feed);
	forecast_fini(&c->forecast);
	forecast_fini(&c->look);
	manners_fini(&c->manners);
	prefixset_fini(&c->avoid);
	prefixset_fini(&c->inside);
	buf_fini(&c->faults.text);
	buf_fini(&c->warnings.text);
	profile_free(c->profile);
	campaign_plan_free(c->plan);
}

int check_load(const char *file, const struct check_with *with, struct check *out,
	       struct bp_error *err)
{
	int rc = campaign_plan_load(file, &out->plan, err);

	if (rc < 0)
		return rc;
	rc = gather(out, with, err);
	if (rc < 0 && strncmp(err->text, file, strlen(file)) != 0)
		bp_error_prefix(err, "%s", out->plan->file);
	if (rc == 0)
		check_doubt(out);
	return rc;
}

/* --- the command ------------------------------------------------------------------------------ */

static int take_options(struct check_options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		OPTIONS_COMMON,
		{"contact", required_argument, NULL, OPT_CONTACT},
		{"probing-txt", required_argument, NULL, OPT_PROBING},
		{"do-not-probe", required_argument, NULL, OPT_AVOID},
		{"store", required_argument, NULL, OPT_STORE},
		{NULL, 0, NULL, 0},
	};
	int opt, rc = 0;

	options_init(&o->common, "campaign");
	o->common.profile = NULL;
	while (rc == 0 &&
	       (opt = options_next(&o->common, argc, argv, OPTIONS_SHORT, longs)) != -1) {
		if (opt == '?')
			return CLI_USAGE + 1;
		if (opt == OPT_CONTACT)
			o->with.contact_path = optarg;
		else if (opt == OPT_PROBING)
			o->probing_path = optarg;
		else if (opt == OPT_AVOID)
			o->with.avoid_path = optarg;
		else if (opt == OPT_STORE)
			o->with.store = optarg;
		else
			rc = options_take(&o->common, opt, optarg);
	}
	o->with.profile = o->common.profile;
	if (rc == 0 && optind == argc)
		rc = cli_usage("campaign", "check takes plans") + 1;
	if (rc == 0 && o->probing_path != NULL && argc - optind > 1)
		rc = cli_usage("campaign", "--probing-txt goes with one plan") + 1;
	return rc;
}

static void put_plain(const struct check_lines *lines, const char *file)
{
	const char *at = lines->text.bytes;

	for (unsigned i = 0; i < lines->count && at != NULL; i++) {
		size_t n = strcspn(at, "\n");

		cli_say("%s: %.*s", file, (int)n, at);
		at += n + 1;
	}
}

/* *count: the plans that can be shown, at the front of the list. */
static int gather_all(struct check *checks, unsigned *count, char **files, unsigned n,
		      const struct check_options *o)
{
	int code = CLI_OK;

	*count = 0;
	for (unsigned i = 0; i < n; i++) {
		struct check *c = &checks[*count];
		struct bp_error err;
		int rc = check_load(files[i], &o->with, c, &err);

		if (rc == 0) {
			if (o->common.quiet) {
				buf_clear(&c->warnings.text);
				c->warnings.count = 0;
			}
			(*count)++;
			continue;
		}
		code = cli_error(&err);
		check_fini(c);
		*c = (struct check){0};
	}
	for (unsigned i = 0; i < *count; i++) {
		for (unsigned j = 0; j < i; j++)
			check_doubt_pair(&checks[i], &checks[j]);
	}
	return code;
}

static int show_all(const struct check *checks, unsigned count, const struct check_options *o,
		    struct bp_error *err)
{
	bool json = o->common.format == OUTPUT_JSONL;
	struct session session;
	struct buf out;
	int rc = session_open(&o->common, false, &session, err);

	if (rc < 0)
		return rc;
	buf_init(&out);
	for (unsigned i = 0; i < count; i++) {
		if (json)
			check_show_json(&out, &checks[i]);
		else
			check_show_text(&out, &checks[i], o->common.verbose);
	}
	if (count > 1 && check_show_total(&out, checks, count, json, o->common.verbose) < 0)
		out.failed = true;
	if (!json && count > 0)
		buf_str(&out, "Nothing was sent.\n");
	if (out.failed)
		rc = bp_fail(err, BP_ENOMEM, "out of memory");
	else if (count > 0)
		rc = session_write(&session, out.bytes, out.used, err);
	buf_fini(&out);
	if (session_end(&session, rc < 0 ? CLI_FAILURE : CLI_OK) != CLI_OK && rc == 0)
		rc = bp_fail(err, BP_EIO, "the result was not written");
	return rc;
}

int campaign_check(int argc, char **argv)
{
	struct check_options o = {0};
	struct check *checks;
	struct bp_error err;
	unsigned count = 0, n;
	int rc = take_options(&o, argc, argv), code;

	if (rc != 0)
		return rc - 1;
	n = (unsigned)(argc - optind);
	checks = calloc(n, sizeof(*checks));
	if (checks == NULL || sodium_init() < 0) {
		free(checks);
		cli_say("out of memory");
		return CLI_FAILURE;
	}
	/* Borrowed pointers into a check must stay: the list does not grow. */
	code = gather_all(checks, &count, argv + optind, n, &o);
	rc = show_all(checks, count, &o, &err);
	if (rc == 0 && o.probing_path != NULL && count == 1) {
		char more[64];

		snprintf(more, sizeof(more), ", every %.0f s", (double)checks[0].plan->every_ns / 1e9);
		rc = manners_write_probing(&checks[0].manners, checks[0].methods, &checks[0].run,
					   more, o.probing_path, &err);
	}
	if (rc < 0)
		code = cli_error(&err);
	for (unsigned i = 0; i < count; i++) {
		put_plain(&checks[i].faults, checks[i].plan->file);
		if (checks[i].faults.count > 0)
			code = CLI_FAILURE;
		check_fini(&checks[i]);
	}
	free(checks);
	return code;
}

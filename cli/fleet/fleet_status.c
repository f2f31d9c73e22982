// SPDX-License-Identifier: BSD-2-Clause
/*
 * borderpath fleet status: what each vantage point is doing, as it says, as the centre says, and as
 * the broker says. What an agent says of itself is told, not believed: the moment is the broker's,
 * the refusals are the centre's.
 */
#include "cli/fleet/fleet_status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/fleet/fleet.h"
#include "cli/options.h"
#include "core/text.h"

enum { OPT_SYSTEM = OPT_FLEET_FIRST, OPT_LOG };

/* An agent speaks every half a minute. */
#define SILENT_NS (150 * NS_PER_S)
#define CLOCK_NS (2 * NS_PER_S)
#define BEHIND_LEAST_NS (600 * NS_PER_S)
#define DAY_NS (INT64_C(86400) * NS_PER_S)

const struct word status_words[] = {
	{"unheard", AMISS_UNHEARD}, {"silent", AMISS_SILENT}, {"unreadable", AMISS_UNREADABLE},
	{"clock", AMISS_CLOCK}, {"behind", AMISS_BEHIND}, {"lost", AMISS_LOST},
	{"refused", AMISS_REFUSED}, {"plan", AMISS_PLAN}, {"offline", AMISS_OFFLINE},
	{"twice", AMISS_TWICE}, {"denied", AMISS_DENIED}, {"old", AMISS_OLD}, {NULL, 0},
};

/* --- judging ---------------------------------------------------------------------------------- */

/* "borderpath 1.2.3": true where a is of an earlier version than b. */
static bool is_older(const char *a, const char *b)
{
	unsigned x[3] = {0}, y[3] = {0};

	if (sscanf(a, "borderpath %u.%u.%u", &x[0], &x[1], &x[2]) < 2 ||
	    sscanf(b, "borderpath %u.%u.%u", &y[0], &y[1], &y[2]) < 2)
		return strcmp(a, b) != 0;
	for (int i = 0; i < 3; i++) {
		if (x[i] != y[i])
			return x[i] < y[i];
	}
	return false;
}

/* Its campaigns: whether one does not run, and how long a round may wait. */
static void judge_plans(const struct fleet_report *r, struct status_vantage *v, int64_t *patience)
{
	*patience = BEHIND_LEAST_NS;
	for (unsigned i = 0; i < r->view.deployed_count; i++) {
		const struct deployment *d = &r->view.deployed[i];
		const struct view_plan *p = view_plan_of(&r->view, v->key->name, d->campaign);
		const struct state_plan *has = state_plan_of(v->state, d->campaign);

		if (!deployment_has(d, v->key->name))
			continue;
		if (3 * d->every_ns > *patience)
			*patience = 3 * d->every_ns;
		/* It has a while to take a new one. */
		if (p == NULL || (v->state != NULL && p->created.ns < r->now.ns - SILENT_NS &&
				  (has == NULL || (uint64_t)has->running != p->revision)))
			v->amiss |= AMISS_PLAN;
		if (has != NULL && has->reason[0] != '\0')
			v->amiss |= AMISS_PLAN;
	}
}

static void judge_state(const struct fleet_report *r, struct status_vantage *v, int64_t patience)
{
	const struct state *s = v->state;
	int64_t offset = state_clock_offset(s);

	if (s->wrong[0] != '\0')
		v->amiss |= AMISS_UNREADABLE;
	if (v->seen_ns > SILENT_NS)
		v->amiss |= AMISS_SILENT;
	if (offset > CLOCK_NS || offset < -CLOCK_NS)
		v->amiss |= AMISS_CLOCK;
	if (s->spool_rounds > 0 && s->oldest.ns != 0 && r->now.ns - s->oldest.ns > patience)
		v->amiss |= AMISS_BEHIND;
	if (s->lost_traces > 0 || s->lost_rounds > 0)
		v->amiss |= AMISS_LOST;
	if (s->refused_at.ns > r->now.ns - DAY_NS)
		v->amiss |= AMISS_REFUSED;
	if (strcmp(s->health, "offline") == 0)
		v->amiss |= AMISS_OFFLINE;
	if (s->denied > 0)
		v->amiss |= AMISS_DENIED;
	if (s->tool[0] != '\0' && is_older(s->tool, "borderpath " BP_VERSION))
		v->amiss |= AMISS_OLD;
}

static void judge_connections(const struct turned *t, struct status_vantage *v)
{
	char account[BUS_NAME_TEXT + 8];
	bool several = false;

	snprintf(account, sizeof(account), "V-%s", v->key->name);
	for (unsigned i = 0; i < t->open_count; i++) {
		if (strcmp(t->open[i].account, account) != 0)
			continue;
		several |= v->open > 0 && strcmp(v->address, t->open[i].address) != 0;
		v->open++;
		text_set(v->address, sizeof(v->address), t->open[i].address);
	}
	if (several)
		v->amiss |= AMISS_TWICE;
	for (unsigned i = 0; i < t->keys_count; i++) {
		if (strcmp(t->keys[i].nkey, v->key->nkey) == 0)
			v->log = &t->keys[i];
	}
	if (v->log != NULL && v->log->publishes + v->log->subscriptions > 0)
		v->amiss |= AMISS_DENIED;
}

int status_judge(struct fleet_report *r)
{
	const struct roster *list = &r->view.roster;

	r->vantages = calloc(list->count + 1, sizeof(*r->vantages));
	if (r->vantages == NULL)
		return BP_ENOMEM;
	for (unsigned i = 0; i < list->count; i++) {
		struct status_vantage *v = &r->vantages[r->count];
		int64_t patience;

		if (list->keys[i].revoked.ns != 0)
			continue;
		*v = (struct status_vantage){.key = &list->keys[i], .seen_ns = -1};
		v->state = states_find(&r->states, v->key->name);
		judge_plans(r, v, &patience);
		if (v->state == NULL || v->state->stamp.ns == 0)
			v->amiss |= AMISS_UNHEARD;
		else
			v->seen_ns = r->now.ns - v->state->stamp.ns;
		if (v->state != NULL)
			judge_state(r, v, patience);
		judge_connections(&r->turned, v);
		r->count++;
	}
	for (unsigned i = 0; i < r->turned.keys_count; i++) {
		const struct roster_key *k = roster_of_key(list, r->turned.keys[i].nkey);

		r->strangers += k == NULL || k->revoked.ns != 0;
	}
	return 0;
}

/* --- the command ------------------------------------------------------------------------------ */

struct status_options {
	struct options common;
	struct fleet_dial dial;
	const char *system, *log;
};

static int take_options(struct status_options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		OPTIONS_COMMON,
		FLEET_DIAL_OPTIONS,
		{"system-nkey", required_argument, NULL, OPT_SYSTEM},
		{"log", required_argument, NULL, OPT_LOG},
		{NULL, 0, NULL, 0},
	};
	int opt, rc = 0;

	options_init(&o->common, "fleet");
	while (rc == 0 && (opt = options_next(&o->common, argc, argv, OPTIONS_SHORT "d:", longs)) !=
			  -1) {
		if (opt == '?')
			return CLI_USAGE + 1;
		if (opt == OPT_SYSTEM)
			o->system = optarg;
		else if (opt == OPT_LOG)
			o->log = optarg;
		else if (!fleet_dial_take(&o->dial, opt, optarg))
			rc = options_take(&o->common, opt, optarg);
	}
	if (rc == 0 && optind < argc)
		rc = cli_usage("fleet", "status takes no '%s'", argv[optind]) + 1;
	return rc;
}

/* What cannot be asked is told, and the rest is shown: a lost key of the system's hides nothing. */
static void ask_servers(const struct status_options *o, struct fleet_report *r)
{
	struct fleet_dial dial = o->dial;
	struct bus *bus = NULL;
	struct bp_error err;
	int rc;

	if (o->system == NULL && o->dial.dir == NULL) {
		text_set(r->no_servers, sizeof(r->no_servers), "no key of the system's was given "
			 "(--system-nkey, or --dir)");
		return;
	}
	dial.nkey = o->system;
	rc = fleet_dial_open(&dial, "system", &bus, &err);
	if (rc == 0)
		rc = turned_ask(bus, r->view.roster.replicas, &r->turned, &err);
	if (rc < 0)
		text_set(r->no_servers, sizeof(r->no_servers), err.text);
	bus_close(bus);
}

static int gather(const struct status_options *o, struct fleet_report *r, struct bp_error *err)
{
	struct bus *bus = NULL;
	int rc = fleet_dial_open(&o->dial, "operator", &bus, err);

	if (rc == 0)
		rc = view_read(bus, &r->view, err);
	if (rc == 0)
		rc = view_take_list(o->dial.dir, &r->view, err);
	if (rc == 0)
		rc = states_read(bus, &r->states, err);
	bus_close(bus);
	if (rc < 0)
		return rc;
	ask_servers(o, r);
	if (o->log != NULL)
		rc = turned_read_log(o->log, &r->turned, err);
	/* The broker's clock, where it told: a wrong one of ours makes nobody silent. */
	r->now = r->turned.now.ns != 0 ? r->turned.now : wall_now();
	if (rc == 0 && status_judge(r) < 0)
		rc = bp_fail(err, BP_ENOMEM, "out of memory");
	return rc;
}

static int show(const struct status_options *o, const struct fleet_report *r, struct bp_error *err)
{
	struct session session;
	struct buf out;
	int rc;

	buf_init(&out);
	if (o->common.format == OUTPUT_JSONL)
		status_put_json(&out, r);
	else
		status_put_text(&out, r);
	rc = out.failed ? bp_fail(err, BP_ENOMEM, "out of memory")
			: session_open_output(&o->common, &session, err);
	if (rc == 0) {
		rc = session_write(&session, out.bytes, out.used, err);
		if (session_end(&session, rc < 0 ? CLI_FAILURE : CLI_OK) != CLI_OK && rc == 0)
			rc = bp_fail(err, BP_EIO, "the result was not written");
	}
	buf_fini(&out);
	return rc;
}

int fleet_status(int argc, char **argv)
{
	struct status_options o = {0};
	struct fleet_report r = {0};
	struct bp_error err;
	int rc = take_options(&o, argc, argv), code;

	if (rc != 0)
		return rc - 1;
	rc = gather(&o, &r, &err);
	if (rc == 0)
		rc = show(&o, &r, &err);
	code = rc < 0 ? cli_error(&err) : CLI_OK;
	for (unsigned i = 0; rc == 0 && i < r.count; i++) {
		if ((r.vantages[i].amiss & ~(unsigned)AMISS_OLD) != 0)
			code = CLI_PARTIAL;
	}
	view_fini(&r.view);
	states_fini(&r.states);
	turned_fini(&r.turned);
	free(r.vantages);
	return code;
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * borderpath fleet add, revoke, set, budget: the list and accounts.conf, each replaced
 * whole, and what has to be done so that the broker knows. One at a time (DIR/.lock); one that was
 * cut short has changed nothing that doing it again would not mend.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/fleet/fleet.h"
#include "cli/fleet/view.h"
#include "cli/options.h"
#include "core/text.h"

#define ONE_NAME "the name of one vantage point"
enum { OPT_PLACE = OPT_FLEET_FIRST, OPT_ADDRESS };

struct change {
	struct options common;
	struct fleet_dial dial;
	const char *name;       /* a vantage point, or the number of packets */
	const char *place, *address; /* as asked; NULL: not */
	struct roster roster;
	int lock;               /* -1: not held */
	bool done_before;       /* in the directory: only the broker may have to be told */
};

static int take_options(struct change *c, int argc, char **argv, const char *what)
{
	static const struct option longs[] = {
		OPTIONS_COMMON,
		FLEET_DIAL_OPTIONS,
		{"place", required_argument, NULL, OPT_PLACE},
		{"address", required_argument, NULL, OPT_ADDRESS},
		{NULL, 0, NULL, 0},
	};
	bool sets = strcmp(argv[0], "set") == 0;
	int opt, rc = 0;

	options_init(&c->common, "fleet");
	while (rc == 0 && (opt = options_next(&c->common, argc, argv, OPTIONS_SHORT "d:", longs)) !=
			  -1) {
		if (opt == '?')
			return CLI_USAGE + 1;
		if (opt == OPT_PLACE)
			c->place = optarg;
		else if (opt == OPT_ADDRESS)
			c->address = optarg;
		else if (!fleet_dial_take(&c->dial, opt, optarg))
			rc = options_take(&c->common, opt, optarg);
	}
	if (rc == 0 && sets != (c->place != NULL || c->address != NULL))
		rc = cli_usage("fleet", "--place LAT,LON and --address ADDRESS are what `fleet set` takes, "
			       "one of them at least") + 1;
	if (rc == 0 && argc - optind != 1)
		rc = cli_usage("fleet", "%s takes %s", argv[0], what) + 1;
	if (rc == 0 && c->dial.dir == NULL)
		rc = cli_usage("fleet", "%s needs --dir DIR, what `fleet init` made", argv[0]) + 1;
	if (rc == 0)
		c->name = argv[optind];
	return rc;
}

/* Where the broker is named: before anything is changed here, whether it would be taken there. */
static int check_broker(const struct change *c, struct bp_error *err)
{
	struct view v = {.roster.replicas = c->roster.replicas};
	struct bus *bus = NULL;
	int rc;

	if (c->dial.server == NULL)
		return 0;
	rc = fleet_dial_open(&c->dial, "operator", &bus, err);
	if (rc == 0)
		rc = view_read(bus, &v, err);
	if (rc == 0)
		rc = view_check_list(c->dial.dir, &v, err);
	bus_close(bus);
	view_fini(&v);
	/* One that is away is told of when all is done here. */
	return rc == BP_EFOREIGN ? rc : 0;
}

/* Held to the end. */
static int load(struct change *c, struct bp_error *err)
{
	char path[PATH_MAX];
	int rc = fleet_lock(c->dial.dir, &c->lock, err);

	if (rc == 0)
		rc = roster_load(fleet_path(c->dial.dir, "fleet.json", path), &c->roster, err);
	return rc < 0 ? rc : check_broker(c, err);
}

/* nats-server 2.9 knows a new account's key at once, but gives it what it imports only when it
 * reads for the second time; until then the agent is told that nobody listens, and waits. A key
 * that is gone is out at once. */
static void put_next(struct buf *out, const struct change *c, bool twice)
{
	buf_printf(out, "%s/server/accounts.conf is new: copy it to %s and have it read\nthere by "
		   "`systemctl reload nats-server` or `nats-server --signal reload`%s.\n", c->dial.dir,
		   c->roster.replicas > 1 ? "every broker" : "the broker",
		   twice ? ", twice,\nsome seconds apart (2.9 needs the second time)" : "");
}

/* Where the broker is named: its list too, and the plans of who is there now; others' shares grow
 * when one goes. */
static int rebalance(const struct change *c, struct buf *out, struct bp_error *err)
{
	struct bus *bus = NULL;
	struct view v = {.roster.replicas = c->roster.replicas};
	unsigned changed = 0;
	int rc;

	if (c->dial.server == NULL)
		return 0;
	rc = fleet_dial_open(&c->dial, "operator", &bus, err);
	if (rc == 0)
		rc = view_read(bus, &v, err);
	if (rc == 0)
		rc = view_sync(bus, c->dial.dir, &v, err);
	if (rc == 0)
		rc = view_settle(&v, err);
	if (rc == 0)
		rc = view_send(bus, &v, NULL, &changed, err);
	bus_close(bus);
	view_fini(&v);
	if (rc < 0)
		return bp_error_prefix(err, "the files are written, but not the broker's list");
	buf_printf(out, "The broker's list is changed, and %u plan%s.\n", changed,
		   fleet_s(changed));
	return 0;
}

static int tell(const struct change *c, const struct buf *text)
{
	if (text->failed)
		return CLI_FAILURE;
	return c->common.quiet ? CLI_OK : cli_print(text->bytes);
}

/* A key that is revoked is out of the way of the next one of that name, but not deleted: it may be
 * wanted as evidence. */
static int set_aside(const struct change *c, const char *nkey, struct bp_error *err)
{
	char from[PATH_MAX], to[PATH_MAX], file[BUS_NAME_TEXT + 32];
	char aside[BUS_NAME_TEXT + NKEY_PUBLIC_TEXT + 32];

	snprintf(file, sizeof(file), "keys/%s.nk", c->name);
	snprintf(aside, sizeof(aside), "keys/%s.%.12s.revoked", c->name, nkey);
	if (rename(fleet_path(c->dial.dir, file, from), fleet_path(c->dial.dir, aside, to)) < 0 &&
	    errno != ENOENT)
		return bp_fail_sys(err, errno, "%s", from);
	return 0;
}

/* What lies there may be of one who was killed before it was in the list: no other machine has it,
 * and it is taken. Or before it was out of the way, and was revoked: it is nobody's again. */
static int have_key(struct change *c, char nkey[static NKEY_PUBLIC_TEXT], bool *made,
		    struct bp_error *err)
{
	int rc = fleet_read_key(c->dial.dir, c->name, nkey, err);

	if (rc == 0 && roster_of_key(&c->roster, nkey) != NULL) {
		rc = set_aside(c, nkey, err);
		if (rc == 0)
			rc = BP_ENOTFOUND;
	}
	*made = rc == BP_ENOTFOUND;
	return *made ? fleet_make_key(c->dial.dir, c->name, nkey, err) : rc;
}

/* What was done, and the broker could not be told of. */
static bool is_added(struct change *c)
{
	const struct roster_key *k = roster_find(&c->roster, c->name);
	char nkey[NKEY_PUBLIC_TEXT];

	return c->dial.server != NULL && k != NULL &&
	       fleet_read_key(c->dial.dir, c->name, nkey, NULL) == 0 && strcmp(k->nkey, nkey) == 0;
}

static int add(struct change *c, struct bp_error *err)
{
	char nkey[NKEY_PUBLIC_TEXT], path[PATH_MAX], file[BUS_NAME_TEXT + 32];
	bool made = false;
	int rc = load(c, err);

	if (rc == 0)
		c->done_before = is_added(c);
	if (rc < 0 || c->done_before)
		return rc;
	/* Without its key for now: whether the name may be is known before one is made. */
	rc = roster_add(&c->roster, c->name, "", wall_now(), err);
	if (rc == 0)
		rc = have_key(c, nkey, &made, err);
	if (rc < 0)
		return rc;
	memcpy(c->roster.keys[c->roster.count - 1].nkey, nkey, sizeof(nkey));
	rc = fleet_write_list(c->dial.dir, &c->roster, err);
	if (rc < 0 && made) {
		snprintf(file, sizeof(file), "keys/%s.nk", c->name);
		unlink(fleet_path(c->dial.dir, file, path));
	}
	return rc;
}

static int end(struct change *c, int rc, struct buf *text, const struct bp_error *err)
{
	int code = rc < 0 ? cli_error(err) : tell(c, text);

	buf_fini(text);
	roster_fini(&c->roster);
	if (c->lock >= 0)
		close(c->lock);
	return code;
}

int fleet_add(int argc, char **argv)
{
	struct change c = {.lock = -1};
	struct bp_error err;
	struct buf text;
	unsigned holding;
	int rc = take_options(&c, argc, argv, ONE_NAME);

	if (rc != 0)
		return rc - 1;
	buf_init(&text);
	rc = add(&c, &err);
	holding = roster_holding(&c.roster);
	if (rc == 0 && c.done_before) {
		buf_printf(&text, "%s is of the fleet already: %u vantage point%s.\n", c.name,
			   holding, fleet_s(holding));
	} else if (rc == 0) {
		buf_printf(&text, "%s is of the fleet: %u vantage point%s.\nIts key is %s/keys/%s.nk; "
			   "there:\n  borderpath agent --server %s --vantage %s%s --nkey %s.nk\n",
			   c.name, holding, fleet_s(holding), c.dial.dir, c.name, c.roster.server,
			   c.name, c.roster.tls ? " --ca ca.pem" : "", c.name);
		put_next(&text, &c, true);
		buf_printf(&text, "It has no plan until one is deployed again: `borderpath campaign deploy "
			   "PLAN --dir %s`,\nto all of the fleet, or with --vantage %s to it alone.\n",
			   c.dial.dir, c.name);
	}
	if (rc == 0)
		rc = rebalance(&c, &text, &err);
	return end(&c, rc, &text, &err);
}

static bool is_revoked(const struct change *c)
{
	bool was = false;

	for (unsigned i = 0; i < c->roster.count; i++)
		was |= strcmp(c->roster.keys[i].name, c->name) == 0;
	return c->dial.server != NULL && was && roster_find(&c->roster, c->name) == NULL;
}

static int revoke_name(struct change *c, struct bp_error *err)
{
	const struct roster_key *k;
	char nkey[NKEY_PUBLIC_TEXT] = "";
	int rc = load(c, err);

	if (rc == 0)
		c->done_before = is_revoked(c);
	if (rc < 0 || c->done_before)
		return rc;
	k = roster_find(&c->roster, c->name);
	if (k != NULL)
		memcpy(nkey, k->nkey, sizeof(nkey));
	rc = roster_revoke(&c->roster, c->name, wall_now(), err);
	if (rc == 0)
		rc = fleet_write_list(c->dial.dir, &c->roster, err);
	return rc < 0 ? rc : set_aside(c, nkey, err);
}

int fleet_revoke(int argc, char **argv)
{
	struct change c = {.lock = -1};
	struct bp_error err;
	struct buf text;
	unsigned holding;
	int rc = take_options(&c, argc, argv, ONE_NAME);

	if (rc != 0)
		return rc - 1;
	buf_init(&text);
	rc = revoke_name(&c, &err);
	holding = roster_holding(&c.roster);
	if (rc == 0 && c.done_before) {
		buf_printf(&text, "%s's key was revoked before: %u vantage point%s left.\n", c.name,
			   holding, holding == 1 ? " is" : "s are");
	} else if (rc == 0) {
		buf_printf(&text, "%s's key is revoked: %u vantage point%s left.\n"
			   "It holds until the broker knows.\n", c.name, holding,
			   holding == 1 ? " is" : "s are");
		put_next(&text, &c, false);
	}
	if (rc == 0)
		rc = rebalance(&c, &text, &err);
	return end(&c, rc, &text, &err);
}

static int budget(struct change *c, uint32_t pps, struct bp_error *err)
{
	int rc = load(c, err);

	if (rc < 0)
		return rc;
	c->roster.budget_pps = pps;
	return fleet_write_list(c->dial.dir, &c->roster, err);
}

int fleet_budget(int argc, char **argv)
{
	struct change c = {.lock = -1};
	struct bp_error err;
	struct buf text;
	uint64_t pps = 0;
	int rc = take_options(&c, argc, argv, "a number of packets a second");

	if (rc != 0)
		return rc - 1;
	if (text_to_u64(c.name, 1, ROSTER_BUDGET_MAX_PPS, &pps) < 0)
		return cli_usage("fleet", "budget '%s' is no number from 1 to %d", c.name,
				 ROSTER_BUDGET_MAX_PPS);
	buf_init(&text);
	rc = budget(&c, (uint32_t)pps, &err);
	if (rc == 0) {
		buf_printf(&text, "The fleet's budget is %u packets a second into one network (/24, /48).\n",
			   c.roster.budget_pps);
		if (c.dial.server == NULL)
			buf_str(&text, "Plans have their shares of it when one is deployed, or now by "
				"--server.\n");
		rc = rebalance(&c, &text, &err);
	}
	return end(&c, rc, &text, &err);
}

/* "none" takes it away. */
static int take_where(const struct change *c, struct roster_where *out)
{
	double lat, lon;

	if (c->place != NULL && strcmp(c->place, "none") == 0) {
		out->known = false;
		out->lat_e5 = out->lon_e5 = 0;
	} else if (c->place != NULL) {
		if (options_place(c->place, &lat, &lon) < 0)
			return cli_usage("fleet", "--place takes degrees north and east, as 50.11,8.68, or "
					 "none, not '%s'", c->place) + 1;
		out->known = true;
		out->lat_e5 = (int32_t)lround(lat * 1e5);
		out->lon_e5 = (int32_t)lround(lon * 1e5);
	}
	if (c->address != NULL && strcmp(c->address, "none") == 0)
		out->address = (struct addr){0};
	else if (c->address != NULL && addr_parse(c->address, &out->address) < 0)
		return cli_usage("fleet", "--address takes an address, or none, not '%s'", c->address) + 1;
	return 0;
}

static int set(struct change *c, const struct roster_where *asked, struct bp_error *err)
{
	const struct roster_key *k;
	struct roster_where where = *asked;
	int rc = load(c, err);

	if (rc < 0)
		return rc;
	k = roster_find(&c->roster, c->name);
	/* What was not asked for stays. */
	if (k != NULL && c->place == NULL) {
		where = k->where;
		where.address = asked->address;
	} else if (k != NULL && c->address == NULL) {
		where.address = k->where.address;
	}
	rc = roster_place(&c->roster, c->name, &where, err);
	return rc < 0 ? rc : fleet_write_list(c->dial.dir, &c->roster, err);
}

int fleet_set(int argc, char **argv)
{
	struct change c = {.lock = -1};
	struct roster_where where = {0};
	struct bp_error err;
	struct buf text;
	int rc = take_options(&c, argc, argv, ONE_NAME);

	if (rc == 0)
		rc = take_where(&c, &where);
	if (rc != 0)
		return rc - 1;
	buf_init(&text);
	rc = set(&c, &where, &err);
	if (rc == 0) {
		buf_printf(&text, "%s is set.\n", c.name);
		if (c.dial.server == NULL)
			buf_str(&text, "It is told with the next plan that is deployed, or now by "
				"--server.\n");
		rc = rebalance(&c, &text, &err);
	}
	return end(&c, rc, &text, &err);
}

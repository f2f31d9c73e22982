// SPDX-License-Identifier: BSD-2-Clause
/*
 * borderpath fleet add, fleet revoke: the list and accounts.conf, each replaced whole, and what has
 * to be done so that the broker knows.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "campaign/fleet/server_conf.h"
#include "cli/cli.h"
#include "cli/fleet/fleet.h"
#include "cli/fleet/view.h"
#include "cli/options.h"
#include "core/whole.h"

struct change {
	struct options common;
	struct fleet_dial dial;
	const char *name;
	struct roster roster;
};

static int take_options(struct change *c, int argc, char **argv)
{
	static const struct option longs[] = {
		OPTIONS_COMMON,
		FLEET_DIAL_OPTIONS,
		{NULL, 0, NULL, 0},
	};
	int opt, rc = 0;

	options_init(&c->common, "fleet");
	while (rc == 0 && (opt = options_next(&c->common, argc, argv, OPTIONS_SHORT "d:", longs)) !=
			  -1) {
		if (opt == '?')
			return CLI_USAGE + 1;
		if (!fleet_dial_take(&c->dial, opt, optarg))
			rc = options_take(&c->common, opt, optarg);
	}
	if (rc == 0 && argc - optind != 1)
		rc = cli_usage("fleet", "%s takes the name of one vantage point", argv[0]) + 1;
	if (rc == 0 && c->dial.dir == NULL)
		rc = cli_usage("fleet", "%s needs --dir DIR, what `fleet init` made", argv[0]) + 1;
	if (rc == 0)
		c->name = argv[optind];
	return rc;
}

static int load(struct change *c, struct bp_error *err)
{
	char path[PATH_MAX];

	return roster_load(fleet_path(c->dial.dir, "fleet.json", path), &c->roster, err);
}

/* The list first: accounts.conf is made of it, and can be made again. */
static int write_files(const struct change *c, struct bp_error *err)
{
	char path[PATH_MAX];
	struct buf text;
	int rc;

	buf_init(&text);
	roster_put(&text, &c->roster);
	rc = text.failed ? bp_fail(err, BP_ENOMEM, "out of memory")
			 : whole_write(fleet_path(c->dial.dir, "fleet.json", path), text.bytes,
				       text.used, err);
	buf_clear(&text);
	server_conf_put_accounts(&text, &c->roster);
	if (rc == 0)
		rc = text.failed ? bp_fail(err, BP_ENOMEM, "out of memory")
				 : whole_write(fleet_path(c->dial.dir, "server/accounts.conf", path),
					       text.bytes, text.used, err);
	buf_fini(&text);
	return rc;
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
	buf_printf(out, "The broker's list is changed, and %u plans.\n", changed);
	return 0;
}

static int tell(const struct change *c, const struct buf *text)
{
	if (text->failed)
		return CLI_FAILURE;
	return c->common.quiet ? CLI_OK : cli_print(text->bytes);
}

static int add(struct change *c, struct bp_error *err)
{
	char nkey[NKEY_PUBLIC_TEXT], path[PATH_MAX], file[BUS_NAME_TEXT + 32];
	int rc = load(c, err);

	/* Before a key is made. */
	if (rc == 0)
		rc = roster_add(&c->roster, c->name, "", wall_now(), err);
	if (rc < 0)
		return rc;
	rc = fleet_make_key(c->dial.dir, c->name, nkey, err);
	if (rc < 0)
		return rc;
	memcpy(c->roster.keys[c->roster.count - 1].nkey, nkey, sizeof(nkey));
	rc = write_files(c, err);
	if (rc < 0) {
		snprintf(file, sizeof(file), "keys/%s.nk", c->name);
		unlink(fleet_path(c->dial.dir, file, path));
	}
	return rc;
}

int fleet_add(int argc, char **argv)
{
	struct change c = {0};
	struct bp_error err;
	struct buf text;
	int rc = take_options(&c, argc, argv), code;

	if (rc != 0)
		return rc - 1;
	buf_init(&text);
	rc = add(&c, &err);
	if (rc == 0) {
		buf_printf(&text, "%s is of the fleet: %u vantage points.\nIts key is %s/keys/%s.nk; "
			   "there:\n  borderpath agent --server %s --vantage %s%s --nkey %s.nk\n",
			   c.name, roster_holding(&c.roster), c.dial.dir, c.name, c.roster.server,
			   c.name, c.roster.tls ? " --ca ca.pem" : "", c.name);
		put_next(&text, &c, true);
		rc = rebalance(&c, &text, &err);
	}
	code = rc < 0 ? cli_error(&err) : tell(&c, &text);
	buf_fini(&text);
	roster_fini(&c.roster);
	return code;
}

/* A key that is revoked is out of the way of the next one of that name, but not deleted: it may be
 * wanted as evidence. */
static int set_aside(const struct change *c, struct bp_error *err)
{
	char from[PATH_MAX], to[PATH_MAX], file[BUS_NAME_TEXT + 32];
	char aside[BUS_NAME_TEXT + NKEY_PUBLIC_TEXT + 32];
	const struct roster_key *k = roster_find(&c->roster, c->name);

	if (k == NULL)
		return 0;
	snprintf(file, sizeof(file), "keys/%s.nk", c->name);
	snprintf(aside, sizeof(aside), "keys/%s.%.12s.revoked", c->name, k->nkey);
	if (rename(fleet_path(c->dial.dir, file, from), fleet_path(c->dial.dir, aside, to)) < 0 &&
	    errno != ENOENT)
		return bp_fail_sys(err, errno, "%s", from);
	return 0;
}

int fleet_revoke(int argc, char **argv)
{
	struct change c = {0};
	struct bp_error err;
	struct buf text;
	int rc = take_options(&c, argc, argv), code;

	if (rc != 0)
		return rc - 1;
	buf_init(&text);
	rc = load(&c, &err);
	if (rc == 0)
		rc = set_aside(&c, &err);
	if (rc == 0)
		rc = roster_revoke(&c.roster, c.name, wall_now(), &err);
	if (rc == 0)
		rc = write_files(&c, &err);
	if (rc == 0) {
		buf_printf(&text, "%s's key is revoked: %u vantage points are left.\n"
			   "It holds until the broker knows.\n", c.name, roster_holding(&c.roster));
		put_next(&text, &c, false);
		rc = rebalance(&c, &text, &err);
	}
	code = rc < 0 ? cli_error(&err) : tell(&c, &text);
	buf_fini(&text);
	roster_fini(&c.roster);
	return code;
}

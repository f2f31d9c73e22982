// SPDX-License-Identifier: BSD-2-Clause
/*
 * borderpath fleet refresh: a copy of a fleet's directory that is behind gets the broker's list; or
 * its own is said to be the right one. What the copy had changed by itself is told, and lost.
 */
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/fleet/fleet.h"
#include "cli/fleet/known.h"
#include "cli/fleet/view.h"
#include "cli/options.h"

enum { OPT_MINE = OPT_FLEET_FIRST };

struct refresh {
	struct options common;
	struct fleet_dial dial;
	bool mine;
	struct roster ours;
	struct view view;
	int lock;               /* -1: not held */
};

static int take_options(struct refresh *f, int argc, char **argv)
{
	static const struct option longs[] = {
		OPTIONS_COMMON,
		FLEET_DIAL_OPTIONS,
		{"mine", no_argument, NULL, OPT_MINE},
		{NULL, 0, NULL, 0},
	};
	int opt, rc = 0;

	options_init(&f->common, "fleet");
	while (rc == 0 && (opt = options_next(&f->common, argc, argv, OPTIONS_SHORT "d:", longs)) !=
			  -1) {
		if (opt == '?')
			return CLI_USAGE + 1;
		if (opt == OPT_MINE)
			f->mine = true;
		else if (!fleet_dial_take(&f->dial, opt, optarg))
			rc = options_take(&f->common, opt, optarg);
	}
	if (rc == 0 && optind < argc)
		rc = cli_usage("fleet", "refresh takes no '%s'", argv[optind]) + 1;
	if (rc == 0 && f->dial.dir == NULL)
		rc = cli_usage("fleet", "refresh needs --dir DIR, a copy of what `fleet init` made") + 1;
	return rc;
}

static int read_both(struct refresh *f, struct bus **bus, struct bp_error *err)
{
	char path[PATH_MAX];
	int rc = fleet_lock(f->dial.dir, &f->lock, err);

	if (rc == 0)
		rc = roster_load(fleet_path(f->dial.dir, "fleet.json", path), &f->ours, err);
	f->view.roster.replicas = f->ours.replicas;
	if (rc == 0)
		rc = fleet_dial_open(&f->dial, "operator", bus, err);
	if (rc == 0)
		rc = view_read(*bus, &f->view, err);
	if (rc == 0 && !f->view.roster_known)
		rc = bp_fail(err, BP_ENOTFOUND, "the broker has no list of the fleet: the next `campaign "
			     "deploy` hands it that of %s", f->dial.dir);
	return rc;
}

/* --- what is another here --------------------------------------------------------------------- */

static bool holds(const struct roster *r, const struct roster_key *key)
{
	const struct roster_key *k = roster_of_key(r, key->nkey);

	return k != NULL && k->revoked.ns == 0;
}

/* Of the keys that hold in one list and not in the other. */
static void put_keys(struct buf *out, const struct roster *in, const struct roster *not_in,
		     const char *head)
{
	const char *before = head;

	for (unsigned i = 0; i < in->count; i++) {
		if (in->keys[i].revoked.ns != 0 || holds(not_in, &in->keys[i]))
			continue;
		buf_printf(out, "%s%s", before, in->keys[i].name);
		before = ", ";
	}
	if (before != head)
		buf_char(out, '\n');
}

static void put_differences(struct buf *out, const struct refresh *f)
{
	const struct roster *theirs = &f->view.roster;

	put_keys(out, theirs, &f->ours, "At the broker and not here: ");
	put_keys(out, &f->ours, theirs, "Here and not at the broker: ");
	if (f->ours.budget_pps != theirs->budget_pps)
		buf_printf(out, "The budget was %u here, and is %u at the broker.\n",
			   f->ours.budget_pps, theirs->budget_pps);
}

/* --- one way or the other --------------------------------------------------------------------- */

static int take_theirs(struct refresh *f, struct buf *out, struct bp_error *err)
{
	const struct roster *theirs = &f->view.roster;
	int rc = view_check_list(f->dial.dir, &f->view, err);

	if (rc == 0) {
		rc = known_write(f->dial.dir, f->view.roster_revision, err);
		buf_printf(out, "%s is not behind the broker: nothing was changed.\n", f->dial.dir);
		return rc;
	}
	if (rc != BP_EFOREIGN)
		return rc;
	put_differences(out, f);
	rc = fleet_write_list(f->dial.dir, theirs, err);
	if (rc == 0)
		rc = known_write(f->dial.dir, f->view.roster_revision, err);
	buf_printf(out, "%s has the broker's list now: %u vantage point%s. What was changed in this "
		   "copy alone\nis to be done again; a new key lies where it was made.\n", f->dial.dir,
		   roster_holding(theirs), fleet_s(roster_holding(theirs)));
	return rc;
}

static int put_mine(struct refresh *f, struct bus *bus, struct buf *out, struct bp_error *err)
{
	unsigned changed = 0;
	int rc;

	put_differences(out, f);
	rc = known_write(f->dial.dir, f->view.roster_revision, err);
	if (rc == 0)
		rc = view_sync(bus, f->dial.dir, &f->view, err);
	if (rc == 0)
		rc = view_settle(&f->view, err);
	if (rc == 0)
		rc = view_send(bus, &f->view, NULL, &changed, err);
	buf_printf(out, "The broker has the list of %s now: %u vantage point%s; %u plan%s changed.\n",
		   f->dial.dir, roster_holding(&f->ours), fleet_s(roster_holding(&f->ours)),
		   changed, fleet_s(changed));
	return rc;
}

int fleet_refresh(int argc, char **argv)
{
	struct refresh f = {.lock = -1};
	struct bus *bus = NULL;
	struct bp_error err;
	struct buf out;
	int rc = take_options(&f, argc, argv), code;

	if (rc != 0)
		return rc - 1;
	buf_init(&out);
	rc = read_both(&f, &bus, &err);
	if (rc == 0)
		rc = f.mine ? put_mine(&f, bus, &out, &err) : take_theirs(&f, &out, &err);
	if (rc == 0 && out.failed)
		rc = bp_fail(&err, BP_ENOMEM, "out of memory");
	code = rc < 0 ? cli_error(&err) : f.common.quiet ? CLI_OK : cli_print(out.bytes);
	bus_close(bus);
	buf_fini(&out);
	roster_fini(&f.ours);
	view_fini(&f.view);
	if (f.lock >= 0)
		close(f.lock);
	return code;
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a deployed plan's `keep` says, done at the centre, as the daemon does it to a store of its
 * own: once a day traces of the campaign that are too old go, of whatever vantage point, their
 * hours are kept, and hours that are too old go. A second's transactions a turn at most, so that
 * batches are taken in meanwhile. A store that refuses it loses nothing but room.
 */
#include <inttypes.h>

#include "campaign/fleet/collect_inside.h"

#define KEEP_EVERY_NS (24 * 3600 * NS_PER_S)
#define KEEP_AGAIN_NS (600 * NS_PER_S)
#define KEEP_SLICE_NS NS_PER_S

struct latest { struct store *store; const char *campaign; struct wall planned; };

static int on_vantage(void *arg, const char *vantage, struct bp_error *err)
{
	struct latest *l = arg;
	struct wall planned = {0};
	int rc = store_last_planned(l->store, l->campaign, vantage, &planned, err);

	if (rc == 0 && planned.ns > l->planned.ns)
		l->planned = planned;
	return rc;
}

/* Age is reckoned back from the latest round that anybody measured, if our clock is ahead of that:
 * one that is wrong must not cost what was to be kept. */
static int begin(struct collect *c, struct keeping *k, struct bp_error *err)
{
	struct latest l = {.store = c->store, .campaign = k->campaign};
	struct wall now = wall_now();
	int rc = store_vantages(c->store, on_vantage, &l, err);

	if (rc < 0)
		return rc;
	k->under_way = l.planned.ns != 0;
	k->now = l.planned.ns < now.ns ? l.planned : now;
	k->dropped = 0;
	k->next = mono_add(mono_now(), KEEP_EVERY_NS);
	return 0;
}

/* One transaction. */
static int drop_some(struct collect *c, struct keeping *k, struct bp_error *err)
{
	uint64_t dropped = 0;
	bool more = false;
	int rc = store_retire_some(c->store, k->campaign, NULL,
				   (struct wall){k->now.ns - k->traces_ns}, true, &dropped,
				   &more, err);

	if (rc < 0)
		return rc;
	k->dropped += dropped;
	if (more)
		return 0;
	k->under_way = false;
	if (k->hourly_ns > 0)
		rc = store_retire_hours(c->store, k->campaign, NULL,
					(struct wall){k->now.ns - k->hourly_ns}, &dropped,
					err);
	if (rc == 0 && k->dropped > 0)
		collect_note(c, "%s: %" PRIu64 " traces are older than the plan keeps them, and are "
			     "dropped; their hours are kept", k->campaign, k->dropped);
	return rc;
}

static void fail(struct collect *c, struct keeping *k, const struct bp_error *err)
{
	k->under_way = false;
	k->next = mono_add(mono_now(), KEEP_AGAIN_NS);
	if (err->code == BP_EAGAIN) {
		collect_store_lost(c, err);
		return;
	}
	if (!k->told)
		collect_note(c, "%s: what is older than the plan keeps it stays: %s", k->campaign,
			     err->text);
	k->told = true;
}

bool collect_keep(struct collect *c, struct keeping *k)
{
	const struct mono until = mono_add(mono_now(), KEEP_SLICE_NS);
	struct bp_error err = {0};
	int rc = 0;

	if (k->traces_ns == 0 || (!k->under_way && !mono_reached(mono_now(), k->next)))
		return false;
	if (!k->under_way)
		rc = begin(c, k, &err);
	while (rc == 0 && k->under_way && !mono_reached(mono_now(), until))
		rc = drop_some(c, k, &err);
	if (rc < 0)
		fail(c, k, &err);
	else if (!k->under_way)
		k->told = false;
	return true;
}

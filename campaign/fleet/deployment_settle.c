// SPDX-License-Identifier: BSD-2-Clause
/* Campaigns that meet in a network: their slots, their moments, their shares of the budget. */
#include <stdlib.h>
#include <string.h>

#include "campaign/fleet/deployment.h"
#include "campaign/fleet/derive.h"

static bool meet(const struct deployment *a, const struct deployment *b)
{
	for (uint32_t i = 0; i < a->networks.count; i++) {
		if (prefixset_overlap(&b->networks, a->networks.items[i]) > 0)
			return true;
	}
	return false;
}

/* group[i]: the lowest index of those that i meets, by itself or by way of others. */
static void find_groups(const struct deployment *all, unsigned count, unsigned *group)
{
	bool again = true;

	for (unsigned i = 0; i < count; i++)
		group[i] = i;
	while (again) {
		again = false;
		for (unsigned i = 0; i < count; i++) {
			for (unsigned j = 0; j < i; j++) {
				unsigned low = group[i] < group[j] ? group[i] : group[j];

				if (group[i] == group[j] || !meet(&all[i], &all[j]))
					continue;
				group[i] = group[j] = low;
				again = true;
			}
		}
	}
}

/* --- shares ----------------------------------------------------------------------------------- */

/* Distinct vantage points of a group. */
static unsigned members(const struct deployment *all, unsigned count, const unsigned *group,
			unsigned which)
{
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++) {
		if (group[i] != which)
			continue;
		for (unsigned k = 0; k < all[i].seats_count; k++) {
			bool before = false;

			for (unsigned j = 0; j < i && !before; j++)
				before = group[j] == which &&
					 deployment_has(&all[j], all[i].seats[k].vantage);
			n += !before;
		}
	}
	return n;
}

static int share(struct deployment *d, unsigned n, uint32_t budget_pps, struct bp_error *err)
{
	uint64_t part = n <= 1		? budget_pps * UINT64_C(1000)
			: n <= budget_pps ? budget_pps / n * UINT64_C(1000)
					  : budget_pps * UINT64_C(1000) / n;

	if (part == 0)
		return bp_fail(err, BP_ERANGE, "%s: %u vantage points would share %u packets a second "
			       "into one network (/24, /48): nothing each", d->campaign, n, budget_pps);
	d->share_mpps = d->prefix_mpps == 0 || d->prefix_mpps > part ? part : d->prefix_mpps;
	return 0;
}

/* --- slots ------------------------------------------------------------------------------------ */

/* Indices of a group, who was deployed first first. */
static unsigned order(const struct deployment *all, unsigned count, const unsigned *group,
		      unsigned which, unsigned out[static DEPLOYMENTS_MAX])
{
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++) {
		unsigned at = n;

		if (group[i] != which)
			continue;
		for (; at > 0 && all[out[at - 1]].at.ns > all[i].at.ns; at--)
			out[at] = out[at - 1];
		out[at] = i;
		n++;
	}
	return n;
}

/* Whoever has a slot that nobody had before him keeps it, whatever others have to. */
static int seat(struct deployment *all, const unsigned *of, unsigned n, struct bp_error *err)
{
	bool *taken = calloc(DERIVE_SLOTS, sizeof(*taken));
	struct deployment_seat **late = NULL;
	unsigned *whose = NULL, seats = 0, late_count = 0, slot = 0, slots = 0;
	int rc = 0;

	for (unsigned i = 0; i < n; i++)
		seats += all[of[i]].seats_count;
	late = calloc(seats + 1, sizeof(*late));
	whose = calloc(seats + 1, sizeof(*whose));
	if (taken == NULL || late == NULL || whose == NULL)
		rc = bp_fail(err, BP_ENOMEM, "out of memory");
	else if (seats > DERIVE_SLOTS)
		rc = bp_fail(err, BP_ERANGE, "%s: its vantage points and those of campaigns into the "
			     "same networks are %u, at most %d can have a moment of their own",
			     all[of[0]].campaign, seats, DERIVE_SLOTS);
	for (unsigned i = 0; rc == 0 && i < n; i++) {
		struct deployment *d = &all[of[i]];

		for (unsigned k = 0; k < d->seats_count; k++) {
			if (taken[d->seats[k].slot]) {
				whose[late_count] = of[i];
				late[late_count++] = &d->seats[k];
			}
			taken[d->seats[k].slot] = true;
		}
	}
	for (unsigned i = 0; rc == 0 && i < late_count; i++) {
		while (taken[slot])
			slot++;
		taken[slot] = true;
		late[i]->slot = slot;
		all[whose[i]].changed = true;
	}
	for (unsigned i = 0; rc == 0 && i < DERIVE_SLOTS; i++)
		slots = taken[i] ? i + 1 : slots;
	for (unsigned i = 0; rc == 0 && i < n; i++)
		all[of[i]].slots = slots;
	free(taken);
	free(late);
	free(whose);
	return rc;
}

static int64_t common(int64_t a, int64_t b)
{
	while (b != 0) {
		int64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* Plans' own offsets move all of a group by the same part of a beat, or by whole beats: two that
 * differ in that would have slots meet again. */
static void beat(struct deployment *all, const unsigned *of, unsigned n)
{
	int64_t beat_ns = 0, rest_ns;
	bool same = true;

	for (unsigned i = 0; i < n; i++)
		beat_ns = common(all[of[i]].every_ns, beat_ns);
	rest_ns = all[of[0]].offset_ns % beat_ns;
	for (unsigned i = 1; i < n; i++)
		same &= all[of[i]].offset_ns % beat_ns == rest_ns;
	for (unsigned i = 0; i < n; i++) {
		struct deployment *d = &all[of[i]];

		d->beat_ns = beat_ns;
		d->shift_ns = d->offset_ns - (same ? 0 : d->offset_ns % beat_ns);
	}
}

/* --- all of it -------------------------------------------------------------------------------- */

int deployment_settle(struct deployment *all, unsigned count, uint32_t budget_pps,
		      struct bp_error *err)
{
	unsigned group[DEPLOYMENTS_MAX], of[DEPLOYMENTS_MAX];
	int rc = 0;

	if (count > DEPLOYMENTS_MAX)
		return bp_fail(err, BP_ERANGE, "a fleet has at most %d campaigns", DEPLOYMENTS_MAX);
	find_groups(all, count, group);
	for (unsigned i = 0; rc == 0 && i < count; i++) {
		unsigned n;

		rc = share(&all[i], members(all, count, group, group[i]), budget_pps, err);
		if (rc < 0 || group[i] != i)
			continue;
		n = order(all, count, group, i, of);
		beat(all, of, n);
		rc = seat(all, of, n, err);
	}
	return rc;
}

int64_t deployment_offset(const struct deployment *d, unsigned i)
{
	return derive_offset(d->every_ns, d->beat_ns, d->shift_ns, d->seats[i].slot);
}

int64_t deployment_jitter(const struct deployment *d)
{
	return derive_jitter(d->every_ns, d->beat_ns, d->jitter_ns, d->slots);
}

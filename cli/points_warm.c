// SPDX-License-Identifier: BSD-2-Clause
#include "cli/points_warm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WARM_LEAST_NS (3600 * NS_PER_S)

int warm_add(struct warming *w, const struct round *r)
{
	char key[TRACE_CAMPAIGN_TEXT + TRACE_VANTAGE_TEXT + 1];
	uint32_t known = w->keys.count, number, *count;
	struct wall *ring;

	if (r->look || r->planned.ns < w->least.ns || r->planned.ns >= w->until.ns)
		return 0;
	snprintf(key, sizeof(key), "%s\n%s", r->campaign, r->vantage);
	if (diff_intern_put(&w->keys, key, strlen(key), &number) < 0)
		return BP_ENOMEM;
	if (number == known) {
		if (list_add(&w->counts, sizeof(*count)) == NULL)
			return BP_ENOMEM;
		for (unsigned i = 0; i < w->rounds; i++) {
			if (list_add(&w->last, sizeof(*ring)) == NULL)
				return BP_ENOMEM;
		}
	}
	/* Rounds of a store come in order; of files, the highest stay as well: the least goes. */
	ring = &((struct wall *)w->last.items)[(size_t)number * w->rounds];
	count = &((uint32_t *)w->counts.items)[number];
	for (unsigned i = 0; i < *count; i++) {
		/* Two sources have it. */
		if (ring[i].ns == r->planned.ns)
			return 0;
	}
	if (*count < w->rounds) {
		ring[(*count)++] = r->planned;
	} else {
		unsigned least = 0;

		for (unsigned i = 1; i < w->rounds; i++)
			least = ring[i].ns < ring[least].ns ? i : least;
		if (ring[least].ns < r->planned.ns)
			ring[least] = r->planned;
	}
	return 0;
}

int warm_record(void *arg, struct record *r, struct bp_error *err)
{
	struct round round;

	/* What cannot be read is told when it is read for good. */
	if (r->kind != RECORD_ROUND || round_read(r, &round, err) < 0)
		return 0;
	return warm_add(arg, &round) < 0 ? bp_fail(err, BP_ENOMEM, "out of memory") : 0;
}

struct wall warm_from(const struct warming *w)
{
	const struct wall *last = w->last.items;
	struct wall from = {w->until.ns - WARM_LEAST_NS};

	for (uint32_t i = 0; i < w->last.count; i++) {
		if (last[i].ns != 0 && last[i].ns < from.ns)
			from = last[i];
	}
	return from;
}

void warming_fini(struct warming *w)
{
	diff_intern_fini(&w->keys);
	free(w->last.items);
	free(w->counts.items);
}

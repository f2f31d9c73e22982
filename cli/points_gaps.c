// SPDX-License-Identifier: BSD-2-Clause
#include "cli/points_gaps.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"

bool gaps_is(const struct round *r)
{
	return !r->look && r->done == 0 && r->traces == 0;
}

int gaps_hold(struct gaps *g, const struct round *r)
{
	struct round *held = g->held.items;

	for (uint32_t i = 0; i < g->held.count; i++) {
		if (strcmp(held[i].id, r->id) == 0)
			return 0;
	}
	held = list_add(&g->held, sizeof(*held));
	if (held == NULL)
		return BP_ENOMEM;
	*held = *r;
	return 0;
}

static void take_out(struct gaps *g, uint32_t at)
{
	struct round *held = g->held.items;

	memmove(&held[at], &held[at + 1], (g->held.count - at - 1) * sizeof(*held));
	g->held.count--;
}

bool gaps_next(struct gaps *g, const char *vantage, const char *campaign, const char *round,
	       struct wall at, struct round *out)
{
	struct round *held = g->held.items;

	for (uint32_t i = 0; i < g->held.count;) {
		if (vantage != NULL && (strcmp(held[i].vantage, vantage) != 0 ||
					strcmp(held[i].campaign, campaign) != 0)) {
			i++;
			continue;
		}
		if (vantage != NULL && strcmp(held[i].id, round) == 0) {
			take_out(g, i);
			continue;
		}
		if (vantage == NULL || held[i].planned.ns < at.ns) {
			*out = held[i];
			take_out(g, i);
			return true;
		}
		i++;
	}
	return false;
}

void gaps_fini(struct gaps *g)
{
	free(g->held.items);
	*g = (struct gaps){.held = {.items = NULL}};
}

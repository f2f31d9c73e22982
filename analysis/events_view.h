// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is silent for one vantage point, the widest thing that is: internal to outages.
 */
#ifndef ANALYSIS_EVENTS_VIEW_H
#define ANALYSIS_EVENTS_VIEW_H

#include "analysis/events_inside.h"

enum { VIEWS_MAX = 512 };

/* Something that is silent, as one vantage point sees it. */
struct view {
	uint8_t scope;
	bool held, solid;          /* in enough rounds; none of it answers again */
	struct prefix prefix;
	struct addr host;
	const char *target;
	char border[VERDICT_ID_TEXT];
	struct wall not_before, not_after, planned;
	const struct key_state *key; /* one that shows it */
	struct prefix prefixes[EVENT_PREFIXES_MAX];
	unsigned prefix_count;
};

/* One prefix, for one vantage point: all methods together. */
struct prefix_view {
	const struct prefix_state *prefix;
	unsigned first, end;       /* of the vantage point's keys */
	const struct key_state *key;
	bool down, held, solid;
	struct way_in way;
	struct wall not_before, not_after, planned;
};

struct views {
	struct view *items;        /* owned, VIEWS_MAX */
	unsigned count;
	struct prefix_view *prefixes; /* owned, v->prefix_count */
	unsigned prefix_count, down;
};

/* w->items and w->prefixes are the caller's room. */
void views_see(const struct events *v, const struct vantage_state *who, struct views *w);
/* Whether this key can say of itself, or of a host of its, that it is `now`: it was asked
 * lately. */
bool view_has_say(const struct events *v, const struct key_state *k, uint8_t now);
/* For qsort: by address, then length. */
int view_by_prefix(const void *a, const void *b);

#endif

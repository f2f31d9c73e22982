// SPDX-License-Identifier: BSD-2-Clause
/*
 * The traces of one key in one round, and the cell they make: whatever order they come in, the same
 * cell. Internal to the series.
 */
#ifndef ANALYSIS_SERIES_CELL_H
#define ANALYSIS_SERIES_CELL_H

#include "analysis/series.h"

struct sample;

/* A zeroed struct is empty. */
struct gather {
	struct sample *samples;   /* owned */
	unsigned count, room;
	struct point_hop *hops;   /* owned: of all of them, in order, each once */
	unsigned hop_count, hop_room;
};
void gather_fini(struct gather *g);

/* What the series knows better than the point: texts that stay, the border's index or -1. */
struct gather_names { const char *target, *via_org; int border; };
/* BP_ENOMEM: g is as it was. */
int gather_add(struct gather *g, const struct point *p, const struct gather_names *names);
/* The latest end. */
struct wall gather_end(const struct gather *g);

/* Room to work in, used again. A zeroed struct is empty. */
struct cell_room {
	struct sample *samples;   /* owned */
	unsigned sample_room;
	int64_t *values;          /* owned */
	unsigned value_room;
	struct point_hop *hops;   /* owned */
	unsigned hop_room;
	struct cell_host hosts[SERIES_HOSTS_MAX];
};
void cell_room_fini(struct cell_room *r);

/* Fills what the traces tell, all from `traces` on and the sights, of a g that has at least one;
 * borders counts `other`. Borrows from room. BP_ENOMEM. */
int cell_fill(struct cell *c, const struct gather *g, unsigned borders, struct cell_room *room);

#endif

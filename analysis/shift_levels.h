// SPDX-License-Identifier: BSD-2-Clause
/*
 * The levels of one window of round-trip times: the cheapest way through it over a grid of levels
 * and noise scales, where staying is free, moving costs, and no single point costs more than a
 * bound (doc/shifts.md). Proposes borders between levels; judges none.
 */
#ifndef ANALYSIS_SHIFT_LEVELS_H
#define ANALYSIS_SHIFT_LEVELS_H

#include <stdint.h>

enum {
	LEVELS_WINDOW = 1024,  /* points at most */
	LEVELS_MAX = 512,      /* levels of the grid at most */
};

struct levels;
struct levels *levels_new(void);  /* NULL without memory */
void levels_free(struct levels *l);

/* How far points of one level lie apart in the n answered points of x, as the unit that levels are
 * told apart by: at least 1 ms, half a percent of the median, and the resolution that x was rounded
 * to where it shows. room: for n values. */
int64_t levels_noise_ns(const int64_t *x, unsigned n, int64_t *room);

/* Where the path through x[0, n) moves to another level or scale, in order, into borders (room for
 * n). A move costs move times the most that a point can cost, so that two moves pay for themselves
 * over more than 2 x move far points. n <= LEVELS_WINDOW, noise_ns > 0, 0 < move <= 8. Returns how
 * many. */
unsigned levels_borders(struct levels *l, const int64_t *x, unsigned n, int64_t noise_ns,
			double move, unsigned *borders);

/* The most that a point costs, however far away. */
#define LEVELS_COST_MAX 25.0
/* What n points cost at one level, at the scale that suits them best. */
double levels_side_cost(const int64_t *x, unsigned n, int64_t level_ns, int64_t noise_ns);

#endif

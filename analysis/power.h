// SPDX-License-Identifier: BSD-2-Clause
/*
 * What would have been seen: the other half of "no change". From the rounds that were measured, how
 * often they decided, and how far the round-trip times scatter. Pure arithmetic.
 */
#ifndef ANALYSIS_POWER_H
#define ANALYSIS_POWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/diff.h"

enum { POWER_PERCENT = 90 };

struct power {
	int64_t switch_ns; /* a switch longer than that would have been seen with POWER_PERCENT;
			    * 0: cannot be said */
	int64_t shift_ns;  /* a step of round-trip times above that; 0: cannot be said */
};

/*
 * Rounds every_ns apart, from so many vantage points, each of which decides with probability
 * `decided` in a round, independently. A switch is told once it is decided twice: in two rounds, or
 * in one from two vantage points (REPORTS "Alerts"). A switch as long as k rounds covers k of them
 * whenever it begins, so the least k with P(2 or more of k * vantages decide) >= POWER_PERCENT is
 * the bound. 0: every_ns is not known, nobody decides, or more than POWER_ROUNDS_MAX are needed.
 */
enum { POWER_ROUNDS_MAX = 1000 };
int64_t power_switch(int64_t every_ns, double decided, unsigned vantages);

/*
 * The step that a two-sided test at 5 % sees with POWER_PERCENT where its 95 % interval was
 * [low, high]: (z(0.975) + z(0.9)) standard errors, and the interval is 2 z(0.975) of them wide.
 * Never less than `least`, under which nobody calls it a change. 0: no interval.
 */
int64_t power_shift(int64_t low_ns, int64_t high_ns, int64_t least_ns);

/* Of a diff: the shift that would have been seen in every network by the vantage point that sees it
 * best. every_ns and decided of the rounds around it; every_ns 0: as its own rounds were apart
 * where they were furthest, and as they decided; not known where it was told of none. */
void power_of_diff(const struct diff *d, int64_t every_ns, double decided, struct power *out);

/*
 * The smallest step, of a grid, that the shift detector finds in at least POWER_PERCENT of these
 * very series when it is added to what follows the middle: tried, not derived. Of the first
 * POWER_SERIES_MAX that have POWER_POINTS_MIN points. median_ns: -1 lost. 0: not even the largest
 * of the grid, or no series is long enough. BP_ENOMEM.
 */
enum { POWER_POINTS_MIN = 16, POWER_SERIES_MAX = 64 };
struct power_series { const int64_t *median_ns; size_t n; };
int power_steps(const struct power_series *s, unsigned count, int64_t *shift_ns);

#endif

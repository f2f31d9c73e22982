// SPDX-License-Identifier: BSD-2-Clause
/*
 * What would have been seen: the other half of "no change". From the rounds that were measured,
 * how often they decided, and how far the round-trip times scatter. Pure.
 */
#ifndef ANALYSIS_POWER_H
#define ANALYSIS_POWER_H

#include <stdbool.h>
#include <stdint.h>

struct power {
	double probability;   /* that what follows would have been seen: 0.9 */
	int64_t switch_ns;    /* a switch at least so long, anywhere; 0: cannot be said */
	int64_t shift_ns;     /* a step of the round-trip time at least so big; 0: cannot be said */
};

enum { POWER_PERCENT = 90 };

/* The shortest switch that is seen with POWER_PERCENT by `need` deciding rounds in a row, where
 * rounds are every_ns apart and each decides with probability `decided`. A switch that begins at
 * any moment of the interval covers k or k + 1 rounds; the bound counts the k that are certain.
 * 0: every_ns not known, or never so sure. */
int64_t power_switch(int64_t every_ns, double decided, unsigned need);

/* The smallest step of the median that a two-sided rank test at 5 % sees with POWER_PERCENT, with
 * n1 and n2 values on the two sides of a scatter of sigma_ns (asymptotic: Lehmann, Nonparametrics,
 * 1975; Wilcoxon against the normal distribution, efficiency 3 / pi). 0: a side has under 8. */
int64_t power_shift(double sigma_ns, unsigned n1, unsigned n2);

#endif

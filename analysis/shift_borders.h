// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which of the borders that the levels propose are shifts: enough points on both sides, medians
 * apart, a step and no ramp, and nothing that comes back every day. And the numbers told of one.
 */
#ifndef ANALYSIS_SHIFT_BORDERS_H
#define ANALYSIS_SHIFT_BORDERS_H

#include <stdbool.h>
#include <stdint.h>

#include "analysis/shift.h"

/* What a setting means for a window of n points. Reasons: doc/shifts.md. */
struct shift_rule {
	double move;        /* of levels_borders */
	unsigned points;    /* answered points on each side, at least */
	int64_t least_ns;   /* between the medians of the two sides */
	double confidence;  /* at least */
};
struct shift_rule shift_rule_of(enum shift_setting setting, unsigned n);

/* A window of n answered points. Borrowed. */
struct shift_window {
	const struct shift_point *points;
	const int64_t *rtt_ns;  /* of the same points */
	unsigned n;
	int64_t noise_ns;
};

/* Takes those out of borders[0, count) that are no shifts; returns how many are left. room: for n
 * values; weak: for count. */
unsigned shift_borders_keep(const struct shift_window *w, const struct shift_rule *rule,
			    unsigned *borders, unsigned count, int64_t *room, double *weak);

/* Which of them are moves that the window makes at that time of day on most of its days, four at
 * least: daily[i] is set. room: for SHIFT_LEVEL values. */
void shift_borders_daily(const struct shift_window *w, const unsigned *borders, unsigned count,
			 bool *daily, int64_t *room);

/* Fills out for borders[i]; status is left. BP_ENOMEM. */
int shift_borders_tell(const struct shift_window *w, const unsigned *borders, unsigned count,
		       unsigned i, struct shift *out);

#endif

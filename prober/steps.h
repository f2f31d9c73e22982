// SPDX-License-Identifier: BSD-2-Clause
/*
 * Steps of the wall clock. Capture stamps are CLOCK_REALTIME; when somebody sets that clock between
 * a departure and its answer, their difference is no round-trip time. The kernel tells that it was
 * set (timerfd, TFD_TIMER_CANCEL_ON_SET), not when: only that it was between two looks. Slewing
 * (NTP's rate changes, at most 500 ppm) is no step. Pure: the times are arguments.
 */
#ifndef PROBER_STEPS_H
#define PROBER_STEPS_H

#include <stdbool.h>

#include "core/clock.h"

enum { STEPS_ROOM = 16 };

/* The clock was set at some moment in [since, until]. */
struct step { struct mono since, until; };

struct steps {
	unsigned count;
	struct step items[STEPS_ROOM]; /* in order of time */
};

/* Records one. `since` is the last look that saw nothing. When there is no room, the two oldest
 * become one that covers both: more is voided than need be, never less. */
void steps_add(struct steps *s, struct mono since, struct mono until);
/* Whether the clock may have been set between two moments, a <= b. */
bool steps_between(const struct steps *s, struct mono a, struct mono b);

#endif

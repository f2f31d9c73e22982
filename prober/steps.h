// SPDX-License-Identifier: BSD-2-Clause
/*
 * When the wall clock cannot be trusted. Capture stamps are CLOCK_REALTIME; when somebody sets that
 * clock between a departure and its answer, their difference is no round-trip time. The kernel
 * tells that it was set (timerfd, TFD_TIMER_CANCEL_ON_SET), not when: only that it was between two
 * looks. Nobody tells that it is slewed: so at each look it is held against CLOCK_MONOTONIC_RAW,
 * which runs at the hardware's rate whatever anybody does.
 *
 * The RTTs of a stretch in which the two ran apart by more than SLEW_PPM are void. NTP disciplines
 * a clock by at most 500 ppm, and adjtime(3) slews by 500 more: 1000 ppm (0.1 %) make 0.1 ms of an
 * RTT of 100 ms, and are let be. chrony's default of 83,333 ppm, or a tick of 10 %, is not. 1 us
 * and what the reading itself is unsure of come on top. A suspended machine shows as a jump; a
 * paused virtual one does not, nor does it hurt: both clocks stand or run on together. Smeared leap
 * seconds (some 12 ppm) pass; others are steps. Pure: the times are arguments.
 */
#ifndef PROBER_STEPS_H
#define PROBER_STEPS_H

#include <stdbool.h>

#include "core/clock.h"

enum { STEPS_ROOM = 16, SLEW_PPM = 1000, SLEW_WINDOW_NS = 10 * 1000 * 1000 };

/* The clock was set, or ran at a wrong rate, at some moment in [since, until]. */
struct step { struct mono since, until; };

struct steps {
	unsigned count;
	struct step items[STEPS_ROOM]; /* in order of time */
};

/* The look that the next ones are held against, zeroed at first: the clocks ran together since. */
struct slew {
	struct clock_pair pair;
	struct mono at;
};

/* Records one. `since` is the last look that saw nothing. One that touches the last extends it;
 * when there is no room, the two oldest become one that covers both: more is voided than need be,
 * never less. */
void steps_add(struct steps *s, struct mono since, struct mono until);
/* Whether the clock may have been set between two moments, a <= b. */
bool steps_between(const struct steps *s, struct mono a, struct mono b);

/* A look at both clocks, at `at`. Returns whether they ran apart since an earlier one; that stretch
 * is added to s then. Looks are held against one at least SLEW_WINDOW_NS old where there is one, so
 * that many quick looks see what one slow one would. */
bool steps_look(struct steps *s, struct slew *w, struct clock_pair pair, struct mono at);

#endif

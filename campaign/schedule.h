// SPDX-License-Identifier: BSD-2-Clause
/*
 * WHEN: rounds on the wall-clock grid (offset + n * every since the Unix epoch), each with a jitter
 * that campaign, vantage and moment determine, so that vantage points do not fire together and a
 * restart does not move a round. A pure state machine over both clocks: a slot is given once and
 * never again, whatever the wall clock does; what cannot be given is told as missed, with why.
 *
 * Clock steps: back by an hour, slots already given or missed do not come again (the next is the
 * first one after the last given); forward by an hour, the slots jumped over are missed by
 * clock_step, and the next round is the next slot. A step is known by the two clocks drifting apart
 * by more than SCHEDULE_STEP_NS between two looks; time spent suspended counts as down.
 */
#ifndef CAMPAIGN_SCHEDULE_H
#define CAMPAIGN_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"
#include "core/record/round.h"

#define SCHEDULE_STEP_NS (5 * NS_PER_S)

struct schedule {
	int64_t every_ns, offset_ns, jitter_ns;
	struct wall since, until;    /* 0: open */
	uint64_t seed;               /* of campaign and vantage */
	struct wall last;            /* the slot given or missed last; 0: none */
	bool looked;                 /* the two below are valid */
	struct wall wall_then;
	struct mono mono_then;
	bool running;                /* a round is under way: slots that come now are overruns */
};

/* last: the latest slot the store knows of this campaign and vantage, 0 none: the slots between it
 * and now are missed by `down`; without one, measuring begins with the next slot. */
void schedule_init(struct schedule *s, int64_t every_ns, int64_t offset_ns, int64_t jitter_ns,
		   struct wall since, struct wall until, const char *campaign, const char *vantage,
		   struct wall last);

/* Slots missed, as a run of them: first, first + every ... (count of them). */
struct schedule_gap { struct wall first; uint64_t count; uint8_t why; /* enum round_why */ };

enum schedule_what { SCHEDULE_WAIT, SCHEDULE_START, SCHEDULE_MISSED, SCHEDULE_OVER };
/* Looks at the clocks. SCHEDULE_MISSED: *gap tells what is to be recorded, ask again.
 * SCHEDULE_START: *slot is to be measured now; the caller sets running until it is done
 * (schedule_done). SCHEDULE_WAIT: *wait_ns until it is worth asking again (the caller also asks
 * after a clock step). SCHEDULE_OVER: `until` has passed. */
enum schedule_what schedule_look(struct schedule *s, struct wall wall, struct mono mono,
				 struct wall *slot, struct schedule_gap *gap, int64_t *wait_ns);
/* The round is done, or was given up. */
void schedule_done(struct schedule *s);
/* The next moment a round will start, jitter included, for people; 0 when over. */
struct wall schedule_next(const struct schedule *s, struct wall now);
/* The jitter of a slot, 0 <= ns < jitter_ns. */
int64_t schedule_jitter(const struct schedule *s, struct wall slot);

#endif

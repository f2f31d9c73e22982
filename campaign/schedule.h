// SPDX-License-Identifier: BSD-2-Clause
/*
 * WHEN: rounds on the wall-clock grid (offset + n * every since the Unix epoch, UTC, so that no
 * summer time moves them), each with a jitter that campaign, vantage and moment determine, so that
 * vantage points do not fire together and a restart does not move a round. A pure state machine
 * over both clocks: a slot is given once and never again, whatever the wall clock does; what cannot
 * be given is told as missed, with why. Every slot after the first is given or told, in order.
 *
 * A slot is due at its moment plus its jitter, and may be started for a while after that
 * (schedule_late): a busy machine or a quick restart costs no round. Later, nobody ran: `down`. So
 * is time spent asleep. A step of the clock is known by the two clocks drifting apart by more than
 * SCHEDULE_STEP_NS between two looks. Forward by an hour: the slots jumped over are missed by
 * clock_step, and the next round is the next slot. Back by an hour: slots already given or missed
 * do not come again; the next is the first one after the last given. Only when the clock stands
 * more than SCHEDULE_BACK_NS before the last slot was that slot's clock wrong (a hardware clock in
 * local time, or a day ahead): then it begins anew by the clock as it is now, and the store tells
 * of what it has already.
 */
#ifndef CAMPAIGN_SCHEDULE_H
#define CAMPAIGN_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"
#include "core/record/round.h"

#define SCHEDULE_STEP_NS (5 * NS_PER_S)
#define SCHEDULE_BACK_NS (2 * 3600 * NS_PER_S)
/* The longest wait: a step of the clock that nobody tells is noticed after it. */
#define SCHEDULE_WAIT_NS (30 * NS_PER_S)

struct schedule {
	int64_t every_ns, offset_ns, jitter_ns;
	struct wall since, until;    /* slots in [since, until); 0: open */
	uint64_t seed;               /* of campaign and vantage */
	struct wall last;            /* the slot given or missed last; 0: none */
	struct wall left;            /* the last of a clock that ran ahead, left behind; 0: none */
	bool looked;                 /* the two below are valid */
	struct wall wall_then;       /* the last look that told of nothing missed */
	struct mono mono_then;
	bool running;                /* a round is under way: slots that come now are overruns */
};

/* every_ns > 0, 0 <= jitter_ns <= every_ns. last: the latest slot the store knows of this campaign
 * and vantage, 0 none: the slots between it and now are missed by `down`; without one, measuring
 * begins with the next slot. It may be of another grid, of an earlier plan. */
void schedule_init(struct schedule *s, int64_t every_ns, int64_t offset_ns, int64_t jitter_ns,
		   struct wall since, struct wall until, const char *campaign, const char *vantage,
		   struct wall last);

/* Slots missed, as a run of them: first, first + every ... (count of them). A year asleep is one
 * run: whoever writes rows of it bounds them. */
struct schedule_gap { struct wall first; uint64_t count; uint8_t why; /* enum round_why */ };

enum schedule_what { SCHEDULE_WAIT, SCHEDULE_START, SCHEDULE_MISSED, SCHEDULE_OVER };
/* Looks at the clocks; mono is boot_now(), which goes on asleep. SCHEDULE_MISSED: *gap tells
 * what is to be recorded, ask again. SCHEDULE_START: *slot is to be measured now; the caller
 * sets running until it is done (schedule_done). SCHEDULE_WAIT: *wait_ns until it is worth
 * asking again (the caller also asks after a clock step). SCHEDULE_OVER: `until` has passed. */
enum schedule_what schedule_look(struct schedule *s, struct wall wall, struct mono mono,
				 struct wall *slot, struct schedule_gap *gap, int64_t *wait_ns);
/* The round is done, or was given up. */
void schedule_done(struct schedule *s);
/* The next moment a round will start, jitter included, for people; 0 when over. */
struct wall schedule_next(const struct schedule *s, struct wall now);
/* The jitter of a slot, 0 <= ns < jitter_ns. */
int64_t schedule_jitter(const struct schedule *s, struct wall slot);
/* How long after it was due a slot is still started: half of every, at most a minute. */
int64_t schedule_late(const struct schedule *s);

#endif

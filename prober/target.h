// SPDX-License-Identifier: BSD-2-Clause
/*
 * A target in flight, whoever drives it: the tracer of its one flight, or the engine of a bundle of
 * flights. The run's loop asks here and need not know which.
 */
#ifndef PROBER_TARGET_H
#define PROBER_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "prober/bundle.h"
#include "prober/flight.h"

/* The flight whose place in the line, and whose wait, is the target's. */
static inline struct flight *target_lead(struct flight *f)
{
	return f->bundle != NULL ? bundle_lead(f->bundle) : f;
}

/* Its time starts now, if it has not sent. f leads; so in all below but target_sent, _refused. */
void target_start(struct flight *f, struct mono now, struct wall start);
/* Waits get this much longer: the queues on the way (pacing_slack). */
void target_slack(struct flight *f, int64_t ns);
/* What it wants now; *flow: of a bundle, whose probe that is. */
struct tracer_step target_next(struct flight *f, struct mono now, uint16_t *flow);
/* Who is expected to answer at this TTL; none: nobody or several have. f: any of its flights. */
struct addr target_responder(const struct flight *f, uint8_t ttl);
/* As tracer_take_silent. */
bool target_take_silent(struct flight *f, uint8_t *ttl);
/* As tracer_take_overdue; a bundle tells none. Which router one of several flows should have met is
 * not known, nor that there is none: that is what it looks for. So it cannot tell of loss. */
bool target_take_overdue(struct flight *f, uint8_t *ttl);
void target_defer(struct flight *f, uint8_t ttl, struct mono until);
void target_stop(struct flight *f, enum stop why);

/* The kernel took a probe of this flight, or refused it for good (sys: errno). */
void target_sent(const struct flights *fs, struct flight *f, uint8_t ttl, uint8_t attempt,
		 struct mono at);
void target_refused(struct flight *f, uint8_t ttl, uint8_t attempt, struct mono at, int sys);

#endif

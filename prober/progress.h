// SPDX-License-Identifier: BSD-2-Clause
/* When a live view is told something, and what: at most ten times a second, the last answer with
 * it. */
#ifndef PROBER_PROGRESS_H
#define PROBER_PROGRESS_H

#include <stdbool.h>

#include "core/clock.h"
#include "core/record/frame.h"
#include "prober/flight.h"

#define PROGRESS_EVERY_NS (NS_PER_S / 10)

struct progress {
	struct mono last;        /* frame */
	struct mono second;      /* the present second began */
	uint64_t sent_before;    /* probes sent when it did */
	uint64_t rate_pps;       /* of the second before */
	uint64_t target_seq;     /* of the last answer */
	struct addr from;
	uint8_t ttl;
	int64_t rtt_ns;
};

void progress_init(struct progress *p, struct mono now);
void progress_answer(struct progress *p, const struct flight_hit *hit, struct addr from);
/* Whether a frame is due; then the rest of *frame is filled (its counters are the caller's). */
bool progress_due(struct progress *p, struct mono now, struct frame_progress *frame);

#endif

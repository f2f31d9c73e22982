// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the capture is asked for, and what becomes of each packet it hands over: parsed, matched,
 * given to the flight it belongs to, or counted as refused with the reason.
 */
#ifndef PROBER_WATCH_H
#define PROBER_WATCH_H

#include <stdint.h>

#include "core/clock.h"
#include "core/err.h"
#include "prober/flight.h"

enum { WATCH_FILTER_TEXT = 16384 };

/* The libpcap expression for all methods and both families, and two things of our own: what leaves
 * on the loopback device lo_index (0: none), which libpcap shows only as it arrives, and the
 * kernel's resets, which tell that no connection stays half open. BP_ERANGE: out is too small. */
int watch_filter(int lo_index, char *out, size_t size, struct bp_error *err);

struct watch {
	struct flights *flights;
	struct refused *refused;
	uint64_t received;       /* answers believed */
	int lo_index;
	struct mono now;         /* of this reading of the capture */
	/* Called for each believed answer. */
	void (*answer)(void *context, const struct flight_hit *hit, struct addr from);
	void *context;
};

/* One captured packet: IP bytes, kernel stamp, interface, direction. */
void watch_packet(struct watch *w, const uint8_t *bytes, size_t size, struct wall stamp,
		  int ifindex, bool outgoing);

#endif

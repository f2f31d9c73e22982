// SPDX-License-Identifier: BSD-2-Clause
/*
 * How long an unanswered probe is waited for, by what this path has shown so far. One rule for the
 * state machines of this room.
 */
#ifndef PROBER_ENGINE_WAIT_H
#define PROBER_ENGINE_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"

/*
 * Within the path (this TTL or one beyond it has answered) an answer is due by the highest RTT of
 * this very trace, which hops behind it bound from above; a quarter more and 25 ms are for the
 * router's slow path, where ICMP errors are made. traceroute(8) waits 10 times the RTT of a next
 * hop, RFC 6298 three times a first RTT and at least 1 s: both would drop what comes later, while
 * here a late answer is still taken, only marked, so a wait too short costs little.
 *
 * Beyond it the path may go over a long link: four times what was seen (a satellite hop behind a
 * terrestrial path), at least half a second (half a turn of the Earth and back is 0.3 s in fibre).
 * With no measure at all (rtt_max_ns negative), the user's limit.
 */
static inline int64_t wait_for_answer(int64_t rtt_max_ns, bool within, int64_t limit_ns)
{
	int64_t wait = limit_ns;

	if (rtt_max_ns >= 0 && within)
		wait = rtt_max_ns + rtt_max_ns / 4 + 25 * NS_PER_MS;
	else if (rtt_max_ns >= 0)
		wait = 4 * rtt_max_ns > 500 * NS_PER_MS ? 4 * rtt_max_ns : 500 * NS_PER_MS;
	return wait < limit_ns ? wait : limit_ns;
}

#endif

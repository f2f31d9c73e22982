// SPDX-License-Identifier: BSD-2-Clause
/*
 * Simulated months of round-trip times: 30 days of 15-minute rounds, 2 % lost, with the noise of a
 * kind and no change, or one step. The same seed gives the same month.
 */
#ifndef BENCH_SIM_DELAYS_H
#define BENCH_SIM_DELAYS_H

#include <math.h>
#include <stdint.h>

#include "core/clock.h"

enum { SIM_DELAYS = 2880, SIM_DAY = 96 };

struct sim_delays {
	uint64_t random;
	struct wall at[SIM_DELAYS];
	int64_t rtt_ns[SIM_DELAYS];
};

static const char *const sim_delays_kinds[] = {
	"queues of 0.5 ms", "a swell of 10 ms, noise 1 ms", "a swell of 30 ms, noise 2 ms",
	"a swell of 60 ms, queues of 5 ms", "evenings up to 28 ms, each day another height",
	"evenings in which queues grow to 40 ms", "evenings of 8 to 22 ms with hard edges",
	"one in 20 up to 150 ms late", "bursts of loss, spikes in them", "answers in steps of 10 ms",
	"two ways, 6 ms apart, in turn", "a level that wanders by 1 ms", NULL};

/* xorshift64*: 0 to 1, never 1. */
static inline double sim_even(struct sim_delays *s)
{
	s->random ^= s->random >> 12;
	s->random ^= s->random << 25;
	s->random ^= s->random >> 27;
	return (double)(s->random * UINT64_C(2685821657736338717) >> 11) / 9007199254740992.0;
}

static inline double sim_queue(struct sim_delays *s)
{
	return -log(1 - sim_even(s));
}

static inline double sim_normal(struct sim_delays *s)
{
	return sqrt(2 * sim_queue(s)) * cos(2 * M_PI * sim_even(s));
}

/* Over the base, in ms; below zero: lost. */
static inline double sim_noise(struct sim_delays *s, unsigned kind, double hour, double height,
			       double *wander, unsigned *burst)
{
	double swell = .5 * (1 - cos(2 * M_PI * hour / 24));
	double evening = exp(-(hour - 20) * (hour - 20) / 12.5);

	switch (kind) {
	case 0: return .5 * sim_queue(s);
	case 1: return fmax(5 + 10 * swell + sim_normal(s), 0);
	case 2: return fmax(10 + 30 * swell + 2 * sim_normal(s), 0);
	case 3: return 60 * swell + 5 * sim_queue(s);
	case 4: return 20 * evening * height + sim_queue(s);
	case 5: return sim_queue(s) * (1 + 40 * evening * height);
	case 6: return .5 * sim_queue(s) + (evening > .5 ? 15 * (.5 + sim_even(s)) : 0);
	case 7: return sim_queue(s) + (sim_even(s) < .05 ? 50 * sim_queue(s) : 0);
	case 8:
		if (*burst == 0 && sim_even(s) < .01)
			*burst = 3 + (unsigned)(10 * sim_even(s));
		if (*burst == 0)
			return sim_queue(s);
		--*burst;
		return sim_even(s) < .7 ? -1 : 100 * sim_even(s);
	case 9: return 10 * floor(3 * sim_queue(s) * sim_even(s));
	case 10: return (sim_even(s) < .5 ? 6 : 0) + .3 * sim_queue(s);
	default:
		*wander = .95 * *wander + .3 * sim_normal(s);
		return 5 + *wander + .2 * sim_queue(s);
	}
}

/* step_ms is added from the point `step` on. */
static inline void sim_delays(struct sim_delays *s, unsigned kind, uint64_t seed, unsigned step,
			      double step_ms)
{
	double base, first_hour, height = 1, wander = 0;
	unsigned burst = 0;

	s->random = seed * UINT64_C(0x9E3779B97F4A7C15) + kind + 1;
	base = 100 + 200 * sim_even(s);
	first_hour = 24 * sim_even(s);
	for (unsigned i = 0; i < SIM_DELAYS; i++) {
		double hour = fmod(first_hour + i * .25, 24), over;

		/* In the morning, when there is no congestion to change. */
		if (hour >= 8 && hour < 8.25)
			height = .6 + .8 * sim_even(s);
		over = sim_noise(s, kind, hour, height, &wander, &burst);
		if (sim_even(s) < .02)
			over = -1;
		else if (sim_even(s) < .003)
			over = 200 * sim_even(s);
		s->at[i].ns = INT64_C(1795341600) * NS_PER_S + i * 15 * 60 * NS_PER_S;
		s->rtt_ns[i] = over < 0 ? -1 :
			       (int64_t)((base + over + (i >= step ? step_ms : 0)) * 1e6);
	}
}

#endif

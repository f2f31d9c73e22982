// SPDX-License-Identifier: BSD-2-Clause
/* The least switch and the least shift that would have been seen. */
#include "analysis/power.h"

#include <math.h>
#include <stdlib.h>

static const double z_975 = 1.959964, z_90 = 1.281552; /* quantiles of the normal distribution */

/* P(at least two of n), each with probability p. */
static double twice(double n, double p)
{
	if (p >= 1)
		return n >= 2 ? 1 : 0;
	return 1 - pow(1 - p, n) - n * p * pow(1 - p, n - 1);
}

int64_t power_switch(int64_t every_ns, double decided, unsigned vantages)
{
	if (every_ns <= 0 || !(decided > 0) || vantages == 0)
		return 0;
	for (unsigned k = 1; k <= POWER_ROUNDS_MAX; k++) {
		if (twice((double)k * vantages, decided) >= POWER_PERCENT / 100.0)
			return k * every_ns;
	}
	return 0;
}

int64_t power_shift(int64_t low_ns, int64_t high_ns, int64_t least_ns)
{
	double seen;

	if (high_ns <= low_ns)
		return 0;
	seen = (double)(high_ns - low_ns) / 2 * (z_975 + z_90) / z_975;
	return seen > (double)least_ns ? (int64_t)llround(seen) : least_ns;
}

/* How far rounds of a vantage point were apart: on the side where they were furthest; where each
 * side has but one, from one to the other. */
static int64_t apart_of(const struct diff_rounds sides[static 2])
{
	int64_t most = 0;

	for (unsigned k = 0; k < 2; k++) {
		const struct diff_rounds *r = &sides[k];
		int64_t apart = r->slots > 1 ? (r->last.ns - r->first.ns) / (r->slots - 1) : 0;

		most = apart > most ? apart : most;
	}
	if (most == 0 && sides[0].slots == 1 && sides[1].slots == 1)
		most = llabs(sides[1].first.ns - sides[0].first.ns);
	return most;
}

/* How far the rounds of the diff were apart, and how often one of a vantage point decided. */
static int64_t rounds_of_diff(const struct diff *d, double *decided)
{
	uint64_t told = 0, traces = 0, rounds = 0, missed = 0;
	int64_t every = 0;

	for (unsigned i = 0; i < d->point_count; i++) {
		const struct diff_rounds *r = d->points[i].rounds;
		int64_t apart = apart_of(r);

		if (!d->points[i].counted)
			continue;
		every = apart > every ? apart : every;
		rounds += r[0].rounds + r[1].rounds;
		missed += r[0].missed + r[1].missed;
	}
	for (unsigned i = 0; i < d->row_count; i++) {
		told += d->rows[i].before.decided + d->rows[i].after.decided;
		traces += d->rows[i].before.traces + d->rows[i].after.traces;
	}
	*decided = traces == 0 || rounds == 0 ? 0 :
		   (double)told / (double)traces * (double)(rounds - missed) / (double)rounds;
	return every;
}

void power_of_diff(const struct diff *d, int64_t every_ns, double decided, struct power *out)
{
	int64_t worst = 0;

	if (every_ns == 0)
		every_ns = rounds_of_diff(d, &decided);
	*out = (struct power){.switch_ns = power_switch(every_ns, decided, d->vantages)};
	for (unsigned i = 0; i < d->row_count; i++) {
		int64_t best = 0;

		for (unsigned k = 0; k < d->row_count; k++) {
			const struct diff_row *r = &d->rows[k];
			int64_t x;

			if (!prefix_equal(r->prefix, d->rows[i].prefix) ||
			    (r->rtt != DIFF_SAME && r->rtt != DIFF_CHANGED))
				continue;
			x = power_shift(r->shift_low_ns, r->shift_high_ns, diff_least_shift(r));
			if (x > 0 && (best == 0 || x < best))
				best = x;
		}
		/* Of a network without round-trip times nothing can be promised. */
		if (best == 0)
			return;
		worst = best > worst ? best : worst;
	}
	out->shift_ns = worst;
}

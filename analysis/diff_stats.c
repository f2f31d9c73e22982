// SPDX-License-Identifier: BSD-2-Clause
/* Fisher's exact test and the Hodges-Lehmann shift. Owns no data. */
#include "analysis/diff_stats.h"

#include <math.h>
#include <stdlib.h>

#include "core/err.h"

/* ln of the hypergeometric probability of a in the first cell. */
static double ln_table(unsigned a, unsigned b, unsigned c, unsigned d)
{
	return lgamma(a + b + 1.) + lgamma(c + d + 1.) + lgamma(a + c + 1.) + lgamma(b + d + 1.) -
	       lgamma(a + 1.) - lgamma(b + 1.) - lgamma(c + 1.) - lgamma(d + 1.) -
	       lgamma((double)a + b + c + d + 1);
}

double fisher_p(unsigned a, unsigned b, unsigned c, unsigned d)
{
	unsigned row = a + b, column = a + c, n = a + b + c + d;
	unsigned low = row + column > n ? row + column - n : 0;
	unsigned high = row < column ? row : column;
	double seen, sum = 0;

	if (row == 0 || column == 0 || row == n || column == n)
		return 1;
	seen = ln_table(a, b, c, d);
	for (unsigned x = low; x <= high; x++) {
		double p = ln_table(x, row - x, column - x, n + x - row - column);

		/* Equal tables differ by rounding. */
		if (p <= seen + 1e-9)
			sum += exp(p);
	}
	return fmin(sum, 1);
}

static int compare_ns(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static unsigned thinned(unsigned n)
{
	return n < RTT_SAMPLES_MAX ? n : RTT_SAMPLES_MAX;
}

static int64_t sample(const int64_t *x, unsigned n, unsigned i)
{
	return x[(uint64_t)i * n / thinned(n)];
}

/* Whether the most extreme ranking of n and m is rarer than 1 in 20, two-sided. */
static bool can_be_significant(unsigned n, unsigned m)
{
	double ways = 1;

	for (unsigned i = 1; i <= m; i++)
		ways *= (double)(n + i) / i;
	return n > 0 && m > 0 && 2 / ways <= .05;
}

int rtt_shift_of(const struct rtt_stratum *s, unsigned count, struct rtt_shift *out)
{
	struct rtt_shift shift = {0};
	double mean = 0, variance = 0;
	size_t pairs = 0, at = 0, cut;
	int64_t *d;

	for (unsigned i = 0; i < count; i++) {
		double n = thinned(s[i].before_count), m = thinned(s[i].after_count);

		pairs += (size_t)(n * m);
		mean += n * m / 2;
		variance += n * m * (n + m + 1) / 12;
		shift.enough = shift.enough || can_be_significant((unsigned)n, (unsigned)m);
	}
	if (pairs == 0) {
		*out = shift;
		return 0;
	}
	d = malloc(pairs * sizeof(*d));
	if (d == NULL)
		return BP_ENOMEM;
	for (unsigned i = 0; i < count; i++) {
		unsigned n = s[i].before_count, m = s[i].after_count;

		for (unsigned k = 0; n > 0 && k < thinned(m); k++) {
			for (unsigned j = 0; j < thinned(n); j++)
				d[at++] = sample(s[i].after, m, k) - sample(s[i].before, n, j);
		}
	}
	qsort(d, pairs, sizeof(*d), compare_ns);
	shift.estimate_ns = pairs % 2 ? d[pairs / 2] : d[pairs / 2 - 1] / 2 + d[pairs / 2] / 2;
	shift.low_ns = shift.high_ns = shift.estimate_ns;
	if (shift.enough) {
		double c = floor(mean - 1.959964 * sqrt(variance));

		cut = c >= 1 ? (size_t)c : 1;
		shift.low_ns = d[cut - 1];
		shift.high_ns = d[pairs - cut];
	}
	free(d);
	*out = shift;
	return 0;
}

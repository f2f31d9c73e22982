// SPDX-License-Identifier: BSD-2-Clause
/* Fisher's exact test and the Hodges-Lehmann shift. Owns no data. */
#include "analysis/diff_stats.h"

#include <math.h>
#include <stdlib.h>

#include "core/err.h"

/* lgamma() itself tells the sign in a variable that all threads share. */
static double ln_gamma(double x)
{
	int sign;

	return lgamma_r(x, &sign);
}

/* ln of the hypergeometric probability of a in the first cell. */
static double ln_table(unsigned a, unsigned b, unsigned c, unsigned d)
{
	return ln_gamma(a + b + 1.) + ln_gamma(c + d + 1.) + ln_gamma(a + c + 1.) +
	       ln_gamma(b + d + 1.) - ln_gamma(a + 1.) - ln_gamma(b + 1.) - ln_gamma(c + 1.) -
	       ln_gamma(d + 1.) - ln_gamma((double)a + b + c + d + 1);
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

/* --- the shift -------------------------------------------------------------------------------- */

static void swap(int64_t *a, int64_t *b)
{
	int64_t x = *a;

	*a = *b;
	*b = x;
}

/* The middle one of three. */
static int64_t middle(int64_t a, int64_t b, int64_t c)
{
	return a < b ? (b < c ? b : a < c ? c : a) : (a < c ? a : b < c ? c : b);
}

static int compare_ns(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Puts the k-th smallest of d[0, n) in its place, smaller ones before it (C. A. R. Hoare, FIND,
 * 1961; in three parts, since delays repeat). What has not come close in 64 steps is sorted. */
static void select_ns(int64_t *d, size_t n, size_t k)
{
	size_t low = 0, high = n;

	for (unsigned steps = 0; high - low > 1; steps++) {
		int64_t pivot = middle(d[low], d[low + (high - low) / 2], d[high - 1]);
		size_t less = low, i = low, more = high;

		if (steps > 64) {
			qsort(&d[low], high - low, sizeof(*d), compare_ns);
			return;
		}
		while (i < more) {
			if (d[i] < pivot)
				swap(&d[i++], &d[less++]);
			else if (d[i] > pivot)
				swap(&d[i], &d[--more]);
			else
				i++;
		}
		if (k < less)
			high = less;
		else if (k >= more)
			low = more;
		else
			return;
	}
}

int64_t rtt_kth(int64_t *d, size_t n, size_t k)
{
	select_ns(d, n, k);
	return d[k];
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* How many samples of a side are used, at most `most`. */
static unsigned samples_most(const struct rtt_stratum *s, unsigned count)
{
	unsigned most = RTT_SAMPLES_MAX;

	for (; most > 1; most--) {
		size_t pairs = 0;

		for (unsigned i = 0; i < count; i++)
			pairs += (size_t)least(s[i].before_count, most) *
				 least(s[i].after_count, most);
		if (pairs <= RTT_PAIRS_MAX)
			break;
	}
	return most;
}

static int64_t sample(const int64_t *x, unsigned n, unsigned used, unsigned i)
{
	return x[(uint64_t)i * n / used];
}

/* In how many ways n and m can be ordered, as a logarithm. */
static double ln_ways(unsigned n, unsigned m)
{
	return ln_gamma(n + m + 1.) - ln_gamma(n + 1.) - ln_gamma(m + 1.);
}

static size_t fill_pairs(const struct rtt_stratum *s, unsigned count, unsigned most, int64_t *d)
{
	size_t at = 0;

	for (unsigned i = 0; i < count; i++) {
		unsigned n = least(s[i].before_count, most), m = least(s[i].after_count, most);

		for (unsigned k = 0; n > 0 && k < m; k++) {
			for (unsigned j = 0; j < n; j++)
				d[at++] = sample(s[i].after, s[i].after_count, m, k) -
					  sample(s[i].before, s[i].before_count, n, j);
		}
	}
	return at;
}

int rtt_shift_of(const struct rtt_stratum *s, unsigned count, struct rtt_shift *out)
{
	unsigned most = samples_most(s, count);
	struct rtt_shift shift = {0};
	double mean = 0, variance = 0, ways = 0;
	size_t pairs = 0;
	int64_t *d;

	for (unsigned i = 0; i < count; i++) {
		double n = least(s[i].before_count, most), m = least(s[i].after_count, most);

		pairs += (size_t)(n * m);
		mean += n * m / 2;
		variance += n * m * (n + m + 1) / 12;
		if (n > 0 && m > 0)
			ways += ln_ways((unsigned)n, (unsigned)m);
	}
	if (pairs == 0) {
		*out = shift;
		return 0;
	}
	d = malloc(pairs * sizeof(*d));
	if (d == NULL)
		return BP_ENOMEM;
	fill_pairs(s, count, most, d);
	shift.estimate_ns = rtt_kth(d, pairs, pairs / 2);
	if (pairs % 2 == 0)
		shift.estimate_ns = rtt_kth(d, pairs, pairs / 2 - 1) / 2 + shift.estimate_ns / 2;
	shift.low_ns = shift.high_ns = shift.estimate_ns;
	/* Two-sided: the most extreme order and its mirror. */
	shift.enough = log(2) - ways <= log(.05) + 1e-9;
	if (shift.enough) {
		double c = floor(mean - 1.959964 * sqrt(variance));
		size_t cut = c >= 1 ? (size_t)c : 1;

		shift.low_ns = rtt_kth(d, pairs, cut - 1);
		shift.high_ns = rtt_kth(d, pairs, pairs - cut);
	}
	free(d);
	*out = shift;
	return 0;
}

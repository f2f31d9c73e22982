// SPDX-License-Identifier: BSD-2-Clause
/*
 * The two tests behind "changed": Fisher's exact test on counts, and a rank-based interval for the
 * shift of delays, stratified by target. Pure arithmetic; knows no trace.
 */
#ifndef ANALYSIS_DIFF_STATS_H
#define ANALYSIS_DIFF_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Two-sided p of the 2x2 table {a, b; c, d}: the probability, margins fixed, of a table as unlikely
 * as this or more (R. A. Fisher, 1922). 1 when a margin is empty. */
double fisher_p(unsigned a, unsigned b, unsigned c, unsigned d);

/* The k-th smallest (from 0) of n values, k < n; d is put into another order. */
int64_t rtt_kth(int64_t *d, size_t n, size_t k);

/* Delays of one target, both sides, each in order of size. Borrowed. */
struct rtt_stratum {
	const int64_t *before, *after;
	unsigned before_count, after_count;
};

/*
 * All pairs of a stratum are looked at, up to these bounds: of a side of one stratum so many
 * samples, of all strata together so many pairs (2 MB; more where there are more strata than that).
 * Beyond, each side of each stratum is thinned to what fits, at even steps through its order
 * (quantiles): the same samples always give the same numbers, and the interval is that of the
 * samples used, so wider than that of all.
 */
enum { RTT_SAMPLES_MAX = 300, RTT_PAIRS_MAX = 250000 };

struct rtt_shift {
	int64_t estimate_ns, low_ns, high_ns;
	/* A 95 % interval exists: the most extreme order of all samples within their targets is
	 * rarer than 1 in 20. 4 and 4 of one target, or 3 and 5; 1 and 1 of each of six. */
	bool enough;
};

/* Hodges-Lehmann estimate of after - before and the interval that inverts the Wilcoxon rank-sum
 * test (Hollander, Wolfe: Nonparametric Statistical Methods, 4.2, 4.3), pairs formed within a
 * stratum only. BP_ENOMEM. No pairs: zeros, not enough. */
int rtt_shift_of(const struct rtt_stratum *s, unsigned count, struct rtt_shift *out);

#endif

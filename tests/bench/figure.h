// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the microbenchmarks share: a figure is one value for each of FIGURE_ROUNDS rounds, told as
 * its median with the fastest and the slowest beside it.
 */
#ifndef BENCH_FIGURE_H
#define BENCH_FIGURE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { FIGURE_ROUNDS = 9 };

struct figure {
	double ns[FIGURE_ROUNDS];
	unsigned n;
};

static inline int figure_order(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Processor time of this thread: what others ran meanwhile is no part of a figure. */
static inline int64_t figure_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* One round: `times` operations took ns together. */
static inline void figure_add(struct figure *f, int64_t ns, uint64_t times)
{
	f->ns[f->n++] = (double)ns / (double)times;
}

/* A line "name median_ns min_ns max_ns", tabs between. */
static inline void figure_tell(struct figure *f, const char *name)
{
	qsort(f->ns, f->n, sizeof(f->ns[0]), figure_order);
	printf("%s\t%.1f\t%.1f\t%.1f\n", name, f->ns[f->n / 2], f->ns[0], f->ns[f->n - 1]);
	fflush(stdout);
}

#endif

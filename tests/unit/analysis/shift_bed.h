// SPDX-License-Identifier: BSD-2-Clause
/*
 * Series for the tests of shifts: made of pieces, by a seed.
 */
#ifndef TESTS_SHIFT_BED_H
#define TESTS_SHIFT_BED_H

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <math.h>
#include <stdlib.h>

#include "analysis/shift.h"

#define BED_START (INT64_C(1795341600) * NS_PER_S) /* 2026-11-22 10:00 UTC */
#define BED_MINUTE (60 * NS_PER_S)

struct bed {
	uint64_t random;
	struct wall *at;
	int64_t *rtt_ns;
	size_t n, size;
	int64_t step_ns;  /* from one point to the next */
};

static inline void bed_init(struct bed *b, uint64_t seed, size_t size)
{
	*b = (struct bed){.random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1, .size = size,
			  .step_ns = 15 * BED_MINUTE};
	b->at = calloc(size, sizeof(*b->at));
	b->rtt_ns = calloc(size, sizeof(*b->rtt_ns));
	assert_true(b->at != NULL && b->rtt_ns != NULL);
}

static inline void bed_fini(struct bed *b)
{
	free(b->at);
	free(b->rtt_ns);
}

/* xorshift64*: 0 to 1, never 1. */
static inline double bed_even(struct bed *b)
{
	b->random ^= b->random >> 12;
	b->random ^= b->random << 25;
	b->random ^= b->random >> 27;
	return (double)(b->random * UINT64_C(2685821657736338717) >> 11) / 9007199254740992.0;
}

/* Queues: mostly little, at times much. */
static inline double bed_queue(struct bed *b)
{
	return -log(1 - bed_even(b));
}

/* One point; ms below zero is lost. */
static inline void bed_put(struct bed *b, double ms)
{
	assert_true(b->n < b->size);
	b->at[b->n].ns = BED_START + (int64_t)b->n * b->step_ns;
	b->rtt_ns[b->n++] = ms < 0 ? SHIFT_LOST : (int64_t)(ms * 1e6);
}

/* n points of a level with queues of `noise` ms. */
static inline void bed_level(struct bed *b, unsigned n, double ms, double noise)
{
	while (n-- > 0)
		bed_put(b, ms + noise * bed_queue(b));
}

static inline void bed_lost(struct bed *b, unsigned n)
{
	while (n-- > 0)
		bed_put(b, -1);
}

/* --- the detector ----------------------------------------------------------------------------- */

static struct shift_scratch *scratch;

static inline int setup(void **state)
{
	(void)state;
	scratch = shift_scratch_new();
	return scratch != NULL ? 0 : -1;
}

static inline int teardown(void **state)
{
	(void)state;
	shift_scratch_free(scratch);
	return 0;
}

static inline void detect(const struct bed *b, enum shift_setting setting, struct shift_list *out)
{
	shift_list_clear(out);
	assert_int_equal(shift_detect(scratch, setting, b->at, b->rtt_ns, b->n, out), 0);
}

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * A Viterbi search over levels and noise scales, in 16-bit costs, eight states at a time. A move
 * always comes from the cheapest state of the point before; so each state keeps only where its
 * level began, each point only where the cheapest one's did, and the way back needs no matrix.
 */
#include "analysis/shift_levels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/diff_stats.h"
#include "core/clock.h"

enum {
	SCALES = 3,       /* 1, SCALE_STEP, SCALE_STEP^2 times the noise: a level may be restless */
	LANES = 8,
	PHASES = 8,       /* positions of a point between two levels that the tables know */
	REACH = 1024,     /* levels that a point may lie away from another */
	UNIT = 120,       /* of a cost in 16 bits */
	STEPS_A_NOISE = 2 /* levels lie half a noise apart */
};
#define SCALE_STEP 6.0
#define SCALE_PRICE 2.0  /* a point of a scale costs SCALE_PRICE ln(scale) */
#define RESTLESS 3.0     /* the noise is so many standard deviations of the differences */
#define LEAST_PART 0.005 /* ... and at least this part of the RTT */

typedef int16_t lanes __attribute__((vector_size(LANES * sizeof(int16_t))));
typedef int16_t lanes_anywhere __attribute__((vector_size(LANES * sizeof(int16_t)), aligned(2),
					      may_alias));

/* The dearest state costs a move (at most 8 points' worth), a point, and its scale's price. */
_Static_assert(UNIT * (8 + 1 + 1) * 25 <= INT16_MAX, "costs fit");

struct levels {
	/* What a point costs at the level so many steps above or below it. */
	int16_t costs[SCALES][PHASES][2 * REACH + LEVELS_MAX];
	lanes cost[SCALES * LEVELS_MAX / LANES];
	lanes began[SCALES * LEVELS_MAX / LANES];  /* the point where the state's level began */
	int16_t cheapest_began[LEVELS_WINDOW];
};

/* r noises away: near the level the square of it, far away at most LEVELS_COST_MAX. */
static double point_cost(double r)
{
	return r * r * LEVELS_COST_MAX / (r * r + LEVELS_COST_MAX);
}

static void fill_costs(struct levels *l)
{
	double scale = 1;

	for (unsigned k = 0; k < SCALES; k++, scale *= SCALE_STEP) {
		for (unsigned p = 0; p < PHASES; p++) {
			for (int i = 0; i < 2 * REACH + LEVELS_MAX; i++) {
				double steps = i - REACH - p / (double)PHASES;
				double cost = point_cost(steps / STEPS_A_NOISE / scale) +
					      SCALE_PRICE * log(scale);

				l->costs[k][p][i] = (int16_t)lround(cost * UNIT);
			}
		}
	}
}

struct levels *levels_new(void)
{
	struct levels *l = aligned_alloc(_Alignof(struct levels), sizeof(*l));

	if (l == NULL)
		return NULL;
	memset(l, 0, sizeof(*l));
	fill_costs(l);
	return l;
}

void levels_free(struct levels *l)
{
	free(l);
}

/* --- the noise -------------------------------------------------------------------------------- */

/* What the values were rounded to: the least step between neighbours, where at least one step in
 * seven is exactly that. 0 where nothing was rounded that far. */
static int64_t resolution_ns(const int64_t *steps, unsigned n)
{
	int64_t least = INT64_MAX;
	unsigned count = 0;

	for (unsigned i = 0; i < n; i++) {
		if (steps[i] > 0 && steps[i] < least) {
			least = steps[i];
			count = 0;
		}
		count += steps[i] == least;
	}
	return count >= 3 && count * 7 >= n ? least : 0;
}

int64_t levels_noise_ns(const int64_t *x, unsigned n, int64_t *room)
{
	int64_t noise = NS_PER_MS, typical, rounded;
	double deviation, part;

	if (n < 2)
		return noise;
	memcpy(room, x, n * sizeof(*x));
	part = LEAST_PART * (double)rtt_kth(room, n, n / 2);
	for (unsigned i = 1; i < n; i++)
		room[i - 1] = llabs(x[i] - x[i - 1]);
	rounded = resolution_ns(room, n - 1);
	typical = rtt_kth(room, n - 1, (n - 2) * 3 / 5);
	/* Three in five differences of a normal deviate are within 0.8416 of their deviation, which
	 * is that of a point times the root of two. Not half of them: of a path that answers by two
	 * ways in turn, half may be 0. */
	deviation = (double)typical / 0.8416 / M_SQRT2;
	if (noise < (int64_t)(RESTLESS * deviation))
		noise = (int64_t)(RESTLESS * deviation);
	if (noise < (int64_t)part)
		noise = (int64_t)part;
	return noise < rounded ? rounded : noise;
}

/* --- the search ------------------------------------------------------------------------------- */

static int64_t middle(int64_t a, int64_t b, int64_t c)
{
	return a < b ? (b < c ? b : a < c ? c : a) : (a < c ? a : b < c ? c : b);
}

/* The grid need not reach what single points reach. */
static void span(const int64_t *x, unsigned n, int64_t *low, int64_t *high)
{
	*low = *high = n > 2 ? middle(x[0], x[1], x[2]) : x[0];
	for (unsigned i = 2; i + 1 < n; i++) {
		int64_t m = middle(x[i - 1], x[i], x[i + 1]);

		*low = m < *low ? m : *low;
		*high = m > *high ? m : *high;
	}
}

static lanes lanes_of(int v)
{
	int16_t x = (int16_t)v;

	return (lanes){x, x, x, x, x, x, x, x};
}

/* The least cost so far with where its level began, lane by lane. */
struct best { lanes cost, began; };

/* One scale's levels take the point t; a state costs at most `most`, which is a move here. */
static void take_point(lanes *cost, lanes *began, unsigned count, const int16_t *point, lanes least,
		       lanes most, lanes t, struct best *best)
{
	for (unsigned i = 0; i < count; i++) {
		lanes c = cost[i] - least, b = began[i];
		lanes moves = c > most, better;

		c = (c & ~moves) | (most & moves);
		b = (b & ~moves) | (t & moves);
		c += *(const lanes_anywhere *)(const void *)(point + (size_t)i * LANES);
		cost[i] = c;
		began[i] = b;
		better = c < best->cost;
		best->cost = (c & better) | (best->cost & ~better);
		best->began = (b & better) | (best->began & ~better);
	}
}

/* Of equals the one whose level is oldest. */
static void conclude(const struct best *best, int *cost, int *began)
{
	*cost = INT16_MAX;
	*began = 0;
	for (unsigned i = 0; i < LANES; i++) {
		if (best->cost[i] < *cost || (best->cost[i] == *cost && best->began[i] < *began)) {
			*cost = best->cost[i];
			*began = best->began[i];
		}
	}
}

static void search(struct levels *l, const int64_t *x, unsigned n, int64_t low, double step,
		   unsigned count, int move)
{
	int least = 0, began;

	memset(l->cost, 0, sizeof(l->cost));
	memset(l->began, 0, sizeof(l->began));
	for (unsigned t = 0; t < n; t++) {
		double at = (double)(x[t] - low) / step;
		int eighths = (int)lround(fmin(fmax(at, -REACH / 2), REACH - 1) * PHASES);
		/* Rounded down, for values below the grid too. */
		int whole = (eighths + REACH * PHASES) / PHASES - REACH;
		int phase = eighths - whole * PHASES;
		struct best best = {lanes_of(INT16_MAX), lanes_of(0)};

		for (unsigned k = 0; k < SCALES; k++)
			take_point(&l->cost[k * count], &l->began[k * count], count,
				   &l->costs[k][phase][REACH - whole], lanes_of(least),
				   lanes_of(move), lanes_of((int)t), &best);
		conclude(&best, &least, &began);
		l->cheapest_began[t] = (int16_t)began;
	}
}

unsigned levels_borders(struct levels *l, const int64_t *x, unsigned n, int64_t noise_ns,
			double move, unsigned *borders)
{
	double step = (double)noise_ns / STEPS_A_NOISE;
	int64_t low, high;
	unsigned groups, count = 0;

	if (n < 2)
		return 0;
	span(x, n, &low, &high);
	/* A wider grid is a coarser one. */
	if ((double)(high - low) > step * (LEVELS_MAX - 1))
		step = (double)(high - low) / (LEVELS_MAX - 1);
	groups = (unsigned)(ceil((double)(high - low) / step) + 1 + LANES - 1) / LANES;
	if (groups > LEVELS_MAX / LANES)
		groups = LEVELS_MAX / LANES;
	search(l, x, n, low, step, groups, (int)lround(move * LEVELS_COST_MAX * UNIT));
	for (int t = l->cheapest_began[n - 1]; t > 0; t = l->cheapest_began[t - 1])
		borders[count++] = (unsigned)t;
	for (unsigned i = 0; i < count / 2; i++) {
		unsigned swap = borders[i];

		borders[i] = borders[count - 1 - i];
		borders[count - 1 - i] = swap;
	}
	return count;
}

double levels_side_cost(const int64_t *x, unsigned n, int64_t level_ns, int64_t noise_ns)
{
	double best = INFINITY, scale = 1;

	for (unsigned k = 0; k < SCALES; k++, scale *= SCALE_STEP) {
		double cost = n * SCALE_PRICE * log(scale), noise = (double)noise_ns * scale;

		for (unsigned i = 0; i < n; i++)
			cost += point_cost((double)(x[i] - level_ns) / noise);
		best = fmin(best, cost);
	}
	return best;
}

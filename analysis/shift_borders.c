// SPDX-License-Identifier: BSD-2-Clause
/* Which borders are shifts, and the numbers told of one. Owns no data. */
#include "analysis/shift_borders.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/diff_stats.h"
#include "analysis/shift_levels.h"

/* Points that an excursion has to last to be two shifts. 8 is what "sustained" says. Of a short
 * series a sixth will do, since nobody has more of it. */
#define EXCURSION_SUSTAINED 8.0
#define EXCURSION_LEAST 3.0
#define EXCURSION_PART 6.0
/* What is less sure is nobody's alarm. */
#define CONFIDENCE_SUSTAINED 0.3
enum { POINTS_ENOUGH = 5 };  /* on the open side of a series, where more are to come */
/* What has lasted for fewer points than a sustained level has to be plain: this part of the RTT. */
#define PLAIN_PART 0.08

struct shift_rule shift_rule_of(enum shift_setting setting, unsigned n)
{
	double excursion = setting == SHIFT_SENSITIVE ? EXCURSION_LEAST : EXCURSION_SUSTAINED;

	excursion = fmax(fmin(excursion, n / EXCURSION_PART), EXCURSION_LEAST);
	return (struct shift_rule){
		/* As in Schwarz's criterion, what there are more places for costs more: by ln n. */
		.move = excursion / 2 * log(n + 1.) / log(LEVELS_WINDOW + 1.),
		.points = (unsigned)fmin(excursion, POINTS_ENOUGH),
		.least_ns = NS_PER_MS,
		.confidence = setting == SHIFT_SENSITIVE ? 0 : CONFIDENCE_SUSTAINED,
	};
}

/* The points of the two levels at a border: [from, at) and [at, to). */
struct sides { unsigned from, at, to; };

static struct sides sides_of(const struct shift_window *w, const unsigned *borders, unsigned count,
			     unsigned i)
{
	struct sides s = {.from = i > 0 ? borders[i - 1] : 0, .at = borders[i],
			  .to = i + 1 < count ? borders[i + 1] : w->n};

	if (s.at - s.from > SHIFT_LEVEL)
		s.from = s.at - SHIFT_LEVEL;
	if (s.to - s.at > SHIFT_LEVEL)
		s.to = s.at + SHIFT_LEVEL;
	return s;
}

/* The mean of the two in the middle, of an even number. */
static int64_t median_ns(const struct shift_window *w, unsigned from, unsigned to, int64_t *room)
{
	unsigned n = to - from;
	int64_t high;

	memcpy(room, w->rtt_ns + from, n * sizeof(*room));
	high = rtt_kth(room, n, n / 2);
	if (n % 2 == 1)
		return high;
	/* What lies before the k-th is smaller, and the largest of it the other one. */
	return high / 2 + rtt_kth(room, n / 2, n / 2 - 1) / 2;
}

/* --- a ramp ----------------------------------------------------------------------------------- */

/* A swell is followed by small steps, and each looks like a border. So a border is held against a
 * straight line from `left` points before it to `right` after, between the medians of up to five
 * points at each end: where the line's distances add up to less than the step's, nothing moved at
 * once. */
static bool is_ramp(const struct shift_window *w, struct sides s, unsigned left, unsigned right,
		    int64_t *room)
{
	unsigned a = s.at - left, b = s.at + right - 1;
	unsigned a_from = a > s.from + 2 ? a - 2 : s.from, a_to = a + 3 < s.at ? a + 3 : s.at;
	unsigned b_from = b > s.at + 2 ? b - 2 : s.at, b_to = b + 3 < s.to ? b + 3 : s.to;
	double start = (double)median_ns(w, a_from, a_to, room);
	double rise = (double)median_ns(w, b_from, b_to, room) - start;
	double before = (double)median_ns(w, a, s.at, room);
	double after = (double)median_ns(w, s.at, b + 1, room);
	double line = 0, step = 0;

	for (unsigned i = a; i <= b; i++) {
		double x = (double)w->rtt_ns[i];

		line += fabs(x - start - rise * (i - a) / (b - a));
		step += fabs(x - (i < s.at ? before : after));
	}
	return line < step;
}

/* --- which are kept --------------------------------------------------------------------------- */

/* Under 1: no shift, the less the weaker. */
static double strength(const struct shift_window *w, const struct shift_rule *rule,
		       const unsigned *borders, unsigned count, unsigned i, int64_t *room)
{
	static const unsigned reaches[] = {8, 16};
	struct sides s = sides_of(w, borders, count, i);
	unsigned left = s.at - s.from, right = s.to - s.at;
	unsigned fewer = left < right ? left : right;
	int64_t before = median_ns(w, s.from, s.at, room), after = median_ns(w, s.at, s.to, room);
	double least = (double)rule->least_ns, part;

	if (fewer < (unsigned)EXCURSION_SUSTAINED)
		least = fmax(least, PLAIN_PART * (double)(before < after ? before : after));
	part = (double)llabs(after - before) / least;
	/* The shortest and the lowest steps go first: what is left beside them is then longer. */
	if (fewer < rule->points)
		return fmin(part * 1e-6 * fewer, .5);
	for (unsigned r = 0; r < 2; r++) {
		unsigned l = left < reaches[r] ? left : reaches[r];

		if (is_ramp(w, s, l, right < reaches[r] ? right : reaches[r], room))
			return fmin(part, .99);
	}
	return part;
}

unsigned shift_borders_keep(const struct shift_window *w, const struct shift_rule *rule,
			    unsigned *borders, unsigned count, int64_t *room, double *weak)
{
	for (unsigned i = 0; i < count; i++)
		weak[i] = strength(w, rule, borders, count, i, room);
	while (count > 0) {
		unsigned least = 0;

		for (unsigned i = 1; i < count; i++)
			least = weak[i] < weak[least] ? i : least;
		if (weak[least] >= 1)
			break;
		count--;
		memmove(&borders[least], &borders[least + 1], (count - least) * sizeof(*borders));
		memmove(&weak[least], &weak[least + 1], (count - least) * sizeof(*weak));
		if (least > 0)
			weak[least - 1] = strength(w, rule, borders, count, least - 1, room);
		if (least < count)
			weak[least] = strength(w, rule, borders, count, least, room);
	}
	return count;
}

/* --- every day -------------------------------------------------------------------------------- */

#define DAY_NS (INT64_C(86400) * NS_PER_S)
#define HALF_HOUR_NS (INT64_C(1800) * NS_PER_S)
enum {
	DAYS_LEAST = 3,    /* other days with the same move */
	DAYS_MOST = 64,    /* a window longer than that is none of rounds */
	DAY_POINTS = 8,    /* that tell a level at a time of day, at most */
	DAY_HALF_HOURS = 3 /* around that time */
};

/* The first point not before t. */
static unsigned point_at(const struct shift_window *w, int64_t t)
{
	unsigned low = 0, high = w->n;

	while (low < high) {
		unsigned mid = low + (high - low) / 2;

		if (w->points[mid].at_ns < t)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* At least a third of the move, the same way, around that time. */
static bool moves_at(const struct shift_window *w, int64_t when, int64_t size, int64_t *room)
{
	for (int h = -DAY_HALF_HOURS; h <= DAY_HALF_HOURS; h++) {
		unsigned at = point_at(w, when + h * HALF_HOUR_NS);
		unsigned from = at > DAY_POINTS ? at - DAY_POINTS : 0;
		unsigned to = at + DAY_POINTS < w->n ? at + DAY_POINTS : w->n;
		int64_t moved;

		if (from == at || at == to)
			continue;
		moved = median_ns(w, at, to, room) - median_ns(w, from, at, room);
		if (size > 0 ? moved >= size / 3 : moved <= size / 3)
			return true;
	}
	return false;
}

static bool is_daily(const struct shift_window *w, struct sides s, int64_t *room)
{
	int64_t first = w->points[0].at_ns, last = w->points[w->n - 1].at_ns;
	int64_t at = w->points[s.at].at_ns;
	int64_t size = median_ns(w, s.at, s.to, room) - median_ns(w, s.from, s.at, room);
	unsigned days = 0, seen = 0;

	if (last - first > DAYS_MOST * DAY_NS)
		return false;
	for (int64_t t = at - (at - first) / DAY_NS * DAY_NS; t <= last; t += DAY_NS) {
		if (t == at)
			continue;
		days++;
		seen += moves_at(w, t, size, room);
	}
	/* Weekdays are enough. */
	return seen >= DAYS_LEAST && seen * 3 >= days * 2;
}

void shift_borders_daily(const struct shift_window *w, const unsigned *borders, unsigned count,
			 bool *daily, int64_t *room)
{
	for (unsigned i = 0; i < count; i++)
		daily[i] = is_daily(w, sides_of(w, borders, count, i), room);
}

/* --- what is told ----------------------------------------------------------------------------- */

static int compare_ns(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Two-sided, of the rank sum, normal approximation with ties and continuity (Hollander, Wolfe:
 * Nonparametric Statistical Methods, 4.1). Both in order of size. */
static double rank_sum_p(const int64_t *a, unsigned n, const int64_t *b, unsigned m)
{
	double both = n + m, u = 0, ties = 0, variance, z;
	unsigned i = 0, j = 0;

	while (i < n || j < m) {
		int64_t v = j >= m || (i < n && a[i] < b[j]) ? a[i] : b[j];
		unsigned same_a = 0, same_b = 0;
		double same;

		for (; i < n && a[i] == v; i++)
			same_a++;
		/* The pairs in which b's is larger; equal ones are half. */
		for (; j < m && b[j] == v; j++)
			same_b++;
		u += same_b * (i - same_a + same_a / 2.);
		same = same_a + same_b;
		ties += same * same * same - same;
	}
	variance = n * (double)m / 12 * (both + 1 - ties / (both * (both - 1)));
	if (variance <= 0)
		return 1;
	z = fmax(fabs(u - n * (double)m / 2) - .5, 0) / sqrt(variance);
	return erfc(z / M_SQRT2);
}

/* By how much the points of both sides cost less at their own levels than at one for both. Each
 * side at the scale that suits it, so that a change of restlessness alone gains nothing. */
static double gain(const struct shift_window *w, struct sides s, const struct shift *shift,
		   int64_t *room)
{
	const int64_t *before = w->rtt_ns + s.from, *after = w->rtt_ns + s.at;
	unsigned n = s.at - s.from, m = s.to - s.at;
	int64_t common = median_ns(w, s.from, s.to, room);
	double one = levels_side_cost(before, n, common, w->noise_ns) +
		     levels_side_cost(after, m, common, w->noise_ns);
	double two = levels_side_cost(before, n, shift->before_ns, w->noise_ns) +
		     levels_side_cost(after, m, shift->after_ns, w->noise_ns);

	return fmax(one - two, 0);
}

/* How often a shift of such a gain is a labelled one, in the training part (doc/shifts.md). */
#define GAIN_EVEN 30.0

int shift_borders_tell(const struct shift_window *w, const unsigned *borders, unsigned count,
		       unsigned i, struct shift *out)
{
	struct sides s = sides_of(w, borders, count, i);
	const struct shift_point *old = &w->points[s.at - 1], *new = &w->points[s.at];
	int64_t room[2 * SHIFT_LEVEL], before[SHIFT_LEVEL], after[SHIFT_LEVEL];
	struct rtt_stratum stratum = {.before = before, .after = after,
				      .before_count = s.at - s.from, .after_count = s.to - s.at};
	struct shift shift = {
		.index = new->index, .last_index = old->index,
		/* A clock may have been put back between the two. */
		.not_before = {old->at_ns < new->at_ns ? old->at_ns : new->at_ns},
		.not_after = {old->at_ns < new->at_ns ? new->at_ns : old->at_ns},
		.before_ns = median_ns(w, s.from, s.at, room),
		.after_ns = median_ns(w, s.at, s.to, room),
		.before_count = stratum.before_count, .after_count = stratum.after_count,
	};
	struct rtt_shift size;
	double gained;
	int rc;

	memcpy(before, w->rtt_ns + s.from, stratum.before_count * sizeof(*before));
	memcpy(after, w->rtt_ns + s.at, stratum.after_count * sizeof(*after));
	qsort(before, stratum.before_count, sizeof(*before), compare_ns);
	qsort(after, stratum.after_count, sizeof(*after), compare_ns);
	rc = rtt_shift_of(&stratum, 1, &size);
	if (rc < 0)
		return rc;
	shift.shift_ns = size.estimate_ns;
	shift.low_ns = size.low_ns;
	shift.high_ns = size.high_ns;
	shift.interval_known = size.enough;
	shift.p = rank_sum_p(before, stratum.before_count, after, stratum.after_count);
	gained = gain(w, s, &shift, room);
	shift.confidence = gained / (gained + GAIN_EVEN);
	*out = shift;
	return 0;
}

// SPDX-License-Identifier: BSD-2-Clause
/* Where on the path a shift arises: what the last outside hop did, round by round. */
#include <stdlib.h>

#include "analysis/diff_stats.h"
#include "analysis/shift.h"
#include "core/err.h"
#include "core/text.h"

enum { ROUNDS_LEAST = 4 };  /* on each side, for an interval (rtt_shift_of) */

/* The rounds of the two levels: before in [from, at), after in [at, to). */
struct rounds { size_t from, at, to; };

/* What is looked at, round by round; INT64_MIN where it cannot be told. */
typedef int64_t series(const struct shift_path *path, size_t i);

static int64_t outside(const struct shift_path *path, size_t i)
{
	return path->outside_ns[i] < 0 ? INT64_MIN : path->outside_ns[i];
}

/* Differences are below zero at times: a router answers later than what lies behind it. */
static int64_t apart(int64_t further, int64_t nearer)
{
	return further < 0 || nearer < 0 ? INT64_MIN : further - nearer;
}

static int64_t past_outside(const struct shift_path *path, size_t i)
{
	return apart(path->target_ns[i], path->outside_ns[i]);
}

static int64_t crossing(const struct shift_path *path, size_t i)
{
	return apart(path->inside_ns[i], path->outside_ns[i]);
}

static int64_t past_crossing(const struct shift_path *path, size_t i)
{
	return apart(path->target_ns[i], path->inside_ns[i]);
}

/* The rounds next to the shift, no further than its levels reach. */
static bool rounds_of(const struct shift *s, const struct shift_path *path, uint64_t first,
		      struct rounds *out)
{
	unsigned before = 0, after = 0;
	struct rounds r;

	if (s->index <= first || s->index - first >= path->n)
		return false;
	r.at = r.from = r.to = (size_t)(s->index - first);
	while (r.from > 0 && r.at - r.from < SHIFT_WHERE_ROUNDS && before < s->before_count)
		before += path->target_ns[--r.from] >= 0;
	while (r.to < path->n && r.to - r.at < SHIFT_WHERE_ROUNDS && after < s->after_count)
		after += path->target_ns[r.to++] >= 0;
	*out = r;
	return true;
}

static int compare_ns(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static unsigned gather(const struct shift_path *path, series *of, size_t from, size_t to,
		       int64_t *out)
{
	unsigned n = 0;

	for (size_t i = from; i < to; i++) {
		int64_t v = of(path, i);

		if (v != INT64_MIN)
			out[n++] = v;
	}
	qsort(out, n, sizeof(*out), compare_ns);
	return n;
}

enum part { PART_UNKNOWN, PART_NONE, PART_ALL };

/* How much of the shift a series made: less than a third of it, more than two thirds, or neither
 * clearly. */
static int part_of(const struct shift *s, const struct shift_path *path, series *of,
		   struct rounds r, enum part *out)
{
	int64_t before[SHIFT_WHERE_ROUNDS], after[SHIFT_WHERE_ROUNDS];
	struct rtt_stratum stratum = {.before = before, .after = after};
	struct rtt_shift moved;
	double part;
	int rc;

	stratum.before_count = gather(path, of, r.from, r.at, before);
	stratum.after_count = gather(path, of, r.at, r.to, after);
	*out = PART_UNKNOWN;
	if (stratum.before_count < ROUNDS_LEAST || stratum.after_count < ROUNDS_LEAST ||
	    s->shift_ns == 0)
		return 0;
	rc = rtt_shift_of(&stratum, 1, &moved);
	if (rc < 0)
		return rc;
	part = (double)moved.estimate_ns / (double)s->shift_ns;
	if (part < 1 / 3.)
		*out = PART_NONE;
	/* Unless it may as well be nothing: its interval reaches over zero. */
	else if (part > 2 / 3. && (moved.low_ns > 0 || moved.high_ns < 0))
		*out = PART_ALL;
	return 0;
}

/* Who answered in more than half of the rounds that were; 0 when nobody did. */
static uint64_t usual(const struct shift_path *path, size_t from, size_t to)
{
	uint64_t who = 0;
	size_t lead = 0, times = 0, heard = 0;

	/* Boyer and Moore's majority vote. */
	for (size_t i = from; i < to; i++) {
		if (path->outside_id[i] == 0)
			continue;
		if (lead == 0)
			who = path->outside_id[i];
		lead += path->outside_id[i] == who ? 1 : (size_t)-1;
	}
	for (size_t i = from; i < to; i++) {
		heard += path->outside_id[i] != 0;
		times += path->outside_id[i] == who;
	}
	return times >= ROUNDS_LEAST && times * 2 > heard ? who : 0;
}

static bool is_another(const struct shift_path *path, struct rounds r)
{
	uint64_t old, new;

	if (path->outside_id == NULL)
		return false;
	old = usual(path, r.from, r.at);
	new = usual(path, r.at, r.to);
	return old != 0 && new != 0 && old != new;
}

/* Past the last outside hop, that is: on the crossing, or behind it. */
static int split_past(const struct shift *s, const struct shift_path *path, struct rounds r,
		      enum shift_where *out)
{
	enum part across, behind;
	int rc;

	*out = SHIFT_WHERE_INSIDE;
	if (path->inside_ns == NULL)
		return 0;
	rc = part_of(s, path, crossing, r, &across);
	if (rc == 0)
		rc = part_of(s, path, past_crossing, r, &behind);
	if (rc == 0 && across == PART_ALL && behind == PART_NONE)
		*out = SHIFT_WHERE_BORDER;
	return rc;
}

int shift_where(const struct shift *s, const struct shift_path *path, uint64_t first,
		enum shift_where *out)
{
	enum shift_where where = SHIFT_WHERE_UNKNOWN;
	enum part before, past;
	struct rounds r;
	int rc;

	if (!rounds_of(s, path, first, &r)) {
		*out = where;
		return 0;
	}
	if (is_another(path, r)) {
		*out = SHIFT_WHERE_BORDER;
		return 0;
	}
	rc = part_of(s, path, outside, r, &before);
	if (rc == 0)
		rc = part_of(s, path, past_outside, r, &past);
	if (rc == 0 && before == PART_ALL && past == PART_NONE)
		where = SHIFT_WHERE_ON_THE_WAY;
	else if (rc == 0 && before == PART_NONE && past == PART_ALL)
		rc = split_past(s, path, r, &where);
	if (rc == 0)
		*out = where;
	return rc;
}

const char *shift_where_word(enum shift_where where)
{
	static const struct word words[] = {
		{"on_the_way", SHIFT_WHERE_ON_THE_WAY},
		{"border", SHIFT_WHERE_BORDER},
		{"inside", SHIFT_WHERE_INSIDE},
		{NULL, 0},
	};

	return word_of(words, (int)where);
}

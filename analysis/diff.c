// SPDX-License-Identifier: BSD-2-Clause
/*
 * Two sets of judged traces, row by row: sides, the four comparisons. Paths are compared in
 * diff_path.c, numbers in diff_stats.c; diff_moves.c and diff_sum.c sum the rows up.
 */
#include "analysis/diff.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/diff_moves.h"
#include "analysis/diff_path.h"
#include "analysis/diff_set.h"
#include "analysis/diff_sight.h"
#include "analysis/diff_stats.h"
#include "analysis/diff_sum.h"
#include "core/err.h"

const struct word diff_change_words[] = {{"unknown", DIFF_UNKNOWN},
					 {"same", DIFF_SAME},
					 {"changed", DIFF_CHANGED},
					 {"too_few", DIFF_TOO_FEW},
					 {NULL, 0}};
const struct word diff_level_words[] = {
	{"none", DIFF_LEVEL_NONE}, {"hop", DIFF_LEVEL_HOP}, {"as", DIFF_LEVEL_AS}, {NULL, 0}};

static const double CHANCE = .05;
/* Two doubtful verdicts that differ are no switch: both at 0.86 give 0.78, at 0.6 about 0.55. */
static const double DIFFER_LEAST = .7;
/* A shift under either is no news, however sure: probes sent within one moment agree with each
 * other more than with the next hour, whose load they know nothing of. */
enum { SHIFT_LEAST_PERMILLE = 20 };
static const int64_t SHIFT_LEAST_NS = NS_PER_MS;

/* The items of one row, sorted by target, then side, then what they show. */
struct group {
	const struct diff_set *set;
	size_t first; /* its number in the set */
	unsigned count;
	const struct set_item **before, **after; /* room for count each, owned by the caller */
	unsigned before_count, after_count;
	struct sight_votes *votes;               /* likewise */
	uint32_t *verdicts;                      /* likewise: their numbers in the set */
	uint32_t *counts;                        /* of each verdict of the set; 0 between uses */
};

static const struct set_item *item_of(const struct group *g, unsigned i)
{
	return set_item(g->set, g->first + i);
}

/* --- one side -------------------------------------------------------------------------------- */

static int by_rank(const void *a, const void *b, void *arg)
{
	const uint32_t *rank = arg;
	uint32_t x = rank[*(const uint32_t *)a], y = rank[*(const uint32_t *)b];

	return (x > y) - (x < y);
}

/* Equal verdicts are one with so many votes; in the order of their ranks. */
static int side_verdict(const struct group *g, const struct set_item **items, unsigned n,
			struct diff_side *out)
{
	const struct diff_set *s = g->set;
	unsigned votes = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct set_sight *x = diff_intern_get(&s->sights, items[i]->sight);

		if (g->counts[x->verdict] == 0)
			g->verdicts[votes++] = x->verdict;
		g->counts[x->verdict] += items[i]->count;
	}
	qsort_r(g->verdicts, votes, sizeof(*g->verdicts), by_rank, s->verdict_rank);
	for (unsigned i = 0; i < votes; i++) {
		const struct sight_verdict *v = diff_intern_get(&s->verdicts, g->verdicts[i]);

		g->votes[i] = (struct sight_votes){v, g->counts[g->verdicts[i]]};
		out->decided += sight_decided(&v->v) ? g->votes[i].count : 0;
		g->counts[g->verdicts[i]] = 0;
	}
	return sight_judge(g->votes, votes, &out->verdict);
}

static int side_fill(const struct group *g, const struct set_item **items, unsigned n,
		     struct diff_side *out)
{
	out->rtt_min_ns = out->rtt_median_ns = -1;
	for (unsigned i = 0; i < n; i++) {
		const struct set_item *item = items[i];

		out->traces += item->count;
		if (item->reach < sizeof(out->reach) / sizeof(out->reach[0]))
			out->reach[item->reach] += item->count;
		if (item->first.ns == 0)
			continue;
		if (out->first.ns == 0 || item->first.ns < out->first.ns)
			out->first = item->first;
		if (item->last.ns > out->last.ns)
			out->last = item->last;
	}
	return n > 0 ? side_verdict(g, items, n, out) : 0;
}

/* --- the four comparisons -------------------------------------------------------------------- */

/* The chance that two verdicts, each with its doubts, mean different ways in. */
static double differ_p(const struct diff_verdict *x, const struct diff_verdict *y)
{
	double same = 0;

	for (unsigned i = 0; i < x->p_count; i++) {
		for (unsigned k = 0; k < y->p_count; k++) {
			if (strcmp(x->p[i].id, y->p[k].id) == 0)
				same += x->p[i].p * y->p[k].p;
		}
	}
	return 1 - same;
}

static enum diff_change compare_border(const struct diff_side *b, const struct diff_side *a)
{
	const struct diff_verdict *x = &b->verdict, *y = &a->verdict;

	if (!sight_decided(x) || !sight_decided(y))
		return DIFF_UNKNOWN;
	if (x->outcome == y->outcome && strcmp(x->border, y->border) == 0)
		return DIFF_SAME;
	/* From one border to a mixture or back: few flows may have missed what was there before. */
	if ((x->outcome == OUTCOME_MIXED) != (y->outcome == OUTCOME_MIXED)) {
		const struct diff_side *mixed = x->outcome == OUTCOME_MIXED ? b : a;
		const struct diff_side *pure = x->outcome == OUTCOME_MIXED ? a : b;
		const char *id = pure->verdict.outcome == OUTCOME_BORDER ? pure->verdict.border
									 : "other";
		double share = 0;
		unsigned on;

		for (unsigned i = 0; i < mixed->verdict.p_count; i++) {
			if (strcmp(mixed->verdict.p[i].id, id) == 0)
				share = mixed->verdict.p[i].p;
		}
		on = (unsigned)(share * mixed->decided + .5);
		return fisher_p(pure->decided, 0, on, mixed->decided - on) < CHANCE ? DIFF_CHANGED
										   : DIFF_TOO_FEW;
	}
	return differ_p(x, y) >= DIFFER_LEAST ? DIFF_CHANGED : DIFF_TOO_FEW;
}

/* Traces whose target could have been reached or not; unknown (imported text) is not counted. */
static unsigned known_reach(const struct diff_side *s)
{
	return s->traces - s->reach[REACH_UNKNOWN];
}

static enum diff_change compare_reach(const struct diff_side *b, const struct diff_side *a)
{
	unsigned n = known_reach(b), m = known_reach(a);
	unsigned x = b->reach[REACH_REACHED], y = a->reach[REACH_REACHED];

	if (n == 0 || m == 0)
		return DIFF_UNKNOWN;
	if ((x == 0 && y == 0) || (x == n && y == m))
		return DIFF_SAME;
	/* All before and none after, or the reverse: each trace has tried several times. */
	if ((x == n && y == 0) || (x == 0 && y == m))
		return DIFF_CHANGED;
	if (fisher_p(x, n - x, y, m - y) < CHANCE)
		return DIFF_CHANGED;
	return x * m == y * n || (n >= 10 && m >= 10) ? DIFF_SAME : DIFF_TOO_FEW;
}

static int compare_ns(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Delays of both sides, packed. */
struct delays { int64_t *ns; unsigned count; };

/* Minimum and median; changes the order. */
static void side_delays(struct diff_side *s, int64_t *ns, unsigned n)
{
	s->rtt_n = n;
	if (n == 0)
		return;
	s->rtt_min_ns = rtt_kth(ns, n, 0);
	s->rtt_median_ns = rtt_kth(ns, n, n / 2);
	if (n % 2 == 0)
		s->rtt_median_ns = (rtt_kth(ns, n, n / 2 - 1) + s->rtt_median_ns) / 2;
}

int64_t diff_least_shift(const struct diff_row *row)
{
	int64_t least = row->before.rtt_median_ns * SHIFT_LEAST_PERMILLE / 1000;

	return least > SHIFT_LEAST_NS ? least : SHIFT_LEAST_NS;
}

static enum diff_change shift_change(const struct diff_row *row, const struct rtt_shift *s)
{
	int64_t size = s->estimate_ns < 0 ? -s->estimate_ns : s->estimate_ns;

	if (size < diff_least_shift(row))
		return s->enough ? DIFF_SAME : DIFF_TOO_FEW;
	if (!s->enough)
		return DIFF_TOO_FEW;
	return s->low_ns > 0 || s->high_ns < 0 ? DIFF_CHANGED : DIFF_SAME;
}

/* End of the run of items of the same target from i on. */
static unsigned run_end(const struct group *g, unsigned i)
{
	unsigned k = i + 1;

	while (k < g->count && set_same_target(item_of(g, i), item_of(g, k)))
		k++;
	return k;
}

static void delays_add(struct delays *d, const struct group *g, const struct set_item *item)
{
	if (item->rtt_count > 0)
		memcpy(&d->ns[d->count], &g->set->rtts[item->rtt_at],
		       item->rtt_count * sizeof(*d->ns));
	d->count += item->rtt_count;
}

/* The delays of one target on both sides, or on neither: a target on one side alone would shift the
 * median by its distance. Each side in order of size, so that none depends on who came first. */
static bool target_delays(const struct group *g, unsigned begin, unsigned end,
			  struct delays *before, struct delays *after, struct rtt_stratum *out)
{
	unsigned b = before->count, a = after->count;

	for (unsigned i = begin; i < end; i++)
		delays_add(item_of(g, i)->side == DIFF_BEFORE ? before : after, g, item_of(g, i));
	if (before->count == b || after->count == a) {
		before->count = b;
		after->count = a;
		return false;
	}
	*out = (struct rtt_stratum){before->ns + b, after->ns + a, before->count - b,
				    after->count - a};
	qsort(before->ns + b, out->before_count, sizeof(*before->ns), compare_ns);
	qsort(after->ns + a, out->after_count, sizeof(*after->ns), compare_ns);
	return true;
}

static int compare_rtt(const struct group *g, struct diff_row *row)
{
	struct delays before = {0}, after = {0};
	struct rtt_stratum *strata = calloc(g->count + 1, sizeof(*strata));
	size_t room = 1;
	unsigned n = 0;
	struct rtt_shift shift;
	int rc = BP_ENOMEM;

	for (unsigned i = 0; i < g->count; i++)
		room += item_of(g, i)->rtt_count;
	before.ns = calloc(room, sizeof(*before.ns));
	after.ns = calloc(room, sizeof(*after.ns));
	if (strata == NULL || before.ns == NULL || after.ns == NULL)
		goto out;
	for (unsigned i = 0, end; i < g->count; i = end) {
		end = run_end(g, i);
		n += target_delays(g, i, end, &before, &after, &strata[n]);
	}
	rc = rtt_shift_of(strata, n, &shift);
	if (rc == 0 && n > 0) {
		side_delays(&row->before, before.ns, before.count);
		side_delays(&row->after, after.ns, after.count);
		row->shift_ns = shift.estimate_ns;
		row->shift_low_ns = shift.low_ns;
		row->shift_high_ns = shift.high_ns;
		row->rtt = shift_change(row, &shift);
	}
out:
	free(strata);
	free(before.ns);
	free(after.ns);
	return rc;
}

/* --- rows ------------------------------------------------------------------------------------- */

static void row_key(struct diff_row *row, const struct group *g, bool target)
{
	const struct set_place *place = set_place(g->set, item_of(g, 0));
	char text[ADDR_TEXT];

	text_set(row->vantage, sizeof(row->vantage), set_vantage(g->set, place->vantage));
	row->prefix = g->set->prefixes[item_of(g, 0)->place];
	row->method = place->method;
	if (target)
		text_set(row->target, sizeof(row->target), addr_format(place->dst, text));
}

static void side_example(const struct diff_set *s, const struct set_item *item,
			 struct diff_side *out)
{
	const struct way *way = set_way(s, item);

	text_set(out->example_id, sizeof(out->example_id), set_text(s, item->id));
	out->example = item->example;
	out->as_count = way->as_count;
	memcpy(out->as_path, way_as_path(way), way->as_count * sizeof(out->as_path[0]));
}

static int row_paths(const struct group *g, struct diff_row *row)
{
	struct diff_path path;
	int rc = diff_paths(g->set, g->before, g->before_count, g->after, g->after_count, &path);

	if (rc < 0)
		return rc;
	row->path = path.change;
	row->path_level = path.level;
	row->path_ttl = path.ttl;
	side_example(g->set, path.before, &row->before);
	side_example(g->set, path.after, &row->after);
	return 0;
}

static void row_verdict(struct diff_row *row)
{
	/* A hop that went silent can change a verdict; where silence explains the whole difference
	 * of the paths there was no switch. And where the border did change, so did the path. */
	if (row->border == DIFF_CHANGED && row->path == DIFF_SAME)
		row->border = DIFF_TOO_FEW;
	else if (row->border == DIFF_CHANGED && row->path == DIFF_TOO_FEW)
		row->path = DIFF_CHANGED;
	row->changed = row->border == DIFF_CHANGED || row->path == DIFF_CHANGED ||
		       row->rtt == DIFF_CHANGED || row->reach == DIFF_CHANGED;
	/* That a silent target stayed silent, or an unjudged path the same, says too little. */
	row->comparable = row->changed || row->border == DIFF_SAME ||
			  (row->border == DIFF_TOO_FEW && row->path == DIFF_SAME);
}

static int row_fill(struct group *g, bool target, struct diff_row *row)
{
	int rc = 0;

	memset(row, 0, sizeof(*row));
	row_key(row, g, target);
	g->before_count = g->after_count = 0;
	for (unsigned i = 0; i < g->count; i++) {
		const struct set_item *item = item_of(g, i);

		if (item->side == DIFF_BEFORE)
			g->before[g->before_count++] = item;
		else
			g->after[g->after_count++] = item;
	}
	if (g->before_count > 0 && g->after_count > 0)
		rc = row_paths(g, row);
	if (rc == 0)
		rc = side_fill(g, g->before, g->before_count, &row->before);
	if (rc == 0)
		rc = side_fill(g, g->after, g->after_count, &row->after);
	if (rc != 0 || g->before_count == 0 || g->after_count == 0)
		return rc;
	row->border = compare_border(&row->before, &row->after);
	row->reach = compare_reach(&row->before, &row->after);
	rc = compare_rtt(g, row);
	if (rc == 0)
		row_verdict(row);
	return rc;
}

static bool same_row(const struct diff_set *s, const struct set_item *a, const struct set_item *b,
		     bool target)
{
	return target ? set_same_target(a, b) : set_same_key(s, a, b);
}

/* One row for each run of equal keys. */
static int rows_fill(const struct diff_set *s, bool target, struct diff_row **rows,
		     unsigned *row_count)
{
	struct group g = {.set = s};
	size_t runs = 1, longest = 0;
	int rc = 0;

	for (size_t i = 0, begin = 0; i < s->order_count; i++) {
		if (i > 0 && !same_row(s, set_item(s, i - 1), set_item(s, i), target)) {
			runs++;
			begin = i;
		}
		longest = i - begin + 1 > longest ? i - begin + 1 : longest;
	}
	*rows = calloc(runs, sizeof(**rows));
	g.before = calloc(longest + 1, sizeof(const struct set_item *));
	g.after = calloc(longest + 1, sizeof(const struct set_item *));
	g.votes = calloc(longest + 1, sizeof(*g.votes));
	g.verdicts = calloc(longest + 1, sizeof(*g.verdicts));
	g.counts = calloc(s->verdicts.count + 1, sizeof(*g.counts));
	if (*rows == NULL || g.before == NULL || g.after == NULL || g.votes == NULL ||
	    g.verdicts == NULL || g.counts == NULL)
		rc = BP_ENOMEM;
	for (size_t i = 0; i < s->order_count && rc == 0;) {
		size_t end = i + 1;

		while (end < s->order_count &&
		       same_row(s, set_item(s, i), set_item(s, end), target))
			end++;
		g.first = i;
		g.count = (unsigned)(end - i);
		rc = row_fill(&g, target, &(*rows)[(*row_count)++]);
		i = end;
	}
	free(g.before);
	free(g.after);
	free(g.votes);
	free(g.verdicts);
	free(g.counts);
	return rc;
}

/* --- the whole -------------------------------------------------------------------------------- */

int diff_compute(struct diff_set *s, bool targets, struct diff *out)
{
	struct diff d = {0};
	int rc = diff_set_settle(s);

	for (size_t i = 0; rc == 0 && i < s->order_count; i++)
		*(set_item(s, i)->side == DIFF_BEFORE ? &d.traces_before : &d.traces_after) +=
			set_item(s, i)->count;
	if (rc == 0)
		rc = rows_fill(s, false, &d.rows, &d.row_count);
	if (rc == 0 && targets)
		rc = rows_fill(s, true, &d.targets, &d.target_count);
	if (rc == 0)
		rc = diff_moves(&d);
	if (rc == 0)
		rc = diff_points(s, &d);
	if (rc == 0) {
		diff_summarise(&d, s->profile);
		*out = d;
	} else {
		diff_fini(&d);
	}
	return rc;
}

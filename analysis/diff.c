// SPDX-License-Identifier: BSD-2-Clause
/*
 * Two sets of judged traces, row by row: grouping, sides, the four comparisons. Paths are compared
 * in diff_path.c, numbers in diff_stats.c; diff_moves.c sums the rows up.
 */
#include "analysis/diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/border.h"
#include "analysis/diff_moves.h"
#include "analysis/diff_path.h"
#include "analysis/diff_stats.h"
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

/* An item with its key, for sorting; side 0 is before. */
struct keyed {
	const struct diff_item *item;
	struct prefix prefix;
	unsigned side;
};

static int compare_prefix(struct prefix a, struct prefix b)
{
	int c = addr_compare(a.addr, b.addr);

	return c != 0 ? c : a.len - b.len;
}

static int by_key(const struct keyed *x, const struct keyed *y)
{
	const struct trace *a = x->item->trace, *b = y->item->trace;
	int c = strcmp(a->vantage, b->vantage);

	if (c == 0)
		c = compare_prefix(x->prefix, y->prefix);
	return c != 0 ? c : a->method - b->method;
}

static int by_target(const struct keyed *x, const struct keyed *y)
{
	int c = by_key(x, y);

	return c != 0 ? c : addr_compare(x->item->trace->dst, y->item->trace->dst);
}

static int64_t start_of(const struct keyed *k)
{
	return k->item->trace->start.ns;
}

static int by_all(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	int c = by_target(x, y);

	if (c == 0)
		c = (int)x->side - (int)y->side;
	if (c == 0)
		c = start_of(x) < start_of(y) ? -1 : start_of(x) > start_of(y);
	/* Same start: by place in the input, so that the order never depends on qsort. */
	return c != 0 ? c : x->item < y->item ? -1 : x->item > y->item;
}

static unsigned keys_fill(struct keyed *out, const struct diff_item *items, unsigned n,
			  unsigned side, const struct profile *p)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct trace *t = items[i].trace;
		struct keyed k = {.item = &items[i], .side = side};

		/* What did not measure says nothing of the path. */
		if (t->stop == STOP_ERROR && t->entry_count == 0)
			continue;
		k.prefix = profile_judge_prefix(p, t->dst);
		if (k.prefix.len == 0 && addr_is_set(t->dst))
			k.prefix = prefix_of(t->dst, (uint8_t)(8 * addr_size(t->dst)));
		out[kept++] = k;
	}
	return kept;
}

/* --- one side -------------------------------------------------------------------------------- */

/* The traces of one row: [0, count) of both sides together, sorted by target, then side. */
struct group {
	const struct keyed *keys;
	unsigned count;
	const struct diff_item **before, **after; /* room for count each, owned by the caller */
	unsigned before_count, after_count;
};

static bool decided(const struct verdict *v)
{
	return v->judged && v->outcome != OUTCOME_UNDETERMINED;
}

static int side_verdict(const struct diff_item *const *items, unsigned n, struct diff_side *out)
{
	const struct verdict **all = calloc(n, sizeof(const struct verdict *));
	unsigned judged = 0;

	if (all == NULL)
		return BP_ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		if (items[i]->verdict == NULL || !items[i]->verdict->judged)
			continue;
		out->decided += decided(items[i]->verdict);
		all[judged++] = items[i]->verdict;
	}
	if (judged > 0)
		border_judge_list(all, judged, &out->verdict);
	free(all);
	return 0;
}

static int side_fill(const struct diff_item *const *items, unsigned n, struct diff_side *out)
{
	out->traces = n;
	out->rtt_min_ns = out->rtt_median_ns = -1;
	for (unsigned i = 0; i < n; i++) {
		const struct trace *t = items[i]->trace;

		if (t->reach < sizeof(out->reach) / sizeof(out->reach[0]))
			out->reach[t->reach]++;
		if (t->start.ns == 0)
			continue;
		if (out->first.ns == 0 || t->start.ns < out->first.ns)
			out->first = t->start;
		if (t->start.ns > out->last.ns)
			out->last = t->start;
	}
	return n > 0 ? side_verdict(items, n, out) : 0;
}

/* --- the four comparisons -------------------------------------------------------------------- */

/* The chance that two verdicts, each with its doubts, mean different ways in. */
static double differ_p(const struct verdict *x, const struct verdict *y)
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
	const struct verdict *x = &b->verdict, *y = &a->verdict;

	if (!decided(x) || !decided(y))
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

/* Delays of both sides, packed: those of target i at [begin[i], begin[i + 1]). */
struct delays { int64_t *ns; unsigned count, room; };

static int delays_add(struct delays *d, const struct trace *t)
{
	for (uint32_t i = 0; i < t->entry_count; i++) {
		const struct trace_entry *e = &t->entries[i];
		const unsigned void_flags = REPLY_LATE | REPLY_DUP | REPLY_FTL | REPLY_CLOCK;

		if (e->reply.rtt_ns < 0 || (e->reply.flags & void_flags) ||
		    !trace_entry_is_destination(t, e))
			continue;
		if (d->count == d->room) {
			unsigned room = d->room == 0 ? 256 : d->room * 2;
			int64_t *ns = realloc(d->ns, room * sizeof(*ns));

			if (ns == NULL)
				return BP_ENOMEM;
			d->ns = ns;
			d->room = room;
		}
		d->ns[d->count++] = e->reply.rtt_ns;
	}
	return 0;
}

static int compare_ns(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Minimum and median; sorts. */
static void side_delays(struct diff_side *s, int64_t *ns, unsigned n)
{
	s->rtt_n = n;
	if (n == 0)
		return;
	qsort(ns, n, sizeof(*ns), compare_ns);
	s->rtt_min_ns = ns[0];
	s->rtt_median_ns = n % 2 ? ns[n / 2] : (ns[n / 2 - 1] + ns[n / 2]) / 2;
}

static enum diff_change shift_change(const struct diff_row *row, const struct rtt_shift *s)
{
	int64_t size = s->estimate_ns < 0 ? -s->estimate_ns : s->estimate_ns;
	int64_t least = row->before.rtt_median_ns * SHIFT_LEAST_PERMILLE / 1000;

	if (size < SHIFT_LEAST_NS || size < least)
		return s->enough ? DIFF_SAME : DIFF_TOO_FEW;
	if (!s->enough)
		return DIFF_TOO_FEW;
	return s->low_ns > 0 || s->high_ns < 0 ? DIFF_CHANGED : DIFF_SAME;
}

/* End of the run of keys with the same target (and side) from i on. */
static unsigned run_end(const struct group *g, unsigned i, bool side_too)
{
	unsigned k = i;

	while (k < g->count && by_target(&g->keys[i], &g->keys[k]) == 0 &&
	       (!side_too || g->keys[i].side == g->keys[k].side))
		k++;
	return k;
}

/* Adds the delays of one target to both sides, or of neither: a target on one side alone would
 * shift the median by its distance. */
static int target_delays(const struct group *g, unsigned begin, unsigned end, struct delays *before,
			 struct delays *after, bool *both)
{
	unsigned b = before->count, a = after->count;
	int rc = 0;

	for (unsigned i = begin; i < end && rc == 0; i++)
		rc = delays_add(g->keys[i].side == 0 ? before : after, g->keys[i].item->trace);
	*both = before->count > b && after->count > a;
	if (rc == 0 && !*both) {
		before->count = b;
		after->count = a;
	}
	return rc;
}

static int compare_rtt(const struct group *g, struct diff_row *row)
{
	struct delays before = {0}, after = {0};
	struct rtt_stratum *strata = calloc(g->count + 1, sizeof(*strata));
	unsigned n = 0, b = 0, a = 0;
	struct rtt_shift shift;
	int rc = strata == NULL ? BP_ENOMEM : 0;

	for (unsigned i = 0; i < g->count && rc == 0;) {
		unsigned end = run_end(g, i, false);
		bool both = false;

		rc = target_delays(g, i, end, &before, &after, &both);
		if (rc == 0 && both) {
			strata[n].before_count = before.count - b;
			strata[n++].after_count = after.count - a;
			b = before.count;
			a = after.count;
		}
		i = end;
	}
	for (unsigned i = 0, x = 0, y = 0; i < n; i++) {
		strata[i].before = before.ns + x;
		strata[i].after = after.ns + y;
		x += strata[i].before_count;
		y += strata[i].after_count;
	}
	if (rc == 0)
		rc = rtt_shift_of(strata, n, &shift);
	if (rc == 0 && n > 0) {
		side_delays(&row->before, before.ns, before.count);
		side_delays(&row->after, after.ns, after.count);
		row->shift_ns = shift.estimate_ns;
		row->shift_low_ns = shift.low_ns;
		row->shift_high_ns = shift.high_ns;
		row->rtt = shift_change(row, &shift);
	}
	free(strata);
	free(before.ns);
	free(after.ns);
	return rc;
}

/* --- rows ------------------------------------------------------------------------------------- */

static void row_key(struct diff_row *row, const struct keyed *k, bool target)
{
	const struct trace *t = k->item->trace;
	char text[ADDR_TEXT];

	text_set(row->vantage, sizeof(row->vantage), t->vantage);
	row->prefix = k->prefix;
	row->method = t->method;
	if (target)
		text_set(row->target, sizeof(row->target), addr_format(t->dst, text));
}

static int row_paths(const struct group *g, const struct profile *p, struct diff_row *row)
{
	struct diff_path path;
	int rc = diff_paths(g->before, g->before_count, g->after, g->after_count, p, &path);

	if (rc < 0)
		return rc;
	row->path = path.change;
	row->path_level = path.level;
	row->path_ttl = path.ttl;
	row->before.example = path.before->trace;
	row->after.example = path.after->trace;
	row->before.as_count = diff_as_path(path.before, p, row->before.as_path, DIFF_AS_MAX);
	row->after.as_count = diff_as_path(path.after, p, row->after.as_path, DIFF_AS_MAX);
	return 0;
}

static int row_fill(struct group *g, bool target, const struct profile *p, struct diff_row *row)
{
	int rc;

	memset(row, 0, sizeof(*row));
	row_key(row, &g->keys[0], target);
	g->before_count = g->after_count = 0;
	for (unsigned i = 0; i < g->count; i++) {
		if (g->keys[i].side == 0)
			g->before[g->before_count++] = g->keys[i].item;
		else
			g->after[g->after_count++] = g->keys[i].item;
	}
	rc = side_fill(g->before, g->before_count, &row->before);
	if (rc == 0)
		rc = side_fill(g->after, g->after_count, &row->after);
	if (rc != 0 || g->before_count == 0 || g->after_count == 0)
		return rc;
	row->border = compare_border(&row->before, &row->after);
	row->reach = compare_reach(&row->before, &row->after);
	rc = row_paths(g, p, row);
	/* A hop that went silent can change a verdict; where silence explains the whole difference
	 * of the paths there was no switch. And where the border did change, so did the path. */
	if (row->border == DIFF_CHANGED && row->path == DIFF_SAME)
		row->border = DIFF_TOO_FEW;
	else if (row->border == DIFF_CHANGED && row->path == DIFF_TOO_FEW)
		row->path = DIFF_CHANGED;
	if (rc == 0)
		rc = compare_rtt(g, row);
	row->changed = row->border == DIFF_CHANGED || row->path == DIFF_CHANGED ||
		       row->rtt == DIFF_CHANGED || row->reach == DIFF_CHANGED;
	/* That a silent target stayed silent, or an unjudged path the same, says too little. */
	row->comparable = row->changed || row->border == DIFF_SAME ||
			  (row->border == DIFF_TOO_FEW && row->path == DIFF_SAME);
	return rc;
}

static bool same_row(const struct keyed *a, const struct keyed *b, bool target)
{
	return (target ? by_target(a, b) : by_key(a, b)) == 0;
}

/* One row for each run of equal keys. */
static int rows_fill(const struct keyed *keys, unsigned count, bool target,
		     const struct profile *p, struct diff_row **rows, unsigned *row_count)
{
	struct group g = {0};
	unsigned runs = 1;
	int rc = 0;

	for (unsigned i = 1; i < count; i++)
		runs += !same_row(&keys[i - 1], &keys[i], target);
	*rows = calloc(runs, sizeof(**rows));
	g.before = calloc(count + 1, sizeof(const struct diff_item *));
	g.after = calloc(count + 1, sizeof(const struct diff_item *));
	if (*rows == NULL || g.before == NULL || g.after == NULL)
		rc = BP_ENOMEM;
	for (unsigned i = 0; i < count && rc == 0;) {
		unsigned end = i + 1;

		while (end < count && same_row(&keys[i], &keys[end], target))
			end++;
		g.keys = &keys[i];
		g.count = end - i;
		rc = row_fill(&g, target, p, &(*rows)[(*row_count)++]);
		i = end;
	}
	free(g.before);
	free(g.after);
	return rc;
}

/* --- the whole -------------------------------------------------------------------------------- */

/* How many judge prefixes the network has, of one family. */
static uint64_t judge_prefixes(const struct profile *p, uint8_t family)
{
	uint8_t judge = family == 4 ? p->judge_v4 : p->judge_v6;
	uint64_t n = 0;

	for (unsigned i = 0; i < p->prefixes_count; i++) {
		const struct prefix *x = &p->prefixes[i].prefix;

		if (x->addr.family != family)
			continue;
		n += x->len < judge && judge - x->len < 32 ? UINT64_C(1) << (judge - x->len) : 1;
	}
	return n;
}

static void summarise(struct diff *d, const struct profile *p)
{
	bool family[7] = {false};
	const char *vantage = NULL;
	unsigned common = 0;

	for (unsigned i = 0; i < d->row_count; i++) {
		const struct diff_row *r = &d->rows[i];

		d->only_before += r->after.traces == 0;
		d->only_after += r->before.traces == 0;
		common += r->before.traces > 0 && r->after.traces > 0;
		family[r->prefix.addr.family] = true;
		if (r->changed)
			d->result = DIFF_RESULT_CHANGED;
		if (r->comparable && (vantage == NULL || strcmp(vantage, r->vantage) != 0)) {
			d->vantages++;
			vantage = r->vantage;
		}
		if (r->before.last.ns > d->not_before.ns)
			d->not_before = r->before.last;
		if (r->after.first.ns != 0 &&
		    (d->not_after.ns == 0 || r->after.first.ns < d->not_after.ns))
			d->not_after = r->after.first;
	}
	d->networks_of = (unsigned)((family[4] ? judge_prefixes(p, 4) : 0) +
				    (family[6] ? judge_prefixes(p, 6) : 0));
	if (d->vantages > 0)
		return;
	d->result = DIFF_RESULT_TROUBLE;
	if (d->traces_before == 0 || d->traces_after == 0)
		text_set(d->why, sizeof(d->why), "no traces on one side");
	else if (common == 0)
		text_set(d->why, sizeof(d->why),
			 "no vantage point, network and method is on both sides");
	else
		text_set(d->why, sizeof(d->why),
			 "no border could be compared: undetermined, or too few traces");
}

int diff_compute(const struct diff_item *before, unsigned before_count,
		 const struct diff_item *after, unsigned after_count, const struct profile *p,
		 struct diff *out)
{
	unsigned room = before_count + after_count + 1, count;
	struct keyed *keys = calloc(room, sizeof(*keys));
	struct diff d = {0};
	int rc = BP_ENOMEM;

	if (keys == NULL)
		return rc;
	count = keys_fill(keys, before, before_count, 0, p);
	d.traces_before = count;
	count += keys_fill(keys + count, after, after_count, 1, p);
	d.traces_after = count - d.traces_before;
	qsort(keys, count, sizeof(*keys), by_all);
	rc = rows_fill(keys, count, false, p, &d.rows, &d.row_count);
	if (rc == 0)
		rc = rows_fill(keys, count, true, p, &d.targets, &d.target_count);
	if (rc == 0)
		rc = diff_moves(&d);
	if (rc == 0) {
		summarise(&d, p);
		*out = d;
	}
	free(keys);
	if (rc < 0)
		diff_fini(&d);
	return rc;
}

void diff_fini(struct diff *d)
{
	for (unsigned i = 0; i < d->move_count; i++)
		free(d->moves[i].prefixes);
	free(d->rows);
	free(d->targets);
	free(d->moves);
	memset(d, 0, sizeof(*d));
}

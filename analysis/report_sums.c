// SPDX-License-Identifier: BSD-2-Clause
/* Over the keys of a report: prefixes in time, shares with their uncertainty, ways in. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/report_inside.h"
#include "core/err.h"
#include "core/text.h"

const struct word report_band_words[] = {
	{"not_measured", REPORT_BAND_NOT_MEASURED}, {"offline", REPORT_BAND_OFFLINE},
	{"silent", REPORT_BAND_SILENT}, {"undetermined", REPORT_BAND_UNDETERMINED},
	{"border", REPORT_BAND_BORDER}, {"other", REPORT_BAND_OTHER},
	{"mixed", REPORT_BAND_MIXED}, {"none", REPORT_BAND_NONE}, {NULL, 0}};

const char *report_border_id(const struct report *r, int border)
{
	return border >= 0 && (unsigned)border < r->profile->borders_count ?
	       r->profile->borders[border].id : "other";
}

/* E. B. Wilson, JASA 22 (1927) 209; z of 95 %. */
void report_wilson(uint32_t k, uint32_t n, double *low, double *high)
{
	static const double z = 1.959964;
	double p = n > 0 ? (double)k / n : 0, zz = n > 0 ? z * z / n : 0;
	double middle = (p + zz / 2) / (1 + zz);
	double half = n > 0 ? z / (1 + zz) * sqrt(p * (1 - p) / n + zz / (4.0 * n)) : 0;

	*low = n == 0 || k == 0 ? 0 : middle - half;
	*high = n == 0 || k == n ? 1 : middle + half;
}

/* --- prefixes over time ---------------------------------------------------------------------- */

static int compare_ns(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The moments where any span of the rows begins, or a grid where those are too many; and the end.
 * Returns how many intervals they bound. */
static unsigned moments(const struct report *r, unsigned first, unsigned keys, int64_t *at)
{
	unsigned n = 0, distinct = 0;

	for (unsigned i = first; i < first + keys; i++) {
		for (unsigned k = 0; k < r->rows[i].span_count; k++)
			at[n++] = r->rows[i].spans[k].from.ns;
	}
	qsort(at, n, sizeof(*at), compare_ns);
	for (unsigned i = 0; i < n; i++) {
		if (distinct == 0 || at[i] != at[distinct - 1])
			at[distinct++] = at[i];
	}
	if (distinct > REPORT_SUMS_MAX) {
		distinct = REPORT_SUMS_MAX;
		for (unsigned i = 0; i < distinct; i++)
			at[i] = r->since.ns + (r->until.ns - r->since.ns) / REPORT_SUMS_MAX * i;
	}
	at[distinct] = r->until.ns;
	return distinct;
}

static void count_span(struct report_sum *sum, const struct report_span *s)
{
	switch (s->band) {
	case REPORT_BAND_BORDER:
	case REPORT_BAND_OTHER:
		sum->by_border[s->border]++;
		sum->unsure += s->unsure;
		break;
	case REPORT_BAND_MIXED:
		sum->mixed++;
		sum->mixed_borders |= s->borders;
		break;
	case REPORT_BAND_UNDETERMINED: sum->undetermined++; break;
	case REPORT_BAND_SILENT: sum->silent++; break;
	case REPORT_BAND_NONE: sum->none++; break;
	case REPORT_BAND_OFFLINE: sum->offline++; break;
	default: sum->not_measured++; break;
	}
}

static bool sums_equal(const struct report_sum *a, const struct report_sum *b)
{
	return memcmp(a->by_border, b->by_border, sizeof(a->by_border)) == 0 &&
	       a->mixed == b->mixed && a->mixed_borders == b->mixed_borders &&
	       a->undetermined == b->undetermined && a->silent == b->silent &&
	       a->none == b->none && a->not_measured == b->not_measured &&
	       a->offline == b->offline && a->unsure == b->unsure;
}

static int prefix_sums(struct report *r, struct report_prefix *p)
{
	unsigned all = 1, n;
	unsigned *next = calloc(p->keys, sizeof(*next)); /* span of each row */
	int64_t *at;

	for (unsigned i = p->first; i < p->first + p->keys; i++)
		all += r->rows[i].span_count;
	all = all > REPORT_SUMS_MAX ? all : REPORT_SUMS_MAX + 1;
	at = calloc(all + 1, sizeof(*at));
	p->sums = calloc(REPORT_SUMS_MAX, sizeof(*p->sums));
	if (next == NULL || at == NULL || p->sums == NULL) {
		free(next);
		free(at);
		return BP_ENOMEM;
	}
	n = moments(r, p->first, p->keys, at);
	for (unsigned m = 0; m < n; m++) {
		struct report_sum sum = {.from = {at[m]}, .to = {at[m + 1]}};
		int64_t middle = at[m] + (at[m + 1] - at[m]) / 2;

		for (unsigned i = 0; i < p->keys; i++) {
			const struct report_row *row = &r->rows[p->first + i];

			while (next[i] < row->span_count && row->spans[next[i]].to.ns <= middle)
				next[i]++;
			if (next[i] < row->span_count && row->spans[next[i]].from.ns <= middle)
				count_span(&sum, &row->spans[next[i]]);
			else
				sum.not_measured++;
		}
		if (p->sum_count > 0 && sums_equal(&p->sums[p->sum_count - 1], &sum))
			p->sums[p->sum_count - 1].to = sum.to;
		else
			p->sums[p->sum_count++] = sum;
	}
	free(next);
	free(at);
	return 0;
}

int report_sums_make(struct report_maker *m)
{
	struct report *r = &m->report;
	int rc = 0;

	r->prefixes = calloc(r->row_count, sizeof(*r->prefixes));
	if (r->prefixes == NULL)
		return BP_ENOMEM;
	for (unsigned i = 0; i < r->row_count; i++) {
		struct report_prefix *p = r->prefix_count > 0 ?
					  &r->prefixes[r->prefix_count - 1] : NULL;

		if (p == NULL || !prefix_equal(p->prefix, r->rows[i].prefix)) {
			p = &r->prefixes[r->prefix_count++];
			p->prefix = r->rows[i].prefix;
			p->first = i;
		}
		p->keys++;
	}
	for (unsigned i = 0; i < r->prefix_count && rc == 0; i++)
		rc = prefix_sums(r, &r->prefixes[i]);
	return rc;
}

/* --- shares ---------------------------------------------------------------------------------- */

enum { SHARES_MAX = 336 }; /* 14 days of hours */

static int64_t step_of(int64_t window_ns)
{
	static const int hours[] = {1, 3, 6, 12, 24, 48, 168, 720};

	for (unsigned i = 0; i < sizeof(hours) / sizeof(hours[0]); i++) {
		if (window_ns <= SHARES_MAX * hours[i] * (3600 * NS_PER_S))
			return hours[i] * (3600 * NS_PER_S);
	}
	return 8760 * (3600 * NS_PER_S);
}

/* A key in a step, counted once by what it showed most; a draw is mixed. */
static void count_key(struct report_share *s, const struct kept *c, unsigned n, unsigned borders)
{
	unsigned by[SERIES_BORDERS_MAX] = {0}, mixed = 0, undecided = 0, best = 0;
	int who = -1;

	for (unsigned i = 0; i < n; i++) {
		switch (c[i].band) {
		case REPORT_BAND_BORDER:
		case REPORT_BAND_OTHER: by[c[i].border]++; break;
		case REPORT_BAND_MIXED: mixed++; break;
		case REPORT_BAND_UNDETERMINED:
		case REPORT_BAND_SILENT: undecided++; break;
		default: break;
		}
	}
	for (unsigned b = 0; b < borders; b++) {
		if (by[b] > best) {
			best = by[b];
			who = (int)b;
		} else if (by[b] == best && best > 0) {
			who = -1;
		}
	}
	if (best == 0 && mixed == 0) {
		s->undetermined += undecided > 0;
		return;
	}
	s->n++;
	if (who >= 0 && best > mixed)
		s->by_border[who]++;
	else
		s->mixed++;
}

int report_shares_make(struct report_maker *m)
{
	struct report *r = &m->report;
	int64_t start;

	r->step_ns = step_of(r->until.ns - r->since.ns);
	start = r->since.ns - r->since.ns % r->step_ns;
	r->share_count = (unsigned)((r->until.ns - start + r->step_ns - 1) / r->step_ns);
	r->shares = calloc(r->share_count, sizeof(*r->shares));
	if (r->shares == NULL)
		return BP_ENOMEM;
	for (unsigned s = 0; s < r->share_count; s++) {
		r->shares[s].from.ns = start + s * r->step_ns;
		r->shares[s].to.ns = r->shares[s].from.ns + r->step_ns;
	}
	for (unsigned k = 0; k < r->row_count; k++) {
		const struct key_cells *key = m->order[k];

		for (unsigned i = 0, end; i < key->count; i = end) {
			unsigned s = (unsigned)((key->cells[i].planned.ns - start) / r->step_ns);

			for (end = i; end < key->count && key->cells[end].planned.ns <
			     r->shares[s].to.ns; end++)
				;
			count_key(&r->shares[s], &key->cells[i], end - i, m->border_count);
		}
	}
	return 0;
}

/* --- ways in --------------------------------------------------------------------------------- */

static bool vantage_down(const struct report *r, const char *name)
{
	for (unsigned i = 0; i < r->vantage_count; i++) {
		if (strcmp(r->vantages[i].name, name) == 0)
			return r->vantages[i].down;
	}
	return false;
}

static void way_row(struct report *r, struct report_ways *w, const struct report_row *row,
		    unsigned *asked, unsigned *reached)
{
	uint32_t seen = 0;

	for (unsigned i = 0; i < row->span_count; i++)
		seen |= row->spans[i].borders;
	w->seen |= seen;
	if (vantage_down(r, row->vantage) || row->rounds == 0)
		return;
	w->now |= row->borders;
	*asked += 1;
	*reached += row->reached;
}

static unsigned decided_rounds(const struct report *r, const struct report_row *row)
{
	uint64_t n = row->mixed;

	for (unsigned b = 0; b < r->border_count; b++)
		n += row->by_border[b];
	return (unsigned)n;
}

/* 1 for a vantage point's first row with so many decided rounds. */
static unsigned count_once(const struct report *r, const char **last, const struct report_row *row,
			   unsigned least)
{
	if (decided_rounds(r, row) < least || (*last != NULL && strcmp(*last, row->vantage) == 0))
		return 0;
	*last = row->vantage;
	return 1;
}

int report_ways_make(struct report_maker *m)
{
	struct report *r = &m->report;

	r->ways = calloc(r->prefix_count, sizeof(*r->ways));
	if (r->ways == NULL)
		return BP_ENOMEM;
	for (unsigned i = 0; i < r->prefix_count; i++) {
		const struct report_prefix *p = &r->prefixes[i];
		struct report_ways *w = &r->ways[r->way_count];
		unsigned asked = 0, reached = 0;
		const char *watched = NULL, *decided = NULL; /* the last vantage point counted */

		*w = (struct report_ways){.prefix = p->prefix};
		for (unsigned k = p->first; k < p->first + p->keys; k++) {
			const struct report_row *row = &r->rows[k];

			way_row(r, w, row, &asked, &reached);
			/* Rows of a prefix are in order of vantage points. */
			w->vantages += count_once(r, &decided, row, 1);
			w->watched += count_once(r, &watched, row, 2);
		}
		if (profile_judge_prefix(r->profile, p->prefix.addr).len == 0)
			continue;
		w->seen_count = (unsigned)__builtin_popcount(w->seen);
		w->now_count = (unsigned)__builtin_popcount(w->now);
		w->down = asked > 0 && reached == 0;
		r->way_count++;
	}
	return 0;
}

bool report_quiet(const struct report *r)
{
	bool quiet = r->event_count == 0;
	unsigned watched = 0;

	for (unsigned i = 0; i < r->way_count; i++) {
		quiet = quiet && r->ways[i].seen_count <= 1;
		watched += r->ways[i].watched;
	}
	return quiet && watched > 0;
}

/* --- what would have been seen --------------------------------------------------------------- */

/* The medians of a key's measured rounds, -1 where nobody answered. NULL: no memory. */
static int64_t *medians(const struct key_cells *k, size_t *n)
{
	int64_t *ns = calloc(k->count + 1, sizeof(*ns));

	*n = 0;
	for (unsigned i = 0; ns != NULL && i < k->count; i++) {
		if (k->cells[i].state == CELL_MEASURED)
			ns[(*n)++] = k->cells[i].rtt_median_ns;
	}
	return ns;
}

/* Tried on series with round-trip times, spread over all. */
static int shift_power(const struct report_maker *m, int64_t *shift_ns)
{
	const struct report *r = &m->report;
	struct power_series series[POWER_SERIES_MAX] = {{0}};
	int64_t *owned[POWER_SERIES_MAX];
	unsigned with = 0, seen = 0, taken = 0, each;
	int rc = 0;

	for (unsigned i = 0; i < r->row_count; i++)
		with += r->rows[i].rtt_median_ns >= 0;
	each = (with + POWER_SERIES_MAX - 1) / POWER_SERIES_MAX;
	for (unsigned i = 0; i < r->row_count && rc == 0; i++) {
		if (r->rows[i].rtt_median_ns < 0 || seen++ % each != 0)
			continue;
		owned[taken] = medians(m->order[i], &series[taken].n);
		series[taken].median_ns = owned[taken];
		if (owned[taken] == NULL)
			rc = BP_ENOMEM;
		else
			taken++;
	}
	if (rc == 0)
		rc = power_steps(series, taken, shift_ns);
	for (unsigned i = 0; i < taken; i++)
		free(owned[i]);
	return rc;
}

int report_power_make(struct report_maker *m)
{
	struct report *r = &m->report;
	uint64_t decided = 0, rounds = 0;
	int64_t every = 0;
	unsigned vantages = 0;

	for (unsigned i = 0; i < r->row_count; i++) {
		const struct report_row *row = &r->rows[i];

		rounds += row->rounds;
		decided += decided_rounds(r, row);
		every = row->every_ns > every ? row->every_ns : every;
	}
	for (unsigned i = 0; i < r->vantage_count; i++)
		vantages += r->vantages[i].counted;
	r->every_ns = every;
	r->decided = rounds > 0 ? (double)decided / (double)rounds : 0;
	r->power.switch_ns = power_switch(every, r->decided, vantages);
	/* A longer one than the window is no statement about it. */
	if (r->power.switch_ns >= r->until.ns - r->since.ns)
		r->power.switch_ns = 0;
	/* Said of a quiet window alone: it costs a hundred runs of the detector. */
	return report_quiet(r) ? shift_power(m, &r->power.shift_ns) : 0;
}

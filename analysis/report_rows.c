// SPDX-License-Identifier: BSD-2-Clause
/* One key of a report: spans that show the same, points of round-trip times, how it stands. */
#include <stdlib.h>
#include <string.h>

#include "analysis/report_inside.h"
#include "core/err.h"

/* --- spans ----------------------------------------------------------------------------------- */

struct spans {
	struct report_span *items; /* owned */
	unsigned count, room;
	bool failed;
};

static struct report_span *span_add(struct spans *s, const struct report_span *span)
{
	if (s->count == s->room) {
		unsigned room = s->room ? 2 * s->room : 8;
		void *more = reallocarray(s->items, room, sizeof(*s->items));

		if (more == NULL) {
			s->failed = true;
			return NULL;
		}
		s->items = more;
		s->room = room;
	}
	s->items[s->count] = *span;
	return &s->items[s->count++];
}

static bool shows_same(const struct report_span *s, const struct kept *c)
{
	return s->band == c->band && s->border == c->border && s->borders == c->borders &&
	       s->unsure == report_unsure(c->band, c->confidence) && s->why == c->why;
}

/* Nobody measured from..to. */
static void add_blank(struct spans *s, struct wall from, struct wall to)
{
	struct report_span *last = s->count > 0 ? &s->items[s->count - 1] : NULL;

	if (last != NULL && last->band == REPORT_BAND_NOT_MEASURED && last->to.ns == from.ns)
		last->to = to;
	else
		span_add(s, &(struct report_span){.from = from, .to = to, .border = -1,
						  .band = REPORT_BAND_NOT_MEASURED});
}

/* `rounds` that show what c shows; means of confidence and reached grow with them. */
static void add_round(struct spans *s, const struct kept *c, unsigned rounds, struct wall to,
		      unsigned *reached)
{
	struct report_span *last = s->count > 0 ? &s->items[s->count - 1] : NULL;

	if (last == NULL || last->to.ns != c->planned.ns || !shows_same(last, c)) {
		last = span_add(s, &(struct report_span){
			.from = c->planned, .band = c->band, .border = c->border,
			.borders = c->borders, .why = c->why,
			.unsure = report_unsure(c->band, c->confidence)});
		*reached = 0;
	}
	if (last == NULL)
		return;
	last->to = to;
	last->rounds += rounds;
	last->confidence += ((double)c->confidence - last->confidence) * rounds / last->rounds;
	*reached += c->reached ? rounds : 0;
	last->reached = 2 * *reached > last->rounds;
}

static bool far(int64_t distance_ns, int64_t every_ns)
{
	return every_ns <= 0 || distance_ns > every_ns + every_ns / 2;
}

static bool show_same(const struct kept *a, const struct kept *b)
{
	return a->band == b->band && a->border == b->border && a->borders == b->borders &&
	       a->why == b->why && report_unsure(a->band, a->confidence) ==
	       report_unsure(b->band, b->confidence);
}

/* What most of n rounds show, the earliest of them; with the moment of the first. */
static struct kept most_of(const struct kept *c, unsigned n)
{
	struct kept best = c[0];
	unsigned most = 0;

	for (unsigned i = 0; i < n && most < n - i; i++) {
		unsigned same = 0;

		for (unsigned j = i; j < n; j++)
			same += show_same(&c[i], &c[j]);
		if (same > most) {
			most = same;
			best = c[i];
		}
	}
	best.planned = c[0].planned;
	return best;
}

/* How many rounds from i on go together: up to `each`, none behind a gap. */
static unsigned together(const struct key_cells *k, unsigned i, unsigned each)
{
	unsigned n = 1;

	while (n < each && i + n < k->count &&
	       !far(k->cells[i + n].planned.ns - k->cells[i + n - 1].planned.ns, k->every_ns))
		n++;
	return n;
}

static void make_spans(const struct key_cells *k, const struct report *r, unsigned each,
		       struct spans *out)
{
	unsigned reached = 0;

	if (far(k->cells[0].planned.ns - r->since.ns, k->every_ns) &&
	    k->cells[0].planned.ns > r->since.ns)
		add_blank(out, r->since, k->cells[0].planned);
	for (unsigned i = 0, n; i < k->count && !out->failed; i += n) {
		struct kept round;
		struct wall from, next, to;
		bool gap;

		n = together(k, i, each);
		round = most_of(&k->cells[i], n);
		from = k->cells[i + n - 1].planned;
		next = i + n < k->count ? k->cells[i + n].planned : r->until;
		gap = far(next.ns - from.ns, k->every_ns);
		to = next;

		if (gap && k->every_ns > 0)
			to.ns = from.ns + k->every_ns;
		to = to.ns > r->until.ns ? r->until : to;
		add_round(out, &round, n, to, &reached);
		if (gap && to.ns < next.ns)
			add_blank(out, to, next);
	}
}

/* --- points ---------------------------------------------------------------------------------- */

static int compare_ns(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t median(int64_t *ns, unsigned n)
{
	if (n == 0)
		return -1;
	qsort(ns, n, sizeof(*ns), compare_ns);
	return n % 2 ? ns[n / 2] : (ns[n / 2 - 1] + ns[n / 2]) / 2;
}

static void into_point(struct report_point *p, const struct kept *c, bool first)
{
	if (first) {
		p->at = c->planned;
		p->rtt_min_ns = -1;
		p->border = c->border;
	}
	if (c->rtt_min_ns >= 0 && (p->rtt_min_ns < 0 || c->rtt_min_ns < p->rtt_min_ns))
		p->rtt_min_ns = c->rtt_min_ns;
	p->asked += c->asked;
	p->answered += c->answered;
	p->border = p->border == c->border ? p->border : -1;
}

/* `each` measured rounds a point; no point reaches over a gap. */
static unsigned make_points(const struct key_cells *k, unsigned each, struct report_point *out,
			    int64_t *room)
{
	unsigned n = 0, in = 0, answered = 0;
	bool gap = false;

	for (unsigned i = 0; i < k->count; i++) {
		const struct kept *c = &k->cells[i];

		if (c->state != CELL_MEASURED) {
			gap = n > 0;
			continue;
		}
		gap = gap || (i > 0 && n > 0 && far(c->planned.ns - k->cells[i - 1].planned.ns,
						    k->every_ns));
		if (n == 0 || in == each || gap) {
			out[n] = (struct report_point){.gap = gap};
			n++;
			in = answered = 0;
		}
		into_point(&out[n - 1], c, in == 0);
		if (c->rtt_median_ns >= 0)
			room[answered++] = c->rtt_median_ns;
		/* The values are put in order; the next one stands behind them all the same. */
		out[n - 1].rtt_median_ns = median(room, answered);
		in++;
		gap = false;
	}
	return n;
}

static int points_make(const struct key_cells *k, unsigned max, struct report_row *out)
{
	unsigned each = out->rounds > max ? (out->rounds + max - 1) / max : 1;
	int64_t *room = calloc(each, sizeof(*room));

	out->points = calloc(out->rounds + 1, sizeof(*out->points));
	if (room == NULL || out->points == NULL) {
		free(room);
		return BP_ENOMEM;
	}
	out->point_count = make_points(k, each, out->points, room);
	free(room);
	return 0;
}

/* --- the row --------------------------------------------------------------------------------- */

static void count_outcome(struct report_row *out, const struct kept *c)
{
	switch (c->band) {
	case REPORT_BAND_BORDER:
	case REPORT_BAND_OTHER: out->by_border[c->border]++; break;
	case REPORT_BAND_MIXED: out->mixed++; break;
	case REPORT_BAND_NONE: break;
	default: out->undetermined++; break;
	}
}

static void stand(struct report_row *out, const struct kept *c)
{
	out->last_round = c->planned;
	out->reach = c->reach;
	out->reached = c->reached;
	if (c->band == REPORT_BAND_UNDETERMINED || c->band == REPORT_BAND_SILENT) {
		if (out->last.ns == 0)
			out->band = c->band;
		return;
	}
	out->last = c->planned;
	out->band = c->band;
	out->border = c->border;
	out->borders = c->borders;
	out->confidence = (double)c->confidence;
}

static int delays(const struct key_cells *k, struct report_row *out)
{
	int64_t *ns = calloc(k->count + 1, sizeof(*ns));
	unsigned n = 0;

	if (ns == NULL)
		return BP_ENOMEM;
	out->rtt_min_ns = -1;
	for (unsigned i = 0; i < k->count; i++) {
		const struct kept *c = &k->cells[i];

		if (c->state != CELL_MEASURED || c->rtt_median_ns < 0)
			continue;
		ns[n++] = c->rtt_median_ns;
		if (c->rtt_min_ns >= 0 && (out->rtt_min_ns < 0 || c->rtt_min_ns < out->rtt_min_ns))
			out->rtt_min_ns = c->rtt_min_ns;
	}
	out->rtt_median_ns = median(ns, n);
	free(ns);
	return 0;
}

int report_row_make(const struct key_cells *k, const struct report *r, unsigned max_points,
		    unsigned max_spans, struct report_row *out)
{
	struct spans spans = {0};
	int rc;

	*out = (struct report_row){.vantage = k->vantage, .campaign = k->campaign,
				   .prefix = k->prefix, .method = k->method, .looks = k->looks,
				   .every_ns = k->every_ns, .border = -1, .via_asn = k->via_asn,
				   .via_org = k->via_org, .band = REPORT_BAND_NOT_MEASURED};
	for (unsigned i = 0; i < k->count; i++) {
		const struct kept *c = &k->cells[i];

		out->missed += c->band == REPORT_BAND_NOT_MEASURED;
		out->offline += c->band == REPORT_BAND_OFFLINE;
		if (c->state != CELL_MEASURED)
			continue;
		out->rounds++;
		out->asked += c->asked;
		out->answered += c->answered;
		count_outcome(out, c);
		stand(out, c);
	}
	for (unsigned each = 1; each == 1 || spans.count > max_spans; each *= 2) {
		spans.count = 0;
		make_spans(k, r, each, &spans);
		if (spans.failed || each > k->count)
			break;
	}
	out->spans = spans.items;
	out->span_count = spans.count;
	rc = spans.failed ? BP_ENOMEM : delays(k, out);
	return rc < 0 ? rc : points_make(k, max_points, out);
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * Round-trip times as small multiples: a panel a vantage point, one scale for all of a figure, in
 * milliseconds, linear, from zero or with the break shown. Lines never cross gaps.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/report/chart.h"
#include "analysis/words.h"

struct scale { double from, to, step; bool broken; };

struct panels { unsigned first, count; struct scale scale; bool prefixes; };

struct panel { double x, y, w, h; };

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* 1, 2 or 5 times a power of ten, at least x. */
static double nice(double x)
{
	double power = pow(10, floor(log10(x > 0.01 ? x : 0.01)));
	double m = x / power;

	return (m <= 1 ? 1 : m <= 2 ? 2 : m <= 5 ? 5 : 10) * power;
}

/* Most points decide, not a spike: what is above is cut, and marked as cut. */
static struct scale scale_of(const struct report *r, unsigned first, unsigned count)
{
	size_t n = 0, room = 0;
	struct scale s = {0, 100, 50, false};
	double *ms, low, high;

	for (unsigned i = first; i < first + count; i++)
		room += r->rows[i].point_count;
	ms = calloc(room + 1, sizeof(*ms));
	if (ms == NULL)
		return s;
	for (unsigned i = first; i < first + count; i++) {
		for (unsigned k = 0; k < r->rows[i].point_count; k++) {
			if (r->rows[i].points[k].rtt_median_ns >= 0)
				ms[n++] = (double)r->rows[i].points[k].rtt_median_ns / 1e6;
		}
	}
	if (n > 0) {
		qsort(ms, n, sizeof(*ms), compare);
		low = ms[n / 100];
		high = ms[n - 1 - n / 100];
		high = ms[n - 1] < 1.5 * high ? ms[n - 1] : high;
		s.broken = high - low < 0.3 * high;
		if (s.broken) {
			double range = high - low > 4 ? high - low : 4;

			s.step = nice(range / 2);
			s.from = floor((low - range / 4) / s.step) * s.step;
			s.to = ceil((high + range / 8) / s.step) * s.step;
			s.broken = s.from > 0;
			s.from = s.broken ? s.from : 0;
		} else {
			s.step = nice(high / 3.5);
			s.to = ceil(high * 1.04 / s.step) * s.step;
		}
	}
	free(ms);
	return s;
}

static double to_y(const struct panel *p, const struct scale *s, int64_t ns)
{
	double part = ((double)ns / 1e6 - s->from) / (s->to - s->from);

	part = part < 0 ? 0 : part > 1 ? 1 : part;
	return p->y + p->h * (1 - part);
}

/* Where the pen is, in tenths of a pixel: steps are written, which are shorter than places. */
struct pen { long x, y; };

static void put_xy(struct buf *out, struct pen *pen, double x, double y)
{
	*pen = (struct pen){lround(x * 10), lround(y * 10)};
	buf_char(out, 'M');
	svg_number(out, (double)pen->x / 10);
	buf_char(out, ' ');
	svg_number(out, (double)pen->y / 10);
}

static void put_step(struct buf *out, struct pen *pen, double x, double y)
{
	long dx = lround(x * 10) - pen->x, dy = lround(y * 10) - pen->y;

	buf_char(out, 'l');
	svg_number(out, (double)dx / 10);
	/* A sign parts them as well as a blank. */
	if (dy >= 0)
		buf_char(out, ' ');
	svg_number(out, (double)dy / 10);
	pen->x += dx;
	pen->y += dy;
}

/* --- lines ----------------------------------------------------------------------------------- */

static void line_open(struct svg *s, int border)
{
	bool other = border >= 0 && (unsigned)border >= s->r->profile->borders_count;

	if (border < 0)
		buf_str(s->out, "<path class=\"rtt unknown\" d=\"");
	else
		buf_printf(s->out, "<path class=\"rtt%s\" stroke=\"%s\" d=\"", other ? " other" : "",
			   svg_color(s->r, border));
}

/* Runs of one border, without gaps; what joins two borders has the colour of the later one. */
static void lines(struct svg *s, const struct report_row *row, const struct panel *p,
		  const struct scale *scale)
{
	struct pen pen = {0, 0};
	bool open = false;

	for (unsigned i = 0; i < row->point_count; i++) {
		const struct report_point *x = &row->points[i];
		const struct report_point *before = i > 0 ? &row->points[i - 1] : NULL;
		bool joined = before != NULL && before->rtt_median_ns >= 0 && !x->gap;

		if (open && (x->rtt_median_ns < 0 || !joined || before->border != x->border)) {
			buf_str(s->out, "\"/>");
			open = false;
		}
		if (x->rtt_median_ns < 0)
			continue;
		if (!open) {
			line_open(s, x->border);
			open = true;
			if (!joined) {
				/* A point alone: a line of no length with round ends is a dot. */
				put_xy(s->out, &pen, svg_x(s, x->at),
				       to_y(p, scale, x->rtt_median_ns));
				buf_str(s->out, "h0");
				continue;
			}
			put_xy(s->out, &pen, svg_x(s, before->at),
			       to_y(p, scale, before->rtt_median_ns));
		}
		put_step(s->out, &pen, svg_x(s, x->at), to_y(p, scale, x->rtt_median_ns));
	}
	if (open)
		buf_str(s->out, "\"/>");
}

/* Rounds that nobody answered, on the ground; values above the scale, at the top. */
static void odd_points(struct svg *s, const struct report_row *row, const struct panel *p,
		       const struct scale *scale)
{
	double last = -10;

	for (unsigned i = 0; i < row->point_count; i++) {
		const struct report_point *x = &row->points[i];
		double at = svg_x(s, x->at);

		if (at - last < 4)
			continue;
		if (x->rtt_median_ns < 0)
			buf_printf(s->out, "<circle class=\"lost\" cx=\"%.1f\" cy=\"%.1f\" r=\"1.8\"/>",
				   at, p->y + p->h - 3);
		else if ((double)x->rtt_median_ns / 1e6 > scale->to)
			buf_printf(s->out, "<path class=\"above\" d=\"M%.1f %.1fl3 5h-6z\"/>", at,
				   p->y);
		else
			continue;
		last = at;
	}
}

static void ticks(struct svg *s, const struct panel *p, const struct scale *scale)
{
	double end = scale->to + scale->step / 100;
	int digits = scale->step < 0.1 ? 2 : scale->step < 1 ? 1 : 0;
	char text[32];

	buf_str(s->out, "<path class=\"grid\" d=\"");
	for (double v = scale->from + scale->step; v <= end; v += scale->step)
		buf_printf(s->out, "M%.1f %.1fh%.1f", p->x,
			   to_y(p, scale, (int64_t)llround(v * 1e6)), p->w);
	buf_str(s->out, "\"/>");
	svg_line(s, p->x, p->y + p->h, p->x + p->w, p->y + p->h, "rule");
	for (double v = scale->from; v <= end; v += scale->step) {
		double y = to_y(p, scale, (int64_t)llround(v * 1e6));

		snprintf(text, sizeof(text), "%.*f", digits, v);
		svg_text(s, p->x - 5, y + 3.5, "axis small", "end", text);
	}
	if (scale->broken)
		buf_printf(s->out, "<path class=\"break\" d=\"M%.1f %.1fl4 -3l-8 -4l8 -4l-4 -3\"/>",
			   p->x, p->y + p->h);
}

/* prefixes: rows of several are side by side, so each says whose it is. */
static void panel_draw(struct svg *s, const struct report_row *row, const struct panel *p,
		       const struct scale *scale, bool prefixes)
{
	struct buf name;
	char text[64] = "no answer", prefix[PREFIX_TEXT], cut[160], ms[WORDS_MS];

	s->left = p->x;
	s->right = p->x + p->w;
	svg_grid(s, p->y, p->y + p->h);
	ticks(s, p, scale);
	svg_events(s, row->prefix, row->vantage, p->y, p->y + p->h, SVG_EDGES_PANEL);
	buf_str(s->out, "<g>");
	lines(s, row, p, scale);
	odd_points(s, row, p, scale);
	buf_str(s->out, "</g>");
	buf_init(&name);
	if (prefixes)
		buf_printf(&name, "%s, ", prefix_format(row->prefix, prefix));
	chart_row_name(&name, s->r, row);
	if (row->rtt_median_ns >= 0)
		snprintf(text, sizeof(text), "median %s ms", words_ms(row->rtt_median_ns, ms));
	svg_text(s, p->x + p->w, p->y - 7, "label", "end", text);
	snprintf(cut, sizeof(cut) - 4, "%s", name.failed ? "" : name.bytes);
	buf_fini(&name);
	chart_fit(cut, 14.5, p->w - svg_text_width(text, 12.5) - 12);
	svg_text(s, p->x, p->y - 7, "label strong", "start", cut);
}

static double body(struct svg *s, void *arg)
{
	const struct panels *all = arg;
	unsigned most = all->count <= 4 || all->prefixes ? 2 : 3; /* longer names, fewer beside */
	unsigned columns = s->narrow || all->count == 1 ? 1 : most;
	double between = 52, left = s->narrow ? 34 : 90, y = 24;
	double w = (s->width - left - (s->narrow ? 6 : 14) - between * (columns - 1)) / columns;
	double h = all->count == 1 ? 190 : s->narrow ? 84 : 104;
	unsigned rows = (all->count + columns - 1) / columns;

	for (unsigned i = 0; i < all->count; i++) {
		struct panel p = {left + (i % columns) * (w + between),
				  y + (i / columns) * (h + 34), w, h};

		panel_draw(s, &s->r->rows[all->first + i], &p, &all->scale, all->prefixes);
		/* Under the last panel of each column. */
		s->names = s->narrow ? SVG_NAMES_DATE : i % columns == 0 ? SVG_NAMES_LEFT :
			   SVG_NAMES_NONE;
		if (i + columns >= all->count)
			svg_axis(s, p.y + h);
	}
	s->left = left;
	s->right = s->width - 14;
	y += rows * (h + 34) - 34 + svg_axis_height(s) + 10;
	svg_text(s, s->narrow ? 4 : left, y + 8, "legend", "start", all->scale.broken ?
		 "Milliseconds; the axis does not begin at zero (break)." :
		 "Milliseconds, from zero; coloured by border.");
	return svg_legend(s, y + 16, true) + 4;
}

void chart_rtt(struct svg *s, unsigned first, unsigned count)
{
	const struct report_row *rows = &s->r->rows[first];
	struct panels all = {first, count, scale_of(s->r, first, count), false};
	char text[PREFIX_TEXT], title[128], about[128];

	for (unsigned i = 1; i < count; i++)
		all.prefixes = all.prefixes || !prefix_equal(rows[i].prefix, rows[0].prefix);
	snprintf(title, sizeof(title), "Median round-trip time to %s, in milliseconds",
		 all.prefixes ? "each network" : prefix_format(rows[0].prefix, text));
	snprintf(about, sizeof(about), "%u panels over the same time, one a vantage point; the data "
		 "table below has the same.", count);
	chart_both(s, title, about, body, &all);
}

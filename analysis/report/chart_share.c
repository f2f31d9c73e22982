// SPDX-License-Identifier: BSD-2-Clause
/*
 * Shares: of vantage points x networks, how many enter by each border, step by step: a panel a
 * border, the Wilson interval behind each share, n under it.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "analysis/report/chart.h"
#include "analysis/words.h"

/* border < 0: mixed. */
static uint32_t count_of(const struct report_share *s, int border)
{
	return border < 0 ? s->mixed : s->by_border[border];
}

static bool any(const struct report *r, int border)
{
	for (unsigned i = 0; i < r->share_count; i++) {
		if (count_of(&r->shares[i], border) > 0)
			return true;
	}
	return false;
}

static double level(double y, double h, double part)
{
	return y + h * (1 - part);
}

static void step(struct svg *s, const struct report_share *x, int border, double y, double h)
{
	double left = svg_x(s, x->from), w = svg_x(s, x->to) - left, low, high;
	uint32_t k = count_of(x, border);
	char attributes[96];

	if (x->n == 0)
		return;
	report_wilson(k, x->n, &low, &high);
	snprintf(attributes, sizeof(attributes), "class=\"interval\" fill=\"%s\"",
		 border < 0 ? "#888888" : svg_color(s->r, border));
	svg_rect(s, left + 0.3, level(y, h, high), w > 1.6 ? w - 0.6 : w, h * (high - low),
		 attributes);
	svg_line(s, left, level(y, h, (double)k / x->n), left + w, level(y, h, (double)k / x->n),
		 "share");
}

static void panel(struct svg *s, int border, double y, double h)
{
	static const char *const labels[] = {"0 %", "50 %", "100 %"};
	const char *name = border < 0 ? "several ways at once" :
			   words_border(s->r->profile, report_border_id(s->r, border));

	svg_grid(s, y, y + h);
	for (int i = 0; i < 3; i++) {
		svg_line(s, s->left, level(y, h, i / 2.0), s->right, level(y, h, i / 2.0),
			 i == 0 ? "rule" : "grid");
		svg_text(s, s->left - 5, level(y, h, i / 2.0) + 3.5, "axis small", "end", labels[i]);
	}
	svg_text(s, s->left, y - 7, "label strong", "start", name);
	for (unsigned i = 0; i < s->r->share_count; i++)
		step(s, &s->r->shares[i], border, y, h);
}

/* n under every share, upright where it does not fit otherwise; where nothing fits, the table has
 * it, and the range stands here. */
static double numbers(struct svg *s, double y)
{
	const struct report *r = s->r;
	double w = r->share_count > 0 ? svg_x(s, r->shares[0].to) - svg_x(s, r->shares[0].from) : 0;
	uint32_t least = UINT32_MAX, most = 0;
	bool upright;
	char text[48];

	for (unsigned i = 0; i < r->share_count; i++) {
		double x = svg_x(s, r->shares[i].to) - svg_x(s, r->shares[i].from);

		w = x > w ? x : w;
		least = r->shares[i].n < least ? r->shares[i].n : least;
		most = r->shares[i].n > most ? r->shares[i].n : most;
	}
	snprintf(text, sizeof(text), "%u", most);
	upright = svg_text_width(text, 9.5) + 2 > w;
	svg_text(s, s->left - 5, y + 10, "axis small", "end", "n");
	if (w < 9) {
		snprintf(text, sizeof(text), "%u to %u", least, most);
		svg_text(s, s->left, y + 10, "axis small", "start", text);
		return y + 14;
	}
	for (unsigned i = 0; i < r->share_count; i++) {
		double x = (svg_x(s, r->shares[i].from) + svg_x(s, r->shares[i].to)) / 2;

		snprintf(text, sizeof(text), "%u", r->shares[i].n);
		if (!upright)
			svg_text(s, x, y + 10, "axis n", "middle", text);
		else
			buf_printf(s->out, "<text class=\"axis n\" transform=\"translate(%.1f %.1f) "
				   "rotate(-90)\" text-anchor=\"end\">%s</text>", x + 3, y + 3, text);
	}
	return y + (upright ? 26 : 14);
}

static double body(struct svg *s, void *arg)
{
	double y = 24, h = s->narrow ? 70 : 90;

	(void)arg;
	s->left = s->narrow ? 38 : 56;
	s->names = SVG_NAMES_DATE;
	for (int b = 0; b < (int)s->r->border_count; b++) {
		if (!any(s->r, b))
			continue;
		panel(s, b, y, h);
		y += h + 32;
	}
	if (any(s->r, -1)) {
		panel(s, -1, y, h);
		y += h + 32;
	}
	y = numbers(s, y - 32 + 8);
	svg_axis(s, y + 2);
	return y + 2 + svg_axis_height(s) + 4;
}

void chart_shares(struct svg *s)
{
	chart_both(s, "Share of vantage points and networks by border, with the 95 % interval of the "
		   "sample", "One panel a border over time, in percent; n stands under each share; the "
		   "data table below has the same.", body, NULL);
}

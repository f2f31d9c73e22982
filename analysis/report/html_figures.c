// SPDX-License-Identifier: BSD-2-Clause
/* Figures with the tables of what they show. */
#include <stdio.h>
#include <string.h>

#include "analysis/report/chart.h"
#include "analysis/report/html_parts.h"
#include "analysis/words.h"

/* More than so many rows of a table are left to the JSON. */
enum { SUMS_SHOWN = 240, SPANS_SHOWN = 600, POINTS_SHOWN = 4000, ONCE_ABOVE = 64,
       PANELS_IF_MANY = 6 };

/* What is nought is left out of the JSON. */
static void sum_number(struct buf *out, unsigned n, const char *member)
{
	char text[24];

	snprintf(text, sizeof(text), "%u", n);
	if (n > 0)
		cell_number(out, text, "%s", member);
	else
		buf_str(out, "<td class=\"n\">0</td>");
}

static void data_open(struct page *page)
{
	buf_str(page->out, "<details class=\"data\"><summary>Data table</summary>\n");
}

static void data_close(struct page *page)
{
	buf_str(page->out, "</details>\n");
}

/* "Letter name" of all borders as columns. */
static void border_columns(struct buf *out, const struct report *r, const char *before,
			   const char *after)
{
	buf_str(out, before);
	for (unsigned b = 0; b < r->border_count; b++) {
		buf_str(out, "|#");
		html_text(out, words_border(r->profile, report_border_id(r, (int)b)));
	}
	buf_str(out, after);
}

static void sums_table(struct page *page)
{
	const struct report *r = page->r;
	unsigned shown = 0, all = 0;
	struct buf columns;

	buf_init(&columns);
	border_columns(&columns, r, "Network|From, UTC|To, UTC",
		       "|#mixed|#undetermined|#silent|#offline|#not measured");
	table_open(page->out, "How many vantage points see which border", columns.failed ? "" :
		   columns.bytes, true);
	buf_fini(&columns);
	for (unsigned i = 0; i < r->prefix_count; i++) {
		for (unsigned k = 0; k < r->prefixes[i].sum_count && shown < SUMS_SHOWN; k++) {
			const struct report_sum *x = &r->prefixes[i].sums[k];

			shown++;
			row_open(page->out, "", "report/prefixes/%u/sums/%u", i, k);
			cell_prefix(page->out, r->prefixes[i].prefix);
			cell_time(page->out, x->from);
			cell_time(page->out, x->to);
			for (unsigned b = 0; b < r->border_count; b++)
				sum_number(page->out, x->by_border[b],
					   report_border_id(r, (int)b));
			sum_number(page->out, x->mixed, "mixed");
			sum_number(page->out, x->undetermined, "undetermined");
			sum_number(page->out, x->silent, "silent");
			sum_number(page->out, x->offline, "offline");
			sum_number(page->out, x->not_measured, "not_measured");
			buf_str(page->out, "</tr>\n");
		}
		all += r->prefixes[i].sum_count;
	}
	table_close(page->out);
	if (all > shown)
		buf_printf(page->out, "<p class=\"small mute\">%u more lines are in the JSON of this page "
			   "(prefixes, sums).</p>\n", all - shown);
}

static void shows(struct buf *out, const struct report *r, const struct report_span *x)
{
	if (x->border >= 0) {
		html_text(out, words_border(r->profile, report_border_id(r, x->border)));
		return;
	}
	put_words(out, word_of(report_band_words, x->band));
	for (unsigned b = 0, n = 0; b < r->border_count; b++) {
		if ((x->borders >> b & 1) == 0)
			continue;
		buf_str(out, n++ == 0 ? ": " : ", ");
		html_text(out, words_border(r->profile, report_border_id(r, (int)b)));
	}
	if (x->why != ROUND_WHY_NONE)
		buf_printf(out, " (%s)", word_of(round_why_words, x->why));
}

static void spans_table(struct page *page)
{
	const struct report *r = page->r;
	char text[32];

	table_open(page->out, "What each vantage point saw", "Network|From|Since, UTC|Until, UTC|"
		   "Shows|#Sure|#Rounds", true);
	for (unsigned i = 0; i < r->row_count; i++) {
		for (unsigned k = 0; k < r->rows[i].span_count; k++) {
			const struct report_span *x = &r->rows[i].spans[k];
			struct buf name;

			buf_init(&name);
			chart_row_name(&name, r, &r->rows[i]);
			row_open(page->out, "", "report/rows/%u/spans/%u", i, k);
			cell_prefix(page->out, r->rows[i].prefix);
			cell(page->out, name.failed ? "" : name.bytes);
			buf_fini(&name);
			cell_time(page->out, x->from);
			cell_time(page->out, x->to);
			buf_str(page->out, "<td>");
			shows(page->out, r, x);
			buf_str(page->out, "</td>");
			snprintf(text, sizeof(text), "%.2f", x->confidence);
			if (x->borders != 0)
				cell_number(page->out, text, "confidence");
			else
				buf_str(page->out, "<td></td>");
			snprintf(text, sizeof(text), "%u", x->rounds);
			cell_number(page->out, text, "rounds");
			buf_str(page->out, "</tr>\n");
		}
	}
	table_close(page->out);
}

/* What is folded away on pages of many vantage points is drawn once: it scrolls on a phone. */
static void many_open(struct page *page)
{
	page->svg.wide_only = page->r->row_count > ONCE_ABOVE;
	buf_str(page->out, "<div class=\"drawing\">");
}

static void many_close(struct page *page)
{
	page->svg.wide_only = false;
	buf_str(page->out, "</div>\n");
}

void part_bands(struct page *page)
{
	const struct report *r = page->r;
	unsigned spans = 0;
	char text[160], prefix[PREFIX_TEXT];

	page_heading(page, "borders", "Borders over time");
	page_figure(page, "By which border paths enter each network", page->at.ns == 0 ?
		    "The letter is the border; where vantage points differ, the band is divided, k of "
		    "n. Red: an event lies within; edges mark the networks concerned." :
		    "The letter is the border; where vantage points differ, the band is divided, k of "
		    "n. Red: an event lies within; edges mark the networks concerned. The line across "
		    "all: the moment compared around.");
	chart_bands(&page->svg);
	data_open(page);
	sums_table(page);
	for (unsigned i = 0; i < r->row_count; i++)
		spans += r->rows[i].span_count;
	if (spans <= SPANS_SHOWN)
		spans_table(page);
	else
		buf_printf(page->out, "<p class=\"small mute\">What each vantage point saw is in the JSON "
			   "of this page (rows, spans).</p>\n");
	data_close(page);
	page_figure_end(page);
	for (unsigned i = 0; i < r->prefix_count; i++) {
		const struct report_prefix *p = &r->prefixes[i];

		if (p->keys <= CHART_ROWS_MAX)
			continue;
		prefix_format(p->prefix, prefix);
		buf_printf(page->out, "<details><summary>%s from each of %u vantage points</summary>\n",
			   prefix, p->keys);
		snprintf(text, sizeof(text), "Each vantage point's way into %s", prefix);
		page_figure(page, text, NULL);
		many_open(page);
		chart_band_rows(&page->svg, p);
		many_close(page);
		page_figure_end(page);
		buf_str(page->out, "</details>\n");
	}
}

/* --- round-trip times ------------------------------------------------------------------------ */

/* The JSON has points to 10 microseconds: no more is shown, and rounded as there. */
static void point_ms(struct buf *out, int64_t ns)
{
	int digits = words_ms_digits(ns);

	buf_printf(out, "<td>%.*f", digits < 2 ? digits : 2,
		   (double)((ns + 5 * NS_PER_US) / (10 * NS_PER_US)) / 100);
}

/* A body a row of the report, in the order of its points: a test goes by that. End tags that may be
 * left out are: there are thousands. */
static void points_body(struct page *page, unsigned i)
{
	const struct report_row *row = &page->r->rows[i];
	struct buf *out = page->out, name;
	char prefix[PREFIX_TEXT], text[WALL_TEXT];

	buf_init(&name);
	chart_row_name(&name, page->r, row);
	buf_printf(out, "<tbody data-points=\"%u\"><tr><th colspan=\"5\" scope=\"rowgroup\">%s, ", i,
		   prefix_format(row->prefix, prefix));
	html_text(out, name.failed ? "" : name.bytes);
	buf_str(out, "</th></tr>\n");
	buf_fini(&name);
	for (unsigned k = 0; k < row->point_count; k++) {
		const struct report_point *x = &row->points[k];

		buf_printf(out, "<tr><td>%.*s", x->at.ns / NS_PER_S % 60 != 0 ? 19 : 16,
			   wall_format_short(x->at, text));
		if (x->rtt_median_ns >= 0) {
			point_ms(out, x->rtt_median_ns);
			point_ms(out, x->rtt_min_ns);
		} else {
			buf_str(out, "<td>-<td>-");
		}
		buf_printf(out, "<td>%u<td>%u\n", x->asked, x->answered);
	}
	buf_str(out, "</tbody>");
}

static void points_table(struct page *page, unsigned first, unsigned count)
{
	const struct report *r = page->r;
	unsigned points = 0;

	for (unsigned i = 0; i < r->row_count; i++)
		points += r->rows[i].point_count;
	if (points > POINTS_SHOWN) {
		buf_str(page->out, "<p class=\"small mute\">The points of these lines are in the JSON of "
			"this page (rows, points).</p>\n");
		return;
	}
	buf_str(page->out, "<div class=\"scroll tall\" tabindex=\"0\" role=\"region\" aria-label=\""
		"Round-trip times\"><table class=\"points\"><caption>Round-trip times, round by round"
		"</caption><thead><tr><th scope=\"col\">Round, UTC</th><th scope=\"col\">Median, ms</th>"
		"<th scope=\"col\">Lowest, ms</th><th scope=\"col\">Asked</th><th scope=\"col\">Answered"
		"</th></tr></thead>\n");
	for (unsigned i = first; i < first + count; i++)
		points_body(page, i);
	buf_str(page->out, "</table></div>\n");
}

static void rtt_figure(struct page *page, unsigned first, unsigned count, const char *title,
		       bool folded)
{
	page_figure(page, title, "Red: an event of this network lies within. A gap was not measured; a "
		    "hollow dot was measured and not answered.");
	if (folded)
		many_open(page);
	chart_rtt(&page->svg, first, count);
	if (folded)
		many_close(page);
	data_open(page);
	points_table(page, first, count);
	data_close(page);
	page_figure_end(page);
}

static void rtt_prefix(struct page *page, const struct report_prefix *p)
{
	char text[160], prefix[PREFIX_TEXT];
	unsigned most = page->r->row_count > ONCE_ABOVE ? PANELS_IF_MANY : CHART_PANELS_MAX;
	unsigned shown = p->keys < most ? p->keys : most;
	uint64_t answered = 0;

	prefix_format(p->prefix, prefix);
	for (unsigned i = p->first; i < p->first + p->keys; i++)
		answered += page->r->rows[i].answered;
	if (answered == 0) {
		buf_printf(page->out, "<p><strong>%s</strong>: no probed host answered anybody, so there "
			   "are no round-trip times.</p>\n", prefix);
		return;
	}
	snprintf(text, sizeof(text), "Median round-trip time to %s", prefix);
	rtt_figure(page, p->first, shown, text, false);
	if (p->keys <= shown)
		return;
	buf_printf(page->out, "<details><summary>%s from %u more vantage points</summary>\n", prefix,
		   p->keys - shown);
	for (unsigned i = shown; i < p->keys; i += CHART_PANELS_MAX) {
		unsigned left = p->keys - i;

		left = left < CHART_PANELS_MAX ? left : CHART_PANELS_MAX;
		rtt_figure(page, p->first + i, left, text, true);
	}
	buf_str(page->out, "</details>\n");
}

void part_rtt(struct page *page)
{
	const struct report *r = page->r;

	page_heading(page, "rtt", "Round-trip times");
	if (r->row_count <= CHART_PANELS_MAX) {
		rtt_figure(page, 0, r->row_count, "Median round-trip time to each network", false);
		return;
	}
	for (unsigned i = 0; i < r->prefix_count; i++)
		rtt_prefix(page, &r->prefixes[i]);
}

/* --- shares ---------------------------------------------------------------------------------- */

static void share_cell(struct buf *out, uint32_t k, uint32_t n, const char *id)
{
	double low, high;

	if (n == 0) {
		buf_str(out, "<td></td>");
		return;
	}
	report_wilson(k, n, &low, &high);
	buf_printf(out, "<td class=\"n\"><span data-j=\"by/%s/k\">%u</span> <span class=\"mute\">(<span "
		   "data-j=\"by/%s/low\">%.0f %%</span> to <span data-j=\"by/%s/high\">%.0f %%</span>)"
		   "</span></td>", id, k, id, 100 * low, id, 100 * high);
}

static void shares_table(struct page *page)
{
	const struct report *r = page->r;
	struct buf columns;

	buf_init(&columns);
	border_columns(&columns, r, "From, UTC|#n", "|#mixed|#undetermined, not in n");
	table_open(page->out, "Vantage points x networks by border: k (95 % Wilson interval of k/n)",
		   columns.failed ? "" : columns.bytes, true);
	buf_fini(&columns);
	for (unsigned i = 0; i < r->share_count; i++) {
		const struct report_share *x = &r->shares[i];
		char text[16];

		row_open(page->out, "", "report/shares/%u", i);
		cell_time(page->out, x->from);
		snprintf(text, sizeof(text), "%u", x->n);
		cell_number(page->out, text, "n");
		for (unsigned b = 0; b < r->border_count; b++)
			share_cell(page->out, x->by_border[b], x->n, report_border_id(r, (int)b));
		share_cell(page->out, x->mixed, x->n, "mixed");
		snprintf(text, sizeof(text), "%u", x->undetermined);
		cell_number(page->out, text, "undetermined");
		buf_str(page->out, "</tr>\n");
	}
	table_close(page->out);
}

void part_shares(struct page *page)
{
	struct buf note;

	buf_init(&note);
	buf_str(&note, "Of vantage points x networks, each counted once per ");
	duration_put(&note, (double)page->r->step_ns / 1e9);
	buf_str(&note, "; not a share of traffic. Shaded: 95 % Wilson interval.");
	page_heading(page, "shares", "Shares");
	page_figure(page, "Share of vantage points and networks by border", note.failed ? NULL :
		    note.bytes);
	buf_fini(&note);
	chart_shares(&page->svg);
	data_open(page);
	shares_table(page);
	data_close(page);
	page_figure_end(page);
}

// SPDX-License-Identifier: BSD-2-Clause
/* Figures with the tables of what they show. */
#include <stdio.h>
#include <string.h>

#include "analysis/report/chart.h"
#include "analysis/report/html_parts.h"
#include "analysis/words.h"

/* More than so many rows of a table are left to the JSON. */
enum { SPANS_SHOWN = 800, POINTS_SHOWN = 1200 };

/* What is nought is left out of the JSON. */
static void sum_number(struct buf *out, unsigned n, unsigned i, unsigned k, const char *member)
{
	char text[24];

	snprintf(text, sizeof(text), "%u", n);
	if (n > 0)
		cell_number(out, text, "report/prefixes/%u/sums/%u/%s", i, k, member);
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
	struct buf columns;

	buf_init(&columns);
	border_columns(&columns, r, "Network|From, UTC|To, UTC",
		       "|#mixed|#undetermined|#silent|#offline|#not measured");
	table_open(page->out, "How many vantage points see which border", columns.failed ? "" :
		   columns.bytes, true);
	buf_fini(&columns);
	for (unsigned i = 0; i < r->prefix_count; i++) {
		for (unsigned k = 0; k < r->prefixes[i].sum_count; k++) {
			const struct report_sum *x = &r->prefixes[i].sums[k];

			buf_str(page->out, "<tr>");
			cell_prefix(page->out, r->prefixes[i].prefix);
			cell_time(page->out, x->from);
			cell_time(page->out, x->to);
			for (unsigned b = 0; b < r->border_count; b++)
				sum_number(page->out, x->by_border[b], i, k,
					   report_border_id(r, (int)b));
			sum_number(page->out, x->mixed, i, k, "mixed");
			sum_number(page->out, x->undetermined, i, k, "undetermined");
			sum_number(page->out, x->silent, i, k, "silent");
			sum_number(page->out, x->offline, i, k, "offline");
			sum_number(page->out, x->not_measured, i, k, "not_measured");
			buf_str(page->out, "</tr>\n");
		}
	}
	table_close(page->out);
}

static void shows(struct buf *out, const struct report *r, const struct report_span *x)
{
	if (x->border >= 0) {
		html_text(out, words_border(r->profile, report_border_id(r, x->border)));
		return;
	}
	for (const char *c = word_of(report_band_words, x->band); *c != '\0'; c++)
		buf_char(out, *c == '_' ? ' ' : *c);
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
			buf_str(page->out, "<tr>");
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
				cell_number(page->out, text, "report/rows/%u/spans/%u/confidence", i, k);
			else
				buf_str(page->out, "<td></td>");
			snprintf(text, sizeof(text), "%u", x->rounds);
			cell_number(page->out, text, "report/rows/%u/spans/%u/rounds", i, k);
			buf_str(page->out, "</tr>\n");
		}
	}
	table_close(page->out);
}

void part_bands(struct page *page)
{
	const struct report *r = page->r;
	unsigned spans = 0;
	char text[160], prefix[PREFIX_TEXT];

	page_heading(page, "borders", "Borders over time");
	page_figure(page, "By which border paths enter each network", "The letter is the border; "
		    "where vantage points differ, the band is divided, k of n.");
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
		chart_band_rows(&page->svg, p);
		page_figure_end(page);
		buf_str(page->out, "</details>\n");
	}
}

/* --- round-trip times ------------------------------------------------------------------------ */

static void point_ms(struct buf *out, int64_t ns, unsigned i, unsigned k, const char *member)
{
	char text[32];

	if (ns < 0) {
		buf_str(out, "<td class=\"n\">-</td>");
		return;
	}
	snprintf(text, sizeof(text), "%.1f", (double)ns / 1e6);
	cell_number(out, text, "report/rows/%u/points/%s/%u", i, member, k);
}

static void point_number(struct buf *out, unsigned n, unsigned i, unsigned k, const char *member)
{
	char text[24];

	snprintf(text, sizeof(text), "%u", n);
	cell_number(out, text, "report/rows/%u/points/%s/%u", i, member, k);
}

static void points_table(struct page *page, unsigned first, unsigned count)
{
	const struct report *r = page->r;
	unsigned points = 0;

	for (unsigned i = first; i < first + count; i++)
		points += r->rows[i].point_count;
	if (points > POINTS_SHOWN) {
		buf_printf(page->out, "<p class=\"small mute\">The %u points of these lines are in the "
			   "JSON of this page (rows, points).</p>\n", points);
		return;
	}
	table_open(page->out, "Round-trip times, round by round", "Network|From|Round, UTC|"
		   "#Median, ms|#Lowest, ms|#Asked|#Answered", true);
	for (unsigned i = first; i < first + count; i++) {
		struct buf name;

		buf_init(&name);
		chart_row_name(&name, r, &r->rows[i]);
		for (unsigned k = 0; k < r->rows[i].point_count; k++) {
			const struct report_point *x = &r->rows[i].points[k];

			buf_str(page->out, "<tr>");
			cell_prefix(page->out, r->rows[i].prefix);
			cell(page->out, name.failed ? "" : name.bytes);
			cell_time(page->out, x->at);
			point_ms(page->out, x->rtt_median_ns, i, k, "rtt_median_ms");
			point_ms(page->out, x->rtt_min_ns, i, k, "rtt_min_ms");
			point_number(page->out, x->asked, i, k, "asked");
			point_number(page->out, x->answered, i, k, "answered");
			buf_str(page->out, "</tr>\n");
		}
		buf_fini(&name);
	}
	table_close(page->out);
}

static void rtt_figure(struct page *page, unsigned first, unsigned count, const char *title)
{
	page_figure(page, title, "Red: the interval of an event. A gap was not measured; a hollow dot "
		    "was measured and not answered.");
	chart_rtt(&page->svg, first, count);
	data_open(page);
	points_table(page, first, count);
	data_close(page);
	page_figure_end(page);
}

static void rtt_prefix(struct page *page, const struct report_prefix *p)
{
	char text[160], prefix[PREFIX_TEXT];
	unsigned shown = p->keys < CHART_PANELS_MAX ? p->keys : CHART_PANELS_MAX;

	prefix_format(p->prefix, prefix);
	snprintf(text, sizeof(text), "Median round-trip time to %s", prefix);
	rtt_figure(page, p->first, shown, text);
	if (p->keys <= shown)
		return;
	buf_printf(page->out, "<details><summary>%s from %u more vantage points</summary>\n", prefix,
		   p->keys - shown);
	for (unsigned i = shown; i < p->keys; i += CHART_PANELS_MAX) {
		unsigned left = p->keys - i;

		left = left < CHART_PANELS_MAX ? left : CHART_PANELS_MAX;
		rtt_figure(page, p->first + i, left, text);
	}
	buf_str(page->out, "</details>\n");
}

void part_rtt(struct page *page)
{
	const struct report *r = page->r;

	page_heading(page, "rtt", "Round-trip times");
	if (r->row_count <= CHART_PANELS_MAX) {
		rtt_figure(page, 0, r->row_count, "Median round-trip time to each network");
		return;
	}
	for (unsigned i = 0; i < r->prefix_count; i++)
		rtt_prefix(page, &r->prefixes[i]);
}

/* --- shares ---------------------------------------------------------------------------------- */

static void share_cell(struct buf *out, uint32_t k, uint32_t n, unsigned i, const char *id)
{
	double low, high;

	if (n == 0) {
		buf_str(out, "<td></td>");
		return;
	}
	report_wilson(k, n, &low, &high);
	buf_printf(out, "<td class=\"n\"><span data-j=\"report/shares/%u/by/%s/k\">%u</span> "
		   "<span class=\"mute\">(<span data-j=\"report/shares/%u/by/%s/low\">%.0f %%</span> to "
		   "<span data-j=\"report/shares/%u/by/%s/high\">%.0f %%</span>)</span></td>", i, id, k,
		   i, id, 100 * low, i, id, 100 * high);
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

		buf_str(page->out, "<tr>");
		cell_time(page->out, x->from);
		snprintf(text, sizeof(text), "%u", x->n);
		cell_number(page->out, text, "report/shares/%u/n", i);
		for (unsigned b = 0; b < r->border_count; b++)
			share_cell(page->out, x->by_border[b], x->n, i,
				   report_border_id(r, (int)b));
		share_cell(page->out, x->mixed, x->n, i, "mixed");
		snprintf(text, sizeof(text), "%u", x->undetermined);
		cell_number(page->out, text, "report/shares/%u/undetermined", i);
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

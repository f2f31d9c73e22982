// SPDX-License-Identifier: BSD-2-Clause
/*
 * Inside html*.c: what the pages are put together of. data-j of an element names the number of the
 * embedded JSON that it shows ("report/rows/3/loss", or "loss" within an element whose data-p is
 * "report/rows/3"): a test compares them.
 */
#ifndef ANALYSIS_REPORT_HTML_PARTS_H
#define ANALYSIS_REPORT_HTML_PARTS_H

#include "analysis/report/html.h"
#include "analysis/report/svg.h"

struct page {
	struct buf *out;
	const struct report *r;      /* NULL: none */
	const struct diff *d;        /* NULL: none */
	const struct profile *p;
	const struct html_about *about;
	struct wall at;              /* a diff: the moment compared around; 0: none */
	const struct html_trace *traces; unsigned trace_count;
	struct svg svg;              /* for charts; r is not NULL there */
	struct power power;          /* of a diff: what would have been seen */
	struct buf window, source;   /* what saved figures say of themselves */
};

/* Head, skip link, headline; main is open behind it. */
void page_open(struct page *page, const char *title);
/* Method, limits, versions, licence, how to cite, command; the data; the end. */
void page_close(struct page *page);

void page_heading(struct page *page, const char *id, const char *title);
/* <figure> around charts: its title is what a saved one says. Behind the charts comes the table of
 * data, then page_figure_end. */
void page_figure(struct page *page, const char *title, const char *note);
void page_figure_end(struct page *page);

/* <p> of a text, which is escaped, and cleared. */
void put_paragraph(struct buf *out, struct buf *text);
/* "not_measured" as "not measured". */
void put_words(struct buf *out, const char *word);

/* Cells. text is escaped. */
void cell(struct buf *out, const char *text);
void cell_head(struct buf *out, const char *text);
void cell_number(struct buf *out, const char *text, const char *json, ...)
	__attribute__((format(printf, 3, 4)));
void cell_time(struct buf *out, struct wall t);
/* <tr> of what is at that place of the JSON. */
void row_open(struct buf *out, const char *class, const char *json, ...)
	__attribute__((format(printf, 3, 4)));
void cell_prefix(struct buf *out, struct prefix p);
/* A border with its letter in its colour; NULL r: the name alone. */
void put_border(struct buf *out, const struct profile *p, const char *id);
void put_moment(struct buf *out, struct wall t);
/* Opens a table within a frame that scrolls: tall ones in height too. Columns: "Name", or "#Name"
 * for numbers, separated by '|'. */
void table_open(struct buf *out, const char *caption, const char *columns, bool tall);
void table_close(struct buf *out);

/* Sections of pages with a report. */
void part_lead_report(struct page *page);
void part_facts(struct page *page);
void part_bands(struct page *page);
void part_rtt(struct page *page);
void part_shares(struct page *page);
void part_ways(struct page *page);
void part_rows(struct page *page);
void part_events(struct page *page);
void part_notes(struct page *page);

/* Of diffs. */
void part_paths(struct page *page);
void part_diff_rows(struct page *page);
void part_routes(struct page *page);

/* What a network is called: by the profile, else by what named the traces; "" where nobody says. */
const char *page_org(const struct page *page, uint32_t asn);

/* The answer of a TTL that hops show: the first, else what was sent. NULL: not probed. */
const struct trace_entry *hop_of(const struct trace *t, unsigned ttl);
bool hop_answered(const struct trace_entry *e);
/* The page's numbers: {"type":"page","about":...,"report":...,"diff":...}; safe within <script>. */
void page_json(struct page *page);

#endif

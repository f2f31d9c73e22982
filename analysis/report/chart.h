// SPDX-License-Identifier: BSD-2-Clause
/*
 * The figures of a page, each one <svg>: borders over time, round-trip times, shares. Every figure
 * is drawn twice, wide and for a phone; the style sheet shows one of them. `s` comes with what a
 * page has in common (svg.h); number, narrow and width are set here.
 */
#ifndef ANALYSIS_REPORT_CHART_H
#define ANALYSIS_REPORT_CHART_H

#include "analysis/report/svg.h"

/* Vantage points of a prefix that are drawn under it; more are a figure of their own. */
enum { CHART_ROWS_MAX = 8, CHART_PANELS_MAX = 12 };

/* One band a prefix, its vantage points under it unless they are too many. */
void chart_bands(struct svg *s);
/* The vantage points of one prefix, all of them. */
void chart_band_rows(struct svg *s, const struct report_prefix *p);
/* Rows [first, first + count) of the report, a panel each, of one scale. */
void chart_rtt(struct svg *s, unsigned first, unsigned count);
/* A panel a border. */
void chart_shares(struct svg *s);

/* Draws `body` twice, wide and narrow, around it title and description. body returns the height. */
void chart_both(struct svg *s, const char *title, const char *about,
		double (*body)(struct svg *s, void *arg), void *arg);
/* Cuts text to what fits into `room` pixels, an ellipsis behind it: text has room for 3 more
 * bytes. */
void chart_fit(char *text, double size, double room);
/* How a row is called beside others of its prefix. */
void chart_row_name(struct buf *out, const struct report *r, const struct report_row *row);

#endif

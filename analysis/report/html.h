// SPDX-License-Identifier: BSD-2-Clause
/*
 * Pages to publish: each one HTML file that stands alone. It opens from disk and from mail, asks no
 * network, says the same without script. Figures are SVG drawn here, which is simpler than a
 * library and needs no script to be seen. All that is shown is embedded as JSON. Names and labels
 * from outside are escaped; none becomes markup.
 */
#ifndef ANALYSIS_REPORT_HTML_H
#define ANALYSIS_REPORT_HTML_H

#include "analysis/diff.h"
#include "analysis/report.h"
#include "core/record/names.h"

/* A known event, laid over the figures: --annotate FILE.csv. */
struct annotation {
	struct wall from, to;      /* to 0: a moment */
	const char *label, *source; /* source may be empty */
};

/* Where the page comes from. Everything is borrowed; strings may be NULL: not told. */
struct html_about {
	const char *title;         /* NULL: made of network and window */
	const char *command;       /* as it was typed */
	const char *tool;          /* "borderpath 0.1.0" */
	const struct geo_source *geo; /* databases; NULL: not known */
	const char *licence, *cite; /* NULL: the usual ones are said */
	const char *const *sources; unsigned source_count; /* files and stores that were read */
	struct wall generated;     /* 0: not told */
	const struct annotation *annotations; unsigned annotation_count;
};

/* A whole trace that a diff names as its example (diff_side.example_id): its hops are shown under
 * the path of networks. names may be NULL. */
struct html_trace { const struct trace *trace; const struct names *names; };

/* The report: now, bands, shares, round-trip times, ways in, events, method. */
void html_report(struct buf *out, const struct report *r, const struct html_about *a);
/* The same data, events first; of the figures the bands alone. */
void html_events(struct buf *out, const struct report *r, const struct html_about *a);
/* The diff page of REPORTS. r: the window around the moment, for the figures; NULL: a comparison of
 * two files has none, and its figures are left out. at: the moment asked for, 0 none. */
void html_diff(struct buf *out, const struct diff *d, struct wall at, const struct report *r,
	       const struct profile *p, const struct html_trace *traces, unsigned trace_count,
	       const struct html_about *a);

#endif

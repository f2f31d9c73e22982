// SPDX-License-Identifier: BSD-2-Clause
/*
 * Drawing: elements of SVG and escaped text into a buffer, and the frame that all figures of a page
 * share: one stretch of time from left to right, in UTC and in the place's own time. What colours
 * and letters borders have, and how each band is filled, stands here once. Knows no page.
 */
#ifndef ANALYSIS_REPORT_SVG_H
#define ANALYSIS_REPORT_SVG_H

#include "analysis/report.h"
#include "analysis/report/html.h"

/* Text from anywhere as text of HTML, XML or of an attribute in double quotes: & < > " ' are
 * escaped, malformed UTF-8 becomes U+FFFD, control characters and those that turn the direction of
 * writing go. */
void html_text(struct buf *out, const char *text);

/* UTC and the place: left of their axes, behind the first date, or with a panel beside. */
enum svg_names { SVG_NAMES_LEFT, SVG_NAMES_DATE, SVG_NAMES_NONE };
enum { SVG_WIDE = 960, SVG_NARROW = 344 };

struct svg {
	struct buf *out;
	const struct report *r;
	const struct annotation *notes; unsigned note_count;
	unsigned number;           /* of the drawing on its page: makes its ids unique */
	bool narrow;
	bool wide_only;            /* no drawing for phones: the wide one scrolls there */
	double width, height;
	double left, right;        /* of the plot */
	uint8_t names;             /* enum svg_names, of the axes */
	struct wall since, until;  /* what the plot spans */
	struct wall at;            /* the moment compared around; 0: none */
};

/* Opens <svg role="img"> with title and description. */
void svg_open(struct svg *s, double height, const char *title, const char *about);
void svg_close(struct svg *s);

double svg_x(const struct svg *s, struct wall t);
/* To a tenth of a pixel, without a needless nought. */
void svg_number(struct buf *out, double x);
void svg_rect(struct svg *s, double x, double y, double w, double h, const char *attributes);
void svg_line(struct svg *s, double x1, double y1, double x2, double y2, const char *class);
/* anchor: "start", "middle", "end". */
void svg_text(struct svg *s, double x, double y, const char *class, const char *anchor,
	      const char *text);
/* Roughly how wide text of that size is. */
double svg_text_width(const char *text, double size);

/* Vertical lines at the ticks; the two axes below y (svg_axis_height of it). */
void svg_grid(struct svg *s, double top, double bottom);
void svg_axis(struct svg *s, double y);
double svg_axis_height(const struct svg *s);
/* Events as light intervals from top to bottom, numbered as in the page's list; annotations with
 * their letters. lane: where numbers stand, letters above; NAN for none. */
void svg_marks(struct svg *s, double lane, double top, double bottom);
/* The edges of those events that happened to that prefix, as that vantage point (NULL: any) saw it:
 * under bands, thin over them, or in a panel of its own, where shade, annotations and the moment go
 * with them. */
enum svg_edges { SVG_EDGES_UNDER, SVG_EDGES_OVER, SVG_EDGES_PANEL };
void svg_events(struct svg *s, struct prefix p, const char *vantage, double top, double bottom,
		enum svg_edges how);

/* The line of the moment compared around, where there is one. */
void svg_moment(struct svg *s, double top, double bottom);

/* What a border is drawn with. */
const char *svg_color(const struct report *r, int border);
const char *svg_letter(const struct report *r, int border);

/* A piece of a band: `part` of `of` keys; unsure: half as high. label may be NULL. */
struct svg_band {
	double x, y, w, h;
	uint8_t band;
	int border;
	uint32_t borders;
	bool unsure;
	const char *label;
};
void svg_band(struct svg *s, const struct svg_band *b);
/* What letters and textures mean, those in use; lines: of borders alone. Returns the y below. */
double svg_legend(struct svg *s, double y, bool lines);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/* Elements, and what bands look like. */
#include "analysis/report/svg.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/words.h"
#include "core/text.h"

static const char other_color[] = "#009E73";

/* An organisation's name could turn what stands behind it: what may not be shown is left out. */
void html_text(struct buf *out, const char *text)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t left = text != NULL ? strlen(text) : 0;

	while (left > 0) {
		size_t n = utf8_length(c, left);

		if (n == 0)
			buf_str(out, "\xef\xbf\xbd");
		else if (*c == '&')
			buf_str(out, "&amp;");
		else if (*c == '<')
			buf_str(out, "&lt;");
		else if (*c == '>')
			buf_str(out, "&gt;");
		else if (*c == '"')
			buf_str(out, "&quot;");
		else if (*c == '\'')
			buf_str(out, "&#39;");
		else if (text_shown(c, left) > 0 || *c == '\n' || *c == '\t')
			buf_append(out, c, n);
		n = n == 0 ? 1 : n;
		c += n;
		left -= n;
	}
}

/* One decimal is a tenth of a pixel. */
void svg_number(struct buf *out, double x)
{
	long tenths = lround(x * 10);

	if (tenths % 10 == 0)
		buf_printf(out, "%ld", tenths / 10);
	else
		buf_printf(out, "%s%ld.%ld", tenths < 0 ? "-" : "", labs(tenths) / 10,
			   labs(tenths) % 10);
}

static void coordinate(struct buf *out, const char *name, double x)
{
	buf_printf(out, " %s=\"", name);
	svg_number(out, x);
	buf_char(out, '"');
}

double svg_x(const struct svg *s, struct wall t)
{
	double x = (double)(t.ns - s->since.ns) / (double)(s->until.ns - s->since.ns);

	x = x < 0 ? 0 : x > 1 ? 1 : x;
	return s->left + x * (s->right - s->left);
}

void svg_rect(struct svg *s, double x, double y, double w, double h, const char *attributes)
{
	buf_str(s->out, "<rect");
	coordinate(s->out, "x", x);
	coordinate(s->out, "y", y);
	coordinate(s->out, "width", w);
	coordinate(s->out, "height", h);
	buf_printf(s->out, " %s/>", attributes);
}

void svg_line(struct svg *s, double x1, double y1, double x2, double y2, const char *class)
{
	buf_str(s->out, "<line");
	coordinate(s->out, "x1", x1);
	coordinate(s->out, "y1", y1);
	coordinate(s->out, "x2", x2);
	coordinate(s->out, "y2", y2);
	buf_printf(s->out, " class=\"%s\"/>", class);
}

void svg_text(struct svg *s, double x, double y, const char *class, const char *anchor,
	      const char *text)
{
	buf_str(s->out, "<text");
	coordinate(s->out, "x", x);
	coordinate(s->out, "y", y);
	if (class[0] != '\0')
		buf_printf(s->out, " class=\"%s\"", class);
	if (strcmp(anchor, "start") != 0)
		buf_printf(s->out, " text-anchor=\"%s\"", anchor);
	buf_char(s->out, '>');
	html_text(s->out, text);
	buf_str(s->out, "</text>");
}

double svg_text_width(const char *text, double size)
{
	double n = 0;

	for (const char *c = text; *c != '\0'; c++)
		n += ((unsigned char)*c & 0xc0) == 0x80 ? 0 : strchr("iljtf.,:;|' I", *c) ? 0.32 :
		     strchr("mwMW@", *c) ? 0.9 : 0.57;
	return n * size;
}

/* --- borders --------------------------------------------------------------------------------- */

/* Into an attribute: what a profile calls a colour is checked where it is read, and here again. */
const char *svg_color(const struct report *r, int border)
{
	const char *color = border >= 0 && (unsigned)border < r->profile->borders_count ?
			    r->profile->borders[border].color : other_color;

	return color != NULL && color[0] == '#' && strlen(color) == 7 &&
	       strspn(color + 1, "0123456789abcdefABCDEF") == 6 ? color : "#777777";
}

const char *svg_letter(const struct report *r, int border)
{
	return border >= 0 && (unsigned)border < r->profile->borders_count ?
	       r->profile->borders[border].short_name : "O";
}

static bool is_named(const struct report *r, int border)
{
	return border >= 0 && (unsigned)border < r->profile->borders_count;
}

/* Relative luminance (WCAG 2) over a half: needs an outline, and dark letters. */
static bool is_light(const char *hex)
{
	static const double weight[] = {0.2126, 0.7152, 0.0722};
	double sum = 0;

	for (int i = 0; i < 3; i++) {
		char part[3] = {hex[1 + 2 * i], hex[2 + 2 * i], '\0'};
		double c = (double)strtoul(part, NULL, 16) / 255;

		sum += weight[i] * (c <= 0.03928 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4));
	}
	return sum > 0.25;
}

void svg_open(struct svg *s, double height, const char *title, const char *about)
{
	s->height = height;
	buf_printf(s->out, "<svg class=\"chart %s\" role=\"img\" xmlns=\"http://www.w3.org/2000/svg\" "
		   "viewBox=\"0 0 %d %d\" aria-labelledby=\"g%u-t g%u-d\">\n<title id=\"g%u-t\">",
		   s->narrow ? "narrow" : s->wide_only ? "wide only" : "wide", (int)s->width, (int)ceil(height), s->number,
		   s->number, s->number);
	html_text(s->out, title);
	buf_printf(s->out, "</title><desc id=\"g%u-d\">", s->number);
	html_text(s->out, about);
	buf_str(s->out, "</desc>\n");
}

void svg_close(struct svg *s)
{
	buf_str(s->out, "</svg>\n");
}

/* --- textures -------------------------------------------------------------------------------- */

/* Lines and shapes, cut by an inner <svg>, and no <pattern>: that is printed as a picture of
 * megabytes. */
enum { HATCH = 5, STRIPE = 7, DOTS = 7, FLAT_BELOW = 3 };

static void texture_open(struct svg *s, const struct svg_band *b)
{
	buf_str(s->out, "<svg");
	coordinate(s->out, "x", b->x);
	coordinate(s->out, "y", b->y);
	coordinate(s->out, "width", b->w);
	coordinate(s->out, "height", b->h);
	buf_char(s->out, '>');
}

static void hatch(struct svg *s, const struct svg_band *b)
{
	texture_open(s, b);
	buf_str(s->out, "<path class=\"hatch\" d=\"");
	for (double x = HATCH / 2.0 - b->h; x < b->w; x += HATCH)
		buf_printf(s->out, "M%.1f %.1fl%.1f-%.1f", x, b->h, b->h, b->h);
	buf_str(s->out, "\"/></svg>");
}

static void dots(struct svg *s, const struct svg_band *b)
{
	svg_rect(s, b->x, b->y, b->w, b->h, "fill=\"#009E73\"");
	texture_open(s, b);
	buf_str(s->out, "<path class=\"dots\" d=\"");
	for (double y = DOTS / 2.0; y < b->h; y += DOTS) {
		for (double x = DOTS / 2.0; x < b->w; x += DOTS)
			buf_printf(s->out, "M%.1f %.1fh0", x, y);
	}
	buf_str(s->out, "\"/></svg>");
}

/* Stripes of the borders concerned, in turn. */
static void stripes(struct svg *s, const struct svg_band *b)
{
	unsigned n = 0, k = 0;

	for (unsigned i = 0; i < s->r->border_count; i++)
		n += b->borders >> i & 1;
	texture_open(s, b);
	for (unsigned i = 0; i < s->r->border_count; i++) {
		if ((b->borders >> i & 1) == 0)
			continue;
		buf_printf(s->out, "<path fill=\"%s\" d=\"", svg_color(s->r, (int)i));
		for (double x = STRIPE * (k++ - 2.0) - b->h; x < b->w; x += STRIPE * n)
			buf_printf(s->out, "M%.1f %.1fl%.1f-%.1fh%dl-%.1f %.1fz", x, b->h, b->h, b->h,
				   STRIPE, b->h, b->h);
		buf_str(s->out, "\"/>");
	}
	buf_str(s->out, "</svg>");
	svg_rect(s, b->x, b->y, b->w, b->h, "class=\"light\" fill=\"none\"");
}

static void solid(struct svg *s, const struct svg_band *b)
{
	const char *color = svg_color(s->r, b->border);
	char attributes[96];

	if (!is_light(color))
		snprintf(attributes, sizeof(attributes), "fill=\"%s\"", color);
	else if (b->w >= 24)
		snprintf(attributes, sizeof(attributes), "fill=\"%s\" class=\"light\"", color);
	else
		/* The sides of short ones have no outline: many in a row would be a fence. */
		snprintf(attributes, sizeof(attributes), "fill=\"%s\" class=\"light\" "
			 "stroke-dasharray=\"%.1f %.1f\"", color, b->w, b->h);
	svg_rect(s, b->x, b->y, b->w, b->h, attributes);
}

static void fill(struct svg *s, const struct svg_band *b)
{
	bool flat = b->h < FLAT_BELOW;

	switch (b->band) {
	case REPORT_BAND_BORDER: solid(s, b); break;
	case REPORT_BAND_OTHER: dots(s, b); break;
	case REPORT_BAND_MIXED:
		if (b->borders != 0)
			stripes(s, b);
		else
			svg_rect(s, b->x, b->y, b->w, b->h, "class=\"silent\"");
		break;
	case REPORT_BAND_UNDETERMINED:
		if (flat)
			svg_rect(s, b->x, b->y, b->w, b->h, "class=\"flat\"");
		else
			hatch(s, b);
		break;
	case REPORT_BAND_NONE:
		svg_rect(s, b->x, b->y, b->w, b->h, "class=\"outside\"");
		break;
	default: svg_rect(s, b->x, b->y, b->w, b->h, "class=\"silent\""); break;
	}
}

/* Letters on a solid band in the colour that can be read; on textures on a plate of their own. */
static void label_on(struct svg *s, const struct svg_band *b, double x, double y)
{
	bool plain = b->band == REPORT_BAND_BORDER;
	double w = svg_text_width(b->label, 11) + 6;

	if (!plain)
		svg_rect(s, x - w / 2, y - 9.5, w, 13, "class=\"plate\" rx=\"2\"");
	svg_text(s, x, y, !plain ? "on" : is_light(svg_color(s->r, b->border)) ? "on dark" :
		 "on white", "middle", b->label);
}

void svg_band(struct svg *s, const struct svg_band *b)
{
	struct svg_band drawn = *b;

	drawn.w = b->w > 0.7 ? b->w : 0.7;
	if (b->band == REPORT_BAND_NOT_MEASURED || b->band == REPORT_BAND_OFFLINE) {
		svg_line(s, b->x, b->y + b->h - 0.5, b->x + drawn.w, b->y + b->h - 0.5, "base");
		if (b->band == REPORT_BAND_OFFLINE)
			svg_line(s, b->x + drawn.w / 2, b->y + b->h / 4, b->x + drawn.w / 2,
				 b->y + b->h - 0.5, "tick");
		return;
	}
	if (b->unsure) {
		drawn.h = b->h / 2;
		drawn.y = b->y + drawn.h;
	}
	fill(s, &drawn);
	if (b->label != NULL && drawn.h >= 9 && svg_text_width(b->label, 11) + 6 < drawn.w)
		label_on(s, b, drawn.x + drawn.w / 2, drawn.y + drawn.h / 2 + 4);
}

/* --- legend ---------------------------------------------------------------------------------- */

/* What of these bands is in any row. */
static void in_use(const struct report *r, uint32_t *borders, uint32_t *bands, uint32_t *set)
{
	for (unsigned i = 0; i < r->row_count; i++) {
		for (unsigned k = 0; k < r->rows[i].span_count; k++) {
			const struct report_span *x = &r->rows[i].spans[k];

			*bands |= 1u << x->band;
			if (x->band == REPORT_BAND_MIXED)
				*set = x->borders;
			else
				*borders |= x->borders;
			*bands |= x->unsure ? 1u << 31 : 0;
		}
	}
}

static void item(struct svg *s, double *x, double *y, const struct svg_band *look,
		 const char *text)
{
	double w = svg_text_width(text, 11.5) + 34;
	struct svg_band b = *look;

	if (*x + w > s->width - 4 && *x > 8) {
		*x = s->narrow ? 4 : s->left;
		*y += 18;
	}
	b.x = *x;
	b.y = *y;
	b.w = 22;
	b.h = 12;
	svg_band(s, &b);
	svg_text(s, *x + 27, *y + 10, "legend", "start", text);
	*x += w + 8;
}

double svg_legend(struct svg *s, double y, bool lines)
{
	static const struct { uint8_t band; const char *text; } rest[] = {
		{REPORT_BAND_UNDETERMINED, "undetermined"},
		{REPORT_BAND_SILENT, "measured, silent"},
		{REPORT_BAND_NONE, "not into the network"},
		{REPORT_BAND_NOT_MEASURED, "not measured"},
		{REPORT_BAND_OFFLINE, "vantage point down"}};
	uint32_t borders = 0, bands = 0, set = 0;
	double x = s->narrow ? 4 : s->left;

	in_use(s->r, &borders, &bands, &set);
	for (unsigned b = 0; b < s->r->border_count; b++) {
		bool named = is_named(s->r, (int)b);

		if ((borders >> b & 1) == 0)
			continue;
		item(s, &x, &y, &(struct svg_band){
			.band = named ? REPORT_BAND_BORDER : REPORT_BAND_OTHER, .border = (int)b,
			.label = named ? svg_letter(s->r, (int)b) : NULL},
		     words_border(s->r->profile, report_border_id(s->r, (int)b)));
	}
	bands = lines ? 0 : bands;
	if (bands >> REPORT_BAND_MIXED & 1)
		item(s, &x, &y, &(struct svg_band){.band = REPORT_BAND_MIXED, .borders = set},
		     "several ways at once");
	for (unsigned i = 0; i < sizeof(rest) / sizeof(rest[0]); i++) {
		if (bands >> rest[i].band & 1)
			item(s, &x, &y, &(struct svg_band){.band = rest[i].band},
			     rest[i].text);
	}
	if (bands >> 31)
		item(s, &x, &y,
		     &(struct svg_band){.band = REPORT_BAND_SILENT, .unsure = true},
		     "half height: under 90 % sure");
	return y + 18;
}

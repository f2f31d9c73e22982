// SPDX-License-Identifier: BSD-2-Clause
/* Borders over time: a row a prefix, "k of n" where its vantage points are many. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "analysis/report/chart.h"
#include "analysis/words.h"

enum { LABEL_TEXT = 96 };

void chart_both(struct svg *s, const char *title, const char *about,
		double (*body)(struct svg *s, void *arg), void *arg)
{
	struct buf *out = s->out, drawing;

	buf_init(&drawing);
	for (int narrow = 0; narrow < (s->wide_only ? 1 : 2); narrow++) {
		double height;

		buf_clear(&drawing);
		s->out = &drawing;
		s->narrow = narrow;
		s->number++;
		s->width = narrow ? SVG_NARROW : SVG_WIDE;
		s->left = narrow ? 6 : 172;
		s->right = s->width - (narrow ? 6 : 14);
		s->names = narrow ? SVG_NAMES_DATE : SVG_NAMES_LEFT;
		s->since = s->r->since;
		s->until = s->r->until;
		height = body(s, arg);
		s->out = out;
		svg_open(s, height, title, about);
		if (drawing.failed)
			out->failed = true;
		else if (drawing.used > 0)
			buf_append(out, drawing.bytes, drawing.used);
		svg_close(s);
	}
	buf_fini(&drawing);
}

static bool many_methods(const struct report *r)
{
	for (unsigned i = 1; i < r->row_count; i++) {
		if (r->rows[i].method != r->rows[0].method)
			return true;
	}
	return false;
}

static bool many_campaigns(const struct report *r)
{
	for (unsigned i = 1; i < r->row_count; i++) {
		if (strcmp(r->rows[i].campaign, r->rows[0].campaign) != 0)
			return true;
	}
	return false;
}

void chart_row_name(struct buf *out, const struct report *r, const struct report_row *row)
{
	buf_str(out, row->vantage[0] ? row->vantage : "unnamed");
	if (many_methods(r))
		buf_printf(out, " %s", word_of(method_words, row->method));
	if (many_campaigns(r) && row->campaign[0] != '\0')
		buf_printf(out, " (%s)", row->campaign);
}

void chart_fit(char *text, double size, double room)
{
	size_t n = strlen(text);

	if (svg_text_width(text, size) <= room)
		return;
	while (n > 4 && svg_text_width(text, size) > room - size * 0.9) {
		n--;
		while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
			n--;
		text[n] = '\0';
	}
	memcpy(text + n, "\xe2\x80\xa6", 4);
}

/* The label of a row: beside it, or above it on a phone; returns where the band begins. */
static double label(struct svg *s, double y, double h, const char *text, bool strong)
{
	char cut[LABEL_TEXT];
	double size = strong ? 12.5 : 11.5;

	snprintf(cut, sizeof(cut) - 4, "%s", text);
	chart_fit(cut, size, s->narrow ? s->width - 12 : s->left - 18);
	if (s->narrow) {
		svg_text(s, s->left, y + 12, strong ? "label strong halo" : "label halo", "start", cut);
		return y + 16;
	}
	svg_text(s, s->left - 12, y + h / 2 + 4, strong ? "label strong" : "label", "end", cut);
	return y;
}

/* --- spans of one key ------------------------------------------------------------------------ */

static void key_row(struct svg *s, const struct report_row *row, double y, double h)
{
	for (unsigned i = 0; i < row->span_count; i++) {
		const struct report_span *x = &row->spans[i];
		double left = svg_x(s, x->from);

		svg_band(s, &(struct svg_band){
			.x = left, .y = y, .w = svg_x(s, x->to) - left, .h = h, .band = x->band,
			.border = x->border, .borders = x->borders, .unsure = x->unsure,
			.label = x->border >= 0 ? svg_letter(s->r, x->border) :
				 x->band == REPORT_BAND_UNDETERMINED ? "?" : NULL});
	}
	svg_line(s, s->left, y + h - 0.5, s->right, y + h - 0.5, "base");
}

/* --- all keys of a prefix -------------------------------------------------------------------- */

struct piece { uint8_t band; int border; uint32_t borders; unsigned k; };

static unsigned pieces_of(const struct svg *s, const struct report_sum *x,
			  struct piece out[static SERIES_BORDERS_MAX + 4])
{
	unsigned n = 0;

	for (unsigned b = 0; b < s->r->border_count; b++) {
		if (x->by_border[b] > 0)
			out[n++] = (struct piece){b < s->r->profile->borders_count ?
						  REPORT_BAND_BORDER : REPORT_BAND_OTHER, (int)b, 0,
						  x->by_border[b]};
	}
	if (x->mixed > 0)
		out[n++] = (struct piece){REPORT_BAND_MIXED, -1, x->mixed_borders, x->mixed};
	if (x->undetermined > 0)
		out[n++] = (struct piece){REPORT_BAND_UNDETERMINED, -1, 0, x->undetermined};
	if (x->silent > 0)
		out[n++] = (struct piece){REPORT_BAND_SILENT, -1, 0, x->silent};
	if (x->none > 0)
		out[n++] = (struct piece){REPORT_BAND_NONE, -1, 0, x->none};
	return n;
}

/* "R 7 of 8" where there is room for it, else "R". */
static void sum_label(const struct svg *s, const struct piece *p, unsigned all, double w,
		      char out[static 48])
{
	const char *letter = p->border >= 0 ? svg_letter(s->r, p->border) :
			     p->band == REPORT_BAND_UNDETERMINED ? "?" : "";

	snprintf(out, 48, "%.12s%s%u of %u", letter, letter[0] ? " " : "", p->k, all);
	if (svg_text_width(out, 11) + 6 >= w)
		snprintf(out, 48, "%.12s", letter);
}

static void sum_piece(struct svg *s, const struct report_sum *x, double y, double h)
{
	struct piece pieces[SERIES_BORDERS_MAX + 4];
	unsigned n = pieces_of(s, x, pieces), all = 0;
	double left = svg_x(s, x->from), w = svg_x(s, x->to) - left;

	for (unsigned i = 0; i < n; i++)
		all += pieces[i].k;
	if (n == 0) {
		svg_band(s, &(struct svg_band){
			.x = left, .y = y, .w = w, .h = h, .border = -1,
			.band = x->offline > 0 ? REPORT_BAND_OFFLINE : REPORT_BAND_NOT_MEASURED});
		return;
	}
	/* The first stands at the bottom, on the baseline. */
	for (unsigned i = 0, below = 0; i < n; i++) {
		double part = h * pieces[i].k / all;
		char text[48];

		sum_label(s, &pieces[i], all, w, text);
		below += pieces[i].k;
		svg_band(s, &(struct svg_band){
			.x = left, .y = y + h - h * below / all, .w = w, .h = part,
			.band = pieces[i].band, .border = pieces[i].border,
			.borders = pieces[i].borders, .label = text[0] ? text : NULL,
			.unsure = n == 1 && 2 * x->unsure > x->by_border[pieces[0].border < 0 ? 0 :
								    pieces[0].border]});
	}
}

static void sum_row(struct svg *s, const struct report_prefix *p, double y, double h)
{
	for (unsigned i = 0; i < p->sum_count; i++)
		sum_piece(s, &p->sums[i], y, h);
	svg_line(s, s->left, y + h - 0.5, s->right, y + h - 0.5, "base");
}

/* --- figures --------------------------------------------------------------------------------- */

static double lanes(const struct svg *s)
{
	return (s->note_count > 0 ? 16 : 0) + (s->r->event_count > 0 ? 16 : 0) + 6;
}

static double keys_of(struct svg *s, const struct report_prefix *p, double y)
{
	double h = s->narrow ? 12 : 14;

	for (unsigned i = p->first; i < p->first + p->keys; i++) {
		struct buf name;

		buf_init(&name);
		chart_row_name(&name, s->r, &s->r->rows[i]);
		if (!name.failed)
			y = label(s, y, h, name.bytes, false);
		buf_fini(&name);
		key_row(s, &s->r->rows[i], y, h);
		y += h + (s->narrow ? 3 : 4);
	}
	return y;
}

/* What is drawn below the rows, the rows, and what goes over them. */
struct layers { struct buf under, rows, over; };

static void layer(struct buf *out, struct buf *from)
{
	if (from->failed)
		out->failed = true;
	else if (from->used > 0)
		buf_append(out, from->bytes, from->used);
	buf_fini(from);
}

/* The events of a prefix, behind its rows from y to `end` and over them. */
static void events_of(struct svg *s, struct layers *l, const struct report_prefix *p, double y,
		      double end)
{
	const char *vantage = p->keys == 1 ? s->r->rows[p->first].vantage : NULL;

	s->out = &l->under;
	svg_events(s, p->prefix, vantage, y, end, SVG_EDGES_UNDER);
	s->out = &l->over;
	/* On a phone labels stand within the plot: no line goes over them. */
	if (!s->narrow)
		svg_events(s, p->prefix, vantage, y, end, SVG_EDGES_OVER);
	s->out = &l->rows;
}

/* Grid and marks below the rows, axes and legend under them. Returns the height. */
static double frame(struct svg *s, struct layers *l, struct buf *out, double top, double bottom)
{
	s->out = out;
	svg_grid(s, top, bottom);
	svg_marks(s, s->r->event_count > 0 ? top - 18 : s->note_count > 0 ? top - 2 : NAN, top - 4,
		  bottom);
	layer(out, &l->under);
	if (s->narrow)
		svg_moment(s, top - 4, bottom);
	layer(out, &l->rows);
	layer(out, &l->over);
	if (!s->narrow)
		svg_moment(s, top - 4, bottom);
	svg_axis(s, bottom);
	return svg_legend(s, bottom + svg_axis_height(s) + 8, false) + 4;
}

static struct buf *layers_open(struct svg *s, struct layers *l)
{
	struct buf *out = s->out;

	buf_init(&l->under);
	buf_init(&l->rows);
	buf_init(&l->over);
	s->out = &l->rows;
	return out;
}

static double bands_body(struct svg *s, void *arg)
{
	double top = lanes(s), y = top;
	double h = s->narrow ? 22 : 26;
	struct layers l;
	struct buf *out = layers_open(s, &l);

	(void)arg;
	for (unsigned i = 0; i < s->r->prefix_count; i++) {
		const struct report_prefix *p = &s->r->prefixes[i];
		char text[PREFIX_TEXT];
		double begin = y;

		y = label(s, y, h, prefix_format(p->prefix, text), true);
		if (p->keys == 1)
			key_row(s, &s->r->rows[p->first], y, h);
		else
			sum_row(s, p, y, h);
		y += h + 5;
		if (p->keys > 1 && p->keys <= CHART_ROWS_MAX)
			y = keys_of(s, p, y);
		events_of(s, &l, p, begin - (s->narrow ? 0 : 3), y - 2);
		y += s->narrow ? 4 : 7;
	}
	return frame(s, &l, out, top, y);
}

static double rows_body(struct svg *s, void *arg)
{
	const struct report_prefix *p = arg;
	double top = lanes(s), bottom;
	struct layers l;
	struct buf *out = layers_open(s, &l);

	bottom = keys_of(s, p, top) + 3;
	events_of(s, &l, p, top, bottom);
	return frame(s, &l, out, top, bottom);
}

static void put_title(struct buf *out, const struct svg *s, const char *what)
{
	char from[WALL_TEXT], to[WALL_TEXT];

	buf_printf(out, "%s, %s to %s", what, wall_format_short(s->r->since, from),
		   wall_format_short(s->r->until, to));
}

void chart_bands(struct svg *s)
{
	struct buf title, about;

	buf_init(&title);
	buf_init(&about);
	put_title(&title, s, "By which border paths enter each network");
	buf_printf(&about, "One band for each of %u networks over time; the data table below has the "
		   "same.", s->r->prefix_count);
	if (!title.failed && !about.failed)
		chart_both(s, title.bytes, about.bytes, bands_body, NULL);
	else
		s->out->failed = true;
	buf_fini(&title);
	buf_fini(&about);
}

void chart_band_rows(struct svg *s, const struct report_prefix *p)
{
	char text[PREFIX_TEXT];
	struct buf title;
	struct report_prefix copy = *p;

	buf_init(&title);
	buf_printf(&title, "Each vantage point's way into %s", prefix_format(p->prefix, text));
	if (!title.failed)
		chart_both(s, title.bytes, "One band for each vantage point over time.", rows_body, &copy);
	else
		s->out->failed = true;
	buf_fini(&title);
}

// SPDX-License-Identifier: BSD-2-Clause
/* Columns are measured, the least important left out, then lines are drawn. */
#include "analysis/report/table.h"

#include <stdlib.h>
#include <string.h>

static const unsigned between = 2; /* blanks */

struct widths { unsigned of[TABLE_COLUMNS_MAX]; bool shown[TABLE_COLUMNS_MAX]; };

void table_init(struct table *t, const struct table_column *columns, unsigned column_count,
		unsigned color_column)
{
	*t = (struct table){.columns = columns, .column_count = column_count,
			    .color_column = color_column};
}

void table_fini(struct table *t)
{
	free(t->rows);
	t->rows = NULL;
	t->count = t->room = 0;
}

struct table_row *table_add(struct table *t)
{
	if (t->count == t->room) {
		unsigned room = t->room ? 2 * t->room : 8;
		struct table_row *rows = reallocarray(t->rows, room, sizeof(*rows));

		if (rows == NULL) {
			t->failed = true;
			return NULL;
		}
		t->rows = rows;
		t->room = room;
	}
	t->rows[t->count] = (struct table_row){0};
	return &t->rows[t->count++];
}

static void measure(const struct table *t, struct widths *w)
{
	for (unsigned c = 0; c < t->column_count; c++) {
		w->shown[c] = true;
		w->of[c] = style_columns(t->columns[c].title);
		for (unsigned i = 0; i < t->count; i++) {
			unsigned n = style_columns(t->rows[i].cell[c]);

			w->of[c] = n > w->of[c] ? n : w->of[c];
		}
	}
}

static void leave_out(const struct table *t, struct widths *w, unsigned width)
{
	for (;;) {
		unsigned all = 0, worst = t->column_count;

		for (unsigned c = 0; c < t->column_count; c++) {
			if (!w->shown[c])
				continue;
			all += w->of[c] + (all > 0 ? between : 0);
			if (t->columns[c].keep > 0 &&
			    (worst == t->column_count ||
			     t->columns[c].keep >= t->columns[worst].keep))
				worst = c;
		}
		if (all <= width || worst == t->column_count)
			return;
		w->shown[worst] = false;
	}
}

static void cell_draw(struct buf *out, const struct style *style, bool right, const char *text,
		      unsigned width)
{
	unsigned used = style_columns(text);

	for (; right && used < width; used++)
		buf_char(out, ' ');
	if (right || width == 0)
		style_text(out, style, text);
	else
		style_pad(out, style, text, width);
}

/* row NULL: the heading. */
static void row_draw(struct buf *out, const struct style *style, const struct table *t,
		     const struct widths *w, const struct table_row *row)
{
	unsigned last = 0, drawn = 0;

	for (unsigned c = 0; c < t->column_count; c++) {
		if (w->shown[c] && (row == NULL || row->cell[c][0] != '\0'))
			last = c;
	}
	for (unsigned c = 0; c <= last; c++) {
		const char *text = row != NULL ? row->cell[c] : t->columns[c].title;
		bool colored = row != NULL && c == t->color_column && row->color[0] != '\0';
		bool faced = row != NULL && !colored && row->face[c] != FACE_PLAIN;

		if (!w->shown[c])
			continue;
		for (unsigned i = 0; drawn > 0 && i < between; i++)
			buf_char(out, ' ');
		if (colored)
			style_color(out, style, row->color);
		else if (faced)
			style_face(out, style, row->face[c]);
		/* No blanks behind the last one. */
		cell_draw(out, style, t->columns[c].right, text,
			  c == last && !t->columns[c].right ? 0 : w->of[c]);
		if (colored || faced)
			style_end(out, style);
		drawn++;
	}
}

void table_draw(struct buf *out, const struct style *style, const struct table *t, bool fit)
{
	struct widths w;

	if (t->failed)
		out->failed = true;
	if (t->count == 0)
		return;
	measure(t, &w);
	if (fit && style->width > 0)
		leave_out(t, &w, style->width);
	style_face(out, style, FACE_DIM);
	row_draw(out, style, t, &w, NULL);
	style_end(out, style);
	buf_char(out, '\n');
	for (unsigned i = 0; i < t->count; i++) {
		row_draw(out, style, t, &w, &t->rows[i]);
		buf_char(out, '\n');
	}
}

// SPDX-License-Identifier: BSD-2-Clause
/* The summary of a run: cells first, widths and drawing when all are known. */
#include "analysis/report/summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/report/trace_text.h"

enum { CELL = 72, COLOR_TEXT = 8 };
enum column { COL_NETWORK, COL_DESTINATION, COL_METHOD, COL_BORDER, COL_CONFIDENCE, COL_REACH,
	      COL_RTT, COLUMNS };
static const char *const titles[COLUMNS] = {"Network", "Destination", "By", "Border", "Conf.",
					    "Reach", "RTT, ms"};
/* Numbers are aligned right. */
static const bool right[COLUMNS] = {[COL_CONFIDENCE] = true, [COL_RTT] = true};

struct summary_row {
	char cell[COLUMNS][CELL];
	char color[COLOR_TEXT]; /* of the border, empty: none */
};

void report_summary_fini(struct report_summary *s)
{
	free(s->rows);
	*s = (struct report_summary){0};
}

static struct summary_row *row_new(struct report_summary *s)
{
	if (s->count == s->room) {
		unsigned room = s->room ? 2 * s->room : 8;
		struct summary_row *rows = reallocarray(s->rows, room, sizeof(*rows));

		if (rows == NULL) {
			s->failed = true;
			return NULL;
		}
		s->rows = rows;
		s->room = room;
	}
	s->rows[s->count] = (struct summary_row){0};
	return &s->rows[s->count++];
}

void report_summary_add(struct report_summary *s, const struct trace *t, const struct verdict *v,
			const struct profile *p)
{
	struct summary_row *row = row_new(s);
	struct prefix prefix = profile_judge_prefix(p, t->dst);
	struct hop_stats d = trace_destination_stats(t);
	bool measured = t->stop != STOP_ERROR;
	const char *color;
	char text[PREFIX_TEXT];

	if (row == NULL)
		return;
	snprintf(row->cell[COL_NETWORK], CELL, "%s", prefix.len ? prefix_format(prefix, text) : "-");
	snprintf(row->cell[COL_DESTINATION], CELL, "%s",
		 addr_is_set(t->dst) ? addr_format(t->dst, text) : "-");
	snprintf(row->cell[COL_METHOD], CELL, "%s", t->method ? word_of(method_words, t->method) : "-");
	text_set(row->cell[COL_BORDER], CELL, !measured ? "not measured" :
		 v->outcome == OUTCOME_BORDER ? report_border_name(p, v->border) :
		 word_of(outcome_words, v->outcome));
	if (!measured || v->outcome == OUTCOME_NONE)
		snprintf(row->cell[COL_CONFIDENCE], CELL, "-");
	else
		report_confidence(v->confidence, row->cell[COL_CONFIDENCE], CELL);
	snprintf(row->cell[COL_REACH], CELL, "%s", word_of(reach_words, t->reach));
	if (d.median_ns >= 0)
		snprintf(row->cell[COL_RTT], CELL, d.median_ns < 10 * NS_PER_MS ? "%.2f" : "%.1f",
			 (double)d.median_ns / 1e6);
	color = measured && v->outcome == OUTCOME_BORDER ? report_border_color(p, v->border) : NULL;
	if (color != NULL)
		text_set(row->color, sizeof(row->color), color);
}

void report_summary_move(struct report_summary *to, struct report_summary *from)
{
	for (unsigned i = 0; i < from->count; i++) {
		struct summary_row *row = row_new(to);

		if (row != NULL)
			*row = from->rows[i];
	}
	to->failed |= from->failed;
	report_summary_fini(from);
}

static void cell_draw(struct buf *out, const struct style *style, int column, const char *text,
		      unsigned width)
{
	unsigned used = style_columns(text);

	for (; right[column] && used < width; used++)
		buf_char(out, ' ');
	if (right[column] || width == 0)
		style_text(out, style, text);
	else
		style_pad(out, style, text, width);
}

static void row_draw(struct buf *out, const struct style *style, const unsigned width[COLUMNS],
		     const char (*cell)[CELL], const char *color)
{
	int last = COLUMNS - 1;

	while (last > 0 && cell[last][0] == '\0')
		last--;
	for (int c = 0; c <= last; c++) {
		bool colored = c == COL_BORDER && color[0] != '\0';

		if (colored)
			style_color(out, style, color);
		/* No blanks behind the last one. */
		cell_draw(out, style, c, cell[c], c == last && !right[c] ? 0 : width[c]);
		if (colored)
			style_end(out, style);
		if (c < last)
			buf_str(out, "  ");
	}
}

void report_summary(struct buf *out, const struct style *style, const struct report_summary *s)
{
	unsigned width[COLUMNS];
	char head[COLUMNS][CELL];

	if (s->failed)
		out->failed = true;
	if (s->count == 0)
		return;
	for (int c = 0; c < COLUMNS; c++) {
		snprintf(head[c], CELL, "%s", titles[c]);
		width[c] = style_columns(titles[c]);
		for (unsigned i = 0; i < s->count; i++) {
			unsigned w = style_columns(s->rows[i].cell[c]);

			width[c] = w > width[c] ? w : width[c];
		}
	}
	style_face(out, style, FACE_DIM);
	row_draw(out, style, width, head, "");
	style_end(out, style);
	buf_char(out, '\n');
	for (unsigned i = 0; i < s->count; i++) {
		row_draw(out, style, width, s->rows[i].cell, s->rows[i].color);
		buf_char(out, '\n');
	}
	buf_char(out, '\n');
}

// SPDX-License-Identifier: BSD-2-Clause
/* The summary of a run as a table. */
#include "analysis/report/summary.h"

#include <stdio.h>
#include <string.h>

#include "analysis/report/trace_text.h"
#include "analysis/words.h"

enum { CELL = TABLE_CELL };
enum { COL_NETWORK, COL_DESTINATION, COL_METHOD, COL_BORDER, COL_CONFIDENCE, COL_REACH, COL_RTT,
       COLUMNS };
static const struct table_column columns[COLUMNS] = {
	[COL_NETWORK] = {.title = "Network"}, [COL_DESTINATION] = {.title = "Destination"},
	[COL_METHOD] = {.title = "By"}, [COL_BORDER] = {.title = "Border"},
	[COL_CONFIDENCE] = {.title = "Conf.", .right = true}, [COL_REACH] = {.title = "Reach"},
	[COL_RTT] = {.title = "RTT, ms", .right = true}};

void report_summary_fini(struct report_summary *s)
{
	table_fini(&s->table);
}

static struct table_row *row_new(struct report_summary *s)
{
	if (s->table.columns == NULL)
		table_init(&s->table, columns, COLUMNS, COL_BORDER);
	return table_add(&s->table);
}

void report_summary_add(struct report_summary *s, const struct trace *t, const struct verdict *v,
			const struct profile *p)
{
	struct table_row *row = row_new(s);
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
		 v->outcome == OUTCOME_BORDER ? words_border(p, v->border) :
		 word_of(outcome_words, v->outcome));
	if (!measured || v->outcome == OUTCOME_NONE)
		snprintf(row->cell[COL_CONFIDENCE], CELL, "-");
	else
		report_confidence(v->confidence, row->cell[COL_CONFIDENCE], CELL);
	snprintf(row->cell[COL_REACH], CELL, "%s", word_of(reach_words, t->reach));
	if (d.median_ns >= 0)
		snprintf(row->cell[COL_RTT], CELL, d.median_ns < 10 * NS_PER_MS ? "%.2f" : "%.1f",
			 (double)d.median_ns / 1e6);
	color = measured && v->outcome == OUTCOME_BORDER ? words_border_color(p, v->border) : NULL;
	if (color != NULL)
		text_set(row->color, sizeof(row->color), color);
}

void report_summary_move(struct report_summary *to, struct report_summary *from)
{
	for (unsigned i = 0; i < from->table.count; i++) {
		struct table_row *row = row_new(to);

		if (row != NULL)
			*row = from->table.rows[i];
	}
	to->table.failed |= from->table.failed;
	report_summary_fini(from);
}

void report_summary(struct buf *out, const struct style *style, const struct report_summary *s)
{
	table_draw(out, style, &s->table, false);
	if (s->table.count > 0)
		buf_char(out, '\n');
}

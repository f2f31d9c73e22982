// SPDX-License-Identifier: BSD-2-Clause
/* How it stands, one table, shares by the hour, ways in, what was missed, what happened. */
#include "analysis/report/report_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/report/events_text.h"
#include "analysis/report/table.h"
#include "analysis/report/trace_text.h"
#include "analysis/sentence.h"
#include "analysis/words.h"

enum { BRIEF_BELOW = 72 };

/* One method for all rows says nothing in each. */
static bool one_method(const struct report *r)
{
	for (unsigned i = 1; i < r->row_count; i++) {
		if (r->rows[i].method != r->rows[0].method)
			return false;
	}
	return true;
}

/* On a narrow terminal letters and counts have to do. */
static bool is_brief(const struct style *s)
{
	return s->width > 0 && s->width < BRIEF_BELOW;
}

static const char *border_word(const struct report *r, int border, bool brief)
{
	if (!brief)
		return words_border(r->profile, report_border_id(r, border));
	return (unsigned)border < r->profile->borders_count ?
	       r->profile->borders[border].short_name : "O";
}

static const char *row_shows(const struct report *r, const struct report_row *row, bool brief)
{
	switch (row->band) {
	case REPORT_BAND_BORDER:
	case REPORT_BAND_OTHER:
		return border_word(r, row->border, brief);
	case REPORT_BAND_MIXED: return "mixed";
	case REPORT_BAND_NONE: return "not into it";
	case REPORT_BAND_SILENT: return "silent";
	case REPORT_BAND_UNDETERMINED: return "undetermined";
	default: return "not measured";
	}
}

static void rows(struct buf *out, const struct style *s, const struct report *r)
{
	static const struct table_column columns[] = {
		{"Network", false, 0}, {"From", false, 0}, {"By", false, 5}, {"Border", false, 0},
		{"Sure", true, 4}, {"Via", false, 6}, {"RTT ms", true, 2}, {"Lost", true, 3},
		{"Rounds", true, 7}, {"Missed", true, 1}};
	unsigned skip = one_method(r) ? 1 : 0;
	struct table t;

	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]), 3);
	for (unsigned i = 0; i < r->row_count; i++) {
		const struct report_row *row = &r->rows[i];
		const char *id = report_border_id(r, row->border);
		const char *color = row->border < 0 ? NULL : words_border_color(r->profile, id);
		struct table_row *x = table_add(&t);
		struct buf via;

		if (x == NULL)
			break;
		prefix_format(row->prefix, x->cell[0]);
		text_set(x->cell[1], TABLE_CELL, row->vantage[0] ? row->vantage : "?");
		if (!skip || i == 0)
			text_set(x->cell[2], TABLE_CELL, word_of(method_words, row->method));
		text_set(x->cell[3], TABLE_CELL, row_shows(r, row, is_brief(s)));
		if (row->borders != 0)
			report_confidence(row->confidence, x->cell[4], TABLE_CELL);
		if (color != NULL)
			text_set(x->color, sizeof(x->color), color);
		buf_init(&via);
		if (row->borders != 0)
			words_carrier(&via, row->via_org, row->via_asn, "");
		text_set(x->cell[5], TABLE_CELL, via.bytes != NULL ? via.bytes : "");
		buf_fini(&via);
		words_ms(row->rtt_median_ns, x->cell[6]);
		if (row->asked > 0)
			snprintf(x->cell[7], TABLE_CELL, "%.0f %%",
				 100 - 100 * (double)row->answered / (double)row->asked);
		snprintf(x->cell[8], TABLE_CELL, "%u", row->rounds);
		snprintf(x->cell[9], TABLE_CELL, "%u", row->missed + row->offline);
		if (row->missed + row->offline > 0)
			x->face[9] = FACE_WARN;
	}
	table_draw(out, s, &t, true);
	table_fini(&t);
}

/* --- shares ---------------------------------------------------------------------------------- */

enum { SHARES_SHOWN = 24 };

static bool same_shares(const struct report *r, const struct report_share *a,
			const struct report_share *b)
{
	if (a->n != b->n || a->mixed != b->mixed || a->undetermined != b->undetermined)
		return false;
	for (unsigned i = 0; i < r->border_count; i++) {
		if (a->by_border[i] != b->by_border[i])
			return false;
	}
	return true;
}

/* "10 (55-95 %)"; brief: "10". */
static void part(char *out, size_t size, uint32_t k, uint32_t n, bool brief)
{
	double low, high;

	report_wilson(k, n, &low, &high);
	if (k == 0)
		snprintf(out, size, "-");
	else if (brief)
		snprintf(out, size, "%u", k);
	else
		snprintf(out, size, "%u (%.0f-%.0f %%)", k, 100 * low, 100 * high);
}

static void shares(struct buf *out, const struct style *s, const struct report *r)
{
	struct table_column columns[TABLE_COLUMNS_MAX] = {{"Since, UTC", false, 0}, {"n", true, 0}};
	unsigned of[TABLE_COLUMNS_MAX], count = 2, left_out = 0;
	const struct report_share *before = NULL;
	bool brief = is_brief(s);
	struct table t;

	for (unsigned b = 0; b < r->border_count && count + 2 < TABLE_COLUMNS_MAX; b++) {
		uint32_t any = 0;

		for (unsigned i = 0; i < r->share_count; i++)
			any += r->shares[i].by_border[b];
		if (any == 0)
			continue;
		of[count] = b;
		columns[count++] = (struct table_column){border_word(r, (int)b, brief), true, 0};
	}
	columns[count] = (struct table_column){"mixed", true, 2};
	columns[count + 1] = (struct table_column){"unknown", true, 1};
	table_init(&t, columns, count + 2, 0);
	for (unsigned i = 0; i < r->share_count; i++) {
		const struct report_share *x = &r->shares[i];
		struct table_row *row;
		char text[WALL_TEXT];

		/* What stays as it was is told once. */
		if (x->n + x->undetermined == 0 || (before != NULL && same_shares(r, before, x)))
			continue;
		before = x;
		if (t.count == SHARES_SHOWN) {
			left_out++;
			continue;
		}
		row = table_add(&t);
		if (row == NULL)
			break;
		wall_format_short(x->from, text);
		snprintf(row->cell[0], TABLE_CELL, "%.16s", text);
		snprintf(row->cell[1], TABLE_CELL, "%u", x->n);
		for (unsigned c = 2; c < count; c++)
			part(row->cell[c], TABLE_CELL, x->by_border[of[c]], x->n, brief);
		part(row->cell[count], TABLE_CELL, x->mixed, x->n, brief);
		snprintf(row->cell[count + 1], TABLE_CELL, "%u", x->undetermined);
	}
	if (t.count > 0) {
		size_t start = out->used;

		buf_str(out, "\nVantage points x networks by border, each ");
		duration_put(out, (double)r->step_ns / 1e9);
		buf_str(out, brief ? " counted once; told where it differs:\n" :
			" counted once (95 % interval of the sample); told where it differs:\n");
		style_wrap(out, s, start, 2);
		table_draw(out, s, &t, true);
	}
	if (left_out > 0)
		buf_printf(out, "... and %u more; --format json has all.\n", left_out);
	table_fini(&t);
}

/* --- ways in, gaps --------------------------------------------------------------------------- */

static void borders_in(struct buf *out, const struct report *r, uint32_t bits)
{
	const char *between = "";

	for (unsigned b = 0; b < r->border_count; b++) {
		if ((bits >> b & 1) == 0)
			continue;
		buf_printf(out, "%s%s", between, words_border(r->profile,
							      report_border_id(r, (int)b)));
		between = ", ";
	}
}

static void ways(struct buf *out, const struct style *s, const struct report *r)
{
	char text[PREFIX_TEXT];

	if (r->way_count == 0)
		return;
	buf_str(out, "\nWays in:\n");
	for (unsigned i = 0; i < r->way_count; i++) {
		const struct report_ways *w = &r->ways[i];
		size_t start = out->used;

		buf_printf(out, "  %s  ", prefix_format(w->prefix, text));
		if (w->now_count > 0) {
			words_number(out, w->now_count);
			buf_str(out, " now (");
			borders_in(out, r, w->now);
			buf_char(out, ')');
		} else {
			buf_str(out, "none known now");
		}
		if (w->seen != w->now) {
			buf_str(out, ", in the window also ");
			borders_in(out, r, w->seen & ~w->now);
		}
		if (w->down)
			buf_str(out, "; nobody reaches it");
		buf_char(out, '\n');
		style_wrap(out, s, start, 4);
	}
}

static void gaps(struct buf *out, const struct style *s, const struct report *r)
{
	for (unsigned i = 0; i < r->vantage_count; i++) {
		const struct report_vantage *v = &r->vantages[i];
		size_t start = out->used;

		if (v->missed == 0 && v->offline == 0 && !v->down && !v->moved && v->counted &&
		    v->unheard_ns == 0)
			continue;
		buf_printf(out, "%s: %u of %u rounds missed", v->name[0] ? v->name :
			   "an unnamed vantage point", v->missed, v->rounds + v->missed);
		if (v->offline > 0)
			buf_printf(out, ", %u while it was offline", v->offline);
		if (v->moved)
			buf_str(out, "; its own upstream changed");
		if (v->down)
			buf_str(out, "; it is down");
		if (v->unheard_ns > 0) {
			buf_str(out, v->down ? ", last heard " : "; last heard ");
			duration_put(out, (double)v->unheard_ns / 1e9);
			buf_str(out, " ago");
		}
		buf_str(out, v->counted ? ".\n" : "; it is not counted.\n");
		style_wrap(out, s, start, 2);
	}
}

static void events(struct buf *out, const struct style *s, const struct report *r)
{
	const struct event **list;

	if (r->event_count == 0)
		return;
	list = calloc(r->event_count, sizeof(const struct event *));
	if (list == NULL) {
		out->failed = true;
		return;
	}
	for (unsigned i = 0; i < r->event_count; i++)
		list[i] = &r->events[i];
	buf_char(out, '\n');
	events_text(out, s, list, r->event_count, r->profile);
	events_count(out, list, r->event_count);
	free(list);
}

void report_text(struct buf *out, const struct style *s, const struct report *r)
{
	char a[WALL_TEXT], b[WALL_TEXT];
	size_t start = out->used;

	sentence_now(out, r);
	buf_char(out, '\n');
	if (report_quiet(r)) {
		sentence_quiet(out, r);
		buf_char(out, '\n');
	}
	buf_char(out, '\n');
	style_wrap(out, s, start, 2);
	rows(out, s, r);
	shares(out, s, r);
	ways(out, s, r);
	events(out, s, r);
	buf_char(out, '\n');
	start = out->used;
	buf_printf(out, "Window: %s to %s; %llu traces in %llu rounds, %llu missed.\n",
		   wall_format_short(r->since, a), wall_format_short(r->until, b),
		   (unsigned long long)r->traces, (unsigned long long)r->rounds,
		   (unsigned long long)r->missed);
	style_wrap(out, s, start, 2);
	gaps(out, s, r);
	start = out->used;
	words_always(out, r->profile, r->vantage_count);
	buf_char(out, '\n');
	style_wrap(out, s, start, 0);
}

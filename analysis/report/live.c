// SPDX-License-Identifier: BSD-2-Clause
/* What came is kept as values; lines are made of them whenever they are asked for. */
#include "analysis/report/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/report/table.h"
#include "analysis/report/trace_text.h"
#include "analysis/words.h"

/* --- what came -------------------------------------------------------------------------------- */

void live_fini(struct live *l)
{
	for (unsigned i = 0; i < l->count; i++)
		standing_fini(&l->campaigns[i].standing);
	free(l->campaigns);
	*l = (struct live){0};
}

struct live_campaign *live_find(struct live *l, const char *name, const char *vantage)
{
	for (unsigned i = 0; i < l->count; i++) {
		struct live_campaign *c = &l->campaigns[i];

		if (strcmp(c->name, name) == 0 && strcmp(c->vantage, vantage) == 0)
			return c;
	}
	return NULL;
}

struct live_campaign *live_add(struct live *l, const char *name, const char *vantage,
			       const struct profile *profile)
{
	struct live_campaign *c;

	if (l->count == l->room) {
		unsigned room = l->room ? 2 * l->room : 2;

		c = reallocarray(l->campaigns, room, sizeof(*c));
		if (c == NULL)
			return NULL;
		l->campaigns = c;
		l->room = room;
	}
	c = &l->campaigns[l->count++];
	*c = (struct live_campaign){.profile = profile};
	text_set(c->name, sizeof(c->name), name);
	text_set(c->vantage, sizeof(c->vantage), vantage);
	return c;
}

void live_begin(struct live_campaign *c, const struct round *r, struct wall next)
{
	c->running = true;
	c->now = *r;
	c->next = next;
	c->traces = 0;
}

void live_trace(struct live_campaign *c, const struct trace *t, const struct verdict *v,
		bool reference)
{
	c->traces++;
	if (!reference)
		standing_take(&c->standing, t, v);
}

void live_round(struct live_campaign *c, const struct round *r)
{
	if (c->running && c->now.planned.ns == r->planned.ns)
		c->running = false;
	c->last = *r;
	c->last_known = true;
	status_count_round(&c->rounds, r);
}

void live_note(struct live *l, struct wall at, const char *text)
{
	if (l->note_count == LIVE_NOTES) {
		memmove(l->notes, l->notes + 1, (LIVE_NOTES - 1) * sizeof(l->notes[0]));
		l->note_count--;
	}
	l->notes[l->note_count].at = at;
	text_set(l->notes[l->note_count++].text, LIVE_NOTE_TEXT, text);
}

/* --- lines ------------------------------------------------------------------------------------ */

/* "10:00:07": the day is today's, or the date stands elsewhere. */
static void put_clock(struct buf *out, struct wall at)
{
	char text[WALL_TEXT];

	buf_printf(out, "%.8s", wall_format_short(at, text) + strlen("2026-11-22 "));
}

static void put_bar(struct buf *out, const struct style *style, uint64_t done, uint64_t of)
{
	const unsigned columns = style->width > 0 && style->width < 100 ? 10 : 20;
	unsigned full = of > 0 ? (unsigned)((done < of ? done : of) * columns / of) : 0;

	for (unsigned i = 0; i < columns; i++)
		buf_str(out, i < full ? (style->utf8 ? "\u2588" : "#") : style->utf8 ? "\u2591" : ".");
}

static void put_now(struct buf *out, const struct style *style, const struct live_campaign *c,
		    struct wall now)
{
	style_face(out, style, FACE_BOLD);
	style_text(out, style, c->name);
	style_end(out, style);
	buf_str(out, " from ");
	style_text(out, style, c->vantage);
	buf_str(out, ": ");
	if (c->running) {
		buf_str(out, "round of ");
		put_clock(out, c->now.planned);
		buf_str(out, "  ");
		put_bar(out, style, c->traces, c->now.expected);
		buf_printf(out, " %llu of %u", (unsigned long long)c->traces, c->now.expected);
	} else {
		buf_str(out, "waits");
	}
	if (c->next.ns > now.ns) {
		buf_str(out, "; next ");
		put_clock(out, c->next);
		buf_str(out, ", ");
		status_put_moment(out, c->next, now);
	}
	if (c->waiting > 0) {
		style_face(out, style, FACE_WARN);
		buf_printf(out, "; %llu round%s wait%s for the store", (unsigned long long)c->waiting,
			   c->waiting == 1 ? "" : "s", c->waiting == 1 ? "s" : "");
		style_end(out, style);
	}
	buf_char(out, '\n');
}

static void put_last(struct buf *out, const struct style *style, const struct live_campaign *c,
		     bool in_short)
{
	const char *between = " (";

	if (!c->last_known)
		return;
	buf_str(out, "  round of ");
	put_clock(out, c->last.planned);
	buf_str(out, ": ");
	status_put_round(out, style, &c->last);
	buf_char(out, '\n');
	if (in_short)
		return;
	buf_str(out, "  since the start: ");
	buf_printf(out, "%u round%s measured, %u missed", c->rounds.measured,
		   c->rounds.measured == 1 ? "" : "s", c->rounds.missed);
	for (unsigned i = 0; i < STATUS_WHY_COUNT; i++) {
		if (c->rounds.missed_why[i] == 0)
			continue;
		buf_printf(out, "%s%s %u", between, word_of(round_why_words, (int)i),
			   c->rounds.missed_why[i]);
		between = ", ";
	}
	buf_printf(out, "%s\n  as ", c->rounds.missed > 0 ? ")" : "");
	status_put_identity(out, style, &c->last);
	if (c->last.changed != 0) {
		style_face(out, style, FACE_WARN);
		buf_str(out, " (changed)");
		style_end(out, style);
	}
	buf_char(out, '\n');
}

enum { COL_NETWORK, COL_DESTINATION, COL_BORDER, COL_CONFIDENCE, COL_REACH, COL_RTT, COL_CHANGE,
       COLUMNS };

static void put_row(struct table *t, const struct live_campaign *c, const struct standing_row *r)
{
	const struct standing_round *n = &r->now;
	const struct profile *p = c->profile;
	struct table_row *row = table_add(t);
	struct prefix prefix;
	const char *color;
	char text[PREFIX_TEXT];

	if (row == NULL)
		return;
	prefix = profile_judge_prefix(p, r->dst);
	snprintf(row->cell[COL_NETWORK], TABLE_CELL, "%s",
		 prefix.len ? prefix_format(prefix, text) : "-");
	snprintf(row->cell[COL_DESTINATION], TABLE_CELL, "%s", addr_format(r->dst, text));
	text_set(row->cell[COL_BORDER], TABLE_CELL, status_border(p, n));
	if (n->failed || n->outcome == OUTCOME_NONE)
		snprintf(row->cell[COL_CONFIDENCE], TABLE_CELL, "-");
	else
		report_confidence(n->confidence, row->cell[COL_CONFIDENCE], TABLE_CELL);
	snprintf(row->cell[COL_REACH], TABLE_CELL, "%s", word_of(reach_words, n->reach));
	if (n->rtt_median_ns >= 0)
		snprintf(row->cell[COL_RTT], TABLE_CELL,
			 n->rtt_median_ns < 10 * NS_PER_MS ? "%.2f" : "%.1f",
			 (double)n->rtt_median_ns / 1e6);
	status_put_change(row->cell[COL_CHANGE], TABLE_CELL, r, p);
	row->face[COL_CHANGE] = FACE_WARN;
	color = n->outcome == OUTCOME_BORDER ? words_border_color(p, n->border) : NULL;
	if (color != NULL)
		text_set(row->color, sizeof(row->color), color);
}

/* At most max lines: all rows in their order, or those that changed and then as many as go. */
static void put_targets(struct buf *out, const struct style *style, const struct live_campaign *c,
			unsigned max)
{
	static const struct table_column columns[COLUMNS] = {
		{.title = "Network", .keep = 3}, {.title = "Destination"}, {.title = "Border"},
		{.title = "Conf.", .right = true, .keep = 4}, {.title = "Reach", .keep = 2},
		{.title = "RTT, ms", .right = true, .keep = 1}, {.title = "Since the last round"}};
	const struct standing *s = &c->standing;
	bool all = s->count + 1 <= max;
	unsigned room = all ? s->count : max > 3 ? max - 2 : 0;
	uint32_t *order;
	struct table t;

	if (room == 0)
		return;
	table_init(&t, columns, COLUMNS, COL_BORDER);
	order = standing_order(s);
	for (unsigned pass = 0; pass < 2; pass++) {
		for (unsigned i = 0; order != NULL && i < s->count && t.count < room; i++) {
			const struct standing_row *r = &s->rows[order[i]];

			if (all ? pass == 0 : (r->changed != 0) == (pass == 0))
				put_row(&t, c, r);
		}
	}
	free(order);
	table_draw(out, style, &t, true);
	if (!all)
		buf_printf(out, "and %llu more\n",
			   (unsigned long long)(s->count - t.count + s->beyond));
	table_fini(&t);
}

static unsigned min(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned lines_of(const struct buf *b)
{
	unsigned n = 0;

	for (size_t i = 0; i < b->used; i++)
		n += b->bytes[i] == '\n';
	return n;
}

/* A fifth of the rows at most, and the last one in any case: here one looks for what is
 * measured. */
static void put_notes(struct buf *out, const struct style *style, const struct live *l,
		      unsigned rows)
{
	unsigned most = rows == 0 ? LIVE_NOTES : rows < 10 ? 1 : rows / 5;

	for (unsigned i = l->note_count - min(l->note_count, most); i < l->note_count; i++) {
		style_face(out, style, FACE_DIM);
		put_clock(out, l->notes[i].at);
		style_end(out, style);
		buf_char(out, ' ');
		style_text(out, style, l->notes[i].text);
		buf_char(out, '\n');
	}
}

/* No more than `rows` lines, whatever was made. */
static void keep_lines(struct buf *out, size_t start, unsigned rows)
{
	for (size_t i = start; rows > 0 && i < out->used; i++) {
		if (out->bytes[i] == '\n' && --rows == 0) {
			out->used = i + 1;
			out->bytes[out->used] = '\0';
		}
	}
}

void report_live(struct buf *out, const struct style *style, const struct live *l, struct wall now,
		 unsigned rows)
{
	size_t start = out->used;
	char text[WALL_TEXT];
	struct buf notes;
	unsigned left, head;
	bool in_short;

	buf_init(&notes);
	put_notes(&notes, style, l, rows);
	left = rows == 0 ? UINT32_MAX : rows - min(rows, 1 + lines_of(&notes));
	left /= l->count > 0 ? l->count : 1;
	/* What stands above a campaign's targets, and an empty line behind them. */
	in_short = left < 5 + 4;
	head = in_short ? 3 : 5;
	left -= min(left, head);
	style_face(out, style, FACE_DIM);
	buf_printf(out, "borderpath campaign, %s", wall_format_short(now, text));
	style_end(out, style);
	buf_char(out, '\n');
	for (unsigned i = 0; i < l->count; i++) {
		put_now(out, style, &l->campaigns[i], now);
		put_last(out, style, &l->campaigns[i], in_short);
		put_targets(out, style, &l->campaigns[i], left);
		if (i + 1 < l->count || notes.used > 0)
			buf_char(out, '\n');
	}
	buf_append(out, notes.used > 0 ? notes.bytes : "", notes.used);
	out->failed |= notes.failed;
	buf_fini(&notes);
	if (out->failed)
		return;
	style_cut(out, style, start);
	if (rows > 0)
		keep_lines(out, start, rows);
}

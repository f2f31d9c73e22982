// SPDX-License-Identifier: BSD-2-Clause
/* Sentences and the table of a diff. */
#include "analysis/report/diff_text.h"

#include <stdio.h>
#include <string.h>

#include "analysis/report/table.h"
#include "analysis/report/trace_text.h"
#include "analysis/routes.h"
#include "analysis/sentence.h"
#include "analysis/words.h"

enum { CELL = 128 };
enum column { COL_VANTAGE, COL_PREFIX, COL_METHOD, COL_BORDER, COL_PATH, COL_RTT, COL_REACH,
	      COLUMNS };
static const char *const titles[COLUMNS] = {"Vantage", "Network", "By", "Border", "Path",
					    "Median RTT, ms", "Reach"};

static const char *arrow(const struct style *s)
{
	return s->utf8 ? "\u2192" : "->";
}

/* --- sentences -------------------------------------------------------------------------------- */

static void quiet(struct buf *out, const struct diff *d)
{
	struct power power;

	power_of_diff(d, 0, 0, &power);
	sentence_none(out, d, &power);
	buf_char(out, '\n');
	if (sentence_open(out, d))
		buf_char(out, '\n');
}

static void sentences(struct buf *out, const struct diff *d, const struct profile *p)
{
	for (unsigned i = 0; i < d->move_count; i++) {
		sentence_move(out, d, &d->moves[i], p);
		buf_char(out, '\n');
	}
	for (unsigned i = 0; i < d->row_count; i++) {
		const struct diff_row *r = &d->rows[i];

		if (r->reach == DIFF_CHANGED) {
			sentence_reach(out, r);
			buf_char(out, '\n');
		}
		if (r->rtt == DIFF_CHANGED) {
			sentence_rtt(out, r);
			buf_char(out, '\n');
		}
		/* A switch of border is a change of path already told. */
		if (r->path == DIFF_CHANGED && r->border != DIFF_CHANGED) {
			sentence_path(out, r);
			buf_char(out, '\n');
		}
	}
	if (sentence_open(out, d))
		buf_char(out, '\n');
}

enum { GAPS_SHOWN = 8 };

static void gap_side(struct buf *out, const struct diff_rounds *r, const char *side,
		     const char *between)
{
	buf_printf(out, "%s%u of %u round%s %s", between, r->missed > 0 ? r->missed : r->partial,
		   r->rounds, r->rounds == 1 ? "" : "s", side);
	buf_str(out, r->missed > 0 ? " missed" : " measured in part");
	if (r->why != ROUND_WHY_NONE)
		buf_printf(out, " (%s)", word_of(round_why_words, r->why));
}

static bool has_gap(const struct diff_rounds *r)
{
	return r->missed > 0 || r->partial > 0;
}

/* What was not measured is no outage: it is told as what it is. */
static void gap_sentences(struct buf *out, const struct diff *d)
{
	unsigned shown = 0, more = 0;

	for (unsigned i = 0; i < d->point_count; i++) {
		const struct diff_vantage *p = &d->points[i];
		const struct diff_rounds *b = &p->rounds[DIFF_BEFORE];
		const struct diff_rounds *a = &p->rounds[DIFF_AFTER];

		if (!has_gap(b) && !has_gap(a))
			continue;
		if (shown == GAPS_SHOWN) {
			more++;
			continue;
		}
		shown++;
		buf_printf(out, "Not measured from %s: ", p->name[0] ? p->name : "an unnamed "
			   "vantage point");
		if (has_gap(b))
			gap_side(out, b, "before", "");
		if (has_gap(a))
			gap_side(out, a, "after", has_gap(b) ? ", " : "");
		buf_str(out, p->counted ? ".\n" : "; it is not counted.\n");
	}
	if (more > 0)
		buf_printf(out, "So too %u more vantage point%s.\n", more, more == 1 ? "" : "s");
}

/* --- table ------------------------------------------------------------------------------------ */

static const char *side_border(const struct diff_side *side, const struct profile *p)
{
	if (!side->verdict.judged)
		return "-";
	return side->verdict.outcome == OUTCOME_BORDER ?
	       words_border(p, side->verdict.border) :
	       word_of(outcome_words, side->verdict.outcome);
}

static void pair(char out[static CELL], const struct style *s, const char *a, const char *b)
{
	if (strcmp(a, b) == 0)
		snprintf(out, CELL, "%.40s", a);
	else
		snprintf(out, CELL, "%.40s %s %.40s", a, arrow(s), b);
}

static void rtt_cell(char out[static CELL], const struct style *s, const struct diff_row *r)
{
	int64_t before = r->before.rtt_median_ns, after = r->after.rtt_median_ns;
	char a[WORDS_MS], b[WORDS_MS], by[WORDS_MS];

	words_ms(before, a);
	words_ms(after, b);
	if (r->rtt == DIFF_CHANGED)
		snprintf(out, CELL, "%s %s %s (%s)", a, arrow(s), b,
			 words_ms_by(r->shift_ns, before > after ? before : after, by));
	else if (r->rtt == DIFF_TOO_FEW)
		snprintf(out, CELL, "%s %s %s (too few)", a, arrow(s), b);
	else
		pair(out, s, a, b);
}

static void row_cells(char cell[COLUMNS][CELL], const struct style *s, const struct diff_row *r,
		      const struct profile *p)
{
	char text[PREFIX_TEXT], border[CELL];

	snprintf(cell[COL_VANTAGE], CELL, "%s", r->vantage[0] ? r->vantage : "-");
	snprintf(cell[COL_PREFIX], CELL, "%s", prefix_format(r->prefix, text));
	snprintf(cell[COL_METHOD], CELL, "%s", r->method ? word_of(method_words, r->method) : "-");
	pair(border, s, side_border(&r->before, p), side_border(&r->after, p));
	snprintf(cell[COL_BORDER], CELL, "%.100s%s", border,
		 r->border == DIFF_TOO_FEW ? " (uncertain)" : "");
	snprintf(cell[COL_PATH], CELL, "%s", r->path == DIFF_TOO_FEW ? "too few" :
		 word_of(diff_change_words, r->path));
	rtt_cell(cell[COL_RTT], s, r);
	pair(cell[COL_REACH], s, r->before.traces ? word_of(reach_words, sentence_side_reach(&r->before)) : "-",
	     r->after.traces ? word_of(reach_words, sentence_side_reach(&r->after)) : "-");
}

static void target_cells(char cell[COLUMNS][CELL], const struct style *s, const struct diff_row *r,
			 const struct profile *p)
{
	row_cells(cell, s, r, p);
	cell[COL_VANTAGE][0] = '\0';
	snprintf(cell[COL_PREFIX], CELL, "  %.60s", r->target);
}

static void draw(struct buf *out, const struct style *s, const unsigned width[COLUMNS],
		 const char (*cell)[CELL])
{
	for (int c = 0; c < COLUMNS; c++) {
		if (c + 1 < COLUMNS) {
			style_pad(out, s, cell[c], width[c]);
			buf_str(out, "  ");
		} else {
			style_text(out, s, cell[c]);
		}
	}
}

static bool same_key(const struct diff_row *a, const struct diff_row *b)
{
	return strcmp(a->vantage, b->vantage) == 0 && prefix_equal(a->prefix, b->prefix) &&
	       a->method == b->method;
}

static void measure(unsigned width[COLUMNS], const char (*cell)[CELL])
{
	for (int c = 0; c < COLUMNS; c++) {
		unsigned w = style_columns(cell[c]);

		width[c] = w > width[c] ? w : width[c];
	}
}

static void table_row(struct buf *out, const struct style *s, const unsigned width[COLUMNS],
		      const char (*cell)[CELL], const struct diff_row *r)
{
	if (r->changed)
		style_face(out, s, FACE_BOLD);
	else if (!r->comparable)
		style_face(out, s, FACE_DIM);
	draw(out, s, width, cell);
	if (r->changed || !r->comparable)
		style_end(out, s);
	buf_char(out, '\n');
}

static void table(struct buf *out, const struct style *s, const struct diff *d,
		  const struct profile *p, bool verbose)
{
	unsigned width[COLUMNS] = {0};
	char cell[COLUMNS][CELL], head[COLUMNS][CELL];

	for (int c = 0; c < COLUMNS; c++)
		snprintf(head[c], CELL, "%s", titles[c]);
	measure(width, head);
	for (unsigned i = 0; i < d->row_count; i++) {
		row_cells(cell, s, &d->rows[i], p);
		measure(width, cell);
	}
	for (unsigned i = 0; verbose && i < d->target_count; i++) {
		target_cells(cell, s, &d->targets[i], p);
		measure(width, cell);
	}
	style_face(out, s, FACE_DIM);
	draw(out, s, width, head);
	style_end(out, s);
	buf_char(out, '\n');
	for (unsigned i = 0; i < d->row_count; i++) {
		row_cells(cell, s, &d->rows[i], p);
		table_row(out, s, width, cell, &d->rows[i]);
		for (unsigned k = 0; verbose && k < d->target_count; k++) {
			if (!same_key(&d->rows[i], &d->targets[k]))
				continue;
			target_cells(cell, s, &d->targets[k], p);
			table_row(out, s, width, cell, &d->targets[k]);
		}
	}
}

/* --- routing tables -------------------------------------------------------------------------- */

static const char *org_of(const struct diff *d, const struct profile *p, uint32_t asn)
{
	const char *org = words_org(p, asn);

	for (unsigned i = 0; i < d->row_count && org[0] == '\0'; i++) {
		const struct diff_verdict *b = &d->rows[i].before.verdict;
		const struct diff_verdict *a = &d->rows[i].after.verdict;

		org = b->via_asn == asn ? b->via_org : a->via_asn == asn ? a->via_org : org;
	}
	return org;
}

static void peers_cell(char out[static TABLE_CELL], bool known, unsigned n, unsigned of)
{
	if (known)
		snprintf(out, TABLE_CELL, "%u of %u", n, of);
	else
		snprintf(out, TABLE_CELL, "not told");
}

static void routes_line(struct table *t, const struct diff *d, unsigned i)
{
	const struct routes *r = d->routes;
	const struct routes_row *x = &r->rows[i];
	const struct routes_prefix *of = routes_prefix_of(r, x->prefix);
	bool after = r->after_told.ns != 0;
	struct table_row *row = table_add(t);
	char text[WALL_TEXT];
	const char *id;
	struct buf name;

	if (row == NULL)
		return;
	if (i == 0 || !prefix_equal(r->rows[i - 1].prefix, x->prefix))
		prefix_format(x->prefix, row->cell[0]);
	buf_init(&name);
	words_carrier(&name, org_of(d, r->profile, x->upstream), x->upstream, "none, or several");
	text_set(row->cell[1], TABLE_CELL, name.failed ? "" : name.bytes);
	buf_fini(&name);
	if (x->origin != 0)
		snprintf(row->cell[2], TABLE_CELL, "AS%u", x->origin);
	else
		text_set(row->cell[2], TABLE_CELL, "several");
	id = routes_border(r->profile, x->upstream, after ? r->after_told : r->before_told);
	text_set(row->cell[3], TABLE_CELL, id != NULL ? words_border(r->profile, id) : "");
	peers_cell(row->cell[4], r->before_told.ns != 0, x->before, of->before);
	peers_cell(row->cell[5], after, x->after, of->after);
	text_set(row->cell[6], TABLE_CELL, x->first.ns != 0 ? wall_format_short(x->first, text) : "-");
}

/* Beside what was measured: it changes nothing of the result. */
static void routes(struct buf *out, const struct style *s, const struct diff *d)
{
	static const struct table_column columns[] = {
		{"Prefix", false, 0}, {"Upstream", false, 0}, {"Origin", false, 3},
		{"Border", false, 4}, {"At the moment", true, 0}, {"At the end", true, 0},
		{"First told in the window", false, 2}};
	const struct routes *r = d->routes;
	char a[WALL_TEXT], b[WALL_TEXT];
	size_t start = out->used;
	struct table t;

	buf_printf(out, "\nWhat routing tables say: routes of %u peer%s. Before the moment, told until "
		   "%s; from it on until %s. Announced, not measured.\n", r->peers,
		   r->peers == 1 ? "" : "s",
		   r->before_told.ns != 0 ? wall_format_short(r->before_told, a) : "never",
		   r->after_told.ns != 0 ? wall_format_short(r->after_told, b) : "never");
	style_wrap(out, s, start, 2);
	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]), 0);
	for (unsigned i = 0; i < r->row_count; i++)
		routes_line(&t, d, i);
	table_draw(out, s, &t, true);
	if (r->row_count == 0)
		buf_str(out, "  No peer told of a route into the network.\n");
	table_fini(&t);
}

void report_diff(struct buf *out, const struct style *s, const struct diff *d,
		 const struct profile *p, bool verbose)
{
	char a[WALL_TEXT], b[WALL_TEXT];
	size_t start = out->used;

	if (d->result == DIFF_RESULT_TROUBLE)
		buf_printf(out, "Too little to compare: %s.\n", d->why);
	else if (d->result == DIFF_RESULT_SAME)
		quiet(out, d);
	else
		sentences(out, d, p);
	style_wrap(out, s, start, 2);
	if (d->row_count > 0) {
		buf_char(out, '\n');
		table(out, s, d, p, verbose);
	}
	if (d->routes != NULL)
		routes(out, s, d);
	start = out->used;
	buf_printf(out, "\nCompared: %u trace%s before, %u after", d->traces_before,
		   d->traces_before == 1 ? "" : "s", d->traces_after);
	if (d->not_before.ns != 0 && d->not_after.ns != 0)
		buf_printf(out, " (the last of them at %s, the first at %s)",
			   wall_format_short(d->not_before, a), wall_format_short(d->not_after, b));
	if (d->only_before + d->only_after > 0)
		buf_printf(out, "; %u network%s measured only before, %u only after", d->only_before,
			   d->only_before == 1 ? "" : "s", d->only_after);
	buf_str(out, ".\n");
	gap_sentences(out, d);
	style_wrap(out, s, start, 2);
	report_always(out, s, p);
}

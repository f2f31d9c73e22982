// SPDX-License-Identifier: BSD-2-Clause
/* The diff page, in the order of REPORTS. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/report/html_parts.h"
#include "analysis/sentence.h"
#include "analysis/words.h"

/* --- headline and sentences ------------------------------------------------------------------ */

static enum diff_change reach_of(const struct diff_row *r)
{
	return r->reach;
}

static enum diff_change rtt_of(const struct diff_row *r)
{
	return r->rtt;
}

static unsigned changed(const struct diff *d, enum diff_change (*aspect)(const struct diff_row *r))
{
	unsigned n = 0;

	for (unsigned i = 0; i < d->row_count; i++)
		n += aspect(&d->rows[i]) == DIFF_CHANGED;
	return n;
}

/* What may be said of the borders where none surely changed. */
static const char *but(const struct diff *d)
{
	bool open = false, unknown = false;

	for (unsigned i = 0; i < d->row_count; i++) {
		const struct diff_row *r = &d->rows[i];

		if (r->before.traces == 0 || r->after.traces == 0)
			continue;
		open |= r->border == DIFF_TOO_FEW;
		unknown |= r->border == DIFF_UNKNOWN;
	}
	return open ? "whether borders did is too uncertain to say" :
	       unknown ? "not every border can be told" : "the borders did not";
}

static void headline_none(struct buf *out, const struct page *page)
{
	struct buf text;

	buf_printf(out, "%s: ", page->p->network_name);
	buf_init(&text);
	if (page->r != NULL && page->r->event_count > 0)
		buf_str(out, "the same before and after, with events in between");
	else if (sentence_open(&text, page->d))
		buf_str(out, "no change seen, where it can be told");
	else
		buf_str(out, "no change seen");
	buf_fini(&text);
}

static void headline(struct buf *out, const struct page *page)
{
	const struct diff *d = page->d;
	const struct profile *p = page->p;

	if (d->result == DIFF_RESULT_TROUBLE) {
		buf_printf(out, "%s: too little to compare", p->network_name);
	} else if (d->move_count == 1) {
		const struct diff_move *m = &d->moves[0];

		words_number(out, m->prefix_count);
		out->bytes[0] = (char)(out->bytes[0] >= 'a' ? out->bytes[0] - 'a' + 'A' :
				       out->bytes[0]);
		if (d->networks_of > 0) {
			buf_str(out, " of ");
			words_number(out, d->networks_of);
		}
		buf_printf(out, " network%s of %s moved from ", d->networks_of == 1 ? "" : "s",
			   p->network_name);
		words_carrier(out, m->from_org, 0, words_border(p, m->from));
		buf_str(out, " to ");
		words_carrier(out, m->to_org, 0, words_border(p, m->to));
	} else if (d->move_count > 1) {
		buf_printf(out, "Networks of %s changed their way in", p->network_name);
	} else if (changed(d, reach_of) > 0) {
		buf_printf(out, "%s: who is reached changed, %s", p->network_name, but(d));
	} else if (changed(d, rtt_of) > 0) {
		buf_printf(out, "%s: round-trip times changed, %s", p->network_name, but(d));
	} else if (d->result == DIFF_RESULT_CHANGED) {
		buf_printf(out, "%s: paths changed, %s", p->network_name, but(d));
	} else {
		headline_none(out, page);
	}
}

/* The shift that says most; of those where the border moved first. */
static const struct diff_row *largest_shift(const struct diff *d)
{
	const struct diff_row *best = NULL;

	for (unsigned i = 0; i < d->row_count; i++) {
		const struct diff_row *r = &d->rows[i];

		if (r->rtt != DIFF_CHANGED)
			continue;
		if (best == NULL ||
		    (r->border == DIFF_CHANGED) > (best->border == DIFF_CHANGED) ||
		    ((r->border == DIFF_CHANGED) == (best->border == DIFF_CHANGED) &&
		     llabs(r->shift_ns) > llabs(best->shift_ns)))
			best = r;
	}
	return best;
}

static void changes(struct page *page, struct buf *text)
{
	const struct diff *d = page->d;
	const struct diff_row *shift = largest_shift(d);
	unsigned said = 0;

	for (unsigned i = 0; i < d->move_count && said < 2; i++, said++) {
		sentence_move(text, d, &d->moves[i], page->p);
		put_paragraph(page->out, text);
	}
	for (unsigned i = 0; i < d->row_count && said == 0; i++) {
		if (d->rows[i].reach == DIFF_CHANGED) {
			sentence_reach(text, &d->rows[i]);
			put_paragraph(page->out, text);
			said++;
		}
	}
	if (shift != NULL) {
		sentence_rtt(text, shift);
		put_paragraph(page->out, text);
		said++;
	}
	for (unsigned i = 0; i < d->row_count && said == 0; i++) {
		if (d->rows[i].path == DIFF_CHANGED) {
			sentence_path(text, &d->rows[i]);
			put_paragraph(page->out, text);
			said++;
		}
	}
}

static void lead(struct page *page)
{
	const struct diff *d = page->d;
	struct buf text;

	buf_init(&text);
	buf_str(page->out, "<section class=\"lead\" data-copy aria-label=\"Summary\">\n");
	if (d->result == DIFF_RESULT_TROUBLE) {
		buf_printf(&text, "Too little to compare: %s. This is not \"no change\".", d->why);
		put_paragraph(page->out, &text);
	} else if (d->result == DIFF_RESULT_CHANGED) {
		changes(page, &text);
	} else {
		power_of_diff(d, 0, 0, &page->power);
		if (page->power.switch_ns == 0 && page->r != NULL)
			power_of_diff(d, page->r->every_ns, page->r->decided, &page->power);
		sentence_none(&text, d, &page->power);
		put_paragraph(page->out, &text);
	}
	if (d->result != DIFF_RESULT_TROUBLE && sentence_open(&text, d))
		put_paragraph(page->out, &text);
	if (d->result == DIFF_RESULT_SAME && page->r != NULL && page->r->event_count > 0) {
		buf_printf(&text, "Between the two ends of the window lie %u event%s, told below: what "
			   "changes and changes back is no difference of the two sides.",
			   page->r->event_count, page->r->event_count == 1 ? "" : "s");
		put_paragraph(page->out, &text);
	}
	if (page->r != NULL) {
		sentence_now(&text, page->r);
		put_paragraph(page->out, &text);
	}
	buf_str(page->out, "</section>\n<p class=\"always small\">");
	words_always(&text, page->p, d->vantages);
	html_text(page->out, text.failed ? "" : text.bytes);
	buf_str(page->out, "</p>\n");
	buf_fini(&text);
}

/* --- who was compared, where no report tells ------------------------------------------------- */

static void side_facts(struct page *page)
{
	const struct diff *d = page->d;
	struct buf *out = page->out;

	buf_str(out, "<dl class=\"facts\">\n<div><dt>Last before (UTC)</dt><dd>");
	put_moment(out, d->not_before);
	buf_str(out, "</dd></div>\n<div><dt>First after (UTC)</dt><dd>");
	put_moment(out, d->not_after);
	buf_printf(out, "</dd></div>\n<div><dt>Traces</dt><dd><span data-j=\"diff/traces_before\">%u</span> "
		   "before, <span data-j=\"diff/traces_after\">%u</span> after</dd></div>\n<div><dt>Vantage "
		   "points compared</dt><dd><span data-j=\"diff/vantages\">%u</span> of %u</dd></div>\n"
		   "</dl>\n", d->traces_before, d->traces_after, d->vantages, d->point_count);
}

static void gap(struct page *page, const struct diff_rounds *r, unsigned i, const char *when,
		const char *between)
{
	if (r->missed == 0 && r->partial == 0)
		return;
	buf_printf(page->out, "%s%s: ", between, when);
	if (r->missed > 0)
		buf_printf(page->out, "<span data-j=\"diff/vantage_points/%u/%s/missed\">%u</span> missed",
			   i, when, r->missed);
	if (r->partial > 0)
		buf_printf(page->out, "%s<span data-j=\"diff/vantage_points/%u/%s/partial\">%u</span> "
			   "measured in part", r->missed > 0 ? ", " : "", i, when, r->partial);
	buf_printf(page->out, " of <span data-j=\"diff/vantage_points/%u/%s/rounds\">%u</span> rounds", i,
		   when, r->rounds);
	if (r->why != ROUND_WHY_NONE)
		buf_printf(page->out, ", %s", word_of(round_why_words, r->why));
}

static void gaps(struct page *page)
{
	const struct diff *d = page->d;
	unsigned n = 0;

	for (unsigned i = 0; i < d->point_count; i++) {
		const struct diff_vantage *v = &d->points[i];
		const struct diff_rounds *b = &v->rounds[DIFF_BEFORE], *a = &v->rounds[DIFF_AFTER];

		if (v->counted && b->missed + b->partial + a->missed + a->partial == 0)
			continue;
		buf_str(page->out, n++ == 0 ? "<p class=\"small\">Not measured, or not counted: " : "; ");
		html_text(page->out, v->name[0] ? v->name : "an unnamed vantage point");
		buf_str(page->out, v->counted ? " (" : " (not counted");
		gap(page, b, i, "before", v->counted ? "" : "; ");
		gap(page, a, i, "after", v->counted && b->missed + b->partial == 0 ? "" : "; ");
		buf_char(page->out, ')');
	}
	if (n > 0)
		buf_str(page->out, ".</p>\n");
}

/* --- the table ------------------------------------------------------------------------------- */

static void side_border(struct page *page, const struct diff_side *s)
{
	if (!s->verdict.judged)
		buf_str(page->out, "not judged");
	else if (s->verdict.outcome == OUTCOME_BORDER)
		put_border(page->out, page->p, s->verdict.border);
	else
		buf_str(page->out, word_of(outcome_words, s->verdict.outcome));
}

static void pair_border(struct page *page, const struct diff_row *r)
{
	bool same = r->before.verdict.outcome == r->after.verdict.outcome &&
		    r->before.verdict.judged == r->after.verdict.judged &&
		    strcmp(r->before.verdict.border, r->after.verdict.border) == 0;

	buf_str(page->out, "<td>");
	side_border(page, &r->before);
	if (!same) {
		buf_str(page->out, "<br><span class=\"border\">&rarr; ");
		side_border(page, &r->after);
		buf_str(page->out, "</span>");
		if (r->border == DIFF_TOO_FEW)
			buf_str(page->out, "<br><em>too uncertain to say</em>");
	}
	buf_str(page->out, "</td>");
}

static void change(struct buf *out, enum diff_change c)
{
	buf_str(out, "<td>");
	put_words(out, word_of(diff_change_words, (int)c));
	buf_str(out, "</td>");
}

static void median(struct page *page, const struct diff_side *s, unsigned i, const char *side)
{
	char text[WORDS_MS];

	if (s->rtt_n == 0)
		buf_str(page->out, "<td class=\"n\">-</td>");
	else
		cell_number(page->out, words_ms(s->rtt_median_ns, text),
			    "diff/rows/%u/%s/rtt_median_ms", i, side);
}

static void shift_cell(struct page *page, const struct diff_row *r, unsigned i)
{
	int64_t before = r->before.rtt_median_ns, after = r->after.rtt_median_ns;
	int64_t level = before > after ? before : after;
	char a[WORDS_MS], b[WORDS_MS];

	if (r->before.rtt_n == 0 || r->after.rtt_n == 0) {
		buf_str(page->out, "<td></td>");
		return;
	}
	buf_printf(page->out, "<td class=\"n\"><span data-j=\"diff/rows/%u/shift_ms\">%s</span>", i,
		   words_ms_by(r->shift_ns, level, a));
	if (r->rtt != DIFF_TOO_FEW)
		buf_printf(page->out, " <span class=\"mute\">(<span data-j=\"diff/rows/%u/shift_low_ms\">"
			   "%s</span> to <span data-j=\"diff/rows/%u/shift_high_ms\">%s</span>)"
			   "</span>", i, words_ms_by(r->shift_low_ns, level, a), i,
			   words_ms_by(r->shift_high_ns, level, b));
	buf_str(page->out, "</td>");
}

static const char *side_reach(const struct diff_side *s)
{
	return s->traces > 0 ? word_of(reach_words, sentence_side_reach(s)) : "-";
}

static void reach_cell(struct page *page, const struct diff_row *r)
{
	const char *before = side_reach(&r->before), *after = side_reach(&r->after);

	buf_str(page->out, "<td>");
	html_text(page->out, before);
	if (strcmp(before, after) != 0) {
		buf_str(page->out, " &rarr; ");
		html_text(page->out, after);
	}
	buf_str(page->out, "</td>");
}

static void diff_line(struct page *page, const struct diff_row *r, unsigned i)
{
	char prefix[PREFIX_TEXT];

	buf_printf(page->out, "<tr%s>", r->changed ? " class=\"changed\"" : r->comparable ? "" :
		   " class=\"void\"");
	buf_str(page->out, "<th scope=\"row\">");
	html_text(page->out, r->vantage[0] ? r->vantage : "unnamed");
	buf_str(page->out, r->comparable ? "</th>" : "<br>(not compared)</th>");
	cell(page->out, addr_is_set(r->prefix.addr) ? prefix_format(r->prefix, prefix) : "-");
	cell(page->out, r->method ? word_of(method_words, r->method) : "-");
	pair_border(page, r);
	change(page->out, r->path);
	median(page, &r->before, i, "before");
	median(page, &r->after, i, "after");
	shift_cell(page, r, i);
	reach_cell(page, r);
	buf_printf(page->out, "<td class=\"n\"><span data-j=\"diff/rows/%u/before/traces\">%u</span>, <span "
		   "data-j=\"diff/rows/%u/after/traces\">%u</span></td></tr>\n", i, r->before.traces,
		   i, r->after.traces);
}

void part_diff_rows(struct page *page)
{
	const struct diff *d = page->d;

	page_heading(page, "table", "Vantage points and networks");
	table_open(page->out, "Before and after; heavy: changed. Shift: estimate (95 % interval). Traces: before, after",
		   "From|Network|By|Border|Path|#RTT before, ms|#after, ms|#Shift, ms|Reach|"
		   "#Traces", d->row_count > 24);
	for (unsigned i = 0; i < d->row_count; i++)
		diff_line(page, &d->rows[i], i);
	table_close(page->out);
}

/* --- the page -------------------------------------------------------------------------------- */

void html_diff(struct buf *out, const struct diff *d, struct wall at, const struct report *r,
	       const struct profile *p, const struct html_trace *traces, unsigned trace_count,
	       const struct html_about *a)
{
	struct page page = {.out = out, .r = r, .d = d, .p = p, .about = a, .at = at,
			    .traces = traces, .trace_count = trace_count};
	struct buf title;

	buf_init(&title);
	headline(&title, &page);
	if (title.failed)
		out->failed = true;
	else
		page_open(&page, title.bytes);
	buf_fini(&title);
	if (out->failed)
		return;
	lead(&page);
	if (r != NULL)
		part_facts(&page);
	else
		side_facts(&page);
	gaps(&page);
	if (r != NULL) {
		part_bands(&page);
		part_notes(&page);
		part_rtt(&page);
	}
	part_paths(&page);
	part_diff_rows(&page);
	part_routes(&page);
	if (r != NULL)
		part_events(&page);
	page_close(&page);
}

// SPDX-License-Identifier: BSD-2-Clause
/* What a page with a report says in words and tables. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "analysis/report/chart.h"
#include "analysis/report/event_join.h"
#include "analysis/report/html_parts.h"
#include "analysis/report/trace_text.h"
#include "analysis/sentence.h"
#include "analysis/words.h"

enum { EVENTS_SHOWN = 200, LEAD_EVENTS = 2 };

/* Of n events that are told as one. */
static void event_sentence(struct buf *text, const struct page *page, const struct event *e,
			   unsigned n)
{
	struct event sum = *e;

	for (unsigned i = 1; i < n; i++)
		event_join(&sum, &e[i]);
	buf_clear(text);
	if (sum.summary[0] != '\0')
		buf_str(text, sum.summary);
	else
		sentence_event(text, &sum, page->p, page->r->networks_of);
}

/* What weighs more comes first in the lead: switches and outages, then the rest. */
static int weight(const struct event *e)
{
	return e->kind == EVENT_OUTAGE || e->kind == EVENT_RECOVERY ? 3 :
	       e->kind == EVENT_BORDER_SWITCH || e->kind == EVENT_FLAPPING ? 2 : 1;
}

/* The latest of that weight, as many as there is room for. */
static void lead_events(struct page *page, struct buf *text, int w, unsigned *shown)
{
	const struct report *r = page->r;

	for (unsigned i = r->event_count, n; i > 0 && *shown < LEAD_EVENTS; i -= n) {
		/* Back to where what is told as one begins. */
		for (n = 1; n < i && event_run(&r->events[i - n - 1], n + 1) == n + 1;)
			n++;
		if (weight(&r->events[i - n]) != w ||
		    r->events[i - n].scope == EVENT_SCOPE_VANTAGE)
			continue;
		event_sentence(text, page, &r->events[i - n], n);
		put_paragraph(page->out, text);
		(*shown)++;
	}
}

void part_lead_report(struct page *page)
{
	const struct report *r = page->r;
	unsigned shown = 0;
	struct buf text;

	buf_init(&text);
	buf_str(page->out, "<section class=\"lead\" data-copy aria-label=\"Summary\">\n");
	sentence_now(&text, r);
	put_paragraph(page->out, &text);
	for (int w = 3; w > 0; w--)
		lead_events(page, &text, w, &shown);
	if (report_quiet(r)) {
		buf_clear(&text);
		sentence_quiet(&text, r);
		put_paragraph(page->out, &text);
	}
	buf_str(page->out, "</section>\n");
	buf_fini(&text);
}

/* --- as-of, window, who measured ------------------------------------------------------------- */

static void count(struct buf *out, const char *json, uint64_t n)
{
	buf_printf(out, "<span data-j=\"%s\">%llu</span>", json, (unsigned long long)n);
}

enum { NAMES_SHOWN = 16 };

/* How it stood at the end. */
static void put_end(struct buf *out, const struct report_vantage *v)
{
	bool down = v->down && v->counted;

	if (!down && v->unheard_ns == 0)
		return;
	buf_str(out, down ? " (down at the end" : " (");
	if (v->unheard_ns > 0) {
		buf_str(out, down ? ", last heard " : "last heard ");
		duration_put(out, (double)v->unheard_ns / 1e9);
		buf_str(out, " before");
	}
	buf_char(out, ')');
}

static void names(struct page *page, bool counted)
{
	const struct report *r = page->r;
	unsigned n = 0, all = 0;

	for (unsigned i = 0; i < r->vantage_count; i++)
		all += r->vantages[i].counted == counted;
	if (all > NAMES_SHOWN)
		buf_printf(page->out, "<details><summary>%u names</summary>", all);
	for (unsigned i = 0; i < r->vantage_count; i++) {
		if (r->vantages[i].counted != counted)
			continue;
		buf_str(page->out, n++ > 0 ? ", " : "");
		html_text(page->out, r->vantages[i].name[0] ? r->vantages[i].name : "unnamed");
		put_end(page->out, &r->vantages[i]);
	}
	if (n == 0)
		buf_str(page->out, "none");
	if (all > NAMES_SHOWN)
		buf_str(page->out, "</details>");
}

void part_facts(struct page *page)
{
	const struct report *r = page->r;
	struct buf *out = page->out;
	unsigned counted = 0;

	for (unsigned i = 0; i < r->vantage_count; i++)
		counted += r->vantages[i].counted;
	buf_str(out, "<dl class=\"facts\">\n<div><dt>As of (UTC)</dt><dd>");
	put_moment(out, r->as_of);
	buf_str(out, "</dd></div>\n");
	if (page->at.ns != 0) {
		buf_str(out, "<div><dt>Moment compared around (UTC)</dt><dd>");
		put_moment(out, page->at);
		buf_str(out, "</dd></div>\n");
	}
	buf_str(out, "<div><dt>Window (UTC)</dt><dd>");
	put_moment(out, r->since);
	buf_str(out, " to ");
	put_moment(out, r->until);
	buf_printf(out, "</dd></div>\n<div><dt>Vantage points counted: %u of %u</dt><dd>", counted,
		   r->vantage_count);
	names(page, true);
	buf_str(out, "</dd></div>\n<div><dt>Excluded</dt><dd>");
	names(page, false);
	buf_str(out, "</dd></div>\n<div><dt>Rounds</dt><dd>");
	count(out, "report/rounds", r->rounds);
	buf_str(out, " measured, ");
	count(out, "report/missed", r->missed);
	buf_str(out, " missed; ");
	count(out, "report/traces", r->traces);
	buf_str(out, " traces</dd></div>\n</dl>\n");
}

/* --- ways in --------------------------------------------------------------------------------- */

static void border_set(struct page *page, uint32_t bits)
{
	unsigned n = 0;

	buf_str(page->out, "<td>");
	for (unsigned b = 0; b < page->r->border_count; b++) {
		if ((bits >> b & 1) == 0)
			continue;
		buf_str(page->out, n++ > 0 ? ", " : "");
		put_border(page->out, page->p, report_border_id(page->r, (int)b));
	}
	if (n == 0)
		buf_str(page->out, "none told");
	buf_str(page->out, "</td>");
}

void part_ways(struct page *page)
{
	const struct report *r = page->r;
	char text[16];

	if (r->way_count == 0)
		return;
	page_heading(page, "ways", "Ways in");
	table_open(page->out, "Ways into each network: at the end of the window, and seen within it",
		   "Network|#Now|At the end|#Seen|Within the window|#Vantage points|Reached", false);
	for (unsigned i = 0; i < r->way_count; i++) {
		const struct report_ways *w = &r->ways[i];

		buf_str(page->out, w->down ? "<tr class=\"changed\">" : "<tr>");
		cell_prefix(page->out, w->prefix);
		snprintf(text, sizeof(text), "%u", w->now_count);
		cell_number(page->out, text, "report/ways/%u/now_count", i);
		border_set(page, w->now);
		snprintf(text, sizeof(text), "%u", w->seen_count);
		cell_number(page->out, text, "report/ways/%u/seen_count", i);
		border_set(page, w->seen);
		snprintf(text, sizeof(text), "%u", w->vantages);
		cell_number(page->out, text, "report/ways/%u/vantages", i);
		cell(page->out, w->down ? "by nobody" : "yes");
		buf_str(page->out, "</tr>\n");
	}
	table_close(page->out);
}

/* --- vantage x prefix ------------------------------------------------------------------------ */

static void row_border(struct page *page, const struct report_row *row)
{
	buf_str(page->out, "<td>");
	if (row->border >= 0)
		put_border(page->out, page->p, report_border_id(page->r, row->border));
	else
		put_words(page->out, word_of(report_band_words, row->band));
	buf_str(page->out, "</td>");
}

static void ms_cell(struct buf *out, int64_t ns, const char *member)
{
	char text[WORDS_MS];

	if (ns < 0)
		buf_str(out, "<td class=\"n\">-</td>");
	else
		cell_number(out, words_ms(ns, text), "%s", member);
}

static void row_line(struct page *page, const struct report_row *row, unsigned i)
{
	struct buf text;
	char number[32];

	buf_init(&text);
	row_open(page->out, row->rounds == 0 ? "void" : "", "report/rows/%u", i);
	cell_prefix(page->out, row->prefix);
	cell(page->out, row->vantage[0] ? row->vantage : "unnamed");
	cell(page->out, word_of(method_words, row->method));
	row_border(page, row);
	if (row->borders != 0) {
		report_confidence(row->confidence, number, sizeof(number));
		/* ">0.99" is shown of what the JSON has in full. */
		cell_number(page->out, number, "confidence");
		words_carrier(&text, row->via_org, row->via_asn, "");
	} else {
		buf_str(page->out, "<td></td>");
	}
	buf_str(page->out, "<td class=\"name\">");
	html_text(page->out, text.bytes != NULL ? text.bytes : "");
	buf_str(page->out, "</td>");
	cell(page->out, row->rounds > 0 ? word_of(reach_words, row->reach) : "");
	ms_cell(page->out, row->rtt_median_ns, "rtt_median_ms");
	ms_cell(page->out, row->rtt_min_ns, "rtt_min_ms");
	if (row->asked > 0) {
		snprintf(number, sizeof(number), "%.1f %%",
			 100 - 100 * (double)row->answered / (double)row->asked);
		cell_number(page->out, number, "loss");
	} else {
		buf_str(page->out, "<td></td>");
	}
	snprintf(number, sizeof(number), "%u", row->rounds);
	cell_number(page->out, number, "rounds");
	snprintf(number, sizeof(number), "%u", row->missed);
	cell_number(page->out, number, "missed");
	snprintf(number, sizeof(number), "%u", row->offline);
	cell_number(page->out, number, "offline");
	cell_time(page->out, row->last_round);
	buf_str(page->out, "</tr>\n");
	buf_fini(&text);
}

void part_rows(struct page *page)
{
	const struct report *r = page->r;

	page_heading(page, "table", "Vantage points and networks");
	table_open(page->out, "As it stands at the end of the window; round-trip times over all of it",
		   "Network|From|By|Border|#Sure|Carrier|Reach|#Median, ms|#Lowest, ms|#Lost|#Rounds|"
		   "#Missed|#Offline|Last round, UTC", r->row_count > 24);
	for (unsigned i = 0; i < r->row_count; i++)
		row_line(page, &r->rows[i], i);
	table_close(page->out);
}

/* --- events, annotations --------------------------------------------------------------------- */

/* "border_switch" is "Border switch", "rtt_shift" "RTT shift". */
static void kind_words(struct buf *out, const char *word)
{
	if (strncmp(word, "rtt", 3) == 0)
		buf_str(out, "RTT");
	else
		buf_char(out, (char)toupper((unsigned char)word[0]));
	put_words(out, word + (strncmp(word, "rtt", 3) == 0 ? 3 : 1));
}

static void evidence(struct buf *out, const struct event *e, unsigned n)
{
	unsigned all = 0;

	for (unsigned i = 0; i < n; i++)
		all += e[i].evidence_count;
	if (all == 0)
		return;
	buf_str(out, "<details><summary>Evidence</summary><ul>");
	for (unsigned i = 0; i < n; i++) {
		for (unsigned k = 0; k < e[i].evidence_count; k++) {
			const struct event_evidence *x = &e[i].evidence[k];

			buf_str(out, "<li class=\"small\">");
			put_moment(out, x->at);
			buf_char(out, ' ');
			html_text(out, x->vantage);
			buf_str(out, ": ");
			html_text(out, x->why);
			if (x->trace[0] != '\0') {
				buf_str(out, " <code>");
				html_text(out, x->trace);
				buf_str(out, "</code>");
			}
			buf_str(out, "</li>");
		}
	}
	buf_str(out, "</ul></details>");
}

/* n events that are told as one, from the i-th on, under that number. */
static void event_item(struct page *page, const struct event *e, unsigned i, unsigned n,
		       unsigned number)
{
	struct buf text;

	buf_init(&text);
	buf_printf(page->out, "<li id=\"event-%u\"><span class=\"number\">%u</span><div><p><strong>",
		   number, number);
	kind_words(page->out, word_of(event_kind_words, e->kind));
	buf_str(page->out, "</strong> <span class=\"mute\">");
	put_words(page->out, word_of(event_status_words, e->status));
	if (e->seen_of > 0)
		buf_printf(page->out, ", seen from <span data-j=\"report/events/%u/seen_by\">%u</span> of "
			   "<span data-j=\"report/events/%u/seen_of\">%u</span>", i, e->seen_by, i,
			   e->seen_of);
	buf_str(page->out, "; ");
	put_moment(page->out, e->not_before.ns != 0 ? e->not_before : e->at);
	buf_str(page->out, " to ");
	put_moment(page->out, e->not_after.ns != 0 ? e->not_after : e->at);
	buf_str(page->out, " UTC</span></p><p>");
	event_sentence(&text, page, e, n);
	html_text(page->out, text.failed ? "" : text.bytes);
	buf_str(page->out, "</p>");
	evidence(page->out, e, n);
	buf_str(page->out, "</div></li>\n");
	buf_fini(&text);
}

void part_events(struct page *page)
{
	const struct report *r = page->r;
	unsigned i = 0, number = 0;
	struct buf text;

	page_heading(page, "events", "Events");
	if (r->event_count == 0) {
		buf_init(&text);
		if (report_quiet(r))
			sentence_quiet(&text, r);
		else
			buf_str(&text, "No event was found.");
		put_paragraph(page->out, &text);
		buf_fini(&text);
		return;
	}
	buf_str(page->out, "<p class=\"mute small\">Oldest first. The numbers are those in the figures; an "
		"event lies between the two moments. What happened to several networks within the same "
		"moments has one number.</p>\n<ol class=\"events\">\n");
	while (i < r->event_count && number < EVENTS_SHOWN) {
		unsigned n = event_run(&r->events[i], r->event_count - i);

		event_item(page, &r->events[i], i, n, ++number);
		i += n;
	}
	buf_str(page->out, "</ol>\n");
	if (i < r->event_count)
		buf_printf(page->out, "<p>%u more are in the JSON of this page.</p>\n",
			   r->event_count - i);
}

void part_notes(struct page *page)
{
	const struct html_about *a = page->about;

	if (a->annotation_count == 0)
		return;
	buf_str(page->out, "<h3>Known events laid over the figures</h3>\n<ol class=\"events\">\n");
	for (unsigned i = 0; i < a->annotation_count; i++) {
		buf_printf(page->out, "<li><span class=\"number note\">%s%c</span><div><p>",
			   i < 26 ? "" : (char[]){(char)('a' + (i / 26 - 1) % 26), '\0'},
			   'a' + (int)(i % 26));
		put_moment(page->out, a->annotations[i].from);
		if (a->annotations[i].to.ns != 0) {
			buf_str(page->out, " to ");
			put_moment(page->out, a->annotations[i].to);
		}
		buf_str(page->out, " UTC: ");
		html_text(page->out, a->annotations[i].label);
		if (a->annotations[i].source != NULL && a->annotations[i].source[0] != '\0') {
			buf_str(page->out, " <span class=\"mute\">(");
			html_text(page->out, a->annotations[i].source);
			buf_str(page->out, ")</span>");
		}
		buf_str(page->out, "</p></div></li>\n");
	}
	buf_str(page->out, "</ol>\n");
}

// SPDX-License-Identifier: BSD-2-Clause
/* The path before and after: networks in order, hops below where the traces are at hand. */
#include <stdio.h>
#include <string.h>

#include "analysis/report/html_parts.h"
#include "analysis/words.h"

enum { PATHS_SHOWN = 12 };

static const struct html_trace *find(const struct page *page, const char *id)
{
	for (unsigned i = 0; i < page->trace_count && id[0] != '\0'; i++) {
		if (strcmp(page->traces[i].trace->id, id) == 0)
			return &page->traces[i];
	}
	return NULL;
}

const char *page_org(const struct page *page, uint32_t asn)
{
	const char *org = words_org(page->p, asn);

	if (org[0] != '\0')
		return org;
	for (unsigned i = 0; i < page->trace_count; i++) {
		const struct names *n = page->traces[i].names;

		for (uint32_t k = 0; n != NULL && k < n->count; k++) {
			if (n->items[k].asn == asn && n->items[k].org[0] != '\0')
				return n->items[k].org;
		}
	}
	for (unsigned i = 0; i < page->p->asns_count; i++) {
		if (page->p->asns[i] == asn)
			return page->p->network_name;
	}
	return "";
}

static bool among(const struct diff_side *side, uint32_t asn)
{
	for (unsigned i = 0; i < side->as_count; i++) {
		if (side->as_path[i] == asn)
			return true;
	}
	return false;
}

static void networks(struct page *page, const struct diff_side *side,
		     const struct diff_side *other, const char *title)
{
	struct buf *out = page->out;

	buf_printf(out, "<div><h4>%s", title);
	if (side->first.ns != 0) {
		buf_str(out, ": from ");
		put_moment(out, side->first);
		buf_str(out, " UTC on");
	}
	buf_str(out, "</h4>\n");
	if (side->as_count == 0)
		buf_str(out, "<p class=\"mute small\">No network was told.</p>");
	buf_str(out, "<ol>\n");
	for (unsigned i = 0; i < side->as_count; i++) {
		uint32_t asn = side->as_path[i];

		buf_printf(out, "<li%s>AS%u ", among(other, asn) ? "" : " class=\"differs\"", asn);
		html_text(out, page_org(page, asn));
		if (!among(other, asn))
			buf_str(out, " <span class=\"mute small\">(only here)</span>");
		buf_str(out, "</li>\n");
	}
	buf_str(out, "</ol></div>\n");
}

bool hop_answered(const struct trace_entry *e)
{
	return e->why == WHY_NONE && addr_is_set(e->reply.from);
}

/* n: of the hops told of the trace. */
static void hop(struct buf *out, const struct html_trace *t, const struct trace_entry *e,
		unsigned trace, unsigned n)
{
	const struct name *name;
	char text[ADDR_TEXT], ms[WORDS_MS];

	buf_printf(out, "<tr><th scope=\"row\" class=\"n\">%u</th>", e->ttl);
	if (!hop_answered(e)) {
		buf_str(out, "<td>*</td><td></td><td class=\"n\"></td></tr>\n");
		return;
	}
	cell(out, addr_format(e->reply.from, text));
	name = t->names != NULL ? names_find(t->names, e->reply.from) : NULL;
	buf_str(out, "<td>");
	if (name != NULL && name->asn != 0)
		buf_printf(out, "AS%u ", name->asn);
	if (name != NULL)
		html_text(out, name->label[0] ? name->label : name->org);
	buf_str(out, "</td>");
	if (e->reply.rtt_ns >= 0)
		cell_number(out, words_ms(e->reply.rtt_ns, ms), "examples/%u/hops/%u/rtt_ms", trace,
			    n);
	else
		buf_str(out, "<td></td>");
	buf_str(out, "</tr>\n");
}

const struct trace_entry *hop_of(const struct trace *t, unsigned ttl)
{
	const struct trace_entry *best = NULL;

	for (uint32_t i = 0; i < t->entry_count; i++) {
		const struct trace_entry *e = &t->entries[i];

		if (e->ttl == ttl && (best == NULL || (!hop_answered(best) && hop_answered(e))))
			best = e;
	}
	return best;
}

/* The first answer of each TTL, a star where there was none. */
static void hops(struct page *page, const struct html_trace *t, const char *title)
{
	char caption[160];
	unsigned n = 0;

	snprintf(caption, sizeof(caption), "%s: trace %s", title, t->trace->id);
	buf_str(page->out, "<div>");
	table_open(page->out, caption, "#TTL|Address|Network|#RTT, ms", false);
	for (unsigned ttl = 1; ttl <= 255; ttl++) {
		const struct trace_entry *e = hop_of(t->trace, ttl);

		if (e != NULL)
			hop(page->out, t, e, (unsigned)(t - page->traces), n++);
	}
	table_close(page->out);
	buf_str(page->out, "</div>\n");
}

static void row_paths(struct page *page, const struct diff_row *row)
{
	const struct html_trace *before = find(page, row->before.example_id);
	const struct html_trace *after = find(page, row->after.example_id);
	char text[PREFIX_TEXT];

	buf_str(page->out, "<h3>");
	html_text(page->out, row->vantage[0] ? row->vantage : "An unnamed vantage point");
	buf_printf(page->out, " to %s, %s</h3>\n<div class=\"path\">\n",
		   prefix_format(row->prefix, text), word_of(method_words, row->method));
	networks(page, &row->before, &row->after, "Before");
	networks(page, &row->after, &row->before, "After");
	buf_str(page->out, "</div>\n");
	if (before == NULL && after == NULL)
		return;
	buf_str(page->out, "<details><summary>Hops</summary><div class=\"path\">\n");
	if (before != NULL)
		hops(page, before, "Before");
	if (after != NULL)
		hops(page, after, "After");
	buf_str(page->out, "</div></details>\n");
}

static bool shown(const struct diff_row *row, int pass)
{
	bool changed = row->border == DIFF_CHANGED || row->path == DIFF_CHANGED;

	return row->comparable && changed == (pass == 0);
}

void part_paths(struct page *page)
{
	unsigned n = 0, all = 0, changed = 0;

	for (unsigned i = 0; i < page->d->row_count; i++) {
		all += page->d->rows[i].comparable;
		changed += shown(&page->d->rows[i], 0);
	}
	if (all == 0)
		return;
	page_heading(page, "paths", "The path before and after");
	buf_str(page->out, "<p class=\"mute small\">Networks in order, of one example trace a side; sets of "
		"paths were compared. Heavy frames: only on that side.</p>\n");
	for (int pass = 0; pass < 2; pass++) {
		/* Those that changed first; of those that did not, one shows the way. */
		for (unsigned i = 0; i < page->d->row_count && n < PATHS_SHOWN; i++) {
			if (!shown(&page->d->rows[i], pass) || (pass == 1 && n > 0))
				continue;
			if (n == 2)
				buf_str(page->out, "<details><summary>More vantage points and "
					"networks</summary>\n");
			row_paths(page, &page->d->rows[i]);
			n++;
		}
	}
	if (n > 2)
		buf_str(page->out, "</details>\n");
	if (changed > n)
		buf_printf(page->out, "<p class=\"mute small\">%u more changed; their paths are in the "
			   "JSON of this page, as are those that stayed.</p>\n", changed - n);
	else if (all > n)
		buf_str(page->out, "<p class=\"mute small\">The paths that stayed are in the JSON of "
			"this page.</p>\n");
}

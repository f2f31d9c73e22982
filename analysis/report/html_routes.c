// SPDX-License-Identifier: BSD-2-Clause
/* What routing tables say, where they were given. */
#include <stdio.h>

#include "analysis/report/html_parts.h"
#include "analysis/routes.h"
#include "analysis/words.h"

enum { ROWS_SHOWN = 200 };

static void network(struct page *page, const struct routes_row *x)
{
	buf_str(page->out, "<td>");
	if (x->upstream != 0) {
		words_carrier(page->out, "", x->upstream, "");
		buf_char(page->out, ' ');
		html_text(page->out, page_org(page, x->upstream));
	} else {
		buf_str(page->out, "<span class=\"mute\">none, or several at once</span>");
	}
	buf_str(page->out, "</td><td>");
	if (x->origin != 0)
		words_carrier(page->out, "", x->origin, "");
	else
		buf_str(page->out, "<span class=\"mute\">several</span>");
	buf_str(page->out, "</td>");
}

static void border(struct page *page, const struct routes *r, const struct routes_row *x)
{
	const char *id = routes_border(page->p, x->upstream,
				       r->after_told.ns != 0 ? r->after_told : r->before_told);

	buf_str(page->out, "<td>");
	if (id != NULL)
		put_border(page->out, page->p, id);
	buf_str(page->out, "</td>");
}

static void peers(struct buf *out, bool known, unsigned row, const char *side, unsigned n,
		  unsigned of)
{
	if (!known)
		buf_str(out, "<td class=\"n\">not told</td>");
	else
		buf_printf(out, "<td class=\"n\"><span data-j=\"diff/routes/rows/%u/%s\">%u</span> of "
			   "<span data-j=\"diff/routes/rows/%u/%s_of\">%u</span></td>", row, side, n,
			   row, side, of);
}

static void told_until(struct buf *out, const char *what, struct wall t)
{
	buf_str(out, what);
	if (t.ns != 0) {
		buf_str(out, "until ");
		put_moment(out, t);
		buf_str(out, " UTC");
	} else {
		buf_str(out, "nothing");
	}
}

static void row(struct page *page, const struct routes *r, unsigned i)
{
	const struct routes_row *x = &r->rows[i];
	const struct routes_prefix *of = routes_prefix_of(r, x->prefix);
	bool before = r->before_told.ns != 0, after = r->after_told.ns != 0;

	buf_printf(page->out, "<tr%s>", before && after && (x->before == 0) != (x->after == 0) ?
		   " class=\"changed\"" : "");
	cell_prefix(page->out, x->prefix);
	network(page, x);
	border(page, r, x);
	peers(page->out, before, i, "before", x->before, of->before);
	peers(page->out, after, i, "after", x->after, of->after);
	buf_str(page->out, "<td class=\"nb\">");
	put_moment(page->out, x->first);
	buf_str(page->out, "</td></tr>\n");
}

void part_routes(struct page *page)
{
	const struct routes *r = page->d->routes;
	unsigned shown;

	if (r == NULL)
		return;
	shown = r->row_count < ROWS_SHOWN ? r->row_count : ROWS_SHOWN;
	page_heading(page, "routes", "What routing tables say");
	buf_printf(page->out, "<p class=\"small\">Routes that <span data-j=\"diff/routes/peers\">%u"
		   "</span> peers of route collectors told of the network: whose network stands right before "
		   "its origin. ", r->peers);
	told_until(page->out, "Before the moment, told: ", r->before_told);
	told_until(page->out, "; from it on: ", r->after_told);
	buf_str(page->out, ". Routers announce them; which way packets went is measured above.</p>\n");
	if (shown == 0) {
		buf_str(page->out, "<p>No peer told of a route into the network.</p>\n");
		return;
	}
	table_open(page->out, "Peers with such a route, of those with any into that prefix: at the "
		   "moment, and at the end of the window; heavy: on one side alone",
		   "Prefix|Upstream of the origin|Origin|Border|#At the moment|#At the end|First told in the "
		   "window, UTC", shown > 24);
	for (unsigned i = 0; i < shown; i++)
		row(page, r, i);
	table_close(page->out);
	if (r->row_count > shown)
		buf_printf(page->out, "<p class=\"small mute\">%u more are in the JSON of this page.</p>\n",
			   r->row_count - shown);
	if (r->skipped > 0)
		buf_printf(page->out, "<p class=\"small mute\"><span data-j=\"diff/routes/skipped\">%llu</span> "
			   "of <span data-j=\"diff/routes/lines\">%llu</span> lines were not understood."
			   "</p>\n", (unsigned long long)r->skipped, (unsigned long long)r->lines);
}

// SPDX-License-Identifier: BSD-2-Clause
/* The frame of every page, and the small parts that tables are made of. */
#include "analysis/report/html.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "analysis/report/html_parts.h"
#include "analysis/report/web.h"
#include "analysis/words.h"

void put_paragraph(struct buf *out, struct buf *text)
{
	buf_str(out, "<p>");
	if (text->failed)
		out->failed = true;
	else
		html_text(out, text->used > 0 ? text->bytes : "");
	buf_str(out, "</p>\n");
	buf_clear(text);
}

void put_words(struct buf *out, const char *word)
{
	for (; *word != '\0'; word++)
		buf_char(out, *word == '_' ? ' ' : *word);
}

/* --- cells ----------------------------------------------------------------------------------- */

void cell(struct buf *out, const char *text)
{
	buf_str(out, "<td>");
	html_text(out, text);
	buf_str(out, "</td>");
}

void cell_head(struct buf *out, const char *text)
{
	buf_str(out, "<th scope=\"row\">");
	html_text(out, text);
	buf_str(out, "</th>");
}

void cell_number(struct buf *out, const char *text, const char *json, ...)
{
	va_list ap;

	buf_str(out, "<td class=\"n\" data-j=\"");
	va_start(ap, json);
	buf_vprintf(out, json, ap);
	va_end(ap);
	buf_str(out, "\">");
	html_text(out, text);
	buf_str(out, "</td>");
}

/* Of "2017-10-01 09:07:51 UTC": seconds where there are some. */
static int shown(struct wall t)
{
	return t.ns / NS_PER_S % 60 != 0 ? 19 : 16;
}

void put_moment(struct buf *out, struct wall t)
{
	char text[WALL_TEXT];

	if (t.ns == 0) {
		buf_str(out, "-");
		return;
	}
	wall_format(t, text);
	buf_printf(out, "<time datetime=\"%.19sZ\">", text);
	buf_printf(out, "%.*s</time>", shown(t), wall_format_short(t, text));
}

void row_open(struct buf *out, const char *class, const char *json, ...)
{
	va_list ap;

	buf_str(out, "<tr");
	if (class[0] != '\0')
		buf_printf(out, " class=\"%s\"", class);
	buf_str(out, " data-p=\"");
	va_start(ap, json);
	buf_vprintf(out, json, ap);
	va_end(ap);
	buf_str(out, "\">");
}

void cell_time(struct buf *out, struct wall t)
{
	char text[WALL_TEXT];

	buf_printf(out, "<td class=\"nb\">%.*s</td>", shown(t),
		   t.ns != 0 ? wall_format_short(t, text) : "-");
}

void cell_prefix(struct buf *out, struct prefix p)
{
	char text[PREFIX_TEXT];

	cell_head(out, prefix_format(p, text));
}

void put_border(struct buf *out, const struct profile *p, const char *id)
{
	buf_str(out, "<span class=\"border\">");
	for (unsigned i = 0; i < p->borders_count; i++) {
		if (strcmp(p->borders[i].id, id) != 0)
			continue;
		buf_str(out, "<span class=\"key\" aria-hidden=\"true\" style=\"border-width:2px;"
			"border-color:");
		html_text(out, words_border_color(p, id));
		buf_str(out, "\">");
		html_text(out, p->borders[i].short_name);
		buf_str(out, "</span>");
	}
	html_text(out, words_border(p, id));
	buf_str(out, "</span>");
}

void table_open(struct buf *out, const char *caption, const char *columns, bool tall)
{
	buf_printf(out, "<div class=\"scroll%s\" tabindex=\"0\" role=\"region\" aria-label=\"",
		   tall ? " tall" : "");
	html_text(out, caption);
	buf_str(out, "\"><table><caption>");
	html_text(out, caption);
	buf_str(out, "</caption><thead><tr>");
	while (*columns != '\0') {
		size_t n = strcspn(columns, "|");
		bool number = *columns == '#';

		buf_printf(out, "<th scope=\"col\"%s>%.*s</th>", number ? " class=\"n\"" : "",
			   (int)(n - number), columns + number);
		columns += n + (columns[n] == '|');
	}
	buf_str(out, "</tr></thead><tbody>\n");
}

void table_close(struct buf *out)
{
	buf_str(out, "</tbody></table></div>\n");
}

/* --- figures --------------------------------------------------------------------------------- */

static void attribute(struct buf *out, const char *name, const char *text)
{
	buf_printf(out, " data-%s=\"", name);
	html_text(out, text);
	buf_char(out, '"');
}

void page_heading(struct page *page, const char *id, const char *title)
{
	buf_printf(page->out, "<h2 id=\"%s\">", id);
	html_text(page->out, title);
	buf_str(page->out, "</h2>\n");
}

void page_figure(struct page *page, const char *title, const char *note)
{
	buf_str(page->out, "<figure");
	attribute(page->out, "title", title);
	attribute(page->out, "window", page->window.bytes);
	attribute(page->out, "source", page->source.bytes);
	buf_str(page->out, "><figcaption>");
	html_text(page->out, title);
	if (note != NULL) {
		buf_str(page->out, "<span>");
		html_text(page->out, note);
		buf_str(page->out, "</span>");
	}
	buf_str(page->out, "</figcaption>\n");
}

void page_figure_end(struct page *page)
{
	buf_str(page->out, "</figure>\n");
}

/* --- the frame ------------------------------------------------------------------------------- */

/* Only this very script may run: what slipped in with a name would not. */
static void put_policy(struct buf *out)
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	char text[sodium_base64_ENCODED_LEN(sizeof(hash), sodium_base64_VARIANT_ORIGINAL)];

	crypto_hash_sha256(hash, (const unsigned char *)web_page_js, strlen(web_page_js));
	sodium_bin2base64(text, sizeof(text), hash, sizeof(hash), sodium_base64_VARIANT_ORIGINAL);
	buf_printf(out, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		   "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action "
		   "'none'; script-src 'sha256-%s'\">\n", text);
}

static void put_window(struct page *page)
{
	char from[WALL_TEXT], to[WALL_TEXT];

	if (page->r != NULL)
		buf_printf(&page->window, "%s to %s", wall_format_short(page->r->since, from),
			   wall_format_short(page->r->until, to));
	else if (page->d != NULL && page->d->not_before.ns != 0)
		buf_printf(&page->window, "%s to %s", wall_format_short(page->d->not_before, from),
			   wall_format_short(page->d->not_after, to));
	else
		buf_str(&page->window, "");
	buf_printf(&page->source, "Source: %s, profile %s. Paths towards %s; not traffic volume, not "
		   "the way back.", page->about->tool != NULL ? page->about->tool : "borderpath",
		   page->p->id, page->p->network_name);
}

void page_open(struct page *page, const char *title)
{
	struct buf *out = page->out;

	put_window(page);
	if (page->window.failed || page->source.failed) {
		out->failed = true;
		return;
	}
	if (page->about->title != NULL)
		title = page->about->title;
	page->svg = (struct svg){.out = out, .r = page->r, .at = page->at,
				 .notes = page->about->annotations,
				 .note_count = page->about->annotation_count};
	buf_str(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
	put_policy(out);
	buf_str(out, "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
		"<meta name=\"generator\" content=\"");
	html_text(out, page->about->tool != NULL ? page->about->tool : "borderpath");
	buf_str(out, "\">\n<link rel=\"icon\" href=\"data:,\">\n<title>");
	html_text(out, title);
	buf_printf(out, "</title>\n<style id=\"figure-css\">\n%s</style>\n<style>\n%s</style>\n</head>\n"
		   "<body>\n<a class=\"skip\" href=\"#main\">Skip to the contents</a>\n<header>\n"
		   "<div class=\"kicker\"><span>borderpath: ways into ", web_figure_css, web_page_css);
	html_text(out, page->p->network_name);
	buf_str(out, "</span><span id=\"theme\"></span></div>\n<h1>");
	html_text(out, title);
	buf_str(out, "</h1>\n</header>\n<main id=\"main\">\n");
}

/* --- method and what else belongs under a publication ---------------------------------------- */

static void fact(struct buf *out, const char *name, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	buf_printf(out, "<div><dt>%s</dt><dd>", name);
	html_text(out, text);
	buf_str(out, "</dd></div>\n");
}

static void database(struct buf *out, const char *name, const char *file, const char *built,
		     const char *sha256)
{
	const char *base = strrchr(file, '/');

	if (file[0] == '\0')
		return;
	buf_printf(out, "<div><dt>%s</dt><dd>", name);
	html_text(out, base != NULL ? base + 1 : file);
	if (built[0] != '\0') {
		buf_str(out, ", built ");
		html_text(out, built);
	}
	if (sha256[0] != '\0') {
		buf_str(out, "<br><code class=\"small\">sha256 ");
		html_text(out, sha256);
		buf_str(out, "</code>");
	}
	buf_str(out, "</dd></div>\n");
}

static void versions(struct page *page)
{
	struct buf *out = page->out;
	const struct html_about *a = page->about;
	char text[192];

	buf_str(out, "<dl class=\"facts\">\n");
	fact(out, "Program", a->tool);
	snprintf(text, sizeof(text), "%.80s, version %.80s", page->p->id, page->p->version);
	fact(out, "Profile", text);
	if (a->geo != NULL) {
		database(out, "Networks (AS)", a->geo->asn_db, a->geo->asn_built, a->geo->asn_sha256);
		database(out, "Countries", a->geo->country_db, a->geo->country_built,
			 a->geo->country_sha256);
	}
	if (a->source_count > 0) {
		buf_str(out, "<div><dt>Read</dt><dd>");
		for (unsigned i = 0; i < a->source_count; i++) {
			buf_str(out, i > 0 ? "<br>" : "");
			html_text(out, a->sources[i]);
		}
		buf_str(out, "</dd></div>\n");
	}
	fact(out, "Made", a->generated.ns != 0 ? wall_format_short(a->generated, text) : NULL);
	fact(out, "Licence", a->licence);
	buf_str(out, "</dl>\n");
}

static void method(struct page *page)
{
	struct buf *out = page->out;
	const struct html_about *a = page->about;

	page_heading(page, "method", "Method and limits");
	buf_str(out, "<p>Each vantage point sends probes with rising TTL towards hosts in each network "
		"(traceroute), over several flows; the answers are named by free databases, and the "
		"profile tells which carriers stand for which border. A verdict is about the path "
		"towards the network, for one prefix and one method; sets of flows are compared, never "
		"a single flow. Where evidence is thin the verdict is &ldquo;undetermined&rdquo;; "
		"evidence from the neighbouring carrier alone is capped at 90&nbsp;%.</p>\n"
		"<p>An event is an interval: it happened between the last round that showed the old "
		"state and the first that showed the new one. What happens and ends between two rounds "
		"may be missing. A round that was missed, or measured while the vantage point was "
		"offline, is a gap: never an outage of the network. Intervals of shares are Wilson "
		"intervals (95&nbsp;%) of the sample of vantage points and networks, which is no random "
		"sample of the Internet. Shifts of round-trip times carry a rank-based 95&nbsp;% "
		"interval.</p>\n<p class=\"always\">");
	{
		struct buf text;

		buf_init(&text);
		words_always(&text, page->p, 2);
		html_text(out, text.failed ? "" : text.bytes);
		buf_fini(&text);
	}
	buf_str(out, "</p>\n");
	versions(page);
	if (a->command != NULL) {
		buf_str(out, "<h3>The exact command</h3>\n<pre><code>");
		html_text(out, a->command);
		buf_str(out, "</code></pre>\n");
	}
	buf_str(out, "<h3>How to cite</h3>\n<p>");
	if (a->cite != NULL) {
		html_text(out, a->cite);
	} else {
		html_text(out, a->tool != NULL ? a->tool : "borderpath");
		buf_str(out, ", profile ");
		html_text(out, page->p->id);
		buf_str(out, " ");
		html_text(out, page->p->version);
		buf_str(out, ". Paths into ");
		html_text(out, page->p->network_name);
		buf_str(out, ", ");
		html_text(out, page->window.bytes);
		buf_str(out, ".");
	}
	buf_str(out, "</p>\n");
}

void page_close(struct page *page)
{
	struct buf *out = page->out;

	method(page);
	buf_str(out, "<div id=\"tools\"></div>\n</main>\n<footer>One file, no network: every number shown "
		"is also in the JSON inside it.</footer>\n<script type=\"application/json\" id=\"data\">");
	page_json(page);
	/* The hash of the policy is of the script's very bytes. */
	buf_printf(out, "</script>\n<script>%s</script>\n</body>\n</html>\n", web_page_js);
	buf_fini(&page->window);
	buf_fini(&page->source);
}

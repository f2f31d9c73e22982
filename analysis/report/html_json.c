// SPDX-License-Identifier: BSD-2-Clause
/* What a page shows, as JSON inside it. */
#include <string.h>

#include "analysis/json_null.h"
#include "analysis/report/html_parts.h"
#include "core/record/jsonl_write.h"

static void put_about(struct json_writer *w, const struct page *page)
{
	const struct html_about *a = page->about;

	json_begin_object(w, "about");
	jsonl_put_text(w, "tool", a->tool);
	jsonl_put_text(w, "command", a->command);
	jsonl_put_text(w, "profile", page->p->id);
	jsonl_put_text(w, "profile_version", page->p->version);
	jsonl_put_text(w, "licence", a->licence);
	jsonl_put_text(w, "cite", a->cite);
	jsonl_put_wall(w, "generated", a->generated);
	if (a->geo != NULL) {
		jsonl_put_text(w, "asn_db", a->geo->asn_db);
		jsonl_put_text(w, "asn_built", a->geo->asn_built);
		jsonl_put_text(w, "asn_sha256", a->geo->asn_sha256);
		jsonl_put_text(w, "country_db", a->geo->country_db);
		jsonl_put_text(w, "country_built", a->geo->country_built);
		jsonl_put_text(w, "country_sha256", a->geo->country_sha256);
	}
	json_begin_array(w, "sources");
	for (unsigned i = 0; i < a->source_count; i++)
		json_put_str(w, NULL, a->sources[i]);
	json_end(w);
	json_begin_array(w, "annotations");
	for (unsigned i = 0; i < a->annotation_count; i++) {
		json_begin_object(w, NULL);
		jsonl_put_wall(w, "from", a->annotations[i].from);
		jsonl_put_wall(w, "to", a->annotations[i].to);
		jsonl_put_text(w, "label", a->annotations[i].label);
		jsonl_put_text(w, "source", a->annotations[i].source);
		json_end(w);
	}
	json_end(w);
	json_end(w);
}

static void put_hops(struct json_writer *w, const struct html_trace *t)
{
	char text[ADDR_TEXT];

	json_begin_array(w, "hops");
	for (unsigned ttl = 1; ttl <= 255; ttl++) {
		const struct trace_entry *e = hop_of(t->trace, ttl);
		const struct name *name;

		if (e == NULL)
			continue;
		json_begin_object(w, NULL);
		json_put_int(w, "ttl", ttl);
		if (hop_answered(e)) {
			json_put_str(w, "from", addr_format(e->reply.from, text));
			if (e->reply.rtt_ns >= 0)
				json_put_decimal(w, "rtt_ms", e->reply.rtt_ns, 6);
			name = t->names != NULL ? names_find(t->names, e->reply.from) : NULL;
			if (name != NULL && name->asn != 0)
				json_put_int(w, "asn", name->asn);
			jsonl_put_text(w, "org", name != NULL ? name->org : NULL);
		}
		json_end(w);
	}
	json_end(w);
}

static void put_examples(struct json_writer *w, const struct page *page)
{
	json_begin_array(w, "examples");
	for (unsigned i = 0; i < page->trace_count; i++) {
		json_begin_object(w, NULL);
		json_put_str(w, "id", page->traces[i].trace->id);
		put_hops(w, &page->traces[i]);
		json_end(w);
	}
	json_end(w);
}

/* One line of JSON written by another writer, without its newline. */
static void put_line(struct json_writer *w, const char *key, const struct buf *line)
{
	if (line->failed)
		w->out->failed = true;
	else if (line->used > 0)
		json_put_raw(w, key, line->bytes, line->used - 1);
}

void page_json(struct page *page)
{
	struct buf line, all;
	struct json_writer w;

	buf_init(&line);
	buf_init(&all);
	json_start(&w, &all);
	json_begin_object(&w, NULL);
	json_put_str(&w, "type", "page");
	json_put_int(&w, "version", 1);
	put_about(&w, page);
	if (page->d != NULL) {
		jsonl_put_wall(&w, "at", page->at);
		diff_write_json(&line, page->d);
		put_line(&w, "diff", &line);
		json_power(&w, &page->power);
		put_examples(&w, page);
	}
	if (page->r != NULL) {
		buf_clear(&line);
		report_write_json(&line, page->r);
		put_line(&w, "report", &line);
	}
	json_end(&w);
	/* Nothing in a script element may look like its end, or like a comment. */
	for (size_t i = 0, from = 0; !all.failed && i <= all.used; i++) {
		char c = i < all.used ? all.bytes[i] : '<';

		if (c != '<' && c != '>' && c != '&')
			continue;
		buf_append(page->out, all.bytes + from, i - from);
		from = i + 1;
		if (i < all.used)
			buf_printf(page->out, "\\u%04x", (unsigned)c);
	}
	page->out->failed = page->out->failed || all.failed;
	buf_fini(&line);
	buf_fini(&all);
}

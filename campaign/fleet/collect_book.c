// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the centre says of each vantage point: BP_CENTRE/VANTAGE, one entry that all collectors
 * write. Counts are added to what stands there, against the revision that was read; who was beaten
 * to it reads again. What was not yet written is lost with its collector: refused batches
 * themselves are in the store.
 */
#include <stdlib.h>
#include <string.h>

#include "campaign/fleet/collect_inside.h"
#include "core/json.h"
#include "core/jsontree.h"
#include "core/text.h"

#define CENTRE "BP_CENTRE"
#define STATUS "BP_STATUS"
#define CLOCKS_NS (10 * NS_PER_S)
#define REFUSAL_TOLD_NS (60 * NS_PER_S)
/* Under it a difference of clocks may as well be the way of the message. */
#define OFFSET_STEP_NS (100 * NS_PER_MS)

/* --- what was seen ---------------------------------------------------------------------------- */

struct page *collect_page(struct collect *c, const char *vantage)
{
	struct page *room;

	for (size_t i = 0; i < c->page_count; i++) {
		if (strcmp(c->pages[i].vantage, vantage) == 0)
			return &c->pages[i];
	}
	room = collect_room(c->pages, c->page_count, &c->page_room, sizeof(*room));
	if (room == NULL)
		return NULL;
	c->pages = room;
	room = &c->pages[c->page_count++];
	memset(room, 0, sizeof(*room));
	text_set(room->vantage, sizeof(room->vantage), vantage);
	return room;
}

void collect_book_batch(struct collect *c, const struct item *it)
{
	struct page *p = collect_page(c, it->vantage);
	struct mono now = mono_now();

	if (p == NULL)
		return;
	p->last_batch_at = it->m.stamp.ns != 0 ? it->m.stamp : wall_now();
	p->dirty = true;
	if (it->refusal == BATCH_OK)
		return;
	/* What only a newer program can read is handed out again and again, and counts once. */
	if (it->refusal != BATCH_NEWER || it->m.deliveries <= 1)
		p->refused[it->refusal]++;
	p->refused_at = it->refusal == BATCH_NEWER ? wall_now() : p->last_batch_at;
	p->why = it->refusal;
	text_set(p->text, sizeof(p->text), it->why.text);
	/* Somebody may send nothing else. */
	if (p->noted.ns == 0 || mono_since(now, p->noted) >= REFUSAL_TOLD_NS) {
		p->noted = now;
		collect_note(c, "a batch of %s %s: %s: %s", it->vantage,
			     it->state == ITEM_IN ? "is set aside" : "waits for a newer collector",
			     batch_refusal_name(it->refusal), it->why.text);
	}
}

/* --- the entry -------------------------------------------------------------------------------- */

static const enum batch_refusal kinds[] = {BATCH_MALFORMED, BATCH_FOREIGN, BATCH_OVERSIZED,
					   BATCH_VERSION_UNKNOWN, BATCH_NEWER, BATCH_FAILED};

static void put_refused(struct json_writer *w, const struct page *p, const struct json_node *old)
{
	const struct json_node *counts = node_get(old, "refused");

	json_begin_object(w, "refused");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const char *name = batch_refusal_name(kinds[i]);
		int64_t before = 0;

		node_int(node_get(counts, name), 0, INT64_MAX / 2, &before);
		json_put_int(w, name, before + (int64_t)p->refused[kinds[i]]);
	}
	json_end(w);
}

static void put_last_refusal(struct json_writer *w, const struct page *p,
			     const struct json_node *old)
{
	const struct json_node *last = node_get(old, "last_refusal");
	const char *at = node_text(node_get(last, "at")), *why = node_text(node_get(last, "why")),
		   *text = node_text(node_get(last, "text"));
	char moment[WALL_TEXT];

	if (p->refused_at.ns != 0) {
		at = wall_format(p->refused_at, moment);
		why = batch_refusal_name(p->why);
		text = p->text;
	}
	if (at == NULL || why == NULL || text == NULL)
		return;
	json_begin_object(w, "last_refusal");
	json_put_str(w, "at", at);
	json_put_str(w, "why", why);
	json_put_str(w, "text", text);
	json_end(w);
}

static void put_entry(const struct collect *c, const struct page *p, const struct json_node *old,
		      struct buf *out)
{
	const char *at = node_text(node_get(old, "last_batch_at"));
	struct wall before = {0};
	char moment[WALL_TEXT];
	struct json_writer w;
	int64_t offset;

	json_start(&w, out);
	json_begin_object(&w, NULL);
	json_put_str(&w, "type", "centre");
	json_put_int(&w, "version", 1);
	json_put_str(&w, "vantage", p->vantage);
	if (at != NULL)
		(void)wall_parse(at, (struct wall){0}, &before);
	if (p->last_batch_at.ns > before.ns)
		before = p->last_batch_at;
	if (before.ns > 0)
		json_put_str(&w, "last_batch_at", wall_format(before, moment));
	collect_marks_put(c, &w, p->vantage, node_get(old, "marks"));
	put_refused(&w, p, old);
	put_last_refusal(&w, p, old);
	if (p->offset_known)
		json_put_int(&w, "clock_offset_ms", p->offset_ns / NS_PER_MS);
	else if (node_int(node_get(old, "clock_offset_ms"), INT64_MIN, INT64_MAX, &offset))
		json_put_int(&w, "clock_offset_ms", offset);
	json_end(&w);
}

static int write_page(struct collect *c, struct page *p, struct bp_error *err)
{
	struct json_node *old = NULL;
	struct buf text, entry;
	uint64_t revision = 0;
	struct wall created;
	int rc;

	buf_init(&text);
	buf_init(&entry);
	rc = bus_get(c->bus, CENTRE, p->vantage, &text, &revision, &created, err);
	if (rc == 0)
		old = json_tree(text.bytes, text.used, NULL);
	else if (rc != BP_ENOTFOUND)
		goto out;
	put_entry(c, p, old, &entry);
	rc = entry.failed ? bp_fail(err, BP_ENOMEM, "out of memory") :
	     bus_put(c->bus, CENTRE, p->vantage, entry.bytes, entry.used, &revision, err);
	if (rc == 0) {
		memset(p->refused, 0, sizeof(p->refused));
		p->refused_at = (struct wall){0};
		p->dirty = false;
	}
out:
	free(old);
	buf_fini(&text);
	buf_fini(&entry);
	return rc;
}

void collect_book_write(struct collect *c, bool all)
{
	struct mono now = mono_now();
	struct bp_error err;

	/* The watermarks are part of it: without them it would say that there are none. */
	if (!c->marks_known)
		return;
	for (size_t i = 0; i < c->page_count; i++) {
		struct page *p = &c->pages[i];

		if (!p->dirty || !bus_name_ok(p->vantage) || (!all && !mono_reached(now, p->next)))
			continue;
		p->next = mono_add(now, COLLECT_BOOK_NS);
		if (write_page(c, p, &err) < 0 && !bus_is_connected(c->bus))
			return;
	}
}

uint64_t collect_book_mark(struct collect *c, const char *vantage, const char *epoch)
{
	struct json_node *dom = NULL;
	struct bp_error err;
	struct buf text;
	int64_t mark = 0;

	buf_init(&text);
	if (bus_get(c->bus, CENTRE, vantage, &text, NULL, NULL, &err) == 0)
		dom = json_tree(text.bytes, text.used, NULL);
	node_int(node_get(node_get(dom, "marks"), epoch), 0, INT64_MAX / 2, &mark);
	free(dom);
	buf_fini(&text);
	return (uint64_t)mark;
}

/* --- clocks ----------------------------------------------------------------------------------- */

static int on_status(void *arg, const struct bus_entry *e, struct bp_error *err)
{
	struct collect *c = arg;
	struct json_node *dom;
	struct wall at = {0};
	const char *text;
	struct page *p;

	(void)err;
	if (e->gone || e->created.ns == 0 || !bus_name_ok(e->key))
		return 0;
	dom = json_tree(e->bytes, e->size, NULL);
	text = node_text(node_get(dom, "at"));
	p = text != NULL && wall_parse(text, (struct wall){0}, &at) == 0 && at.ns > 0 ?
		    collect_page(c, e->key) : NULL;
	free(dom);
	if (p == NULL)
		return 0;
	p->dirty |= !p->offset_known ||
		    llabs(at.ns - e->created.ns - p->offset_ns) >= OFFSET_STEP_NS;
	p->offset_known = true;
	p->offset_ns = at.ns - e->created.ns;
	collect_watch_clock(c, p);
	return 0;
}

void collect_book_clocks(struct collect *c)
{
	struct mono now = mono_now();
	struct bp_error err;

	if (!mono_reached(now, c->clocks_next))
		return;
	c->clocks_next = mono_add(now, CLOCKS_NS);
	(void)bus_each(c->bus, STATUS, on_status, c, &err);
}

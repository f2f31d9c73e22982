// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reading, piece by piece: a page of items; of its segments as many at once as make some thousand
 * traces, with everything that these point to; then each as a record.
 */
#include <stdlib.h>
#include <string.h>

#include "campaign/postgres/pg_group.h"
#include "campaign/postgres/pg_news.h"
#include "core/record/jsonl.h"

enum { GROUP_TRACES = 4096 };

struct pieces {
	struct store_pieces head; /* first */
	struct pg_store *s;
	struct store_select select;
	struct pg_filter filter;
	unsigned want, cursor;
	bool open;
	struct pg_item items[PG_ITEMS];
	int count, next, loaded; /* items before `loaded` have their segments in `group` */
	struct pg_group group;
	PGresult *texts; /* of the page's rounds and objects */
};

/* --- pieces ----------------------------------------------------------------------------------- */

typedef int on_piece(void *arg, struct record *r, int64_t example, struct bp_error *err);

int pg_pieces_open(struct store *store, const struct store_select *select, unsigned want,
		   struct store_pieces **out, struct bp_error *err)
{
	struct pg_store *s = pg_of(store);
	struct pieces *p = calloc(1, sizeof(*p));
	int rc;

	if (p == NULL)
		return pg_no_memory(err);
	p->head.engine = s->store.engine;
	p->s = s;
	if (select != NULL)
		p->select = *select;
	p->want = want;
	p->cursor = s->cursors++;
	/* What waits is to be read, too. */
	rc = s->writing && !s->failed ? pg_flush(s, err) : 0;
	if (rc < 0) {
		free(p);
		return pg_failed(s, rc);
	}
	rc = pg_view_open(s, err);
	p->open = rc == 0;
	if (rc == 0)
		rc = pg_filter_init(s, &p->select, &p->filter, err);
	if (rc == 0)
		rc = pg_items_open(s, &p->filter, want, p->cursor, err);
	if (rc < 0)
		pg_pieces_close(&p->head);
	else
		*out = &p->head;
	return rc;
}

void pg_pieces_close(struct store_pieces *head)
{
	struct pieces *p = (struct pieces *)head;

	if (p == NULL)
		return;
	if (p->open) {
		pg_items_close(p->s, p->cursor);
		pg_view_close(p->s);
	}
	pg_group_clear(&p->group);
	PQclear(p->texts);
	pg_filter_fini(&p->filter);
	free(p);
}

static int load_texts(struct pieces *p, struct bp_error *err)
{
	struct pg_store *s = p->s;
	struct pg_array rounds = {0}, objects = {0};
	int rc = 0;

	PQclear(p->texts);
	p->texts = NULL;
	for (int i = 0; i < p->count; i++) {
		struct pg_array *a = p->items[i].kind == PG_ITEM_ROUND	  ? &rounds
				     : p->items[i].kind == PG_ITEM_OBJECT ? &objects
									  : NULL;

		if (a == NULL)
			continue;
		a->count++;
		pg_put_i64(&a->bytes, p->items[i].id);
	}
	if (rounds.count + objects.count > 0) {
		pg_param_array(&s->params, PG_INT8S, &rounds);
		pg_param_array(&s->params, PG_INT8S, &objects);
		rc = pg_query(s,
			      "SELECT 1 AS kind, id, json FROM round WHERE id = ANY ($1) UNION ALL"
			      " SELECT 2, id, json FROM object WHERE id = ANY ($2) ORDER BY 1, 2",
			      &p->texts, err);
	}
	pg_array_fini(&rounds);
	pg_array_fini(&objects);
	return rc;
}

static int load_page(struct pieces *p, struct bp_error *err)
{
	int count = pg_items_next(p->s, p->cursor, p->items, err);

	if (count < 0)
		return count;
	p->count = count;
	p->next = p->loaded = 0;
	return load_texts(p, err);
}

int pg_pieces_next(struct store_pieces *head, struct wall *at, struct bp_error *err)
{
	struct pieces *p = (struct pieces *)head;
	int rc = 0;

	/* A page that is not full is the last. */
	if (p->next == p->count && (p->count == 0 || p->count == PG_ITEMS))
		rc = load_page(p, err);
	if (rc < 0 || p->next == p->count)
		return rc;
	/* Beyond what a wall can hold is the end of times. */
	if (__builtin_mul_overflow(p->items[p->next].at_us, NS_PER_US, &at->ns))
		at->ns = p->items[p->next].at_us < 0 ? INT64_MIN : INT64_MAX;
	return 1;
}

/* The segments of the page from the one that is next, as many as have not too many traces. */
static int load_more(struct pieces *p, struct bp_error *err)
{
	struct pg_store *s = p->s;
	struct pg_array ids = {0};
	int64_t traces = 0;
	int i, rc;

	pg_group_clear(&p->group);
	for (i = p->next; i < p->count; i++) {
		if (p->items[i].kind != PG_ITEM_SEGMENT)
			continue;
		if (ids.count > 0 && traces + p->items[i].traces > GROUP_TRACES)
			break;
		traces += p->items[i].traces;
		ids.count++;
		pg_put_i32(&ids.bytes, (int32_t)p->items[i].id);
	}
	rc = pg_group_load(s, &ids, -1, &p->filter, p->want, &p->group, err);
	if (rc == 0 && !(p->want & STORE_WANT_BARE)) {
		pg_param_array(&s->params, PG_INT4S, &ids);
		rc = pg_query(s,
			      "SELECT segment, after, json FROM object WHERE segment = ANY ($1)"
			      " ORDER BY segment, after, id",
			      &p->group.objects, err);
	}
	pg_array_fini(&ids);
	p->loaded = i;
	return rc;
}

static int give_json(struct pieces *p, const PGresult *res, int row, on_piece *on_record, void *arg,
		     struct bp_error *err)
{
	struct record rec;
	size_t n;
	const char *json = pg_get_bytes(res, row, 2, &n);
	int rc;

	record_init(&rec);
	rc = jsonl_read(json, n, &rec, err);
	if (rc < 0)
		return rc == BP_ENOMEM ? rc : pg_damaged(p->s, "object of row", row, err);
	rc = on_record(arg, &rec, 0, err);
	record_fini(&rec);
	return rc;
}

/* Objects stand behind traces, and are given when one of those before them was. */
struct behind {
	int at, end; /* rows of group.objects */
	bool any;
};

static int give_behind(struct pieces *p, struct behind *b, int before, on_piece *on_record,
		       void *arg, struct bp_error *err)
{
	const PGresult *res = p->group.objects;
	int rc = 0;

	while (rc == 0 && b->at < b->end && pg_get_i16(res, b->at, 1) < before) {
		int16_t after = pg_get_i16(res, b->at, 1);

		if (b->any)
			rc = give_json(p, res, b->at, on_record, arg, err);
		b->at++;
		b->any = b->any && b->at < b->end && pg_get_i16(res, b->at, 1) == after;
	}
	return rc;
}

static int give_row(struct pieces *p, const struct pg_row *r, struct behind *b, on_piece *on_record,
		    void *arg, struct bp_error *err)
{
	struct record rec;
	bool wanted;
	int rc = pg_filter_border(p->s, &p->filter, r->verdict, &wanted, err);

	if (rc < 0 || !wanted)
		return rc;
	record_init(&rec);
	rc = pg_group_record(p->s, &p->group, r, p->want, &rec, err);
	if (rc == 0) {
		b->any = true;
		rc = on_record(arg, &rec, (int64_t)r->segment->id << PG_SEGMENT_BITS | r->nth, err);
	}
	record_fini(&rec);
	return rc;
}

static int give_segment(struct pieces *p, int32_t id, on_piece *on_record, void *arg,
			struct bp_error *err)
{
	const struct pg_group *g = &p->group;
	struct behind b = {0};
	int rc = 0;

	for (; g->objects != NULL && b.at < PQntuples(g->objects) &&
	       pg_get_i32(g->objects, b.at, 0) != id;)
		b.at++;
	for (b.end = b.at; g->objects != NULL && b.end < PQntuples(g->objects) &&
			   pg_get_i32(g->objects, b.end, 0) == id;)
		b.end++;
	for (unsigned i = pg_group_at(g, id, 0);
	     i < g->row_count && g->rows[i].segment->id == id && rc == 0; i++) {
		rc = give_behind(p, &b, g->rows[i].nth, on_record, arg, err);
		if (rc == 0)
			rc = give_row(p, &g->rows[i], &b, on_record, arg, err);
	}
	return rc < 0 ? rc : give_behind(p, &b, INT32_MAX, on_record, arg, err);
}

static int give_text(struct pieces *p, const struct pg_item *item, on_piece *on_record, void *arg,
		     struct bp_error *err)
{
	for (int i = 0; p->texts != NULL && i < PQntuples(p->texts); i++) {
		if (pg_get_i32(p->texts, i, 0) == item->kind &&
		    pg_get_i64(p->texts, i, 1) == item->id)
			return give_json(p, p->texts, i, on_record, arg, err);
	}
	return 0;
}

int pg_pieces_give(struct store_pieces *head, on_piece *on_record, void *arg, struct bp_error *err)
{
	struct pieces *p = (struct pieces *)head;
	const struct pg_item *item;
	struct wall at;
	int rc = pg_pieces_next(head, &at, err);

	if (rc <= 0)
		return rc;
	item = &p->items[p->next];
	if (item->kind == PG_ITEM_SEGMENT && p->next >= p->loaded) {
		rc = load_more(p, err);
		if (rc < 0)
			return rc;
	}
	p->next++;
	return item->kind == PG_ITEM_SEGMENT
		       ? give_segment(p, (int32_t)item->id, on_record, arg, err)
		       : give_text(p, item, on_record, arg, err);
}

/* --- what stands behind store.h --------------------------------------------------------------- */

struct handing {
	store_on_record *on_record;
	void *arg;
};

static int hand_on(void *arg, struct record *r, int64_t example, struct bp_error *err)
{
	struct handing *h = arg;

	(void)example;
	return h->on_record(h->arg, r, err);
}

int pg_read(struct store *s, const struct store_select *select, store_on_record *on_record,
	    void *arg, struct bp_error *err)
{
	struct handing h = {on_record, arg};
	struct store_pieces *p;
	struct wall at;
	int rc = pg_pieces_open(s, select, 0, &p, err);

	if (rc < 0)
		return rc;
	while ((rc = pg_pieces_next(p, &at, err)) == 1) {
		rc = pg_pieces_give(p, hand_on, &h, err);
		if (rc < 0)
			break;
	}
	pg_pieces_close(p);
	return rc;
}

int pg_trace(struct store *store, int64_t example, struct record *out, struct bp_error *err)
{
	struct pg_store *s = pg_of(store);
	int32_t segment = (int32_t)(example >> PG_SEGMENT_BITS);
	int nth = (int)(example & (PG_SEGMENT_TRACES - 1));
	struct pg_array ids = {0};
	struct pg_group g = {0};
	unsigned at;
	int rc = pg_ready(s, err);

	ids.count = 1;
	pg_put_i32(&ids.bytes, segment);
	if (rc == 0)
		rc = pg_group_load(s, &ids, nth, NULL, 0, &g, err);
	pg_array_fini(&ids);
	at = rc == 0 ? pg_group_at(&g, segment, nth) : 0;
	if (rc == 0 && (at == g.row_count || g.rows[at].nth != nth))
		rc = bp_fail(err, BP_ENOTFOUND, "%s: trace %lld is there no more", s->shown,
			     (long long)example);
	if (rc == 0)
		rc = pg_group_record(s, &g, &g.rows[at], 0, out, err);
	pg_group_clear(&g);
	return rc;
}

/* --- vantage points --------------------------------------------------------------------------- */

static int keep_vantage(struct pg_store *s, const char *name, const char **out)
{
	struct pg_vantage *v;

	for (v = s->vantages; v != NULL && strcmp(v->name, name) != 0;)
		v = v->next;
	if (v == NULL) {
		v = calloc(1, sizeof(*v));
		if (v == NULL)
			return BP_ENOMEM;
		text_set(v->name, sizeof(v->name), name);
		v->next = s->vantages;
		s->vantages = v;
	}
	*out = v->name;
	return 0;
}

int pg_vantages(struct store *store,
		int (*on_name)(void *arg, const char *vantage, struct bp_error *err), void *arg,
		struct bp_error *err)
{
	struct pg_store *s = pg_of(store);
	PGresult *res;
	int rc = pg_ready(s, err);

	/* From one to the next by the index: there are many segments, and few vantage points. */
	if (rc == 0)
		rc = pg_query(
			s,
			"WITH RECURSIVE v(id) AS ((SELECT min(vantage) FROM segment)"
			" UNION ALL SELECT (SELECT min(g.vantage) FROM segment g WHERE"
			" g.vantage > v.id) FROM v WHERE v.id IS NOT NULL)"
			" SELECT w.word FROM v JOIN word w USING (id) UNION ALL SELECT ''"
			" WHERE EXISTS (SELECT 1 FROM segment WHERE vantage IS NULL) ORDER BY 1",
			&res, err);
	if (rc < 0)
		return rc;
	for (int i = 0; rc == 0 && i < PQntuples(res); i++) {
		const char *name;

		rc = keep_vantage(s, pg_get_text(res, i, 0), &name) < 0 ? pg_no_memory(err)
									: on_name(arg, name, err);
	}
	PQclear(res);
	return rc;
}

// SPDX-License-Identifier: BSD-2-Clause
/* Reading whole records: a walk, and each row of its segments as a record. */
#include <stdlib.h>
#include <string.h>

#include "campaign/postgres/pg_walk.h"
#include "core/record/jsonl.h"

struct reading {
	struct pg_walk *walk;
	store_on_record *on_record;
	void *arg;
};

/* --- pieces ----------------------------------------------------------------------------------- */

static int give_json(struct reading *r, const char *json, size_t n, int64_t row,
		     struct bp_error *err)
{
	struct record rec;
	int rc;

	record_init(&rec);
	rc = jsonl_read(json, n, &rec, err);
	if (rc < 0)
		return rc == BP_ENOMEM ? rc : pg_damaged(r->walk->s, "object of row", row, err);
	rc = r->on_record(r->arg, &rec, err);
	record_fini(&rec);
	return rc;
}

/* Objects stand behind traces, and are given when one of those before them was. */
struct behind {
	int at, end; /* rows of group.objects */
	bool any;
};

static int give_behind(struct reading *r, struct behind *b, int before, struct bp_error *err)
{
	const PGresult *res = r->walk->group.objects;
	int rc = 0;

	while (rc == 0 && b->at < b->end && pg_get_i16(res, b->at, 1) < before) {
		int16_t after = pg_get_i16(res, b->at, 1);
		size_t n;
		const char *json = pg_get_bytes(res, b->at, 2, &n);

		if (b->any)
			rc = give_json(r, json, n, b->at, err);
		b->at++;
		b->any = b->any && b->at < b->end && pg_get_i16(res, b->at, 1) == after;
	}
	return rc;
}

static int give_row(struct reading *r, const struct pg_row *row, struct behind *b,
		    struct bp_error *err)
{
	struct pg_walk *w = r->walk;
	struct record rec;
	bool wanted;
	int rc = pg_filter_border(w->s, &w->filter, row->verdict, &wanted, err);

	if (rc < 0 || !wanted)
		return rc;
	record_init(&rec);
	rc = pg_row_record(w->s, row, &rec, err);
	if (rc == 0) {
		b->any = true;
		rc = r->on_record(r->arg, &rec, err);
	}
	record_fini(&rec);
	return rc;
}

static int give_segment(struct reading *r, int32_t id, struct bp_error *err)
{
	const struct pg_group *g = &r->walk->group;
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
		rc = give_behind(r, &b, g->rows[i].nth, err);
		if (rc == 0)
			rc = give_row(r, &g->rows[i], &b, err);
	}
	return rc < 0 ? rc : give_behind(r, &b, INT32_MAX, err);
}

static int give_item(struct reading *r, struct bp_error *err)
{
	const struct pg_item *item;
	const char *json;
	size_t n = 0;
	int rc = pg_walk_take(r->walk, &item, err);

	if (rc < 0)
		return rc;
	if (item->kind == PG_ITEM_SEGMENT)
		return give_segment(r, (int32_t)item->id, err);
	json = pg_walk_text(r->walk, item, &n);
	return json == NULL ? 0 : give_json(r, json, n, item->id, err);
}

/* --- what stands behind store.h --------------------------------------------------------------- */

int pg_read(struct store *s, const struct store_select *select, store_on_record *on_record,
	    void *arg, struct bp_error *err)
{
	struct reading r = {.on_record = on_record, .arg = arg};
	struct wall at;
	int rc = pg_walk_open(pg_of(s), select, PG_WANT_RECORDS, &r.walk, err);

	if (rc < 0)
		return rc;
	while ((rc = pg_walk_next(r.walk, &at, err)) == 1) {
		rc = give_item(&r, err);
		if (rc < 0)
			break;
	}
	pg_walk_close(r.walk);
	return rc;
}

static int load_row(struct pg_store *s, int64_t example, unsigned want, struct pg_group *g,
		    const struct pg_row **out, struct bp_error *err)
{
	int32_t segment = (int32_t)(example >> PG_SEGMENT_BITS);
	int nth = (int)(example & (PG_SEGMENT_TRACES - 1));
	struct pg_array ids = {0};
	unsigned at;
	int rc;

	/* What a reader is being given needs little asking. */
	if (s->at_hand != NULL && pg_row_example(s->at_hand) == example) {
		rc = pg_group_of(s, s->at_hand, want, g, err);
		*out = g->rows;
		return rc;
	}
	ids.count = 1;
	pg_put_i32(&ids.bytes, segment);
	rc = pg_ready(s, err);
	if (rc == 0)
		rc = pg_group_load(s, &ids, nth, NULL, want, g, err);
	pg_array_fini(&ids);
	if (rc < 0)
		return rc;
	at = pg_group_at(g, segment, nth);
	if (at == g->row_count || g->rows[at].nth != nth)
		return bp_fail(err, BP_ENOTFOUND, "%s: trace %lld is there no more", s->shown,
			       (long long)example);
	*out = &g->rows[at];
	return 0;
}

int pg_trace(struct store *store, int64_t example, struct record *out, struct bp_error *err)
{
	struct pg_store *s = pg_of(store);
	struct pg_group g = {0};
	const struct pg_row *row;
	int rc = load_row(s, example, PG_WANT_RECORDS, &g, &row, err);

	if (rc == 0)
		rc = pg_row_record(s, row, out, err);
	pg_group_clear(&g);
	return rc;
}

int pg_trace_bare(struct store *store, int64_t example, struct trace **out, struct bp_error *err)
{
	struct pg_store *s = pg_of(store);
	struct pg_group g = {0};
	const struct pg_row *row;
	int rc = load_row(s, example, 0, &g, &row, err);

	if (rc == 0)
		rc = pg_row_trace(s, row, out, err);
	pg_group_clear(&g);
	return rc;
}

/* --- vantage points --------------------------------------------------------------------------- */

int pg_vantage_name(struct pg_store *s, const char *name, const char **out, struct bp_error *err)
{
	struct pg_vantage *v;

	for (v = s->vantages; v != NULL && strcmp(v->name, name) != 0;)
		v = v->next;
	if (v == NULL) {
		v = calloc(1, sizeof(*v));
		if (v == NULL)
			return pg_no_memory(err);
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

		rc = pg_vantage_name(s, pg_get_text(res, i, 0), &name, err);
		if (rc == 0)
			rc = on_name(arg, name, err);
	}
	PQclear(res);
	return rc;
}

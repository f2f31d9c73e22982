// SPDX-License-Identifier: BSD-2-Clause
/* Items page by page, segments some at a time. */
#include "campaign/postgres/pg_walk.h"

#include <stdlib.h>
#include <string.h>

/* A round trip more is nothing beside so many traces; so many are a few megabytes. */
enum { GROUP_TRACES = 16384 };

int pg_walk_open(struct pg_store *s, const struct store_select *select, unsigned want,
		 struct pg_walk **out, struct bp_error *err)
{
	struct pg_walk *w = calloc(1, sizeof(*w));
	int rc;

	if (w == NULL)
		return pg_no_memory(err);
	w->s = s;
	if (select != NULL)
		w->select = *select;
	w->want = want;
	w->cursor = s->cursors++;
	/* What waits is to be read, too. */
	rc = s->writing && !s->failed ? pg_flush(s, err) : 0;
	if (rc < 0) {
		free(w);
		return pg_failed(s, rc);
	}
	rc = pg_view_open(s, err);
	w->open = rc == 0;
	if (rc == 0)
		rc = pg_filter_init(s, &w->select, &w->filter, err);
	if (rc == 0)
		rc = pg_items_open(s, &w->filter, want, w->cursor, err);
	if (rc < 0)
		pg_walk_close(w);
	else
		*out = w;
	return rc;
}

void pg_walk_close(struct pg_walk *w)
{
	if (w == NULL)
		return;
	pg_ahead_drop(w->s, w);
	pg_group_clear(&w->ahead);
	pg_group_clear(&w->group);
	pg_array_fini(&w->ids);
	pg_array_fini(&w->ahead_ids);
	if (w->open) {
		pg_items_close(w->s, w->cursor);
		pg_view_close(w->s);
	}
	PQclear(w->texts);
	pg_filter_fini(&w->filter);
	free(w);
}

static int load_texts(struct pg_walk *w, struct bp_error *err)
{
	struct pg_store *s = w->s;
	struct pg_array rounds = {0}, objects = {0};
	int rc = 0;

	PQclear(w->texts);
	w->texts = NULL;
	for (int i = 0; i < w->count; i++) {
		struct pg_array *a = w->items[i].kind == PG_ITEM_ROUND	  ? &rounds
				     : w->items[i].kind == PG_ITEM_OBJECT ? &objects
									  : NULL;

		if (a == NULL)
			continue;
		a->count++;
		pg_put_i64(&a->bytes, w->items[i].id);
	}
	if (rounds.count + objects.count > 0) {
		pg_param_array(&s->params, PG_INT8S, &rounds);
		pg_param_array(&s->params, PG_INT8S, &objects);
		rc = pg_query(s,
			      "SELECT 1 AS kind, id, json FROM round WHERE id = ANY ($1) UNION ALL"
			      " SELECT 2, id, json FROM object WHERE id = ANY ($2) ORDER BY 1, 2",
			      &w->texts, err);
	}
	pg_array_fini(&rounds);
	pg_array_fini(&objects);
	return rc;
}

static int load_page(struct pg_walk *w, struct bp_error *err)
{
	int count = pg_items_next(w->s, w->cursor, w->items, err);

	if (count < 0)
		return count;
	w->count = count;
	w->next = w->loaded = w->asked = 0;
	return load_texts(w, err);
}

int pg_walk_next(struct pg_walk *w, struct wall *at, struct bp_error *err)
{
	int rc = 0;

	/* A page that is not full is the last. */
	if (w->next == w->count && (w->count == 0 || w->count == PG_ITEMS))
		rc = load_page(w, err);
	if (rc < 0 || w->next == w->count)
		return rc;
	/* Beyond what a wall can hold is the end of times. */
	if (__builtin_mul_overflow(w->items[w->next].at_us, NS_PER_US, &at->ns))
		at->ns = w->items[w->next].at_us < 0 ? INT64_MIN : INT64_MAX;
	return 1;
}

/* The segments of the page from this item, as many as have not too many traces. Returns behind the
 * last. */
static int choose(const struct pg_walk *w, int from, struct pg_array *ids)
{
	int64_t traces = 0;
	int i;

	pg_array_clear(ids);
	for (i = from; i < w->count; i++) {
		if (w->items[i].kind != PG_ITEM_SEGMENT)
			continue;
		if (ids->count > 0 && traces + w->items[i].traces > GROUP_TRACES)
			break;
		traces += w->items[i].traces;
		ids->count++;
		pg_put_i32(&ids->bytes, (int32_t)w->items[i].id);
	}
	return i;
}

/* Those behind them, while these are looked at: where nobody else asks. */
static int ask_ahead(struct pg_walk *w, struct bp_error *err)
{
	int behind = pg_ahead_free(w->s) ? choose(w, w->loaded, &w->ahead_ids) : 0, rc = 0;

	w->asked = 0;
	if (behind == 0 || w->ahead_ids.count == 0)
		return 0;
	rc = pg_group_ask(w->s, w, &w->ahead_ids, &w->filter, &w->ahead, err);
	if (rc == 0)
		w->asked = behind;
	return rc;
}

static int take_ahead(struct pg_walk *w, struct bp_error *err)
{
	struct pg_array ids = w->ids;

	w->ids = w->ahead_ids;
	w->ahead_ids = ids;
	w->group = w->ahead;
	w->ahead = (struct pg_group){0};
	w->loaded = w->asked;
	return pg_group_take(w->s, &w->ids, &w->filter, w->want, &w->group, err);
}

static int load_more(struct pg_walk *w, struct bp_error *err)
{
	struct pg_store *s = w->s;
	int rc;

	pg_group_clear(&w->group);
	if (w->asked > 0) {
		rc = take_ahead(w, err);
	} else {
		w->loaded = choose(w, w->next, &w->ids);
		rc = pg_group_load(s, &w->ids, -1, &w->filter, w->want, &w->group, err);
	}
	if (rc == 0 && w->want & PG_WANT_OBJECTS) {
		pg_param_array(&s->params, PG_INT4S, &w->ids);
		rc = pg_query(s,
			      "SELECT segment, after, json FROM object WHERE segment = ANY ($1)"
			      " ORDER BY segment, after, id",
			      &w->group.objects, err);
	}
	return rc == 0 ? ask_ahead(w, err) : rc;
}

int pg_walk_take(struct pg_walk *w, const struct pg_item **out, struct bp_error *err)
{
	int rc = 0;

	if (w->items[w->next].kind == PG_ITEM_SEGMENT && w->next >= w->loaded)
		rc = load_more(w, err);
	else
		pg_ahead_listen(w->s);
	if (rc == 0)
		*out = &w->items[w->next++];
	return rc;
}

const char *pg_walk_text(const struct pg_walk *w, const struct pg_item *item, size_t *n)
{
	int least = 0, most = w->texts != NULL ? PQntuples(w->texts) : 0;

	while (least < most) {
		int middle = (least + most) / 2, kind = pg_get_i32(w->texts, middle, 0);
		int64_t id = pg_get_i64(w->texts, middle, 1);

		if (kind == item->kind && id == item->id)
			return pg_get_bytes(w->texts, middle, 2, n);
		if (kind < item->kind || (kind == item->kind && id < item->id))
			least = middle + 1;
		else
			most = middle;
	}
	return NULL;
}

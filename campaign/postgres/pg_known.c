// SPDX-License-Identifier: BSD-2-Clause
/*
 * Values that were read. One table for all kinds, in pieces of memory that stay where they are;
 * when they are too many, all are forgotten and read again as they are wanted.
 */
#include "campaign/postgres/pg_known.h"

#include <stdlib.h>
#include <string.h>

#include "core/text.h"

enum { CHUNK = 1 << 18, BYTES_MAX = 64 << 20, HOPS_MAX = TRACE_MAX_ENTRIES };

struct chunk {
	struct chunk *next;
	size_t used, size;
	_Alignas(8) char bytes[];
};
struct entry {
	uint64_t key; /* kind and row, never 0; 0: free */
	const void *bytes;
	uint32_t n;
	int32_t geo; /* by which the names of its addresses are wanted; 0: none */
};
/* How databases name an address. */
struct name_entry {
	struct addr addr;
	int32_t geo, name; /* geo 0: free; name 0: not named */
};
struct wanted {
	int32_t *ids; /* owned */
	uint32_t count, room;
};
struct wanted_names {
	struct name_entry *items; /* owned */
	uint32_t count, room;
};

struct pg_known {
	struct chunk *chunks;
	struct entry *entries; /* owned; a power of two */
	uint32_t size, used;
	struct name_entry *names; /* owned; a power of two */
	uint32_t name_size, name_used;
	struct wanted wanted[PG_KNOWN_KINDS];
	struct wanted_names wanted_names;
	size_t bytes;
	unsigned holders;
};

/* An entry that is wanted and was not fetched yet. */
static const char not_yet;

int pg_known_new(struct pg_known **out)
{
	struct pg_known *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return BP_ENOMEM;
	*out = k;
	return 0;
}

void pg_known_forget(struct pg_known *k)
{
	while (k->chunks != NULL) {
		struct chunk *next = k->chunks->next;

		free(k->chunks);
		k->chunks = next;
	}
	free(k->entries);
	free(k->names);
	k->entries = NULL;
	k->names = NULL;
	k->size = k->used = k->name_size = k->name_used = 0;
	k->bytes = 0;
	for (unsigned i = 0; i < PG_KNOWN_KINDS; i++)
		k->wanted[i].count = 0;
	k->wanted_names.count = 0;
}

void pg_known_trim(struct pg_known *k)
{
	if (k->bytes > BYTES_MAX && k->holders == 0)
		pg_known_forget(k);
}

void pg_known_hold(struct pg_known *k)
{
	k->holders++;
}

void pg_known_release(struct pg_known *k)
{
	if (k != NULL)
		k->holders--;
}

void pg_known_free(struct pg_known *k)
{
	if (k == NULL)
		return;
	pg_known_forget(k);
	for (unsigned i = 0; i < PG_KNOWN_KINDS; i++)
		free(k->wanted[i].ids);
	free(k->wanted_names.items);
	free(k);
}

/* --- tables ----------------------------------------------------------------------------------- */

static uint64_t key_of(enum pg_known_kind kind, int32_t id)
{
	return (uint64_t)(kind + 1) << 32 | (uint32_t)id;
}

static struct entry *entry_of(const struct pg_known *k, uint64_t key)
{
	uint64_t at = key * UINT64_C(0x9e3779b97f4a7c15) >> 32;

	for (;; at++) {
		struct entry *e = &k->entries[at & (k->size - 1)];

		if (e->key == 0 || e->key == key)
			return e;
	}
}

static int grow_entries(struct pg_known *k)
{
	struct entry *old = k->entries;
	uint32_t size = k->size;

	if (2 * (uint64_t)k->used < k->size)
		return 0;
	k->size = size > 0 ? 2 * size : 8192;
	k->entries = calloc(k->size, sizeof(*k->entries));
	if (k->entries == NULL) {
		k->entries = old;
		k->size = size;
		return BP_ENOMEM;
	}
	k->bytes += (k->size - size) * sizeof(*k->entries);
	for (uint32_t i = 0; i < size; i++) {
		if (old[i].key != 0)
			*entry_of(k, old[i].key) = old[i];
	}
	free(old);
	return 0;
}

static struct name_entry *name_of(const struct pg_known *k, int32_t geo, struct addr a)
{
	uint32_t at = addr_hash(a) ^ (uint32_t)geo * 0x9e3779b9u;

	for (;; at++) {
		struct name_entry *e = &k->names[at & (k->name_size - 1)];

		if (e->geo == 0 || (e->geo == geo && addr_equal(e->addr, a)))
			return e;
	}
}

static int grow_names(struct pg_known *k)
{
	struct name_entry *old = k->names;
	uint32_t size = k->name_size;

	if (2 * (uint64_t)k->name_used < k->name_size)
		return 0;
	k->name_size = size > 0 ? 2 * size : 8192;
	k->names = calloc(k->name_size, sizeof(*k->names));
	if (k->names == NULL) {
		k->names = old;
		k->name_size = size;
		return BP_ENOMEM;
	}
	k->bytes += (k->name_size - size) * sizeof(*k->names);
	for (uint32_t i = 0; i < size; i++) {
		if (old[i].geo != 0)
			*name_of(k, old[i].geo, old[i].addr) = old[i];
	}
	free(old);
	return 0;
}

static void *keep(struct pg_known *k, size_t n)
{
	struct chunk *c = k->chunks;
	size_t size = (n + 7) & ~(size_t)7;
	void *at;

	if (c == NULL || c->size - c->used < size) {
		size_t room = size > CHUNK ? size : CHUNK;

		c = malloc(sizeof(*c) + room);
		if (c == NULL)
			return NULL;
		*c = (struct chunk){.next = k->chunks, .size = room};
		k->chunks = c;
		k->bytes += room;
	}
	at = c->bytes + c->used;
	c->used += size;
	return at;
}

/* --- wanting ---------------------------------------------------------------------------------- */

int pg_want(struct pg_store *s, enum pg_known_kind kind, int32_t id)
{
	struct pg_known *k = s->known;
	struct wanted *w = &k->wanted[kind];
	struct entry *e;

	if (id == 0)
		return 0;
	if (grow_entries(k) < 0)
		return BP_ENOMEM;
	e = entry_of(k, key_of(kind, id));
	if (e->key != 0)
		return 0;
	if (w->count == w->room) {
		uint32_t room = w->room > 0 ? 2 * w->room : 256;
		int32_t *ids = reallocarray(w->ids, room, sizeof(*ids));

		if (ids == NULL)
			return BP_ENOMEM;
		w->ids = ids;
		w->room = room;
	}
	w->ids[w->count++] = id;
	*e = (struct entry){.key = key_of(kind, id), .bytes = &not_yet};
	k->used++;
	return 0;
}

bool pg_want_names_of(struct pg_store *s, enum pg_known_kind kind, int32_t id, int32_t geo)
{
	struct entry *e;

	if (id == 0 || s->known->size == 0)
		return false;
	e = entry_of(s->known, key_of(kind, id));
	if (e->key == 0 || e->geo == geo)
		return false;
	e->geo = geo;
	return true;
}

int pg_want_name(struct pg_store *s, int32_t geo, struct addr a)
{
	struct pg_known *k = s->known;
	struct wanted_names *w = &k->wanted_names;
	struct name_entry *e;

	if (geo == 0 || !addr_is_set(a))
		return 0;
	if (grow_names(k) < 0)
		return BP_ENOMEM;
	e = name_of(k, geo, a);
	if (e->geo != 0)
		return 0;
	if (w->count == w->room) {
		uint32_t room = w->room > 0 ? 2 * w->room : 256;
		struct name_entry *items = reallocarray(w->items, room, sizeof(*items));

		if (items == NULL)
			return BP_ENOMEM;
		w->items = items;
		w->room = room;
	}
	*e = (struct name_entry){.addr = a, .geo = geo};
	w->items[w->count++] = *e;
	k->name_used++;
	return 0;
}

const void *pg_known_get(const struct pg_store *s, enum pg_known_kind kind, int32_t id, size_t *n)
{
	const struct entry *e;

	if (s->known->size == 0 || id == 0)
		return NULL;
	e = entry_of(s->known, key_of(kind, id));
	if (e->key == 0 || e->bytes == &not_yet)
		return NULL;
	if (n != NULL)
		*n = e->n;
	return e->bytes;
}

int32_t pg_known_name(const struct pg_store *s, int32_t geo, struct addr a)
{
	return s->known->name_size > 0 ? name_of(s->known, geo, a)->name : 0;
}

/* --- fetching --------------------------------------------------------------------------------- */

static const char *const queries[PG_KNOWN_KINDS] = {
	[PG_KNOWN_GOAL] = "SELECT id, key FROM goal WHERE id = ANY ($1)",
	[PG_KNOWN_SETTINGS] = "SELECT id, key FROM settings WHERE id = ANY ($1)",
	[PG_KNOWN_PATH] = "SELECT id, list, slots, stop, reach, reached_by, first_ttl, max_ttl,"
			  " sent, received FROM path WHERE id = ANY ($1)",
	[PG_KNOWN_HOP] = "SELECT id, key FROM hop WHERE id = ANY ($1)",
	[PG_KNOWN_VERDICT] = "SELECT id, key FROM verdict WHERE id = ANY ($1)",
	[PG_KNOWN_JUDGE] = "SELECT id, profile, profile_version, judged_us FROM judge WHERE"
			   " id = ANY ($1)",
	[PG_KNOWN_NAMING] = "SELECT id, names, geo, own FROM naming WHERE id = ANY ($1)",
	[PG_KNOWN_GEO] = "SELECT id, asn_db, asn_built, asn_sha256, country_db, country_built,"
			 " country_sha256 FROM geo WHERE id = ANY ($1)",
	[PG_KNOWN_NAME] = "SELECT id, key FROM name WHERE id = ANY ($1)",
};

static int take_path(struct pg_store *s, const PGresult *res, int row, void **out, size_t *n)
{
	size_t bytes;
	const void *list = pg_get_bytes(res, row, 1, &bytes);
	int room = bytes > 8 ? (int)(bytes / 8) : 0;
	struct pg_path *p;

	if (room > HOPS_MAX)
		return BP_EPARSE;
	*n = sizeof(*p) + (size_t)room * sizeof(p->hops[0]);
	p = keep(s->known, *n);
	if (p == NULL)
		return BP_ENOMEM;
	*p = (struct pg_path){
		.slots = pg_get_i32(res, row, 2),
		.count = pg_read_i32s(list, bytes, p->hops, room),
		.stop = (uint8_t)pg_get_i16(res, row, 3),
		.reach = (uint8_t)pg_get_i16(res, row, 4),
		.reached_by = (uint8_t)pg_get_i16(res, row, 5),
		.first_ttl = (uint8_t)pg_get_i16(res, row, 6),
		.max_ttl = (uint8_t)pg_get_i16(res, row, 7),
		.sent = pg_is_null(res, row, 8) ? -1 : pg_get_i64(res, row, 8),
		.received = pg_is_null(res, row, 9) ? -1 : pg_get_i64(res, row, 9),
	};
	if (p->count < 0 || p->slots < 0 || p->slots > p->count)
		return BP_EPARSE;
	for (int i = 0; i < p->count; i++) {
		if (pg_want(s, PG_KNOWN_HOP, p->hops[i]) < 0)
			return BP_ENOMEM;
	}
	*out = p;
	return 0;
}

static int take_naming(struct pg_store *s, const PGresult *res, int row, void **out, size_t *n)
{
	size_t bytes;
	const void *list = pg_get_bytes(res, row, 1, &bytes);
	int room = bytes > 8 ? (int)(bytes / 8) : 0;
	struct pg_named *p;
	int rc;

	*n = sizeof(*p) + (size_t)room * sizeof(p->names[0]);
	p = keep(s->known, *n);
	if (p == NULL)
		return BP_ENOMEM;
	*p = (struct pg_named){
		.geo = pg_get_i32(res, row, 2),
		.own = pg_get_bool(res, row, 3),
		.count = pg_is_null(res, row, 1) ? 0 : pg_read_i32s(list, bytes, p->names, room),
	};
	if (p->count < 0)
		return BP_EPARSE;
	rc = pg_want(s, PG_KNOWN_GEO, p->geo);
	for (int i = 0; i < p->count && rc == 0; i++)
		rc = pg_want(s, PG_KNOWN_NAME, p->names[i]);
	*out = p;
	return rc;
}

static int take_judge(struct pg_store *s, const PGresult *res, int row, void **out, size_t *n)
{
	struct pg_judge *j = keep(s->known, sizeof(*j));

	if (j == NULL)
		return BP_ENOMEM;
	text_set(j->profile, sizeof(j->profile), pg_get_text(res, row, 1));
	text_set(j->profile_version, sizeof(j->profile_version), pg_get_text(res, row, 2));
	j->judged_us = pg_get_i64(res, row, 3);
	*out = j;
	*n = sizeof(*j);
	return 0;
}

static int take_geo(struct pg_store *s, const PGresult *res, int row, void **out, size_t *n)
{
	struct geo_source *g = keep(s->known, sizeof(*g));

	if (g == NULL)
		return BP_ENOMEM;
	text_set(g->asn_db, sizeof(g->asn_db), pg_get_text(res, row, 1));
	text_set(g->asn_built, sizeof(g->asn_built), pg_get_text(res, row, 2));
	text_set(g->asn_sha256, sizeof(g->asn_sha256), pg_get_text(res, row, 3));
	text_set(g->country_db, sizeof(g->country_db), pg_get_text(res, row, 4));
	text_set(g->country_built, sizeof(g->country_built), pg_get_text(res, row, 5));
	text_set(g->country_sha256, sizeof(g->country_sha256), pg_get_text(res, row, 6));
	*out = g;
	*n = sizeof(*g);
	return 0;
}

static int take_key(struct pg_store *s, const PGresult *res, int row, void **out, size_t *n)
{
	const void *key = pg_get_bytes(res, row, 1, n);
	void *at = keep(s->known, *n);

	if (at == NULL)
		return BP_ENOMEM;
	memcpy(at, key, *n);
	*out = at;
	return 0;
}

static int take_value(struct pg_store *s, enum pg_known_kind kind, const PGresult *res, int row,
		      struct bp_error *err)
{
	static int (*const takes[PG_KNOWN_KINDS])(struct pg_store * s, const PGresult *res, int row,
						  void **out, size_t *n) = {
		[PG_KNOWN_PATH] = take_path,
		[PG_KNOWN_NAMING] = take_naming,
		[PG_KNOWN_JUDGE] = take_judge,
		[PG_KNOWN_GEO] = take_geo,
	};
	int32_t id = pg_get_i32(res, row, 0);
	struct entry *e;
	size_t n = 0;
	void *bytes = NULL;
	int rc = (takes[kind] != NULL ? takes[kind] : take_key)(s, res, row, &bytes, &n);

	if (rc < 0)
		return rc == BP_ENOMEM ? pg_no_memory(err) : pg_damaged(s, "row", id, err);
	/* What it wants may have moved the table. */
	e = entry_of(s->known, key_of(kind, id));
	e->bytes = bytes;
	e->n = (uint32_t)n;
	return 0;
}

static int fetch_kind(struct pg_store *s, enum pg_known_kind kind, struct bp_error *err)
{
	struct wanted *w = &s->known->wanted[kind];
	struct pg_array ids = {0};
	PGresult *res;
	int rc;

	for (uint32_t i = 0; i < w->count; i++) {
		ids.count++;
		pg_put_i32(&ids.bytes, w->ids[i]);
	}
	w->count = 0;
	pg_param_array(&s->params, PG_INT4S, &ids);
	pg_array_fini(&ids);
	rc = pg_query_constant(s, queries[kind], &res, err);
	if (rc < 0)
		return rc;
	for (int i = 0; i < PQntuples(res) && rc == 0; i++)
		rc = take_value(s, kind, res, i, err);
	PQclear(res);
	return rc;
}

int pg_fetch(struct pg_store *s, struct bp_error *err)
{
	int rc = 0;

	for (enum pg_known_kind kind = 0; kind < PG_KNOWN_KINDS && rc == 0; kind++) {
		if (s->known->wanted[kind].count > 0)
			rc = fetch_kind(s, kind, err);
	}
	/* A new table wants all again: an entry without bytes would be "no such row" for ever. */
	if (rc < 0)
		pg_known_forget(s->known);
	return rc;
}

int pg_fetch_names(struct pg_store *s, struct bp_error *err)
{
	struct wanted_names *w = &s->known->wanted_names;
	struct pg_array geos = {0}, addrs = {0};
	PGresult *res = NULL;
	int rc;

	if (w->count == 0)
		return 0;
	for (uint32_t i = 0; i < w->count; i++) {
		addrs.count = ++geos.count;
		pg_put_i32(&geos.bytes, w->items[i].geo);
		pg_put_addr(&addrs.bytes, w->items[i].addr);
	}
	pg_param_array(&s->params, PG_INT4S, &geos);
	pg_param_array(&s->params, PG_INETS, &addrs);
	pg_array_fini(&geos);
	pg_array_fini(&addrs);
	rc = pg_query_constant(
		s,
		"SELECT u.i, g.name FROM unnest($1, $2) WITH ORDINALITY u(geo, addr, i)"
		" JOIN geo_name g USING (geo, addr)",
		&res, err);
	for (int i = 0; rc == 0 && i < PQntuples(res); i++) {
		int64_t nth = pg_get_i64(res, i, 0) - 1;
		int32_t name = pg_get_i32(res, i, 1);

		if (nth < 0 || nth >= w->count)
			continue;
		name_of(s->known, w->items[nth].geo, w->items[nth].addr)->name = name;
		if (pg_want(s, PG_KNOWN_NAME, name) < 0)
			rc = pg_no_memory(err);
	}
	PQclear(res);
	w->count = 0;
	if (rc == 0)
		rc = pg_fetch(s, err);
	if (rc < 0)
		pg_known_forget(s->known);
	return rc;
}

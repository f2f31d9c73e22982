// SPDX-License-Identifier: BSD-2-Clause
/*
 * Rows as values again: what the traces of a store share is read once and kept, in tables of
 * bounded size by row number (the newer one stays). No byte of a store is believed before it is
 * checked.
 */
#include "campaign/sqlite_cache.h"

#include <stdlib.h>
#include <string.h>

#include "campaign/body.h"
#include "core/text.h"

/* Paths: those of two half hours of 50 vantage points, some 12 MB. */
enum { BLOBS = 2048, PATHS = 65536, HOPS = 16384, NAMES = 8192 };

/* A column of a row, as it lies there. */
struct blob {
	int64_t id;
	int size;
	void *bytes;
};
struct hop {
	int64_t id;
	bool is_dst;
	struct trace_entry e;
};
struct geo_named {
	int64_t geo;
	bool there;
	struct name name;
};

struct read_cache {
	struct blob blobs[CACHED_KINDS][BLOBS];
	struct cached_path **paths; /* PATHS */
	struct hop *hops;	 /* HOPS */
	struct geo_named *names; /* NAMES */
	struct cached_segment segment;
	struct {
		int64_t id;
		struct geo_source geo;
	} geo;
};

static struct read_cache *cache_of(struct sqlite_store *s)
{
	if (s->cache == NULL) {
		struct read_cache *c = calloc(1, sizeof(*c));

		if (c == NULL)
			return NULL;
		c->paths = calloc(PATHS, sizeof(*c->paths));
		c->hops = calloc(HOPS, sizeof(*c->hops));
		c->names = calloc(NAMES, sizeof(*c->names));
		s->cache = c;
		if (c->paths == NULL || c->hops == NULL || c->names == NULL) {
			read_cache_free(c);
			s->cache = NULL;
		}
	}
	return s->cache;
}

void read_cache_free(struct read_cache *c)
{
	if (c == NULL)
		return;
	for (unsigned k = 0; k < CACHED_KINDS; k++) {
		for (unsigned i = 0; i < BLOBS; i++)
			free(c->blobs[k][i].bytes);
	}
	for (unsigned i = 0; c->paths != NULL && i < PATHS; i++)
		free(c->paths[i]);
	free(c->paths);
	free(c->hops);
	free(c->names);
	free(c);
}

static int no_memory(struct bp_error *err)
{
	return bp_fail(err, BP_ENOMEM, "out of memory");
}

int cached_damaged(struct sqlite_store *s, const char *what, int64_t id, struct bp_error *err)
{
	return bp_fail(err, BP_EPARSE, "%s: damaged: %s %lld", s->path, what, (long long)id);
}

/* Row `id` of a statement with one parameter; stays on the row: reset it. BP_EPARSE: none. */
static int row_of(struct sqlite_store *s, enum stmt which, const char *what, int64_t id,
		  sqlite3_stmt **out, struct bp_error *err)
{
	int rc = sql_get(s, which, out, err);

	if (rc < 0)
		return rc;
	sqlite3_bind_int64(*out, 1, id);
	rc = sql_step(s, *out, err);
	return rc == 0 ? cached_damaged(s, what, id, err) : rc < 0 ? rc : 0;
}

int cached_blob(struct sqlite_store *s, enum cached kind, int64_t id, const void **bytes, int *size,
		struct bp_error *err)
{
	static const struct {
		enum stmt stmt;
		const char *what;
	} kinds[CACHED_KINDS] = {
		[CACHED_TEXT] = {STMT_TEXT_GET, "text"},
		[CACHED_GOAL] = {STMT_GOAL_GET, "goal"},
		[CACHED_SETTINGS] = {STMT_SETTINGS_GET, "settings"},
		[CACHED_VERDICT] = {STMT_VERDICT_GET, "verdict"},
		[CACHED_NAME] = {STMT_NAME_GET, "name"},
	};
	struct read_cache *c = cache_of(s);
	struct blob *b;
	sqlite3_stmt *st;
	int rc, n;
	void *copy;

	if (c == NULL)
		return no_memory(err);
	b = &c->blobs[kind][(uint64_t)id % BLOBS];
	if (b->bytes == NULL || b->id != id) {
		rc = row_of(s, kinds[kind].stmt, kinds[kind].what, id, &st, err);
		if (rc < 0)
			return rc;
		n = sqlite3_column_bytes(st, 0);
		/* Ends with a NUL, for texts. */
		copy = calloc(1, (size_t)n + 1);
		if (copy != NULL && n > 0)
			memcpy(copy, sqlite3_column_blob(st, 0), (size_t)n);
		sqlite3_reset(st);
		if (copy == NULL)
			return no_memory(err);
		free(b->bytes);
		*b = (struct blob){id, n, copy};
	}
	*bytes = b->bytes;
	*size = b->size;
	return 0;
}

int cached_text(struct sqlite_store *s, int64_t id, char *out, size_t size, struct bp_error *err)
{
	const void *bytes;
	int n, rc;

	out[0] = '\0';
	if (id == 0)
		return 0;
	rc = cached_blob(s, CACHED_TEXT, id, &bytes, &n, err);
	if (rc == 0 && !text_copy(out, size, bytes, (size_t)n))
		rc = cached_damaged(s, "text", id, err);
	return rc;
}

/* --- paths ------------------------------------------------------------------------------------ */

static int read_path(struct sqlite_store *s, sqlite3_stmt *st, int64_t id, struct cached_path **out,
		     struct bp_error *err)
{
	const uint8_t *list = sqlite3_column_blob(st, 0);
	int n = sqlite3_column_bytes(st, 0);
	int64_t count = sqlite3_column_int64(st, 8), slots = sqlite3_column_int64(st, 9);
	unsigned width = n > 0 ? list[0] : 0;
	struct cached_path *p;

	if (count < 0 || count > TRACE_MAX_ENTRIES || slots < 0 || slots > count || width < 1 ||
	    width > 5 || n != 1 + (int)count * (int)width)
		return cached_damaged(s, "path", id, err);
	p = calloc(1, sizeof(*p) + (size_t)count * sizeof(p->hops[0]));
	if (p == NULL)
		return no_memory(err);
	p->id = id;
	p->count = (uint32_t)count;
	p->slots = (uint32_t)slots;
	p->stop = (uint8_t)sqlite3_column_int(st, 1);
	p->reach = (uint8_t)sqlite3_column_int(st, 2);
	p->reached_by = (uint8_t)sqlite3_column_int(st, 3);
	p->first_ttl = (uint8_t)sqlite3_column_int(st, 4);
	p->max_ttl = (uint8_t)sqlite3_column_int(st, 5);
	p->sent = sqlite3_column_type(st, 6) == SQLITE_NULL ? -1 : sqlite3_column_int64(st, 6);
	p->way = (uint64_t)sqlite3_column_int64(st, 10);
	p->received = sqlite3_column_type(st, 7) == SQLITE_NULL ? -1 : sqlite3_column_int64(st, 7);
	for (uint32_t i = 0; i < p->count; i++) {
		for (unsigned k = 0; k < width; k++)
			p->hops[i] = p->hops[i] << 8 | list[1 + i * width + k];
	}
	*out = p;
	return 0;
}

int cached_path(struct sqlite_store *s, int64_t id, const struct cached_path **out,
		struct bp_error *err)
{
	struct read_cache *c = cache_of(s);
	struct cached_path **slot, *p = NULL;
	sqlite3_stmt *st;
	int rc;

	if (c == NULL)
		return no_memory(err);
	slot = &c->paths[(uint64_t)id % PATHS];
	if (*slot == NULL || (*slot)->id != id) {
		rc = row_of(s, STMT_PATH_GET, "path", id, &st, err);
		if (rc < 0)
			return rc;
		rc = read_path(s, st, id, &p, err);
		sqlite3_reset(st);
		if (rc < 0)
			return rc;
		free(*slot);
		*slot = p;
	}
	*out = *slot;
	return 0;
}

int cached_hop(struct sqlite_store *s, int64_t id, struct addr dst, struct trace_entry *out,
	       struct bp_error *err)
{
	/* Stands in for the destination while the hop is kept. */
	static const struct addr stand_in = {.family = 4};
	struct read_cache *c = cache_of(s);
	sqlite3_stmt *st;
	struct hop *h;
	int rc;

	if (c == NULL)
		return no_memory(err);
	h = &c->hops[(uint64_t)id % HOPS];
	if (h->id != id) {
		const uint8_t *bytes;
		size_t n;

		rc = row_of(s, STMT_HOP_GET, "hop", id, &st, err);
		if (rc < 0)
			return rc;
		bytes = sqlite3_column_blob(st, 0);
		n = (size_t)sqlite3_column_bytes(st, 0);
		h->id = 0;
		rc = body_read_hop(bytes, n, stand_in, &h->e);
		h->is_dst = body_hop_says_dst(bytes, n);
		sqlite3_reset(st);
		if (rc < 0)
			return cached_damaged(s, "hop", id, err);
		h->id = id;
	}
	if (h->is_dst && !addr_is_set(dst))
		return cached_damaged(s, "hop", id, err);
	*out = h->e;
	if (h->is_dst)
		out->reply.from = dst;
	return 0;
}

/* --- segments --------------------------------------------------------------------------------- */

static int64_t int_or(sqlite3_stmt *st, int at, int64_t otherwise)
{
	return sqlite3_column_type(st, at) == SQLITE_NULL ? otherwise
							  : sqlite3_column_int64(st, at);
}

int cached_segment(struct sqlite_store *s, int64_t id, const struct cached_segment **out,
		   struct bp_error *err)
{
	struct read_cache *c = cache_of(s);
	struct cached_segment g = {.id = id};
	int64_t vantage, campaign, round, run;
	sqlite3_stmt *st;
	int rc;

	if (c == NULL)
		return no_memory(err);
	if (c->segment.id != id) {
		rc = row_of(s, STMT_SEGMENT_GET, "segment", id, &st, err);
		if (rc < 0)
			return rc;
		g.first = sqlite3_column_int64(st, 0);
		g.last = sqlite3_column_int64(st, 1);
		vantage = sqlite3_column_int64(st, 2);
		campaign = sqlite3_column_int64(st, 3);
		round = sqlite3_column_int64(st, 4);
		run = sqlite3_column_int64(st, 5);
		g.geo = sqlite3_column_int64(st, 6);
		g.judge = sqlite3_column_int64(st, 7);
		g.base_us = sqlite3_column_int64(st, 8);
		g.seq_base = int_or(st, 11, -1);
		sqlite3_reset(st);
		rc = cached_text(s, vantage, g.vantage, sizeof(g.vantage), err);
		if (rc == 0)
			rc = cached_text(s, campaign, g.campaign, sizeof(g.campaign), err);
		if (rc == 0)
			rc = cached_text(s, round, g.round, sizeof(g.round), err);
		if (rc == 0)
			rc = cached_text(s, run, g.run, sizeof(g.run), err);
		if (rc < 0)
			return rc;
		c->segment = g;
	}
	*out = &c->segment;
	return 0;
}

/* --- names ------------------------------------------------------------------------------------ */

static void column_text(sqlite3_stmt *st, int at, char *out, size_t size)
{
	const unsigned char *text = sqlite3_column_text(st, at);

	text_set(out, size, text ? (const char *)text : "");
}

int cached_geo(struct sqlite_store *s, int64_t id, struct geo_source *out, struct bp_error *err)
{
	struct read_cache *c = cache_of(s);
	struct geo_source g;
	sqlite3_stmt *st;
	int rc;

	if (c == NULL)
		return no_memory(err);
	if (c->geo.id != id) {
		rc = row_of(s, STMT_GEO_GET, "geo", id, &st, err);
		if (rc < 0)
			return rc;
		column_text(st, 0, g.asn_db, sizeof(g.asn_db));
		column_text(st, 1, g.asn_built, sizeof(g.asn_built));
		column_text(st, 2, g.asn_sha256, sizeof(g.asn_sha256));
		column_text(st, 3, g.country_db, sizeof(g.country_db));
		column_text(st, 4, g.country_built, sizeof(g.country_built));
		column_text(st, 5, g.country_sha256, sizeof(g.country_sha256));
		sqlite3_reset(st);
		c->geo.id = id;
		c->geo.geo = g;
	}
	*out = c->geo.geo;
	return 0;
}

int cached_name(struct sqlite_store *s, int64_t geo, struct addr a, const struct name **out,
		struct bp_error *err)
{
	struct read_cache *c = cache_of(s);
	struct geo_named *slot;
	char text[ADDR_TEXT];
	sqlite3_stmt *st;
	int rc;

	if (c == NULL)
		return no_memory(err);
	slot = &c->names[(addr_hash(a) + (uint32_t)geo * 31u) % NAMES];
	if (slot->geo != geo || !addr_equal(slot->name.addr, a)) {
		rc = sql_get(s, STMT_GEO_NAME_OF, &st, err);
		if (rc < 0)
			return rc;
		sqlite3_bind_int64(st, 1, geo);
		sqlite3_bind_text(st, 2, addr_format(a, text), -1, SQLITE_STATIC);
		rc = sql_step(s, st, err);
		slot->geo = 0;
		slot->there = rc == 1;
		if (rc == 1) {
			rc = value_read_name(sqlite3_column_blob(st, 0),
					     sqlite3_column_bytes(st, 0), &slot->name);
			sqlite3_reset(st);
			if (rc < 0)
				return cached_damaged(s, "name of geo", geo, err);
		}
		if (rc < 0)
			return rc;
		slot->name.addr = a;
		slot->geo = geo;
	}
	*out = slot->there ? &slot->name : NULL;
	return 0;
}

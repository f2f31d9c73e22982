// SPDX-License-Identifier: BSD-2-Clause
/*
 * Hops and paths as rows. A path is its hops and what follows from them; its row also has the hash
 * and the networks of the first trace that took it, so that most traces need not have their own.
 */
#include <stdlib.h>
#include <string.h>

#include "campaign/body.h"
#include "campaign/pack.h"
#include "campaign/sqlite_intern.h"
#include "campaign/way.h"

struct hop_value {
	const struct trace_entry *e;
	bool is_dst;
};

/* As the record writes them, "label/exp/s/ttl", with spaces between. */
static void bind_mpls(sqlite3_stmt *st, int at, const struct reply *r)
{
	struct buf text;

	if (r->mpls_count == 0) {
		sqlite3_bind_null(st, at);
		return;
	}
	buf_init(&text);
	for (unsigned i = 0; i < r->mpls_count; i++)
		buf_printf(&text, "%s%u/%u/%u/%u", i ? " " : "", r->mpls[i].label, r->mpls[i].exp,
			   r->mpls[i].s, r->mpls[i].ttl);
	if (text.failed)
		sqlite3_bind_null(st, at);
	else
		sqlite3_bind_text(st, at, text.bytes, -1, SQLITE_TRANSIENT);
	buf_fini(&text);
}

static int bind_hop(struct sqlite_store *s, sqlite3_stmt *st, const void *value,
		    struct bp_error *err)
{
	const struct hop_value *v = value;
	const struct reply *r = &v->e->reply;
	int64_t addr = 0;
	int rc = v->is_dst ? 0 : intern_addr(s, r->from, &addr, err);

	if (rc < 0)
		return rc;
	sqlite3_bind_int(st, 2, v->e->ttl);
	sqlite3_bind_int(st, 3, v->e->attempt);
	if (v->is_dst)
		sqlite3_bind_int64(st, 4, 0);
	else
		bind_nonzero(st, 4, addr);
	bind_known(st, 5, r->icmp_type);
	bind_known(st, 6, r->icmp_code);
	bind_known(st, 7, r->reply_ttl);
	bind_known(st, 8, r->quoted_ttl);
	bind_mpls(st, 9, r);
	return 0;
}

static int intern_hop(struct sqlite_store *s, const struct trace_entry *e, struct addr dst,
		      int64_t *out, struct bp_error *err)
{
	struct hop_value v = {e, body_hop_is_dst(e, dst)};

	intern_begin(s, INTERN_HOP);
	body_put_hop(&s->key, e, dst);
	return intern_key(s, STMT_HOP_FIND, STMT_HOP_ADD, bind_hop, &v, out, err);
}

/* So that the view `hops` can count as far as the longest path. */
static int extend_nth(struct sqlite_store *s, uint32_t count, struct bp_error *err)
{
	sqlite3_stmt *st;
	int rc;

	if (s->nth_max < 0) {
		rc = sql_get(s, STMT_NTH_MAX, &st, err);
		if (rc == 0)
			rc = sql_step(s, st, err);
		if (rc < 0)
			return rc;
		s->nth_max = sqlite3_column_int64(st, 0) + 1;
		sqlite3_reset(st);
	}
	for (; s->nth_max < count; s->nth_max++) {
		rc = sql_get(s, STMT_NTH_ADD, &st, err);
		if (rc < 0)
			return rc;
		sqlite3_bind_int64(st, 1, s->nth_max);
		rc = sql_step(s, st, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int room_for_order(struct sqlite_store *s, uint32_t count)
{
	uint32_t *order;

	if (count <= s->order_room)
		return 0;
	order = realloc(s->order, count * sizeof(*order));
	if (order == NULL)
		return BP_ENOMEM;
	s->order = order;
	s->order_room = count;
	return 0;
}

/* The list of a path: a byte for the width, the hops' rows. In s->body: s->key is the hops'. */
static int put_list(struct sqlite_store *s, const struct trace *t, struct bp_error *err)
{
	int64_t most = 0, fixed[64], *ids = fixed;
	unsigned width = 2;
	int rc = 0;

	if (t->entry_count > 64) {
		ids = malloc(t->entry_count * sizeof(*ids));
		if (ids == NULL)
			return intern_no_memory(err);
	}
	for (uint32_t i = 0; i < t->entry_count && rc == 0; i++) {
		rc = intern_hop(s, &t->entries[s->order[i]], t->dst, &ids[i], err);
		if (rc == 0 && ids[i] > most)
			most = ids[i];
	}
	while (width < 5 && most >= INT64_C(1) << 8 * width)
		width++;
	buf_clear(&s->body);
	pack_u8(&s->body, (uint8_t)width);
	if (rc == 0) {
		char *room = buf_room(&s->body, (size_t)t->entry_count * width);
		uint8_t *at = (uint8_t *)room;

		for (uint32_t i = 0; room != NULL && i < t->entry_count; i++) {
			for (unsigned k = width; k-- > 0;)
				*at++ = (uint8_t)(ids[i] >> 8 * k);
		}
		if (room != NULL)
			buf_wrote(&s->body, (char *)at);
	}
	if (ids != fixed)
		free(ids);
	return rc < 0 ? rc : s->body.failed ? intern_no_memory(err) : 0;
}

struct path_value {
	const struct trace *t;
	const struct flat_trace *flat;
	int64_t hash;
	uint32_t slots;
};

static void bind_path(struct sqlite_store *s, sqlite3_stmt *st, const struct path_value *v)
{
	const struct trace *t = v->t;

	sqlite3_bind_int64(st, 1, v->hash);
	bind_blob(st, 2, s->body.bytes, s->body.used);
	sqlite3_bind_int(st, 3, t->stop);
	sqlite3_bind_int(st, 4, t->reach);
	sqlite3_bind_int(st, 5, t->reached_by);
	sqlite3_bind_int(st, 6, t->first_ttl);
	sqlite3_bind_int(st, 7, t->max_ttl);
	bind_known(st, 8, t->sent);
	bind_known(st, 9, t->received);
	sqlite3_bind_int(st, 10, v->flat->hops);
	sqlite3_bind_int64(st, 11, t->entry_count);
	sqlite3_bind_int64(st, 12, v->slots);
}

static void put_path_key(struct sqlite_store *s, const struct path_value *v)
{
	const struct trace *t = v->t;

	intern_begin(s, INTERN_PATH);
	buf_append(&s->key, s->body.bytes, s->body.used);
	pack_u8(&s->key, t->stop);
	pack_u8(&s->key, t->reach);
	pack_u8(&s->key, t->reached_by);
	pack_u8(&s->key, t->first_ttl);
	pack_u8(&s->key, t->max_ttl);
	pack_u8(&s->key, v->flat->hops);
	pack_signed(&s->key, t->sent);
	pack_signed(&s->key, t->received);
	pack_varint(&s->key, v->slots);
}

/* Under 16 bits of the first hop: paths of one vantage point are near each other in the index, and
 * a round touches few pages of it. */
static int64_t path_place(const struct sqlite_store *s, const struct intern_hash *h)
{
	uint64_t first = 0;

	if (s->body.used >= 3) {
		size_t width = (uint8_t)s->body.bytes[0];

		first = (uint64_t)(uint8_t)s->body.bytes[width - 1] << 8 |
			(uint8_t)s->body.bytes[width];
	}
	return (int64_t)(first << 48 | h->h[0] >> 16);
}

struct path_found {
	int64_t id, as_path, path_hash;
};

static int find_path(struct sqlite_store *s, const struct path_value *v, struct path_found *out,
		     struct bp_error *err)
{
	sqlite3_stmt *st;
	int rc = sql_get(s, STMT_PATH_FIND, &st, err);

	if (rc < 0)
		return rc;
	bind_path(s, st, v);
	rc = sql_step(s, st, err);
	if (rc == 1) {
		out->id = sqlite3_column_int64(st, 0);
		out->as_path = sqlite3_column_int64(st, 1);
		out->path_hash = sqlite3_column_int64(st, 2);
		sqlite3_reset(st);
	}
	return rc;
}

static int add_path(struct sqlite_store *s, const struct path_value *v, int64_t as_path,
		    struct path_found *out, struct bp_error *err)
{
	sqlite3_stmt *st;
	int rc = extend_nth(s, v->t->entry_count, err);

	if (rc == 0)
		rc = sql_get(s, STMT_PATH_ADD, &st, err);
	if (rc < 0)
		return rc;
	bind_path(s, st, v);
	bind_nonzero(st, 13, as_path);
	bind_nonzero(st, 14, (int64_t)v->flat->path_hash);
	sqlite3_bind_int64(st, 15, (int64_t)way_of(v->t, s->hash_key, &s->key));
	rc = intern_add_row(s, st, &out->id, err);
	out->as_path = as_path;
	out->path_hash = (int64_t)v->flat->path_hash;
	return rc;
}

int intern_path(struct sqlite_store *s, const struct trace *t, const struct flat_trace *f,
		int64_t as_path, struct path_row *out, struct bp_error *err)
{
	struct path_value v = {.t = t, .flat = f};
	struct path_found found = {0};
	const struct intern_slot *slot;
	struct intern_hash h;
	int rc;

	if (room_for_order(s, t->entry_count) < 0)
		return intern_no_memory(err);
	v.slots = body_order(t, s->order);
	rc = put_list(s, t, err);
	if (rc < 0)
		return rc;
	put_path_key(s, &v);
	if (s->key.failed)
		return intern_no_memory(err);
	h = intern_hash_key(s);
	slot = intern_cached(&s->paths, &h);
	if (slot != NULL) {
		found = (struct path_found){slot->id, slot->extra, slot->more};
	} else {
		v.hash = path_place(s, &h);
		rc = find_path(s, &v, &found, err);
		if (rc == 0)
			rc = add_path(s, &v, as_path, &found, err);
		if (rc < 0)
			return rc;
		intern_remember(&s->paths, &h, found.id, found.as_path, found.path_hash);
	}
	*out = (struct path_row){.id = found.id,
				 .slots = v.slots,
				 .same_hash = found.path_hash == (int64_t)f->path_hash,
				 .same_as_path = found.as_path == as_path};
	return 0;
}

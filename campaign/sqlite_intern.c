// SPDX-License-Identifier: BSD-2-Clause
/*
 * Values that repeat, as row numbers: looked up in a cache of bounded size, then in the table, then
 * added. A key is hashed with the store's own secret (128 bits of SipHash), so that nobody can make
 * two of them meet; the tables compare whole keys.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/body.h"
#include "campaign/pack.h"
#include "campaign/sqlite.h"
#include "core/record/flat.h"

enum {
	INTERN_WAYS = 4,
	INTERN_VALUE_SETS = 1 << 14, /* 2 MB */
	INTERN_PATH_SETS = 1 << 15,  /* 4 MB */
};

struct hash {
	uint64_t h[2];
};

int intern_init(struct store *s)
{
	s->values.sets = INTERN_VALUE_SETS;
	s->paths.sets = INTERN_PATH_SETS;
	s->values.slots = calloc((size_t)s->values.sets * INTERN_WAYS, sizeof(struct intern_slot));
	s->paths.slots = calloc((size_t)s->paths.sets * INTERN_WAYS, sizeof(struct intern_slot));
	return s->values.slots == NULL || s->paths.slots == NULL ? BP_ENOMEM : 0;
}

void intern_fini(struct store *s)
{
	free(s->values.slots);
	free(s->paths.slots);
}

static void cache_clear(struct intern_cache *c)
{
	memset(c->slots, 0, (size_t)c->sets * INTERN_WAYS * sizeof(struct intern_slot));
}

void intern_clear(struct store *s)
{
	cache_clear(&s->values);
	cache_clear(&s->paths);
	s->nth_max = -1;
}

/* s->key holds the kind, then the key. */
static struct hash hash_key(const struct store *s)
{
	struct hash h;

	crypto_shorthash_siphashx24((unsigned char *)h.h, (const unsigned char *)s->key.bytes,
				    s->key.used, s->hash_key);
	return h;
}

int64_t intern_hash(const struct store *s, const void *bytes, size_t n)
{
	struct hash h;

	crypto_shorthash_siphashx24((unsigned char *)h.h, bytes, n, s->hash_key);
	return (int64_t)h.h[0];
}

static struct intern_slot *cache_set(const struct intern_cache *c, const struct hash *h)
{
	return &c->slots[(size_t)(h->h[0] & (c->sets - 1)) * INTERN_WAYS];
}

static const struct intern_slot *cache_find(const struct intern_cache *c, const struct hash *h)
{
	struct intern_slot *set = cache_set(c, h);

	for (unsigned i = 0; i < INTERN_WAYS; i++) {
		if (set[i].hash[0] == h->h[0] && set[i].hash[1] == h->h[1])
			return &set[i];
	}
	return NULL;
}

/* The newest is first; the last one goes. */
static void cache_put(struct intern_cache *c, const struct hash *h, int64_t id, int64_t extra,
		      int64_t more)
{
	struct intern_slot *set = cache_set(c, h);

	memmove(set + 1, set, (INTERN_WAYS - 1) * sizeof(*set));
	set[0] = (struct intern_slot){{h->h[0], h->h[1]}, id, extra, more};
}

static void key_begin(struct store *s, enum intern_kind kind)
{
	buf_clear(&s->key);
	pack_u8(&s->key, (uint8_t)kind);
}

static const void *key_bytes(const struct store *s)
{
	return s->key.bytes + 1;
}
static size_t key_size(const struct store *s)
{
	return s->key.used - 1;
}

static int no_memory(struct bp_error *err)
{
	return bp_fail(err, BP_ENOMEM, "out of memory");
}

/* The row that FIND gives with its parameters bound: 0 there is none. */
static int find_row(struct store *s, sqlite3_stmt *st, int64_t *out, struct bp_error *err)
{
	int rc = sql_step(s, st, err);

	if (rc < 0)
		return rc;
	*out = rc == 1 ? sqlite3_column_int64(st, 0) : 0;
	sqlite3_reset(st);
	return 0;
}

static int add_row(struct store *s, sqlite3_stmt *st, int64_t *out, struct bp_error *err)
{
	int rc = sql_step(s, st, err);

	if (rc == 0)
		*out = sqlite3_last_insert_rowid(s->db);
	return rc;
}

/* A value whose table has its key: `bind` fills the columns behind the key when it is new. s->key
 * holds it. */
static int intern_key(struct store *s, enum stmt find, enum stmt add,
		      int (*bind)(struct store *s, sqlite3_stmt *st, const void *value,
				  struct bp_error *err),
		      const void *value, int64_t *out, struct bp_error *err)
{
	const struct intern_slot *slot;
	sqlite3_stmt *st;
	struct hash h;
	int64_t id = 0;
	int rc;

	if (s->key.failed)
		return no_memory(err);
	h = hash_key(s);
	slot = cache_find(&s->values, &h);
	if (slot != NULL) {
		*out = slot->id;
		return 0;
	}
	rc = sql_get(s, find, &st, err);
	if (rc < 0)
		return rc;
	bind_blob(st, 1, key_bytes(s), key_size(s));
	rc = find_row(s, st, &id, err);
	if (rc == 0 && id == 0) {
		rc = sql_get(s, add, &st, err);
		if (rc == 0) {
			/* The columns may be interned too, over the same scratch: copied. */
			sqlite3_bind_blob64(st, 1, key_bytes(s), key_size(s), SQLITE_TRANSIENT);
			rc = bind(s, st, value, err);
		}
		if (rc == 0)
			rc = add_row(s, st, &id, err);
	}
	if (rc < 0)
		return rc;
	cache_put(&s->values, &h, id, 0, 0);
	*out = id;
	return 0;
}

/* --- texts and addresses ---------------------------------------------------------------------- */

/* A text that is in the cache under s->key, or not. */
static int intern_text_as(struct store *s, const char *text, int64_t *out, struct bp_error *err)
{
	const struct intern_slot *slot;
	sqlite3_stmt *st;
	struct hash h;
	int64_t id = 0;
	int rc;

	if (s->key.failed)
		return no_memory(err);
	h = hash_key(s);
	slot = cache_find(&s->values, &h);
	if (slot != NULL) {
		*out = slot->id;
		return 0;
	}
	rc = sql_get(s, STMT_TEXT_FIND, &st, err);
	if (rc < 0)
		return rc;
	bind_text(st, 1, text);
	rc = find_row(s, st, &id, err);
	if (rc == 0 && id == 0) {
		rc = sql_get(s, STMT_TEXT_ADD, &st, err);
		if (rc == 0) {
			bind_text(st, 1, text);
			rc = add_row(s, st, &id, err);
		}
	}
	if (rc < 0)
		return rc;
	cache_put(&s->values, &h, id, 0, 0);
	*out = id;
	return 0;
}

int intern_text(struct store *s, const char *text, int64_t *out, struct bp_error *err)
{
	if (text[0] == '\0') {
		*out = 0;
		return 0;
	}
	key_begin(s, INTERN_TEXT);
	buf_str(&s->key, text);
	return intern_text_as(s, text, out, err);
}

int intern_addr(struct store *s, struct addr a, int64_t *out, struct bp_error *err)
{
	char text[ADDR_TEXT];

	if (!addr_is_set(a)) {
		*out = 0;
		return 0;
	}
	key_begin(s, INTERN_ADDR);
	pack_addr(&s->key, a);
	return intern_text_as(s, addr_format(a, text), out, err);
}

/* --- goals and settings ----------------------------------------------------------------------- */

static void bind_addr(sqlite3_stmt *st, int at, struct addr a)
{
	char text[ADDR_TEXT];

	if (addr_is_set(a))
		sqlite3_bind_text(st, at, addr_format(a, text), -1, SQLITE_TRANSIENT);
	else
		sqlite3_bind_null(st, at);
}

static int bind_goal(struct store *s, sqlite3_stmt *st, const void *value, struct bp_error *err)
{
	const struct trace *t = value;
	char text[PREFIX_TEXT];

	(void)s;
	(void)err;
	bind_text(st, 2, t->target);
	bind_addr(st, 3, t->dst);
	if (addr_is_set(t->dst))
		sqlite3_bind_text(st, 4,
				  prefix_format(prefix_of(t->dst, t->dst.family == 4 ? 24 : 48),
						text),
				  -1, SQLITE_TRANSIENT);
	else
		sqlite3_bind_null(st, 4);
	sqlite3_bind_int(st, 5, t->method);
	bind_known(st, 6, t->dport);
	bind_known(st, 7, t->flow);
	return 0;
}

int intern_goal(struct store *s, const struct trace *t, int64_t *out, struct bp_error *err)
{
	key_begin(s, INTERN_GOAL);
	value_put_goal(&s->key, t);
	return intern_key(s, STMT_GOAL_FIND, STMT_GOAL_ADD, bind_goal, t, out, err);
}

static int bind_settings(struct store *s, sqlite3_stmt *st, const void *value, struct bp_error *err)
{
	const struct trace *t = value;

	(void)s;
	(void)err;
	bind_addr(st, 2, t->src);
	sqlite3_bind_int(st, 3, t->attempts);
	sqlite3_bind_int(st, 4, t->stamps);
	bind_text(st, 5, t->tool);
	return 0;
}

int intern_settings(struct store *s, const struct trace *t, int64_t *out, struct bp_error *err)
{
	key_begin(s, INTERN_SETTINGS);
	value_put_settings(&s->key, t);
	return intern_key(s, STMT_SETTINGS_FIND, STMT_SETTINGS_ADD, bind_settings, t, out, err);
}

/* --- hops and paths --------------------------------------------------------------------------- */

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

static int bind_hop(struct store *s, sqlite3_stmt *st, const void *value, struct bp_error *err)
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

static int intern_hop(struct store *s, const struct trace_entry *e, struct addr dst, int64_t *out,
		      struct bp_error *err)
{
	struct hop_value v = {e, body_hop_is_dst(e, dst)};

	key_begin(s, INTERN_HOP);
	body_put_hop(&s->key, e, dst);
	return intern_key(s, STMT_HOP_FIND, STMT_HOP_ADD, bind_hop, &v, out, err);
}

/* So that the view `hops` can count as far as the longest path. */
static int extend_nth(struct store *s, uint32_t count, struct bp_error *err)
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

static int room_for_order(struct store *s, uint32_t count)
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
static int put_list(struct store *s, const struct trace *t, struct bp_error *err)
{
	int64_t most = 0, fixed[64], *ids = fixed;
	unsigned width = 2;
	int rc = 0;

	if (t->entry_count > 64) {
		ids = malloc(t->entry_count * sizeof(*ids));
		if (ids == NULL)
			return no_memory(err);
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
	return rc < 0 ? rc : s->body.failed ? no_memory(err) : 0;
}

struct path_value {
	const struct trace *t;
	const struct flat_trace *flat;
	int64_t hash;
	uint32_t slots;
};

static void bind_path(struct store *s, sqlite3_stmt *st, const struct path_value *v)
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

static void put_path_key(struct store *s, const struct path_value *v)
{
	const struct trace *t = v->t;

	key_begin(s, INTERN_PATH);
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
static int64_t path_place(const struct store *s, const struct hash *h)
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

static int find_path(struct store *s, const struct path_value *v, struct path_found *out,
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

/* Who answered at which TTL and how, whatever else is of the path: the sum of a hash for each
 * answer that differs from those of its TTL before it, so that order is nothing. */
static int64_t way_of(struct store *s, const struct trace *t)
{
	int64_t seen[16], sum = 0;
	unsigned count = 0;

	for (uint32_t i = 0; i < t->entry_count; i++) {
		const struct reply *r = &t->entries[i].reply;
		int64_t h;
		unsigned k;

		if (i == 0 || t->entries[i].ttl != t->entries[i - 1].ttl)
			count = 0;
		if (!addr_is_set(r->from))
			continue;
		key_begin(s, INTERN_NONE);
		pack_u8(&s->key, t->entries[i].ttl);
		pack_addr(&s->key,
			  body_hop_is_dst(&t->entries[i], t->dst) ? (struct addr){0} : r->from);
		pack_signed(&s->key, r->icmp_type);
		pack_signed(&s->key, r->icmp_code);
		pack_signed(&s->key, r->tcp_flags);
		pack_varint(&s->key, r->flags);
		h = intern_hash(s, s->key.bytes, s->key.used);
		for (k = 0; k < count && seen[k] != h;)
			k++;
		if (k < count)
			continue;
		if (count < sizeof(seen) / sizeof(seen[0]))
			seen[count++] = h;
		sum = (int64_t)((uint64_t)sum + (uint64_t)h);
	}
	return sum;
}

static int add_path(struct store *s, const struct path_value *v, int64_t as_path,
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
	sqlite3_bind_int64(st, 15, way_of(s, v->t));
	rc = add_row(s, st, &out->id, err);
	out->as_path = as_path;
	out->path_hash = (int64_t)v->flat->path_hash;
	return rc;
}

int intern_path(struct store *s, const struct trace *t, const struct flat_trace *f, int64_t as_path,
		struct path_row *out, struct bp_error *err)
{
	struct path_value v = {.t = t, .flat = f};
	struct path_found found = {0};
	const struct intern_slot *slot;
	struct hash h;
	int rc;

	if (room_for_order(s, t->entry_count) < 0)
		return no_memory(err);
	v.slots = body_order(t, s->order);
	rc = put_list(s, t, err);
	if (rc < 0)
		return rc;
	put_path_key(s, &v);
	if (s->key.failed)
		return no_memory(err);
	h = hash_key(s);
	slot = cache_find(&s->paths, &h);
	if (slot != NULL) {
		found = (struct path_found){slot->id, slot->extra, slot->more};
	} else {
		v.hash = path_place(s, &h);
		rc = find_path(s, &v, &found, err);
		if (rc == 0)
			rc = add_path(s, &v, as_path, &found, err);
		if (rc < 0)
			return rc;
		cache_put(&s->paths, &h, found.id, found.as_path, found.path_hash);
	}
	*out = (struct path_row){.id = found.id,
				 .slots = v.slots,
				 .same_hash = found.path_hash == (int64_t)f->path_hash,
				 .same_as_path = found.as_path == as_path};
	return 0;
}

/* --- names ------------------------------------------------------------------------------------ */

static void bind_geo(sqlite3_stmt *st, const struct geo_source *g)
{
	bind_text(st, 1, g->asn_db);
	bind_text(st, 2, g->asn_built);
	bind_text(st, 3, g->asn_sha256);
	bind_text(st, 4, g->country_db);
	bind_text(st, 5, g->country_built);
	bind_text(st, 6, g->country_sha256);
}

int intern_geo(struct store *s, const struct geo_source *g, int64_t *out, struct bp_error *err)
{
	sqlite3_stmt *st;
	int64_t id = 0;
	int rc = sql_get(s, STMT_GEO_FIND, &st, err);

	if (rc < 0)
		return rc;
	bind_geo(st, g);
	rc = find_row(s, st, &id, err);
	if (rc == 0 && id == 0) {
		rc = sql_get(s, STMT_GEO_ADD, &st, err);
		if (rc == 0) {
			bind_geo(st, g);
			rc = add_row(s, st, &id, err);
		}
	}
	if (rc == 0)
		*out = id;
	return rc;
}

static int bind_name(struct store *s, sqlite3_stmt *st, const void *value, struct bp_error *err)
{
	const struct name *n = value;

	(void)s;
	(void)err;
	bind_nonzero(st, 2, n->asn);
	bind_text(st, 3, n->org);
	bind_text(st, 4, n->country);
	bind_text(st, 5, n->label);
	return 0;
}

static int intern_name(struct store *s, const struct name *n, int64_t *out, struct bp_error *err)
{
	key_begin(s, INTERN_NAME);
	value_put_name(&s->key, n);
	return intern_key(s, STMT_NAME_FIND, STMT_NAME_ADD, bind_name, n, out, err);
}

/* How the databases `geo` name an address: the first that was said of it. */
static int geo_name(struct store *s, int64_t geo, struct addr a, int64_t name, int64_t *out,
		    struct bp_error *err)
{
	const struct intern_slot *slot;
	sqlite3_stmt *st;
	int64_t addr = 0, id = 0;
	struct hash h;
	int rc;

	key_begin(s, INTERN_GEO_NAME);
	pack_varint(&s->key, (uint64_t)geo);
	pack_addr(&s->key, a);
	if (s->key.failed)
		return no_memory(err);
	h = hash_key(s);
	slot = cache_find(&s->values, &h);
	if (slot != NULL) {
		*out = slot->id;
		return 0;
	}
	rc = intern_addr(s, a, &addr, err);
	if (rc == 0)
		rc = sql_get(s, STMT_GEO_NAME_FIND, &st, err);
	if (rc < 0)
		return rc;
	sqlite3_bind_int64(st, 1, geo);
	sqlite3_bind_int64(st, 2, addr);
	rc = find_row(s, st, &id, err);
	if (rc == 0 && id == 0) {
		rc = sql_get(s, STMT_GEO_NAME_ADD, &st, err);
		if (rc == 0) {
			id = name;
			sqlite3_bind_int64(st, 1, geo);
			sqlite3_bind_int64(st, 2, addr);
			sqlite3_bind_int64(st, 3, name);
			rc = sql_step(s, st, err);
		}
	}
	if (rc < 0)
		return rc;
	cache_put(&s->values, &h, id, 0, 0);
	*out = id;
	return 0;
}

/* Whether exactly the source, the destination and those who answered are named, as annotate
 * does. */
static bool names_usual(const struct trace *t, const struct names *names)
{
	uint32_t seen = 0;

	/* names are sorted and different: as many as there are different addresses, and all
	 * found. */
	for (uint32_t i = 0; i < names->count; i++) {
		struct addr a = names->items[i].addr;
		bool used = addr_equal(a, t->src) || addr_equal(a, t->dst);

		for (uint32_t k = 0; k < t->entry_count && !used; k++)
			used = addr_equal(a, t->entries[k].reply.from);
		seen += used;
	}
	if (seen != names->count || (addr_is_set(t->src) && !names_find(names, t->src)) ||
	    (addr_is_set(t->dst) && !names_find(names, t->dst)))
		return false;
	for (uint32_t k = 0; k < t->entry_count; k++) {
		struct addr a = t->entries[k].reply.from;

		if (addr_is_set(a) && (k == 0 || !addr_equal(a, t->entries[k - 1].reply.from)) &&
		    names_find(names, a) == NULL)
			return false;
	}
	return true;
}

struct naming_value {
	int64_t geo, as_path;
	bool own;
};

static int bind_naming(struct store *s, sqlite3_stmt *st, const void *value, struct bp_error *err)
{
	const struct naming_value *v = value;

	(void)s;
	(void)err;
	sqlite3_bind_int64(st, 2, v->geo);
	sqlite3_bind_int(st, 3, v->own);
	bind_nonzero(st, 4, v->as_path);
	return 0;
}

static int add_naming_names(struct store *s, int64_t naming, const struct names *names,
			    const int64_t *ids, struct bp_error *err)
{
	int rc = 0;

	for (uint32_t i = 0; i < names->count && rc == 0; i++) {
		sqlite3_stmt *st;
		int64_t addr = 0;

		rc = intern_addr(s, names->items[i].addr, &addr, err);
		if (rc == 0)
			rc = sql_get(s, STMT_NAMING_NAME_ADD, &st, err);
		if (rc < 0)
			break;
		sqlite3_bind_int64(st, 1, naming);
		sqlite3_bind_int64(st, 2, addr);
		sqlite3_bind_int64(st, 3, ids[i]);
		rc = sql_step(s, st, err);
	}
	return rc;
}

int intern_naming(struct store *s, const struct trace *t, const struct names *names, int64_t geo,
		  int64_t as_path, int64_t *out, bool *own, struct bp_error *err)
{
	struct naming_value v = {.geo = geo, .as_path = as_path};
	int64_t fixed[64], *ids = fixed;
	int rc = 0;

	if (names->count > 64) {
		ids = malloc(names->count * sizeof(*ids));
		if (ids == NULL)
			return no_memory(err);
	}
	v.own = !names_usual(t, names);
	for (uint32_t i = 0; i < names->count && rc == 0; i++) {
		int64_t usual = 0;

		rc = intern_name(s, &names->items[i], &ids[i], err);
		if (rc == 0 && !v.own)
			rc = geo_name(s, geo, names->items[i].addr, ids[i], &usual, err);
		if (rc == 0 && !v.own)
			v.own = usual != ids[i];
	}
	if (rc == 0) {
		key_begin(s, INTERN_NAMING);
		pack_varint(&s->key, (uint64_t)geo);
		pack_varint(&s->key, (uint64_t)as_path);
		pack_u8(&s->key, v.own);
		for (uint32_t i = 0; v.own && i < names->count; i++)
			pack_varint(&s->key, (uint64_t)ids[i]);
		rc = intern_key(s, STMT_NAMING_FIND, STMT_NAMING_ADD, bind_naming, &v, out, err);
	}
	if (rc == 0 && v.own)
		rc = add_naming_names(s, *out, names, ids, err);
	*own = v.own;
	if (ids != fixed)
		free(ids);
	return rc;
}

/* --- verdicts --------------------------------------------------------------------------------- */

static void bind_place(sqlite3_stmt *st, int at, uint8_t ttl, struct addr from,
		       const struct trace *t)
{
	bind_nonzero(st, at, ttl);
	/* NULL: as the path says; empty: nobody. */
	if (addr_is_set(from) && addr_equal(from, value_addr_at(t, ttl)))
		sqlite3_bind_null(st, at + 1);
	else if (addr_is_set(from))
		bind_addr(st, at + 1, from);
	else
		sqlite3_bind_text(st, at + 1, "", 0, SQLITE_STATIC);
}

static void bind_verdict(sqlite3_stmt *st, const struct verdict *v, const struct trace *t)
{
	sqlite3_bind_int(st, 3, v->outcome);
	bind_text(st, 4, v->border);
	sqlite3_bind_int(st, 5, v->class);
	sqlite3_bind_double(st, 6, v->confidence);
	bind_nonzero(st, 7, v->via_asn);
	bind_text(st, 8, v->rule);
	bind_place(st, 9, v->last_outside_ttl, v->last_outside, t);
	bind_place(st, 11, v->first_inside_ttl, v->first_inside, t);
}

int intern_verdict(struct store *s, const struct trace *t, const struct verdict *v, int64_t *out,
		   struct bp_error *err)
{
	const struct intern_slot *slot;
	sqlite3_stmt *st;
	int64_t id = 0;
	struct hash h;
	int rc;

	key_begin(s, INTERN_VERDICT);
	value_put_verdict(&s->key, v, t);
	if (s->key.failed)
		return no_memory(err);
	h = hash_key(s);
	slot = cache_find(&s->values, &h);
	if (slot != NULL) {
		*out = slot->id;
		return 0;
	}
	rc = sql_get(s, STMT_VERDICT_FIND, &st, err);
	if (rc < 0)
		return rc;
	sqlite3_bind_int64(st, 1, (int64_t)h.h[0]);
	bind_blob(st, 2, key_bytes(s), key_size(s));
	rc = find_row(s, st, &id, err);
	if (rc == 0 && id == 0) {
		rc = sql_get(s, STMT_VERDICT_ADD, &st, err);
		if (rc == 0) {
			sqlite3_bind_int64(st, 1, (int64_t)h.h[0]);
			bind_blob(st, 2, key_bytes(s), key_size(s));
			bind_verdict(st, v, t);
			rc = add_row(s, st, &id, err);
		}
	}
	if (rc < 0)
		return rc;
	cache_put(&s->values, &h, id, 0, 0);
	*out = id;
	return 0;
}

int intern_judge(struct store *s, const struct verdict *v, int64_t geo, int64_t at_us, int64_t *out,
		 struct bp_error *err)
{
	sqlite3_stmt *st;
	int rc = sql_get(s, STMT_JUDGE_ADD, &st, err);

	if (rc < 0)
		return rc;
	bind_text(st, 1, v->profile);
	bind_text(st, 2, v->profile_version);
	bind_nonzero(st, 3, geo);
	bind_nonzero(st, 4, at_us);
	return add_row(s, st, out, err);
}

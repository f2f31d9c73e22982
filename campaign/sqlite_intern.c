// SPDX-License-Identifier: BSD-2-Clause
/*
 * Values that repeat, as row numbers: looked up in a cache of bounded size, then in the table, then
 * added. A key is hashed with the store's own secret (128 bits of SipHash), so that nobody can make
 * two of them meet; the tables compare whole keys.
 */
#include "campaign/sqlite_intern.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/pack.h"

enum {
	INTERN_WAYS = 4,
	INTERN_VALUE_SETS = 1 << 14, /* 2.5 MB */
	INTERN_PATH_SETS = 1 << 15,  /* 5 MB */
};

int intern_init(struct sqlite_store *s)
{
	s->values.sets = INTERN_VALUE_SETS;
	s->paths.sets = INTERN_PATH_SETS;
	s->values.slots = calloc((size_t)s->values.sets * INTERN_WAYS, sizeof(struct intern_slot));
	s->paths.slots = calloc((size_t)s->paths.sets * INTERN_WAYS, sizeof(struct intern_slot));
	return s->values.slots == NULL || s->paths.slots == NULL ? BP_ENOMEM : 0;
}

void intern_fini(struct sqlite_store *s)
{
	free(s->values.slots);
	free(s->paths.slots);
}

static void cache_clear(struct intern_cache *c)
{
	memset(c->slots, 0, (size_t)c->sets * INTERN_WAYS * sizeof(struct intern_slot));
}

void intern_clear(struct sqlite_store *s)
{
	cache_clear(&s->values);
	cache_clear(&s->paths);
	s->nth_max = -1;
}

/* s->key holds the kind, then the key. */
struct intern_hash intern_hash_key(const struct sqlite_store *s)
{
	struct intern_hash h;

	crypto_shorthash_siphashx24((unsigned char *)h.h, (const unsigned char *)s->key.bytes,
				    s->key.used, s->hash_key);
	return h;
}

int64_t intern_hash(const struct sqlite_store *s, const void *bytes, size_t n)
{
	struct intern_hash h;

	crypto_shorthash_siphashx24((unsigned char *)h.h, bytes, n, s->hash_key);
	return (int64_t)h.h[0];
}

static struct intern_slot *cache_set(const struct intern_cache *c, const struct intern_hash *h)
{
	return &c->slots[(size_t)(h->h[0] & (c->sets - 1)) * INTERN_WAYS];
}

const struct intern_slot *intern_cached(const struct intern_cache *c, const struct intern_hash *h)
{
	struct intern_slot *set = cache_set(c, h);

	for (unsigned i = 0; i < INTERN_WAYS; i++) {
		if (set[i].hash[0] == h->h[0] && set[i].hash[1] == h->h[1])
			return &set[i];
	}
	return NULL;
}

/* The newest is first; the last one goes. */
void intern_remember(struct intern_cache *c, const struct intern_hash *h, int64_t id, int64_t extra,
		     int64_t more)
{
	struct intern_slot *set = cache_set(c, h);

	memmove(set + 1, set, (INTERN_WAYS - 1) * sizeof(*set));
	set[0] = (struct intern_slot){{h->h[0], h->h[1]}, id, extra, more};
}

void intern_begin(struct sqlite_store *s, enum intern_kind kind)
{
	buf_clear(&s->key);
	pack_u8(&s->key, (uint8_t)kind);
}

const void *intern_bytes(const struct sqlite_store *s)
{
	return s->key.bytes + 1;
}
size_t intern_size(const struct sqlite_store *s)
{
	return s->key.used - 1;
}

int intern_no_memory(struct bp_error *err)
{
	return bp_fail(err, BP_ENOMEM, "out of memory");
}

/* The row that FIND gives with its parameters bound: 0 there is none. */
int intern_find_row(struct sqlite_store *s, sqlite3_stmt *st, int64_t *out, struct bp_error *err)
{
	int rc = sql_step(s, st, err);

	if (rc < 0)
		return rc;
	*out = rc == 1 ? sqlite3_column_int64(st, 0) : 0;
	sqlite3_reset(st);
	return 0;
}

int intern_add_row(struct sqlite_store *s, sqlite3_stmt *st, int64_t *out, struct bp_error *err)
{
	int rc = sql_step(s, st, err);

	if (rc == 0)
		*out = sqlite3_last_insert_rowid(s->db);
	return rc;
}

int intern_seen(struct sqlite_store *s, struct intern_hash *h, int64_t *out, struct bp_error *err)
{
	const struct intern_slot *slot;

	if (s->key.failed)
		return intern_no_memory(err);
	*h = intern_hash_key(s);
	slot = intern_cached(&s->values, h);
	if (slot == NULL)
		return 0;
	*out = slot->id;
	return 1;
}

/* A value whose table has its key: `bind` fills the columns behind the key when it is new. s->key
 * holds it. */
int intern_key(struct sqlite_store *s, enum stmt find, enum stmt add,
	       int (*bind_value)(struct sqlite_store *s, sqlite3_stmt *st, const void *value,
				 struct bp_error *err),
	       const void *value, int64_t *out, struct bp_error *err)
{
	sqlite3_stmt *st;
	struct intern_hash h;
	int64_t id = 0;
	int rc;

	rc = intern_seen(s, &h, out, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = sql_get(s, find, &st, err);
	if (rc < 0)
		return rc;
	bind_blob(st, 1, intern_bytes(s), intern_size(s));
	rc = intern_find_row(s, st, &id, err);
	if (rc == 0 && id == 0) {
		rc = sql_get(s, add, &st, err);
		if (rc == 0) {
			/* The columns may be interned too, over the same scratch: copied. */
			sqlite3_bind_blob64(st, 1, intern_bytes(s), intern_size(s),
					    SQLITE_TRANSIENT);
			rc = bind_value(s, st, value, err);
		}
		if (rc == 0)
			rc = intern_add_row(s, st, &id, err);
	}
	if (rc < 0)
		return rc;
	intern_remember(&s->values, &h, id, 0, 0);
	*out = id;
	return 0;
}

/* --- texts and addresses ---------------------------------------------------------------------- */

/* A text that is in the cache under s->key, or not. */
static int intern_text_as(struct sqlite_store *s, const char *text, int64_t *out,
			  struct bp_error *err)
{
	sqlite3_stmt *st;
	struct intern_hash h;
	int64_t id = 0;
	int rc;

	rc = intern_seen(s, &h, out, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = sql_get(s, STMT_TEXT_FIND, &st, err);
	if (rc < 0)
		return rc;
	bind_text(st, 1, text);
	rc = intern_find_row(s, st, &id, err);
	if (rc == 0 && id == 0) {
		rc = sql_get(s, STMT_TEXT_ADD, &st, err);
		if (rc == 0) {
			bind_text(st, 1, text);
			rc = intern_add_row(s, st, &id, err);
		}
	}
	if (rc < 0)
		return rc;
	intern_remember(&s->values, &h, id, 0, 0);
	*out = id;
	return 0;
}

int intern_text(struct sqlite_store *s, const char *text, int64_t *out, struct bp_error *err)
{
	if (text[0] == '\0') {
		*out = 0;
		return 0;
	}
	intern_begin(s, INTERN_TEXT);
	buf_str(&s->key, text);
	return intern_text_as(s, text, out, err);
}

int intern_addr(struct sqlite_store *s, struct addr a, int64_t *out, struct bp_error *err)
{
	char text[ADDR_TEXT];

	if (!addr_is_set(a)) {
		*out = 0;
		return 0;
	}
	intern_begin(s, INTERN_ADDR);
	pack_addr(&s->key, a);
	return intern_text_as(s, addr_format(a, text), out, err);
}

/* --- goals and settings ----------------------------------------------------------------------- */

void bind_addr(sqlite3_stmt *st, int at, struct addr a)
{
	char text[ADDR_TEXT];

	if (addr_is_set(a))
		sqlite3_bind_text(st, at, addr_format(a, text), -1, SQLITE_TRANSIENT);
	else
		sqlite3_bind_null(st, at);
}

static int bind_goal(struct sqlite_store *s, sqlite3_stmt *st, const void *value,
		     struct bp_error *err)
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

int intern_goal(struct sqlite_store *s, const struct trace *t, int64_t *out, struct bp_error *err)
{
	intern_begin(s, INTERN_GOAL);
	value_put_goal(&s->key, t);
	return intern_key(s, STMT_GOAL_FIND, STMT_GOAL_ADD, bind_goal, t, out, err);
}

static int bind_settings(struct sqlite_store *s, sqlite3_stmt *st, const void *value,
			 struct bp_error *err)
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

int intern_settings(struct sqlite_store *s, const struct trace *t, int64_t *out,
		    struct bp_error *err)
{
	intern_begin(s, INTERN_SETTINGS);
	value_put_settings(&s->key, t);
	return intern_key(s, STMT_SETTINGS_FIND, STMT_SETTINGS_ADD, bind_settings, t, out, err);
}

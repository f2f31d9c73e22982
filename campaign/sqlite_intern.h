// SPDX-License-Identifier: BSD-2-Clause
/*
 * How a value becomes a row number: its key is put into s->key, hashed, looked for in a cache, then
 * in its table, then added. Private to campaign/sqlite_intern*.c.
 */
#ifndef CAMPAIGN_SQLITE_INTERN_H
#define CAMPAIGN_SQLITE_INTERN_H

#include "campaign/sqlite.h"

/* Of kind and key, under the store's secret. */
struct intern_hash {
	uint64_t h[2];
};

/* Empties s->key and puts the kind there; the caller packs the key behind it. */
void intern_begin(struct sqlite_store *s, enum intern_kind kind);
const void *intern_bytes(const struct sqlite_store *s);
size_t intern_size(const struct sqlite_store *s);
struct intern_hash intern_hash_key(const struct sqlite_store *s);

/* NULL: not in the cache. Borrowed until the next intern_remember. */
const struct intern_slot *intern_cached(const struct intern_cache *c, const struct intern_hash *h);
void intern_remember(struct intern_cache *c, const struct intern_hash *h, int64_t id, int64_t extra,
		     int64_t more);

/* The row that a statement finds with its parameters bound, 0 none; or that it adds. */
int intern_find_row(struct sqlite_store *s, sqlite3_stmt *st, int64_t *out, struct bp_error *err);
int intern_add_row(struct sqlite_store *s, sqlite3_stmt *st, int64_t *out, struct bp_error *err);
/* Whether the value that s->key holds is known: 1, and *out is its row; 0; BP_ENOMEM. *h, for
 * intern_remember, unless out of memory. */
int intern_seen(struct sqlite_store *s, struct intern_hash *h, int64_t *out, struct bp_error *err);
/* A value whose table has its key, which s->key holds: `bind` fills the columns behind the key when
 * it is new, and may intern other values. */
int intern_key(struct sqlite_store *s, enum stmt find, enum stmt add,
	       int (*bind)(struct sqlite_store *s, sqlite3_stmt *st, const void *value,
			   struct bp_error *err),
	       const void *value, int64_t *out, struct bp_error *err);

void bind_addr(sqlite3_stmt *st, int at, struct addr a);
int intern_no_memory(struct bp_error *err);

#endif

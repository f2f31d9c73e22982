// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is known and what waits, in memory: a cache of bounded size of values whose rows are known
 * (4 ways a set, the oldest goes), and tables of what has no row yet. No connection.
 */
#include "campaign/postgres/pg_news.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/pack.h"

enum {
	WAYS = 4,
	VALUE_SETS = 1 << 15, /* 4 MB */
	PATH_SETS = 1 << 15,  /* 4 MB */
	KIND_SHIFT = 26,
};

/* --- the cache -------------------------------------------------------------------------------- */

static const struct pg_slot *cached(const struct pg_cache *c, const struct pg_hash *h)
{
	const struct pg_slot *set = &c->slots[(size_t)(h->h[0] & (c->sets - 1)) * WAYS];

	for (unsigned i = 0; i < WAYS; i++) {
		if (set[i].hash.h[0] == h->h[0] && set[i].hash.h[1] == h->h[1])
			return &set[i];
	}
	return NULL;
}

void pg_remember(struct pg_cache *c, const struct pg_hash *h, int32_t id, int32_t extra,
		 int64_t more)
{
	struct pg_slot *set = &c->slots[(size_t)(h->h[0] & (c->sets - 1)) * WAYS];

	memmove(set + 1, set, (WAYS - 1) * sizeof(*set));
	set[0] = (struct pg_slot){*h, id, extra, more};
}

/* --- places ----------------------------------------------------------------------------------- */

static void put_place(struct pg_places *p, uint64_t hash, uint32_t number1)
{
	uint64_t at = hash;

	while (p->slots[at & (p->size - 1)].number1 != 0)
		at++;
	p->slots[at & (p->size - 1)] = (struct pg_place){hash, number1};
	p->used++;
}

int pg_places_put(struct pg_places *p, uint64_t hash, uint32_t number)
{
	if (2 * (uint64_t)p->used >= p->size) {
		struct pg_places more = {.size = p->size > 0 ? 2 * p->size : 4096};

		more.slots = more.size > p->size ? calloc(more.size, sizeof(*more.slots)) : NULL;
		if (more.slots == NULL)
			return BP_ENOMEM;
		for (uint32_t i = 0; i < p->size; i++) {
			if (p->slots[i].number1 != 0)
				put_place(&more, p->slots[i].hash, p->slots[i].number1);
		}
		free(p->slots);
		*p = more;
	}
	put_place(p, hash, number + 1);
	return 0;
}

void pg_places_clear(struct pg_places *p)
{
	if (p->used > 0)
		memset(p->slots, 0, p->size * sizeof(*p->slots));
	p->used = 0;
}

bool pg_places_next(const struct pg_places *p, uint64_t hash, uint32_t *at, uint32_t *number)
{
	while (*at < p->size) {
		const struct pg_place *slot = &p->slots[(hash + (*at)++) & (p->size - 1)];

		if (slot->number1 == 0)
			return false;
		if (slot->hash == hash) {
			*number = slot->number1 - 1;
			return true;
		}
	}
	return false;
}

/* --- all of it -------------------------------------------------------------------------------- */

int pg_room(void **list, uint32_t *room, uint32_t wanted, size_t size)
{
	uint32_t more = *room > 0 ? *room : 256;
	void *at;

	if (wanted <= *room)
		return 0;
	while (more < wanted && more < UINT32_MAX / 2)
		more *= 2;
	at = more >= wanted ? reallocarray(*list, more, size) : NULL;
	if (at == NULL)
		return BP_ENOMEM;
	*list = at;
	*room = more;
	return 0;
}

int pg_news_new(struct pg_news **out)
{
	struct pg_news *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return BP_ENOMEM;
	n->values.sets = VALUE_SETS;
	n->paths.sets = PATH_SETS;
	n->values.slots = calloc((size_t)n->values.sets * WAYS, sizeof(struct pg_slot));
	n->paths.slots = calloc((size_t)n->paths.sets * WAYS, sizeof(struct pg_slot));
	if (n->values.slots == NULL || n->paths.slots == NULL) {
		pg_news_free(n);
		return BP_ENOMEM;
	}
	*out = n;
	return 0;
}

void pg_news_free(struct pg_news *n)
{
	if (n == NULL)
		return;
	for (unsigned k = 0; k < PG_KINDS; k++) {
		free(n->fresh[k].hashes);
		free(n->fresh[k].ids);
		for (unsigned i = 0; i < PG_COLUMNS_MAX; i++)
			pg_array_fini(&n->fresh[k].columns[i]);
	}
	free(n->values.slots);
	free(n->paths.slots);
	free(n->places.slots);
	free(n->ids.slots);
	free(n->geo_names);
	free(n->paths_of);
	free(n->namings);
	free(n->judge_geos);
	free(n->refs);
	free(n->segments);
	free(n->traces);
	free(n->objects);
	free(n->judgements);
	free(n->rounds);
	free(n->order);
	free(n->locked);
	buf_fini(&n->bytes);
	buf_fini(&n->key);
	buf_fini(&n->rows);
	free(n);
}

bool pg_news_full(const struct pg_news *n)
{
	return n->trace_count >= PG_WAITING_TRACES || n->round_count >= PG_WAITING_ROUNDS ||
	       n->bytes.used >= PG_WAITING_BYTES;
}

void pg_news_clear(struct pg_news *n)
{
	for (unsigned k = 0; k < PG_KINDS; k++) {
		n->fresh[k].count = 0;
		for (unsigned i = 0; i < PG_COLUMNS_MAX; i++)
			pg_array_clear(&n->fresh[k].columns[i]);
	}
	pg_places_clear(&n->places);
	pg_places_clear(&n->ids);
	n->ref_count = n->segment_count = n->trace_count = 0;
	n->object_count = n->judgement_count = n->round_count = 0;
	n->share.open = false;
	buf_clear(&n->bytes);
}

void pg_news_forget(struct pg_news *n)
{
	pg_news_clear(n);
	memset(n->values.slots, 0, (size_t)n->values.sets * WAYS * sizeof(struct pg_slot));
	memset(n->paths.slots, 0, (size_t)n->paths.sets * WAYS * sizeof(struct pg_slot));
	n->locked_count = 0;
	n->day_count = 0;
}

/* --- keys ------------------------------------------------------------------------------------- */

struct pg_hash pg_hash_of(const struct pg_store *s, const void *bytes, size_t n)
{
	struct pg_hash h;

	crypto_shorthash_siphashx24((unsigned char *)h.h, bytes, n, s->hash_key);
	return h;
}

uint64_t pg_id_hash(const struct pg_store *s, const char *id)
{
	return pg_hash_of(s, id, strlen(id)).h[0];
}

void pg_key_begin(struct pg_news *n, enum pg_kind kind)
{
	buf_clear(&n->key);
	pack_u8(&n->key, (uint8_t)kind);
}

int pg_find(struct pg_store *s, enum pg_kind kind, struct pg_hash *hash, pg_ref *out,
	    const struct pg_slot **slot)
{
	struct pg_news *n = s->news;
	const struct pg_slot *known;
	uint32_t at = 0, number;

	if (n->key.failed)
		return BP_ENOMEM;
	*hash = pg_hash_of(s, n->key.bytes, n->key.used);
	known = cached(kind == PG_KIND_PATH ? &n->paths : &n->values, hash);
	if (slot != NULL)
		*slot = known;
	if (known != NULL) {
		*out = known->id;
		return 1;
	}
	while (pg_places_next(&n->places, hash->h[1], &at, &number)) {
		uint32_t place = number & ((1u << KIND_SHIFT) - 1);

		if (number >> KIND_SHIFT == kind &&
		    n->fresh[kind].hashes[place].h[0] == hash->h[0]) {
			*out = -1 - (pg_ref)place;
			return 1;
		}
	}
	return 0;
}

int pg_fresh_add(struct pg_store *s, enum pg_kind kind, const struct pg_hash *hash, pg_ref *out)
{
	struct pg_news *n = s->news;
	struct pg_fresh *f = &n->fresh[kind];
	uint32_t room = f->room, same = f->room;
	void *hashes = f->hashes, *ids = f->ids;

	if (f->count == (1u << KIND_SHIFT) - 1 ||
	    pg_room(&hashes, &room, f->count + 1, sizeof(*f->hashes)) < 0)
		return BP_ENOMEM;
	f->hashes = hashes;
	if (pg_room(&ids, &same, f->count + 1, sizeof(*f->ids)) < 0)
		return BP_ENOMEM;
	f->ids = ids;
	f->room = room;
	if (pg_places_put(&n->places, hash->h[1], (uint32_t)kind << KIND_SHIFT | f->count) < 0)
		return BP_ENOMEM;
	f->hashes[f->count] = *hash;
	f->ids[f->count] = 0;
	*out = -1 - (pg_ref)f->count++;
	return 0;
}

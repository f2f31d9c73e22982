// SPDX-License-Identifier: BSD-2-Clause
/* A hash table with open addressing, at most half full. */
#include "analysis/diff_intern.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"

/* Bytes are not given back one by one, so they need no allocation each. */
struct intern_chunk {
	struct intern_chunk *next;
	size_t used, room;
	_Alignas(max_align_t) unsigned char bytes[];
};
enum { CHUNK = 64 * 1024 };

void diff_intern_fini(struct intern *t)
{
	while (t->chunk != NULL) {
		struct intern_chunk *next = t->chunk->next;

		free(t->chunk);
		t->chunk = next;
	}
	free(t->items);
	free(t->table);
	*t = (struct intern){0};
}

static void *chunk_copy(struct intern *t, const void *bytes, size_t n)
{
	const size_t align = _Alignof(max_align_t);
	size_t size = (n / align + 1) * align;
	struct intern_chunk *c = t->chunk;
	void *at;

	if (c == NULL || c->room - c->used < size) {
		/* The first ones are small: many tables stay so. */
		size_t room = c == NULL ? 1024 : c->room < CHUNK ? 4 * c->room : CHUNK;

		room = room < size ? size : room;
		c = malloc(sizeof(*c) + room);
		if (c == NULL)
			return NULL;
		*c = (struct intern_chunk){.next = t->chunk, .room = room};
		t->chunk = c;
	}
	at = c->bytes + c->used;
	c->used += size;
	return memcpy(at, bytes, n);
}

/* FNV-1a (Fowler, Noll, Vo; draft-eastlake-fnv), eight bytes at a step, folded at the end. */
static uint64_t hash_of(const void *bytes, size_t n)
{
	const unsigned char *c = bytes;
	uint64_t h = UINT64_C(0xcbf29ce484222325), word;

	for (; n >= sizeof(word); n -= sizeof(word), c += sizeof(word)) {
		memcpy(&word, c, sizeof(word));
		h = (h ^ word) * UINT64_C(0x100000001b3);
		h ^= h >> 29;
	}
	for (; n > 0; n--, c++)
		h = (h ^ *c) * UINT64_C(0x100000001b3);
	return h ^ h >> 32;
}

static uint32_t tag_of(uint64_t hash)
{
	return (uint32_t)(hash >> 32);
}

static void table_add(struct intern *t, uint32_t number)
{
	uint64_t hash = t->items[number].hash;
	uint32_t at = (uint32_t)hash & (t->table_size - 1);

	while (t->table[at].number1 != 0)
		at = (at + 1) & (t->table_size - 1);
	t->table[at] = (struct intern_place){number + 1, tag_of(hash)};
}

static bool grow(struct intern *t)
{
	uint32_t room = t->room > 0 ? 2 * t->room : 64;
	struct intern_item *items = reallocarray(t->items, room, sizeof(*items));
	struct intern_place *table;

	if (items == NULL)
		return false;
	t->items = items;
	table = calloc(2 * (size_t)room, sizeof(*table));
	if (table == NULL)
		return false;
	free(t->table);
	t->table = table;
	t->room = room;
	t->table_size = 2 * room;
	for (uint32_t i = 0; i < t->count; i++)
		table_add(t, i);
	return true;
}

int diff_intern_put(struct intern *t, const void *bytes, size_t n, uint32_t *number)
{
	uint64_t hash = hash_of(bytes, n);
	struct intern_item *item;

	for (uint32_t at = (uint32_t)hash; t->table_size > 0; at++) {
		const struct intern_place *found = &t->table[at & (t->table_size - 1)];

		if (found->number1 == 0)
			break;
		if (found->tag != tag_of(hash))
			continue;
		item = &t->items[found->number1 - 1];
		if (item->size == n && memcmp(item->bytes, bytes, n) == 0) {
			*number = found->number1 - 1;
			return 0;
		}
	}
	if (t->count == t->room && (t->room > UINT32_MAX / 4 || !grow(t)))
		return BP_ENOMEM;
	item = &t->items[t->count];
	*item = (struct intern_item){.bytes = chunk_copy(t, bytes, n), .size = n, .hash = hash};
	if (item->bytes == NULL)
		return BP_ENOMEM;
	*number = t->count++;
	table_add(t, *number);
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	const struct intern_item *x = *(const struct intern_item *const *)a;
	const struct intern_item *y = *(const struct intern_item *const *)b;
	int c = memcmp(x->bytes, y->bytes, x->size < y->size ? x->size : y->size);

	return c != 0 ? c : (x->size > y->size) - (x->size < y->size);
}

/* Long values are seldom looked at. */
static int by_hash(const void *a, const void *b)
{
	const struct intern_item *x = *(const struct intern_item *const *)a;
	const struct intern_item *y = *(const struct intern_item *const *)b;

	return x->hash != y->hash ? (x->hash > y->hash) - (x->hash < y->hash) : by_bytes(a, b);
}

static int ranks(const struct intern *t, int (*by)(const void *a, const void *b), uint32_t **out)
{
	const struct intern_item **sorted = calloc(t->count + 1, sizeof(void *));
	uint32_t *ranks = calloc(t->count + 1, sizeof(*ranks));

	if (sorted == NULL || ranks == NULL) {
		free(sorted);
		free(ranks);
		return BP_ENOMEM;
	}
	for (uint32_t i = 0; i < t->count; i++)
		sorted[i] = &t->items[i];
	qsort(sorted, t->count, sizeof(sorted[0]), by);
	for (uint32_t i = 0; i < t->count; i++)
		ranks[sorted[i] - t->items] = i;
	free(sorted);
	*out = ranks;
	return 0;
}

int diff_intern_ranks(const struct intern *t, uint32_t **out)
{
	return ranks(t, by_bytes, out);
}

int diff_intern_ranks_any(const struct intern *t, uint32_t **out)
{
	return ranks(t, by_hash, out);
}

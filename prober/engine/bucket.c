// SPDX-License-Identifier: BSD-2-Clause
/* One bucket, and a set-associative table of them. */
#include "prober/engine/bucket.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"

enum { WAYS = 8 }; /* places in which one key may lie */

struct mono bucket_ready_at(const struct bucket *b, int64_t burst)
{
	return mono_add(b->full_at, -(burst - 1) * b->interval_ns);
}

void bucket_take(struct bucket *b, struct mono now)
{
	if (!mono_reached(b->full_at, now))
		b->full_at = now;
	b->full_at = mono_add(b->full_at, b->interval_ns);
}

void bucket_set_interval(struct bucket *b, int64_t interval_ns, struct mono now)
{
	int64_t missing = mono_since(b->full_at, now);

	if (missing > 0)
		b->full_at = mono_add(now, (int64_t)((double)missing * (double)interval_ns /
						     (double)b->interval_ns));
	b->interval_ns = interval_ns;
}

int bucket_table_init(struct bucket_table *t, uint32_t room)
{
	size_t sets = ((size_t)room + WAYS - 1) / WAYS;

	t->room = sets * WAYS;
	/* calloc: pages of buckets never used are never touched. */
	t->items = calloc(t->room, sizeof(t->items[0]));
	return t->items != NULL ? 0 : BP_ENOMEM;
}

void bucket_table_fini(struct bucket_table *t)
{
	free(t->items);
	memset(t, 0, sizeof(*t));
}

static struct bucket *set_of(const struct bucket_table *t, struct addr key)
{
	return &t->items[addr_hash(key) % (t->room / WAYS) * WAYS];
}

struct bucket *bucket_table_find(const struct bucket_table *t, struct addr key)
{
	struct bucket *set = set_of(t, key);

	for (int i = 0; i < WAYS; i++)
		if (addr_equal(set[i].key, key))
			return &set[i];
	return NULL;
}

struct bucket *bucket_table_obtain(struct bucket_table *t, struct addr key, int64_t interval_ns,
				   struct mono now, struct bucket *before)
{
	struct bucket *b = bucket_table_find(t, key), *set = set_of(t, key);

	if (b != NULL) {
		*before = *b;
		return b;
	}
	b = set;
	for (int i = 0; i < WAYS && addr_is_set(b->key); i++)
		if (!addr_is_set(set[i].key) || set[i].full_at.ns < b->full_at.ns)
			b = &set[i];
	*before = *b;
	*b = (struct bucket){.key = key,
			     .interval_ns = interval_ns,
			     .full_at = now,
			     .slowed = {INT64_MIN},
			     .promised = now};
	return b;
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * Values that come many times, kept once and told apart by a number: byte strings, equal by their
 * bytes. Knows nothing of what they mean.
 */
#ifndef ANALYSIS_DIFF_INTERN_H
#define ANALYSIS_DIFF_INTERN_H

#include <stddef.h>
#include <stdint.h>

struct intern_item { void *bytes; size_t size; uint64_t hash; };
/* number + 1 (0: free), and as much of its hash as tells most others apart without a look at
 * them. */
struct intern_place { uint32_t number1, tag; };
struct intern_chunk;

/* A zeroed struct is empty. */
struct intern {
	struct intern_item *items; /* owned, by number */
	uint32_t count, room;
	struct intern_place *table; /* owned */
	uint32_t table_size;       /* a power of 2, or 0 */
	struct intern_chunk *chunk; /* owned: where bytes lie, the newest first */
};

void diff_intern_fini(struct intern *t);
/* The number of these n bytes, a new one when they are new (number == count before the call). New
 * bytes are copied, aligned for any type. BP_ENOMEM. */
int diff_intern_put(struct intern *t, const void *bytes, size_t n, uint32_t *number);
static inline const void *diff_intern_get(const struct intern *t, uint32_t number)
{
	return t->items[number].bytes;
}
/* The rank of each number in the order of the bytes (memcmp, then the shorter first), which does
 * not depend on who came first. *out is owned, of t->count. BP_ENOMEM. */
int diff_intern_ranks(const struct intern *t, uint32_t **out);
/* The same in an order that means nothing, which is faster for long values. */
int diff_intern_ranks_any(const struct intern *t, uint32_t **out);

#endif

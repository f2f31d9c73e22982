// SPDX-License-Identifier: BSD-2-Clause
/* Two prefixes are disjoint or one holds the other: sorted, the holder comes just before. */
#include "core/prefixset.h"

#include <stdlib.h>

#include "core/err.h"

uint64_t prefix_size(struct prefix p)
{
	unsigned host_bits = (unsigned)(8 * addr_size(p.addr)) - p.len;

	return host_bits > 62 ? UINT64_MAX : UINT64_C(1) << host_bits;
}

int prefix_compare(struct prefix a, struct prefix b)
{
	int rc = addr_compare(a.addr, b.addr);

	return rc != 0 ? rc : (a.len > b.len) - (a.len < b.len);
}

void prefixset_fini(struct prefixset *s)
{
	free(s->items);
	*s = (struct prefixset){0};
}

int prefixset_add(struct prefixset *s, struct prefix p)
{
	if (s->count == s->room) {
		uint32_t room = s->room > 0 ? 2 * s->room : 16;
		struct prefix *items = reallocarray(s->items, room, sizeof(*items));

		if (items == NULL)
			return BP_ENOMEM;
		s->items = items;
		s->room = room;
	}
	s->items[s->count++] = p;
	s->loose = true;
	return 0;
}

static int order(const void *a, const void *b)
{
	return prefix_compare(*(const struct prefix *)a, *(const struct prefix *)b);
}

static bool holds(struct prefix wide, struct prefix p)
{
	return wide.len <= p.len && prefix_has(wide, p.addr);
}

void prefixset_settle(struct prefixset *s)
{
	uint32_t kept = 0;

	if (!s->loose)
		return;
	qsort(s->items, s->count, sizeof(*s->items), order);
	for (uint32_t i = 0; i < s->count; i++) {
		if (kept == 0 || !holds(s->items[kept - 1], s->items[i]))
			s->items[kept++] = s->items[i];
	}
	s->count = kept;
	s->loose = false;
}

/* How many of the settled prefixes begin at or before a. */
static uint32_t begun(const struct prefixset *s, struct addr a)
{
	uint32_t low = 0, high = s->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (addr_compare(s->items[middle].addr, a) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct prefix *prefixset_find(const struct prefixset *s, struct addr a)
{
	uint32_t n = begun(s, a);

	return n > 0 && prefix_has(s->items[n - 1], a) ? &s->items[n - 1] : NULL;
}

uint64_t prefixset_overlap(const struct prefixset *s, struct prefix p)
{
	const struct prefix *wide = prefixset_find(s, p.addr);
	uint64_t sum = 0;

	if (wide != NULL && holds(*wide, p))
		return prefix_size(p);
	for (uint32_t i = begun(s, p.addr); i > 0 && holds(p, s->items[i - 1]); i--)
		sum += prefix_size(s->items[i - 1]);
	for (uint32_t i = begun(s, p.addr); i < s->count && holds(p, s->items[i]); i++) {
		uint64_t size = prefix_size(s->items[i]);

		sum = size > UINT64_MAX - sum ? UINT64_MAX : sum + size;
	}
	return sum;
}

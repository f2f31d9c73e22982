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

static bool before(const struct prefix *a, const struct prefix *b)
{
	return prefix_compare(*a, *b) < 0;
}

/* heap[0..n) but for its `at` has the greatest on top everywhere. */
static void sift(struct prefix *heap, uint32_t n, uint32_t at)
{
	struct prefix moved = heap[at];

	for (uint32_t child; at < n / 2; at = child) {
		child = 2 * at + 1;
		if (child + 1 < n && before(&heap[child], &heap[child + 1]))
			child++;
		if (!before(&moved, &heap[child]))
			break;
		heap[at] = heap[child];
	}
	heap[at] = moved;
}

/* glibc's qsort asks the kernel how much memory there is (sysinfo) before it takes any: the
 * prober's system call filter, behind which its lists are sorted, kills for that. */
static void heap_sort(struct prefix *items, uint32_t n)
{
	for (uint32_t at = n / 2; at-- > 0;)
		sift(items, n, at);
	for (uint32_t left = n; left-- > 1;) {
		struct prefix greatest = items[0];

		items[0] = items[left];
		items[left] = greatest;
		sift(items, left, 0);
	}
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
	heap_sort(s->items, s->count);
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

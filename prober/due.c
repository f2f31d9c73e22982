// SPDX-License-Identifier: BSD-2-Clause
/* A binary heap with places, and a doubly linked line. */
#include "prober/due.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"

int due_init(struct due *d, uint32_t room)
{
	*d = (struct due){.room = room, .first = DUE_NONE, .last = DUE_NONE};
	d->heap = malloc(room * sizeof(d->heap[0]));
	d->items = malloc(room * sizeof(d->items[0]));
	if (d->heap == NULL || d->items == NULL) {
		due_fini(d);
		return BP_ENOMEM;
	}
	for (uint32_t i = 0; i < room; i++)
		d->items[i] = (struct due_item){.place = DUE_NONE, .next = DUE_NONE,
						.prev = DUE_NONE};
	return 0;
}

void due_fini(struct due *d)
{
	free(d->heap);
	free(d->items);
	memset(d, 0, sizeof(*d));
}

static bool earlier(const struct due *d, uint32_t a, uint32_t b)
{
	return d->items[a].when.ns < d->items[b].when.ns;
}

static void put(struct due *d, uint32_t place, uint32_t slot)
{
	d->heap[place] = slot;
	d->items[slot].place = place;
}

static void sift_up(struct due *d, uint32_t at)
{
	uint32_t slot = d->heap[at];

	while (at > 0 && earlier(d, slot, d->heap[(at - 1) / 2])) {
		put(d, at, d->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	put(d, at, slot);
}

static void sift_down(struct due *d, uint32_t at)
{
	uint32_t slot = d->heap[at];

	for (uint32_t child; (child = 2 * at + 1) < d->waiting; at = child) {
		if (child + 1 < d->waiting && earlier(d, d->heap[child + 1], d->heap[child]))
			child++;
		if (!earlier(d, d->heap[child], slot))
			break;
		put(d, at, d->heap[child]);
	}
	put(d, at, slot);
}

static void leave_heap(struct due *d, uint32_t slot)
{
	uint32_t at = d->items[slot].place, moved;

	if (at == DUE_NONE)
		return;
	d->items[slot].place = DUE_NONE;
	moved = d->heap[--d->waiting];
	if (moved == slot)
		return;
	put(d, at, moved);
	sift_up(d, at);
	sift_down(d, d->items[moved].place);
}

static void leave_line(struct due *d, uint32_t slot)
{
	struct due_item *i = &d->items[slot];

	if (!i->in_line)
		return;
	if (i->prev == DUE_NONE)
		d->first = i->next;
	else
		d->items[i->prev].next = i->next;
	if (i->next == DUE_NONE)
		d->last = i->prev;
	else
		d->items[i->next].prev = i->prev;
	i->next = i->prev = DUE_NONE;
	i->in_line = false;
	d->in_line--;
}

void due_forget(struct due *d, uint32_t slot)
{
	leave_heap(d, slot);
	leave_line(d, slot);
}

void due_wait(struct due *d, uint32_t slot, struct mono when)
{
	due_forget(d, slot);
	d->items[slot].when = when;
	put(d, d->waiting++, slot);
	sift_up(d, d->items[slot].place);
}

void due_line_up(struct due *d, uint32_t slot)
{
	struct due_item *i = &d->items[slot];

	leave_heap(d, slot);
	if (i->in_line)
		return;
	i->in_line = true;
	d->in_line++;
	i->prev = d->last;
	i->next = DUE_NONE;
	if (d->last == DUE_NONE)
		d->first = slot;
	else
		d->items[d->last].next = slot;
	d->last = slot;
}

uint32_t due_take(struct due *d, struct mono now)
{
	uint32_t slot = d->waiting > 0 ? d->heap[0] : DUE_NONE;

	if (slot == DUE_NONE || !mono_reached(now, d->items[slot].when))
		return DUE_NONE;
	leave_heap(d, slot);
	return slot;
}

bool due_next(const struct due *d, struct mono *when)
{
	if (d->waiting == 0)
		return false;
	*when = d->items[d->heap[0]].when;
	return true;
}

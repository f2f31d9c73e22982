// SPDX-License-Identifier: BSD-2-Clause
/*
 * Cells in an order that does not depend on how they came: by their end, then by key. A heap of
 * copies.
 */
#include <stdlib.h>
#include <string.h>

#include "analysis/events_inside.h"
#include "core/err.h"

/* One block: the cell, its hops, its hosts, its round's name. */
struct held_cell { struct cell cell; };

/* Of cells that ended at one moment. */
static int compare_cells(const struct cell *a, const struct cell *b)
{
	int c = (a->planned.ns > b->planned.ns) - (a->planned.ns < b->planned.ns);

	if (c == 0)
		c = strcmp(a->key->vantage, b->key->vantage);
	if (c == 0)
		c = strcmp(a->key->campaign, b->key->campaign);
	if (c == 0)
		c = addr_compare(a->key->prefix.addr, b->key->prefix.addr);
	if (c == 0)
		c = a->key->prefix.len - b->key->prefix.len;
	if (c == 0)
		c = a->key->method - b->key->method;
	return c != 0 ? c : a->look - b->look;
}

static bool before(const struct events *v, unsigned a, unsigned b)
{
	const struct waiting *x = &v->heap[a], *y = &v->heap[b];

	if (x->end.ns != y->end.ns)
		return x->end.ns < y->end.ns;
	return compare_cells(&x->held->cell, &y->held->cell) < 0;
}

static void swap(struct events *v, unsigned a, unsigned b)
{
	struct waiting x = v->heap[a];

	v->heap[a] = v->heap[b];
	v->heap[b] = x;
}

static struct held_cell *copy_cell(const struct cell *c)
{
	size_t hosts = c->host_count * sizeof(*c->host), hops = c->hop_count * sizeof(*c->hops);
	size_t name = strlen(c->round) + 1;
	struct held_cell *h = malloc(sizeof(*h) + hosts + hops + name);
	char *at;

	if (h == NULL)
		return NULL;
	h->cell = *c;
	at = (char *)(h + 1);
	if (hosts > 0)
		memcpy(at, c->host, hosts);
	h->cell.host = (const struct cell_host *)at;
	at += hosts;
	if (hops > 0)
		memcpy(at, c->hops, hops);
	h->cell.hops = (const struct point_hop *)at;
	at += hops;
	memcpy(at, c->round, name);
	h->cell.round = at;
	return h;
}

int queue_push(struct events *v, const struct cell *c)
{
	struct held_cell *h;
	unsigned at = v->heap_count;

	if (v->heap_count == v->heap_room) {
		unsigned room = v->heap_room > 0 ? 2 * v->heap_room : 64;
		struct waiting *p = reallocarray(v->heap, room, sizeof(*p));

		if (p == NULL)
			return BP_ENOMEM;
		v->heap = p;
		v->heap_room = room;
	}
	h = copy_cell(c);
	if (h == NULL)
		return BP_ENOMEM;
	v->heap[v->heap_count++] = (struct waiting){c->end, h};
	for (; at > 0 && before(v, at, (at - 1) / 2); at = (at - 1) / 2)
		swap(v, at, (at - 1) / 2);
	return 0;
}

const struct cell *queue_next(struct events *v, struct wall until)
{
	if (v->heap_count == 0 || v->heap[0].end.ns > until.ns)
		return NULL;
	return &v->heap[0].held->cell;
}

struct wall queue_first(const struct events *v)
{
	return v->heap_count > 0 ? v->heap[0].end : v->newest;
}

void queue_drop(struct events *v)
{
	unsigned at = 0;

	free(v->heap[0].held);
	v->heap[0] = v->heap[--v->heap_count];
	for (;;) {
		unsigned least = at;

		for (unsigned k = 2 * at + 1; k <= 2 * at + 2 && k < v->heap_count; k++) {
			if (before(v, k, least))
				least = k;
		}
		if (least == at)
			return;
		swap(v, at, least);
		at = least;
	}
}

void queue_fini(struct events *v)
{
	while (v->heap_count > 0)
		free(v->heap[--v->heap_count].held);
	free(v->heap);
}

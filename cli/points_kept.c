// SPDX-License-Identifier: BSD-2-Clause
/* What files hold, kept until it can be put in order. */
#include "cli/points_kept.h"

#include <stdlib.h>
#include <string.h>

#include "cli/points_gaps.h"
#include "core/err.h"

void *list_add(struct list *l, size_t size)
{
	if (l->count == l->room) {
		uint32_t room = l->room > 0 ? 2 * l->room : 64;
		void *more = room > l->room ? reallocarray(l->items, room, size) : NULL;

		if (more == NULL)
			return NULL;
		l->items = more;
		l->room = room;
	}
	return memset((char *)l->items + size * l->count++, 0, size);
}

void kept_fini(struct kept *k)
{
	struct piece *pieces = k->pieces.items;

	for (uint32_t i = 0; i < k->pieces.count; i++)
		free(pieces[i].round);
	free(k->pieces.items);
	free(k->points.items);
	free(k->round_piece.items);
	free(k->order);
	diff_intern_fini(&k->ids);
	diff_intern_fini(&k->ways);
	diff_intern_fini(&k->rounds);
	*k = (struct kept){0};
}

/* The piece of a round, a new one when it is new. */
static int piece_of(struct kept *k, const char *round, uint32_t *out)
{
	uint32_t known = k->rounds.count, number, *at;
	struct piece *piece;

	if (diff_intern_put(&k->rounds, round, strlen(round) + 1, &number) < 0)
		return BP_ENOMEM;
	if (number < known) {
		*out = ((uint32_t *)k->round_piece.items)[number];
		return 0;
	}
	piece = list_add(&k->pieces, sizeof(*piece));
	at = piece != NULL ? list_add(&k->round_piece, sizeof(*at)) : NULL;
	if (at == NULL)
		return BP_ENOMEM;
	piece->id = diff_intern_get(&k->rounds, number);
	*out = *at = k->pieces.count - 1;
	return 0;
}

int kept_id(struct kept *k, const char *id, bool *new, const char **out)
{
	uint32_t known = k->ids.count, number;

	if (diff_intern_put(&k->ids, id, strlen(id) + 1, &number) < 0)
		return BP_ENOMEM;
	*new = number == known || id[0] == '\0';
	*out = diff_intern_get(&k->ids, number);
	return 0;
}

int kept_add(struct kept *k, const struct point *x)
{
	struct kept_point *kept = list_add(&k->points, sizeof(*kept));
	struct piece *piece;
	uint32_t way;

	if (kept == NULL ||
	    diff_intern_put(&k->ways, x->hops, x->hop_count * sizeof(*x->hops), &way) < 0)
		return BP_ENOMEM;
	kept->point = *x;
	kept->point.hops = diff_intern_get(&k->ways, way);
	if (x->round[0] != '\0') {
		if (piece_of(k, x->round, &kept->piece) < 0)
			return BP_ENOMEM;
	} else {
		if (list_add(&k->pieces, sizeof(*piece)) == NULL)
			return BP_ENOMEM;
		kept->piece = k->pieces.count - 1;
	}
	piece = &((struct piece *)k->pieces.items)[kept->piece];
	if (piece->count++ == 0 || x->start.ns < piece->at.ns)
		piece->at = x->start;
	return 0;
}

int kept_add_round_take(struct kept *k, struct round *r)
{
	struct piece *piece;
	uint32_t number;

	if (piece_of(k, r->id, &number) < 0)
		return BP_ENOMEM;
	piece = &((struct piece *)k->pieces.items)[number];
	/* What one file missed another may have measured. */
	if (piece->round != NULL && (!gaps_is(piece->round) || gaps_is(r))) {
		free(r);
		return 0;
	}
	free(piece->round);
	piece->round = r;
	if (piece->count == 0)
		piece->at = r->planned;
	return 0;
}

static int by_piece(const void *a, const void *b, void *arg)
{
	const struct kept_point *x = a, *y = b;
	const uint32_t *rank = arg;
	uint32_t i = rank[x->piece], k = rank[y->piece];

	if (i != k)
		return i < k ? -1 : 1;
	if (x->point.start.ns != y->point.start.ns)
		return x->point.start.ns < y->point.start.ns ? -1 : 1;
	return strcmp(x->point.id, y->point.id);
}

static int by_time(const void *a, const void *b)
{
	const struct piece *const *x = a, *const *y = b;

	if ((*x)->at.ns != (*y)->at.ns)
		return (*x)->at.ns < (*y)->at.ns ? -1 : 1;
	return *x < *y ? -1 : *x > *y;
}

int kept_settle(struct kept *k)
{
	uint32_t n = k->pieces.count, *rank = calloc(n + 1, sizeof(*rank));
	struct piece *pieces = k->pieces.items, **order = calloc(n + 1, sizeof(struct piece *));
	const struct kept_point *points;

	if (rank == NULL || order == NULL) {
		free(rank);
		free(order);
		return BP_ENOMEM;
	}
	for (uint32_t i = 0; i < n; i++)
		order[i] = &pieces[i];
	if (n > 0)
		qsort(order, n, sizeof(struct piece *), by_time);
	for (uint32_t i = 0; i < n; i++)
		rank[order[i] - pieces] = i;
	if (k->points.count > 0)
		qsort_r(k->points.items, k->points.count, sizeof(*points), by_piece, rank);
	points = k->points.items;
	for (uint32_t i = k->points.count; i-- > 0;)
		pieces[points[i].piece].first = i;
	free(rank);
	free(k->order);
	k->order = order;
	return 0;
}

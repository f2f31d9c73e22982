// SPDX-License-Identifier: BSD-2-Clause
/*
 * Points and rounds of files, which need not be in order: kept, each once, and put in order of time
 * at the end. A *piece* is a round with what it holds, or a trace of none.
 */
#ifndef CLI_POINTS_KEPT_H
#define CLI_POINTS_KEPT_H

#include "analysis/point.h"
#include "core/record/round.h"

/* A growing array of whatever. Zeros are an empty one. */
struct list { void *items; uint32_t count, room; };
/* One more, which is zeros; NULL: no memory. */
void *list_add(struct list *l, size_t size);

struct piece {
	struct wall at;         /* its first start; of a round without traces, its moment */
	struct round *round;    /* owned; NULL: of none, or its object is missing */
	const char *id;         /* of its round; NULL: of none */
	uint32_t first, count;  /* of kept->points, once they are in order */
};

struct kept_point { struct point point; uint32_t piece; };

/* Zeros are empty. */
struct kept {
	struct list points, pieces; /* struct kept_point, struct piece */
	struct intern ids, ways;    /* of points: their traces, their hops */
	struct intern rounds;       /* ids of rounds */
	struct list round_piece;    /* uint32_t: the piece of each */
	struct piece **order;       /* owned: after kept_settle, pieces by time */
};
void kept_fini(struct kept *k);
/* Whether a trace of this id is new; one without an id always is. *out is the id for as long as k
 * lives. BP_ENOMEM. */
int kept_id(struct kept *k, const char *id, bool *new, const char **out);
/* Keeps the point; the names it borrows stay the caller's, its hops are copied. BP_ENOMEM. */
int kept_add(struct kept *k, const struct point *x);
/* Takes the round (heap); of several of one id the first stays. BP_ENOMEM: it is still the
 * caller's. */
int kept_add_round_take(struct kept *k, struct round *r);
/* Everything in order. BP_ENOMEM. */
int kept_settle(struct kept *k);

#endif

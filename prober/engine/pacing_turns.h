// SPDX-License-Identifier: BSD-2-Clause
/*
 * Who waits for a token of a bucket, the longest first. Without an order those that come back for
 * one token compete for it each time, and whoever comes late in the caller's round starves behind a
 * sweep that wants the same routers. Nobody is told when a trace ends, so nobody has to leave: who
 * does not come when he was told to is passed over, keeps his place for a while, and then has none.
 * Places are few and of fixed memory. Knows neither routers nor prefixes. No clock.
 */
#ifndef PROBER_ENGINE_PACING_TURNS_H
#define PROBER_ENGINE_PACING_TURNS_H

#include <stdint.h>

#include "core/clock.h"

struct turns_place {
	uint64_t who;         /* anything that tells one from another; each stands in one line */
	struct turns_line *line; /* NULL: free */
	uint64_t number;      /* lower: has waited longer */
	struct mono due;      /* when he was told to come */
	uint32_t next, prev;  /* in the line; of a free place: the next free one. 0: none */
	uint32_t chain;       /* the next with the same hash; 0: none */
};

/* All zero: nobody stands there. Must not move while somebody does. */
struct turns_line { uint32_t first, last; };

struct turns {
	struct turns_place *places; /* owned; [0] is not used */
	uint32_t *by_hash;          /* owned */
	uint32_t room, used;        /* places; those ever used */
	uint32_t free, hand;        /* the first free of them; where one is looked for next */
	uint64_t numbers;           /* given out */
};

/* How long somebody who was told to come is expected beyond that, and then remembered. */
struct turns_patience { int64_t expected_ns, kept_ns; };

/* room: a power of two. 0: nobody will ever wait. BP_ENOMEM. */
int turns_init(struct turns *t, uint32_t room);
void turns_fini(struct turns *t);
/* How many wait longer in this line and are still expected, `most` at most. One who has no place
 * yet stands behind all. Forgets those who have not come for too long. */
uint32_t turns_ahead(struct turns *t, struct turns_line *line, uint64_t who, uint32_t most,
		     struct turns_patience p, struct mono now);
/* Stands in this line, and is told to come at `due`. Who stood in another brings the time along
 * that he waited there. Without a free place he gets none. */
void turns_wait(struct turns *t, struct turns_line *line, uint64_t who, struct mono due,
		struct mono now);
/* He need not wait any more. */
void turns_leave(struct turns *t, uint64_t who);
/* Nobody stands there any more. */
void turns_clear(struct turns *t, struct turns_line *line);

#endif

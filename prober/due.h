// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whose turn it is: every target in flight either waits until a moment (a heap), or wants to send
 * and stands in line (so that each gets one probe before any gets a second). O(log n) to wait, O(1)
 * in line. Knows slots by number only.
 */
#ifndef PROBER_DUE_H
#define PROBER_DUE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"

enum { DUE_NONE = UINT32_MAX };

struct due_item {
	struct mono when;
	uint32_t place;      /* in the heap; DUE_NONE: not in it */
	uint32_t next, prev; /* in the line; DUE_NONE: an end */
	bool in_line;
};

struct due {
	uint32_t room, waiting;
	uint32_t first, last, in_line; /* of the line: its ends, its length */
	uint32_t *heap;         /* owned */
	struct due_item *items; /* owned; [slot] */
};

/* BP_ENOMEM. */
int due_init(struct due *d, uint32_t room);
void due_fini(struct due *d);
/* Waits until `when`, whatever it did before. */
void due_wait(struct due *d, uint32_t slot, struct mono when);
/* Goes to the end of the line; stays where it is when it already stands there. */
void due_line_up(struct due *d, uint32_t slot);
/* Does neither. */
void due_forget(struct due *d, uint32_t slot);
/* The slot whose wait has ended, removed; DUE_NONE: none. */
uint32_t due_take(struct due *d, struct mono now);
/* The head of the line, left there; DUE_NONE: nobody. */
static inline uint32_t due_head(const struct due *d) { return d->first; }
static inline bool due_in_line(const struct due *d, uint32_t slot)
{
	return d->items[slot].in_line;
}
/* How many stand in line. */
static inline uint32_t due_line(const struct due *d) { return d->in_line; }
/* When the next wait ends; false: nobody waits. */
bool due_next(const struct due *d, struct mono *when);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * A set of prefixes that answers "is this address in one of them" in O(log n): gathered in any
 * order, then settled into disjoint ones in the order of addresses. Owns its memory; a zeroed
 * struct is an empty, settled set. The look-ups refuse to sort behind the caller's back.
 */
#ifndef CORE_PREFIXSET_H
#define CORE_PREFIXSET_H

#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"

struct prefixset {
	struct prefix *items; /* owned */
	uint32_t count, room;
	bool loose;           /* something was added since it was settled */
};

void prefixset_fini(struct prefixset *s);
/* BP_ENOMEM. */
int prefixset_add(struct prefixset *s, struct prefix p);
/* Sorts, and drops each prefix that another one holds. Between additions and look-ups. */
void prefixset_settle(struct prefixset *s);
/* The widest prefix of the settled set that holds a, or NULL. Borrowed until the next addition. */
const struct prefix *prefixset_find(const struct prefixset *s, struct addr a);
/* How many addresses of p are in the settled set; UINT64_MAX for more than that can say. */
uint64_t prefixset_overlap(const struct prefixset *s, struct prefix p);

/* How many addresses a prefix holds; UINT64_MAX for 2^63 and more. */
uint64_t prefix_size(struct prefix p);
/* Orders by address, the wider first: <0, 0, >0. */
int prefix_compare(struct prefix a, struct prefix b);

#endif

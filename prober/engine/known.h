// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a run has learned of paths, for the targets that come later: who answers at a TTL on the way
 * to a prefix (/24, /48), and how far its destinations are. A cache, not a record: an entry pushed
 * out by another is learned again. It may be wrong for a single target (paths differ within a
 * prefix, and change): use it to expect, never to claim. Memory is fixed. No clock.
 */
#ifndef PROBER_ENGINE_KNOWN_H
#define PROBER_ENGINE_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"

enum {
	KNOWN_ROOM = 8192,
	/* So many answers in a row by the same router make it everybody's at that TTL: the first
	 * hops of a run, before the way splits. */
	KNOWN_SHARED = 8,
	/* The same for one prefix. Where its targets' paths differ nobody is expected. */
	KNOWN_SURE = 2,
};

/* The nearest answered hop before another one, in the same flow. */
struct known_step {
	struct addr from; /* none: not known */
	uint8_t ttl;
};

struct known_hop {
	struct addr prefix; /* none: free */
	struct addr from;   /* ttl 0: not used */
	struct known_step before; /* of the last answer by `from` */
	uint8_t ttl;        /* 0: the entry of the prefix's destinations */
	uint8_t in_a_row;   /* answers by `from`, the last ones */
	uint8_t length;     /* ttl 0: TTL at which the last of them to answer is */
};

struct known_shared { struct addr from; uint8_t in_a_row; };

struct known {
	struct known_hop *hops; /* owned; KNOWN_ROOM */
	struct known_shared shared[2][256]; /* [IPv6][ttl]: who answered last, to any target */
	uint8_t shortest[2];    /* [IPv6]: the nearest destination so far; 0 none */
	uint8_t split[2];       /* [IPv6]: the lowest TTL with two routers; 0 none. From there on
				 * nobody is everybody's: who is silent may be on another way */
};

/* BP_ENOMEM. */
int known_init(struct known *k);
void known_fini(struct known *k);
/* A router answered at this TTL on the way to dst, `before` being the hop before it. */
void known_router(struct known *k, struct addr dst, uint8_t ttl, struct addr from,
		  struct known_step before);
/* Where those came by whom this TTL's router answered. A flow that saw another router there is on
 * another way, and its silence at this TTL is nobody's; none: not known. */
struct known_step known_way(const struct known *k, struct addr dst, uint8_t ttl);
/* dst itself answered at this TTL: it is no further than that. With `done`, its trace has ended
 * with this as the nearest: it is there. */
void known_destination(struct known *k, struct addr dst, uint8_t ttl, bool done);
/* Who is expected to answer; none: nobody is known. */
struct addr known_expected(const struct known *k, struct addr dst, uint8_t ttl);
/* Who might: also the last that answered at this TTL for any target of the family. */
struct addr known_guess(const struct known *k, struct addr dst, uint8_t ttl);
/* TTL at which dst is expected to answer; 0: not known. */
uint8_t known_length(const struct known *k, struct addr dst);
/* Of the nearest destination of this family; 0: none has answered. */
static inline uint8_t known_shortest(const struct known *k, uint8_t family)
{
	return k->shortest[family == 6];
}

#endif

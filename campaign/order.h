// SPDX-License-Identifier: BSD-2-Clause
/*
 * The order in which destinations are measured. Entries take turns, and a prefix gives its
 * addresses in a permuted order that goes round its /24 (IPv6: /48) networks, so that neighbours in
 * time are strangers in address: the load is spread over networks and borders. The same seed and
 * targets give the same order, always. Needs 4 bytes an entry, whatever the entries hold.
 */
#ifndef CAMPAIGN_ORDER_H
#define CAMPAIGN_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "campaign/targets.h"

struct order {
	const struct targets *targets; /* borrowed */
	uint64_t seed;
	uint32_t *line;                /* owned: entries that still have addresses, in turn */
	uint32_t count, at, kept;
	uint64_t round;                /* how many each of them has given */
};

/* mix: entries are put so that neighbours are of different /24 networks; else they stay as asked
 * for. BP_ENOMEM. */
int order_init(struct order *o, const struct targets *targets, uint64_t seed, bool mix);
void order_fini(struct order *o);
/* The next destination and its entry's index; false after the last. */
bool order_next(struct order *o, uint32_t *entry, struct addr *dst);

#endif

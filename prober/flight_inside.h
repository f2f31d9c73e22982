// SPDX-License-Identifier: BSD-2-Clause
/*
 * The look-up by (method, destination) and by token, for the two halves of the flights: flight.c
 * keeps the probes that are on their way, flight_take.c says which answers are believed. Private to
 * them.
 */
#ifndef PROBER_FLIGHT_INSIDE_H
#define PROBER_FLIGHT_INSIDE_H

#include "prober/flight.h"

#define FLIGHT_NO_SLOT UINT32_MAX

/* Chains are by method and destination only: a NAT on the way may change the ports in a quote. */
static inline uint32_t *flight_bucket(const struct flights *fs, enum method method,
				      struct addr dst)
{
	return &fs->buckets[(addr_hash(dst) + 0x9e3779b9u * (uint32_t)method) & fs->bucket_mask];
}

static inline struct flight *flight_chain(const struct flights *fs, uint32_t slot)
{
	return slot == FLIGHT_NO_SLOT ? NULL : &fs->slots[slot];
}

/* The first flight to dst by this method. Packets come in before there is a table: a plan that has
 * not said its run line yet has no flights. */
static inline struct flight *flight_chain_of(const struct flights *fs, enum method method,
					     struct addr dst)
{
	return fs->buckets == NULL ? NULL : flight_chain(fs, *flight_bucket(fs, method, dst));
}

static inline bool flight_goes_to(const struct flight *f, enum method method, struct addr dst)
{
	return f->flow.method == method && addr_equal(f->flow.dst, dst);
}

/* Two of its bytes, as members of the sets token_bits. */
static inline bool flight_may_have(const struct flight *f, uint32_t token)
{
	return f->token_bits[0][token % 256 / 64] >> token % 64 &
	       f->token_bits[1][token >> 8 & 3] >> (token >> 10) % 64 & 1;
}

#endif

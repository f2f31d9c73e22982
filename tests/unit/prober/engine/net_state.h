// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a scripted network is made of, for its two halves only: net.c, which answers probes, and
 * net_run.c, which drives the tracers through it and checks them.
 */
#ifndef TESTS_UNIT_PROBER_ENGINE_NET_STATE_H
#define TESTS_UNIT_PROBER_ENGINE_NET_STATE_H

#include "tests/unit/prober/engine/net.h"

struct arrival {
	struct mono at;
	uint64_t order; /* equals arrive in the order they were made */
	int64_t rtt_ns;
	struct addr from;
	uint32_t slot, generation;
	uint8_t ttl, attempt;
	uint8_t event;
};

/* One target in flight: the tracer, and a second, independent book on what it does. */
struct slot {
	struct tracer tracer;
	struct tracer_hop rows[TRACER_TTLS];
	struct net_path path;
	struct net_result result;
	struct mono start;
	struct mono hold; /* not to be asked before, unless something arrives */
	size_t index;
	uint32_t generation;
	bool busy;
	uint8_t heard, destination, nearer;
	bool spoke_as_destination[256];
	bool lengthened; /* something answered since the last further attempt left */
	bool repeated;   /* a further attempt has left */
	struct mono last[256], last_out[256]; /* asked of the kernel; taken by it */
	uint16_t sent_bits[256], answered_bits[256];
};

struct net {
	uint64_t random;
	struct net_script script;
	struct mono now, start;
	int64_t interrupt_ns;
	struct net_router routers[NET_ROUTERS];
	struct arrival *heap;
	size_t heap_n, heap_room;
	uint64_t order;
	struct slot *slots;
	size_t slot_n;
	const char *fault;
	double tokens; /* the reference for the global rate: plain token counting */
	struct mono tokens_at;
};

/* The first fault stays. */
void net_fault(struct net *n, const char *what);
/* The next reply to arrive; there is one. */
struct arrival net_pop(struct net *n);
/* A probe of this slot leaves now: its replies are under way, if any come. */
void net_carry(struct net *n, const struct slot *s, uint8_t ttl, uint8_t attempt);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a tracer is made of, for those who embed one. Only engine/tracer.c and tracer_answers.c
 * touch the fields; everybody else goes through tracer.h, which includes this.
 *
 * TRACER_SIZE_MAX bytes, and a row of 32 bytes for each TTL up to max_ttl, 1 kB at the default of
 * 32 TTLs, which the caller lends.
 */
#ifndef PROBER_ENGINE_TRACER_STATE_H
#define PROBER_ENGINE_TRACER_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"

enum { TRACER_TTLS = 256, TRACER_SIZE_MAX = 184 };

/* One TTL. Its unanswered attempts share one wait, counted from the last departure: attempts are
 * sent in order, so the last one's wait is the one that decides. */
struct tracer_hop {
	uint8_t from[16];  /* who answered last, in the tracer's family */
	struct mono last;  /* departure of the last attempt */
	uint16_t answered; /* bit k-1: attempt k has its answer */
	uint16_t refused;  /* bit k-1: the kernel refused attempt k */
	uint8_t sent;      /* attempts 1..sent were handed to the kernel */
	uint8_t closed;    /* attempts 1..closed are no longer waited for */
	uint8_t said;      /* bit per enum tracer_event heard at this TTL */
	uint8_t marks;     /* HOP_* of tracer.c, and how often it may be asked again */
};

struct tracer {
	struct tracer_config config;
	struct mono start;
	struct mono wake;     /* TRACER_WAIT holds until then unless something happens */
	struct mono reached;  /* when `destination` was last set */
	struct mono deferred; /* until then the TTLs marked so are not offered */
	int64_t rtt_max_ns;   /* highest RTT seen in this trace; -1 none yet */
	int64_t slack_ns;     /* the queues on the way grew by so much: tracer_slack */
	uint8_t family;       /* of the answers; 0 none yet */
	uint8_t top;          /* highest TTL sent; 0 none */
	uint8_t heard;        /* highest TTL that answered anything; 0 none */
	uint8_t destination;  /* lowest TTL above `nearer` that spoke as it; 0 none */
	uint8_t nearer;       /* up to this TTL others speak as the destination; 0 none */
	uint8_t loop;         /* TTL at which a router's address came back once too often; 0 none */
	uint8_t stop;         /* enum stop; STOP_UNKNOWN while it runs */
	uint8_t last_ttl;     /* valid when done */
	uint8_t silent;       /* TTLs marked for tracer_take_silent */
	uint8_t overdue;      /* and for tracer_take_overdue */
	uint8_t offer_ttl;    /* the offered probe; 0 none */
	uint8_t offer_attempt;
	bool ended;           /* from outside, or out of time: nothing reopens it */
	bool settled;         /* wake or offer still hold: nothing happened since */
	struct tracer_hop *hops; /* borrowed; [ttl], row 0 is unused */
};

_Static_assert(sizeof(struct tracer_hop) == 32, "a row is half a cache line");
_Static_assert(sizeof(struct tracer) <= TRACER_SIZE_MAX, "the size this file promises");

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * What engine/tracer.c (what to send, how long to wait, when to stop) and engine/tracer_answers.c
 * (what answers tell) share. Nobody else includes this.
 */
#ifndef PROBER_ENGINE_TRACER_INSIDE_H
#define PROBER_ENGINE_TRACER_INSIDE_H

#include <string.h>

#include "prober/engine/tracer.h"

/* Of struct tracer_hop's `said`. */
enum {
	SAID_TTL_EXCEEDED = 1 << TRACER_TTL_EXCEEDED,
	SAID_DESTINATION = 1 << TRACER_DESTINATION,
	SAID_UNREACHABLE = 1 << TRACER_UNREACHABLE,
	SAID_PROHIBITED = 1 << TRACER_PROHIBITED,
	SAID_NO = SAID_UNREACHABLE | SAID_PROHIBITED,
};

static inline bool tracer_in_range(const struct tracer *t, uint8_t ttl)
{
	return ttl >= t->config.first_ttl && ttl <= t->config.max_ttl;
}

static inline bool tracer_same_router(const struct tracer_hop *a, const struct tracer_hop *b)
{
	return memcmp(a->from, b->from, sizeof(a->from)) == 0;
}

/* When the wait for the attempts at this TTL ends. */
struct mono tracer_deadline(const struct tracer *t, int ttl);

#endif

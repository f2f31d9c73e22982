// SPDX-License-Identifier: BSD-2-Clause
/* One tracer, driven by hand: for the tests that look at its steps. After cmocka.h. */
#ifndef TESTS_UNIT_PROBER_ENGINE_TRACER_STEPS_H
#define TESTS_UNIT_PROBER_ENGINE_TRACER_STEPS_H

#include <string.h>

#include "prober/engine/tracer.h"
#include "tests/unit/prober/engine/net.h"

/* Of the one tracer that each test has. */
static struct tracer_hop lent[TRACER_TTLS];

static inline struct mono at_ms(double ms)
{
	return (struct mono){(int64_t)(ms * 1e6)};
}

static inline void expect_send(struct tracer *t, double ms, uint8_t ttl, uint8_t attempt)
{
	struct tracer_step s = tracer_next(t, at_ms(ms));

	assert_int_equal(s.want, TRACER_SEND);
	assert_int_equal(s.ttl, ttl);
	assert_int_equal(s.attempt, attempt);
}

static inline void expect_wait(struct tracer *t, double ms, double until)
{
	struct tracer_step s = tracer_next(t, at_ms(ms));

	assert_int_equal(s.want, TRACER_WAIT);
	assert_int_equal(s.until.ns, at_ms(until).ns);
}

/* Sends first attempts of first..last at `ms`. */
static inline void send_firsts(struct tracer *t, double ms, uint8_t first, uint8_t last)
{
	for (uint8_t ttl = first; ttl <= last; ttl++) {
		expect_send(t, ms, ttl, 1);
		tracer_sent(t, ttl, 1, at_ms(ms));
	}
}

static inline bool reply(struct tracer *t, double ms, uint8_t ttl, uint8_t attempt,
		  enum tracer_event event, double rtt_ms, bool *late)
{
	return tracer_reply(t, ttl, attempt, event, net_addr(10, 1, 1, ttl),
			    (int64_t)(rtt_ms * 1e6), at_ms(ms), late);
}

static inline void start(struct tracer *t, uint8_t max_ttl, uint8_t attempts)
{
	struct tracer_config c = net_config();

	c.max_ttl = max_ttl;
	c.attempts = attempts;
	memset(t, 0xa5, sizeof(*t));
	tracer_init(t, lent, &c, at_ms(0));
}

#endif

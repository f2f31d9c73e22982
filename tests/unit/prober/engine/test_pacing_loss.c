// SPDX-License-Identifier: BSD-2-Clause
/*
 * What pacing makes of the fate of probes, by hand: which losses are put down to our speed, and
 * that its throttles and its counters are told of each.
 */
#include "prober/engine/pacing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/prober/engine/net.h"

static struct mono at_ms(double ms)
{
	return (struct mono){(int64_t)(ms * 1e6)};
}

/* One probe to `dst` at this TTL, and that somebody is expected there. */
static struct pacing_ask sent_at(struct pacing *p, struct addr dst, uint8_t ttl, double ms)
{
	struct pacing_ask a = {.dst = dst, .ttl = ttl};

	a.owed = pacing_take(p, &a, at_ms(ms));
	a.sent = at_ms(ms);
	assert_true(a.owed != 0);
	return a;
}

/* Answers that make `router` the one that is expected at this TTL. */
static void introduce(struct pacing *p, struct addr dst, uint8_t ttl, struct addr router)
{
	struct pacing_ask a = {.dst = dst, .ttl = ttl};

	for (int i = 0; i < 2; i++)
		pacing_answered(p, &a, router, false, at_ms(0));
}

static void a_cut_that_waited_for_the_next_probe_is_counted_and_holds(void **state)
{
	enum { TTLS = 10, EACH = 4 };
	struct pacing_config max = {0};
	struct pacing *p = pacing_new(&max, at_ms(0));
	struct addr dst = net_addr(192, 0, 2, 1);
	struct pacing_ask asks[TTLS * EACH], next = {.dst = dst, .ttl = 1};
	struct mono when;

	(void)state;
	/* Too few at each router to suspect it. */
	for (int i = 0; i < TTLS * EACH; i++) {
		uint8_t ttl = (uint8_t)(1 + i / EACH);

		introduce(p, dst, ttl, net_addr(10, 0, 0, ttl));
		asks[i] = sent_at(p, dst, ttl, 1);
	}
	for (int i = 0; i < TTLS * EACH; i += 2)
		pacing_answered(p, &asks[i], net_addr(10, 0, 0, asks[i].ttl), false, at_ms(10));
	for (int i = 1; i < TTLS * EACH; i += 2)
		pacing_lost(p, &asks[i], at_ms(40));
	assert_int_equal(pacing_counters(p)->cuts, 0); /* more of the crowd may follow */
	pacing_take(p, &next, at_ms(100));
	assert_int_equal(pacing_counters(p)->cuts, 1);
	assert_true(pacing_held_pps(p) > 0);
	assert_int_equal(pacing_ready(p, &next, at_ms(100), &when), PACING_GLOBAL);
	pacing_free(p);
}

static void a_probe_that_another_router_answered_is_not_waited_for(void **state)
{
	enum { ANSWERED = 4, THERE = 14, ALL = 24 };
	struct pacing_config max = {0};
	struct addr dst = net_addr(192, 0, 2, 1), one = net_addr(10, 0, 0, 1);

	(void)state;
	for (int destination = 0; destination < 2; destination++) {
		struct pacing *p = pacing_new(&max, at_ms(0));
		struct pacing_ask asks[ALL], next = {.dst = dst, .ttl = 5, .router = one};
		struct mono when;

		introduce(p, dst, 5, one);
		for (int i = 0; i < ALL; i++) {
			asks[i] = sent_at(p, dst, 5, 1);
			asks[i].router = one;
		}
		for (int i = 0; i < ANSWERED; i++)
			pacing_answered(p, &asks[i], one, false, at_ms(10));
		for (int i = ANSWERED; i < THERE; i++)
			pacing_answered(p, &asks[i], destination ? dst : net_addr(10, 0, 0, 2),
					destination, at_ms(10));
		for (int i = THERE; i < ALL; i++)
			pacing_lost(p, &asks[i], at_ms(40));
		/* All is known: ten of fourteen. It is slowed, not held until nobody waits. */
		pacing_ready(p, &next, at_ms(100), &when);
		assert_int_equal(pacing_counters(p)->cuts, 1);
		pacing_free(p);
	}
}

/* Only two routers are behind a slow link, too few to blame the whole path for, and targets. */
static void a_target_behind_a_router_that_loses_by_our_speed_is_asked_again(void **state)
{
	enum { EACH = 40 };
	struct addr dst = net_addr(192, 0, 2, 1);

	(void)state;
	for (int slow = 0; slow < 2; slow++) {
		struct pacing_config max = {0};
		struct pacing *p = pacing_new(&max, at_ms(0));
		struct pacing_ask target = {.dst = net_addr(192, 0, 2, 2), .ttl = 7,
					    .sent = at_ms(1)};
		struct pacing_ask asks[2 * EACH];

		pacing_reached(p, dst, 7);
		for (int i = 0; i < 2 * EACH; i++) {
			uint8_t ttl = (uint8_t)(5 + i / EACH);

			introduce(p, dst, ttl, net_addr(10, 0, 0, ttl));
			asks[i] = sent_at(p, dst, ttl, 1);
		}
		for (int i = 0; i < 2 * EACH; i++) {
			if (slow && i % 4)
				pacing_lost(p, &asks[i], at_ms(500));
			else
				pacing_answered(p, &asks[i], net_addr(10, 0, 0, asks[i].ttl), false,
						at_ms(10));
		}
		assert_int_equal(pacing_held_pps(p), 0);
		assert_int_equal(pacing_lost(p, &target, at_ms(500)), slow);
		/* Beyond where targets are, nobody is missed. */
		target.ttl = 8;
		assert_false(pacing_lost(p, &target, at_ms(500)));
		pacing_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cut_that_waited_for_the_next_probe_is_counted_and_holds),
		cmocka_unit_test(a_probe_that_another_router_answered_is_not_waited_for),
		cmocka_unit_test(a_target_behind_a_router_that_loses_by_our_speed_is_asked_again),
	};

	return cmocka_run_group_tests_name("pacing_loss", tests, NULL, NULL);
}

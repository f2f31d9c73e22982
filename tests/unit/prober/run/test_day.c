// SPDX-License-Identifier: BSD-2-Clause
/*
 * A day of measuring, and a rush, in a few seconds: the whole prober in world.h's network, where
 * answers are lost, overtake each other, come twice, come when their trace is written and its slot
 * is another's, come rewritten, or were forged; where the clock is set or slewed and the machine
 * stands still. What must hold is in judge.c.
 *
 * DAY_SEED=N runs another day; under valgrind the day is short.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/prober/run/world.h"

static void live(const struct world_script *script, uint64_t probes)
{
	struct world_script s = *script;
	const struct world_counts *c;
	struct world *w;
	const char *fault;
	bool whole = getenv("UNDER_VALGRIND") == NULL;

	if (getenv("DAY_SEED"))
		s.seed = strtoull(getenv("DAY_SEED"), NULL, 10);
	if (!whole) {
		s.length_ns /= 50;
		probes /= 100;
	}
	w = world_new(&s);
	assert_non_null(w);
	fault = world_run(w);
	c = world_counts(w);
	printf("%s: %llu probes, %llu answers, %llu records, %llu rounds\n"
	       "  late %llu, bad token %llu, foreign %llu, duplicate %llu, malformed %llu\n"
	       "  clock steps %llu, slews %llu (%llu RTTs void), stalls %llu, refused %llu, "
	       "full queue %llu, dropped %llu\n"
	       "  memory %llu bytes while it warms up, %llu after\n",
	       s.name, (unsigned long long)c->probes, (unsigned long long)c->answers,
	       (unsigned long long)c->records, (unsigned long long)c->rounds,
	       (unsigned long long)c->late, (unsigned long long)c->bad_token,
	       (unsigned long long)c->foreign, (unsigned long long)c->duplicate,
	       (unsigned long long)c->malformed, (unsigned long long)c->steps,
	       (unsigned long long)c->slews,
	       (unsigned long long)c->voided, (unsigned long long)c->stalls,
	       (unsigned long long)c->refused, (unsigned long long)c->later,
	       (unsigned long long)c->drops,
	       (unsigned long long)c->memory_warm, (unsigned long long)c->memory_most);
	if (fault)
		fail_msg("%s", fault);
	/* The day had what it is for. */
	assert_true(c->probes >= probes);
	assert_true(c->answers > c->probes / 2);
	assert_true(!whole || c->duplicate > 0);
	assert_true(c->hops > 0 && c->progress > 0);
	assert_true(c->late > 0 && c->bad_token > 0 && c->foreign > 0 && c->malformed > 0);
	assert_true(c->rewritten > 0 && c->lost > 0 && c->forged > 0 && c->refused > 0);
	/* Where nothing holds it back, a stall overflows the ring. */
	assert_true(!whole || s.rate_pps > 0 || c->drops > 0);
	/* Late answers to traces written lately are told from guesses. */
	assert_true(c->soon_late_known * 10 >= c->soon_late * 9);
	assert_true(!whole || c->memory_most <= c->memory_warm + s.grow);
	/* It never spins: a round that does not sleep has something to do. */
	assert_true(c->idle_rounds <= 4 * c->probes);
	world_free(w);
}

static void a_day(void **state)
{
	static const struct world_script day = {
		.name = "a day", .seed = 20171001, .length_ns = 24 * 3600 * NS_PER_S,
		.warm_ns = 3600 * NS_PER_S, .grow = 1 << 20, /* 24 bytes a trace */
		.rate_pps = 12, .window = 256, .step_every_ns = 1800 * NS_PER_S,
		.stall_every_ns = 600 * NS_PER_S, .flood_every_ns = 3600 * NS_PER_S,
	};

	(void)state;
	live(&day, 1000 * 1000);
}

static void a_rush(void **state)
{
	static const struct world_script rush = {
		.name = "a rush", .seed = 20171002, .length_ns = 40 * NS_PER_S,
		.warm_ns = 20 * NS_PER_S, .grow = 512 << 13, .rate_pps = 0, .window = 512,
		.step_every_ns = 5 * NS_PER_S, .stall_every_ns = 7 * NS_PER_S,
		.flood_every_ns = 10 * NS_PER_S,
	};

	(void)state;
	/* A seventh of what it could send: it takes losses for its own speed until it has tried. */
	live(&rush, 50 * 1000);
}

/* SIGINT in the middle, or what stands for it over a socket: every trace begun is handed over
 * whole, and the books balance. */
static void interrupted(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 8; seed++) {
		const struct world_script rush = {
			.name = "interrupted", .seed = seed, .length_ns = 40 * NS_PER_S,
			.warm_ns = 40 * NS_PER_S, .rate_pps = seed % 2 ? 0 : 3000, .window = 128,
			.step_every_ns = 2 * NS_PER_S, .stall_every_ns = 9 * NS_PER_S,
			.interrupt_ns = (int64_t)seed * NS_PER_S / 2, .hangs_up = seed > 4,
		};
		struct world *w = world_new(&rush);
		const char *fault;

		assert_non_null(w);
		fault = world_run(w);
		if (fault)
			fail_msg("%s", fault);
		assert_true(world_counts(w)->records > 0);
		world_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_day),
		cmocka_unit_test(a_rush),
		cmocka_unit_test(interrupted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

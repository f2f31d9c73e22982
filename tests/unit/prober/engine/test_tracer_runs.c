// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whole traceroutes against the scripted network: every stop reason, the order, cost and time that
 * tracer.h promises, and thousands of random networks in which the checks of net.c hold.
 */
#include "prober/engine/tracer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/prober/engine/net.h"

/* --- how it ends ------------------------------------------------------------------------------ */

struct row {
	const char *why;
	const char *path;
	int64_t rtt_ms;
	struct {
		uint8_t first, max, attempts, gap, ahead; /* 0: default; gap 255: none */
		int wait_ms, budget_ms;                   /* 0: default, none */
	} with;
	enum stop stop;
	enum reach reach;
	uint8_t last_ttl;
	uint32_t sent;
	int ms_min, ms_max; /* how long it may take, in the network's time */
};

/* clang-format off: a table */
static const struct row endings[] = {
	/* the destination answers */
	{"three attempts at ten TTLs and six TTLs ahead; repeats spread over one RTT",
	 "rrrrrrrrrD", 120, {0}, STOP_REACHED, REACH_REACHED, 10, 36, 240, 300},
	{"the issue's promise: a silent hop costs neither seconds nor the 0.40 s",
	 "rrrr*rrrrD", 120, {0}, STOP_REACHED, REACH_REACHED, 10, 36, 300, 400},
	{"with one attempt, a silent hop is given up soon after the last answer",
	 "rrrr*rrrrD", 120, {.attempts = 1}, STOP_REACHED, REACH_REACHED, 10, 16, 120, 200},
	{"one attempt and no silence: one RTT, and 10 ms for whoever contradicts",
	 "rrrrrrrrrD", 120, {.attempts = 1}, STOP_REACHED, REACH_REACHED, 10, 16, 130, 135},
	{"three silent hops at the border, as on the way to North Korea",
	 "rrrrrrrrr***D", 280, {0}, STOP_REACHED, REACH_REACHED, 13, 42, 734, 740},
	{"all but the destination silent: nothing to learn an RTT from but itself",
	 "****D", 50, {0}, STOP_REACHED, REACH_REACHED, 5, 26, 160, 165},
	{"the silent stretch is as long as the gap limit and one: seen at once, it does not end it",
	 "rr******D", 50, {0}, STOP_REACHED, REACH_REACHED, 9, 34, 160, 165},
	{"the destination is the next hop",
	 "D", 1, {0}, STOP_REACHED, REACH_REACHED, 1, 18, 1, 30},
	{"a long path takes a second step, not a third",
	 "rrrrrrrrrrrrrrrrrrrD", 100, {0}, STOP_REACHED, REACH_REACHED, 20, 64, 300, 500},
	{"255 TTLs",
	 "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrD", 80,
	 {.max = 255}, STOP_REACHED, REACH_REACHED, 81, 247, 300, 1000},
	{"from the middle: nothing before first_ttl is sent",
	 "rrrrrrrrrD", 120, {.first = 6}, STOP_REACHED, REACH_REACHED, 10, 26, 240, 300},
	{"ten attempts",
	 "rrD", 20, {.attempts = 10}, STOP_REACHED, REACH_REACHED, 3, 43, 90, 140},
	{"on a local network, milliseconds",
	 "rrrrrrrrrD", 0, {0}, STOP_REACHED, REACH_REACHED, 10, 36, 10, 12},
	{"on a local network, a silent hop costs the 25 ms",
	 "rrrr*rrrrD", 0, {0}, STOP_REACHED, REACH_REACHED, 10, 36, 35, 40},
	{"a filter in mid-path that others pass never ends it (mtr#434)",
	 "rrrXrrrrD", 60, {0}, STOP_REACHED, REACH_REACHED, 9, 34, 100, 200},
	{"an unreachable in mid-path with the destination beyond does not end it",
	 "rrrHrrrrD", 60, {0}, STOP_REACHED, REACH_REACHED, 9, 34, 100, 200},
	{"one router at three TTLs is no loop",
	 "r111rD", 60, {0}, STOP_REACHED, REACH_REACHED, 6, 28, 100, 200},
	{"one address at many TTLs before the destination (a middlebox): the destination decides",
	 "r111111rD", 60, {0}, STOP_REACHED, REACH_REACHED, 9, 34, 100, 200},

	/* silence */
	{"nothing at all: the user's wait, thrice; 16 first attempts, then five TTLs only",
	 "*", 10, {0}, STOP_GAP_LIMIT, REACH_SILENT, 5, 26, 6000, 6010},
	{"nothing at all from TTL 6 on",
	 "*", 10, {.first = 6}, STOP_GAP_LIMIT, REACH_SILENT, 10, 26, 6000, 6010},
	{"the path dies behind hop 8: gap_limit TTLs beyond it, half a second each round",
	 "rrrrrrrr*", 120, {0}, STOP_GAP_LIMIT, REACH_SILENT, 13, 42, 1500, 1700},
	{"a long RTT at the end gets its time: four times the highest RTT, thrice",
	 "rrrrrrrr*", 300, {0}, STOP_GAP_LIMIT, REACH_SILENT, 13, 42, 3199, 3300},
	{"never longer than the user says",
	 "rrrrrrrr*", 300, {.wait_ms = 400}, STOP_GAP_LIMIT, REACH_SILENT, 13, 42, 1200, 1500},
	{"a gap limit of 2",
	 "rrrrrrrr*", 120, {.gap = 2}, STOP_GAP_LIMIT, REACH_SILENT, 10, 36, 1500, 1700},
	{"a gap limit of 1 still sees what the first burst saw",
	 "rrr**rrD", 60, {.gap = 1}, STOP_REACHED, REACH_REACHED, 8, 32, 120, 250},
	{"gap limit over the window: the survey goes on in steps of it",
	 "rr*", 40, {.max = 64, .attempts = 1, .gap = 30}, STOP_GAP_LIMIT, REACH_SILENT, 32, 32,
	 1000, 1100},
	{"no gap limit: to the last TTL",
	 "rr*", 40, {.attempts = 1, .gap = 255}, STOP_MAX_TTL, REACH_SILENT, 32, 32, 1000, 1100},

	/* the last TTL */
	{"the path is longer than max_ttl",
	 "rrrrrrrrrrrrrrrr", 100, {.max = 8}, STOP_MAX_TTL, REACH_SILENT, 8, 24, 100, 150},
	{"silent at the end, exactly the gap limit",
	 "rrrrrrrr*", 100, {.max = 13}, STOP_GAP_LIMIT, REACH_SILENT, 13, 39, 1500, 1600},
	{"silent at the end, fewer TTLs than the gap limit",
	 "rrrrrrrr*", 100, {.max = 11}, STOP_MAX_TTL, REACH_SILENT, 11, 33, 1400, 1700},
	{"the last TTL alone",
	 "rrrrrrrrr", 100, {.first = 8, .max = 8}, STOP_MAX_TTL, REACH_SILENT, 8, 3, 200, 300},

	/* filters */
	{"one router refuses at every TTL from 10 on: six TTLs of it are enough",
	 "rrrrrrrrrXx", 120, {0}, STOP_GAP_LIMIT, REACH_FILTERED, 15, 36, 240, 400},
	{"... also when some of its refusals are missing",
	 "rrrrrrrrrX*x**x", 120, {0}, STOP_GAP_LIMIT, REACH_FILTERED, 15, 42, 300, 1700},
	{"... and to 255 TTLs it costs no more",
	 "rrrrrrrrrXx", 120, {.max = 255}, STOP_GAP_LIMIT, REACH_FILTERED, 15, 36, 240, 400},
	{"refused once, then silence: the last word counts",
	 "rrrrrX*", 60, {0}, STOP_GAP_LIMIT, REACH_FILTERED, 11, 38, 1500, 1700},
	{"a router forwards to itself and refuses there: it answered before, but had not refused",
	 "rrr1Xx", 60, {0}, STOP_GAP_LIMIT, REACH_FILTERED, 10, 26, 100, 300},
	{"refused in mid-path, answered beyond, silent in the end: not filtered",
	 "rrXrr*", 60, {0}, STOP_GAP_LIMIT, REACH_SILENT, 10, 36, 1500, 1700},
	{"two filters: each is one hop",
	 "rrXrXx", 60, {0}, STOP_GAP_LIMIT, REACH_FILTERED, 10, 26, 100, 300},
	{"refused at the last TTL",
	 "rrrrrrrX", 60, {.max = 8}, STOP_MAX_TTL, REACH_FILTERED, 8, 24, 100, 200},

	/* unreachable */
	{"host unreachable at TTL 6 and the same from there for all beyond",
	 "rrrrrHh", 60, {0}, STOP_UNREACHABLE, REACH_UNREACHABLE, 6, 28, 100, 200},
	{"unreachable, and silence beyond: waited for once, not thrice",
	 "rrrrrH*", 60, {0}, STOP_UNREACHABLE, REACH_UNREACHABLE, 6, 28, 500, 700},
	{"unreachable at the first hop: no route there",
	 "Hh", 10, {0}, STOP_UNREACHABLE, REACH_UNREACHABLE, 1, 18, 10, 50},
	{"unreachable, then another router beyond it forwards: the path goes on to its end",
	 "rrHrr*", 60, {0}, STOP_GAP_LIMIT, REACH_SILENT, 10, 36, 1500, 1700},

	/* loops */
	{"two routers in turn: the fourth sight of the first is at TTL 9",
	 "rr1212121212121212121212121212", 60, {0}, STOP_LOOP, REACH_SILENT, 9, 34, 30, 200},
	{"three routers in turn",
	 "r1231231231231231231231231231", 60, {0}, STOP_LOOP, REACH_SILENT, 11, 38, 30, 200},
	{"a loop with a silent member",
	 "r1*1*1*1*1*1*1*1*1*1*1*1*1*1*1*1*", 60, {0}, STOP_LOOP, REACH_SILENT, 8, 32, 100, 800},

	/* something nearer in the destination's name */
	{"injected at TTL 3, routers beyond, the destination at 7",
	 "rrDrrrD", 60, {0}, STOP_REACHED, REACH_REACHED, 7, 30, 100, 200},
	{"... with one attempt: their answers come after the injected one",
	 "rrDrrrD", 60, {.attempts = 1}, STOP_REACHED, REACH_REACHED, 7, 16, 60, 75},
	{"injected at TTL 3, routers beyond, then silence: nothing was reached",
	 "rrDrrr*", 60, {0}, STOP_GAP_LIMIT, REACH_SILENT, 11, 38, 1500, 1700},

	/* time */
	{"the budget ends it wherever it is",
	 "rrrrrrrr*", 120, {.budget_ms = 300}, STOP_TIMEOUT, REACH_SILENT, 13, 16, 300, 301},
	{"a budget that is just long enough is no timeout",
	 "rrrrrrrrrD", 120, {.budget_ms = 400}, STOP_REACHED, REACH_REACHED, 10, 36, 240, 300},
	{"out of time between the attempts: what was reached was reached",
	 "rrrrrrrrrD", 120, {.budget_ms = 150}, STOP_TIMEOUT, REACH_REACHED, 10, 26, 150, 151},
};
/* clang-format on */

static struct tracer_config config_of(const struct row *r)
{
	struct tracer_config c = net_config();

	c.first_ttl = r->with.first ? r->with.first : c.first_ttl;
	c.max_ttl = r->with.max ? r->with.max : c.max_ttl;
	c.attempts = r->with.attempts ? r->with.attempts : c.attempts;
	if (r->with.gap)
		c.gap_limit = r->with.gap == 255 ? 0 : r->with.gap;
	c.ahead = r->with.ahead;
	c.wait_ns = r->with.wait_ms ? r->with.wait_ms * NS_PER_MS : c.wait_ns;
	c.budget_ns = r->with.budget_ms * NS_PER_MS;
	return c;
}

static bool as_expected(const struct row *r, const struct net_result *got)
{
	int64_t ms = got->took_ns / NS_PER_MS;

	return got->stop == r->stop && got->reach == r->reach && got->last_ttl == r->last_ttl &&
	       got->sent == r->sent && ms >= r->ms_min && ms <= r->ms_max &&
	       got->firsts_after_further == 0 && got->late == 0;
}

static void every_ending_has_its_name_cost_and_time(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		const struct row *r = &endings[i];
		struct tracer_config c = config_of(r);
		struct net *n = net_new(i, NULL, 1);
		struct net_result got;
		const char *fault = net_run_one(n, r->path, r->rtt_ms * NS_PER_MS, &c, &got);

		if (fault || !as_expected(r, &got)) {
			print_error("%s (%s)\n\tstop %d/%d reach %d/%d last %u/%u sent %u/%u "
				    "took %.1f ms (%d..%d) first-after %u late %u %s\n",
				    r->why, r->path, got.stop, r->stop, got.reach, r->reach,
				    got.last_ttl, r->last_ttl, got.sent, r->sent,
				    (double)got.took_ns / 1e6, r->ms_min, r->ms_max,
				    got.firsts_after_further, got.late, fault ? fault : "");
			wrong++;
		}
		net_free(n);
	}
	assert_int_equal(wrong, 0);
}

static void a_destination_that_limits_its_answers_is_asked_sparingly(void **state)
{
	static const struct {
		const char *path;
		uint8_t ahead, answers_min, answers_max;
		int ms_max;
	} rows[] = {
		{"rrrrrrrrrP", TRACER_AHEAD_SPARING, 3, 3, 400},
		{"rrrr*rrrrP", TRACER_AHEAD_SPARING, 3, 3, 460},
		{"rrrrP", TRACER_AHEAD_SPARING, 3, 3, 330},
		{"rrrrrrrrrrrrrrrrrrP", TRACER_AHEAD_SPARING, 3, 3, 600},
		{"rrrrrrrrrP", 16, 1, 1, 400}, /* what it is for */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct net_script script = {.limit_interval_ns = NS_PER_S};
		struct tracer_config c = net_config();
		struct net *n = net_new(i, &script, 1);
		struct net_result got;

		c.ahead = rows[i].ahead;
		assert_null(net_run_one(n, rows[i].path, 120 * NS_PER_MS, &c, &got));
		assert_int_equal(got.stop, STOP_REACHED);
		assert_in_range(got.answered_at[got.last_ttl], rows[i].answers_min,
				rows[i].answers_max);
		assert_true(got.took_ns <= rows[i].ms_max * NS_PER_MS);
		net_free(n);
	}
}

static void absurd_configurations_are_brought_into_range(void **state)
{
	struct tracer_config c = {.first_ttl = 0, .max_ttl = 0, .attempts = 200, .wait_ns = -5};
	struct net *n = net_new(1, NULL, 1);
	struct net_result got;

	(void)state;
	assert_null(net_run_one(n, "rrr", 1 * NS_PER_MS, &c, &got));
	assert_int_equal(got.last_ttl, 1);
	assert_int_equal(got.sent, TRACER_ATTEMPTS_MAX);
	c = (struct tracer_config){.first_ttl = 255, .max_ttl = 3, .gap_limit = 255, .ahead = 255};
	assert_null(net_run_one(n, "*", 1 * NS_PER_MS, &c, &got));
	assert_int_equal(got.last_ttl, 255);
	assert_int_equal(got.sent, 1);
	net_free(n);
}

static void a_pause_of_the_program_loses_no_answer_that_is_read_first(void **state)
{
	struct net_script script = {.stall_1_in = 3, .stall_ns = 10 * NS_PER_S};
	struct tracer_config c = net_config();

	(void)state;
	for (uint64_t seed = 0; seed < 50; seed++) {
		struct net *n = net_new(seed, &script, 1);
		struct net_result got;

		assert_null(net_run_one(n, "rrrr*rrrrD", 120 * NS_PER_MS, &c, &got));
		assert_int_equal(got.stop, STOP_REACHED);
		assert_int_equal(got.credited, 36 - 3);
		net_free(n);
	}
}

/* --- thousands of networks -------------------------------------------------------------------- */

static int64_t range(uint64_t *random, int64_t low, int64_t high)
{
	return low + (int64_t)(net_random(random) % (uint64_t)(high - low + 1));
}

static void random_path(uint64_t *random, char *symbols, size_t size)
{
	static const char inner[] = "rrrrrrrrrrrrrrrrrrrr****012XxHh";
	static const char last[] = "DDDDDDrr**XxHh1";
	size_t n = (size_t)range(random, 1, (int64_t)size - 1);

	for (size_t i = 0; i + 1 < n; i++)
		symbols[i] = inner[net_random(random) % (sizeof(inner) - 1)];
	symbols[n - 1] = last[net_random(random) % (sizeof(last) - 1)];
	symbols[n] = '\0';
}

static uint32_t one_in(uint64_t *random)
{
	static const uint32_t chances[] = {0, 0, 2, 5, 20, 100};

	return chances[net_random(random) % 6];
}

static struct net_script random_script(uint64_t *random)
{
	return (struct net_script){
		.loss_1_in = one_in(random),
		.duplicate_1_in = one_in(random),
		.late_1_in = one_in(random),
		.late_ns = range(random, 0, 5 * NS_PER_S),
		.jitter_ns = range(random, 0, 1) ? range(random, 0, 200 * NS_PER_MS) : 0,
		.odd_1_in = one_in(random) * 5,
		.not_sent_1_in = one_in(random) * 5,
		.rtt_lies_1_in = one_in(random),
		.stall_1_in = one_in(random) * 10,
		.stall_ns = range(random, 0, 3 * NS_PER_S),
		.limit_interval_ns = range(random, 0, 1) ? NS_PER_S : 0,
	};
}

static struct tracer_config random_config(uint64_t *random)
{
	struct tracer_config c = {
		.first_ttl = (uint8_t)(range(random, 0, 3) ? 1 : range(random, 1, 12)),
		.max_ttl = (uint8_t)(range(random, 0, 5) ? 32 : range(random, 1, 255)),
		.attempts = (uint8_t)(range(random, 0, 3) ? range(random, 1, 3)
							  : range(random, 1, TRACER_ATTEMPTS_MAX)),
		.gap_limit = (uint8_t)(range(random, 0, 2) ? 5 : range(random, 0, 40)),
		.wait_ns = range(random, 1, 3000) * NS_PER_MS,
		.budget_ns = range(random, 0, 4) ? 0 : range(random, 1, 5000) * NS_PER_MS,
		.ahead = (uint8_t)(range(random, 0, 2) ? 0 : range(random, 1, 255)),
	};

	return c;
}

enum { SEEDS = 6000 };

static void what_must_hold_holds_in_thousands_of_networks(void **state)
{
	uint32_t stops[STOP_ERROR + 1] = {0}, reaches[REACH_SILENT + 1] = {0};
	uint64_t late = 0, duplicates = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		uint64_t random = seed;
		struct net_script script = random_script(&random);
		struct tracer_config c = random_config(&random);
		struct net *n = net_new(seed, &script, 1);
		struct net_result got;
		char path[33];
		const char *fault;

		random_path(&random, path, sizeof(path));
		if (range(&random, 0, 9) == 0)
			net_interrupt_after(n, range(&random, 0, 3000) * NS_PER_MS);
		fault = net_run_one(n, path, range(&random, 0, 600) * NS_PER_MS, &c, &got);
		if (fault)
			fail_msg("seed %u, path %s: %s", (unsigned)seed, path, fault);
		stops[got.stop]++;
		reaches[got.reach]++;
		late += got.late;
		duplicates += got.duplicates;
		net_free(n);
	}
	/* The networks were varied enough to mean something. */
	for (int s = STOP_REACHED; s <= STOP_INTERRUPTED; s++)
		if (stops[s] < 20)
			fail_msg("stop reason %d: only %u", s, stops[s]);
	for (int r = REACH_UNKNOWN; r <= REACH_SILENT; r++)
		if (reaches[r] < 20)
			fail_msg("reach %d: only %u", r, reaches[r]);
	assert_true(late > 1000 && duplicates > 1000);
}

/* A caller that makes every mistake: nothing breaks, and it ends once the time has passed. */
static void any_sequence_of_calls_stays_within_bounds(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 2000; seed++) {
		uint64_t random = seed;
		struct tracer_config c = random_config(&random);
		struct mono now = {1000 * NS_PER_S};
		struct tracer_step s;
		struct tracer_hop rows[TRACER_TTLS];
		struct tracer t;
		uint8_t silent;
		bool late;

		memset(&t, 0xa5, sizeof(t));
		memset(rows, 0xa5, sizeof(rows));
		tracer_init(&t, rows, &c, now);
		for (int i = 0; i < 200; i++) {
			uint8_t ttl = (uint8_t)(net_random(&random) % (i % 2 ? 20 : 256));
			uint8_t attempt = (uint8_t)(net_random(&random) % (i % 4 ? 5 : 256));
			struct addr from = net_addr(10, 0, 0, (uint8_t)range(&random, 0, 9));

			/* Captured before, told after: the clock of the caller's calls may
			 * jitter. */
			now = mono_add(now, range(&random, -NS_PER_MS, 30 * NS_PER_MS));
			switch (range(&random, 0, 7)) {
			case 0: tracer_sent(&t, ttl, attempt, now); break;
			case 1: tracer_not_sent(&t, ttl, attempt, now); break;
			case 2:
				tracer_defer(&t, ttl,
					     mono_add(now, range(&random, -5, 90) * NS_PER_MS));
				break;
			case 3:
				tracer_reply(&t, ttl, attempt,
					     (enum tracer_event)range(&random, 0, 3), from,
					     range(&random, -5, 900) * NS_PER_MS, now, &late);
				break;
			case 4: tracer_take_silent(&t, &silent); break;
			default:
				s = tracer_next(&t, now);
				if (s.want != TRACER_SEND)
					break;
				assert_in_range(s.ttl, t.config.first_ttl, t.config.max_ttl);
				assert_in_range(s.attempt, 1, t.config.attempts);
				tracer_sent(&t, s.ttl, s.attempt, now);
			}
		}
		for (int i = 0; i < 10000 && (s = tracer_next(&t, now)).want != TRACER_DONE; i++) {
			if (s.want == TRACER_SEND)
				tracer_sent(&t, s.ttl, s.attempt, now);
			else
				now = s.until;
		}
		assert_int_equal(s.want, TRACER_DONE);
		assert_int_not_equal(tracer_stop_reason(&t), STOP_UNKNOWN);
		assert_true(tracer_last_ttl(&t) <= t.config.max_ttl);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_ending_has_its_name_cost_and_time),
		cmocka_unit_test(a_destination_that_limits_its_answers_is_asked_sparingly),
		cmocka_unit_test(any_sequence_of_calls_stays_within_bounds),
		cmocka_unit_test(absurd_configurations_are_brought_into_range),
		cmocka_unit_test(a_pause_of_the_program_loses_no_answer_that_is_read_first),
		cmocka_unit_test(what_must_hold_holds_in_thousands_of_networks),
	};

	return cmocka_run_group_tests_name("tracer runs", tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * Token buckets by hand, and whole runs of many targets: rates held in every window, routers slowed
 * when they fall silent, memory that does not grow, load that goes round.
 */
#include "prober/engine/pacing.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/prober/engine/net.h"

static struct mono at_ms(double ms)
{
	return (struct mono){(int64_t)(ms * 1e6)};
}

static const struct pacing_config defaults = {.rate_pps = 100, .prefix_mpps = 25000,
					      .router_pps = 5};

/* --- buckets by hand -------------------------------------------------------------------------- */

/* How many probes may leave at once at `ms`; takes them. */
static int drain(struct pacing *p, const struct pacing_ask *a, double ms, enum pacing_hold *held,
		 double *when_ms)
{
	struct mono when = {-1};
	int n = 0;

	while ((*held = pacing_ready(p, a, at_ms(ms), &when)) == PACING_GO && n < 100000) {
		pacing_take(p, a, at_ms(ms));
		n++;
	}
	*when_ms = (double)when.ns / 1e6;
	return n;
}

static void each_bucket_gives_its_burst_and_then_its_rate(void **state)
{
	static const struct {
		const char *why;
		struct pacing_config c;
		int burst;
		enum pacing_hold held;
		double interval_ms;
	} rows[] = {
		{"the whole run", {.rate_pps = 100}, PACING_BURST, PACING_GLOBAL, 10},
		{"one prefix", {.prefix_mpps = 25000}, PACING_BURST, PACING_PREFIX, 40},
		{"less than one a second", {.prefix_mpps = 800}, PACING_BURST, PACING_PREFIX, 1250},
		{"one router", {.router_pps = 5}, PACING_ROUTER_BURST, PACING_ROUTER, 200},
		{"fast runs get 10 ms worth", {.rate_pps = 20000}, 200, PACING_GLOBAL, 0.05},
		{"the scarcest decides", {.rate_pps = 100, .prefix_mpps = 25000, .router_pps = 5},
		 PACING_ROUTER_BURST, PACING_ROUTER, 200},
		{"a rate that does not divide a second is rounded to the slower side",
		 {.rate_pps = 3}, PACING_BURST, PACING_GLOBAL, 333.333334},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pacing *p = pacing_new(&rows[i].c, at_ms(0));
		struct pacing_ask a = {.dst = net_addr(192, 0, 2, 1), .ttl = 4,
					       .router = net_addr(10, 0, 0, 1)};
		enum pacing_hold held;
		double when;

		assert_int_equal(drain(p, &a, 0, &held, &when), rows[i].burst);
		assert_int_equal(held, rows[i].held);
		assert_true(when == rows[i].interval_ms);
		assert_int_equal(drain(p, &a, when - 1e-6, &held, &when), 0);
		assert_int_equal(drain(p, &a, when, &held, &when), 1);
		assert_int_equal(drain(p, &a, when, &held, &when), 1);
		/* Idle time beyond a full bucket is not saved up. */
		assert_int_equal(drain(p, &a, 3600e3, &held, &when), rows[i].burst);
		pacing_free(p);
	}
}

static void without_limits_everything_goes(void **state)
{
	struct pacing_config max = {0};
	struct pacing *p = pacing_new(&max, at_ms(0));
	struct pacing_ask a = {.dst = net_addr(192, 0, 2, 1), .ttl = 4,
				       .router = net_addr(10, 0, 0, 1)};
	enum pacing_hold held;
	double when;

	(void)state;
	assert_int_equal(drain(p, &a, 0, &held, &when), 100000);
	pacing_silent(p, &a, at_ms(0));
	pacing_answered(p, &a, a.router, false, at_ms(0));
	assert_int_equal(pacing_counters(p)->slowed, 0);
	assert_int_equal(pacing_router_pps(p, a.router), 0);
	assert_int_equal(pacing_counters(p)->taken, 100000);
	pacing_free(p);
	pacing_free(NULL);
}

/* 2001:db8:SITE:SUBNET:: */
static struct addr v6(uint8_t site, uint8_t subnet)
{
	uint8_t b[16] = {0x20, 0x01, 0x0d, 0xb8, 0, site, 0, subnet};

	return addr_v6(b);
}

static void prefixes_are_24_and_48_bits(void **state)
{
	const struct {
		const char *why;
		struct addr a, b;
		bool shared;
	} rows[] = {
		{"the same /24", net_addr(192, 0, 2, 1), net_addr(192, 0, 2, 254), true},
		{"the next /24", net_addr(192, 0, 2, 1), net_addr(192, 0, 3, 1), false},
		{"the same /48", v6(1, 1), v6(1, 2), true},
		{"the next /48", v6(1, 1), v6(2, 1), false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pacing_config c = {.prefix_mpps = 25000};
		struct pacing *p = pacing_new(&c, at_ms(0));
		struct pacing_ask a = {.dst = rows[i].a, .ttl = 1};
		struct pacing_ask b = {.dst = rows[i].b, .ttl = 1};
		enum pacing_hold held;
		double when;

		assert_int_equal(drain(p, &a, 0, &held, &when), PACING_BURST);
		assert_int_equal(drain(p, &b, 0, &held, &when), rows[i].shared ? 0 : PACING_BURST);
		pacing_free(p);
	}
}

static void an_unknown_router_is_guessed_from_what_answered_at_that_ttl(void **state)
{
	struct pacing_config c = {.router_pps = 5};
	struct pacing *p = pacing_new(&c, at_ms(0));
	struct addr gateway = net_addr(10, 0, 0, 1);
	struct pacing_ask a = {.dst = net_addr(192, 0, 2, 1), .ttl = 1};
	struct pacing_ask b = {.dst = net_addr(198, 51, 100, 1), .ttl = 1};
	struct pacing_ask known = {.dst = net_addr(192, 0, 2, 9), .ttl = 7, .router = gateway};
	struct pacing_ask other_ttl = {.dst = net_addr(192, 0, 2, 1), .ttl = 2};
	struct pacing_ask other_family = {.dst = v6(1, 1), .ttl = 1};
	enum pacing_hold held;
	double when;

	(void)state;
	/* Nobody has answered at TTL 1: all targets share one bucket of the unknown. */
	pacing_take(p, &a, at_ms(0));
	pacing_take(p, &b, at_ms(0));
	assert_int_equal(drain(p, &b, 0, &held, &when), 4);
	/* It answers twice: it pays for the first, which was asked of the unknown, and is the guess
	 * from then on. */
	pacing_answered(p, &a, gateway, false, at_ms(1));
	pacing_answered(p, &b, gateway, false, at_ms(1));
	assert_int_equal(drain(p, &a, 1, &held, &when), 5);
	assert_int_equal(drain(p, &known, 1, &held, &when), 0);
	assert_int_equal(drain(p, &other_ttl, 1, &held, &when), 6);
	assert_int_equal(drain(p, &other_family, 1, &held, &when), 6);
	pacing_free(p);
}

static void a_destination_is_no_router(void **state)
{
	struct pacing_config c = {.router_pps = 5};
	struct pacing *p = pacing_new(&c, at_ms(0));
	struct addr dst = net_addr(192, 0, 2, 1);
	struct pacing_ask first = {.dst = dst, .ttl = 9};
	struct pacing_ask further = {.dst = dst, .ttl = 9, .router = dst};
	struct pacing_ask neighbour = {.dst = net_addr(192, 0, 2, 2), .ttl = 9};
	enum pacing_hold held;
	double when;

	(void)state;
	assert_int_equal(drain(p, &first, 0, &held, &when), 6);
	pacing_answered(p, &first, dst, true, at_ms(1));
	assert_int_equal(drain(p, &further, 1, &held, &when), 100000);
	/* Nor a guess for its neighbours: theirs is still the bucket of the unknown, drained. */
	assert_int_equal(drain(p, &neighbour, 1, &held, &when), 0);
	pacing_free(p);
}

static void a_silent_router_is_slowed_and_recovers(void **state)
{
	struct pacing_config c = {.router_pps = 8};
	struct pacing *p = pacing_new(&c, at_ms(0));
	struct addr r = net_addr(10, 0, 0, 1);
	struct pacing_ask a = {.dst = net_addr(192, 0, 2, 1), .ttl = 3, .router = r}, guessed;
	enum pacing_hold held;
	double when;
	int answers = 0;

	(void)state;
	assert_int_equal(pacing_router_pps(p, r), 8);
	assert_int_equal(drain(p, &a, 0, &held, &when), 6);
	pacing_silent(p, &a, at_ms(0));
	assert_int_equal(pacing_router_pps(p, r), 4);
	/* An empty bucket stays empty, at the new pace. */
	assert_int_equal(drain(p, &a, 0, &held, &when), 0);
	assert_true(when == 250);
	pacing_silent(p, &a, at_ms(999)); /* the same event */
	assert_int_equal(pacing_router_pps(p, r), 4);
	pacing_silent(p, &a, at_ms(1000));
	assert_int_equal(pacing_router_pps(p, r), 2);
	for (int i = 2; i < 20; i++)
		pacing_silent(p, &a, at_ms(i * 1000));
	assert_int_equal(pacing_router_pps(p, r), 1); /* the floor */
	assert_int_equal(pacing_counters(p)->slowed, 3);
	assert_int_equal(pacing_router_pps(p, net_addr(10, 0, 0, 2)), 8); /* nobody else */
	for (; pacing_router_pps(p, r) < 8 && answers < 1000; answers++)
		pacing_answered(p, &a, r, false, at_ms(20000));
	assert_in_range(answers, 55, 75);
	/* Another target's first attempt at that TTL was lost: the same router is suspected. Where
	 * nobody ever answered, or the destination stands, nobody is. */
	guessed = (struct pacing_ask){.dst = net_addr(192, 0, 2, 9), .ttl = 3};
	pacing_silent(p, &guessed, at_ms(30000));
	assert_int_equal(pacing_router_pps(p, r), 4);
	guessed.ttl = 4;
	pacing_silent(p, &guessed, at_ms(40000));
	guessed.router = guessed.dst;
	pacing_silent(p, &guessed, at_ms(40000));
	assert_int_equal(pacing_counters(p)->slowed, 4);
	pacing_free(p);
}

static void speeds_stay_between_the_floor_and_the_configured(void **state)
{
	static const struct {
		const char *why;
		uint32_t router_pps, slowest;
		double slowest_ms;
	} rows[] = {
		{"5, 2.5, 1.25 and then 1, not 0.6", 5, 1, 1000},
		{"100 has further to fall", 100, 1, 1000},
		{"1 is the floor already", 1, 1, 1000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pacing_config c = {.router_pps = rows[i].router_pps};
		struct pacing *p = pacing_new(&c, at_ms(0));
		struct pacing_ask a = {.dst = net_addr(192, 0, 2, 1), .ttl = 3,
					       .router = net_addr(10, 0, 0, 1)};
		enum pacing_hold held;
		double when;

		for (int s = 0; s < 20; s++)
			pacing_silent(p, &a, at_ms(1000 * s));
		drain(p, &a, 100e3, &held, &when);
		assert_int_equal(pacing_router_pps(p, a.router), rows[i].slowest);
		assert_true(when == 100e3 + rows[i].slowest_ms);
		for (int k = 0; k < 2000; k++)
			pacing_answered(p, &a, a.router, false, at_ms(200e3));
		assert_int_equal(pacing_router_pps(p, a.router), rows[i].router_pps);
		pacing_free(p);
	}
}

static void a_full_table_forgets_the_fullest_first(void **state)
{
	struct pacing_config c = {.router_pps = 1, .buckets = 8};
	struct pacing *p = pacing_new(&c, at_ms(0));
	struct pacing_ask drained = {.dst = net_addr(192, 0, 2, 1), .ttl = 3,
				       .router = net_addr(10, 0, 0, 1)};
	enum pacing_hold held;
	double when;

	(void)state;
	assert_int_equal(drain(p, &drained, 0, &held, &when), 6);
	for (int i = 0; i < 1000; i++) {
		struct pacing_ask a = {.dst = net_addr(192, 0, 2, 1), .ttl = 3,
				       .router = net_addr(10, 1, (uint8_t)(i >> 8), (uint8_t)i)};

		pacing_take(p, &a, at_ms(0));
	}
	/* A thousand went through the other seven places; the drained one is remembered. */
	assert_int_equal(drain(p, &drained, 0, &held, &when), 0);
	assert_int_equal(pacing_counters(p)->evicted, 1000 - 7);
	pacing_free(p);
}

/* Random asks at random times against the plainest reference: token counts in floating point. */
static void in_every_window_the_rate_holds(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		uint64_t random = seed;
		struct pacing_config c = {(uint32_t)(net_random(&random) % 300 + 1),
					  net_random(&random) % 100000 + 1,
					  (uint32_t)(net_random(&random) % 50 + 1), 64};
		const double rate[3] = {c.rate_pps, (double)c.prefix_mpps / 1000, c.router_pps};
		const double burst[3] = {PACING_BURST, PACING_BURST, PACING_ROUTER_BURST};
		double tokens[3][4], now = 0, last[3][4] = {{0}};
		struct pacing *p = pacing_new(&c, at_ms(0));
		int sent = 0;

		for (int level = 0; level < 3; level++)
			for (int k = 0; k < 4; k++)
				tokens[level][k] = burst[level];
		for (int i = 0; i < 3000; i++) {
			int key = (int)(net_random(&random) % 4);
			int index[3] = {0, key / 2, key};
			struct pacing_ask a = {.dst = net_addr(192, 0, (uint8_t)(key / 2), 1),
					       .ttl = 5,
					       .router = net_addr(10, 0, 0, (uint8_t)key)};
			struct mono when;
			bool go, may = true;

			now += (double)(net_random(&random) % 20000000);
			go = pacing_ready(p, &a, (struct mono){(int64_t)now}, &when) == PACING_GO;
			for (int l = 0; l < 3; l++) {
				double *t = &tokens[l][index[l]];

				*t += (now - last[l][index[l]]) * 1e-9 * rate[l];
				*t = *t > burst[l] ? burst[l] : *t;
				last[l][index[l]] = now;
				may = may && *t >= 1 - 1e-3;
				if (go)
					assert_true(*t >= 1 - 1e-3);
				if (go)
					*t -= 1;
			}
			/* Nor is it slower than it need be, but for rounding. */
			if (!go && may)
				for (int l = 0; l < 3; l++)
					may = may && tokens[l][index[l]] >= 1 + 1e-3;
			assert_true(go || !may);
			if (go)
				pacing_take(p, &a, (struct mono){(int64_t)now});
			sent += go;
		}
		assert_true(sent > 50);
		pacing_free(p);
	}
}

/* --- whole runs ------------------------------------------------------------------------------- */

struct tally {
	size_t n, reached, first_half;
	uint64_t sent, answered;
	int64_t slowest_ns;
	uint64_t lost_at_routers;
};

static void count(void *ctx, size_t index, const struct net_result *r)
{
	struct tally *t = ctx;

	(void)index;
	t->n++;
	t->reached += r->stop == STOP_REACHED;
	t->sent += r->sent;
	t->answered += r->credited;
	if (r->took_ns > t->slowest_ns)
		t->slowest_ns = r->took_ns;
}

/* With the polite defaults in force, and routers that limit as Linux does. */
static void one_target_with_a_silent_hop_is_done_in_400_ms_at_default_rates(void **state)
{
	static const struct {
		const char *why, *path;
		uint8_t attempts;
		int64_t most_ms;
	} rows[] = {
		{"the issue's case", "rrrr*rrrrD", 3, 400},
		{"nothing silent", "rrrrrrrrrD", 3, 400},
		{"one attempt", "rrrr*rrrrD", 1, 200},
		{"two silent hops", "rrr*rr*rrD", 3, 400},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct net_script script = {.limit_interval_ns = NS_PER_S};
		struct net *n = net_new(1, &script, 1);
		struct pacing *p = pacing_new(&defaults, net_now(n));
		struct net_path path = {rows[i].path, 120 * NS_PER_MS, 1, net_addr(192, 0, 2, 1)};
		struct tracer_config c = net_config();
		struct tally t = {0};

		c.attempts = rows[i].attempts;
		assert_null(net_run(n, &path, 1, &c, p, &defaults, count, &t));
		assert_int_equal(t.reached, 1);
		assert_true(t.slowest_ns <= rows[i].most_ms * NS_PER_MS);
		pacing_free(p);
		net_free(n);
	}
}

enum { SHARED = 40 };

/* The first four routers are everybody's; they limit as Linux does. */
static void shared_routers_are_asked_no_faster_than_they_answer(void **state)
{
	static const struct {
		const char *why;
		uint32_t router_pps;
		double lost_at_most; /* share of what was asked of the shared routers */
		double lost_at_least;
	} rows[] = {
		{"without a limit most probes of shared routers are wasted", 0, 1, 0.5},
		{"at 5 a second it finds out that they give 1", 5, 0.20, 0},
		{"at 1 a second nearly nothing is wasted", 1, 0.06, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct net_script script = {.limit_interval_ns = NS_PER_S};
		struct net *n = net_new(7, &script, SHARED);
		struct pacing_config limits = {.rate_pps = 1000, .router_pps = rows[i].router_pps};
		struct pacing *p = pacing_new(&limits, net_now(n));
		struct net_path paths[SHARED];
		struct tracer_config c = net_config();
		struct tally t = {0};
		double asked = 0, refused = 0;

		for (uint8_t k = 0; k < SHARED; k++)
			paths[k] = (struct net_path){"0123rrD", 50 * NS_PER_MS, 10u + 8 * k,
						     net_addr(192, 0, k, 1)};
		assert_null(net_run(n, paths, SHARED, &c, p, &limits, count, &t));
		assert_int_equal(t.reached, SHARED);
		for (uint32_t r = 0; r < 4; r++) {
			asked += net_router(n, 1000 + r)->asked;
			refused += net_router(n, 1000 + r)->refused;
		}
		if (refused > asked * rows[i].lost_at_most ||
		    refused < asked * rows[i].lost_at_least)
			fail_msg("%s: asked %.0f, wasted %.1f %%, %.1f s", rows[i].why, asked,
				 100 * refused / asked, (double)t.slowest_ns / 1e9);
		pacing_free(p);
		net_free(n);
	}
}

static void the_load_goes_round(void **state)
{
	enum { TARGETS = 64 };
	struct net *n = net_new(3, NULL, TARGETS);
	struct pacing_config limits = {.rate_pps = 200};
	struct pacing *p = pacing_new(&limits, net_now(n));
	struct net_path paths[TARGETS];
	struct tracer_config c = net_config();
	struct tally t = {0};

	(void)state;
	for (uint8_t k = 0; k < TARGETS; k++)
		paths[k] = (struct net_path){"rrrrrrrrrD", 50 * NS_PER_MS, 10u + 12 * k,
					     net_addr(192, 0, k, 1)};
	/* Interrupted half-way: nobody is done, and nobody is without probes. */
	net_interrupt_after(n, 4 * NS_PER_S);
	assert_null(net_run(n, paths, TARGETS, &c, p, &limits, count, &t));
	assert_int_equal(t.n, TARGETS);
	assert_int_equal(t.reached, 0);
	assert_in_range(t.sent, 830, 850);
	pacing_free(p);
	net_free(n);
}

/* The checks of net.c in hundreds of small runs with random limits. */
static void what_must_hold_holds_whatever_the_limits(void **state)
{
	enum { RUNS = 300, TARGETS = 6 };
	static const char *const shapes[] = {"0rrrD", "01*rrD", "012Xx",        "0r*",
					     "01Hh",  "D",      "121212121212"};
	static const uint32_t rates[] = {0, 0, 1, 5, 40, 500};

	(void)state;
	for (uint64_t seed = 1; seed <= RUNS; seed++) {
		uint64_t random = seed;
		struct net_script script = {
			.loss_1_in = net_chance(&random, 2) ? 5 : 0,
			.duplicate_1_in = 10,
			.late_1_in = 10,
			.late_ns = (int64_t)(net_random(&random) % (3 * NS_PER_S)),
			.jitter_ns = 1 + (int64_t)(net_random(&random) % (30 * NS_PER_MS)),
			.odd_1_in = net_chance(&random, 4) ? 20 : 0,
			.limit_interval_ns = net_chance(&random, 2) ? NS_PER_S : 0,
		};
		struct pacing_config limits = {
			.rate_pps = rates[net_random(&random) % 6],
			.prefix_mpps = rates[net_random(&random) % 6] * UINT64_C(1000),
			.router_pps = rates[net_random(&random) % 6],
			.buckets = 1 + (uint32_t)(net_random(&random) % 64),
		};
		struct tracer_config c = net_config();
		struct net *n = net_new(seed, &script, 1 + net_random(&random) % TARGETS);
		struct pacing *p = pacing_new(&limits, net_now(n));
		struct net_path paths[TARGETS];
		struct tally t = {0};
		const char *fault;

		c.attempts = (uint8_t)(1 + net_random(&random) % 4);
		c.budget_ns = net_chance(&random, 3) ? 3 * NS_PER_S : 0;
		for (uint8_t k = 0; k < TARGETS; k++)
			paths[k] = (struct net_path){
				shapes[net_random(&random) % 7],
				(int64_t)(net_random(&random) % 300) * NS_PER_MS, 10u * k,
				net_addr(192, 0, k / 2, k)};
		if (net_chance(&random, 5))
			net_interrupt_after(n, 2 * NS_PER_S);
		fault = net_run(n, paths, TARGETS, &c, p, &limits, count, &t);
		if (fault)
			fail_msg("seed %u: %s", (unsigned)seed, fault);
		assert_true(t.n <= TARGETS);
		pacing_free(p);
		net_free(n);
	}
}

/* Many targets one after the other through a small window, under everything that may go wrong. */
static void a_long_run_ends_and_takes_no_more_memory(void **state)
{
	enum { TARGETS = 10000, WINDOW = 200 };
	struct net_script script = {
		.loss_1_in = 30,
		.duplicate_1_in = 50,
		.late_1_in = 100,
		.late_ns = NS_PER_S,
		.jitter_ns = 20 * NS_PER_MS,
		.odd_1_in = 500,
		.not_sent_1_in = 1000,
		.rtt_lies_1_in = 100,
		.stall_1_in = 1000,
		.stall_ns = NS_PER_S,
		.limit_interval_ns = 10 * NS_PER_MS,
	};
	static const char *const shapes[] = {"01rrrrrrrD", "01rr*rrrrrrD", "02rrrrXx", "02rrr*",
					     "01rrHh"};
	struct pacing_config limits = {.rate_pps = 5000, .prefix_mpps = 500000, .router_pps = 5000,
				       .buckets = 256};
	struct net *n = net_new(11, &script, WINDOW);
	struct pacing *p = pacing_new(&limits, net_now(n));
	struct net_path *paths = calloc(TARGETS, sizeof(*paths));
	struct tracer_config c = net_config();
	struct tally t = {0};
	size_t before, after;

	(void)state;
	assert_non_null(paths);
	for (uint32_t k = 0; k < TARGETS; k++)
		paths[k] = (struct net_path){shapes[k % 5], (int64_t)(k % 300) * NS_PER_MS, k % 900,
					     net_addr(198, 18, (uint8_t)k, (uint8_t)(k >> 8))};
	before = mallinfo2().uordblks;
	assert_null(net_run(n, paths, TARGETS, &c, p, &limits, count, &t));
	after = mallinfo2().uordblks;
	assert_int_equal(before, after);
	assert_int_equal(t.n, TARGETS);
	assert_true(t.reached > TARGETS / 3);
	assert_true(pacing_counters(p)->taken >= t.sent);
	free(paths);
	pacing_free(p);
	net_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_bucket_gives_its_burst_and_then_its_rate),
		cmocka_unit_test(without_limits_everything_goes),
		cmocka_unit_test(prefixes_are_24_and_48_bits),
		cmocka_unit_test(an_unknown_router_is_guessed_from_what_answered_at_that_ttl),
		cmocka_unit_test(a_destination_is_no_router),
		cmocka_unit_test(a_silent_router_is_slowed_and_recovers),
		cmocka_unit_test(speeds_stay_between_the_floor_and_the_configured),
		cmocka_unit_test(a_full_table_forgets_the_fullest_first),
		cmocka_unit_test(in_every_window_the_rate_holds),
		cmocka_unit_test(one_target_with_a_silent_hop_is_done_in_400_ms_at_default_rates),
		cmocka_unit_test(shared_routers_are_asked_no_faster_than_they_answer),
		cmocka_unit_test(the_load_goes_round),
		cmocka_unit_test(what_must_hold_holds_whatever_the_limits),
		cmocka_unit_test(a_long_run_ends_and_takes_no_more_memory),
	};

	return cmocka_run_group_tests_name("pacing", tests, NULL, NULL);
}

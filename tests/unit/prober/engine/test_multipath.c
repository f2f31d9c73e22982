// SPDX-License-Identifier: BSD-2-Clause
/* Multipath detection against a scripted network: what it finds, what it asks, what it admits. */
#include "prober/engine/multipath.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/prober/engine/mnet.h"

enum { LINKS_TEXT = 4096 };

static struct mnet_result result;

static const struct mnet_result *run(const char *topology, uint64_t seed,
				     const struct mnet_script *script, uint8_t level)
{
	struct multipath_config c = mnet_config(level);
	const char *fault = mnet_run(topology, seed, script, &c, &result);

	if (fault != NULL)
		fail_msg("%s, seed %llu: %s", topology, (unsigned long long)seed, fault);
	return &result;
}

/* Under valgrind a twentieth of the runs has the same paths through the code. */
static unsigned runs_of(unsigned n)
{
	return getenv("UNDER_VALGRIND") != NULL ? n / 20 : n;
}

static bool finds_all(const char *topology, const struct mnet_result *r)
{
	char want[LINKS_TEXT], got[LINKS_TEXT];

	mnet_true_links(topology, want, sizeof(want));
	mnet_found_links(r, got, sizeof(got));
	return strcmp(want, got) == 0;
}

/* --- the rule --- */

static void published_table(void **state)
{
	/* For k = 2.. as published (Augustin et al. 2007; Veitch et al. 2009), up to 16. */
	static const unsigned at_95[] = {6, 11, 16, 21, 27, 33, 38, 44, 51, 57, 63, 70, 76, 83,
					 90};
	static const unsigned at_99[] = {8, 15, 21, 28, 36, 43, 51, 58, 66, 74, 82, 90, 98, 106,
					 115};

	(void)state;
	for (unsigned i = 0; i < sizeof(at_95) / sizeof(at_95[0]); i++) {
		assert_int_equal(multipath_stopping_point(i + 2, 0.05), at_95[i]);
		assert_int_equal(multipath_stopping_point(i + 2, 0.01), at_99[i]);
	}
}

/* The closed form, in long double, where it still has digits. */
static double closed_form(unsigned k, unsigned n)
{
	long double sum = 0, choose = 1;

	for (unsigned i = 1; i <= k; i++) {
		choose = choose * (k - i + 1) / i;
		sum += (i % 2 ? 1 : -1) * choose * powl(1 - (long double)i / k, n);
	}
	return (double)sum;
}

static void rule_equals_the_closed_form(void **state)
{
	(void)state;
	for (unsigned k = 2; k <= 16; k++) {
		for (unsigned n = k; n < 200; n += 7)
			assert_true(fabs(multipath_missed(k, n) - closed_form(k, n)) < 1e-9);
	}
	assert_true(multipath_missed(2, 0) == 1);
	assert_true(multipath_missed(2, 1) == 1);
	assert_true(multipath_missed(1, 1) == 0);
}

static void rule_is_stable_for_many(void **state)
{
	unsigned before = 0;

	(void)state;
	for (unsigned k = 2; k <= MULTIPATH_NODES_MAX + 2; k++) {
		unsigned n = multipath_stopping_point(k, 0.05);
		/* Coupon collector: n = k (ln k - ln ln (1 / 0.95)), to within k's own size. */
		double about = k * (log(k) - log(-log(0.95)));

		assert_true(n > before);
		assert_true(multipath_missed(k, n) <= 0.05 && multipath_missed(k, n - 1) > 0.05);
		assert_true(fabs(n - about) < 0.1 * about + 3);
		before = n;
	}
}

/* --- what is found --- */

#define SIXTEEN                                                                                \
	"S:a a:bcdefghijklmnopq b:r c:r d:r e:r f:r g:r h:r i:r j:r k:r l:r m:r n:r o:r p:r "  \
	"q:r r:D"

static const struct {
	const char *topology, *why;
} nets[] = {
	{"S:a a:b b:c c:D", "one path"},
	{"S:D", "the destination at once"},
	{"S:ab a:c b:c c:D", "balanced by the source itself"},
	{"S:a a:bc b:d c:d d:D", "a diamond"},
	{"S:a a:bcde b:f c:f d:f e:f f:g g:D", "four ways"},
	{"S:a a:bc b:de c:fg d:h e:h f:h g:h h:i i:D", "a diamond within each branch"},
	{"S:a a:bc b:d c:e d:fg e:h f:i g:i h:i i:D", "a diamond within one of two branches"},
	{"S:a a:bc b:d c:ef d:g e:g f:g g:hi h:D i:D", "two diamonds, the second to the end"},
	{"S:a a:bc b:D c:D", "the destination right behind a diamond"},
	{"S:a a:bcde b:f c:f d:f e:x x:f f:D", "one way is longer"},
	{"S:a a:bc b:D c:d d:e e:D", "and reaches the destination later"},
	{SIXTEEN, "sixteen ways"},
	{"S:a a:b b-:c c:D", "a silent hop"},
	{"S:a a:bc b-:d c:d d:D", "a silent branch"},
	{"S:a a:bc b-:de c:f d:f e:f f:D", "a diamond behind a silent branch"},
	{"S:a a:b b-:cd c:e d:e e:D", "two ways behind a silent hop"},
	{"S:a a:bc b:d c:d d:", "nothing behind the diamond"},
};

static void finds_every_link(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(nets) / sizeof(nets[0]); i++) {
		unsigned missed = 0, runs = runs_of(20);

		for (uint64_t seed = 1; seed <= runs; seed++)
			missed += !finds_all(nets[i].topology, run(nets[i].topology, seed, NULL,
								   99));
		/* At 99 % a node; the deepest has seven nodes that branch. */
		if (missed > 3)
			fail_msg("%s: %u of %u runs missed a link", nets[i].why, missed, runs);
	}
}

static void finds_them_with_loss(void **state)
{
	struct mnet_script script = {.loss_1_in = 10, .jitter_ns = 10 * NS_PER_MS};

	(void)state;
	for (unsigned i = 0; i < sizeof(nets) / sizeof(nets[0]); i++) {
		unsigned missed = 0, runs = runs_of(20);

		for (uint64_t seed = 1; seed <= runs; seed++)
			missed += !finds_all(nets[i].topology, run(nets[i].topology, seed, &script,
								   99));
		if (missed > 4)
			fail_msg("%s: %u of %u runs missed a link", nets[i].why, missed, runs);
	}
}

/* Veitch et al. 2009: one node with k successors is missed with less than 5 %. */
static void misses_no_more_than_the_rule_allows(void **state)
{
	static const char *const diamonds[] = {
		"S:a a:bc b:d c:d d:D", "S:a a:bcd b:e c:e d:e e:D",
		"S:a a:bcde b:f c:f d:f e:f f:D",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(diamonds) / sizeof(diamonds[0]); i++) {
		unsigned missed = 0, runs = runs_of(2000), probes = 0;

		for (uint64_t seed = 1; seed <= runs; seed++) {
			const struct mnet_result *r = run(diamonds[i], seed, NULL, 95);

			missed += !finds_all(diamonds[i], r);
			probes += r->probes;
		}
		print_message("# %-48s missed %.2f %%, %.1f probes\n", diamonds[i],
			      100.0 * missed / runs, (double)probes / runs);
		/* 5 %, and three standard deviations. */
		assert_true(missed <= 0.05 * runs + 3 * sqrt(0.05 * 0.95 * runs));
	}
}

/* --- how it goes about it --- */

static void a_single_path_takes_six_probes_a_hop(void **state)
{
	const struct mnet_result *r = run("S:a a:b b:c c:d d:e e:f f:g g:h h:i i:D", 1, NULL, 95);
	unsigned asked = 0;

	(void)state;
	/* 6 flows at 10 TTLs; the survey went up to 15 TTLs beyond the destination at once. */
	print_message("# ten hops: %u probes, %.0f ms\n", r->probes, (double)r->took_ns / 1e6);
	assert_int_equal(r->flows, 6);
	assert_true(r->probes <= 60 + 6);
	assert_true(r->took_ns < 3 * 50 * NS_PER_MS);
	for (unsigned f = 0; f < r->flows; f++)
		asked += r->asked[f] && r->ends[f].stop == STOP_REACHED &&
			 r->ends[f].last_ttl == 10;
	assert_int_equal(asked, 6);
	/* Ten nodes, each 1 - 2 / 2^6. */
	assert_true(fabs(r->confidence - pow(1 - 1.0 / 32, 10)) < 1e-9);
	assert_false(r->cut);
}

static void flows_are_asked_where_they_part_and_inherit_where_they_meet(void **state)
{
	static const char diamond[] = "S:a a:bcde b:f c:f d:f e:f f:g g:D";
	const struct mnet_result *r = run(diamond, 3, NULL, 95);

	(void)state;
	assert_true(r->flows >= 21);
	for (unsigned f = 0; f < r->flows; f++) {
		assert_false(r->inherited[f][2]);
		assert_int_equal(r->inherited[f][1], f >= 6);
		assert_int_equal(r->at[f][1], 'a');
		assert_int_equal(r->at[f][3], 'f');
		assert_int_equal(r->at[f][4], 'g');
		assert_int_equal(r->ends[f].stop, STOP_REACHED);
		assert_int_equal(r->ends[f].reach, REACH_REACHED);
		assert_int_equal(r->ends[f].last_ttl, 5);
	}
	assert_int_equal(r->balancing[0], BALANCING_NONE);
	assert_int_equal(r->balancing[1], BALANCING_PER_FLOW);
	assert_int_equal(r->balancing[2], BALANCING_NONE);
}

/* Every node behind the diamond has its six flows, whatever chance did. */
static void each_branch_has_its_flows(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= runs_of(60); seed++) {
		const struct mnet_result *r =
			run("S:a a:bcde b:f c:g d:h e:i f:j g:j h:j i:j j:D", seed, NULL, 95);
		unsigned through[128] = {0}, last = r->cut;

		for (unsigned f = 0; f < r->flows; f++) {
			if (r->at[f][3] != 0 && !r->inherited[f][3])
				through[(unsigned)r->at[f][2]]++;
		}
		for (unsigned v = 'b'; v <= 'e'; v++) {
			if (through[v] > 0 && through[v] < 6)
				fail_msg("seed %llu: %u flows through %c",
					 (unsigned long long)seed, through[v], v);
		}
		assert_int_equal(last, 0);
	}
}

static void per_packet_is_told_from_per_flow(void **state)
{
	static const struct {
		const char *topology;
		enum balancing want[6];
		const char *why;
	} rows[] = {
		{"S:a a%:bc b:d c:d d:e e:D",
		 {BALANCING_NONE, BALANCING_PER_PACKET, BALANCING_NONE, BALANCING_NONE},
		 "a diamond; steered again behind it"},
		{"S:a a%:bc b:d c:d d:ef e:D f:D",
		 {BALANCING_NONE, BALANCING_PER_PACKET, BALANCING_NONE, BALANCING_PER_FLOW},
		 "per packet, then per flow"},
		{"S:a a:bc b:d c:d d%:ef e:D f:D",
		 {BALANCING_NONE, BALANCING_PER_FLOW, BALANCING_NONE, BALANCING_PER_PACKET},
		 "per flow, then per packet"},
		{"S:a a%:bc b:d c:e d:f e:f f:D",
		 {BALANCING_NONE, BALANCING_PER_PACKET, BALANCING_PER_PACKET, BALANCING_NONE},
		 "two long: which is linked to which nobody knows"},
		{"S:ab a:c b:c c:D", {BALANCING_PER_FLOW}, "the source itself"},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned wrong = 0;

		for (uint64_t seed = 1; seed <= runs_of(100); seed++) {
			const struct mnet_result *r = run(rows[i].topology, seed, NULL, 95);

			for (unsigned ttl = 0; ttl < 5; ttl++) {
				if (r->balancing[ttl] != rows[i].want[ttl]) {
					wrong++;
					break;
				}
			}
			assert_true(r->probes < 150);
		}
		/* A flow that by chance meets one of two six times: 3 %; or one of them never
		 * found: 3 %. */
		if (wrong > 13)
			fail_msg("%s: %u of 100 wrong", rows[i].why, wrong);
	}
}

static void wide_per_packet_is_enumerated(void **state)
{
	unsigned missed = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= runs_of(100); seed++) {
		const struct mnet_result *r =
			run("S:a a%:bcdefgh b:i c:i d:i e:i f:i g:i h:i i:D", seed, NULL, 95);
		bool seen[128] = {false};
		unsigned found = 0;

		for (unsigned f = 0; f < r->flows; f++)
			seen[(unsigned)r->at[f][2]] = true;
		for (unsigned v = 'b'; v <= 'h'; v++)
			found += seen[v];
		missed += found < 7;
	}
	assert_true(missed <= 5 + 6);
}

static void a_filter_is_one_hop_and_the_end(void **state)
{
	/* The filter refuses whatever TTL is left: every probe that gets to it. */
	const struct mnet_result *r = run("S:a a:b b:c c!:c", 1, NULL, 95);

	(void)state;
	for (unsigned f = 0; f < r->flows; f++) {
		assert_int_equal(r->ends[f].reach, REACH_FILTERED);
		assert_int_equal(r->ends[f].stop, STOP_GAP_LIMIT);
	}
	assert_true(r->probes <= 6 * 8 + 8);
}

static void silence_ends_by_the_gap_limit(void **state)
{
	const struct mnet_result *r = run("S:a a:b b:c c-:d d-:e e-:f f-:g g-:h h-:i i-:", 1, NULL,
					  95);

	(void)state;
	assert_int_equal(r->flows, 6);
	for (unsigned f = 0; f < r->flows; f++) {
		assert_int_equal(r->ends[f].stop, STOP_GAP_LIMIT);
		assert_int_equal(r->ends[f].reach, REACH_SILENT);
		assert_int_equal(r->ends[f].last_ttl, 7);
	}
	/* One attempt a flow where nobody answers anybody; what was sent ahead comes on top. */
	assert_true(r->probes <= 6 * 7 + 16);
}

static void a_target_that_limits_its_answers_is_waited_for(void **state)
{
	static const struct mnet_script linux_host = {.target_burst = 6};
	struct multipath_config c = mnet_config(95);

	(void)state;
	c.path.ahead = TRACER_AHEAD_SPARING;
	c.sparing_end = true;
	for (uint64_t seed = 1; seed <= runs_of(20); seed++) {
		const char *fault = mnet_run("S:a a:bcde b:f c:f d:f e:f f:D", seed, &linux_host,
					     &c, &result);

		assert_null(fault);
		for (unsigned f = 0; f < result.flows; f++)
			assert_int_equal(result.ends[f].reach, REACH_REACHED);
		assert_true(result.took_ns < 12 * NS_PER_S);
	}
}

/* Linux routers with their default limit: no flow is taken for a silent branch. */
static void routers_that_limit_their_answers_are_no_branches(void **state)
{
	static const struct mnet_script limits = {.router_burst = 6, .target_burst = 6};
	static const char diamond[] = "S:a a:bcde b:f c:f d:f e:f f:D";
	struct multipath_config c = mnet_config(99);
	unsigned missed = 0, probes = 0;
	int64_t took_ns = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= runs_of(40); seed++) {
		assert_null(mnet_run(diamond, seed, &limits, &c, &result));
		assert_false(result.cut);
		for (unsigned f = 0; f < result.flows; f++)
			assert_int_equal(result.ends[f].reach, REACH_REACHED);
		missed += !finds_all(diamond, &result);
		probes += result.probes;
		took_ns += result.took_ns;
	}
	print_message("# limited routers: %u probes, %.1f s\n", probes / runs_of(40),
		      (double)took_ns / 1e9 / runs_of(40));
	assert_true(missed <= 2);
}

/* ... and a silent branch, where nobody limits anything, costs no seconds: attempts follow one
 * another after 50 ms here, for each time that flows are added. */
static void a_silent_branch_is_told_soon(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= runs_of(20); seed++)
		assert_true(run("S:a a:bc b-:d c:d d:D", seed, NULL, 95)->took_ns < 3 * NS_PER_S);
}

/* --- bounds --- */

static void flows_run_out(void **state)
{
	struct multipath_config c = mnet_config(95);
	struct mnet_script script = {.flows_at_most = 20};

	(void)state;
	c.flows_max = 40;
	assert_null(mnet_run(SIXTEEN, 1, NULL, &c, &result));
	assert_int_equal(result.flows, 40);
	assert_true(result.cut);
	assert_true(result.confidence < 0.5);
	/* No port is left for a further one. */
	c.flows_max = MULTIPATH_FLOWS_MAX;
	assert_null(mnet_run(SIXTEEN, 1, &script, &c, &result));
	assert_int_equal(result.flows, 20);
	assert_true(result.cut);
	/* Fewer than the rule wants at all. */
	c.flows_max = 2;
	assert_null(mnet_run("S:a a:b b:D", 1, NULL, &c, &result));
	assert_int_equal(result.flows, 2);
	assert_true(result.cut);
}

static void stopped_at_any_time_all_flows_have_an_end(void **state)
{
	(void)state;
	for (int64_t ms = 0; ms < 300; ms += 7) {
		struct mnet_script script = {.stop_after_ns = ms * NS_PER_MS + 2, .loss_1_in = 8};
		const struct mnet_result *r =
			run("S:a a:bcde b:f c:f d:f e:f f:gh g:i h:i i:D", (uint64_t)ms + 1,
			    &script, 95);

		if (!r->cut)
			continue;
		for (unsigned f = 0; f < r->flows; f++)
			assert_int_equal(r->ends[f].stop, STOP_INTERRUPTED);
		assert_true(r->confidence >= 0 && r->confidence <= 1);
	}
}

static void its_time_runs_out(void **state)
{
	struct multipath_config c = mnet_config(95);

	(void)state;
	c.path.budget_ns = 60 * NS_PER_MS;
	assert_null(mnet_run("S:a a:bcde b:f c:f d:f e:f f:D", 1, NULL, &c, &result));
	assert_true(result.cut);
	assert_int_equal(result.ends[0].stop, STOP_TIMEOUT);
	assert_true(result.took_ns <= 61 * NS_PER_MS);
}

static void a_kernel_that_refuses_everything_is_asked_little(void **state)
{
	struct mnet_script script = {.refused_1_in = 1};
	const struct mnet_result *r = run("S:a a:b b:D", 1, &script, 95);

	(void)state;
	assert_int_equal(r->flows, 1);
	assert_true(r->probes <= 16);
	assert_true(r->cut);
}

/* Loss, refusals, jitter, limits and odd bounds together: no run violates what mnet checks. */
static void nothing_breaks_it(void **state)
{
	uint64_t random = 7;

	(void)state;
	for (unsigned i = 0; i < runs_of(300); i++) {
		struct multipath_config c = mnet_config(i % 2 ? 95 : 99);
		struct mnet_script script = {
			.loss_1_in = (uint32_t)(2 + i % 7), .refused_1_in = i % 3 ? 0 : 9,
			.jitter_ns = i % 50 * NS_PER_MS, .target_burst = i % 5 ? 0 : 3,
			.flows_at_most = i % 11 ? 0 : 9,
		};
		const char *topology = nets[i % (sizeof(nets) / sizeof(nets[0]))].topology, *fault;

		c.path.first_ttl = (uint8_t)(1 + i % 3);
		c.path.max_ttl = (uint8_t)(c.path.first_ttl + i % 13);
		c.path.attempts = (uint8_t)(1 + i % 4);
		c.path.gap_limit = (uint8_t)(i % 6);
		c.path.one_at_end = i % 2;
		c.sparing_end = i % 4 == 0;
		c.flows_max = i % 9 ? 64 : 7;
		fault = mnet_run(topology, random + i, &script, &c, &result);
		if (fault != NULL)
			fail_msg("run %u, %s: %s", i, topology, fault);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_table),
		cmocka_unit_test(rule_equals_the_closed_form),
		cmocka_unit_test(rule_is_stable_for_many),
		cmocka_unit_test(finds_every_link),
		cmocka_unit_test(finds_them_with_loss),
		cmocka_unit_test(misses_no_more_than_the_rule_allows),
		cmocka_unit_test(a_single_path_takes_six_probes_a_hop),
		cmocka_unit_test(flows_are_asked_where_they_part_and_inherit_where_they_meet),
		cmocka_unit_test(each_branch_has_its_flows),
		cmocka_unit_test(per_packet_is_told_from_per_flow),
		cmocka_unit_test(wide_per_packet_is_enumerated),
		cmocka_unit_test(a_filter_is_one_hop_and_the_end),
		cmocka_unit_test(silence_ends_by_the_gap_limit),
		cmocka_unit_test(a_target_that_limits_its_answers_is_waited_for),
		cmocka_unit_test(routers_that_limit_their_answers_are_no_branches),
		cmocka_unit_test(a_silent_branch_is_told_soon),
		cmocka_unit_test(flows_run_out),
		cmocka_unit_test(stopped_at_any_time_all_flows_have_an_end),
		cmocka_unit_test(its_time_runs_out),
		cmocka_unit_test(a_kernel_that_refuses_everything_is_asked_little),
		cmocka_unit_test(nothing_breaks_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

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
	{"S:a a:bcdefghijklmnopq b:r c:r d:r e:r f:r g:r h:r i:r j:r k:r l:r m:r n:r o:r p:r q:r r:D",
	 "sixteen ways"},
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
		unsigned missed = 0, runs = 20;

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
		unsigned missed = 0, runs = 20;

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
		unsigned missed = 0, runs = 2000, probes = 0;

		for (uint64_t seed = 1; seed <= runs; seed++) {
			const struct mnet_result *r = run(diamonds[i], seed, NULL, 95);

			missed += !finds_all(diamonds[i], r);
			probes += r->probes;
		}
		print_message("# %-48s missed %.2f %%, %.1f probes\n", diamonds[i],
			      100.0 * missed / runs, (double)probes / runs);
		/* 5 %, and three standard deviations of 2000 runs. */
		assert_true(missed <= 100 + 29);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

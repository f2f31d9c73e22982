// SPDX-License-Identifier: BSD-2-Clause
/* What a run remembers of paths: when it expects somebody, and when it had better not. */
#include "prober/engine/known.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/prober/engine/net.h"

static const struct addr none;

static const struct known_step nowhere;

static void expect_router(const struct known *k, struct addr dst, uint8_t ttl, struct addr want)
{
	assert_true(addr_equal(known_expected(k, dst, ttl), want));
}

static void a_router_is_expected_after_two_answers_in_a_row(void **state)
{
	struct addr a = net_addr(192, 0, 2, 1), near = net_addr(192, 0, 2, 9);
	struct addr r = net_addr(10, 0, 0, 1), other = net_addr(10, 0, 0, 2);
	struct known k;

	(void)state;
	assert_int_equal(known_init(&k), 0);
	expect_router(&k, a, 3, none);
	known_router(&k, a, 3, r, nowhere);
	expect_router(&k, near, 3, none);
	assert_true(addr_equal(known_guess(&k, near, 3), r)); /* politeness guesses sooner */
	known_router(&k, near, 3, r, nowhere);
	expect_router(&k, net_addr(192, 0, 2, 77), 3, r);
	expect_router(&k, near, 4, none);
	/* Its targets' paths differ: nobody. */
	known_router(&k, a, 3, other, nowhere);
	expect_router(&k, near, 3, none);
	known_fini(&k);
}

static void the_first_hops_are_everybodys_after_eight(void **state)
{
	struct addr r = net_addr(10, 0, 0, 1), stranger = net_addr(203, 0, 113, 5);
	struct known k;

	(void)state;
	assert_int_equal(known_init(&k), 0);
	for (uint8_t i = 0; i < KNOWN_SHARED; i++) {
		expect_router(&k, stranger, 1, none);
		known_router(&k, net_addr(198, 18, i, 1), 1, r, nowhere);
	}
	expect_router(&k, stranger, 1, r);
	known_router(&k, net_addr(198, 18, 99, 1), 1, net_addr(10, 0, 0, 2), nowhere);
	expect_router(&k, stranger, 1, none);
	known_fini(&k);
}

/* Two ways in: whose path is silent where another's has a router has lost nothing. */
static void behind_a_fork_nobody_is_everybodys(void **state)
{
	struct addr first = net_addr(10, 0, 0, 1), left = net_addr(10, 0, 0, 3);
	struct addr right = net_addr(10, 0, 0, 4), behind_left = net_addr(10, 0, 0, 5);
	struct addr stranger = net_addr(203, 0, 113, 5);
	struct known k;

	(void)state;
	assert_int_equal(known_init(&k), 0);
	for (uint8_t i = 0; i < 2 * KNOWN_SHARED; i++) {
		struct addr dst = net_addr(198, 18, i, 1);
		bool goes_left = i < KNOWN_SHARED;

		known_router(&k, dst, 1, first, nowhere);
		known_router(&k, dst, 2, goes_left ? left : right, nowhere);
		if (goes_left)
			known_router(&k, dst, 3, behind_left, nowhere);
		if (i == KNOWN_SHARED - 1)
			expect_router(&k, stranger, 3, behind_left);
	}
	expect_router(&k, stranger, 1, first);
	expect_router(&k, stranger, 2, none);
	expect_router(&k, stranger, 3, none);
	/* A prefix's own is another thing. */
	known_router(&k, net_addr(198, 18, 0, 2), 3, behind_left, nowhere);
	expect_router(&k, net_addr(198, 18, 0, 3), 3, behind_left);
	known_fini(&k);
}

static void the_length_is_the_nearest_until_a_trace_has_ended(void **state)
{
	struct addr a = net_addr(192, 0, 2, 1), b = net_addr(192, 0, 2, 2);
	struct known k;

	(void)state;
	assert_int_equal(known_init(&k), 0);
	assert_int_equal(known_length(&k, a), 0);
	assert_int_equal(known_shortest(&k, 4), 0);
	/* Probes sent ahead reach it too, with TTL to spare. */
	known_destination(&k, a, 13, false);
	known_destination(&k, a, 11, false);
	known_destination(&k, a, 16, false);
	assert_int_equal(known_length(&k, b), 11);
	known_destination(&k, b, 12, true);
	assert_int_equal(known_length(&k, a), 12);
	assert_int_equal(known_shortest(&k, 4), 11);
	assert_int_equal(known_length(&k, net_addr(192, 0, 3, 1)), 0);
	known_fini(&k);
}

static void memory_is_fixed_and_forgets(void **state)
{
	struct known k;
	uint32_t right = 0;

	(void)state;
	assert_int_equal(known_init(&k), 0);
	for (uint32_t i = 0; i < 4 * KNOWN_ROOM; i++) {
		struct addr dst = net_addr(10, (uint8_t)(i >> 8), (uint8_t)i, 1);
		struct addr r = net_addr(172, 16, (uint8_t)(i >> 8), (uint8_t)i);

		known_router(&k, dst, 5, r, nowhere);
		known_router(&k, dst, 5, r, nowhere);
		right += addr_equal(known_expected(&k, dst, 5), r);
	}
	/* The last are known; one that was pushed out is nobody, never somebody else. */
	assert_int_equal(right, 4 * KNOWN_ROOM);
	for (uint32_t i = 0; i < 4 * KNOWN_ROOM; i++) {
		struct addr dst = net_addr(10, (uint8_t)(i >> 8), (uint8_t)i, 1);
		struct addr got = known_expected(&k, dst, 5);

		if (addr_is_set(got))
			assert_true(addr_equal(got, net_addr(172, 16, (uint8_t)(i >> 8),
							     (uint8_t)i)));
	}
	known_fini(&k);
}

/* Two ways to one prefix, of which one is silent at TTL 4: who came by the other is not expected
 * there. */
static void a_way_is_told_by_the_hop_before(void **state)
{
	struct addr dst = net_addr(198, 18, 0, 1), left = net_addr(10, 0, 0, 3);
	struct known_step by_left = {.from = left, .ttl = 3};
	struct known k;

	(void)state;
	assert_int_equal(known_init(&k), 0);
	assert_false(addr_is_set(known_way(&k, dst, 4).from));
	known_router(&k, dst, 4, net_addr(10, 0, 0, 4), by_left);
	assert_true(addr_equal(known_way(&k, dst, 4).from, left));
	assert_int_equal(known_way(&k, dst, 4).ttl, 3);
	/* An answer that came before the one of its hop before tells nothing new ... */
	known_router(&k, dst, 4, net_addr(10, 0, 0, 4), nowhere);
	assert_true(addr_equal(known_way(&k, dst, 4).from, left));
	/* ... but by another router it does. */
	known_router(&k, dst, 4, net_addr(10, 0, 0, 9), nowhere);
	assert_false(addr_is_set(known_way(&k, dst, 4).from));
	known_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_router_is_expected_after_two_answers_in_a_row),
		cmocka_unit_test(the_first_hops_are_everybodys_after_eight),
		cmocka_unit_test(behind_a_fork_nobody_is_everybodys),
		cmocka_unit_test(the_length_is_the_nearest_until_a_trace_has_ended),
		cmocka_unit_test(memory_is_fixed_and_forgets),
		cmocka_unit_test(a_way_is_told_by_the_hop_before),
	};

	return cmocka_run_group_tests_name("known", tests, NULL, NULL);
}

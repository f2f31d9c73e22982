// SPDX-License-Identifier: BSD-2-Clause
/*
 * The tracer step by step, by hand: which answers it believes, what it makes of them, and what it
 * says when it is stopped.
 */
#include "prober/engine/tracer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/prober/engine/tracer_steps.h"

static void an_answer_counts_once_and_only_to_what_was_sent(void **state)
{
	struct tracer t;
	bool late = true;

	(void)state;
	start(&t, 4, 3);
	assert_false(reply(&t, 0, 1, 1, TRACER_TTL_EXCEEDED, 1, &late)); /* nothing was sent */
	send_firsts(&t, 0, 1, 4);
	assert_false(reply(&t, 5, 1, 2, TRACER_TTL_EXCEEDED, 5, &late)); /* attempt 2 was not */
	assert_false(reply(&t, 5, 1, 0, TRACER_TTL_EXCEEDED, 5, &late));
	assert_false(reply(&t, 5, 0, 1, TRACER_TTL_EXCEEDED, 5, &late));
	assert_false(reply(&t, 5, 5, 1, TRACER_TTL_EXCEEDED, 5, &late)); /* beyond max_ttl */
	assert_false(reply(&t, 5, 255, 1, TRACER_TTL_EXCEEDED, 5, &late));
	assert_false(addr_is_set(tracer_responder(&t, 1)));
	assert_true(reply(&t, 5, 1, 1, TRACER_TTL_EXCEEDED, 5, &late));
	assert_false(late);
	/* A duplicate, whatever it says. */
	assert_false(reply(&t, 6, 1, 1, TRACER_DESTINATION, 6, &late));
	assert_true(addr_equal(tracer_responder(&t, 1), net_addr(10, 1, 1, 1)));
	assert_false(addr_is_set(tracer_responder(&t, 2))); /* silent so far */
	assert_false(addr_is_set(tracer_responder(&t, 9))); /* out of range */
	tracer_sent(&t, 1, 3, at_ms(50));                   /* out of order: not believed */
	tracer_sent(&t, 1, 2, at_ms(50));
	tracer_sent(&t, 1, 3, at_ms(55));
	tracer_sent(&t, 1, 4, at_ms(60)); /* one more than asked for */
	assert_false(reply(&t, 65, 1, 4, TRACER_TTL_EXCEEDED, 5, &late));
	assert_true(reply(&t, 65, 1, 3, TRACER_TTL_EXCEEDED, 10, &late));
	assert_int_equal(tracer_reach(&t), REACH_UNKNOWN);
}

static void a_late_answer_is_taken_and_marked_while_the_trace_lives(void **state)
{
	struct tracer t;
	bool late = false;

	(void)state;
	start(&t, 3, 2);
	send_firsts(&t, 0, 1, 3);
	assert_true(reply(&t, 40, 3, 1, TRACER_TTL_EXCEEDED, 40, &late));
	/* 40 x 1.25 + 25 = 75 ms: at 76 ms the wait of TTL 1 is over. */
	expect_send(&t, 76, 1, 2);
	tracer_sent(&t, 1, 2, at_ms(76));
	assert_true(reply(&t, 77, 1, 1, TRACER_TTL_EXCEEDED, 77, &late));
	assert_true(late);
	assert_true(addr_is_set(tracer_responder(&t, 1)));
	assert_true(reply(&t, 78, 1, 2, TRACER_TTL_EXCEEDED, 2, &late));
	assert_false(late);
	tracer_stop(&t, STOP_INTERRUPTED);
	late = false;
	assert_false(reply(&t, 79, 2, 1, TRACER_TTL_EXCEEDED, 79, &late));
	assert_true(late);
}

static void late_means_after_the_wait_whether_or_not_anybody_looked(void **state)
{
	struct tracer t;
	bool late = false;

	(void)state;
	start(&t, 3, 1);
	send_firsts(&t, 0, 1, 3);
	reply(&t, 40, 3, 1, TRACER_TTL_EXCEEDED, 40, &late);
	assert_true(reply(&t, 74, 1, 1, TRACER_TTL_EXCEEDED, 10, &late));
	assert_false(late);
	assert_true(reply(&t, 75, 2, 1, TRACER_TTL_EXCEEDED, 10, &late));
	assert_true(late);
}

static void an_rtt_that_cannot_be_true_is_not_believed(void **state)
{
	static const struct {
		const char *why;
		double rtt_ms, wait_until;
	} rows[] = {
		{"true", 30, 62.5},
		{"negative: the clock was set back", -5000, 62.5},
		{"not known", -1e-6, 62.5},
		{"longer than the trace: the clock was set forward", 3600e3, 62.5},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tracer t;
		bool late;

		start(&t, 2, 1);
		send_firsts(&t, 0, 1, 2);
		reply(&t, 30, 2, 1, TRACER_TTL_EXCEEDED, rows[i].rtt_ms, &late);
		expect_wait(&t, 30, rows[i].wait_until);
	}
}

static void an_unreachable_stops_first_attempts_beyond_it(void **state)
{
	struct tracer t;
	bool late;

	(void)state;
	start(&t, 32, 2);
	send_firsts(&t, 0, 1, 2);
	expect_send(&t, 1, 3, 1);
	reply(&t, 1, 1, 1, TRACER_UNREACHABLE, 1, &late);
	expect_wait(&t, 1, 500); /* TTL 2 may still answer */
	expect_send(&t, 500, 1, 2);
	tracer_sent(&t, 1, 2, at_ms(500));
	/* One attempt in two is forwarded: the path does go on. */
	reply(&t, 501, 1, 2, TRACER_TTL_EXCEEDED, 1, &late);
	expect_send(&t, 501, 3, 1);
}

static void a_router_that_refused_nearer_and_forwards_here_is_a_hop(void **state)
{
	struct tracer_config c = net_config();
	struct addr router = net_addr(10, 1, 1, 1);
	struct tracer t;
	bool late;

	(void)state;
	c.gap_limit = 2;
	c.attempts = 1;
	tracer_init(&t, lent, &c, at_ms(0));
	send_firsts(&t, 0, 1, 16);
	tracer_reply(&t, 1, 1, TRACER_PROHIBITED, router, NS_PER_MS, at_ms(1), &late);
	tracer_reply(&t, 2, 1, TRACER_TTL_EXCEEDED, router, NS_PER_MS, at_ms(1), &late);
	assert_int_equal(tracer_next(&t, at_ms(500)).want, TRACER_DONE);
	assert_int_equal(tracer_last_ttl(&t), 2 + 2);
	assert_int_equal(tracer_reach(&t), REACH_SILENT);
}

static void a_loop_is_where_the_fourth_sight_is_whatever_arrives_first(void **state)
{
	static const uint8_t order[] = {10, 8, 6, 4, 2, 12};
	static const uint8_t loop_at[] = {0, 0, 0, 10, 8, 8};
	struct addr router = net_addr(10, 1, 1, 1);
	struct tracer_config c = net_config();

	(void)state;
	for (size_t n = 4; n <= sizeof(order); n++) {
		struct tracer t;
		bool late;

		c.attempts = 1;
		tracer_init(&t, lent, &c, at_ms(0));
		send_firsts(&t, 0, 1, 16);
		for (size_t i = 0; i < n; i++)
			tracer_reply(&t, order[i], 1, TRACER_TTL_EXCEEDED, router, NS_PER_MS,
				     at_ms(1), &late);
		assert_int_equal(tracer_next(&t, at_ms(500)).want, TRACER_DONE);
		assert_int_equal(tracer_stop_reason(&t), STOP_LOOP);
		assert_int_equal(tracer_last_ttl(&t), loop_at[n - 1]);
	}
}

static void a_loop_seen_early_stops_first_attempts_beyond_it(void **state)
{
	struct addr router = net_addr(10, 1, 1, 1);
	struct tracer t;
	bool late;

	(void)state;
	start(&t, 32, 1);
	send_firsts(&t, 0, 1, 5);
	expect_send(&t, 1, 6, 1);
	for (uint8_t ttl = 1; ttl <= 4; ttl++)
		tracer_reply(&t, ttl, 1, TRACER_TTL_EXCEEDED, router, NS_PER_MS, at_ms(1), &late);
	expect_wait(&t, 1, 500); /* for TTL 5, which might be the destination */
	assert_true(reply(&t, 2, 5, 1, TRACER_DESTINATION, 2, &late));
	assert_int_equal(tracer_next(&t, at_ms(12)).want, TRACER_DONE);
	assert_int_equal(tracer_stop_reason(&t), STOP_REACHED);
	assert_int_equal(tracer_last_ttl(&t), 5);
}

/* A NAT before the destination puts the destination's address on the errors from behind it. */
static void ttls_that_run_out_in_the_destinations_name_are_no_loop(void **state)
{
	struct addr dst = net_addr(192, 0, 2, 7);
	struct tracer_config c = net_config();
	struct tracer_hop rows[TRACER_TTLS];
	struct tracer t;
	bool late;

	(void)state;
	c.attempts = 1;
	c.dst = dst;
	tracer_init(&t, rows, &c, at_ms(0));
	send_firsts(&t, 0, 1, 10);
	for (uint8_t ttl = 2; ttl <= 9; ttl++)
		tracer_reply(&t, ttl, 1, TRACER_TTL_EXCEEDED, dst, NS_PER_MS, at_ms(1), &late);
	tracer_reply(&t, 1, 1, TRACER_TTL_EXCEEDED, net_addr(10, 0, 0, 1), NS_PER_MS, at_ms(1),
		     &late);
	tracer_reply(&t, 10, 1, TRACER_DESTINATION, dst, NS_PER_MS, at_ms(1), &late);
	assert_int_equal(tracer_next(&t, at_ms(20)).want, TRACER_DONE);
	assert_int_equal(tracer_stop_reason(&t), STOP_REACHED);
	assert_int_equal(tracer_last_ttl(&t), 10);
}

/* A middlebox at TTL 2 resets in the destination's name; the routers behind it answer all the same,
 * and the destination does at TTL 4. */
static void what_speaks_as_the_destination_from_nearer_is_not_the_end(void **state)
{
	struct tracer t;
	bool late;

	(void)state;
	start(&t, 8, 1);
	send_firsts(&t, 0, 1, 4);
	reply(&t, 1, 1, 1, TRACER_TTL_EXCEEDED, 1, &late);
	reply(&t, 2, 2, 1, TRACER_DESTINATION, 2, &late);
	expect_wait(&t, 2, 4); /* as long again as the path took */
	/* The same probe's second answer: the prober tells. */
	tracer_nearer(&t, 2, at_ms(3));
	expect_send(&t, 3, 5, 1);
	reply(&t, 4, 3, 1, TRACER_DESTINATION, 4, &late);
	reply(&t, 4, 4, 1, TRACER_DESTINATION, 4, &late);
	assert_int_equal(tracer_nearer_ttl(&t), 2);
	expect_wait(&t, 4, 8); /* TTL 3 is the destination now ... */
	tracer_nearer(&t, 3, at_ms(5));
	expect_wait(&t, 5, 9); /* ... and now TTL 4 */
	assert_int_equal(tracer_next(&t, at_ms(9)).want, TRACER_DONE);
	assert_int_equal(tracer_stop_reason(&t), STOP_REACHED);
	assert_int_equal(tracer_reach(&t), REACH_REACHED);
	assert_int_equal(tracer_last_ttl(&t), 4);
	/* Done is done. */
	tracer_nearer(&t, 4, at_ms(16));
	assert_int_equal(tracer_reach(&t), REACH_REACHED);
}

static void a_budget_that_ran_out_in_the_line_claims_nothing(void **state)
{
	struct tracer_config c = net_config();
	struct tracer t;

	(void)state;
	c.budget_ns = 100 * NS_PER_MS;
	tracer_init(&t, lent, &c, at_ms(0));
	expect_send(&t, 0, 1, 1);
	expect_send(&t, 99, 1, 1);
	assert_int_equal(tracer_next(&t, at_ms(100)).want, TRACER_DONE);
	assert_int_equal(tracer_stop_reason(&t), STOP_TIMEOUT);
	assert_int_equal(tracer_reach(&t), REACH_UNKNOWN);
	assert_int_equal(tracer_last_ttl(&t), 0);
}

static void what_an_interrupted_trace_may_say(void **state)
{
	static const struct {
		const char *why;
		int answers; /* of TTLs 1.., TTL exceeded */
		int last;    /* what the TTL after them says; -1: nothing */
		enum stop stop;
		enum reach reach;
		uint8_t last_ttl;
	} rows[] = {
		{"nothing sent", -1, -1, STOP_INTERRUPTED, REACH_UNKNOWN, 0},
		{"nothing heard", 0, -1, STOP_INTERRUPTED, REACH_UNKNOWN, 5},
		{"some heard: no claim of silence", 3, -1, STOP_INTERRUPTED, REACH_UNKNOWN, 8},
		{"likewise after an error", 3, -1, STOP_ERROR, REACH_UNKNOWN, 8},
		{"a filter has spoken", 3, TRACER_PROHIBITED, STOP_INTERRUPTED, REACH_FILTERED, 9},
		{"unreachable", 3, TRACER_UNREACHABLE, STOP_ERROR, REACH_UNREACHABLE, 4},
		{"the destination has answered", 3, TRACER_DESTINATION, STOP_INTERRUPTED,
		 REACH_REACHED, 4},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tracer t;
		bool late;

		start(&t, 32, 3);
		if (rows[i].answers >= 0)
			send_firsts(&t, 0, 1, 16);
		for (uint8_t ttl = 1; ttl <= rows[i].answers; ttl++)
			reply(&t, ttl, ttl, 1, TRACER_TTL_EXCEEDED, ttl, &late);
		if (rows[i].last >= 0)
			reply(&t, 9, (uint8_t)(rows[i].answers + 1), 1,
			      (enum tracer_event)rows[i].last, 9, &late);
		tracer_stop(&t, rows[i].stop);
		tracer_stop(&t, STOP_TIMEOUT); /* the first reason stays */
		assert_int_equal(tracer_next(&t, at_ms(10)).want, TRACER_DONE);
		assert_int_equal(tracer_stop_reason(&t), rows[i].stop);
		assert_int_equal(tracer_reach(&t), rows[i].reach);
		assert_int_equal(tracer_last_ttl(&t), rows[i].last_ttl);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_counts_once_and_only_to_what_was_sent),
		cmocka_unit_test(a_late_answer_is_taken_and_marked_while_the_trace_lives),
		cmocka_unit_test(late_means_after_the_wait_whether_or_not_anybody_looked),
		cmocka_unit_test(an_rtt_that_cannot_be_true_is_not_believed),
		cmocka_unit_test(an_unreachable_stops_first_attempts_beyond_it),
		cmocka_unit_test(a_router_that_refused_nearer_and_forwards_here_is_a_hop),
		cmocka_unit_test(a_loop_is_where_the_fourth_sight_is_whatever_arrives_first),
		cmocka_unit_test(a_loop_seen_early_stops_first_attempts_beyond_it),
		cmocka_unit_test(ttls_that_run_out_in_the_destinations_name_are_no_loop),
		cmocka_unit_test(what_speaks_as_the_destination_from_nearer_is_not_the_end),
		cmocka_unit_test(a_budget_that_ran_out_in_the_line_claims_nothing),
		cmocka_unit_test(what_an_interrupted_trace_may_say),
	};

	return cmocka_run_group_tests_name("tracer_answers", tests, NULL, NULL);
}

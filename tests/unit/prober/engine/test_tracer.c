// SPDX-License-Identifier: BSD-2-Clause
/*
 * The tracer step by step, by hand: what it offers, and how long it waits. What it believes is in
 * test_tracer_answers.c; whole traceroutes are in test_tracer_runs.c.
 */
#include "prober/engine/tracer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/prober/engine/tracer_steps.h"

static void an_attempt_given_up_is_not_waited_for_again(void **state)
{
	struct tracer t;
	bool late;

	(void)state;
	start(&t, 2, 2);
	send_firsts(&t, 0, 1, 2);
	reply(&t, 10, 2, 1, TRACER_TTL_EXCEEDED, 10, &late);
	expect_send(&t, 40, 1, 2); /* attempt 1 was over at 10 x 1.25 + 25 = 37.5 ms */
	tracer_sent(&t, 1, 2, at_ms(40));
	expect_send(&t, 40, 2, 2);
	tracer_sent(&t, 2, 2, at_ms(40));
	reply(&t, 50, 1, 2, TRACER_TTL_EXCEEDED, 10, &late);
	reply(&t, 50, 2, 2, TRACER_TTL_EXCEEDED, 10, &late);
	assert_int_equal(tracer_next(&t, at_ms(50)).want, TRACER_DONE);
}

static void a_silent_hop_waits_by_the_traces_own_rtt(void **state)
{
	struct tracer t;
	bool late;

	(void)state;
	start(&t, 3, 1);
	send_firsts(&t, 0, 1, 3);
	expect_wait(&t, 0, 2000); /* nothing known: the user's limit */
	reply(&t, 10, 1, 1, TRACER_TTL_EXCEEDED, 10, &late);
	expect_wait(&t, 10, 500); /* beyond the last answer: half a second at least */
	reply(&t, 200, 3, 1, TRACER_TTL_EXCEEDED, 200, &late);
	expect_wait(&t, 200, 275); /* within the path: 200 x 1.25 + 25 */
	assert_int_equal(tracer_next(&t, at_ms(274.9)).want, TRACER_WAIT);
	assert_int_equal(tracer_next(&t, at_ms(275)).want, TRACER_DONE);
	assert_int_equal(tracer_stop_reason(&t), STOP_MAX_TTL);

	start(&t, 2, 1);
	send_firsts(&t, 0, 1, 2);
	reply(&t, 300, 1, 1, TRACER_TTL_EXCEEDED, 300, &late);
	expect_wait(&t, 300, 1200); /* four times the RTT */
	start(&t, 2, 1);
	send_firsts(&t, 0, 1, 2);
	reply(&t, 900, 1, 1, TRACER_TTL_EXCEEDED, 900, &late);
	expect_wait(&t, 900, 2000); /* but never over the user's limit */
}

static void a_probe_the_kernel_refused_is_not_waited_for(void **state)
{
	struct tracer t;
	bool late;

	(void)state;
	start(&t, 2, 2);
	expect_send(&t, 0, 1, 1);
	tracer_not_sent(&t, 1, 1, at_ms(0));
	expect_send(&t, 0, 2, 1);
	tracer_sent(&t, 2, 1, at_ms(0));
	tracer_not_sent(&t, 2, 1, at_ms(0)); /* a batch may turn out refused afterwards */
	assert_false(reply(&t, 1, 2, 1, TRACER_TTL_EXCEEDED, 1, &late));
	expect_wait(&t, 1, 80);
	expect_send(&t, 80, 1, 2);
	tracer_not_sent(&t, 1, 2, at_ms(80));
	expect_send(&t, 80, 2, 2);
	tracer_not_sent(&t, 2, 2, at_ms(80));
	assert_int_equal(tracer_next(&t, at_ms(80)).want, TRACER_DONE);
	assert_int_equal(tracer_stop_reason(&t), STOP_MAX_TTL);
	assert_int_equal(tracer_last_ttl(&t), 2);
}

static void a_deferred_ttl_lets_others_pass_but_not_second_attempts(void **state)
{
	struct tracer t;
	bool late;

	(void)state;
	start(&t, 3, 2);
	expect_send(&t, 0, 1, 1);
	tracer_defer(&t, 1, at_ms(50));
	send_firsts(&t, 0, 2, 3);
	reply(&t, 10, 3, 1, TRACER_DESTINATION, 10, &late);
	reply(&t, 10, 2, 1, TRACER_TTL_EXCEEDED, 10, &late);
	expect_wait(&t, 20, 50);
	expect_send(&t, 50, 1, 1);
	tracer_sent(&t, 1, 1, at_ms(50));
	expect_send(&t, 50, 2, 2);
	tracer_defer(&t, 2, at_ms(70));
	expect_send(&t, 50, 3, 2);
	tracer_defer(&t, 3, at_ms(60));
	/* TTL 1 is due again after 5 ms; then the earliest of the two. */
	expect_wait(&t, 50, 55);
	expect_send(&t, 55, 1, 2);
	tracer_sent(&t, 1, 2, at_ms(55));
	expect_wait(&t, 55, 60);
	expect_send(&t, 60, 2, 2);
}

static void an_offer_is_withdrawn_when_the_destination_turns_out_nearer(void **state)
{
	struct tracer t;
	bool late;

	(void)state;
	start(&t, 8, 1);
	send_firsts(&t, 0, 1, 3);
	expect_send(&t, 0, 4, 1);
	expect_send(&t, 0, 4, 1); /* the same until it is dealt with */
	reply(&t, 1, 3, 1, TRACER_DESTINATION, 1, &late);
	reply(&t, 1, 2, 1, TRACER_DESTINATION, 1, &late); /* two TTLs: the lower counts */
	reply(&t, 1, 1, 1, TRACER_TTL_EXCEEDED, 1, &late);
	expect_wait(&t, 1, 3); /* for a router that speaks from beyond */
	assert_int_equal(tracer_next(&t, at_ms(3)).want, TRACER_DONE);
	assert_int_equal(tracer_last_ttl(&t), 2);
	assert_int_equal(tracer_reach(&t), REACH_REACHED);
}

static void a_silence_within_the_path_is_told_once(void **state)
{
	struct tracer t;
	uint8_t ttl = 0;
	bool late;

	(void)state;
	start(&t, 4, 2);
	send_firsts(&t, 0, 1, 4);
	reply(&t, 10, 1, 1, TRACER_TTL_EXCEEDED, 10, &late);
	reply(&t, 10, 3, 1, TRACER_DESTINATION, 10, &late);
	for (uint8_t k = 1; k <= 3; k++) {
		expect_send(&t, 20, k, 2);
		tracer_sent(&t, k, 2, at_ms(20));
	}
	tracer_next(&t, at_ms(30));
	assert_false(tracer_take_silent(&t, &ttl));
	/* 20 + 10 x 1.25 + 25 = 57.5 ms. TTL 1 had answered, TTL 2 never; TTL 3 is no router, and
	 * TTL 4 lies beyond the path. */
	assert_int_equal(tracer_next(&t, at_ms(57.5)).want, TRACER_DONE);
	assert_true(tracer_take_silent(&t, &ttl));
	assert_int_equal(ttl, 1);
	assert_true(tracer_take_silent(&t, &ttl));
	assert_int_equal(ttl, 2);
	assert_false(tracer_take_silent(&t, &ttl));
}

static void a_silence_told_is_not_told_again_until_the_next(void **state)
{
	struct tracer t;
	uint8_t ttl = 0;
	bool late;

	(void)state;
	start(&t, 32, 2);
	send_firsts(&t, 0, 1, 16);
	reply(&t, 10, 4, 1, TRACER_TTL_EXCEEDED, 10, &late);
	reply(&t, 10, 1, 1, TRACER_TTL_EXCEEDED, 10, &late);
	reply(&t, 10, 2, 1, TRACER_TTL_EXCEEDED, 10, &late);
	expect_wait(&t, 40, 500); /* TTL 3 is overdue; TTL 5.. may still lengthen the path */
	assert_true(tracer_take_silent(&t, &ttl));
	assert_int_equal(ttl, 3);
	reply(&t, 45, 5, 1, TRACER_TTL_EXCEEDED, 10, &late);
	expect_wait(&t, 45, 500);
	assert_false(tracer_take_silent(&t, &ttl));
	/* The tail falls silent: that is no router's doing. */
	expect_send(&t, 500, 1, 2);
	assert_false(tracer_take_silent(&t, &ttl));
	tracer_sent(&t, 1, 2, at_ms(500));
	for (uint8_t k = 2; k <= 5; k++)
		tracer_sent(&t, k, 2, at_ms(500));
	for (uint8_t k = 4; k <= 5; k++)
		reply(&t, 510, k, 2, TRACER_TTL_EXCEEDED, 10, &late);
	tracer_next(&t, at_ms(600));
	for (uint8_t k = 1; k <= 3; k++) {
		assert_true(tracer_take_silent(&t, &ttl)); /* TTL 3 a second time */
		assert_int_equal(ttl, k);
	}
	assert_false(tracer_take_silent(&t, &ttl));
}

static void the_ttl_with_the_fewest_attempts_goes_first_and_an_offer_stands(void **state)
{
	struct tracer t;
	bool late;

	(void)state;
	start(&t, 3, 3);
	send_firsts(&t, 0, 1, 3);
	for (uint8_t ttl = 1; ttl <= 3; ttl++)
		reply(&t, 20, ttl, 1, TRACER_TTL_EXCEEDED, 20, &late);
	expect_send(&t, 20, 1, 2);
	tracer_sent(&t, 1, 2, at_ms(20));
	tracer_defer(&t, 2, at_ms(40));
	tracer_defer(&t, 3, at_ms(40));
	expect_wait(&t, 20, 30); /* half an RTT after attempt 2 */
	expect_send(&t, 35, 1, 3);
	expect_send(&t, 45, 1, 3); /* offered, so it stands although TTL 2 is free again */
	tracer_defer(&t, 1, at_ms(46));
	expect_send(&t, 46, 2, 2); /* all free: two attempts were made at TTL 1, one here */
}

static void spacing_follows_the_rtt_between_5_and_80_ms(void **state)
{
	static const struct {
		double rtt_ms, spacing_ms;
	} rows[] = {{0.2, 5}, {10, 5}, {30, 15}, {120, 60}, {160, 80}, {400, 80}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		double ms = rows[i].rtt_ms;
		struct tracer t;
		bool late;

		start(&t, 1, 3);
		send_firsts(&t, 0, 1, 1);
		reply(&t, ms, 1, 1, TRACER_TTL_EXCEEDED, ms, &late);
		if (ms < rows[i].spacing_ms)
			expect_wait(&t, ms, rows[i].spacing_ms);
		expect_send(&t, 500, 1, 2);
		tracer_sent(&t, 1, 2, at_ms(500));
		expect_wait(&t, 500, 500 + rows[i].spacing_ms);
	}
}

static void attempts_that_reach_the_destination_overlap_only_where_they_may(void **state)
{
	struct tracer t;
	bool late;

	(void)state;
	for (int one = 0; one < 2; one++) {
		struct tracer_config c = net_config();

		c.max_ttl = 1;
		c.attempts = 3;
		c.one_at_end = one;
		memset(&t, 0xa5, sizeof(t));
		tracer_init(&t, lent, &c, at_ms(0));
		send_firsts(&t, 0, 1, 1);
		assert_true(reply(&t, 200, 1, 1, TRACER_DESTINATION, 200, &late));
		/* The connection is closed by now: the next may go, */
		expect_send(&t, 200, 1, 2);
		tracer_sent(&t, 1, 2, at_ms(200));
		if (!one) {
			expect_send(&t, 280, 1, 3);
			continue;
		}
		/* and this one waits until that is answered or given up (200 ms + 25 % + 25 ms). */
		expect_wait(&t, 280, 475);
		assert_true(reply(&t, 400, 1, 2, TRACER_DESTINATION, 200, &late));
		expect_send(&t, 400, 1, 3);
	}
}

/* --- loss by our own speed -------------------------------------------------------------------- */

static void what_is_lost_is_told_once_and_asked_again_slower(void **state)
{
	struct tracer t;
	uint8_t ttl;
	bool late;

	(void)state;
	start(&t, 3, 1);
	send_firsts(&t, 0, 1, 3);
	assert_true(reply(&t, 10, 1, 1, TRACER_TTL_EXCEEDED, 10, &late));
	assert_true(reply(&t, 10, 3, 1, TRACER_DESTINATION, 10, &late));
	assert_false(tracer_take_overdue(&t, &ttl));
	assert_false(tracer_again(&t, 1, at_ms(20))); /* it answered */
	/* 10 ms, a quarter more and 25: then TTL 2 is lost and the trace done, unless asked. */
	assert_int_equal(tracer_next(&t, at_ms(38)).want, TRACER_DONE);
	assert_true(tracer_take_overdue(&t, &ttl));
	assert_int_equal(ttl, 2);
	assert_false(tracer_take_overdue(&t, &ttl));
	assert_true(tracer_again(&t, 2, at_ms(38)));
	assert_false(tracer_again(&t, 2, at_ms(38))); /* that one has not left yet */
	assert_int_equal(tracer_next(&t, at_ms(97)).want, TRACER_WAIT);
	for (uint8_t k = 0; k < TRACER_AGAIN_MAX; k++) {
		double ms = 100 + 5000 * k;

		expect_send(&t, ms, 2, (uint8_t)(2 + k));
		tracer_sent(&t, 2, (uint8_t)(2 + k), at_ms(ms));
		assert_int_equal(tracer_next(&t, at_ms(ms + 38)).want, TRACER_DONE);
		assert_true(tracer_take_overdue(&t, &ttl));
		assert_int_equal(tracer_again(&t, 2, at_ms(ms + 38)), k + 1 < TRACER_AGAIN_MAX);
	}
	assert_int_equal(tracer_next(&t, at_ms(20000)).want, TRACER_DONE);
	assert_int_equal(tracer_stop_reason(&t), STOP_REACHED);
}

static void a_trace_that_was_stopped_is_not_reopened(void **state)
{
	struct tracer t;

	(void)state;
	start(&t, 3, 1);
	send_firsts(&t, 0, 1, 3);
	tracer_stop(&t, STOP_INTERRUPTED);
	assert_false(tracer_again(&t, 2, at_ms(1)));
	assert_int_equal(tracer_next(&t, at_ms(1)).want, TRACER_DONE);
	assert_int_equal(tracer_stop_reason(&t), STOP_INTERRUPTED);
}

static void waits_allow_for_queues_and_never_more_than_the_user(void **state)
{
	struct tracer t;
	bool late;

	(void)state;
	start(&t, 3, 1);
	tracer_sent(&t, 3, 1, at_ms(0));
	tracer_sent(&t, 2, 1, at_ms(15));
	tracer_sent(&t, 1, 1, at_ms(15));
	assert_true(reply(&t, 10, 3, 1, TRACER_DESTINATION, 10, &late));
	tracer_slack(&t, 300 * NS_PER_MS);
	assert_int_equal(tracer_next(&t, at_ms(300)).want, TRACER_WAIT);
	assert_true(reply(&t, 320, 1, 1, TRACER_TTL_EXCEEDED, 320, &late));
	assert_false(late);
	tracer_slack(&t, 3600 * NS_PER_S);
	assert_int_equal(tracer_next(&t, at_ms(2014)).want, TRACER_WAIT);
	assert_int_equal(tracer_next(&t, at_ms(2016)).want, TRACER_DONE);
}

static void what_was_overtaken_is_not_waited_for_by_the_queues_of_others(void **state)
{
	struct tracer t;
	bool late;

	(void)state;
	start(&t, 3, 1);
	for (uint8_t ttl = 1; ttl <= 3; ttl++)
		tracer_sent(&t, ttl, 1, at_ms(ttl));
	tracer_slack(&t, 300 * NS_PER_MS);
	assert_true(reply(&t, 101, 1, 1, TRACER_TTL_EXCEEDED, 100, &late));
	assert_int_equal(tracer_next(&t, at_ms(300)).want, TRACER_WAIT);
	/* The destination's answer, to a probe that left later, has come: 2 + 100 + 25 + 25. */
	assert_true(reply(&t, 103, 3, 1, TRACER_DESTINATION, 100, &late));
	assert_int_equal(tracer_next(&t, at_ms(151)).want, TRACER_WAIT);
	assert_int_equal(tracer_next(&t, at_ms(153)).want, TRACER_DONE);
}

/* --- what others of the run have shown -------------------------------------------------------- */

static void begin_with(struct tracer *t, uint8_t length, uint8_t span, uint8_t turn)
{
	struct tracer_config c = net_config();

	c.attempts = 1;
	c.length = length;
	c.turn_span = span;
	c.turn = turn;
	tracer_init(t, lent, &c, at_ms(0));
}

static void a_turned_survey_asks_each_ttl_once_and_none_beyond(void **state)
{
	static const uint8_t order[] = {3, 4, 5, 1, 2};
	struct tracer t;
	bool late;

	(void)state;
	begin_with(&t, 5, 5, 2);
	for (size_t i = 0; i < sizeof(order); i++) {
		expect_send(&t, 0, order[i], 1);
		tracer_sent(&t, order[i], 1, at_ms(0));
	}
	/* The neighbours ended here: nothing beyond before it is known that this one does not. */
	assert_int_equal(tracer_next(&t, at_ms(1)).want, TRACER_WAIT);
	assert_true(reply(&t, 10, 5, 1, TRACER_TTL_EXCEEDED, 10, &late));
	expect_send(&t, 10, 6, 1);
}

static void a_path_shorter_than_the_neighbours_is_found_out(void **state)
{
	struct tracer t;
	bool late;

	(void)state;
	begin_with(&t, 5, 5, 2);
	expect_send(&t, 0, 3, 1);
	tracer_sent(&t, 3, 1, at_ms(0));
	assert_true(reply(&t, 1, 3, 1, TRACER_DESTINATION, 1, &late));
	expect_send(&t, 1, 1, 1);
	tracer_sent(&t, 1, 1, at_ms(1));
	expect_send(&t, 1, 2, 1);
	tracer_sent(&t, 2, 1, at_ms(1));
	assert_int_equal(tracer_next(&t, at_ms(1)).want, TRACER_WAIT);
	assert_true(reply(&t, 2, 1, 1, TRACER_DESTINATION, 1, &late));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_attempt_given_up_is_not_waited_for_again),
		cmocka_unit_test(a_silent_hop_waits_by_the_traces_own_rtt),
		cmocka_unit_test(a_probe_the_kernel_refused_is_not_waited_for),
		cmocka_unit_test(a_deferred_ttl_lets_others_pass_but_not_second_attempts),
		cmocka_unit_test(an_offer_is_withdrawn_when_the_destination_turns_out_nearer),
		cmocka_unit_test(a_silence_within_the_path_is_told_once),
		cmocka_unit_test(a_silence_told_is_not_told_again_until_the_next),
		cmocka_unit_test(the_ttl_with_the_fewest_attempts_goes_first_and_an_offer_stands),
		cmocka_unit_test(spacing_follows_the_rtt_between_5_and_80_ms),
		cmocka_unit_test(attempts_that_reach_the_destination_overlap_only_where_they_may),
		cmocka_unit_test(what_is_lost_is_told_once_and_asked_again_slower),
		cmocka_unit_test(a_trace_that_was_stopped_is_not_reopened),
		cmocka_unit_test(waits_allow_for_queues_and_never_more_than_the_user),
		cmocka_unit_test(what_was_overtaken_is_not_waited_for_by_the_queues_of_others),
		cmocka_unit_test(a_turned_survey_asks_each_ttl_once_and_none_beyond),
		cmocka_unit_test(a_path_shorter_than_the_neighbours_is_found_out),
	};

	return cmocka_run_group_tests_name("tracer", tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whole traceroutes against the scripted network: every stop reason, every promise of tracer.h about
 * order, economy and time, and thousands of random networks in which the checks of net.c hold.
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
	{"one attempt and no silence: one RTT",
	 "rrrrrrrrrD", 120, {.attempts = 1}, STOP_REACHED, REACH_REACHED, 10, 16, 120, 125},
	{"three silent hops at the border, as on the way to North Korea",
	 "rrrrrrrrr***D", 280, {0}, STOP_REACHED, REACH_REACHED, 13, 42, 734, 740},
	{"all but the destination silent: nothing to learn an RTT from but itself",
	 "****D", 50, {0}, STOP_REACHED, REACH_REACHED, 5, 26, 160, 165},
	{"the silent stretch is as long as the gap limit and one: seen at once, so it does not end it",
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
	{"the path dies behind hop 8: gap_limit TTLs beyond, at four times the RTT or half a second",
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
	 "rr*", 40, {.max = 64, .attempts = 1, .gap = 30}, STOP_GAP_LIMIT, REACH_SILENT, 32, 32, 1000, 1100},
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

/* --- by hand ---------------------------------------------------------------------------------- */

static struct mono at_ms(double ms)
{
	return (struct mono){(int64_t)(ms * 1e6)};
}

static void expect_send(struct tracer *t, double ms, uint8_t ttl, uint8_t attempt)
{
	struct tracer_step s = tracer_next(t, at_ms(ms));

	assert_int_equal(s.want, TRACER_SEND);
	assert_int_equal(s.ttl, ttl);
	assert_int_equal(s.attempt, attempt);
}

static void expect_wait(struct tracer *t, double ms, double until)
{
	struct tracer_step s = tracer_next(t, at_ms(ms));

	assert_int_equal(s.want, TRACER_WAIT);
	assert_int_equal(s.until.ns, at_ms(until).ns);
}

/* Sends first attempts of first..last at `ms`. */
static void send_firsts(struct tracer *t, double ms, uint8_t first, uint8_t last)
{
	for (uint8_t ttl = first; ttl <= last; ttl++) {
		expect_send(t, ms, ttl, 1);
		tracer_sent(t, ttl, 1, at_ms(ms));
	}
}

static bool reply(struct tracer *t, double ms, uint8_t ttl, uint8_t attempt,
		  enum tracer_event event, double rtt_ms, bool *late)
{
	return tracer_reply(t, ttl, attempt, event, net_addr(10, 1, 1, ttl),
			    (int64_t)(rtt_ms * 1e6), at_ms(ms), late);
}

static void start(struct tracer *t, uint8_t max_ttl, uint8_t attempts)
{
	struct tracer_config c = net_config();

	c.max_ttl = max_ttl;
	c.attempts = attempts;
	memset(t, 0xa5, sizeof(*t));
	tracer_init(t, &c, at_ms(0));
}

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
	assert_false(reply(&t, 6, 1, 1, TRACER_DESTINATION, 6, &late)); /* a duplicate, whatever it says */
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
	assert_int_equal(tracer_next(&t, at_ms(1)).want, TRACER_DONE);
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
	tracer_init(&t, &c, at_ms(0));
	send_firsts(&t, 0, 1, 16);
	assert_true(tracer_reply(&t, 1, 1, TRACER_PROHIBITED, router, NS_PER_MS, at_ms(1), &late));
	assert_true(tracer_reply(&t, 2, 1, TRACER_TTL_EXCEEDED, router, NS_PER_MS, at_ms(1), &late));
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
		tracer_init(&t, &c, at_ms(0));
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
	assert_int_equal(tracer_next(&t, at_ms(2)).want, TRACER_DONE);
	assert_int_equal(tracer_stop_reason(&t), STOP_REACHED);
	assert_int_equal(tracer_last_ttl(&t), 5);
}

static void a_budget_that_ran_out_in_the_line_claims_nothing(void **state)
{
	struct tracer_config c = net_config();
	struct tracer t;

	(void)state;
	c.budget_ns = 100 * NS_PER_MS;
	tracer_init(&t, &c, at_ms(0));
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
		{"some heard: silence cannot be claimed", 3, -1, STOP_INTERRUPTED, REACH_UNKNOWN, 8},
		{"likewise after an error", 3, -1, STOP_ERROR, REACH_UNKNOWN, 8},
		{"a filter has spoken", 3, TRACER_PROHIBITED, STOP_INTERRUPTED, REACH_FILTERED, 9},
		{"unreachable", 3, TRACER_UNREACHABLE, STOP_ERROR, REACH_UNREACHABLE, 4},
		{"the destination has answered", 3, TRACER_DESTINATION, STOP_INTERRUPTED, REACH_REACHED, 4},
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
		.attempts = (uint8_t)range(random, 1, range(random, 0, 3) ? 3 : TRACER_ATTEMPTS_MAX),
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_ending_has_its_name_cost_and_time),
		cmocka_unit_test(an_answer_counts_once_and_only_to_what_was_sent),
		cmocka_unit_test(a_late_answer_is_taken_and_marked_while_the_trace_lives),
		cmocka_unit_test(a_silent_hop_waits_by_the_traces_own_rtt),
		cmocka_unit_test(an_rtt_that_cannot_be_true_is_not_believed),
		cmocka_unit_test(a_probe_the_kernel_refused_is_not_waited_for),
		cmocka_unit_test(a_deferred_ttl_lets_others_pass_but_not_second_attempts),
		cmocka_unit_test(an_offer_is_withdrawn_when_the_destination_turns_out_nearer),
		cmocka_unit_test(a_silence_within_the_path_is_told_once),
		cmocka_unit_test(late_means_after_the_wait_whether_or_not_anybody_looked),
		cmocka_unit_test(an_attempt_given_up_is_not_waited_for_again),
		cmocka_unit_test(a_silence_told_is_not_told_again_until_the_next),
		cmocka_unit_test(the_ttl_with_the_fewest_attempts_goes_first_and_an_offer_stands),
		cmocka_unit_test(spacing_follows_the_rtt_between_5_and_80_ms),
		cmocka_unit_test(an_unreachable_stops_first_attempts_beyond_it),
		cmocka_unit_test(a_router_that_refused_nearer_and_forwards_here_is_a_hop),
		cmocka_unit_test(a_loop_is_where_the_fourth_sight_is_whatever_arrives_first),
		cmocka_unit_test(a_loop_seen_early_stops_first_attempts_beyond_it),
		cmocka_unit_test(a_budget_that_ran_out_in_the_line_claims_nothing),
		cmocka_unit_test(what_an_interrupted_trace_may_say),
		cmocka_unit_test(absurd_configurations_are_brought_into_range),
		cmocka_unit_test(a_pause_of_the_program_loses_no_answer_that_is_read_first),
		cmocka_unit_test(what_must_hold_holds_in_thousands_of_networks),
	};

	return cmocka_run_group_tests_name("tracer", tests, NULL, NULL);
}

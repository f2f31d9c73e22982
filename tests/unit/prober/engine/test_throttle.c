// SPDX-License-Identifier: BSD-2-Clause
/*
 * The throttle against scripted bottlenecks: a policing link, one with a queue, a router that
 * limits its answers, loss that has nothing to do with us, outages, silence; then the smallest
 * cases by hand. A sender sends as fast as the throttle lets it; fates arrive after an RTT, losses
 * after a wait, as in a run.
 */
#include "prober/engine/throttle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/prober/engine/net.h"

enum { FATES = 1 << 16 };

/* A network, and who sends into it. */
struct script {
	enum throttle_kind kind;
	double offered_pps;     /* as fast as the sender can */
	double fits_pps;        /* token bucket; 0: no limit */
	double burst;           /* its depth */
	double queue;           /* probes it holds back instead of dropping */
	uint32_t lost_1_in;     /* at any speed */
	double out_from, out_to; /* seconds: nothing gets through in between */
	int64_t rtt_ns, wait_ns;
};

struct fate { struct mono sent, known; bool answered, late; };

struct sim {
	struct script s;
	struct throttle t;
	uint64_t random;
	double tokens;
	struct mono now, at;    /* at: of the tokens */
	struct fate fates[FATES]; /* a ring, in no order of `known` */
	uint32_t first, next;
	/* Of the second half of the run: */
	uint64_t sent, lost;
};

static double seconds(const struct sim *m)
{
	return (double)m->now.ns * 1e-9;
}

static struct fate fate_of(struct sim *m)
{
	const struct script *s = &m->s;
	struct fate f = {.sent = m->now, .answered = true};
	int64_t queued = 0;

	if (s->fits_pps > 0) {
		m->tokens += (double)mono_since(m->now, m->at) * 1e-9 * s->fits_pps;
		m->tokens = m->tokens > s->burst ? s->burst : m->tokens;
		m->at = m->now;
		if (m->tokens - 1 < -s->queue)
			f.answered = false;
		else
			m->tokens -= 1;
		if (m->tokens < 0)
			queued = (int64_t)(-m->tokens / s->fits_pps * 1e9);
	}
	if (net_chance(&m->random, s->lost_1_in) ||
	    (seconds(m) >= s->out_from && seconds(m) < s->out_to))
		f.answered = false;
	f.late = queued > NS_PER_S / 2;
	f.known = mono_add(m->now, f.answered ? s->rtt_ns + queued : s->wait_ns + queued);
	return f;
}

static void tell(struct sim *m)
{
	for (uint32_t i = m->first; i != m->next; i++) {
		struct fate *f = &m->fates[i % FATES];

		if (f->sent.ns != 0 && mono_reached(m->now, f->known)) {
			if (f->answered)
				throttle_answered(&m->t, f->sent, f->late, m->now);
			else
				throttle_lost(&m->t, f->sent, m->now);
			f->sent.ns = 0;
		}
	}
	while (m->first != m->next && m->fates[m->first % FATES].sent.ns == 0)
		m->first++;
}

/* A millisecond at a time, as a loop that polls. */
static void run(struct sim *m, const struct script *s, double length)
{
	double due = 0;

	memset(m, 0, sizeof(*m));
	m->s = *s;
	m->random = 7;
	m->tokens = s->burst;
	m->now.ns = m->at.ns = 1;
	throttle_init(&m->t, s->kind, m->now);
	while (seconds(m) < length) {
		double pps = throttle_pps(&m->t) ? throttle_pps(&m->t) : s->offered_pps;

		tell(m);
		/* As pacing does for a router. */
		if (s->kind == THROTTLE_ROUTER && throttle_suspects(&m->t, m->now))
			pps = 0;
		due += (pps < s->offered_pps ? pps : s->offered_pps) * 1e-3;
		due = due > 200 ? 200 : due;
		for (; due >= 1 && m->next - m->first < FATES; due -= 1) {
			struct fate f = fate_of(m);

			throttle_sent(&m->t, m->now);
			m->fates[m->next++ % FATES] = f;
			m->sent += seconds(m) > length / 2;
			m->lost += seconds(m) > length / 2 && !f.answered;
		}
		m->now = mono_add(m->now, NS_PER_MS);
	}
}

/* clang-format off: a table */
static const struct {
	const char *why;
	struct script s;
	double length;            /* seconds */
	double pps_least, pps_most; /* sent in the second half */
	double lost_most;         /* share of that */
	uint32_t cuts_least, cuts_most;
	bool held_at_end;
} rows[] = {
	{"nothing is lost: nothing is cut",
	 {THROTTLE_RUN, 20000, 0, 0, 0, 0, 0, 0, 20 * NS_PER_MS, 50 * NS_PER_MS},
	 4, 19900, 20100, 0, 0, 0, false},
	{"a link that polices: a thirtieth of what we could send fits",
	 {THROTTLE_RUN, 60000, 2000, 20, 0, 0, 0, 0, 20 * NS_PER_MS, 50 * NS_PER_MS},
	 10, 1200, 2500, 0.10, 2, 60, true},
	{"a link with a queue of 0.2 s, then drops",
	 {THROTTLE_RUN, 60000, 2000, 5, 400, 0, 0, 0, 20 * NS_PER_MS, 50 * NS_PER_MS},
	 10, 1200, 2500, 0.15, 1, 60, true},
	{"a queue so deep that nothing is ever lost, only late",
	 {THROTTLE_RUN, 4000, 2000, 5, 1e9, 0, 0, 0, 20 * NS_PER_MS, 50 * NS_PER_MS},
	 40, 900, 2600, 0, 1, 60, true},
	{"just a little too fast",
	 {THROTTLE_RUN, 2400, 2000, 20, 0, 0, 0, 0, 20 * NS_PER_MS, 50 * NS_PER_MS},
	 10, 1200, 2400, 0.10, 1, 60, true},
	{"over half the world the same",
	 {THROTTLE_RUN, 30000, 2000, 20, 0, 0, 0, 0, 250 * NS_PER_MS, 340 * NS_PER_MS},
	 20, 1000, 3000, 0.20, 1, 60, true},
	{"one in ten is lost at any speed: tried, and let be",
	 {THROTTLE_RUN, 5000, 0, 0, 0, 10, 0, 0, 20 * NS_PER_MS, 50 * NS_PER_MS},
	 20, 4500, 5100, 0.12, 1, 8, false},
	{"one in three likewise",
	 {THROTTLE_RUN, 5000, 0, 0, 0, 3, 0, 0, 20 * NS_PER_MS, 50 * NS_PER_MS},
	 20, 4500, 5100, 0.36, 1, 12, false},
	{"one in fifty is nothing to look into",
	 {THROTTLE_RUN, 5000, 0, 0, 0, 50, 0, 0, 20 * NS_PER_MS, 50 * NS_PER_MS},
	 10, 4900, 5100, 0.03, 0, 0, false},
	{"an outage of a second: the old pace is back within some seconds",
	 {THROTTLE_RUN, 5000, 0, 0, 0, 0, 1, 2, 20 * NS_PER_MS, 50 * NS_PER_MS},
	 20, 1200, 5100, 0, 0, 8, false},
	{"slower than any link: loss is not by our speed",
	 {THROTTLE_RUN, 40, 0, 0, 0, 5, 0, 0, 20 * NS_PER_MS, 50 * NS_PER_MS},
	 20, 38, 42, 0.3, 0, 0, false},
	{"a Linux router: six answers, then one a second",
	 {THROTTLE_ROUTER, 5000, 1, 6, 0, 0, 0, 0, 20 * NS_PER_MS, 50 * NS_PER_MS},
	 60, 0.7, 3, 0.6, 3, 40, true},
	{"one that gives a hundred a second",
	 {THROTTLE_ROUTER, 5000, 100, 10, 0, 0, 0, 0, 20 * NS_PER_MS, 50 * NS_PER_MS},
	 20, 60, 150, 0.25, 2, 60, true},
	{"a router that loses one in ten always",
	 {THROTTLE_ROUTER, 1000, 0, 0, 0, 10, 0, 0, 20 * NS_PER_MS, 50 * NS_PER_MS},
	 60, 900, 1010, 0.12, 0, 20, false},
	{"a router that never answers",
	 {THROTTLE_ROUTER, 500, 0, 0, 0, 1, 0, 0, 20 * NS_PER_MS, 50 * NS_PER_MS},
	 10, 495, 505, 1, 0, 0, false},
	{"a router that answered for a second, then falls silent for good",
	 {THROTTLE_ROUTER, 500, 0, 0, 0, 0, 1, 100, 20 * NS_PER_MS, 50 * NS_PER_MS},
	 30, 495, 505, 1, 0, 6, false},
};
/* clang-format on */

static void every_bottleneck_is_found_and_only_those(void **state)
{
	static struct sim m;
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		double half = rows[i].length / 2, pps, lost;

		run(&m, &rows[i].s, rows[i].length);
		pps = (double)m.sent / half;
		lost = m.sent ? (double)m.lost / (double)m.sent : 0;
		if (pps >= rows[i].pps_least && pps <= rows[i].pps_most &&
		    lost <= rows[i].lost_most && m.t.cuts >= rows[i].cuts_least &&
		    m.t.cuts <= rows[i].cuts_most &&
		    (throttle_pps(&m.t) > 0) == rows[i].held_at_end)
			continue;
		print_error("%s:\n\t%.1f a second, %.1f %% lost, %u cuts, held to %u\n",
			    rows[i].why, pps, 100 * lost, m.t.cuts, throttle_pps(&m.t));
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static struct mono at_ms(double ms)
{
	return (struct mono){(int64_t)(ms * 1e6)};
}

static void a_loss_is_ours_only_where_losses_are_many(void **state)
{
	struct throttle t;

	(void)state;
	throttle_init(&t, THROTTLE_ROUTER, at_ms(0));
	assert_false(throttle_is_cause(&t, at_ms(0)));
	for (int i = 0; i < 40; i++)
		throttle_sent(&t, at_ms(1));
	for (int i = 0; i < 6; i++)
		throttle_answered(&t, at_ms(1), false, at_ms(10));
	throttle_lost(&t, at_ms(1), at_ms(40));
	assert_false(throttle_is_cause(&t, at_ms(1))); /* one is chance */
	for (int i = 0; i < 5; i++)
		throttle_lost(&t, at_ms(1), at_ms(40));
	assert_true(throttle_is_cause(&t, at_ms(1)));
	/* Who holds back now spares his probes: the rest of the crowd is lost too. */
	assert_true(throttle_suspects(&t, at_ms(41)));
	assert_int_equal(throttle_pps(&t), 0);
	for (int i = 0; i < 28; i++)
		throttle_lost(&t, at_ms(1), at_ms(41));
	assert_false(throttle_suspects(&t, at_ms(70)));
	assert_int_equal(t.cuts, 1);
	assert_true(throttle_pps(&t) > 0);
	/* Those that left before the cut are still its. */
	assert_true(throttle_is_cause(&t, at_ms(1)));
}

static void what_is_lost_anyway_is_not_held_against_a_router(void **state)
{
	struct throttle t;

	(void)state;
	for (int background = 0; background < 2; background++) {
		throttle_init(&t, THROTTLE_ROUTER, at_ms(0));
		t.background = background ? 0.5f : 0;
		for (int i = 0; i < 64; i++)
			throttle_sent(&t, at_ms(i));
		for (int i = 0; i < 64; i++) {
			if (i % 2)
				throttle_answered(&t, at_ms(i), false, at_ms(100));
			else
				throttle_lost(&t, at_ms(i), at_ms(100));
		}
		assert_int_equal(t.cuts, !background);
	}
}

static void probes_that_nobody_settles_hold_nothing_up(void **state)
{
	struct throttle t;

	(void)state;
	throttle_init(&t, THROTTLE_RUN, at_ms(0));
	for (int i = 0; i < 300; i++)
		throttle_sent(&t, at_ms(i));
	for (int i = 0; i < 100; i++)
		throttle_forgotten(&t, at_ms(i), at_ms(400));
	for (int i = 100; i < 150; i++)
		throttle_lost(&t, at_ms(i), at_ms(400));
	for (int i = 150; i < 200; i++)
		throttle_answered(&t, at_ms(i), false, at_ms(400));
	assert_int_equal(t.cuts, 0);
	/* The others stay open; in time the sample is judged without them. */
	throttle_sent(&t, at_ms(5000));
	assert_int_equal(t.cuts, 1);
}

static void a_batch_is_of_the_sample_whole_or_not_at_all(void **state)
{
	struct throttle t;

	(void)state;
	throttle_init(&t, THROTTLE_RUN, at_ms(0));
	/* Four batches of 80: in the fourth the sample has enough. Of the first three every fourth
	 * probe is lost, which is known last. */
	for (int i = 0; i < 320; i++)
		throttle_sent(&t, at_ms(1 + 30 * (i / 80)));
	for (int i = 0; i < 320; i++)
		if (i >= 240 || i % 4)
			throttle_answered(&t, at_ms(1 + 30 * (i / 80)), false, at_ms(200));
	assert_int_equal(t.cuts, 0);
	for (int i = 0; i < 240; i += 4)
		throttle_lost(&t, at_ms(1 + 30 * (i / 80)), at_ms(300));
	throttle_sent(&t, at_ms(600));
	assert_int_equal(t.cuts, 1);
	/* 320 in 90 ms, of which 260 got through. */
	assert_in_range(throttle_pps(&t), 2600, 2900);
}

static void told_late_counts_as_if_it_had_been_expected(void **state)
{
	struct throttle t;

	(void)state;
	throttle_init(&t, THROTTLE_ROUTER, at_ms(0));
	for (int i = 0; i < 6; i++)
		throttle_told(&t, at_ms(1), true, at_ms(2));
	for (int i = 0; i < 10; i++)
		throttle_told(&t, at_ms(1), false, at_ms(30));
	assert_true(throttle_is_cause(&t, at_ms(1)));
	assert_false(throttle_suspects(&t, at_ms(60)));
	assert_int_equal(t.cuts, 1);
	/* What left before the cut says nothing of the new pace. */
	throttle_told(&t, at_ms(1), false, at_ms(61));
	assert_int_equal(t.sent, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_bottleneck_is_found_and_only_those),
		cmocka_unit_test(a_loss_is_ours_only_where_losses_are_many),
		cmocka_unit_test(what_is_lost_anyway_is_not_held_against_a_router),
		cmocka_unit_test(probes_that_nobody_settles_hold_nothing_up),
		cmocka_unit_test(a_batch_is_of_the_sample_whole_or_not_at_all),
		cmocka_unit_test(told_late_counts_as_if_it_had_been_expected),
	};

	return cmocka_run_group_tests_name("throttle", tests, NULL, NULL);
}

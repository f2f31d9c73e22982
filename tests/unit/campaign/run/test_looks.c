// SPDX-License-Identifier: BSD-2-Clause
/*
 * Closer looks of the whole daemon, in the scripted world: at once when something is suspected,
 * then as the plan's on_event says; never beside a round; bounded; whatever ends them. What holds
 * for all of them (a moment of their own, on no slot, announced once, in the store as announced) is
 * in world.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/campaign/run/world.h"

#define SECONDS(n) ((n) * NS_PER_S)
#define MINUTES(n) ((n) * 60 * NS_PER_S)
#define HOURS(n) ((n) * 3600 * NS_PER_S)

#define PLAN(name, more)                                                                 \
	"campaign: " name "\n"                                                           \
	"vantage: {name: fra1}\n"                                                        \
	"every: 15m\n"                                                                   \
	"jitter: 0\n"                                                                    \
	"attempts: 1\n"                                                                  \
	"reference: [192.0.2.1]\n"                                                       \
	"store: sqlite:DIR/store.db\n"                                                   \
	"targets: [{host: 175.45.176.71, name: a}, {host: 175.45.177.10, name: b}]\n" more

#define EVENTS(list) .events = list, .event_count = sizeof(list) / sizeof(list[0])

/* Lines of a look at one of the two networks: the reference host, and its target by four flows. */
enum { LINES = 1 + 4 };

static struct world *live(const struct world_script *script)
{
	struct world *w = world_new(script);
	const struct look_books *l;
	const char *fault;

	assert_non_null(w);
	fault = world_run(w);
	if (fault == NULL)
		fault = world_read_store(w);
	l = &world_plan(w, 0)->looks;
	printf("%llu looks (%llu whole, %llu in the store), %llu events, %llu processes\n",
	       (unsigned long long)l->count, (unsigned long long)l->whole,
	       (unsigned long long)l->read, (unsigned long long)w->counts.events,
	       (unsigned long long)w->counts.processes);
	if (fault != NULL || l->read != l->count) {
		char text[sizeof(w->fault)];

		for (unsigned i = 0; i < 8 && i < w->counts.notes; i++)
			printf("  %s\n", w->notes[(w->counts.notes - 1 - i) % 64]);
		text_set(text, sizeof(text), fault != NULL ? fault : "looks are missing");
		world_free(w);
		fail_msg("%s", text);
	}
	return w;
}

static int64_t since_start(const struct world *w, struct wall t)
{
	return t.ns - world_plan(w, 0)->first.ns + world_plan(w, 0)->first.ns % HOURS(24);
}

/* At once behind the round that saw it, which is confirmed by that; every minute for ten; and then
 * no more, until it goes back. */
static void a_switch_is_looked_at_at_once(void **state)
{
	static const struct world_event events[] = {
		{HOURS(2) + MINUTES(1), HAPPENS_MOVE, 176},
		{HOURS(5) + MINUTES(1), HAPPENS_MOVE, 176},
	};
	const struct world_script once = {.plans = {PLAN("looks", "on_event: {every: 1m, for: 10m}\n")},
					  .length_ns = HOURS(4), EVENTS(events)};
	struct world_script both = once;
	const struct look_books *l;
	struct world *w = live(&once);

	(void)state;
	l = &world_plan(w, 0)->looks;
	/* The round of 02:15 takes seconds. */
	assert_true(since_start(w, l->first) > HOURS(2) + MINUTES(15));
	assert_true(since_start(w, l->first) < HOURS(2) + MINUTES(15) + SECONDS(10));
	assert_true(since_start(w, l->last) <= HOURS(2) + MINUTES(26));
	assert_true(l->count >= 9 && l->count <= 11);
	assert_int_equal(l->whole, l->count);
	assert_int_equal(l->expected, LINES);
	assert_true(l->longest_gap_ns <= MINUTES(1) + SECONDS(5));
	assert_true(w->counts.events >= 1);
	world_free(w);
	both.length_ns = HOURS(7);
	w = live(&both);
	l = &world_plan(w, 0)->looks;
	assert_true(l->count >= 18 && l->count <= 22);
	assert_true(since_start(w, l->last) > HOURS(5) + MINUTES(15));
	world_free(w);
}

/* No on_event, no looks; and a day in which nothing happens has none. */
static void there_are_no_looks_for_nothing(void **state)
{
	static const struct world_event events[] = {{HOURS(2) + MINUTES(1), HAPPENS_MOVE, 176}};
	const struct world_script without = {.plans = {PLAN("none", "")},
					     .length_ns = HOURS(4), EVENTS(events)};
	const struct world_script calm = {
		.plans = {PLAN("calm", "on_event: {every: 1m, for: 10m}\n")},
		.length_ns = HOURS(24)};
	struct world *w = live(&without);

	(void)state;
	assert_int_equal(world_plan(w, 0)->looks.count, 0);
	assert_true(w->counts.events >= 1);
	world_free(w);
	w = live(&calm);
	assert_int_equal(world_plan(w, 0)->looks.count, 0);
	assert_int_equal(w->counts.events, 0);
	world_free(w);
}

/* Each measurement takes three minutes: looks fit in between rounds, or are not begun; rounds are
 * whole and on their slots all the same. */
static void a_look_never_delays_a_round(void **state)
{
	static const struct world_event events[] = {
		{HOURS(1), HAPPENS_SLOW, MINUTES(3)},
		{HOURS(2) + MINUTES(1), HAPPENS_MOVE, 177},
		{HOURS(3) + MINUTES(1), HAPPENS_SLOW, MINUTES(6)},
	};
	const struct world_script script = {
		.plans = {PLAN("slow", "on_event: {every: 1m, for: 1h}\n")},
		.length_ns = HOURS(4), EVENTS(events)};
	struct world *w = live(&script);
	const struct plan_books *b = world_plan(w, 0);

	(void)state;
	assert_int_equal(b->rounds, b->whole);
	assert_int_equal(b->missed_rounds, 0);
	/* From 02:18 on: three between two rounds at most, then one. */
	assert_true(b->looks.count >= 6 && b->looks.count <= 16);
	world_free(w);
}

/* Somebody plays with the routes all day, too slowly for a flapping: looks have their time, two
 * hours, and a rest of half of one. */
static void looks_are_bounded(void **state)
{
	static struct world_event events[56];
	struct world_script script = {
		.plans = {PLAN("restless", "on_event: {every: 1m, for: 30m}\n")},
		.length_ns = HOURS(24), EVENTS(events)};
	const struct look_books *l;
	struct world *w;

	(void)state;
	for (unsigned i = 0; i < 56; i++)
		events[i] = (struct world_event){MINUTES(60 + 24 * i), HAPPENS_MOVE, 176};
	w = live(&script);
	l = &world_plan(w, 0)->looks;
	assert_true(l->count > 500);
	/* Four fifths of the time, and the rounds count as looks. Without end it would be 1288. */
	assert_true(l->count <= 1090);
	assert_int_equal(world_plan(w, 0)->rounds, world_plan(w, 0)->whole);
	world_free(w);
}

/* A process that ends at once in the midst of a look leaves a look that was cut, no gap; and the
 * next process looks closer only when it suspects something itself. */
static void a_look_that_was_killed_is_cut(void **state)
{
	static const struct world_event events[] = {
		{HOURS(1), HAPPENS_SLOW, SECONDS(20)},
		{HOURS(2) + MINUTES(1), HAPPENS_MOVE, 176},
		/* Told twice: at once. The round of 02:15 took until 02:15:22 or so. */
		{HOURS(2) + MINUTES(15) + SECONDS(30), HAPPENS_STOP, SECONDS(30)},
		{HOURS(2) + MINUTES(15) + SECONDS(31), HAPPENS_STOP, SECONDS(30)},
	};
	const struct world_script script = {
		.plans = {PLAN("killed", "on_event: {every: 1m, for: 1h}\n")},
		.length_ns = HOURS(4), EVENTS(events)};
	struct world *w = live(&script);
	const struct plan_books *b = world_plan(w, 0);

	(void)state;
	assert_int_equal(w->counts.processes, 2);
	assert_int_equal(b->looks.count, 1);
	assert_int_equal(b->looks.cut, 1);
	assert_int_equal(b->missed_rounds, 0);
	assert_int_equal(b->rounds, b->whole);
	assert_true(w->counts.events >= 1);
	world_free(w);
}

/* Told to stop in the midst of one: it ends as rounds do. */
static void a_look_that_was_stopped_says_so(void **state)
{
	static const struct world_event events[] = {
		{HOURS(1), HAPPENS_SLOW, SECONDS(20)},
		{HOURS(2) + MINUTES(1), HAPPENS_MOVE, 176},
		{HOURS(2) + MINUTES(15) + SECONDS(30), HAPPENS_STOP, SECONDS(30)},
	};
	const struct world_script script = {
		.plans = {PLAN("stopped", "on_event: {every: 1m, for: 1h}\n")},
		.length_ns = HOURS(4), EVENTS(events)};
	struct world *w = live(&script);

	(void)state;
	assert_int_equal(world_plan(w, 0)->looks.count, 1);
	assert_int_equal(world_plan(w, 0)->looks.cut, 1);
	assert_int_equal(world_plan(w, 0)->missed_rounds, 0);
	world_free(w);
}

/* We were cut off: nothing to look at closer. The store refuses: what it takes hours later is no
 * news. */
static void our_own_trouble_is_not_looked_at(void **state)
{
	static const struct world_event events[] = {
		{HOURS(2) + MINUTES(1), HAPPENS_OFFLINE, HOURS(1)},
		{HOURS(5) + MINUTES(1), HAPPENS_GONE, 1},
		{HOURS(6) + MINUTES(1), HAPPENS_MOVE, 176},
		{HOURS(9) + MINUTES(1), HAPPENS_GONE, 0},
	};
	const struct world_script script = {
		.plans = {PLAN("own", "on_event: {every: 1m, for: 1h}\n")},
		.length_ns = HOURS(11), EVENTS(events)};
	struct world *w = live(&script);

	(void)state;
	assert_int_equal(world_plan(w, 0)->looks.count, 0);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_switch_is_looked_at_at_once),
		cmocka_unit_test(there_are_no_looks_for_nothing),
		cmocka_unit_test(a_look_never_delays_a_round),
		cmocka_unit_test(looks_are_bounded),
		cmocka_unit_test(a_look_that_was_killed_is_cut),
		cmocka_unit_test(a_look_that_was_stopped_says_so),
		cmocka_unit_test(our_own_trouble_is_not_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * A year of rounds in half a minute: the whole daemon with a scripted clock and a scripted prober,
 * its store and its spool on disk. The clock is set an hour forth and back, in the middle of rounds
 * and between them; the machine sleeps; the prober dies, is slow, hears or says nothing; disks are
 * full; the daemon is hung up, stopped and started again. What must hold is in world.c: every slot
 * is a round or a gap, once and in order, announced when it is committed; memory stays flat, and
 * the store within its bound.
 *
 * YEAR_DAYS=N lives for so long; under valgrind and with sanitizers it is two weeks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/campaign/run/world.h"

#define MINUTES(n) ((n) * 60 * NS_PER_S)
#define HOURS(n) ((n) * 3600 * NS_PER_S)
#define DAYS(n) ((n) * 86400 * NS_PER_S)

#define PLAN(name, every, targets, more)                               \
	"campaign: " name "\n"                                         \
	"vantage: {name: fra1}\n"                                      \
	"every: " every "\n"                                           \
	"attempts: 1\n"                                                \
	"reference: [192.0.2.1]\n"                                     \
	"store: sqlite:DIR/store.db\n"                                 \
	"targets: [" targets "]\n" more

#define FEW "{host: 175.45.176.71, name: a}, {host: 175.45.177.10, name: b}"

static bool is_whole(void)
{
#if defined(__SANITIZE_ADDRESS__)
	return false;
#else
	return getenv("UNDER_VALGRIND") == NULL;
#endif
}

static void tell(const struct world *w, const char *what)
{
	const struct world_counts *c = world_counts(w);

	printf("%s: %llu processes, %llu lines, %llu deaths, %llu waits\n", what,
	       (unsigned long long)c->processes, (unsigned long long)c->lines,
	       (unsigned long long)c->deaths, (unsigned long long)c->waits);
	for (unsigned i = 0; i < WORLD_PLANS && w->script.plans[i] != NULL; i++) {
		const struct plan_books *b = world_plan(w, i);

		printf("  %s: %llu rounds (%llu whole), %llu traces, longest %lld s; "
		       "missed whole: %llu", b->campaign, (unsigned long long)b->rounds,
		       (unsigned long long)b->whole, (unsigned long long)b->traces,
		       (long long)(b->longest_ns / NS_PER_S),
		       (unsigned long long)b->missed_rounds);
		for (unsigned why = 1; why <= ROUND_WHY_TARGETS; why++) {
			if (b->by_why[why] > 0)
				printf(", %s %llu/%llu", word_of(round_why_words, (int)why),
				       (unsigned long long)b->by_why[why],
				       (unsigned long long)b->whole_by_why[why]);
		}
		printf("\n");
	}
	printf("  memory %llu bytes in weeks 5 to 8, %llu after, with SQLite's %llu; store %llu\n",
	       (unsigned long long)c->memory_warm, (unsigned long long)c->memory_late,
	       (unsigned long long)c->memory_most,
	       (unsigned long long)world_store_bytes(w));
}

static void live(struct world *w, const char *what)
{
	const char *fault = world_run(w);

	tell(w, what);
	if (fault == NULL)
		fault = world_read_store(w);
	if (fault != NULL) {
		char text[sizeof(w->fault)];

		for (unsigned i = 0; i < 8 && i < w->counts.notes; i++)
			printf("  %s\n", w->notes[(w->counts.notes - 1 - i) % 64]);
		/* What failed leaves nothing behind on a disk that is memory. */
		text_set(text, sizeof(text), fault);
		world_free(w);
		fail_msg("%s", text);
	}
}

/* One thing a week, in turn, at another time of the week each. */
static unsigned make_events(struct world_event *e, int64_t length)
{
	unsigned n = 0;

	for (int64_t week = 1; DAYS(7 * week) < length; week++) {
		int64_t at = DAYS(7 * week) + week * 1237 * NS_PER_S;

		e[n++] = (struct world_event){at, HAPPENS_DEATH, 0};
		switch (week % 8) {
		case 0: /* between rounds, and told */
			e[n++] = (struct world_event){at + MINUTES(8), HAPPENS_STEP, HOURS(1)};
			e[n++] = (struct world_event){at + HOURS(30), HAPPENS_STEP, -HOURS(1)};
			break;
		case 1: /* in the middle of a round: the slot is 15 minutes */
			e[n++] = (struct world_event){DAYS(7 * week) + MINUTES(15) + 20 * NS_PER_S,
						HAPPENS_SECRETLY, -HOURS(1)};
			e[n++] = (struct world_event){DAYS(7 * week) + HOURS(5) + 20 * NS_PER_S,
						HAPPENS_SECRETLY, HOURS(1)};
			break;
		case 2:
			e[n++] = (struct world_event){at, HAPPENS_SLEEP, HOURS(3)};
			break;
		case 3:
			e[n++] = (struct world_event){at, HAPPENS_OFFLINE, HOURS(2)};
			break;
		case 4:
			e[n++] = (struct world_event){at, HAPPENS_FULL, 1};
			e[n++] = (struct world_event){at + HOURS(4), HAPPENS_FULL, 0};
			break;
		case 5:
			e[n++] = (struct world_event){at, HAPPENS_SLOW, HOURS(1)};
			e[n++] = (struct world_event){at + HOURS(2), HAPPENS_SLOW, 0};
			break;
		case 6:
			e[n++] = (struct world_event){at, HAPPENS_HANGUP, 0};
			e[n++] = (struct world_event){at + HOURS(50), HAPPENS_STOP, MINUTES(50)};
			break;
		default:
			e[n++] = (struct world_event){at, HAPPENS_STOP, 5 * NS_PER_S};
			e[n++] = (struct world_event){at + HOURS(1), HAPPENS_STOP, DAYS(1)};
			break;
		}
		/* Later in the week, when nothing else does: another way in, for ten hours. */
		e[n++] = (struct world_event){at + DAYS(4), HAPPENS_MOVE, 176};
		e[n++] = (struct world_event){at + DAYS(4) + HOURS(10), HAPPENS_MOVE, 176};
	}
	return n;
}

static void a_year(void **state)
{
	static struct world_event events[256];
	struct world_script script = {.plans = {PLAN("year", "15m", FEW,
					       "on_event: {every: 1m, for: 30m}\n"
					       "alerts: {exec: DIR/hook}\n")},
				      .length_ns = is_whole() ? DAYS(365) : DAYS(15),
				      .events = events,
				      .deaths_of = 700};
	const struct plan_books *b;
	const struct world_counts *c;
	struct world *w;

	(void)state;
	if (getenv("YEAR_DAYS") != NULL)
		script.length_ns = DAYS(strtoll(getenv("YEAR_DAYS"), NULL, 10));
	script.event_count = make_events(events, script.length_ns);
	w = world_new(&script);
	assert_non_null(w);
	live(w, "a year");
	if (world_read_told(w) != NULL)
		fail_msg("%s", w->fault);
	b = world_plan(w, 0);
	c = world_counts(w);
	printf("  %llu looks (%llu whole), %llu traces in them; %llu events told\n",
	       (unsigned long long)b->looks.count, (unsigned long long)b->looks.whole,
	       (unsigned long long)b->looks.traces, (unsigned long long)c->told);
	/* It had what it is for. */
	assert_true(b->rounds + b->missed_rounds >= (uint64_t)(script.length_ns / MINUTES(15)) - 2);
	assert_true(b->whole * 100 >= b->rounds * 95);
	if (script.length_ns == DAYS(365)) {
		assert_true(c->processes > 10 && c->deaths > 52);
		assert_true(b->whole_by_why[ROUND_WHY_CLOCK_STEP] >= 6 * 3);
		assert_true(b->whole_by_why[ROUND_WHY_DOWN] >= 6 * 100);
		assert_true(b->by_why[ROUND_WHY_OVERRUN] >= 6 * 4);
		assert_true(b->by_health[ROUND_HEALTH_OFFLINE] >= 6 * 7);
		/* Each move was told, once, and looked at closer every minute for half an hour. */
		assert_true(c->told >= 2 * 51);
		assert_true(b->looks.count >= 2 * 51 * 20 && b->looks.count <= 2 * 60 * 35);
		assert_int_equal(b->looks.read, b->looks.count);
		assert_int_equal(b->by_why[ROUND_WHY_OFFLINE], b->by_health[ROUND_HEALTH_OFFLINE]);
		/* Flat; and SQLite keeps to its cache. */
		assert_true(c->memory_late <= c->memory_warm + (256 << 10));
		assert_true(c->memory_most <= 40 << 20);
		/* So many bytes a trace, each the only one of its network and so with a tally of
		 * its own; and a round's own row beside its few traces. */
		assert_true(world_store_bytes(w) <=
			    (b->traces + b->looks.traces) * 160 +
			    (b->rounds + b->missed_rounds) * 1000 +
			    /* with the paths of its flows; an event's revisions */
			    b->looks.count * 2500 + c->told * 16000);
	}
	world_free(w);
}

/*
 * Two plans at one rate, and a clock that is set: the sweep of a /22 is under way for six minutes
 * when the quarter-hourly round of the other plan comes. That one waits for the eight lines that
 * the sweep has in the prober's hands, and for its own three: a few seconds.
 */
static void a_sweep_lets_others_pass(void **state)
{
	static const struct world_event events[] = {
		{HOURS(7) + MINUTES(16), HAPPENS_STEP, HOURS(1)},
		{HOURS(19) + MINUTES(12), HAPPENS_DEATH, 0},
		{HOURS(25) + MINUTES(13), HAPPENS_SECRETLY, -HOURS(1)},
		{HOURS(37) + MINUTES(14), HAPPENS_STOP, 30 * NS_PER_S},
		/* Stopped and started while rounds wait for the store: none is told as missed. */
		{HOURS(50) + MINUTES(1), HAPPENS_GONE, 1},
		{HOURS(52) + MINUTES(3), HAPPENS_STOP, MINUTES(40)},
		{HOURS(54) + MINUTES(2), HAPPENS_GONE, 0},
	};
	const struct world_script script = {
		.plans = {PLAN("known", "15m", FEW, "rate_pps: 20\n"),
			  PLAN("sweep", "6h", "{host: 175.45.176.0/22}",
			       "offset: 10m\nrate_pps: 20\n")},
		.length_ns = is_whole() ? DAYS(4) : HOURS(8),
		.events = events,
		.event_count = sizeof(events) / sizeof(events[0]),
	};
	struct world *w = world_new(&script);

	(void)state;
	assert_non_null(w);
	live(w, "two plans");
	assert_true(world_plan(w, 0)->longest_ns < 15 * NS_PER_S);
	assert_true(world_plan(w, 1)->longest_ns > MINUTES(5) + 30 * NS_PER_S);
	assert_true(!is_whole() || world_note(w, "takes rounds again") != NULL);
	/* Whole but for what the prober's end cost: the stop, nothing else. */
	assert_true(world_plan(w, 0)->rounds - world_plan(w, 0)->whole <= 1);
	assert_true(world_plan(w, 1)->rounds - world_plan(w, 1)->whole <= 1);
	world_free(w);
}

/*
 * A prober that lives and says nothing, for once in the middle of a round: after a minute it is
 * ended, and what it had in hand is asked of another. And once while the daemon is to stop, which
 * does not wait for it.
 */
static void a_prober_that_says_nothing(void **state)
{
	static const struct world_event events[] = {
		{HOURS(2) + MINUTES(1), HAPPENS_MUTE, 0},
		{HOURS(4) + MINUTES(1), HAPPENS_MUTE, 0},
		{HOURS(4) + MINUTES(16), HAPPENS_STOP, NS_PER_S},
	};
	const struct world_script script = {
		.plans = {PLAN("mute", "15m", FEW, "jitter: 0\n")},
		.length_ns = HOURS(6),
		.events = events,
		.event_count = sizeof(events) / sizeof(events[0]),
	};
	struct world *w = world_new(&script);

	(void)state;
	assert_non_null(w);
	live(w, "a mute prober");
	assert_non_null(world_note(w, "has said nothing for 60 s: it is ended"));
	assert_int_equal(world_counts(w)->deaths, 2);
	assert_in_range(world_plan(w, 0)->longest_ns, MINUTES(1), MINUTES(1) + 10 * NS_PER_S);
	/* The one of the stop is the only one that lacks anything. */
	assert_int_equal(world_plan(w, 0)->rounds - world_plan(w, 0)->whole, 1);
	assert_int_equal(world_plan(w, 0)->by_why[ROUND_WHY_STOPPED], 1);
	world_free(w);
}

/* Told when it is ready, reads anew and ends; fed in time, whatever goes on; and the status. */
static void a_service_manager_is_told(void **state)
{
	static const struct world_event events[] = {
		{HOURS(1) + MINUTES(5), HAPPENS_HANGUP, 0},
		{HOURS(2) + MINUTES(1), HAPPENS_MUTE, 0},
		{HOURS(3) + MINUTES(1), HAPPENS_SLOW, MINUTES(8)},
		{HOURS(3) + MINUTES(40), HAPPENS_SLOW, 0},
		{HOURS(4) + MINUTES(20), HAPPENS_STOP, MINUTES(2)},
		{HOURS(5) + MINUTES(3), HAPPENS_STEP, HOURS(1)},
	};
	const struct world_script script = {
		.plans = {PLAN("watched", "15m", FEW, "")},
		.length_ns = HOURS(7),
		.events = events,
		.event_count = sizeof(events) / sizeof(events[0]),
	};
	struct world *w = world_new(&script);
	const struct manager_books *m;

	(void)state;
	assert_non_null(w);
	assert_int_equal(manager_open(w, 40 * NS_PER_S), 0);
	live(w, "a service");
	manager_close(w);
	m = &w->manager;
	assert_int_equal(world_counts(w)->processes, 2);
	assert_int_equal(m->ready, 2 + 1);
	assert_int_equal(m->reloads, 1);
	assert_int_equal(m->stops, 2);
	assert_false(m->up || m->reloading);
	/* Twice as often as it wants, as sd_watchdog_enabled(3) advises, and no more. */
	assert_in_range(m->longest_ns, 10 * NS_PER_S, 20 * NS_PER_S);
	assert_in_range(m->dogs, HOURS(6) / (20 * NS_PER_S), HOURS(14) / (20 * NS_PER_S));
	assert_true(m->under_way >= 25 && m->waiting >= 25);
	world_free(w);
}

/*
 * The clock is a year ahead when the daemon starts, and again while it runs: hours later it is set
 * right. What was kept is kept, slots that were told as missed are measured when their time comes,
 * and are on the record as measured.
 */
static void a_clock_that_is_a_year_ahead(void **state)
{
	static const struct world_event events[] = {
		{HOURS(3), HAPPENS_STOP, MINUTES(50)},
		{HOURS(3) + MINUTES(10), HAPPENS_SECRETLY, DAYS(365)},
		/* Before a slot was measured by it. */
		{HOURS(3) + MINUTES(51), HAPPENS_STEP, -DAYS(365)},
		{HOURS(6) + MINUTES(8), HAPPENS_STEP, DAYS(400)},
		{HOURS(6) + MINUTES(10), HAPPENS_STEP, -DAYS(400)},
		{HOURS(8), HAPPENS_STOP, MINUTES(5)},
	};
	const struct world_script script = {
		.plans = {PLAN("ahead", "15m", FEW, "keep: {traces: 30d}\n")},
		.length_ns = HOURS(12),
		.events = events,
		.event_count = sizeof(events) / sizeof(events[0]),
	};
	const struct plan_books *b;
	struct world *w = world_new(&script);

	(void)state;
	assert_non_null(w);
	live(w, "a year ahead");
	b = world_plan(w, 0);
	assert_int_equal(world_counts(w)->processes, 3);
	assert_true(b->missed_rounds >= 365 * 96);
	/* All of twelve hours but for the one that it was stopped in. */
	assert_true(b->whole >= 48 - 5);
	world_free(w);
}

/*
 * The clock is a day ahead for one round, and then right: measuring goes on by the right one, what
 * was told as missed is measured when its time comes, and the round of the wrong clock stays. Once
 * more while the process is down: the store's last slot lies a day ahead when the next one begins.
 */
static void a_clock_that_was_a_day_ahead(void **state)
{
	static const struct world_event events[] = {
		{HOURS(3) + MINUTES(8), HAPPENS_STEP, DAYS(1)},
		{HOURS(3) + MINUTES(27), HAPPENS_STEP, -DAYS(1)},
		/* Long before that slot comes. */
		{HOURS(9), HAPPENS_MOVE, 176},
		{HOURS(19), HAPPENS_MOVE, 176},
		{HOURS(40) + MINUTES(8), HAPPENS_SECRETLY, DAYS(1)},
		{HOURS(40) + MINUTES(25), HAPPENS_STOP, MINUTES(4)},
		{HOURS(40) + MINUTES(26), HAPPENS_SECRETLY, -DAYS(1)},
	};
	const struct world_script script = {
		.plans = {PLAN("day", "15m", FEW, "alerts: {exec: DIR/hook}\n")},
		.length_ns = HOURS(72),
		.events = events,
		.event_count = sizeof(events) / sizeof(events[0]),
	};
	const struct plan_books *b;
	struct world *w = world_new(&script);

	(void)state;
	assert_non_null(w);
	live(w, "a day ahead");
	b = world_plan(w, 0);
	assert_non_null(world_note(w, "the clock was put back: slots up to "));
	assert_true(b->whole_by_why[ROUND_WHY_CLOCK_STEP] >= 2 * 96);
	assert_non_null(world_note(w, "was measured by a clock that ran ahead: it stays"));
	if (world_read_told(w) != NULL)
		fail_msg("%s", w->fault);
	assert_true(world_counts(w)->told >= 2);
	/* All of three days but for those few that a wrong clock took, or had taken. */
	assert_true(b->whole >= 72 * 4 - 8);
	world_free(w);
}

/*
 * A grid of seconds. The process is started by a clock that is a day ahead, which tells of a day
 * that nobody measured, and again by one that is right; and once more without anybody telling, and
 * while the process is down. Each time measuring goes on at once.
 */
static void a_fast_grid_and_a_day_ahead(void **state)
{
	static const struct world_event events[] = {
		{MINUTES(10) + NS_PER_S, HAPPENS_STOP, 20 * NS_PER_S},
		{MINUTES(10) + 5 * NS_PER_S, HAPPENS_SECRETLY, DAYS(1)},
		{MINUTES(20) + NS_PER_S, HAPPENS_STOP, 20 * NS_PER_S},
		{MINUTES(20) + 5 * NS_PER_S, HAPPENS_SECRETLY, -DAYS(1)},
		{MINUTES(30) + 3 * NS_PER_S, HAPPENS_SECRETLY, DAYS(1)},
		{MINUTES(35) + 3 * NS_PER_S, HAPPENS_SECRETLY, -DAYS(1)},
		{MINUTES(40) + 3 * NS_PER_S, HAPPENS_STEP, DAYS(1)},
		{MINUTES(45) + 3 * NS_PER_S, HAPPENS_STOP, 20 * NS_PER_S},
		{MINUTES(45) + 5 * NS_PER_S, HAPPENS_SECRETLY, -DAYS(1)},
	};
	const struct world_script script = {
		.plans = {PLAN("fast", "5s", FEW, "jitter: 0\n")},
		.length_ns = HOURS(1),
		.events = events,
		.event_count = sizeof(events) / sizeof(events[0]),
	};
	const struct plan_books *b;
	struct world *w = world_new(&script);

	(void)state;
	assert_non_null(w);
	live(w, "a fast grid");
	b = world_plan(w, 0);
	assert_int_equal(world_counts(w)->processes, 4);
	assert_true(b->whole_by_why[ROUND_WHY_DOWN] >= 86400 / 5);
	/* Of an hour, all but a minute of stops and up to half a minute until a step is noticed
	 * that nobody told; and no day twice. */
	assert_true(b->whole >= 720 - 12 - 2 * 6 - 6);
	assert_true(b->missed_rounds <= 86400 / 5 + 720);
	world_free(w);
}

/* Read again while it is not there: the old one goes on, and it is read when it is there again,
 * without anybody telling. */
static void a_plan_that_is_not_there_is_read_later(void **state)
{
	static const struct world_event events[] = {
		{HOURS(1) + MINUTES(5), HAPPENS_UNPLAN, 1},
		{HOURS(1) + MINUTES(6), HAPPENS_HANGUP, 0},
		{HOURS(2) + MINUTES(5), HAPPENS_UNPLAN, 0},
	};
	const struct world_script script = {
		.plans = {PLAN("away", "15m", FEW, "jitter: 0\n")},
		.length_ns = HOURS(3),
		.events = events,
		.event_count = sizeof(events) / sizeof(events[0]),
	};
	struct world *w = world_new(&script);
	unsigned told = 0;

	(void)state;
	assert_non_null(w);
	live(w, "a plan away");
	for (unsigned i = 0; i < 64; i++)
		told += strstr(w->notes[i], "not reloaded") != NULL;
	/* Once, for an hour. */
	assert_int_equal(told, 1);
	assert_non_null(world_note(w, "it is tried again"));
	assert_non_null(world_note(w, "reloaded: "));
	assert_true(world_plan(w, 0)->whole >= 11);
	assert_int_equal(world_plan(w, 0)->rounds - world_plan(w, 0)->whole, 0);
	world_free(w);
}

/*
 * While the store cannot be opened a slot is jumped over; the process ends, and `recover` puts in
 * what the spool has, before and behind that slot. The next process finds the hole. And once more,
 * with rounds measured and slots missed behind it, for what is no hole must not become one.
 */
static void a_slot_missed_while_the_store_refuses(void **state)
{
	static const struct world_event events[] = {
		{HOURS(2) + MINUTES(1), HAPPENS_GONE, 1},
		{HOURS(3) + MINUTES(5), HAPPENS_STEP, HOURS(1)},
		{HOURS(5) + MINUTES(1), HAPPENS_STOP, MINUTES(10)},
		{HOURS(5) + MINUTES(2), HAPPENS_GONE, 0},
		{HOURS(5) + MINUTES(3), HAPPENS_RECOVER, 0},
		{HOURS(6) + MINUTES(5), HAPPENS_STEP, HOURS(1)},
		{HOURS(7) + MINUTES(1), HAPPENS_STOP, MINUTES(50)},
		{HOURS(7) + MINUTES(2), HAPPENS_RECOVER, 0},
		{HOURS(9) + MINUTES(1), HAPPENS_STOP, MINUTES(1)},
	};
	const struct world_script script = {
		.plans = {PLAN("hole", "15m", FEW, "")},
		.length_ns = HOURS(10),
		.events = events,
		.event_count = sizeof(events) / sizeof(events[0]),
	};
	struct world *w = world_new(&script);

	(void)state;
	assert_non_null(w);
	live(w, "a hole");
	assert_int_equal(world_counts(w)->processes, 4);
	assert_int_equal(world_plan(w, 0)->whole_by_why[ROUND_WHY_CLOCK_STEP], 4);
	/* Of the first hour nobody is left who knows why; of the 50 minutes it is known. */
	assert_int_equal(world_plan(w, 0)->whole_by_why[ROUND_WHY_DOWN], 4 + 3);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sweep_lets_others_pass),
		cmocka_unit_test(a_prober_that_says_nothing),
		cmocka_unit_test(a_service_manager_is_told),
		cmocka_unit_test(a_clock_that_is_a_year_ahead),
		cmocka_unit_test(a_clock_that_was_a_day_ahead),
		cmocka_unit_test(a_fast_grid_and_a_day_ahead),
		cmocka_unit_test(a_plan_that_is_not_there_is_read_later),
		cmocka_unit_test(a_slot_missed_while_the_store_refuses),
		cmocka_unit_test(a_year),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

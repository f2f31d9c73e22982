// SPDX-License-Identifier: BSD-2-Clause
/*
 * The schedule under scripted clocks: each row is a day somebody had, and what the schedule made of
 * it, slot by slot. Then days by chance: every slot once, in order, started or missed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "campaign/schedule.h"

#define T0 (INT64_C(1795305600) * NS_PER_S) /* 2026-11-22T00:00:00Z */
#define S(seconds) ((int64_t)(seconds) * NS_PER_S)
#define H(hours, minutes) ((hours) * 3600 + (minutes) * 60)

enum event_kind {
	END,
	STEP,    /* the wall clock is set by so much */
	SLEEP,   /* nobody looks for so long */
	ROUNDS,  /* take so long from now on */
	RESTART, /* with what was given last */
};
struct event { int at_s /* of real time */; enum event_kind kind; int by_s; };

struct clocks {
	int64_t real, offset; /* ns; the wall shows T0 + real + offset */
	char log[4096];
};

static struct wall wall_of(const struct clocks *c)
{
	return (struct wall){T0 + c->real + c->offset};
}

static void note(struct clocks *c, const char *what, struct wall slot, uint64_t count)
{
	time_t t = (time_t)(slot.ns / NS_PER_S);
	struct tm tm;
	size_t used = strlen(c->log);

	gmtime_r(&t, &tm);
	used += (size_t)snprintf(c->log + used, sizeof(c->log) - used, "%s%s%02d:%02d",
				 used ? ", " : "", what, tm.tm_hour, tm.tm_min);
	if (count > 0)
		snprintf(c->log + used, sizeof(c->log) - used, " x%llu",
			 (unsigned long long)count);
}

struct day {
	const char *why;
	int every_s, jitter_s, from_s /* of the day: 0 is midnight */, last_s /* -1: none */;
	int since_s, until_s; /* -1: open */
	struct event events[8];
	const char *expected; /* a start as its slot; a miss with why, the first slot, how many */
};

static const struct day days[] = {
	{"an hour like others", 900, 0, H(9, 50), -1, -1, -1, {{H(1, 0), END, 0}},
	 "10:00, 10:15, 10:30, 10:45"},
	{"begun on a slot: it is the first", 900, 0, H(10, 0), -1, -1, -1, {{H(0, 20), END, 0}},
	 "10:00, 10:15"},
	{"restarted at once: nothing is missed, nothing comes twice", 900, 0, H(10, 1), H(10, 0),
	 -1, -1, {{H(0, 5), RESTART, 0}, {H(0, 5), RESTART, 0}, {H(0, 30), END, 0}},
	 "10:15, 10:30"},
	{"restarted seconds after a slot: it is still begun", 900, 0, H(10, 0) + 40, H(9, 45), -1,
	 -1, {{H(0, 10), END, 0}}, "10:00"},
	{"restarted two minutes after: nobody ran", 900, 0, H(10, 2), H(9, 45), -1, -1,
	 {{H(0, 20), END, 0}}, "down 10:00 x1, 10:15"},
	{"restarted after a week", 900, 0, H(10, 2), H(10, 0) - 7 * 86400, -1, -1,
	 {{H(0, 20), END, 0}}, "down 10:15 x672, 10:15"},
	{"a year down, by the minute: one run", 60, 0, H(10, 2) + 40, H(10, 2) - 365 * 86400, -1,
	 -1, {{60, END, 0}}, "down 10:03 x525600, 10:03"},
	{"no jitter moves a round by a restart", 900, 300, H(10, 0) + 1, H(9, 45), -1, -1,
	 {{H(0, 10), END, 0}}, "10:00"},
	{"an hour back between rounds: none comes again", 900, 0, H(9, 50), -1, -1, -1,
	 {{H(0, 17), STEP, -3600}, {H(1, 45), END, 0}}, "10:00, 10:15, 10:30"},
	{"an hour back in the middle of a round", 900, 0, H(9, 50), -1, -1, -1,
	 {{H(0, 10) + 30, STEP, -3600}, {H(1, 45), END, 0}}, "10:00, 10:15, 10:30"},
	{"an hour forth between rounds", 900, 0, H(9, 50), -1, -1, -1,
	 {{H(0, 17), STEP, 3600}, {H(0, 50), END, 0}},
	 "10:00, clock_step 10:15 x4, 11:15, 11:30"},
	{"an hour forth in the middle of a round", 900, 0, H(9, 50), -1, -1, -1,
	 {{H(0, 10) + 30, STEP, 3600}, {H(0, 50), END, 0}},
	 "10:00, clock_step 10:15 x4, 11:15, 11:30"},
	{"an hour forth and soon back: what was jumped over does not come again", 900, 0, H(9, 50),
	 -1, -1, -1, {{H(0, 17), STEP, 3600}, {H(0, 20), STEP, -3600}, {H(1, 45), END, 0}},
	 "10:00, clock_step 10:15 x4, 11:15, 11:30"},
	{"an hour back and soon forth: as if nothing had been", 900, 0, H(9, 50), -1, -1, -1,
	 {{H(0, 17), STEP, -3600}, {H(0, 22), STEP, 3600}, {H(0, 50), END, 0}},
	 "10:00, 10:15, 10:30"},
	{"back and forth again and again: no heap of rounds", 900, 0, H(9, 50), -1, -1, -1,
	 {{H(0, 12), STEP, 3600}, {H(0, 13), STEP, -3600}, {H(0, 14), STEP, 3600},
	  {H(0, 15), STEP, -3600}, {H(0, 16), STEP, 3600}, {H(0, 17), STEP, -3600},
	  {H(1, 45), END, 0}},
	 "10:00, clock_step 10:15 x4, 11:15, 11:30"},
	{"three seconds are no step: a late start", 900, 0, H(9, 50), -1, -1, -1,
	 {{H(0, 10) - 2, STEP, 3}, {H(0, 20), END, 0}}, "10:00"},
	{"ten seconds forth over a slot", 900, 0, H(9, 50), -1, -1, -1,
	 {{H(0, 10) - 5, STEP, 10}, {H(0, 30), END, 0}}, "clock_step 10:00 x1, 10:15"},
	{"a forward step within a slot's jitter jumps over nothing", 900, 890, H(9, 50), -1, -1, -1,
	 {{H(0, 9), STEP, 61}, {H(0, 25), END, 0}}, "10:00"},
	{"a clock that was years ahead is put right: it begins anew", 900, 0, H(9, 50), -1, -1, -1,
	 {{H(0, 17), STEP, 86400 * 1000}, {H(0, 20), STEP, -86400 * 1000}, {H(0, 50), END, 0}},
	 "10:00, clock_step 10:15 x96000, 10:15, 10:30"},
	{"a clock that was a day ahead for a round: it begins anew, too", 900, 0, H(9, 50), -1, -1,
	 -1, {{H(0, 17), STEP, 86400}, {H(0, 27), STEP, -86400}, {H(0, 50), END, 0}},
	 "10:00, clock_step 10:15 x96, 10:15, 10:30"},
	{"a clock that was of another time zone", 900, 0, H(9, 50), -1, -1, -1,
	 {{H(0, 17), STEP, 3 * 3600}, {H(0, 27), STEP, -3 * 3600}, {H(0, 50), END, 0}},
	 "10:00, clock_step 10:15 x12, 13:15, 10:30"},
	{"a store that was written by a clock a day ahead", 900, 0, H(9, 50), H(9, 45) + 86400, -1,
	 -1, {{H(0, 30), END, 0}}, "10:00, 10:15"},
	{"a store that was written by a clock years ahead", 900, 0, H(9, 50), 86400 * 1000, -1, -1,
	 {{H(0, 30), END, 0}}, "10:00, 10:15"},
	{"asleep over three slots: nobody ran", 900, 0, H(9, 50), -1, -1, -1,
	 {{H(0, 17), SLEEP, 2700}, {H(0, 35), END, 0}}, "10:00, down 10:15 x3, 11:00"},
	{"asleep in the middle of a round", 900, 0, H(9, 50), -1, -1, -1,
	 {{H(0, 10) + 30, SLEEP, 2700}, {H(0, 20), END, 0}},
	 "10:00, down 10:15 x2, 10:45"},
	{"woken seconds after a slot: it is still begun", 900, 0, H(9, 50), -1, -1, -1,
	 {{H(0, 17), SLEEP, H(0, 8) + 20}, {H(0, 30), END, 0}}, "10:00, 10:15"},
	{"asleep, and the clock is set on waking", 900, 0, H(9, 50), -1, -1, -1,
	 {{H(0, 17), SLEEP, 2700}, {H(0, 17), STEP, 1800}, {H(0, 30), END, 0}},
	 "10:00, down 10:15 x3, clock_step 11:00 x2, 11:30"},
	{"a round longer than the time between two", 900, 0, H(9, 50), -1, -1, -1,
	 {{0, ROUNDS, 2000}, {H(1, 20), END, 0}},
	 "10:00, overrun 10:15 x1, overrun 10:30 x1, 10:45, overrun 11:00 x1"},
	{"a round that ends on the next slot leaves it be", 900, 0, H(9, 50), -1, -1, -1,
	 {{0, ROUNDS, 899}, {H(0, 50), END, 0}}, "10:00, 10:15, 10:30"},
	{"since and until: [,)", 900, 0, H(9, 50), -1, H(10, 15), H(10, 45), {{H(2, 0), END, 0}},
	 "10:15, 10:30, over"},
	{"down when it would have ended", 900, 0, H(11, 0), H(10, 0), -1, H(10, 45),
	 {{H(0, 10), END, 0}}, "down 10:15 x2, over"},
	{"down when it would have begun", 900, 0, H(11, 20), H(9, 0), H(10, 30), -1,
	 {{H(0, 20), END, 0}}, "down 10:30 x4, 11:30"},
	{"since lies between two slots", 900, 0, H(9, 50), -1, H(10, 1), -1, {{H(0, 30), END, 0}},
	 "10:15"},
	{"another grid than the last plan's", 3600, 0, H(9, 50), H(9, 45), -1, -1,
	 {{H(1, 20), END, 0}}, "10:00, 11:00"},
};

static void init(struct schedule *s, const struct day *d, struct wall last)
{
	schedule_init(s, S(d->every_s), 0, S(d->jitter_s),
		      (struct wall){d->since_s < 0 ? 0 : T0 + S(d->since_s)},
		      (struct wall){d->until_s < 0 ? 0 : T0 + S(d->until_s)}, "c", "v", last);
}

static void live(struct clocks *c, const struct day *d)
{
	int64_t from = S(d->from_s), long_ns = S(60), done = INT64_MAX, end = 0;
	const struct event *e = d->events;
	struct schedule_gap gap;
	struct wall slot;
	struct schedule s;
	bool over = false;
	char why[32];

	init(&s, d, (struct wall){d->last_s == -1 ? 0 : T0 + S(d->last_s)});
	c->real = from;
	while (end == 0) {
		int64_t wait = INT64_MAX, at = from + S(e->at_s);

		/* The clocks of the world go on; then somebody looks. */
		if (c->real >= done) {
			schedule_done(&s);
			done = INT64_MAX;
		}
		if (c->real >= at) {
			switch (e->kind) {
			case STEP: c->offset += S(e->by_s); break;
			case SLEEP:
				c->real += S(e->by_s);
				from += S(e->by_s); /* later events are of time awake */
				break;
			case ROUNDS: long_ns = S(e->by_s); break;
			case RESTART: init(&s, d, s.last); break;
			case END: end = 1; continue;
			}
			e++;
			if (e[-1].kind == SLEEP && e->kind == STEP && e->at_s == e[-1].at_s)
				continue;
		}
		switch (schedule_look(&s, wall_of(c), (struct mono){c->real}, &slot, &gap, &wait)) {
		case SCHEDULE_START:
			note(c, "", slot, 0);
			s.running = true;
			done = c->real + long_ns;
			break;
		case SCHEDULE_MISSED:
			snprintf(why, sizeof(why), "%s ", word_of(round_why_words, gap.why));
			note(c, why, gap.first, gap.count);
			continue;
		case SCHEDULE_OVER:
			if (!over)
				strcat(c->log, ", over");
			over = true;
			wait = S(60);
			break;
		case SCHEDULE_WAIT:
			assert_in_range(wait, 1, SCHEDULE_WAIT_NS);
			break;
		}
		if (wait == INT64_MAX)
			continue;
		at = from + S(e->at_s);
		c->real += wait;
		c->real = c->real < at ? c->real : at;
		c->real = c->real < done ? c->real : done;
	}
}

static void days_that_somebody_had(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
		struct clocks c = {0};

		live(&c, &days[i]);
		if (strcmp(c.log, days[i].expected) != 0)
			fail_msg("%s:\n%s\nnot\n%s", days[i].why, c.log, days[i].expected);
	}
}

static uint64_t rnd(uint64_t *s)
{
	*s += 0x9e3779b97f4a7c15u;
	return (*s ^ (*s >> 29)) * 0xbf58476d1ce4e5b9u >> 20;
}

/* Months by chance, of steps, sleep, restarts and long rounds: every slot after the first is
 * given or told exactly once and in order; none is begun before its moment by the clock on the
 * wall, nor late; between two starts of undisturbed time lies no more than the grid says. */
static void every_slot_once_and_in_order(void **state)
{
	static const int every_s[] = {10, 60, 900, 3600, 21600};
	uint64_t all_starts = 0, all_missed = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		const int64_t every = S(every_s[seed % 5]);
		const int64_t jitter = (int64_t)(seed % 3) * every / 4;
		uint64_t r = seed, starts = 0, missed = 0;
		struct clocks c = {.real = S(100)};
		struct wall slot, expected = {0};
		struct schedule_gap gap;
		struct schedule s;
		int64_t done = INT64_MAX, wait;

		schedule_init(&s, every, S(7) / 2, jitter, (struct wall){0}, (struct wall){0}, "c",
			      "v", (struct wall){0});
		for (unsigned looks = 0; looks < 20000; looks++) {
			if (c.real >= done) {
				schedule_done(&s);
				done = INT64_MAX;
			}
			if (rnd(&r) % 50 == 0) /* within an hour: the rule for longer is another */
				c.offset = (int64_t)(rnd(&r) % 3600) * NS_PER_S - S(1800);
			if (rnd(&r) % 100 == 0)
				c.real += (int64_t)(rnd(&r) % 5) * every;
			if (rnd(&r) % 200 == 0) {
				schedule_init(&s, every, S(7) / 2, jitter, (struct wall){0},
					      (struct wall){0}, "c", "v", s.last);
				done = INT64_MAX;
			}
			switch (schedule_look(&s, wall_of(&c), (struct mono){c.real}, &slot, &gap,
					      &wait)) {
			case SCHEDULE_START:
				assert_false(s.running);
				if (expected.ns != 0)
					assert_int_equal(slot.ns, expected.ns);
				assert_true(slot.ns + schedule_jitter(&s, slot) <= wall_of(&c).ns);
				assert_true(wall_of(&c).ns <= slot.ns + jitter + schedule_late(&s));
				expected.ns = slot.ns + every;
				s.running = true;
				done = c.real + (int64_t)(rnd(&r) % 150) * every / 100;
				starts++;
				continue;
			case SCHEDULE_MISSED:
				if (expected.ns != 0)
					assert_int_equal(gap.first.ns, expected.ns);
				assert_true(gap.count > 0);
				expected.ns = gap.first.ns + (int64_t)gap.count * every;
				assert_true(gap.first.ns <= wall_of(&c).ns);
				assert_true(expected.ns - every <= wall_of(&c).ns);
				missed += gap.count;
				continue;
			default: break;
			}
			c.real += wait < done - c.real ? wait : done - c.real;
		}
		all_starts += starts;
		all_missed += missed;
	}
	assert_true(all_starts > 10000 && all_missed > 10000);
}

/* A campaign's slots must not move, wherever the program runs: these are figures of the format. */
static void jitter_is_of_campaign_vantage_and_moment(void **state)
{
	struct schedule a, same, other;
	struct wall none = {0}, slot = {T0};
	int64_t first;

	(void)state;
	schedule_init(&a, S(900), 0, S(30), none, none, "dprk-borders", "fra1", none);
	schedule_init(&same, S(3600), S(5), S(30), none, none, "dprk-borders", "fra1", slot);
	schedule_init(&other, S(900), 0, S(30), none, none, "dprk-borders", "fra2", none);
	first = schedule_jitter(&a, slot);
	assert_int_equal(first, schedule_jitter(&same, slot));
	assert_int_not_equal(first, schedule_jitter(&other, slot));
	assert_int_not_equal(first, schedule_jitter(&a, (struct wall){T0 + S(900)}));
	assert_int_equal(first, INT64_C(26231049339));
	/* Names that run together are not the same. */
	schedule_init(&same, S(900), 0, S(30), none, none, "dprk-border", "sfra1", none);
	assert_int_not_equal(first, schedule_jitter(&same, slot));
	a.jitter_ns = 0;
	assert_int_equal(schedule_jitter(&a, slot), 0);
}

/* Over a year of slots of fifty vantage points: each tenth of the jitter has a tenth of the rounds,
 * within what chance allows (six sigma), and neighbours in time or name are not alike. */
static void jitter_is_even(void **state)
{
	unsigned in[10] = {0}, n = 0, near = 0;
	struct wall none = {0};

	(void)state;
	for (unsigned v = 0; v < 50; v++) {
		struct schedule s;
		char name[16];
		int64_t before = -1;

		snprintf(name, sizeof(name), "vp%u", v);
		schedule_init(&s, S(900), 0, S(30), none, none, "c", name, none);
		for (unsigned i = 0; i < 35040; i += 7, n++) {
			int64_t j = schedule_jitter(&s, (struct wall){T0 + i * S(900)});

			assert_in_range(j, 0, S(30) - 1);
			in[j / S(3)]++;
			near += before >= 0 && j / S(3) == before / S(3);
			before = j;
		}
	}
	for (unsigned i = 0; i < 10; i++)
		assert_in_range(in[i], n / 10 - 910, n / 10 + 910);
	assert_in_range(near, n / 10 - 910, n / 10 + 910);
}

static void the_next_start_for_people(void **state)
{
	struct wall none = {0}, next;
	struct schedule s;

	(void)state;
	schedule_init(&s, S(900), 0, 0, none, (struct wall){T0 + S(3600)}, "c", "v", none);
	assert_int_equal(schedule_next(&s, (struct wall){T0 + 1}).ns, T0 + S(900));
	s.last.ns = T0 + S(900);
	assert_int_equal(schedule_next(&s, (struct wall){T0 + S(950)}).ns, T0 + S(1800));
	/* Behind: what was missed is not what comes next. */
	assert_int_equal(schedule_next(&s, (struct wall){T0 + S(2000)}).ns, T0 + S(2700));
	/* Set back: what was given does not come again. */
	s.last.ns = T0 + S(1800);
	assert_int_equal(schedule_next(&s, (struct wall){T0 + S(100)}).ns, T0 + S(2700));
	assert_int_equal(schedule_next(&s, (struct wall){T0 + S(3000)}).ns, 0);
	/* With jitter, and long before it: the slot that is due next. */
	schedule_init(&s, S(900), 0, S(900), none, none, "c", "v", none);
	for (int i = 0; i < 1000; i++) {
		struct wall now = {T0 + S(97 * i)};

		s.last.ns = T0 - S(86400);
		next = schedule_next(&s, now);
		assert_true(next.ns >= now.ns && next.ns < now.ns + 2 * S(900));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(days_that_somebody_had),
		cmocka_unit_test(every_slot_once_and_in_order),
		cmocka_unit_test(jitter_is_of_campaign_vantage_and_moment),
		cmocka_unit_test(jitter_is_even),
		cmocka_unit_test(the_next_start_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause
/* Clock steps and slews: what they void, at the edges too, and that a full list voids more, never
 * less. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "prober/steps.h"

static bool between(const struct steps *s, int64_t a, int64_t b)
{
	return steps_between(s, (struct mono){a}, (struct mono){b});
}

static void one_step(void **state)
{
	static const struct {
		const char *why;
		int64_t a, b;
		bool voided;
	} rows[] = {
		{"long before", 10, 20, false},
		{"up to the look before", 10, 99, false},
		{"touches the look before", 10, 100, true},
		{"ends inside", 10, 150, true},
		{"inside", 120, 130, true},
		{"around", 10, 500, true},
		{"begins inside", 150, 500, true},
		{"touches the look after", 200, 500, true},
		{"after", 201, 500, false},
		{"one moment inside", 150, 150, true},
	};
	struct steps s = {0};

	(void)state;
	assert_false(between(&s, 0, INT64_MAX));
	steps_add(&s, (struct mono){100}, (struct mono){200});
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (between(&s, rows[i].a, rows[i].b) != rows[i].voided)
			fail_msg("%s", rows[i].why);
	}
}

static void more_than_there_is_room_for(void **state)
{
	struct steps s = {0};

	(void)state;
	for (int64_t i = 0; i < 3 * STEPS_ROOM; i++)
		steps_add(&s, (struct mono){100 * i}, (struct mono){100 * i + 10});
	assert_int_equal(s.count, STEPS_ROOM);
	/* Every step is still covered, the old ones by one long interval ... */
	for (int64_t i = 0; i < 3 * STEPS_ROOM; i++)
		assert_true(between(&s, 100 * i + 5, 100 * i + 6));
	assert_true(between(&s, 150, 160));
	/* ... and between the recent ones an RTT is still good. */
	assert_false(between(&s, 100 * (3 * STEPS_ROOM - 1) - 50, 100 * (3 * STEPS_ROOM - 1) - 40));
}

/* A wall clock that runs wrong for a while, looked at as the prober does. */
enum { SLEW_FROM_MS = 300, SLEW_TO_MS = 600, SLEW_END_MS = 1000 };

static const struct {
	const char *why;
	int64_t ppm;      /* between SLEW_FROM_MS and SLEW_TO_MS */
	int64_t jump_ns;  /* at SLEW_FROM_MS */
	int64_t look_us;  /* between looks */
	int64_t unsure_ns;
	bool voided;
} rates[] = {
	{"nobody touches it", 0, 0, 1000, 100, false},
	{"NTP's discipline at its most", 500, 0, 1000, 100, false},
	{"... slowing", -500, 0, 1000, 100, false},
	{"... and adjtime besides", 1000, 0, 1000, 100, false},
	{"a busy loop's looks", 1000, 0, 20, 100, false},
	{"... and looks a quarter of a second apart", 1000, 0, 250000, 100, false},
	{"0.2 percent, looked at often", 2000, 0, 20, 100, true},
	{"0.2 percent, looked at seldom", -2000, 0, 50000, 100, true},
	{"chrony's fastest slew", 83333, 0, 1000, 100, true},
	{"a tick of 10 percent", -100000, 0, 1000, 100, true},
	{"the reader was set aside while reading", 0, 40000, 1000, 50000, false},
	{"set without the kernel telling", 0, -NS_PER_S, 1000, 100, true},
	{"resumed after a night", 0, 30000 * NS_PER_S, 1000, 100, true},
};

static bool rtt_voided(const struct steps *s, int64_t from_ms, int64_t to_ms)
{
	return between(s, from_ms * NS_PER_MS, to_ms * NS_PER_MS);
}

static void slews(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct steps s = {0};
		struct slew w = {0};
		int64_t wall = INT64_C(1790000000) * NS_PER_S, raw = 7 * NS_PER_S;
		int64_t step = rates[i].look_us * NS_PER_US;

		for (int64_t at = 0; at <= SLEW_END_MS * NS_PER_MS; at += step) {
			bool in = at > SLEW_FROM_MS * NS_PER_MS && at <= SLEW_TO_MS * NS_PER_MS;

			if (at > 0) {
				raw += step;
				wall += step + (in ? step * rates[i].ppm / 1000000 : 0);
			}
			if (at == SLEW_FROM_MS * NS_PER_MS)
				wall += rates[i].jump_ns;
			steps_look(&s, &w, (struct clock_pair){raw, {wall}, rates[i].unsure_ns},
				   (struct mono){at});
		}
		if (rtt_voided(&s, 0, SLEW_END_MS) != rates[i].voided)
			fail_msg("%s: %s", rates[i].why, rates[i].voided ? "missed" : "voided");
		/* Only what it touches, give or take a look and the window. */
		if (rtt_voided(&s, 0, 230) || rtt_voided(&s, 670, SLEW_END_MS))
			fail_msg("%s: voided what was right", rates[i].why);
		/* And all of what a slew touches for long enough to make more than 1 us. */
		for (int64_t ms = SLEW_FROM_MS; rates[i].ppm && rates[i].voided &&
						ms + 10 <= SLEW_TO_MS; ms++) {
			if (!rtt_voided(&s, ms, ms + 10))
				fail_msg("%s: an RTT at %d ms is believed", rates[i].why, (int)ms);
		}
	}
}

/* The real clocks of this machine, which NTP may be disciplining. */
static void this_machines_clocks(void **state)
{
	struct clock_pair a = clock_pair_now(), b = clock_pair_now();

	(void)state;
	assert_true(a.wall.ns > 0 && a.unsure_ns >= 0);
	assert_true(b.raw_ns > a.raw_ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_step),
		cmocka_unit_test(slews),
		cmocka_unit_test(this_machines_clocks),
		cmocka_unit_test(more_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

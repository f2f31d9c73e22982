// SPDX-License-Identifier: BSD-2-Clause
/* Signals and the clock's alarm as descriptors, without setting anybody's clock. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "prober/io/events.h"

static void signals_are_told_once(void **state)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct events e;

	(void)state;
	assert_int_equal(events_open(&e, NULL), 0);
	assert_false(events_interrupted(&e));
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		assert_int_equal(raise(signals[i]), 0);
		assert_true(events_interrupted(&e));
		assert_false(events_interrupted(&e));
	}
	assert_false(events_clock_set(&e));
	events_close(&e);
	assert_int_equal(e.signal_fd, -1);
	assert_int_equal(e.clock_fd, -1);
}

/* A timer that has fired tells of no step any more: it must lie beyond every run, and 2038. */
static void the_clock_is_watched_for_ever(void **state)
{
	char path[64], line[128];
	long long left = -1;
	struct events e;
	FILE *f;

	(void)state;
	assert_int_equal(events_open(&e, NULL), 0);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", e.clock_fd);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		sscanf(line, "it_value: (%lld,", &left);
	fclose(f);
	events_close(&e);
	if (left < 0)
		skip(); /* a kernel that does not tell */
	if (left < 50LL * 365 * 86400)
		fail_msg("the alarm rings in %lld days", left / 86400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signals_are_told_once),
		cmocka_unit_test(the_clock_is_watched_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause
/* Times and durations: text forms, offsets, leap days, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/err.h"
#include "tests/unit/seeds.h"

/* 2026-11-22T10:00:00Z */
#define NOW_S INT64_C(1795341600)

static const struct { const char *text; int code; int64_t s, ns; const char *reason; } times[] = {
	{"1970-01-01T00:00:00Z", 0, 0, 0, "the beginning"},
	{"1969-12-31T23:59:59.5Z", 0, -1, 500000000, "before it"},
	{"2026-11-22T10:00:00Z", 0, NOW_S, 0, "ordinary"},
	{"2026-11-22t10:00:00z", 0, NOW_S, 0, "RFC 3339 5.6: small letters"},
	{"2026-11-22 10:00:00Z", 0, NOW_S, 0, "RFC 3339 5.6: a space for the T"},
	{"2026-11-22T10:00:00", 0, NOW_S, 0, "no offset is UTC"},
	{"2026-11-22T10:00", 0, NOW_S, 0, "no seconds"},
	{"2026-11-22", 0, NOW_S - 36000, 0, "a day is its midnight"},
	{"2026-11-22T19:00:00+09:00", 0, NOW_S, 0, "Pyongyang since 2018"},
	{"2026-11-22T18:30:00+0830", 0, NOW_S, 0, "Pyongyang 2015 to 2018; no colon"},
	{"2026-11-21T22:15:00-11:45", 0, NOW_S, 0, "west, over a day's edge"},
	{"2026-11-22T10:00:00-00:00", 0, NOW_S, 0, "RFC 3339 4.3: offset not known"},
	{"2026-11-22T10:00:00.123456789Z", 0, NOW_S, 123456789, "nanoseconds"},
	{"2026-11-22T10:00:00.1234567899Z", 0, NOW_S, 123456789, "further digits are dropped"},
	{"2026-11-22T10:00:00,5Z", 0, NOW_S, 500000000, "ISO 8601's comma"},
	{"2024-02-29T00:00:00Z", 0, 1709164800, 0, "a leap day"},
	{"2000-02-29T00:00:00Z", 0, 951782400, 0, "400 years: leap"},
	{"2016-12-31T23:59:60Z", 0, 1483228800, 0, "a leap second is the next second"},
	{"2017-10-01T09:07:51Z", 0, 1506848871, 0, "TTK appears"},
	{"2199-12-31T23:59:59Z", 0, INT64_C(7258118399), 0, "late"},
	{"1700-01-01T00:00:00Z", 0, INT64_C(-8520336000), 0, "early"},
	{"now", 0, NOW_S, 0, "now"},
	{"NOW", 0, NOW_S, 0, "now"},
	{"2h ago", 0, NOW_S - 7200, 0, "relative"},
	{"90s ago", 0, NOW_S - 90, 0, "relative"},
	{"1.5d AGO", 0, NOW_S - 129600, 0, "relative, a fraction"},
	{"90 ago", 0, NOW_S - 90, 0, "a bare number is seconds"},
	{"2023-02-29", BP_ERANGE, 0, 0, "no such day"},
	{"1900-02-29", BP_ERANGE, 0, 0, "100 years: no leap"},
	{"2026-13-01", BP_ERANGE, 0, 0, "no such month"},
	{"2026-00-01", BP_ERANGE, 0, 0, "no such month"},
	{"2026-01-00", BP_ERANGE, 0, 0, "no such day"},
	{"2026-04-31", BP_ERANGE, 0, 0, "no such day"},
	{"2026-01-01T24:00:00Z", BP_ERANGE, 0, 0, "no such hour"},
	{"2026-01-01T00:60:00Z", BP_ERANGE, 0, 0, "no such minute"},
	{"2026-01-01T00:00:61Z", BP_ERANGE, 0, 0, "no such second"},
	{"2026-01-01T00:00:00+24:00", BP_ERANGE, 0, 0, "no such offset"},
	{"1699-12-31T00:00:00Z", BP_ERANGE, 0, 0, "before what nanoseconds can hold"},
	{"2201-01-01T00:00:00Z", BP_ERANGE, 0, 0, "after what nanoseconds can hold"},
	{"-2h ago", BP_ERANGE, 0, 0, "not into the future"},
	{"", BP_EPARSE, 0, 0, "nothing"},
	{" ago", BP_EPARSE, 0, 0, "nothing ago"},
	{"yesterday", BP_EPARSE, 0, 0, "a word"},
	{"2026-1-1", BP_EPARSE, 0, 0, "one digit"},
	{"26-01-01", BP_EPARSE, 0, 0, "two digits of year"},
	{"2026-01-01T10Z", BP_EPARSE, 0, 0, "an hour alone"},
	{"2026-01-01T10:00:00.Z", BP_EPARSE, 0, 0, "a point and no digit"},
	{"2026-01-01T10:00:00Zulu", BP_EPARSE, 0, 0, "something behind"},
	{"2026-01-01T10:00:00+9", BP_EPARSE, 0, 0, "half an offset"},
	{"2026-01-01X10:00:00Z", BP_EPARSE, 0, 0, "no T"},
	{"20260101T100000Z", BP_EPARSE, 0, 0, "ISO 8601's basic form"},
	{"1506848871", BP_EPARSE, 0, 0, "Unix time: say RFC 3339"},
};

static void times_from_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct wall t = {77};
		int rc = wall_parse(times[i].text, (struct wall){NOW_S * NS_PER_S}, &t);
		int64_t is = rc == 0 ? times[i].s * NS_PER_S + times[i].ns : 77;

		seed_write("values", "time", i, times[i].text, strlen(times[i].text));
		if (rc != times[i].code || t.ns != is)
			fail_msg("\"%s\": %d %lld (%s)", times[i].text, rc, (long long)t.ns,
				 times[i].reason);
	}
}

static void times_to_text_and_back(void **state)
{
	static const int64_t at[] = {0, 1, -1, 999999999, INT64_C(1795341600123456789),
				     INT64_C(-8520336000000000000), INT64_C(7258118399999999999)};
	char text[WALL_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		struct wall t = {0};

		assert_int_equal(wall_parse(wall_format((struct wall){at[i]}, text), t, &t), 0);
		assert_true(t.ns == at[i]);
		assert_int_equal(strlen(text), 30);
	}
	assert_string_equal(wall_format((struct wall){INT64_C(1506848871000000005)}, text),
			    "2017-10-01T09:07:51.000000005Z");
	assert_string_equal(wall_format_short((struct wall){INT64_C(1506848871999999999)}, text),
			    "2017-10-01 09:07:51 UTC");
	/* Every day of eight years round a leap century. */
	for (int64_t day = 10957 - 366; day < 10957 + 8 * 366; day++) {
		struct wall t = {0};

		wall_format((struct wall){day * 86400 * NS_PER_S}, text);
		assert_int_equal(wall_parse(text, t, &t), 0);
		assert_true(t.ns == day * 86400 * NS_PER_S);
	}
}

static const struct { const char *text; int code; int64_t ns; const char *reason; } durations[] = {
	{"90s", 0, 90 * NS_PER_S, ""}, {"15m", 0, 900 * NS_PER_S, ""},
	{"6h", 0, 21600 * NS_PER_S, ""}, {"2d", 0, 172800 * NS_PER_S, ""},
	{"1w", 0, 604800 * NS_PER_S, ""}, {"250ms", 0, 250 * NS_PER_MS, ""},
	{"7us", 0, 7000, ""}, {"7ns", 0, 7, ""}, {"5min", 0, 300 * NS_PER_S, ""},
	{"30", 0, 30 * NS_PER_S, "a bare number is seconds"}, {"0", 0, 0, "nothing"},
	{"1.5h", 0, 5400 * NS_PER_S, "a fraction"}, {"0.001", 0, NS_PER_MS, "a fraction"},
	{".5s", 0, NS_PER_S / 2, "no whole"}, {"0.1ms", 0, 100000, "rounded, not cut"},
	{"292y", BP_EPARSE, 0, "years differ"}, {"104000d", 0, INT64_C(104000) * 86400 * NS_PER_S, "large"},
	{"107000d", BP_ERANGE, 0, "over int64"}, {"99999999999999999999", BP_ERANGE, 0, "over int64"},
	{"9223372036854775807", BP_ERANGE, 0, "over int64 in ns"},
	{"-1s", BP_ERANGE, 0, "negative"}, {"", BP_EPARSE, 0, "nothing"}, {"s", BP_EPARSE, 0, "no number"},
	{"1 s", BP_EPARSE, 0, "a space"}, {"1e3s", BP_EPARSE, 0, "an exponent"}, {".", BP_EPARSE, 0, "a point"},
	{"1S", BP_EPARSE, 0, "units are small letters"}, {"1.5.5", BP_EPARSE, 0, "two points"},
	{"+5s", BP_EPARSE, 0, "a sign"}, {"5mm", BP_EPARSE, 0, "no such unit"},
};

static void durations_from_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		int64_t ns = -7;
		int rc = duration_parse(durations[i].text, &ns);

		seed_write("values", "duration", i, durations[i].text, strlen(durations[i].text));
		if (rc != durations[i].code || ns != (rc == 0 ? durations[i].ns : -7))
			fail_msg("\"%s\": %d %lld (%s)", durations[i].text, rc, (long long)ns,
				 durations[i].reason);
	}
}

static void clocks_go_forward(void **state)
{
	struct mono a = mono_now(), b = mono_now();

	(void)state;
	assert_true(mono_since(b, a) >= 0);
	assert_true(mono_reached(b, a));
	assert_true(mono_reached(a, a));
	assert_false(mono_reached(a, mono_add(a, 1)));
	assert_true(mono_min(a, mono_add(a, 1)).ns == a.ns);
	assert_true(mono_min(mono_add(a, 1), a).ns == a.ns);
	/* 2020 .. 2200: the wall clock is one of wall time. */
	assert_true(wall_now().ns > INT64_C(1577836800000000000));
}

static void durations_as_text(void **state)
{
	static const struct { double seconds; const char *text; } rows[] = {
		{0, "0 s"}, {45.4, "45 s"}, {119.4, "119 s"}, {119.6, "2 min"}, {719, "12 min"},
		{7199, "120 min"}, {7200, "2 h 0 min"}, {12000, "3 h 20 min"}, {432000, "5 days"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf out;

		buf_init(&out);
		duration_put(&out, rows[i].seconds);
		assert_string_equal(out.bytes, rows[i].text);
		buf_fini(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_from_text),
		cmocka_unit_test(times_to_text_and_back),
		cmocka_unit_test(durations_from_text),
		cmocka_unit_test(durations_as_text),
		cmocka_unit_test(clocks_go_forward),
	};

	return cmocka_run_group_tests_name("core/clock", tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause
/* Anybody's series: columns, notations, units, times, order, and rows that are none. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/record/samples.h"
#include "core/record/samples_value.h"
#include "tests/unit/seeds.h"

struct told { char text[1024]; };

static void say(void *arg, bool skipped, const char *text)
{
	struct told *t = arg;
	size_t used = strlen(t->text);

	snprintf(t->text + used, sizeof(t->text) - used, "%s%s%s", used > 0 ? "/" : "",
		 skipped ? "" : "note: ", text);
}

static int read_text(const char *text, struct samples_options *o, struct samples *out,
		     struct told *told, struct bp_error *err)
{
	FILE *f = *text != '\0' ? fmemopen((char *)(uintptr_t)text, strlen(text), "r") :
		  fopen("/dev/null", "r");
	int rc;

	assert_non_null(f);
	told->text[0] = '\0';
	o->say = say;
	o->arg = told;
	rc = samples_read(f, "x", o, out, err);
	fclose(f);
	return rc;
}

/* Rows as "row@seconds=us", the seconds since 2016-10-13 00:00 where there are times. */
static void show(const struct samples *s, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < s->count; i++) {
		used += (size_t)snprintf(out + used, size - used, "%s%" PRIu64, i ? " " : "",
					 s->row[i]);
		if (s->at != NULL)
			used += (size_t)snprintf(out + used, size - used, "@%" PRId64,
						 s->at[i].ns / NS_PER_S - 1476316800);
		if (s->rtt_ns[i] == SAMPLES_LOST)
			used += (size_t)snprintf(out + used, size - used, "=lost");
		else
			used += (size_t)snprintf(out + used, size - used, "=%" PRId64,
						 s->rtt_ns[i] / 1000);
	}
}

static const struct {
	const char *why, *in;
	struct samples_options options;
	const char *rows, *told;
} cases[] = {
	{"semicolons, date and time, lost as a negative",
	 "epoch;rtt;cp\n2016-10-13 00:00:00;193.7;0\n2016-10-13 00:04:00;-1;1\n", {0},
	 "0@0=193700 1@240=lost", ""},
	{"decimal commas, CR LF", "epoch;rtt;cp\r\n2016-10-13 00:00:01;193,7765201;0\r\n", {0},
	 "0@1=193776", ""},
	{"the same without names", "2016-10-13 00:00:01;193,7765201\n", {0}, "0@1=193776", ""},
	{"tabs and seconds since 1970", "1476316801\t0.1937\n1476316802\t0.2\n",
	 {.unit = SAMPLES_S}, "0@1=193700 1@2=200000", ""},
	{"milliseconds since 1970", "ts,rtt_ms\n1476316801500,5\n", {0}, "0@1=5000", ""},
	{"fractions of seconds", "ts,rtt_ms\n1476316801.75,5\n", {0}, "0@1=5000", ""},
	{"RFC 3339 with an offset", "time,rtt\n2016-10-13T02:00:05+02:00,5\n", {0}, "0@5=5000", ""},
	{"day first: no month has a number above 12",
	 "t;rtt\n12/10/2016 23:59;1\n13/10/2016 00:00;2\n", {0}, "0@-60=1000 1@0=2000", ""},
	{"month first, by the same",
	 "t;rtt\n10/12/2016 23:59;1\n10/13/2016 12:01 AM;2\n", {0}, "0@-60=1000 1@60=2000", ""},
	{"neither is above 12, but one order goes back",
	 "t;rtt\n09/12/2016 00:00;1\n10/01/2016 00:00;2\n10/02/2016 00:00;2\n", {0},
	 "0@-2678400=1000 1@-1036800=2000 2@-950400=2000", ""},
	{"nothing tells", "t;rtt\n10/10/2016 00:00;1\n11/11/2016 00:00;2\n", {0},
	 "0@-259200=1000 1@2505600=2000",
	 "note: x: dates read as day/month/year: nothing in them says otherwise"},
	{"year first, dots, dashes",
	 "t;rtt\n2016/10/13 0:00;1\n13.10.2016 00:00:01;2\n13-10-2016 00:00:02.5;3\n", {0},
	 "0@0=1000 1@1=2000 2@2=3000", ""},
	{"no time column", "rtt\n5\n6,5\n", {0}, "0=5000 1=6500", ""},
	{"one column, no name", "5.25\n6\n\n*\n", {0}, "0=5250 1=6000 2=lost", ""},
	{"the times are not wanted", "t,rtt\n1476316801,5\n", {.time_col = "none"}, "0=5000", ""},
	{"every way to be lost",
	 "rtt;x\n1;\n;a\n*;b\nNaN;c\n-3.5;d\nnull;e\n-;f\n0;g\n", {.unit = SAMPLES_MS},
	 "0=1000 1=lost 2=lost 3=lost 4=lost 5=lost 6=lost 7=0", ""},
	{"columns by name", "when it was;how long;rtt\n1476316801;7;9\n",
	 {.time_col = "when it was", .rtt_col = "HOW LONG"}, "0@1=7000", ""},
	{"columns by number", "5;1476316801;9\n", {.time_col = "2", .rtt_col = "3"}, "0@1=9000", ""},
	{"a name with a unit", "time;RTT (us)\n1476316801;5000\n", {0}, "0@1=5000", ""},
	{"the unit named wins", "time;latency_s\n1476316801;5\n", {.unit = SAMPLES_MS},
	 "0@1=5000", ""},
	{"seconds by their name", "scan_start_local,target,latency_s\n2016-10-13T00:00:07,a,0.28\n",
	 {0}, "0@7=280000", ""},
	{"seconds by their size", "0.28\n0.29\n0.31\n", {0}, "0=280000 1=290000 2=310000",
	 "note: x: round-trip times taken as seconds, by their size: --unit says otherwise"},
	{"bad rows are skipped and keep their number",
	 "t;rtt\n1476316801;5\nyesterday;6\n1476316803;fast\n1476316804\n1476316805;7\n", {0},
	 "0@1=5000 3@4=lost 4@5=7000",
	 "x:3: no time: 'yesterday'/x:4: no round-trip time: 'fast'"},
	{"too large to be one", "rtt\n5\n1e7\n6\n", {0}, "0=5000 2=6000",
	 "x:3: no round-trip time: '1e7'"},
	{"a quote that does not end", "rtt\n5\n\"6\n7\n", {0}, "0=5000",
	 "x:3: a quoted field that does not end"},
	{"the newest first", "t;rtt\n1476323205;5\n1476319203;6\n1476319203;7\n1476312001;8\n", {0},
	 "3@-4799=8000 1@2403=6000 2@2403=7000 0@6405=5000",
	 "note: x: rows are not in order of time: sorted"},
	{"a clock that was put back an hour",
	 "t;rtt\n2016-10-13 02:56;5\n2016-10-13 02:00;6\n2016-10-13 02:04;7\n", {0},
	 "0@10560=5000 1@7200=6000 2@7440=7000", ""},
	{"a number with an exponent", "rtt\n1.5e2\n", {0}, "0=150000", ""},
	{"a byte order mark", "\xef\xbb\xbf" "time,rtt\n1476316801,5\n", {0}, "0@1=5000", ""},
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct samples_options options = cases[i].options;
		struct samples s;
		struct told told;
		struct bp_error err = {0};
		char rows[512];

		seed_write("samples", "cases", i, cases[i].in, strlen(cases[i].in));
		if (read_text(cases[i].in, &options, &s, &told, &err) < 0)
			fail_msg("%s: %s", cases[i].why, err.text);
		show(&s, rows, sizeof(rows));
		if (strcmp(rows, cases[i].rows) != 0 || strcmp(told.text, cases[i].told) != 0)
			fail_msg("%s: %s; %s", cases[i].why, rows, told.text);
		samples_fini(&s);
	}
}

static const struct {
	const char *why, *in;
	struct samples_options options;
	int code;
	const char *text;
} refused[] = {
	{"an empty file", "", {0}, BP_EPARSE, "x: no row of a series"},
	{"names alone", "time,rtt\n", {0}, BP_EPARSE, "x: no row of a series"},
	{"words", "a,b\nc,d\n", {0}, BP_EPARSE, "x:2: no column of round-trip times: --rtt-col names it"},
	{"nothing but times", "2016-10-13,a\n", {0}, BP_EPARSE,
	 "x:1: no column of round-trip times: --rtt-col names it"},
	{"no such name", "time,rtt\n1476316801,5\n", {.rtt_col = "delay"}, BP_ENOTFOUND,
	 "x: no column 'delay' (--rtt-col); the first row has the names"},
	{"no such number", "1476316801,5\n", {.time_col = "3"}, BP_ENOTFOUND,
	 "x: no column '3' (--time-col); the first row has no names: count from 1"},
	{"no row but bad ones", "time,rtt\nx,5\n", {0}, BP_EPARSE, "x: no row of a series"},
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct samples_options options = refused[i].options;
		struct samples s = {0};
		struct told told;
		struct bp_error err = {0};

		seed_write("samples", "refused", i, refused[i].in, strlen(refused[i].in));
		assert_int_equal(read_text(refused[i].in, &options, &s, &told, &err),
				 refused[i].code);
		assert_string_equal(err.text, refused[i].text);
		assert_null(s.rtt_ns);
	}
}

static void test_numbers(void **state)
{
	static const struct { const char *text; int rc; int64_t e9; } numbers[] = {
		{"0", 0, 0}, {"-0.5", 0, -500000000}, {"+3", 0, 3000000000},
		{"0,000000001", 0, 1}, {".5", 0, 500000000}, {"5.", 0, 5000000000},
		{"0000000000012", 0, 12000000000}, {"9223372035", 0, 9223372035000000000},
		{"9223372036", BP_ERANGE, 0}, {"92233720360", BP_ERANGE, 0}, {"1e400", BP_ERANGE, 0},
		{"2e-3", 0, 2000000}, {"1,5e1", 0, 15000000000}, {"", BP_EPARSE, 0},
		{"-", BP_EPARSE, 0}, {".", BP_EPARSE, 0}, {"1.2.3", BP_EPARSE, 0},
		{"1,234.5", BP_EPARSE, 0}, {"0x10", BP_EPARSE, 0}, {"inf", BP_EPARSE, 0},
		{"5 ms", BP_EPARSE, 0}, {"1e", BP_EPARSE, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		int64_t e9 = 0;

		if (samples_number(numbers[i].text, &e9) != numbers[i].rc || e9 != numbers[i].e9)
			fail_msg("'%s': %" PRId64, numbers[i].text, e9);
	}
}

static void test_no_times(void **state)
{
	static const char *const none[] = {
		"", "now", "2h ago", "2016-02-30", "2016-13-01 00:00", "31/31/2016", "13/10/16",
		"13/10/2016 25:00", "13/10/2016 7:5x", "13/10-2016", "13/10/2016 0:30 PM",
		"99999999999999999999", "1476316801 s", "10/2016", "2016-10-13 00:00 CEST"};

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		struct samples_time t = {.ns = 7};

		if (samples_time(none[i], &t) == 0 || t.ns != 7)
			fail_msg("'%s' is a time", none[i]);
	}
}

/* Rows of several series in one file. */
static void series_are_told_apart(void **state)
{
	static const struct {
		const char *text, *col, *series, *why;
	} rows[] = {
		{"t,dst,rtt_ms\n1,192.0.2.1,1\n2,198.51.100.1,2\n3,192.0.2.9,3\n4,198.51.100.7,4\n"
		 "5,192.0.2.1,5\n6,192.0.2.1,6\n7,198.51.100.1,7\n8,198.51.100.1,8\n", NULL,
		 "192.0.2.0/24 0 2 4 5|198.51.100.0/24 1 3 6 7|", "by network"},
		{"t,dst,rtt_ms\n1,192.0.2.1,1\n2,198.51.100.1,2\n3,192.0.2.9,3\n", NULL, "- 0 1 2|",
		 "three rows, two networks: too few to tell"},
		{"t,dst,rtt_ms\n1,192.0.2.1,1\n2,198.51.100.1,2\n3,192.0.2.1,3\n", "dst",
		 "192.0.2.1 0 2|198.51.100.1 1|", "named, however few"},
		{"t,dst,rtt_ms\n1,192.0.2.1,1\n2,198.51.100.1,2\n3,192.0.2.1,3\n", "none", "- 0 1 2|",
		 "one, as is said"},
		{"t;vantage;target;rtt_ms\n4;a;x;1\n3;b;x;1\n2;a;x;1\n1;b;x;1\n4;a;x;1\n3;b;x;1\n"
		 "2;a;x;1\n1;b;x;1\n", NULL, "a x 0 2 4 6|b x 1 3 5 7|",
		 "by who and where to; in the order of the file where times are close"},
		{"1,a,7\n2,b,8\n3,a,9\n", "2", "a 0 2|b 1|", "without a header, by number"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct samples_options o = {.series_col = rows[i].col};
		char got[256] = "";
		struct samples s;
		struct told told;
		struct bp_error err;
		size_t used = 0;

		if (read_text(rows[i].text, &o, &s, &told, &err) < 0)
			fail_msg("%s: %s", rows[i].why, err.text);
		for (uint32_t k = 0; k < s.series_count; k++) {
			used += (size_t)snprintf(got + used, sizeof(got) - used, "%s",
						 s.names != NULL ? s.names[k] : "-");
			for (size_t at = s.first[k]; at < s.first[k + 1]; at++)
				used += (size_t)snprintf(got + used, sizeof(got) - used, " %" PRIu64,
							 s.row[at]);
			used += (size_t)snprintf(got + used, sizeof(got) - used, "|");
		}
		if (strcmp(got, rows[i].series) != 0)
			fail_msg("%s: %s, not %s", rows[i].why, got, rows[i].series);
		samples_fini(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(series_are_told_apart),
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_no_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

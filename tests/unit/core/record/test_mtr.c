// SPDX-License-Identifier: BSD-2-Clause
/* mtr --json: what its counts and times become, in the forms that its versions write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/unit/core/record/read_text.h"
#include "tests/unit/seeds.h"

#define REPORT(dst, hubs) "{\"report\":{\"mtr\":{\"src\":\"vp\",\"dst\":\"" dst "\",\"tos\":0," \
			  "\"tests\":3,\"psize\":\"64\",\"bitpattern\":\"0x00\"},\"hubs\":[" hubs "]}}"
#define HUB(count, host, rest) "{\"count\":" count ",\"host\":\"" host "\"," rest "}"
#define COUNTS(loss, snt) "\"Loss%\":" loss ",\"Snt\":" snt
#define TIMES(last, best, worst) ",\"Last\":" last ",\"Avg\":9.99,\"Best\":" best \
				 ",\"Wrst\":" worst ",\"StDev\":0.5"
#define IS(dst, target, how, rest) "unknown > " dst " (" target ") " how " size 64" rest "\n"

static const struct { const char *in, *is, *why; } rows[] = {
	{REPORT("192.0.2.9", HUB("1", "10.0.0.1", COUNTS("0.0", "5") TIMES("2.5", "1.5", "4.0"))
	 "," HUB("2", "???", COUNTS("100.0", "5") TIMES("0.0", "0.0", "0.0"))
	 "," HUB("3", "192.0.2.9", COUNTS("40.0", "5") TIMES("7.0", "6.0", "8.0"))),
	 IS("192.0.2.9", "192.0.2.9", "reached reached", " q 5")
	 "| 1 10.0.0.1/1.500 10.0.0.1/4.000 10.0.0.1/2.500 10.0.0.1/ 10.0.0.1/ "
	 "| 2 * * * * * | 3 192.0.2.9/6.000 192.0.2.9/8.000 192.0.2.9/7.000 * * \n",
	 "three times are of probes, the mean is of none; lost probes are silent ones"},
	{REPORT("192.0.2.9", HUB("1", "10.0.0.1", COUNTS("0.0", "1") TIMES("2.5", "2.5", "2.5"))),
	 IS("192.0.2.9", "192.0.2.9", "unknown unknown", " q 1") "| 1 10.0.0.1/2.500 \n",
	 "of one probe there is one time"},
	{REPORT("192.0.2.9", HUB("1", "10.0.0.1", COUNTS("0.0", "2") TIMES("2.5", "2.5", "3.5"))),
	 IS("192.0.2.9", "192.0.2.9", "unknown unknown", " q 2")
	 "| 1 10.0.0.1/2.500 10.0.0.1/3.500 \n", "of two, the best and the worst are all"},
	{REPORT("192.0.2.9", HUB("1", "10.0.0.1", COUNTS("0.0", "3") TIMES("3.5", "2.5", "3.5"))),
	 IS("192.0.2.9", "192.0.2.9", "unknown unknown", " q 3")
	 "| 1 10.0.0.1/2.500 10.0.0.1/3.500 10.0.0.1/ \n",
	 "a last that was the worst may be the same probe"},
	{REPORT("192.0.2.9", "{\"count\":\"1\",\"host\":\"10.0.0.1\",\"Loss%\":\"0.0\",\"Snt\":\"2\","
	 "\"Last\":\"1.5\",\"Best\":\"1.4\",\"Wrst\":\"1.5\"}"),
	 IS("192.0.2.9", "192.0.2.9", "unknown unknown", " q 2")
	 "| 1 10.0.0.1/1.400 10.0.0.1/1.500 \n", "numbers as text, of old versions"},
	{REPORT("dst.example", HUB("1", "r.example (10.0.0.1)", "\"ASN\":\"AS???\"," COUNTS("0", "1"))
	 "," HUB("2", "dst.example (192.0.2.9)", COUNTS("0.0", "1") TIMES("2.5", "2.5", "2.5"))),
	 IS("192.0.2.9", "dst.example", "reached reached", " q 1")
	 "| 1 10.0.0.1/ | 2 192.0.2.9/2.500 \n", "names with addresses (-b): the destination's too"},
	{REPORT("dst.example", HUB("1", "10.0.0.1", COUNTS("0.0", "1") TIMES("2.5", "2.5", "2.5"))),
	 IS("-", "dst.example", "unknown unknown", " q 1") "| 1 10.0.0.1/2.500 \n",
	 "a named destination that no hop names has no address"},
	{REPORT("::1", HUB("1", "::1", "\"Best\":0.062")),
	 IS("::1", "::1", "reached reached", " q 3") "| 1 ::1/0.062 ::1/ ::1/ \n",
	 "IPv6; without Snt there are as many as tests"},
	{"{\n \"report\": {\n \"mtr\": {\"dst\": \"192.0.2.9\", \"psize\": \"rand(28-64)\"},\n"
	 " \"hubs\": [\n {\"count\": 1, \"host\": \"???\"}]}}\n{\n}\n",
	 "unknown > 192.0.2.9 (192.0.2.9) unknown unknown q 1\n| 1 * \n"
	 "skipped in:6: report: JSON, but no report of mtr\n",
	 "over many lines, no size, nothing told; one report behind another"},
	{REPORT("192.0.2.9", HUB("1", "r.example", COUNTS("0.0", "1"))),
	 "skipped in:1: report.hubs[0].host: a name without its address: mtr gives it with -n or -b\n",
	 "a name alone is no responder"},
	{REPORT("192.0.2.9", HUB("1", "10.0.0.1", COUNTS("0.0", "256"))),
	 "skipped in:1: report.hubs[0].Snt: more probes than a trace can number: measure with "
	 "-c 255 or less\n",
	 "more probes than can be numbered"},
	{REPORT("192.0.2.9", HUB("0", "10.0.0.1", COUNTS("0.0", "1"))),
	 "skipped in:1: report.hubs[0].count: expected a TTL above the one before\n", "TTL 0"},
	{REPORT("192.0.2.9", HUB("2", "10.0.0.1", COUNTS("0.0", "1")) ","
		HUB("2", "10.0.0.2", COUNTS("0.0", "1"))),
	 "skipped in:1: report.hubs[1].count: expected a TTL above the one before\n", "a TTL twice"},
	{REPORT("192.0.2.9", HUB("1.5", "10.0.0.1", COUNTS("0.0", "1"))),
	 "skipped in:1: report.hubs[0].count: expected an integer\n", "half a TTL"},
	{REPORT("192.0.2.9", HUB("1", "10.0.0.1", "\"Loss%\":\"many\"")),
	 "skipped in:1: report.hubs[0].Loss%: expected a number\n", "text for a number"},
	{REPORT("192.0.2.9", HUB("1", "10.0.0.1", "\"Best\":-1")),
	 "skipped in:1: report.hubs[0].Best: expected a number from 0 to 1e+06\n", "time before time"},
	{REPORT("192.0.2.9", HUB("1", "10.0.0.1", COUNTS("0.0", "0"))),
	 "skipped in:1: report.hubs: expected a hop that was probed\n", "no probes (crashed once)"},
	{REPORT("192.0.2.9", "7"), "skipped in:1: report.hubs[0]: expected an object\n", "no hop"},
	{REPORT("192.0.2.9", ""), "skipped in:1: report.hubs: expected an array of hops\n", "no hops"},
};

static void reports(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bp_error err = {0};
		struct buf out;

		seed_write("mtr", "row", i, rows[i].in, strlen(rows[i].in));
		buf_init(&out);
		buf_str(&out, "");
		assert_int_equal(read_text(rows[i].in, strlen(rows[i].in), NULL, &out, &err),
				 BP_EOF);
		if (strcmp(out.bytes, rows[i].is) != 0)
			fail_msg("%s:\n%s%s", rows[i].why, out.bytes, rows[i].is);
		buf_fini(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(reports)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

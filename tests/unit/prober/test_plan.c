// SPDX-License-Identifier: BSD-2-Clause
/* Lines of a plan: what is taken, what is refused and why, and that writing and reading agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/buf.h"
#include "prober/plan.h"

/* clang-format off: a table */
static const struct row {
	const char *why, *line;
	int rc;
	int kind;
} rows[] = {
	{"the header", "borderpath-plan 1", 0, PLAN_LINE_HEADER},
	{"another version", "borderpath-plan 2", BP_EPARSE, 0},
	{"header and a blank", "borderpath-plan 1 ", BP_EPARSE, 0},
	{"the end", "end", 0, PLAN_LINE_END},
	{"the end and more", "end x=1", BP_EPARSE, 0},
	{"nothing", "", BP_EPARSE, 0},
	{"a blank", " ", BP_EPARSE, 0},
	{"an unknown line", "probe x=1", BP_EPARSE, 0},
	{"a line word is whole", "runs", BP_EPARSE, 0},
	{"a run of defaults", "run", 0, PLAN_LINE_RUN},
	{"all of a run", "run vantage=fra1 seed=0123456789abcdef rate_pps=max prefix_pps=7 router_pps=1 "
		"ifname=eth0.7 src=192.0.2.1 src6=2001:db8::1 window=4096 progress=1", 0, PLAN_LINE_RUN},
	{"two blanks", "run  vantage=a", BP_EPARSE, 0},
	{"a blank at the end", "run vantage=a ", BP_EPARSE, 0},
	{"a tab", "run\tvantage=a", BP_EPARSE, 0},
	{"no value", "run vantage=", BP_EPARSE, 0},
	{"no equals sign", "run vantage", BP_EPARSE, 0},
	{"no key", "run =a", BP_EPARSE, 0},
	{"a key of the other line", "run dst=192.0.2.1", BP_EPARSE, 0},
	{"twice the same", "run window=1 window=1", BP_EPARSE, 0},
	{"rate 0 is not max", "run rate_pps=0", BP_ERANGE, 0},
	{"a sign", "run rate_pps=+5", BP_EPARSE, 0},
	{"a fraction", "run rate_pps=1.5", BP_EPARSE, 0},
	{"a part of a packet", "run prefix_pps=0.8", 0, PLAN_LINE_RUN},
	{"too small a part", "run prefix_pps=0.0001", BP_EPARSE, 0},
	{"none into a network", "run prefix_pps=0.000", BP_ERANGE, 0},
	{"as many into a network", "run prefix_pps=10000000", 0, PLAN_LINE_RUN},
	{"more into a network", "run prefix_pps=10000000.001", BP_ERANGE, 0},
	{"a rate beyond reason", "run rate_pps=10000001", BP_ERANGE, 0},
	{"2^64", "run rate_pps=18446744073709551616", BP_ERANGE, 0},
	{"window 0: as needed", "run window=0", 0, PLAN_LINE_RUN},
	{"window too large", "run window=4097", BP_ERANGE, 0},
	{"progress is 0 or 1", "run progress=2", BP_ERANGE, 0},
	{"17 digits of seed", "run seed=00123456789abcdef", BP_ERANGE, 0},
	{"not hexadecimal", "run seed=12g", BP_EPARSE, 0},
	{"the other family", "run src=2001:db8::1", BP_ERANGE, 0},
	{"the other family", "run src6=192.0.2.1", BP_ERANGE, 0},
	{"a name of 15", "run ifname=abcdefghijklmno", 0, PLAN_LINE_RUN},
	{"a name of 16", "run ifname=abcdefghijklmnop", BP_ERANGE, 0},
	{"a path for a name", "run ifname=a/b", BP_EPARSE, 0},
	{"dot dot for a name", "run ifname=..", BP_EPARSE, 0},
	{"an alias for a name", "run ifname=eth0:1", BP_EPARSE, 0},
	{"the least of a trace", "trace seq=0 dst=192.0.2.1 method=icmp", 0, PLAN_LINE_TRACE},
	{"any order", "trace method=tcp dst=2001:db8::1 seq=18446744073709551615", 0, PLAN_LINE_TRACE},
	{"no seq", "trace dst=192.0.2.1 method=icmp", BP_EPARSE, 0},
	{"no dst", "trace seq=1 method=icmp", BP_EPARSE, 0},
	{"no method", "trace seq=1 dst=192.0.2.1", BP_EPARSE, 0},
	{"a host name", "trace seq=1 dst=example.org method=icmp", BP_EPARSE, 0},
	{"a prefix", "trace seq=1 dst=192.0.2.0/24 method=icmp", BP_EPARSE, 0},
	{"an octal-looking address", "trace seq=1 dst=192.0.2.010 method=icmp", BP_EPARSE, 0},
	{"a scope", "trace seq=1 dst=fe80::1%25eth0 method=icmp", BP_EPARSE, 0},
	{"another method", "trace seq=1 dst=192.0.2.1 method=sctp", BP_EPARSE, 0},
	{"no such method", "trace seq=1 dst=192.0.2.1 method=unknown", BP_EPARSE, 0},
	{"first 0", "trace seq=1 dst=192.0.2.1 method=icmp first=0", BP_ERANGE, 0},
	{"max 256", "trace seq=1 dst=192.0.2.1 method=icmp max=256", BP_ERANGE, 0},
	{"first beyond max", "trace seq=1 dst=192.0.2.1 method=icmp first=9 max=8", BP_ERANGE, 0},
	{"first beyond the default max", "trace seq=1 dst=192.0.2.1 method=icmp first=33", BP_ERANGE, 0},
	{"first is max", "trace seq=1 dst=192.0.2.1 method=icmp first=255 max=255", 0, PLAN_LINE_TRACE},
	{"no attempt", "trace seq=1 dst=192.0.2.1 method=icmp attempts=0", BP_ERANGE, 0},
	{"11 attempts", "trace seq=1 dst=192.0.2.1 method=icmp attempts=11", BP_ERANGE, 0},
	{"a port for icmp", "trace seq=1 dst=192.0.2.1 method=icmp dport=80", BP_ERANGE, 0},
	{"a level of no use", "trace seq=1 dst=192.0.2.1 method=udp multipath=49", BP_ERANGE, 0},
	{"certainty", "trace seq=1 dst=192.0.2.1 method=udp multipath=100", BP_ERANGE, 0},
	{"port 65536", "trace seq=1 dst=192.0.2.1 method=tcp dport=65536", BP_ERANGE, 0},
	{"a flow beyond the ports", "trace seq=1 dst=192.0.2.1 method=tcp flow=1596", BP_ERANGE, 0},
	{"wait of nothing", "trace seq=1 dst=192.0.2.1 method=tcp wait_ms=0", BP_ERANGE, 0},
	{"encoded text", "trace seq=1 dst=192.0.2.1 method=tcp target=%e5%b9%b3%20x", 0, PLAN_LINE_TRACE},
	{"half an escape", "trace seq=1 dst=192.0.2.1 method=tcp target=a%2", BP_EPARSE, 0},
	{"no digits in an escape", "trace seq=1 dst=192.0.2.1 method=tcp target=%zz", BP_EPARSE, 0},
	{"a zero byte, encoded", "trace seq=1 dst=192.0.2.1 method=tcp target=a%00b", BP_EPARSE, 0},
	{"a newline, encoded", "trace seq=1 dst=192.0.2.1 method=tcp target=a%0Ab", BP_EPARSE, 0},
	{"a prefix to avoid", "avoid prefix=192.0.2.0/24", 0, PLAN_LINE_AVOID},
	{"an address to avoid", "avoid prefix=2001:db8::1", 0, PLAN_LINE_AVOID},
	{"nothing to avoid", "avoid", BP_EPARSE, 0},
	{"an empty prefix", "avoid prefix=", BP_EPARSE, 0},
	{"a host to avoid", "avoid prefix=example.org", BP_EPARSE, 0},
	{"bits beyond the length", "avoid prefix=192.0.2.1/24", BP_ERANGE, 0},
	{"two prefixes in a line", "avoid prefix=192.0.2.1 prefix=192.0.2.2", BP_EPARSE, 0},
	{"a word of another line", "avoid prefix=192.0.2.1 seq=1", BP_EPARSE, 0},
	{"not UTF-8", "trace seq=1 dst=192.0.2.1 method=tcp target=%ff", BP_EPARSE, 0},
	{"a byte over 0x7e", "trace seq=1 dst=192.0.2.1 method=tcp target=\xc3\xa4", BP_EPARSE, 0},
};
/* clang-format on */

static void lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bp_error err = {0};
		struct plan_run run = {.window = 99};
		struct plan_trace trace = {.seq = 99};
		struct prefix avoid = {.len = 99};
		enum plan_line kind = 77;
		int rc = plan_parse_line(rows[i].line, strlen(rows[i].line), &kind, &run, &trace,
					 &avoid, &err);

		if (rc != rows[i].rc || (rc == 0 && (int)kind != rows[i].kind))
			fail_msg("%s: \"%s\" gives %d (%s)", rows[i].why, rows[i].line, rc, err.text);
		if (rc == 0)
			continue;
		/* A refusal has a reason and leaves everything alone. */
		assert_int_not_equal(err.text[0], '\0');
		assert_null(strchr(err.text, '\n'));
		assert_int_equal(kind, 77);
		assert_int_equal(run.window, 99);
		assert_int_equal(trace.seq, 99);
		assert_int_equal(avoid.len, 99);
	}
}

static int parse(const char *line, size_t n, struct plan_run *run, struct plan_trace *trace)
{
	struct prefix avoid;
	enum plan_line kind;

	return plan_parse_line(line, n, &kind, run, trace, &avoid, NULL);
}

static void values_of_a_run(void **state)
{
	const char *line = rows[10].line;
	struct plan_run run;
	struct plan_trace trace;
	char text[ADDR_TEXT];

	(void)state;
	assert_int_equal(parse(line, strlen(line), &run, &trace), 0);
	assert_string_equal(run.vantage, "fra1");
	assert_true(run.seed == UINT64_C(0x0123456789abcdef));
	assert_int_equal(run.rate_pps, 0);
	assert_int_equal(run.prefix_mpps, 7000);
	assert_int_equal(run.router_pps, 1);
	assert_string_equal(run.ifname, "eth0.7");
	assert_string_equal(addr_format(run.src4, text), "192.0.2.1");
	assert_string_equal(addr_format(run.src6, text), "2001:db8::1");
	assert_int_equal(run.window, 4096);
	assert_true(run.progress);

	assert_int_equal(parse("run", 3, &run, &trace), 0);
	assert_int_equal(run.rate_pps, PLAN_RATE_PPS_DEFAULT);
	assert_int_equal(run.window, PLAN_WINDOW_DEFAULT);
	assert_false(run.progress);
	assert_int_equal(run.vantage[0], '\0');
}

static void values_of_a_trace(void **state)
{
	static const char line[] = "trace seq=7 dst=175.45.176.71 method=tcp dport=443 flow=3 first=2 "
				   "max=40 attempts=4 gap=0 wait_ms=1500 budget_ms=9000 target=a%20b";
	struct plan_run run;
	struct plan_trace t;

	(void)state;
	assert_int_equal(parse(line, sizeof(line) - 1, &run, &t), 0);
	assert_int_equal(t.seq, 7);
	assert_int_equal(t.dst.bytes[0], 175);
	assert_int_equal(t.method, METHOD_TCP);
	assert_int_equal(t.dport, 443);
	assert_int_equal(t.flow, 3);
	assert_int_equal(t.first_ttl, 2);
	assert_int_equal(t.max_ttl, 40);
	assert_int_equal(t.attempts, 4);
	assert_int_equal(t.gap_limit, 0);
	assert_int_equal(t.wait_ms, 1500);
	assert_int_equal(t.budget_ms, 9000);
	assert_string_equal(t.target, "a b");
}

/* Bytes are looked at before words are: a zero byte does not end a line early. */
static void bytes_that_are_no_text(void **state)
{
	struct plan_run run;
	struct plan_trace trace;
	char line[PLAN_LINE_MAX + 1];

	(void)state;
	assert_int_equal(parse("end\0", 4, &run, &trace), BP_EPARSE);
	assert_int_equal(parse("end\r", 4, &run, &trace), BP_EPARSE);
	memset(line, 'x', sizeof(line));
	memcpy(line, "run vantage=", 12);
	assert_int_equal(parse(line, PLAN_LINE_MAX, &run, &trace), BP_ERANGE);
	assert_int_equal(parse(line, PLAN_LINE_MAX + 1, &run, &trace), BP_ERANGE);
	/* 63 bytes of name fit, 64 do not. */
	assert_int_equal(parse(line, 12 + 63, &run, &trace), 0);
	assert_int_equal(parse(line, 12 + 64, &run, &trace), BP_ERANGE);
}

/* What is written is read back the same. */
static void round_trip(void **state)
{
	struct plan_run run, run2;
	struct plan_trace trace, trace2;
	struct buf b;
	char *line, *end;

	(void)state;
	buf_init(&b);
	plan_run_defaults(&run);
	memcpy(run.vantage, "Frankfurt (Oder) 100%", 22);
	run.seed = 0x42;
	run.rate_pps = 0;
	memcpy(run.ifname, "wg0", 4);
	addr_parse("2001:db8::9", &run.src6);
	plan_write_header(&b);
	plan_write_run(&b, &run);
	plan_trace_defaults(&trace);
	trace.seq = 12;
	addr_parse("192.0.2.99", &trace.dst);
	trace.method = METHOD_UDP;
	trace.flow = 63;
	trace.multipath = 99;
	memcpy(trace.target, "k\xc3\xb6ln = x", 10);
	plan_write_trace(&b, &trace);
	plan_write_end(&b);
	assert_false(b.failed);

	line = b.bytes;
	end = strchr(line, '\n');
	assert_int_equal(parse(line, (size_t)(end - line), &run2, &trace2), 0);
	line = end + 1;
	end = strchr(line, '\n');
	assert_int_equal(parse(line, (size_t)(end - line), &run2, &trace2), 0);
	assert_memory_equal(&run, &run2, sizeof(run));
	line = end + 1;
	end = strchr(line, '\n');
	assert_int_equal(parse(line, (size_t)(end - line), &run2, &trace2), 0);
	assert_memory_equal(&trace, &trace2, sizeof(trace));
	assert_string_equal(end + 1, "end\n");
	buf_fini(&b);
}

static void round_trip_of_avoid(void **state)
{
	static const char *const prefixes[] = {"0.0.0.0/0", "192.0.2.64/26", "::/0",
					       "2001:db8::1/128"};
	struct buf b;

	(void)state;
	buf_init(&b);
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		struct prefix p, p2;
		enum plan_line kind;

		assert_int_equal(prefix_parse(prefixes[i], &p), 0);
		buf_clear(&b);
		plan_write_avoid(&b, p);
		assert_int_equal(plan_parse_line(b.bytes, b.used - 1, &kind, NULL, NULL, &p2,
						 NULL), 0);
		assert_int_equal(kind, PLAN_LINE_AVOID);
		assert_true(prefix_equal(p, p2));
	}
	buf_fini(&b);
}

/* test_plan DIR writes the table out as seeds for the fuzz target. */
static int write_seeds(const char *dir)
{
	char path[4096];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		FILE *out;

		snprintf(path, sizeof(path), "%s/row%03zu", dir, i);
		out = fopen(path, "wb");
		if (out == NULL)
			return 1;
		fwrite(rows[i].line, 1, strlen(rows[i].line), out);
		fclose(out);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(values_of_a_run),
		cmocka_unit_test(values_of_a_trace),
		cmocka_unit_test(bytes_that_are_no_text),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(round_trip_of_avoid),
	};

	if (argc > 1)
		return write_seeds(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

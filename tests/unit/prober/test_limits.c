// SPDX-License-Identifier: BSD-2-Clause
/* The limits file: its grammar, whom it is believed from, and what it forbids to whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "prober/limits.h"
#include "tests/unit/seeds.h"

static const struct {
	const char *why, *text;
	int rc;
	const char *says; /* part of the error */
} rows[] = {
	{"empty", "", 0, NULL},
	{"comments and blanks", "# all\n\n  \t\n rate_pps 5 # five\n", 0, NULL},
	{"no newline at the end", "rate_pps 5", 0, NULL},
	{"the last of two counts", "rate_pps 5\nrate_pps 6\n", 0, NULL},
	{"all words", "rate_pps 1\nprefix_pps 2\nrouter_pps 3\ndo_not_probe 192.0.2.0/24\n"
		      "do_not_probe 2001:db8::/32\nunlimited_user lab\n", 0, NULL},
	{"unknown word", "rate 5\n", BP_EPARSE, "line 1: unknown word"},
	{"no value", "\nrate_pps\n", BP_EPARSE, "line 2"},
	{"two values", "rate_pps 5 6\n", BP_EPARSE, "one value"},
	{"rate 0", "rate_pps 0\n", BP_ERANGE, "line 1"},
	{"negative", "rate_pps -1\n", BP_EPARSE, "line 1"},
	{"beyond 32 bits", "rate_pps 4294967296\n", BP_ERANGE, "line 1"},
	{"host bits", "do_not_probe 192.0.2.1/24\n", BP_ERANGE, "192.0.2.1/24"},
	{"no prefix", "do_not_probe example.org\n", BP_EPARSE, "line 1"},
	{"a single host", "do_not_probe 192.0.2.1\n", 0, NULL},
	{"a name too long", "unlimited_user aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", BP_ERANGE, "line 1"},
};

static void grammar(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bp_error err = {0};
		struct limits l;
		int rc = limits_parse(rows[i].text, strlen(rows[i].text), &l, &err);

		seed_write("limits", "row", i, rows[i].text, strlen(rows[i].text));
		if (rc != rows[i].rc || (rows[i].says && !strstr(err.text, rows[i].says)))
			fail_msg("%s: %d (%s)", rows[i].why, rc, err.text);
		if (rc == 0)
			limits_fini(&l);
	}
}

static void a_zero_byte_or_a_long_line(void **state)
{
	struct bp_error err;
	struct limits l;
	char text[300];

	(void)state;
	assert_int_equal(limits_parse("rate_pps 5\0x\n", 13, &l, &err), BP_EPARSE);
	memset(text, '#', sizeof(text));
	assert_int_equal(limits_parse(text, sizeof(text), &l, &err), BP_ERANGE);
}

static void who_is_unlimited(void **state)
{
	static const char text[] = "unlimited_user lab\nunlimited_user 1007\n";
	struct limits l;

	(void)state;
	assert_int_equal(limits_parse(text, sizeof(text) - 1, &l, NULL), 0);
	assert_true(limits_unlimited(&l, 0, NULL));
	assert_true(limits_unlimited(&l, 1000, "lab"));
	assert_true(limits_unlimited(&l, 1007, NULL));
	assert_false(limits_unlimited(&l, 1000, "laboratory"));
	assert_false(limits_unlimited(&l, 1000, NULL));
	limits_fini(&l);
	limits_defaults(&l);
	assert_false(limits_unlimited(&l, 1007, "lab"));
}

static void how_fast_a_run_may_be(void **state)
{
	static const struct {
		const char *why;
		uint32_t rate, prefix, router;
		int rc, rc_unlimited;
		const char *says;
	} runs[] = {
		{"the polite defaults", PLAN_RATE_PPS_DEFAULT, PLAN_PREFIX_PPS_DEFAULT,
		 PLAN_ROUTER_PPS_DEFAULT, 0, 0, NULL},
		{"exactly what is allowed", 1000, 250, 50, 0, 0, NULL},
		{"one more", 1001, 250, 50, BP_EPERM, 0, "rate 1001"},
		{"one more a prefix", 1000, 251, 50, BP_EPERM, 0, "per-prefix rate 251"},
		{"one more a router", 1000, 250, 51, BP_EPERM, 0, "per-router rate 51"},
		{"max", 0, 250, 50, BP_EPERM, 0, "rate without a limit"},
		{"max a prefix", 1, 0, 50, BP_EPERM, 0, "per-prefix rate without"},
		{"max a router", 1, 1, 0, BP_EPERM, 0, "per-router rate without"},
	};
	struct limits l;

	(void)state;
	limits_defaults(&l);
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		struct plan_run run;
		struct bp_error err = {0};

		plan_run_defaults(&run);
		run.rate_pps = runs[i].rate;
		run.prefix_mpps = runs[i].prefix * UINT64_C(1000);
		run.router_pps = runs[i].router;
		if (limits_check_run(&l, false, &run, &err) != runs[i].rc ||
		    (runs[i].says && !strstr(err.text, runs[i].says)))
			fail_msg("%s: %s", runs[i].why, err.text);
		assert_int_equal(limits_check_run(&l, true, &run, &err), runs[i].rc_unlimited);
	}
}

static void what_is_never_probed(void **state)
{
	static const char text[] = "do_not_probe 198.51.100.0/25\ndo_not_probe 2001:db8:5::/48\n";
	static const struct {
		const char *dst, *says; /* NULL: may be probed */
	} targets[] = {
		{"192.0.2.1", NULL},
		{"127.0.0.1", NULL},
		{"::1", NULL},
		{"fe80::1", NULL},
		{"198.51.100.127", "do-not-probe list of this machine (198.51.100.0/25)"},
		{"198.51.100.128", NULL},
		{"203.0.113.7", "do-not-probe list of this run (203.0.113.0/28)"},
		{"203.0.113.16", NULL},
		{"2001:db8:5:ffff::1", "do-not-probe list"},
		{"2001:db8:6::1", NULL},
		{"0.0.0.0", "0.0.0.0/8"},
		{"0.1.2.3", "0.0.0.0/8"},
		{"224.0.0.1", "multicast"},
		{"239.255.255.255", "multicast"},
		{"ff02::1", "multicast"},
		{"255.255.255.255", "broadcast"},
		{"::", "unspecified"},
		{"::ffff:192.0.2.1", "IPv4-mapped"},
	};
	struct prefixset avoid = {0};
	struct prefix p;
	struct limits l;

	(void)state;
	assert_int_equal(limits_parse(text, sizeof(text) - 1, &l, NULL), 0);
	assert_int_equal(prefix_parse("203.0.113.0/28", &p), 0);
	assert_int_equal(prefixset_add(&avoid, p), 0);
	prefixset_settle(&avoid);
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		struct bp_error err = {0};
		struct addr a;
		int rc;

		assert_int_equal(addr_parse(targets[i].dst, &a), 0);
		rc = limits_check_target(&l, &avoid, a, &err);
		if (rc != (targets[i].says ? BP_EPERM : 0) ||
		    (targets[i].says && !strstr(err.text, targets[i].says)))
			fail_msg("%s: %d (%s)", targets[i].dst, rc, err.text);
	}
	prefixset_fini(&avoid);
	limits_fini(&l);
}

/* The file we ship says what holds without one. */
static void the_sample(void **state)
{
	struct bp_error err = {0};
	struct limits l, none;
	char text[8192];
	FILE *in = fopen("packaging/limits", "rb");
	size_t n;

	(void)state;
	if (in == NULL) {
		print_message("not started from the top of the tree\n");
		skip();
	}
	n = fread(text, 1, sizeof(text), in);
	fclose(in);
	if (limits_parse(text, n, &l, &err) < 0)
		fail_msg("%s", err.text);
	limits_defaults(&none);
	assert_int_equal(l.rate_pps, none.rate_pps);
	assert_int_equal(l.prefix_pps, none.prefix_pps);
	assert_int_equal(l.router_pps, none.router_pps);
	assert_int_equal(l.never.count, 0);
	assert_int_equal(l.user_count, 0);
	limits_fini(&l);
}

/* Whose file is believed: only root's, that only root can write. */
static void whose_file(void **state)
{
	char path[] = "/tmp/limits.XXXXXX";
	int fd = mkstemp(path);
	struct bp_error err = {0};
	struct limits l;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "rate_pps 7\n", 11), 11);
	assert_int_equal(fchmod(fd, 0644), 0);
	if (geteuid() == 0) {
		assert_int_equal(limits_read(path, &l, &err), 0);
		assert_int_equal(l.rate_pps, 7);
		limits_fini(&l);
		assert_int_equal(fchmod(fd, 0664), 0);
		assert_int_equal(limits_read(path, &l, &err), BP_EPERM);
		assert_non_null(strstr(err.text, "go-w"));
		assert_int_equal(fchmod(fd, 0646), 0);
		assert_int_equal(limits_read(path, &l, &err), BP_EPERM);
		assert_int_equal(fchmod(fd, 0644), 0);
		assert_int_equal(fchown(fd, 65534, 0), 0);
	}
	assert_int_equal(limits_read(path, &l, &err), BP_EPERM);
	assert_non_null(strstr(err.text, "owned by root"));
	close(fd);
	unlink(path);

	assert_int_equal(limits_read("/tmp", &l, &err), BP_EPERM);
	assert_int_equal(limits_read("/nonexistent/limits", &l, &err), 0);
	assert_int_equal(l.rate_pps, LIMITS_RATE_PPS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grammar),
		cmocka_unit_test(a_zero_byte_or_a_long_line),
		cmocka_unit_test(who_is_unlimited),
		cmocka_unit_test(how_fast_a_run_may_be),
		cmocka_unit_test(what_is_never_probed),
		cmocka_unit_test(the_sample),
		cmocka_unit_test(whose_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause
/* The summary that counts: rows, kinds, sums, and the bound on what it keeps. */
#include "analysis/report/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char yaml[] =
	"profile: test\nversion: 1\n"
	"network: {name: Somewhere, asn: [64500], prefixes: [10.0.0.0/16], judge_by: {v4: 22, v6: 48}}\n"
	"timezone: UTC\n"
	"borders:\n"
	"  - {id: east, name: East / Land, short: E, country: RU, color: '#0072B2',\n"
	"     networks: [{asn: 64501, source: test}]}\n";

static struct profile *profile(void)
{
	struct bp_error err = {0};
	struct profile *p;

	if (profile_parse("test", yaml, sizeof(yaml) - 1, &p, &err) < 0)
		fail_msg("%s", err.text);
	return p;
}

static void add(struct tally *s, const struct profile *p, const char *dst, int outcome,
		bool reached)
{
	struct verdict *v = calloc(1, sizeof(*v));
	struct trace *t = trace_new(0);

	assert_true(v != NULL && t != NULL);
	assert_int_equal(addr_parse(dst, &t->dst), 0);
	t->stop = outcome < 0 ? STOP_ERROR : STOP_REACHED;
	t->reach = reached ? REACH_REACHED : REACH_SILENT;
	v->outcome = outcome < 0 ? OUTCOME_UNDETERMINED : (uint8_t)outcome;
	if (outcome == OUTCOME_BORDER)
		strcpy(v->border, "east");
	tally_add(s, t, v, p);
	free(t);
	free(v);
}

static void rows(void **state)
{
	static const char want[] =
		"Network                 Paths   Reached  Border, and how many paths\n"
		"10.0.0.0/22                 3         2  East / Land 2, undetermined 1\n"
		"10.0.4.0/22                 1         0  not measured 1\n"
		"192.0.2.0/24                1         1  elsewhere 1\n"
		"2001:db8:1::/48             1         1  elsewhere 1\n"
		"in all                      6         4  East / Land 2, undetermined 1, elsewhere 2, "
		"not measured 1\n\n";
	struct style plain = {0};
	struct profile *p = profile();
	struct tally s = {0};
	struct buf out;

	(void)state;
	buf_init(&out);
	tally_write(&out, &plain, &s, p);
	assert_int_equal(out.used, 0);
	add(&s, p, "10.0.0.1", OUTCOME_BORDER, true);
	add(&s, p, "10.0.3.1", OUTCOME_UNDETERMINED, false);
	add(&s, p, "192.0.2.9", OUTCOME_NONE, true);
	add(&s, p, "10.0.1.1", OUTCOME_BORDER, true);
	add(&s, p, "2001:db8:1::7", OUTCOME_NONE, true);
	add(&s, p, "10.0.4.1", -1, false);
	tally_write(&out, &plain, &s, p);
	assert_string_equal(out.bytes, want);
	buf_fini(&out);
	tally_fini(&s);
	profile_free(p);
}

static void no_more_rows_than_allowed(void **state)
{
	struct style plain = {0};
	struct profile *p = profile();
	struct tally s = {0};
	struct buf out;

	(void)state;
	for (unsigned i = 0; i < 3 * TALLY_NETWORKS_MAX; i++) {
		char dst[32];

		snprintf(dst, sizeof(dst), "172.%u.%u.1", 16 + i / 256, i % 256);
		add(&s, p, dst, OUTCOME_NONE, true);
		add(&s, p, "172.16.0.1", OUTCOME_NONE, true);
	}
	assert_int_equal(s.count, TALLY_NETWORKS_MAX + 1);
	buf_init(&out);
	tally_write(&out, &plain, &s, p);
	assert_non_null(strstr(out.bytes, "\n172.16.0.0/24            3073      3073  elsewhere 3073\n"));
	assert_non_null(strstr(out.bytes, "\nother networks           2048      2048  elsewhere 2048\n"));
	assert_non_null(strstr(out.bytes,
			       "\n" "in all                   6144      6144  elsewhere 6144\n"));
	buf_fini(&out);
	tally_fini(&s);
	profile_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows),
		cmocka_unit_test(no_more_rows_than_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

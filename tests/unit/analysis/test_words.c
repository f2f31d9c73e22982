// SPDX-License-Identifier: BSD-2-Clause
/* Pieces of sentences: numbers, lists, carriers, moments with the place's own clock. */
#include "analysis/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct buf out;

static void numbers(void **state)
{
	(void)state;
	buf_clear(&out);
	words_number(&out, 0);
	buf_char(&out, ' ');
	words_number(&out, 12);
	buf_char(&out, ' ');
	words_number(&out, 13);
	assert_string_equal(out.bytes, "no twelve 13");
}

static void lists(void **state)
{
	struct prefix p[3];

	(void)state;
	assert_int_equal(prefix_parse("175.45.176.0/24", &p[0]), 0);
	assert_int_equal(prefix_parse("175.45.178.0/24", &p[1]), 0);
	assert_int_equal(prefix_parse("2001:db8::/48", &p[2]), 0);
	buf_clear(&out);
	words_prefixes(&out, p, 1);
	buf_char(&out, ';');
	words_prefixes(&out, p, 2);
	buf_char(&out, ';');
	words_prefixes(&out, p, 3);
	assert_string_equal(out.bytes, "175.45.176.0/24;175.45.176.0/24 and 175.45.178.0/24;"
			    "175.45.176.0/24, 175.45.178.0/24 and 2001:db8::/48");
}

static void carriers(void **state)
{
	static const struct { const char *org; uint32_t asn; const char *says; } rows[] = {
		{"TransTeleCom", 20485, "TransTeleCom (AS20485)"},
		{"", 20485, "AS20485"},
		{"TransTeleCom", 0, "TransTeleCom"},
		{"", 0, "nobody"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_clear(&out);
		words_carrier(&out, rows[i].org, rows[i].asn, "nobody");
		assert_string_equal(out.bytes, rows[i].says);
	}
}

static void intervals(void **state)
{
	static const struct { const char *from, *to, *zone, *says, *why; } rows[] = {
		{"2017-10-01T09:00:00Z", "2017-10-01T09:15:00Z", "",
		 "Between 09:00 and 09:15 UTC on 1 October 2017", "UTC alone"},
		{"2017-10-01T09:00:00Z", "2017-10-01T09:15:00Z", "No/Such_Zone",
		 "Between 09:00 and 09:15 UTC on 1 October 2017", "an unknown zone says nothing"},
		{"2017-10-01T09:00:00Z", "2017-10-01T09:15:00Z", "Asia/Pyongyang",
		 "Between 09:00 and 09:15 UTC on 1 October 2017 (17:30 to 17:45 in Pyongyang)",
		 "UTC+8:30 in 2017"},
		{"2018-10-01T09:00:00Z", "2018-10-01T09:15:00Z", "Asia/Pyongyang",
		 "Between 09:00 and 09:15 UTC on 1 October 2018 (18:00 to 18:15 in Pyongyang)",
		 "UTC+9 since 2018-05-04"},
		{"2017-10-01T20:00:00Z", "2017-10-01T20:15:00Z", "Asia/Pyongyang",
		 "Between 20:00 and 20:15 UTC on 1 October 2017 (04:30 to 04:45 on 2 October 2017 in "
		 "Pyongyang)", "another day there"},
		{"2017-10-01T09:07:51Z", "2017-10-01T09:07:58Z", "",
		 "Between 09:07:51 and 09:07:58 UTC on 1 October 2017", "seconds within a minute"},
		{"2014-12-22T16:15:00Z", "2014-12-23T01:46:00Z", "",
		 "Between 16:15 UTC on 22 December 2014 and 01:46 UTC on 23 December 2014",
		 "over midnight"},
	};

	(void)state;
	if (access("/usr/share/zoneinfo/Asia/Pyongyang", R_OK) != 0) {
		print_message("no tz database here (package tzdata)\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wall from, to, now = {0};

		assert_int_equal(wall_parse(rows[i].from, now, &from), 0);
		assert_int_equal(wall_parse(rows[i].to, now, &to), 0);
		setenv("TZ", "America/New_York", 1);
		buf_clear(&out);
		words_interval(&out, from, to, rows[i].zone);
		if (strcmp(out.bytes, rows[i].says) != 0)
			fail_msg("%s: %s", rows[i].why, out.bytes);
		assert_string_equal(getenv("TZ"), "America/New_York");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(lists),
		cmocka_unit_test(carriers),
		cmocka_unit_test(intervals),
	};
	int rc;

	buf_init(&out);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	buf_fini(&out);
	return rc;
}

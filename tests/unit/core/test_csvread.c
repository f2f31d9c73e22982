// SPDX-License-Identifier: BSD-2-Clause
/* Rows of CSV: what people write, and what is refused with its line. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <string.h>

#include "core/csvread.h"
#include "tests/unit/seeds.h"

/* Fields of all rows: '|' between fields, '/' behind a row; an error as "! code line". */
static void rows(const char *bytes, size_t n, char *out, size_t size)
{
	FILE *f = n > 0 ? fmemopen((char *)(uintptr_t)bytes, n, "r") : fopen("/dev/null", "r");
	struct csv_reader r;
	struct bp_error err;
	size_t used = 0;
	int rc;

	assert_non_null(f);
	csv_reader_init(&r, f, "x");
	out[0] = '\0';
	while ((rc = csv_read(&r, &err)) == 0) {
		for (unsigned i = 0; i < r.count; i++)
			used += (size_t)snprintf(out + used, size - used, "%s%s", i ? "|" : "",
						 r.fields[i]);
		used += (size_t)snprintf(out + used, size - used, "/");
	}
	if (rc != BP_EOF)
		snprintf(out + used, size - used, "! %d %s", rc, err.text);
	csv_reader_fini(&r);
	fclose(f);
}

static void table(void **state)
{
	static const struct { const char *in, *want, *why; } cases[] = {
		{"", "", "an empty file has no rows"},
		{"a,b\nc,d\n", "a|b/c|d/", "commas"},
		{"a;b,c\nd;e\n", "a;b|c/d;e/", "as many of both: commas"},
		{"a;b;c,d\n", "a|b|c,d/", "semicolons, where there are more"},
		{"a;1,5\nb;2\n", "a|1,5/b|2/", "the comma of a number, beside a semicolon"},
		{"a\t1,5\n", "a|1,5/", "and beside a tab"},
		{"1,5\n2,5\n", "1|5/2|5/", "but alone it stands between fields"},
		{"a\tb\tc,d\n", "a|b|c,d/", "tabs"},
		{"a,b\r\nc,d\r\n", "a|b/c|d/", "CR LF"},
		{"a,b\nc,d", "a|b/c|d/", "no newline at the end"},
		{"\xef\xbb\xbf" "a,b\n", "a|b/", "a byte order mark"},
		{"a,\"b, \"\"c\"\"\",d\n", "a|b, \"c\"|d/", "quotes, doubled in them"},
		{"\"a\nb\",c\n", "a b|c/", "a newline within quotes"},
		{"a, b ,c\n", "a|b|c/", "blanks around fields"},
		{"a,,\n", "a||/", "empty fields"},
		{"\n \na\n", "a/", "empty lines are passed over"},
		{"a\x01,\xff" "b,caf\xc3\xa9\n", "a?|?b|caf\xc3\xa9/", "no control bytes, whole UTF-8"},
		{"a\n\"b\n", "a/! -4 x:2: a quoted field that does not end", "and where it began"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char out[256];

		seed_write("csvread", "table", i, cases[i].in, strlen(cases[i].in));
		rows(cases[i].in, strlen(cases[i].in), out, sizeof(out));
		if (strcmp(out, cases[i].want) != 0)
			fail_msg("%s: \"%s\"", cases[i].why, out);
	}
}

static void bounds(void **state)
{
	static char big[CSV_ROW_MAX + 64], out[4096];

	(void)state;
	rows("a\0b\n", 4, out, sizeof(out));
	assert_string_equal(out, "! -4 x:1: a NUL byte: not a text");
	memset(big, ',', 300);
	big[300] = '\n';
	rows(big, 301, out, sizeof(out));
	assert_string_equal(out, "! -5 x:1: more than 256 fields");
	memset(big, 'a', sizeof(big));
	rows(big, sizeof(big), out, sizeof(out));
	assert_string_equal(out, "! -5 x:1: a row of over a million bytes");
}

static void columns(void **state)
{
	static const char *const times[] = {"start", "time", NULL}, *const none[] = {"x", NULL};
	static char text[] = "Time,START,label\n";
	FILE *f = fmemopen(text, strlen(text), "r");
	struct csv_reader r;
	struct bp_error err;

	(void)state;
	csv_reader_init(&r, f, "x");
	assert_int_equal(csv_read(&r, &err), 0);
	assert_int_equal(csv_column(&r, times), 1);
	assert_int_equal(csv_column(&r, none), -1);
	csv_reader_fini(&r);
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table), cmocka_unit_test(bounds), cmocka_unit_test(columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

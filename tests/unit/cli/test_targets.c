// SPDX-License-Identifier: BSD-2-Clause
/* Targets: words, files, families, lazy prefixes. No host name is resolved: no packet leaves. */
#include "cli/targets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void words(void **state)
{
	static const struct {
		const char *word;
		uint8_t family;
		int code;
		uint64_t size;
		const char *why;
	} rows[] = {
		{"175.45.176.71", 0, 0, 1, "an address is one destination"},
		{"175.45.176.0/22", 0, 0, 1024, "a prefix is every address in it"},
		{"2001:db8::/120", 0, 0, 256, "IPv6 too"},
		{"10.0.0.0/12", 0, 0, 1 << 20, "the largest prefix allowed"},
		{"10.0.0.0/11", 0, BP_ERANGE, 0, "one bit larger is refused"},
		{"::/0", 0, BP_ERANGE, 0, "the whole of IPv6 overflows nothing"},
		{"175.45.176.1/22", 0, BP_ERANGE, 0, "bits beyond the length are set"},
		{"175.45.176.0/33", 0, BP_ERANGE, 0, "no such length"},
		{"175.45.176.0/", 0, BP_EPARSE, 0, "no length"},
		{"999.1.1.1", 0, BP_EPARSE, 0, "digits and dots are never a host name"},
		{"a/b", 0, BP_EPARSE, 0, "a slash is never in a host name"},
		{"175.45.176.71", 6, BP_EINVAL, 0, "-6 and an IPv4 address"},
		{"2001:db8::1", 4, BP_EINVAL, 0, "-4 and an IPv6 address"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bp_error err = {0};
		struct targets t;

		targets_init(&t);
		if (targets_add(&t, rows[i].word, rows[i].family, &err) != rows[i].code)
			fail_msg("%s: %s (%s)", rows[i].word, rows[i].why, err.text);
		assert_int_equal(t.count, rows[i].code == 0);
		if (rows[i].code == 0)
			assert_int_equal(target_size(&t.items[0]), rows[i].size);
		else
			assert_true(err.text[0] != '\0');
		targets_fini(&t);
	}
}

static void prefix_unfolds_in_order(void **state)
{
	static const struct { uint64_t index; const char *address; } rows[] = {
		{0, "175.45.176.0"}, {1, "175.45.176.1"}, {255, "175.45.176.255"},
		{256, "175.45.177.0"}, {1023, "175.45.179.255"}};
	struct targets t;
	char text[ADDR_TEXT];

	(void)state;
	targets_init(&t);
	assert_int_equal(targets_add(&t, "175.45.176.0/22", 4, NULL), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(addr_format(target_address(&t.items[0], rows[i].index), text),
				    rows[i].address);
	targets_fini(&t);
}

static void file_of(char path[static 32], const char *text)
{
	int fd;

	strcpy(path, "/tmp/bp-targets-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void file_with_comments(void **state)
{
	char path[32], word[40];
	struct targets t;

	(void)state;
	file_of(path, "# the known hosts\r\n175.45.176.71  # web\n\n\t175.45.177.0/24\n2001:db8::1");
	snprintf(word, sizeof(word), "@%s", path);
	targets_init(&t);
	assert_int_equal(targets_add(&t, word, 0, NULL), 0);
	assert_int_equal(t.count, 3);
	assert_int_equal(target_size(&t.items[1]), 256);
	targets_fini(&t);
	unlink(path);
}

static void file_error_names_the_line(void **state)
{
	char path[32], word[40], want[64];
	struct bp_error err = {0};
	struct targets t;

	(void)state;
	file_of(path, "175.45.176.71\n# fine\n175.45.176.1/24\n");
	snprintf(word, sizeof(word), "@%s", path);
	snprintf(want, sizeof(want), "%s:3: ", path);
	targets_init(&t);
	assert_int_equal(targets_add(&t, word, 0, &err), BP_ERANGE);
	assert_memory_equal(err.text, want, strlen(want));
	targets_fini(&t);
	unlink(path);
	assert_int_equal(targets_add(&t, word, 0, &err), BP_ENOTFOUND);
	assert_non_null(strstr(err.text, path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(prefix_unfolds_in_order),
		cmocka_unit_test(file_with_comments),
		cmocka_unit_test(file_error_names_the_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause
/* Targets: words, files, families, lazy prefixes. No host name is resolved: no packet leaves. */
#include "campaign/targets.h"

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
		{"\033[31mred", 0, BP_EPARSE, 0, "nothing that no host name has is looked up"},
		{"\xff\xfe\x01", 0, BP_EPARSE, 0, "a word of a file that is no text"},
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
			assert_true(err.text[0] != '\0' && strpbrk(err.text, "\033\001") == NULL);
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

static void file_of_bytes(char path[static 32], const char *text, size_t n)
{
	int fd;

	strcpy(path, "/tmp/bp-targets-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, n), n);
	close(fd);
}

static void file_of(char path[static 32], const char *text)
{
	file_of_bytes(path, text, strlen(text));
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

/* Words stand in memory only where the prefix does not say the same. */
static void text_as_written(void **state)
{
	static const struct { const char *word; bool kept; const char *why; } rows[] = {
		{"175.45.176.71", false, "an address"},
		{"175.45.176.0/22", false, "a prefix"},
		{"2001:db8::1", false, "IPv6"},
		{"175.45.176.71/32", true, "an address written as a prefix"},
		{"2001:DB8:0::1", true, "not as we would write it"},
	};
	char text[PREFIX_TEXT];
	struct targets t;

	(void)state;
	targets_init(&t);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(targets_add(&t, rows[i].word, 0, NULL), 0);
		if ((t.items[i].text > 0) != rows[i].kept)
			fail_msg("%s: %s", rows[i].word, rows[i].why);
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(target_text(&t, &t.items[i], text), rows[i].word);
	targets_fini(&t);
}

static void each_is_measured_once(void **state)
{
	static const struct {
		const char *words[6], *left[4];
		const char *why;
	} rows[] = {
		{{"10.0.0.1", "10.0.0.2"}, {"10.0.0.1", "10.0.0.2"}, "different"},
		{{"10.0.0.1", "10.0.0.2", "10.0.0.1"}, {"10.0.0.1", "10.0.0.2"}, "the same twice"},
		{{"10.0.0.7", "10.0.0.0/24"}, {"10.0.0.0/24"}, "one of the prefix behind it"},
		{{"10.0.0.0/24", "9.0.0.1", "10.0.0.7", "10.0.0.0/30"}, {"10.0.0.0/24", "9.0.0.1"},
		 "several of the prefix before them"},
		{{"10.0.1.0/24", "10.0.0.0/24", "10.0.0.0/23"}, {"10.0.0.0/23"}, "two halves"},
		{{"2001:db8::1", "10.0.0.1", "2001:db8::/126"}, {"10.0.0.1", "2001:db8::/126"}, "IPv6"},
	};
	char text[PREFIX_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t dropped, count = 0;
		struct targets t;

		targets_init(&t);
		for (unsigned w = 0; rows[i].words[w] != NULL; w++)
			assert_int_equal(targets_add(&t, rows[i].words[w], 0, NULL), 0);
		count = t.count;
		assert_int_equal(targets_settle(&t, TARGETS_BY_METHOD, &dropped), 0);
		assert_int_equal(dropped, count - t.count);
		for (unsigned w = 0; w < t.count; w++) {
			if (rows[i].left[w] == NULL ||
			    strcmp(target_text(&t, &t.items[w], text), rows[i].left[w]) != 0)
				fail_msg("%s: %s stays", rows[i].why, text);
		}
		assert_true(t.count == 4 || rows[i].left[t.count] == NULL);
		targets_fini(&t);
	}
}

/* By two methods an address is two destinations, unless one method is asked for. */
static void methods_tell_apart(void **state)
{
	uint32_t dropped;

	(void)state;
	for (int by_method = 0; by_method < 2; by_method++) {
		struct targets t;

		targets_init(&t);
		for (int i = 0; i < 3; i++)
			assert_int_equal(targets_add(&t, "10.0.0.1", 0, NULL), 0);
		t.items[1].method = METHOD_TCP;
		t.items[2].method = METHOD_TCP;
		t.items[2].port = 443;
		assert_int_equal(targets_settle(&t, by_method ? TARGETS_BY_METHOD : 0, &dropped),
				 0);
		assert_int_equal(t.count, by_method ? 3 : 1);
		targets_fini(&t);
	}
}

/* An address of its own stays beside the prefix that holds it, once; a prefix does not. */
static void singles_are_kept(void **state)
{
	static const char *const words[] = {"10.0.0.0/24", "10.0.0.7", "10.0.0.7/32", "10.0.0.0/30",
					    "10.0.0.0/24", "10.0.1.7", "10.0.0.0/32", "10.0.0.255"};
	static const char *const kept[] = {"10.0.0.0/24", "10.0.0.7", "10.0.1.7", "10.0.0.0",
					   "10.0.0.255"};
	char text[PREFIX_TEXT];
	struct targets t;
	uint32_t dropped;

	(void)state;
	targets_init(&t);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		assert_int_equal(targets_add(&t, words[i], 0, NULL), 0);
	assert_int_equal(targets_settle(&t, TARGETS_KEEP_SINGLE, &dropped), 0);
	assert_int_equal(dropped, 3);
	assert_int_equal(t.count, sizeof(kept) / sizeof(kept[0]));
	for (uint32_t i = 0; i < t.count; i++) {
		const char *word = target_text(&t, &t.items[i], text);

		assert_int_equal(strncmp(word, kept[i], strlen(kept[i])), 0);
	}
	targets_fini(&t);
}

/* A resolver of the caller's: an entry may wait for its address, in its place until it settles. */
static int later(void *arg, const char *host, uint8_t family, struct addr *out,
		 struct bp_error *err)
{
	unsigned *asked = arg;

	(void)host;
	(void)family;
	(void)err;
	*out = (struct addr){0};
	(*asked)++;
	return 0;
}

static void names_may_wait(void **state)
{
	unsigned asked = 0;
	struct targets t;
	uint32_t dropped;
	char text[PREFIX_TEXT];

	(void)state;
	targets_init(&t);
	t.resolve = later;
	t.resolve_arg = &asked;
	assert_int_equal(targets_add(&t, "a.example", 0, NULL), 0);
	assert_int_equal(targets_add(&t, "10.0.0.1", 0, NULL), 0);
	assert_int_equal(targets_add(&t, "b.example", 4, NULL), 0);
	assert_int_equal(asked, 2);
	assert_int_equal(t.count, 3);
	assert_string_equal(target_text(&t, &t.items[2], text), "b.example");
	assert_int_equal(targets_name(&t, 2, "called b"), 0);
	assert_int_equal(prefix_parse("10.0.0.2", &t.items[2].prefix), 0);
	assert_int_equal(targets_settle(&t, 0, &dropped), 0);
	assert_int_equal(dropped, 1);
	assert_string_equal(target_text(&t, &t.items[1], text), "called b");
	targets_fini(&t);
}

static void wrong_lines_are_passed_over(void **state)
{
	char path[32], word[40];
	struct bp_error err = {0};
	struct targets t;

	(void)state;
	file_of(path, "175.45.176.71\n1.2.3\n10.0.0.1/8\n175.45.177.1\n");
	snprintf(word, sizeof(word), "@%s", path);
	targets_init(&t);
	assert_int_equal(targets_add(&t, word, 0, &err), BP_EPARSE);
	assert_non_null(strstr(err.text, ":2: '1.2.3'"));
	assert_int_equal(t.wrong, 2);
	assert_int_equal(t.count, 2);
	targets_fini(&t);
	unlink(path);
}

/* An image, a disk, /dev/zero: read up to where it is no text, in room that does not grow. */
static void files_that_are_no_text(void **state)
{
	static char long_line[8192] = "10.0.0.1\n";
	static const char nul[] = "10.0.0.1\n10.0.0.2\0.3\n10.0.0.4\n";
	const struct { const char *bytes; size_t n; const char *why; } rows[] = {
		{nul, sizeof(nul) - 1, "a NUL byte would hide the rest of its line"},
		{long_line, sizeof(long_line), "a line without an end"},
	};
	struct targets endless;

	(void)state;
	memset(long_line + 9, 'x', sizeof(long_line) - 9);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bp_error err = {0};
		struct prefixset set = {0};
		struct targets t;
		char path[32], word[40];

		file_of_bytes(path, rows[i].bytes, rows[i].n);
		snprintf(word, sizeof(word), "@%s", path);
		targets_init(&t);
		if (targets_add(&t, word, 0, &err) != BP_EUNSUP || t.count != 1 || t.wrong != 1 ||
		    strstr(err.text, ":2: no text") == NULL)
			fail_msg("%s: %u targets, %s", rows[i].why, t.count, err.text);
		targets_fini(&t);
		assert_int_equal(targets_read_avoid(&set, path, &err), BP_EUNSUP);
		prefixset_fini(&set);
		unlink(path);
	}
	targets_init(&endless);
	assert_int_equal(targets_add(&endless, "@/dev/zero", 0, NULL), BP_EUNSUP);
	targets_fini(&endless);
}

/* A list that protects others is understood whole or not at all. */
static void avoid_lists(void **state)
{
	static const struct {
		const char *text;
		int rc;
		uint32_t count;
		const char *says;
	} rows[] = {
		{"# nobody\n\n", 0, 0, NULL},
		{"10.0.0.0/8 # a network\r\n2001:db8::1\n10.1.0.0/16", 0, 3, NULL},
		{"10.0.0.0/8\nexample.org\n", BP_EPARSE, 0, ":2: 'example.org' is no address"},
		{"10.0.0.1/8\n", BP_ERANGE, 0, ":1: '10.0.0.1/8'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct prefixset set = {0};
		struct bp_error err = {0};
		char path[32];

		file_of(path, rows[i].text);
		assert_int_equal(targets_read_avoid(&set, path, &err), rows[i].rc);
		if (rows[i].rc == 0)
			assert_int_equal(set.count, rows[i].count);
		else
			assert_non_null(strstr(err.text, rows[i].says));
		unlink(path);
		assert_int_equal(targets_read_avoid(&set, path, &err), BP_ENOTFOUND);
		prefixset_fini(&set);
	}
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
		cmocka_unit_test(text_as_written),
		cmocka_unit_test(each_is_measured_once),
		cmocka_unit_test(methods_tell_apart),
		cmocka_unit_test(singles_are_kept),
		cmocka_unit_test(names_may_wait),
		cmocka_unit_test(wrong_lines_are_passed_over),
		cmocka_unit_test(files_that_are_no_text),
		cmocka_unit_test(avoid_lists),
		cmocka_unit_test(file_error_names_the_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

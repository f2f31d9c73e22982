// SPDX-License-Identifier: BSD-2-Clause
/* The outbox: order, what survives a reopening, what a killed process leaves, what is refused. */
#include "campaign/outbox.h"

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

struct bed {
	char dir[64], path[128];
	struct outbox box;
	struct bp_error err;
};

static int setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	strcpy(b->dir, "/tmp/outbox-XXXXXX");
	if (mkdtemp(b->dir) == NULL)
		return -1;
	snprintf(b->path, sizeof(b->path), "%s/a/b", b->dir);
	*state = b;
	return outbox_open(&b->box, b->path, &b->err);
}

static int teardown(void **state)
{
	struct bed *b = *state;
	char command[128];

	outbox_close(&b->box);
	snprintf(command, sizeof(command), "rm -r '%s'", b->dir);
	if (system(command) != 0)
		return -1;
	free(b);
	return 0;
}

static void reopen(struct bed *b)
{
	outbox_close(&b->box);
	if (outbox_open(&b->box, b->path, &b->err) < 0)
		fail_msg("%s", b->err.text);
}

static void put(struct bed *b, const char *hook, const char *id, const char *text)
{
	if (outbox_put(&b->box, hook, id, text, strlen(text), &b->err) < 0)
		fail_msg("%s", b->err.text);
}

static void assert_first(struct bed *b, const char *hook, const char *id, const char *text)
{
	const struct outbox_item *it = outbox_first(&b->box, hook);
	struct buf body;

	buf_init(&body);
	assert_non_null(it);
	assert_string_equal(it->id, id);
	assert_int_equal(outbox_read(&b->box, it, &body), 0);
	assert_string_equal(body.bytes, text);
	buf_fini(&body);
}

static void in_order_and_kept(void **state)
{
	struct bed *b = *state;

	put(b, "web", "ev-1-1", "one");
	put(b, "exec", "ev-1-1", "one, for another");
	put(b, "web", "ev-2-1", "two");
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(b->box.count, 3);
		assert_int_equal(outbox_waiting(&b->box, "web"), 2);
		assert_first(b, "web", "ev-1-1", "one");
		assert_first(b, "exec", "ev-1-1", "one, for another");
		reopen(b);
	}
	outbox_done(&b->box, outbox_first(&b->box, "web"));
	assert_first(b, "web", "ev-2-1", "two");
	reopen(b);
	assert_first(b, "web", "ev-2-1", "two");
	/* What comes now goes behind what was there. */
	put(b, "web", "ev-0-1", "three");
	reopen(b);
	assert_first(b, "web", "ev-2-1", "two");
	outbox_done(&b->box, outbox_first(&b->box, "web"));
	assert_first(b, "web", "ev-0-1", "three");
	assert_null(outbox_first(&b->box, "we"));
}

static void write_file(struct bed *b, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", b->path, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static bool is_there(struct bed *b, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", b->path, name);
	return access(path, F_OK) == 0;
}

/* Files beside, and whether one of them is a message. */
static const struct { const char *name; bool message; const char *why; } files[] = {
	{"web-00000000000000000007-ev-9-1.json", true, "ours"},
	{"web-7-ev-9-1.json", false, "a number of another length"},
	{"web-00000000000000000007-.json", false, "no id"},
	{"WEB-00000000000000000007-ev-9-1.json", false, "no hook of ours"},
	{"-00000000000000000007-ev-9-1.json", false, "no hook"},
	{"web-00000000000000000007-ev-9-1.json~", false, "an editor's"},
	{"web-99999999999999999999-ev-9-1.json", false, "a number beyond all"},
	{"README", false, "somebody's"},
};

static void foreign_files_stay(void **state)
{
	struct bed *b = *state;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		write_file(b, files[i].name, "text");
		reopen(b);
		if (b->box.count != files[i].message)
			fail_msg("%s: %s", files[i].name, files[i].why);
		if (files[i].message)
			outbox_done(&b->box, outbox_first(&b->box, "web"));
		else
			assert_true(is_there(b, files[i].name));
	}
	/* Half a message was counted on by nobody. */
	write_file(b, "part", "{\"ha");
	reopen(b);
	assert_false(is_there(b, "part"));
	assert_int_equal(b->box.count, 0);
}

static void what_was_told(void **state)
{
	struct bed *b = *state;
	struct stat st;
	char id[32], path[256];

	assert_false(outbox_was_told(&b->box, "ev-1-1"));
	assert_int_equal(outbox_tell(&b->box, "ev-1-1", &b->err), 0);
	assert_true(outbox_was_told(&b->box, "ev-1-1"));
	reopen(b);
	assert_true(outbox_was_told(&b->box, "ev-1-1"));
	assert_false(outbox_was_told(&b->box, "ev-1-"));
	/* A line that was being written: not told. */
	snprintf(path, sizeof(path), "%s/told", b->path);
	{
		FILE *f = fopen(path, "a");

		fputs("ev-2", f);
		fclose(f);
	}
	reopen(b);
	assert_false(outbox_was_told(&b->box, "ev-2"));
	/* Bounded: the oldest are forgotten, in the file too. */
	{
		FILE *f = fopen(path, "a");

		fputs("\n", f);
		for (unsigned i = 0; i < 2 * OUTBOX_TOLD - 6; i++)
			fprintf(f, "ev-%u-1\n", 1000 + i);
		fclose(f);
	}
	reopen(b);
	for (unsigned i = 0; i < 10; i++) {
		snprintf(id, sizeof(id), "ev-%u-1", 100000 + i);
		assert_int_equal(outbox_tell(&b->box, id, &b->err), 0);
	}
	assert_true(outbox_was_told(&b->box, id));
	assert_false(outbox_was_told(&b->box, "ev-1-1"));
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size < (off_t)(2 * OUTBOX_TOLD * 12));
	reopen(b);
	assert_true(outbox_was_told(&b->box, id));
}

static void what_is_refused(void **state)
{
	struct bed *b = *state;

	assert_int_equal(outbox_put(&b->box, "we b", "x", "", 0, &b->err), BP_EINVAL);
	assert_int_equal(outbox_put(&b->box, "web", "../x", "", 0, &b->err), BP_EINVAL);
	assert_int_equal(outbox_put(&b->box, "web", "", "", 0, &b->err), BP_EINVAL);
	assert_int_equal(outbox_tell(&b->box, "a\nb", &b->err), BP_EINVAL);
	for (unsigned i = 0; i < OUTBOX_MAX; i++) {
		char name[64];

		snprintf(name, sizeof(name), "web-%020u-x.json", i);
		write_file(b, name, "");
	}
	reopen(b);
	assert_int_equal(outbox_put(&b->box, "web", "x", "", 0, &b->err), BP_EAGAIN);
	assert_non_null(strstr(b->err.text, "1000 messages wait"));
	outbox_done(&b->box, outbox_first(&b->box, "web"));
	put(b, "web", "x", "");
	{
		struct outbox second;

		assert_true(outbox_open(&second, "/proc/none/such", &b->err) < 0);
		assert_true(b->err.text[0] != '\0');
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(in_order_and_kept),
		T(foreign_files_stay),
		T(what_was_told),
		T(what_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause
/* Objects out of streams of JSON: where each begins and ends, on which line, and what is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/record/format.h"
#include "tests/unit/seeds.h"

#define BYTES(text) text, sizeof(text) - 1

/* "1:{...}" for an object of line 1, "2!what" for what is skipped. */
static int read_all(struct record_reader *r, struct buf *out, struct bp_error *err)
{
	const char *object;
	size_t n;
	int rc;

	for (;;) {
		rc = record_object(r, &object, &n, err);
		if (rc == BP_EOF || rc == BP_EIO || rc == BP_ENOMEM)
			return rc;
		buf_printf(out, "%llu", (unsigned long long)r->line);
		if (rc < 0) {
			buf_printf(out, "!%s", err->text);
		} else {
			assert_int_equal(object[n], '\0');
			buf_char(out, ':');
			buf_append(out, object, n);
		}
		buf_char(out, '\n');
	}
}

static const struct {
	const char *bytes;
	size_t n;
	const char *is, *reason;
} rows[] = {
	{BYTES("{\"a\":1}\n{\"b\":2}\n"), "1:{\"a\":1}\n2:{\"b\":2}\n", "JSON Lines"},
	{BYTES("{\"a\":1}\r\n\n {\"b\":2}"), "1:{\"a\":1}\n3:{\"b\":2}\n", "CRLF, blanks, no last newline"},
	{BYTES("\xef\xbb\xbf{}"), "1:{}\n", "a byte order mark"},
	{BYTES("{\"a\":[{\"b\":{}}]}{\"c\":1}"), "1:{\"a\":[{\"b\":{}}]}\n1:{\"c\":1}\n", "one behind another"},
	{BYTES("{\n \"a\":\n  {\n  }\n}\n{\"b\":\n1}\n"), "1:{\n \"a\":\n  {\n  }\n}\n6:{\"b\":\n1}\n",
	 "over several lines"},
	{BYTES("{\n\"a\":[\n{},\n{}\n]}\n"), "1:{\n\"a\":[\n{},\n{}\n]}\n", "inner objects at the margin"},
	{BYTES("[ {\"a\":1},{\"b\":2} ,\n{\"c\":3}]\n"), "1:{\"a\":1}\n1:{\"b\":2}\n2:{\"c\":3}\n", "an array"},
	{BYTES("[]\n[{}]\n[]"), "2:{}\n", "arrays one after another"},
	{BYTES("{\"a\":\"}{\\\"}\"}\n"), "1:{\"a\":\"}{\\\"}\"}\n", "brackets and quotes in text"},
	{BYTES("{\"a\":\"\\\\\"}\n{}"), "1:{\"a\":\"\\\\\"}\n2:{}\n", "a backslash at the end of text"},
	{BYTES("x\"}]}\n{\"a\":1}\n"), "1!not JSON: expected an object\n2:{\"a\":1}\n", "the front is cut off"},
	{BYTES("1 {} 2\n{}\n"), "1!not JSON: expected an object\n2:{}\n", "a line of something else"},
	{BYTES("[{},x,y,{\"b\":1}]"), "1:{}\n1!not JSON: expected an object\n1:{\"b\":1}\n",
	 "something else in an array: what is behind it is read"},
	{BYTES("{}\n\0\0\0\n{\"a\":1}\n"), "1:{}\n2!not JSON: a NUL byte\n3:{\"a\":1}\n", "a hole of NULs"},
	{BYTES("{\"a\":1}\n{\"b\":[1,\n{\"c\":3}\n"), "1:{\"a\":1}\n2!not JSON: the object is not closed\n"
	 "3:{\"c\":3}\n", "cut in mid-line, where objects come one a line"},
	{BYTES("{\"a\":\"x\n{\"c\":3}\n"), "1!not JSON: the object is not closed\n2:{\"c\":3}\n",
	 "cut in a text, even as the first"},
	{BYTES("{\"a\":1}\n{\"b\":[1,"), "1:{\"a\":1}\n2!the last object is cut\n", "cut at the end"},
	{BYTES("{\"a\":1]"), "1:{\"a\":1]\n", "the wrong bracket closes: the parser will say so"},
	{BYTES("}\n]{}\n"), "1!not JSON: expected an object\n2:{}\n", "closed and never opened"},
	{BYTES("\xef\xbb{}\n{}"), "1!not JSON: expected an object\n2:{}\n", "half a byte order mark"},
	{BYTES("null\n\"{}\"\n3\n{}\n"), "1!not JSON: expected an object\n2!not JSON: expected an object\n"
	 "3!not JSON: expected an object\n4:{}\n", "values that are no objects"},
	{BYTES(""), "", "empty"},
	{BYTES(" \n\n"), "", "blank"},
};

static void objects_of_streams(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		FILE *f = fmemopen((void *)(uintptr_t)rows[i].bytes, rows[i].n ? rows[i].n : 1, "r");
		struct bp_error err = {0};
		struct record_reader r;
		struct buf out;

		seed_write("atlas", "stream", i, rows[i].bytes, rows[i].n);
		if (rows[i].n == 0)
			getc(f);
		buf_init(&out);
		buf_str(&out, "");
		record_reader_init(&r, f, "in", NULL);
		assert_int_equal(read_all(&r, &out, &err), BP_EOF);
		if (strcmp(out.bytes, rows[i].is) != 0)
			fail_msg("%s:\n%s", rows[i].reason, out.bytes);
		record_reader_fini(&r);
		buf_fini(&out);
		fclose(f);
	}
}

/* An array of any size on one line; and an object that is too large, in bounded memory. */
static void large(void **state)
{
	static const char small[] = "{\"a\":\"0123456789012345678901234567890123456789\"},";
	struct bp_error err = {0};
	struct record_reader r;
	const char *object;
	unsigned count = 0;
	size_t n, pads = RECORD_LINE_MAX / 64 + 2;
	FILE *f = tmpfile();

	(void)state;
	fputc('[', f);
	for (unsigned i = 0; i < 500000; i++)
		fputs(small, f);
	fputs("{\"pad\":\"", f);
	for (size_t i = 0; i < pads; i++)
		fputs("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", f);
	fputs("\"},{\"last\":1}]", f);
	rewind(f);
	record_reader_init(&r, f, "in", NULL);
	while (record_object(&r, &object, &n, &err) == 0)
		count++;
	assert_int_equal(count, 500000);
	assert_string_equal(err.text, "object over 16 MiB");
	assert_true(r.text.size <= 2 * (size_t)RECORD_LINE_MAX);
	assert_int_equal(record_object(&r, &object, &n, &err), 0);
	assert_string_equal(object, "{\"last\":1}");
	assert_int_equal(record_object(&r, &object, &n, &err), BP_EOF);
	record_reader_fini(&r);
	fclose(f);
}

/* An object is there as soon as its brace is, without its newline. */
static void a_live_stream_is_not_held_up(void **state)
{
	struct bp_error err = {0};
	struct record_reader r;
	const char *object;
	int fd[2];
	size_t n;
	FILE *f;

	(void)state;
	assert_int_equal(pipe(fd), 0);
	f = fdopen(fd[0], "r");
	record_reader_init(&r, f, "-", NULL);
	alarm(20);
	assert_int_equal(write(fd[1], "{\"a\":1}", 7), 7);
	assert_int_equal(record_object(&r, &object, &n, &err), 0);
	assert_int_equal(write(fd[1], "\n{}", 3), 3);
	assert_int_equal(record_object(&r, &object, &n, &err), 0);
	alarm(0);
	assert_int_equal(r.line, 2);
	close(fd[1]);
	assert_int_equal(record_object(&r, &object, &n, &err), BP_EOF);
	record_reader_fini(&r);
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_of_streams),
		cmocka_unit_test(large),
		cmocka_unit_test(a_live_stream_is_not_held_up),
	};

	return cmocka_run_group_tests_name("core/record/jsonstream", tests, NULL, NULL);
}

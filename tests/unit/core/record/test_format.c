// SPDX-License-Identifier: BSD-2-Clause
/* Streams of records: detection by content, what is skipped and told, what is refused and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/core/record/read_text.h"
#include "tests/unit/seeds.h"

#define TRACE(dst) "{\"type\":\"trace\",\"version\":1,\"dst\":\"" dst "\"}"
#define TRACE_IS(dst) "unknown > " dst " unknown unknown\n\n"
#define BYTES(text) text, sizeof(text) - 1

static const struct {
	const char *bytes;
	size_t n;
	int code;
	const char *is;    /* what the reader gives, skips included */
	const char *says;  /* part of the final message */
	const char *reason;
} files[] = {
	{BYTES(TRACE("10.0.0.1") "\n" TRACE("10.0.0.2") "\n"), BP_EOF,
	 TRACE_IS("10.0.0.1") TRACE_IS("10.0.0.2"), "", "two records"},
	{BYTES("\n  \n" TRACE("10.0.0.1") "\r\n\n" TRACE("10.0.0.2")), BP_EOF,
	 TRACE_IS("10.0.0.1") TRACE_IS("10.0.0.2"), "", "blank lines, CRLF, no last newline"},
	{BYTES("\xef\xbb\xbf" TRACE("10.0.0.1") "\n"), BP_EOF, TRACE_IS("10.0.0.1"), "", "BOM"},
	{BYTES(TRACE("10.0.0.1") "\n{\"type\":\"tr"), BP_EOF,
	 TRACE_IS("10.0.0.1") "skipped in:2: the last line is cut: not JSON at column 11: "
	 "premature end of input\n", "", "cut in the middle of a record"},
	{BYTES("0.0.1\"}\n" TRACE("10.0.0.2") "\n"), BP_EOF,
	 "skipped in:1: not JSON at column 3: '[' or '{' expected\n" TRACE_IS("10.0.0.2"), "",
	 "the front cut off, as by tail -c"},
	{BYTES(TRACE("10.0.0.1") "\n" TRACE("10.0.0") "\n" TRACE("10.0.0.3") "\n"), BP_EOF,
	 TRACE_IS("10.0.0.1") "skipped in:2: dst: expected an IPv4 or IPv6 address\n"
	 TRACE_IS("10.0.0.3"), "", "one bad record does not end the reading"},
	{BYTES(TRACE("10.0.0.1") "\n\0\0\0\n" TRACE("10.0.0.3") "\n"), BP_EOF,
	 TRACE_IS("10.0.0.1") "skipped in:2: not JSON at column 1: a NUL byte\n"
	 TRACE_IS("10.0.0.3"), "", "a hole of NULs, as after a crash"},
	{BYTES("{\"type\":\"round\",\"id\":\"r1\"}\n{\"type\":\"weather\"}\n[1]\n"), BP_EOF,
	 "record of kind 3\nrecord of kind 0\nskipped in:3: JSON, but no record of ours: not an object\n",
	 "", "other kinds pass through"},
	{BYTES("{\"hops\":[],\n"), BP_EPARSE, "", "JSON of another program", "no type"},
	{BYTES("{\"type\" : \"event\" }\n"), BP_EOF, "record of kind 4\n", "", "spaces in JSON"},
	{BYTES(""), BP_EPARSE, "", "in: empty file", "empty"},
	{BYTES("\n\n \n"), BP_EPARSE, "", "nothing but blank lines", "blank"},
	{BYTES("hello world\nthis is text\n"), BP_EPARSE, "", "text without a traceroute", "prose"},
	{BYTES("epoch;rtt;cp\n2016-01-01;3.5;0\n"), BP_EPARSE, "", "text without a traceroute", "CSV"},
	{BYTES("<!DOCTYPE html>\n<html><body>1 2 3</body></html>\n"), BP_EPARSE, "", "HTML", "a page"},
	{BYTES("{\"fw\":5020,\"type\":\"traceroute\",\"prb_id\":53023,\"result\":[]}\n"), BP_EOF,
	 "unknown > - unknown unknown\n\n", "", "Atlas"},
	{BYTES("[{\"prb_id\":1}]\n"), BP_EOF, "skipped in:1: JSON, but no traceroute of RIPE Atlas\n", "",
	 "Atlas of another kind, an array"},
	{BYTES("{\"type\":\"cycle-start\",\"list_name\":\"x\"}\n{\"type\":\"trace\",\"version\":\"0.1\","
	       "\"userid\":0}\n"), BP_EOF, "skipped in:2: dst: expected an address\n", "",
	 "scamper's trace has our type"},
	{BYTES("{\"report\":{\"mtr\":{\"src\":\"a\"}}}\n"), BP_EOF,
	 "skipped in:1: report.hubs: expected an array of hops\n", "", "mtr --json"},
	{BYTES("HOST: a   Loss%   Snt   Last\n  1.|-- 10.0.0.1  0.0%  10  0.3\n"), BP_EPARSE, "",
	 "an mtr report", "mtr --report"},
	{BYTES("\x1f\x8b\x08\0\0\0"), BP_EPARSE, "", "gzip", "compressed"},
	{BYTES("\x28\xb5\x2f\xfd\x04"), BP_EPARSE, "", "zstd", "compressed"},
	{BYTES("\xfd" "7zXZ\0"), BP_EPARSE, "", "xz", "compressed"},
	{BYTES("BZh91AY"), BP_EPARSE, "", "bzip2", "compressed"},
	{BYTES("PK\x03\x04"), BP_EPARSE, "", "zip", "compressed"},
	{BYTES("\xff\xfe{\0\"\0"), BP_EPARSE, "", "UTF-16", "what PowerShell's > writes"},
	{BYTES("\xd4\xc3\xb2\xa1\2\0\4\0"), BP_EPARSE, "", "packet capture", "pcap"},
	{BYTES("\x4d\x3c\xb2\xa1\2\0\4\0"), BP_EPARSE, "", "packet capture", "pcap, nanoseconds"},
	{BYTES("\x0a\x0d\x0d\x0a\x1c\0"), BP_EPARSE, "", "packet capture", "pcapng"},
	{BYTES("SQLite format 3\0x"), BP_EPARSE, "", "SQLite", "a store"},
	{BYTES("\x7f" "ELF\2\1"), BP_EPARSE, "", "a program", "ELF"},
	{BYTES("%PDF-1.7\n"), BP_EPARSE, "", "PDF", "a paper"},
	{BYTES("a\0b\0c\0"), BP_EPARSE, "", "binary data", "NULs"},
	{BYTES("1 2\n2 4\n3 6\n"), BP_EPARSE, "", "text without a traceroute", "columns of figures"},
	{BYTES("10.0.0.1 10.0.0.2\n10.0.0.3\n"), BP_EPARSE, "", "text without a traceroute",
	 "a list of addresses"},
};

static void files_of_all_kinds(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct bp_error err = {0};
		struct buf out;
		int rc;

		seed_write("text", "file", i, files[i].bytes, files[i].n);
		buf_init(&out);
		buf_str(&out, "");
		rc = read_text(files[i].bytes, files[i].n, NULL, &out, &err);
		if (rc != files[i].code || strcmp(out.bytes, files[i].is) != 0 ||
		    strstr(err.text, files[i].says) == NULL)
			fail_msg("%s: %d \"%s\"\n%s", files[i].reason, rc, err.text, out.bytes);
		if (rc != BP_EOF)
			assert_memory_equal(err.text, "in: ", 4);
		buf_fini(&out);
	}
}

static void a_named_format_is_believed(void **state)
{
	struct bp_error err = {0};
	struct buf out;

	(void)state;
	buf_init(&out);
	assert_ptr_equal(format_find("jsonl"), &jsonl_format);
	assert_ptr_equal(format_find("traceroute"), &traceroute_text_format);
	assert_null(format_find("pcap"));
	assert_int_equal(read_text(BYTES("x\n"), &jsonl_format, &out, &err), BP_EOF);
	assert_string_equal(out.bytes, "skipped in:1: not JSON at column 1: lexical error: invalid "
				       "char in json text\n");
	buf_clear(&out);
	assert_int_equal(read_text(BYTES("x\n"), &traceroute_text_format, &out, &err), BP_EPARSE);
	assert_string_equal(err.text, "in: no traceroute record in it");
	assert_int_equal(read_text("", 0, &jsonl_format, &out, &err), BP_EPARSE);
	assert_string_equal(err.text, "in: empty file");
	assert_string_equal(out.bytes, "");
	buf_fini(&out);
	for (const struct format *const *f = formats; *f != NULL; f++)
		assert_ptr_equal(format_find((*f)->name), *f);
}

/* Over RECORD_LINE_MAX: passed over in bounded memory, told, and the next record is read. */
static void huge_lines(void **state)
{
	struct bp_error err = {0};
	struct buf file, out;
	const char *tail = "\n" TRACE("10.0.0.2") "\n";

	(void)state;
	buf_init(&file);
	buf_init(&out);
	buf_str(&file, TRACE("10.0.0.1") "\n{\"type\":\"trace\",\"pad\":\"");
	for (size_t n = 0; n < RECORD_LINE_MAX; n += 64)
		buf_str(&file, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	buf_str(&file, "\"}");
	buf_str(&file, tail);
	assert_int_equal(read_text(file.bytes, file.used, NULL, &out, &err), BP_EOF);
	assert_string_equal(out.bytes, TRACE_IS("10.0.0.1") "skipped in:2: line over 16 MiB\n"
						TRACE_IS("10.0.0.2"));
	/* As the last line, and as the only one. */
	buf_clear(&out);
	assert_int_equal(read_text(file.bytes, file.used - strlen(tail), NULL, &out, &err), BP_EOF);
	assert_string_equal(out.bytes, TRACE_IS("10.0.0.1") "skipped in:2: line over 16 MiB\n");
	buf_clear(&out);
	memset(file.bytes, 'x', file.used);
	assert_int_equal(read_text(file.bytes, file.used, NULL, &out, &err), BP_EPARSE);
	assert_string_equal(out.bytes, "");
	buf_fini(&file);
	buf_fini(&out);
}

/* `borderpath trace | borderpath judge -`: a record is there as soon as its line is. */
static void a_live_stream_is_not_held_up(void **state)
{
	static const char first[] = TRACE("10.0.0.1") "\n", second[] = TRACE("10.0.0.2") "\n";
	struct bp_error err = {0};
	struct record_reader r;
	struct record rec;
	int fd[2];
	FILE *f;

	(void)state;
	assert_int_equal(pipe(fd), 0);
	f = fdopen(fd[0], "r");
	record_reader_init(&r, f, "-", NULL);
	record_init(&rec);
	assert_int_equal(write(fd[1], first, strlen(first)), strlen(first));
	/* The other end stays open: reading ahead would hang here. */
	alarm(20);
	assert_int_equal(record_read(&r, &rec, &err), 0);
	assert_int_equal(rec.trace->dst.bytes[3], 1);
	record_fini(&rec);
	assert_int_equal(write(fd[1], second, strlen(second)), strlen(second));
	assert_int_equal(record_read(&r, &rec, &err), 0);
	assert_int_equal(rec.trace->dst.bytes[3], 2);
	record_fini(&rec);
	alarm(0);
	close(fd[1]);
	assert_int_equal(record_read(&r, &rec, &err), BP_EOF);
	assert_int_equal(r.read, 2);
	assert_int_equal(r.line, 2);
	record_reader_fini(&r);
	fclose(f);
}

static void a_directory_is_no_file(void **state)
{
	struct bp_error err = {0};
	struct record_reader r;
	struct record rec;
	FILE *f = fopen(".", "r");

	(void)state;
	record_reader_init(&r, f, ".", NULL);
	record_init(&rec);
	assert_int_equal(record_read(&r, &rec, &err), BP_EIO);
	assert_string_equal(err.text, ".: Is a directory");
	record_reader_fini(&r);
	fclose(f);
}

/* Lines given back are given again, once, and are the same. */
static void lines_back(void **state)
{
	static const char text[] = "one\ntwo\n";
	FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	struct bp_error err = {0};
	struct record_reader r;
	const char *line;
	size_t n;

	(void)state;
	record_reader_init(&r, f, "in", &jsonl_format);
	assert_int_equal(record_line(&r, &line, &n, &err), 0);
	assert_string_equal(line, "one");
	record_line_back(&r);
	assert_int_equal(record_line(&r, &line, &n, &err), 0);
	assert_string_equal(line, "one");
	assert_int_equal(r.line, 1);
	assert_int_equal(record_line(&r, &line, &n, &err), 0);
	assert_string_equal(line, "two");
	assert_int_equal(n, 3);
	assert_int_equal(record_line(&r, &line, &n, &err), BP_EOF);
	record_reader_fini(&r);
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_of_all_kinds),
		cmocka_unit_test(a_named_format_is_believed),
		cmocka_unit_test(huge_lines),
		cmocka_unit_test(a_live_stream_is_not_held_up),
		cmocka_unit_test(a_directory_is_no_file),
		cmocka_unit_test(lines_back),
	};

	return cmocka_run_group_tests_name("core/record/format", tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * scamper's binary files through its own program: a file, one that is cut, one from a pipe, and
 * what is told where the program is missing or does not behave. Programs of our own stand in for it
 * on a PATH of our own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/record/format.h"
#include "tests/unit/core/record/read_text.h"

#define FILE_NAME "tests/golden/warts/chain.warts"
#define IS "udp:33435 > 10.3.0.2 reached reached size 44 q 2 from 10.1.0.1 at "                   \
	   "2026-11-22 23:48:57 UTC\n| 1 10.1.0.2/0.057!11.0 | 2 * * | 3 10.3.0.2/0.083!3.3 \n"
/* A file handed over with the project, where it is. */
#define SHARED_NAME "../shared/data/warts/trace_google_dns_v4_default.warts"
#define SHARED_IS "udp:33435 > 8.8.8.8 reached reached size 44 q 2 from 137.194.165.109 at "      \
	   "2022-02-08 13:35:19 UTC\n| 1 137.194.164.254/1.057!11.0 | 2 137.194.22.119/0.955!11.0 " \
	   "| 3 212.73.200.45/1.443!11.0 | 4 4.69.133.238/1.556!11.0 | 5 4.68.71.138/1.507!11.0 "   \
	   "| 6 * * | 7 8.8.8.8/1.969!3.3 \n"

static bool have_program(void)
{
	const char *path = getenv("PATH");
	char file[512];

	while (path != NULL && *path != '\0') {
		size_t n = strcspn(path, ":");

		snprintf(file, sizeof(file), "%.*s/sc_warts2json", (int)n, path);
		if (access(file, X_OK) == 0)
			return true;
		path += n + (path[n] == ':');
	}
	return false;
}

static int read_stream(FILE *f, struct buf *out, struct bp_error *err)
{
	struct record_reader r;
	struct record rec;
	int rc;

	assert_non_null(f);
	record_reader_init(&r, f, "in", NULL);
	r.on_skip = note_skip;
	r.on_skip_arg = out;
	buf_str(out, "");
	record_init(&rec);
	while ((rc = record_read(&r, &rec, err)) == 0) {
		put_trace_text(out, rec.trace);
		record_fini(&rec);
	}
	assert_string_equal(r.format ? r.format->name : "", "warts");
	record_reader_fini(&r);
	return rc;
}

/* No child is left behind, running or not. */
static void assert_no_children(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void a_file_and_a_pipe(void **state)
{
	struct bp_error err = {0};
	struct buf out;
	FILE *f;

	(void)state;
	if (!have_program())
		skip();
	buf_init(&out);
	f = fopen(FILE_NAME, "r");
	if (read_stream(f, &out, &err) != BP_EOF)
		fail_msg("%s", err.text);
	assert_string_equal(out.bytes, IS);
	fclose(f);
	buf_clear(&out);
	f = popen("cat " FILE_NAME, "r");
	if (read_stream(f, &out, &err) != BP_EOF)
		fail_msg("%s", err.text);
	assert_string_equal(out.bytes, IS);
	pclose(f);
	assert_no_children();
	buf_clear(&out);
	f = fopen(SHARED_NAME, "r");
	if (f != NULL) {
		assert_int_equal(read_stream(f, &out, &err), BP_EOF);
		assert_string_equal(out.bytes, SHARED_IS);
		fclose(f);
	}
	buf_fini(&out);
}

static void a_cut_file_is_told(void **state)
{
	struct bp_error err = {0};
	struct buf out;
	FILE *f;

	(void)state;
	if (!have_program())
		skip();
	buf_init(&out);
	f = popen("head -c 150 " FILE_NAME, "r");
	assert_int_equal(read_stream(f, &out, &err), BP_EIO);
	assert_memory_equal(err.text, "in: damaged: sc_warts2json says: ", 33);
	assert_string_equal(out.bytes, "");
	pclose(f);
	buf_fini(&out);
}

/* What the program on PATH does, and what is made of it. */
static const struct {
	const char *script; /* NULL: there is none */
	int code;
	const char *records, *says, *why;
} programs[] = {
	{NULL, BP_ENOTFOUND, "", "in: scamper's warts is read by the program sc_warts2json, which is "
	 "not installed (Debian package: scamper)", "no program"},
	{"exit 127", BP_ENOTFOUND, "", "in: scamper's warts is read by the program sc_warts2json, which "
	 "is not installed (Debian package: scamper)", "none, as posix_spawn() may tell it: by the status"},
	{"exec /bin/false", BP_EIO, "", "in: sc_warts2json ended with status 1: damaged?", "a status"},
	{"kill -SEGV $$", BP_EIO, "", "in: sc_warts2json was ended by signal 11: damaged?", "a crash"},
	{"echo '{\"type\":\"trace\",\"dst\":\"192.0.2.9\",\"hop_count\":1}'; echo 'bad record' >&2",
	 BP_EIO, "unknown > 192.0.2.9 unknown unknown q 1\n| 1 * \n",
	 "in: damaged: sc_warts2json says: bad record", "a complaint; what came before is kept"},
	{"/bin/cat >/dev/null; echo '{\"type\":\"trace\",\"dst\":\"192.0.2.9\",\"hop_count\":1}'; echo '[]'; echo '{\"type\":5}'",
	 BP_EOF, "unknown > 192.0.2.9 unknown unknown q 1\n| 1 * \n"
	 "skipped in:3: type: scamper's records have one\n", "", "no record"},
	{"echo '{\"type\":\"cycle-start\"}'", BP_EPARSE, "", "in: no warts record in it", "no traces"},
};

static void make_program(const char *dir, const char *script)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/sc_warts2json", dir);
	unlink(path);
	if (script == NULL)
		return;
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", script);
	fclose(f);
	assert_int_equal(chmod(path, 0755), 0);
}

static void programs_that_do_not_behave(void **state)
{
	char dir[] = "/tmp/bp-warts-XXXXXX";
	char *path = strdup(getenv("PATH"));

	(void)state;
	assert_non_null(mkdtemp(dir));
	setenv("PATH", dir, 1);
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		struct bp_error err = {0};
		struct buf out;
		FILE *f = fopen(FILE_NAME, "r");
		int rc;

		make_program(dir, programs[i].script);
		buf_init(&out);
		rc = read_stream(f, &out, &err);
		if (rc != programs[i].code || strcmp(out.bytes, programs[i].records) != 0 ||
		    (rc != BP_EOF && strcmp(err.text, programs[i].says) != 0))
			fail_msg("%s: %d %s\n%s", programs[i].why, rc, err.text, out.bytes);
		fclose(f);
		buf_fini(&out);
		assert_no_children();
	}
	make_program(dir, NULL);
	rmdir(dir);
	setenv("PATH", path, 1);
	free(path);
}

/* A reader that is closed before the end waits for nobody: a program without an end is ended. */
static void closing_ends_the_program(void **state)
{
	char dir[] = "/tmp/bp-warts-XXXXXX";
	char *path = strdup(getenv("PATH"));
	FILE *f = fopen(FILE_NAME, "r");
	struct bp_error err = {0};
	struct record_reader r;
	struct record rec;

	(void)state;
	assert_non_null(mkdtemp(dir));
	make_program(dir, "echo '{\"type\":\"trace\",\"dst\":\"192.0.2.9\",\"hop_count\":1}'\n"
			  "exec /bin/sleep 1000");
	setenv("PATH", dir, 1);
	record_reader_init(&r, f, "in", NULL);
	record_init(&rec);
	alarm(60);
	assert_int_equal(record_read(&r, &rec, &err), 0);
	record_fini(&rec);
	record_reader_fini(&r);
	alarm(0);
	assert_no_children();
	fclose(f);
	make_program(dir, NULL);
	rmdir(dir);
	setenv("PATH", path, 1);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_and_a_pipe),
		cmocka_unit_test(a_cut_file_is_told),
		cmocka_unit_test(programs_that_do_not_behave),
		cmocka_unit_test(closing_ends_the_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

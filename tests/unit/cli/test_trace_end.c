// SPDX-License-Identifier: BSD-2-Clause
/* What a run comes to: exit codes, the mark in JSON Lines, and the line of progress. */
#include "cli/trace_end.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "cli/cli.h"
#include "cli/progress_line.h"

static const struct {
	const char *why;
	struct trace_end end;
	int code;
	bool marked, complete;
	const char *says; /* on stderr, or NULL for nothing */
} rows[] = {
	{"as planned", {.planned = 4, .traces = 4}, CLI_OK, false, true, NULL},
	{"a target that cannot be measured", {.planned = 4, .traces = 4, .failed = 1, .failure = "why"},
	 CLI_PARTIAL, false, false, "1 of 4 paths not measured: why"},
	{"none could be measured", {.planned = 2, .traces = 2, .failed = 2, .failure = "why"},
	 CLI_FAILURE, false, false, "2 of 2 paths not measured: why"},
	{"a word that names nothing", {.planned = 1, .traces = 1, .wrong = 1}, CLI_PARTIAL, false, true,
	 NULL},
	{"on a list", {.planned = 1, .traces = 1, .avoided = 1}, CLI_PARTIAL, false, true,
	 "1 target left out"},
	{"drops", {.planned = 1, .traces = 1, .frame.drops = 7}, CLI_OK, true, true,
	 "the kernel dropped 7 captured packets"},
	{"slowed", {.planned = 1, .traces = 1, .frame = {.slowed_times = 2, .slowed_pps = 120,
	 .repeated = 33}}, CLI_OK, true, true,
	 "cut 2 times, to 120 a second at the lowest, and 33 probes were"},
	{"interrupted", {.planned = 65536, .traces = 300, .cut = 40, .frame.interrupted = 1},
	 CLI_PARTIAL, true, false,
	 "interrupted: 260 of 65536 paths are complete, 40 as far as they came, 65236 not begun"},
	{"interrupted before it began", {.planned = 3, .frame.interrupted = 1}, CLI_PARTIAL, true, false,
	 "interrupted: 0 of 3"},
	{"the prober failed on the way", {.planned = 9, .traces = 4, .frame = {.code = BP_EIO,
	 .text = "poll: no"}}, CLI_PARTIAL, true, false, "poll: no"},
	{"it failed before it began", {.planned = 9, .frame = {.code = BP_EPERM, .text = "no right"}},
	 CLI_FAILURE, false, false, "no right"},
};

/* What f writes to stderr while it runs. */
static int told(int (*f)(const struct trace_end *e, bool quiet), const struct trace_end *e,
		bool quiet, char *out, size_t size)
{
	FILE *file = tmpfile();
	int kept = dup(STDERR_FILENO), rc;
	size_t n;

	assert_non_null(file);
	fflush(stderr);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	rc = f(e, quiet);
	fflush(stderr);
	dup2(kept, STDERR_FILENO);
	close(kept);
	rewind(file);
	n = fread(out, 1, size - 1, file);
	out[n] = '\0';
	fclose(file);
	return rc;
}

static void ends(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[2048];
		int code = told(trace_end_tell, &rows[i].end, false, text, sizeof(text));

		if (code != rows[i].code || (rows[i].says == NULL ? text[0] != '\0' :
					     strstr(text, rows[i].says) == NULL))
			fail_msg("%s: exit %d, \"%s\"", rows[i].why, code, text);
		/* Each thing is one line. */
		assert_true(text[0] == '\0' || strchr(text, '\n') == text + strlen(text) - 1);
		assert_int_equal(trace_end_marked(&rows[i].end), rows[i].marked);
		/* Warnings are talk; what makes the exit code is not. */
		assert_int_equal(told(trace_end_tell, &rows[i].end, true, text, sizeof(text)),
				 code);
		assert_int_equal(text[0] != '\0', rows[i].says != NULL && code != CLI_OK);
	}
}

static void marks(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct trace_end *e = &rows[i].end;
		struct trace_end named = *e;
		json_t *o, *slowed;

		named.vantage = "fra1";
		named.start = (struct wall){INT64_C(1700000000000000000)};
		named.end = (struct wall){INT64_C(1700000001000000000)};
		buf_clear(&out);
		trace_end_write(&out, &named);
		o = json_loads(out.bytes, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(o);
		assert_int_equal(out.bytes[out.used - 1], '\n');
		assert_memory_equal(out.bytes, "{\"type\":\"run\",\"version\":1,", 26);
		if (json_is_true(json_object_get(o, "complete")) != rows[i].complete)
			fail_msg("%s: complete", rows[i].why);
		assert_int_equal(json_integer_value(json_object_get(o, "planned")), e->planned);
		assert_int_equal(json_integer_value(json_object_get(o, "done")) +
				 json_integer_value(json_object_get(o, "cut")) +
				 json_integer_value(json_object_get(o, "failed")), e->traces);
		assert_int_equal(json_integer_value(json_object_get(o, "drops")), e->frame.drops);
		slowed = json_object_get(o, "slowed");
		assert_int_equal(slowed != NULL, e->frame.slowed_times > 0);
		assert_int_equal(json_integer_value(json_object_get(slowed, "repeated")),
				 e->frame.repeated);
		assert_int_equal(json_object_get(o, "error") != NULL, e->frame.code < 0);
		json_decref(o);
	}
	buf_fini(&out);
}

static void progress(void **state)
{
	static const struct {
		const char *why;
		struct frame_progress p;
		uint64_t paths;
		int64_t elapsed_ns;
		const char *line;
	} lines[] = {
		{"nothing yet", {.planned = 1}, 1, 0, "0 of 1 paths, 0 probes/s"},
		{"half of it", {.done = 50, .sent = 1000, .received = 900, .rate_pps = 100}, 100,
		 10 * NS_PER_S, "50 of 100 paths, 11 s left, 100 probes/s, 90 % answered"},
		{"a large run, slowed, with drops",
		 {.done = 655, .sent = 10000, .received = 9990, .rate_pps = 480, .pace_pps = 500,
		  .drops = 3}, 65536, 60 * NS_PER_S,
		 "655 of 65536 paths, 99 min left, 480 probes/s (slowed to 500), 3 dropped, 99 % answered"},
		{"paths of shared beginnings that were asked again", {.done = 1030, .rate_pps = 5}, 1024,
		 60 * NS_PER_S, "1024 of 1024 paths, 5 probes/s"},
		{"more answers than probes", {.done = 1, .sent = 10, .received = 12}, 1, NS_PER_S,
		 "1 of 1 paths, 10 probes/s, 100 % answered"},
		{"a live hop", {.sent = 1, .received = 1, .rate_pps = 1, .ttl = 3, .rtt_ns = 1500000,
		 .from = {.family = 4, .bytes = {192, 0, 2, 1}}}, 1, NS_PER_S,
		 "0 of 1 paths, 1 probes/s, 100 % answered   hop 3: 192.0.2.1 1.5 ms"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct buf out;

		buf_init(&out);
		progress_line(&out, &lines[i].p, lines[i].paths, lines[i].elapsed_ns, 0, NS_PER_S);
		if (strcmp(out.bytes, lines[i].line) != 0)
			fail_msg("%s: \"%s\"", lines[i].why, out.bytes);
		buf_fini(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends),
		cmocka_unit_test(marks),
		cmocka_unit_test(progress),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause
/* Plans as they come out of a pipe: whole, byte by byte, out of order, cut, too long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "prober/input.h"
#include "tests/unit/seeds.h"

#define HEAD "borderpath-plan 1\nrun window=7\n"
#define AVOID "avoid prefix=192.0.2.0/24\n"
#define TRACE(seq) "trace seq=" #seq " dst=192.0.2.1 method=icmp\n"

static const struct {
	const char *why, *plan;
	int rc;            /* of the end of it */
	unsigned traces;   /* handed over before */
	bool cut;
	const char *says;
} rows[] = {
	{"a whole plan", HEAD TRACE(1) TRACE(2) "end\n", 0, 2, false, NULL},
	{"no target", HEAD "end\n", 0, 0, false, NULL},
	{"what follows the end is not read", HEAD "end\nrm -rf\n", 0, 0, false, NULL},
	{"cut before the end", HEAD TRACE(1), 0, 1, true, NULL},
	{"cut in a line", HEAD TRACE(1) "trace seq=2 dst=192.0.2.1 method=ic", 0, 1, true, NULL},
	{"nothing at all", "", 0, 0, true, NULL},
	{"no header", "run\n", BP_EPARSE, 0, true, "plan, line 1: \"borderpath-plan 1\" is expected"},
	{"no run line", "borderpath-plan 1\n" TRACE(1), BP_EPARSE, 0, true, "line 2: \"run\""},
	{"two run lines", HEAD "run\n", BP_EPARSE, 0, true,
	 "line 3: \"avoid\", \"trace\" or \"end\""},
	{"what to avoid", HEAD AVOID AVOID TRACE(1) "end\n", 0, 1, false, NULL},
	{"what to avoid, and nothing else", HEAD AVOID "end\n", 0, 0, false, NULL},
	{"avoid before run", "borderpath-plan 1\n" AVOID, BP_EPARSE, 0, true, "line 2: \"run\""},
	{"avoid after a trace", HEAD TRACE(1) AVOID, BP_EPARSE, 1, true,
	 "line 4: \"trace\" or \"end\" is expected"},
	{"two headers", HEAD "borderpath-plan 1\n", BP_EPARSE, 0, true, "line 3"},
	{"seq repeated", HEAD TRACE(5) TRACE(5), BP_ERANGE, 1, true, "line 4: seq=5 after seq=5"},
	{"seq falls", HEAD TRACE(5) TRACE(4), BP_ERANGE, 1, true, "must grow"},
	{"seq from 0, with gaps", HEAD TRACE(0) TRACE(7) "end\n", 0, 2, false, NULL},
	{"a bad line", HEAD TRACE(1) "trace seq=2\n", BP_EPARSE, 1, true, "line 4: dst= is missing"},
	{"an empty line", HEAD "\n", BP_EPARSE, 0, true, "line 3"},
};

/* Feeds the plan in pieces of `piece` bytes and reads all lines it can after each. */
static void follow(size_t row, size_t piece)
{
	const char *at = rows[row].plan;
	size_t left = strlen(at);
	struct bp_error err = {0};
	struct plan_run run = {0};
	struct plan_trace trace;
	struct input in;
	unsigned traces = 0;
	bool cut = false, done = false;
	int fds[2], rc = 0;

	assert_int_equal(pipe(fds), 0);
	input_init(&in, fds[0]);
	while (rc == 0 && !(done = input_done(&in, &cut))) {
		enum plan_line kind;

		if (left > 0) {
			size_t n = left < piece ? left : piece;

			assert_int_equal(write(fds[1], at, n), n);
			at += n;
			left -= n;
		} else if (fds[1] >= 0) {
			close(fds[1]);
			fds[1] = -1;
		}
		assert_true(input_wants(&in));
		input_read(&in);
		while ((rc = input_next(&in, &kind, &run, &trace, &err)) > 0)
			traces += kind == PLAN_LINE_TRACE;
	}
	if (rc != rows[row].rc || traces != rows[row].traces ||
	    (rows[row].says && !strstr(err.text, rows[row].says)))
		fail_msg("%s, pieces of %zu: %d, %u traces (%s)", rows[row].why, piece, rc, traces,
			 err.text);
	if (rc == 0)
		assert_int_equal(cut, rows[row].cut);
	input_fini(&in);
	close(fds[0]);
	if (fds[1] >= 0)
		close(fds[1]);
}

static void plans(void **state)
{
	static const size_t pieces[] = {1, 7, 4096};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char seed[256];

		/* In front: the size of the pieces, less one. */
		snprintf(seed, sizeof(seed), "%c%s", (char)(1 + i), rows[i].plan);
		seed_write("input", "row", i, seed, strlen(seed));
		for (size_t p = 0; p < 3; p++)
			follow(i, pieces[p]);
	}
}

/* Its list is sorted before the first trace is handed over, and is bounded. */
static void what_to_avoid(void **state)
{
	static const char plan[] = HEAD "avoid prefix=203.0.113.9\n" AVOID TRACE(1);
	struct bp_error err = {0};
	struct plan_run run;
	struct plan_trace trace;
	enum plan_line kind;
	struct input in;
	struct addr a;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], plan, sizeof(plan) - 1), sizeof(plan) - 1);
	input_init(&in, fds[0]);
	input_read(&in);
	assert_int_equal(input_next(&in, &kind, &run, &trace, &err), 1);
	assert_int_equal(kind, PLAN_LINE_RUN);
	assert_int_equal(input_next(&in, &kind, &run, &trace, &err), 1);
	assert_int_equal(kind, PLAN_LINE_TRACE);
	assert_non_null(prefixset_find(&in.avoid, trace.dst));
	assert_int_equal(addr_parse("203.0.113.9", &a), 0);
	assert_non_null(prefixset_find(&in.avoid, a));
	assert_int_equal(addr_parse("203.0.113.10", &a), 0);
	assert_null(prefixset_find(&in.avoid, a));
	input_fini(&in);

	input_init(&in, fds[0]);
	in.state = INPUT_AVOIDS;
	for (unsigned i = 0; i <= PLAN_AVOIDS_MAX; i++) {
		memcpy(in.bytes, AVOID, sizeof(AVOID) - 1);
		in.used = sizeof(AVOID) - 1;
		if (i < PLAN_AVOIDS_MAX)
			assert_int_equal(input_next(&in, &kind, &run, &trace, &err), 0);
		else
			assert_int_equal(input_next(&in, &kind, &run, &trace, &err), BP_ERANGE);
	}
	assert_non_null(strstr(err.text, "more than 65536 avoid lines"));
	input_fini(&in);
	close(fds[0]);
	close(fds[1]);
}

/* A line without an end is refused when it is too long, not when memory runs out. */
static void an_endless_line(void **state)
{
	char bytes[1024];
	struct bp_error err;
	struct plan_run run;
	struct plan_trace trace;
	enum plan_line kind;
	struct input in;
	int fds[2], rc;

	(void)state;
	memset(bytes, 'a', sizeof(bytes));
	assert_int_equal(pipe(fds), 0);
	input_init(&in, fds[0]);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(write(fds[1], bytes, sizeof(bytes)), sizeof(bytes));
		input_read(&in);
		rc = input_next(&in, &kind, &run, &trace, &err);
		assert_int_equal(rc, i < 2 ? 0 : BP_ERANGE);
	}
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans),
		cmocka_unit_test(what_to_avoid),
		cmocka_unit_test(an_endless_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause
/* judge and convert over a store, end to end; and the store that is read where no file is named. */
#include "tests/unit/cli/query_bed.h"

struct judged { unsigned traces, khasan, none; };

static int count_judged(void *arg, struct record *r, struct bp_error *err)
{
	struct judged *j = arg;

	(void)err;
	if (r->kind != RECORD_TRACE)
		return 0;
	j->traces++;
	j->khasan += r->verdict.judged && strcmp(r->verdict.border, "khasan") == 0;
	j->none += !r->verdict.judged;
	return 0;
}

static struct judged judged_in(struct bed *b)
{
	struct store_select all = {0};
	struct judged j = {0};
	struct store *store;

	assert_ok(b, store_open(b->store, STORE_READ, &store, &b->why));
	assert_ok(b, store_read(store, &all, count_judged, &j, &b->why));
	store_close(store);
	return j;
}

/* --- convert ---------------------------------------------------------------------------------- */

static void convert_selects(void **state)
{
	static const struct { const char *why, *options; unsigned traces; } rows[] = {
		{"all", "", MOVED_TRACES},
		{"a vantage point", "--vantage sin1", 12},
		{"a campaign", "--campaign nk", MOVED_NK},
		{"from a moment on", "--since 2026-11-22T10:00:00Z", 25},
		{"before it", "--until 2026-11-22T10:00:00Z", 30},
		{"a target", "--target 175.45.176.12", 9},
		{"a prefix", "--prefix 175.45.177.0/24", 27},
		{"a method nobody used", "--method tcp", 0},
		{"who was judged so: nobody yet", "--border khasan", 0},
		{"a window without data: no failure", "--since 2030-01-01", 0},
	};
	struct bed *b = *state;

	fill(b, b->store, moved, MOVED, NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned n;

		assert_exit(b, 0, "convert --to jsonl %s %s", rows[i].options, b->store);
		n = lines(b->out, TRACE_LINE);
		if (n != rows[i].traces)
			fail_msg("%s: %u traces, not %u", rows[i].why, n, rows[i].traces);
	}
	assert_exit(b, 0, "convert --to jsonl sqlite:%s", b->store);
	assert_int_equal(lines(b->out, ROUND_LINE), MOVED);
}

/* What comes with a round (paths) is selected as in a file: not every one of a round that has some
 * trace that is wanted. */
static void convert_selects_paths(void **state)
{
	static const char paths[] =
		"{\"type\":\"paths\",\"version\":1,\"vantage\":\"fra1\",\"dst\":\"175.45.176.10\","
		"\"target\":\"175.45.176.10\",\"method\":\"icmp\","
		"\"start\":\"2026-11-22T09:30:00.000000000Z\",\"flows\":2,\"nodes\":[],\"links\":[]}";
	static const struct { const char *why, *options; unsigned traces, paths; } rows[] = {
		{"all", "", 6, 1},
		{"its own target", "--target 175.45.176.10", 1, 1},
		{"another target", "--target 175.45.177.11", 1, 0},
		{"its own prefix", "--prefix 175.45.176.0/24", 3, 1},
		{"another prefix", "--prefix 175.45.177.0/24", 3, 0},
		{"another method", "--method tcp", 0, 0},
	};
	const struct wall at = {moved[0].start_s * NS_PER_S};
	struct bed *b = *state;
	struct store *store;

	fill(b, b->store, moved, 1, NULL);
	assert_ok(b, store_open(b->store, STORE_WRITE, &store, &b->why));
	assert_ok(b, store_begin(store, &b->why));
	assert_ok(b, store_add_object(store, RECORD_PATHS, at, "fra1", "nk",
				      "nk-fra1-20261122T093000Z", paths, sizeof(paths) - 1,
				      &b->why));
	assert_ok(b, store_commit(store, &b->why));
	store_close(store);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_exit(b, 0, "convert --to jsonl %s %s", rows[i].options, b->store);
		if (lines(b->out, TRACE_LINE) != rows[i].traces ||
		    lines(b->out, "{\"type\":\"paths\"") != rows[i].paths)
			fail_msg("%s: %s", rows[i].why, b->out);
	}
}

/* What is read is not emptied by -o, under whatever name; nor is any store. */
static void output_over_input(void **state)
{
	static const char *const commands[] = {
		"convert --to csv", "convert --to csv sqlite:", "judge", "judge sqlite:",
		"diff --at 2026-11-22T10:00:00Z", "diff --at 2026-11-22T10:00:00Z --store sqlite:",
	};
	struct bed *b = *state;

	fill(b, b->store, moved, 1, NULL);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		bool scheme = commands[i][strlen(commands[i]) - 1] == ':';

		assert_exit(b, 2, "%s%s%s/./s.db -o %s", commands[i], scheme ? "" : " ", b->dir,
			    b->store);
		assert_non_null(strstr(b->err, "this file is read, and would be emptied"));
	}
	assert_exit(b, 1, "profile show -o %s", b->store);
	assert_non_null(strstr(b->err, "is a store, and would be overwritten"));
	assert_int_equal(judged_in(b).traces, 6);
}

/* A store that is not there is not made by who wants to judge it. */
static void judge_makes_no_store(void **state)
{
	struct bed *b = *state;

	assert_exit(b, 1, "judge sqlite:%s", b->store);
	assert_non_null(strstr(b->err, "there is no store"));
	assert_int_equal(access(b->store, F_OK), -1);
	write_file(b, "s.db", "");
	assert_exit(b, 1, "judge sqlite:%s", b->store);
	assert_int_equal(lines(b->err, "borderpath: "), 1);
	read_file(b, "s.db", b->out, sizeof(b->out));
	assert_string_equal(b->out, "");
}

/* Without a file it is the store that is named, then the default one; without that, what to do. */
static void the_default_store(void **state)
{
	struct bed *b = *state;
	char path[160];

	assert_exit(b, 2, "convert --to jsonl");
	assert_non_null(strstr(b->err, "name the files"));
	assert_non_null(strstr(b->err, "borderpath campaign"));
	assert_exit(b, 2, "diff --at 2026-11-22T10:00:00Z");
	assert_exit(b, 2, "judge");
	assert_exit(b, 1, "judge --store sqlite:%s", b->store);
	assert_non_null(strstr(b->err, b->store));
	assert_exit(b, 2, "diff --at now --store sqlite:%s", b->store);
	fill(b, b->store, moved, 1, NULL);
	assert_exit(b, 0, "convert --to jsonl --store sqlite:%s", b->store);
	assert_int_equal(lines(b->out, TRACE_LINE), 6);
	assert_exit(b, 2, "judge --store sqlite:%s %s", b->store, b->store);
	assert_non_null(strstr(b->err, "--store"));
	snprintf(path, sizeof(path), "%s/state", b->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	strcat(path, "/borderpath");
	assert_int_equal(mkdir(path, 0700), 0);
	strcat(path, "/store.db");
	fill(b, path, &moved[1], 2, NULL);
	assert_exit(b, 0, "convert --to jsonl");
	assert_int_equal(lines(b->out, TRACE_LINE), 12);
	assert_exit(b, 0, "judge --format jsonl --vantage sin1");
	assert_int_equal(lines(b->out, "\"border\":\"dandong\""), 6);
}

/* --- judge ------------------------------------------------------------------------------------ */

static void judge_keeps(void **state)
{
	struct bed *b = *state;
	struct judged j;

	fill(b, b->store, moved, MOVED, NULL);
	j = judged_in(b);
	assert_int_equal(j.traces, MOVED_TRACES);
	assert_int_equal(j.none, MOVED_TRACES);
	assert_exit(b, 0, "judge --format jsonl %s", b->store);
	assert_int_equal(lines(b->out, "\"border\":\"khasan\""), 11);
	/* Rounds pass through. */
	assert_int_equal(lines(b->out, ROUND_LINE), MOVED);
	/* A table of a store says when it was judged, a table of a file cannot. */
	write_file(b, "traces.jsonl", b->out);
	assert_exit(b, 0, "convert --to csv --target 175.45.176.10 --campaign nk %s", b->store);
	assert_true(lines(b->out, ",2026-11-22,") > 0);
	assert_null(strstr(b->out, ",\n"));
	assert_exit(b, 0, "convert --to csv --target 175.45.176.10 --campaign nk %s/traces.jsonl",
		    b->dir);
	assert_non_null(strstr(b->out, ",\n"));
	j = judged_in(b);
	assert_int_equal(j.traces, MOVED_TRACES);
	assert_int_equal(j.khasan, 11);
	assert_int_equal(j.none, 0);
	/* By the latest judgement; what it was before is kept, and is not the latest. */
	assert_exit(b, 0, "convert --to jsonl --border khasan %s", b->store);
	assert_int_equal(lines(b->out, TRACE_LINE), 11);
	write_file(b, "profile.yaml", "profile: test\nversion: 2026-11-23\n"
		   "network: {name: N, asn: [131279], prefixes: [175.45.176.0/22], "
		   "judge_by: {v4: 24, v6: 48}}\n"
		   "borders: [{id: rason, networks: [{asn: 20485}], "
		   "prefixes: [{prefix: 188.43.0.0/16, asn: 20485}]}]\n");
	/* Those that were khasan's are judged anew, whatever comes of it. */
	assert_exit(b, 0, "judge --format jsonl --border khasan %s", b->store);
	assert_int_equal(lines(b->out, TRACE_LINE), 11);
	assert_int_equal(lines(b->out, "\"border\":\"rason\""), 11);
	assert_exit(b, 0, "convert --to jsonl --border khasan %s", b->store);
	assert_int_equal(lines(b->out, TRACE_LINE), 0);
	assert_exit(b, 0, "convert --to jsonl --border rason %s", b->store);
	assert_int_equal(lines(b->out, TRACE_LINE), 11);
	assert_exit(b, 0, "convert --to jsonl --border dandong %s", b->store);
	assert_true(lines(b->out, TRACE_LINE) > 0);
}

/* A store that takes no judgement: all are printed, it is told, and the result is partial. Root may
 * write whatever it likes: there the store is another program's for a while. */
static void judge_of_a_store_that_takes_none(void **state)
{
	struct bed *b = *state;
	struct store *writer = NULL;
	int got;

	fill(b, b->store, moved, 1, NULL);
	if (geteuid() == 0)
		assert_ok(b, store_open(b->store, STORE_WRITE, &writer, &b->why));
	if (writer != NULL)
		assert_ok(b, store_begin(writer, &b->why));
	else
		assert_int_equal(chmod(b->store, 0444) | chmod(b->dir, 0555), 0);
	if (writer == NULL) {
		/* Nowhere to write: its output goes to our own. */
		char command[512];
		const char *program = getenv("BORDERPATH");

		snprintf(command, sizeof(command), "timeout 60 '%s' judge --quiet --format jsonl "
			 "--profile '%s/profile.yaml' '%s' >/dev/null 2>&1",
			 program != NULL ? program : "build/borderpath", b->dir, b->store);
		got = system(command);
		got = WEXITSTATUS(got);
		assert_int_equal(chmod(b->dir, 0755), 0);
	} else {
		got = run(b, "judge --format jsonl %s", b->store);
		assert_int_equal(lines(b->out, "\"border\":\"dandong\""), 6);
		assert_int_equal(lines(b->err, "not kept"), 1);
	}
	store_undo(writer);
	store_close(writer);
	assert_int_equal(got, 3);
	assert_int_equal(judged_in(b).none, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(convert_selects, set_up, tear_down),
		cmocka_unit_test_setup_teardown(convert_selects_paths, set_up, tear_down),
		cmocka_unit_test_setup_teardown(output_over_input, set_up, tear_down),
		cmocka_unit_test_setup_teardown(judge_makes_no_store, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_default_store, set_up, tear_down),
		cmocka_unit_test_setup_teardown(judge_keeps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(judge_of_a_store_that_takes_none, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

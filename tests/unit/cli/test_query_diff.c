// SPDX-License-Identifier: BSD-2-Clause
/* diff over a store, end to end: as over its records; a gap is no outage. */
#include "tests/unit/cli/query_bed.h"

/* --- diff ------------------------------------------------------------------------------------- */

static json_t *diff_json(struct bed *b, const char *what)
{
	json_t *j;

	assert_int_equal(run(b, "diff --format jsonl %s", what), 1);
	j = json_loads(b->out, 0, NULL);
	assert_non_null(j);
	return j;
}

/* The same diff from the store, by its groups, as from the records one by one. */
static void diff_of_store_is_diff_of_records(void **state)
{
	static const char *const options[] = {
		"", "--vantage fra1", "--campaign nk", "--target 175.45.176.12",
		"--prefix 175.45.177.0/24", "--before 20m --after 10m",
	};
	struct bed *b = *state;
	struct buf jsonl;

	buf_init(&jsonl);
	fill(b, b->store, moved, MOVED, &jsonl);
	assert_false(jsonl.failed);
	write_file(b, "records.jsonl", jsonl.bytes);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		char what[512];
		json_t *x, *y;

		snprintf(what, sizeof(what), "--at 2026-11-22T10:00:00Z %s %s", options[i],
			 b->store);
		x = diff_json(b, what);
		snprintf(what, sizeof(what), "--at 2026-11-22T10:00:00Z %s %s/records.jsonl",
			 options[i], b->dir);
		y = diff_json(b, what);
		if (!json_equal(x, y))
			fail_msg("%s:\n%s\n%s", options[i],
				 json_dumps(x, JSON_SORT_KEYS | JSON_INDENT(1)),
				 json_dumps(y, JSON_SORT_KEYS | JSON_INDENT(1)));
		json_decref(x);
		json_decref(y);
	}
	buf_fini(&jsonl);
}

/* Round after round of three vantage points loses other answers, by other ports, through one of
 * many routers: hardly two ways are the same, and the diff is. */
static void lossy_rounds(struct bed *b, struct buf *jsonl)
{
	static const char *const vantages[] = {"fra1", "icn1", "ams1"};
	struct store *store;
	uint32_t state = 4711;

	assert_ok(b, store_open(b->store, STORE_WRITE, &store, &b->why));
	for (unsigned k = 0; k < 12; k++) {
		int64_t start_s = T0_S - 1800 + k / 3 * 900;

		assert_ok(b, store_begin(store, &b->why));
		for (unsigned i = 0; i < 60; i++) {
			bool late = k >= 6 && i % 2 == 1;
			char dst[32], router[32];
			struct trace *t;

			target_name(i, dst);
			t = trace_of(vantages[k % 3], "nk", dst, late ? TTK : UNICOM,
				     start_s + (int64_t)i, 200 + i % 7, 0);
			for (uint32_t e = 0; e < t->entry_count; e++) {
				struct reply *r = &t->entries[e].reply;

				state = state * 1664525 + 1013904223;
				snprintf(router, sizeof(router), "62.10.%u.%u", k % 3,
					 1 + (state >> 16) % 200);
				if (e == 0)
					assert_int_equal(addr_parse(router, &r->from), 0);
				if ((state >> 24) % 8 != 0)
					continue;
				trace_entry_init(&t->entries[e], (uint8_t)(e + 1), 1);
				t->entries[e].why = WHY_TIMEOUT;
			}
			if (t->entries[3].why != WHY_NONE) {
				t->stop = STOP_GAP_LIMIT;
				t->reach = REACH_SILENT;
			}
			t->sport = (int32_t)(20000 + state % 1000);
			assert_ok(b, store_add_trace(store, t, NULL, NULL, &b->why));
			jsonl_write_trace(jsonl, t, NULL, NULL);
			free(t);
		}
		assert_ok(b, store_commit(store, &b->why));
	}
	store_close(store);
}

static void what_is_lost_is_lost_alike(void **state)
{
	struct bed *b = *state;
	struct buf jsonl;
	char *store;

	buf_init(&jsonl);
	lossy_rounds(b, &jsonl);
	assert_false(jsonl.failed);
	write_file(b, "records.jsonl", jsonl.bytes);
	assert_int_equal(run(b, "diff --format jsonl --at 2026-11-22T10:00:00Z %s", b->store), 1);
	store = strdup(b->out);
	assert_int_equal(run(b, "diff --format jsonl --at 2026-11-22T10:00:00Z %s/records.jsonl",
			     b->dir),
			 1);
	assert_string_equal(store, b->out);
	assert_non_null(strstr(store, "\"traces_before\":360,\"traces_after\":360"));
	free(store);
	buf_fini(&jsonl);
}

static const json_t *point(const json_t *diff, const char *name)
{
	const json_t *points = json_object_get(diff, "vantage_points"), *p;
	size_t i;

	json_array_foreach(points, i, p) {
		if (strcmp(json_string_value(json_object_get(p, "vantage")), name) == 0)
			return p;
	}
	fail_msg("%s is not told", name);
	return NULL;
}

static int64_t after(const json_t *point, const char *what)
{
	return json_integer_value(json_object_get(json_object_get(point, "after"), what));
}

static void a_gap_is_no_outage(void **state)
{
	struct bed *b = *state;
	char what[512];
	json_t *j, *row;
	size_t i;

	fill(b, b->store, moved, MOVED, NULL);
	snprintf(what, sizeof(what), "--at 2026-11-22T10:00:00Z --campaign nk %s", b->store);
	j = diff_json(b, what);
	assert_string_equal(json_string_value(json_object_get(json_array_get(
		json_object_get(j, "moves"), 0), "to")), "khasan");
	json_array_foreach(json_object_get(j, "rows"), i, row) {
		const char *vantage = json_string_value(json_object_get(row, "vantage"));

		assert_true(json_is_true(json_object_get(row, "changed")) ==
			    (strcmp(vantage, "fra1") == 0));
		assert_string_equal(json_string_value(json_object_get(row, "reach")),
				    vantage[0] == 'f' || vantage[0] == 's' ? "same" : "unknown");
	}
	assert_int_equal(after(point(j, "fra1"), "rounds"), 2);
	assert_int_equal(after(point(j, "fra1"), "partial"), 1);
	assert_int_equal(after(point(j, "oslo"), "missed"), 1);
	assert_true(json_is_false(json_object_get(point(j, "oslo"), "counted")));
	assert_true(json_is_false(json_object_get(point(j, "tyo1"), "counted")));
	assert_int_equal(after(point(j, "tyo1"), "missed"), 1);
	json_decref(j);
	assert_exit(b, 1, "diff --at 2026-11-22T10:00:00Z --campaign nk %s", b->store);
	assert_non_null(strstr(b->out, "Not measured from oslo: 1 of 1 round after missed (down); "
			       "it is not counted."));
	assert_non_null(strstr(b->out, "Not measured from tyo1: 1 of 1 round after missed "
			       "(vantage_offline); it is not counted."));
	assert_non_null(strstr(b->out, "1 of 2 rounds after measured in part (overrun)."));
}

/* A network begins to be a way in within the window: what was before it is judged by what held. */
static void diff_across_a_date_of_the_profile(void **state)
{
	static const int64_t date_s = 1793491200; /* 2026-11-01 */
	static const struct slot slots[] = {
		{"fra1", "nk", TTK, date_s - 900, 186, 6, 0, ROUND_WHY_NONE, ROUND_HEALTH_OK},
		{"fra1", "nk", TTK, date_s, 186, 6, 0, ROUND_WHY_NONE, ROUND_HEALTH_OK},
		{"fra1", "nk", TTK, date_s + 900, 186, 6, 0, ROUND_WHY_NONE, ROUND_HEALTH_OK},
	};
	struct bed *b = *state;
	struct buf jsonl;
	char *store;

	buf_init(&jsonl);
	fill(b, b->store, slots, 3, &jsonl);
	write_file(b, "records.jsonl", jsonl.bytes);
	/* Both kinds are on the side before. */
	run(b, "diff --format jsonl --at 2026-11-01T00:10:00Z %s", b->store);
	store = strdup(b->out);
	run(b, "diff --format jsonl --at 2026-11-01T00:10:00Z %s/records.jsonl", b->dir);
	assert_string_equal(store, b->out);
	assert_int_equal(lines(store, "\"khasan\":0."), 1);
	free(store);
	buf_fini(&jsonl);
}

/* Two stores, or a store and a file, as the two sides. */
static void two_sides(void **state)
{
	struct bed *b = *state;
	char other[128];
	struct buf jsonl;

	buf_init(&jsonl);
	snprintf(other, sizeof(other), "%s/t.db", b->dir);
	fill(b, b->store, moved, 3, NULL);
	fill(b, other, &moved[5], 3, &jsonl);
	write_file(b, "after.jsonl", jsonl.bytes);
	assert_exit(b, 1, "diff --format jsonl %s %s", b->store, other);
	assert_non_null(strstr(b->out, "\"to\":\"khasan\""));
	assert_int_equal(lines(b->out, "\"example\":\"fra1-1-"), 1);
	assert_exit(b, 1, "diff %s %s/after.jsonl", b->store, b->dir);
	assert_exit(b, 0, "diff %s %s", b->store, b->store);
	assert_exit(b, 2, "diff %s %s/missing", b->store, b->dir);
	buf_fini(&jsonl);
}

/* Exit codes are diff(1)'s, the same for the store and for its records; and what is said goes with
 * them. */
static void exit_codes(void **state)
{
	static const struct {
		const char *options;
		int code;
		const char *says, *not, *reason;
	} rows[] = {
		{"--at 2026-11-22T10:00:00Z", 1, "moved from", "No change", "it moved then"},
		{"--at 2026-11-22T10:00:00Z --prefix 175.45.176.0/24 --before 40m", 1, "moved from",
		 "No change", "of a network that moved"},
		{"--at 2026-11-22T09:45:00Z --before 20m --after 15m --vantage fra1", 0,
		 "No change seen in", "moved", "nothing had moved yet"},
		{"--at 2026-11-22T09:45:00Z --before 20m --after 15m --vantage fra1", 0,
		 "would have been seen with 90 %", "moved", "what would have been seen goes with it"},
		{"--at 2020-01-01T00:00:00Z", 2, "Too little to compare: no traces on either side",
		 "No change", "nothing was measured then"},
		{"--at 2026-11-22T10:20:00Z --before 30m", 2, "Too little to compare: no traces on one side",
		 "No change", "one side alone"},
		{"--at 2026-11-22T10:00:00Z --vantage nobody", 2, "Too little to compare", "No change",
		 "nobody by that name"},
	};
	struct bed *b = *state;
	struct buf jsonl;

	buf_init(&jsonl);
	fill(b, b->store, moved, MOVED, &jsonl);
	write_file(b, "records.jsonl", jsonl.bytes);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int file = 0; file < 2; file++) {
			int code = file ? run(b, "diff %s %s/records.jsonl", rows[i].options, b->dir) :
				   run(b, "diff %s %s", rows[i].options, b->store);

			if (code != rows[i].code || strstr(b->out, rows[i].says) == NULL ||
			    strstr(b->out, rows[i].not) != NULL)
				fail_msg("%s (%s): %d: %s%s", rows[i].reason, file ? "file" : "store",
					 code, b->out, b->err);
		}
	}
	/* What goes wrong is trouble, whatever would have come of it. */
	assert_exit(b, 2, "diff --at soon %s", b->store);
	assert_exit(b, 2, "diff --after 1h %s %s", b->store, b->store);
	assert_exit(b, 2, "diff --format xml --at 2026-11-22T10:00:00Z %s", b->store);
	assert_exit(b, 2, "diff -o %s/no/where --at 2026-11-22T10:00:00Z %s", b->dir, b->store);
	assert_exit(b, 2, "diff --at 2026-11-22T10:00:00Z %s/none.db %s", b->dir, b->store);
	buf_fini(&jsonl);
}

/* 2026-11-22T10:00:00Z is 1795341600. Routing tables stand beside: the result is that of what was
 * measured. */
static void routing_tables_beside(void **state)
{
	static const char table[] =
		"TABLE_DUMP2|1795334400|B|203.0.113.1|64501|175.45.176.0/24|64501 4837 131279|IGP\n"
		"TABLE_DUMP2|1795334400|B|203.0.113.2|64502|175.45.176.0/24|64502 4837 131279|IGP\r\n"
		"TABLE_DUMP2|1795334400|B|203.0.113.2|64502|192.0.2.0/24|64502 64510|IGP\n\n";
	static const char updates[] =
		"BGP4MP|1795341690|A|203.0.113.2|64502|175.45.176.0/24|64502 20485 131279|IGP\n"
		"BGP4MP|10/01/17 09:07:51|A|203.0.113.2|64502|175.45.176.0/24|64502 1 131279|IGP\n"
		"BGP4MP|1795341700|W|203.0.113.9|64509|175.45.177.0/24";
	struct bed *b = *state;
	json_t *j, *row;

	fill(b, b->store, moved, MOVED, NULL);
	write_file(b, "table", table);
	write_file(b, "updates", updates);
	write_file(b, "other", "<html>\n");
	assert_exit(b, 1, "diff --at 2026-11-22T10:00:00Z --routes %s/updates --routes %s/table %s",
		    b->dir, b->dir, b->store);
	assert_non_null(strstr(b->err, "updates:2: '10/01/17 09:07:51' is no Unix time"));
	assert_non_null(strstr(b->out, "What routing tables say: routes of 3 peers."));
	assert_non_null(strstr(b->out, "(AS20485)"));
	assert_non_null(strstr(b->out, "2026-11-22 10:01:30 UTC"));
	assert_exit(b, 1, "diff --format jsonl --at 2026-11-22T10:00:00Z --routes %s/updates --routes "
		    "%s/table %s", b->dir, b->dir, b->store);
	j = json_loads(b->out, 0, NULL);
	assert_non_null(j);
	row = json_array_get(json_object_get(json_object_get(j, "routes"), "rows"), 1);
	assert_int_equal(json_integer_value(json_object_get(row, "upstream")), 20485);
	assert_string_equal(json_string_value(json_object_get(row, "border")), "khasan");
	assert_int_equal(json_integer_value(json_object_get(row, "before")), 0);
	assert_int_equal(json_integer_value(json_object_get(row, "after")), 1);
	assert_int_equal(json_integer_value(json_object_get(row, "after_of")), 2);
	assert_string_equal(json_string_value(json_object_get(row, "first")),
			    "2026-11-22T10:01:30.000000000Z");
	json_decref(j);
	assert_exit(b, 1, "diff --format html --at 2026-11-22T10:00:00Z --routes %s/table %s", b->dir,
		    b->store);
	assert_int_equal(lines(b->out, "<h2 id=\"routes\">"), 1);
	/* Without them a page has no such section. */
	assert_exit(b, 1, "diff --format html --at 2026-11-22T10:00:00Z %s", b->store);
	assert_int_equal(lines(b->out, "<h2 id=\"routes\">"), 0);
	assert_exit(b, 2, "diff --at 2026-11-22T10:00:00Z --routes %s/other %s", b->dir, b->store);
	assert_non_null(strstr(b->err, "other: no line of what bgpdump -m prints"));
	assert_exit(b, 2, "diff --at 2026-11-22T10:00:00Z --routes %s/none %s", b->dir, b->store);
	assert_exit(b, 2, "diff --routes %s/table %s %s", b->dir, b->store, b->store);
	assert_exit(b, 2, "diff --at 2026-11-22T10:00:00Z --routes - --routes - %s", b->store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(diff_of_store_is_diff_of_records, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_lost_is_lost_alike, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_gap_is_no_outage, set_up, tear_down),
		cmocka_unit_test_setup_teardown(diff_across_a_date_of_the_profile, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(two_sides, set_up, tear_down),
		cmocka_unit_test_setup_teardown(exit_codes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(routing_tables_beside, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

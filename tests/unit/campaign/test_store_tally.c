// SPDX-License-Identifier: BSD-2-Clause
/*
 * The tallies of a store: whatever was done to it, they say what counting its traces says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <sqlite3.h>
#include <unistd.h>

#include "campaign/sqlite.h"
#include "campaign/store.h"
#include "tests/unit/campaign/engines.h"
#include "tests/unit/core/record/random_trace.h"

#define T0 (INT64_C(1795341600) * NS_PER_S) /* 2026-11-22T10:00:00Z */

struct bed {
	char dir[64], path[96];
	struct store *store;
	struct bp_error err;
};

#define assert_ok(b, call)                                        \
	do {                                                      \
		if ((call) != 0)                                  \
			fail_msg("%s: %s", #call, (b)->err.text); \
	} while (0)

static int set_up(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	snprintf(b->dir, sizeof(b->dir), "/tmp/test_tally.XXXXXX");
	if (mkdtemp(b->dir) == NULL)
		return -1;
	snprintf(b->path, sizeof(b->path), "%s/s.db", b->dir);
	*state = b;
	return store_open(b->path, STORE_WRITE, &b->store, &b->err);
}

static int tear_down(void **state)
{
	static const char *const ends[] = {"", "-wal", "-shm", ".new"};
	struct bed *b = *state;
	char path[128];

	store_close(b->store);
	for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", b->path, ends[i]);
		unlink(path);
	}
	rmdir(b->dir);
	free(b);
	return 0;
}

/* --- the truth -------------------------------------------------------------------------------- */

/* The view of tallies, summed up, against the view of traces, counted. */
#define SUMMED                                                                                  \
	"SELECT hour_utc, campaign, round_id, vantage, prefix, method, outcome, border, class," \
	" sum(traces), sum(reached), sum(rtt_n), round(1000 * min(rtt_min_ms)),"                \
	" round(1000 * sum(rtt_mean_ms * rtt_n)) FROM tallies GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9"
#define COUNTED                                                                                 \
	"SELECT substr(start_utc, 1, 13) || ':00:00.000000000Z', campaign, round_id, vantage,"  \
	" prefix, method, outcome, border, class, count(*),"                                    \
	" count(CASE WHEN reach = 'reached' THEN 1 END), count(rtt_min_ms),"                    \
	" round(1000 * min(rtt_min_ms)), round(1000 * sum(rtt_min_ms)) FROM traces"             \
	" WHERE start_utc IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9"

static void assert_true_at(const char *path, int64_t traces)
{
	assert_int_equal(number(path, "SELECT count(*) FROM (SELECT * FROM (" SUMMED ") EXCEPT"
				      " SELECT * FROM (" COUNTED "))"),
			 0);
	assert_int_equal(number(path, "SELECT count(*) FROM (SELECT * FROM (" COUNTED ") EXCEPT"
				      " SELECT * FROM (" SUMMED "))"),
			 0);
	assert_int_equal(number(path, "SELECT sum(traces) FROM tally"), traces);
}

/* --- what is done to it ----------------------------------------------------------------------- */

/* `count` traces over some hours, one in seven not judged, one in fifty without a time. */
static void add_some(struct bed *b, const char *vantage, unsigned from, unsigned count)
{
	uint64_t seed = 4711 + from;

	for (unsigned i = from; i < from + count; i++) {
		struct trace *t = rnd_trace(&seed, (uint32_t)rnd_below(&seed, 12));
		struct verdict v;

		snprintf(t->id, sizeof(t->id), "%s-run-%u", vantage, i);
		strcpy(t->vantage, vantage);
		strcpy(t->campaign, "c");
		snprintf(t->round, sizeof(t->round), "r%u", i / 60);
		t->dst = addr_v4((const uint8_t[]){175, 45, (uint8_t)(176 + i % 3), (uint8_t)i});
		t->start.ns = i % 50 == 9 ? 0 : T0 + i * 61 * NS_PER_S + (int64_t)i;
		t->end.ns = 0;
		rnd_verdict(&seed, &v);
		v.judged = i % 7 != 0;
		v.outcome = i % 4 ? OUTCOME_BORDER : OUTCOME_UNDETERMINED;
		v.class = i % 5 ? CLASS_BORDER : CLASS_INSIDE_SILENT;
		strcpy(v.border, i % 4 == 0 ? "" : i % 3 ? "dandong" : "khasan");
		assert_ok(b, store_add_trace(b->store, t, NULL, &v, &b->err));
		free(t);
	}
}

static void put_some(struct bed *b, const char *vantage, unsigned from, unsigned count)
{
	assert_ok(b, store_begin(b->store, &b->err));
	add_some(b, vantage, from, count);
	assert_ok(b, store_commit(b->store, &b->err));
}

static void judge_some(struct bed *b, unsigned from, unsigned step, unsigned to)
{
	struct verdict v = {.judged = true,
			    .outcome = OUTCOME_BORDER,
			    .class = CLASS_FILTERED_AT_BORDER,
			    .border = "sinuiju",
			    .profile = "p",
			    .profile_version = "9"};

	for (unsigned i = from; i < to; i += step) {
		char id[32];

		snprintf(id, sizeof(id), "v-run-%u", i);
		assert_ok(b, store_add_judgement(b->store, id, NULL, &v, (struct wall){T0},
						 &b->err));
	}
}

static void what_is_written_is_counted(void **state)
{
	struct bed *b = *state;

	put_some(b, "v", 0, 200);
	put_some(b, "w", 0, 100);
	assert_true_at(b->path, 196 + 98);
	/* What is there already is not counted again. */
	put_some(b, "v", 150, 100);
	assert_true_at(b->path, 245 + 98);
	/* Nor what is undone. */
	assert_ok(b, store_begin(b->store, &b->err));
	add_some(b, "v", 400, 30);
	judge_some(b, 3, 5, 60);
	store_undo(b->store);
	assert_true_at(b->path, 245 + 98);
	put_some(b, "v", 400, 30);
	assert_true_at(b->path, 245 + 98 + 29);
}

static void the_latest_judgement_counts(void **state)
{
	struct bed *b = *state;

	put_some(b, "v", 0, 200);
	assert_int_equal(number(b->path, "SELECT sum(traces) FROM tally WHERE border ="
					 " 'sinuiju'"),
			 0);
	assert_ok(b, store_begin(b->store, &b->err));
	judge_some(b, 0, 3, 200);
	/* Of what came in the same transaction too. */
	add_some(b, "v", 300, 40);
	judge_some(b, 300, 2, 340);
	assert_ok(b, store_commit(b->store, &b->err));
	assert_true_at(b->path, 196 + 39);
	/* 3 of the 67 and 1 of the 20 have no time. */
	assert_int_equal(number(b->path, "SELECT sum(traces) FROM tally WHERE border ="
					 " 'sinuiju'"),
			 number(b->path, "SELECT count(*) FROM traces WHERE border = 'sinuiju'"
					 " AND start_utc IS NOT NULL"));
	assert_true(number(b->path, "SELECT count(*) FROM traces WHERE border = 'sinuiju'") == 87);
	/* And once more. */
	assert_ok(b, store_begin(b->store, &b->err));
	judge_some(b, 0, 1, 200);
	assert_ok(b, store_commit(b->store, &b->err));
	assert_true_at(b->path, 196 + 39);
}

static void what_was_dropped_is_not_counted(void **state)
{
	struct bed *b = *state;
	uint64_t dropped;

	put_some(b, "v", 0, 200);
	put_some(b, "w", 0, 200);
	/* Through the midst of a segment and of an hour; by and by; all. Untimed ones with their
	 * segment's base. */
	for (unsigned minute = 0; minute < 240; minute += 31) {
		assert_ok(b, store_retire(b->store, NULL, NULL,
					  (struct wall){T0 + minute * 60 * NS_PER_S}, minute % 2,
					  &dropped, &b->err));
		assert_true_at(b->path,
			       number(b->path, "SELECT count(*) FROM trace WHERE start IS NOT"
					       " NULL"));
	}
	assert_int_equal(number(b->path, "SELECT count(*) FROM tally"), 0);
	put_some(b, "v", 300, 50);
	assert_true_at(b->path, 49);
}

static void an_older_store_is_counted_when_it_is_opened(void **state)
{
	struct bed *b = *state;
	struct store *s;

	put_some(b, "v", 0, 200);
	put_some(b, "w", 0, 100);
	assert_ok(b, store_begin(b->store, &b->err));
	judge_some(b, 0, 3, 200);
	assert_ok(b, store_commit(b->store, &b->err));
	store_close(b->store);
	b->store = NULL;
	/* What version 1 was. */
	number(b->path, "DROP VIEW tallies");
	number(b->path, "DROP TABLE tally");
	number(b->path, "PRAGMA user_version = 1");
	assert_int_equal(store_open(b->path, STORE_READ, &s, &b->err), BP_EUNSUP);
	assert_non_null(strstr(b->err.text, "version 1"));
	assert_ok(b, store_open(b->path, STORE_WRITE, &b->store, &b->err));
	assert_int_equal(number(b->path, "PRAGMA user_version"), SQLITE_STORE_VERSION);
	assert_true_at(b->path, 196 + 98);
	put_some(b, "v", 300, 50);
	assert_true_at(b->path, 196 + 98 + 49);
}

static void salvage_counts_what_it_saves(void **state)
{
	struct bed *b = *state;
	struct store_salvage saved;
	char to[128];

	put_some(b, "v", 0, 200);
	assert_ok(b, store_begin(b->store, &b->err));
	judge_some(b, 0, 3, 200);
	assert_ok(b, store_commit(b->store, &b->err));
	snprintf(to, sizeof(to), "%s.new", b->path);
	assert_ok(b, store_salvage(b->path, to, &saved, &b->err));
	assert_true_at(to, 196);
}

/* A day of one vantage point reads its own rows of the table and no others. */
static void an_hour_is_found_by_the_key(void **state)
{
	struct bed *b = *state;
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(b->path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_prepare_v2(db,
				   "EXPLAIN QUERY PLAN SELECT hour_us, border, sum(traces) FROM"
				   " tally WHERE vantage = (SELECT id FROM text WHERE text = 'v')"
				   " AND hour_us >= 1 AND hour_us < 2 GROUP BY 1, 2",
				   -1, &st, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	assert_non_null(strstr((const char *)sqlite3_column_text(st, 3),
			       "SEARCH tally USING PRIMARY KEY (vantage=? AND hour_us>? AND"
			       " hour_us<?)"));
	sqlite3_finalize(st);
	sqlite3_close(db);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(what_is_written_is_counted),
		T(the_latest_judgement_counts),
		T(what_was_dropped_is_not_counted),
		T(an_older_store_is_counted_when_it_is_opened),
		T(salvage_counts_what_it_saves),
		T(an_hour_is_found_by_the_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

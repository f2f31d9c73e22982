// SPDX-License-Identifier: BSD-2-Clause
/* What is bounded on a server: what waits in memory, what is waited for, what is kept. */
#include "tests/unit/campaign/store_open_bed.h"

#include "campaign/postgres/pg_news.h"

/* --- memory ----------------------------------------------------------------------------------- */

/* {"type":"event",...} of this many bytes, and of this number. */
static char *large_object(size_t size, unsigned number)
{
	char *json = malloc(size + 1);
	int head;

	assert_non_null(json);
	head = snprintf(json, size, "{\"type\":\"event\",\"id\":\"%u\",\"pad\":\"", number);
	memset(json + head, 'x', size - (size_t)head);
	memcpy(json + size - 2, "\"}", 3);
	return json;
}

static void what_waits_is_bounded(void **state)
{
	enum { SIZE = 4 << 20, COUNT = 2 * (PG_WAITING_BYTES / SIZE) + 3 };
	struct bed *b = *state;
	const struct pg_news *news = pg_of(b->store)->news;
	struct round r = make_round("fra1", T0);
	bool already = true;

	assert_ok(b, store_begin(b->store, &b->err));
	for (unsigned i = 0; i < COUNT; i++) {
		char *json = large_object(SIZE, i);

		add(b, make_trace("fra1", r.id, T0 + i * NS_PER_MS, i, i), NULL, NULL);
		assert_ok(b, store_add_object(b->store, RECORD_EVENT, (struct wall){T0}, "fra1",
					      "dprk-borders", r.id, json, SIZE, &b->err));
		free(json);
		assert_true(news->bytes.used < PG_WAITING_BYTES);
	}
	r.expected = r.done = r.traces = COUNT;
	assert_ok(b, store_add_round(b->store, &r, &already, &b->err));
	assert_false(already);
	assert_true(news->round_count == 1);
	/* It is one transaction all the same. */
	assert_int_equal(number(b->path, "SELECT count(*) FROM object"), 0);
	assert_ok(b, store_commit(b->store, &b->err));
	assert_int_equal(number(b->path, "SELECT count(*) FROM object WHERE after IS NOT NULL"),
			 COUNT);
	assert_int_equal(count_of(b, NULL), 2 * COUNT + 1);
}

/* A slot that was missed, and then measured, of one transaction. */
static void rounds_that_wait_are_found(void **state)
{
	static const struct {
		bool measured, already;
	} rows[] = {{false, false}, {false, true}, {true, false},
		    {true, true},   {false, true}, {true, true}};
	struct bed *b = *state;
	bool already;

	assert_ok(b, store_begin(b->store, &b->err));
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct round r = make_round("fra1", T0);

		if (!rows[i].measured)
			r.start = r.end = (struct wall){0};
		assert_ok(b, store_add_round(b->store, &r, &already, &b->err));
		assert_int_equal(already, rows[i].already);
	}
	assert_ok(b, store_commit(b->store, &b->err));
	assert_int_equal(number(b->path, "SELECT count(*) FROM round WHERE start_us IS NOT NULL"),
			 1);
	assert_int_equal(number(b->path, "SELECT count(*) FROM round"), 1);
}

/* --- time ------------------------------------------------------------------------------------- */

static void assert_limit(struct bed *b, const char *limit)
{
	PGresult *res;

	assert_ok(b, pg_query(pg_of(b->store), "SELECT current_setting('statement_timeout')", &res,
			      &b->err));
	assert_string_equal(pg_get_text(res, 0, 0), limit);
	PQclear(res);
}

/* A writer does not wait for ever, and goes on; who reads may take his time. */
static void a_statement_that_hangs_ends(void **state)
{
	struct bed *b = *state;
	char path[STORE_NAME];
	bool already;

	assert_limit(b, "5min");
	close_store(b);
	open_store(b, STORE_READ);
	assert_limit(b, "0");
	close_store(b);
	text_set(path, sizeof(path), b->path);
	snprintf(b->path, sizeof(b->path), "%.250s%%20-cstatement_timeout%%3D700ms", path);
	open_store(b, STORE_WRITE);
	assert_limit(b, "700ms");
	text_set(b->path, sizeof(b->path), path);
	server_sql(path, "CREATE FUNCTION hang() RETURNS trigger LANGUAGE plpgsql AS"
			 " 'BEGIN PERFORM pg_sleep(3600); RETURN NEW; END';"
			 " CREATE TRIGGER hang BEFORE INSERT ON batch FOR EACH ROW EXECUTE"
			 " FUNCTION hang()");
	assert_ok(b, store_begin(b->store, &b->err));
	assert_int_equal(store_mark_batch(b->store, "fra1", "e1", 1, &already, &b->err), BP_EAGAIN);
	store_undo(b->store);
	server_sql(path, "DROP TRIGGER hang ON batch");
	assert_ok(b, store_begin(b->store, &b->err));
	assert_ok(b, store_mark_batch(b->store, "fra1", "e1", 1, &already, &b->err));
	assert_false(already);
	assert_ok(b, store_commit(b->store, &b->err));
}

static void days_that_are_read_stay_for_now(void **state)
{
	static const char drop[] = "SELECT store_drop_days('2026-11-23')";
	struct bed *b = *state;
	PGconn *reader = PQconnectdb(b->path);

	put_round(b, "fra1", 0, 5);
	PQclear(PQexec(reader, "BEGIN"));
	PQclear(PQexec(reader, "SELECT count(*) FROM trace"));
	assert_int_equal(pg_exec(pg_of(b->store), drop, &b->err), BP_EAGAIN);
	assert_non_null(strstr(b->err.text, "later"));
	assert_int_equal(count_of(b, NULL), 6);
	/* Nobody waits behind it. */
	put_round(b, "fra1", 1, 5);
	assert_int_equal(number(b->path, "SELECT count(*) FROM segment"), 2);
	PQclear(PQexec(reader, "COMMIT"));
	assert_int_equal(number(b->path, drop), 1);
	/* The rounds. */
	assert_int_equal(count_of(b, NULL), 2);
	assert_int_equal(number(b->path, "SELECT count(*) FROM segment"), 0);
	PQfinish(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_waits_is_bounded),
		T(rounds_that_wait_are_found),
		T(a_statement_that_hangs_ends),
		T(days_that_are_read_stay_for_now),
	};

	return run_on_server(tests, sizeof(tests) / sizeof(tests[0]));
}

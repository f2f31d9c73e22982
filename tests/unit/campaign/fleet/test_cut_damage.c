// SPDX-License-Identifier: BSD-2-Clause
/* What of a spool is damaged, or lies where nobody looks for it: it keeps no later round waiting,
 * and what is lost is said. */
#include "tests/unit/campaign/store_bed.h"

#include <sodium.h>
#include <sqlite3.h>
#include <unistd.h>

#include "campaign/fleet/cut.h"

static struct cut *open_cut(struct bed *b)
{
	char file[96];
	struct cut *c;

	snprintf(file, sizeof(file), "%s/outbox.db", b->dir);
	if (cut_open(file, "v", &c, &b->err) < 0)
		fail_msg("%s", b->err.text);
	return c;
}

static void harm(struct bed *b, const char *sql)
{
	sqlite3 *db;
	char *why = NULL;

	assert_int_equal(sqlite3_open(b->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s", why);
	assert_true(sqlite3_changes(db) > 0);
	sqlite3_close(db);
}

struct seen {
	unsigned traces, rounds;
	struct round last;
};

static int see(void *arg, struct record *r, struct bp_error *err)
{
	struct seen *s = arg;

	s->traces += r->kind == RECORD_TRACE;
	if (r->kind != RECORD_ROUND)
		return 0;
	s->rounds++;
	return round_read(r, &s->last, err);
}

static void read_batch(struct bed *b, struct cut *c, uint64_t place, struct seen *s)
{
	enum batch_refusal refusal;
	struct batch_head head;
	struct buf bytes;

	buf_init(&bytes);
	assert_int_equal(cut_get(c, place, &bytes, &head, &b->err), 0);
	if (batch_read("v", NULL, bytes.bytes, bytes.used, &head, see, s, &refusal, &b->err) < 0)
		fail_msg("%s", b->err.text);
	buf_fini(&bytes);
}

/* All of it, by one outbox; what was told of it, the last. */
static void cut_all(struct bed *b, struct cut *c, char told[static BP_ERROR_TEXT])
{
	struct store *s;
	int rc;

	assert_int_equal(store_open(b->path, STORE_READ, &s, &b->err), 0);
	while ((rc = cut_next(c, s, NULL, &b->err)) == 0) {
		if (cut_told(c)[0] != '\0')
			snprintf(told, BP_ERROR_TEXT, "%s", cut_told(c));
	}
	if (rc != BP_ENOTFOUND)
		fail_msg("%s", b->err.text);
	store_close(s);
}

static void a_damaged_trace_costs_its_round_no_more_than_it_must(void **state)
{
	struct bed *b = *state;
	char told[BP_ERROR_TEXT] = "";
	struct seen seen = {0};
	struct cut_state st;
	struct cut *c;

	make_store(b, 3, 10);
	/* The sixth of the second round. */
	harm(b, "UPDATE trace SET body = x'00' WHERE n ="
	     " (SELECT n FROM trace ORDER BY n LIMIT 1 OFFSET 15)");
	c = open_cut(b);
	cut_all(b, c, told);
	cut_state(c, &st);
	assert_int_equal(st.cut, 3);
	assert_int_equal(st.lost_rounds, 0);
	assert_non_null(strstr(told, "damaged"));
	read_batch(b, c, 2, &seen);
	assert_int_equal(seen.rounds, 1);
	assert_int_equal(seen.last.traces, seen.traces);
	assert_int_equal(seen.last.done, seen.traces);
	assert_int_equal(seen.last.done + seen.last.missed, 10);
	assert_int_equal(seen.last.why, ROUND_WHY_SPOOL);
	assert_non_null(strstr(seen.last.note, "the spool is damaged"));
	assert_in_range(seen.traces, 1, 9);
	assert_int_equal(st.lost_traces, 10 - seen.traces);
	memset(&seen, 0, sizeof(seen));
	read_batch(b, c, 3, &seen);
	assert_int_equal(seen.last.traces, 10);
	assert_int_equal(seen.last.missed, 0);
	cut_close(c);
}

static void a_damaged_round_is_passed_over_and_counted(void **state)
{
	struct bed *b = *state;
	char told[BP_ERROR_TEXT] = "";
	struct cut_state st;
	struct seen seen = {0};
	struct cut *c;

	make_store(b, 3, 2);
	harm(b, "UPDATE round SET json = '{' WHERE id = (SELECT max(id) FROM round)");
	c = open_cut(b);
	cut_all(b, c, told);
	assert_non_null(strstr(told, "damaged, and lost"));
	cut_state(c, &st);
	assert_int_equal(st.cut, 2);
	assert_int_equal(st.lost_rounds, 1);
	cut_close(c);
	/* Neither counted twice, nor taken for a spool that was made anew. */
	c = open_cut(b);
	told[0] = '\0';
	cut_all(b, c, told);
	assert_string_equal(told, "");
	cut_state(c, &st);
	assert_int_equal(st.cut, 2);
	assert_int_equal(st.lost_rounds, 1);
	{
		struct store *s;

		assert_int_equal(store_open(b->path, STORE_WRITE, &s, &b->err), 0);
		assert_int_equal(put_round(s, 7, 2, &b->err), 0);
		store_close(s);
	}
	cut_all(b, c, told);
	cut_state(c, &st);
	assert_int_equal(st.cut, 3);
	read_batch(b, c, 3, &seen);
	assert_int_equal(seen.last.traces, 2);
	cut_close(c);
}

/* The clock was set while it was under way. */
static void a_round_is_whole_wherever_its_traces_lie(void **state)
{
	static const struct { int64_t end_s, trace_s; const char *why; } rows[] = {
		{7200, 7000, "put forward by two hours"},
		{-7200, -7100, "put back by two hours"},
		{60, -86400, "put back by a day, and forward again"},
		{60, 400 * 86400, "put forward by a year, and back again"},
	};
	struct bed *b = *state;
	char told[BP_ERROR_TEXT] = "";
	struct cut_state st;
	struct store *s;
	struct cut *c;

	assert_int_equal(store_open(b->path, STORE_WRITE, &s, &b->err), 0);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct round r;
		bool already;

		round_init(&r);
		strcpy(r.campaign, "c");
		strcpy(r.vantage, "v");
		r.planned.ns = r.start.ns = T0 + i * 900 * NS_PER_S;
		r.end.ns = r.planned.ns + rows[i].end_s * NS_PER_S;
		r.expected = r.done = r.traces = 2;
		round_set_id(&r);
		assert_int_equal(store_begin(s, &b->err), 0);
		for (unsigned k = 0; k < 2; k++) {
			struct trace *t = trace_new(1);

			snprintf(t->id, sizeof(t->id), "v-run-%u", 10 * i + k);
			strcpy(t->vantage, "v");
			strcpy(t->campaign, "c");
			strcpy(t->round, r.id);
			strcpy(t->target, "192.0.2.1");
			addr_parse(t->target, &t->dst);
			t->start.ns = r.planned.ns + (k == 0 ? 0 : rows[i].trace_s * NS_PER_S);
			t->size = (uint32_t)trace_size(t->entry_count);
			assert_int_equal(store_add_trace(s, t, NULL, NULL, &b->err), 0);
			free(t);
		}
		assert_int_equal(store_add_round(s, &r, &already, &b->err), 0);
		assert_int_equal(store_commit(s, &b->err), 0);
	}
	store_close(s);
	c = open_cut(b);
	cut_all(b, c, told);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct seen seen = {0};

		read_batch(b, c, i + 1, &seen);
		if (seen.traces != 2 || seen.last.traces != 2 || seen.last.missed != 0)
			fail_msg("%s: %u traces, %u missed: %s", rows[i].why, seen.traces,
				 seen.last.missed, seen.last.note);
	}
	cut_state(c, &st);
	assert_int_equal(st.lost_traces, 0);
	cut_close(c);
}

/* What was cut too large, and is cut finer, is counted once. */
static void what_is_cut_finer_is_counted_once(void **state)
{
	static const char digits[] = "0123456789abcdef";
	struct bed *b = *state;
	char told[BP_ERROR_TEXT] = "";
	struct cut_state st, again;
	struct store *s;
	struct round r;
	struct cut *c;
	bool already;

	assert_int_equal(store_open(b->path, STORE_WRITE, &s, &b->err), 0);
	round_init(&r);
	strcpy(r.campaign, "c");
	strcpy(r.vantage, "v");
	r.planned.ns = r.start.ns = T0;
	r.expected = r.done = 1;
	round_set_id(&r);
	assert_int_equal(store_begin(s, &b->err), 0);
	/* Objects that no compressor makes less than half of. */
	for (unsigned k = 0; k < 12; k++) {
		static char text[400000];
		int n = snprintf(text, sizeof(text), "{\"type\":\"paths\",\"round\":\"%s\",\"x\":\"",
				 r.id);
		struct trace *t = trace_new(1);

		for (size_t i = (size_t)n; i < sizeof(text) - 3; i++)
			text[i] = digits[randombytes_uniform(16)];
		memcpy(text + sizeof(text) - 3, "\"}", 3);
		snprintf(t->id, sizeof(t->id), "v-run-%u", k);
		strcpy(t->vantage, "v");
		strcpy(t->campaign, "c");
		strcpy(t->round, r.id);
		strcpy(t->target, "192.0.2.1");
		addr_parse(t->target, &t->dst);
		t->start.ns = T0 + k * NS_PER_S;
		t->size = (uint32_t)trace_size(t->entry_count);
		assert_int_equal(store_add_trace(s, t, NULL, NULL, &b->err), 0);
		if (store_add_object(s, RECORD_PATHS, t->start, "v", "c", r.id, text,
				     sizeof(text) - 1, &b->err) < 0)
			fail_msg("%s", b->err.text);
		free(t);
	}
	r.traces = 12;
	assert_int_equal(store_add_round(s, &r, &already, &b->err), 0);
	assert_int_equal(store_commit(s, &b->err), 0);
	store_close(s);
	c = open_cut(b);
	cut_all(b, c, told);
	cut_state(c, &st);
	cut_close(c);
	assert_true(st.cut > 1);
	c = open_cut(b);
	cut_state(c, &again);
	cut_close(c);
	assert_int_equal(st.cut, again.cut);
	assert_int_equal(st.bytes, again.bytes);
	assert_int_equal(st.records, again.records);
	assert_int_equal(st.records, 25);
}

/* Whose table is on no page of the file. */
static void harm_outbox(struct bed *b)
{
	char file[96], *why = NULL;
	sqlite3 *db;

	snprintf(file, sizeof(file), "%s/outbox.db", b->dir);
	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	if (sqlite3_exec(db, "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 9999"
			 " WHERE name = 'batch'; PRAGMA schema_version = 999", NULL, NULL,
			 &why) != SQLITE_OK)
		fail_msg("%s", why);
	sqlite3_close(db);
}

/* What is damaged is the outbox: no round of the spool is, and a new outbox has them all. */
static void a_damaged_outbox_loses_no_round(void **state)
{
	struct bed *b = *state;
	char told[BP_ERROR_TEXT] = "", file[96], aside[PATH_MAX], again[PATH_MAX];
	struct cut_state st;
	struct store *s;
	struct cut *c;

	make_store(b, 3, 2);
	c = open_cut(b);
	assert_int_equal(store_open(b->path, STORE_READ, &s, &b->err), 0);
	assert_int_equal(cut_next(c, s, NULL, &b->err), 0);
	assert_false(cut_is_broken(c));
	/* While it is open. */
	harm_outbox(b);
	assert_int_equal(cut_next(c, s, NULL, &b->err), BP_EPARSE);
	assert_true(cut_is_broken(c));
	assert_int_equal(cut_next(c, s, NULL, &b->err), BP_EPARSE);
	cut_state(c, &st);
	assert_int_equal(st.cut, 1);
	assert_int_equal(st.lost_rounds, 0);
	store_close(s);
	cut_close(c);
	snprintf(file, sizeof(file), "%s/outbox.db", b->dir);
	assert_int_equal(cut_open(file, "v", &c, &b->err), BP_EPARSE);
	assert_int_equal(cut_put_aside(file, aside, &b->err), 0);
	assert_int_equal(access(aside, F_OK), 0);
	assert_int_equal(access(file, F_OK), -1);
	c = open_cut(b);
	cut_all(b, c, told);
	cut_state(c, &st);
	assert_int_equal(st.cut, 3);
	assert_int_equal(st.lost_rounds, 0);
	cut_close(c);
	/* Twice in a second: none takes the other's place. */
	assert_int_equal(cut_put_aside(file, again, &b->err), 0);
	assert_string_not_equal(aside, again);
	assert_int_equal(access(aside, F_OK), 0);
	assert_int_equal(access(again, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_damaged_trace_costs_its_round_no_more_than_it_must),
		T(a_damaged_round_is_passed_over_and_counted),
		T(a_round_is_whole_wherever_its_traces_lie),
		T(what_is_cut_finer_is_counted_once),
		T(a_damaged_outbox_loses_no_round),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

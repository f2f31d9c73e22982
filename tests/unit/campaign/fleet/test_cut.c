// SPDX-License-Identifier: BSD-2-Clause
/* The outbox: rounds become batches once, the same seq is the same bytes for ever, and what was
 * dropped before it was cut is said. */
#include "tests/unit/campaign/store_bed.h"

#include <sodium.h>
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

static struct store *open_spool(struct bed *b)
{
	struct store *s;

	assert_int_equal(store_open(b->path, STORE_READ, &s, &b->err), 0);
	return s;
}

struct seen {
	unsigned traces, rounds, others;
	struct round round;
	char last[TRACE_ID_TEXT];
};

static int see(void *arg, struct record *r, struct bp_error *err)
{
	struct seen *s = arg;

	if (r->kind == RECORD_TRACE) {
		s->traces++;
		snprintf(s->last, sizeof(s->last), "%s", r->trace->id);
	} else if (r->kind == RECORD_ROUND) {
		s->rounds++;
		return round_read(r, &s->round, err);
	} else {
		s->others++;
	}
	return 0;
}

/* What a batch holds, by its place, as the centre reads it. */
static struct batch_head read_batch(struct bed *b, struct cut *c, uint64_t place, struct seen *s)
{
	enum batch_refusal refusal;
	struct batch_head head, told;
	struct buf bytes;

	buf_init(&bytes);
	memset(s, 0, sizeof(*s));
	assert_int_equal(cut_get(c, place, &bytes, &told, &b->err), 0);
	if (batch_read("v", NULL, bytes.bytes, bytes.used, &head, see, s, &refusal, &b->err) < 0)
		fail_msg("%s", b->err.text);
	assert_int_equal(head.seq, told.seq);
	assert_string_equal(head.epoch, told.epoch);
	assert_int_equal(head.records, told.records);
	assert_string_equal(head.round, told.round);
	buf_fini(&bytes);
	return head;
}

static void rounds_become_batches_in_the_order_of_commits(void **state)
{
	struct bed *b = *state;
	struct cut_state st;
	struct store *s;
	struct seen seen;
	struct batch_head h;
	struct cut *c;

	make_store(b, 2, 300);
	c = open_cut(b);
	s = open_spool(b);
	assert_int_equal(cut_next(c, s, NULL, &b->err), 0);
	assert_int_equal(cut_next(c, s, NULL, &b->err), 0);
	assert_int_equal(cut_next(c, s, NULL, &b->err), BP_ENOTFOUND);
	cut_state(c, &st);
	assert_int_equal(st.cut, 4);
	assert_int_equal(st.confirmed, 0);
	assert_int_equal(st.records, 602);
	h = read_batch(b, c, 1, &seen);
	assert_int_equal(h.seq, 1);
	assert_int_equal(h.part, 1);
	assert_int_equal(h.parts, 2);
	assert_string_equal(h.epoch, st.epoch);
	assert_int_equal(seen.traces, BATCH_RECORDS);
	assert_int_equal(seen.rounds, 0);
	assert_string_equal(seen.last, "v-run-255");
	h = read_batch(b, c, 2, &seen);
	assert_int_equal(h.part, 2);
	assert_int_equal(seen.traces, 300 - BATCH_RECORDS);
	assert_int_equal(seen.rounds, 1);
	assert_int_equal(seen.round.traces, 300);
	assert_int_equal(seen.round.missed, 0);
	h = read_batch(b, c, 4, &seen);
	assert_int_equal(h.seq, 4);
	assert_string_equal(seen.last, "v-run-10299");
	store_close(s);
	cut_close(c);
}

static void the_same_seq_is_the_same_bytes_whatever_becomes_of_the_spool(void **state)
{
	struct bed *b = *state;
	struct store *s;
	struct cut *c;
	struct buf before, after;
	struct batch_head h;
	struct cut_state st, again;
	uint64_t dropped;

	make_store(b, 3, 5);
	c = open_cut(b);
	s = open_spool(b);
	while (cut_next(c, s, NULL, &b->err) == 0) {
	}
	store_close(s);
	buf_init(&before);
	buf_init(&after);
	assert_int_equal(cut_get(c, 2, &before, &h, &b->err), 0);
	cut_state(c, &st);
	cut_close(c);
	assert_int_equal(store_open(b->path, STORE_WRITE, &s, &b->err), 0);
	assert_int_equal(store_retire(s, NULL, NULL, (struct wall){T0 + 9000 * NS_PER_S}, true,
				      &dropped, &b->err), 0);
	assert_int_equal(dropped, 15);
	store_close(s);
	c = open_cut(b);
	cut_state(c, &again);
	assert_string_equal(again.epoch, st.epoch);
	assert_int_equal(again.cut, 3);
	assert_int_equal(again.row, st.row);
	assert_int_equal(again.bytes, st.bytes);
	assert_int_equal(cut_get(c, 2, &after, &h, &b->err), 0);
	assert_int_equal(after.used, before.used);
	assert_memory_equal(after.bytes, before.bytes, after.used);
	buf_fini(&before);
	buf_fini(&after);
	cut_close(c);
}

static void what_is_confirmed_is_forgotten_and_nothing_else(void **state)
{
	struct bed *b = *state;
	struct cut_state st;
	struct batch_head h;
	struct store *s;
	struct cut *c;
	struct buf bytes;
	bool news;

	make_store(b, 3, 2);
	c = open_cut(b);
	s = open_spool(b);
	while (cut_next(c, s, NULL, &b->err) == 0) {
	}
	buf_init(&bytes);
	assert_int_equal(cut_confirm(c, 4, &news, &b->err), BP_ERANGE);
	assert_line(&b->err);
	assert_int_equal(cut_confirm(c, 2, &news, &b->err), 0);
	assert_true(news);
	assert_int_equal(cut_confirm(c, 1, &news, &b->err), 0);
	assert_false(news);
	cut_state(c, &st);
	assert_int_equal(st.confirmed, 2);
	assert_int_equal(st.records, 3);
	assert_int_equal(cut_get(c, 2, &bytes, &h, &b->err), BP_ENOTFOUND);
	assert_int_equal(cut_get(c, 3, &bytes, &h, &b->err), 0);
	assert_int_equal(cut_confirm(c, 3, &news, &b->err), 0);
	cut_state(c, &st);
	assert_int_equal(st.bytes, 0);
	/* And its count goes on. */
	store_close(s);
	assert_int_equal(store_open(b->path, STORE_WRITE, &s, &b->err), 0);
	assert_int_equal(put_round(s, 3, 2, &b->err), 0);
	assert_int_equal(cut_next(c, s, NULL, &b->err), 0);
	assert_int_equal(cut_get(c, 4, &bytes, &h, &b->err), 0);
	buf_fini(&bytes);
	store_close(s);
	cut_close(c);
}

static void what_was_dropped_before_it_was_cut_is_said(void **state)
{
	struct bed *b = *state;
	struct cut_state st;
	struct seen seen;
	struct store *s;
	struct cut *c;
	uint64_t dropped;

	make_store(b, 2, 10);
	assert_int_equal(store_open(b->path, STORE_WRITE, &s, &b->err), 0);
	/* Half of the first round. */
	assert_int_equal(store_retire(s, NULL, NULL, (struct wall){T0 + 4 * NS_PER_S}, true,
				      &dropped, &b->err), 0);
	assert_int_equal(dropped, 4);
	c = open_cut(b);
	assert_int_equal(cut_lost(c, dropped, &b->err), 0);
	assert_int_equal(cut_next(c, s, NULL, &b->err), 0);
	assert_int_equal(cut_next(c, s, NULL, &b->err), 0);
	read_batch(b, c, 1, &seen);
	assert_int_equal(seen.traces, 6);
	assert_int_equal(seen.round.traces, 6);
	assert_int_equal(seen.round.done, 6);
	assert_int_equal(seen.round.missed, 4);
	assert_int_equal(seen.round.expected, 10);
	assert_int_equal(seen.round.why, ROUND_WHY_SPOOL);
	assert_non_null(strstr(seen.round.note, "4 traces were measured and dropped unsent"));
	read_batch(b, c, 2, &seen);
	assert_int_equal(seen.traces, 10);
	assert_int_equal(seen.round.missed, 0);
	cut_state(c, &st);
	assert_int_equal(st.lost_traces, 4);
	cut_close(c);
	c = open_cut(b);
	cut_state(c, &st);
	assert_int_equal(st.lost_traces, 4);
	cut_close(c);
	store_close(s);
}

static void a_spool_made_anew_is_sent_from_its_first_round(void **state)
{
	struct bed *b = *state;
	struct store *s;
	struct batch_head before, after;
	struct cut_state st;
	struct seen seen;
	struct cut *c;
	bool anew;

	make_store(b, 3, 2);
	c = open_cut(b);
	s = open_spool(b);
	while (cut_next(c, s, &anew, &b->err) == 0)
		assert_false(anew);
	store_close(s);
	assert_int_equal(unlink(b->path), 0);
	assert_int_equal(store_open(b->path, STORE_WRITE, &s, &b->err), 0);
	for (unsigned slot = 7; slot < 12; slot++)
		assert_int_equal(put_round(s, slot, 1, &b->err), 0);
	assert_int_equal(cut_next(c, s, &anew, &b->err), 0);
	assert_true(anew);
	cut_state(c, &st);
	assert_int_equal(st.cut, 4);
	before = read_batch(b, c, 3, &seen);
	after = read_batch(b, c, 4, &seen);
	assert_string_equal(seen.last, "v-run-70000");
	assert_string_not_equal(after.epoch, before.epoch);
	assert_int_equal(after.seq, 1);
	store_close(s);
	cut_close(c);
}

static void cut_all(struct bed *b, struct cut *c)
{
	struct store *s = open_spool(b);
	int rc;

	while ((rc = cut_next(c, s, NULL, &b->err)) == 0) {
	}
	assert_int_equal(rc, BP_ENOTFOUND);
	store_close(s);
}

static void add_rounds(struct bed *b, unsigned from, unsigned to)
{
	struct store *s;

	assert_int_equal(store_open(b->path, STORE_WRITE, &s, &b->err), 0);
	for (unsigned slot = from; slot < to; slot++)
		assert_int_equal(put_round(s, slot, 1, &b->err), 0);
	store_close(s);
}

static void run(const struct bed *b, const char *what)
{
	char command[256];

	snprintf(command, sizeof(command), "cd '%s' && %s", b->dir, what);
	assert_int_equal(system(command), 0);
}

/* However often a name was given, it stands for the same bytes. */
struct given { char name[BATCH_ID_TEXT]; struct buf bytes; };
enum { GIVEN_MAX = 64 };

static void give(struct bed *b, struct cut *c, struct given *all)
{
	struct cut_state st;

	cut_state(c, &st);
	for (uint64_t place = st.confirmed + 1; place <= st.cut; place++) {
		struct batch_head head;
		char name[BATCH_ID_TEXT];
		struct buf bytes;
		unsigned i = 0;

		buf_init(&bytes);
		assert_int_equal(cut_get(c, place, &bytes, &head, &b->err), 0);
		batch_id(&head, 0, name);
		while (i < GIVEN_MAX && all[i].name[0] != '\0' && strcmp(all[i].name, name) != 0)
			i++;
		assert_true(i < GIVEN_MAX);
		if (all[i].name[0] != '\0') {
			assert_int_equal(all[i].bytes.used, bytes.used);
			assert_memory_equal(all[i].bytes.bytes, bytes.bytes, bytes.used);
			buf_fini(&bytes);
			continue;
		}
		snprintf(all[i].name, sizeof(all[i].name), "%s", name);
		all[i].bytes = bytes;
	}
}

/* Copies of the outbox, of the spool, of both come back under a program that is not running. */
static void whatever_is_restored_no_name_is_given_anew(void **state)
{
	static const struct { const char *restore, *why; } rows[] = {
		{"cp then/outbox.db .", "the outbox alone, into the same file"},
		{"cp then/store.db .", "the spool alone"},
		{"cp then/* .", "both"},
		{"mv then/outbox.db .", "the outbox, as another file"},
		{"rm outbox.db", "the outbox is gone"},
		{"rm store.db", "the spool is gone"},
	};
	struct bed *b = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct given all[GIVEN_MAX] = {0};
		struct cut_state st;
		struct cut *c;
		bool news;

		run(b, "rm -rf ./* && mkdir then");
		snprintf(b->path, sizeof(b->path), "%s/store.db", b->dir);
		add_rounds(b, 0, 2);
		c = open_cut(b);
		cut_all(b, c);
		give(b, c, all);
		assert_int_equal(cut_confirm(c, 1, &news, &b->err), 0);
		cut_close(c);
		run(b, "cp *.db then/");
		/* Another life goes on, and delivers. */
		c = open_cut(b);
		add_rounds(b, 2, 5);
		cut_all(b, c);
		give(b, c, all);
		cut_state(c, &st);
		assert_int_equal(cut_confirm(c, st.epoch_cut, &news, &b->err), 0);
		cut_state(c, &st);
		assert_int_equal(cut_confirm(c, st.epoch_cut, &news, &b->err), 0);
		cut_close(c);
		run(b, rows[i].restore);
		c = open_cut(b);
		/* Other rounds than those that the centre had of this place. */
		add_rounds(b, 20 + 10 * (unsigned)i, 25 + 10 * (unsigned)i);
		cut_all(b, c);
		give(b, c, all);
		cut_close(c);
		for (unsigned k = 0; k < GIVEN_MAX; k++)
			buf_fini(&all[k].bytes);
	}
}

static void epochs_are_confirmed_one_behind_the_other(void **state)
{
	struct bed *b = *state;
	char first[BATCH_EPOCH_TEXT];
	struct cut_state st;
	struct cut *c;
	bool news;

	c = open_cut(b);
	cut_state(c, &st);
	assert_string_equal(st.epoch, "");
	assert_int_equal(cut_confirm(c, 1, &news, &b->err), BP_ERANGE);
	add_rounds(b, 0, 3);
	cut_all(b, c);
	cut_state(c, &st);
	strcpy(first, st.epoch);
	assert_int_equal(st.epoch_cut, 3);
	cut_close(c);
	/* Who cuts nothing begins nothing. */
	cut_close(open_cut(b));
	c = open_cut(b);
	cut_state(c, &st);
	assert_string_equal(st.epoch, first);
	add_rounds(b, 3, 5);
	cut_all(b, c);
	cut_state(c, &st);
	assert_string_equal(st.epoch, first);
	assert_int_equal(st.epoch_cut, 3);
	assert_int_equal(st.cut, 5);
	assert_int_equal(cut_confirm(c, 2, &news, &b->err), 0);
	cut_state(c, &st);
	assert_int_equal(st.epoch_confirmed, 2);
	assert_int_equal(st.confirmed, 2);
	/* More than this copy of it ever had: all that it has. */
	assert_int_equal(cut_confirm(c, 7, &news, &b->err), 0);
	assert_true(news);
	cut_state(c, &st);
	assert_string_not_equal(st.epoch, first);
	assert_int_equal(st.confirmed, 3);
	assert_int_equal(st.epoch_confirmed, 0);
	assert_int_equal(st.epoch_cut, 2);
	assert_int_equal(st.records, 4);
	assert_int_equal(cut_confirm(c, 3, &news, &b->err), BP_ERANGE);
	assert_int_equal(cut_confirm(c, 2, &news, &b->err), 0);
	cut_state(c, &st);
	assert_int_equal(st.confirmed, 5);
	assert_int_equal(st.bytes, 0);
	cut_close(c);
	/* The next begins where nothing waits. */
	c = open_cut(b);
	cut_state(c, &st);
	strcpy(first, st.epoch);
	add_rounds(b, 5, 6);
	cut_all(b, c);
	cut_state(c, &st);
	assert_string_not_equal(st.epoch, first);
	assert_int_equal(st.epoch_cut, 1);
	assert_int_equal(cut_confirm(c, 1, &news, &b->err), 0);
	assert_true(news);
	cut_state(c, &st);
	assert_int_equal(st.confirmed, 6);
	cut_close(c);
}

/* Who has a stolen key may raise the mark of the epoch under way: the numbers up to it are not
 * given to what is measured next, as the centre would take it for what it has. */
static void a_mark_that_was_raised_ends_its_epoch(void **state)
{
	struct bed *b = *state;
	struct batch_head head;
	char first[BATCH_EPOCH_TEXT];
	struct cut_state st;
	struct seen seen;
	struct cut *c;
	bool news;

	make_store(b, 2, 1);
	c = open_cut(b);
	cut_all(b, c);
	cut_state(c, &st);
	strcpy(first, st.epoch);
	assert_int_equal(cut_confirm(c, 60000, &news, &b->err), BP_ERANGE);
	assert_line(&b->err);
	cut_state(c, &st);
	assert_int_equal(st.confirmed, 0);
	add_rounds(b, 2, 4);
	cut_all(b, c);
	head = read_batch(b, c, 3, &seen);
	assert_string_not_equal(head.epoch, first);
	assert_int_equal(head.seq, 1);
	/* What was cut of it is all that can be confirmed, and the next one's turn comes. */
	assert_int_equal(cut_confirm(c, 60000, &news, &b->err), 0);
	cut_state(c, &st);
	assert_string_equal(st.epoch, head.epoch);
	assert_int_equal(st.confirmed, 2);
	assert_int_equal(cut_confirm(c, 2, &news, &b->err), 0);
	cut_state(c, &st);
	assert_int_equal(st.confirmed, 4);
	/* That one is its own again. */
	add_rounds(b, 4, 5);
	cut_all(b, c);
	head = read_batch(b, c, 5, &seen);
	assert_string_equal(head.epoch, st.epoch);
	assert_int_equal(head.seq, 3);
	cut_close(c);
}

/* Changes the outbox by hand, into one of an older version. */
static void make_older(struct bed *b, const char *sql)
{
	char file[96], *why = NULL;
	sqlite3 *db;

	snprintf(file, sizeof(file), "%s/outbox.db", b->dir);
	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s", why);
	sqlite3_close(db);
}

static void an_outbox_of_an_older_version_goes_on(void **state)
{
	static const char *const older[] = {
		/* 1: one epoch for ever */
		"ALTER TABLE meta DROP COLUMN lost_rounds;"
		"ALTER TABLE meta ADD COLUMN epoch TEXT NOT NULL DEFAULT '';"
		"UPDATE meta SET epoch = (SELECT name FROM epoch);"
		"DROP TABLE epoch; UPDATE meta SET lost_traces = 7; PRAGMA user_version = 1",
		/* 2: no rounds that were lost */
		"ALTER TABLE meta DROP COLUMN lost_rounds; UPDATE meta SET lost_traces = 7;"
		"PRAGMA user_version = 2",
	};
	struct bed *b = *state;

	make_store(b, 2, 1);
	for (unsigned i = 0; i < sizeof(older) / sizeof(older[0]); i++) {
		struct batch_head head;
		struct cut_state st;
		struct seen seen;
		struct buf bytes;
		char file[96];
		struct cut *c;

		snprintf(file, sizeof(file), "%s/outbox.db", b->dir);
		unlink(file);
		c = open_cut(b);
		cut_all(b, c);
		cut_state(c, &st);
		cut_close(c);
		make_older(b, older[i]);
		c = open_cut(b);
		buf_init(&bytes);
		assert_int_equal(cut_get(c, 2, &bytes, &head, &b->err), 0);
		buf_fini(&bytes);
		assert_string_equal(head.epoch, st.epoch);
		assert_int_equal(head.seq, 2);
		add_rounds(b, i + 2, i + 3);
		cut_all(b, c);
		head = read_batch(b, c, i + 3, &seen);
		assert_string_not_equal(head.epoch, st.epoch);
		assert_int_equal(head.seq, 1);
		cut_state(c, &st);
		assert_int_equal(st.lost_traces, 7);
		assert_int_equal(st.lost_rounds, 0);
		cut_close(c);
		/* It is of this version now. */
		c = open_cut(b);
		cut_close(c);
	}
}

/* A slot that nobody measured. */
static void put_gap(struct store *s, unsigned slot, struct bp_error *err)
{
	struct round r;
	bool already;

	round_init(&r);
	strcpy(r.campaign, "c");
	strcpy(r.vantage, "v");
	r.planned.ns = T0 + slot * 900 * NS_PER_S;
	r.expected = r.missed = 2;
	r.why = ROUND_WHY_DOWN;
	round_set_id(&r);
	assert_int_equal(store_begin(s, err), 0);
	assert_int_equal(store_add_round(s, &r, &already, err), 0);
	assert_int_equal(store_commit(s, err), 0);
}

/* As a daemon does whose clock had run ahead, and was put right. */
static void measure_gap(struct store *s, unsigned slot, struct bp_error *err)
{
	struct round r;
	bool already;

	round_init(&r);
	strcpy(r.campaign, "c");
	strcpy(r.vantage, "v");
	r.planned.ns = r.start.ns = T0 + slot * 900 * NS_PER_S;
	r.end.ns = r.start.ns + NS_PER_S;
	r.expected = r.done = 2;
	round_set_id(&r);
	assert_int_equal(store_begin(s, err), 0);
	assert_int_equal(store_add_round(s, &r, &already, err), 0);
	assert_false(already);
	assert_int_equal(store_commit(s, err), 0);
}

static void a_slot_told_as_missed_and_measured_even_so_is_cut_again(void **state)
{
	struct bed *b = *state;
	struct store *s;
	struct seen seen;
	struct cut *c;
	struct cut_state st;
	unsigned again;

	assert_int_equal(store_open(b->path, STORE_WRITE, &s, &b->err), 0);
	c = open_cut(b);
	put_gap(s, 0, &b->err);
	put_gap(s, 1, &b->err);
	assert_int_equal(put_round(s, 2, 1, &b->err), 0);
	while (cut_next(c, s, NULL, &b->err) == 0) {
	}
	assert_int_equal(cut_measured(c, s, NULL, &again, &b->err), 0);
	assert_int_equal(again, 0);
	measure_gap(s, 1, &b->err);
	assert_int_equal(cut_next(c, s, NULL, &b->err), BP_ENOTFOUND);
	assert_int_equal(cut_measured(c, s, "another", &again, &b->err), 0);
	assert_int_equal(again, 0);
	assert_int_equal(cut_measured(c, s, "c-v-20261122T101500Z", &again, &b->err), 0);
	assert_int_equal(again, 1);
	assert_int_equal(cut_measured(c, s, NULL, &again, &b->err), 0);
	assert_int_equal(again, 0);
	cut_state(c, &st);
	assert_int_equal(st.cut, 4);
	read_batch(b, c, 2, &seen);
	assert_int_equal(seen.round.missed, 2);
	read_batch(b, c, 4, &seen);
	assert_int_equal(seen.round.done, 2);
	assert_string_equal(seen.round.id, "c-v-20261122T101500Z");
	/* The place in the spool is where it was. */
	assert_int_equal(put_round(s, 3, 1, &b->err), 0);
	assert_int_equal(cut_next(c, s, NULL, &b->err), 0);
	read_batch(b, c, 5, &seen);
	assert_string_equal(seen.last, "v-run-30000");
	store_close(s);
	cut_close(c);
}

static void an_outbox_is_of_one_vantage_point(void **state)
{
	struct bed *b = *state;
	char file[96];
	struct cut *c = open_cut(b);

	cut_close(c);
	snprintf(file, sizeof(file), "%s/outbox.db", b->dir);
	assert_int_equal(cut_open(file, "w", &c, &b->err), BP_EINVAL);
	assert_line(&b->err);
	make_store(b, 1, 1);
	assert_int_equal(cut_open(b->path, "v", &c, &b->err), BP_EPARSE);
	assert_line(&b->err);
}

static void plans_are_remembered(void **state)
{
	struct bed *b = *state;
	struct cut_plan p = {.campaign = "dprk", .revision = 7, .running = 6, .reason = "why"};
	struct cut_plan out[4];
	struct cut *c = open_cut(b);

	assert_int_equal(cut_plan_put(c, &p, &b->err), 0);
	strcpy(p.campaign, "alpha");
	assert_int_equal(cut_plan_put(c, &p, &b->err), 0);
	p.running = 7;
	assert_int_equal(cut_plan_put(c, &p, &b->err), 0);
	cut_close(c);
	c = open_cut(b);
	assert_int_equal(cut_plans(c, out, 4, &b->err), 2);
	assert_string_equal(out[0].campaign, "alpha");
	assert_int_equal(out[0].running, 7);
	assert_string_equal(out[1].campaign, "dprk");
	assert_int_equal(out[1].running, 6);
	assert_string_equal(out[1].reason, "why");
	assert_int_equal(cut_plan_drop(c, "alpha", &b->err), 0);
	assert_int_equal(cut_plans(c, out, 4, &b->err), 1);
	cut_close(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(rounds_become_batches_in_the_order_of_commits),
		T(the_same_seq_is_the_same_bytes_whatever_becomes_of_the_spool),
		T(what_is_confirmed_is_forgotten_and_nothing_else),
		T(what_was_dropped_before_it_was_cut_is_said),
		T(a_spool_made_anew_is_sent_from_its_first_round),
		T(whatever_is_restored_no_name_is_given_anew),
		T(epochs_are_confirmed_one_behind_the_other),
		T(a_mark_that_was_raised_ends_its_epoch),
		T(an_outbox_of_an_older_version_goes_on),
		T(a_slot_told_as_missed_and_measured_even_so_is_cut_again),
		T(an_outbox_is_of_one_vantage_point),
		T(plans_are_remembered),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

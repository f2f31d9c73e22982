// SPDX-License-Identifier: BSD-2-Clause
/* The collector: what is taken in, told and acknowledged, and when it is not; poison; a broker that
 * is killed; two collectors. */
#include "tests/unit/campaign/fleet/collect/collect_bed.h"

#include <pthread.h>

static void a_batch_is_committed_told_and_gone(void **state)
{
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	send_round(b, "fra1", 0, 1);
	turn_until_counted(b, 1, 0, 0);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM traces"), 1);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM rounds"), 1);
	assert_int_equal(b->round_count, 1);
	assert_string_equal(b->rounds[0], round_of("fra1", 0).id);
	assert_int_equal(mark_heard(b, "fra1"), 1);
	broker_is_empty(b);
	centre_says(b, "fra1", "marks", EPOCH, 1);
	bed_close(b);
}

static void what_comes_twice_is_in_once(void **state)
{
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	send_round(b, "fra1", 0, 1);
	turn_until_counted(b, 1, 0, 0);
	send_part(b, "fra1", 0, 1, 1, 1, 1);
	turn_until_counted(b, 1, 1, 0);
	/* A spool that was made anew numbers what it has anew: its traces are those they were. */
	send_part(b, "fra1", 0, 2, 1, 1, 0);
	turn_until_counted(b, 2, 1, 0);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM traces"), 1);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM rounds"), 1);
	assert_int_equal(b->round_count, 1);
	assert_int_equal(mark_heard(b, "fra1"), 2);
	broker_is_empty(b);
	bed_close(b);
}

static void a_round_is_told_when_all_of_it_is_in(void **state)
{
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	send_part(b, "fra1", 0, 3, 3, 3, 0);
	turn_until_counted(b, 1, 0, 0);
	assert_int_equal(mark_heard(b, "fra1"), 0);
	send_part(b, "fra1", 0, 1, 1, 3, 0);
	turn_until_counted(b, 2, 0, 0);
	assert_int_equal(b->round_count, 0);
	assert_int_equal(mark_heard(b, "fra1"), 1);
	send_part(b, "fra1", 0, 2, 2, 3, 0);
	turn_until_counted(b, 3, 0, 0);
	assert_int_equal(b->round_count, 1);
	assert_int_equal(mark_heard(b, "fra1"), 3);
	bed_close(b);
}

static void poison_is_set_aside_and_blocks_nobody(void **state)
{
	static const char old[] =
		"{\"type\":\"batch\",\"version\":0,\"vantage\":\"fra1\",\"epoch\":\"" EPOCH
		"\",\"seq\":7,\"tool\":\"borderpath 0.0.1\"}\n";
	struct batch_head head = {.vantage = "fra1", .epoch = EPOCH, .round = "r", .seq = 3,
				  .part = 1, .parts = 1};
	struct bed *b;
	const char *bytes;
	struct bp_error err;
	size_t n;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	send_round(b, "fra1", 0, 1);
	publish(b, "fra1", "fra1." EPOCH ".2.0", "no batch", 8);
	/* What one agent writes as another. */
	snprintf(head.vantage, sizeof(head.vantage), "nrt1");
	batch_begin(b->writer);
	assert_int_equal(batch_end(b->writer, &head, &bytes, &n, &err), 0);
	publish(b, "fra1", "fra1." EPOCH ".3.0", bytes, n);
	publish_plain(b, "fra1." EPOCH ".4.0", NULL, BATCH_PLAIN_MAX + 1);
	publish_plain(b, "fra1." EPOCH ".7.0", old, strlen(old));
	send_round(b, "fra1", 2, 6);
	/* Nobody can say which one that is. */
	publish(b, "fra1", "whatever", "no batch either", 15);
	publish(b, "fra1", NULL, "", 0);
	send_round(b, "fra1", 1, 5);
	turn_until_counted(b, 3, 0, 6);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM traces"), 3);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM batch_refused"), 6);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM batch_refused WHERE seq = 4 AND"
				   " reason LIKE 'oversized: %'"), 1);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM batch_refused WHERE seq = 7 AND"
				   " reason LIKE 'version: %borderpath 0.0.1%'"), 1);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM batch_refused WHERE seq = 3 AND"
				   " reason LIKE 'foreign: %nrt1%' AND vantage = 'fra1'"), 1);
	assert_int_equal(b->round_count, 3);
	assert_int_equal(mark_heard(b, "fra1"), 7);
	broker_is_empty(b);
	centre_says(b, "fra1", "refused", "version", 1);
	centre_says(b, "fra1", "refused", "malformed", 3);
	centre_says(b, "fra1", "refused", "foreign", 1);
	centre_says(b, "fra1", "refused", "oversized", 1);
	/* Another collector goes on counting. */
	collect_close(b->c);
	b->c = open_collect(b);
	publish(b, "fra1", "fra1." EPOCH ".8.0", "no batch", 8);
	turn_until_counted(b, 0, 0, 1);
	centre_says(b, "fra1", "refused", "malformed", 4);
	centre_says(b, "fra1", "marks", EPOCH, 8);
	bed_close(b);
}

static void a_broker_that_was_killed_is_taken_up_again(void **state)
{
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	send_round(b, "fra1", 0, 1);
	turn_until_counted(b, 1, 0, 0);
	broker_kill(&b->broker);
	turn(b);
	turn(b);
	broker_start(&b->broker);
	bus_ear_close(b->marks);
	bus_close(b->agent);
	b->agent = broker_bus(&b->broker, "fra1", NULL);
	b->marks = NULL;
	send_round(b, "fra1", 1, 2);
	turn_until_counted(b, 2, 0, 0);
	assert_int_equal(b->round_count, 2);
	bed_close(b);
}

struct question { struct bus *bus; const char *said; struct buf answer; int rc; };

static void *ask(void *arg)
{
	struct question *q = arg;
	struct bp_error err;

	q->rc = bus_ask(q->bus, "bp.ask.fra1", q->said, strlen(q->said),
			60 * NS_PER_S, &q->answer, &err);
	return NULL;
}

static void who_asks_is_answered_and_a_start_tells_all(void **state)
{
#define ANSWER(n) "{\"type\":\"marks\",\"version\":1,\"vantage\":\"fra1\",\"marks\":{\"" EPOCH "\":" n "}}"
	static const struct { const char *said, *answer; } rows[] = {
		{"", ANSWER("1")},
		{"{\"epoch\":\"" EPOCH "\",\"confirmed\":1}", ANSWER("1")},
		{"{\"epoch\":\"" EPOCH "\",\"confirmed\":0}", ANSWER("1")},
		{"{\"epoch\":\"a.b\",\"confirmed\":7}", ANSWER("1")},
		{"no JSON", ANSWER("1")},
		/* A store that was restored from a backup is behind what was forgotten. */
		{"{\"epoch\":\"" EPOCH "\",\"confirmed\":7}", ANSWER("7")},
		{"", ANSWER("7")},
	};
	struct question q = {.rc = 1};
	pthread_t thread;
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	send_round(b, "fra1", 0, 1);
	send_round(b, "nrt1", 0, 1);
	turn_until_counted(b, 2, 0, 0);
	assert_int_equal(mark_heard(b, "fra1"), 1);
	collect_close(b->c);
	b->c = open_collect(b);
	turn(b);
	assert_int_equal(mark_heard(b, "nrt1"), 1);
	buf_init(&q.answer);
	q.bus = b->agent;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_clear(&q.answer);
		q.said = rows[i].said;
		assert_int_equal(pthread_create(&thread, NULL, ask, &q), 0);
		while (pthread_tryjoin_np(thread, NULL) != 0)
			turn(b);
		assert_int_equal(q.rc, 0);
		assert_string_equal(q.answer.bytes, rows[i].answer);
	}
	buf_fini(&q.answer);
	bed_close(b);
}

static void two_collectors_share_the_work(void **state)
{
	enum { EACH = 100 };
	struct collect_counts one, two;
	struct collect *other;
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	other = open_collect(b);
	for (uint64_t seq = 1; seq <= EACH; seq++)
		send_part(b, seq % 2 ? "fra1" : "nrt1", (unsigned)seq, (seq + 1) / 2, 1, 2, 0);
	for (unsigned i = 0; i < PATIENCE; i++) {
		struct collect *mine = b->c;

		collect_step(i % 2 ? mine : other, NS_PER_MS);
		collect_count(mine, &one);
		collect_count(other, &two);
		if (one.batches + two.batches == EACH)
			break;
	}
	assert_int_equal(one.batches + two.batches, EACH);
	assert_true(one.batches > 0 && two.batches > 0);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM traces"), EACH);
	assert_int_equal(ask_store(b, "SELECT sum(through) FROM batch"), EACH);
	broker_is_empty(b);
	collect_close(other);
	bed_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_batch_is_committed_told_and_gone),
		cmocka_unit_test(what_comes_twice_is_in_once),
		cmocka_unit_test(a_round_is_told_when_all_of_it_is_in),
		cmocka_unit_test(poison_is_set_aside_and_blocks_nobody),
		cmocka_unit_test(a_broker_that_was_killed_is_taken_up_again),
		cmocka_unit_test(who_asks_is_answered_and_a_start_tells_all),
		cmocka_unit_test(two_collectors_share_the_work),
	};

	return cmocka_run_group_tests(tests, NULL, broker_over);
}

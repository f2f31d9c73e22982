// SPDX-License-Identifier: BSD-2-Clause
/* The collector and what somebody with a stolen key, or a broker and a store of another past, make
 * it believe: marks, epochs, numbers; and rounds that another collector made whole. */
#include "tests/unit/campaign/fleet/collect/collect_bed.h"

#include <pthread.h>

/* --- who asks --------------------------------------------------------------------------------- */

struct question { struct bus *bus; const char *said; struct buf answer; int rc; };

static void *ask(void *arg)
{
	struct question *q = arg;
	struct bp_error err;

	q->rc = bus_ask(q->bus, "bp.ask.fra1", q->said, strlen(q->said), 60 * NS_PER_S, &q->answer,
			&err);
	return NULL;
}

/* What the answer to fra1's `said` says of an epoch; -1: nothing. */
static int64_t told(struct bed *b, const char *said, const char *epoch)
{
	struct question q = {.bus = b->agent, .said = said, .rc = 1};
	struct bp_error err;
	struct json_node *dom;
	pthread_t thread;
	int64_t mark = -1;

	buf_init(&q.answer);
	assert_int_equal(pthread_create(&thread, NULL, ask, &q), 0);
	while (pthread_tryjoin_np(thread, NULL) != 0)
		turn(b);
	assert_int_equal(q.rc, 0);
	dom = json_tree(q.answer.bytes, q.answer.used, &err);
	assert_non_null(dom);
	node_int(node_get(node_get(dom, "marks"), epoch), 0, INT64_MAX, &mark);
	free(dom);
	buf_fini(&q.answer);
	return mark;
}

static void a_mark_does_not_run_away(void **state)
{
	char said[96];
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	send_round(b, "fra1", 0, 1);
	turn_until_counted(b, 1, 0, 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(told(b, "{\"epoch\":\"" EPOCH "\",\"confirmed\":9000000000000000000}",
				      EPOCH), 1 + 4096);
	/* Nor do epochs come by the thousand. */
	for (unsigned i = 0; i < 100; i++) {
		snprintf(said, sizeof(said), "{\"epoch\":\"x%u\",\"confirmed\":7}", i);
		told(b, said, EPOCH);
	}
	assert_true(ask_store(b, "SELECT count(*) FROM batch") <= 2);
	bed_close(b);
}

/* The store is a backup's; the broker knows what was told before. */
static void what_the_centre_told_is_believed(void **state)
{
	static const char before[] = "{\"type\":\"centre\",\"version\":1,\"vantage\":\"fra1\","
				     "\"marks\":{\"" EPOCH "\":70000}}";
	struct bp_error err = {0};
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	turn(b);
	assert_int_equal(bus_put(b->agent, "BP_CENTRE", "fra1", before, strlen(before), NULL, &err),
			 0);
	send_round(b, "fra1", 0, 1);
	turn_until_counted(b, 1, 0, 0);
	/* An entry that another collector wrote does not go back. */
	centre_says(b, "fra1", "refused", "foreign", 0);
	centre_says(b, "fra1", "marks", EPOCH, 70000);
	assert_int_equal(told(b, "{\"epoch\":\"" EPOCH "\",\"confirmed\":70003}", EPOCH), 70003);
	bed_close(b);
}

/* --- numbers ---------------------------------------------------------------------------------- */

/* What nobody sends who counts from 1 waits for the mark to come near, and takes no place. */
static void a_number_far_ahead_waits(void **state)
{
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	send_part(b, "fra1", 7, 9000000, 1, 1, 0);
	send_round(b, "fra1", 0, 1);
	turn_until_counted(b, 1, 0, 0);
	turn(b);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM batch_early"), 0);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM batch_refused"), 0);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM traces"), 1);
	assert_int_equal(mark_heard(b, "fra1"), 1);
	/* The same of what cannot be read: it is kept, under no number of its agent's. */
	publish(b, "fra1", "fra1." EPOCH ".9000000.1", "no batch", 8);
	turn_until_counted(b, 1, 0, 1);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM batch_refused WHERE epoch = '?'"), 1);
	bed_close(b);
}

/* But not for ever: its place at the broker is the next key's. And nothing is used up. */
static void what_waits_for_long_is_set_aside(void **state)
{
	static const char newer[] =
		"{\"type\":\"batch\",\"version\":99,\"vantage\":\"fra1\",\"epoch\":\"" EPOCH
		"\",\"seq\":1,\"tool\":\"borderpath 9\"}\nof another age\n";
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	send_part(b, "fra1", 7, 9000000, 1, 1, 0);
	publish_plain(b, "fra1." EPOCH ".1.0", newer, strlen(newer));
	fault.deliveries = 2880;
	turn_until_counted(b, 0, 0, 2);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM batch_refused WHERE epoch = '?'"), 2);
	broker_is_empty(b);
	fault.deliveries = 0;
	/* As its agent sends it again. */
	send_part(b, "fra1", 0, 1, 1, 1, 1);
	turn_until_counted(b, 1, 0, 2);
	assert_int_equal(mark_heard(b, "fra1"), 1);
	centre_says(b, "fra1", "refused", "failed", 1);
	bed_close(b);
}

static void epochs_by_the_thousand_wait(void **state)
{
	enum { EPOCHS = 100, AT_ONCE = 64 };
	char id[64];
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	for (unsigned i = 0; i < EPOCHS; i++) {
		snprintf(id, sizeof(id), "fra1.x%u.1.0", i);
		publish(b, "fra1", id, "no batch", 8);
	}
	turn_until_counted(b, 0, 0, EPOCHS);
	/* Each is kept, and most under no epoch of its own. */
	assert_int_equal(ask_store(b, "SELECT count(*) FROM batch_refused"), EPOCHS);
	assert_true(ask_store(b, "SELECT count(DISTINCT epoch) FROM batch_refused") <= AT_ONCE + 1);
	bed_close(b);
}

/* A broker that lost its disk counts from 1 again. */
static void bytes_of_another_broker_are_kept_too(void **state)
{
	char command[128];
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	publish(b, "fra1", "whatever", "no batch", 8);
	turn_until_counted(b, 0, 0, 1);
	broker_kill(&b->broker);
	snprintf(command, sizeof(command), "rm -rf '%s/js'", b->broker.dir);
	assert_int_equal(system(command), 0);
	broker_start(&b->broker);
	bus_ear_close(b->marks);
	bus_close(b->agent);
	b->marks = NULL;
	b->agent = broker_bus(&b->broker, "fra1", NULL);
	/* The collector makes the stream again. */
	for (unsigned i = 0; i < PATIENCE; i++) {
		struct bp_error err = {0};
		bool duplicate;

		turn(b);
		if (bus_publish(b->agent, "bp.result.fra1", "whatever", "another one", 11,
				&duplicate, &err) == 0)
			break;
	}
	turn_until_counted(b, 0, 0, 2);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM batch_refused"), 2);
	bed_close(b);
}

/* --- two collectors --------------------------------------------------------------------------- */

static void on_other_round(void *arg, const struct round *r)
{
	(void)r;
	++*(unsigned *)arg;
}

/* One has the round, the other what stands before it: it is told, and soon. */
static void a_round_is_told_whoever_makes_it_whole(void **state)
{
	struct bed *b;
	unsigned rounds = 0;
	struct collect_options o = {.bus = {.name = "other", .inbox = "centre"}, .replicas = 1};
	const struct collect_hooks hooks = {.on_round = on_other_round, .arg = &rounds};
	struct collect_counts n = {0};
	struct bp_error err = {0};
	struct collect *other;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	o.bus.url = b->broker.url;
	o.store = b->store;
	assert_int_equal(collect_open(&o, &hooks, &other, &err), 0);
	send_part(b, "fra1", 0, 2, 2, 2, 0);
	for (unsigned i = 0; i < PATIENCE && n.batches == 0; i++) {
		collect_step(other, TURN_NS);
		collect_count(other, &n);
	}
	send_part(b, "fra1", 0, 1, 1, 2, 0);
	turn_until_counted(b, 1, 0, 0);
	for (unsigned i = 0; i < 300 && rounds == 0; i++)
		collect_step(other, TURN_NS);
	assert_int_equal(rounds, 1);
	assert_int_equal(b->round_count, 0);
	collect_close(other);
	bed_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mark_does_not_run_away),
		cmocka_unit_test(what_the_centre_told_is_believed),
		cmocka_unit_test(a_number_far_ahead_waits),
		cmocka_unit_test(what_waits_for_long_is_set_aside),
		cmocka_unit_test(epochs_by_the_thousand_wait),
		cmocka_unit_test(bytes_of_another_broker_are_kept_too),
		cmocka_unit_test(a_round_is_told_whoever_makes_it_whole),
	};

	return cmocka_run_group_tests(tests, NULL, broker_over);
}

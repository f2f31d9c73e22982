// SPDX-License-Identifier: BSD-2-Clause
/* The collector where the store fails, or a batch is more than it looks: whose fault it is, what is
 * tried again, what is set aside. */
#include "tests/unit/campaign/fleet/collect/collect_bed.h"

#include <sys/resource.h>

static void a_store_that_is_away_acknowledges_nothing(void **state)
{
	struct bed *b;
	unsigned notes;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	turn(b);
	fault.commits = 3;
	notes = b->notes;
	send_round(b, "fra1", 0, 1);
	send_round(b, "nrt1", 0, 1);
	while (fault.commits > 0) {
		turn(b);
		assert_int_equal(b->round_count, 0);
		assert_int_equal(mark_heard(b, "fra1"), -1);
	}
	/* Told once, however often it fails. */
	assert_int_equal(b->notes, notes + 1);
	turn_until_counted(b, 2, 0, 0);
	assert_int_equal(b->notes, notes + 2);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM traces"), 2);
	assert_int_equal(b->round_count, 2);
	broker_is_empty(b);
	bed_close(b);
}

static void content_that_the_store_refuses_is_poison(void **state)
{
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	fault.trace = "fra1-run-101";
	fault.code = BP_EINVAL;
	for (unsigned slot = 0; slot < 3; slot++)
		send_round(b, "fra1", slot, slot + 1);
	turn_until_counted(b, 2, 0, 1);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM traces"), 2);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM batch_refused WHERE seq = 2"), 1);
	assert_int_equal(mark_heard(b, "fra1"), 3);
	broker_is_empty(b);
	bed_close(b);
}

/* A store tells late what it does not take: by what is added next, or by the commit. */
static void only_what_fails_alone_is_poison(void **state)
{
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	fault.trace = "fra1-run-201";
	fault.code = BP_EINVAL;
	fault.late = true;
	for (unsigned slot = 0; slot < 7; slot++)
		send_round(b, "fra1", slot, slot + 1);
	turn_until_counted(b, 6, 0, 1);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM traces"), 6);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM batch_refused"), 1);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM batch_refused WHERE seq = 3"), 1);
	assert_int_equal(b->round_count, 6);
	assert_int_equal(mark_heard(b, "fra1"), 7);
	broker_is_empty(b);
	bed_close(b);
}

/* Nobody knows what is wrong with it: it is neither lost nor in the way. */
static void what_fails_alone_goes_back_and_blocks_nobody(void **state)
{
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	fault.trace = "fra1-run-101";
	fault.code = BP_EIO;
	for (unsigned slot = 0; slot < 3; slot++)
		send_round(b, "fra1", slot, slot + 1);
	turn_until_counted(b, 2, 0, 0);
	turn(b);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM traces"), 2);
	assert_int_equal(b->round_count, 1);
	assert_int_equal(mark_heard(b, "fra1"), 1);
	/* The others go on meanwhile. */
	send_round(b, "nrt1", 0, 1);
	turn_until_counted(b, 3, 0, 0);
	assert_int_equal(mark_heard(b, "nrt1"), 1);
	bed_close(b);
}

/* And it does not keep its vantage point from going on for ever. */
static void what_fails_alone_for_long_is_set_aside(void **state)
{
	struct bp_error err = {0};
	struct bus_intake *in;
	struct bus_message m;
	unsigned count;
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	fault.trace = "fra1-run-1";
	fault.code = BP_EIO;
	send_round(b, "fra1", 0, 1);
	/* As if it had come back so often. */
	assert_int_equal(bus_intake_open(b->agent, &in, &err), 0);
	do {
		assert_int_equal(bus_fetch(in, 1, 10 * NS_PER_S, &m, &count, &err), 0);
		assert_int_equal(count, 1);
		assert_int_equal(bus_nak(&m, 0, &err), 0);
		count = (unsigned)m.deliveries;
		bus_message_drop(&m);
	} while (count < 30);
	bus_intake_close(in);
	send_round(b, "fra1", 1, 2);
	turn_until_counted(b, 1, 0, 1);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM batch_refused WHERE seq = 1 AND"
				   " reason = 'failed: this trace is not taken'"), 1);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM traces"), 1);
	assert_int_equal(mark_heard(b, "fra1"), 2);
	broker_is_empty(b);
	centre_says(b, "fra1", "refused", "failed", 1);
	bed_close(b);
}

/* Agents are upgraded first: what they send waits at the broker for the collector that knows it. */
static void what_is_newer_waits(void **state)
{
	static const char newer[] =
		"{\"type\":\"batch\",\"version\":2,\"vantage\":\"fra1\",\"epoch\":\"" EPOCH
		"\",\"seq\":1,\"tool\":\"borderpath 9\"}\nof another age\n";
	uint64_t waiting = 0, open = 0;
	struct bp_error err = {0};
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	publish_plain(b, "fra1." EPOCH ".1.0", newer, strlen(newer));
	send_round(b, "fra1", 1, 2);
	send_round(b, "nrt1", 0, 1);
	turn_until_counted(b, 2, 0, 0);
	centre_says(b, "fra1", "refused", "newer", 1);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM traces"), 2);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM batch_refused"), 0);
	/* Its agent keeps it, too. */
	assert_int_equal(mark_heard(b, "fra1"), 0);
	assert_int_equal(broker_results(b->agent, &waiting, &open, &err), 0);
	assert_int_equal(waiting + open, 1);
	bed_close(b);
}

/* What stands in a batch may be small, and large once it is read. */
static void what_is_kept_of_a_batch_is_bounded(void **state)
{
	enum { RECORDS = 900, NUMBERS = 8000 };
	struct rusage before, after;
	struct buf text;
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	turn(b);
	buf_init(&text);
	buf_printf(&text, "{\"type\":\"batch\",\"version\":1,\"vantage\":\"fra1\",\"epoch\":\""
		   EPOCH "\",\"seq\":1,\"tool\":\"t\",\"round\":\"%s\",\"part\":1,\"parts\":1,"
		   "\"records\":%d}\n", round_of("fra1", 0).id, RECORDS);
	for (unsigned i = 0; i < RECORDS; i++) {
		buf_printf(&text, "{\"type\":\"run\",\"version\":1,\"x\":[%u", i);
		for (unsigned n = 0; n < NUMBERS; n++)
			buf_str(&text, ",0");
		buf_str(&text, "]}\n");
	}
	assert_false(text.failed);
	publish_plain(b, "fra1." EPOCH ".1.0", text.bytes, text.used);
	buf_fini(&text);
	getrusage(RUSAGE_SELF, &before);
	turn_until_counted(b, 1, 0, 0);
	getrusage(RUSAGE_SELF, &after);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM object"), RECORDS);
#ifndef __SANITIZE_ADDRESS__ /* which keeps what was freed */
	if (after.ru_maxrss - before.ru_maxrss > 128 * 1024)
		fail_msg("%ld MB", (after.ru_maxrss - before.ru_maxrss) / 1024);
#endif
	bed_close(b);
}

/* Of traces it is a bound that nothing honest comes near. */
static void a_batch_that_grows_beyond_measure_is_refused(void **state)
{
	enum { RECORDS = 20, PROBES = 20000 };
	struct buf text;
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	buf_init(&text);
	buf_printf(&text, "{\"type\":\"batch\",\"version\":1,\"vantage\":\"fra1\",\"epoch\":\""
		   EPOCH "\",\"seq\":1,\"tool\":\"t\",\"round\":\"%s\",\"part\":1,\"parts\":1,"
		   "\"records\":%d}\n", round_of("fra1", 0).id, RECORDS);
	for (unsigned i = 0; i < RECORDS; i++) {
		buf_printf(&text, "{\"type\":\"trace\",\"version\":1,\"id\":\"fra1-run-%u\",\"vantage\":"
			   "\"fra1\",\"campaign\":\"c\",\"round\":\"%s\",\"dst\":\"192.0.2.1\","
			   "\"method\":\"icmp\",\"hops\":[{\"ttl\":1,\"probes\":[{\"attempt\":1}",
			   i, round_of("fra1", 0).id);
		for (unsigned n = 1; n < PROBES; n++)
			buf_str(&text, ",{\"attempt\":1}");
		buf_str(&text, "]}]}\n");
	}
	assert_false(text.failed);
	publish_plain(b, "fra1." EPOCH ".1.0", text.bytes, text.used);
	buf_fini(&text);
	turn_until_counted(b, 0, 0, 1);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM batch_refused WHERE seq = 1 AND"
				   " reason LIKE 'oversized: %'"), 1);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM traces"), 0);
	bed_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_store_that_is_away_acknowledges_nothing),
		cmocka_unit_test(content_that_the_store_refuses_is_poison),
		cmocka_unit_test(only_what_fails_alone_is_poison),
		cmocka_unit_test(what_fails_alone_goes_back_and_blocks_nobody),
		cmocka_unit_test(what_fails_alone_for_long_is_set_aside),
		cmocka_unit_test(what_is_newer_waits),
		cmocka_unit_test(what_is_kept_of_a_batch_is_bounded),
		cmocka_unit_test(a_batch_that_grows_beyond_measure_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, broker_over);
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * What becomes of copies, duplicates and late answers, and which round-trip times are given.
 * Packets are given as method_match() would give them; tokens are the real ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "prober/record.h"
#include "tests/unit/prober/bed.h"

/* All probes of a UDP flow are sent; the first was seen leaving by device 3 after at_us. Returns
 * the answer to it. */
static struct match asked(struct bed *b, int64_t at_us)
{
	bed_init(b, "198.51.100.7", METHOD_UDP);
	bed_send_all(b, b->f);
	bed_depart(b, b->f, 1, 1, 3, at_us);
	return bed_exceeded(b->f, 1, "203.0.113.1");
}

/* --- copies, duplicates, late answers --- */

static void stacked_devices(void **state)
{
	struct bed b;
	struct match m;
	struct trace *t;

	(void)state;
	bed_init(&b, "198.51.100.7", METHOD_UDP);
	bed_send_all(&b, b.f);
	/* Out by the bridge (5), then by its port (3); in by the port, then the bridge. */
	bed_depart(&b, b.f, 1, 1, 5, 0);
	bed_depart(&b, b.f, 1, 1, 3, 2);
	m = bed_exceeded(b.f, 1, "203.0.113.1");
	assert_int_equal(bed_take(&b, &m, 3, 302, NULL), FLIGHT_ANSWER);
	assert_int_equal(bed_take(&b, &m, 5, 303, NULL), FLIGHT_NOTHING);
	t = bed_done(&b, b.f, NULL);
	assert_int_equal(t->entries[0].reply.rtt_ns, 300 * NS_PER_US);
	assert_int_equal(t->entries[0].tx_ns, 2 * NS_PER_US);
	assert_int_equal(t->received, 1);
	assert_int_equal(b.f->ifindex, 5); /* the device of the route */
	free(t);
	flights_fini(&b.fs);
}

static void duplicates(void **state)
{
	struct bed b;
	struct match m;
	struct trace *t;
	struct flight_hit hit;

	(void)state;
	m = asked(&b, 0);
	assert_int_equal(bed_take(&b, &m, 3, 300, NULL), FLIGHT_ANSWER);
	/* Again on the same device, and much later on another: real duplicates. */
	assert_int_equal(bed_take(&b, &m, 3, 310, &hit), FLIGHT_ANSWER);
	assert_false(hit.first);
	assert_int_equal(bed_take(&b, &m, 4, 5300, NULL), FLIGHT_ANSWER);
	assert_int_equal(bed_take(&b, &m, 3, 320, NULL), FLIGHT_ANSWER);
	/* No room for more of one probe. */
	assert_int_equal(bed_take(&b, &m, 3, 330, NULL), FLIGHT_DUPLICATE);
	t = bed_done(&b, b.f, NULL);
	assert_int_equal(t->received, 1);
	assert_int_equal(t->entries[0].reply.flags, 0);
	for (unsigned i = 1; i <= FLIGHT_EXTRA_PER_PROBE; i++) {
		assert_int_equal(t->entries[i].ttl, 1);
		assert_int_equal(t->entries[i].reply.flags, REPLY_DUP);
	}
	assert_int_equal(t->entries[4].ttl, 2);
	assert_int_equal(trace_validate(t, t->size), 0);
	free(t);
	flights_fini(&b.fs);
}

/* A duplicate passes the stack as the first answer did: its copy is no third answer. */
static void duplicates_on_stacked_devices(void **state)
{
	struct bed b;
	struct match m;

	(void)state;
	m = asked(&b, 0);
	for (int64_t at_us = 300; at_us < 9300; at_us += 3000) {
		assert_int_equal(bed_take(&b, &m, 3, at_us, NULL), FLIGHT_ANSWER);
		assert_int_equal(bed_take(&b, &m, 5, at_us + 1, NULL), FLIGHT_NOTHING);
	}
	assert_int_equal(b.f->answer_count, 3);
	flights_fini(&b.fs);
}

static void late_in_its_trace(void **state)
{
	struct bed b;
	struct match m;
	struct trace *t;

	(void)state;
	bed_init(&b, "198.51.100.7", METHOD_UDP);
	bed_send_all(&b, b.f);
	bed_depart(&b, b.f, 1, 1, 3, 0);
	/* TTL 2 keeps the trace alive; the wait for TTL 1 is over after 2 s. */
	b.now = mono_add(b.now, 2 * NS_PER_S + NS_PER_MS);
	b.wall.ns += 2 * NS_PER_S + NS_PER_MS;
	bed_send_all(&b, b.f);
	m = bed_exceeded(b.f, 1, "203.0.113.1");
	assert_int_equal(bed_take(&b, &m, 3, 0, NULL), FLIGHT_ANSWER);
	t = bed_done(&b, b.f, NULL);
	assert_int_equal(t->entries[0].why, WHY_TIMEOUT);
	assert_false(addr_is_set(t->entries[0].reply.from));
	/* Behind the attempt it answers, with its own flag. */
	assert_int_equal(t->entries[1].ttl, 1);
	assert_int_equal(t->entries[1].attempt, 1);
	assert_int_equal(t->entries[1].reply.flags, REPLY_LATE);
	assert_int_equal(t->entries[1].reply.rtt_ns, 2 * NS_PER_S + NS_PER_MS);
	assert_int_equal(t->received, 1);
	assert_int_equal(trace_validate(t, t->size), 0);
	free(t);
	flights_fini(&b.fs);
}

static void after_its_trace(void **state)
{
	struct bed b;
	struct match m, forged;

	(void)state;
	bed_init(&b, "198.51.100.7", METHOD_UDP);
	bed_send_all(&b, b.f);
	m = bed_exceeded(b.f, 1, "203.0.113.1");
	forged = m;
	forged.token = forged.token_copy = m.token ^ 1;
	/* Its record is about to be written: too late for it. */
	tracer_stop(&b.f->tracer, STOP_INTERRUPTED);
	assert_int_equal(bed_take(&b, &m, 3, 100, NULL), FLIGHT_LATE);
	assert_int_equal(b.f->answer_count, 0);
	flight_end(&b.fs, b.f);
	assert_int_equal(bed_take(&b, &m, 3, 100, NULL), FLIGHT_LATE);
	assert_int_equal(bed_take(&b, &forged, 3, 100, NULL), FLIGHT_BAD_TOKEN);
	m.dst = bed_addr("198.51.100.8");
	assert_int_equal(bed_take(&b, &m, 3, 100, NULL), FLIGHT_FOREIGN);
	flights_fini(&b.fs);
}

/* --- times --- */

/* A probe that a loop brings back leaves again, with a lower TTL: no departure of ours. */
static void a_loop_through_here(void **state)
{
	struct bed b;
	struct match m;

	(void)state;
	bed_init(&b, "198.51.100.7", METHOD_UDP);
	bed_send_all(&b, b.f);
	bed_depart(&b, b.f, 4, 1, 3, 0);
	assert_int_equal(b.f->probes[3].ttl, 4);
	m = bed_about(b.f, MATCH_DEPARTURE, 4, 1);
	m.ttl = 2;
	assert_int_equal(bed_take(&b, &m, 4, 100, NULL), FLIGHT_NOTHING);
	assert_int_equal(b.f->probes[3].departed.ns, BED_W0 * NS_PER_S);
	flights_fini(&b.fs);
}

static void departure_never_captured(void **state)
{
	struct bed b;
	struct match m;
	struct trace *t;

	(void)state;
	bed_init(&b, "198.51.100.7", METHOD_UDP);
	bed_send_all(&b, b.f);
	m = bed_exceeded(b.f, 1, "203.0.113.1");
	assert_int_equal(bed_take(&b, &m, 3, 100, NULL), FLIGHT_ANSWER);
	t = bed_done(&b, b.f, NULL);
	assert_int_equal(t->entries[0].reply.rtt_ns, -1);
	assert_int_equal(t->entries[0].why, WHY_NONE);
	assert_true(t->entries[0].tx_ns == TX_UNKNOWN);
	assert_int_equal(t->entries[1].why, WHY_NOT_SEEN);
	assert_int_equal(trace_validate(t, t->size), 0);
	free(t);
	flights_fini(&b.fs);
}

static void a_clock_step_voids_the_rtt(void **state)
{
	static const struct {
		const char *why;
		int64_t since_us, until_us; /* the step lies between */
		int64_t rtt_ns;
	} steps[] = {
		{"before the probe was sent", -900, -800, 300 * 1000},
		{"between", 100, 200, -1},
		{"seen only when the answer was read", -50, 301, -1},
		{"after the answer was read", 400, 500, 300 * 1000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct steps s = {0};
		struct bed b;
		struct match m;
		struct trace *t;

		m = asked(&b, 0);
		assert_int_equal(bed_take(&b, &m, 3, 300, NULL), FLIGHT_ANSWER);
		steps_add(&s, mono_add(b.now, steps[i].since_us * NS_PER_US),
			  mono_add(b.now, steps[i].until_us * NS_PER_US));
		t = bed_done(&b, b.f, &s);
		if (t->entries[0].reply.rtt_ns != steps[i].rtt_ns)
			fail_msg("%s: %lld", steps[i].why, (long long)t->entries[0].reply.rtt_ns);
		assert_int_equal(t->entries[0].reply.flags, steps[i].rtt_ns < 0 ? REPLY_CLOCK : 0);
		free(t);
		flights_fini(&b.fs);
	}
}

/* An answer that was stamped before its probe left: no step was told, and yet the difference is
 * none. */
static void negative_difference(void **state)
{
	struct bed b;
	struct match m;
	struct trace *t;

	(void)state;
	m = asked(&b, 500);
	assert_int_equal(bed_take(&b, &m, 3, 300, NULL), FLIGHT_ANSWER);
	t = bed_done(&b, b.f, NULL);
	assert_int_equal(t->entries[0].reply.rtt_ns, -1);
	assert_int_equal(t->entries[0].reply.flags, REPLY_CLOCK);
	free(t);
	flights_fini(&b.fs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stacked_devices),
		cmocka_unit_test(duplicates),
		cmocka_unit_test(duplicates_on_stacked_devices),
		cmocka_unit_test(late_in_its_trace),
		cmocka_unit_test(after_its_trace),
		cmocka_unit_test(a_loop_through_here),
		cmocka_unit_test(departure_never_captured),
		cmocka_unit_test(a_clock_step_voids_the_rtt),
		cmocka_unit_test(negative_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

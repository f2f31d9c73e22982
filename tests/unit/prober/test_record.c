// SPDX-License-Identifier: BSD-2-Clause
/* The record of a flight: ids, what is trimmed, how entries are told apart, and failures. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "prober/record.h"

static const uint8_t key[METHOD_KEY_SIZE] = {9};

static void ids(void **state)
{
	static const struct {
		const char *vantage;
		int64_t start_ns;
		uint64_t seq;
		const char *id;
	} rows[] = {
		{"fra1", 0, 0, "fra1-0-0"},
		{"fra1", 35, 1, "fra1-z-1"},
		{"fra1", 36, 1, "fra1-10-1"},
		{"fra1", INT64_C(1700000000000000000), 7, "fra1-cwyvpelgpse8-7"},
		{"", 36, 5, "here-10-5"},
		{"a b-c/\xc3\xa9", 36, 5, "a_b_c___-10-5"},
		/* The longest of each still fits. */
		{"0123456789012345678901234567890123456789", INT64_MAX, UINT64_MAX,
		 "0123456789012345678901234567-1y2p0ij32e8e7-18446744073709551615"},
	};
	char id[TRACE_ID_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(record_id(rows[i].vantage, (struct wall){rows[i].start_ns},
					      rows[i].seq, id), rows[i].id);
}

struct bed {
	struct flights fs;
	struct flight *f;
	struct plan_run plan;
	struct steps steps;
	struct record_run run;
};

static void bed_init(struct bed *b, uint8_t first, uint8_t max, uint8_t attempts)
{
	struct plan_trace plan;
	struct probe_packet packet;
	struct flow flow;
	struct addr src;

	memset(b, 0, sizeof(*b));
	plan_run_defaults(&b->plan);
	memcpy(b->plan.vantage, "lab", 4);
	plan_trace_defaults(&plan);
	plan.seq = 3;
	plan.method = METHOD_UDP;
	plan.first_ttl = first;
	plan.max_ttl = max;
	plan.attempts = attempts;
	memcpy(plan.target, "host", 5);
	assert_int_equal(addr_parse("198.51.100.7", &plan.dst), 0);
	assert_int_equal(addr_parse("192.0.2.100", &src), 0);
	method_flow(METHOD_UDP, src, plan.dst, 0, 1, 0, 0, &flow);
	assert_int_equal(method_row(METHOD_UDP, 4)->build(&flow, &packet, NULL), 0);
	assert_int_equal(flights_init(&b->fs, 1, key), 0);
	b->run = (struct record_run){.plan = &b->plan, .start = {36}, .now = {1000},
				     .now_wall = {5000}, .steps = &b->steps, .ifname = "wg0"};
	b->f = flight_begin(&b->fs, &plan, &flow, &packet, b->run.now, b->run.now_wall);
	assert_non_null(b->f);
}

static void answer(struct bed *b, uint8_t ttl, uint8_t attempt, const char *from, int type,
		   int code)
{
	uint32_t token = flight_token(&b->fs, &b->f->flow, b->f->plan.seq, ttl, attempt);
	struct match m = {
		.kind = MATCH_REPLY, .method = METHOD_UDP, .src = b->f->flow.src,
		.dst = b->f->flow.dst, .sport = b->f->flow.sport, .dport = b->f->flow.dport,
		.token = token, .token_known = 2,
		.reply = {.icmp_type = (int16_t)type, .icmp_code = (int16_t)code, .tcp_flags = -1,
			  .rtt_ns = -1, .reply_ttl = 60, .quoted_ttl = 1, .size = 88, .ip_id = 1,
			  .mtu = -1},
	};
	struct flight_hit hit;

	assert_int_equal(addr_parse(from, &m.reply.from), 0);
	if (type == 3 && code == 3)
		m.reached_by = REACHED_BY_PORT_UNREACHABLE;
	assert_int_equal(flights_take(&b->fs, &m, 2, (struct wall){5400}, b->run.now, &hit),
			 FLIGHT_ANSWER);
}

static struct tracer_step send_all(struct bed *b)
{
	struct tracer_step s;

	while ((s = tracer_next(&b->f->tracer, b->run.now)).want == TRACER_SEND)
		flight_sent(&b->fs, b->f, s.ttl, s.attempt, b->run.now);
	return s;
}

/* TTLs sent ahead of the destination are counted, not shown. */
static void beyond_the_destination(void **state)
{
	static const char *const from[] = {"203.0.113.1", "203.0.113.2", "198.51.100.7"};
	char text[ADDR_TEXT];
	struct bed b;
	struct trace *t;
	uint32_t begin, end;

	(void)state;
	bed_init(&b, 1, 8, 1);
	send_all(&b);
	assert_true(b.f->sent >= 4);
	answer(&b, 1, 1, "203.0.113.1", 11, 0);
	answer(&b, 2, 1, "203.0.113.2", 11, 0);
	answer(&b, 3, 1, "198.51.100.7", 3, 3);
	answer(&b, 4, 1, "198.51.100.7", 3, 3);
	b.run.refused.foreign = 5;
	b.run.drops = 2;
	b.run.now.ns += 3 * NS_PER_S;
	assert_int_equal(send_all(&b).want, TRACER_DONE);
	t = record_flight(&b.run, b.f);
	assert_non_null(t);
	assert_int_equal(trace_validate(t, t->size), 0);
	assert_int_equal(t->entry_count, 3);
	assert_false(trace_hop(t, 4, &begin, &end));
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(t->entries[i].ttl, i + 1);
		assert_string_equal(addr_format(t->entries[i].reply.from, text), from[i]);
	}
	assert_int_equal(t->sent, b.f->sent);
	assert_true(t->sent > 3);
	assert_int_equal(t->received, 4);
	assert_int_equal(t->stop, STOP_REACHED);
	assert_int_equal(t->reach, REACH_REACHED);
	assert_int_equal(t->reached_by, REACHED_BY_PORT_UNREACHABLE);
	assert_string_equal(t->id, "lab-10-3");
	assert_string_equal(t->vantage, "lab");
	assert_string_equal(t->target, "host");
	assert_string_equal(t->ifname, "wg0");
	assert_int_equal(t->sport, b.f->flow.sport);
	assert_int_equal(t->dport, 33434);
	assert_int_equal(t->probe_size, b.f->packet.size);
	assert_int_equal(t->refused.foreign, 5);
	assert_int_equal(t->drops, 2);
	assert_int_equal(t->rate_pps, PLAN_RATE_PPS_DEFAULT);
	assert_int_equal(t->stamps, STAMPS_PCAP);
	assert_int_equal(t->start.ns, 5000);
	assert_int_equal(t->end.ns, 5000 + 3 * NS_PER_S);
	assert_false(t->clock_stepped);
	free(t);
	flights_fini(&b.fs);
}

static void why_there_is_no_answer(void **state)
{
	struct bed b;
	struct tracer_step s;
	struct trace *t;

	(void)state;
	bed_init(&b, 5, 8, 1);
	/* 5 is refused by the kernel, 6 leaves unseen, 7 and 8 leave; then the run is
	 * interrupted. */
	while ((s = tracer_next(&b.f->tracer, b.run.now)).want == TRACER_SEND) {
		if (s.ttl == 5)
			flight_refused(b.f, s.ttl, s.attempt, b.run.now, EPERM);
		else
			flight_sent(&b.fs, b.f, s.ttl, s.attempt, b.run.now);
	}
	b.f->probes[2].departed.ns = b.f->probes[3].departed.ns = 6000;
	b.f->probes[2].sent.ns -= 3 * NS_PER_S; /* its wait is over */
	tracer_stop(&b.f->tracer, STOP_INTERRUPTED);
	b.f->tracer.last_ttl = 8;
	t = record_flight(&b.run, b.f);
	assert_int_equal(t->entry_count, 4);
	assert_int_equal(t->entries[0].ttl, 5);
	assert_int_equal(t->entries[0].why, WHY_NOT_SENT);
	assert_int_equal(t->entries[1].why, WHY_NOT_SEEN);
	assert_int_equal(t->entries[2].why, WHY_TIMEOUT);
	assert_int_equal(t->entries[3].why, WHY_INTERRUPTED);
	assert_int_equal(t->entries[3].tx_ns, 1000);
	assert_int_equal(t->sent, 3);
	assert_int_equal(trace_validate(t, t->size), 0);
	free(t);
	flights_fini(&b.fs);
}

/* A firewall of this machine that drops what leaves: an error with its reason, not a silent
 * path. */
static void the_kernel_refuses_everything(void **state)
{
	struct bed b;
	struct tracer_step s;
	struct trace *t;

	(void)state;
	bed_init(&b, 1, 3, 1);
	while ((s = tracer_next(&b.f->tracer, b.run.now)).want == TRACER_SEND)
		flight_refused(b.f, s.ttl, s.attempt, b.run.now, EPERM);
	assert_int_equal(s.want, TRACER_DONE);
	t = record_flight(&b.run, b.f);
	assert_int_equal(t->stop, STOP_ERROR);
	assert_int_equal(t->reach, REACH_UNKNOWN);
	assert_non_null(strstr(t->error, "Operation not permitted"));
	assert_int_equal(t->entries[0].why, WHY_NOT_SENT);
	assert_int_equal(trace_validate(t, t->size), 0);
	free(t);
	flights_fini(&b.fs);
}

/* A step while the trace ran: departures after it are on another clock than the start. */
static void a_step_in_between(void **state)
{
	struct bed b;
	struct trace *t;

	(void)state;
	bed_init(&b, 1, 1, 1);
	send_all(&b);
	b.f->probes[0].departed.ns = 777777;
	b.f->probes[0].sent.ns = 3000;
	steps_add(&b.steps, (struct mono){2000}, (struct mono){2500});
	b.run.now.ns = 4000;
	tracer_stop(&b.f->tracer, STOP_INTERRUPTED);
	b.f->tracer.last_ttl = 1;
	t = record_flight(&b.run, b.f);
	assert_true(t->clock_stepped);
	assert_true(t->clock_known);
	assert_true(t->entries[0].tx_ns == TX_UNKNOWN);
	free(t);
	flights_fini(&b.fs);
}

static void a_target_that_cannot_be_measured(void **state)
{
	struct bed b;
	struct trace *t;

	(void)state;
	bed_init(&b, 1, 1, 1);
	t = record_failure(&b.run, &b.f->plan, "no route");
	assert_int_equal(trace_validate(t, t->size), 0);
	assert_int_equal(t->stop, STOP_ERROR);
	assert_string_equal(t->error, "no route");
	assert_string_equal(t->id, "lab-10-3");
	assert_int_equal(t->entry_count, 0);
	assert_int_equal(t->sent, 0);
	assert_int_equal(t->sport, -1);
	assert_true(addr_equal(t->dst, b.f->plan.dst));
	free(t);
	flights_fini(&b.fs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids),
		cmocka_unit_test(beyond_the_destination),
		cmocka_unit_test(why_there_is_no_answer),
		cmocka_unit_test(the_kernel_refuses_everything),
		cmocka_unit_test(a_step_in_between),
		cmocka_unit_test(a_target_that_cannot_be_measured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

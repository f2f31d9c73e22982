// SPDX-License-Identifier: BSD-2-Clause
/* See bed.h. */
#include "tests/unit/prober/bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "prober/record.h"

const uint8_t bed_key[METHOD_KEY_SIZE] = {1, 2, 3, 4, 5, 6, 7, 8};

struct addr bed_addr(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

struct flight *bed_fly(struct bed *b, const char *dst, enum method method, uint16_t number)
{
	struct probe_packet packet;
	struct plan_trace plan;
	struct flow flow;

	plan_trace_defaults(&plan);
	plan.seq = number + 1u;
	plan.dst = bed_addr(dst);
	plan.method = (uint8_t)method;
	plan.flow = number;
	method_flow(method, bed_addr(plan.dst.family == 4 ? "192.0.2.100" : "2001:db8:100::1"),
		    plan.dst, 0, 42, number, 0, &flow);
	assert_int_equal(method_row(method, plan.dst.family)->build(&flow, &packet, NULL), 0);
	return flight_begin(&b->fs, &plan, &flow, &packet, b->now, b->wall);
}

void bed_init(struct bed *b, const char *dst, enum method method)
{
	memset(b, 0, sizeof(*b));
	b->now.ns = BED_T0 * NS_PER_S;
	b->wall.ns = BED_W0 * NS_PER_S;
	assert_int_equal(flights_init(&b->fs, 8, bed_key), 0);
	b->f = bed_fly(b, dst, method, 0);
	assert_non_null(b->f);
}

void bed_send_all(struct bed *b, struct flight *f)
{
	struct tracer_step s;

	while ((s = tracer_next(&f->tracer, b->now)).want == TRACER_SEND)
		flight_sent(&b->fs, f, s.ttl, s.attempt, b->now);
}

uint32_t bed_token(const struct flight *f, uint8_t ttl, uint8_t attempt)
{
	struct flights fs = {0};

	memcpy(fs.key, bed_key, sizeof(bed_key));
	return flight_token(&fs, &f->flow, f->plan.seq, ttl, attempt);
}

struct match bed_about(const struct flight *f, enum match_kind kind, uint8_t ttl,
		       uint8_t attempt)
{
	uint32_t token = bed_token(f, ttl, attempt);

	return (struct match){
		.kind = kind, .method = f->flow.method, .src = f->flow.src, .dst = f->flow.dst,
		.sport = f->flow.sport, .dport = f->flow.dport, .token = token,
		.token_known = 2, .token_again = true, .token_copy = token,
		.ttl = kind == MATCH_DEPARTURE ? ttl : 0,
		.reply = {.rtt_ns = -1, .icmp_type = -1, .icmp_code = -1, .tcp_flags = -1,
			  .reply_ttl = 60, .quoted_ttl = 1, .size = 56, .ip_id = 7, .mtu = -1},
	};
}

struct match bed_exceeded(const struct flight *f, uint8_t ttl, const char *from)
{
	struct match m = bed_about(f, MATCH_REPLY, ttl, 1);

	m.reply.from = bed_addr(from);
	m.reply.icmp_type = m.reply.from.family == 4 ? 11 : 3;
	m.reply.icmp_code = 0;
	return m;
}

enum flight_verdict bed_take(struct bed *b, const struct match *m, int ifindex, int64_t at_us,
			     struct flight_hit *hit)
{
	struct flight_hit unused;

	return flights_take(&b->fs, m, ifindex, (struct wall){b->wall.ns + at_us * NS_PER_US},
			    mono_add(b->now, at_us * NS_PER_US), hit ? hit : &unused);
}

void bed_depart(struct bed *b, struct flight *f, uint8_t ttl, uint8_t attempt, int ifindex,
		int64_t at_us)
{
	struct match m = bed_about(f, MATCH_DEPARTURE, ttl, attempt);

	assert_int_equal(bed_take(b, &m, ifindex, at_us, NULL), FLIGHT_DEPARTURE);
}

struct trace *bed_done(struct bed *b, struct flight *f, struct steps *steps)
{
	static const struct plan_run plan = {.vantage = "lab"};
	struct steps none = {0};
	struct record_run run = {.plan = &plan, .start = {36}, .now = b->now, .now_wall = b->wall,
				 .steps = steps ? steps : &none, .ifname = "eth7"};

	tracer_stop(&f->tracer, STOP_INTERRUPTED);
	return record_flight(&run, f);
}

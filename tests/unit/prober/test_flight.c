// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which captured packets are believed to answer which probe, and what becomes of the others.
 * Packets are given as method_match() would give them; tokens are the real ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "prober/flight.h"
#include "prober/record.h"

static const uint8_t key[METHOD_KEY_SIZE] = {1, 2, 3, 4, 5, 6, 7, 8};
enum { T0 = 1000, W0 = 1700000000 }; /* seconds: of the steady clock, of the wall */

struct bed {
	struct flights fs;
	struct flight *f;
	struct mono now;
	struct wall wall;
};

static struct addr address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct flight *fly(struct bed *b, const char *dst, enum method method, uint16_t number)
{
	struct probe_packet packet;
	struct plan_trace plan;
	struct flow flow;

	plan_trace_defaults(&plan);
	plan.seq = number + 1u;
	plan.dst = address(dst);
	plan.method = (uint8_t)method;
	plan.flow = number;
	method_flow(method, address(plan.dst.family == 4 ? "192.0.2.100" : "2001:db8:100::1"),
		    plan.dst, 0, 42, number, 0, &flow);
	assert_int_equal(method_row(method, plan.dst.family)->build(&flow, &packet, NULL), 0);
	return flight_begin(&b->fs, &plan, &flow, &packet, b->now, b->wall);
}

static void bed_init(struct bed *b, const char *dst, enum method method)
{
	memset(b, 0, sizeof(*b));
	b->now.ns = T0 * NS_PER_S;
	b->wall.ns = W0 * NS_PER_S;
	assert_int_equal(flights_init(&b->fs, 8, key), 0);
	b->f = fly(b, dst, method, 0);
	assert_non_null(b->f);
}

/* Sends what the tracer wants until it waits: the first attempts of TTLs 1 to 4 at least, which are
 * all that the tests below ask about. */
static void send_all(struct bed *b, struct flight *f)
{
	struct tracer_step s;

	while ((s = tracer_next(&f->tracer, b->now)).want == TRACER_SEND)
		flight_sent(&b->fs, f, s.ttl, s.attempt, b->now);
}

static uint32_t token_of(const struct flight *f, uint8_t ttl, uint8_t attempt)
{
	struct flights fs = {0};

	memcpy(fs.key, key, sizeof(key));
	return flight_token(&fs, &f->flow, f->plan.seq, ttl, attempt);
}

/* A packet about the probe (ttl, attempt), with everything as it was sent. */
static struct match about(const struct flight *f, enum match_kind kind, uint8_t ttl,
			  uint8_t attempt)
{
	uint32_t token = token_of(f, ttl, attempt);

	return (struct match){
		.kind = kind, .method = f->flow.method, .src = f->flow.src, .dst = f->flow.dst,
		.sport = f->flow.sport, .dport = f->flow.dport, .token = token,
		.token_known = 2, .token_again = true, .token_copy = token,
		.ttl = kind == MATCH_DEPARTURE ? ttl : 0,
		.reply = {.rtt_ns = -1, .icmp_type = -1, .icmp_code = -1, .tcp_flags = -1,
			  .reply_ttl = 60, .quoted_ttl = 1, .size = 56, .ip_id = 7, .mtu = -1},
	};
}

static struct match exceeded(const struct flight *f, uint8_t ttl, const char *from)
{
	struct match m = about(f, MATCH_REPLY, ttl, 1);

	m.reply.from = address(from);
	m.reply.icmp_type = m.reply.from.family == 4 ? 11 : 3;
	m.reply.icmp_code = 0;
	return m;
}

static enum flight_verdict take(struct bed *b, const struct match *m, int ifindex, int64_t at_us,
				struct flight_hit *hit)
{
	struct flight_hit unused;

	return flights_take(&b->fs, m, ifindex, (struct wall){b->wall.ns + at_us * NS_PER_US},
			    mono_add(b->now, at_us * NS_PER_US), hit ? hit : &unused);
}

static void depart(struct bed *b, struct flight *f, uint8_t ttl, uint8_t attempt, int ifindex,
		   int64_t at_us)
{
	struct match m = about(f, MATCH_DEPARTURE, ttl, attempt);

	assert_int_equal(take(b, &m, ifindex, at_us, NULL), FLIGHT_DEPARTURE);
}

static struct trace *done(struct bed *b, struct flight *f, struct steps *steps)
{
	static const struct plan_run plan = {.vantage = "lab"};
	struct steps none = {0};
	struct record_run run = {.plan = &plan, .start = {36}, .now = b->now, .now_wall = b->wall,
				 .steps = steps ? steps : &none, .ifname = "eth7"};

	tracer_stop(&f->tracer, STOP_INTERRUPTED);
	return record_flight(&run, f);
}

/* --- belief --- */

/* What is changed in an honest answer, and what that makes of it. */
enum change {
	NONE, HI_WRONG, LO_WRONG, BOTH_WRONG, HI_ONLY, HI_ONLY_NO_COPY, LO_WRONG_NO_COPY,
	COPY_WRONG, ALL_WRONG,
	OTHER_SRC, OTHER_SPORT, OTHER_DPORT, OTHER_SPORT_AND_TOKEN, OTHER_DST, OTHER_METHOD,
	REDIRECT, REASSEMBLY, NEVER_SENT,
};

static const struct {
	enum change change;
	const char *why;
	enum flight_verdict verdict;
	uint16_t flags;
} beliefs[] = {
	{NONE, "as sent", FLIGHT_ANSWER, 0},
	{LO_WRONG, "checksum reset on the way, payload quoted", FLIGHT_ANSWER, REPLY_REWRITTEN},
	{HI_WRONG, "IP-ID rewritten, payload quoted", FLIGHT_ANSWER, REPLY_REWRITTEN},
	{BOTH_WRONG, "both rewritten, payload quoted", FLIGHT_ANSWER, REPLY_REWRITTEN},
	{HI_ONLY, "one half quoted, and the payload", FLIGHT_ANSWER, REPLY_REWRITTEN},
	{HI_ONLY_NO_COPY, "one half alone is never believed", FLIGHT_BAD_TOKEN, 0},
	{LO_WRONG_NO_COPY, "one half right, the other wrong", FLIGHT_BAD_TOKEN, 0},
	{COPY_WRONG, "the first copy suffices", FLIGHT_ANSWER, 0},
	{ALL_WRONG, "a forger who knows the flow", FLIGHT_BAD_TOKEN, 0},
	{OTHER_SRC, "a NAT's address in the quote", FLIGHT_ANSWER, REPLY_NAT},
	{OTHER_SPORT, "a NAT's port in the quote", FLIGHT_ANSWER, REPLY_NAT},
	{OTHER_DPORT, "a forwarded port in the quote", FLIGHT_ANSWER, REPLY_NAT},
	{OTHER_SPORT_AND_TOKEN, "another program's probe to the target", FLIGHT_FOREIGN, 0},
	{OTHER_DST, "about another destination", FLIGHT_FOREIGN, 0},
	{OTHER_METHOD, "about another method", FLIGHT_FOREIGN, 0},
	{REDIRECT, "a type that tells no place on the path", FLIGHT_FOREIGN, 0},
	{REASSEMBLY, "time exceeded, but in reassembly", FLIGHT_FOREIGN, 0},
	{NEVER_SENT, "the token of a probe not sent yet", FLIGHT_BAD_TOKEN, 0},
};

static void make(enum change change, const struct flight *f, struct match *m)
{
	switch (change) {
	case NONE: break;
	case HI_WRONG: m->token ^= 0x10000; break;
	case LO_WRONG: m->token ^= 1; break;
	case BOTH_WRONG: m->token ^= 0x10001; break;
	case HI_ONLY: m->token_known = 1; m->token &= 0xffff0000; break;
	case HI_ONLY_NO_COPY:
		m->token_known = 1;
		m->token &= 0xffff0000;
		m->token_again = false;
		break;
	case LO_WRONG_NO_COPY: m->token ^= 1; m->token_again = false; break;
	case COPY_WRONG: m->token_copy ^= 1; break;
	case ALL_WRONG: m->token ^= 0x77; m->token_copy ^= 0x77; break;
	case OTHER_SRC: m->src = address("10.0.0.1"); break;
	case OTHER_SPORT: m->sport ^= 1; break;
	case OTHER_DPORT: m->dport ^= 1; break;
	case OTHER_SPORT_AND_TOKEN: m->sport ^= 1; m->token ^= 1; m->token_copy ^= 1; break;
	case OTHER_DST: m->dst = address("198.51.100.8"); break;
	case OTHER_METHOD: m->method = METHOD_ICMP; break;
	case REDIRECT: m->reply.icmp_type = 5; break;
	case REASSEMBLY: m->reply.icmp_code = 1; break;
	case NEVER_SENT: m->token = m->token_copy = token_of(f, 32, 3); break;
	}
}

static void who_is_believed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(beliefs) / sizeof(beliefs[0]); i++) {
		struct bed b;
		struct match m;
		struct flight_hit hit;
		enum flight_verdict v;

		bed_init(&b, "198.51.100.7", METHOD_UDP);
		send_all(&b, b.f);
		depart(&b, b.f, 3, 1, 2, 0);
		m = exceeded(b.f, 3, "203.0.113.3");
		make(beliefs[i].change, b.f, &m);
		v = take(&b, &m, 2, 500, &hit);
		if (v != beliefs[i].verdict)
			fail_msg("%s: %d", beliefs[i].why, v);
		if (v == FLIGHT_ANSWER) {
			assert_int_equal(b.f->answers[0].reply.flags, beliefs[i].flags);
			assert_int_equal(hit.ttl, 3);
			assert_int_equal(hit.attempt, 1);
			assert_int_equal(hit.rtt_ns, 500 * NS_PER_US);
			assert_true(hit.first);
		}
		assert_int_equal(b.f->received, v == FLIGHT_ANSWER);
		flights_fini(&b.fs);
	}
}

/* A key of one bit's difference makes other tokens: another run's answers are not ours. */
static void another_runs_answers(void **state)
{
	struct flights other = {0};
	struct bed b;
	struct match m;

	(void)state;
	bed_init(&b, "198.51.100.7", METHOD_TCP);
	send_all(&b, b.f);
	memcpy(other.key, key, sizeof(key));
	other.key[15] ^= 1;
	m = exceeded(b.f, 3, "203.0.113.3");
	m.token = m.token_copy = flight_token(&other, &b.f->flow, b.f->plan.seq, 3, 1);
	assert_int_equal(take(&b, &m, 2, 500, NULL), FLIGHT_BAD_TOKEN);
	flights_fini(&b.fs);
}

/* Packets are captured before the plan has said how many targets there may be: the table of flights
 * is still empty memory then. */
static void packets_before_the_plan(void **state)
{
	struct flights none = {0};
	struct flight_hit hit;
	struct bed b;
	struct match m;

	(void)state;
	bed_init(&b, "198.51.100.7", METHOD_TCP);
	send_all(&b, b.f);
	m = exceeded(b.f, 3, "203.0.113.3");
	assert_int_equal(flights_take(&none, &m, 2, (struct wall){500}, (struct mono){500}, &hit),
			 FLIGHT_FOREIGN);
	assert_null(hit.flight);
	assert_false(flights_has(&none, &b.f->flow));
	assert_false(flights_reset_seen(&none, &b.f->flow));
	flights_fini(&b.fs);
}

/* The same target again in one run: a late answer to its first trace is not taken for the
 * second's. */
static void the_same_target_again(void **state)
{
	struct bed b;
	struct flight *again;
	struct match m;

	(void)state;
	bed_init(&b, "198.51.100.7", METHOD_UDP);
	send_all(&b, b.f);
	m = exceeded(b.f, 1, "203.0.113.1");
	flight_end(&b.fs, b.f);
	b.f = NULL;
	again = fly(&b, "198.51.100.7", METHOD_UDP, 0);
	again->plan.seq = 99;
	send_all(&b, again);
	assert_int_equal(take(&b, &m, 3, 100, NULL), FLIGHT_LATE);
	assert_int_equal(again->received, 0);
	m = exceeded(again, 1, "203.0.113.1");
	assert_int_equal(take(&b, &m, 3, 100, NULL), FLIGHT_ANSWER);
	flights_fini(&b.fs);
}

/* The time of a trace begins with its first probe, not while it stands in line. */
static void standing_in_line(void **state)
{
	struct bed b;
	struct tracer_step s;

	(void)state;
	bed_init(&b, "198.51.100.7", METHOD_UDP);
	b.now = mono_add(b.now, 100 * NS_PER_S);
	b.wall.ns += 100 * NS_PER_S;
	flight_start(b.f, b.now, b.wall);
	assert_int_equal(b.f->begun.ns, b.now.ns);
	assert_int_equal(b.f->start.ns, b.wall.ns);
	s = tracer_next(&b.f->tracer, b.now);
	assert_int_equal(s.want, TRACER_SEND);
	flight_sent(&b.fs, b.f, s.ttl, s.attempt, b.now);
	flight_start(b.f, mono_add(b.now, NS_PER_S), b.wall);
	assert_int_equal(b.f->begun.ns, b.now.ns);
	assert_int_equal(tracer_next(&b.f->tracer, b.now).ttl, 2);
	flights_fini(&b.fs);
}

/* --- what an answer means --- */

static const struct {
	const char *why, *dst;
	enum method method;
	const char *from;
	int type, code;
	uint8_t reached_by;
	bool router_before; /* `from` answered time exceeded before */
	enum tracer_event event;
} meanings[] = {
	{"a router", "198.51.100.7", METHOD_UDP, "203.0.113.1", 11, 0, 0, false, TRACER_TTL_EXCEEDED},
	{"time exceeded from the target's own address is a router's word (NTrace-dev#204)",
	 "198.51.100.7", METHOD_UDP, "198.51.100.7", 11, 0, 0, false, TRACER_TTL_EXCEEDED},
	{"echo reply", "198.51.100.7", METHOD_ICMP, "198.51.100.7", 0, 0, REACHED_BY_ECHO_REPLY,
	 false, TRACER_DESTINATION},
	{"SYN-ACK", "198.51.100.7", METHOD_TCP, "198.51.100.7", -1, -1, REACHED_BY_SYN_ACK, false,
	 TRACER_DESTINATION},
	{"RST", "198.51.100.7", METHOD_TCP, "198.51.100.7", -1, -1, REACHED_BY_RST, false,
	 TRACER_DESTINATION},
	{"the target's port", "198.51.100.7", METHOD_UDP, "198.51.100.7", 3, 3,
	 REACHED_BY_PORT_UNREACHABLE, false, TRACER_DESTINATION},
	{"another address of the target", "198.51.100.7", METHOD_UDP, "203.0.113.9", 3, 3,
	 REACHED_BY_PORT_UNREACHABLE, false, TRACER_DESTINATION},
	{"a rejecting firewall, seen as router before", "198.51.100.7", METHOD_UDP, "203.0.113.9", 3,
	 3, REACHED_BY_PORT_UNREACHABLE, true, TRACER_UNREACHABLE},
	{"a whole prefix answers from its interface", "2001:db8:7::99", METHOD_UDP, "2001:db8:7::1", 1,
	 4, REACHED_BY_PORT_UNREACHABLE, true, TRACER_DESTINATION},
	{"port unreachable to a TCP probe is a firewall's", "198.51.100.7", METHOD_TCP, "203.0.113.9",
	 3, 3, 0, false, TRACER_UNREACHABLE},
	{"!X", "198.51.100.7", METHOD_ICMP, "203.0.113.9", 3, 13, 0, false, TRACER_PROHIBITED},
	{"!X, IPv6", "2001:db8:7::99", METHOD_ICMP, "2001:db8:1::9", 1, 1, 0, false,
	 TRACER_PROHIBITED},
	{"!H", "198.51.100.7", METHOD_ICMP, "203.0.113.9", 3, 1, 0, false, TRACER_UNREACHABLE},
	{"fragmentation needed", "198.51.100.7", METHOD_ICMP, "203.0.113.9", 3, 4, 0, false,
	 TRACER_UNREACHABLE},
	{"packet too big", "2001:db8:7::99", METHOD_ICMP, "2001:db8:1::9", 2, 0, 0, false,
	 TRACER_UNREACHABLE},
};

static void what_answers_mean(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		struct bed b;
		struct match m;

		bed_init(&b, meanings[i].dst, meanings[i].method);
		send_all(&b, b.f);
		if (meanings[i].router_before) {
			m = exceeded(b.f, 2, meanings[i].from);
			assert_int_equal(take(&b, &m, 2, 100, NULL), FLIGHT_ANSWER);
		}
		m = exceeded(b.f, 3, meanings[i].from);
		m.reply.icmp_type = (int16_t)meanings[i].type;
		m.reply.icmp_code = (int16_t)meanings[i].code;
		m.reached_by = meanings[i].reached_by;
		if (flight_event(b.f, &m) != meanings[i].event)
			fail_msg("%s: %d", meanings[i].why, flight_event(b.f, &m));
		assert_int_equal(take(&b, &m, 2, 200, NULL), FLIGHT_ANSWER);
		assert_int_equal(b.f->reached_by, meanings[i].event == TRACER_DESTINATION ?
							   meanings[i].reached_by : 0);
		flights_fini(&b.fs);
	}
}

/* An echo reply from an address that is not the target's is looked up by it, and is nobody's
 * (yarrp#2). */
static void echo_reply_of_another(void **state)
{
	struct bed b;
	struct match m;

	(void)state;
	bed_init(&b, "198.51.100.7", METHOD_ICMP);
	send_all(&b, b.f);
	m = about(b.f, MATCH_REPLY, 3, 1);
	m.reply.from = m.dst = address("198.51.100.8");
	m.reply.icmp_type = m.reply.icmp_code = 0;
	m.reached_by = REACHED_BY_ECHO_REPLY;
	assert_int_equal(take(&b, &m, 2, 100, NULL), FLIGHT_FOREIGN);
	flights_fini(&b.fs);
}

/* --- copies, duplicates, late answers --- */

static void stacked_devices(void **state)
{
	struct bed b;
	struct match m;
	struct trace *t;

	(void)state;
	bed_init(&b, "198.51.100.7", METHOD_UDP);
	send_all(&b, b.f);
	/* Out by the bridge (5), then by its port (3); in by the port, then the bridge. */
	depart(&b, b.f, 1, 1, 5, 0);
	depart(&b, b.f, 1, 1, 3, 2);
	m = exceeded(b.f, 1, "203.0.113.1");
	assert_int_equal(take(&b, &m, 3, 302, NULL), FLIGHT_ANSWER);
	assert_int_equal(take(&b, &m, 5, 303, NULL), FLIGHT_NOTHING);
	t = done(&b, b.f, NULL);
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
	bed_init(&b, "198.51.100.7", METHOD_UDP);
	send_all(&b, b.f);
	depart(&b, b.f, 1, 1, 3, 0);
	m = exceeded(b.f, 1, "203.0.113.1");
	assert_int_equal(take(&b, &m, 3, 300, NULL), FLIGHT_ANSWER);
	/* Again on the same device, and much later on another: real duplicates. */
	assert_int_equal(take(&b, &m, 3, 310, &hit), FLIGHT_ANSWER);
	assert_false(hit.first);
	assert_int_equal(take(&b, &m, 4, 5300, NULL), FLIGHT_ANSWER);
	assert_int_equal(take(&b, &m, 3, 320, NULL), FLIGHT_ANSWER);
	/* No room for more of one probe. */
	assert_int_equal(take(&b, &m, 3, 330, NULL), FLIGHT_DUPLICATE);
	t = done(&b, b.f, NULL);
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

static void late_in_its_trace(void **state)
{
	struct bed b;
	struct match m;
	struct trace *t;

	(void)state;
	bed_init(&b, "198.51.100.7", METHOD_UDP);
	send_all(&b, b.f);
	depart(&b, b.f, 1, 1, 3, 0);
	/* TTL 2 keeps the trace alive; the wait for TTL 1 is over after 2 s. */
	b.now = mono_add(b.now, 2 * NS_PER_S + NS_PER_MS);
	b.wall.ns += 2 * NS_PER_S + NS_PER_MS;
	send_all(&b, b.f);
	m = exceeded(b.f, 1, "203.0.113.1");
	assert_int_equal(take(&b, &m, 3, 0, NULL), FLIGHT_ANSWER);
	t = done(&b, b.f, NULL);
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
	send_all(&b, b.f);
	m = exceeded(b.f, 1, "203.0.113.1");
	forged = m;
	forged.token = forged.token_copy = m.token ^ 1;
	/* Its record is about to be written: too late for it. */
	tracer_stop(&b.f->tracer, STOP_INTERRUPTED);
	assert_int_equal(take(&b, &m, 3, 100, NULL), FLIGHT_LATE);
	assert_int_equal(b.f->answer_count, 0);
	flight_end(&b.fs, b.f);
	assert_int_equal(take(&b, &m, 3, 100, NULL), FLIGHT_LATE);
	assert_int_equal(take(&b, &forged, 3, 100, NULL), FLIGHT_BAD_TOKEN);
	m.dst = address("198.51.100.8");
	assert_int_equal(take(&b, &m, 3, 100, NULL), FLIGHT_FOREIGN);
	flights_fini(&b.fs);
}

/* --- many at once --- */

static void flows_to_one_target(void **state)
{
	struct bed b;
	struct flight *other, *tcp;
	struct match m;
	struct flight_hit hit;

	(void)state;
	bed_init(&b, "198.51.100.7", METHOD_UDP);
	other = fly(&b, "198.51.100.7", METHOD_UDP, 1);
	tcp = fly(&b, "198.51.100.7", METHOD_TCP, 0);
	send_all(&b, b.f);
	send_all(&b, other);
	send_all(&b, tcp);
	m = exceeded(other, 1, "203.0.113.1");
	assert_int_equal(take(&b, &m, 3, 100, &hit), FLIGHT_ANSWER);
	assert_ptr_equal(hit.flight, other);
	m = exceeded(tcp, 1, "203.0.113.1");
	assert_int_equal(take(&b, &m, 3, 100, &hit), FLIGHT_ANSWER);
	assert_ptr_equal(hit.flight, tcp);
	assert_int_equal(b.f->received, 0);
	assert_true(flights_has(&b.fs, &other->flow));
	flight_end(&b.fs, other);
	assert_false(flights_has(&b.fs, &other->flow));
	assert_true(flights_has(&b.fs, &b.f->flow));
	flights_fini(&b.fs);
}

static void slots_run_out_and_come_back(void **state)
{
	struct bed b;

	(void)state;
	bed_init(&b, "198.51.100.7", METHOD_UDP);
	for (uint16_t i = 1; i < 8; i++)
		assert_non_null(fly(&b, "198.51.100.7", METHOD_UDP, i));
	assert_null(fly(&b, "198.51.100.7", METHOD_UDP, 8));
	flight_end(&b.fs, b.f);
	assert_ptr_equal(fly(&b, "198.51.100.9", METHOD_ICMP, 8), b.f);
	assert_int_equal(b.f->sent, 0);
	assert_int_equal(b.f->answer_count, 0);
	assert_int_equal(b.fs.used, 8);
	flights_fini(&b.fs);
}

static void resets(void **state)
{
	struct bed b;
	struct flow f;

	(void)state;
	bed_init(&b, "198.51.100.7", METHOD_TCP);
	f = b.f->flow;
	f.sport ^= 1;
	assert_false(flights_reset_seen(&b.fs, &f));
	assert_false(b.f->reset);
	f.sport ^= 1;
	assert_true(flights_reset_seen(&b.fs, &f));
	assert_true(b.f->reset);
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
	send_all(&b, b.f);
	depart(&b, b.f, 4, 1, 3, 0);
	m = about(b.f, MATCH_DEPARTURE, 4, 1);
	m.ttl = 2;
	assert_int_equal(take(&b, &m, 4, 100, NULL), FLIGHT_NOTHING);
	assert_int_equal(b.f->probes[3 * 3].departed.ns, W0 * NS_PER_S);
	flights_fini(&b.fs);
}

static void departure_never_captured(void **state)
{
	struct bed b;
	struct match m;
	struct trace *t;

	(void)state;
	bed_init(&b, "198.51.100.7", METHOD_UDP);
	send_all(&b, b.f);
	m = exceeded(b.f, 1, "203.0.113.1");
	assert_int_equal(take(&b, &m, 3, 100, NULL), FLIGHT_ANSWER);
	t = done(&b, b.f, NULL);
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

		bed_init(&b, "198.51.100.7", METHOD_UDP);
		send_all(&b, b.f);
		depart(&b, b.f, 1, 1, 3, 0);
		m = exceeded(b.f, 1, "203.0.113.1");
		assert_int_equal(take(&b, &m, 3, 300, NULL), FLIGHT_ANSWER);
		steps_add(&s, mono_add(b.now, steps[i].since_us * NS_PER_US),
			  mono_add(b.now, steps[i].until_us * NS_PER_US));
		t = done(&b, b.f, &s);
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
	bed_init(&b, "198.51.100.7", METHOD_UDP);
	send_all(&b, b.f);
	depart(&b, b.f, 1, 1, 3, 500);
	m = exceeded(b.f, 1, "203.0.113.1");
	assert_int_equal(take(&b, &m, 3, 300, NULL), FLIGHT_ANSWER);
	t = done(&b, b.f, NULL);
	assert_int_equal(t->entries[0].reply.rtt_ns, -1);
	assert_int_equal(t->entries[0].reply.flags, REPLY_CLOCK);
	free(t);
	flights_fini(&b.fs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_believed),
		cmocka_unit_test(another_runs_answers),
		cmocka_unit_test(the_same_target_again),
		cmocka_unit_test(standing_in_line),
		cmocka_unit_test(packets_before_the_plan),
		cmocka_unit_test(what_answers_mean),
		cmocka_unit_test(echo_reply_of_another),
		cmocka_unit_test(stacked_devices),
		cmocka_unit_test(duplicates),
		cmocka_unit_test(late_in_its_trace),
		cmocka_unit_test(after_its_trace),
		cmocka_unit_test(flows_to_one_target),
		cmocka_unit_test(slots_run_out_and_come_back),
		cmocka_unit_test(resets),
		cmocka_unit_test(a_loop_through_here),
		cmocka_unit_test(departure_never_captured),
		cmocka_unit_test(a_clock_step_voids_the_rtt),
		cmocka_unit_test(negative_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

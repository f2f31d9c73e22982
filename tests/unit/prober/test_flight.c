// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which captured packets are believed to answer which probe, what an answer means, and whose it is
 * when many are in flight. Packets are given as method_match() would give them; tokens are the real
 * ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/prober/bed.h"

/* --- belief --- */

/* What is changed in an honest answer, and what that makes of it. */
enum change {
	NONE, HI_WRONG, LO_WRONG, BOTH_WRONG, HI_ONLY, HI_ONLY_NO_COPY, LO_WRONG_NO_COPY,
	COPY_WRONG, ALL_WRONG,
	OTHER_SRC, OTHER_SPORT, OTHER_DPORT, OTHER_SPORT_AND_TOKEN, OTHER_DST, OTHER_METHOD,
	REDIRECT, REASSEMBLY, NEVER_SENT, HI_SWAPPED, HI_SWAPPED_LO_WRONG, QUOTED_0, QUOTED_3,
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
	{COPY_WRONG, "the first copy suffices", FLIGHT_ANSWER, REPLY_REWRITTEN},
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
	{HI_SWAPPED, "IP-ID quoted in the router's byte order, 8 bytes of it", FLIGHT_ANSWER,
	 REPLY_REWRITTEN},
	{HI_SWAPPED_LO_WRONG, "a swapped half is no more than a half", FLIGHT_BAD_TOKEN, 0},
	{QUOTED_0, "the router before forwarded a TTL of 0", FLIGHT_ANSWER, REPLY_QUOTE},
	{QUOTED_3, "a tunnel that copies the TTL on the way in only", FLIGHT_ANSWER, REPLY_QUOTE},
};

static uint32_t swap_hi(uint32_t token)
{
	return (token & 0xffff) | (token >> 8 & 0xff0000) | (token & 0xff0000) << 8;
}

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
	case OTHER_SRC: m->src = bed_addr("10.0.0.1"); break;
	case OTHER_SPORT: m->sport ^= 1; break;
	case OTHER_DPORT: m->dport ^= 1; break;
	case OTHER_SPORT_AND_TOKEN: m->sport ^= 1; m->token ^= 1; m->token_copy ^= 1; break;
	case OTHER_DST: m->dst = bed_addr("198.51.100.8"); break;
	case OTHER_METHOD: m->method = METHOD_ICMP; break;
	case REDIRECT: m->reply.icmp_type = 5; break;
	case REASSEMBLY: m->reply.icmp_code = 1; break;
	case NEVER_SENT: m->token = m->token_copy = bed_token(f, 32, 3); break;
	case HI_SWAPPED: m->token = swap_hi(m->token); m->token_again = false; break;
	case HI_SWAPPED_LO_WRONG:
		m->token = swap_hi(m->token) ^ 1;
		m->token_again = false;
		break;
	case QUOTED_0: m->reply.quoted_ttl = 0; break;
	case QUOTED_3: m->reply.quoted_ttl = 3; break;
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
		bed_send_all(&b, b.f);
		bed_depart(&b, b.f, 3, 1, 2, 0);
		m = bed_exceeded(b.f, 3, "203.0.113.3");
		make(beliefs[i].change, b.f, &m);
		v = bed_take(&b, &m, 2, 500, &hit);
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
	bed_send_all(&b, b.f);
	memcpy(other.key, bed_key, sizeof(bed_key));
	other.key[15] ^= 1;
	m = bed_exceeded(b.f, 3, "203.0.113.3");
	m.token = m.token_copy = flight_token(&other, &b.f->flow, b.f->plan.seq, 3, 1);
	assert_int_equal(bed_take(&b, &m, 2, 500, NULL), FLIGHT_BAD_TOKEN);
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
	bed_send_all(&b, b.f);
	m = bed_exceeded(b.f, 3, "203.0.113.3");
	assert_int_equal(flights_take(&none, &m, 2, (struct wall){500}, (struct mono){500}, &hit),
			 FLIGHT_FOREIGN);
	assert_null(hit.flight);
	assert_false(flights_has(&none, &b.f->flow));
	assert_false(flights_reset_seen(&none, &b.f->flow));
	flights_fini(&b.fs);
}

/* A TCP token lies in the sequence number, which no router quotes in another byte order; and what
 * is no quote has nothing to swap. */
static void where_no_half_is_swapped(void **state)
{
	static const struct { enum method method; const char *dst; int quoted_ttl; } rows[] = {
		{METHOD_TCP, "198.51.100.7", 1},
		{METHOD_ICMP, "198.51.100.7", -1},
		{METHOD_UDP, "2001:db8:7::1", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bed b;
		struct match m;

		bed_init(&b, rows[i].dst, rows[i].method);
		bed_send_all(&b, b.f);
		m = bed_exceeded(b.f, 2, b.f->flow.dst.family == 4 ? "203.0.113.2" : "2001:db8::2");
		m.reply.quoted_ttl = (int16_t)rows[i].quoted_ttl;
		m.token = swap_hi(m.token);
		m.token_again = false;
		assert_int_equal(bed_take(&b, &m, 2, 500, NULL), FLIGHT_BAD_TOKEN);
		flights_fini(&b.fs);
	}
}

/* A flood of guesses: none is believed, all are counted, nothing is kept. */
static void a_flood_of_guesses(void **state)
{
	enum { GUESSES = 40000 };
	struct bed b;
	struct match m;
	unsigned bad = 0;
	uint32_t room;

	(void)state;
	bed_init(&b, "198.51.100.7", METHOD_UDP);
	bed_send_all(&b, b.f);
	room = b.f->answer_room;
	m = bed_exceeded(b.f, 2, "203.0.113.66");
	for (unsigned i = 1; i <= GUESSES; i++) {
		/* The right half of one token and every value but the right one in the other. */
		uint32_t token = bed_token(b.f, 2, 1) ^ i;

		m.token = m.token_copy = i % 2 ? token : token >> 16 | token << 16;
		bad += bed_take(&b, &m, 2, 500 + i, NULL) == FLIGHT_BAD_TOKEN;
	}
	assert_int_equal(bad, GUESSES);
	assert_int_equal(b.f->received, 0);
	assert_int_equal(b.f->answer_count, 0);
	assert_int_equal(b.f->answer_room, room);
	m = bed_exceeded(b.f, 2, "203.0.113.2");
	assert_int_equal(bed_take(&b, &m, 2, 50000, NULL), FLIGHT_ANSWER);
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
	bed_send_all(&b, b.f);
	m = bed_exceeded(b.f, 1, "203.0.113.1");
	flight_end(&b.fs, b.f);
	b.f = NULL;
	again = bed_fly(&b, "198.51.100.7", METHOD_UDP, 0);
	again->plan.seq = 99;
	bed_send_all(&b, again);
	assert_int_equal(bed_take(&b, &m, 3, 100, NULL), FLIGHT_LATE);
	assert_int_equal(again->received, 0);
	m = bed_exceeded(again, 1, "203.0.113.1");
	assert_int_equal(bed_take(&b, &m, 3, 100, NULL), FLIGHT_ANSWER);
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
		bed_send_all(&b, b.f);
		if (meanings[i].router_before) {
			m = bed_exceeded(b.f, 2, meanings[i].from);
			assert_int_equal(bed_take(&b, &m, 2, 100, NULL), FLIGHT_ANSWER);
		}
		m = bed_exceeded(b.f, 3, meanings[i].from);
		m.reply.icmp_type = (int16_t)meanings[i].type;
		m.reply.icmp_code = (int16_t)meanings[i].code;
		m.reached_by = meanings[i].reached_by;
		if (flight_event(b.f, &m) != meanings[i].event)
			fail_msg("%s: %d", meanings[i].why, flight_event(b.f, &m));
		assert_int_equal(bed_take(&b, &m, 2, 200, NULL), FLIGHT_ANSWER);
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
	bed_send_all(&b, b.f);
	m = bed_about(b.f, MATCH_REPLY, 3, 1);
	m.reply.from = m.dst = bed_addr("198.51.100.8");
	m.reply.icmp_type = m.reply.icmp_code = 0;
	m.reached_by = REACHED_BY_ECHO_REPLY;
	assert_int_equal(bed_take(&b, &m, 2, 100, NULL), FLIGHT_FOREIGN);
	flights_fini(&b.fs);
}

/* --- something nearer in the destination's name --- */

static struct match spoken(const struct flight *f, uint8_t ttl, int reply_ttl)
{
	struct match m = bed_about(f, MATCH_REPLY, ttl, 1);

	m.reply.from = f->flow.dst;
	m.reply.tcp_flags = 0x14;
	m.reply.quoted_ttl = -1;
	m.reply.reply_ttl = (int16_t)reply_ttl;
	m.reached_by = REACHED_BY_RST;
	return m;
}

static void check_entry(const struct trace *t, uint32_t i, uint8_t ttl, uint16_t flags)
{
	assert_in_range(i, 0, t->entry_count - 1);
	assert_int_equal(t->entries[i].ttl, ttl);
	assert_int_equal(t->entries[i].reply.flags, flags);
}

/* A middlebox at TTL 2 resets every probe that passes, and lets it pass. */
static void an_injected_reset(void **state)
{
	static const char *const routers[] = {"203.0.113.1", "203.0.113.2", "203.0.113.3"};
	struct flight_hit hit;
	struct trace *t;
	struct match m;
	struct bed b;

	(void)state;
	bed_init(&b, "198.51.100.7", METHOD_TCP);
	bed_send_all(&b, b.f);
	for (uint8_t ttl = 1; ttl <= 4; ttl++)
		bed_depart(&b, b.f, ttl, 1, 2, 0);
	for (uint8_t ttl = 2; ttl <= 4; ttl++) {
		m = spoken(b.f, ttl, 62);
		assert_int_equal(bed_take(&b, &m, 2, 100 + ttl, NULL), FLIGHT_ANSWER);
	}
	for (uint8_t ttl = 1; ttl <= 3; ttl++) {
		m = bed_exceeded(b.f, ttl, routers[ttl - 1]);
		assert_int_equal(bed_take(&b, &m, 2, 200 + ttl, NULL), FLIGHT_ANSWER);
	}
	m = spoken(b.f, 4, 51);
	m.reply.tcp_flags = 0x12;
	m.reached_by = REACHED_BY_SYN_ACK;
	assert_int_equal(bed_take(&b, &m, 2, 300, &hit), FLIGHT_ANSWER);
	assert_int_equal(tracer_nearer_ttl(&b.f->tracer), 3);
	t = bed_done(&b, b.f, NULL);
	assert_non_null(t);
	assert_int_equal(t->reach, REACH_REACHED);
	/* Not by the reset, though it came first, at TTL 4 too. */
	assert_int_equal(t->reached_by, REACHED_BY_SYN_ACK);
	assert_int_equal(t->entry_count, 4 + 3);
	check_entry(t, 0, 1, 0);
	/* The true answers are the probes', the injected ones are extra. */
	check_entry(t, 1, 2, REPLY_NEARER | REPLY_DUP);
	check_entry(t, 2, 2, 0);
	check_entry(t, 3, 3, REPLY_NEARER | REPLY_DUP);
	check_entry(t, 4, 3, 0);
	check_entry(t, 5, 4, REPLY_NEARER | REPLY_DUP);
	check_entry(t, 6, 4, 0);
	assert_int_equal(trace_destination_stats(t).min_ns, 300 * NS_PER_US);
	assert_int_equal(trace_hop_stats(t, 3).min_ns, 203 * NS_PER_US);
	assert_false(trace_entry_is_destination(t, &t->entries[5]));
	assert_true(trace_entry_is_destination(t, &t->entries[6]));
	free(t);
	flights_fini(&b.fs);
}

/* The routers behind the middlebox are silent, and so is the destination: what still speaks for it
 * has as many TTLs left as before, and is known by that. */
static void an_impostor_alone(void **state)
{
	struct trace *t;
	struct match m;
	struct bed b;

	(void)state;
	bed_init(&b, "198.51.100.7", METHOD_TCP);
	bed_send_all(&b, b.f);
	for (uint8_t ttl = 2; ttl <= 4; ttl++) {
		m = spoken(b.f, ttl, 62);
		assert_int_equal(bed_take(&b, &m, 2, 100 + ttl, NULL), FLIGHT_ANSWER);
	}
	/* The only word of a router, after all of them. */
	m = bed_exceeded(b.f, 2, "203.0.113.2");
	assert_int_equal(bed_take(&b, &m, 2, 200, NULL), FLIGHT_ANSWER);
	t = bed_done(&b, b.f, NULL);
	assert_int_not_equal(t->reach, REACH_REACHED);
	assert_int_equal(t->reached_by, REACHED_BY_NONE);
	check_entry(t, 1, 2, REPLY_NEARER | REPLY_DUP);
	check_entry(t, 2, 2, 0);
	check_entry(t, 3, 3, REPLY_NEARER);
	check_entry(t, 4, 4, REPLY_NEARER);
	free(t);
	flights_fini(&b.fs);
}

/* Packets spread over paths of unequal length: the destination answers at TTL 2 of the short one, a
 * router at TTL 3 of the long one. The destination is where all are long enough; it is no impostor,
 * though its answers have the same TTL left. */
static void unequal_paths(void **state)
{
	struct trace *t;
	struct match m;
	struct bed b;

	(void)state;
	bed_init(&b, "198.51.100.7", METHOD_TCP);
	bed_send_all(&b, b.f);
	m = spoken(b.f, 2, 62);
	assert_int_equal(bed_take(&b, &m, 2, 100, NULL), FLIGHT_ANSWER);
	m = bed_exceeded(b.f, 3, "203.0.113.3");
	assert_int_equal(bed_take(&b, &m, 2, 110, NULL), FLIGHT_ANSWER);
	m = spoken(b.f, 4, 62);
	assert_int_equal(bed_take(&b, &m, 2, 120, NULL), FLIGHT_ANSWER);
	t = bed_done(&b, b.f, NULL);
	assert_int_equal(t->reach, REACH_REACHED);
	assert_int_equal(t->reached_by, REACHED_BY_RST);
	check_entry(t, 1, 2, REPLY_NEARER);
	check_entry(t, 3, 4, 0);
	free(t);
	flights_fini(&b.fs);
}

/* The last TTL there is: nothing answers from beyond, but the same probe died at a router. */
static void arrived_and_died(void **state)
{
	struct trace *t;
	struct match m;
	struct bed b;

	(void)state;
	for (int reset_first = 0; reset_first < 2; reset_first++) {
		bed_init(&b, "198.51.100.7", METHOD_TCP);
		bed_send_all(&b, b.f);
		for (int i = 0; i < 2; i++) {
			m = i == reset_first ? bed_exceeded(b.f, 3, "203.0.113.3") :
					       spoken(b.f, 3, 62);
			assert_int_equal(bed_take(&b, &m, 2, 100 + i, NULL), FLIGHT_ANSWER);
		}
		t = bed_done(&b, b.f, NULL);
		assert_int_not_equal(t->reach, REACH_REACHED);
		assert_int_equal(t->reached_by, REACHED_BY_NONE);
		check_entry(t, 2, 3, reset_first ? REPLY_DUP | REPLY_NEARER : 0);
		check_entry(t, 3, 3, reset_first ? 0 : REPLY_DUP | REPLY_NEARER);
		free(t);
		flights_fini(&b.fs);
	}
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
	other = bed_fly(&b, "198.51.100.7", METHOD_UDP, 1);
	tcp = bed_fly(&b, "198.51.100.7", METHOD_TCP, 0);
	bed_send_all(&b, b.f);
	bed_send_all(&b, other);
	bed_send_all(&b, tcp);
	m = bed_exceeded(other, 1, "203.0.113.1");
	assert_int_equal(bed_take(&b, &m, 3, 100, &hit), FLIGHT_ANSWER);
	assert_ptr_equal(hit.flight, other);
	m = bed_exceeded(tcp, 1, "203.0.113.1");
	assert_int_equal(bed_take(&b, &m, 3, 100, &hit), FLIGHT_ANSWER);
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
		assert_non_null(bed_fly(&b, "198.51.100.7", METHOD_UDP, i));
	assert_null(bed_fly(&b, "198.51.100.7", METHOD_UDP, 8));
	flight_end(&b.fs, b.f);
	assert_ptr_equal(bed_fly(&b, "198.51.100.9", METHOD_ICMP, 8), b.f);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_believed),
		cmocka_unit_test(another_runs_answers),
		cmocka_unit_test(where_no_half_is_swapped),
		cmocka_unit_test(a_flood_of_guesses),
		cmocka_unit_test(the_same_target_again),
		cmocka_unit_test(standing_in_line),
		cmocka_unit_test(packets_before_the_plan),
		cmocka_unit_test(what_answers_mean),
		cmocka_unit_test(echo_reply_of_another),
		cmocka_unit_test(an_injected_reset),
		cmocka_unit_test(an_impostor_alone),
		cmocka_unit_test(unequal_paths),
		cmocka_unit_test(arrived_and_died),
		cmocka_unit_test(flows_to_one_target),
		cmocka_unit_test(slots_run_out_and_come_back),
		cmocka_unit_test(resets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

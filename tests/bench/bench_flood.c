// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a forged answer costs that is parsed and matched already: the look-up that refuses it. Three
 * runs: one flow to the target, sixty-four, and a thousand targets that have just ended. Prints
 * nanoseconds a packet; fails when guesses were believed more often than chance has it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prober/flight.h"

enum { PACKETS = 2000000, ROOM = 1024, PROBES = 96, LUCKY = 8 };

static const uint8_t key[METHOD_KEY_SIZE] = {7, 7, 7};

static struct addr target(unsigned n)
{
	return addr_v4((const uint8_t[]){10, 64, (uint8_t)(n >> 8), (uint8_t)n});
}

static struct flight *fly(struct flights *fs, struct addr dst, uint16_t number)
{
	struct addr src = addr_v4((const uint8_t[]){192, 0, 2, 1});
	struct probe_packet packet = {0};
	struct plan_trace plan;
	struct flight *f;
	struct flow flow;

	plan_trace_defaults(&plan);
	plan.seq = number + 1u;
	plan.dst = dst;
	plan.method = METHOD_UDP;
	method_flow(METHOD_UDP, src, dst, 0, 42, number, 0, &flow);
	f = flight_begin(fs, &plan, &flow, &packet, (struct mono){1}, (struct wall){1});
	for (unsigned i = 0; f != NULL && i < PROBES; i++)
		flight_sent(fs, f, (uint8_t)(1 + i / 3), (uint8_t)(1 + i % 3), (struct mono){2});
	return f;
}

/* ns a packet; negative: guesses were believed. Each packet has three at 32 bits, so that of
 * 2,000,000 against 64 flows of 96 probes some eight hit. */
static double flood(struct flights *fs, const struct flow *flow)
{
	struct match m = {.kind = MATCH_REPLY, .method = METHOD_UDP, .src = flow->src,
			  .dst = flow->dst, .sport = flow->sport, .dport = flow->dport,
			  .token_known = 2, .token_again = true,
			  .reply = {.rtt_ns = -1, .icmp_type = 11, .icmp_code = 0, .tcp_flags = -1,
				    .quoted_ttl = 1}};
	struct mono start = mono_now();
	struct flight_hit hit;
	uint32_t guess = 1;
	unsigned believed = 0;

	m.reply.from = addr_v4((const uint8_t[]){203, 0, 113, 9});
	for (unsigned i = 0; i < PACKETS; i++) {
		guess = guess * 1664525u + 1013904223u;
		m.token = guess;
		m.token_copy = guess ^ 0x10001;
		believed += flights_take(fs, &m, 2, (struct wall){3}, (struct mono){3}, &hit) ==
			    FLIGHT_ANSWER;
	}
	return believed > 3 * LUCKY ? -1 : (double)mono_since(mono_now(), start) / PACKETS;
}

static int run(const char *what, unsigned targets, unsigned flows, bool ended)
{
	struct flights fs;
	struct flight *f = NULL;
	struct flow flow = {0};
	double ns;

	if (flights_init(&fs, ROOM, key) < 0)
		return 1;
	for (unsigned t = 0; t < targets; t++) {
		for (unsigned n = 0; n < flows; n++)
			f = fly(&fs, target(t), (uint16_t)n);
		if (f == NULL)
			return 1;
		flow = f->flow;
		if (ended)
			flight_end(&fs, f);
	}
	ns = flood(&fs, &flow);
	flights_fini(&fs);
	if (ns < 0) {
		fprintf(stderr, "%s: guesses were believed\n", what);
		return 1;
	}
	printf("%-36s %6.1f ns a forged packet\n", what, ns);
	return 0;
}

int main(void)
{
	int failed = run("one flow in flight", 1, 1, false);

	failed |= run("64 flows to one target in flight", 1, 64, false);
	failed |= run("1000 targets that have just ended", 1000, 1, true);
	return failed;
}

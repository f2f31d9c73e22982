// SPDX-License-Identifier: BSD-2-Clause
/*
 * What one packet costs in the prober, in nanoseconds, without a socket: build, patch, token;
 * parse, match and feed of a reply. Figures are medians over rounds (figure.h), over packets that
 * differ, so that no branch and no cache line is the same each time.
 *
 * "feed" is flights_take: the table look-up, the token, the tracer. Flights fly as they do in a
 * run: the tracer says what to send, departures are taken, then replies, until all are done.
 *
 * usage: bench_packet	prints lines of tab-separated words: name median_ns min_ns max_ns
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "prober/flight.h"
#include "tests/bench/figure.h"

enum { PATH = 10, PACKETS = 4096, FLIGHTS_MAX = 4096 };

static const uint8_t key[METHOD_KEY_SIZE] = {3, 1, 4, 1, 5, 9, 2, 6};
static volatile uint32_t sink; /* what the compiler must not leave out goes here */

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "bench_packet: %s\n", what);
	exit(1);
}

/* --- packets ---------------------------------------------------------------------------------- */

static struct addr source(uint8_t family)
{
	struct addr a;

	if (addr_parse(family == 4 ? "198.51.100.200" : "2001:db8:51::c8", &a) < 0)
		die("addr_parse");
	return a;
}

/* The n-th destination, and the router at a TTL. */
static struct addr destination(uint8_t family, uint32_t n)
{
	const uint8_t four[4] = {10, 64, (uint8_t)(n >> 8), (uint8_t)n};
	uint8_t six[16] = {0x20, 1, 0x0d, 0xb8, 0, 2, [14] = (uint8_t)(n >> 8), [15] = (uint8_t)n};

	return family == 4 ? addr_v4(four) : addr_v6(six);
}

static struct addr router(uint8_t family, uint8_t ttl)
{
	const uint8_t four[4] = {198, 51, 100, ttl};
	uint8_t six[16] = {0x20, 1, 0x0d, 0xb8, 0, 0x51, [15] = ttl};

	return family == 4 ? addr_v4(four) : addr_v6(six);
}

static void make_flow(enum method method, uint8_t family, uint32_t n, struct flow *out)
{
	method_flow(method, source(family), destination(family, n), 0, 42, 0, 0, out);
}

struct captured {
	uint16_t size;
	uint8_t bytes[192];
};

static uint16_t sum_of(const uint8_t *bytes, size_t n)
{
	return checksum_fold(checksum_add(0, bytes, n));
}

static void ip4_head(uint8_t *p, unsigned size, uint8_t protocol, struct addr src, struct addr dst)
{
	memset(p, 0, 20);
	p[0] = 0x45;
	p[2] = (uint8_t)(size >> 8);
	p[3] = (uint8_t)size;
	p[8] = 60;
	p[9] = protocol;
	memcpy(p + 12, src.bytes, 4);
	memcpy(p + 16, dst.bytes, 4);
}

static void ip6_head(uint8_t *p, unsigned payload, uint8_t protocol, struct addr src,
		     struct addr dst)
{
	memset(p, 0, 40);
	p[0] = 0x60;
	p[4] = (uint8_t)(payload >> 8);
	p[5] = (uint8_t)payload;
	p[6] = protocol;
	p[7] = 60;
	memcpy(p + 8, src.bytes, 16);
	memcpy(p + 24, dst.bytes, 16);
}

/* The time-exceeded message a Linux router sends for a probe: it quotes the whole packet. */
static void time_exceeded(const struct probe_packet *probe, uint8_t family, struct addr from,
			  struct captured *out)
{
	unsigned head = family == 4 ? 20 : 40;
	uint8_t *icmp = out->bytes + head;
	uint16_t sum;

	if (family == 4)
		ip4_head(out->bytes, head + 8u + probe->size, 1, from, source(4));
	else
		ip6_head(out->bytes, 8u + probe->size, 58, from, source(6));
	memset(icmp, 0, 8);
	icmp[0] = family == 4 ? 11 : 3;
	memcpy(icmp + 8, probe->bytes, probe->size);
	icmp[8 + (family == 4 ? 8 : 7)] = 1;
	sum = sum_of(icmp, 8u + probe->size);
	icmp[2] = (uint8_t)(sum >> 8);
	icmp[3] = (uint8_t)sum;
	out->size = (uint16_t)(head + 8 + probe->size);
}

/* The destination's echo reply: the request with its addresses turned round. */
static void echo_reply(const struct probe_packet *probe, struct captured *out)
{
	memcpy(out->bytes, probe->bytes, probe->size);
	memcpy(out->bytes + 12, probe->bytes + 16, 4);
	memcpy(out->bytes + 16, probe->bytes + 12, 4);
	out->bytes[8] = 55;
	out->bytes[20] = 0;
	out->size = probe->size;
}

/* --- out: build, token, patch ----------------------------------------------------------------- */

struct way {
	const char *name;
	enum method method;
	uint8_t family;
};
static const struct way ways[] = {
	{"icmp4", METHOD_ICMP, 4}, {"udp4", METHOD_UDP, 4}, {"tcp4", METHOD_TCP, 4},
	{"icmp6", METHOD_ICMP, 6}, {"udp6", METHOD_UDP, 6}, {"tcp6", METHOD_TCP, 6},
};

static void bench_build(const struct way *w)
{
	const struct method_row *row = method_row(w->method, w->family);
	struct figure f = {.n = 0};
	struct probe_packet packet;
	char name[32];

	for (unsigned r = 0; r < FIGURE_ROUNDS; r++) {
		int64_t begin = figure_ns();

		for (uint32_t i = 0; i < PACKETS; i++) {
			struct flow flow;

			make_flow(w->method, w->family, i, &flow);
			if (row->build(&flow, &packet, NULL) < 0)
				die("build");
			sink += packet.bytes[0];
		}
		figure_add(&f, figure_ns() - begin, PACKETS);
	}
	snprintf(name, sizeof(name), "build %s", w->name);
	figure_tell(&f, name);
}

static void bench_patch(const struct way *w)
{
	const struct method_row *row = method_row(w->method, w->family);
	struct figure token_figure = {.n = 0}, patch_figure = {.n = 0};
	struct probe_packet packet;
	struct flow flow;
	char name[32];

	make_flow(w->method, w->family, 7, &flow);
	if (row->build(&flow, &packet, NULL) < 0)
		die("build");
	for (unsigned r = 0; r < FIGURE_ROUNDS; r++) {
		int64_t begin = figure_ns();

		for (uint32_t i = 0; i < 16 * PACKETS; i++)
			sink += method_token(key, &flow, (uint8_t)(1 + i % 32), (uint8_t)(i >> 8));
		figure_add(&token_figure, figure_ns() - begin, 16 * PACKETS);
		begin = figure_ns();
		for (uint32_t i = 0; i < 16 * PACKETS; i++)
			row->patch(&packet, (uint8_t)(1 + i % 32), 0x00010001u + i * 0x10003u);
		figure_add(&patch_figure, figure_ns() - begin, 16 * PACKETS);
		sink += packet.bytes[4];
	}
	snprintf(name, sizeof(name), "token %s", w->name);
	figure_tell(&token_figure, name);
	snprintf(name, sizeof(name), "patch %s", w->name);
	figure_tell(&patch_figure, name);
}

/* --- in: parse, match ------------------------------------------------------------------------- */

static struct captured *replies_of(const struct way *w)
{
	struct captured *c = calloc(PACKETS, sizeof(*c));
	const struct method_row *row = method_row(w->method, w->family);

	if (c == NULL)
		die("out of memory");
	for (uint32_t i = 0; i < PACKETS; i++) {
		uint8_t ttl = (uint8_t)(1 + i % PATH);
		struct probe_packet probe;
		struct flow flow;

		make_flow(w->method, w->family, i / PATH, &flow);
		if (row->build(&flow, &probe, NULL) < 0)
			die("build");
		row->patch(&probe, ttl, method_token(key, &flow, ttl, 1));
		time_exceeded(&probe, w->family, router(w->family, ttl), &c[i]);
	}
	return c;
}

static void bench_parse(const struct way *w)
{
	struct captured *c = replies_of(w);
	struct packet *p = calloc(PACKETS, sizeof(*p));
	struct figure parse_figure = {.n = 0}, match_figure = {.n = 0};
	char name[32];

	if (p == NULL)
		die("out of memory");
	for (unsigned r = 0; r < FIGURE_ROUNDS; r++) {
		int64_t begin = figure_ns();

		for (uint32_t i = 0; i < PACKETS; i++) {
			if (packet_parse(c[i].bytes, c[i].size, &p[i]) < 0)
				die("parse");
		}
		figure_add(&parse_figure, figure_ns() - begin, PACKETS);
		begin = figure_ns();
		for (uint32_t i = 0; i < PACKETS; i++) {
			struct match m;

			method_match(&p[i], false, &m);
			if (m.kind != MATCH_REPLY)
				die("match");
			sink += m.token;
		}
		figure_add(&match_figure, figure_ns() - begin, PACKETS);
	}
	snprintf(name, sizeof(name), "parse %s", w->name);
	figure_tell(&parse_figure, name);
	snprintf(name, sizeof(name), "match %s", w->name);
	figure_tell(&match_figure, name);
	free(p);
	free(c);
}

/* --- feed ------------------------------------------------------------------------------------- */

struct bed {
	struct flights fs;
	uint32_t flights;
	struct flight **flown;   /* [flights] */
	struct captured *out, *in; /* [flights x PATH]: departures and replies of one turn */
	uint32_t count;
	int64_t departures_ns, replies_ns, feed_ns;
	uint64_t departures, replies;
};

static void bed_init(struct bed *b, uint32_t flights)
{
	memset(b, 0, sizeof(*b));
	b->flights = flights;
	b->flown = calloc(flights, sizeof(struct flight *));
	b->out = calloc((size_t)flights * 32, sizeof(b->out[0]));
	b->in = calloc((size_t)flights * 32, sizeof(b->in[0]));
	if (b->flown == NULL || b->out == NULL || b->in == NULL ||
	    flights_init(&b->fs, flights, key) < 0)
		die("out of memory");
}

static void bed_fini(struct bed *b)
{
	flights_fini(&b->fs);
	free(b->flown);
	free(b->out);
	free(b->in);
}

static void take_off(struct bed *b, uint32_t i, struct mono now)
{
	struct probe_packet packet;
	struct plan_trace plan;
	struct flow flow;

	plan_trace_defaults(&plan);
	plan.seq = i + 1;
	plan.dst = destination(4, i);
	plan.method = METHOD_ICMP;
	plan.attempts = 1;
	make_flow(METHOD_ICMP, 4, i, &flow);
	if (method_row(METHOD_ICMP, 4)->build(&flow, &packet, NULL) < 0)
		die("build");
	b->flown[i] = flight_begin(&b->fs, &plan, &flow, &packet, now, (struct wall){now.ns});
	if (b->flown[i] == NULL)
		die("flight_begin");
}

/* What the tracers want sent, as captured packets, turn by turn as they want it. */
static void one_turn(struct bed *b, struct mono now)
{
	b->count = 0;
	for (bool more = true; more;) {
		more = false;
		for (uint32_t i = 0; i < b->flights; i++) {
			struct flight *f = b->flown[i];
			struct tracer_step s = tracer_next(&f->tracer, now);

			if (s.want != TRACER_SEND || b->count == b->flights * 32)
				continue;
			more = true;
			flight_prepare(&b->fs, f, s.ttl, s.attempt);
			flight_sent(&b->fs, f, s.ttl, s.attempt, now);
			b->out[b->count].size = f->packet.size;
			memcpy(b->out[b->count].bytes, f->packet.bytes, f->packet.size);
			if (s.ttl < PATH)
				time_exceeded(&f->packet, 4, router(4, s.ttl), &b->in[b->count]);
			else
				echo_reply(&f->packet, &b->in[b->count]);
			b->count++;
		}
	}
}

/* All captured packets of a turn: parsed, matched, fed. */
static int64_t take_all(struct bed *b, const struct captured *c, bool outgoing, struct mono at)
{
	int64_t begin = figure_ns();

	for (uint32_t i = 0; i < b->count; i++) {
		struct flight_hit hit;
		struct packet p;
		struct match m;

		if (packet_parse(c[i].bytes, c[i].size, &p) < 0)
			die("parse");
		method_match(&p, outgoing, &m);
		sink += flights_take(&b->fs, &m, 2, (struct wall){at.ns}, at, &hit);
	}
	return figure_ns() - begin;
}

/* The same without parse and match, which were done before the clock starts. */
static int64_t feed_all(struct bed *b, const struct captured *c, bool outgoing, struct mono at)
{
	struct match *m = calloc(b->count, sizeof(*m));
	struct packet p;
	int64_t begin;

	if (m == NULL)
		die("out of memory");
	for (uint32_t i = 0; i < b->count; i++) {
		if (packet_parse(c[i].bytes, c[i].size, &p) < 0)
			die("parse");
		method_match(&p, outgoing, &m[i]);
	}
	begin = figure_ns();
	for (uint32_t i = 0; i < b->count; i++) {
		struct flight_hit hit;

		sink += flights_take(&b->fs, &m[i], 2, (struct wall){at.ns}, at, &hit);
	}
	begin = figure_ns() - begin;
	free(m);
	return begin;
}

/* One run of all flights to their ends. */
static void fly(struct bed *b, bool feed_only, int64_t clock_ns)
{
	struct mono now = {1000 * NS_PER_S};
	uint64_t answered = 0;

	for (uint32_t i = 0; i < b->flights; i++)
		take_off(b, i, now);
	for (;;) {
		one_turn(b, now);
		if (b->count == 0)
			break;
		if (feed_only) {
			feed_all(b, b->out, true, mono_add(now, 1000));
			b->feed_ns += feed_all(b, b->in, false, mono_add(now, 21000)) - clock_ns;
		} else {
			b->departures_ns += take_all(b, b->out, true, mono_add(now, 1000)) -
					    clock_ns;
			b->replies_ns += take_all(b, b->in, false, mono_add(now, 21000)) - clock_ns;
		}
		b->departures += b->count;
		b->replies += b->count;
		now = mono_add(now, NS_PER_MS);
	}
	for (uint32_t i = 0; i < b->flights; i++) {
		answered += b->flown[i]->received;
		flight_end(&b->fs, b->flown[i]);
	}
	if (answered < (uint64_t)b->flights * PATH)
		die("feed: a reply was not believed");
}

static int64_t clock_cost(void)
{
	int64_t begin = figure_ns();

	for (unsigned i = 0; i < 1000; i++)
		figure_ns();
	return (figure_ns() - begin) / 1000;
}

static void bench_feed(uint32_t flights)
{
	struct figure departure = {.n = 0}, reply = {.n = 0}, feed = {.n = 0};
	uint32_t runs = flights < 1024 ? 1024 / flights : 1;
	int64_t clock_ns = clock_cost();
	char name[64];

	for (unsigned r = 0; r < FIGURE_ROUNDS; r++) {
		struct bed b;

		bed_init(&b, flights);
		for (uint32_t i = 0; i < runs; i++)
			fly(&b, false, clock_ns);
		figure_add(&departure, b.departures_ns, b.departures);
		figure_add(&reply, b.replies_ns, b.replies);
		b.replies = 0;
		for (uint32_t i = 0; i < runs; i++)
			fly(&b, true, clock_ns);
		figure_add(&feed, b.feed_ns, b.replies);
		bed_fini(&b);
	}
	snprintf(name, sizeof(name), "feed, %" PRIu32 " flights", flights);
	figure_tell(&feed, name);
	snprintf(name, sizeof(name), "departure: parse match feed, %" PRIu32 " flights", flights);
	figure_tell(&departure, name);
	snprintf(name, sizeof(name), "reply: parse match feed, %" PRIu32 " flights", flights);
	figure_tell(&reply, name);
}

int main(void)
{
	static const uint32_t sizes[] = {1, 256, FLIGHTS_MAX};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		bench_build(&ways[i]);
		bench_patch(&ways[i]);
		bench_parse(&ways[i]);
	}
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		bench_feed(sizes[i]);
	return 0;
}

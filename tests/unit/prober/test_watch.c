// SPDX-License-Identifier: BSD-2-Clause
/*
 * What becomes of a captured packet, byte for byte: believed, or counted for a reason, and never
 * both or neither. Answers are made of the probes themselves, as routers make them.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "prober/watch.h"
#include "prober/wire/parse.h"
#include "tests/unit/prober/bed.h"

enum { WIRE = 2, LO = 1, IP4 = 20, IP6 = 40, ROOM = 256 };

struct scene {
	struct bed bed;
	struct refused refused;
	struct watch watch;
	unsigned answers;
};

struct bytes {
	uint8_t at[ROOM];
	size_t size;
};

static void on_answer(void *context, const struct flight_hit *hit, struct addr from)
{
	struct scene *s = context;

	(void)from;
	assert_non_null(hit->flight);
	s->answers++;
}

static void scene_init(struct scene *s, const char *dst, enum method method)
{
	bed_init(&s->bed, dst, method);
	bed_send_all(&s->bed, s->bed.f);
	memset(&s->refused, 0, sizeof(s->refused));
	s->answers = 0;
	s->watch = (struct watch){.flights = &s->bed.fs, .refused = &s->refused, .lo_index = LO,
				  .now = s->bed.now, .answer = on_answer, .context = s};
}

static void put16(uint8_t *at, unsigned v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

/* The probe (ttl, 1) as it left. */
static struct bytes probe(struct scene *s, uint8_t ttl)
{
	struct flight *f = s->bed.f;
	struct bytes b = {.size = f->packet.size};

	flight_prepare(&s->bed.fs, f, ttl, 1);
	memcpy(b.at, f->packet.bytes, b.size);
	return b;
}

/* IPv4 or IPv6 as the probe is, from `from`, with room for `size` bytes of `protocol` behind. */
static size_t head(const struct bytes *sent, const uint8_t *from, uint8_t protocol, size_t size,
		   struct bytes *out)
{
	bool v4 = sent->at[0] >> 4 == 4;

	memset(out, 0, sizeof(*out));
	out->at[0] = v4 ? 0x45 : 0x60;
	if (v4) {
		put16(out->at + 2, (unsigned)(IP4 + size));
		out->at[8] = 60;
		out->at[9] = protocol;
		memcpy(out->at + 12, from, 4);
		memcpy(out->at + 16, sent->at + 12, 4);
	} else {
		put16(out->at + 4, (unsigned)size);
		out->at[6] = protocol;
		out->at[7] = 60;
		memcpy(out->at + 8, from, 16);
		memcpy(out->at + 24, sent->at + 8, 16);
	}
	out->size = (v4 ? IP4 : IP6) + size;
	return v4 ? IP4 : IP6;
}

/* Time exceeded about the first `quote` bytes of the probe. */
static struct bytes exceeded(const struct bytes *sent, size_t quote)
{
	static const uint8_t router4[16] = {203, 0, 113, 5};
	static const uint8_t router6[16] = {0x20, 1, 0x0d, 0xb8, [15] = 5};
	bool v4 = sent->at[0] >> 4 == 4;
	struct bytes b;
	size_t at = head(sent, v4 ? router4 : router6, v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
			 8 + quote, &b);

	b.at[at] = v4 ? 11 : 3;
	memcpy(b.at + at + 8, sent->at, quote);
	return b;
}

/* The destination's answer to a SYN. */
static struct bytes segment(const struct bytes *sent, uint8_t flags, uint32_t beyond)
{
	const uint8_t *tcp = sent->at + IP4;
	uint32_t ack = ((uint32_t)tcp[4] << 24 | (uint32_t)tcp[5] << 16 | (uint32_t)tcp[6] << 8 |
			tcp[7]) + beyond;
	struct bytes b;
	size_t at = head(sent, sent->at + 16, IPPROTO_TCP, 20, &b);

	memcpy(b.at + at, tcp + 2, 2);
	memcpy(b.at + at + 2, tcp, 2);
	put16(b.at + at + 8, ack >> 16);
	put16(b.at + at + 10, ack & 0xffff);
	b.at[at + 12] = 5 << 4;
	b.at[at + 13] = flags;
	return b;
}

enum made { EXCEEDED, EXCEEDED_8, CUT, RUBBISH, OTHER_DST, BAD_SEQ, SYN_ACK, RST_BAD, BARE_ACK,
	    ECHO_OF_ANOTHER, PROBE_ITSELF };
enum counter { ANSWER, NOTHING, FOREIGN, BAD_TOKEN, MALFORMED };

static const struct {
	const char *why, *dst;
	enum method method;
	enum made made;
	bool outgoing;
	int ifindex;
	enum counter counter;
} rows[] = {
	{"a router's word", "198.51.100.7", METHOD_UDP, EXCEEDED, false, WIRE, ANSWER},
	{"the same, 8 bytes quoted", "198.51.100.7", METHOD_UDP, EXCEEDED_8, false, WIRE, ANSWER},
	{"over IPv6", "2001:db8:7::1", METHOD_ICMP, EXCEEDED, false, WIRE, ANSWER},
	{"over IPv6, 8 bytes: half the token is behind", "2001:db8:7::1", METHOD_ICMP, EXCEEDED_8,
	 false, WIRE, BAD_TOKEN},
	{"about a SYN", "198.51.100.7", METHOD_TCP, EXCEEDED_8, false, WIRE, ANSWER},
	{"a SYN-ACK", "198.51.100.7", METHOD_TCP, SYN_ACK, false, WIRE, ANSWER},
	{"an RST that acknowledges another sequence", "198.51.100.7", METHOD_TCP, RST_BAD, false,
	 WIRE, BAD_TOKEN},
	{"a bare ACK answers no SYN", "198.51.100.7", METHOD_TCP, BARE_ACK, false, WIRE, FOREIGN},
	{"a wrong half", "198.51.100.7", METHOD_UDP, BAD_SEQ, false, WIRE, BAD_TOKEN},
	{"a wrong half of a sequence", "198.51.100.7", METHOD_TCP, BAD_SEQ, false, WIRE, BAD_TOKEN},
	{"about a destination nobody probes", "198.51.100.7", METHOD_ICMP, OTHER_DST, false, WIRE,
	 FOREIGN},
	{"another's ping", "198.51.100.7", METHOD_ICMP, ECHO_OF_ANOTHER, false, WIRE, FOREIGN},
	{"a quote cut in its IP header", "198.51.100.7", METHOD_UDP, CUT, false, WIRE, MALFORMED},
	{"a quote cut in IPv6", "2001:db8:7::1", METHOD_UDP, CUT, false, WIRE, MALFORMED},
	{"no IP at all", "198.51.100.7", METHOD_UDP, RUBBISH, false, WIRE, MALFORMED},
	/* What leaves is nobody's answer, nor is a probe that crosses lo. */
	{"the probe leaves", "198.51.100.7", METHOD_UDP, PROBE_ITSELF, true, WIRE, NOTHING},
	{"the probe arrives on lo", "198.51.100.7", METHOD_UDP, PROBE_ITSELF, false, LO, NOTHING},
	{"rubbish leaves", "198.51.100.7", METHOD_UDP, RUBBISH, true, WIRE, NOTHING},
	{"another's ping on lo", "198.51.100.7", METHOD_ICMP, ECHO_OF_ANOTHER, false, LO, FOREIGN},
	{"the kernel's reset leaves", "198.51.100.7", METHOD_TCP, BARE_ACK, true, WIRE, NOTHING},
};

static struct bytes make(struct scene *s, enum made made)
{
	static const uint8_t elsewhere[4] = {198, 51, 100, 99};
	struct bytes b = probe(s, 3), out;
	size_t ip = b.at[0] >> 4 == 4 ? IP4 : IP6;

	switch (made) {
	case EXCEEDED: return exceeded(&b, b.size);
	case EXCEEDED_8: return exceeded(&b, ip + 8);
	case CUT: return exceeded(&b, ip - 4);
	case OTHER_DST: memcpy(b.at + 16, elsewhere, 4); return exceeded(&b, b.size);
	case BAD_SEQ:
		/* UDP's checksum and its copy; TCP's sequence. */
		b.at[ip + 7] ^= 1;
		b.at[ip + 11] ^= 1;
		return exceeded(&b, b.size);
	case SYN_ACK: return segment(&b, 0x12, 1);
	case RST_BAD: return segment(&b, 0x14, 2);
	case BARE_ACK: return segment(&b, 0x10, 1);
	case PROBE_ITSELF: return b;
	case ECHO_OF_ANOTHER:
		head(&b, b.at + 16, IPPROTO_ICMP, 40, &out);
		put16(out.at + IP4 + 4, 30001);
		return out;
	case RUBBISH: break;
	}
	memset(&b, 0xff, sizeof(b));
	b.size = 60;
	return b;
}

static void one_packet_one_count(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scene s;
		struct bytes b;
		unsigned got[5], sum = 0;

		scene_init(&s, rows[i].dst, rows[i].method);
		b = make(&s, rows[i].made);
		watch_packet(&s.watch, b.at, b.size, s.bed.wall, rows[i].ifindex, rows[i].outgoing);
		got[ANSWER] = s.answers;
		got[NOTHING] = 0;
		got[FOREIGN] = s.refused.foreign;
		got[BAD_TOKEN] = s.refused.bad_token;
		got[MALFORMED] = s.refused.malformed;
		for (unsigned k = 0; k < 5; k++)
			sum += got[k];
		sum += s.refused.late + s.refused.duplicate;
		got[NOTHING] = sum == 0;
		if (got[rows[i].counter] != 1 || sum > 1)
			fail_msg("%s: answers %u foreign %u bad %u malformed %u late %u",
				 rows[i].why, s.answers, s.refused.foreign, s.refused.bad_token,
				 s.refused.malformed, s.refused.late);
		assert_int_equal(s.watch.received, s.answers);
		flights_fini(&s.bed.fs);
	}
}

/* One probe's answer again and again: some are kept, the rest is counted; after the end all are
 * late. */
static void again_and_again(void **state)
{
	enum { TIMES = 100 };
	struct scene s;
	struct bytes b;

	(void)state;
	scene_init(&s, "198.51.100.7", METHOD_UDP);
	b = make(&s, EXCEEDED);
	for (int i = 0; i < TIMES; i++)
		watch_packet(&s.watch, b.at, b.size, s.bed.wall, WIRE, false);
	assert_int_equal(s.answers, 1 + FLIGHT_EXTRA_PER_PROBE);
	assert_int_equal(s.answers + s.refused.duplicate, TIMES);
	assert_int_equal(s.watch.received, 1);
	flight_end(&s.bed.fs, s.bed.f);
	for (int i = 0; i < TIMES; i++)
		watch_packet(&s.watch, b.at, b.size, s.bed.wall, WIRE, false);
	assert_int_equal(s.refused.late, TIMES);
	/* A guess at a flow that is gone is still known for one. */
	b.at[IP4 + 8 + IP4 + 7] ^= 1;
	b.at[IP4 + 8 + IP4 + 11] ^= 1;
	watch_packet(&s.watch, b.at, b.size, s.bed.wall, WIRE, false);
	assert_int_equal(s.refused.bad_token, 1);
	assert_int_equal(s.refused.foreign, 0);
	flights_fini(&s.bed.fs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_packet_one_count),
		cmocka_unit_test(again_and_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

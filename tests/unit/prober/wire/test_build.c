// SPDX-License-Identifier: BSD-2-Clause
/* What libnet makes for us: every field at its place, every checksum as a receiver computes it. */
#include "prober/wire/build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/prober/wire/golden.h"

enum kind { KIND_ECHO, KIND_UDP, KIND_SYN };

static struct build_ip ip_for(uint8_t family)
{
	bool v4 = family == 4;

	return (struct build_ip){
		.src = golden_addr(v4 ? GOLDEN_SRC4 : GOLDEN_SRC6),
		.dst = golden_addr(v4 ? GOLDEN_DST4 : GOLDEN_DST6),
		.ttl = 9,
		.ip_id = 0x1234,
		.label = v4 ? 0 : 0xfedcb,
	};
}

static int build(enum kind kind, const struct build_ip *ip, size_t payload, struct golden *g,
		 size_t room, struct bp_error *err)
{
	uint8_t bytes[300];

	memset(bytes, 0x5a, sizeof(bytes));
	switch (kind) {
	case KIND_ECHO:
		return build_echo(ip, 0xa1a2, 0xb1b2, bytes, payload, g->bytes, room, &g->n, err);
	case KIND_UDP:
		return build_udp(ip, 0xa1a2, 0xb1b2, bytes, payload, g->bytes, room, &g->n, err);
	default:
		return build_tcp_syn(ip, 0xa1a2, 0xb1b2, 0xc1c2c3c4, g->bytes, room, &g->n, err);
	}
}

/* The bytes of the transport's fixed places, without its checksum. */
static void check_transport(enum kind kind, uint8_t family, const uint8_t *l4, size_t payload)
{
	if (kind == KIND_ECHO) {
		assert_int_equal(l4[0], family == 4 ? 8 : 128);
		assert_int_equal(l4[1], 0);
		assert_memory_equal(l4 + 4, "\xa1\xa2\xb1\xb2", 4);
	} else if (kind == KIND_UDP) {
		assert_memory_equal(l4, "\xa1\xa2\xb1\xb2", 4);
		assert_int_equal(l4[4] << 8 | l4[5], 8 + payload);
	} else {
		/* data offset 8 words, SYN alone, window 64240, no urgent pointer */
		assert_memory_equal(l4, "\xa1\xa2\xb1\xb2\xc1\xc2\xc3\xc4\0\0\0\0\x80\x02\xfa\xf0", 16);
		assert_memory_equal(l4 + 18, "\0\0", 2);
		assert_memory_equal(l4 + 20,
				    family == 4 ? "\2\4\x05\xb4\1\3\3\10\1\1\4\2"
						: "\2\4\x05\xa0\1\3\3\10\1\1\4\2",
				    12);
	}
}

static void test_fields(void **state)
{
	static const size_t payloads[] = {0, 2, 32, 64};

	(void)state;
	for (enum kind kind = KIND_ECHO; kind <= KIND_SYN; kind++) {
		for (uint8_t family = 4; family <= 6; family += 2) {
			for (size_t i = 0; i < 4; i++) {
				struct build_ip ip = ip_for(family);
				size_t payload = kind == KIND_SYN ? 12 : payloads[i];
				size_t header = family == 4 ? 20 : 40;
				struct golden g = {0};
				struct bp_error err;

				ip.dont_fragment = i % 2;
				assert_int_equal(build(kind, &ip, payload, &g, GOLDEN_MAX, &err),
						 0);
				assert_int_equal(g.n,
						 header + (kind == KIND_SYN ? 20 : 8) + payload);
				assert_true(golden_accepted(g.bytes, g.n));
				if (family == 4) {
					assert_memory_equal(g.bytes, "\x45\0", 2);
					assert_memory_equal(g.bytes + 4, "\x12\x34", 2);
					assert_int_equal(g.bytes[6], i % 2 ? 0x40 : 0);
					assert_int_equal(g.bytes[8], 9);
					assert_memory_equal(g.bytes + 12, ip.src.bytes, 4);
					assert_memory_equal(g.bytes + 16, ip.dst.bytes, 4);
				} else {
					assert_memory_equal(g.bytes, "\x60\x0f\xed\xcb", 4);
					assert_int_equal(g.bytes[7], 9);
					assert_memory_equal(g.bytes + 8, ip.src.bytes, 16);
					assert_memory_equal(g.bytes + 24, ip.dst.bytes, 16);
				}
				check_transport(kind, family, g.bytes + header, payload);
			}
		}
	}
}

/* Every bit of the label by itself: libnet 1.1.6 would or them over each other. */
static void test_flow_label_bits(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 20; bit++) {
		struct build_ip ip = ip_for(6);
		struct golden g = {0};
		struct bp_error err;

		ip.label = 1u << bit;
		assert_int_equal(build(KIND_UDP, &ip, 2, &g, GOLDEN_MAX, &err), 0);
		assert_int_equal((uint32_t)g.bytes[0] << 24 | (uint32_t)g.bytes[1] << 16 |
					 (uint32_t)g.bytes[2] << 8 | g.bytes[3],
				 0x60000000u | 1u << bit);
	}
}

static void test_refused(void **state)
{
	static const struct {
		enum kind kind;
		size_t payload, room;
		bool mixed, unset, label;
		const char *why;
	} rows[] = {
		{KIND_UDP, 32, 59, .why = "room one byte short"},
		{KIND_SYN, 0, 51, .why = "room one byte short, SYN"},
		{KIND_ECHO, 32, 0, .why = "no room"},
		{KIND_UDP, 31, 400, .why = "odd payload"},
		{KIND_ECHO, 258, 400, .why = "payload longer than a probe's can be"},
		{KIND_UDP, 32, 400, .mixed = true, .why = "IPv4 to IPv6"},
		{KIND_ECHO, 32, 400, .unset = true, .why = "no addresses"},
		{KIND_SYN, 0, 400, .label = true, .why = "a label of 21 bits"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct build_ip ip = ip_for(4);
		struct golden g = {.n = 77};
		struct bp_error err = {0};

		if (rows[i].mixed)
			ip.dst = golden_addr(GOLDEN_DST6);
		if (rows[i].unset)
			ip.src = ip.dst = (struct addr){0};
		if (rows[i].label)
			ip.label = 0x100000;
		if (build(rows[i].kind, &ip, rows[i].payload, &g, rows[i].room, &err) != BP_EINVAL)
			fail_msg("%s: not refused", rows[i].why);
		assert_int_equal(err.code, BP_EINVAL);
		assert_true(err.text[0] != '\0');
		assert_int_equal(g.n, 77);
		for (size_t b = 0; b < sizeof(g.bytes); b++)
			assert_int_equal(g.bytes[b], 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_flow_label_bits),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * The six encodings: whatever the token and the TTL, a receiver accepts the packet, the fields that
 * routers hash stand still, and the token is where method.h's table says.
 */
#include "prober/method/method.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "prober/wire/parse.h"
#include "tests/unit/prober/wire/golden.h"

static const struct { enum method method; uint8_t family; uint16_t size; } six[] = {
	{METHOD_ICMP, 4, 60}, {METHOD_ICMP, 6, 80}, {METHOD_UDP, 4, 60},
	{METHOD_UDP, 6, 80},  {METHOD_TCP, 4, 52},  {METHOD_TCP, 6, 72},
};

static struct flow flow_for(size_t i, uint16_t sport)
{
	bool v4 = six[i].family == 4;

	return (struct flow){
		.method = six[i].method,
		.src = golden_addr(v4 ? GOLDEN_SRC4 : GOLDEN_SRC6),
		.dst = golden_addr(v4 ? GOLDEN_DST4 : GOLDEN_DST6),
		.sport = sport,
		.dport = six[i].method == METHOD_ICMP ? 0 : 33434,
		.label = v4 ? 0 : 0xabcde,
	};
}

static struct probe_packet built(size_t i, uint16_t sport)
{
	struct flow f = flow_for(i, sport);
	struct bp_error err = {0};
	struct probe_packet p;

	if (method_row(six[i].method, six[i].family)->build(&f, &p, &err))
		fail_msg("%s", err.text);
	assert_int_equal(p.size, six[i].size);
	return p;
}

/* Where the token is, read without the parser. */
static uint32_t token_of(size_t i, const struct probe_packet *p)
{
	const uint8_t *l4 = p->bytes + (six[i].family == 4 ? 20 : 40);
	const uint8_t *hi = six[i].family == 4 ? p->bytes + 4 : l4 + 8, *lo = l4 + 6;

	if (six[i].method == METHOD_TCP) {
		hi = l4 + 4;
		lo = l4 + 6;
	}
	return (uint32_t)hi[0] << 24 | (uint32_t)hi[1] << 16 | (uint32_t)lo[0] << 8 | lo[1];
}

static void check_packet(size_t i, const struct probe_packet *p, const struct probe_packet *first,
			 uint8_t ttl, uint32_t token)
{
	bool v4 = six[i].family == 4;
	const uint8_t *l4 = p->bytes + (v4 ? 20 : 40), *l4_first = first->bytes + (v4 ? 20 : 40);

	if (!golden_accepted(p->bytes, p->size))
		fail_msg("row %zu, token %08x: a receiver drops it", i, token);
	if (token_of(i, p) != token)
		fail_msg("row %zu, token %08x: not at its place", i, token);
	assert_int_equal(v4 ? p->bytes[8] : p->bytes[7], ttl);
	/* what routers hash: addresses, protocol, label, the first four bytes of the transport, and
	 * for ICMP checksum and identifier */
	if (v4)
		assert_memory_equal(p->bytes + 12, first->bytes + 12, 8);
	else
		assert_memory_equal(p->bytes, first->bytes, 7);
	assert_memory_equal(l4, l4_first, 4);
	if (six[i].method == METHOD_ICMP) {
		assert_memory_equal(l4, l4_first, 6);
		assert_memory_equal(l4 + 2, l4 + 4, 2);
	}
	if (six[i].method != METHOD_TCP) {
		assert_int_equal((uint32_t)l4[8] << 24 | (uint32_t)l4[9] << 16 |
					 (uint32_t)l4[10] << 8 | l4[11],
				 token);
		assert_memory_equal(l4 + 14, "borderpath net measurement", 26);
	} else {
		assert_memory_equal(l4 + 8, l4_first + 8, 8);
		if (v4)
			assert_memory_equal(p->bytes + 4, l4 + 4, 2);
	}
}

/* A built packet is that of TTL 1, token 0x00010001. */
static void test_built(void **state)
{
	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct probe_packet p = built(i, 20001);

		check_packet(i, &p, &p, 1, 0x00010001);
	}
}

/* Patched one after the other, so that an error would add up. */
static void sweep(size_t i, bool low)
{
	static const uint16_t others[] = {1, 0xffff};
	const struct method_row *row = method_row(six[i].method, six[i].family);
	struct probe_packet first = built(i, 31999), p = first;

	for (size_t o = 0; o < 2; o++) {
		for (uint32_t half = 1; half <= 0xffff; half++) {
			uint32_t token = low ? (uint32_t)others[o] << 16 | half
					     : half << 16 | others[o];
			uint8_t ttl = (uint8_t)(half % 255 + 1);

			row->patch(&p, ttl, token);
			check_packet(i, &p, &first, ttl, token);
		}
	}
}

static void test_all_low_halves(void **state)
{
	(void)state;
	for (size_t i = 0; i < 6; i++)
		sweep(i, true);
}

static void test_all_high_halves(void **state)
{
	(void)state;
	for (size_t i = 0; i < 6; i++)
		sweep(i, false);
}

/* The checksum is told to be the identifier: every identifier that a flow can have. */
static void test_all_identifiers(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (uint32_t id = METHOD_PORT_LOW; id <= METHOD_PORT_HIGH; id += 3) {
			struct probe_packet first = built(i, (uint16_t)id), p = first;

			method_row(METHOD_ICMP, six[i].family)->patch(&p, 3, 0xffff0001u + id);
			check_packet(i, &p, &first, 3, 0xffff0001u + id);
		}
	}
}

/* The path of patches does not matter: byte for byte the same packet but for the two forms of 0
 * that one's complement has. */
static void test_patch_has_no_memory(void **state)
{
	(void)state;
	for (size_t i = 0; i < 6; i++) {
		const struct method_row *row = method_row(six[i].method, six[i].family);
		struct probe_packet direct = built(i, 25000), detour = direct;

		for (uint32_t k = 1; k < 1000; k++)
			row->patch(&detour, (uint8_t)k, 0x9e3779b1u * k | 0x00010001u);
		row->patch(&detour, 12, 0xcafe1234);
		row->patch(&direct, 12, 0xcafe1234);
		assert_memory_equal(&detour, &direct, sizeof(direct));
	}
}

static void test_refused(void **state)
{
	static const struct {
		enum method method;
		uint16_t sport, dport;
		bool other_family;
		const char *why;
	} rows[] = {
		{METHOD_UDP, 0, 33434, false, "no source port"},
		{METHOD_UDP, 20000, 0, false, "no destination port"},
		{METHOD_TCP, 20000, 0, false, "no destination port"},
		{METHOD_ICMP, 0, 0, false, "no identifier"},
		{METHOD_ICMP, 20000, 80, false, "ICMP has no destination port"},
		{METHOD_UDP, 20000, 33434, true, "a source of the other family"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct flow f = {
			.method = rows[i].method,
			.src = golden_addr(rows[i].other_family ? GOLDEN_SRC6 : GOLDEN_SRC4),
			.dst = golden_addr(GOLDEN_DST4),
			.sport = rows[i].sport,
			.dport = rows[i].dport,
		};
		struct probe_packet p = {.size = 7};
		struct bp_error err;

		if (method_row(rows[i].method, 4)->build(&f, &p, &err) != BP_EINVAL)
			fail_msg("%s: not refused", rows[i].why);
		assert_int_equal(p.size, 7);
	}

	/* the row of one method does not build another's flow */
	struct flow udp = flow_for(2, 20000);
	struct probe_packet p;
	struct bp_error err;

	assert_int_equal(method_row(METHOD_TCP, 4)->build(&udp, &p, &err), BP_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_built),
		cmocka_unit_test(test_all_low_halves),
		cmocka_unit_test(test_all_high_halves),
		cmocka_unit_test(test_all_identifiers),
		cmocka_unit_test(test_patch_has_no_memory),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause
/* RFC 4884 structures: where they begin, whether they are believed, what their objects say. */
#include "prober/wire/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/prober/wire/golden.h"

static struct packet parse(const struct golden *g)
{
	uint8_t *copy = malloc(g->n);
	struct packet p;

	assert_non_null(copy);
	memcpy(copy, g->bytes, g->n);
	assert_int_equal(packet_parse(copy, g->n, &p), 0);
	free(copy);
	return p;
}

/* ---- what the golden ones say ---- */

static void test_mpls(void **state)
{
	static const char *const names[] = {"error-udp4-mpls", "error-udp4-mpls-old",
					    "error-udp4-mpls-short", "error-udp6-mpls",
					    "error-udp6-mpls-old"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct golden g = golden_read(names[i]);
		struct packet p = parse(&g);

		assert_int_equal(p.mpls_count, 2);
		assert_int_equal(p.mpls[0].label, 29657);
		assert_int_equal(p.mpls[0].exp, 0);
		assert_int_equal(p.mpls[0].s, 0);
		assert_int_equal(p.mpls[0].ttl, 254);
		assert_int_equal(p.mpls[1].label, 16);
		assert_int_equal(p.mpls[1].exp, 5);
		assert_int_equal(p.mpls[1].s, 1);
		assert_int_equal(p.mpls[1].ttl, 1);
	}
}

static void test_interface4(void **state)
{
	struct golden g = golden_read("error-icmp4-iface");
	struct packet p = parse(&g);

	(void)state;
	assert_int_equal(p.iface.role, IFACE_INCOMING);
	assert_int_equal(p.iface.index, 21);
	assert_true(addr_equal(p.iface.addr, golden_addr("203.0.113.77")));
	assert_string_equal(p.iface.name, "xe-0/1/2");
	assert_int_equal(p.iface.mtu, 1500);
}

/* The outgoing interface comes first in the packet; the incoming one is kept. */
static void test_interface6(void **state)
{
	struct golden g = golden_read("error-icmp6-iface");
	struct packet p = parse(&g);

	(void)state;
	assert_int_equal(p.iface.role, IFACE_INCOMING);
	assert_true(addr_equal(p.iface.addr, golden_addr("2001:db8:9::77")));
	assert_string_equal(p.iface.name, "");
}

static void test_both(void **state)
{
	struct golden g = golden_read("error-tcp4-both");
	struct packet p = parse(&g);

	(void)state;
	assert_int_equal(p.mpls_count, 1);
	assert_int_equal(p.mpls[0].label, 29657);
	assert_int_equal(p.iface.index, 7);
}

/* ---- structures made by hand, behind a 128-byte quote ---- */

enum { STRUCTURE_AT = 20 + 8 + 128, LENGTH_AT = 20 + 5 };

/* Replaces the structure of a golden packet; the checksum is made right unless `checksum` says
 * otherwise (-1: right). */
static struct golden with_structure(const uint8_t *objects, size_t n, uint8_t version,
				    int32_t checksum)
{
	struct golden g = golden_read("error-udp4-mpls");
	uint8_t *at = g.bytes + STRUCTURE_AT;
	uint16_t sum;

	memset(at, 0, 4);
	at[0] = (uint8_t)(version << 4);
	memcpy(at + 4, objects, n);
	sum = checksum < 0 ? golden_checksum(at, 4 + n, 0) : (uint16_t)checksum;
	at[2] = (uint8_t)(sum >> 8);
	at[3] = (uint8_t)sum;
	g.n = STRUCTURE_AT + 4 + n;
	g.bytes[2] = (uint8_t)(g.n >> 8);
	g.bytes[3] = (uint8_t)g.n;
	return g;
}

static const uint8_t one_label[] = {0, 8, 1, 1, 0x07, 0x3d, 0x91, 0x01};

static void test_believed_or_not(void **state)
{
	static const struct {
		uint8_t version;
		int32_t checksum;
		uint8_t words;
		uint8_t mpls_count;
		bool bad;
		const char *why;
	} rows[] = {
		{2, -1, 32, 1, false, "as the RFC has it"},
		{2, 0, 32, 1, false, "checksum 0: not computed, and the length field vouches"},
		{2, 0x1234, 32, 0, true, "wrong checksum"},
		{1, -1, 32, 0, true, "a version we do not know"},
		{2, -1, 0, 1, false, "no length: at the fixed place, with a right checksum"},
		{2, 0, 0, 0, false, "no length and no checksum: just a long quote"},
		{2, 0x1234, 0, 0, false, "no length and a wrong checksum: just a long quote"},
		{2, -1, 4, 0, true, "a length shorter than an IP header"},
		{2, -1, 30, 0, true, "a length that points beside it"},
		{2, -1, 255, 0, true, "a length beyond the packet"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct golden g = with_structure(one_label, sizeof(one_label), rows[i].version,
						 rows[i].checksum);
		struct packet p;

		g.bytes[LENGTH_AT] = rows[i].words;
		p = parse(&g);
		if (p.mpls_count != rows[i].mpls_count || p.extension_bad != rows[i].bad)
			fail_msg("%s: %u labels, bad %d", rows[i].why, p.mpls_count,
				 p.extension_bad);
		/* whatever the structure is worth, the quote is read */
		assert_true(p.quoted.known);
		assert_int_equal(p.quoted.payload_size, 32);
	}
}

/* IPv6 has its length in the first byte, in words of 64 bits. With checksum 0 nothing but the
 * length vouches for the structure; moved to behind 80 bytes, nothing but the length finds it. */
static void test_length6(void **state)
{
	enum { QUOTE = 48, LONG = QUOTE + 128, SHORT = QUOTE + 80 };
	struct golden g = golden_read("error-udp6-mpls");
	struct packet p;

	(void)state;
	g.bytes[LONG + 2] = g.bytes[LONG + 3] = 0;
	p = parse(&g);
	assert_int_equal(p.mpls_count, 2);
	assert_false(p.extension_bad);

	memmove(g.bytes + SHORT, g.bytes + LONG, g.n - LONG);
	g.n -= LONG - SHORT;
	g.bytes[5] = (uint8_t)(g.n - 40);
	g.bytes[44] = 80 / 8;
	p = parse(&g);
	assert_int_equal(p.mpls_count, 2);
	assert_int_equal(p.quoted.payload_size, 32);

	g.bytes[44] = 80 / 4;
	p = parse(&g);
	assert_int_equal(p.mpls_count, 0);
	assert_true(p.extension_bad);
}

/* Before RFC 4884 the length byte was unused, and some routers leave rubbish in it. */
static void test_rubbish_length(void **state)
{
	struct golden g = golden_read("error-udp4-ttl");
	struct packet p;

	(void)state;
	/* 4 bytes on lies the quoted IP-ID; 0x2eed and the flags 0 look like a structure's head */
	g.bytes[LENGTH_AT] = 1;
	g.bytes[32] = 0x2e;
	p = parse(&g);
	assert_true(p.extension_bad);
	assert_int_equal(p.quoted.payload_size, 32);

	/* a length that covers the quote to its end, and nothing behind it */
	g.bytes[LENGTH_AT] = 60 / 4;
	p = parse(&g);
	assert_false(p.extension_bad);
	assert_int_equal(p.quoted.payload_size, 32);
}

static void test_objects(void **state)
{
	static const struct {
		uint8_t bytes[96];
		size_t n;
		uint8_t mpls_count;
		uint8_t role;
		bool bad;
		const char *why;
	} rows[] = {
		{{0}, 0, 0, 0, false, "a structure without objects"},
		{{0, 4, 1, 1}, 4, 0, 0, false, "an object without content"},
		{{0, 4, 7, 7}, 4, 0, 0, false, "an unknown class"},
		{{0, 8, 1, 2, 1, 2, 3, 4}, 8, 0, 0, false, "MPLS with an unknown C-Type"},
		{{0, 3, 1, 1}, 4, 0, 0, true, "length under its own header"},
		{{0, 0, 1, 1}, 4, 0, 0, true, "length 0 would never end"},
		{{0, 9, 1, 1, 1, 2, 3, 4}, 8, 0, 0, true, "length beyond the structure"},
		{{0, 8, 1}, 3, 0, 0, true, "cut inside an object's header"},
		{{0, 8, 1, 1, 1, 2, 3, 4, 0, 99, 1, 1}, 12, 1, 0, true, "the first object is kept, the second is wrong"},
		{{0, 10, 1, 1, 1, 2, 3, 4, 5, 6}, 10, 1, 0, false, "two bytes after the last label"},
		{{0, 4, 2, 0}, 4, 0, IFACE_INCOMING, false, "an interface that tells its role only"},
		{{0, 4, 2, 0x40}, 4, 0, IFACE_SUB_IP, false, "sub-IP component"},
		{{0, 4, 2, 0x80}, 4, 0, IFACE_OUTGOING, false, "outgoing"},
		{{0, 4, 2, 0xc0}, 4, 0, IFACE_NEXT_HOP, false, "next hop"},
		{{0, 6, 2, 8, 0, 1}, 6, 0, 0, true, "an ifIndex of two bytes"},
		{{0, 12, 2, 4, 0, 3, 0, 0, 1, 2, 3, 4}, 12, 0, 0, true, "an address family nobody knows"},
		{{0, 10, 2, 4, 0, 1, 0, 0, 1, 2}, 10, 0, 0, true, "an IPv4 address of two bytes"},
		{{0, 12, 2, 4, 0, 2, 0, 0, 1, 2, 3, 4}, 12, 0, 0, true, "an IPv6 address of four bytes"},
		{{0, 8, 2, 2, 0, 'a', 0, 0}, 8, 0, 0, true, "a name of length 0 does not even count itself"},
		{{0, 8, 2, 2, 1, 0, 0, 0}, 8, 0, IFACE_INCOMING, false, "an empty name"},
		{{0, 8, 2, 2, 64, 'a', 'b', 'c'}, 8, 0, 0, true, "a name beyond its object"},
		{{0, 4, 2, 1}, 4, 0, 0, true, "an MTU that is not there"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct golden g = with_structure(rows[i].bytes, rows[i].n, 2, -1);
		struct packet p = parse(&g);

		if (p.mpls_count != rows[i].mpls_count || p.iface.role != rows[i].role ||
		    p.extension_bad != rows[i].bad)
			fail_msg("%s: %u labels, role %u, bad %d", rows[i].why, p.mpls_count,
				 p.iface.role, p.extension_bad);
	}
}

static void test_long_name(void **state)
{
	uint8_t object[4 + 64] = {0, 68, 2, 2, 64};
	struct golden g;
	struct packet p;

	(void)state;
	memset(object + 5, 'n', 63);
	object[6] = '\n';
	g = with_structure(object, sizeof(object), 2, -1);
	p = parse(&g);
	assert_int_equal(strlen(p.iface.name), sizeof(p.iface.name) - 1);
	/* a router's text goes to terminals and records: no control characters */
	assert_memory_equal(p.iface.name, "n?nn", 4);
}

static void test_more_labels_than_room(void **state)
{
	uint8_t object[4 + 4 * 20] = {0, 84, 1, 1};
	struct golden g;
	struct packet p;

	(void)state;
	for (uint8_t i = 0; i < 20; i++)
		object[4 + 4 * i + 1] = i;
	g = with_structure(object, sizeof(object), 2, -1);
	p = parse(&g);
	assert_int_equal(p.mpls_count, TRACE_MPLS_MAX);
	assert_int_equal(p.mpls[7].label, 7 << 4);
	assert_false(p.extension_bad);
}

/* Packet too big has an MTU where the length would be; it never has a structure. */
static void test_mtu_is_no_length(void **state)
{
	struct golden g = golden_read("error-udp6-mpls");
	struct packet p;

	(void)state;
	g.bytes[40] = 2;
	p = parse(&g);
	assert_int_equal(p.error_mtu, 16 << 24);
	assert_int_equal(p.mpls_count, 0);
	assert_false(p.extension_bad);
	/* no link has an MTU of over 2 GiB */
	g.bytes[44] = 0x80;
	p = parse(&g);
	assert_int_equal(p.error_mtu, -1);
}

/* Frag needed may carry both. An MTU of 0 is from before RFC 1191: not told. */
static void test_frag_needed(void **state)
{
	struct golden g = golden_read("error-udp4-mpls");
	struct packet p;

	(void)state;
	g.bytes[20] = 3;
	g.bytes[21] = 4;
	p = parse(&g);
	assert_int_equal(p.error_mtu, -1);
	assert_int_equal(p.mpls_count, 2);
	g.bytes[26] = 0x05;
	p = parse(&g);
	assert_int_equal(p.error_mtu, 0x500);
	assert_int_equal(p.mpls_count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mpls),
		cmocka_unit_test(test_interface4),
		cmocka_unit_test(test_interface6),
		cmocka_unit_test(test_both),
		cmocka_unit_test(test_believed_or_not),
		cmocka_unit_test(test_length6),
		cmocka_unit_test(test_rubbish_length),
		cmocka_unit_test(test_objects),
		cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_more_labels_than_room),
		cmocka_unit_test(test_mtu_is_no_length),
		cmocka_unit_test(test_frag_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

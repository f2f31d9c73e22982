// SPDX-License-Identifier: BSD-2-Clause
/* The parser against golden packets, whole and cut at every length, and against hostile ones. */
#include "prober/wire/parse.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/unit/prober/wire/golden.h"

/* The bytes at the end of an allocation of their own, so that ASan and valgrind see one too far. */
static int parse_exactly(const uint8_t *bytes, size_t n, struct packet *out)
{
	uint8_t *copy = malloc(n ? n : 1);
	int r;

	assert_non_null(copy);
	if (n)
		memcpy(copy, bytes, n);
	r = packet_parse(copy, n, out);
	free(copy);
	return r;
}

/* ---- what each golden packet says ---- */

struct expect {
	const char *name;
	uint8_t protocol;       /* of the outer packet */
	uint8_t ttl;
	int error_type, error_code; /* -1: no ICMP error */
	int32_t mtu;
	size_t least;           /* the shortest cut that still parses */
	size_t quoted_payload;  /* bytes of the quoted payload kept */
	bool quoted_full;
	uint8_t mpls_count;
	uint8_t iface_role;
};

/* least: headers that must be there. Without an error: IP and transport header. With one: IP, ICMP
 * and quoted IP header. */
static const struct expect table[] = {
	{"probe-icmp4", 1, 7, -1, -1, -1, 28, 0, false, 0, 0},
	{"probe-icmp6", 58, 7, -1, -1, -1, 48, 0, false, 0, 0},
	{"probe-udp4", 17, 7, -1, -1, -1, 28, 0, false, 0, 0},
	{"probe-udp6", 17, 7, -1, -1, -1, 48, 0, false, 0, 0},
	{"probe-tcp4", 6, 7, -1, -1, -1, 40, 0, false, 0, 0},
	{"probe-tcp6", 6, 7, -1, -1, -1, 60, 0, false, 0, 0},
	{"reply-icmp4", 1, 57, -1, -1, -1, 28, 0, false, 0, 0},
	{"reply-icmp6", 58, 57, -1, -1, -1, 48, 0, false, 0, 0},
	{"reply-tcp4-syn-ack", 6, 57, -1, -1, -1, 40, 0, false, 0, 0},
	{"reply-tcp6-syn-ack", 6, 57, -1, -1, -1, 60, 0, false, 0, 0},
	{"reply-tcp4-rst", 6, 57, -1, -1, -1, 40, 0, false, 0, 0},
	{"reply-tcp6-rst", 6, 57, -1, -1, -1, 60, 0, false, 0, 0},
	{"reply-tcp4-rst-no-ack", 6, 57, -1, -1, -1, 40, 0, false, 0, 0},
	{"reply-tcp4-rst-blank", 6, 57, -1, -1, -1, 40, 0, false, 0, 0},
	{"error-icmp4-ttl", 1, 250, 11, 0, -1, 48, 32, true, 0, 0},
	{"error-udp4-ttl", 1, 250, 11, 0, -1, 48, 32, true, 0, 0},
	{"error-tcp4-ttl", 1, 250, 11, 0, -1, 48, 0, true, 0, 0},
	{"error-icmp4-short", 1, 250, 11, 0, -1, 48, 0, true, 0, 0},
	{"error-udp4-short", 1, 250, 11, 0, -1, 48, 0, true, 0, 0},
	{"error-tcp4-short", 1, 250, 11, 0, -1, 48, 0, false, 0, 0},
	{"error-udp4-mpls", 1, 250, 11, 0, -1, 48, 32, true, 2, 0},
	{"error-udp4-mpls-old", 1, 250, 11, 0, -1, 48, 32, true, 2, 0},
	{"error-udp4-mpls-short", 1, 250, 11, 0, -1, 48, 32, true, 2, 0},
	{"error-icmp4-iface", 1, 250, 11, 0, -1, 48, 32, true, 0, IFACE_INCOMING},
	{"error-tcp4-both", 1, 250, 11, 0, -1, 48, 0, true, 1, IFACE_INCOMING},
	{"error-udp4-port", 1, 250, 3, 3, -1, 48, 32, true, 0, 0},
	{"error-udp4-prohibited", 1, 250, 3, 13, -1, 48, 32, true, 0, 0},
	{"error-udp4-fragment", 1, 250, 3, 4, 1400, 48, 32, true, 0, 0},
	{"error-tcp4-host", 1, 250, 3, 1, -1, 48, 0, true, 0, 0},
	{"error-udp4-options", 1, 250, 11, 0, -1, 56, 32, true, 0, 0},
	{"error-udp4-nat", 1, 250, 11, 0, -1, 48, 32, true, 0, 0},
	{"error-udp4-wiped", 1, 250, 11, 0, -1, 48, 32, true, 0, 0},
	{"error-udp4-redirect", 1, 250, 5, 1, -1, 48, 32, true, 0, 0},
	{"error-icmp6-ttl", 58, 250, 3, 0, -1, 88, 32, true, 0, 0},
	{"error-udp6-ttl", 58, 250, 3, 0, -1, 88, 32, true, 0, 0},
	{"error-tcp6-ttl", 58, 250, 3, 0, -1, 88, 0, true, 0, 0},
	{"error-udp6-short", 58, 250, 3, 0, -1, 88, 0, true, 0, 0},
	{"error-udp6-mpls", 58, 250, 3, 0, -1, 88, 32, true, 2, 0},
	{"error-udp6-mpls-old", 58, 250, 3, 0, -1, 88, 32, true, 2, 0},
	{"error-icmp6-iface", 58, 250, 3, 0, -1, 88, 32, true, 0, IFACE_INCOMING},
	{"error-udp6-port", 58, 250, 1, 4, -1, 88, 32, true, 0, 0},
	{"error-udp6-prohibited", 58, 250, 1, 1, -1, 88, 32, true, 0, 0},
	{"error-udp6-too-big", 58, 250, 2, 0, 1280, 88, 32, true, 0, 0},
	{"error-udp6-extended", 58, 250, 3, 0, -1, 104, 32, true, 0, 0},
	{"error-tcp6-atomic", 58, 250, 3, 0, -1, 88, 0, true, 0, 0},
};
enum { ROWS = sizeof(table) / sizeof(table[0]) };

static void check_quote(const struct expect *e, const struct packet *p)
{
	bool v4 = p->ip.src.family == 4;
	const struct transport *t = &p->quoted;

	assert_true(p->is_icmp_error);
	assert_int_equal(p->error_type, e->error_type);
	assert_int_equal(p->error_code, e->error_code);
	assert_int_equal(p->quoted_ip.ttl, 1);
	assert_true(addr_equal(p->quoted_ip.dst, golden_addr(v4 ? GOLDEN_DST4 : GOLDEN_DST6)));
	assert_int_equal(p->quoted_ip.ip_id, v4 ? (int)(GOLDEN_TOKEN >> 16) : -1);
	assert_int_equal(p->quoted_ip.label, v4 ? 0 : GOLDEN_LABEL);
	assert_true(t->known);
	assert_int_equal(t->known_full, e->quoted_full);
	assert_int_equal(t->payload_size, e->quoted_payload);
	if (p->quoted_ip.protocol == 6) {
		assert_int_equal(t->tcp_seq, GOLDEN_TOKEN);
		assert_int_equal(t->tcp_flags, e->quoted_full ? 2 : 0);
	}
	if (p->quoted_ip.protocol == 1 || p->quoted_ip.protocol == 58) {
		assert_int_equal(t->icmp_type, v4 ? 8 : 128);
		assert_int_equal(t->icmp_id, GOLDEN_SPORT);
		assert_int_equal(t->checksum, GOLDEN_SPORT);
		assert_int_equal(t->icmp_seq, GOLDEN_TOKEN & 0xffff);
	} else {
		assert_int_equal(t->sport, GOLDEN_SPORT);
		assert_int_equal(t->dport, p->quoted_ip.protocol == 6 ? GOLDEN_TCP_DPORT
								      : GOLDEN_UDP_DPORT);
	}
}

static void test_golden(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		const struct expect *e = &table[i];
		struct golden g = golden_read(e->name);
		struct packet p;

		print_message("  %s\n", e->name);
		assert_int_equal(parse_exactly(g.bytes, g.n, &p), 0);
		assert_int_equal(p.ip.protocol, e->protocol);
		assert_int_equal(p.ip.ttl, e->ttl);
		assert_int_equal(p.ip.size, g.n);
		assert_false(p.ip.fragment);
		assert_true(p.l4.known);
		assert_int_equal(p.error_mtu, e->mtu);
		assert_int_equal(p.mpls_count, e->mpls_count);
		assert_int_equal(p.iface.role, e->iface_role);
		assert_false(p.extension_bad);
		if (e->error_type >= 0)
			check_quote(e, &p);
		else
			assert_false(p.is_icmp_error);
	}
}

/* Every golden packet is in the table: a new one cannot be forgotten. */
static void test_table_is_complete(void **state)
{
	DIR *d = opendir(GOLDEN_DIR);
	struct dirent *entry;
	size_t n = 0;

	(void)state;
	assert_non_null(d);
	while ((entry = readdir(d)) != NULL)
		n += strstr(entry->d_name, ".hex") != NULL;
	closedir(d);
	assert_int_equal(n, ROWS);
}

/* Cut at every length: refused below `least`, and from there on nothing that is missing is
 * invented, nothing that is there is lost. */
static void test_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		struct golden g = golden_read(table[i].name);
		struct packet whole, p, untouched;

		assert_int_equal(packet_parse(g.bytes, g.n, &whole), 0);
		memset(&untouched, 0xa5, sizeof(untouched));
		for (size_t n = 0; n < g.n; n++) {
			int r;

			memset(&p, 0xa5, sizeof(p));
			r = parse_exactly(g.bytes, n, &p);
			if (r != (n < table[i].least ? BP_EPARSE : 0))
				fail_msg("%s cut to %zu: %d", table[i].name, n, r);
			if (r) {
				assert_memory_equal(&p, &untouched, sizeof(p));
				continue;
			}
			assert_true(addr_equal(p.ip.src, whole.ip.src));
			assert_int_equal(p.ip.size, whole.ip.size);
			assert_true(p.quoted.payload_size <= whole.quoted.payload_size);
			assert_memory_equal(p.quoted.payload, whole.quoted.payload,
					    p.quoted.payload_size);
			if (p.quoted.known) {
				assert_int_equal(p.quoted.sport, whole.quoted.sport);
				assert_int_equal(p.quoted.tcp_seq, whole.quoted.tcp_seq);
			}
			/* A cut extension has a wrong checksum: none of it is believed. */
			assert_int_equal(p.mpls_count, 0);
			assert_int_equal(p.iface.role, IFACE_NONE);
		}
	}
}

/* A link's padding behind the IP length is not the packet's. */
static void test_padding(void **state)
{
	struct golden g = golden_read("error-udp4-short");
	struct packet p;

	(void)state;
	memset(g.bytes + g.n, 0xee, 40);
	assert_int_equal(parse_exactly(g.bytes, g.n + 40, &p), 0);
	assert_int_equal(p.quoted.payload_size, 0);
	assert_int_equal(p.ip.size, g.n);
}

/* ---- one byte of a good packet made bad ---- */

static void test_hostile(void **state)
{
	static const struct {
		const char *name;
		size_t at;
		uint8_t value;
		int want;
		const char *why;
	} rows[] = {
		{"probe-udp4", 0, 0x55, BP_EPARSE, "IP version 5"},
		{"probe-udp4", 0, 0x44, BP_EPARSE, "IPv4 header of 16 bytes"},
		{"probe-udp4", 0, 0x4f, BP_EPARSE, "IPv4 header of 60 bytes leaves no transport"},
		{"probe-udp4", 3, 19, BP_EPARSE, "IPv4 length shorter than its header"},
		{"probe-udp4", 3, 27, BP_EPARSE, "IPv4 length ends inside UDP"},
		{"probe-udp4", 2, 255, 0, "IPv4 length beyond what was captured: read what is there"},
		{"probe-udp4", 9, 132, 0, "a transport we do not read"},
		{"probe-udp4", 7, 1, 0, "a later fragment has no transport"},
		{"probe-udp6", 5, 7, BP_EPARSE, "IPv6 length ends inside UDP"},
		{"probe-udp6", 6, 0, BP_EPARSE, "a hop-by-hop header longer than the packet"},
		{"probe-tcp4", 9, 1, 0, "TCP bytes read as ICMP: no error type"},
		{"error-udp4-ttl", 28, 0x65, BP_EPARSE, "ICMP quotes IPv6"},
		{"error-udp4-ttl", 28, 0x43, BP_EPARSE, "quoted header of 12 bytes"},
		{"error-udp4-ttl", 28, 0x4f, 0, "quoted header of 60 bytes: no transport left"},
		{"error-udp4-ttl", 30, 0xff, 0, "quoted length is a lie: it bounds nothing"},
		{"error-udp4-ttl", 37, 132, 0, "a quoted transport we do not read"},
		{"error-udp6-ttl", 48, 0x45, BP_EPARSE, "ICMPv6 quotes IPv4"},
		{"error-udp6-ttl", 54, 0, 0, "quoted extension header longer than the quote"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct golden g = golden_read(rows[i].name);
		struct packet p;
		int r;

		g.bytes[rows[i].at] = rows[i].value;
		r = parse_exactly(g.bytes, g.n, &p);
		if (r != rows[i].want)
			fail_msg("%s: %d", rows[i].why, r);
	}
}

/* A later fragment's bytes are payload: its ports must not be read. */
static void test_later_fragment(void **state)
{
	struct golden g = golden_read("error-udp4-ttl");
	struct packet p;

	(void)state;
	g.bytes[7] = 9;
	assert_int_equal(parse_exactly(g.bytes, g.n, &p), 0);
	assert_true(p.ip.fragment);
	assert_false(p.l4.known);
	assert_false(p.is_icmp_error);

	g.bytes[7] = 0;
	g.bytes[28 + 7] = 9;
	assert_int_equal(parse_exactly(g.bytes, g.n, &p), 0);
	assert_true(p.is_icmp_error);
	assert_true(p.quoted_ip.fragment);
	assert_false(p.quoted.known);
}

/* ---- IPv6 extension headers ---- */

/* An IPv6 packet of `count` destination options headers and then UDP. */
static size_t make_chain(uint8_t *out, unsigned count)
{
	struct golden g = golden_read("probe-udp6");
	size_t n = 40;

	memcpy(out, g.bytes, 40);
	out[6] = count ? 60 : 17;
	for (unsigned i = 0; i < count; i++) {
		const uint8_t header[8] = {i + 1 < count ? 60 : 17, 0, 1, 4};

		memcpy(out + n, header, 8);
		n += 8;
	}
	memcpy(out + n, g.bytes + 40, g.n - 40);
	n += g.n - 40;
	out[4] = (uint8_t)((n - 40) >> 8);
	out[5] = (uint8_t)(n - 40);
	return n;
}

static void test_extension_headers_are_bounded(void **state)
{
	uint8_t bytes[512];

	(void)state;
	for (unsigned count = 0; count <= 12; count++) {
		size_t n = make_chain(bytes, count);
		struct packet p;
		int r = parse_exactly(bytes, n, &p);

		/* Eight at most: more is not a packet for us, whatever hides behind it. */
		if (count > 8) {
			assert_true(r == 0 && p.ip.protocol == 59 && !p.l4.known);
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(p.ip.protocol, 17);
		assert_int_equal(p.l4.sport, GOLDEN_SPORT);
	}
}

static void test_fragment_header(void **state)
{
	uint8_t bytes[512];
	size_t n = make_chain(bytes, 1);
	struct packet p;

	(void)state;
	bytes[6] = 44;
	memcpy(bytes + 40, (uint8_t[]){17, 0, 0, 1, 0, 0, 0, 9}, 8); /* offset 0, more to come */
	assert_int_equal(parse_exactly(bytes, n, &p), 0);
	assert_false(p.ip.fragment);
	assert_int_equal(p.l4.sport, GOLDEN_SPORT);

	bytes[43] = 8; /* offset 1 */
	assert_int_equal(parse_exactly(bytes, n, &p), 0);
	assert_true(p.ip.fragment);
	assert_int_equal(p.ip.protocol, 17);
	assert_false(p.l4.known);
}

/* ---- checksum ---- */

static void test_checksum(void **state)
{
	/* RFC 1071, 3: the words 0001 f203 f4f5 f6f7 add up to ddf2. */
	static const uint8_t rfc[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
	uint8_t many[65535];

	(void)state;
	assert_int_equal(checksum_fold(checksum_add(0, rfc, 8)), 0xffff - 0xddf2);
	assert_int_equal(checksum_fold(checksum_add(checksum_add(0, rfc, 4), rfc + 4, 4)),
			 0xffff - 0xddf2);
	assert_int_equal(checksum_fold(checksum_add(0, rfc, 0)), 0xffff);
	/* an odd byte is the upper half of a word */
	assert_int_equal(checksum_fold(checksum_add(0, "\x12", 1)), 0xffff - 0x1200);
	/* no carry is lost, however long and however often */
	memset(many, 0xff, sizeof(many));
	assert_int_equal(checksum_fold(checksum_add(0xffffffff, many, 65534)), 0);
	for (size_t n = 0; n < 300; n++) {
		for (size_t i = 0; i < n; i++)
			many[i] = (uint8_t)(i * 7 + n);
		assert_int_equal(checksum_fold(checksum_add(0, many, n)),
				 golden_checksum(many, n, 0));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_table_is_complete),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_later_fragment),
		cmocka_unit_test(test_extension_headers_are_bounded),
		cmocka_unit_test(test_fragment_header),
		cmocka_unit_test(test_checksum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * The golden packets: our six probes as the rows build them, and answers to them, made here byte by
 * byte. Compared with tests/golden/packets/NAME.hex, beside which NAME.txt is tcpdump's reading
 * (dissect.sh there).
 *
 *   test_golden --update       writes the .hex files again
 *   test_golden --seeds DIR    writes each packet as a seed for fuzz_packet
 */
#include "prober/method/method.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/prober/wire/golden.h"

enum { ROUTER_ID = 4711, ROUTER_TTL = 250, HOST_TTL = 57 };

/* ---- writing bytes ---- */

static void add(struct golden *g, const void *bytes, size_t n)
{
	assert_true(g->n + n <= GOLDEN_MAX);
	if (n)
		memcpy(g->bytes + g->n, bytes, n);
	g->n += n;
}

static void add8(struct golden *g, unsigned v)
{
	add(g, (uint8_t[]){(uint8_t)v}, 1);
}

static void add16(struct golden *g, unsigned v)
{
	add(g, (uint8_t[]){(uint8_t)(v >> 8), (uint8_t)v}, 2);
}

static void add32(struct golden *g, uint32_t v)
{
	add16(g, v >> 16);
	add16(g, v & 0xffff);
}

static void add_addr(struct golden *g, const char *text)
{
	struct addr a = golden_addr(text);

	add(g, a.bytes, addr_size(a));
}

static void set16(struct golden *g, size_t at, unsigned v)
{
	g->bytes[at] = (uint8_t)(v >> 8);
	g->bytes[at + 1] = (uint8_t)v;
}

/* ---- our probes ---- */

static const struct {
	const char *name;
	enum method method;
	uint8_t family;
	uint16_t dport;
	const char *why;
} probes[] = {
	{"probe-icmp4", METHOD_ICMP, 4, 0, "our ICMP probe: checksum equals identifier, IP-ID and sequence are the token"},
	{"probe-icmp6", METHOD_ICMP, 6, 0, "our ICMPv6 probe: flow label 0x12345 survives libnet"},
	{"probe-udp4", METHOD_UDP, 4, GOLDEN_UDP_DPORT, "our UDP probe: IP-ID and UDP checksum are the token"},
	{"probe-udp6", METHOD_UDP, 6, GOLDEN_UDP_DPORT, "our UDP probe over IPv6"},
	{"probe-tcp4", METHOD_TCP, 4, GOLDEN_TCP_DPORT, "our SYN: the sequence is the token, the IP-ID its upper half"},
	{"probe-tcp6", METHOD_TCP, 6, GOLDEN_TCP_DPORT, "our SYN over IPv6"},
};

static struct golden make_probe(const char *name)
{
	struct golden g = {0};

	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		const struct method_row *row = method_row(probes[i].method, probes[i].family);
		bool v4 = probes[i].family == 4;
		struct flow f = {
			.method = probes[i].method,
			.src = golden_addr(v4 ? GOLDEN_SRC4 : GOLDEN_SRC6),
			.dst = golden_addr(v4 ? GOLDEN_DST4 : GOLDEN_DST6),
			.sport = GOLDEN_SPORT,
			.dport = probes[i].dport,
			.label = v4 ? 0 : GOLDEN_LABEL,
		};
		struct bp_error err = {0};
		struct probe_packet p;

		if (strcmp(probes[i].name, name) != 0)
			continue;
		if (row->build(&f, &p, &err))
			fail_msg("%s: %s", name, err.text);
		row->patch(&p, GOLDEN_TTL, GOLDEN_TOKEN);
		add(&g, p.bytes, p.size);
		return g;
	}
	fail_msg("no probe is called %s", name);
	return g;
}

/* ---- answers: the outer headers ---- */

/* Begins a packet; end_ip fills in what depends on the rest. */
static void begin_ip4(struct golden *g, const char *src, const char *dst, unsigned protocol,
		      unsigned ttl, const uint8_t *options, size_t n)
{
	add8(g, 0x40 | (unsigned)(5 + n / 4));
	add8(g, 0);
	add16(g, 0);
	add16(g, ROUTER_ID);
	add16(g, 0);
	add8(g, ttl);
	add8(g, protocol);
	add16(g, 0);
	add_addr(g, src);
	add_addr(g, dst);
	add(g, options, n);
}

static void begin_ip6(struct golden *g, const char *src, const char *dst, unsigned next,
		      unsigned hop_limit)
{
	add32(g, 0x60000000);
	add16(g, 0);
	add8(g, next);
	add8(g, hop_limit);
	add_addr(g, src);
	add_addr(g, dst);
}

/* l4 is where the transport begins, checksum_at its checksum's offset from there. */
static void end_ip(struct golden *g, size_t l4, uint8_t protocol, size_t checksum_at)
{
	size_t n = g->n - l4;
	uint32_t pseudo = protocol == 1 ? 0 : golden_pseudo(g->bytes, protocol, n);

	set16(g, l4 + checksum_at, golden_checksum(g->bytes + l4, n, pseudo));
	if (g->bytes[0] >> 4 == 4) {
		set16(g, 2, (unsigned)g->n);
		set16(g, 10, golden_checksum(g->bytes, (g->bytes[0] & 15u) * 4u, 0));
	} else {
		set16(g, 4, (unsigned)(g->n - 40));
	}
}

static bool name_is_v4(const char *name)
{
	return strchr(name, '4') != NULL;
}

/* ---- answers of the destination ---- */

static struct golden make_echo_reply(const char *name)
{
	bool v4 = name_is_v4(name);
	struct golden probe = make_probe(v4 ? "probe-icmp4" : "probe-icmp6"), g = {0};
	size_t header = v4 ? 20 : 40;

	if (v4)
		begin_ip4(&g, GOLDEN_DST4, GOLDEN_SRC4, 1, HOST_TTL, NULL, 0);
	else
		begin_ip6(&g, GOLDEN_DST6, GOLDEN_SRC6, 58, HOST_TTL);
	add(&g, probe.bytes + header, probe.n - header);
	g.bytes[header] = v4 ? 0 : 129;
	set16(&g, header + 2, 0);
	end_ip(&g, header, v4 ? 1 : 58, 2);
	return g;
}

static struct golden make_tcp(const char *name, unsigned flags, uint32_t seq, uint32_t ack)
{
	bool v4 = name_is_v4(name);
	size_t header = v4 ? 20 : 40;
	struct golden g = {0};

	if (v4)
		begin_ip4(&g, GOLDEN_DST4, GOLDEN_SRC4, 6, HOST_TTL, NULL, 0);
	else
		begin_ip6(&g, GOLDEN_DST6, GOLDEN_SRC6, 6, HOST_TTL);
	add16(&g, GOLDEN_TCP_DPORT);
	add16(&g, GOLDEN_SPORT);
	add32(&g, seq);
	add32(&g, ack);
	add8(&g, flags & 2 ? 0x60 : 0x50);
	add8(&g, flags);
	add16(&g, flags & 2 ? 65535 : 0);
	add32(&g, 0);
	if (flags & 2)
		add32(&g, 0x020405b4); /* MSS 1460 */
	end_ip(&g, header, 6, 16);
	return g;
}

static struct golden make_syn_ack(const char *name)
{
	return make_tcp(name, 0x12, 0x01020304, GOLDEN_TOKEN + 1);
}

static struct golden make_rst(const char *name)
{
	return make_tcp(name, 0x14, 0, GOLDEN_TOKEN + 1);
}

static struct golden make_rst_no_ack(const char *name)
{
	return make_tcp(name, 0x04, 0, GOLDEN_TOKEN + 1);
}

static struct golden make_rst_blank(const char *name)
{
	return make_tcp(name, 0x04, 0, 0);
}

/* ---- ICMP errors ---- */

enum edit {
	EDIT_NONE,
	EDIT_NAT,     /* the quoted source and, by it, the quoted UDP checksum */
	EDIT_WIPED,   /* quoted UDP checksum 0 */
	EDIT_OPTIONS, /* four bytes of IP options inside the quote, four in front */
	EDIT_ATOMIC,  /* an atomic fragment header (RFC 6946) inside the quote */
	EDIT_EXTENDED, /* hop-by-hop and destination options in front */
};

/* Extension structures, without the header. */
static const uint8_t mpls_objects[] = {
	0x00, 0x0c, 1, 1,       /* 12 bytes, MPLS incoming stack */
	0x07, 0x3d, 0x90, 0xfe, /* label 29657, exp 0, s 0, ttl 254 */
	0x00, 0x01, 0x0b, 0x01, /* label 16, exp 5, s 1, ttl 1 */
};
static const uint8_t iface4_objects[] = {
	0x00, 0x20, 2, 0x0f,                           /* incoming: index, address, name, MTU */
	0x00, 0x00, 0x00, 0x15,                        /* ifIndex 21 */
	0x00, 0x01, 0x00, 0x00, 203, 0, 113, 77,       /* AFI 1 */
	12, 'x', 'e', '-', '0', '/', '1', '/', '2', 0, 0, 0, /* name of 12 bytes, padded */
	0x00, 0x00, 0x05, 0xdc,                        /* MTU 1500 */
};
static const uint8_t iface6_objects[] = {
	0x00, 0x0c, 2, 0x82,                      /* 12 bytes, outgoing: name only */
	8, 'g', 'e', '0', 0, 0, 0, 0,
	0x00, 0x18, 2, 0x04,                      /* 24 bytes, incoming: address only */
	0x00, 0x02, 0x00, 0x00,                   /* AFI 2 */
	0x20, 0x01, 0x0d, 0xb8, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x77,
};
static const uint8_t both_objects[] = {
	0x00, 0x08, 1, 1, 0x07, 0x3d, 0x91, 0x01, /* label 29657, s 1, ttl 1 */
	0x00, 0x08, 2, 0x08, 0x00, 0x00, 0x00, 0x07, /* incoming: ifIndex 7 */
	0x00, 0x08, 99, 1, 0xca, 0xfe, 0xca, 0xfe, /* a class nobody knows */
};

struct error_row {
	const char *name;
	const char *probe;   /* what is quoted */
	unsigned type, code;
	uint32_t rest;       /* bytes 4..7 of the ICMP header, but for the length of the quote */
	size_t quote_size;   /* 0: the whole probe */
	size_t pad;          /* quote padded with zeros to this; 0: not padded */
	const uint8_t *objects;
	size_t objects_size; /* 0: no extension structure */
	bool old_style;      /* structure without a length field, from before RFC 4884 */
	enum edit edit;
	bool by_target;      /* the destination answers, not the router */
	const char *why;
};

#define OBJECTS(o) .objects = (o), .objects_size = sizeof(o)

static const struct error_row errors[] = {
	{"error-icmp4-ttl", "probe-icmp4", 11, 0, .why = "time exceeded, the whole probe quoted (Linux)"},
	{"error-udp4-ttl", "probe-udp4", 11, 0, .why = "time exceeded, the whole probe quoted"},
	{"error-tcp4-ttl", "probe-tcp4", 11, 0, .why = "time exceeded, the whole SYN quoted"},
	{"error-icmp4-short", "probe-icmp4", 11, 0, .quote_size = 28, .why = "eight bytes of transport, all that RFC 792 asks for"},
	{"error-udp4-short", "probe-udp4", 11, 0, .quote_size = 28, .why = "eight bytes of transport: token from IP-ID and checksum alone"},
	{"error-tcp4-short", "probe-tcp4", 11, 0, .quote_size = 28, .why = "eight bytes of transport: the sequence is there, the ack is not"},
	{"error-udp4-mpls", "probe-udp4", 11, 0, .pad = 128, OBJECTS(mpls_objects), .why = "RFC 4884 length 32 words, RFC 4950 stack of two"},
	{"error-udp4-mpls-old", "probe-udp4", 11, 0, .pad = 128, OBJECTS(mpls_objects), .old_style = true, .why = "the same stack from before RFC 4884: length 0, structure after 128 bytes"},
	{"error-udp4-mpls-short", "probe-udp4", 11, 0, .quote_size = 28, .pad = 128, OBJECTS(mpls_objects), .why = "28 bytes quoted, padded with zeros: the second copy of the token is padding"},
	{"error-icmp4-iface", "probe-icmp4", 11, 0, .pad = 128, OBJECTS(iface4_objects), .why = "RFC 5837: index, IPv4 address, name and MTU of the incoming interface"},
	{"error-tcp4-both", "probe-tcp4", 11, 0, .pad = 128, OBJECTS(both_objects), .why = "MPLS, interface and an unknown object behind each other"},
	{"error-udp4-port", "probe-udp4", 3, 3, .by_target = true, .why = "port unreachable by the target: reached"},
	{"error-udp4-prohibited", "probe-udp4", 3, 13, .why = "administratively prohibited by a router (!X)"},
	{"error-udp4-fragment", "probe-udp4", 3, 4, .rest = 1400, .why = "fragmentation needed, next-hop MTU 1400"},
	{"error-tcp4-host", "probe-tcp4", 3, 1, .why = "host unreachable for a SYN (!H)"},
	{"error-udp4-options", "probe-udp4", 11, 0, .edit = EDIT_OPTIONS, .why = "IP options in the answer and in the quote: nothing sits 20 bytes on"},
	{"error-udp4-nat", "probe-udp4", 11, 0, .edit = EDIT_NAT, .why = "quoted behind a NAT that did not mend the quote: source and checksum differ"},
	{"error-udp4-wiped", "probe-udp4", 11, 0, .edit = EDIT_WIPED, .why = "a system that clears the quoted UDP checksum"},
	{"error-udp4-redirect", "probe-udp4", 5, 1, .rest = 0xcb007101, .why = "a redirect comments on a probe that travels on: no answer"},
	{"error-icmp6-ttl", "probe-icmp6", 3, 0, .why = "hop limit exceeded, the whole probe quoted"},
	{"error-udp6-ttl", "probe-udp6", 3, 0, .why = "hop limit exceeded"},
	{"error-tcp6-ttl", "probe-tcp6", 3, 0, .why = "hop limit exceeded for a SYN"},
	{"error-udp6-short", "probe-udp6", 3, 0, .quote_size = 48, .why = "eight bytes of transport: only the lower half of the token"},
	{"error-udp6-mpls", "probe-udp6", 3, 0, .pad = 128, OBJECTS(mpls_objects), .why = "RFC 4884 for IPv6: length 16, in 64-bit words, in the first byte"},
	{"error-udp6-mpls-old", "probe-udp6", 3, 0, .pad = 128, OBJECTS(mpls_objects), .old_style = true, .why = "the structure without a length, IPv6"},
	{"error-icmp6-iface", "probe-icmp6", 3, 0, .pad = 128, OBJECTS(iface6_objects), .why = "RFC 5837: the outgoing name first, then the incoming IPv6 address"},
	{"error-udp6-port", "probe-udp6", 1, 4, .by_target = true, .why = "port unreachable by the target: reached"},
	{"error-udp6-prohibited", "probe-udp6", 1, 1, .why = "administratively prohibited (!X)"},
	{"error-udp6-too-big", "probe-udp6", 2, 0, .rest = 1280, .why = "packet too big, MTU 1280"},
	{"error-udp6-extended", "probe-udp6", 3, 0, .edit = EDIT_EXTENDED, .why = "the answer carries hop-by-hop and destination options"},
	{"error-tcp6-atomic", "probe-tcp6", 3, 0, .edit = EDIT_ATOMIC, .why = "a translator put an atomic fragment header into the quoted probe"},
};

static void insert(struct golden *g, size_t at, const uint8_t *bytes, size_t n)
{
	assert_true(g->n + n <= GOLDEN_MAX);
	memmove(g->bytes + at + n, g->bytes + at, g->n - at);
	memcpy(g->bytes + at, bytes, n);
	g->n += n;
}

static const uint8_t no_ops[4] = {1, 1, 1, 0};

static void edit_quote(struct golden *q, enum edit edit)
{
	const uint8_t atomic[8] = {6, 0, 0, 0, 0x12, 0x34, 0x56, 0x78};

	switch (edit) {
	case EDIT_NAT:
		memcpy(q->bytes + 12, (uint8_t[]){203, 0, 113, 1}, 4);
		set16(q, 10, 0);
		set16(q, 10, golden_checksum(q->bytes, 20, 0));
		set16(q, 26, 0);
		set16(q, 26, golden_checksum(q->bytes + 20, q->n - 20,
					     golden_pseudo(q->bytes, 17, q->n - 20)));
		break;
	case EDIT_WIPED:
		set16(q, 26, 0);
		break;
	case EDIT_OPTIONS:
		insert(q, 20, no_ops, sizeof(no_ops));
		q->bytes[0] = 0x46;
		set16(q, 2, (unsigned)q->n);
		set16(q, 10, 0);
		set16(q, 10, golden_checksum(q->bytes, 24, 0));
		break;
	case EDIT_ATOMIC:
		insert(q, 40, atomic, sizeof(atomic));
		q->bytes[6] = 44;
		set16(q, 4, (unsigned)(q->n - 40));
		break;
	default:
		break;
	}
}

/* The probe as it arrived at its last hop: TTL 1. */
static struct golden make_quote(const struct error_row *row)
{
	struct golden q = make_probe(row->probe);

	if (name_is_v4(row->probe)) {
		q.bytes[8] = 1;
		set16(&q, 10, 0);
		set16(&q, 10, golden_checksum(q.bytes, 20, 0));
	} else {
		q.bytes[7] = 1;
	}
	edit_quote(&q, row->edit);
	if (row->quote_size)
		q.n = row->quote_size;
	if (row->pad) {
		memset(q.bytes + q.n, 0, row->pad - q.n);
		q.n = row->pad;
	}
	return q;
}

static struct golden make_error(const struct error_row *row)
{
	/* next header, length, PadN of 4 bytes */
	const uint8_t hop_by_hop[8] = {60, 0, 1, 4}, destination[8] = {58, 0, 1, 4};
	bool v4 = name_is_v4(row->name);
	struct golden quote = make_quote(row), g = {0};
	uint32_t rest = row->rest;
	size_t l4, structure;

	if (v4)
		begin_ip4(&g, row->by_target ? GOLDEN_DST4 : GOLDEN_ROUTER4, GOLDEN_SRC4, 1,
			  ROUTER_TTL, no_ops, row->edit == EDIT_OPTIONS ? sizeof(no_ops) : 0);
	else
		begin_ip6(&g, row->by_target ? GOLDEN_DST6 : GOLDEN_ROUTER6, GOLDEN_SRC6, 58,
			  ROUTER_TTL);
	l4 = g.n;
	if (row->objects_size && !row->old_style)
		rest |= (uint32_t)(v4 ? quote.n / 4 << 16 : quote.n / 8 << 24);
	add8(&g, row->type);
	add8(&g, row->code);
	add16(&g, 0);
	add32(&g, rest);
	add(&g, quote.bytes, quote.n);
	if (row->objects_size) {
		structure = g.n;
		add32(&g, 0x20000000);
		add(&g, row->objects, row->objects_size);
		set16(&g, structure + 2, golden_checksum(g.bytes + structure, g.n - structure, 0));
	}
	end_ip(&g, l4, v4 ? 1 : 58, 2);
	if (row->edit == EDIT_EXTENDED) {
		insert(&g, 40, destination, sizeof(destination));
		insert(&g, 40, hop_by_hop, sizeof(hop_by_hop));
		g.bytes[6] = 0;
		set16(&g, 4, (unsigned)(g.n - 40));
	}
	return g;
}

static const struct {
	const char *name;
	struct golden (*make)(const char *name);
	const char *why;
} replies[] = {
	{"reply-icmp4", make_echo_reply, "echo reply: identifier, sequence and payload come back, the IP-ID does not"},
	{"reply-icmp6", make_echo_reply, "echo reply over IPv6"},
	{"reply-tcp4-syn-ack", make_syn_ack, "an open port: ack is the token plus 1"},
	{"reply-tcp6-syn-ack", make_syn_ack, "an open port over IPv6"},
	{"reply-tcp4-rst", make_rst, "a closed port: RST and ACK, sequence 0"},
	{"reply-tcp6-rst", make_rst, "a closed port over IPv6"},
	{"reply-tcp4-rst-no-ack", make_rst_no_ack, "a filter's RST: no ACK flag, but the ack field is filled"},
	{"reply-tcp4-rst-blank", make_rst_blank, "a filter's RST that says nothing about the probe"},
};

/* ---- all of them ---- */

typedef void visit(const char *name, const char *why, bool outgoing, const struct golden *g,
		   const void *context);

static size_t for_each(visit *f, const void *context)
{
	size_t n = 0;
	struct golden g;

	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++, n++) {
		g = make_probe(probes[i].name);
		f(probes[i].name, probes[i].why, true, &g, context);
	}
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++, n++) {
		g = replies[i].make(replies[i].name);
		f(replies[i].name, replies[i].why, false, &g, context);
	}
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++, n++) {
		g = make_error(&errors[i]);
		f(errors[i].name, errors[i].why, false, &g, context);
	}
	return n;
}

static void write_hex(const char *name, const char *why, bool outgoing, const struct golden *g,
		      const void *context)
{
	char path[256];
	FILE *out;

	(void)context;
	snprintf(path, sizeof(path), GOLDEN_DIR "/%s.hex", name);
	out = fopen(path, "w");
	assert_non_null(out);
	fprintf(out, "# %s\n# %s, %zu bytes\n", why, outgoing ? "goes out" : "comes in", g->n);
	for (size_t i = 0; i < g->n; i++)
		fprintf(out, "%02x%c", g->bytes[i], i % 16 == 15 || i + 1 == g->n ? '\n' : ' ');
	assert_int_equal(fclose(out), 0);
}

/* A seed: whether it goes out, then the packet. */
static void write_seed(const char *name, const char *why, bool outgoing, const struct golden *g,
		       const void *context)
{
	const char *dir = context;
	char path[512];
	FILE *out;

	(void)why;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	out = fopen(path, "wb");
	assert_non_null(out);
	fputc(outgoing, out);
	fwrite(g->bytes, 1, g->n, out);
	assert_int_equal(fclose(out), 0);
}

static void compare(const char *name, const char *why, bool outgoing, const struct golden *g,
		    const void *context)
{
	struct golden want = golden_read(name);

	(void)why;
	(void)outgoing;
	(void)context;
	if (g->n != want.n || memcmp(g->bytes, want.bytes, g->n) != 0) {
		for (size_t i = 0; i < g->n || i < want.n; i++) {
			if (i >= g->n || i >= want.n || g->bytes[i] != want.bytes[i])
				fail_msg("%s differs from byte %zu on", name, i);
		}
	}
}

static void test_bytes(void **state)
{
	(void)state;
	assert_int_equal(for_each(compare, NULL), 45);
}

static void test_probes_are_accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		struct golden g = golden_read(probes[i].name);

		if (!golden_accepted(g.bytes, g.n))
			fail_msg("%s: a receiver drops it", probes[i].name);
	}
}

/* libnet 1.1.6 sends 0x14545 when asked for 0x12345. */
static void test_flow_label(void **state)
{
	const char *const v6[] = {"probe-icmp6", "probe-udp6", "probe-tcp6"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct golden g = golden_read(v6[i]);

		assert_memory_equal(g.bytes, ((uint8_t[]){0x60, 0x01, 0x23, 0x45}), 4);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_probes_are_accepted),
		cmocka_unit_test(test_flow_label),
	};

	if (argc == 2 && strcmp(argv[1], "--update") == 0) {
		printf("%zu packets written to " GOLDEN_DIR "\n", for_each(write_hex, NULL));
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "--seeds") == 0) {
		printf("%zu seeds written to %s\n", for_each(write_seed, argv[2]), argv[2]);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

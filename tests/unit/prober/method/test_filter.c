// SPDX-License-Identifier: BSD-2-Clause
/*
 * The filters as libpcap compiles them for the "any" device's link type, run over the golden packets
 * in both directions: what method_match wants gets through, what it does not want stays out.
 */
#include "prober/method/method.h"

#include <pcap/pcap.h>
#include <pcap/sll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "prober/wire/parse.h"
#include "tests/unit/prober/wire/golden.h"

enum { PKTTYPE_HOST = 0, PKTTYPE_OUTGOING = 4, SLL2_SIZE = 20, LOW = 20000, HIGH = 32767 };

struct frame {
	size_t n;
	uint8_t bytes[SLL2_SIZE + GOLDEN_MAX];
};

/* LINKTYPE_LINUX_SLL2: protocol, reserved, interface index, ARPHRD, packet type, address. */
static struct frame wrap(const struct golden *g, bool outgoing)
{
	struct frame f = {.n = SLL2_SIZE + g->n};
	uint16_t protocol = g->bytes[0] >> 4 == 4 ? 0x0800 : 0x86dd;

	f.bytes[0] = (uint8_t)(protocol >> 8);
	f.bytes[1] = (uint8_t)protocol;
	f.bytes[7] = 2;
	f.bytes[9] = 1;
	f.bytes[10] = outgoing ? PKTTYPE_OUTGOING : PKTTYPE_HOST;
	f.bytes[11] = 6;
	memcpy(f.bytes + SLL2_SIZE, g->bytes, g->n);
	return f;
}

static struct bpf_program compile(enum method method, uint8_t family, uint16_t low, uint16_t high)
{
	pcap_t *dead = pcap_open_dead(DLT_LINUX_SLL2, 65535);
	char text[METHOD_FILTER_MAX];
	struct bpf_program program;

	assert_non_null(dead);
	memset(text, 'x', sizeof(text));
	method_row(method, family)->filter(text, sizeof(text), low, high);
	assert_true(strnlen(text, sizeof(text)) < sizeof(text) - 1);
	if (pcap_compile(dead, &program, text, 1, PCAP_NETMASK_UNKNOWN))
		fail_msg("%s: %s", text, pcap_geterr(dead));
	pcap_close(dead);
	return program;
}

static bool passes(const struct bpf_program *program, const struct golden *g, bool outgoing)
{
	struct frame f = wrap(g, outgoing);
	struct pcap_pkthdr head = {.caplen = (bpf_u_int32)f.n, .len = (bpf_u_int32)f.n};

	return pcap_offline_filter(program, &head, f.bytes) != 0;
}

/* The kernel refuses programs that jump backwards, and those over 4096 instructions. */
static void test_fit_for_the_kernel(void **state)
{
	(void)state;
	for (enum method method = METHOD_ICMP; method <= METHOD_TCP; method++) {
		for (uint8_t family = 4; family <= 6; family += 2) {
			struct bpf_program program = compile(method, family, LOW, HIGH);

			assert_in_range(program.bf_len, 5, 200);
			for (unsigned i = 0; i < program.bf_len; i++) {
				const struct bpf_insn *insn = &program.bf_insns[i];

				if (BPF_CLASS(insn->code) == BPF_JMP &&
				    BPF_OP(insn->code) == BPF_JA)
					assert_true(insn->k < program.bf_len);
			}
			pcap_freecode(&program);
		}
	}
}

/* Every golden packet against every filter: its own method and family let it through in its own
 * direction, and no IPv4 filter lets another method's through. */
static void test_golden(void **state)
{
	static const char *const names[] = {
		"probe-icmp4", "probe-icmp6", "probe-udp4", "probe-udp6", "probe-tcp4",
		"probe-tcp6", "reply-icmp4", "reply-icmp6", "reply-tcp4-syn-ack",
		"reply-tcp6-syn-ack", "reply-tcp4-rst", "reply-tcp6-rst", "reply-tcp4-rst-no-ack",
		"reply-tcp4-rst-blank", "error-icmp4-ttl", "error-udp4-ttl", "error-tcp4-ttl",
		"error-icmp4-short", "error-udp4-short", "error-tcp4-short", "error-udp4-mpls",
		"error-udp4-port", "error-udp4-prohibited", "error-udp4-fragment",
		"error-tcp4-host", "error-udp4-options", "error-udp4-nat", "error-icmp6-ttl",
		"error-udp6-ttl", "error-tcp6-ttl", "error-udp6-short", "error-udp6-mpls",
		"error-udp6-port", "error-udp6-prohibited", "error-udp6-too-big",
		"error-udp6-extended", "error-tcp6-atomic",
	};

	(void)state;
	for (enum method method = METHOD_ICMP; method <= METHOD_TCP; method++) {
		for (uint8_t family = 4; family <= 6; family += 2) {
			const char *own = method_row(method, family)->name;
			struct bpf_program program = compile(method, family, LOW, HIGH);

			for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
				struct golden g = golden_read(names[i]);
				bool outgoing = strncmp(names[i], "probe", 5) == 0;
				bool mine = strstr(names[i], own) != NULL;

				if (mine && !passes(&program, &g, outgoing))
					fail_msg("%s keeps %s out", own, names[i]);
				if (passes(&program, &g, !outgoing))
					fail_msg("%s lets %s through the wrong way", own, names[i]);
				/* IPv6 errors are told apart by the parser, whatever they quote */
				if (!mine && passes(&program, &g, outgoing) &&
				    !(family == 6 && g.bytes[0] >> 4 == 6 && names[i][0] == 'e'))
					fail_msg("%s lets %s through", own, names[i]);
			}
			pcap_freecode(&program);
		}
	}
}

/* Bytes of a good packet changed: kept out, or let through for the parser to decide. */
static void test_edges(void **state)
{
	static const struct {
		enum method method;
		const char *name;
		size_t at;
		uint8_t value;
		bool want;
		const char *why;
	} rows[] = {
		{METHOD_UDP, "probe-udp4", 20, 0x4e, true, "source port 20146"},
		{METHOD_UDP, "probe-udp4", 20, 0x4d, false, "source port 19890"},
		{METHOD_UDP, "probe-udp4", 20, 0x80, false, "source port 32946"},
		{METHOD_ICMP, "probe-icmp4", 24, 0x80, false, "another program's identifier"},
		{METHOD_ICMP, "reply-icmp4", 24, 0x80, false, "another program's reply"},
		{METHOD_ICMP, "reply-icmp6", 44, 0x80, false, "another program's reply, IPv6"},
		{METHOD_TCP, "probe-tcp4", 33, 0x10, false, "an ACK of ours going out"},
		{METHOD_TCP, "probe-tcp6", 53, 0x18, false, "data of ours going out"},
		{METHOD_TCP, "reply-tcp4-syn-ack", 33, 0x18, false, "data coming in"},
		{METHOD_TCP, "reply-tcp4-syn-ack", 33, 0x02, false, "a SYN coming in"},
		{METHOD_TCP, "reply-tcp4-syn-ack", 33, 0x52, true, "SYN-ACK with ECN echo"},
		{METHOD_TCP, "reply-tcp6-rst", 53, 0x04, true, "RST without ACK"},
		{METHOD_TCP, "reply-tcp4-rst", 22, 0x80, false, "to a port that is not ours"},
		{METHOD_UDP, "error-udp4-ttl", 20, 5, false, "a redirect"},
		{METHOD_UDP, "error-udp4-ttl", 20, 12, true, "a parameter problem"},
		{METHOD_UDP, "error-udp4-ttl", 37, 6, false, "an error about a TCP segment"},
		{METHOD_UDP, "error-udp6-ttl", 40, 135, false, "a neighbour solicitation"},
		{METHOD_UDP, "error-udp6-ttl", 40, 5, false, "no error type of ICMPv6 we know"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct golden g = golden_read(rows[i].name);
		uint8_t family = g.bytes[0] >> 4;
		struct bpf_program program = compile(rows[i].method, family, LOW, HIGH);

		g.bytes[rows[i].at] = rows[i].value;
		if (passes(&program, &g, rows[i].name[0] == 'p') != rows[i].want)
			fail_msg("%s", rows[i].why);
		pcap_freecode(&program);
	}
}

/* One port, and all ports: both compile, and mean it. */
static void test_port_bounds(void **state)
{
	static const struct { uint16_t low, high; bool want; } rows[] = {
		{GOLDEN_SPORT, GOLDEN_SPORT, true}, {GOLDEN_SPORT + 1, HIGH, false},
		{LOW, GOLDEN_SPORT - 1, false},     {1, 65535, true},
	};
	static const struct { enum method method; const char *name; } probes[] = {
		{METHOD_ICMP, "probe-icmp4"}, {METHOD_ICMP, "probe-icmp6"},
		{METHOD_UDP, "probe-udp4"},   {METHOD_UDP, "probe-udp6"},
		{METHOD_TCP, "probe-tcp4"},   {METHOD_TCP, "probe-tcp6"},
	};

	(void)state;
	for (size_t p = 0; p < 6; p++) {
		struct golden g = golden_read(probes[p].name);

		for (size_t i = 0; i < 4; i++) {
			struct bpf_program program = compile(probes[p].method, g.bytes[0] >> 4,
							     rows[i].low, rows[i].high);

			assert_int_equal(passes(&program, &g, true), rows[i].want);
			pcap_freecode(&program);
		}
	}
}

/* All six joined, as a run with every method sets it. */
static void test_joined(void **state)
{
	char text[6 * (METHOD_FILTER_MAX + 4)] = "";
	pcap_t *dead = pcap_open_dead(DLT_LINUX_SLL2, 65535);
	struct bpf_program program;

	(void)state;
	for (enum method method = METHOD_ICMP; method <= METHOD_TCP; method++) {
		for (uint8_t family = 4; family <= 6; family += 2) {
			size_t n = strlen(text);

			if (n)
				n += (size_t)snprintf(text + n, sizeof(text) - n, " or ");
			method_row(method, family)->filter(text + n, sizeof(text) - n, LOW, HIGH);
		}
	}
	assert_int_equal(pcap_compile(dead, &program, text, 1, PCAP_NETMASK_UNKNOWN), 0);
	assert_in_range(program.bf_len, 20, 1000);
	for (size_t i = 0; i < 2; i++) {
		struct golden g = golden_read(i ? "reply-tcp6-rst" : "error-udp4-port");

		assert_true(passes(&program, &g, false));
		assert_false(passes(&program, &g, true));
	}
	pcap_freecode(&program);
	pcap_close(dead);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fit_for_the_kernel), cmocka_unit_test(test_golden),
		cmocka_unit_test(test_edges),              cmocka_unit_test(test_port_bounds),
		cmocka_unit_test(test_joined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause
/* From bytes to "which probe does this speak of": the golden packets, real captures, every bit of a
 * token flipped, and packets that must not count. */
#include "prober/method/method.h"

#include <netinet/in.h>
#include <pcap/pcap.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "prober/wire/parse.h"
#include "tests/unit/prober/wire/golden.h"

static struct match match_bytes(const struct golden *g, bool outgoing)
{
	struct packet p;
	struct match m;

	memset(&m, 0xa5, sizeof(m));
	if (packet_parse(g->bytes, g->n, &p))
		fail_msg("does not parse");
	method_match(&p, outgoing, &m);
	return m;
}

enum {
	HI = GOLDEN_TOKEN & 0xffff0000,
	LO = GOLDEN_TOKEN & 0xffff,
	/* error-udp4-nat: 192.0.2.1 became 203.0.113.1, so c0de + c201 - 3c02 (RFC 1624) */
	NAT_LO = 0x46de,
};

struct expect {
	const char *name;
	bool outgoing;
	enum match_kind kind;
	uint8_t known;     /* token halves */
	uint32_t token;
	bool again;
	uint32_t copy;
	enum reached_by reached_by;
	int type, code;    /* ICMP */
	int quoted_ttl;
	int mtu;
	uint8_t mpls_count;
	uint8_t iface_role;
	const char *why;   /* where it is not plain */
};

#define TOKEN GOLDEN_TOKEN
#define DEPARTURE true, MATCH_DEPARTURE
#define REPLY false, MATCH_REPLY
#define BY(x) REACHED_BY_##x

static const struct expect table[] = {
	{"probe-icmp4", DEPARTURE, 2, TOKEN, true, TOKEN, BY(NONE), -1, -1, -1, -1, 0, 0, ""},
	{"probe-icmp6", DEPARTURE, 2, TOKEN, true, TOKEN, BY(NONE), -1, -1, -1, -1, 0, 0, ""},
	{"probe-udp4", DEPARTURE, 2, TOKEN, true, TOKEN, BY(NONE), -1, -1, -1, -1, 0, 0, ""},
	{"probe-udp6", DEPARTURE, 2, TOKEN, true, TOKEN, BY(NONE), -1, -1, -1, -1, 0, 0, ""},
	{"probe-tcp4", DEPARTURE, 2, TOKEN, true, TOKEN, BY(NONE), -1, -1, -1, -1, 0, 0, ""},
	{"probe-tcp6", DEPARTURE, 2, TOKEN, false, 0, BY(NONE), -1, -1, -1, -1, 0, 0, "a SYN over IPv6 has no second place"},
	{"reply-icmp4", REPLY, 2, TOKEN, true, TOKEN, BY(ECHO_REPLY), 0, 0, -1, -1, 0, 0, "the IP-ID of the reply is not the probe's"},
	{"reply-icmp6", REPLY, 2, TOKEN, true, TOKEN, BY(ECHO_REPLY), 129, 0, -1, -1, 0, 0, ""},
	{"reply-tcp4-syn-ack", REPLY, 2, TOKEN, false, 0, BY(SYN_ACK), -1, -1, -1, -1, 0, 0, ""},
	{"reply-tcp6-syn-ack", REPLY, 2, TOKEN, false, 0, BY(SYN_ACK), -1, -1, -1, -1, 0, 0, ""},
	{"reply-tcp4-rst", REPLY, 2, TOKEN, false, 0, BY(RST), -1, -1, -1, -1, 0, 0, ""},
	{"reply-tcp6-rst", REPLY, 2, TOKEN, false, 0, BY(RST), -1, -1, -1, -1, 0, 0, ""},
	{"reply-tcp4-rst-no-ack", REPLY, 2, TOKEN, false, 0, BY(RST), -1, -1, -1, -1, 0, 0, ""},
	{"reply-tcp4-rst-blank", REPLY, 0, 0, false, 0, BY(RST), -1, -1, -1, -1, 0, 0, "says nothing about which probe"},
	{"error-icmp4-ttl", REPLY, 2, TOKEN, true, TOKEN, BY(NONE), 11, 0, 1, -1, 0, 0, ""},
	{"error-udp4-ttl", REPLY, 2, TOKEN, true, TOKEN, BY(NONE), 11, 0, 1, -1, 0, 0, ""},
	{"error-tcp4-ttl", REPLY, 2, TOKEN, true, TOKEN, BY(NONE), 11, 0, 1, -1, 0, 0, ""},
	{"error-icmp4-short", REPLY, 2, TOKEN, false, 0, BY(NONE), 11, 0, 1, -1, 0, 0, "no payload quoted"},
	{"error-udp4-short", REPLY, 2, TOKEN, false, 0, BY(NONE), 11, 0, 1, -1, 0, 0, ""},
	{"error-tcp4-short", REPLY, 2, TOKEN, true, TOKEN, BY(NONE), 11, 0, 1, -1, 0, 0, ""},
	{"error-udp4-mpls", REPLY, 2, TOKEN, true, TOKEN, BY(NONE), 11, 0, 1, -1, 2, 0, ""},
	{"error-udp4-mpls-old", REPLY, 2, TOKEN, true, TOKEN, BY(NONE), 11, 0, 1, -1, 2, 0, ""},
	{"error-udp4-mpls-short", REPLY, 2, TOKEN, false, 0, BY(NONE), 11, 0, 1, -1, 2, 0, "zeros are padding, not a token"},
	{"error-icmp4-iface", REPLY, 2, TOKEN, true, TOKEN, BY(NONE), 11, 0, 1, -1, 0, IFACE_INCOMING, ""},
	{"error-tcp4-both", REPLY, 2, TOKEN, true, TOKEN, BY(NONE), 11, 0, 1, -1, 1, IFACE_INCOMING, ""},
	{"error-udp4-port", REPLY, 2, TOKEN, true, TOKEN, BY(PORT_UNREACHABLE), 3, 3, 1, -1, 0, 0, ""},
	{"error-udp4-prohibited", REPLY, 2, TOKEN, true, TOKEN, BY(NONE), 3, 13, 1, -1, 0, 0, ""},
	{"error-udp4-fragment", REPLY, 2, TOKEN, true, TOKEN, BY(NONE), 3, 4, 1, 1400, 0, 0, ""},
	{"error-tcp4-host", REPLY, 2, TOKEN, true, TOKEN, BY(NONE), 3, 1, 1, -1, 0, 0, ""},
	{"error-udp4-options", REPLY, 2, TOKEN, true, TOKEN, BY(NONE), 11, 0, 1, -1, 0, 0, ""},
	{"error-udp4-nat", REPLY, 2, HI | NAT_LO, true, TOKEN, BY(NONE), 11, 0, 1, -1, 0, 0, "the copy in the payload tells"},
	{"error-udp4-wiped", REPLY, 1, HI, true, TOKEN, BY(NONE), 11, 0, 1, -1, 0, 0, "a half that reads 0 is not known"},
	{"error-udp4-redirect", false, MATCH_FOREIGN, 0, 0, false, 0, BY(NONE), -1, -1, -1, -1, 0, 0, "a redirect answers nothing"},
	{"error-icmp6-ttl", REPLY, 2, TOKEN, true, TOKEN, BY(NONE), 3, 0, 1, -1, 0, 0, ""},
	{"error-udp6-ttl", REPLY, 2, TOKEN, true, TOKEN, BY(NONE), 3, 0, 1, -1, 0, 0, ""},
	{"error-tcp6-ttl", REPLY, 2, TOKEN, false, 0, BY(NONE), 3, 0, 1, -1, 0, 0, ""},
	{"error-udp6-short", REPLY, 1, LO, false, 0, BY(NONE), 3, 0, 1, -1, 0, 0, "the upper half is in the payload, which is not quoted"},
	{"error-udp6-mpls", REPLY, 2, TOKEN, true, TOKEN, BY(NONE), 3, 0, 1, -1, 2, 0, ""},
	{"error-udp6-mpls-old", REPLY, 2, TOKEN, true, TOKEN, BY(NONE), 3, 0, 1, -1, 2, 0, ""},
	{"error-icmp6-iface", REPLY, 2, TOKEN, true, TOKEN, BY(NONE), 3, 0, 1, -1, 0, IFACE_INCOMING, ""},
	{"error-udp6-port", REPLY, 2, TOKEN, true, TOKEN, BY(PORT_UNREACHABLE), 1, 4, 1, -1, 0, 0, ""},
	{"error-udp6-prohibited", REPLY, 2, TOKEN, true, TOKEN, BY(NONE), 1, 1, 1, -1, 0, 0, ""},
	{"error-udp6-too-big", REPLY, 2, TOKEN, true, TOKEN, BY(NONE), 2, 0, 1, 1280, 0, 0, ""},
	{"error-udp6-extended", REPLY, 2, TOKEN, true, TOKEN, BY(NONE), 3, 0, 1, -1, 0, 0, ""},
	{"error-tcp6-atomic", REPLY, 2, TOKEN, false, 0, BY(NONE), 3, 0, 1, -1, 0, 0, ""},
};
enum { ROWS = sizeof(table) / sizeof(table[0]) };

static enum method method_in(const char *name)
{
	return strstr(name, "icmp") ? METHOD_ICMP : strstr(name, "udp") ? METHOD_UDP : METHOD_TCP;
}

static bool is_v4(const char *name)
{
	return strchr(name, '4') != NULL;
}

static void check_ends(const struct expect *e, const struct match *m)
{
	bool v4 = is_v4(e->name);
	enum method method = method_in(e->name);

	assert_int_equal(m->method, method);
	assert_true(addr_equal(m->dst, golden_addr(v4 ? GOLDEN_DST4 : GOLDEN_DST6)));
	assert_int_equal(m->sport, GOLDEN_SPORT);
	assert_int_equal(m->dport, method == METHOD_ICMP  ? 0
				   : method == METHOD_TCP ? GOLDEN_TCP_DPORT
							  : GOLDEN_UDP_DPORT);
	if (strcmp(e->name, "error-udp4-nat") == 0)
		assert_true(addr_equal(m->src, golden_addr("203.0.113.1")));
	else
		assert_true(addr_equal(m->src, golden_addr(v4 ? GOLDEN_SRC4 : GOLDEN_SRC6)));
}

static void check_reply(const struct expect *e, const struct golden *g, const struct reply *r)
{
	bool v4 = is_v4(e->name), target = strncmp(e->name, "reply", 5) == 0 ||
					   strstr(e->name, "-port") != NULL;
	const char *from = target ? v4 ? GOLDEN_DST4 : GOLDEN_DST6
				  : v4 ? GOLDEN_ROUTER4 : GOLDEN_ROUTER6;

	assert_true(addr_equal(r->from, golden_addr(from)));
	assert_int_equal(r->rtt_ns, -1);
	assert_int_equal(r->flags, 0);
	assert_int_equal(r->icmp_type, e->type);
	assert_int_equal(r->icmp_code, e->code);
	assert_int_equal(r->quoted_ttl, e->quoted_ttl);
	assert_int_equal(r->mtu, e->mtu);
	assert_int_equal(r->mpls_count, e->mpls_count);
	if (e->mpls_count)
		assert_int_equal(r->mpls[0].label, 29657);
	assert_int_equal(r->iface.role, e->iface_role);
	assert_int_equal(r->reply_ttl, strncmp(e->name, "reply", 5) == 0 ? 57 : 250);
	assert_int_equal(r->size, g->n);
	assert_int_equal(r->ip_id, v4 ? 4711 : -1);
	if (e->reached_by == REACHED_BY_SYN_ACK)
		assert_int_equal(r->tcp_flags, 0x12);
	else if (strstr(e->name, "rst-"))
		assert_int_equal(r->tcp_flags, 0x04);
	else if (e->reached_by == REACHED_BY_RST)
		assert_int_equal(r->tcp_flags, 0x14);
	else
		assert_int_equal(r->tcp_flags, -1);
}

/* What a reply that was none looks like. */
static void check_blank(const struct reply *r)
{
	assert_false(addr_is_set(r->from));
	assert_int_equal(r->rtt_ns, -1);
	assert_int_equal(r->icmp_type, -1);
	assert_int_equal(r->tcp_flags, -1);
	assert_int_equal(r->reply_ttl, -1);
	assert_int_equal(r->size, -1);
	assert_int_equal(r->mtu, -1);
	assert_int_equal(r->mpls_count, 0);
}

static void test_golden(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		const struct expect *e = &table[i];
		struct golden g = golden_read(e->name);
		struct match m = match_bytes(&g, e->outgoing);

		print_message("  %s%s%s\n", e->name, *e->why ? ": " : "", e->why);
		assert_int_equal(m.kind, e->kind);
		assert_int_equal(m.token_known, e->known);
		assert_int_equal(m.token, e->token);
		assert_int_equal(m.token_again, e->again);
		assert_int_equal(m.token_copy, e->copy);
		assert_int_equal(m.reached_by, e->reached_by);
		assert_int_equal(m.ttl, e->kind == MATCH_DEPARTURE ? GOLDEN_TTL : 0);
		if (e->kind != MATCH_FOREIGN)
			check_ends(e, &m);
		if (e->kind == MATCH_REPLY)
			check_reply(e, &g, &m.reply);
		else
			check_blank(&m.reply);
	}
}

/* In the other direction none of them means anything: an echo request that comes in is somebody's
 * ping of us, a SYN-ACK that goes out is our server's. */
static void test_direction(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		struct golden g = golden_read(table[i].name);
		struct match m = match_bytes(&g, !table[i].outgoing);

		if (m.kind != MATCH_FOREIGN)
			fail_msg("%s counts in the wrong direction", table[i].name);
		assert_int_equal(m.token_known, 0);
		check_blank(&m.reply);
	}
}

/* ---- every bit of the token ---- */

enum { CARRIES_TOKEN = 1, CARRIES_COPY = 2 };

/* Which of a probe's bytes carry the token (method.h's table), at is from its IP header. */
static int carries(enum method method, bool v4, size_t at)
{
	size_t l4 = v4 ? 20 : 40;
	bool id = v4 && (at == 4 || at == 5), lo = at == l4 + 6 || at == l4 + 7;
	bool payload = at >= l4 + 8 && at < l4 + 12;

	if (method == METHOD_TCP)
		return (at >= l4 + 4 && at < l4 + 8 ? CARRIES_TOKEN : 0) | (id ? CARRIES_COPY : 0);
	if (payload)
		return CARRIES_COPY | (!v4 && at < l4 + 10 ? CARRIES_TOKEN : 0);
	return id || lo ? CARRIES_TOKEN : 0;
}

static void flip_all(const char *name, bool outgoing, size_t probe_at)
{
	struct golden good = golden_read(name);
	enum method method = method_in(name);
	unsigned flipped = 0;

	for (size_t at = probe_at; at < good.n; at++) {
		int what = carries(method, is_v4(name), at - probe_at);

		for (unsigned bit = 0; what && bit < 8; bit++, flipped++) {
			struct golden g = good;
			struct match m;

			g.bytes[at] ^= (uint8_t)(1u << bit);
			m = match_bytes(&g, outgoing);
			assert_int_equal(m.kind, outgoing ? MATCH_DEPARTURE : MATCH_REPLY);
			if ((m.token == GOLDEN_TOKEN) != !(what & CARRIES_TOKEN))
				fail_msg("%s, byte %zu bit %u: token %08x", name, at, bit, m.token);
			if (method == METHOD_TCP && !is_v4(name))
				assert_false(m.token_again);
			else if (method != METHOD_TCP || what & CARRIES_COPY)
				assert_int_equal(m.token_again && m.token_copy == GOLDEN_TOKEN,
						 !(what & CARRIES_COPY));
		}
	}
	/* tcp4: sequence, IP-ID; tcp6: sequence; IPv4: ID, low half, payload; IPv6: without ID */
	assert_int_equal(flipped, 8 * (method == METHOD_TCP ? is_v4(name) ? 6 : 4
							    : is_v4(name) ? 8 : 6));
}

static void test_every_bit_of_the_token(void **state)
{
	(void)state;
	flip_all("probe-icmp4", true, 0);
	flip_all("probe-icmp6", true, 0);
	flip_all("probe-udp4", true, 0);
	flip_all("probe-udp6", true, 0);
	flip_all("probe-tcp4", true, 0);
	flip_all("probe-tcp6", true, 0);
	flip_all("error-icmp4-ttl", false, 28);
	flip_all("error-icmp6-ttl", false, 48);
	flip_all("error-udp4-ttl", false, 28);
	flip_all("error-udp6-ttl", false, 48);
	flip_all("error-tcp4-ttl", false, 28);
	flip_all("error-tcp6-ttl", false, 48);
}

/* An echo reply's token: sequence and payload. A TCP answer's: the acknowledgement. */
static void test_every_bit_of_a_reply(void **state)
{
	static const struct { const char *name; size_t begin, end; } rows[] = {
		{"reply-icmp4", 26, 30},        {"reply-icmp6", 46, 50},
		{"reply-tcp4-syn-ack", 28, 32}, {"reply-tcp6-syn-ack", 48, 52},
		{"reply-tcp4-rst", 28, 32},     {"reply-tcp6-rst", 48, 52},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t bit = rows[i].begin * 8; bit < rows[i].end * 8; bit++) {
			struct golden g = golden_read(rows[i].name);

			g.bytes[bit / 8] ^= (uint8_t)(0x80u >> bit % 8);
			assert_int_not_equal(match_bytes(&g, false).token, GOLDEN_TOKEN);
		}
	}
}

/* ---- packets that must not count, made from good ones ---- */

static void test_foreign(void **state)
{
	static const struct {
		const char *name;
		bool outgoing;
		size_t at;
		uint8_t value;
		enum match_kind want;
		const char *why;
	} rows[] = {
		{"reply-tcp4-syn-ack", false, 33, 0x10, MATCH_FOREIGN, "a bare ACK: RFC 5961's challenge, or live data"},
		{"reply-tcp4-syn-ack", false, 33, 0x18, MATCH_FOREIGN, "data of a live connection"},
		{"reply-tcp4-syn-ack", false, 33, 0x02, MATCH_FOREIGN, "somebody connects to us"},
		{"reply-tcp4-syn-ack", false, 33, 0x52, MATCH_REPLY, "SYN-ACK with ECN echo"},
		{"reply-tcp6-syn-ack", false, 53, 0x11, MATCH_FOREIGN, "a FIN"},
		{"reply-tcp4-syn-ack", false, 33, 0x16, MATCH_REPLY, "RST wins over SYN and ACK"},
		{"probe-tcp4", true, 33, 0x04, MATCH_FOREIGN, "the kernel's RST that closes a half-open connection"},
		{"probe-tcp4", true, 33, 0x12, MATCH_FOREIGN, "our own server's SYN-ACK"},
		{"probe-tcp6", true, 53, 0x10, MATCH_FOREIGN, "an ACK going out"},
		{"probe-icmp4", true, 20, 0, MATCH_FOREIGN, "our kernel answers a ping"},
		{"probe-icmp4", true, 20, 13, MATCH_FOREIGN, "a timestamp request"},
		{"probe-icmp4", true, 21, 1, MATCH_FOREIGN, "echo request with a code"},
		{"reply-icmp4", false, 21, 1, MATCH_FOREIGN, "echo reply with a code"},
		{"reply-icmp4", false, 20, 14, MATCH_FOREIGN, "a timestamp reply"},
		{"reply-icmp4", false, 3, 31, MATCH_FOREIGN, "echo reply with three bytes of payload"},
		{"reply-icmp4", false, 3, 32, MATCH_REPLY, "echo reply with four: the token is whole"},
		{"probe-udp4", true, 9, 132, MATCH_FOREIGN, "SCTP going out"},
		{"reply-tcp4-rst", false, 9, 17, MATCH_FOREIGN, "a UDP datagram comes in"},
		{"reply-tcp4-rst", false, 7, 1, MATCH_FOREIGN, "a later fragment"},
		{"probe-udp4", true, 7, 1, MATCH_FOREIGN, "a later fragment going out"},
		{"error-icmp4-ttl", false, 48, 0, MATCH_FOREIGN, "an error about an echo reply of ours"},
		{"error-icmp6-ttl", false, 88, 129, MATCH_FOREIGN, "an error about an ICMPv6 echo reply of ours"},
		{"error-udp4-ttl", false, 37, 132, MATCH_FOREIGN, "an error about SCTP"},
		{"error-udp4-ttl", false, 35, 1, MATCH_FOREIGN, "an error about a later fragment"},
		{"error-udp4-ttl", false, 20, 4, MATCH_FOREIGN, "source quench"},
		{"error-udp4-ttl", false, 20, 12, MATCH_REPLY, "parameter problem: this router dropped it"},
		{"error-udp4-ttl", false, 21, 1, MATCH_REPLY, "reassembly timed out: still an answer, code 1"},
		{"error-udp4-ttl", true, 20, 11, MATCH_FOREIGN, "our own router's error going out"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct golden g = golden_read(rows[i].name);
		struct match m;

		g.bytes[rows[i].at] = rows[i].value;
		m = match_bytes(&g, rows[i].outgoing);
		if (m.kind != rows[i].want)
			fail_msg("%s: kind %d", rows[i].why, m.kind);
		if (m.kind == MATCH_FOREIGN) {
			assert_int_equal(m.token_known, 0);
			assert_int_equal(m.reached_by, REACHED_BY_NONE);
			check_blank(&m.reply);
		}
	}
}

/* Port unreachable says "reached" for UDP only. */
static void test_port_unreachable(void **state)
{
	struct golden g = golden_read("error-tcp4-host");

	(void)state;
	g.bytes[21] = 3;
	assert_int_equal(match_bytes(&g, false).reached_by, REACHED_BY_NONE);
	g = golden_read("error-icmp6-ttl");
	g.bytes[40] = 1;
	g.bytes[41] = 4;
	assert_int_equal(match_bytes(&g, false).reached_by, REACHED_BY_NONE);
}

/* ---- real packets of another prober ---- */

static struct golden frame(const char *path, unsigned number)
{
	char why[PCAP_ERRBUF_SIZE];
	pcap_t *in = pcap_open_offline(path, why);
	struct pcap_pkthdr *head;
	const u_char *bytes;
	struct golden g = {0};

	if (in == NULL)
		fail_msg("%s", why);
	assert_int_equal(pcap_datalink(in), DLT_EN10MB);
	for (unsigned i = 0; i <= number; i++)
		assert_int_equal(pcap_next_ex(in, &head, &bytes), 1);
	assert_true(head->caplen > 14 && head->caplen - 14 <= GOLDEN_MAX);
	g.n = head->caplen - 14;
	memcpy(g.bytes, bytes + 14, g.n);
	pcap_close(in);
	return g;
}

/* The figures are those of the .txt beside each capture. */
static void test_real_echo_reply(void **state)
{
	const char *path = GOLDEN_DIR "/caracal-icmp-icmp-echo-reply.pcap";
	struct golden g = frame(path, 0);
	struct match m = match_bytes(&g, true);

	(void)state;
	assert_int_equal(m.kind, MATCH_DEPARTURE);
	assert_int_equal(m.method, METHOD_ICMP);
	assert_int_equal(m.ttl, 10);
	assert_int_equal(m.sport, 24000);
	assert_int_equal(m.token, 10u << 16 | 3398);
	assert_int_equal(m.token_known, 2);

	g = frame(path, 1);
	m = match_bytes(&g, false);
	assert_int_equal(m.kind, MATCH_REPLY);
	assert_int_equal(m.reached_by, REACHED_BY_ECHO_REPLY);
	assert_true(addr_equal(m.dst, golden_addr("8.8.8.8")));
	assert_true(addr_equal(m.src, golden_addr("192.168.1.5")));
	assert_int_equal(m.sport, 24000);
	assert_int_equal(m.token & 0xffff, 3398);
	assert_int_equal(m.reply.reply_ttl, 117);
	assert_int_equal(m.reply.size, 40);
	assert_int_equal(m.reply.icmp_type, 0);
}

static void test_real_ttl_exceeded(void **state)
{
	const char *path = GOLDEN_DIR "/caracal-icmp-icmp-ttl-exceeded.pcap";
	struct golden g = frame(path, 0);
	struct match probe = match_bytes(&g, true), m;

	(void)state;
	assert_int_equal(probe.kind, MATCH_DEPARTURE);
	g = frame(path, 1);
	m = match_bytes(&g, false);
	assert_int_equal(m.kind, MATCH_REPLY);
	assert_int_equal(m.method, METHOD_ICMP);
	assert_int_equal(m.reached_by, REACHED_BY_NONE);
	assert_int_equal(m.reply.icmp_type, 11);
	assert_int_equal(m.reply.icmp_code, 0);
	assert_true(addr_equal(m.dst, probe.dst));
	assert_true(addr_equal(m.src, probe.src));
	assert_int_equal(m.sport, probe.sport);
	assert_int_equal(m.token, probe.token);
	assert_false(addr_equal(m.reply.from, probe.dst));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_direction),
		cmocka_unit_test(test_every_bit_of_the_token),
		cmocka_unit_test(test_every_bit_of_a_reply),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_port_unreachable),
		cmocka_unit_test(test_real_echo_reply),
		cmocka_unit_test(test_real_ttl_exceeded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as a captured packet. Input: one byte, whether it goes out (bit 0), then the packet
 * from its IP header on. What the parser and the matcher promise must hold, whatever the bytes.
 * Seeds: test_golden --seeds DIR.
 */
#include <stdint.h>
#include <string.h>

#include "core/err.h"
#include "prober/method/method.h"
#include "prober/wire/parse.h"
#include "tests/fuzz/fuzz.h"

static void check_head(const struct ip_head *h)
{
	must(h->src.family == 4 || h->src.family == 6);
	must(h->dst.family == h->src.family);
	for (size_t i = addr_size(h->src); i < sizeof(h->src.bytes); i++)
		must(h->src.bytes[i] == 0 && h->dst.bytes[i] == 0);
	must(h->label <= 0xfffff);
	must(h->src.family == 6 ? h->ip_id == -1 : h->ip_id >= 0 && h->ip_id <= 0xffff);
	must(h->src.family == 6 || h->label == 0);
}

static void check_transport(const struct transport *t, size_t room)
{
	must(t->payload_size <= PARSE_PAYLOAD_MAX && t->payload_size <= room);
	for (size_t i = t->payload_size; i < PARSE_PAYLOAD_MAX; i++)
		must(t->payload[i] == 0);
	must(t->known || !t->known_full);
	must(t->known || t->payload_size == 0);
	must(t->known_full || (t->tcp_ack == 0 && t->tcp_flags == 0));
}

static void check_packet(const struct packet *p, size_t size)
{
	check_head(&p->ip);
	check_transport(&p->l4, size);
	must(!p->ip.fragment || !p->l4.known);
	must(p->mpls_count <= TRACE_MPLS_MAX);
	for (size_t i = 0; i < p->mpls_count; i++)
		must(p->mpls[i].label <= 0xfffff && p->mpls[i].exp <= 7 && p->mpls[i].s <= 1);
	must(p->iface.role <= IFACE_NEXT_HOP);
	must(memchr(p->iface.name, '\0', sizeof(p->iface.name)) != NULL);
	must(p->error_mtu == -1 || p->error_mtu > 0);
	if (p->is_icmp_error) {
		check_head(&p->quoted_ip);
		check_transport(&p->quoted, size);
		must(p->quoted_ip.src.family == p->ip.src.family);
		must(!p->quoted_ip.fragment || !p->quoted.known);
	} else {
		must(!p->quoted.known && p->mpls_count == 0 && p->iface.role == IFACE_NONE);
		must(!p->extension_bad && p->error_mtu == -1);
	}
}

static void check_token(const struct match *m)
{
	must(m->token_known == (m->token >> 16 != 0) + ((m->token & 0xffff) != 0));
	if (m->token_again)
		must(m->token_copy >> 16 != 0 && (m->token_copy & 0xffff) != 0);
	else
		must(m->token_copy == 0);
}

static void check_reply(const struct packet *p, const struct match *m)
{
	const struct reply *r = &m->reply;

	must(addr_equal(r->from, p->ip.src));
	must((r->icmp_type >= 0) != (r->tcp_flags >= 0));
	must((r->icmp_type >= 0) == (r->icmp_code >= 0));
	must((r->quoted_ttl >= 0) == p->is_icmp_error);
	must(r->reply_ttl >= 0 && r->size > 0 && r->rtt_ns == -1 && r->flags == 0);
	must((m->reached_by == REACHED_BY_ECHO_REPLY) == icmp_is_echo_reply(p->ip.src.family,
									    r->icmp_type));
	must((m->reached_by == REACHED_BY_SYN_ACK || m->reached_by == REACHED_BY_RST) ==
	     (r->tcp_flags >= 0));
	if (m->reached_by == REACHED_BY_PORT_UNREACHABLE)
		must(m->method == METHOD_UDP && p->is_icmp_error);
	/* An answer without a quote is the target's own. */
	if (!p->is_icmp_error)
		must(addr_equal(m->dst, p->ip.src) && addr_equal(m->src, p->ip.dst));
}

static void check_match(const struct packet *p, bool outgoing)
{
	struct match m;

	memset(&m, 0xa5, sizeof(m));
	method_match(p, outgoing, &m);
	check_token(&m);
	if (m.kind == MATCH_FOREIGN) {
		must(m.token_known == 0 && !m.token_again && m.reached_by == REACHED_BY_NONE);
		must(!addr_is_set(m.reply.from) && m.reply.icmp_type == -1);
		return;
	}
	must(method_row(m.method, m.dst.family) != NULL);
	must(m.src.family == m.dst.family);
	must(m.method != METHOD_ICMP || m.dport == 0);
	if (m.kind == MATCH_DEPARTURE) {
		must(outgoing && m.ttl == p->ip.ttl && m.reached_by == REACHED_BY_NONE);
		must(addr_equal(m.dst, p->ip.dst));
	} else {
		must(m.kind == MATCH_REPLY && !outgoing && m.ttl == 0);
		check_reply(p, &m);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet p, before;
	bool outgoing;
	int r;

	if (size < 1)
		return 0;
	outgoing = data[0] & 1;
	memset(&p, 0xa5, sizeof(p));
	memcpy(&before, &p, sizeof(p));
	r = packet_parse(data + 1, size - 1, &p);
	must(r == 0 || r == BP_EPARSE);
	if (r) {
		must(memcmp(&p, &before, sizeof(p)) == 0);
		return 0;
	}
	check_packet(&p, size);
	check_match(&p, outgoing);
	check_match(&p, !outgoing);
	return 0;
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a packet says about a probe of ours, read from the places of method.h's table. Types decide
 * (RFC 792, 4443, 9293); the source of an answer decides nothing. Asks no table of probes and knows
 * no key: whether a token is one of ours is the caller's to say.
 */
#include "prober/method/method.h"

#include <netinet/in.h>
#include <string.h>

enum { SYN = 0x02, RST = 0x04, ACK = 0x10 };
enum { ECHO_REPLY4 = 0, ECHO_REQUEST4 = 8, ECHO_REQUEST6 = 128, ECHO_REPLY6 = 129 };

static void reply_init(struct reply *r)
{
	memset(r, 0, sizeof(*r));
	r->rtt_ns = -1;
	r->icmp_type = r->icmp_code = r->tcp_flags = -1;
	r->reply_ttl = r->quoted_ttl = -1;
	r->size = r->ip_id = r->mtu = -1;
}

static uint16_t payload16(const struct transport *t, size_t at)
{
	if (at + 2 > t->payload_size)
		return 0;
	return (uint16_t)(t->payload[at] << 8 | t->payload[at + 1]);
}

/* No half of ours is ever 0, so a 0 was not read, was padding, or was wiped on the way. */
static void set_token(struct match *m, uint16_t hi, uint16_t lo)
{
	m->token = (uint32_t)hi << 16 | lo;
	m->token_known = (uint8_t)((hi != 0) + (lo != 0));
}

static void set_copy(struct match *m, uint16_t hi, uint16_t lo)
{
	m->token_again = hi != 0 && lo != 0;
	m->token_copy = m->token_again ? (uint32_t)hi << 16 | lo : 0;
}

/* Reads a probe, ours on its way out or a quote of it. False: it is none. */
static bool read_probe(const struct ip_head *ip, const struct transport *t, struct match *m)
{
	bool v4 = ip->src.family == 4;
	uint16_t hi = v4 ? (uint16_t)ip->ip_id : payload16(t, 0);

	if (!t->known)
		return false;
	if (ip->protocol == IPPROTO_TCP) {
		m->method = METHOD_TCP;
		set_token(m, (uint16_t)(t->tcp_seq >> 16), (uint16_t)t->tcp_seq);
		if (v4)
			set_copy(m, (uint16_t)ip->ip_id, (uint16_t)t->tcp_seq);
		m->sport = t->sport;
		m->dport = t->dport;
	} else if (ip->protocol == IPPROTO_UDP) {
		m->method = METHOD_UDP;
		set_token(m, hi, t->checksum);
		set_copy(m, payload16(t, 0), payload16(t, 2));
		m->sport = t->sport;
		m->dport = t->dport;
	} else if (ip->protocol == (v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6) &&
		   t->icmp_type == (v4 ? ECHO_REQUEST4 : ECHO_REQUEST6) && t->icmp_code == 0) {
		m->method = METHOD_ICMP;
		set_token(m, hi, t->icmp_seq);
		set_copy(m, payload16(t, 0), payload16(t, 2));
		m->sport = t->icmp_id;
	} else {
		return false;
	}
	m->src = ip->src;
	m->dst = ip->dst;
	return true;
}

static bool match_departure(const struct packet *p, struct match *m)
{
	/* The kernel's own RST or a live connection's segment is no probe. */
	if (p->ip.protocol == IPPROTO_TCP && (p->l4.tcp_flags & (SYN | RST | ACK)) != SYN)
		return false;
	if (!read_probe(&p->ip, &p->l4, m))
		return false;
	m->kind = MATCH_DEPARTURE;
	m->ttl = p->ip.ttl;
	return true;
}

/* Redirect and source quench comment on a probe that travels on: they answer nothing. */
static bool error_answers(uint8_t family, uint8_t type)
{
	return family == 6 || (type != 4 && type != 5);
}

static bool match_error(const struct packet *p, struct match *m)
{
	uint8_t family = p->ip.src.family;

	if (!error_answers(family, p->error_type) || !read_probe(&p->quoted_ip, &p->quoted, m))
		return false;
	if (m->method == METHOD_UDP &&
	    icmp_is_port_unreachable(family, p->error_type, p->error_code))
		m->reached_by = REACHED_BY_PORT_UNREACHABLE;
	m->reply.quoted_ttl = p->quoted_ip.ttl;
	m->reply.mtu = p->error_mtu;
	m->reply.mpls_count = p->mpls_count;
	memcpy(m->reply.mpls, p->mpls, sizeof(m->reply.mpls));
	m->reply.iface = p->iface;
	return true;
}

/* The probe that a packet of its destination answers went the other way. */
static void swap_ends(const struct packet *p, struct match *m)
{
	m->src = p->ip.dst;
	m->dst = p->ip.src;
	m->sport = p->l4.dport;
	m->dport = p->l4.sport;
}

/* An echo reply gives back identifier, sequence and payload (RFC 792); the IP-ID is the sender's
 * own. One too short for a token answers another program's ping. */
static bool match_echo_reply(const struct packet *p, struct match *m)
{
	if (p->l4.icmp_code != 0 || p->l4.payload_size < 4)
		return false;
	m->method = METHOD_ICMP;
	swap_ends(p, m);
	m->sport = p->l4.icmp_id;
	m->dport = 0;
	set_token(m, payload16(&p->l4, 0), p->l4.icmp_seq);
	set_copy(m, payload16(&p->l4, 0), payload16(&p->l4, 2));
	m->reached_by = REACHED_BY_ECHO_REPLY;
	return true;
}

/* A SYN-ACK or an RST acknowledges the SYN: ack = sequence + 1 (RFC 9293, 3.10.7). An RST with
 * ACK unset comes from filters rather than hosts; most still fill ack in, and it is believed no
 * more than any other token; with ack 0 it tells no probe (token_known 0). A bare ACK answers an
 * older connection of these ports (RFC 5961's challenge), not the probe. */
static bool match_tcp(const struct packet *p, struct match *m)
{
	uint8_t flags = p->l4.tcp_flags;
	uint32_t token = p->l4.tcp_ack - 1;

	if (flags & RST)
		m->reached_by = REACHED_BY_RST;
	else if ((flags & (SYN | ACK)) == (SYN | ACK))
		m->reached_by = REACHED_BY_SYN_ACK;
	else
		return false;
	m->method = METHOD_TCP;
	swap_ends(p, m);
	if (flags & ACK || p->l4.tcp_ack != 0)
		set_token(m, (uint16_t)(token >> 16), (uint16_t)token);
	m->reply.tcp_flags = flags;
	return true;
}

static bool match_reply(const struct packet *p, struct match *m)
{
	uint8_t protocol = p->ip.protocol;
	bool v4 = p->ip.src.family == 4, ok = false;

	if (!p->l4.known)
		return false;
	if (p->is_icmp_error)
		ok = match_error(p, m);
	else if (protocol == IPPROTO_TCP)
		ok = match_tcp(p, m);
	else if (protocol == (v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6) &&
		 p->l4.icmp_type == (v4 ? ECHO_REPLY4 : ECHO_REPLY6))
		ok = match_echo_reply(p, m);
	if (!ok)
		return false;
	m->kind = MATCH_REPLY;
	if (protocol != IPPROTO_TCP) {
		m->reply.icmp_type = p->l4.icmp_type;
		m->reply.icmp_code = p->l4.icmp_code;
	}
	m->reply.from = p->ip.src;
	m->reply.reply_ttl = p->ip.ttl;
	m->reply.size = (int32_t)p->ip.size;
	m->reply.ip_id = p->ip.ip_id;
	return true;
}

static void match_init(struct match *m)
{
	memset(m, 0, sizeof(*m));
	reply_init(&m->reply);
}

void method_match(const struct packet *p, bool outgoing, struct match *out)
{
	match_init(out);
	if (!(outgoing ? match_departure(p, out) : match_reply(p, out)))
		match_init(out);
}

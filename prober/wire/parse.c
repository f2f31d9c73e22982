// SPDX-License-Identifier: BSD-2-Clause
/*
 * The IP header, the transport header, and the ICMP error with its quote. Extension structures are
 * extension.c's. Checksums of IP and of transports are not verified: on a stacked or virtual device
 * the kernel hands them to the capture half-made (offload), and the token tells ours from garbage.
 */
#include "prober/wire/parse.h"

#include <netinet/in.h>
#include <string.h>

#include "core/cur.h"
#include "core/err.h"
#include "prober/wire/extension.h"

enum { IP4_HEADER = 20, IP6_HEADER = 40, TRANSPORT_MIN = 8, TCP_HEADER = 20 };
enum { IP6_EXTENSIONS_MAX = 8 };

uint32_t checksum_add(uint32_t sum, const void *bytes, size_t n)
{
	const uint8_t *b = bytes;
	uint64_t wide = sum;

	for (; n >= 2; n -= 2, b += 2)
		wide += (uint32_t)(b[0] << 8 | b[1]);
	if (n)
		wide += (uint32_t)(b[0] << 8);
	while (wide >> 32)
		wide = (wide & 0xffffffff) + (wide >> 32);
	return (uint32_t)wide;
}

uint16_t checksum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Reads an IPv4 header and skips its options. */
static int ip4_parse(struct cur *c, struct ip_head *h)
{
	size_t header = (cur_u8(c) & 0x0fu) * 4u;
	uint16_t fragment;

	h->tos = cur_u8(c);
	h->size = cur_be16(c);
	h->ip_id = cur_be16(c);
	fragment = cur_be16(c);
	h->ttl = cur_u8(c);
	h->protocol = cur_u8(c);
	cur_skip(c, 2);
	h->src.family = h->dst.family = 4;
	cur_copy(c, h->src.bytes, 4);
	cur_copy(c, h->dst.bytes, 4);
	h->fragment = (fragment & 0x1fff) != 0;
	if (header < IP4_HEADER)
		return BP_EPARSE;
	cur_skip(c, header - IP4_HEADER);
	return c->failed ? BP_EPARSE : 0;
}

/* Walks the extension headers to the transport. IPPROTO_NONE where the chain is cut or too long:
 * nothing that follows can be told apart. */
static uint8_t ip6_walk(struct cur *c, uint8_t next, bool *fragment)
{
	for (int walked = 0; walked <= IP6_EXTENSIONS_MAX; walked++) {
		uint8_t after;

		switch (next) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
			after = cur_u8(c);
			cur_skip(c, cur_u8(c) * 8u + 6u);
			break;
		case IPPROTO_FRAGMENT:
			after = cur_u8(c);
			cur_skip(c, 1);
			*fragment = (cur_be16(c) & 0xfff8) != 0;
			cur_skip(c, 4);
			/* What follows in a later fragment is payload, whatever `next` says. */
			if (*fragment && !c->failed)
				return after;
			break;
		default:
			return next;
		}
		if (c->failed)
			break;
		next = after;
	}
	return IPPROTO_NONE;
}

static int ip6_parse(struct cur *c, struct ip_head *h, bool *chain_ok)
{
	uint32_t first = cur_be32(c);
	uint8_t next;

	h->tos = (uint8_t)(first >> 20);
	h->label = first & 0xfffff;
	h->size = IP6_HEADER + (uint32_t)cur_be16(c);
	h->ip_id = -1;
	next = cur_u8(c);
	h->ttl = cur_u8(c);
	h->src.family = h->dst.family = 6;
	cur_copy(c, h->src.bytes, 16);
	cur_copy(c, h->dst.bytes, 16);
	if (c->failed)
		return BP_EPARSE;
	h->protocol = ip6_walk(c, next, &h->fragment);
	*chain_ok = !c->failed;
	return 0;
}

static void payload_parse(struct cur *c, struct transport *t)
{
	size_t n = cur_left(c);

	t->payload_size = (uint8_t)(n < PARSE_PAYLOAD_MAX ? n : PARSE_PAYLOAD_MAX);
	cur_copy(c, t->payload, t->payload_size);
}

static bool is_echo(uint8_t family, uint8_t type)
{
	return family == 4 ? type == 8 || type == 0 : type == 128 || type == 129;
}

/* Reads what is there of a transport header; a protocol we do not know stays !known. */
static void transport_parse(struct cur *c, uint8_t family, uint8_t protocol, struct transport *t)
{
	if (cur_left(c) < TRANSPORT_MIN)
		return;
	if (protocol == IPPROTO_UDP) {
		t->known = t->known_full = true;
		t->sport = cur_be16(c);
		t->dport = cur_be16(c);
		cur_skip(c, 2);
		t->checksum = cur_be16(c);
		payload_parse(c, t);
	} else if (protocol == IPPROTO_TCP) {
		t->known = true;
		t->known_full = cur_left(c) >= TCP_HEADER;
		t->sport = cur_be16(c);
		t->dport = cur_be16(c);
		t->tcp_seq = cur_be32(c);
		if (!t->known_full)
			return;
		t->tcp_ack = cur_be32(c);
		cur_skip(c, 1);
		t->tcp_flags = cur_u8(c);
		cur_skip(c, 2);
		t->checksum = cur_be16(c);
	} else if (protocol == (family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6)) {
		t->known = t->known_full = true;
		t->icmp_type = cur_u8(c);
		t->icmp_code = cur_u8(c);
		t->checksum = cur_be16(c);
		if (!is_echo(family, t->icmp_type))
			return;
		t->icmp_id = cur_be16(c);
		t->icmp_seq = cur_be16(c);
		payload_parse(c, t);
	}
}

/* ICMP: unreachable, source quench, redirect, time exceeded, parameter problem (RFC 792).
 * ICMPv6: unreachable, too big, time exceeded, parameter problem (RFC 4443). */
static bool is_error(uint8_t family, uint8_t type)
{
	if (family == 4)
		return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
	return type >= 1 && type <= 4;
}

/* c stands at the ICMP header, the type of which is an error's. */
static int error_parse(struct cur *c, uint8_t family, struct packet *p)
{
	uint8_t type = cur_u8(c), code = cur_u8(c), words = 0;
	struct cur quote, extension;
	uint32_t rest;
	bool chain_ok = true;
	int r;

	p->is_icmp_error = true;
	p->error_type = type;
	p->error_code = code;
	cur_skip(c, 2);
	rest = cur_be32(c);
	if (family == 4 && type == 3 && code == 4 && (rest & 0xffff))
		p->error_mtu = (int32_t)(rest & 0xffff);
	if (family == 6 && type == 2 && rest && rest <= INT32_MAX)
		p->error_mtu = (int32_t)rest;

	/* RFC 4884, 4: the second byte of the rest for IPv4, the first for IPv6. */
	if (extension_possible(family, type))
		words = (uint8_t)(family == 4 ? rest >> 16 : rest >> 24);
	p->extension_bad = !extension_split(*c, family, type, words, &quote, &extension);
	if (!extension_parse(&extension, p))
		p->extension_bad = true;

	if (family == 4) {
		if (cur_left(&quote) < 1 || quote.at[0] >> 4 != 4)
			return BP_EPARSE;
		r = ip4_parse(&quote, &p->quoted_ip);
	} else {
		if (cur_left(&quote) < 1 || quote.at[0] >> 4 != 6)
			return BP_EPARSE;
		r = ip6_parse(&quote, &p->quoted_ip, &chain_ok);
	}
	if (r)
		return r;
	if (chain_ok && !p->quoted_ip.fragment)
		transport_parse(&quote, family, p->quoted_ip.protocol, &p->quoted);
	return 0;
}

/* Whether the fixed header of a transport that we read is whole. */
static bool transport_whole(const struct packet *p, uint8_t family)
{
	uint8_t protocol = p->ip.protocol;

	if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP ||
	    protocol == (family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		return p->l4.known_full;
	return true;
}

static int outer_parse(struct cur *c, uint8_t family, struct packet *p)
{
	bool chain_ok = true;
	size_t declared;
	int r;

	if (family == 4)
		r = ip4_parse(c, &p->ip);
	else
		r = ip6_parse(c, &p->ip, &chain_ok);
	declared = p->ip.size;
	if (r || !chain_ok || declared < cur_position(c))
		return BP_EPARSE;
	/* Behind the IP length lies a link's padding, not the packet. */
	if (declared - cur_position(c) < cur_left(c))
		c->end = c->start + declared;
	return 0;
}

int packet_parse(const uint8_t *bytes, size_t n, struct packet *out)
{
	struct cur c = cur_of(bytes, n), l4;
	struct packet p;
	uint8_t family;
	int r;

	if (n == 0)
		return BP_EPARSE;
	family = bytes[0] >> 4;
	if (family != 4 && family != 6)
		return BP_EPARSE;
	memset(&p, 0, sizeof(p));
	p.error_mtu = -1;
	p.quoted_ip.ip_id = -1;
	r = outer_parse(&c, family, &p);
	if (r)
		return r;
	if (!p.ip.fragment) {
		l4 = c;
		transport_parse(&l4, family, p.ip.protocol, &p.l4);
		if (!transport_whole(&p, family))
			return BP_EPARSE;
		if (p.ip.protocol == (family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6) &&
		    is_error(family, p.l4.icmp_type)) {
			r = error_parse(&c, family, &p);
			if (r)
				return r;
		}
	}
	*out = p;
	return 0;
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * Build once, patch often. In one's complement arithmetic (RFC 1071) a packet is right when all
 * its 16-bit words, pseudo header and checksum included, add up to 0 modulo 0xffff. So a patch
 * that adds as much as it takes away keeps a packet right: the payload's two fix-up bytes take up
 * the difference for ICMP and UDP, whose checksum field is spoken for; for TCP the checksum does.
 */
#include "prober/method/encode.h"

#include <string.h>

#include "prober/wire/build.h"
#include "prober/wire/parse.h"

/* Offsets. Probes have no IP options and no extension headers. */
enum {
	IP4_SIZE = 20,
	IP4_ID = 4,
	IP4_TTL = 8,
	IP4_CHECKSUM = 10,
	IP6_SIZE = 40,
	IP6_HOP_LIMIT = 7,
	ICMP_CHECKSUM = 2,
	DATAGRAM_LO = 6,    /* ICMP sequence, UDP checksum */
	DATAGRAM_TOKEN = 8, /* payload 0..3 */
	DATAGRAM_FIXUP = 12,
	TCP_SEQUENCE = 4,
	TCP_CHECKSUM = 16,
	PAYLOAD_FIXUP = 4,
	PAYLOAD_TEXT = 6,
};

/* Who measures, for whoever looks at the packet. */
static const char payload_text[] = "borderpath net measurement";
_Static_assert(PAYLOAD_TEXT + sizeof(payload_text) - 1 == METHOD_PAYLOAD_SIZE, "size of payload");

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

/* The sum modulo 0xffff, 0xffff for a multiple of it unless all was 0. */
static uint16_t fold(uint32_t sum)
{
	return (uint16_t)~checksum_fold(sum);
}

/* -v modulo 0xffff. */
static uint32_t minus(uint16_t v)
{
	return (uint16_t)~v;
}

static int check(const struct flow *f, enum method method, struct bp_error *err)
{
	bool ports = method != METHOD_ICMP;

	if (f->method != method)
		return bp_fail(err, BP_EINVAL, "a flow of another method");
	if (f->sport == 0 || (f->dport == 0) == ports)
		return bp_fail(err, BP_EINVAL, "no port or identifier in the flow");
	return 0;
}

/* RFC 6864: the IP-ID of a packet that must not be fragmented means nothing, and some middleboxes
 * clear it. So where it carries a half of the token, fragmenting stays allowed; a SYN, whose token
 * is in the sequence, forbids it as every common system does. */
static struct build_ip ip_of(const struct flow *f, bool dont_fragment)
{
	return (struct build_ip){
		.src = f->src,
		.dst = f->dst,
		.ttl = 1,
		.ip_id = ENCODE_FIRST_TOKEN >> 16,
		.dont_fragment = dont_fragment,
		.label = f->label,
	};
}

static void payload_fill(uint8_t payload[static METHOD_PAYLOAD_SIZE])
{
	put16(payload, ENCODE_FIRST_TOKEN >> 16);
	put16(payload + 2, ENCODE_FIRST_TOKEN & 0xffff);
	put16(payload + PAYLOAD_FIXUP, 0);
	memcpy(payload + PAYLOAD_TEXT, payload_text, sizeof(payload_text) - 1);
}

/* Gives the checksum field at l4 + at another value; the fix-up, still 0, makes up for it. */
static void set_checksum(uint8_t *l4, size_t at, uint16_t value)
{
	put16(l4 + DATAGRAM_FIXUP, fold(get16(l4 + at) + minus(value)));
	put16(l4 + at, value);
}

static size_t ip_size(const struct probe_packet *p)
{
	return p->bytes[0] >> 4 == 4 ? IP4_SIZE : IP6_SIZE;
}

int encode_icmp(const struct flow *f, struct probe_packet *out, struct bp_error *err)
{
	struct build_ip ip = ip_of(f, false);
	uint8_t payload[METHOD_PAYLOAD_SIZE];
	struct probe_packet p = {0};
	size_t size;
	int r = check(f, METHOD_ICMP, err);

	if (r)
		return r;
	payload_fill(payload);
	r = build_echo(&ip, f->sport, ENCODE_FIRST_TOKEN & 0xffff, payload, sizeof(payload),
		       p.bytes, sizeof(p.bytes), &size, err);
	if (r)
		return r;
	p.size = (uint16_t)size;
	set_checksum(p.bytes + ip_size(&p), ICMP_CHECKSUM, f->sport);
	*out = p;
	return 0;
}

int encode_udp(const struct flow *f, struct probe_packet *out, struct bp_error *err)
{
	struct build_ip ip = ip_of(f, false);
	uint8_t payload[METHOD_PAYLOAD_SIZE];
	struct probe_packet p = {0};
	size_t size;
	int r = check(f, METHOD_UDP, err);

	if (r)
		return r;
	payload_fill(payload);
	r = build_udp(&ip, f->sport, f->dport, payload, sizeof(payload), p.bytes, sizeof(p.bytes),
		      &size, err);
	if (r)
		return r;
	p.size = (uint16_t)size;
	set_checksum(p.bytes + ip_size(&p), DATAGRAM_LO, ENCODE_FIRST_TOKEN & 0xffff);
	*out = p;
	return 0;
}

int encode_tcp(const struct flow *f, struct probe_packet *out, struct bp_error *err)
{
	struct build_ip ip = ip_of(f, true);
	struct probe_packet p = {0};
	size_t size;
	int r = check(f, METHOD_TCP, err);

	if (r)
		return r;
	r = build_tcp_syn(&ip, f->sport, f->dport, ENCODE_FIRST_TOKEN, p.bytes, sizeof(p.bytes),
			  &size, err);
	if (r)
		return r;
	p.size = (uint16_t)size;
	*out = p;
	return 0;
}

static void patch_ip4(uint8_t *ip, uint8_t ttl, uint16_t id)
{
	ip[IP4_TTL] = ttl;
	put16(ip + IP4_ID, id);
	put16(ip + IP4_CHECKSUM, 0);
	put16(ip + IP4_CHECKSUM, checksum_fold(checksum_add(0, ip, IP4_SIZE)));
}

/* The low half lies in the packet twice, the high half once. */
static void patch_datagram(uint8_t *l4, uint32_t token)
{
	uint16_t hi = (uint16_t)(token >> 16), lo = (uint16_t)token;
	uint32_t sum = get16(l4 + DATAGRAM_FIXUP);

	sum += get16(l4 + DATAGRAM_TOKEN) + minus(hi);
	sum += 2 * (get16(l4 + DATAGRAM_LO) + minus(lo));
	put16(l4 + DATAGRAM_LO, lo);
	put16(l4 + DATAGRAM_TOKEN, hi);
	put16(l4 + DATAGRAM_TOKEN + 2, lo);
	put16(l4 + DATAGRAM_FIXUP, fold(sum));
}

/* RFC 1624, equation 3, for two words. */
static void patch_tcp(uint8_t *l4, uint32_t token)
{
	uint16_t hi = (uint16_t)(token >> 16), lo = (uint16_t)token;
	uint32_t sum = minus(get16(l4 + TCP_CHECKSUM));

	sum += minus(get16(l4 + TCP_SEQUENCE)) + hi;
	sum += minus(get16(l4 + TCP_SEQUENCE + 2)) + lo;
	put16(l4 + TCP_SEQUENCE, hi);
	put16(l4 + TCP_SEQUENCE + 2, lo);
	put16(l4 + TCP_CHECKSUM, checksum_fold(sum));
}

void encode_patch_datagram4(struct probe_packet *p, uint8_t ttl, uint32_t token)
{
	patch_ip4(p->bytes, ttl, (uint16_t)(token >> 16));
	patch_datagram(p->bytes + IP4_SIZE, token);
}

void encode_patch_datagram6(struct probe_packet *p, uint8_t ttl, uint32_t token)
{
	p->bytes[IP6_HOP_LIMIT] = ttl;
	patch_datagram(p->bytes + IP6_SIZE, token);
}

void encode_patch_tcp4(struct probe_packet *p, uint8_t ttl, uint32_t token)
{
	patch_ip4(p->bytes, ttl, (uint16_t)(token >> 16));
	patch_tcp(p->bytes + IP4_SIZE, token);
}

void encode_patch_tcp6(struct probe_packet *p, uint8_t ttl, uint32_t token)
{
	p->bytes[IP6_HOP_LIMIT] = ttl;
	patch_tcp(p->bytes + IP6_SIZE, token);
}

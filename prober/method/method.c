// SPDX-License-Identifier: BSD-2-Clause
/* The rows, the flow of a vantage point, and the token. */
#include "prober/method/method.h"

#include <sodium.h>
#include <string.h>

#include "prober/method/encode.h"
#include "prober/method/filter.h"

_Static_assert(METHOD_KEY_SIZE == crypto_shorthash_KEYBYTES, "key size");

/* 33434 is traceroute's first UDP port: known everywhere as a probe's. */
static const struct method_row rows[] = {
	{"icmp4", METHOD_ICMP, 4, 0, encode_icmp, encode_patch_datagram4, filter_icmp4},
	{"icmp6", METHOD_ICMP, 6, 0, encode_icmp, encode_patch_datagram6, filter_icmp6},
	{"udp4", METHOD_UDP, 4, 33434, encode_udp, encode_patch_datagram4, filter_udp4},
	{"udp6", METHOD_UDP, 6, 33434, encode_udp, encode_patch_datagram6, filter_udp6},
	{"tcp4", METHOD_TCP, 4, 80, encode_tcp, encode_patch_tcp4, filter_tcp4},
	{"tcp6", METHOD_TCP, 6, 80, encode_tcp, encode_patch_tcp6, filter_tcp6},
};

const struct method_row *method_row(enum method method, uint8_t family)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].method == method && rows[i].family == family)
			return &rows[i];
	}
	return NULL;
}

/* splitmix64's finaliser (Steele, Lea, Flood, OOPSLA 2014): every seed bit reaches every bit. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* Neighbouring flows get neighbouring ports, so that a router that looks at the lowest bits only
 * still spreads them. skip jumps over all other flows. */
static uint16_t choose_port(uint64_t seed, uint16_t number, unsigned skip)
{
	enum { PORTS = METHOD_PORT_HIGH - METHOD_PORT_LOW + 1 };
	uint64_t at = mix(seed) % PORTS + number + (uint64_t)skip * METHOD_FLOWS_MAX;

	return (uint16_t)(METHOD_PORT_LOW + at % PORTS);
}

void method_flow(enum method method, struct addr src, struct addr dst, uint16_t dport,
		 uint64_t seed, uint16_t number, unsigned skip, struct flow *out)
{
	const struct method_row *row = method_row(method, dst.family);
	struct flow f = {.method = method, .src = src, .dst = dst, .number = number};

	f.sport = choose_port(seed, number, skip);
	if (method != METHOD_ICMP)
		f.dport = dport || row == NULL ? dport : row->default_dport;
	/* RFC 6437: 0 would mean "no label", and routers would hash something else. */
	if (dst.family == 6)
		f.label = 1 + (uint32_t)(mix(mix(seed) + number) % 0xfffff);
	*out = f;
}

/* 1..0xffff from 32 uniform bits; off by less than 2^-15 from uniform. */
static uint32_t half(const uint8_t bytes[static 4])
{
	uint32_t v = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
		     (uint32_t)bytes[2] << 8 | bytes[3];

	return 1 + v % 0xffff;
}

uint32_t method_token(const uint8_t key[static METHOD_KEY_SIZE], const struct flow *f, uint8_t ttl,
		      uint8_t attempt)
{
	/* method, family, ttl, attempt, number, sport, dport, dst: fixed places, no ambiguity.
	 * The source stays out: behind a NAT nobody here knows what it becomes. */
	uint8_t in[10 + sizeof(f->dst.bytes)] = {
		(uint8_t)f->method,        f->dst.family,         ttl,
		attempt,                   (uint8_t)(f->number >> 8), (uint8_t)f->number,
		(uint8_t)(f->sport >> 8),  (uint8_t)f->sport,     (uint8_t)(f->dport >> 8),
		(uint8_t)f->dport,
	};
	uint8_t out[crypto_shorthash_BYTES];

	_Static_assert(crypto_shorthash_BYTES == 8, "two halves of four bytes");
	memcpy(in + 10, f->dst.bytes, sizeof(f->dst.bytes));
	crypto_shorthash(out, in, sizeof(in), key);
	return half(out) << 16 | half(out + 4);
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * Bytes of a captured packet -> what they say. Untrusted input, read only through core/cur.h. Pure.
 *
 * An ICMP error as data, outermost first:
 *   outer IP header (who answers, reply TTL, size, IP-ID)
 *   ICMP header (type, code; length of the quote, RFC 4884; next-hop MTU)
 *   quoted IP header (our probe as it arrived there: quoted TTL, addresses, IP-ID)
 *   quoted transport (at least 8 bytes: ports, checksum or sequence; more when the router is kind)
 *   extension structure (RFC 4884): MPLS label stack (RFC 4950), interface (RFC 5837)
 * IPv6 extension headers (hop-by-hop, routing, destination options, first fragment) are walked in
 * both the outer and the quoted packet.
 */
#ifndef PROBER_WIRE_PARSE_H
#define PROBER_WIRE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/record/trace.h"

enum { PARSE_PAYLOAD_MAX = 32 };

/* One IP packet's headers; used for the packet itself and for a quote. */
struct ip_head {
	struct addr src, dst;
	uint8_t protocol;    /* the transport after IPv6 extension headers */
	uint8_t ttl;
	uint8_t tos;
	int32_t ip_id;       /* host order; -1 for IPv6 */
	uint32_t label;      /* IPv6 flow label; 0 for IPv4 */
	uint32_t size;       /* IP length as the header says it, bytes */
	bool fragment;       /* not the first fragment: no transport header follows */
};

struct transport {
	bool known;          /* the first 8 bytes were there */
	uint16_t sport, dport;  /* UDP, TCP; host order */
	uint16_t checksum;   /* UDP; TCP and ICMP when quoted that far */
	uint16_t icmp_id, icmp_seq; /* echo request or reply */
	uint8_t icmp_type, icmp_code;
	uint32_t tcp_seq, tcp_ack; /* ack only when known_full */
	uint8_t tcp_flags;
	bool known_full;     /* the whole fixed header was there */
	uint8_t payload_size;   /* bytes in payload[], at most PARSE_PAYLOAD_MAX */
	uint8_t payload[PARSE_PAYLOAD_MAX];
};

struct packet {
	struct ip_head ip;
	struct transport l4;
	bool is_icmp_error;  /* then the rest is filled */
	uint8_t error_type, error_code;
	int32_t error_mtu;   /* frag needed, packet too big; -1 none */
	struct ip_head quoted_ip;
	struct transport quoted;
	uint8_t mpls_count;  /* stored, at most TRACE_MPLS_MAX */
	struct mpls mpls[TRACE_MPLS_MAX];
	struct iface iface;  /* the incoming one by preference; role IFACE_NONE when none told */
	bool extension_bad;  /* an extension structure was there but did not parse or checksum */
};

/* Parses from the IP header on; family is told by the version nibble. BP_EPARSE: not an IP packet
 * we understand, or cut inside a mandatory header: the IP header with its extension headers, the
 * whole fixed transport header, an error's quoted IP header. Cut behind those is not an error: what
 * is missing stays 0 or !known. Nor is a bad extension: extension_bad. Checksums other than the
 * extension's are not verified (offload leaves them half-made in captures). */
int packet_parse(const uint8_t *bytes, size_t n, struct packet *out);

/* Internet checksum (RFC 1071) over n bytes added to a running sum (an odd n only at the end).
 * Folding gives the value of the checksum field, host order: 0 when the sum held a right one. */
uint32_t checksum_add(uint32_t sum, const void *bytes, size_t n);
uint16_t checksum_fold(uint32_t sum);

#endif

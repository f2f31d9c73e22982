// SPDX-License-Identifier: BSD-2-Clause
/*
 * Fields of a probe -> finished bytes, through libnet, without a socket and without a privilege.
 * Owns every trap of libnet 1.1.6: its IPv6 flow label arrives garbled and is written again here.
 * Refuses to know what the fields mean: tokens, flows and payload text are the method's.
 * This is the only room that includes libnet.h. Slow (a context per packet): once per flow, then
 * the method patches.
 */
#ifndef PROBER_WIRE_BUILD_H
#define PROBER_WIRE_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"

/* The IP header of a probe. No options, no extension headers, traffic class 0. */
struct build_ip {
	struct addr src, dst;  /* of one family */
	uint8_t ttl;
	uint16_t ip_id;        /* IPv4 only; host order */
	bool dont_fragment;    /* IPv4 only */
	uint32_t label;        /* IPv6 only, 20 bits */
};

/* Each writes one packet, from the IP header on, all checksums right, to out (room bytes) and its
 * length to *size. BP_EINVAL: families differ or are unset, label over 20 bits, odd payload size,
 * or no room; BP_ENOMEM; BP_EIO: libnet refused (err says why). Ports, id and seq are in host
 * order. */

/* An echo request (ICMP type 8, ICMPv6 type 128), code 0. */
int build_echo(const struct build_ip *ip, uint16_t id, uint16_t seq, const uint8_t *payload,
	       size_t n, uint8_t *out, size_t room, size_t *size, struct bp_error *err);

int build_udp(const struct build_ip *ip, uint16_t sport, uint16_t dport, const uint8_t *payload,
	      size_t n, uint8_t *out, size_t room, size_t *size, struct bp_error *err);

/* A SYN without payload that looks like a desktop's: window 64240, and 12 bytes of options: MSS
 * (1460, IPv6 1440: an Ethernet's), window scale 8, SACK permitted. Some hosts and filters answer a
 * bare SYN differently. No timestamp option: a made-up clock can be refused by a host that
 * remembers another one of this address (RFC 7323, 5.2; Linux's former tcp_tw_recycle). */
int build_tcp_syn(const struct build_ip *ip, uint16_t sport, uint16_t dport, uint32_t seq,
		  uint8_t *out, size_t room, size_t *size, struct bp_error *err);

#endif

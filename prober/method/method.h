// SPDX-License-Identifier: BSD-2-Clause
/*
 * The six ways to probe: one const row per method and family. What routers hash (the flow) never
 * changes within a flow (Paris traceroute, Augustin et al., IMC 2006); who a probe is (the token)
 * is laid in two 16-bit fields that they do not hash. token = a keyed 32-bit function of run key,
 * destination, method, flow, TTL and attempt; hi and lo halves are never 0.
 *
 *             flow (constant)                  token hi            token lo            and again in
 *   icmp4     type code checksum id            IP-ID               sequence            payload 0..3
 *   icmp6     type code checksum id, label     payload 0..1        sequence            payload 0..3
 *   udp4      sport dport                      IP-ID               UDP checksum        payload 0..3
 *   udp6      sport dport, label               payload 0..1        UDP checksum        payload 0..3
 *   tcp4      sport dport                      sequence 31..16     sequence 15..0      IP-ID = hi
 *   tcp6      sport dport, label               sequence 31..16     sequence 15..0
 *
 * The payload is 32 bytes: the token, the two bytes that hold a checksum at its wanted value (the
 * ICMP checksum equals the identifier), then a text that says who measures. A TCP SYN has none. A
 * probe's IP length is fixed: ICMP and UDP 60 bytes (IPv6 80), TCP 52 (IPv6 72; with 12 bytes of
 * options). Packets are built by libnet once per flow and patched per probe. Pure: no socket, no
 * clock.
 */
#ifndef PROBER_METHOD_METHOD_H
#define PROBER_METHOD_METHOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"
#include "core/record/trace.h"
#include "prober/wire/parse.h"

enum { METHOD_PACKET_MAX = 128, METHOD_KEY_SIZE = 16, METHOD_PAYLOAD_SIZE = 32 };
/* Room that every filter expression fits. */
enum { METHOD_FILTER_MAX = 512 };

/* What is constant for all probes of one flow to one destination. */
struct flow {
	enum method method;
	struct addr src, dst;
	uint16_t sport, dport; /* host order; ICMP: sport is the identifier, dport is 0 */
	uint32_t label;        /* IPv6 flow label, 20 bits */
	uint16_t number;       /* which flow: 0, 1, ... */
};

struct probe_packet {
	uint16_t size;         /* IP length, bytes */
	uint8_t bytes[METHOD_PACKET_MAX]; /* from the IP header on, for a header-included send */
};

struct method_row {
	const char *name;      /* "icmp4" ... */
	enum method method;
	uint8_t family;
	uint16_t default_dport;
	/* The packet for ttl 1, token 0x00010001, via libnet. BP_EINVAL: method, families, ports or
	 * label of the flow make no sense; BP_ENOMEM; BP_EIO: libnet refused. */
	int (*build)(const struct flow *f, struct probe_packet *out, struct bp_error *err);
	/* Makes it the packet of (ttl, token), halves non-zero; incremental, no library call. */
	void (*patch)(struct probe_packet *p, uint8_t ttl, uint32_t token);
	/* libpcap filter expression for what comes back and what goes out, for DLT_LINUX_SLL2.
	 * Ports of the run are [port_low, port_high]. Written into out; size is at least
	 * METHOD_FILTER_MAX. Lets through a little too much, and nothing of ours is missed but an
	 * answer inside IPv6 fragments. Join several with " or ". */
	void (*filter)(char *out, size_t size, uint16_t port_low, uint16_t port_high);
};
/* Indexed rows; NULL for a pair that does not exist. */
const struct method_row *method_row(enum method method, uint8_t family);

/* Flow of a vantage point: ports (or ICMP id) and label from (seed, flow number, skip), stable from
 * run to run, distinct for distinct flow numbers of a run. Ports lie in [METHOD_PORT_LOW,
 * METHOD_PORT_HIGH], below Linux's ephemeral range. skip > 0 gives the next choice when a port is
 * taken: distinct too for numbers under METHOD_FLOWS_MAX and skip under 8. src may be set later.
 * dport 0 is the row's default; ICMP ignores it. */
enum { METHOD_PORT_LOW = 20000, METHOD_PORT_HIGH = 32767, METHOD_FLOWS_MAX = 1596 };
void method_flow(enum method method, struct addr src, struct addr dst, uint16_t dport,
		 uint64_t seed, uint16_t number, unsigned skip, struct flow *out);

/* The keyed token of a probe. Both halves are non-zero. */
uint32_t method_token(const uint8_t key[static METHOD_KEY_SIZE], const struct flow *f, uint8_t ttl,
		      uint8_t attempt);

/* What a captured packet says about a probe of ours, before any table is asked. */
enum match_kind {
	MATCH_FOREIGN,   /* nothing of ours could have caused it */
	MATCH_DEPARTURE, /* our own probe on its way out */
	MATCH_REPLY,
};
struct match {
	enum match_kind kind;
	enum method method;
	struct addr src, dst;   /* of the probe: as sent or as quoted. dst is the target */
	uint16_t sport, dport;  /* of the probe, host order; ICMP: id, 0 */
	uint32_t token;         /* as read from its two places */
	bool token_again;       /* the second copy was readable ... */
	uint32_t token_copy;    /* ... and says this (tcp4: only hi; lo is copied from token) */
	uint8_t token_known;    /* 2 both halves read; 1 only one (the other is 0, which no half of
				 * ours is: the quote was short, or the field was wiped); 0 none */
	uint8_t ttl;            /* departure: TTL as sent; reply: 0 */
	enum reached_by reached_by; /* the answer by type; NONE for ICMP errors except a port
				     * unreachable for UDP (source is judged by the caller) */
	struct reply reply;     /* all but rtt_ns and flags */
};
/* Never fails: what cannot be an answer to a probe is MATCH_FOREIGN. `outgoing` is what the capture
 * said of the packet's direction. Foreign too: redirect and source quench (the probe they quote
 * travels on), a TCP segment that is neither SYN-ACK nor RST, an echo reply without payload, a UDP
 * datagram coming in. An RST with neither ACK nor an ack value is a reply with token_known 0. */
void method_match(const struct packet *p, bool outgoing, struct match *out);

#endif

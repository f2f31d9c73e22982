// SPDX-License-Identifier: BSD-2-Clause
/*
 * What passes the machine's interfaces, both ways, with the kernel's stamps: libpcap on "any",
 * cooked (DLT_LINUX_SLL2: works without a link layer and names the interface of each copy),
 * nanoseconds. Owns the handle and the cooked header. Judges nothing: a frame is handed on as IP
 * bytes.
 */
#ifndef PROBER_IO_CAPTURE_H
#define PROBER_IO_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/clock.h"
#include "core/err.h"

enum {
	/* The largest thing we must read whole is an ICMP error about one of our probes. A router
	 * quotes at most the probe (METHOD_PACKET_MAX, 128 bytes), padded to 128 where extensions
	 * follow (RFC 4884); eight label entries and an interface object are under 150 more, the
	 * outer headers 48. With the cooked header and two VLAN tags that is under 400. Smaller
	 * frames mean more of them in the ring. */
	CAPTURE_SNAPLEN = 640,
	CAPTURE_RING_BYTES = 4 * 1024 * 1024,
};

/* One captured IP packet. */
struct captured {
	struct wall stamp;    /* CLOCK_REALTIME, by the kernel */
	const uint8_t *bytes; /* from the IP header on; borrowed until the handler returns */
	size_t size;          /* bytes there */
	int ifindex;
	bool outgoing;        /* this machine sent it (SLL2 packet type 4) */
};

typedef void (*capture_handler)(const struct captured *c, void *context);

struct capture_stats { uint64_t received, dropped; };

struct capture;

/* Needs CAP_NET_RAW; everything after it needs nothing. `filter` is a libpcap expression.
 * BP_EPERM: the capability is missing; BP_EIO, BP_EPARSE (filter), BP_ENOMEM. */
int capture_open(const char *filter, struct capture **out, struct bp_error *err);
void capture_close(struct capture *c);
/* To poll for POLLIN. */
int capture_fd(const struct capture *c);
/* Hands over all frames that wait in the ring, never blocks; of those that keep coming meanwhile no
 * more than a ring full. Frames that are not IP are skipped and counted in *not_ip. The number
 * handed over, or BP_EIO. */
int capture_drain(struct capture *c, capture_handler handler, void *context, uint64_t *not_ip,
		  struct bp_error *err);
/* Since capture_open; drops are the ring's and the interface's. */
int capture_stats(struct capture *c, struct capture_stats *out);

/* The cooked header alone, for the tests: fills ifindex, outgoing, bytes, size. BP_EPARSE: cut;
 * BP_EFOREIGN: not IP. */
int capture_parse_sll2(const uint8_t *frame, size_t n, struct captured *out);

#endif

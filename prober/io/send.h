// SPDX-License-Identifier: BSD-2-Clause
/*
 * Probes out: finished IP packets, up to 64 in one system call, through two raw sockets that carry
 * the header in the data (IPPROTO_RAW; the kernel routes, so no link layer and no gateway's address
 * is needed). The sockets receive nothing. Owns the sockets and the batch; says of each packet
 * whether the kernel took it.
 */
#ifndef PROBER_IO_SEND_H
#define PROBER_IO_SEND_H

#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"
#include "prober/method/method.h"

enum { SEND_BATCH = 64 };

struct sender;

/* Needs CAP_NET_RAW. BP_EPERM says which capability; a machine without IPv6 is no error. */
int sender_open(struct sender **out, struct bp_error *err);
void sender_close(struct sender *s);
/* Everything leaves by this device; needs no privilege on a socket not bound before (Linux 5.7). */
int sender_bind_device(struct sender *s, const char *ifname, struct bp_error *err);

/* Routes are chosen as for these sources (policy routing); none: as the kernel likes. A source that
 * a plain bind refuses is refused here. */
int sender_bind_source(struct sender *s, struct addr src4, struct addr src6, uint32_t scope,
		       struct bp_error *err);

/* What became of a packet of the batch. */
enum sent { SENT_OK, SENT_LATER /* queue full: the same again in a moment */, SENT_REFUSED };
struct send_result {
	enum sent sent;
	int sys; /* SENT_REFUSED: errno */
};

/* Adds a copy of p, for dst. scope: interface index for a link-local dst, else 0. Returns its place
 * in the batch, 0..63, or BP_EAGAIN when the batch is full: flush first. */
int sender_add(struct sender *s, struct addr dst, uint32_t scope, const struct probe_packet *p);
/* Sends the batch and empties it; results[i] for the packet at place i. Returns how many there
 * were. */
unsigned sender_flush(struct sender *s, struct send_result results[static SEND_BATCH]);

#endif

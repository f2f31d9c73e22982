// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which way the kernel would go: the source address for a destination (connect on a datagram socket
 * sends nothing), and names of interfaces. Needs no privilege; chooses nothing by itself. A source
 * the user asks for is taken only if a plain bind accepts it.
 */
#ifndef PROBER_IO_ROUTE_H
#define PROBER_IO_ROUTE_H

#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"

enum { ROUTE_IFNAME = 16, ROUTE_NAMES = 64 };

/* Interface names seen so far, so that one that goes away keeps its name in the record. */
struct route_names {
	int fd; /* any socket: for SIOCGIFNAME */
	unsigned count;
	struct { int index; char name[ROUTE_IFNAME]; } seen[ROUTE_NAMES];
};

int route_names_open(struct route_names *n, struct bp_error *err);
void route_names_close(struct route_names *n);
/* The name of an index, "" when there is none. Borrowed until the next call. */
const char *route_ifname(struct route_names *n, int ifindex);
/* The index of a name, or BP_ENOTFOUND. */
int route_ifindex(struct route_names *n, const char *name, struct bp_error *err);

struct route_want {
	struct addr dst;
	uint16_t dport;      /* host order; only to choose among equal routes */
	struct addr src;     /* none: the kernel's choice */
	const char *ifname;  /* "" or NULL: by route */
	int ifindex;         /* of ifname; the scope of a link-local dst */
};

/* The address probes to dst carry. BP_EIO or BP_EPERM with a line that says what the kernel said
 * (no route, broadcast, not an address of this machine). */
int route_source(const struct route_want *want, struct addr *out, struct bp_error *err);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * Source ports that are ours: a bound socket that nobody reads for each port in use, so that no
 * other program gets it and the kernel answers no stray UDP with a port-unreachable of its own. A
 * TCP port is bound but does not listen: the kernel resets what answers, and no connection stays
 * half open. Ports are kept after their last user for late answers, up to the table's room.
 */
#ifndef PROBER_IO_PORT_H
#define PROBER_IO_PORT_H

#include <stdint.h>

#include "core/err.h"
#include "core/record/trace.h"

enum { PORT_ROOM = 512 };

struct port_held {
	int fd;
	uint8_t method, family;
	uint16_t port;
	uint32_t users;
};

struct ports {
	unsigned count;
	struct port_held held[PORT_ROOM];
};

void ports_init(struct ports *p);
void ports_fini(struct ports *p);
/* Holds (method, family, port) for one more user; ICMP needs none and always succeeds. BP_EAGAIN:
 * somebody else has it, take another; BP_EIO, BP_ERANGE: no room left. */
int port_hold(struct ports *p, enum method method, uint8_t family, uint16_t port,
	      struct bp_error *err);
void port_release(struct ports *p, enum method method, uint8_t family, uint16_t port);

#endif

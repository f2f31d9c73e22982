// SPDX-License-Identifier: BSD-2-Clause
/* Bound sockets that hold ports. */
#include "prober/io/port.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/addr.h"

void ports_init(struct ports *p)
{
	p->count = 0;
}

void ports_fini(struct ports *p)
{
	for (unsigned i = 0; i < p->count; i++)
		close(p->held[i].fd);
	p->count = 0;
}

static struct port_held *find(struct ports *p, enum method method, uint8_t family, uint16_t port)
{
	for (unsigned i = 0; i < p->count; i++) {
		struct port_held *h = &p->held[i];

		if (h->method == method && h->family == family && h->port == port)
			return h;
	}
	return NULL;
}

/* What arrives at a UDP port is dropped before it is queued, without a word: nobody reads it. */
static int discard_input(int fd)
{
	struct sock_filter none[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
	struct sock_fprog program = {.len = 1, .filter = none};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static int bind_any(int fd, uint8_t family, uint16_t port)
{
	struct sockaddr_in any4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 any6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int on = 1;

	if (family == 4)
		return bind(fd, (struct sockaddr *)&any4, sizeof(any4));
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		return -1;
	return bind(fd, (struct sockaddr *)&any6, sizeof(any6));
}

static int open_held(enum method method, uint8_t family, uint16_t port, struct bp_error *err)
{
	int type = (method == METHOD_UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC;
	int fd = socket(family == 4 ? AF_INET : AF_INET6, type, 0);
	int sys;

	if (fd < 0)
		return bp_fail_sys(err, errno, "cannot open a socket to hold port %u", port);
	if ((method == METHOD_UDP && discard_input(fd) < 0) || bind_any(fd, family, port) < 0) {
		sys = errno;
		close(fd);
		if (sys == EADDRINUSE)
			return bp_fail(err, BP_EAGAIN, "port %u is taken", port);
		bp_fail_sys(err, sys, "cannot hold port %u", port);
		return BP_EIO;
	}
	return fd;
}

/* A place for one more: a new one, or that of a port nobody uses any more. */
static struct port_held *take_place(struct ports *p)
{
	if (p->count < PORT_ROOM)
		return &p->held[p->count++];
	for (unsigned i = 0; i < p->count; i++) {
		if (p->held[i].users == 0) {
			close(p->held[i].fd);
			return &p->held[i];
		}
	}
	return NULL;
}

int port_hold(struct ports *p, enum method method, uint8_t family, uint16_t port,
	      struct bp_error *err)
{
	struct port_held *h;
	int fd;

	if (method == METHOD_ICMP)
		return 0;
	h = find(p, method, family, port);
	if (h != NULL) {
		h->users++;
		return 0;
	}
	fd = open_held(method, family, port, err);
	if (fd < 0)
		return fd;
	h = take_place(p);
	if (h == NULL) {
		close(fd);
		return bp_fail(err, BP_ERANGE, "more than %d source ports at once", PORT_ROOM);
	}
	*h = (struct port_held){.fd = fd, .method = (uint8_t)method, .family = family,
				.port = port, .users = 1};
	return 0;
}

void port_release(struct ports *p, enum method method, uint8_t family, uint16_t port)
{
	struct port_held *h = find(p, method, family, port);

	if (h != NULL && h->users > 0)
		h->users--;
}

// SPDX-License-Identifier: BSD-2-Clause
/* Ports that are held: against others, for several users, and without filling up. Loopback only. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "prober/io/port.h"

enum { PORT = 23456 };

static int try_bind(int type, uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, type, 0);

	assert_true(fd >= 0);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	assert_int_equal(errno, EADDRINUSE);
	close(fd);
	return -1;
}

/* A port that is free for both protocols just now. */
static uint16_t free_port(void)
{
	for (uint16_t port = PORT; port < PORT + 500; port++) {
		int udp = try_bind(SOCK_DGRAM, port), tcp = try_bind(SOCK_STREAM, port);

		if (udp >= 0)
			close(udp);
		if (tcp >= 0)
			close(tcp);
		if (udp >= 0 && tcp >= 0)
			return port;
	}
	fail_msg("no free port");
	return 0;
}

static void held_against_others(void **state)
{
	static const struct { enum method method; int type; } rows[] = {
		{METHOD_UDP, SOCK_DGRAM}, {METHOD_TCP, SOCK_STREAM}};
	struct bp_error err;
	struct ports p;
	uint16_t port = free_port();

	(void)state;
	ports_init(&p);
	for (size_t i = 0; i < 2; i++) {
		int taken;

		assert_int_equal(port_hold(&p, rows[i].method, 4, port, &err), 0);
		assert_int_equal(try_bind(rows[i].type, port), -1);
		/* Twice ours is once held. */
		assert_int_equal(port_hold(&p, rows[i].method, 4, port, &err), 0);
		assert_int_equal(p.count, i + 1);
		/* Somebody else's is told. */
		taken = try_bind(rows[i].type, (uint16_t)(port + 1));
		assert_true(taken >= 0);
		assert_int_equal(port_hold(&p, rows[i].method, 4, (uint16_t)(port + 1), &err),
				 BP_EAGAIN);
		close(taken);
	}
	/* ICMP has no ports to hold. */
	assert_int_equal(port_hold(&p, METHOD_ICMP, 4, port, &err), 0);
	assert_int_equal(p.count, 2);
	/* Released, and still held for what comes late. */
	port_release(&p, METHOD_UDP, 4, port);
	port_release(&p, METHOD_UDP, 4, port);
	assert_int_equal(try_bind(SOCK_DGRAM, port), -1);
	ports_fini(&p);
	close(try_bind(SOCK_DGRAM, port));
}

/* Datagrams to a held port are neither queued nor refused with a port-unreachable. */
static void a_held_port_does_not_fill_up(void **state)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), waiting = -1;
	char bytes[1000] = {0};
	struct ports p;
	uint16_t port = free_port();

	(void)state;
	ports_init(&p);
	assert_int_equal(port_hold(&p, METHOD_UDP, 4, port, NULL), 0);
	to.sin_port = htons(port);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	/* A refusal would be told to a connected socket by the next call. */
	for (int i = 0; i < 50; i++)
		assert_int_equal(send(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
	assert_int_equal(ioctl(p.held[0].fd, FIONREAD, &waiting), 0);
	assert_int_equal(waiting, 0);
	ports_fini(&p);
	close(fd);
}

/* A SYN to a held TCP port finds nobody listening. */
static void a_held_port_takes_no_connection(void **state)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct ports p;
	uint16_t port = free_port();

	(void)state;
	ports_init(&p);
	assert_int_equal(port_hold(&p, METHOD_TCP, 4, port, NULL), 0);
	to.sin_port = htons(port);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), -1);
	assert_int_equal(errno, ECONNREFUSED);
	ports_fini(&p);
	close(fd);
}

/* A full table gives the place of a port nobody uses, and refuses when all are used. */
static void a_full_table(void **state)
{
	struct bp_error err;
	struct ports *p = calloc(1, sizeof(*p));
	uint16_t port = free_port();

	(void)state;
	assert_non_null(p);
	for (unsigned i = 0; i < PORT_ROOM; i++)
		p->held[i] = (struct port_held){.fd = dup(0), .method = METHOD_UDP, .family = 6,
						.port = (uint16_t)(i + 1), .users = 1};
	p->count = PORT_ROOM;
	assert_int_equal(port_hold(p, METHOD_UDP, 4, port, &err), BP_ERANGE);
	port_release(p, METHOD_UDP, 6, 100);
	assert_int_equal(port_hold(p, METHOD_UDP, 4, port, &err), 0);
	assert_int_equal(p->held[99].port, port);
	ports_fini(p);
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(held_against_others),
		cmocka_unit_test(a_held_port_does_not_fill_up),
		cmocka_unit_test(a_held_port_takes_no_connection),
		cmocka_unit_test(a_full_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

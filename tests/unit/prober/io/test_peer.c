// SPDX-License-Identifier: BSD-2-Clause
/* Who asks: by pipes the user himself, over one local socket who connected. No network. */
#include "prober/io/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { STRANGER = 64997 };

static void by_pipes(void **state)
{
	struct peer peer = {.socket = true};
	int in[2], out[2];

	(void)state;
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	assert_int_equal(peer_look(in[0], out[1], &peer, NULL), 0);
	assert_false(peer.socket);
	assert_int_equal(peer.uid, getuid());
	assert_false(fcntl(out[1], F_GETFL) & O_NONBLOCK);
	for (int i = 0; i < 2; i++) {
		close(in[i]);
		close(out[i]);
	}
}

/* Some shells make a pipe of two sockets: those are no connection to anybody. */
static void by_two_sockets(void **state)
{
	struct peer peer = {.socket = true};
	int in[2], out[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, in), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, out), 0);
	assert_int_equal(peer_look(in[0], out[0], &peer, NULL), 0);
	assert_false(peer.socket);
	for (int i = 0; i < 2; i++) {
		close(in[i]);
		close(out[i]);
	}
}

/* The pair is made by `uid`, as a connection would be. */
static void made_by(uint32_t uid, uint32_t known_as)
{
	int fds[2], status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		struct peer peer = {0};

		if (getuid() != uid && setresuid(uid, uid, uid) < 0)
			_exit(2);
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0 ||
		    peer_look(fds[0], fds[0], &peer, NULL) < 0)
			_exit(3);
		_exit(peer.socket && peer.uid == known_as &&
		      (fcntl(fds[0], F_GETFL) & O_NONBLOCK) ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void by_a_socket(void **state)
{
	(void)state;
	made_by(getuid(), getuid() != 0 ? getuid() : PEER_NOBODY);
	if (getuid() == 0)
		made_by(STRANGER, STRANGER);
}

static void by_a_network(void **state)
{
	struct peer peer = {.uid = 7};
	struct bp_error err = {0};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(peer_look(fd, fd, &peer, &err), BP_EUNSUP);
	assert_non_null(strstr(err.text, "this machine only"));
	assert_int_equal(peer.uid, 7);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_pipes),
		cmocka_unit_test(by_two_sockets),
		cmocka_unit_test(by_a_socket),
		cmocka_unit_test(by_a_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause
/* fstat, SO_DOMAIN, SO_PEERCRED. */
#include "prober/io/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_one_socket(int in, int out)
{
	struct stat a, b;

	return fstat(in, &a) == 0 && fstat(out, &b) == 0 && S_ISSOCK(a.st_mode) &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int peer_look(int in, int out, struct peer *peer, struct bp_error *err)
{
	struct ucred cred;
	socklen_t size = sizeof(int);
	int domain = 0, flags;

	if (!is_one_socket(in, out)) {
		*peer = (struct peer){.uid = getuid()};
		return 0;
	}
	if (getsockopt(out, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0)
		return bp_fail_sys(err, errno, "cannot look at the socket");
	if (domain != AF_UNIX)
		return bp_fail(err, BP_EUNSUP, "a plan is taken from this machine only: by a pipe or a "
			       "local socket");
	size = sizeof(cred);
	flags = fcntl(out, F_GETFL);
	if (getsockopt(out, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0 || flags < 0 ||
	    fcntl(out, F_SETFL, flags | O_NONBLOCK) < 0)
		return bp_fail_sys(err, errno, "cannot look at the socket");
	*peer = (struct peer){.socket = true, .uid = cred.uid != 0 ? cred.uid : PEER_NOBODY};
	return 0;
}

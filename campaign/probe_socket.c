// SPDX-License-Identifier: BSD-2-Clause
/* One connect(), of the local kind; tests/lint/privileges holds this file to that. */
#include "campaign/probe_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

const char *probe_socket_path(void)
{
	const char *path = getenv(PROBE_SOCKET_ENV);

	return path != NULL && *path != '\0' ? path : NULL;
}

static int say_why(const char *path, int sys, struct bp_error *err)
{
	switch (sys) {
	case EACCES:
	case EPERM:
		return bp_fail(err, BP_EPERM, "may not use %s: it is for members of the group that "
			       "borderpath-probe belongs to", path);
	case ENOENT:
		return bp_fail(err, BP_ENOTFOUND, "there is no %s, which %s names (systemctl enable "
			       "--now borderpath-probe.socket)", path, PROBE_SOCKET_ENV);
	case ECONNREFUSED:
		return bp_fail(err, BP_EIO, "nobody listens at %s (systemctl status "
			       "borderpath-probe.socket)", path);
	case EAGAIN:
		return bp_fail(err, BP_EAGAIN, "too many wait at %s: try again", path);
	default:
		return bp_fail_sys(err, sys, "cannot connect to %s", path);
	}
}

int probe_socket_connect(const char *path, struct bp_error *err)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd, sys;

	if (strlen(path) >= sizeof(at.sun_path))
		return bp_fail(err, BP_ERANGE, "%s: %s is longer than a socket's name may be",
			       PROBE_SOCKET_ENV, path);
	memcpy(at.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return bp_fail_sys(err, errno, "cannot make a local socket");
	if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	sys = errno;
	close(fd);
	return say_why(path, sys, err);
}

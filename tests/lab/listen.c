// SPDX-License-Identifier: BSD-2-Clause
//
// listen: accepts TCP connections on one port of several addresses and closes them at once.
// Owns the open ports of a lab's hosts. Addresses of a prefix routed `local` are fine, they need
// not be on an interface. Refuses to read a byte from anybody.
//
// usage: listen READY-FILE PORT ADDRESS...		creates READY-FILE once it listens

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LISTEN_MAX = 32 };

static int listen_on(const char *text, uint16_t port)
{
	struct sockaddr_storage ss = { 0 };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&ss;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&ss;
	socklen_t len;
	int one = 1, fd;

	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		len = sizeof(*v4);
	} else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		len = sizeof(*v6);
	} else {
		fprintf(stderr, "listen: %s is not an address\n", text);
		return -1;
	}
	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		goto fail;
	// A v6 address of a prefix that is only routed here counts as foreign to bind().
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_IP, IP_FREEBIND, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&ss, len) < 0 || listen(fd, 1024) < 0)
		goto fail;
	return fd;
fail:
	perror(text);
	if (fd >= 0)
		close(fd);
	return -1;
}

int main(int argc, char **argv)
{
	struct pollfd pfd[LISTEN_MAX];
	nfds_t n = 0;
	int port, ready;

	port = argc > 3 ? atoi(argv[2]) : 0;
	if (port < 1 || port > 65535 || argc - 3 > LISTEN_MAX) {
		fprintf(stderr, "usage: listen READY-FILE PORT ADDRESS...\n");
		return 2;
	}
	for (int i = 3; i < argc; i++) {
		pfd[n].fd = listen_on(argv[i], (uint16_t)port);
		pfd[n].events = POLLIN;
		if (pfd[n++].fd < 0)
			return 1;
	}
	ready = open(argv[1], O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (ready < 0) {
		perror(argv[1]);
		return 1;
	}
	close(ready);
	for (;;) {
		if (poll(pfd, n, -1) < 0)
			return 1;
		for (nfds_t i = 0; i < n; i++) {
			int fd = pfd[i].revents ? accept4(pfd[i].fd, NULL, NULL, SOCK_CLOEXEC) : -1;

			if (fd >= 0)
				close(fd);
		}
	}
}

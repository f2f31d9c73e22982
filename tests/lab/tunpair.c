// SPDX-License-Identifier: BSD-2-Clause
//
// tunpair: makes a tun device in each of two network namespaces and copies packets between them:
// a link without a link layer, as OpenVZ's venet or a VPN is.
// Owns both devices; they vanish with it. Never alters a packet.
//
// usage: tunpair READY-FILE NETNS-A IFNAME-A NETNS-B IFNAME-B	creates READY-FILE once both exist

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

// A tun device belongs to the network namespace of whoever opens /dev/net/tun.
static int tun_in(const char *netns, const char *ifname)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int ns, fd = -1, saved;

	if (strlen(ifname) >= sizeof(ifr.ifr_name)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(ifr.ifr_name, ifname, strlen(ifname) + 1);
	ns = open(netns, O_RDONLY | O_CLOEXEC);
	if (ns < 0)
		return -1;
	if (setns(ns, CLONE_NEWNET) < 0)
		goto out;
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && ioctl(fd, TUNSETIFF, &ifr) < 0) {
		saved = errno;
		close(fd);
		errno = saved;
		fd = -1;
	}
out:
	saved = errno;
	close(ns);
	errno = saved;
	return fd;
}

// One packet a read. A write that the device refuses is a packet lost on the link.
static int copy(int from, int to)
{
	static unsigned char buf[65536];
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0) {
		if (write(to, buf, (size_t)n) < 0 && errno == EBADFD)
			return -1;
	}
	// EIO: the device is down at the moment.
	return n < 0 && errno != EAGAIN && errno != EINTR && errno != EIO ? -1 : 0;
}

int main(int argc, char **argv)
{
	struct pollfd pfd[2] = { { .events = POLLIN }, { .events = POLLIN } };
	int ready;

	if (argc != 6) {
		fprintf(stderr, "usage: tunpair READY-FILE NETNS-A IFNAME-A NETNS-B IFNAME-B\n");
		return 2;
	}
	for (int i = 0; i < 2; i++) {
		pfd[i].fd = tun_in(argv[2 + 2 * i], argv[3 + 2 * i]);
		if (pfd[i].fd < 0) {
			perror(argv[3 + 2 * i]);
			return 1;
		}
	}
	ready = open(argv[1], O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (ready < 0) {
		perror(argv[1]);
		return 1;
	}
	close(ready);
	for (;;) {
		if (poll(pfd, 2, -1) < 0 && errno != EINTR)
			break;
		if (copy(pfd[0].fd, pfd[1].fd) < 0 || copy(pfd[1].fd, pfd[0].fd) < 0)
			break;
	}
	perror("tunpair");
	return 1;
}

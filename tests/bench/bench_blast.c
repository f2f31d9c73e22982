// SPDX-License-Identifier: BSD-2-Clause
/*
 * bench_blast: the floor. Echo requests with TTL 1 to N to every address of a prefix, as fast as
 * one raw socket takes them (sendmmsg, 64 at a time), reading nothing. What is left is what the
 * lab's own forwarding and answering cost, which the kernel does on the sender's processor.
 * Runs only in a lab: a sender without manners has no business elsewhere. lab.sh says which network
 * namespaces are the machine's own, and in those this does not send.
 *
 * usage: bench_blast PREFIX TTLS SOURCE	prints the number of packets sent
 */
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/addr.h"
#include "prober/wire/parse.h"

enum { BATCH = 64, SIZE_V4 = 60, SIZE_V6 = 80 };

struct shot {
	unsigned char bytes[SIZE_V6];
	struct sockaddr_storage to;
	struct iovec iov;
};

static bool in_lab(void)
{
	char me[64] = "";
	const char *host = getenv("LAB_HOST_NET");

	return host != NULL && readlink("/proc/self/ns/net", me, sizeof(me) - 1) > 0 &&
	       strstr(host, me) == NULL;
}

static void put16(unsigned char *at, unsigned v)
{
	at[0] = (unsigned char)(v >> 8);
	at[1] = (unsigned char)v;
}

static void aim_v4(struct shot *s, struct addr src, struct addr dst, unsigned ttl, unsigned seq)
{
	unsigned char *p = s->bytes;

	memset(p, 0, SIZE_V4);
	p[0] = 0x45;
	put16(p + 2, SIZE_V4);
	put16(p + 4, seq | 1); /* the kernel replaces 0 */
	p[8] = (unsigned char)ttl;
	p[9] = IPPROTO_ICMP;
	memcpy(p + 12, src.bytes, 4);
	memcpy(p + 16, dst.bytes, 4);
	p[20] = 8;
	put16(p + 24, 4711);
	put16(p + 26, seq);
	put16(p + 22, checksum_fold(checksum_add(0, p + 20, SIZE_V4 - 20)));
	s->iov.iov_len = SIZE_V4;
}

static void aim_v6(struct shot *s, struct addr src, struct addr dst, unsigned ttl, unsigned seq)
{
	unsigned char *p = s->bytes, pseudo[8] = {0, 0, 0, SIZE_V6 - 40, 0, 0, 0, IPPROTO_ICMPV6};
	uint32_t sum;

	memset(p, 0, SIZE_V6);
	p[0] = 0x60;
	put16(p + 4, SIZE_V6 - 40);
	p[6] = IPPROTO_ICMPV6;
	p[7] = (unsigned char)ttl;
	memcpy(p + 8, src.bytes, 16);
	memcpy(p + 24, dst.bytes, 16);
	p[40] = 128;
	put16(p + 44, 4711);
	put16(p + 46, seq);
	sum = checksum_add(checksum_add(0, p + 8, 32), pseudo, sizeof(pseudo));
	put16(p + 42, checksum_fold(checksum_add(sum, p + 40, SIZE_V6 - 40)));
	s->iov.iov_len = SIZE_V6;
}

/* The n-th address of a prefix whose host part is at most 32 bits wide. */
static struct addr nth(struct prefix p, unsigned n)
{
	size_t last = addr_size(p.addr) - 1;

	for (unsigned i = 0; i < 4; i++)
		p.addr.bytes[last - i] |= (unsigned char)(n >> 8 * i);
	return p.addr;
}

static int fire(int fd, struct mmsghdr *batch, unsigned n)
{
	for (unsigned done = 0; done < n;) {
		int rc = sendmmsg(fd, batch + done, n - done, 0);

		if (rc < 0)
			return -1;
		done += (unsigned)rc;
	}
	return 0;
}

static int blast(int fd, struct prefix prefix, unsigned ttls, struct addr src)
{
	static struct shot shots[BATCH];
	static struct mmsghdr batch[BATCH];
	unsigned targets = 1u << (addr_size(src) * 8 - prefix.len), n = 0, seq = 0;
	unsigned long sent = 0;

	for (unsigned i = 0; i < BATCH; i++) {
		shots[i].iov.iov_base = shots[i].bytes;
		batch[i].msg_hdr.msg_iov = &shots[i].iov;
		batch[i].msg_hdr.msg_iovlen = 1;
		batch[i].msg_hdr.msg_name = &shots[i].to;
	}
	for (unsigned t = 0; t < targets; t++) {
		struct addr dst = nth(prefix, t);

		for (unsigned ttl = 1; ttl <= ttls; ttl++, seq++) {
			batch[n].msg_hdr.msg_namelen = addr_to_sockaddr(dst, 0, &shots[n].to);
			(src.family == 4 ? aim_v4 : aim_v6)(&shots[n], src, dst, ttl, seq & 0xffff);
			if (++n < BATCH && (t + 1 < targets || ttl < ttls))
				continue;
			if (fire(fd, batch, n) < 0)
				return -1;
			sent += n;
			n = 0;
		}
	}
	printf("%lu\n", sent);
	return 0;
}

int main(int argc, char **argv)
{
	struct prefix prefix;
	struct addr src;
	int fd, on = 1, ttls = argc == 4 ? atoi(argv[2]) : 0;

	if (ttls < 1 || ttls > 255 || prefix_parse(argv[1], &prefix) < 0 ||
	    addr_parse(argv[3], &src) < 0 || src.family != prefix.addr.family ||
	    addr_size(src) * 8 - prefix.len > 24) {
		fputs("usage: bench_blast PREFIX TTLS SOURCE\n", stderr);
		return 2;
	}
	if (!in_lab()) {
		fputs("bench_blast: only in the namespaces of tests/lab/lab.sh\n", stderr);
		return 1;
	}
	fd = socket(src.family == 4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (fd < 0 || (src.family == 4 &&
		       setsockopt(fd, IPPROTO_IP, IP_HDRINCL, &on, sizeof(on)) < 0)) {
		perror("bench_blast: raw socket");
		return 1;
	}
	if (blast(fd, prefix, (unsigned)ttls, src) < 0) {
		perror("bench_blast: sendmmsg");
		return 1;
	}
	return 0;
}

// SPDX-License-Identifier: BSD-2-Clause
/* Raw sockets and sendmmsg. */
#include "prober/io/send.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct sender {
	int fd4, fd6; /* -1: no such family here */
	unsigned count;
	uint8_t family[SEND_BATCH];
	struct sockaddr_storage to[SEND_BATCH];
	struct probe_packet packets[SEND_BATCH];
	struct iovec iov[SEND_BATCH];
	struct mmsghdr messages[SEND_BATCH];
};

static int open_raw(int family, struct bp_error *err)
{
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);

	if (fd >= 0)
		return fd;
	if (family == AF_INET6 && errno == EAFNOSUPPORT)
		return -1;
	bp_fail_sys(err, errno, "cannot open a raw socket");
	return err != NULL ? err->code : BP_EIO;
}

int sender_open(struct sender **out, struct bp_error *err)
{
	struct bp_error local;
	struct sender *s = calloc(1, sizeof(*s));

	if (err == NULL)
		err = &local;
	if (s == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	s->fd6 = -1;
	s->fd4 = open_raw(AF_INET, err);
	if (s->fd4 >= 0)
		s->fd6 = open_raw(AF_INET6, err);
	if (s->fd4 < 0 || s->fd6 < -1) {
		sender_close(s);
		return err->code;
	}
	for (unsigned i = 0; i < SEND_BATCH; i++) {
		s->iov[i].iov_base = s->packets[i].bytes;
		s->messages[i].msg_hdr.msg_iov = &s->iov[i];
		s->messages[i].msg_hdr.msg_iovlen = 1;
		s->messages[i].msg_hdr.msg_name = &s->to[i];
	}
	*out = s;
	return 0;
}

void sender_close(struct sender *s)
{
	if (s == NULL)
		return;
	if (s->fd4 >= 0)
		close(s->fd4);
	if (s->fd6 >= 0)
		close(s->fd6);
	free(s);
}

int sender_bind_device(struct sender *s, const char *ifname, struct bp_error *err)
{
	const int fds[] = {s->fd4, s->fd6};

	for (unsigned i = 0; i < 2; i++) {
		if (fds[i] >= 0 && setsockopt(fds[i], SOL_SOCKET, SO_BINDTODEVICE, ifname,
					      (socklen_t)strlen(ifname)) < 0)
			return bp_fail_sys(err, errno, "cannot use interface %s", ifname);
	}
	return 0;
}

int sender_bind_source(struct sender *s, struct addr src4, struct addr src6, uint32_t scope,
		       struct bp_error *err)
{
	const struct addr srcs[] = {src4, src6};
	const int fds[] = {s->fd4, s->fd6};

	for (unsigned i = 0; i < 2; i++) {
		struct sockaddr_storage ss;
		socklen_t n = addr_to_sockaddr(srcs[i], 0, &ss);
		char text[ADDR_TEXT];

		if (n == 0)
			continue;
		if (srcs[i].family == 6 && addr_kind(srcs[i]) == ADDR_KIND_LINK_LOCAL)
			((struct sockaddr_in6 *)&ss)->sin6_scope_id = scope;
		if (bind(fds[i], (struct sockaddr *)&ss, n) < 0)
			return bp_fail_sys(err, errno, "cannot send from %s",
					   addr_format(srcs[i], text));
	}
	return 0;
}

int sender_add(struct sender *s, struct addr dst, uint32_t scope, const struct probe_packet *p)
{
	unsigned i = s->count;

	if (i == SEND_BATCH)
		return BP_EAGAIN;
	/* A raw IPv6 socket takes the port for a protocol number: it must be 0. */
	s->messages[i].msg_hdr.msg_namelen = addr_to_sockaddr(dst, 0, &s->to[i]);
	if (dst.family == 6)
		((struct sockaddr_in6 *)&s->to[i])->sin6_scope_id = scope;
	s->family[i] = dst.family;
	s->packets[i].size = p->size;
	memcpy(s->packets[i].bytes, p->bytes, p->size);
	s->iov[i].iov_len = p->size;
	s->count++;
	return (int)i;
}

/* ENOBUFS: the device's queue; EAGAIN: the socket's buffer. Both empty by themselves. */
static struct send_result refused_by(int sys)
{
	if (sys == ENOBUFS || sys == EAGAIN || sys == EINTR || sys == ENOMEM)
		return (struct send_result){.sent = SENT_LATER};
	return (struct send_result){.sent = SENT_REFUSED, .sys = sys};
}

/* Messages [begin, end), all of one family. */
static void flush_run(struct sender *s, unsigned begin, unsigned end, struct send_result *results)
{
	int fd = s->family[begin] == 4 ? s->fd4 : s->fd6;

	while (begin < end) {
		int n = fd < 0 ? -1 : sendmmsg(fd, &s->messages[begin], end - begin, MSG_NOSIGNAL);

		if (n > 0) {
			for (int i = 0; i < n; i++)
				results[begin++] = (struct send_result){.sent = SENT_OK};
			continue;
		}
		/* Only the first message's own error is told; the others are still to be tried. */
		results[begin] = refused_by(fd < 0 ? EAFNOSUPPORT : errno);
		if (results[begin].sent == SENT_LATER) {
			while (++begin < end)
				results[begin] = (struct send_result){.sent = SENT_LATER};
			return;
		}
		begin++;
	}
}

unsigned sender_flush(struct sender *s, struct send_result results[static SEND_BATCH])
{
	unsigned count = s->count, begin = 0;

	while (begin < count) {
		unsigned end = begin + 1;

		while (end < count && s->family[end] == s->family[begin])
			end++;
		flush_run(s, begin, end, results);
		begin = end;
	}
	s->count = 0;
	return count;
}

// SPDX-License-Identifier: BSD-2-Clause
//
// delay: holds packets of a netfilter queue in user space, then lets them go: a link with delay
// and, if asked, a bottleneck rate. For kernels without netem. Order is kept.
// Owns the queue and the ring of held packets. Never alters a packet; when the ring is full the
// newest is dropped, as a router would. Jitter is that of the scheduler (0.1 to 0.6 ms): take truth
// from a capture, never from the nominal delay.
//
// usage: delay -q QUEUE -d MS [-k KBIT] -r READY-FILE	creates READY-FILE once bound

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { RING = 65536 };

struct held {
	uint32_t id;
	int64_t due_ns;
};

struct line {
	struct nfq_q_handle *queue;
	int64_t delay_ns;
	int64_t ns_per_byte;	// 0: no bottleneck
	int64_t free_ns;	// when the bottleneck has sent all before
	uint32_t head, tail;	// RING is a power of two
	struct held ring[RING];
};

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int on_packet(struct nfq_q_handle *queue, struct nfgenmsg *msg, struct nfq_data *data,
		     void *arg)
{
	struct line *l = arg;
	const struct nfqnl_msg_packet_hdr *hdr = nfq_get_msg_packet_hdr(data);
	unsigned char *payload;
	int64_t start = now_ns();
	int len;

	(void)msg;
	if (!hdr)
		return 0;
	if (l->head - l->tail == RING)
		return nfq_set_verdict(queue, ntohl(hdr->packet_id), NF_DROP, 0, NULL);
	if (l->ns_per_byte) {
		len = nfq_get_payload(data, &payload);
		if (l->free_ns > start)
			start = l->free_ns;
		start += (len > 0 ? len : 0) * l->ns_per_byte;
		l->free_ns = start;
	}
	l->ring[l->head++ % RING] = (struct held){ ntohl(hdr->packet_id), start + l->delay_ns };
	return 0;
}

static void let_go(struct line *l)
{
	int64_t now = now_ns();

	for (; l->tail != l->head && l->ring[l->tail % RING].due_ns <= now; l->tail++)
		nfq_set_verdict(l->queue, l->ring[l->tail % RING].id, NF_ACCEPT, 0, NULL);
}

static int run(struct nfq_handle *h, struct line *l)
{
	static char buf[65536] __attribute__((aligned));
	struct pollfd pfd = { .fd = nfq_fd(h), .events = POLLIN };

	for (;;) {
		struct timespec wait = { 1, 0 };
		ssize_t n;

		if (l->tail != l->head) {
			int64_t left = l->ring[l->tail % RING].due_ns - now_ns();

			left = left < 0 ? 0 : left;
			wait.tv_sec = left / 1000000000;
			wait.tv_nsec = left % 1000000000;
		}
		if (ppoll(&pfd, 1, &wait, NULL) < 0 && errno != EINTR)
			return -1;
		// Due ones first: reading a burst must not hold them longer.
		let_go(l);
		while ((n = recv(pfd.fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
			nfq_handle_packet(h, buf, (int)n);
		// ENOBUFS: the kernel dropped packets of a burst; so would a full link.
		if (n < 0 && errno != EAGAIN && errno != ENOBUFS && errno != EINTR)
			return -1;
	}
}

int main(int argc, char **argv)
{
	static struct line line;
	const char *ready = NULL;
	struct nfq_handle *h;
	int opt, fd, queue = 0, size = 4 << 20;

	while ((opt = getopt(argc, argv, "q:d:k:r:")) != -1) {
		switch (opt) {
		case 'q':
			queue = atoi(optarg);
			break;
		case 'd':
			line.delay_ns = (int64_t)(atof(optarg) * 1e6);
			break;
		case 'k':
			line.ns_per_byte = (int64_t)(8e6 / atof(optarg));
			break;
		case 'r':
			ready = optarg;
			break;
		default:
			ready = NULL;
			optind = argc;
		}
	}
	if (!ready) {
		fprintf(stderr, "usage: delay -q QUEUE -d MS [-k KBIT] -r READY-FILE\n");
		return 2;
	}
	prctl(PR_SET_TIMERSLACK, 1UL);
	h = nfq_open();
	if (!h || !(line.queue = nfq_create_queue(h, (uint16_t)queue, on_packet, &line)) ||
	    nfq_set_mode(line.queue, NFQNL_COPY_META, 0) < 0) {
		perror("delay: netfilter queue");
		return 1;
	}
	// The bottleneck needs lengths: NFQNL_COPY_META brings none.
	if (line.ns_per_byte)
		nfq_set_mode(line.queue, NFQNL_COPY_PACKET, 0xffff);
	nfq_set_queue_maxlen(line.queue, RING);
	setsockopt(nfq_fd(h), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	fd = open(ready, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0) {
		perror(ready);
		return 1;
	}
	close(fd);
	if (run(h, &line) < 0)
		perror("delay");
	return 1;
}

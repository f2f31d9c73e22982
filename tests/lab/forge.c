// SPDX-License-Identifier: BSD-2-Clause
//
// forge: floods a lab's vantage point with forged answers to the probes it sends.
// Owns an attacker who is off the path and knows all but the whole token: addresses, ports, the
// form of the packets, and one 16-bit half of a true token. He cannot see probes, so this program
// listens to them in his place, and is careful never to use both halves at once.
// Refuses to invent a probe: it waits for the first one, and forges from those it has seen.
//
// usage: forge IFACE COUNT PPS		PPS 0: as fast as it goes
//
// IFACE is where probes come in. All forged packets carry DSCP 1. When done it prints what a
// prober ought to count: "BAD_TOKEN FOREIGN MALFORMED".

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SEEN = 256, PROBE_MAX = 96, PACKET_MAX = 256, PATIENCE_MS = 20000, TOS = 0x04 };
enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58 };

struct probe {
	uint8_t bytes[PROBE_MAX];
	size_t size;
	bool v4;
	uint8_t protocol, at; /* where the transport header begins */
};

struct forge {
	int listening, out4, out6;
	struct probe seen[SEEN];
	size_t seen_n;
	uint64_t random;
	unsigned long bad_token, foreign, malformed;
};

enum wrong { WRONG_BOTH, WRONG_HI, WRONG_LO };

static uint64_t next_random(struct forge *f)
{
	uint64_t z = (f->random += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, unsigned v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static uint32_t sum16(uint32_t sum, const uint8_t *at, size_t n)
{
	for (; n > 1; at += 2, n -= 2)
		sum += get16(at);
	return n ? sum + (uint32_t)(at[0] << 8) : sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* ---- probes in ------------------------------------------------------------------------------ */

static bool is_probe(struct probe *p)
{
	const uint8_t *b = p->bytes;
	uint16_t id;

	p->v4 = b[0] >> 4 == 4;
	p->at = p->v4 ? 20 : 40;
	if (p->size < p->at + 20u)
		return false;
	p->protocol = p->v4 ? b[9] : b[6];
	b += p->at;
	id = p->protocol == PROTO_ICMP || p->protocol == PROTO_ICMP6 ? get16(b + 4) : get16(b);
	if (id < 20000 || id > 32767)
		return false;
	switch (p->protocol) {
	case PROTO_ICMP: return b[0] == 8;
	case PROTO_ICMP6: return b[0] == 128;
	case PROTO_TCP: return (b[13] & 0x12) == 0x02;
	case PROTO_UDP: return true;
	}
	return false;
}

static void hear(struct forge *f)
{
	struct sockaddr_ll from;
	socklen_t len = sizeof(from);
	struct probe p;
	ssize_t n;

	while ((n = recvfrom(f->listening, p.bytes, sizeof(p.bytes), MSG_DONTWAIT,
			     (struct sockaddr *)&from, &len)) > 0) {
		p.size = (size_t)n;
		if (from.sll_pkttype == PACKET_HOST && is_probe(&p))
			f->seen[f->seen_n++ % SEEN] = p;
	}
}

/* ---- tokens --------------------------------------------------------------------------------- */

/* Where the halves of the token lie (prober/method/method.h). */
static void token_read(const struct probe *p, uint16_t *hi, uint16_t *lo)
{
	const uint8_t *l4 = p->bytes + p->at;

	if (p->protocol == PROTO_TCP) {
		*hi = get16(l4 + 4);
		*lo = get16(l4 + 6);
	} else {
		*hi = get16(l4 + 8);
		*lo = get16(l4 + 10);
	}
}

static void token_write(struct probe *p, uint16_t hi, uint16_t lo)
{
	uint8_t *l4 = p->bytes + p->at;

	if (p->v4)
		put16(p->bytes + 4, hi);
	if (p->protocol == PROTO_TCP) {
		put16(l4 + 4, hi);
		put16(l4 + 6, lo);
		return;
	}
	put16(l4 + 6, lo); /* ICMP sequence, UDP checksum */
	put16(l4 + 8, hi);
	put16(l4 + 10, lo);
}

static bool half_seen(const struct forge *f, uint16_t half)
{
	uint16_t hi, lo;

	for (size_t i = 0; i < SEEN && i < f->seen_n; i++) {
		token_read(&f->seen[i], &hi, &lo);
		if (hi == half || lo == half || hi == (uint16_t)(half << 8 | half >> 8))
			return true;
	}
	return false;
}

/* A half that is no probe's: chance must not make a forged answer a true one. */
static uint16_t wrong_half(struct forge *f)
{
	uint16_t half;

	do
		half = (uint16_t)next_random(f);
	while (half == 0 || half_seen(f, half));
	return half;
}

static void spoil(struct forge *f, struct probe *p, enum wrong wrong)
{
	uint16_t hi, lo;

	token_read(p, &hi, &lo);
	if (wrong != WRONG_LO)
		hi = wrong_half(f);
	if (wrong != WRONG_HI)
		lo = wrong_half(f);
	token_write(p, hi, lo);
}

/* ---- packets out ---------------------------------------------------------------------------- */

static const uint8_t *source_of(const struct probe *p) { return p->bytes + (p->v4 ? 12 : 8); }
static const uint8_t *target_of(const struct probe *p) { return p->bytes + (p->v4 ? 16 : 24); }

/* 203.0.113.x, 2001:db8:bad::x: routers that there are none of. */
static void invent(struct forge *f, bool v4, uint8_t out[static 16])
{
	static const uint8_t net4[] = {203, 0, 113}, net6[] = {0x20, 1, 0x0d, 0xb8, 0x0b, 0xad};

	memset(out, 0, 16);
	memcpy(out, v4 ? net4 : net6, v4 ? sizeof(net4) : sizeof(net6));
	out[v4 ? 3 : 15] = (uint8_t)(1 + next_random(f) % 250);
}

/* Adds the IP header and the transport's checksum (at l4 + sum_at), and sends. */
static void dispatch(struct forge *f, const struct probe *p, const uint8_t *from, uint8_t protocol,
		     uint8_t *packet, size_t l4_size, size_t sum_at)
{
	uint8_t *l4 = packet + p->at;
	size_t alen = p->v4 ? 4 : 16, size = p->at + l4_size;
	struct sockaddr_in to4 = {.sin_family = AF_INET};
	struct sockaddr_in6 to6 = {.sin6_family = AF_INET6};
	uint32_t sum = 0;

	memset(packet, 0, p->at);
	if (p->v4) {
		packet[0] = 0x45;
		packet[1] = TOS;
		put16(packet + 2, (unsigned)size);
		put16(packet + 4, (unsigned)next_random(f) | 1);
		packet[8] = 57;
		packet[9] = protocol;
		memcpy(packet + 12, from, 4);
		memcpy(packet + 16, source_of(p), 4);
	} else {
		packet[0] = 0x60;
		packet[1] = TOS << 4;
		put16(packet + 4, (unsigned)l4_size);
		packet[6] = protocol;
		packet[7] = 57;
		memcpy(packet + 8, from, 16);
		memcpy(packet + 24, source_of(p), 16);
	}
	put16(l4 + sum_at, 0);
	if (protocol != PROTO_ICMP)
		sum = sum16(sum16(protocol + (uint32_t)l4_size, from, alen), source_of(p), alen);
	put16(l4 + sum_at, fold(sum16(sum, l4, l4_size)));
	memcpy(&to4.sin_addr, source_of(p), 4);
	memcpy(&to6.sin6_addr, source_of(p), alen);
	while (sendto(p->v4 ? f->out4 : f->out6, packet, size, 0,
		      p->v4 ? (struct sockaddr *)&to4 : (struct sockaddr *)&to6,
		      p->v4 ? sizeof(to4) : sizeof(to6)) < 0) {
		if (errno != ENOBUFS && errno != EAGAIN) {
			perror("forge: sendto");
			exit(1);
		}
	}
}

/* An ICMP error that quotes the first `quote` bytes of the probe. */
static void send_error(struct forge *f, const struct probe *p, const uint8_t *from, uint8_t type,
		       uint8_t code, size_t quote)
{
	uint8_t packet[PACKET_MAX] = {0}, *l4 = packet + p->at;

	l4[0] = type;
	l4[1] = code;
	if (quote > p->size)
		quote = p->size;
	memcpy(l4 + 8, p->bytes, quote);
	dispatch(f, p, from, p->v4 ? PROTO_ICMP : PROTO_ICMP6, packet, 8 + quote, 2);
}

static void send_exceeded(struct forge *f, struct probe *p, enum wrong wrong)
{
	uint8_t router[16];

	invent(f, p->v4, router);
	spoil(f, p, wrong);
	p->bytes[p->v4 ? 8 : 7] = 1; /* the quoted TTL */
	/* As many routers quote 8 bytes of the transport as quote all of it. */
	send_error(f, p, router, p->v4 ? 11 : 3, 0,
		   next_random(f) % 2 ? p->size : p->at + 8u);
	f->bad_token++;
}

/* What the destination would say, in its name. */
static void send_answer(struct forge *f, struct probe *p, enum wrong wrong)
{
	static const uint8_t flags[] = {0x12, 0x14, 0x04}; /* SYN-ACK, RST-ACK, a filter's RST */
	uint8_t packet[PACKET_MAX] = {0}, *l4 = packet + p->at, *probe = p->bytes + p->at;
	uint16_t hi, lo;
	uint32_t ack;

	spoil(f, p, wrong);
	f->bad_token++;
	if (p->protocol == PROTO_UDP) {
		send_error(f, p, target_of(p), p->v4 ? 3 : 1, p->v4 ? 3 : 4, p->size);
	} else if (p->protocol == PROTO_TCP) {
		token_read(p, &hi, &lo);
		ack = ((uint32_t)hi << 16 | lo) + 1;
		memcpy(l4, probe + 2, 2);
		memcpy(l4 + 2, probe, 2);
		put16(l4 + 4, (unsigned)next_random(f));
		put16(l4 + 8, ack >> 16);
		put16(l4 + 10, ack);
		l4[12] = 5 << 4;
		l4[13] = flags[next_random(f) % sizeof(flags)];
		dispatch(f, p, target_of(p), PROTO_TCP, packet, 20, 16);
	} else {
		memcpy(l4, probe, p->size - p->at);
		l4[0] = p->v4 ? 0 : 129;
		dispatch(f, p, target_of(p), p->protocol, packet, p->size - p->at, 2);
	}
}

/* A filter's refusal, from somewhere. */
static void send_prohibited(struct forge *f, struct probe *p)
{
	uint8_t router[16];

	invent(f, p->v4, router);
	spoil(f, p, WRONG_BOTH);
	send_error(f, p, router, p->v4 ? 3 : 1, p->v4 ? 13 : 1, p->size);
	f->bad_token++;
}

/* All is right but the destination: an answer to nobody's probe. */
static void send_elsewhere(struct forge *f, struct probe *p)
{
	uint8_t router[16];

	invent(f, p->v4, router);
	memcpy(p->bytes + (p->v4 ? 16 : 24), router, p->v4 ? 4 : 16);
	send_error(f, p, router, p->v4 ? 11 : 3, 0, p->size);
	f->foreign++;
}

/* A quote that ends within its IP header. */
static void send_cut(struct forge *f, struct probe *p)
{
	uint8_t router[16];

	invent(f, p->v4, router);
	send_error(f, p, router, p->v4 ? 11 : 3, 0, p->at - 6u);
	f->malformed++;
}

static void forge_one(struct forge *f, unsigned long i)
{
	size_t known = f->seen_n < SEEN ? f->seen_n : SEEN;
	struct probe p = f->seen[next_random(f) % known];

	switch (i % 8) {
	case 0: send_exceeded(f, &p, WRONG_BOTH); break;
	case 1: send_exceeded(f, &p, WRONG_LO); break;
	case 2: send_exceeded(f, &p, WRONG_HI); break;
	case 3: send_answer(f, &p, WRONG_BOTH); break;
	case 4: send_answer(f, &p, i / 8 % 2 ? WRONG_LO : WRONG_HI); break;
	case 5: send_prohibited(f, &p); break;
	case 6: send_elsewhere(f, &p); break;
	case 7: send_cut(f, &p); break;
	}
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void flood(struct forge *f, unsigned long count, unsigned long pps)
{
	int64_t start = now_ns();

	for (unsigned long i = 0; i < count; i++) {
		if (i % 16 == 0)
			hear(f);
		while (pps && (uint64_t)(now_ns() - start) * pps / 1000000000 < i) {
			struct timespec nap = {.tv_nsec = 200 * 1000};

			nanosleep(&nap, NULL);
		}
		forge_one(f, i);
	}
}

static int raw(int family)
{
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW), size = 4 << 20;

	if (fd < 0) {
		perror("forge: socket");
		exit(1);
	}
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return fd;
}

int main(int argc, char **argv)
{
	static struct forge f;
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	struct pollfd wait = {.events = POLLIN};
	int64_t end;
	int one = 1;

	if (argc != 4) {
		fprintf(stderr, "usage: forge IFACE COUNT PPS\n");
		return 2;
	}
	f.random = (uint64_t)now_ns();
	at.sll_ifindex = (int)if_nametoindex(argv[1]);
	f.listening = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL));
	if (at.sll_ifindex == 0 || f.listening < 0 ||
	    bind(f.listening, (struct sockaddr *)&at, sizeof(at)) < 0) {
		fprintf(stderr, "forge: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	/* Its own forgeries leave by the same device. */
	setsockopt(f.listening, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));
	f.out4 = raw(AF_INET);
	f.out6 = raw(AF_INET6);
	fprintf(stderr, "forge: listening\n");
	wait.fd = f.listening;
	end = now_ns() + (int64_t)PATIENCE_MS * 1000000;
	while (f.seen_n == 0 && now_ns() < end) {
		poll(&wait, 1, 100);
		hear(&f);
	}
	if (f.seen_n == 0) {
		fprintf(stderr, "forge: no probe came\n");
		return 1;
	}
	flood(&f, strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
	printf("%lu %lu %lu\n", f.bad_token, f.foreign, f.malformed);
	return 0;
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * What surrounds a packet's work in the prober, in nanoseconds: libpcap alone (a ring full of
 * datagrams of our own on the loopback, drained at once; only as root, left out else), and the
 * geo databases' look-ups over random addresses.
 *
 * usage: bench_lookup [ASN.mmdb COUNTRY.mmdb]
 *	prints lines of tab-separated words: name median_ns min_ns max_ns
 */
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "geo/geo.h"
#include "geo/mmdb.h"
#include "tests/bench/figure.h"

enum { PACKETS = 4096, ADDRESSES = 65536 };

static volatile uint32_t sink; /* what the compiler must not leave out goes here */

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "bench_lookup: %s\n", what);
	exit(1);
}

static uint32_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 16);
}

/* --- libpcap alone ---------------------------------------------------------------------------- */

static pcap_t *open_loopback(void)
{
	char text[PCAP_ERRBUF_SIZE];
	struct bpf_program program;
	pcap_t *p = pcap_create("lo", text);

	if (p == NULL)
		return NULL;
	pcap_set_snaplen(p, 256);
	pcap_set_immediate_mode(p, 1);
	pcap_set_buffer_size(p, 16 << 20);
	pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO);
	if (pcap_activate(p) < 0 || pcap_setnonblock(p, 1, text) < 0 ||
	    pcap_setdirection(p, PCAP_D_IN) < 0 ||
	    pcap_compile(p, &program, "udp dst port 9", 1, PCAP_NETMASK_UNKNOWN) < 0) {
		pcap_close(p);
		return NULL;
	}
	pcap_setfilter(p, &program);
	pcap_freecode(&program);
	return p;
}

static void count_one(u_char *user, const struct pcap_pkthdr *h, const u_char *bytes)
{
	uint32_t *n = (uint32_t *)(void *)user;

	sink += h->caplen + bytes[0];
	++*n;
}

static void bench_pcap(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	pcap_t *p = fd >= 0 ? open_loopback() : NULL;
	struct figure f = {.n = 0};
	char bytes[60] = "";

	for (unsigned r = 0; p != NULL && r < FIGURE_ROUNDS; r++) {
		uint32_t n = 0;
		int64_t begin;

		for (uint32_t i = 0; i < PACKETS; i++)
			(void)!sendto(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&to,
				      sizeof(to));
		begin = figure_ns();
		while (pcap_dispatch(p, -1, count_one, (u_char *)&n) > 0)
			;
		if (n >= PACKETS / 2)
			figure_add(&f, figure_ns() - begin, n);
	}
	if (f.n > 0)
		figure_tell(&f, "libpcap alone");
	if (p != NULL)
		pcap_close(p);
	if (fd >= 0)
		close(fd);
}

/* --- names ------------------------------------------------------------------------------------ */

static void bench_mmdb(const char *asn_path, const char *country_path)
{
	struct figure asn = {.n = 0}, country = {.n = 0}, both = {.n = 0};
	struct mmdb *a = NULL, *c = NULL;
	struct geo *g = NULL;
	uint64_t seed = 88172645463325252u;

	if (mmdb_open(asn_path, MMDB_KIND_ASN, &a, NULL) < 0 ||
	    mmdb_open(country_path, MMDB_KIND_COUNTRY, &c, NULL) < 0 ||
	    geo_open(asn_path, country_path, NULL, &g, NULL) < 0)
		die("a database does not open");
	for (unsigned r = 0; r < FIGURE_ROUNDS; r++) {
		static struct addr addresses[ADDRESSES];
		int64_t begin;

		for (uint32_t i = 0; i < ADDRESSES; i++) {
			uint32_t v = next_random(&seed);

			addresses[i] = addr_v4((uint8_t *)&v);
		}
		begin = figure_ns();
		for (uint32_t i = 0; i < ADDRESSES; i++) {
			char org[96];
			uint32_t number;

			if (mmdb_asn(a, addresses[i], &number, org, sizeof(org)) == 0)
				sink += number + (uint8_t)org[0];
		}
		figure_add(&asn, figure_ns() - begin, ADDRESSES);
		begin = figure_ns();
		for (uint32_t i = 0; i < ADDRESSES; i++) {
			char code[3];

			if (mmdb_country(c, addresses[i], code) == 0)
				sink += (uint8_t)code[0];
		}
		figure_add(&country, figure_ns() - begin, ADDRESSES);
		begin = figure_ns();
		for (uint32_t i = 0; i < ADDRESSES; i++) {
			struct name name;

			geo_lookup(g, addresses[i], (struct wall){0}, &name);
			sink += name.asn;
		}
		figure_add(&both, figure_ns() - begin, ADDRESSES);
	}
	figure_tell(&asn, "look-up: ASN and name");
	figure_tell(&country, "look-up: country");
	figure_tell(&both, "look-up: ASN, name, country");
	geo_close(g);
	mmdb_close(a);
	mmdb_close(c);
}

int main(int argc, char **argv)
{
	bench_pcap();
	if (argc == 3)
		bench_mmdb(argv[1], argv[2]);
	return 0;
}

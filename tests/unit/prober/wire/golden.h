// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reading tests/golden/packets/NAME.hex: lines of "# why" and of hex bytes. The fixed ends and the
 * token that all golden packets share. Tests run from the top of the tree.
 */
#ifndef TESTS_UNIT_PROBER_WIRE_GOLDEN_H
#define TESTS_UNIT_PROBER_WIRE_GOLDEN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/addr.h"

#define GOLDEN_DIR "tests/golden/packets"
/* Documentation addresses (RFC 5737, 3849): prober, target, a router on the way. */
#define GOLDEN_SRC4 "192.0.2.1"
#define GOLDEN_DST4 "198.51.100.7"
#define GOLDEN_ROUTER4 "203.0.113.9"
#define GOLDEN_SRC6 "2001:db8::1"
#define GOLDEN_DST6 "2001:db8:7::7"
#define GOLDEN_ROUTER6 "2001:db8:9::9"
#define GOLDEN_TOKEN 0x5eedc0deu
enum {
	GOLDEN_SPORT = 24242,
	GOLDEN_UDP_DPORT = 33434,
	GOLDEN_TCP_DPORT = 80,
	GOLDEN_TTL = 7,
	GOLDEN_LABEL = 0x12345,
	GOLDEN_MAX = 512,
};

struct golden {
	size_t n;
	uint8_t bytes[GOLDEN_MAX];
};

static inline struct addr golden_addr(const char *text)
{
	struct addr a;

	if (addr_parse(text, &a))
		fail_msg("%s is no address", text);
	return a;
}

static inline struct golden golden_read(const char *name)
{
	struct golden g = {0};
	char path[256], line[256];
	FILE *in;

	snprintf(path, sizeof(path), GOLDEN_DIR "/%s.hex", name);
	in = fopen(path, "r");
	if (in == NULL)
		fail_msg("%s: cannot open", path);
	while (fgets(line, sizeof(line), in)) {
		unsigned byte;
		int used;

		if (line[0] == '#')
			continue;
		for (const char *at = line; sscanf(at, "%2x%n", &byte, &used) == 1; at += used) {
			if (g.n == GOLDEN_MAX)
				fail_msg("%s: too long", path);
			g.bytes[g.n++] = (uint8_t)byte;
		}
	}
	fclose(in);
	if (g.n == 0)
		fail_msg("%s: empty", path);
	return g;
}

/* RFC 1071 as plainly as it can be written, to judge the program's. Complemented sum of n bytes. */
static inline uint16_t golden_checksum(const uint8_t *bytes, size_t n, uint32_t start)
{
	uint32_t sum = start;

	for (size_t i = 0; i < n; i++) {
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
		if (sum > 0xffff)
			sum -= 0xffff;
	}
	return (uint16_t)(0xffff - sum);
}

/* The pseudo header's part of a transport checksum, for a packet without extension headers. */
static inline uint32_t golden_pseudo(const uint8_t *ip, uint8_t protocol, size_t l4_size)
{
	size_t at = ip[0] >> 4 == 4 ? 12 : 8, size = ip[0] >> 4 == 4 ? 8 : 32;
	uint32_t sum = 0xffffu - golden_checksum(ip + at, size, 0);

	sum += (uint32_t)protocol + (uint32_t)l4_size;
	return sum > 0xffff ? sum - 0xffff : sum;
}

/* Whether a receiver would accept a packet without options and extension headers: lengths, IPv4
 * header checksum, transport checksum. */
static inline bool golden_accepted(const uint8_t *ip, size_t n)
{
	bool v4 = ip[0] >> 4 == 4;
	size_t header = v4 ? 20 : 40, length;
	uint8_t protocol = v4 ? ip[9] : ip[6];
	const uint8_t *l4 = ip + header;

	if (v4)
		length = (size_t)(ip[2] << 8 | ip[3]);
	else
		length = 40u + (size_t)(ip[4] << 8 | ip[5]);
	if (length != n || (v4 && golden_checksum(ip, 20, 0) != 0))
		return false;
	if (protocol == 17 && ((size_t)(l4[4] << 8 | l4[5]) != n - header || (l4[6] | l4[7]) == 0))
		return false; /* a UDP checksum of 0 says "none" */
	return golden_checksum(l4, n - header,
			       protocol == 1 ? 0 : golden_pseudo(ip, protocol, n - header)) == 0;
}

#endif

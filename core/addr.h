// SPDX-License-Identifier: BSD-2-Clause
/*
 * IPv4 and IPv6 addresses and prefixes as values: compare, format, parse, contain.
 * Bytes are in network order. Refuses host names: resolving is the cli's.
 */
#ifndef CORE_ADDR_H
#define CORE_ADDR_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

enum { ADDR_TEXT = 46, PREFIX_TEXT = 50 };

struct addr {
	uint8_t family;    /* 4, 6; 0 is "no address" */
	uint8_t bytes[16]; /* network order; IPv4 uses the first 4, the others are 0 */
};

struct prefix {
	struct addr addr; /* host bits are 0 */
	uint8_t len;      /* bits: 0..32 or 0..128 */
};

/* What kind of address: decides whether AS logic may use a hop. */
enum addr_kind {
	ADDR_KIND_NONE,
	ADDR_KIND_GLOBAL,
	ADDR_KIND_PRIVATE,       /* RFC 1918, RFC 4193 (fc00::/7) */
	ADDR_KIND_SHARED,        /* RFC 6598, 100.64.0.0/10 */
	ADDR_KIND_LOOPBACK,
	ADDR_KIND_LINK_LOCAL,    /* RFC 3927, fe80::/10 */
	ADDR_KIND_MULTICAST,
	ADDR_KIND_DOCUMENTATION, /* RFC 5737, RFC 3849, RFC 9637 */
	ADDR_KIND_RESERVED,      /* 0/8, 240/4, 198.18/15, ::, and the rest of RFC 6890 */
};

struct addr addr_v4(const uint8_t bytes[static 4]);
struct addr addr_v6(const uint8_t bytes[static 16]);
static inline bool addr_is_set(struct addr a) { return a.family != 0; }
static inline size_t addr_size(struct addr a) { return a.family == 4 ? 4 : a.family == 6 ? 16 : 0; }

static inline bool addr_equal(struct addr a, struct addr b)
{
	return a.family == b.family && memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}
/* Eight of its bytes as a number in their order. Tables of addresses are searched so often that a
 * call for each comparison is felt. */
static inline uint64_t addr_half(const uint8_t *bytes)
{
	uint64_t v;

	memcpy(&v, bytes, sizeof(v));
	return be64toh(v);
}
/* Orders IPv4 before IPv6, then by bytes: <0, 0, >0. */
static inline int addr_compare(struct addr a, struct addr b)
{
	uint64_t x, y;

	if (a.family != b.family)
		return a.family < b.family ? -1 : 1;
	x = addr_half(a.bytes);
	y = addr_half(b.bytes);
	if (x == y) {
		x = addr_half(a.bytes + 8);
		y = addr_half(b.bytes + 8);
	}
	return (x > y) - (x < y);
}
/* A well-mixed hash for tables; not keyed. */
uint32_t addr_hash(struct addr a);
enum addr_kind addr_kind(struct addr a);

/* Strict numeric text (inet_pton), whole string. BP_EPARSE otherwise. IPv4-mapped IPv6
 * (::ffff:a.b.c.d) stays IPv6. */
int addr_parse(const char *text, struct addr *out);
/* Writes the canonical text (RFC 5952) or "-" for none; returns out. */
const char *addr_format(struct addr a, char out[static ADDR_TEXT]);

/* BP_EUNSUP for other socket families. Port is ignored. */
int addr_from_sockaddr(const struct sockaddr *sa, struct addr *out);
/* Returns the length filled, 0 for no address. dport_be is in network order. */
socklen_t addr_to_sockaddr(struct addr a, uint16_t port_be, struct sockaddr_storage *out);

/* Zeroes all bits after the first len. */
struct addr addr_mask(struct addr a, uint8_t len);
struct prefix prefix_of(struct addr a, uint8_t len);
bool prefix_has(struct prefix p, struct addr a);
bool prefix_equal(struct prefix a, struct prefix b);
/* "a.b.c.d/len"; a bare address is a /32 or /128. Host bits that are set are refused (BP_ERANGE);
 * syntax errors are BP_EPARSE. */
int prefix_parse(const char *text, struct prefix *out);
const char *prefix_format(struct prefix p, char out[static PREFIX_TEXT]);

#endif

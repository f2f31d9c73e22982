// SPDX-License-Identifier: BSD-2-Clause
/* Addresses and prefixes as values. Owns text forms and special-purpose ranges; knows no names. */
#include "core/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "core/err.h"

struct addr addr_v4(const uint8_t bytes[static 4])
{
	struct addr a = {.family = 4};

	memcpy(a.bytes, bytes, 4);
	return a;
}

struct addr addr_v6(const uint8_t bytes[static 16])
{
	struct addr a = {.family = 6};

	memcpy(a.bytes, bytes, 16);
	return a;
}

uint32_t addr_hash(struct addr a)
{
	uint64_t lo, hi, h;

	memcpy(&lo, a.bytes, 8);
	memcpy(&hi, a.bytes + 8, 8);
	/* splitmix64's finaliser (Steele, Lea, Flood 2014): cheap, and every input bit counts. */
	h = lo ^ (hi * 0x9e3779b97f4a7c15u) ^ a.family;
	h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
	h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
	return (uint32_t)(h ^ (h >> 31));
}

/* Rows in order, first match wins: narrower ranges stand before the ranges around them. No row is
 * longer than the four bytes it has. */
static const struct {
	uint8_t family, len;
	uint8_t bytes[4];
	enum addr_kind kind;
} special[] = {
	{4, 8, {0}, ADDR_KIND_RESERVED},
	{4, 8, {10}, ADDR_KIND_PRIVATE},
	{4, 10, {100, 64}, ADDR_KIND_SHARED},
	{4, 8, {127}, ADDR_KIND_LOOPBACK},
	{4, 16, {169, 254}, ADDR_KIND_LINK_LOCAL},
	{4, 12, {172, 16}, ADDR_KIND_PRIVATE},
	{4, 24, {192, 0, 0}, ADDR_KIND_RESERVED},
	{4, 24, {192, 0, 2}, ADDR_KIND_DOCUMENTATION},
	{4, 16, {192, 168}, ADDR_KIND_PRIVATE},
	{4, 15, {198, 18}, ADDR_KIND_RESERVED},
	{4, 24, {198, 51, 100}, ADDR_KIND_DOCUMENTATION},
	{4, 24, {203, 0, 113}, ADDR_KIND_DOCUMENTATION},
	{4, 4, {224}, ADDR_KIND_MULTICAST},
	{4, 4, {240}, ADDR_KIND_RESERVED},
	{6, 32, {0x20, 0x01, 0x0d, 0xb8}, ADDR_KIND_DOCUMENTATION},
	{6, 20, {0x3f, 0xff, 0x00, 0x00}, ADDR_KIND_DOCUMENTATION},
	{6, 7, {0xfc}, ADDR_KIND_PRIVATE},
	{6, 10, {0xfe, 0x80}, ADDR_KIND_LINK_LOCAL},
	{6, 8, {0xff}, ADDR_KIND_MULTICAST},
	{6, 3, {0x20}, ADDR_KIND_GLOBAL},
};

static uint32_t first_four(const uint8_t b[static 4])
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

enum addr_kind addr_kind(struct addr a)
{
	static const uint8_t loopback6[16] = {[15] = 1};

	if (!addr_is_set(a))
		return ADDR_KIND_NONE;
	if (a.family == 6 && memcmp(a.bytes, loopback6, 16) == 0)
		return ADDR_KIND_LOOPBACK;
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
		uint32_t differ = first_four(special[i].bytes) ^ first_four(a.bytes);

		if (special[i].family == a.family && differ >> (32 - special[i].len) == 0)
			return special[i].kind;
	}
	return a.family == 4 ? ADDR_KIND_GLOBAL : ADDR_KIND_RESERVED;
}

int addr_parse(const char *text, struct addr *out)
{
	uint8_t bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1) {
		*out = addr_v4(bytes);
		return 0;
	}
	if (inet_pton(AF_INET6, text, bytes) == 1) {
		*out = addr_v6(bytes);
		return 0;
	}
	return BP_EPARSE;
}

/* By hand: inet_ntop goes through printf, and this is done for every probe of every record. */
static void format_v4(const uint8_t bytes[static 4], char *out)
{
	for (size_t i = 0; i < 4; i++) {
		unsigned v = bytes[i];

		if (v >= 100)
			*out++ = (char)('0' + v / 100);
		if (v >= 10)
			*out++ = (char)('0' + v / 10 % 10);
		*out++ = (char)('0' + v % 10);
		*out++ = i < 3 ? '.' : '\0';
	}
}

const char *addr_format(struct addr a, char out[static ADDR_TEXT])
{
	if (a.family == 4)
		format_v4(a.bytes, out);
	else if (a.family == 6)
		inet_ntop(AF_INET6, a.bytes, out, ADDR_TEXT);
	else
		memcpy(out, "-", 2);
	return out;
}

int addr_from_sockaddr(const struct sockaddr *sa, struct addr *out)
{
	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof(in));
		*out = addr_v4((const uint8_t *)&in.sin_addr);
		return 0;
	}
	if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, sa, sizeof(in6));
		*out = addr_v6((const uint8_t *)&in6.sin6_addr);
		return 0;
	}
	return BP_EUNSUP;
}

socklen_t addr_to_sockaddr(struct addr a, uint16_t port_be, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof(*out));
	if (a.family == 4) {
		struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = port_be};

		memcpy(&in.sin_addr, a.bytes, 4);
		memcpy(out, &in, sizeof(in));
		return sizeof(in);
	}
	if (a.family == 6) {
		struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = port_be};

		memcpy(&in6.sin6_addr, a.bytes, 16);
		memcpy(out, &in6, sizeof(in6));
		return sizeof(in6);
	}
	return 0;
}

struct addr addr_mask(struct addr a, uint8_t len)
{
	size_t size = addr_size(a);

	for (size_t i = 0; i < size; i++) {
		size_t left = len > 8 * i ? len - 8 * i : 0;

		if (left < 8)
			a.bytes[i] = (uint8_t)(a.bytes[i] & (0xff00u >> left));
	}
	return a;
}

struct prefix prefix_of(struct addr a, uint8_t len)
{
	uint8_t max = (uint8_t)(8 * addr_size(a));
	struct prefix p = {.len = len < max ? len : max};

	p.addr = addr_mask(a, p.len);
	return p;
}

bool prefix_has(struct prefix p, struct addr a)
{
	uint64_t differ;

	if (!addr_is_set(a) || p.addr.family != a.family)
		return false;
	differ = addr_half(p.addr.bytes) ^ addr_half(a.bytes);
	if (p.len < 64)
		return p.len == 0 || differ >> (64 - p.len) == 0;
	if (differ != 0 || p.len == 64)
		return differ == 0;
	return (addr_half(p.addr.bytes + 8) ^ addr_half(a.bytes + 8)) >> (128 - p.len) == 0;
}

bool prefix_equal(struct prefix a, struct prefix b)
{
	return a.len == b.len && addr_equal(a.addr, b.addr);
}

int prefix_parse(const char *text, struct prefix *out)
{
	const char *slash = strchr(text, '/');
	char host[ADDR_TEXT];
	struct prefix p = {0};
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	unsigned len = 0;

	if (n >= sizeof(host))
		return BP_EPARSE;
	memcpy(host, text, n);
	host[n] = '\0';
	if (addr_parse(host, &p.addr) < 0)
		return BP_EPARSE;
	if (slash == NULL) {
		p.len = (uint8_t)(8 * addr_size(p.addr));
		*out = p;
		return 0;
	}
	n = strlen(slash + 1);
	if (n == 0 || n > 3)
		return BP_EPARSE;
	for (const char *s = slash + 1; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return BP_EPARSE;
		len = 10 * len + (unsigned)(*s - '0');
	}
	if (len > 8 * addr_size(p.addr))
		return BP_ERANGE;
	p.len = (uint8_t)len;
	if (!addr_equal(addr_mask(p.addr, p.len), p.addr))
		return BP_ERANGE;
	*out = p;
	return 0;
}

const char *prefix_format(struct prefix p, char out[static PREFIX_TEXT])
{
	char host[ADDR_TEXT];

	snprintf(out, PREFIX_TEXT, "%s/%u", addr_format(p.addr, host), p.len);
	return out;
}

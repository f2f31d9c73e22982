// SPDX-License-Identifier: BSD-2-Clause
/* Addresses and prefixes: text forms, ranges, containment, order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <netinet/in.h>

#include "core/addr.h"
#include "core/err.h"
#include "tests/unit/seeds.h"

static struct addr parsed(const char *text)
{
	struct addr a = {0};

	if (addr_parse(text, &a) < 0)
		fail_msg("%s does not parse", text);
	return a;
}

static const struct { const char *in, *out, *reason; } texts[] = {
	{"0.0.0.0", "0.0.0.0", "all zero is an address"},
	{"255.255.255.255", "255.255.255.255", "every byte three digits"},
	{"175.45.176.71", "175.45.176.71", "ordinary"},
	{"9.10.99.100", "9.10.99.100", "one, two and three digits"},
	{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1", "RFC 5952 4.2.3: the first of equal runs"},
	{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1", "RFC 5952 4.2.2: one group is not shortened"},
	{"2001:0DB8::0001", "2001:db8::1", "RFC 5952 4.1, 4.3: no leading zeros, lower case"},
	{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1", "RFC 5952 4.2.3: the longest run"},
	{"::", "::", "all zero"},
	{"::1", "::1", "loopback"},
	{"1::", "1::", "a run at the end"},
	{"::ffff:192.0.2.1", "::ffff:192.0.2.1", "RFC 5952 5: mapped stays IPv6, mixed form"},
	{"fe80::1", "fe80::1", "link local"},
};

static const char *const no_addresses[] = {
	"", " ", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4", "0x1.2.3.4",
	"1.2.3.4/24", "fe80::1%eth0", "1::2::3", ":::", "g::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
	"localhost", "-", "::ffff:1.2.3",
};

static void text_and_back(void **state)
{
	char out[ADDR_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		seed_write("values", "address", i, texts[i].in, strlen(texts[i].in));
		addr_format(parsed(texts[i].in), out);
		if (strcmp(out, texts[i].out) != 0)
			fail_msg("%s: %s, not %s (%s)", texts[i].in, out, texts[i].out, texts[i].reason);
		assert_true(addr_equal(parsed(out), parsed(texts[i].in)));
	}
	for (size_t i = 0; i < sizeof(no_addresses) / sizeof(no_addresses[0]); i++) {
		struct addr a = {.family = 99};

		if (addr_parse(no_addresses[i], &a) != BP_EPARSE)
			fail_msg("\"%s\" is taken for an address", no_addresses[i]);
		assert_int_equal(a.family, 99);
	}
	assert_string_equal(addr_format((struct addr){0}, out), "-");
	/* Every value of a byte. */
	for (unsigned v = 0; v < 256; v++) {
		uint8_t bytes[4] = {(uint8_t)v, (uint8_t)(255 - v), 0, (uint8_t)v};

		assert_true(addr_equal(parsed(addr_format(addr_v4(bytes), out)), addr_v4(bytes)));
	}
}

static const struct { const char *addr; enum addr_kind kind; } kinds[] = {
	{"8.8.8.8", ADDR_KIND_GLOBAL}, {"175.45.176.0", ADDR_KIND_GLOBAL},
	{"0.0.0.0", ADDR_KIND_RESERVED}, {"0.255.255.255", ADDR_KIND_RESERVED},
	{"1.0.0.0", ADDR_KIND_GLOBAL},
	{"9.255.255.255", ADDR_KIND_GLOBAL}, {"10.0.0.0", ADDR_KIND_PRIVATE},
	{"10.255.255.255", ADDR_KIND_PRIVATE}, {"11.0.0.0", ADDR_KIND_GLOBAL},
	{"100.63.255.255", ADDR_KIND_GLOBAL}, {"100.64.0.0", ADDR_KIND_SHARED},
	{"100.127.255.255", ADDR_KIND_SHARED}, {"100.128.0.0", ADDR_KIND_GLOBAL},
	{"127.0.0.1", ADDR_KIND_LOOPBACK}, {"128.0.0.0", ADDR_KIND_GLOBAL},
	{"169.253.255.255", ADDR_KIND_GLOBAL}, {"169.254.0.1", ADDR_KIND_LINK_LOCAL},
	{"172.15.255.255", ADDR_KIND_GLOBAL}, {"172.16.0.0", ADDR_KIND_PRIVATE},
	{"172.31.255.255", ADDR_KIND_PRIVATE}, {"172.32.0.0", ADDR_KIND_GLOBAL},
	{"192.0.0.8", ADDR_KIND_RESERVED}, {"192.0.2.1", ADDR_KIND_DOCUMENTATION},
	{"192.0.3.0", ADDR_KIND_GLOBAL}, {"192.168.0.0", ADDR_KIND_PRIVATE},
	{"192.169.0.0", ADDR_KIND_GLOBAL}, {"198.17.255.255", ADDR_KIND_GLOBAL},
	{"198.18.0.0", ADDR_KIND_RESERVED}, {"198.19.255.255", ADDR_KIND_RESERVED},
	{"198.51.100.7", ADDR_KIND_DOCUMENTATION}, {"203.0.113.255", ADDR_KIND_DOCUMENTATION},
	{"223.255.255.255", ADDR_KIND_GLOBAL}, {"224.0.0.0", ADDR_KIND_MULTICAST},
	{"239.255.255.255", ADDR_KIND_MULTICAST}, {"240.0.0.0", ADDR_KIND_RESERVED},
	{"255.255.255.255", ADDR_KIND_RESERVED},
	{"::", ADDR_KIND_RESERVED}, {"::1", ADDR_KIND_LOOPBACK}, {"::2", ADDR_KIND_RESERVED},
	{"::ffff:8.8.8.8", ADDR_KIND_RESERVED}, {"2001:4860:4860::8888", ADDR_KIND_GLOBAL},
	{"2001:db8::1", ADDR_KIND_DOCUMENTATION}, {"2001:db9::1", ADDR_KIND_GLOBAL},
	{"3fff::1", ADDR_KIND_DOCUMENTATION}, {"3fff:fff:ffff::", ADDR_KIND_DOCUMENTATION},
	{"3fff:1000::", ADDR_KIND_GLOBAL}, {"3fff:0fff::", ADDR_KIND_DOCUMENTATION},
	{"1fff::", ADDR_KIND_RESERVED}, {"4000::", ADDR_KIND_RESERVED},
	{"fbff::", ADDR_KIND_RESERVED}, {"fc00::", ADDR_KIND_PRIVATE},
	{"fdff::", ADDR_KIND_PRIVATE}, {"fe00::", ADDR_KIND_RESERVED},
	{"fe80::1", ADDR_KIND_LINK_LOCAL}, {"febf::1", ADDR_KIND_LINK_LOCAL},
	{"fec0::1", ADDR_KIND_RESERVED}, {"ff02::1", ADDR_KIND_MULTICAST},
	{"64:ff9b::1", ADDR_KIND_RESERVED},
};

static void kinds_at_their_edges(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (addr_kind(parsed(kinds[i].addr)) != kinds[i].kind)
			fail_msg("%s: kind %d", kinds[i].addr, addr_kind(parsed(kinds[i].addr)));
	}
	assert_int_equal(addr_kind((struct addr){0}), ADDR_KIND_NONE);
}

static const struct { const char *prefix, *addr; bool has; const char *reason; } inside[] = {
	{"175.45.176.0/22", "175.45.176.0", true, "first"},
	{"175.45.176.0/22", "175.45.179.255", true, "last"},
	{"175.45.176.0/22", "175.45.180.0", false, "one past"},
	{"175.45.176.0/22", "175.45.175.255", false, "one before"},
	{"0.0.0.0/0", "255.1.2.3", true, "everything"},
	{"0.0.0.0/0", "::1", false, "but not the other family"},
	{"::/0", "1.2.3.4", false, "nor this way"},
	{"10.0.0.1/32", "10.0.0.1", true, "a host"},
	{"10.0.0.1/32", "10.0.0.2", false, "another host"},
	{"10.0.0.0/31", "10.0.0.1", true, "odd lengths"},
	{"128.0.0.0/1", "127.255.255.255", false, "one bit"},
	{"2001:db8::/33", "2001:db8:8000::", false, "within a byte"},
	{"2001:db8::/33", "2001:db8:7fff::", true, "within a byte"},
	{"::1/128", "::1", true, "a host"},
};

static void containment(void **state)
{
	struct prefix p;

	(void)state;
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
		assert_int_equal(prefix_parse(inside[i].prefix, &p), 0);
		if (prefix_has(p, parsed(inside[i].addr)) != inside[i].has)
			fail_msg("%s has %s: %s", inside[i].prefix, inside[i].addr, inside[i].reason);
		assert_false(prefix_has(p, (struct addr){0}));
	}
	assert_false(prefix_has((struct prefix){0}, (struct addr){0}));
}

static const struct { const char *text; int code; const char *out, *reason; } prefixes[] = {
	{"10.0.0.0/8", 0, "10.0.0.0/8", "ordinary"},
	{"10.0.0.1", 0, "10.0.0.1/32", "a bare address"},
	{"::1", 0, "::1/128", "a bare address"},
	{"0.0.0.0/0", 0, "0.0.0.0/0", "everything"},
	{"10.0.0.0/08", 0, "10.0.0.0/8", "a leading zero does no harm"},
	{"10.0.0.1/8", BP_ERANGE, NULL, "host bits"},
	{"2001:db8::1/64", BP_ERANGE, NULL, "host bits"},
	{"10.0.0.0/33", BP_ERANGE, NULL, "longer than the address"},
	{"::/129", BP_ERANGE, NULL, "longer than the address"},
	{"::/999", BP_ERANGE, NULL, "longer than the address"},
	{"10.0.0.0/", BP_EPARSE, NULL, "no length"},
	{"10.0.0.0/-1", BP_EPARSE, NULL, "a sign"},
	{"10.0.0.0/8 ", BP_EPARSE, NULL, "a space"},
	{"10.0.0.0/1000", BP_EPARSE, NULL, "four digits"},
	{"/8", BP_EPARSE, NULL, "no address"},
	{"", BP_EPARSE, NULL, "nothing"},
	{"10.0.0/8", BP_EPARSE, NULL, "no short forms"},
	{"10.0.0.0/8/8", BP_EPARSE, NULL, "two lengths"},
	{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/8", BP_EPARSE, NULL, "long"},
};

static void prefix_texts(void **state)
{
	char out[PREFIX_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		struct prefix p = {.len = 77};
		int rc = prefix_parse(prefixes[i].text, &p);

		seed_write("values", "prefix", i, prefixes[i].text, strlen(prefixes[i].text));
		if (rc != prefixes[i].code)
			fail_msg("%s: %d (%s)", prefixes[i].text, rc, prefixes[i].reason);
		if (rc == 0)
			assert_string_equal(prefix_format(p, out), prefixes[i].out);
		else
			assert_int_equal(p.len, 77);
	}
	/* The longest text fits. */
	assert_int_equal(prefix_parse("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128",
				      &(struct prefix){0}), 0);
}

static void masks(void **state)
{
	(void)state;
	assert_true(addr_equal(addr_mask(parsed("255.255.255.255"), 0), parsed("0.0.0.0")));
	assert_true(addr_equal(addr_mask(parsed("255.255.255.255"), 9), parsed("255.128.0.0")));
	assert_true(addr_equal(addr_mask(parsed("255.255.255.255"), 32), parsed("255.255.255.255")));
	assert_true(addr_equal(addr_mask(parsed("255.255.255.255"), 200), parsed("255.255.255.255")));
	assert_true(addr_equal(addr_mask(parsed("ffff::ffff"), 127), parsed("ffff::fffe")));
	assert_int_equal(prefix_of(parsed("10.1.2.3"), 24).len, 24);
	assert_true(addr_equal(prefix_of(parsed("10.1.2.3"), 24).addr, parsed("10.1.2.0")));
	assert_int_equal(prefix_of(parsed("10.1.2.3"), 99).len, 32);
	assert_true(prefix_equal(prefix_of(parsed("10.1.2.3"), 24), prefix_of(parsed("10.1.2.9"), 24)));
	assert_false(prefix_equal(prefix_of(parsed("10.1.2.0"), 24), prefix_of(parsed("10.1.2.0"), 25)));
}

static void order_and_hash(void **state)
{
	static const char *const sorted[] = {"0.0.0.0", "1.2.3.4", "1.2.3.5", "200.0.0.0",
					     "255.255.255.255", "::", "::1", "ff02::1"};
	const size_t n = sizeof(sorted) / sizeof(sorted[0]);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < n; k++) {
			int c = addr_compare(parsed(sorted[i]), parsed(sorted[k]));

			assert_int_equal(c < 0 ? -1 : c > 0, i < k ? -1 : i > k);
			assert_int_equal(addr_equal(parsed(sorted[i]), parsed(sorted[k])), i == k);
			if (i != k)
				assert_int_not_equal(addr_hash(parsed(sorted[i])),
						     addr_hash(parsed(sorted[k])));
		}
	}
	/* Neighbours spread over a table of 256: each byte of the address matters. */
	for (size_t byte = 0; byte < 4; byte++) {
		bool hit[256] = {false};
		unsigned used = 0;

		for (unsigned v = 0; v < 256; v++) {
			uint8_t bytes[4] = {10, 0, 0, 1};

			bytes[byte] = (uint8_t)v;
			hit[addr_hash(addr_v4(bytes)) & 255] = true;
		}
		for (unsigned v = 0; v < 256; v++)
			used += hit[v];
		/* 162 are expected of a random function. */
		assert_in_range(used, 130, 200);
	}
}

static void sockaddrs(void **state)
{
	struct sockaddr_storage ss;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct addr a = {0};

	(void)state;
	assert_int_equal(addr_to_sockaddr(parsed("192.0.2.1"), htons(80), &ss), sizeof(in));
	memcpy(&in, &ss, sizeof(in));
	assert_int_equal(in.sin_port, htons(80));
	assert_int_equal(in.sin_addr.s_addr, htonl(0xc0000201));
	assert_int_equal(addr_from_sockaddr((struct sockaddr *)&ss, &a), 0);
	assert_true(addr_equal(a, parsed("192.0.2.1")));
	assert_int_equal(addr_to_sockaddr(parsed("2001:db8::1"), htons(443), &ss), sizeof(in6));
	memcpy(&in6, &ss, sizeof(in6));
	assert_int_equal(in6.sin6_port, htons(443));
	assert_int_equal(addr_from_sockaddr((struct sockaddr *)&ss, &a), 0);
	assert_true(addr_equal(a, parsed("2001:db8::1")));
	assert_int_equal(addr_to_sockaddr((struct addr){0}, 0, &ss), 0);
	ss.ss_family = AF_UNIX;
	assert_int_equal(addr_from_sockaddr((struct sockaddr *)&ss, &a), BP_EUNSUP);
	assert_true(addr_equal(a, parsed("2001:db8::1")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_back), cmocka_unit_test(kinds_at_their_edges),
		cmocka_unit_test(containment),   cmocka_unit_test(prefix_texts),
		cmocka_unit_test(masks),         cmocka_unit_test(order_and_hash),
		cmocka_unit_test(sockaddrs),
	};

	return cmocka_run_group_tests_name("core/addr", tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause
/* What anybody may ask of the routing table, on the loopback device: nothing is sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "prober/io/route.h"

static struct addr address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static void sources(void **state)
{
	static const struct {
		const char *why, *dst, *src, *ifname;
		int rc;
		const char *gives, *says;
	} rows[] = {
		{"to ourselves", "127.0.0.1", NULL, "", 0, "127.0.0.1", NULL},
		{"to another of ours", "127.0.0.9", NULL, NULL, 0, "127.0.0.1", NULL},
		{"an address that is ours", "127.0.0.1", "127.0.0.5", "", 0, "127.0.0.5", NULL},
		{"an address that is not", "127.0.0.1", "192.0.2.77", "", BP_EIO, NULL,
		 "cannot send from 192.0.2.77"},
		{"by the device", "127.0.0.1", NULL, "lo", 0, "127.0.0.1", NULL},
		{"by no device", "127.0.0.1", NULL, "nope0", BP_EIO, NULL,
		 "cannot use interface nope0"},
		{"link-local without a device", "fe80::1", NULL, "", BP_EINVAL, NULL,
		 "name an interface"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct route_want want = {.dst = address(rows[i].dst), .dport = 80,
					  .ifname = rows[i].ifname};
		struct bp_error err = {0};
		struct addr src = {0};
		char text[ADDR_TEXT];
		int rc;

		if (rows[i].src)
			want.src = address(rows[i].src);
		rc = route_source(&want, &src, &err);
		if (rc != rows[i].rc || (rows[i].says && !strstr(err.text, rows[i].says)))
			fail_msg("%s: %d (%s)", rows[i].why, rc, err.text);
		if (rc == 0)
			assert_string_equal(addr_format(src, text), rows[i].gives);
		else
			assert_false(addr_is_set(src));
	}
}

static void interface_names(void **state)
{
	struct route_names n;
	struct bp_error err;
	int lo;

	(void)state;
	assert_int_equal(route_names_open(&n, &err), 0);
	lo = route_ifindex(&n, "lo", &err);
	assert_true(lo > 0);
	assert_string_equal(route_ifname(&n, lo), "lo");
	assert_string_equal(route_ifname(&n, 0), "");
	assert_string_equal(route_ifname(&n, 999999), "");
	assert_int_equal(route_ifindex(&n, "nope0", &err), BP_ENOTFOUND);
	assert_int_equal(route_ifindex(&n, "a-name-that-is-too-long", &err), BP_ENOTFOUND);
	/* What was seen keeps its name, whoever answers now. */
	route_names_close(&n);
	assert_string_equal(route_ifname(&n, lo), "lo");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sources),
		cmocka_unit_test(interface_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause
/* The cooked header: interface, direction, tags, and frames cut anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/err.h"
#include "prober/io/capture.h"
#include "tests/unit/seeds.h"

/* protocol, reserved, ifindex, ARPHRD, type, address length, address; then the packet (https://
 * www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html). */
#define SLL2(protocol, type)                                                                       \
	(protocol) >> 8, (protocol)&0xff, 0, 0, 0, 0, 0x01, 0x02, 0, 1, type, 6, 2, 0, 0, 0, 0, 1, \
		0, 0

static const struct row {
	const char *why;
	uint8_t frame[40];
	size_t size;
	int rc;
	bool outgoing;
	size_t at, left; /* of the IP packet */
} rows[] = {
	{"IPv4 out", {SLL2(0x0800, 4), 0x45, 0}, 22, 0, true, 20, 2},
	{"IPv6 in, to us", {SLL2(0x86dd, 0), 0x60, 0, 0}, 23, 0, false, 20, 3},
	{"seen by a bridge port: for another MAC", {SLL2(0x0800, 3), 0x45}, 21, 0, false, 20, 1},
	{"a tag in front", {SLL2(0x8100, 4), 0, 7, 8, 0, 0x45}, 25, 0, true, 24, 1},
	{"two tags", {SLL2(0x88a8, 4), 0, 7, 0x81, 0, 0, 8, 8, 0, 0x45}, 29, 0, true, 28, 1},
	{"tags without end", {SLL2(0x8100, 4), 0, 1, 0x81, 0, 0, 1, 0x81, 0, 0, 1, 0x81, 0, 0x45}, 33,
	 BP_EFOREIGN, false, 0, 0},
	{"a tag cut off", {SLL2(0x8100, 4), 0, 7, 8}, 23, BP_EPARSE, false, 0, 0},
	{"ARP", {SLL2(0x0806, 0), 0, 1}, 22, BP_EFOREIGN, false, 0, 0},
	{"header only", {SLL2(0x0800, 0)}, 20, 0, false, 20, 0},
	{"header cut off", {SLL2(0x0800, 0)}, 19, BP_EPARSE, false, 0, 0},
	{"nothing", {0}, 0, BP_EPARSE, false, 0, 0},
	{"an interface that cannot be", {8, 0, 0, 0, 0x80, 0, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0}, 20,
	 BP_EPARSE, false, 0, 0},
};

static void cooked_headers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* Its own allocation: a sanitizer sees one byte too far. */
		uint8_t *frame = malloc(rows[i].size ? rows[i].size : 1);
		struct captured c = {.ifindex = -7};
		int rc;

		assert_non_null(frame);
		memcpy(frame, rows[i].frame, rows[i].size);
		seed_write("cooked", "row", i, frame, rows[i].size);
		rc = capture_parse_sll2(frame, rows[i].size, &c);
		if (rc != rows[i].rc)
			fail_msg("%s: %d", rows[i].why, rc);
		if (rc == 0) {
			assert_int_equal(c.ifindex, 0x102);
			assert_int_equal(c.outgoing, rows[i].outgoing);
			assert_ptr_equal(c.bytes, frame + rows[i].at);
			assert_int_equal(c.size, rows[i].left);
		} else {
			assert_int_equal(c.ifindex, -7);
		}
		free(frame);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cooked_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as a frame of the capture ring: the cooked header, then the IP packet behind it, given
 * to the parser as it lies there. Seeds: tests/unit/prober/io/test_capture.c.
 */
#include <string.h>

#include "prober/io/capture.h"
#include "prober/method/method.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { COOKED_HEADER = 20, TAGS = 12 };
	const struct captured untouched = {.ifindex = -7};
	struct captured c = untouched;
	struct packet p;
	struct match m;
	int rc = capture_parse_sll2(data, size, &c);

	must(rc == 0 || rc == BP_EPARSE || rc == BP_EFOREIGN);
	if (rc < 0) {
		must(memcmp(&c, &untouched, sizeof(c)) == 0);
		return 0;
	}
	must(c.ifindex >= 0 && c.bytes >= data + COOKED_HEADER);
	must(c.bytes <= data + COOKED_HEADER + TAGS && c.bytes + c.size == data + size);
	if (packet_parse(c.bytes, c.size, &p) == 0) {
		method_match(&p, c.outgoing, &m);
		must(m.kind != MATCH_DEPARTURE || c.outgoing);
		must(m.kind != MATCH_REPLY || !c.outgoing);
	}
	return 0;
}

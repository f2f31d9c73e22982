// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as a report of mtr: what is read is valid, and no time is longer or shorter than those
 * that a report can tell. Seeds come from tests/unit/core/record/test_mtr.c.
 */
#include "tests/fuzz/records.h"

/* At most three times of a TTL are told. */
static void check_record(const struct record *r)
{
	unsigned times = 0, before = 0;

	must(r->kind == RECORD_TRACE && trace_validate(r->trace, r->trace->size) == 0);
	for (uint32_t i = 0; i < r->trace->entry_count; i++) {
		const struct trace_entry *e = &r->trace->entries[i];

		if (e->ttl != before)
			times = 0;
		before = e->ttl;
		times += e->reply.rtt_ns >= 0;
		must(e->reply.rtt_ns <= TRACE_NS_MAX);
		must(times <= 3);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_records(data, size, &mtr_format, check_record);
	return 0;
}

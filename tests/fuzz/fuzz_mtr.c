// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as a report of mtr: what is read is valid, and no time is longer or shorter than those
 * that a report can tell. Seeds come from tests/unit/core/record/test_mtr.c.
 */
#include <stdlib.h>
#include <string.h>

#include "core/record/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

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

static void count_skip(void *arg, const struct bp_error *err)
{
	must(err->text[0] != '\0' && err->code < 0);
	++*(unsigned *)arg;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bp_error err = {0};
	struct record_reader reader;
	struct record r;
	unsigned skips = 0;
	FILE *file;
	int rc;

	if (size == 0)
		return 0;
	file = fmemopen((void *)(uintptr_t)data, size, "r");
	must(file != NULL);
	record_reader_init(&reader, file, "input", &mtr_format);
	reader.on_skip = count_skip;
	reader.on_skip_arg = &skips;
	record_init(&r);
	while ((rc = record_read(&reader, &r, &err)) == 0) {
		check_record(&r);
		record_fini(&r);
	}
	must((rc == BP_EOF || rc == BP_EPARSE) && skips == reader.skipped);
	must(r.trace == NULL && r.names.items == NULL);
	record_reader_fini(&reader);
	fclose(file);
	return 0;
}

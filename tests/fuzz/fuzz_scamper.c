// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as scamper's JSON: what is read is valid, and what we write of it as scamper's JSON is
 * read again, with as many answers. Seeds come from tests/unit/core/record/test_scamper.c.
 */
#include "core/record/scamper.h"
#include "tests/fuzz/records.h"

static uint32_t answers(const struct trace *t)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->entry_count; i++)
		n += addr_is_set(t->entries[i].reply.from);
	return n;
}

static void check_record(const struct record *r)
{
	struct scamper_stream stream = {.hostname = ""};
	struct bp_error err = {0};
	struct record again;
	struct buf out;
	int rc;

	must(r->kind == RECORD_TRACE && trace_validate(r->trace, r->trace->size) == 0);
	buf_init(&out);
	must(scamper_write(&out, r, NULL, NULL) == 0);
	record_init(&again);
	rc = scamper_read(&stream, out.bytes, out.used - 1, &again, &err);
	/* What was silent is filled up to `attempts`, which may be more than there is room for. */
	must(rc == 0 || rc == BP_ERANGE);
	if (rc == 0)
		must(answers(again.trace) == answers(r->trace));
	scamper_stream_fini(&stream);
	record_fini(&again);
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_records(data, size, &scamper_format, check_record);
	return 0;
}

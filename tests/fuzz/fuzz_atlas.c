// SPDX-License-Identifier: BSD-2-Clause
/*
 * RIPE Atlas results, and streams of JSON, from any bytes: every record is one that can be written,
 * and what was written is read again as the same. Seeds come from tests/unit/core/record/
 * test_atlas.c and test_jsonstream.c.
 */
#include <string.h>

#include "tests/fuzz/records.h"

/* Written, read and written again: the same bytes. */
static void check_again(const struct record *r)
{
	struct record_reader reader;
	struct buf first, second;
	struct record again;
	FILE *f;

	buf_init(&first);
	buf_init(&second);
	must(atlas_format.write(&first, r, NULL, NULL) == 0);
	f = file_of(first.bytes, first.used);
	record_reader_init(&reader, f, "again", &atlas_format);
	record_init(&again);
	must(record_read(&reader, &again, NULL) == 0 && reader.skipped == 0);
	must(again.trace->entry_count == r->trace->entry_count);
	must(atlas_format.write(&second, &again, NULL, NULL) == 0);
	must(first.used == second.used && memcmp(first.bytes, second.bytes, first.used) == 0);
	record_fini(&again);
	record_reader_fini(&reader);
	fclose(f);
	buf_fini(&first);
	buf_fini(&second);
}

static void told(void *arg, const struct bp_error *err)
{
	(void)arg;
	must(err->text[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record_reader reader;
	struct record r;
	struct buf line;
	FILE *f;
	int rc;

	if (size == 0)
		return 0;
	f = file_of(data, size);
	buf_init(&line);
	record_reader_init(&reader, f, "in", &atlas_format);
	reader.on_skip = told;
	do {
		record_init(&r);
		rc = record_read(&reader, &r, NULL);
		if (rc == 0) {
			struct record native;

			must(trace_validate(r.trace, r.trace->size) == 0);
			check_again(&r);
			/* What it became is a native record, too. */
			buf_clear(&line);
			jsonl_write_trace(&line, r.trace, NULL, NULL);
			record_init(&native);
			must(jsonl_read(line.bytes, line.used, &native, NULL) == 0);
			record_fini(&native);
		}
		record_fini(&r);
	} while (rc == 0);
	must(rc == BP_EOF || rc == BP_EPARSE);
	record_reader_fini(&reader);
	buf_fini(&line);
	fclose(f);
	return 0;
}

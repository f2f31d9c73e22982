// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as a file of records: detection, and each format that it did not choose forced upon
 * them. Every trace that comes out is valid and can be written and read as a native record. Seeds
 * come from tests/unit/core/record/test_traceroute_text.c.
 */
#include "tests/fuzz/records.h"

static void check_record(const struct record *r)
{
	struct record again;
	struct buf out;

	if (r->kind != RECORD_TRACE)
		return;
	must(trace_validate(r->trace, r->trace->size) == 0);
	buf_init(&out);
	must(jsonl_write_record(&out, r, NULL, NULL) == 0);
	record_init(&again);
	must(jsonl_read(out.bytes, out.used, &again, NULL) == 0);
	must(again.trace->entry_count == r->trace->entry_count);
	record_fini(&again);
	buf_fini(&out);
}

/* Returns the format that was read: the one given, or the one detected. */
static const struct format *read_as(FILE *f, const struct format *format)
{
	struct bp_error err = {0};
	struct record_reader reader;
	struct record r;
	unsigned skips = 0;
	int rc;

	rewind(f);
	record_reader_init(&reader, f, "input", format);
	reader.on_skip = count_skip;
	reader.on_skip_arg = &skips;
	for (;;) {
		record_init(&r);
		rc = record_read(&reader, &r, &err);
		if (rc < 0)
			break;
		check_record(&r);
		record_fini(&r);
	}
	must(rc == BP_EOF || rc == BP_EPARSE);
	must(rc == BP_EOF || (err.code == rc && err.text[0] != '\0'));
	must(skips >= reader.skipped);
	record_fini(&r);
	format = reader.format;
	record_reader_fini(&reader);
	return format;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct format *detected;
	FILE *file;

	/* warts is read by another program, which is not ours to fuzz. */
	if (size == 0 || warts_format.detect((const char *)data, size) > 0)
		return 0;
	file = file_of(data, size);
	detected = read_as(file, NULL);
	for (const struct format *const *f = formats; *f != NULL; f++) {
		if (*f != detected && *f != &warts_format && (*f)->read != NULL)
			read_as(file, *f);
	}
	fclose(file);
	return 0;
}

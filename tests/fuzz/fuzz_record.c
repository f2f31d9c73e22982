// SPDX-License-Identifier: BSD-2-Clause
/*
 * The native record from any bytes: what is read can be written, reads again as the same, and the
 * line that came in goes out unchanged. Seeds come from tests/unit/core/record/test_jsonl.c.
 */
#include <string.h>

#include "core/record/jsonl.h"
#include "tests/fuzz/fuzz.h"

static void read_again(const struct buf *line, struct record *out)
{
	record_init(out);
	must(jsonl_read(line->bytes, line->used, out, NULL) == 0);
}

/* Written from the values alone, the record is the same when read again. */
static void check_values(const struct record *r)
{
	struct record again;
	struct buf first, second;

	buf_init(&first);
	buf_init(&second);
	jsonl_write_trace(&first, r->trace, &r->names, &r->verdict);
	read_again(&first, &again);
	must(again.kind == RECORD_TRACE);
	must(trace_validate(again.trace, again.trace->size) == 0);
	jsonl_write_trace(&second, again.trace, &again.names, &again.verdict);
	must(first.used == second.used && memcmp(first.bytes, second.bytes, first.used) == 0);
	record_fini(&again);
	buf_fini(&first);
	buf_fini(&second);
}

/* Replaced members read back as what replaced them; the rest of the line is JSON still. */
static void check_splice(const struct record *r)
{
	struct verdict verdict = {.judged = true, .border = "khasan"};
	struct record again;
	struct buf out;
	struct names names;
	struct addr a = {.family = 4, .bytes = {10, 0, 0, 1}};

	names_init(&names);
	buf_init(&out);
	must(names_put(&names, a) != NULL);
	names.items[0].asn = 20485;
	must(jsonl_write_record(&out, r, &names, &verdict) == 0);
	read_again(&out, &again);
	must(again.kind == r->kind);
	if (again.kind == RECORD_TRACE) {
		must(names_find(&again.names, a) != NULL);
		must(names_find(&again.names, a)->asn == 20485);
		must(again.verdict.judged && strcmp(again.verdict.border, "khasan") == 0);
	}
	record_fini(&again);
	names_fini(&names);
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bp_error err = {0};
	struct record r;
	struct buf out;
	int rc;

	record_init(&r);
	buf_init(&out);
	rc = jsonl_read((const char *)data, size, &r, &err);
	if (rc < 0) {
		must(err.code == rc && err.text[0] != '\0' && r.line == NULL && r.trace == NULL);
	} else {
		must(jsonl_write_record(&out, &r, NULL, NULL) == 0);
		must(out.used == r.line_size + 1 && r.line_size <= size &&
		     memcmp(out.bytes, data, r.line_size) == 0);
		if (r.kind == RECORD_TRACE)
			check_values(&r);
		check_splice(&r);
	}
	record_fini(&r);
	buf_fini(&out);
	return 0;
}

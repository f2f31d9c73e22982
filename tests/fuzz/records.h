// SPDX-License-Identifier: BSD-2-Clause
/* Any bytes as a file of records. */
#ifndef TESTS_FUZZ_RECORDS_H
#define TESTS_FUZZ_RECORDS_H

#include <stdio.h>

#include "core/record/format.h"
#include "tests/fuzz/fuzz.h"

/* n is not 0; to be closed with fclose. */
static inline FILE *file_of(const void *bytes, size_t n)
{
	FILE *f = fmemopen((void *)(uintptr_t)bytes, n, "r");

	must(f != NULL);
	return f;
}

/* As on_skip, its arg an unsigned: what is skipped is told. */
static inline void count_skip(void *arg, const struct bp_error *err)
{
	must(err->text[0] != '\0' && err->code < 0);
	++*(unsigned *)arg;
}

/* Reads all of the bytes as format, and gives each record to check. */
static inline void read_records(const uint8_t *data, size_t size, const struct format *format,
				void (*check)(const struct record *r))
{
	struct bp_error err = {0};
	struct record_reader reader;
	struct record r;
	unsigned skips = 0;
	FILE *file;
	int rc;

	if (size == 0)
		return;
	file = file_of(data, size);
	record_reader_init(&reader, file, "input", format);
	reader.on_skip = count_skip;
	reader.on_skip_arg = &skips;
	record_init(&r);
	while ((rc = record_read(&reader, &r, &err)) == 0) {
		check(&r);
		record_fini(&r);
	}
	must((rc == BP_EOF || rc == BP_EPARSE) && skips == reader.skipped);
	must(r.trace == NULL && r.names.items == NULL);
	record_reader_fini(&reader);
	fclose(file);
}

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as somebody's CSV: fields end, and hold no control byte and no broken UTF-8. Seeds come
 * from tests/unit/core/test_csvread.c.
 */
#include <stdio.h>
#include <string.h>

#include "core/csvread.h"
#include "core/text.h"
#include "tests/fuzz/fuzz.h"

static void check_field(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n = strlen(text), len;

	for (size_t at = 0; at < n; at += len) {
		len = utf8_length(s + at, n - at);
		must(len > 0 && s[at] >= 0x20 && s[at] != 0x7f);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *f = tmpfile();
	struct csv_reader r;
	struct bp_error err;
	unsigned long line = 0;
	int rc;

	must(f != NULL && fwrite(data, 1, size, f) == size);
	rewind(f);
	csv_reader_init(&r, f, "x");
	while ((rc = csv_read(&r, &err)) == 0) {
		must(r.count >= 1 && r.count <= CSV_FIELDS_MAX && r.line > line);
		line = r.line;
		for (unsigned i = 0; i < r.count; i++)
			check_field(r.fields[i]);
	}
	must(rc == BP_EOF || rc == BP_EPARSE || rc == BP_ERANGE);
	csv_reader_fini(&r);
	fclose(f);
	return 0;
}

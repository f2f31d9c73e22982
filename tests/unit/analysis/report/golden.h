// SPDX-License-Identifier: BSD-2-Clause
/* Text compared byte for byte with a golden file; with GOLDEN_UPDATE in the environment the file is
 * written instead, to be reviewed as a diff. Behind cmocka.h. */
#ifndef TESTS_REPORT_GOLDEN_H
#define TESTS_REPORT_GOLDEN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"

static void golden_compare(const char *path, const struct buf *got)
{
	bool update = getenv("GOLDEN_UPDATE") != NULL;
	FILE *f = fopen(path, update ? "we" : "re");
	char *want;
	size_t n;

	if (f == NULL)
		fail_msg("%s is missing: make golden-update writes it", path);
	if (update) {
		fwrite(got->bytes, 1, got->used, f);
		fclose(f);
		return;
	}
	want = calloc(1, got->used + 4096);
	assert_non_null(want);
	n = fread(want, 1, got->used + 4095, f);
	fclose(f);
	if (n != got->used || memcmp(want, got->bytes, n) != 0)
		fail_msg("%s differs; now:\n%s", path, got->bytes);
	free(want);
}

#endif

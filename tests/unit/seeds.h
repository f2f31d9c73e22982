// SPDX-License-Identifier: BSD-2-Clause
/* Writes a row of a unit table as a seed of tests/fuzz/fuzz_TARGET.c, when FUZZ_SEEDS names the
 * directory of the corpora (scripts/golden-update.sh does). */
#ifndef TESTS_UNIT_SEEDS_H
#define TESTS_UNIT_SEEDS_H

#include <stdio.h>
#include <stdlib.h>

static inline void seed_write(const char *target, const char *table, size_t row,
			      const void *bytes, size_t n)
{
	const char *dir = getenv("FUZZ_SEEDS");
	char path[512];
	FILE *f;

	if (dir == NULL)
		return;
	snprintf(path, sizeof(path), "%s/%s/%s-%02zu", dir, target, table, row);
	f = fopen(path, "w");
	if (f == NULL || fwrite(bytes, 1, n, f) != n || fclose(f) != 0) {
		perror(path);
		abort();
	}
}

#endif

// SPDX-License-Identifier: BSD-2-Clause
/* What every fuzz target has: the entry that libFuzzer and replay.c call, and what must hold. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Also where NDEBUG would take an assert away. */
static inline void must(bool holds)
{
	if (!holds)
		abort();
}

#endif

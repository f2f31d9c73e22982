// SPDX-License-Identifier: BSD-2-Clause
/* Lines of a plan: whatever is accepted is written back and read again as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "prober/plan.h"
#include "tests/fuzz/fuzz.h"

static void check_same(enum plan_line kind, const struct plan_run *run,
		       const struct plan_trace *trace, struct prefix avoid)
{
	struct plan_run run2;
	struct plan_trace trace2;
	struct prefix avoid2;
	enum plan_line kind2;
	struct buf b;

	buf_init(&b);
	if (kind == PLAN_LINE_RUN)
		plan_write_run(&b, run);
	else if (kind == PLAN_LINE_AVOID)
		plan_write_avoid(&b, avoid);
	else
		plan_write_trace(&b, trace);
	if (plan_parse_line(b.bytes, b.used - 1, &kind2, &run2, &trace2, &avoid2, NULL) < 0 ||
	    kind2 != kind ||
	    (kind == PLAN_LINE_RUN ? memcmp(run, &run2, sizeof(run2)) != 0 :
	     kind == PLAN_LINE_AVOID ? !prefix_equal(avoid, avoid2) :
				       memcmp(trace, &trace2, sizeof(trace2)) != 0))
		abort();
	buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t n = newline ? (size_t)(newline - at) : (size_t)(end - at);
		struct bp_error err;
		struct plan_run run;
		struct plan_trace trace;
		struct prefix avoid;
		enum plan_line kind;

		if (plan_parse_line(at, n, &kind, &run, &trace, &avoid, &err) == 0 &&
		    kind != PLAN_LINE_HEADER && kind != PLAN_LINE_END)
			check_same(kind, &run, &trace, avoid);
		at += n + (newline != NULL);
	}
	return 0;
}

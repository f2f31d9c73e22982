// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as a plan in the pipe: cut into lines, put in order, refused with the line's number.
 * The first byte says in pieces of what size they arrive; read so or whole, the plan is the same.
 * Seeds: tests/unit/prober/test_input.c.
 */
#include <string.h>

#include "prober/input.h"
#include "tests/fuzz/fuzz.h"

/* What came of a plan. */
struct heard { unsigned runs, traces, line; uint64_t seqs; int rc; bool cut; };

/* One reading, as run.c's loop does it; the input is as large as what it holds, or smaller. */
static void arrive(struct input *in, const uint8_t **at, size_t *left, size_t piece)
{
	size_t room = sizeof(in->bytes) - in->used, n = *left < piece ? *left : piece;

	if (n > room)
		n = room;
	memcpy(in->bytes + in->used, *at, n);
	in->used += n;
	*at += n;
	*left -= n;
	in->eof = *left == 0;
}

static struct heard follow(const uint8_t *data, size_t size, size_t piece)
{
	struct heard h = {0};
	struct bp_error err = {0};
	struct plan_run run;
	struct plan_trace trace;
	struct input in;
	enum plan_line kind;

	input_init(&in, -1);
	while (h.rc == 0 && !input_done(&in, &h.cut)) {
		if (input_wants(&in))
			arrive(&in, &data, &size, piece);
		while ((h.rc = input_next(&in, &kind, &run, &trace, &err)) > 0) {
			must(kind == PLAN_LINE_RUN || kind == PLAN_LINE_TRACE);
			if (kind == PLAN_LINE_RUN) {
				h.runs++;
				must(h.runs == 1 && h.traces == 0);
				must(run.window <= PLAN_WINDOW_MAX);
				continue;
			}
			must(h.runs == 1 && (h.traces == 0 || trace.seq > h.seqs));
			must(trace.first_ttl >= 1 && trace.first_ttl <= trace.max_ttl);
			must(trace.attempts >= 1 && addr_is_set(trace.dst));
			h.seqs = trace.seq;
			h.traces++;
		}
		must(h.rc == 0 || (err.code == h.rc && strncmp(err.text, "plan, line ", 11) == 0));
		/* Where nothing more comes and nothing is wrong, it is done. */
		must(h.rc < 0 || size > 0 || !in.eof || input_done(&in, &h.cut));
	}
	h.line = in.line;
	input_fini(&in);
	return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { PIECES_MAX = 256 }; /* each is searched for a newline: a byte at a time is slow */
	struct heard whole, pieces;
	size_t piece;

	if (size == 0)
		return 0;
	piece = 1 + data[0];
	if (piece < size / PIECES_MAX)
		piece = size / PIECES_MAX;
	whole = follow(data + 1, size - 1, SIZE_MAX);
	pieces = follow(data + 1, size - 1, piece);
	must(whole.runs == pieces.runs && whole.traces == pieces.traces &&
	     whole.line == pieces.line && whole.seqs == pieces.seqs && whole.rc == pieces.rc);
	return 0;
}

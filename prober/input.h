// SPDX-License-Identifier: BSD-2-Clause
/*
 * The plan as it arrives: bytes from a pipe, lines in their order (header, run, avoids, traces,
 * end), each trace handed over when there is room to measure it. Holds two lines at most, the rest
 * waits in the pipe; and the do-not-probe list of the run, which is whole before the first trace is
 * handed over.
 */
#ifndef PROBER_INPUT_H
#define PROBER_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/prefixset.h"
#include "prober/plan.h"

enum input_state { INPUT_HEADER, INPUT_RUN, INPUT_AVOIDS, INPUT_TRACES, INPUT_ENDED };

struct input {
	int fd;
	uint8_t state;    /* enum input_state */
	bool eof;
	unsigned line;    /* read so far */
	bool any_trace;
	uint64_t last_seq;
	struct prefixset avoid; /* owned; settled once a trace was handed over */
	size_t used;
	char bytes[2 * (PLAN_LINE_MAX + 1)];
};

void input_init(struct input *in, int fd);
void input_fini(struct input *in);
/* Whether reading could help: not ended, and no whole line is there yet. */
bool input_wants(const struct input *in);
/* Reads once what is there; call when poll says so. The end of input or an error sets eof. */
void input_read(struct input *in);
/* The next line that says something. 1: *kind is PLAN_LINE_RUN or PLAN_LINE_TRACE and it is filled;
 * 0: nothing more for now. BP_EPARSE, BP_ERANGE with the line's number: the plan cannot be
 * followed. */
int input_next(struct input *in, enum plan_line *kind, struct plan_run *run,
	       struct plan_trace *trace, struct bp_error *err);
/* Whether all was handed over. *cut: the input ended before the plan's last line. */
bool input_done(const struct input *in, bool *cut);

#endif

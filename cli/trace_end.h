// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a run of `borderpath trace` comes to: the exit code, a line for people where something is
 * not as planned, and the object {"type":"run"} that marks such a run in JSON Lines.
 */
#ifndef CLI_TRACE_END_H
#define CLI_TRACE_END_H

#include <stdint.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/record/frame.h"

struct trace_end {
	const char *vantage;              /* borrowed, as failure */
	struct wall start, end;
	uint64_t planned;                 /* paths, without those left out */
	uint64_t traces, failed, cut;     /* paths taken; of them not measured, interrupted */
	const char *failure;              /* why the first one was not measured */
	uint64_t avoided;                 /* destinations on a do-not-probe list */
	uint64_t wrong;                   /* words and lines of files that name nothing */
	struct frame_end frame;           /* the prober's last word */
};

/* Tells on stderr what is not as planned, a line each (warnings not when quiet); the exit code. */
int trace_end_tell(const struct trace_end *e, bool quiet);
/* Whether the run is marked: interrupted, ended by a failure after something was measured, slowed,
 * or with drops. */
bool trace_end_marked(const struct trace_end *e);
/* Appends {"type":"run",...} and a newline (doc/record.md). */
void trace_end_write(struct buf *out, const struct trace_end *e);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * The line of progress as text: how far, how fast, how long still, what is lost. Decides nothing
 * about the terminal it is shown on.
 */
#ifndef CLI_PROGRESS_LINE_H
#define CLI_PROGRESS_LINE_H

#include <stdint.h>

#include "core/buf.h"
#include "core/record/frame.h"

/* paths: of the whole run; elapsed_ns: since it began; sent_before, before_ns: probes at the line
 * shown last, and how long ago that was, for a prober that tells no rate. Most important first: a
 * narrow terminal cuts the end. No newline. */
void progress_line(struct buf *out, const struct frame_progress *p, uint64_t paths,
		   int64_t elapsed_ns, uint64_t sent_before, int64_t before_ns);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the child says, as it comes out of the pipe. Believes nothing: whoever holds the child's end
 * may write anything, and this program would still print, name and store it. A frame that makes no
 * sense ends the run with one line; half a frame waits for the rest. Reads no descriptor.
 */
#ifndef CAMPAIGN_FRAMES_H
#define CAMPAIGN_FRAMES_H

#include <stdbool.h>

#include "campaign/probe.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/record/frame.h"

struct frames {
	struct buf bytes;     /* not yet understood: append what was read here */
	bool hello, ended;    /* HELLO came; END came, nothing behind it is read */
	bool result;          /* the last frames_take handed a trace or paths over */
	struct frame_end end; /* when ended */
};

void frames_init(struct frames *f);
void frames_fini(struct frames *f);
/* Takes all whole frames of f->bytes and calls r's callbacks for them. BP_EPARSE: not what our
 * child would say; BP_ENOMEM; or what a callback returned. */
int frames_take(struct frames *f, const struct probe_run *r, struct bp_error *err);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * A plan that stands by itself: what its lists of targets (@FILE) and the file of its profile hold
 * is written into it, because no vantage point has those files. As they are now: whoever changes
 * one deploys again. Text to text; what comes out is read back before it is handed out.
 */
#ifndef CAMPAIGN_FLEET_ENCLOSE_H
#define CAMPAIGN_FLEET_ENCLOSE_H

#include <stddef.h>

#include "campaign/plan.h"
#include "core/buf.h"
#include "core/err.h"

/* p: what yaml says, read from the place where it lies. A plan that names no file comes out as it
 * is. A list's line that an entry names itself is that entry's. BP_EPARSE with the list's file and
 * line; BP_ERANGE: more targets, or more bytes, than a fleet's plan may have; else as of the files
 * (BP_ENOTFOUND ...). out is cleared before. */
int enclose_plan(const struct campaign_plan *p, const char *yaml, size_t n, struct buf *out,
		 struct bp_error *err);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * The summary of a run over thousands of destinations: paths counted per network (the profile's
 * unit of verdicts; elsewhere /24 and /48) and per border. Grows with the networks, not with the
 * destinations, and no further than TALLY_NETWORKS_MAX. Owns its memory.
 */
#ifndef ANALYSIS_REPORT_TALLY_H
#define ANALYSIS_REPORT_TALLY_H

#include <stdint.h>

#include "analysis/report/style.h"
#include "core/record/trace.h"
#include "core/record/verdict.h"
#include "geo/profile.h"

/* Networks with a row of their own; those that come later share one. */
enum { TALLY_NETWORKS_MAX = 1024, TALLY_KINDS = VERDICT_BORDERS_MAX + 6 };

struct tally_row;

struct tally {
	struct tally_row *rows;  /* owned, sorted by network; the last of all is for the rest */
	uint32_t count, room;
	char kinds[TALLY_KINDS][VERDICT_ID_TEXT]; /* border ids and outcomes, as they first came */
	uint32_t kind_count;
	bool failed;             /* something is not counted for want of memory */
};

/* A zeroed struct is an empty tally. */
void tally_fini(struct tally *s);
void tally_add(struct tally *s, const struct trace *t, const struct verdict *v,
	       const struct profile *p);
/* The rows under a heading, a line with the sums, and an empty line; nothing when nothing came. */
void tally_write(struct buf *out, const struct style *style, const struct tally *s,
		 const struct profile *p);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * One line a destination, for a run over several: where it lies, how it was asked, the border and
 * how sure that is, whether it answered. Columns are as wide as what stands in them, so the lines
 * are kept until they are drawn. Owns its memory.
 */
#ifndef ANALYSIS_REPORT_SUMMARY_H
#define ANALYSIS_REPORT_SUMMARY_H

#include "analysis/report/style.h"
#include "analysis/report/table.h"
#include "core/record/trace.h"
#include "core/record/verdict.h"
#include "geo/profile.h"

/* A zeroed struct is an empty summary. */
struct report_summary {
	struct table table; /* owned */
};

void report_summary_fini(struct report_summary *s);
void report_summary_add(struct report_summary *s, const struct trace *t, const struct verdict *v,
			const struct profile *p);
/* Moves the lines of `from` to the end of `to`. */
void report_summary_move(struct report_summary *to, struct report_summary *from);
/* The lines under a heading, and an empty line behind them; nothing when there are none. */
void report_summary(struct buf *out, const struct style *style, const struct report_summary *s);

#endif

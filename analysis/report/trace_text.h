// SPDX-License-Identifier: BSD-2-Clause
/*
 * One trace for people: an aligned table of hops, the border drawn where it is crossed, the verdict
 * in a sentence with its reasons. Nothing is printed that was not measured.
 */
#ifndef ANALYSIS_REPORT_TRACE_TEXT_H
#define ANALYSIS_REPORT_TRACE_TEXT_H

#include "analysis/report/style.h"
#include "core/record/names.h"
#include "core/record/trace.h"
#include "core/record/verdict.h"
#include "geo/profile.h"

/* The whole trace. with_names: host names are shown. verbose: every line of evidence, refusals. */
void report_trace(struct buf *out, const struct style *s, const struct trace *t,
		  const struct names *names, const struct verdict *v, const struct profile *p,
		  bool with_names, bool verbose);

/* The line above it: who was measured, how, from where, when. */
void report_head(struct buf *out, const struct style *s, const struct trace *t);

/* The verdict in one sentence, no newline: "TCP into 175.45.176.0/24 enters by ...". */
void report_verdict(struct buf *out, const struct style *s, const struct trace *t,
		    const struct verdict *v, const struct profile *p);

/* The reasons, a line each: the weightiest few, or all. */
void report_evidence(struct buf *out, const struct style *s, const struct verdict *v,
		     const struct profile *p, bool all);

/* What is measured and what is not, REPORTS "Always". */
void report_always(struct buf *out, const struct style *s, const struct profile *p);

/* "0.97", and ">0.99" beyond: no verdict is certain. */
void report_confidence(double p, char *out, size_t size);

#endif

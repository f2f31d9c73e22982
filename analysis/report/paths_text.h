// SPDX-License-Identifier: BSD-2-Clause
/*
 * All paths to one target for people: a line for each node in order of TTL, with how many flows
 * pass it and where they come from; what the search is sure of; the flows on each border; the
 * verdict over them.
 */
#ifndef ANALYSIS_REPORT_PATHS_TEXT_H
#define ANALYSIS_REPORT_PATHS_TEXT_H

#include "analysis/paths.h"
#include "analysis/report/style.h"
#include "core/record/names.h"
#include "core/record/verdict.h"
#include "geo/profile.h"

/* p has at least one trace, and was searched; v: over its flows. Ends with a newline. */
void report_paths(struct buf *out, const struct style *s, const struct paths *p,
		  const struct names *names, const struct verdict *v, const struct profile *profile,
		  bool with_names, bool verbose);

#endif

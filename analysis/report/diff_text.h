// SPDX-License-Identifier: BSD-2-Clause
/*
 * A diff for people: the sentences of REPORTS first, then one table of vantage points and networks.
 * Nothing is said that was not compared; too little data is said as such, never as "no change".
 */
#ifndef ANALYSIS_REPORT_DIFF_TEXT_H
#define ANALYSIS_REPORT_DIFF_TEXT_H

#include "analysis/diff.h"
#include "analysis/report/style.h"
#include "geo/profile.h"

/* verbose: also the targets under each row, and where a changed path parts. */
void report_diff(struct buf *out, const struct style *s, const struct diff *d,
		 const struct profile *p, bool verbose);

#endif

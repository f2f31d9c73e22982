// SPDX-License-Identifier: BSD-2-Clause
/*
 * A report for people at a terminal: how it stands, from where, what share, what happened. Fits 80
 * columns, and leaves out the least important down to 40.
 */
#ifndef ANALYSIS_REPORT_REPORT_TEXT_H
#define ANALYSIS_REPORT_REPORT_TEXT_H

#include "analysis/report.h"
#include "analysis/report/style.h"

void report_text(struct buf *out, const struct style *s, const struct report *r);

#endif

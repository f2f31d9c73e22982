// SPDX-License-Identifier: BSD-2-Clause
/*
 * Events for people, oldest first: when, what, how sure, and the sentence. No events is a line that
 * says so.
 */
#ifndef ANALYSIS_REPORT_EVENTS_TEXT_H
#define ANALYSIS_REPORT_EVENTS_TEXT_H

#include "analysis/report/style.h"
#include "core/record/event.h"
#include "geo/profile.h"

/* A heading line and a sentence each, wrapped; what happened to several networks at once
 * is told once. */
void events_text(struct buf *out, const struct style *s, const struct event *const *events,
		 unsigned count, const struct profile *p);
/* The line behind them that counts: "17 events in 7 paragraphs.", or that there are none. */
void events_count(struct buf *out, const struct event *const *events, unsigned count);

#endif

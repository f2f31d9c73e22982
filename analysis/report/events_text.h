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

/* One event: a heading line and its sentence, wrapped. For `events` that follow as they come. */
void event_text(struct buf *out, const struct style *s, const struct event *e,
		const struct profile *p);
/* All of them, with a line behind them that counts. */
void events_text(struct buf *out, const struct style *s, const struct event *events,
		 unsigned count, const struct profile *p);

#endif

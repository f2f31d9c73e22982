// SPDX-License-Identifier: BSD-2-Clause
/*
 * Events as people read them: what happened to several networks within the same moments is told
 * once, under one number. In records and in JSON each stays what it is. Finds no events.
 */
#ifndef ANALYSIS_REPORT_EVENT_JOIN_H
#define ANALYSIS_REPORT_EVENT_JOIN_H

#include "core/record/event.h"

/* Whether b tells of another prefix what a tells of its own: kind, status, moments, states, who saw
 * it are the same. */
bool event_together(const struct event *a, const struct event *b);
/* How many of the n >= 1 events that begin there are told as one. */
unsigned event_run(const struct event *events, unsigned n);
/* Adds b's prefix to *sum, a copy of an event it is together with; its sentence is made anew. */
void event_join(struct event *sum, const struct event *b);
/* Whether it happened to that prefix, as that vantage point (NULL: any) saw it. */
bool event_concerns(const struct event *e, struct prefix p, const char *vantage);

#endif

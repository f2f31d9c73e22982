// SPDX-License-Identifier: BSD-2-Clause
/*
 * The sentences of REPORTS, for people who quote them: each from a value, each ends with a full
 * stop and without a newline. Nothing is said that was not measured; unknown parts are left out.
 * Text only: who prints it escapes it.
 */
#ifndef ANALYSIS_SENTENCE_H
#define ANALYSIS_SENTENCE_H

#include "analysis/diff.h"
#include "analysis/power.h"
#include "analysis/report.h"
#include "core/record/event.h"

/* What happened, by kind: "Between 09:00 and 09:15 UTC on ...". networks_of: judge prefixes of the
 * network, 0 not known. */
void sentence_event(struct buf *out, const struct event *e, const struct profile *p,
		    unsigned networks_of);
/* The same into e->summary, cut to fit; for those who send events on. */
void sentence_summary(struct event *e, const struct profile *p, unsigned networks_of);
/* "As of T UTC, only .178 enters via TransTeleCom; ...". */
void sentence_now(struct buf *out, const struct report *r);

/* A border switch of a diff; its round-trip times; its reachability; its path. */
void sentence_move(struct buf *out, const struct diff *d, const struct diff_move *m,
		   const struct profile *p);
void sentence_rtt(struct buf *out, const struct diff_row *r);
void sentence_reach(struct buf *out, const struct diff_row *r);
void sentence_path(struct buf *out, const struct diff_row *r);
/* Borders that look different, and not surely so: "it is too uncertain to say ..." Nothing where there
 * are none. Returns whether there are. */
bool sentence_open(struct buf *out, const struct diff *d);
/* Nothing changed; with power (NULL: not known), what would have been seen. */
void sentence_none(struct buf *out, const struct diff *d, const struct power *power);
/* Nothing happened in the window of a report. */
void sentence_quiet(struct buf *out, const struct report *r);

/* The commonest way that traces of a side ended. */
enum reach sentence_side_reach(const struct diff_side *side);

/* Judge prefixes of the profile's network in IPv4 (in IPv6 there may be 2^16 of them): for
 * networks_of. */
unsigned sentence_networks(const struct profile *p);

#endif

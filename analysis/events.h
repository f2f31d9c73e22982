// SPDX-License-Identifier: BSD-2-Clause
/*
 * EVENTS: what changed, out of cells (analysis/series.h), as they come and with the same answers
 * when everything is read again. Border switches and path changes by sets of flows; outages by
 * class and scope; shifts of the delay (analysis/shift.h) and what they coincide with; a shift
 * without a change of the forward path is return_path_suspected. Vantage points are put together:
 * one event with seen_by of seen_of. Hysteresis and states as REPORTS "Alerts" says. Pure: no clock
 * but that of the cells.
 *
 * Never an event: what one flow shows, load balancing, a router that answers from either side, a
 * silent hop, a gap, a vantage point that was offline or moved to another upstream (its changes in
 * that round are not counted; it is told as an event of scope vantage), an undetermined verdict.
 */
#ifndef ANALYSIS_EVENTS_H
#define ANALYSIS_EVENTS_H

#include "analysis/series.h"
#include "core/record/event.h"

struct events_options {
	const struct profile *profile; /* borrowed */
	unsigned raise_rounds;     /* 0: 2; a change is confirmed by so many rounds, or by one seen
				    * from two vantage points */
	unsigned clear_rounds;     /* 0: 3; an outage is over after so many */
	unsigned flap_changes;     /* 0: 4 */
	int64_t flap_ns;           /* so many changes within it are one flapping. 0: an hour, or
				    * four rounds where these are less than a minute apart (time
				    * that runs faster: a laboratory's) */
	int64_t flap_again_ns;     /* 0: 15 minutes; its revisions are no closer than this */
	bool sensitive;            /* of the shift detector */
	bool no_shifts;            /* for those who look at borders only */
};

struct events;
/* on_event gets each revision, in the order of `seen`; borrowed. Negative stops and is returned. */
int events_new(const struct events_options *o, const struct series *s, const struct nodes *nodes,
	       int (*on_event)(void *arg, const struct event *e), void *arg, struct events **out);
void events_free(struct events *e);
/* A cell, as series hands them out; vantage points no more than two rounds apart. Prefixes outside
 * the profile's network only tell how the vantage point is. */
int events_cell(struct events *e, const struct cell *c);
/* Cells up to this moment are in: what no further cell can change is told. The daemon calls it
 * after each round, readers of files and stores at the end (events_end does). */
int events_settle(struct events *e, struct wall until);
/* Nothing more comes: shifts that wait for more points are decided with what there is. */
int events_end(struct events *e);

/* How it stands now, per key: for closer looks, metrics, the live view. */
struct events_now {
	bool suspected;            /* a provisional event is open here */
	uint8_t suspected_kind;    /* enum event_kind */
	bool vantage_down;         /* its vantage point is: that is no outage of the key's */
	unsigned active;           /* bits 1 << enum event_kind: outage, flapping not over; changes
				    * confirmed less than clear_rounds rounds ago */
};
void events_now(const struct events *e, const struct series_key *key, struct events_now *out);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * METRICS for Prometheus (REPORTS "Metrics", doc/metrics.md): what campaigns last saw and what they
 * counted, as one page of text, served on a local port (libmicrohttpd, no thread: stepped from the
 * poll loop) and written to a textfile (atomically). Every series carries campaign and vantage, so
 * that pages of several processes can lie side by side; no address, hash or time is a label. Knows
 * no store and no engine; forgets nothing but what is no longer measured.
 */
#ifndef CAMPAIGN_METRICS_H
#define CAMPAIGN_METRICS_H

#include <poll.h>
#include <stdint.h>

#include "analysis/events.h"
#include "analysis/series.h"
#include "campaign/alert.h"
#include "core/buf.h"
#include "core/record/round.h"
#include "geo/geo.h"
#include "geo/profile.h"

enum {
	METRICS_GROUPS_MAX = 256,  /* (campaign, vantage) */
	METRICS_KEYS_MAX = 1024,   /* (prefix, method) of one; how many are left out is told */
	METRICS_IDLE_ROUNDS = 3,   /* whole rounds without a word of it, and a key is forgotten */
};

struct metrics;
/* BP_ENOMEM. */
int metrics_new(struct metrics **out);
void metrics_free(struct metrics *m);
/* A campaign as it was read, from its own vantage point; at the start and whenever it was read
 * again: what was counted stays. Where the profile's borders are others, their prefixes begin anew.
 * Nothing is borrowed. BP_ENOMEM, BP_ERANGE: too many. */
int metrics_campaign(struct metrics *m, const char *campaign, const char *vantage,
		     const struct profile *p, int64_t every_ns, struct wall now);
/* As they come. Destinations outside the network have no series. What is of a campaign that was
 * not named above is nothing; another vantage point of one that was gets series of its own. */
void metrics_cell(struct metrics *m, const struct cell *c, const struct events_now *now);
void metrics_round(struct metrics *m, const struct round *r);
/* A round of an earlier process: how old what is known is, and how we were. Nothing is counted. */
void metrics_recall(struct metrics *m, const struct round *r);
/* Of the prober, over its run: not of traces, which share these counts among them. */
void metrics_refused(struct metrics *m, const char *campaign, const char *vantage,
		     const struct refused *r);
/* Each revision: an event is counted once, when it is first confirmed. */
void metrics_event(struct metrics *m, const char *campaign, const char *vantage,
		   const struct event *e);
/* When the databases were built. */
void metrics_geo(struct metrics *m, const char *campaign, const char *vantage, const struct geo *g);
/* Traces that the store has not taken yet. */
void metrics_spool(struct metrics *m, const char *campaign, const char *vantage, uint64_t traces);
/* Of the hooks, since they were opened; one that was opened anew counts from 0 again, the page goes
 * on. */
void metrics_alerts(struct metrics *m, const char *campaign, const char *vantage,
		    const struct alert_counts *c);
/* The whole page, text format 0.0.4, in an order that does not change; campaign: only what is of
 * it, NULL: all. */
void metrics_put(const struct metrics *m, const char *campaign, struct buf *out);

/* listen: ADDRESS:PORT or [ADDRESS]:PORT, as a plan has it. GET and HEAD of /metrics, nothing else;
 * METRICS_CONNECTIONS_MAX at a time, each gone after METRICS_PATIENCE_S whatever it does. BP_EIO
 * and BP_EPERM with what to do (port taken). m is borrowed. */
enum { METRICS_CONNECTIONS_MAX = 16, METRICS_PATIENCE_S = 10 };
struct metrics_server;
int metrics_serve(const struct metrics *m, const char *listen, struct metrics_server **out,
		  struct bp_error *err);
void metrics_server_free(struct metrics_server *s);
/* For the poll loop: fills at most max entries, returns how many; *wake is lowered to when
 * metrics_server_step wants to be called again. */
unsigned metrics_server_poll(struct metrics_server *s, struct pollfd *fds, unsigned max,
			     struct mono *wake);
/* Takes what has come, answers; never waits. */
void metrics_server_step(struct metrics_server *s);
/* FILE.tmp, then renamed; mode 0644. campaign as for metrics_put. BP_ENOMEM, and what the system
 * said. */
int metrics_textfile(const struct metrics *m, const char *campaign, const char *file,
		     struct bp_error *err);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * METRICS for Prometheus (REPORTS "Metrics"): one page of text made of what the campaign last saw,
 * served on a local port (libmicrohttpd, no thread: stepped from the poll loop) and written to a
 * textfile (atomically). Names, base units and labels as REPORTS says; never an address as a label.
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

struct metrics;
int metrics_new(const struct profile *p, struct metrics **out);
void metrics_free(struct metrics *m);
/* As they come. */
void metrics_cell(struct metrics *m, const struct cell *c, const struct events_now *now);
void metrics_round(struct metrics *m, const struct round *r);
void metrics_refused(struct metrics *m, const char *campaign, const char *vantage,
		     const struct refused *r);
void metrics_event(struct metrics *m, const char *campaign, const struct event *e);
void metrics_geo(struct metrics *m, const struct geo_source *g);
void metrics_spool(struct metrics *m, const char *campaign, uint64_t traces);
void metrics_alerts(struct metrics *m, const char *campaign, const struct alert_counts *c);
/* The whole page, text format 0.0.4. */
void metrics_put(const struct metrics *m, struct buf *out);

/* listen: ADDRESS:PORT; only loopback and private addresses unless the plan names another on
 * purpose. BP_EIO with what to do (port taken). */
struct metrics_server;
int metrics_serve(const struct metrics *m, const char *listen, struct metrics_server **out,
		  struct bp_error *err);
void metrics_server_free(struct metrics_server *s);
unsigned metrics_server_poll(struct metrics_server *s, struct pollfd *fds, unsigned max,
			     struct mono *wake);
void metrics_server_step(struct metrics_server *s);
/* FILE.tmp, then renamed. BP_EIO. */
int metrics_textfile(const struct metrics *m, const char *file, struct bp_error *err);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * ALERTS: events handed to people: a program that is run (exec), a webhook (libcurl: signed,
 * retried, spooled), an Alertmanager. One change, one alert (REPORTS "Alerts"). What is to be
 * delivered lies in an outbox directory, a file each, fsynced before the event counts as told, and
 * goes when the receiver has taken it: after a crash on either side every alert still comes, with
 * the id it had. Never blocks the caller: one multi handle, stepped from the poll loop. Knows no
 * engine.
 *
 * Which events: confirmed ones at their first revision that is confirmed; the last revision of an
 * outage or a flapping (resolved); a flapping's updates. Provisional and withdrawn ones never.
 */
#ifndef CAMPAIGN_ALERT_H
#define CAMPAIGN_ALERT_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "campaign/plan.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/record/event.h"

enum alert_hook { ALERT_EXEC, ALERT_WEBHOOK, ALERT_HOOKS };
struct alert_counts { /* for metrics, by hook: deliveries by result, and what waits */
	uint64_t ok[ALERT_HOOKS], failed[ALERT_HOOKS], dropped[ALERT_HOOKS], waiting[ALERT_HOOKS];
};

struct alert;
/* dir: the outbox, made when it is not there; what lies in it is taken up again. The plan's alerts
 * section is copied. BP_EINVAL with file:line words where it makes no sense, BP_EIO. */
int alert_open(const struct campaign_plan *p, const char *dir,
	       void (*on_note)(void *arg, const char *text), void *arg, struct alert **out,
	       struct bp_error *err);
/* What is under way is given up and stays in the outbox. */
void alert_close(struct alert *a);
/* Puts the event into the outbox of each hook if it is one to be told and was not told before (by
 * id; the outbox remembers what it told). 0 also when nothing is to be told. BP_EIO. */
int alert_event(struct alert *a, const struct event *e, struct bp_error *err);
/* For the poll loop: fills at most max entries, returns how many; *wake is lowered to when
 * alert_step wants to be called again. */
unsigned alert_poll(struct alert *a, struct pollfd *fds, unsigned max, struct mono *wake);
/* Starts what is due, takes what is done. */
void alert_step(struct alert *a);
/* Tries everything now and waits for the outcome, at most limit_ns: for `once`. Returns how many
 * still wait. */
unsigned alert_flush(struct alert *a, int64_t limit_ns);
void alert_count(const struct alert *a, struct alert_counts *out);

/* The bodies. severity: "critical" for outages, "warning" for switches and flapping, "info" for
 * the rest. url may be empty. */
struct buf;
void alert_body_event(struct buf *out, const struct event *e, const char *url);
void alert_body_alertmanager(struct buf *out, const struct event *e, const char *campaign,
			     const char *url);

#endif

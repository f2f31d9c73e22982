// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the events of a plan set going: each committed round is handed to its watch, each event that
 * is new to those who are to be told. A watch that cannot read, an outbox that takes nothing, are
 * told once and tried again with the next round: they keep nobody from measuring.
 */
#include "campaign/run_inside.h"

#include <limits.h>
#include <string.h>

#include "campaign/alert.h"
#include "campaign/place.h"
#include "campaign/watch.h"

#define ONCE_PATIENCE_NS (60 * NS_PER_S)

/* Told when it begins, and when it is over. */
static void trouble(struct run_desk *d, const struct bp_error *err)
{
	if (err == NULL) {
		if (d->watch_told[0] != '\0')
			run_note(d->run, d, "events are looked for again");
		d->watch_told[0] = '\0';
		return;
	}
	if (strcmp(d->watch_told, err->text) == 0)
		return;
	text_set(d->watch_told, sizeof(d->watch_told), err->text);
	run_note(d->run, d, "%s; events of this round wait for the next", err->text);
}

static void alert_note(void *arg, const char *text)
{
	struct run_desk *d = arg;

	run_note(d->run, d, "%s", text);
}

static int on_event(void *arg, const struct event *e, struct bp_error *err)
{
	struct run_desk *d = arg;
	const struct campaign_events *told = &d->run->o->events;

	run_metrics_event(d, e);
	if (told->on_event != NULL)
		told->on_event(told->arg, d->book->plan, e);
	return d->alert != NULL ? alert_event(d->alert, e, err) : 0;
}

static void on_cell(void *arg, const struct cell *c, const struct events_now *now, bool recalled)
{
	struct run_desk *d = arg;

	run_metrics_cell(d, c, now);
	/* What a store that refused for hours takes now is no longer news. */
	if (!recalled && c->state == CELL_MEASURED &&
	    wall_now().ns - c->end.ns <= d->book->plan->every_ns)
		run_look_suspect(d, c->key, now);
}

static void on_breath(void *arg)
{
	struct run_desk *d = arg;

	run_breathe(d->run);
}

/* The outbox is beside the store, where the lock is: it is of the campaign, not of a spool that may
 * be in memory. */
static void open_alert(struct run_desk *d)
{
	const struct campaign_plan *p = d->book->plan;
	char dir[PLACE_TEXT];
	struct bp_error err;

	if (p->alerts &&
	    alert_open(p, place_outbox(d->keep->path, p, dir), alert_note, d, &d->alert, &err) < 0)
		run_note(d->run, d, "alerts are not told: %s", err.text);
}

void run_watch_open(struct run_desk *d)
{
	const struct watch_hooks hooks = {.on_event = on_event, .on_cell = on_cell,
					  .on_breath = on_breath, .arg = d};
	const struct campaign_plan *p = d->book->plan;
	const struct watch_options options = {.campaign = p->campaign,
					      .vantage = p->vantage,
					      .profile = d->book->profile,
					      .every_ns = p->every_ns,
					      .flapping_ns = p->flapping_ns};

	d->watch_told[0] = '\0';
	if (watch_new(&options, &hooks, &d->watch) < 0) {
		run_note(d->run, d, "events are not looked for: out of memory");
		return;
	}
	open_alert(d);
}

void run_watch_close(struct run_desk *d)
{
	unsigned left;

	if (d->alert != NULL && d->run->o->once) {
		left = alert_flush(d->alert, ONCE_PATIENCE_NS);
		if (left > 0)
			run_note(d->run, d, "%u alert%s not delivered: kept, and tried by the next "
				 "run", left, left == 1 ? " is" : "s are");
	}
	run_metrics_write(d);
	alert_close(d->alert);
	watch_free(d->watch);
	d->alert = NULL;
	d->watch = NULL;
}

void run_watch_recall(struct run_desk *d)
{
	struct bp_error err;

	if (d->watch == NULL || d->keep->store == NULL)
		return;
	if (watch_recall(d->watch, d->keep->store, wall_now(), &err) < 0)
		trouble(d, &err);
}

void run_watch_round(struct run_desk *d, const struct round *r)
{
	struct bp_error err;

	if (d->watch == NULL || d->keep->store == NULL)
		return;
	trouble(d, watch_round(d->watch, d->keep->store, r, wall_now(), &err) < 0 ? &err : NULL);
	d->run->now = mono_now();
}

void run_watch_poll(struct run *run, struct pollfd *fds, unsigned max)
{
	unsigned n = 0;

	for (unsigned i = 0; i < run->desk_count; i++) {
		if (run->desks[i].alert != NULL)
			n += alert_poll(run->desks[i].alert, fds + n, max - n, &run->wake);
	}
}

void run_watch_step(struct run *run)
{
	for (unsigned i = 0; i < run->desk_count; i++) {
		if (run->desks[i].alert != NULL)
			alert_step(run->desks[i].alert);
	}
}

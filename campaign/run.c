// SPDX-License-Identifier: BSD-2-Clause
/*
 * The daemon's loop: takes signals, looks at the clocks, the rounds under way, the prober and the
 * store, in that order, and sleeps until one of them wants to be asked again.
 */
#include "campaign/run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "campaign/run_inside.h"
#include "campaign/targets.h"

/* A second signal sooner than this is the same request: timeout(1) signals a process and its
 * group. */
#define IMPATIENCE_NS (NS_PER_S / 2)
#define STOP_AT_ONCE_NS (3 * NS_PER_S)

void run_wake(struct run *run, struct mono when)
{
	run->wake = mono_min(run->wake, when);
}

void run_note(struct run *run, const struct run_desk *desk, const char *fmt, ...)
{
	const struct campaign_events *e = &run->o->events;
	char text[BP_ERROR_TEXT + ROUND_ID_TEXT], clean[sizeof(text)];
	va_list ap;

	if (e->on_note == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* One line, whatever a file or the prober put into it. */
	text_set(clean, sizeof(clean), text);
	e->on_note(e->arg, desk != NULL && desk->book != NULL ? desk->book->plan : NULL, clean);
}

/* --- signals and clocks ----------------------------------------------------------------------- */

struct before { sigset_t mask; bool masked; };

static int watch_signals(struct run *run, struct before *before, struct bp_error *err)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGHUP);
	sigprocmask(SIG_BLOCK, &mask, &before->mask);
	before->masked = true;
	run->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (run->signals < 0)
		return bp_fail_sys(err, errno, "cannot watch for signals");
	return 0;
}

static void unwatch_signals(struct run *run, const struct before *before)
{
	struct signalfd_siginfo info;

	/* One that still waits was meant for the run: it must not end what follows. */
	while (run->signals >= 0 &&
	       read(run->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		;
	if (run->signals >= 0)
		close(run->signals);
	if (before->masked)
		sigprocmask(SIG_SETMASK, &before->mask, NULL);
}

/* A timer that never runs out, but is cancelled when somebody sets the clock. */
static void watch_clock(struct run *run)
{
	struct itimerspec never = {.it_value.tv_sec = INT32_MAX};

	if (run->timer < 0)
		run->timer = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (run->timer >= 0 &&
	    timerfd_settime(run->timer, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never,
			    NULL) < 0 && errno != ECANCELED) {
		/* Then a step is seen at the next look, within a minute. */
		close(run->timer);
		run->timer = -1;
	}
}

static void on_stop(struct run *run)
{
	if (run->stops > 0 && mono_since(run->now, run->stopped) < IMPATIENCE_NS)
		return;
	run->stopped = run->now;
	if (++run->stops > 1)
		return;
	run_notify_stopping(run);
	run->stop_limit = mono_add(run->now, RUN_STOP_NS);
	if (run->out > 0)
		run_note(run, NULL, "stopping: %u measurements are in flight, %d s at most (again: "
			 "at once)", run->out, (int)(RUN_STOP_NS / NS_PER_S));
	for (struct run_round *x = run->rounds; x != NULL; x = x->next)
		run_round_cut(x, ROUND_WHY_STOPPED, "told to stop");
}

static void take_signals(struct run *run)
{
	struct signalfd_siginfo info;

	while (read(run->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			run->reload = true;
		else
			on_stop(run);
	}
}

/* What is in flight has had its time: the prober hands over what it has, or nothing. */
static void press_on(struct run *run)
{
	struct run_child *c = &run->child;

	if (run->stops == 0 || c->probe == NULL || run->rounds == NULL)
		return;
	if (!mono_reached(run->now, run->stop_limit)) {
		run_wake(run, run->stop_limit);
		return;
	}
	if (!c->stopped)
		probe_stop(c->probe);
	else
		probe_kill(c->probe);
	c->killed = c->stopped;
	c->stopped = true;
	run->stop_limit = mono_add(run->now, STOP_AT_ONCE_NS);
	run_wake(run, run->stop_limit);
}

static int read_avoid(struct run *run, struct bp_error *err)
{
	struct prefixset set = {0};
	int rc = targets_load_avoid(&set, run->o->avoid, err);

	if (rc < 0) {
		prefixset_fini(&set);
		return rc;
	}
	prefixset_fini(&run->avoid);
	run->avoid = set;
	return 0;
}

static void reload(struct run *run)
{
	struct bp_error err;

	run->reload = false;
	run_notify_reloading(run);
	if (read_avoid(run, &err) < 0)
		run_note(run, NULL, "not reloaded, the old one stays: %s", err.text);
	for (unsigned i = 0; i < run->desk_count; i++) {
		/* Who asks is answered, whatever was told before. */
		run->desks[i].reload = (struct mono){0};
		(void)run_desk_reload(&run->desks[i]);
	}
	run_metrics_ports(run);
	run->child.renew = run->child.probe != NULL;
	run_notify_ready(run);
}

/* Plans that did not read for what may have passed. */
static void reload_again(struct run *run)
{
	bool any = false;

	for (unsigned i = 0; i < run->desk_count; i++) {
		struct run_desk *d = &run->desks[i];

		if (d->reload.ns == 0)
			continue;
		if (mono_reached(run->now, d->reload))
			any |= run_desk_reload(d);
		if (d->reload.ns != 0)
			run_wake(run, d->reload);
	}
	if (!any)
		return;
	run_metrics_ports(run);
	run->child.renew = run->child.probe != NULL;
}

/* --- the loop --------------------------------------------------------------------------------- */

static void poll_once(struct run *run)
{
	enum { FDS = PROBE_FDS + 2 + RUN_FDS_MAX };
	struct pollfd fds[FDS];
	struct timespec pause;
	unsigned ports;
	int64_t wait_ns;
	uint64_t ignored;

	for (int i = 0; i < FDS; i++)
		fds[i].fd = -1;
	fds[PROBE_FDS] = (struct pollfd){.fd = run->signals, .events = POLLIN};
	fds[PROBE_FDS + 1] = (struct pollfd){.fd = run->timer, .events = POLLIN};
	ports = run_metrics_poll(run, fds + PROBE_FDS + 2, RUN_FDS_MAX);
	run_watch_poll(run, fds + PROBE_FDS + 2 + ports, RUN_FDS_MAX - ports);
	if (run->child.probe != NULL)
		probe_fds(run->child.probe, fds);
	run->now = mono_now();
	wait_ns = mono_reached(run->now, run->wake) ? 0 : mono_since(run->wake, run->now);
	pause = (struct timespec){.tv_sec = wait_ns / NS_PER_S, .tv_nsec = wait_ns % NS_PER_S};
	if (ppoll(fds, FDS, &pause, NULL) < 0)
		return;
	run->now = mono_now();
	if (fds[PROBE_FDS].revents)
		take_signals(run);
	if (fds[PROBE_FDS + 1].revents) {
		(void)(read(run->timer, &ignored, sizeof(ignored)) < 0);
		watch_clock(run);
	}
	run_child_step(run, fds);
	run_watch_step(run);
	run_metrics_step(run, fds + PROBE_FDS + 2, ports);
}

void run_breathe(struct run *run)
{
	struct pollfd fds[PROBE_FDS];
	struct timespec none = {0};

	run->now = mono_now();
	if (mono_since(run->now, run->breath) < RUN_BREATH_NS)
		return;
	run->breath = run->now;
	run_notify_watchdog(run);
	if (run->child.probe == NULL)
		return;
	probe_fds(run->child.probe, fds);
	if (ppoll(fds, PROBE_FDS, &none, NULL) > 0)
		run_child_step(run, fds);
}

static void tick(struct run *run)
{
	const struct campaign_events *e = &run->o->events;
	struct spool_state state;

	if (e->tick_ns == 0 || e->on_look == NULL)
		return;
	run_wake(run, mono_add(run->ticked, e->tick_ns));
	if (mono_since(run->now, run->ticked) < e->tick_ns)
		return;
	run->ticked = run->now;
	for (unsigned i = 0; i < run->desk_count; i++) {
		const struct run_desk *d = &run->desks[i];

		spool_state(d->spool, &state);
		e->on_look(e->arg, d->book->plan, schedule_next(&d->schedule, wall_now()),
			   state.rounds - (state.rounds > 0 && d->round != NULL));
	}
}

static bool is_over(const struct run *run)
{
	if (run->stops > 1)
		return true;
	if (run->rounds != NULL || run->child.probe != NULL)
		return false;
	for (unsigned i = 0; run->stops == 0 && i < run->desk_count; i++) {
		if (!run->desks[i].over || run->desks[i].retiring)
			return false;
	}
	return true;
}

static void follow(struct run *run)
{
	uint64_t ended;

	for (;;) {
		run->now = mono_now();
		run->wake = mono_add(run->now, RUN_LOOK_NS);
		if (run->reload && run->stops == 0)
			reload(run);
		if (run->stops == 0)
			reload_again(run);
		for (unsigned i = 0; run->stops == 0 && i < run->desk_count; i++) {
			if (run->o->once)
				run_desk_once(&run->desks[i]);
			else
				run_desk_look(&run->desks[i]);
			run_look_begin(&run->desks[i]);
		}
		press_on(run);
		ended = run->ended;
		run_rounds_look(run);
		run_child_look(run);
		run_keep_look(run, run->ended != ended);
		run_metrics_look(run);
		run_notify_watchdog(run);
		run_notify_status(run);
		tick(run);
		if (is_over(run))
			return;
		poll_once(run);
	}
}

/* --- beginning and end ------------------------------------------------------------------------ */

/* One prober, so that its caps hold for all plans; and a prober is one vantage point. */
static int check_vantage(const struct run *run, struct bp_error *err)
{
	const struct campaign_plan *first = run->desks[0].book->plan;

	for (unsigned i = 1; i < run->desk_count; i++) {
		const struct campaign_plan *p = run->desks[i].book->plan;

		if (strcmp(first->vantage, p->vantage) != 0)
			return bp_fail(err, BP_EINVAL, "%s measures as %s, %s as %s: the plans of "
				       "one process are of one vantage point; run them apart",
				       first->file, first->vantage, p->file, p->vantage);
	}
	return 0;
}

static int open_all(struct run *run, struct bp_error *err)
{
	const struct campaign_options *o = run->o;
	int rc = read_avoid(run, err);

	/* Addresses need none. */
	if (rc == 0 && lookup_open(&run->lookup, err) < 0)
		run->lookup = NULL;
	run->desks = calloc(o->plan_count, sizeof(run->desks[0]));
	if (rc == 0 && run->desks == NULL)
		rc = bp_fail(err, BP_ENOMEM, "out of memory");
	for (unsigned i = 0; rc == 0 && i < o->plan_count; i++) {
		rc = run_desk_open(run, &run->desks[i], o->plans[i], err);
		run->desk_count++;
	}
	if (rc == 0)
		rc = check_vantage(run, err);
	if (rc == 0)
		rc = run_metrics_check(run, err);
	if (rc < 0)
		return rc;
	run_metrics_init(run);
	for (unsigned i = 0; i < o->plan_count; i++)
		run_metrics_desk(&run->desks[i]);
	for (unsigned i = 0; i < o->plan_count; i++)
		run_desk_begin(&run->desks[i]);
	run_metrics_ports(run);
	return 0;
}

int campaign_run(const struct campaign_options *o, struct campaign_result *out,
		 struct bp_error *err)
{
	struct run *run = calloc(1, sizeof(*run));
	struct before before = {0};
	int rc;

	*out = (struct campaign_result){0};
	if (run == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	run->o = o;
	run->result = out;
	run->signals = run->timer = -1;
	run->now = mono_now();
	run_notify_init(run);
	rc = watch_signals(run, &before, err);
	if (rc == 0)
		rc = open_all(run, err);
	if (rc == 0) {
		watch_clock(run);
		run_notify_ready(run);
		follow(run);
	}
	run_child_fini(run);
	for (unsigned i = 0; i < run->desk_count; i++)
		run_desk_close(&run->desks[i]);
	run_metrics_fini(run);
	run_keeps_close(run);
	run_feed_fini(run);
	lookup_close(run->lookup);
	prefixset_fini(&run->avoid);
	if (run->timer >= 0)
		close(run->timer);
	unwatch_signals(run, &before);
	free(run->desks);
	free(run);
	return rc;
}

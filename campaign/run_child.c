// SPDX-License-Identifier: BSD-2-Clause
/*
 * One prober for all rounds under way, so that what a prefix and a router are spared holds for all
 * of them together. It lives while a round is under way; one that dies is started again, a little
 * later each time, and what it had in hand is asked once more.
 */
#include "campaign/run_inside.h"

#include <stdlib.h>
#include <string.h>

#define STOP_PATIENCE_NS (5 * NS_PER_S)

static const int64_t back_off_ns[RUN_RESTARTS_MAX] = {NS_PER_S / 5, NS_PER_S, 5 * NS_PER_S};

/* --- what it says ----------------------------------------------------------------------------- */

static int on_trace(void *arg, const struct trace *t)
{
	struct run *run = arg;
	struct run_line *l = run_feed_find(run, t->seq);
	struct run_round *x;

	/* Its round has ended. */
	if (l == NULL || l->round == NULL) {
		if (l != NULL && l->plan.multipath == 0) {
			run_feed_take(run, l);
			free(l);
		}
		return 0;
	}
	x = l->round;
	/* Somebody else stopped the prober: as good as dead, it is asked again. */
	if (t->stop == STOP_INTERRUPTED && !run->child.stopped && x->end_why == ROUND_WHY_NONE)
		return 0;
	run_round_trace(x, l, t);
	if (l->plan.multipath > 0)
		return 0;
	run_feed_take(run, l);
	run_round_line_over(x, l);
	free(l);
	return 0;
}

static int on_paths(void *arg, const struct frame_paths *p)
{
	struct run *run = arg;
	struct run_line *l = run_feed_find(run, p->seq);

	if (l == NULL)
		return 0;
	run_feed_take(run, l);
	if (l->round != NULL) {
		run_round_paths(l->round, l, p);
		run_round_line_over(l->round, l);
	}
	free(l);
	return 0;
}

static void on_progress(void *arg, const struct frame_progress *p)
{
	struct run *run = arg;

	run->child.drops = p->drops;
}

static void on_note(void *arg, const char *text)
{
	struct run *run = arg;

	/* It would say so again in every round of the coming years. */
	if (strcmp(run->child.note, text) == 0)
		return;
	text_set(run->child.note, sizeof(run->child.note), text);
	run_note(run, NULL, "%s", text);
}

/* --- its life --------------------------------------------------------------------------------- */

/* The gentlest prefix rate of all plans, and the largest rate: what a plan asks beyond that is kept
 * by how its lines are fed. 0 is no limit. */
static void give_orders(struct run *run)
{
	struct probe_run *o = &run->child.orders;

	*o = (struct probe_run){.more = run_feed_more, .on_trace = on_trace, .on_paths = on_paths,
				.on_progress = on_progress, .on_note = on_note, .arg = run};
	for (unsigned i = 0; i < run->desk_count; i++) {
		const struct plan_run *line = &run->desks[i].book->line;

		if (i == 0) {
			o->run = *line;
			continue;
		}
		if (line->rate_pps == 0 ||
		    (o->run.rate_pps != 0 && line->rate_pps > o->run.rate_pps))
			o->run.rate_pps = line->rate_pps;
		if (line->prefix_mpps != 0 &&
		    (o->run.prefix_mpps == 0 || line->prefix_mpps < o->run.prefix_mpps))
			o->run.prefix_mpps = line->prefix_mpps;
		if (line->router_pps != 0 &&
		    (o->run.router_pps == 0 || line->router_pps < o->run.router_pps))
			o->run.router_pps = line->router_pps;
	}
	/* Its heartbeat: without it a prober that hangs looks like a network that is slow. */
	o->run.progress = true;
}

/* What no second try makes better. */
static bool is_hopeless(int code)
{
	return code == BP_EPERM || code == BP_ENOTFOUND || code == BP_EINVAL || code == BP_ERANGE ||
	       code == BP_EUNSUP || code == BP_EPARSE;
}

/* It died, or could not be started: told once a round, and each round decides how to go on. */
static void lose(struct run *run, int code, const char *why)
{
	struct run_child *c = &run->child;
	unsigned most = 0;

	for (struct run_round *x = run->rounds, *next; x != NULL; x = next) {
		next = x->next;
		if (x->end_why != ROUND_WHY_NONE)
			continue;
		if (x->restarts == 0)
			run_note(run, x->desk, "%s: %s", x->r.id, why);
		if (is_hopeless(code) || x->restarts >= RUN_RESTARTS_MAX)
			run_round_cut(x, ROUND_WHY_PROBER, why);
		else if (++x->restarts > most)
			most = x->restarts;
	}
	run_feed_return(run);
	if (most > 0)
		c->earliest = mono_add(run->now, back_off_ns[most - 1]);
}

static void start(struct run *run)
{
	struct run_child *c = &run->child;
	struct bp_error err;

	if (probe_start(&c->probe, &err) < 0) {
		c->probe = NULL;
		lose(run, err.code, err.text);
		return;
	}
	give_orders(run);
	c->avoid_said = c->ending = c->stopped = c->killed = c->renew = false;
	c->drops = 0;
	c->heard = run->now;
	for (struct run_round *x = run->rounds; x != NULL; x = x->next)
		x->drops_before = 0;
	probe_begin(c->probe, &c->orders);
}

/* Its plan is complete: its last word follows soon. */
static void finish(struct run *run)
{
	struct run_child *c = &run->child;

	if (c->ending)
		return;
	c->ending = true;
	c->patience = mono_add(run->now, STOP_PATIENCE_NS);
	/* Only those of rounds that are over are left. */
	if (run->out > 0) {
		c->stopped = true;
		probe_stop(c->probe);
	} else {
		probe_go_on(c->probe);
	}
}

static void end(struct run *run, int rc, struct bp_error *err)
{
	struct run_child *c = &run->child;
	struct frame_end last = {0};
	bool expected = c->ending || c->stopped;
	struct bp_error of_end;
	int ended;

	if (rc < 0)
		probe_kill(c->probe);
	ended = probe_end(c->probe, &last, rc < 0 ? &of_end : err);
	c->probe = NULL;
	if (ended == 0)
		run_metrics_refused(run, &last.refused);
	if (rc == 0)
		rc = ended;
	if (rc < 0)
		lose(run, BP_EIO, err->text);
	else if (last.code < 0)
		lose(run, last.code, last.text);
	else if (!expected && run->out > 0)
		lose(run, BP_EIO, "borderpath-probe was stopped by somebody else");
	else
		run_feed_return(run);
	c->ending = c->stopped = c->killed = false;
}

void run_child_step(struct run *run, const struct pollfd fds[static PROBE_FDS])
{
	struct run_child *c = &run->child;
	struct bp_error err = {0};
	bool over = false;
	int rc;

	if (c->probe == NULL)
		return;
	if (fds[0].revents)
		c->heard = run->now;
	rc = probe_step(c->probe, fds, &over, &err);
	if (rc < 0 || over)
		end(run, rc, &err);
}

/* All rounds under way have got all they will get, or none is. */
static bool is_wanted(const struct run *run)
{
	for (const struct run_round *x = run->rounds; x != NULL; x = x->next) {
		if (x->out > 0 || x->again != NULL || !x->fed)
			return true;
	}
	return false;
}

static void look_alive(struct run *run)
{
	struct run_child *c = &run->child;
	struct mono deaf = mono_add(c->heard, RUN_DEAF_NS);

	if (c->killed)
		return;
	if (c->ending) {
		run_wake(run, c->patience);
		if (!mono_reached(run->now, c->patience))
			return;
	} else {
		run_wake(run, deaf);
		if (!mono_reached(run->now, deaf))
			return;
		run_note(run, NULL, "borderpath-probe has said nothing for %d s: it is ended",
			 (int)(RUN_DEAF_NS / NS_PER_S));
	}
	/* Its stream ends by that: the rest follows from there. */
	c->killed = true;
	probe_kill(c->probe);
}

void run_child_look(struct run *run)
{
	struct run_child *c = &run->child;

	if (c->probe == NULL) {
		if (!is_wanted(run))
			return;
		if (!mono_reached(run->now, c->earliest)) {
			run_wake(run, c->earliest);
			return;
		}
		start(run);
		return;
	}
	if (!is_wanted(run) || (c->renew && run->out == 0))
		finish(run);
	else if (run_feed_ready(run))
		probe_go_on(c->probe);
	look_alive(run);
}

void run_child_fini(struct run *run)
{
	struct frame_end last;
	struct bp_error err;

	if (run->child.probe == NULL)
		return;
	probe_kill(run->child.probe);
	(void)probe_end(run->child.probe, &last, &err);
	run->child.probe = NULL;
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * A round under way: its beginning, each result named, judged and put into its journal, and its
 * end, where what is missing gets its reason. It must not run into its next slot: what has not
 * come by then is missed.
 */
#include "campaign/run_inside.h"

#include <stdlib.h>
#include <string.h>

enum { PROBES_A_TTL_PATH = 12 };

#define MARGIN_MIN_NS (NS_PER_S / 10)
#define MARGIN_MAX_NS (5 * NS_PER_S)
/* A line that seems to have taken longer saw the clock being set. */
#define LINE_MAX_NS (300 * NS_PER_S)

static int64_t clamp(int64_t ns, int64_t low, int64_t high)
{
	return ns < low ? low : ns > high ? high : ns;
}

int64_t run_round_margin(const struct campaign_plan *p)
{
	return clamp(p->every_ns / 20, MARGIN_MIN_NS, MARGIN_MAX_NS);
}

static void set_note(struct round *r, const char *text)
{
	if (r->note[0] == '\0')
		text_set(r->note, sizeof(r->note), text);
}

/* --- beginning -------------------------------------------------------------------------------- */

/* From now until shortly before its next slot; no line is given in the last tenth of it. */
static void set_limits(struct run_round *x)
{
	struct run_desk *d = x->desk;
	int64_t every = x->book->plan->every_ns, left = every;
	struct wall now = wall_now(), next = schedule_next(&d->schedule, now);

	if (!d->run->o->once && next.ns > now.ns && next.ns - now.ns < left)
		left = next.ns - now.ns;
	left -= run_round_margin(x->book->plan);
	x->limit = mono_add(d->run->now, left);
	x->feed_limit = mono_add(d->run->now, left - left / 10);
}

static void fill_round(const struct run_desk *d, struct wall slot, bool look, struct round *r)
{
	const struct campaign_plan *p = d->book->plan;

	round_init(r);
	text_set(r->campaign, sizeof(r->campaign), p->campaign);
	text_set(r->vantage, sizeof(r->vantage), p->vantage);
	r->planned = slot;
	r->look = look;
	/* A second round of `once` in one slot, or a closer look: on no grid. */
	if ((slot.ns - p->offset_ns) % p->every_ns == 0)
		r->every_ns = p->every_ns;
	r->start = wall_now();
	round_set_id(r);
}

/* It could not even begin. */
static int not_begun(struct run_desk *d, struct run_round *x, enum round_why why, const char *text)
{
	struct round r = x->r;

	/* Of a look there will be another one. */
	if (r.look) {
		run_round_abandon(x);
		return why == ROUND_WHY_TARGETS ? BP_ENOTFOUND : BP_EIO;
	}
	run_note(d->run, d, "%s: %s", r.id, text);
	r.why = (uint8_t)why;
	r.start = (struct wall){0};
	r.missed = r.expected = r.expected > 0 ? r.expected : d->expected;
	set_note(&r, text);
	run_gap_add_round(d, &r);
	run_round_abandon(x);
	schedule_done(&d->schedule);
	return BP_EIO;
}

static void on_feed_note(void *arg, const char *text)
{
	struct run_desk *d = arg;

	run_note(d->run, d, "%s", text);
}

/* only: what a closer look is at; count 0: a round of the schedule. */
static int begin(struct run_round *x, struct run_desk *d, struct wall slot,
		 const struct prefix *only, unsigned count)
{
	struct run *run = d->run;
	bool look = count > 0;
	struct run_round **at;
	struct feed_from from;
	struct bp_error err;
	int rc;

	x->desk = d;
	x->book = d->book;
	x->book->holders++;
	fill_round(d, slot, look, &x->r);
	from = (struct feed_from){
		.plan = x->book->plan, .profile = x->book->profile, .hosts = x->book->hosts,
		.lookup = run->lookup, .avoid = &run->avoid, .slot = slot,
		.only = only, .only_count = count, .flows = FEED_LOOK_FLOWS,
		/* What is wrong with a name is told by the rounds. */
		.on_note = look ? NULL : on_feed_note, .arg = d,
	};
	rc = feed_new(&from, &x->feed, &err);
	if (rc < 0) {
		x->feed = NULL;
		return not_begun(d, x, rc == BP_ENOTFOUND ? ROUND_WHY_TARGETS : ROUND_WHY_PROBER,
				 err.text);
	}
	x->r.expected = (uint32_t)feed_expected(x->feed);
	x->missed[ROUND_WHY_TARGETS] = (uint32_t)feed_unresolved(x->feed);
	if (!look) {
		hosts_tell(x->book->hosts, &x->r);
		d->expected = x->r.expected;
	}
	rc = vantage_watch_new(x->book->plan->public_addr, x->book->profile, &x->watch);
	if (rc < 0)
		x->watch = NULL;
	if (rc == 0)
		rc = spool_begin(d->spool, &x->r, &x->journal, &err);
	if (rc < 0) {
		x->journal = NULL;
		return not_begun(d, x, ROUND_WHY_SPOOL, x->watch == NULL ? "out of memory" :
				 err.text);
	}
	run->now = mono_now();
	set_limits(x);
	x->probes = PROBES_A_TTL_PATH * (x->book->plan->how.attempts > 0 ?
					 x->book->plan->how.attempts : PLAN_ATTEMPTS_DEFAULT);
	x->ns = (double)(5 * NS_PER_S);
	x->filled = run->now;
	x->tokens = PLAN_BURST;
	x->drops_before = run->child.drops;
	/* It is served first: the others have lines out. */
	at = &run->rounds;
	x->next = *at;
	*at = x;
	run->round_count++;
	d->round = x;
	if (run->o->events.on_begin != NULL)
		run->o->events.on_begin(run->o->events.arg, x->book->plan, &x->r,
					schedule_next(&d->schedule, x->r.start));
	return 0;
}

int run_round_begin(struct run_desk *d, struct wall slot)
{
	struct run_round *x = calloc(1, sizeof(*x));

	if (x == NULL) {
		run_note(d->run, d, "out of memory");
		run_gap_add(d, slot, 1, ROUND_WHY_PROBER);
		schedule_done(&d->schedule);
		return BP_ENOMEM;
	}
	if (d->first.ns == 0)
		d->first = slot;
	return begin(x, d, slot, NULL, 0);
}

int run_round_begin_look(struct run_desk *d, struct wall moment, const struct prefix *only,
			 unsigned count)
{
	struct run_round *x = calloc(1, sizeof(*x));

	return x == NULL ? BP_ENOMEM : begin(x, d, moment, only, count);
}

/* --- what comes of it ------------------------------------------------------------------------- */

/* What could not be kept is told once a round. */
static void not_kept(struct run_round *x, const char *text)
{
	if (x->missed[ROUND_WHY_SPOOL] == 0)
		run_note(x->desk->run, x->desk, "%s: %s", x->r.id, text);
	set_note(&x->r, text);
}

/* ROUND_WHY_NONE: the measurement is whole, whatever it found. */
static enum round_why why_not_whole(const struct run_round *x, const struct trace *t)
{
	switch (t->stop) {
	case STOP_ERROR:
		return strncmp(t->error, "no route", strlen("no route")) == 0 ?
		       ROUND_WHY_NO_ROUTE : ROUND_WHY_PROBER;
	case STOP_INTERRUPTED:
		return x->end_why != ROUND_WHY_NONE ? x->end_why : ROUND_WHY_STOPPED;
	case STOP_TIMEOUT:
		/* Nobody but the round's own end allows a line less than it takes. */
		return x->end_why != ROUND_WHY_NONE ? x->end_why : ROUND_WHY_OVERRUN;
	default:
		return ROUND_WHY_NONE;
	}
}

static void count_trace(struct run_round *x, const struct trace *t)
{
	struct round *r = &x->r;
	uint64_t drops = x->desk->run->child.drops;

	r->traces++;
	r->sent += t->sent > 0 ? (uint64_t)t->sent : 0;
	r->received += t->received > 0 ? (uint64_t)t->received : 0;
	r->clock_stepped |= t->clock_stepped;
	if (t->drops > r->drops)
		r->drops = t->drops;
	if (drops > x->drops_before && (int64_t)(drops - x->drops_before) > r->drops)
		r->drops = (int64_t)(drops - x->drops_before);
}

/* A copy of t that knows its round, and where the vantage point stands. NULL: out of memory. */
static struct trace *signed_copy(const struct run_round *x, const struct trace *t)
{
	const struct campaign_plan *p = x->book->plan;
	struct trace *copy = malloc(trace_size(t->entry_count));

	if (copy == NULL)
		return NULL;
	memcpy(copy, t, trace_size(t->entry_count));
	text_set(copy->campaign, sizeof(copy->campaign), x->r.campaign);
	text_set(copy->round, sizeof(copy->round), x->r.id);
	if (p->place_known) {
		copy->place_known = true;
		copy->lat = p->lat;
		copy->lon = p->lon;
	}
	return copy;
}

static int take(struct run_round *x, struct run_line *l, struct trace *t, struct names *names,
		struct verdict *v, struct bp_error *err)
{
	const struct campaign_events *e = &x->desk->run->o->events;
	int rc = judge_pass_trace(&x->book->judge, t, names, wall_now(), v);

	if (rc == 0)
		rc = spool_trace(x->journal, t, names, v, err);
	else
		bp_fail(err, rc, "out of memory");
	if (rc < 0)
		return rc;
	count_trace(x, t);
	if (t->stop != STOP_INTERRUPTED)
		vantage_watch_take(x->watch, t, names, l->from.reference);
	/* Of whom to ask in his stead, rounds decide. */
	if (!l->from.reference && l->why == ROUND_WHY_NONE && !x->r.look)
		hosts_take(x->book->hosts, l->from.target, l->from.host, t);
	if (run_flows_take(x, l, t, v) < 0)
		run_note(x->desk->run, x->desk, "out of memory: flows of %s are not joined",
			 t->target);
	if (e->on_trace != NULL)
		e->on_trace(e->arg, x->book->plan, &x->r, t, v);
	return 0;
}

void run_round_trace(struct run_round *x, struct run_line *l, const struct trace *t)
{
	struct verdict *v = calloc(1, sizeof(*v));
	struct trace *copy = signed_copy(x, t);
	enum round_why why = why_not_whole(x, t);
	struct names names;
	struct bp_error err;

	if (why != ROUND_WHY_NONE)
		l->why = (uint8_t)why;
	if (t->stop == STOP_ERROR)
		set_note(&x->r, t->error);
	l->sent += t->sent > 0 ? t->sent : 0;
	if (l->start.ns == 0 || t->start.ns < l->start.ns)
		l->start = t->start;
	if (t->end.ns > l->end.ns)
		l->end = t->end;
	names_init(&names);
	if (v == NULL || copy == NULL) {
		l->why = ROUND_WHY_SPOOL;
		not_kept(x, "out of memory");
	} else if (take(x, l, copy, &names, v, &err) < 0) {
		l->why = ROUND_WHY_SPOOL;
		not_kept(x, err.text);
	}
	names_fini(&names);
	free(copy);
	free(v);
}

void run_round_paths(struct run_round *x, struct run_line *l, const struct frame_paths *p)
{
	run_flows_search(x, l, p);
}

void run_round_object(struct run_round *x, const struct buf *json)
{
	struct bp_error err;

	if (json->failed)
		bp_fail(&err, BP_ENOMEM, "out of memory");
	else if (json->used == 0 || spool_object(x->journal, json->bytes, json->used, &err) == 0)
		return;
	not_kept(x, err.text);
}

void run_round_line_over(struct run_round *x, const struct run_line *l)
{
	int64_t ns = clamp(l->end.ns - l->start.ns, 0, LINE_MAX_NS);

	if (l->why == ROUND_WHY_NONE)
		x->r.done++;
	else
		x->missed[l->why]++;
	x->tokens += l->cost - (double)l->sent;
	/* The last eight or so. */
	x->ns += ((double)ns - x->ns) / 8;
	x->probes += ((double)(l->sent > 1 ? l->sent : 1) - x->probes) / 8;
}

/* --- end -------------------------------------------------------------------------------------- */

static void drop_again(struct run_round *x)
{
	struct run_line *l;

	while ((l = x->again) != NULL) {
		x->again = l->next;
		free(l);
	}
}

void run_round_cut(struct run_round *x, enum round_why why, const char *note)
{
	if (x->end_why != ROUND_WHY_NONE)
		return;
	x->end_why = (uint8_t)why;
	x->fed = true;
	drop_again(x);
	text_set(x->end_note, sizeof(x->end_note), note);
}

static void unlink_round(struct run_round *x)
{
	struct run *run = x->desk->run;
	struct run_round **at = &run->rounds;

	while (*at != NULL && *at != x)
		at = &(*at)->next;
	if (*at == NULL)
		return;
	*at = x->next;
	run->round_count--;
	x->desk->round = NULL;
}

void run_round_abandon(struct run_round *x)
{
	run_feed_orphan(x);
	unlink_round(x);
	drop_again(x);
	run_flows_drop(x);
	spool_leave(x->journal);
	feed_free(x->feed);
	vantage_watch_free(x->watch);
	run_book_drop(x->book);
	free(x);
}

/* What is not there gets its reason; the first that applies is the round's. */
static void settle_missed(struct run_round *x)
{
	struct round *r = &x->r;
	uint32_t missed = 0;

	for (unsigned why = 0; why <= ROUND_WHY_TARGETS; why++)
		missed += x->missed[why];
	if (x->end_why != ROUND_WHY_NONE && r->expected > r->done + missed) {
		x->missed[x->end_why] += r->expected - r->done - missed;
		missed = r->expected - r->done;
	}
	r->missed = missed;
	r->expected = r->done + missed;
	if (missed > 0)
		set_note(r, x->end_note);
	for (unsigned why = ROUND_WHY_TARGETS; why > ROUND_WHY_NONE; why--) {
		if (x->missed[why] > 0)
			r->why = (uint8_t)why;
	}
}

static void finish(struct run_round *x)
{
	struct run_desk *d = x->desk;
	struct round *r = &x->r;
	struct bp_error err;
	int ended;

	run_flows_flush(x);
	r->end = wall_now();
	settle_missed(x);
	vantage_watch_end(x->watch, d->before.planned.ns != 0 ? &d->before : NULL, r);
	/* What carries a few paths is not what carries most of them. */
	if (r->look)
		r->changed &= (uint8_t)~ROUND_CHANGED_TRANSIT;
	/* The kernel said why: that is more than that nobody answered. But a target that never has
	 * a route (IPv6 where there is none) does not hide that we were offline. */
	if (2 * (uint64_t)x->missed[ROUND_WHY_NO_ROUTE] > r->missed)
		r->why = ROUND_WHY_NO_ROUTE;
	if (!r->look) {
		hosts_end(x->book->hosts, r);
		if (x->book != d->book)
			hosts_restore(d->book->hosts, r, 1);
	}
	ended = spool_end(x->journal, r, &err);
	x->journal = NULL;
	if (ended < 0)
		run_note(d->run, d, "%s: %s", r->id, err.text);
	if (ended < 0 && !r->look) {
		r->missed = r->expected;
		r->done = r->traces = 0;
		r->why = ROUND_WHY_SPOOL;
		set_note(r, err.text);
		run_gap_add_round(d, r);
	}
	if (!r->look) {
		vantage_known(&d->before, r);
		d->before.planned = r->planned;
		d->before.expected = r->expected;
		schedule_done(&d->schedule);
	}
	run_look_measured(d, x);
	d->run->ended++;
	run_round_abandon(x);
}

void run_round_yield(struct run_round *x)
{
	run_round_cut(x, ROUND_WHY_OVERRUN, "the next round came");
	run_feed_orphan(x);
	finish(x);
}

void run_rounds_look(struct run *run)
{
	for (struct run_round *x = run->rounds, *next; x != NULL; x = next) {
		next = x->next;
		if (mono_reached(run->now, x->limit)) {
			run_round_cut(x, ROUND_WHY_OVERRUN, "it ran into its next slot");
			run_feed_orphan(x);
		} else if (mono_reached(run->now, x->feed_limit) && !x->fed) {
			run_round_cut(x, ROUND_WHY_OVERRUN, "it ran into its next slot");
		}
		if (x->fed && x->again == NULL && x->out == 0) {
			finish(x);
			continue;
		}
		run_wake(run, x->fed ? x->limit : x->feed_limit);
	}
}

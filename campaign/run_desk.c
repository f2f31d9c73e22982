// SPDX-License-Identifier: BSD-2-Clause
/*
 * A plan of the daemon: what was read for it, its lock, its spool, its store and its schedule. A
 * round keeps the book it began with, whatever is read meanwhile.
 */
#include "campaign/run_inside.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "campaign/lock.h"
#include "campaign/place.h"
#include "campaign/store_place.h"

enum { JUDGE_SLOTS = 512, RECALL_ROUNDS = 64 };

/* --- what is read ----------------------------------------------------------------------------- */

void run_book_drop(struct run_book *b)
{
	if (b == NULL || --b->holders > 0)
		return;
	judge_pass_fini(&b->judge);
	hosts_free(b->hosts);
	geo_close(b->geo);
	profile_free(b->profile);
	campaign_plan_free(b->plan);
	free(b);
}

static int read_book(const struct run_desk *d, struct run_book **out, struct bp_error *err)
{
	const struct campaign_options *o = d->run->o;
	struct run_book *b = calloc(1, sizeof(*b));
	int rc;

	if (b == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	b->holders = 1;
	rc = campaign_plan_load(d->file, &b->plan, err);
	if (rc == 0)
		rc = campaign_plan_profile(b->plan, o->profile, &b->profile, err);
	if (rc == 0)
		rc = geo_open(o->asn_db, o->country_db, b->profile, &b->geo, err);
	if (rc == 0 && (hosts_new(b->plan, &b->hosts) < 0 ||
			judge_pass_init(&b->judge, b->geo, b->profile, JUDGE_SLOTS) < 0))
		rc = bp_fail(err, BP_ENOMEM, "out of memory");
	if (rc < 0) {
		run_book_drop(b);
		return rc;
	}
	feed_run(b->plan, &b->line);
	*out = b;
	return 0;
}

static void tell_warnings(const struct run_desk *d)
{
	const char *text;

	for (unsigned i = 0; (text = geo_warning(d->book->geo, i)) != NULL; i++)
		run_note(d->run, d, "warning: %s", text);
}

/* --- where it is kept ------------------------------------------------------------------------- */

static int open_places(struct run_desk *d, struct bp_error *err)
{
	const struct campaign_options *o = d->run->o;
	const struct campaign_plan *p = d->book->plan;
	struct bp_error ignored;
	char path[PLACE_TEXT];
	int rc;

	d->keep = run_keep_get(d->run, o->store != NULL ? o->store : p->store, err);
	if (d->keep == NULL)
		return err->code;
	rc = store_make_directory(place_lock(d->keep->path, p, path), err);
	if (rc == 0)
		rc = lock_take(path, &d->lock, err);
	if (rc == BP_EAGAIN)
		return bp_error_prefix(err, "campaign %s runs already", p->campaign);
	/* A disk that takes nothing is no reason not to measure. */
	if (rc < 0)
		run_note(d->run, d, "%s: nothing keeps a second process away", err->text);
	/* Where it cannot be made the spool is in memory, and says so. */
	(void)store_make_directory(place_spool(d->keep->path, o->spool_dir, p, path), &ignored);
	return spool_open(path, o->spool_bytes, &d->spool, err);
}

void run_desk_recall(struct run_desk *d)
{
	const struct campaign_plan *p = d->book->plan;
	struct round *rounds;
	struct bp_error err;
	int n;

	if (d->last_known ||
	    store_last_planned(d->keep->store, p->campaign, p->vantage, &d->last, &err) < 0)
		return;
	d->last_known = true;
	rounds = calloc(RECALL_ROUNDS, sizeof(rounds[0]));
	if (rounds == NULL)
		return;
	n = store_last_rounds(d->keep->store, p->campaign, p->vantage, rounds, RECALL_ROUNDS, &err);
	for (int i = 0; i < n / 2; i++) {
		struct round r = rounds[i];

		rounds[i] = rounds[n - 1 - i];
		rounds[n - 1 - i] = r;
	}
	if (n > 0)
		hosts_restore(d->book->hosts, rounds, (unsigned)n);
	for (int i = 0; i < n; i++) {
		if (rounds[i].start.ns == 0 || d->before.planned.ns >= rounds[i].planned.ns)
			continue;
		vantage_known(&d->before, &rounds[i]);
		d->before.planned = rounds[i].planned;
		d->before.expected = rounds[i].expected;
		run_metrics_recall(d, &rounds[i]);
	}
	if (d->expected == 0 && d->before.planned.ns != 0)
		d->expected = d->before.expected;
	free(rounds);
}

/* --- opening ---------------------------------------------------------------------------------- */

static void begin_schedule(struct run_desk *d)
{
	const struct campaign_plan *p = d->book->plan;
	struct wall last = d->last, waits;

	/* What waits was measured: its slots are not missed. Those between are found when it is
	 * committed. */
	if (spool_newest(d->spool, &waits) && waits.ns > last.ns)
		last = waits;
	schedule_init(&d->schedule, p->every_ns, p->offset_ns, p->jitter_ns, p->since, p->until,
		      p->campaign, p->vantage, last);
}

int run_desk_open(struct run *run, struct run_desk *d, const char *file, struct bp_error *err)
{
	int rc;

	d->run = run;
	d->file = file;
	d->lock = -1;
	rc = read_book(d, &d->book, err);
	if (rc == 0)
		rc = open_places(d, err);
	if (rc < 0)
		return rc;
	tell_warnings(d);
	d->opened = wall_now();
	d->look_back = true;
	return 0;
}

void run_desk_begin(struct run_desk *d)
{
	/* Leftovers first: the store then knows where to go on. */
	run_watch_open(d);
	if (!d->keep->refuses && run_keep_open(d->run, d->keep)) {
		run_keep_look(d->run, true);
		run_watch_recall(d);
	}
	begin_schedule(d);
}

void run_desk_close(struct run_desk *d)
{
	struct spool_state state;

	if (d->round != NULL)
		run_round_abandon(d->round);
	run_gaps_fini(d);
	run_watch_close(d);
	if (d->spool != NULL) {
		spool_state(d->spool, &state);
		d->run->result->waiting += state.rounds;
		spool_close(d->spool);
	}
	run_book_drop(d->book);
	if (d->lock >= 0)
		close(d->lock);
}

/* --- reading again ---------------------------------------------------------------------------- */

static bool is_same_grid(const struct campaign_plan *a, const struct campaign_plan *b)
{
	return a->every_ns == b->every_ns && a->offset_ns == b->offset_ns &&
	       a->jitter_ns == b->jitter_ns && a->since.ns == b->since.ns &&
	       a->until.ns == b->until.ns;
}

/* What cannot be another one while it runs. */
static int check_names(const struct campaign_plan *a, const struct campaign_plan *b,
		       struct bp_error *err)
{
	const char *what = strcmp(a->campaign, b->campaign) != 0 ? "campaign" :
			   strcmp(a->vantage, b->vantage) != 0 ? "vantage point" :
			   strcmp(a->store, b->store) != 0 ? "store" : NULL;

	if (what == NULL)
		return 0;
	return bp_fail(err, BP_EINVAL, "%s: another %s needs a start of its own", b->file, what);
}

/* Its slots from now on; what lies behind was another plan's. Where the slots are the same, one
 * whose jitter is not over yet is still to come. */
static void change_grid(struct run_desk *d)
{
	const struct campaign_plan *p = d->book->plan;
	const struct schedule *s = &d->schedule;
	bool running = s->running, same = s->every_ns == p->every_ns &&
		s->offset_ns == p->offset_ns && s->since.ns == p->since.ns && !d->over;

	schedule_init(&d->schedule, p->every_ns, p->offset_ns, p->jitter_ns, p->since, p->until,
		      p->campaign, p->vantage, same ? s->last : wall_now());
	d->schedule.running = running;
	d->over = false;
}

static bool not_reloaded(struct run_desk *d, const struct bp_error *err)
{
	bool later = err->code == BP_ENOTFOUND || err->code == BP_ENOMEM || err->code == BP_EIO ||
		     err->code == BP_EPERM || err->code == BP_EAGAIN;

	if (d->reload.ns == 0 || strcmp(d->reload_told, err->text) != 0)
		run_note(d->run, d, "not reloaded, the old one stays: %s%s", err->text,
			 later ? "; it is tried again" : "");
	text_set(d->reload_told, sizeof(d->reload_told), err->text);
	d->reload = later ? mono_add(d->run->now, RUN_STORE_AGAIN_NS) : (struct mono){0};
	return false;
}

bool run_desk_reload(struct run_desk *d)
{
	struct run_book *b, *old = d->book;
	struct bp_error err;
	int rc = strcmp(d->file, "-") == 0 ?
		 bp_fail(&err, BP_EUNSUP, "a plan from standard input cannot be read again") :
		 read_book(d, &b, &err);

	if (rc == 0) {
		rc = check_names(old->plan, b->plan, &err);
		if (rc < 0)
			run_book_drop(b);
	}
	if (rc < 0)
		return not_reloaded(d, &err);
	d->reload = (struct mono){0};
	run_watch_close(d);
	d->book = b;
	run_metrics_desk(d);
	run_watch_open(d);
	/* Which hosts stand for their prefixes is in the store; where it refuses, later. */
	d->last_known = false;
	if (d->keep->store != NULL)
		run_desk_recall(d);
	run_watch_recall(d);
	d->expected = 0;
	if (!is_same_grid(old->plan, b->plan))
		change_grid(d);
	tell_warnings(d);
	run_note(d->run, d, "reloaded: %s", d->file);
	run_book_drop(old);
	return true;
}

/* --- slots ------------------------------------------------------------------------------------ */

/* What was told and measured by a clock that ran ahead stays on the record as that. */
static void tell_left(struct run_desk *d)
{
	char text[WALL_TEXT];

	if (d->schedule.left.ns == 0)
		return;
	run_note(d->run, d, "the clock was put back: slots up to %s were told by one that ran "
		 "ahead, and are taken again by the clock as it is now",
		 wall_format_short(d->schedule.left, text));
	d->taken = d->schedule.left;
	d->schedule.left = (struct wall){0};
	/* Events go on behind now, not behind that. */
	run_watch_close(d);
	run_watch_open(d);
	run_watch_recall(d);
}

static int on_taken(void *arg, struct record *r, struct bp_error *err)
{
	bool *taken = arg;

	(void)err;
	*taken |= r->kind == RECORD_TRACE;
	return *taken ? BP_EOF : 0;
}

/* Whether the store has measured this slot already, by a clock that ran ahead. */
static bool is_taken(const struct run_desk *d, struct wall slot)
{
	const struct campaign_plan *p = d->book->plan;
	struct round r = {.planned = slot};
	struct store_select select = {.campaign = p->campaign, .vantage = p->vantage,
				      .since = slot, .until = {slot.ns + p->every_ns}};
	struct bp_error err;
	bool taken = false;

	if (slot.ns > d->taken.ns || d->keep->store == NULL)
		return false;
	text_set(r.campaign, sizeof(r.campaign), p->campaign);
	text_set(r.vantage, sizeof(r.vantage), p->vantage);
	round_set_id(&r);
	select.round = r.id;
	(void)store_read(d->keep->store, &select, on_taken, &taken, &err);
	if (taken)
		run_note(d->run, d, "%s was measured by a clock that ran ahead: it stays as it is",
			 r.id);
	return taken;
}

void run_desk_look(struct run_desk *d)
{
	struct run *run = d->run;
	struct schedule_gap gap;
	struct wall slot, now, next;
	int64_t wait_ns;

	while (!d->over) {
		enum schedule_what what = schedule_look(&d->schedule, wall_now(), boot_now(), &slot,
							&gap, &wait_ns);

		tell_left(d);
		switch (what) {
		case SCHEDULE_MISSED:
			run_gap_add(d, gap.first, gap.count, (enum round_why)gap.why);
			break;
		case SCHEDULE_START:
			if (is_taken(d, slot))
				break;
			/* A closer look never keeps a round waiting. */
			if (d->round != NULL)
				run_round_yield(d->round);
			d->schedule.running = true;
			(void)run_round_begin(d, slot);
			break;
		case SCHEDULE_OVER:
			d->over = d->round == NULL;
			if (!d->over)
				return;
			run_note(run, d, "campaign %s is over", d->book->plan->campaign);
			break;
		default:
			run_wake(run, mono_add(run->now, wait_ns));
			now = wall_now();
			next = schedule_next(&d->schedule, now);
			d->next.ns = next.ns != 0 ? run->now.ns + next.ns - now.ns : 0;
			return;
		}
	}
	d->next = (struct mono){0};
}

/* The slot of the grid that now lies in, unless it was measured: then this very second. */
static struct wall slot_of_once(const struct run_desk *d, struct wall now)
{
	const struct campaign_plan *p = d->book->plan;
	int64_t behind = (now.ns - p->offset_ns) % p->every_ns;
	struct wall slot = {now.ns - behind - (behind < 0 ? p->every_ns : 0)};
	/* In the store, or waiting for it. */
	struct wall last = d->schedule.last;

	/* That one's clock was wrong, as in a schedule. */
	if (slot.ns > last.ns || last.ns > now.ns + SCHEDULE_BACK_NS)
		return slot;
	slot.ns = now.ns - now.ns % NS_PER_S;
	return slot.ns > last.ns ? slot : (struct wall){last.ns + NS_PER_S};
}

void run_desk_once(struct run_desk *d)
{
	const struct campaign_plan *p = d->book->plan;
	struct wall now = wall_now(), slot = slot_of_once(d, now);

	if (d->started)
		return;
	d->started = d->over = true;
	if ((p->until.ns != 0 && now.ns >= p->until.ns) || now.ns < p->since.ns) {
		run_note(d->run, d, "campaign %s %s: nothing is measured", p->campaign,
			 now.ns < p->since.ns ? "has not begun" : "is over");
		return;
	}
	d->schedule.last = slot;
	d->schedule.running = true;
	(void)run_round_begin(d, slot);
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * Events over all vantage points of a campaign, found by one collector at a time: the one that has
 * the store's claim. Rounds come from its own commits, and from the others, who tell what is whole
 * (bp.round.VANTAGE); what was not told, or not heard, is read from the store a little later, and
 * whoever takes over reads them there. A plan's `alerts` apply here
 * and nowhere else, so that one change is one alert however many saw it. A watch that cannot read
 * and an alert that cannot be told keep nobody from collecting.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/alert.h"
#include "campaign/fleet/collect_inside.h"
#include "campaign/fleet/collect_rounds.h"
#include "campaign/plan.h"
#include "campaign/watch.h"
#include "core/text.h"
#include "geo/profile.h"

#define CLAIM "events"
#define ROUND_SUBJECT "bp.round."
#define FLEET "BP_FLEET"
#define PLAN_KEY "plan."

#define CLAIM_NS (5 * NS_PER_S)
#define PLANS_NS (10 * NS_PER_S)
#define SETTLE_NS (2 * NS_PER_S)
#define AGAIN_NS (10 * NS_PER_S)
#define AGAIN_BACK_NS (6 * 3600 * NS_PER_S)
/* A clock that is so far off has no part in what happened when. */
#define DISTRUST_NS (30 * NS_PER_S)

enum { ROUNDS_HEARD_MAX = 256 };

/* A campaign as it was deployed. */
struct watched {
	char campaign[TRACE_CAMPAIGN_TEXT];
	uint64_t revision;             /* of its plan, */
	struct wall created;           /* and when: a broker that lost its disk numbers anew */
	bool seen;                     /* still there when the bucket was read last */
	struct campaign_plan *plan;    /* owned; NULL: it makes no sense here */
	struct profile *profile;       /* owned */
	struct watch *watch;           /* NULL: another collector's, or not begun */
	struct keeping keeping;
	struct alert *alert;           /* stays when another takes over: it has what to deliver */
	struct collect_rounds rounds;  /* as the store had them when it was read last */
	struct mono rounds_next;
	bool missed;                   /* one of them is not known to the watch */
	struct collect *collect;
	char told[BP_ERROR_TEXT];      /* what is wrong, as people know it */
};

struct collect_watch {
	bool mine, others;             /* others: one was heard */
	struct bus_ear *ear;           /* of other collectors; NULL: not yet, or denied */
	bool deaf_told;
	struct watched **all;          /* owned, each too: watches point to them */
	unsigned count;
	size_t room;
	struct mono claim_next, plans_next, settle_next;
};

/* --- what is wrong ---------------------------------------------------------------------------- */

static void trouble(struct watched *w, const struct bp_error *err)
{
	if (err == NULL) {
		if (w->told[0] != '\0')
			collect_note(w->collect, "%s: events are looked for again", w->campaign);
		w->told[0] = '\0';
		return;
	}
	if (strcmp(w->told, err->text) == 0)
		return;
	text_set(w->told, sizeof(w->told), err->text);
	collect_note(w->collect, "%s: %s; its events wait", w->campaign, err->text);
}

static void alert_note(void *arg, const char *text)
{
	const struct watched *w = arg;

	collect_note(w->collect, "%s: %s", w->campaign, text);
}

/* --- one campaign ----------------------------------------------------------------------------- */

static int on_event(void *arg, const struct event *e, struct bp_error *err)
{
	struct watched *w = arg;

	if (w->collect->hooks.on_event != NULL)
		w->collect->hooks.on_event(w->collect->hooks.arg, e);
	return w->alert != NULL ? alert_event(w->alert, e, err) : 0;
}

static void on_breath(void *arg)
{
	const struct watched *w = arg;
	struct collect *c = w->collect;

	/* A reading of history takes a while. */
	if (c->hooks.on_breath != NULL)
		c->hooks.on_breath(c->hooks.arg);
	c->reading = true;
	if (c->set_up)
		collect_marks_answer(c);
	c->reading = false;
}

static bool is_off(const struct page *p)
{
	return p->offset_known && (p->offset_ns > DISTRUST_NS || p->offset_ns < -DISTRUST_NS);
}

/* Who is distrusted has to be known before history is read. */
static int begin(struct watched *w, struct bp_error *err)
{
	const struct watch_options o = {.campaign = w->campaign, .profile = w->profile,
					.every_ns = w->plan->every_ns,
					.flapping_ns = w->plan->flapping_ns};
	const struct watch_hooks hooks = {.on_event = on_event, .on_breath = on_breath, .arg = w};
	const struct collect *c = w->collect;
	int rc = watch_new(&o, &hooks, &w->watch);

	for (size_t i = 0; rc == 0 && i < c->page_count; i++) {
		if (is_off(&c->pages[i]))
			rc = watch_distrust(w->watch, c->pages[i].vantage, true);
	}
	return rc < 0 ? bp_fail(err, rc, "out of memory") : watch_recall(w->watch, c->store,
									 wall_now(), err);
}

static void stop(struct watched *w)
{
	watch_free(w->watch);
	w->watch = NULL;
}

static void forget_plan(struct watched *w)
{
	stop(w);
	collect_rounds_fini(&w->rounds);
	alert_close(w->alert);
	campaign_plan_free(w->plan);
	profile_free(w->profile);
	w->alert = NULL;
	w->plan = NULL;
	w->profile = NULL;
}

static void open_alert(struct watched *w)
{
	const char *outbox = w->collect->o.outbox;
	char dir[PATH_MAX];
	struct bp_error err;

	if (!w->plan->alerts)
		return;
	if (outbox == NULL) {
		collect_note(w->collect, "%s: alerts are not told: there is no place for them "
			     "(--outbox)", w->campaign);
		return;
	}
	snprintf(dir, sizeof(dir), "%s/%s.alerts", outbox, w->campaign);
	if (alert_open(w->plan, dir, alert_note, w, &w->alert, &err) < 0)
		collect_note(w->collect, "%s: alerts are not told: %s", w->campaign, err.text);
}

static void take_plan(struct watched *w, const struct bus_entry *e)
{
	struct bp_error err = {0};
	char name[TRACE_CAMPAIGN_TEXT + 16];

	forget_plan(w);
	w->revision = e->revision;
	w->created = e->created;
	w->keeping = (struct keeping){.campaign = w->campaign};
	snprintf(name, sizeof(name), PLAN_KEY "%s", w->campaign);
	if (campaign_plan_parse(name, e->bytes, e->size, &w->plan, &err) == 0) {
		w->keeping.traces_ns = w->plan->keep_traces_ns;
		w->keeping.hourly_ns = w->plan->keep_hourly_ns;
	}
	if (w->plan == NULL || campaign_plan_profile(w->plan, NULL, &w->profile, &err) < 0) {
		trouble(w, &err);
		forget_plan(w);
		return;
	}
	open_alert(w);
}

static int on_round_again(void *arg, const struct round *r, struct bp_error *err)
{
	struct watched *w = arg;

	(void)err;
	w->missed |= !watch_knows(w->watch, r);
	return 0;
}

/* Where there is one that nobody told, all is read again: behind the others it would come too late
 * to be seen with them. */
static int look_again(struct watched *w, struct wall now, struct bp_error *err)
{
	const struct wall since = {now.ns - AGAIN_BACK_NS};
	int rc;

	if (!mono_reached(mono_now(), w->rounds_next))
		return 0;
	w->rounds_next = mono_add(mono_now(), AGAIN_NS);
	w->missed = false;
	rc = collect_rounds_again(w->collect->store, w->campaign, since, &w->rounds,
				  on_round_again, w, err);
	if (rc == 0 && w->missed)
		stop(w);
	return rc;
}

/* A watch that failed is begun anew by its own next call; one that was never made, by the next
 * turn. */
static void settle(struct watched *w, struct wall now)
{
	struct collect *c = w->collect;
	struct bp_error err = {0};
	int rc;

	if (w->plan == NULL || c->store == NULL)
		return;
	rc = w->watch == NULL ? begin(w, &err) : look_again(w, now, &err);
	if (rc >= 0 && w->watch != NULL)
		rc = watch_settle(w->watch, c->store, now, &err);
	trouble(w, rc < 0 ? &err : NULL);
}

/* --- plans ------------------------------------------------------------------------------------ */

static struct watched *find(struct collect_watch *v, const char *campaign)
{
	for (unsigned i = 0; i < v->count; i++) {
		if (strcmp(v->all[i]->campaign, campaign) == 0)
			return v->all[i];
	}
	return NULL;
}

static struct watched *add(struct collect *c, const char *campaign)
{
	struct collect_watch *v = c->watch;
	struct watched **room = collect_room(v->all, v->count, &v->room, sizeof(*room));
	struct watched *w = calloc(1, sizeof(*w));

	if (room != NULL)
		v->all = room;
	if (room == NULL || w == NULL) {
		free(w);
		return NULL;
	}
	text_set(w->campaign, sizeof(w->campaign), campaign);
	w->collect = c;
	v->all[v->count++] = w;
	return w;
}

static int on_plan(void *arg, const struct bus_entry *e, struct bp_error *err)
{
	struct collect *c = arg;
	const char *campaign = e->key + strlen(PLAN_KEY);
	struct watched *w;

	(void)err;
	if (strncmp(e->key, PLAN_KEY, strlen(PLAN_KEY)) != 0 || e->gone || !bus_name_ok(campaign))
		return 0;
	w = find(c->watch, campaign);
	if (w == NULL)
		w = add(c, campaign);
	if (w == NULL)
		return 0;
	if (w->revision != e->revision || w->created.ns != e->created.ns)
		take_plan(w, e);
	w->seen = true;
	return 0;
}

/* Withdrawn campaigns are watched no more; their rounds are in the store. */
static void read_plans(struct collect *c)
{
	struct collect_watch *v = c->watch;
	struct bp_error err;
	unsigned kept = 0;

	for (unsigned i = 0; i < v->count; i++)
		v->all[i]->seen = false;
	if (bus_each(c->bus, FLEET, on_plan, c, &err) < 0)
		return;
	for (unsigned i = 0; i < v->count; i++) {
		if (v->all[i]->seen) {
			v->all[kept++] = v->all[i];
			continue;
		}
		forget_plan(v->all[i]);
		free(v->all[i]);
	}
	v->count = kept;
}

/* --- rounds ----------------------------------------------------------------------------------- */

static void feed(struct collect *c, const struct round *r)
{
	struct watched *w = find(c->watch, r->campaign);
	struct bp_error err = {0};

	/* A watch that is not begun reads it from the store. */
	if (w == NULL || w->watch == NULL || c->store == NULL)
		return;
	trouble(w, watch_round(w->watch, c->store, r, wall_now(), &err) < 0 ? &err : NULL);
}

static void tell_others(struct collect *c, const struct round *r)
{
	char subject[BUS_SUBJECT_TEXT];
	struct buf line;

	snprintf(subject, sizeof(subject), ROUND_SUBJECT "%s", r->vantage);
	buf_init(&line);
	round_write_json(&line, r);
	if (!line.failed)
		(void)bus_tell(c->bus, subject, line.bytes, line.used, NULL);
	buf_fini(&line);
}

void collect_watch_round(struct collect *c, const struct round *r)
{
	if (c->watch == NULL)
		return;
	if (c->watch->mine)
		feed(c, r);
	else
		tell_others(c, r);
}

static void hear_others(struct collect *c)
{
	struct collect_watch *v = c->watch;
	struct bus_message m;
	struct bp_error err = {0};

	if (v->ear == NULL && bus_listen(c->bus, ROUND_SUBJECT "*", NULL, &v->ear, &err) < 0) {
		if (err.code != BP_EAGAIN && !v->deaf_told)
			collect_note(c, "rounds that other collectors take in are not watched: %s",
				     err.text);
		v->deaf_told |= err.code != BP_EAGAIN;
		return;
	}
	for (unsigned i = 0; i < ROUNDS_HEARD_MAX && bus_hear(v->ear, 0, &m, &err) == 0; i++) {
		struct record rec;
		struct round r;

		v->others = true;
		record_init(&rec);
		if (v->mine && jsonl_read(m.bytes, m.size, &rec, &err) == 0 &&
		    round_read(&rec, &r, &err) == 0)
			feed(c, &r);
		record_fini(&rec);
		bus_message_drop(&m);
	}
}

/* --- turns ------------------------------------------------------------------------------------ */

void collect_watch_lost(struct collect *c)
{
	if (c->watch == NULL)
		return;
	c->watch->mine = false;
	c->watch->claim_next = mono_now();
	for (unsigned i = 0; i < c->watch->count; i++)
		stop(c->watch->all[i]);
}

void collect_watch_deaf(struct collect *c)
{
	if (c->watch == NULL || !c->watch->others)
		return;
	for (unsigned i = 0; i < c->watch->count; i++)
		stop(c->watch->all[i]);
}

/* Asked again and again: a connection that was lost and made anew has lost it. */
static void claim(struct collect *c, struct mono now)
{
	struct collect_watch *v = c->watch;
	struct bp_error err;
	bool mine;

	if (!mono_reached(now, v->claim_next))
		return;
	v->claim_next = mono_add(now, CLAIM_NS);
	if (store_claim(c->store, CLAIM, &mine, &err) < 0)
		return;
	if (v->mine && !mine)
		collect_watch_lost(c);
	v->mine = mine;
}

void collect_watch_clock(struct collect *c, const struct page *p)
{
	if (c->watch == NULL)
		return;
	for (unsigned i = 0; i < c->watch->count; i++) {
		if (c->watch->all[i]->watch != NULL)
			(void)watch_distrust(c->watch->all[i]->watch, p->vantage, is_off(p));
	}
}

/* One campaign a turn. Behind what is settled, which reads what would go. */
static void keep(struct collect_watch *v)
{
	for (unsigned i = 0; i < v->count; i++) {
		struct watched *w = v->all[i];

		if (w->collect->store != NULL && collect_keep(w->collect, &w->keeping))
			return;
	}
}

void collect_watch_turn(struct collect *c, bool bus)
{
	struct collect_watch *v = c->watch;
	struct mono now = mono_now();

	if (v == NULL)
		return;
	for (unsigned i = 0; i < v->count; i++) {
		if (v->all[i]->alert != NULL)
			alert_step(v->all[i]->alert);
	}
	if (bus)
		hear_others(c);
	if (c->store == NULL)
		return;
	claim(c, now);
	if (!v->mine)
		return;
	if (bus && mono_reached(now, v->plans_next)) {
		read_plans(c);
		v->plans_next = mono_add(now, PLANS_NS);
	}
	if (mono_reached(now, v->settle_next)) {
		v->settle_next = mono_add(now, SETTLE_NS);
		for (unsigned i = 0; i < v->count; i++)
			settle(v->all[i], wall_now());
	}
	keep(v);
}

int collect_watch_open(struct collect *c)
{
	c->watch = calloc(1, sizeof(*c->watch));
	return c->watch == NULL ? BP_ENOMEM : 0;
}

void collect_watch_close(struct collect *c)
{
	struct collect_watch *v = c->watch;

	if (v == NULL)
		return;
	for (unsigned i = 0; i < v->count; i++) {
		forget_plan(v->all[i]);
		free(v->all[i]);
	}
	bus_ear_close(v->ear);
	free(v->all);
	free(v);
	c->watch = NULL;
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which revisions are new: those that came of a round that was watched live; and of history those
 * of its last round that the store does not have, because a process that was killed between the
 * round and its events told of neither. Older ones were told, or were before anybody watched.
 */
#include "campaign/watch.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"

/* History that is read: days, or rounds where these take longer. */
#define RECALL_NS (2 * 24 * 3600 * NS_PER_S)

enum { RECALL_ROUNDS = 300, BREATH_POINTS = 512 };

/* A cell of the round at hand, without its hops and hosts. */
struct kept_cell { struct cell c; char round[TRACE_ID_TEXT]; };

struct watch {
	const struct campaign_plan *plan;
	const struct profile *profile;
	struct watch_hooks hooks;
	/* of one reading; made anew when anything fails */
	struct nodes nodes;
	struct point_room room;
	struct series *series;
	struct events *events;
	bool known;             /* history was read */
	bool recalling;
	struct wall last;       /* planned moment of the last round that is in, looks aside */
	struct event *found;    /* owned: of the round at hand, in order */
	unsigned found_count, found_room;
	struct kept_cell *cells; /* owned: likewise */
	unsigned cell_count, cell_room;
	uint64_t points;
	const char *round;      /* points of this one are taken; NULL: of any */
};

/* --- the engine ------------------------------------------------------------------------------- */

static int take_event(void *arg, const struct event *e)
{
	struct watch *w = arg;

	if (w->found_count == w->found_room) {
		unsigned room = w->found_room > 0 ? 2 * w->found_room : 16;
		struct event *more = reallocarray(w->found, room, sizeof(*more));

		if (more == NULL)
			return BP_ENOMEM;
		w->found = more;
		w->found_room = room;
	}
	w->found[w->found_count++] = *e;
	return 0;
}

/* The engine takes cells moment by moment: what comes of this one is known when it settles. */
static int take_cell(void *arg, const struct cell *c)
{
	struct watch *w = arg;
	struct kept_cell *kept;
	int rc = events_cell(w->events, c);

	if (rc < 0 || w->hooks.on_cell == NULL)
		return rc;
	if (w->cell_count == w->cell_room) {
		unsigned room = w->cell_room > 0 ? 2 * w->cell_room : 16;
		struct kept_cell *more = reallocarray(w->cells, room, sizeof(*more));

		if (more == NULL)
			return BP_ENOMEM;
		w->cells = more;
		w->cell_room = room;
	}
	kept = &w->cells[w->cell_count++];
	kept->c = *c;
	kept->c.hops = NULL;
	kept->c.host = NULL;
	kept->c.hop_count = kept->c.host_count = 0;
	text_set(kept->round, sizeof(kept->round), c->round);
	return 0;
}

static void show_cells(struct watch *w)
{
	for (unsigned i = 0; i < w->cell_count; i++) {
		struct kept_cell *kept = &w->cells[i];
		struct events_now now;

		kept->c.round = kept->round;
		events_now(w->events, kept->c.key, &now);
		w->hooks.on_cell(w->hooks.arg, &kept->c, &now, w->recalling);
	}
	w->cell_count = 0;
}

static void drop_engine(struct watch *w)
{
	events_free(w->events);
	series_free(w->series);
	point_room_fini(&w->room);
	nodes_fini(&w->nodes);
	w->events = NULL;
	w->series = NULL;
	memset(&w->room, 0, sizeof(w->room));
	memset(&w->nodes, 0, sizeof(w->nodes));
	w->found_count = w->cell_count = 0;
	w->known = false;
	w->last = (struct wall){0};
}

static int make_engine(struct watch *w)
{
	const struct events_options o = {.profile = w->profile,
					 .flap_ns = w->plan->flapping_ns};
	int rc;

	drop_engine(w);
	rc = nodes_init(&w->nodes);
	if (rc == 0)
		rc = series_new(w->profile, &w->nodes, take_cell, w, &w->series);
	if (rc == 0)
		rc = events_new(&o, w->series, &w->nodes, take_event, w, &w->events);
	return rc;
}

int watch_new(const struct campaign_plan *plan, const struct profile *profile,
	      const struct watch_hooks *hooks, struct watch **out)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return BP_ENOMEM;
	w->plan = plan;
	w->profile = profile;
	w->hooks = *hooks;
	*out = w;
	return 0;
}

void watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	drop_engine(w);
	free(w->found);
	free(w->cells);
	free(w);
}

/* --- what the store holds --------------------------------------------------------------------- */

static int on_point(void *arg, const struct point *p, struct bp_error *err)
{
	struct watch *w = arg;
	int rc;

	if (++w->points % BREATH_POINTS == 0 && w->hooks.on_breath != NULL)
		w->hooks.on_breath(w->hooks.arg);
	if (w->round != NULL && strcmp(p->round, w->round) != 0)
		return 0;
	rc = series_point(w->series, p);
	return rc < 0 ? bp_fail(err, rc, "out of memory") : 0;
}

static int add_round(struct watch *w, const struct round *r, struct bp_error *err)
{
	int rc = series_round(w->series, r);

	if (rc == 0)
		rc = events_settle(w->events, r->end.ns != 0 ? r->end : r->planned);
	if (rc == 0)
		show_cells(w);
	if (rc == 0 && !r->look && w->last.ns < r->planned.ns)
		w->last = r->planned;
	return rc < 0 ? bp_fail(err, rc, "out of memory") : 0;
}

static int on_round(void *arg, const struct round *r, struct bp_error *err)
{
	struct watch *w = arg;

	/* Of history only what the last round brought may be new. */
	w->found_count = 0;
	return add_round(w, r, err);
}

static struct store_points points_of(struct watch *w)
{
	return (struct store_points){.profile = w->profile, .nodes = &w->nodes, .room = &w->room,
				     .on_point = on_point, .arg = w};
}

static struct store_select of_plan(const struct watch *w)
{
	return (struct store_select){.campaign = w->plan->campaign, .vantage = w->plan->vantage};
}

static int64_t recall_ns(const struct campaign_plan *p)
{
	int64_t rounds = p->every_ns > INT64_MAX / RECALL_ROUNDS ? INT64_MAX :
			 p->every_ns * RECALL_ROUNDS;

	return rounds > RECALL_NS ? rounds : RECALL_NS;
}

/* From so long before `latest` up to `before`, a round that is not history; 0: to the end. */
static int read_history(struct watch *w, struct store *s, struct wall latest, struct wall before,
			struct bp_error *err)
{
	struct store_select select = of_plan(w);
	struct store_points to = points_of(w);
	int rc = make_engine(w);

	if (rc < 0)
		return bp_fail(err, rc, "out of memory");
	to.on_round = on_round;
	select.since.ns = latest.ns - recall_ns(w->plan);
	select.until = before;
	w->round = NULL;
	w->recalling = true;
	rc = store_points(s, &select, &to, err);
	w->recalling = false;
	w->known = rc == 0;
	return rc;
}

static int read_round(struct watch *w, struct store *s, const struct round *r,
		      struct bp_error *err)
{
	struct store_select select = of_plan(w);
	struct store_points to = points_of(w);
	int rc = 0;

	/* Its traces start within it, unless the clock was set meanwhile; the store's times are cut
	 * to microseconds. */
	if (!r->clock_stepped) {
		select.since.ns = r->start.ns - NS_PER_US;
		select.until.ns = r->end.ns + NS_PER_US;
	}
	select.round = w->round = r->id;
	if (r->start.ns != 0)
		rc = store_points(s, &select, &to, err);
	w->round = NULL;
	return rc < 0 ? rc : add_round(w, r, err);
}

/* --- what is new ------------------------------------------------------------------------------ */

/* All that was found in one transaction; what the store has already it passes over. */
static int keep_events(struct watch *w, struct store *s, struct bp_error *err)
{
	struct buf json;
	int rc = w->found_count > 0 ? store_begin(s, err) : 0;

	buf_init(&json);
	for (unsigned i = 0; rc == 0 && i < w->found_count; i++) {
		const struct event *e = &w->found[i];

		buf_clear(&json);
		event_write_json(&json, e);
		rc = json.failed ? bp_fail(err, BP_ENOMEM, "out of memory") :
		     store_add_object(s, RECORD_EVENT, e->seen, w->plan->vantage, w->plan->campaign,
				      NULL, json.bytes, json.used, err);
	}
	buf_fini(&json);
	if (w->found_count == 0)
		return 0;
	if (rc == 0)
		rc = store_commit(s, err);
	if (rc < 0)
		store_undo(s);
	return rc;
}

static int hand_on(struct watch *w, struct store *s, struct bp_error *err)
{
	int rc = keep_events(w, s, err);

	for (unsigned i = 0; rc == 0 && i < w->found_count; i++)
		rc = w->hooks.on_event(w->hooks.arg, &w->found[i], err);
	w->found_count = 0;
	return rc;
}

struct object_ids { const char *id; bool there; };

static int look_for(void *arg, struct record *r, struct bp_error *err)
{
	struct object_ids *o = arg;
	struct event e;

	(void)err;
	if (r->kind == RECORD_EVENT && event_read(r, &e, err) == 0 && strcmp(e.id, o->id) == 0)
		o->there = true;
	return 0;
}

/* Those of the last round of history that the store does not have. */
static int find_untold(struct watch *w, struct store *s, struct bp_error *err)
{
	unsigned kept = 0;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < w->found_count; i++) {
		struct store_select select = of_plan(w);
		struct object_ids ids = {.id = w->found[i].id};

		select.since = w->found[i].seen;
		select.until.ns = w->found[i].seen.ns + NS_PER_S;
		rc = store_read(s, &select, look_for, &ids, err);
		if (rc == 0 && !ids.there)
			w->found[kept++] = w->found[i];
	}
	w->found_count = kept;
	return rc;
}

static int begin(struct watch *w, struct store *s, struct wall latest, struct wall before,
		 struct bp_error *err)
{
	int rc = read_history(w, s, latest, before, err);

	if (rc == 0)
		rc = find_untold(w, s, err);
	return rc == 0 ? hand_on(w, s, err) : rc;
}

int watch_recall(struct watch *w, struct store *s, struct bp_error *err)
{
	struct wall now = wall_now();
	struct round *latest;
	int rc;

	if (w->known)
		return 0;
	latest = malloc(sizeof(*latest));
	if (latest == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	/* Of the campaign's own time: it may have been off for a month. */
	rc = store_last_rounds(s, w->plan->campaign, w->plan->vantage, latest, 1, err);
	if (rc > 0 && latest->planned.ns < now.ns)
		now = latest->planned;
	free(latest);
	if (rc >= 0)
		rc = begin(w, s, now, (struct wall){0}, err);
	if (rc < 0)
		drop_engine(w);
	return rc;
}

int watch_round(struct watch *w, struct store *s, const struct round *r, struct bp_error *err)
{
	struct wall at = r->start.ns != 0 ? r->start : r->planned;
	int rc = 0;

	if (!w->known)
		rc = begin(w, s, at, at, err);
	/* A gap that was found out of order (slots of the time before we looked) is history. */
	if (rc == 0 && !r->look && r->planned.ns <= w->last.ns)
		return 0;
	if (rc == 0)
		rc = read_round(w, s, r, err);
	if (rc == 0)
		rc = hand_on(w, s, err);
	if (rc < 0)
		drop_engine(w);
	return rc;
}

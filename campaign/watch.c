// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which revisions are new: those that came of a round that was watched live; and of history those
 * of its last round (a centre: of its last hour) that the store does not have, because a process
 * that was killed between the round and its events told of neither. Older ones were told, or were
 * before anybody watched.
 */
#include "campaign/watch.h"

#include <stdlib.h>
#include <string.h>

#include "campaign/schedule.h"
#include "core/buf.h"

/* History that is read: days, or rounds where these take longer. */
#define RECALL_NS (2 * 24 * 3600 * NS_PER_S)

/* Of many vantage points. Rounds are delivered within so long after their end, mostly; later than
 * PATIENCE is what was kept while it could not be, and more of it follows within that. */
#define GRACE_NS (10 * NS_PER_S)
#define PATIENCE_NS (60 * NS_PER_S)
/* No clock that is right is ahead by so much. */
#define AHEAD_NS (60 * NS_PER_S)
#define UNTOLD_NS (3600 * NS_PER_S)

enum { RECALL_ROUNDS = 300, BREATH_POINTS = 512 };

/* One vantage point's campaign. */
struct lane {
	char vantage[TRACE_VANTAGE_TEXT], campaign[TRACE_CAMPAIGN_TEXT];
	struct wall last;       /* planned moment of its last round that is in, looks aside */
	struct wall end;        /* of what came last */
	struct wall came;       /* when that was; 0: it is history */
};

/* A cell of the round at hand, without its hops and hosts. */
struct kept_cell { struct cell c; char round[TRACE_ID_TEXT]; };

struct watch {
	struct watch_options o;
	struct watch_hooks hooks;
	char **distrusted;      /* owned, each too */
	unsigned distrusted_count;
	struct wall now;        /* of many: the caller's clock */
	/* of one reading; made anew when anything fails */
	struct nodes nodes;
	struct point_room room;
	struct series *series;
	struct events *events;
	bool known;             /* history was read */
	bool recalling;
	struct lane *lanes;     /* owned */
	unsigned lane_count, lane_room;
	struct event *found;    /* owned: of the round at hand, in order */
	unsigned found_count, found_room;
	struct kept_cell *cells; /* owned: likewise */
	unsigned cell_count, cell_room;
	uint64_t points;
	const char *round;      /* points of this one are taken; NULL: of any */
};

static bool is_of_many(const struct watch *w)
{
	return w->o.vantage == NULL || w->o.campaign == NULL;
}

/* --- the engine ------------------------------------------------------------------------------- */

static int take_event(void *arg, const struct event *e)
{
	struct watch *w = arg;

	/* Of one, on_round knows better. */
	if (w->recalling && w->now.ns - e->seen.ns > UNTOLD_NS && is_of_many(w))
		return 0;
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
	w->lane_count = 0;
}

static int make_engine(struct watch *w)
{
	const struct events_options o = {.profile = w->o.profile, .flap_ns = w->o.flapping_ns};
	int rc;

	drop_engine(w);
	rc = nodes_init(&w->nodes);
	if (rc == 0)
		rc = series_new(w->o.profile, &w->nodes, take_cell, w, &w->series);
	if (rc == 0)
		rc = events_new(&o, w->series, &w->nodes, take_event, w, &w->events);
	return rc;
}

int watch_new(const struct watch_options *options, const struct watch_hooks *hooks,
	      struct watch **out)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return BP_ENOMEM;
	w->o = *options;
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
	free(w->lanes);
	for (unsigned i = 0; i < w->distrusted_count; i++)
		free(w->distrusted[i]);
	free(w->distrusted);
	free(w);
}

/* --- whose rounds ----------------------------------------------------------------------------- */

static bool is_distrusted(const struct watch *w, const char *vantage, unsigned *at)
{
	for (*at = 0; *at < w->distrusted_count; ++*at) {
		if (strcmp(w->distrusted[*at], vantage) == 0)
			return true;
	}
	return false;
}

int watch_distrust(struct watch *w, const char *vantage, bool distrusted)
{
	unsigned at;
	char **more;

	if (is_distrusted(w, vantage, &at) == distrusted)
		return 0;
	if (!distrusted) {
		free(w->distrusted[at]);
		w->distrusted[at] = w->distrusted[--w->distrusted_count];
		return 0;
	}
	more = reallocarray(w->distrusted, w->distrusted_count + 1, sizeof(*more));
	if (more == NULL)
		return BP_ENOMEM;
	w->distrusted = more;
	more[w->distrusted_count] = strdup(vantage);
	if (more[w->distrusted_count] == NULL)
		return BP_ENOMEM;
	w->distrusted_count++;
	return 0;
}

/* Whether what that vantage point saw at that moment is looked at. */
static bool has_vote(const struct watch *w, const char *vantage, struct wall at)
{
	unsigned i;

	return !is_of_many(w) ||
	       (at.ns <= w->now.ns + AHEAD_NS && !is_distrusted(w, vantage, &i));
}

static int find_lane(struct watch *w, const struct round *r, struct lane **out)
{
	for (unsigned i = 0; i < w->lane_count; i++) {
		*out = &w->lanes[i];
		if (strcmp((*out)->vantage, r->vantage) == 0 &&
		    strcmp((*out)->campaign, r->campaign) == 0)
			return 0;
	}
	if (w->lane_count == w->lane_room) {
		unsigned room = w->lane_room > 0 ? 2 * w->lane_room : 16;
		struct lane *more = reallocarray(w->lanes, room, sizeof(*more));

		if (more == NULL)
			return BP_ENOMEM;
		w->lanes = more;
		w->lane_room = room;
	}
	*out = &w->lanes[w->lane_count++];
	memset(*out, 0, sizeof(**out));
	text_set((*out)->vantage, sizeof((*out)->vantage), r->vantage);
	text_set((*out)->campaign, sizeof((*out)->campaign), r->campaign);
	return 0;
}

bool watch_knows(const struct watch *w, const struct round *r)
{
	if (!w->known || !has_vote(w, r->vantage, r->start.ns != 0 ? r->start : r->planned))
		return true;
	for (unsigned i = 0; i < w->lane_count; i++) {
		if (strcmp(w->lanes[i].vantage, r->vantage) == 0 &&
		    strcmp(w->lanes[i].campaign, r->campaign) == 0)
			return r->planned.ns <= w->lanes[i].last.ns;
	}
	return false;
}

/* Up to when all is in, of those who are heard: who delivers what it kept holds the others up, or
 * what they saw together would be told one by one. */
static struct wall heard_until(const struct watch *w)
{
	struct wall until = {w->now.ns - GRACE_NS};

	for (unsigned i = 0; i < w->lane_count; i++) {
		const struct lane *l = &w->lanes[i];
		bool late = l->came.ns != 0 && l->came.ns - l->end.ns > PATIENCE_NS;

		if (late && w->now.ns - l->came.ns < PATIENCE_NS && l->end.ns < until.ns)
			until = l->end;
	}
	return until;
}

/* --- what the store holds --------------------------------------------------------------------- */

static int on_point(void *arg, const struct point *p, struct bp_error *err)
{
	struct watch *w = arg;
	int rc;

	if (++w->points % BREATH_POINTS == 0 && w->hooks.on_breath != NULL)
		w->hooks.on_breath(w->hooks.arg);
	if ((w->round != NULL && strcmp(p->round, w->round) != 0) ||
	    !has_vote(w, p->vantage, p->start))
		return 0;
	rc = series_point(w->series, p);
	return rc < 0 ? bp_fail(err, rc, "out of memory") : 0;
}

/* What is settled has its turn, and is shown. */
static int settle(struct watch *w, struct wall until)
{
	int rc = events_settle(w->events, until);

	if (rc == 0)
		show_cells(w);
	return rc;
}

/* The round is over. Of one vantage point all is known now that it showed; of many, in history:
 * what began before it has been read, whatever its end. */
static int add_round(struct watch *w, const struct round *r, struct bp_error *err)
{
	struct wall end = r->end.ns != 0 ? r->end : r->planned;
	struct wall began = r->start.ns != 0 ? r->start : r->planned;
	struct lane *lane;
	int rc = find_lane(w, r, &lane);

	if (rc == 0) {
		lane->end = end;
		lane->came = w->recalling ? (struct wall){0} : w->now;
		if (!r->look && lane->last.ns < r->planned.ns)
			lane->last = r->planned;
		rc = series_round(w->series, r);
	}
	if (rc == 0)
		rc = settle(w, !is_of_many(w) ? end :
			       w->recalling ? (struct wall){began.ns - 1} : heard_until(w));
	return rc < 0 ? bp_fail(err, rc, "out of memory") : 0;
}

static int on_round(void *arg, const struct round *r, struct bp_error *err)
{
	struct watch *w = arg;

	if (!has_vote(w, r->vantage, r->start.ns != 0 ? r->start : r->planned))
		return 0;
	/* Of history only what the last round brought may be new. */
	if (!is_of_many(w))
		w->found_count = 0;
	return add_round(w, r, err);
}

static struct store_points points_of(struct watch *w)
{
	return (struct store_points){.profile = w->o.profile, .nodes = &w->nodes, .room = &w->room,
				     .on_point = on_point, .arg = w};
}

static struct store_select of_us(const struct watch *w)
{
	return (struct store_select){.campaign = w->o.campaign, .vantage = w->o.vantage};
}

static int64_t recall_ns(const struct watch *w)
{
	int64_t rounds = w->o.every_ns > INT64_MAX / RECALL_ROUNDS ? INT64_MAX :
			 w->o.every_ns * RECALL_ROUNDS;

	return rounds > RECALL_NS ? rounds : RECALL_NS;
}

/* From so long before `latest` up to `before`, a round that is not history; 0: to the end. */
static int read_history(struct watch *w, struct store *s, struct wall latest, struct wall before,
			struct bp_error *err)
{
	struct store_select select = of_us(w);
	struct store_points to = points_of(w);
	int rc = make_engine(w);

	if (rc < 0)
		return bp_fail(err, rc, "out of memory");
	to.on_round = on_round;
	select.since.ns = latest.ns - recall_ns(w);
	select.until = before;
	w->round = NULL;
	w->recalling = true;
	rc = store_points(s, &select, &to, err);
	if (rc == 0 && is_of_many(w)) {
		rc = settle(w, (struct wall){w->now.ns - GRACE_NS});
		if (rc < 0)
			bp_fail(err, rc, "out of memory");
	}
	w->recalling = false;
	w->known = rc == 0;
	return rc;
}

static int read_round(struct watch *w, struct store *s, const struct round *r,
		      struct bp_error *err)
{
	struct store_select select = {.campaign = r->campaign, .vantage = r->vantage};
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
		     store_add_object(s, RECORD_EVENT, e->seen, w->o.vantage, w->o.campaign, NULL,
				      json.bytes, json.used, err);
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
		struct store_select select = of_us(w);
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

/* The campaign's own time, as it may have been off for a month; of many: what it is now. */
static int latest_of(struct watch *w, struct store *s, struct wall *out, struct bp_error *err)
{
	struct round *latest;
	int rc;

	*out = w->now;
	if (is_of_many(w))
		return 0;
	latest = malloc(sizeof(*latest));
	if (latest == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	rc = store_last_rounds(s, w->o.campaign, w->o.vantage, latest, 1, err);
	if (rc > 0 && latest->planned.ns < out->ns)
		*out = latest->planned;
	free(latest);
	return rc < 0 ? rc : 0;
}

int watch_recall(struct watch *w, struct store *s, struct wall now, struct bp_error *err)
{
	struct wall latest, before = {0};
	int rc;

	if (w->known)
		return 0;
	w->now = now;
	/* What a clock told that ran ahead is no history yet: our rounds are to come behind it. */
	if (!is_of_many(w))
		before.ns = now.ns + SCHEDULE_BACK_NS;
	rc = latest_of(w, s, &latest, err);
	if (rc == 0)
		rc = begin(w, s, latest, before, err);
	if (rc < 0)
		drop_engine(w);
	return rc;
}

int watch_settle(struct watch *w, struct store *s, struct wall now, struct bp_error *err)
{
	int rc;

	if (!is_of_many(w))
		return 0;
	if (!w->known)
		return watch_recall(w, s, now, err);
	w->now = now;
	rc = settle(w, heard_until(w));
	if (rc < 0)
		bp_fail(err, rc, "out of memory");
	else
		rc = hand_on(w, s, err);
	if (rc < 0)
		drop_engine(w);
	return rc;
}

int watch_round(struct watch *w, struct store *s, const struct round *r, struct wall now,
		struct bp_error *err)
{
	struct wall at = r->start.ns != 0 ? r->start : r->planned;
	struct lane *lane;
	int rc = 0;

	w->now = now;
	if (!w->known)
		rc = is_of_many(w) ? watch_recall(w, s, now, err) : begin(w, s, at, at, err);
	if (rc == 0 && !has_vote(w, r->vantage, at))
		return 0;
	if (rc == 0 && find_lane(w, r, &lane) < 0)
		rc = bp_fail(err, BP_ENOMEM, "out of memory");
	/* A gap that was found out of order (slots of the time before we looked) is history; so is
	 * a closer look that was read with it. */
	if (rc == 0 && (r->look ? is_of_many(w) && at.ns < lane->end.ns && lane->came.ns == 0 :
				  r->planned.ns <= lane->last.ns))
		return 0;
	if (rc == 0)
		rc = read_round(w, s, r, err);
	if (rc == 0)
		rc = hand_on(w, s, err);
	if (rc < 0)
		drop_engine(w);
	return rc;
}

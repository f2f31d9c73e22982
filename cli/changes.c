// SPDX-License-Identifier: BSD-2-Clause
/* The chain: points, series, events and report. */
#include "cli/changes.h"

#include <stdlib.h>
#include <string.h>

#include "cli/points_kept.h"
#include "core/text.h"

/* Rounds that the engine sees before the window: enough for a level of round-trip times, and for
 * which way was taken, to be known when it begins. */
enum { WARM_ROUNDS = 12 };

struct changes {
	struct changes_options o;
	struct points *points;
	struct series *series;
	struct events *engine;
	struct report_maker *maker;    /* NULL: none is wanted */
	struct list events;            /* struct event *, owned */
	struct intern chains;          /* ids without their revision: numbers are those of events */
	uint64_t measured;             /* cells in the window */
	struct wall seen;              /* the last end of a cell */
	uint64_t ahead;                /* left out behind the horizon */
	char ahead_of[TRACE_VANTAGE_TEXT];
};

static int no_memory(struct bp_error *err)
{
	return bp_fail(err, BP_ENOMEM, "out of memory");
}

static bool in_window(const struct changes *c, struct wall at)
{
	const struct select *s = c->o.select;

	return at.ns >= s->since.ns && (s->until.ns == 0 || at.ns < s->until.ns);
}

/* --- events ----------------------------------------------------------------------------------- */

/* ev-<16 hex>-<revision>: what all revisions of one share. */
static size_t chain_length(const char *id)
{
	const char *dash = strrchr(id, '-');

	return dash != NULL ? (size_t)(dash - id) : strlen(id);
}

static int keep_event(struct changes *c, const struct event *e)
{
	struct event **slot, *copy;
	uint32_t known = c->chains.count, number;

	copy = malloc(sizeof(*copy));
	if (copy == NULL)
		return BP_ENOMEM;
	*copy = *e;
	if (!c->o.all) {
		if (diff_intern_put(&c->chains, e->id, chain_length(e->id), &number) < 0) {
			free(copy);
			return BP_ENOMEM;
		}
		if (number < known) {
			slot = &((struct event **)c->events.items)[number];
			free(*slot);
			*slot = copy;
			return 0;
		}
	}
	slot = list_add(&c->events, sizeof(*slot));
	if (slot == NULL) {
		free(copy);
		return BP_ENOMEM;
	}
	*slot = copy;
	return 0;
}

static int take_event(void *arg, const struct event *e)
{
	return keep_event(arg, e);
}

static bool lasts(const struct event *e)
{
	return e->kind == EVENT_OUTAGE || e->kind == EVENT_FLAPPING;
}

static bool wanted(const struct changes *c, const struct event *e)
{
	const struct select *s = c->o.select;

	if (!c->o.all && (e->status == EVENT_PROVISIONAL || e->withdrawn))
		return false;
	if (s->until.ns != 0 && e->at.ns >= s->until.ns)
		return false;
	return e->at.ns >= s->since.ns ||
	       (lasts(e) && (e->until.ns == 0 || e->until.ns >= s->since.ns));
}

static int by_at(const void *a, const void *b)
{
	const struct event *x = *(struct event *const *)a, *y = *(struct event *const *)b;

	if (x->at.ns != y->at.ns)
		return x->at.ns < y->at.ns ? -1 : 1;
	if (x->seen.ns != y->seen.ns)
		return x->seen.ns < y->seen.ns ? -1 : 1;
	return strcmp(x->id, y->id);
}

/* Out of the window and what does not stand goes; the rest is put in order. */
static int settle_events(struct changes *c)
{
	struct event **events = c->events.items;
	uint32_t kept = 0;
	int rc = 0;

	for (uint32_t i = 0; i < c->events.count; i++) {
		if (wanted(c, events[i]))
			events[kept++] = events[i];
		else
			free(events[i]);
	}
	c->events.count = kept;
	/* Revisions come in the order of `seen`. */
	if (!c->o.all && kept > 0)
		qsort(events, kept, sizeof(struct event *), by_at);
	for (uint32_t i = 0; i < kept && c->maker != NULL && rc == 0; i++)
		rc = report_maker_event(c->maker, events[i]);
	return rc;
}

/* --- the chain -------------------------------------------------------------------------------- */

static int take_cell(void *arg, const struct cell *cell)
{
	struct changes *c = arg;
	int rc = events_cell(c->engine, cell);

	if (cell->end.ns > c->seen.ns)
		c->seen = cell->end;
	if (rc < 0 || !in_window(c, cell->planned))
		return rc;
	c->measured += cell->state == CELL_MEASURED;
	return c->maker != NULL ? report_maker_cell(c->maker, cell) : 0;
}

/* One clock that is ahead would else make its own time the time of all. */
static bool is_ahead(struct changes *c, struct wall at, const char *vantage)
{
	if (c->o.horizon.ns == 0 || at.ns <= c->o.horizon.ns)
		return false;
	c->ahead++;
	text_set(c->ahead_of, sizeof(c->ahead_of), vantage);
	return true;
}

static int take_point(void *arg, const struct point *p, struct bp_error *err)
{
	struct changes *c = arg;

	if (is_ahead(c, p->start, p->vantage))
		return 0;
	return series_point(c->series, p) < 0 ? no_memory(err) : 0;
}

static int take_round(void *arg, const struct round *r, struct bp_error *err)
{
	struct changes *c = arg;
	int rc;

	if (is_ahead(c, r->planned, r->vantage))
		return 0;
	rc = series_round(c->series, r);
	if (rc == 0 && c->maker != NULL && in_window(c, r->planned))
		rc = report_maker_round(c->maker, r);
	return rc < 0 ? no_memory(err) : 0;
}

int changes_new(const struct changes_options *o, struct changes **out)
{
	const struct events_options eo = {
		.profile = o->pass->profile, .sensitive = o->sensitive, .flap_ns = o->flap_ns,
	};
	struct changes *c = calloc(1, sizeof(*c));
	int rc;

	if (c == NULL)
		return BP_ENOMEM;
	c->o = *o;
	rc = points_new(o->select, o->pass, o->cold ? 0 : WARM_ROUNDS, &c->points);
	if (rc == 0)
		rc = series_new(o->pass->profile, points_nodes(c->points), take_cell, c,
				&c->series);
	if (rc == 0)
		rc = events_new(&eo, c->series, points_nodes(c->points), take_event, c,
				&c->engine);
	if (rc == 0 && o->report)
		rc = report_maker_new(o->pass->profile, c->series, o->select->since,
				      o->select->until, &c->maker);
	if (rc < 0)
		changes_free(c);
	else
		*out = c;
	return rc;
}

void changes_free(struct changes *c)
{
	if (c == NULL)
		return;
	for (uint32_t i = 0; i < c->events.count; i++)
		free(((struct event **)c->events.items)[i]);
	free(c->events.items);
	diff_intern_fini(&c->chains);
	report_maker_free(c->maker);
	events_free(c->engine);
	series_free(c->series);
	points_free(c->points);
	free(c);
}

struct points *changes_points(struct changes *c)
{
	return c->points;
}

int changes_read(struct changes *c, struct bp_error *err)
{
	const struct points_to to = {take_point, take_round, c};
	int rc = points_read(c->points, &to, err);

	if (rc < 0)
		return rc;
	rc = series_end(c->series);
	if (rc == 0)
		rc = events_end(c->engine);
	if (rc == 0)
		rc = settle_events(c);
	return rc < 0 ? no_memory(err) : 0;
}

struct event *const *changes_events(const struct changes *c, unsigned *count)
{
	*count = c->events.count;
	return c->events.items;
}

uint64_t changes_measured(const struct changes *c)
{
	return c->measured;
}

struct wall changes_seen(const struct changes *c)
{
	return c->seen;
}

uint64_t changes_ahead(const struct changes *c, const char **vantage)
{
	*vantage = c->ahead > 0 ? c->ahead_of : NULL;
	return c->ahead;
}

int changes_report(struct changes *c, const struct report **out)
{
	return c->maker != NULL ? report_make(c->maker, out) : BP_ENOTFOUND;
}

const struct select_counts *changes_counts(const struct changes *c)
{
	return points_counts(c->points);
}

// SPDX-License-Identifier: BSD-2-Clause
/* Cells, rounds and events are kept as they come; the report is made of them at the end. */
#include "analysis/report.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/report_inside.h"
#include "analysis/sentence.h"
#include "core/err.h"
#include "core/text.h"

/* Points, and spans, of all rows together: what a page can hold. */
enum { POINTS_ALL = 24000, POINTS_LEAST = 48, SPANS_LEAST = 100 };
/* Of a vantage point that has not been heard of for more rounds than two it is told how long, and
 * for more than three it is down. */
enum { ROUNDS_TO_TELL = 2, ROUNDS_TO_DOWN = 3 };
static const double sure = 0.9;

int report_maker_new(const struct profile *p, const struct series *s, struct wall since,
		     struct wall until, struct report_maker **out)
{
	struct report_maker *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return BP_ENOMEM;
	m->profile = p;
	m->border_count = series_border_count(s);
	m->since = since;
	m->until = until;
	*out = m;
	return 0;
}

static void report_fini(struct report *r)
{
	for (unsigned i = 0; i < r->row_count; i++) {
		free(r->rows[i].spans);
		free(r->rows[i].points);
	}
	for (unsigned i = 0; i < r->prefix_count; i++)
		free(r->prefixes[i].sums);
	free(r->rows);
	free(r->prefixes);
	free(r->shares);
	free(r->ways);
	*r = (struct report){0};
}

void report_maker_free(struct report_maker *m)
{
	if (m == NULL)
		return;
	report_fini(&m->report);
	for (unsigned i = 0; i < m->key_count; i++)
		free(m->keys[i].cells);
	free(m->keys);
	free(m->order);
	free(m->vantages);
	free(m->events);
	free(m);
}

static bool within(const struct report_maker *m, struct wall t)
{
	return t.ns >= m->since.ns && (m->until.ns == 0 || t.ns < m->until.ns);
}

/* --- vantage points -------------------------------------------------------------------------- */

static struct report_vantage *vantage_of(struct report_maker *m, const char *name)
{
	unsigned at = 0;

	while (at < m->vantage_count && strcmp(m->vantages[at].name, name) < 0)
		at++;
	if (at < m->vantage_count && strcmp(m->vantages[at].name, name) == 0)
		return &m->vantages[at];
	if (m->vantage_count == m->vantage_room) {
		unsigned room = m->vantage_room ? 2 * m->vantage_room : 8;
		void *more = reallocarray(m->vantages, room, sizeof(*m->vantages));

		if (more == NULL)
			return NULL;
		m->vantages = more;
		m->vantage_room = room;
	}
	memmove(&m->vantages[at + 1], &m->vantages[at],
		(m->vantage_count - at) * sizeof(*m->vantages));
	m->vantages[at] = (struct report_vantage){0};
	text_set(m->vantages[at].name, sizeof(m->vantages[at].name), name);
	m->vantage_count++;
	return &m->vantages[at];
}

int report_maker_round(struct report_maker *m, const struct round *r)
{
	struct report_vantage *v;

	if (!within(m, r->planned))
		return 0;
	v = vantage_of(m, r->vantage);
	if (v == NULL)
		return BP_ENOMEM;
	v->told = true;
	if (r->done == 0) {
		v->missed++;
		m->missed++;
	} else {
		v->rounds++;
		m->rounds++;
		v->offline += r->health == ROUND_HEALTH_OFFLINE;
	}
	if (r->planned.ns >= v->last.ns) {
		v->down = r->done == 0 || r->health == ROUND_HEALTH_OFFLINE;
		if (r->done > 0)
			v->last = r->planned;
	}
	v->moved = v->moved || (r->changed & (ROUND_CHANGED_EGRESS | ROUND_CHANGED_TRANSIT)) != 0;
	if (r->egress_asn != 0) {
		v->egress_asn = r->egress_asn;
		memcpy(v->egress_org, r->egress_org, sizeof(v->egress_org));
	}
	if (r->transit_asn != 0) {
		v->transit_asn = r->transit_asn;
		memcpy(v->transit_org, r->transit_org, sizeof(v->transit_org));
	}
	return 0;
}

/* Where no record tells of rounds, they are those of its keys. */
static void vantages_settle(struct report_maker *m)
{
	struct report *r = &m->report;

	for (unsigned i = 0; i < m->vantage_count; i++) {
		struct report_vantage *v = &m->vantages[i];
		int64_t every = 0;
		struct wall last = {0};
		bool offline = false;

		for (unsigned k = 0; k < r->row_count; k++) {
			const struct report_row *row = &r->rows[k];

			if (strcmp(row->vantage, v->name) != 0)
				continue;
			if (!v->told && row->rounds + row->offline > v->rounds) {
				v->rounds = row->rounds + row->offline;
				v->missed = row->missed;
				v->offline = row->offline;
			}
			v->counted = v->counted || row->rounds > 0;
			every = row->every_ns > every ? row->every_ns : every;
			last = row->last_round.ns > last.ns ? row->last_round : last;
			offline = offline || (row->span_count > 0 &&
					      row->spans[row->span_count - 1].band ==
					      REPORT_BAND_OFFLINE);
		}
		if (!v->told) {
			v->last = last;
			r->rounds += v->rounds;
			r->missed += v->missed;
		}
		v->down = v->down || offline || (every > 0 && r->as_of.ns - last.ns >
							      ROUNDS_TO_DOWN * every);
		last = v->last.ns > last.ns ? v->last : last;
		if (!offline && every > 0 && last.ns != 0 &&
		    r->as_of.ns - last.ns > ROUNDS_TO_TELL * every)
			v->unheard_ns = r->as_of.ns - last.ns;
	}
}

/* --- cells ----------------------------------------------------------------------------------- */

static struct key_cells *key_of(struct report_maker *m, const struct series_key *key)
{
	struct key_cells *k;

	if (key->number >= m->key_count) {
		unsigned count = key->number + 1 > 2 * m->key_count ? key->number + 16 :
				 2 * m->key_count;
		struct key_cells *keys = reallocarray(m->keys, count, sizeof(*keys));

		if (keys == NULL)
			return NULL;
		memset(keys + m->key_count, 0, (count - m->key_count) * sizeof(*keys));
		m->keys = keys;
		m->key_count = count;
	}
	k = &m->keys[key->number];
	if (!k->used) {
		k->used = true;
		text_set(k->vantage, sizeof(k->vantage), key->vantage);
		text_set(k->campaign, sizeof(k->campaign), key->campaign);
		k->prefix = key->prefix;
		k->method = key->method;
	}
	return k;
}

static uint8_t band_of(const struct cell *c)
{
	switch (c->state) {
	case CELL_MEASURED: break;
	case CELL_OFFLINE: return REPORT_BAND_OFFLINE;
	default:
		return c->why == ROUND_WHY_OFFLINE ? REPORT_BAND_OFFLINE : REPORT_BAND_NOT_MEASURED;
	}
	switch (c->outcome) {
	case OUTCOME_BORDER: return REPORT_BAND_BORDER;
	case OUTCOME_OTHER: return REPORT_BAND_OTHER;
	case OUTCOME_MIXED: return REPORT_BAND_MIXED;
	case OUTCOME_NONE: return REPORT_BAND_NONE;
	default:
		return c->hosts_reached == 0 && c->by_class[CLASS_BORDER] == 0 ?
		       REPORT_BAND_SILENT : REPORT_BAND_UNDETERMINED;
	}
}

static void keep(const struct report_maker *m, const struct cell *c, struct kept *out)
{
	unsigned best = REACH_UNKNOWN;

	*out = (struct kept){.planned = c->planned, .state = c->state, .why = c->why,
			     .band = band_of(c), .border = -1, .rtt_min_ns = -1,
			     .rtt_median_ns = -1};
	if (c->state != CELL_MEASURED)
		return;
	out->rtt_min_ns = c->rtt_min_ns;
	out->rtt_median_ns = c->rtt_median_ns;
	out->confidence = (float)c->confidence;
	out->asked = c->asked;
	out->answered = c->answered;
	out->traces = c->traces;
	out->reached = c->hosts_reached > 0;
	for (unsigned i = 0; i < sizeof(c->by_reach) / sizeof(c->by_reach[0]); i++)
		best = c->by_reach[i] > c->by_reach[best] ? i : best;
	out->reach = (uint8_t)best;
	if (out->band == REPORT_BAND_BORDER)
		out->border = (int8_t)c->border;
	else if (out->band == REPORT_BAND_OTHER)
		out->border = (int8_t)(m->border_count - 1);
	if (out->border >= 0)
		out->borders = 1u << out->border;
	for (unsigned b = 0; out->band == REPORT_BAND_MIXED && b < m->border_count; b++)
		out->borders |= c->by_border[b] > 0 ? 1u << b : 0;
}

int report_maker_cell(struct report_maker *m, const struct cell *c)
{
	struct key_cells *k;

	if (!within(m, c->planned))
		return 0;
	k = key_of(m, c->key);
	if (k == NULL || vantage_of(m, k->vantage) == NULL)
		return BP_ENOMEM;
	if (c->every_ns > 0)
		k->every_ns = c->every_ns;
	k->moved = k->moved || c->moved;
	if (c->look) {
		k->looks++;
		k->look_traces += c->traces;
		return 0;
	}
	if (k->count == k->room) {
		unsigned room = k->room ? 2 * k->room : 32;
		void *more = reallocarray(k->cells, room, sizeof(*k->cells));

		if (more == NULL)
			return BP_ENOMEM;
		k->cells = more;
		k->room = room;
	}
	keep(m, c, &k->cells[k->count]);
	if (k->cells[k->count++].borders != 0 && c->via_asn != 0) {
		k->via_asn = c->via_asn;
		text_set(k->via_org, sizeof(k->via_org), c->via_org);
	}
	return 0;
}

/* --- events ---------------------------------------------------------------------------------- */

/* All of an id but its revision. */
static size_t stem(const char *id)
{
	const char *dash = strrchr(id, '-');

	return dash != NULL ? (size_t)(dash - id) : strlen(id);
}

int report_maker_event(struct report_maker *m, const struct event *e)
{
	size_t n = stem(e->id);

	/* Revisions mostly follow each other closely. */
	for (unsigned i = m->event_count; n > 0 && i-- > 0;) {
		struct event *known = &m->events[i];

		if (strncmp(known->id, e->id, n) == 0 && stem(known->id) == n) {
			if (e->seen.ns >= known->seen.ns)
				*known = *e;
			return 0;
		}
	}
	if (m->event_count == m->event_room) {
		unsigned room = m->event_room ? 2 * m->event_room : 8;
		void *more = reallocarray(m->events, room, sizeof(*m->events));

		if (more == NULL)
			return BP_ENOMEM;
		m->events = more;
		m->event_room = room;
	}
	m->events[m->event_count++] = *e;
	return 0;
}

static int compare_events(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->at.ns != y->at.ns)
		return x->at.ns < y->at.ns ? -1 : 1;
	return strcmp(x->id, y->id);
}

/* What did not hold, and what was over before the window or came after it, is no part of it. */
static void events_settle_in(struct report_maker *m)
{
	unsigned n = 0;

	for (unsigned i = 0; i < m->event_count; i++) {
		const struct event *e = &m->events[i];
		struct wall end = e->until.ns > e->not_after.ns ? e->until : e->not_after;
		bool open = e->until.ns == 0 && e->kind == EVENT_OUTAGE &&
			    e->status != EVENT_RESOLVED;

		if (e->withdrawn || (end.ns < m->since.ns && !open) ||
		    (m->until.ns != 0 && e->at.ns >= m->until.ns))
			continue;
		if (n != i)
			m->events[n] = *e;
		n++;
	}
	m->event_count = n;
	if (n > 0)
		qsort(m->events, n, sizeof(*m->events), compare_events);
	m->report.events = m->events;
	m->report.event_count = n;
}

/* --- making ---------------------------------------------------------------------------------- */

static int compare_keys(const void *a, const void *b)
{
	const struct key_cells *x = *(const struct key_cells *const *)a;
	const struct key_cells *y = *(const struct key_cells *const *)b;
	int c = addr_compare(x->prefix.addr, y->prefix.addr);

	if (c == 0)
		c = (int)x->prefix.len - (int)y->prefix.len;
	if (c == 0)
		c = strcmp(x->vantage, y->vantage);
	if (c == 0)
		c = (int)x->method - (int)y->method;
	return c != 0 ? c : strcmp(x->campaign, y->campaign);
}

static int compare_ns(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* What the cells told, else the median distance of the rounds. */
static int every_of(struct key_cells *k)
{
	int64_t *d;

	if (k->every_ns > 0 || k->count < 2)
		return 0;
	d = calloc(k->count, sizeof(*d));
	if (d == NULL)
		return BP_ENOMEM;
	for (unsigned i = 1; i < k->count; i++)
		d[i - 1] = k->cells[i].planned.ns - k->cells[i - 1].planned.ns;
	qsort(d, k->count - 1, sizeof(*d), compare_ns);
	k->every_ns = d[(k->count - 1) / 2];
	free(d);
	return 0;
}

static int compare_planned(const void *a, const void *b)
{
	return compare_ns(&((const struct kept *)a)->planned.ns,
			  &((const struct kept *)b)->planned.ns);
}

/* Records of no round come in any order. */
static void sort_cells(struct key_cells *k)
{
	for (unsigned i = 1; i < k->count; i++) {
		if (k->cells[i].planned.ns < k->cells[i - 1].planned.ns) {
			qsort(k->cells, k->count, sizeof(*k->cells), compare_planned);
			return;
		}
	}
}

/* Window, and the last round in it. */
static int window(struct report_maker *m, unsigned *used)
{
	struct report *r = &m->report;
	int64_t every = 0, first = INT64_MAX, last = 0;
	unsigned n = 0;

	free(m->order);
	m->order = calloc(m->key_count + 1, sizeof(*m->order));
	if (m->order == NULL)
		return BP_ENOMEM;
	for (unsigned i = 0; i < m->key_count; i++) {
		struct key_cells *k = &m->keys[i];

		if (!k->used || k->count == 0)
			continue;
		sort_cells(k);
		if (every_of(k) < 0)
			return BP_ENOMEM;
		m->order[n++] = k;
		every = k->every_ns > every ? k->every_ns : every;
		first = k->cells[0].planned.ns < first ? k->cells[0].planned.ns : first;
		last = k->cells[k->count - 1].planned.ns > last ?
		       k->cells[k->count - 1].planned.ns : last;
		for (unsigned c = k->count; c-- > 0;) {
			if (k->cells[c].state != CELL_MEASURED)
				continue;
			if (k->cells[c].planned.ns > r->as_of.ns)
				r->as_of = k->cells[c].planned;
			break;
		}
	}
	if (r->as_of.ns == 0)
		return BP_ENOTFOUND;
	qsort(m->order, n, sizeof(struct key_cells *), compare_keys);
	r->since = m->since.ns != 0 ? m->since : (struct wall){first};
	/* A single round has no length of its own: a minute, so that it can be drawn. */
	r->until = m->until.ns != 0 ? m->until :
		   (struct wall){last + (every > 0 ? every : 60 * NS_PER_S)};
	*used = n;
	return 0;
}

static int rows_make(struct report_maker *m, unsigned n)
{
	struct report *r = &m->report;
	unsigned points = POINTS_ALL / n, spans = POINTS_ALL / n;
	int rc = 0;

	spans = spans > REPORT_SPANS_MAX ? REPORT_SPANS_MAX : spans < SPANS_LEAST ? SPANS_LEAST :
		spans;

	points = points > REPORT_POINTS_MAX ? REPORT_POINTS_MAX :
		 points < POINTS_LEAST ? POINTS_LEAST : points;
	r->rows = calloc(n, sizeof(*r->rows));
	if (r->rows == NULL)
		return BP_ENOMEM;
	for (unsigned i = 0; i < n && rc == 0; i++) {
		const struct key_cells *k = m->order[i];

		rc = report_row_make(k, r, points, spans, &r->rows[i]);
		r->row_count = i + 1;
		r->traces += k->look_traces;
		for (unsigned c = 0; c < k->count; c++)
			r->traces += k->cells[c].traces;
		if (k->moved && vantage_of(m, k->vantage) != NULL)
			vantage_of(m, k->vantage)->moved = true;
	}
	return rc;
}

bool report_unsure(uint8_t band, double confidence)
{
	return (band == REPORT_BAND_BORDER || band == REPORT_BAND_OTHER ||
		band == REPORT_BAND_MIXED) && confidence < sure - 1e-6;
}

int report_make(struct report_maker *m, const struct report **out)
{
	struct report *r = &m->report;
	unsigned n = 0;
	int rc;

	report_fini(r);
	r->profile = m->profile;
	r->border_count = m->border_count;
	r->networks_of = sentence_networks(m->profile);
	rc = window(m, &n);
	if (rc == 0)
		rc = rows_make(m, n);
	if (rc == 0) {
		r->rounds = m->rounds;
		r->missed = m->missed;
		vantages_settle(m);
		r->vantages = m->vantages;
		r->vantage_count = m->vantage_count;
		events_settle_in(m);
		rc = report_sums_make(m);
	}
	if (rc == 0)
		rc = report_shares_make(m);
	if (rc == 0)
		rc = report_ways_make(m);
	if (rc == 0)
		rc = report_power_make(m);
	if (rc == 0)
		*out = r;
	return rc;
}

// SPDX-License-Identifier: BSD-2-Clause
/* Events in, offers out. What is wanted is multipath_scan.c's. */
#include "prober/engine/multipath.h"

#include <stdlib.h>
#include <string.h>

#include "prober/engine/multipath_state.h"
#include "prober/engine/wait.h"

static unsigned ttls_of(const struct multipath *m)
{
	return m->config.path.max_ttl - m->config.path.first_ttl + 1u;
}

static bool in_range(const struct multipath *m, unsigned flow, unsigned ttl)
{
	return flow < m->flows && ttl >= m->config.path.first_ttl &&
	       ttl <= m->config.path.max_ttl;
}

unsigned multipath_point(struct multipath *m, unsigned k)
{
	if (m->points[k] == 0)
		m->points[k] = (uint16_t)multipath_stopping_point(k, 1 - m->config.level / 100.0);
	return m->points[k];
}

/* --- waits --- */

struct mono multipath_deadline(const struct multipath *m, const struct cell *c, unsigned ttl)
{
	int64_t wait = wait_for_answer(m->rtt_max_ns, ttl <= m->heard, m->config.path.wait_ns);

	wait += m->slack_ns;
	return mono_add(c->last, wait < m->config.path.wait_ns ? wait : m->config.path.wait_ns);
}

bool multipath_waiting(const struct multipath *m, const struct cell *c, unsigned ttl,
		       struct mono now)
{
	unsigned out = ((1u << c->sent) - 1) & ~((1u << c->closed) - 1) & ~(unsigned)c->answered;

	return out && !mono_reached(now, multipath_deadline(m, c, ttl));
}

/* --- life --- */

struct multipath *multipath_new(const struct multipath_config *c, struct mono now)
{
	struct multipath *m = calloc(1, sizeof(*m));
	struct tracer_config survey;

	if (m == NULL)
		return NULL;
	m->config = *c;
	if (m->config.level < 50 || m->config.level > 99)
		m->config.level = 95;
	m->flows_max = c->flows_max == 0 || c->flows_max > MULTIPATH_FLOWS_MAX ?
			       MULTIPATH_FLOWS_MAX : c->flows_max;
	/* The tracer brings the values into range; one attempt is enough for a survey. */
	survey = c->path;
	survey.attempts = 1;
	m->rows = calloc(TRACER_TTLS, sizeof(m->rows[0]));
	if (m->rows == NULL) {
		free(m);
		return NULL;
	}
	tracer_init(&m->tracer, m->rows, &survey, now);
	m->config.path.first_ttl = m->tracer.config.first_ttl;
	m->config.path.max_ttl = m->tracer.config.max_ttl;
	m->config.path.wait_ns = m->tracer.config.wait_ns;
	if (c->path.attempts < 1)
		m->config.path.attempts = 1;
	if (c->path.attempts > MULTIPATH_ATTEMPTS_MAX)
		m->config.path.attempts = MULTIPATH_ATTEMPTS_MAX;
	m->limit = m->config.path.max_ttl;
	m->start = now;
	m->flows = 1;
	m->rtt_max_ns = -1;
	m->confidence = 0;
	m->base = (uint16_t)multipath_point(m, 2);
	/* calloc: what no flow uses is never touched. */
	m->cells = calloc((size_t)m->flows_max * ttls_of(m), sizeof(m->cells[0]));
	if (m->cells == NULL) {
		multipath_free(m);
		return NULL;
	}
	return m;
}

void multipath_free(struct multipath *m)
{
	if (m == NULL)
		return;
	for (unsigned ttl = 0; ttl < TRACER_TTLS; ttl++)
		free(m->stages[ttl].nodes);
	free(m->cells);
	free(m->rows);
	free(m);
}

void multipath_start(struct multipath *m, struct mono now)
{
	struct tracer_config survey = m->tracer.config;

	if (m->tracer.top != 0)
		return;
	m->start = now;
	tracer_init(&m->tracer, m->rows, &survey, now);
}

/* --- offers --- */

/* The survey is over: how far it came is how far flows are asked at once. */
static void end_survey(struct multipath *m)
{
	enum stop why = tracer_stop_reason(&m->tracer);

	m->surveyed = true;
	m->survey_end = tracer_last_ttl(&m->tracer);
	if (why == STOP_LOOP)
		m->limit = m->survey_end;
	m->flows = m->base < m->flows_max ? m->base : m->flows_max;
	/* A kernel that refused every probe (no route) would refuse the others too. */
	if (m->sent == 0)
		m->flows = m->flows_max = 1;
	m->short_of = m->flows < m->base;
	m->dirty = true;
}

static struct multipath_step survey_step(struct multipath *m, struct mono now)
{
	struct tracer_step s = tracer_next(&m->tracer, now);

	return (struct multipath_step){.want = s.want, .ttl = s.ttl, .attempt = s.attempt,
				       .until = s.until};
}

struct multipath_step multipath_next(struct multipath *m, struct mono now)
{
	int64_t budget = m->config.path.budget_ns;
	struct mono wake;

	m->now = now;
	if (!m->surveyed && m->stop == STOP_UNKNOWN) {
		struct multipath_step s = survey_step(m, now);

		if (s.want != TRACER_DONE)
			return s;
		end_survey(m);
	}
	if (m->stop == STOP_UNKNOWN && (m->dirty || mono_reached(now, m->wake)))
		multipath_look(m, now);
	if (m->stop == STOP_UNKNOWN && budget > 0 && mono_reached(now, mono_add(m->start, budget)))
		multipath_stop(m, STOP_TIMEOUT);
	if (m->stop != STOP_UNKNOWN)
		return (struct multipath_step){.want = TRACER_DONE};
	wake = m->wake;
	for (unsigned i = 0; i < m->offer_count; i++) {
		const struct offer *o = &m->offers[i];
		struct mono deferred = m->stages[o->ttl].deferred;

		if (mono_reached(now, deferred))
			return (struct multipath_step){
				.want = TRACER_SEND, .flow = o->flow, .ttl = o->ttl,
				.attempt = (uint8_t)(multipath_cell(m, o->flow, o->ttl)->sent + 1)};
		wake = mono_min(wake, deferred);
	}
	if (budget > 0)
		wake = mono_min(wake, mono_add(m->start, budget));
	return (struct multipath_step){.want = TRACER_WAIT, .until = wake};
}

static void offer_taken(struct multipath *m, unsigned flow, unsigned ttl)
{
	for (unsigned i = 0; i < m->offer_count; i++) {
		if (m->offers[i].flow != flow || m->offers[i].ttl != ttl)
			continue;
		m->offer_count--;
		memmove(&m->offers[i], &m->offers[i + 1],
			(m->offer_count - i) * sizeof(m->offers[0]));
		break;
	}
	if (m->offer_count == 0)
		m->dirty = true;
}

/* The next attempt left, or was refused at the door. NULL: nobody asked for it. */
static struct cell *departed(struct multipath *m, unsigned flow, uint8_t ttl, uint8_t attempt,
			     struct mono at)
{
	struct cell *c;

	if (!in_range(m, flow, ttl) || m->stop != STOP_UNKNOWN)
		return NULL;
	c = multipath_cell(m, flow, ttl);
	if (attempt != c->sent + 1 || attempt > MULTIPATH_ATTEMPTS_MAX)
		return NULL;
	if (c->sent == 0)
		c->node = c->other = AT_NONE;
	if (!multipath_waiting(m, c, ttl, at))
		c->closed = c->sent;
	c->sent = attempt;
	c->last = m->stages[ttl].last = at;
	c->overdue = false;
	offer_taken(m, flow, ttl);
	return c;
}

void multipath_sent(struct multipath *m, uint16_t flow, uint8_t ttl, uint8_t attempt,
		    struct mono at)
{
	if (departed(m, flow, ttl, attempt, at) == NULL)
		return;
	m->sent++;
	if (!m->surveyed)
		tracer_sent(&m->tracer, ttl, attempt, at);
}

void multipath_not_sent(struct multipath *m, uint16_t flow, uint8_t ttl, uint8_t attempt,
			struct mono at)
{
	struct cell *c = departed(m, flow, ttl, attempt, at);

	if (c == NULL)
		return;
	c->closed = attempt;
	m->dirty = true;
	if (!m->surveyed)
		tracer_not_sent(&m->tracer, ttl, attempt, at);
}

void multipath_defer(struct multipath *m, uint8_t ttl, struct mono until)
{
	if (!m->surveyed)
		tracer_defer(&m->tracer, ttl, until);
	else
		m->stages[ttl].deferred = until;
}

/* The highest TTL at which the flow was asked. */
static uint8_t top_of(const struct multipath *m, unsigned flow)
{
	unsigned ttl = m->config.path.max_ttl;

	while (ttl >= m->config.path.first_ttl && multipath_cell(m, flow, ttl)->sent == 0)
		ttl--;
	return (uint8_t)(ttl >= m->config.path.first_ttl ? ttl : 0);
}

void multipath_no_more_flows(struct multipath *m)
{
	unsigned used = 1;

	/* Up to the first that was never sent: one that cannot be had must not be wanted again. */
	while (used < m->flows && top_of(m, used) > 0)
		used++;
	m->flows_max = m->flows = (uint16_t)used;
	m->short_of = m->dirty = true;
}

/* --- answers --- */

/* The node's number at this TTL, made when new; AT_NONE: there is no room for it. */
static uint8_t node_of(struct multipath *m, unsigned ttl, struct addr from)
{
	struct stage *s = &m->stages[ttl];

	for (uint8_t i = 0; i < s->count; i++) {
		if (addr_equal(s->nodes[i], from))
			return i;
	}
	if (s->count == s->room && s->room < MULTIPATH_NODES_MAX) {
		unsigned room = s->room ? 2u * s->room : 2;
		struct addr *more = realloc(s->nodes, room * sizeof(more[0]));

		if (more != NULL) {
			s->nodes = more;
			s->room = (uint8_t)room;
		}
	}
	if (s->count == s->room)
		return AT_NONE;
	s->nodes[s->count] = from;
	return s->count++;
}

bool multipath_reply(struct multipath *m, uint16_t flow, uint8_t ttl, uint8_t attempt,
		     enum tracer_event event, struct addr from, int64_t rtt_ns, struct mono now,
		     bool *late)
{
	struct cell *c;
	uint8_t node;
	unsigned bit;

	*late = m->stop != STOP_UNKNOWN;
	if (*late || !in_range(m, flow, ttl) || attempt < 1)
		return false;
	c = multipath_cell(m, flow, ttl);
	bit = 1u << (attempt - 1);
	if (attempt > c->sent || (c->answered & bit))
		return false;
	*late = attempt <= c->closed || mono_reached(now, multipath_deadline(m, c, ttl));
	if (!m->surveyed) {
		bool too_late;

		tracer_reply(&m->tracer, ttl, attempt, event, from, rtt_ns, now, &too_late);
	}
	/* As in the tracer: an RTT that cannot be true gives way to what the steady clock says. */
	if (rtt_ns < 0 || rtt_ns > mono_since(now, m->start))
		rtt_ns = attempt == c->sent ? mono_since(now, c->last) : -1;
	if (rtt_ns > m->rtt_max_ns)
		m->rtt_max_ns = rtt_ns;
	if (ttl > m->heard)
		m->heard = ttl;
	c->answered |= (uint16_t)bit;
	m->now = now;
	m->dirty = true;
	node = node_of(m, ttl, from);
	if (node == AT_NONE) {
		m->short_of = true;
		return true;
	}
	if (c->node == AT_NONE) {
		c->node = node;
		c->event = (uint8_t)event;
	} else if (c->node != node) {
		c->other = node;
	}
	return true;
}

bool multipath_take_silent(struct multipath *m, uint8_t *out)
{
	if (!m->surveyed)
		return tracer_take_silent(&m->tracer, out);
	for (unsigned ttl = m->config.path.first_ttl; ttl <= m->config.path.max_ttl; ttl++) {
		if (!m->stages[ttl].silent)
			continue;
		m->stages[ttl].silent = false;
		*out = (uint8_t)ttl;
		return true;
	}
	return false;
}

void multipath_slack(struct multipath *m, int64_t ns)
{
	/* A wait that grew is looked at again when the shorter one is over. */
	m->slack_ns = ns;
	if (!m->surveyed)
		tracer_slack(&m->tracer, ns);
}

struct addr multipath_responder(const struct multipath *m, uint8_t ttl)
{
	const struct stage *s = &m->stages[ttl];

	return s->count == 1 ? s->nodes[0] : (struct addr){0};
}

/* --- the end --- */

void multipath_stop(struct multipath *m, enum stop why)
{
	if (m->stop != STOP_UNKNOWN)
		return;
	if (!m->surveyed) {
		tracer_stop(&m->tracer, why);
		m->surveyed = true;
		m->survey_end = tracer_last_ttl(&m->tracer);
	}
	multipath_sum_up(m, m->now);
	m->stop = why;
	m->cut = true;
	m->offer_count = 0;
}

uint16_t multipath_flows(const struct multipath *m)
{
	return m->flows;
}

struct multipath_end multipath_end_of(const struct multipath *m, uint16_t flow)
{
	const struct way *w = &m->ways[flow];
	bool whole = m->stop == STOP_REACHED && !w->alive;
	struct multipath_end end = {.stop = whole ? (enum stop)w->stop : m->stop,
				    .last_ttl = w->alive || w->end == 0 ? top_of(m, flow) : w->end};

	switch (w->heard) {
	case TRACER_DESTINATION + 1: end.reach = REACH_REACHED; break;
	case TRACER_UNREACHABLE + 1: end.reach = REACH_UNREACHABLE; break;
	case TRACER_PROHIBITED + 1: end.reach = REACH_FILTERED; break;
	default: end.reach = whole ? REACH_SILENT : REACH_UNKNOWN;
	}
	return end;
}

bool multipath_inherits(const struct multipath *m, uint16_t flow, uint8_t ttl)
{
	const struct way *w = &m->ways[flow];

	if (flow == 0 || !in_range(m, flow, ttl) || !m->surveyed || m->stages[ttl].kinds != 1 ||
	    multipath_cell(m, flow, ttl)->sent != 0 || multipath_cell(m, 0, ttl)->sent == 0)
		return false;
	return ttl <= multipath_end_of(m, flow).last_ttl && (m->ways[0].alive ||
	       ttl <= m->ways[0].end) && (w->alive || ttl <= w->end);
}

enum balancing multipath_balancing(const struct multipath *m, uint8_t ttl)
{
	return (enum balancing)m->stages[ttl].balancing;
}

double multipath_confidence(const struct multipath *m)
{
	return m->confidence;
}

bool multipath_cut(const struct multipath *m)
{
	return m->cut;
}

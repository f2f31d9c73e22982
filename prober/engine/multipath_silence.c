// SPDX-License-Identifier: BSD-2-Clause
/*
 * Asking and waiting, and what it means when nothing comes: a lost answer, a router that limits its
 * answers, or a branch that gives none. Knows nothing of nodes and the rule.
 */
#include "prober/engine/multipath_state.h"

enum { CONTROL_HOLDS_NS = 400 * 1000 * 1000 };

/*
 * A router or host that gives six answers and then one a second (Linux) answers one of six flows
 * asked again at once, and all of them a second apart. Whether this flow has to wait for its turn.
 * Several nodes answer as many.
 */
static bool must_wait(struct multipath *m, struct look *k, unsigned ttl)
{
	struct stage *s = &m->stages[ttl];
	struct mono due = mono_add(s->last, NS_PER_S / (s->count > 0 ? s->count : 1));
	bool wait = s->spared || !mono_reached(k->now, due);

	if (wait) {
		k->waiting = true;
		m->wake = mono_min(m->wake, due);
	}
	s->spared = true;
	return wait;
}

/* At this TTL somebody limits his answers: then one flow at a time. */
void multipath_want(struct multipath *m, struct look *k, unsigned flow, unsigned ttl)
{
	if (m->stages[ttl].limiting && must_wait(m, k, ttl))
		return;
	k->wanting = true;
	if (m->offer_count < OFFERS_MAX)
		m->offers[m->offer_count++] = (struct offer){(uint16_t)flow, (uint8_t)ttl, false};
}

void multipath_wait_for(struct multipath *m, struct look *k, const struct cell *c, unsigned ttl)
{
	k->waiting = true;
	m->wake = mono_min(m->wake, multipath_deadline(m, c, ttl));
}

/* Whether the one router known at this TTL answers nearly all flows: one it leaves unanswered is
 * then its limit's doing, rather than another, silent branch. */
static bool answers_nearly_all(const struct multipath *m, unsigned ttl)
{
	unsigned asked = 0, answered = 0;

	for (unsigned f = 0; f < m->flows; f++) {
		const struct cell *c = multipath_cell(m, f, ttl);

		asked += m->ways[f].alive && c->sent > 0;
		answered += m->ways[f].alive && c->sent > 0 && c->node != AT_NONE;
	}
	return m->stages[ttl].count == 1 && 3 * answered >= 2 * asked;
}

void multipath_note_overdue(struct multipath *m, struct cell *c, unsigned ttl)
{
	if (c->overdue || c->closed == c->sent)
		return;
	c->overdue = true;
	m->stages[ttl].silent |= ttl <= m->heard && answers_nearly_all(m, ttl);
}

/* Of the flows that were answered at this TTL, the one asked least; flows: none can be asked. */
static unsigned control_flow(const struct multipath *m, unsigned ttl)
{
	unsigned best = m->flows, least = MULTIPATH_ATTEMPTS_MAX;

	for (unsigned f = 0; f < m->flows; f++) {
		const struct cell *c = multipath_cell(m, f, ttl);

		if (m->ways[f].alive && c->sent > 0 && c->node != AT_NONE && c->sent < least) {
			best = f;
			least = c->sent;
		}
	}
	return best;
}

/* The control goes behind all that is asked in its wave: where answers are limited, those of the
 * others take what there is, and it goes without. */
static void want_control(struct multipath *m, struct look *k, unsigned flow, unsigned ttl)
{
	unsigned before = m->offer_count;

	multipath_want(m, k, flow, ttl);
	if (m->offer_count > before)
		m->offers[before].last = true;
}

/* What became of the control that is out. */
static void take_control(struct multipath *m, struct look *k, unsigned ttl)
{
	struct stage *s = &m->stages[ttl];
	struct cell *c = multipath_cell(m, s->control_flow, ttl);

	if (c->sent < s->control_attempt) {
		want_control(m, k, s->control_flow, ttl);
	} else if (c->answered >> (s->control_attempt - 1) & 1) {
		s->control_ok = c->last;
		s->control_attempt = s->control_lost = 0;
	} else if (multipath_waiting(m, c, ttl, k->now)) {
		multipath_wait_for(m, k, c, ttl);
	} else {
		s->control_attempt = 0;
		/* One may be lost by chance. */
		s->limiting |= ++s->control_lost > 1;
	}
}

/*
 * Some flow is silent where others were answered: another, silent branch, or a limit on answers? A
 * flow that was answered here is asked right behind it: if that is answered, there is no limit.
 * Whether that is so for a probe that left at `since`, or somebody turned out to be `limiting`.
 */
static bool is_controlled(struct multipath *m, struct look *k, unsigned ttl, struct mono since)
{
	struct stage *s = &m->stages[ttl];
	unsigned flow;

	if (m->config.sparing_end && k->destination)
		s->limiting = true;
	if (!s->controlling && s->control_attempt != 0)
		take_control(m, k, ttl);
	s->controlling = true;
	if (s->limiting || (s->control_ok.ns >= since.ns &&
			    s->control_ok.ns <= since.ns + CONTROL_HOLDS_NS))
		return true;
	if (s->control_attempt != 0)
		return false;
	flow = control_flow(m, ttl);
	if (flow == m->flows)
		return true;
	s->control_flow = (uint16_t)flow;
	s->control_attempt = (uint8_t)(multipath_cell(m, flow, ttl)->sent + 1);
	want_control(m, k, flow, ttl);
	return false;
}

/*
 * A flow that was silent so far, where others were answered: silent for good? Its last attempt must
 * have a control behind it; else there is one attempt more. Where somebody limits his answers, as
 * many again follow a second apart.
 */
bool multipath_is_silent(struct multipath *m, struct look *k, unsigned flow, unsigned ttl)
{
	const struct cell *c = multipath_cell(m, flow, ttl);
	unsigned attempts = m->config.path.attempts;
	struct stage *s = &m->stages[ttl];
	bool settled;

	if (c->sent + 1u >= attempts) {
		settled = is_controlled(m, k, ttl, c->last);
		if (c->sent == MULTIPATH_ATTEMPTS_MAX ||
		    c->sent >= attempts * (s->limiting ? 2u : settled ? 1u : 3u))
			return true;
		/* The control of this very attempt is out. */
		if (c->sent >= attempts && !settled && s->control_attempt != 0 &&
		    multipath_cell(m, s->control_flow, ttl)->sent >= s->control_attempt)
			return false;
	}
	multipath_want(m, k, flow, ttl);
	return false;
}

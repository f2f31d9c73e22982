// SPDX-License-Identifier: BSD-2-Clause
/*
 * Who answers: per key and host, whether silence is more than the loss they always had. What that
 * is an outage of is events_outage.c's.
 */
#include <math.h>
#include <string.h>

#include "analysis/events_inside.h"

enum { UPS_MIN = 2 };
static const double FADE = .97;
/* Natural logs of 1e-3 and 1e-5: how unlikely silence has to be by loss alone. A key is asked some
 * 3,000 times a month. */
static const double SUSPECT_CHANCE = -6.9, HOLD_CHANCE = -11.5;
/* A round of silence that loss explains this well does not end a recovery. */
static const double LIKELY = -2.3;
static const double LOSS_MIN = .02, LOSS_MAX = .98;

/* Natural log of the chance that so many probes are all lost. */
static double all_lost(const struct reach_state *r, unsigned asked)
{
	double loss = 1 - (r->answered + 1) / (r->asked + 2);

	loss = loss < LOSS_MIN ? LOSS_MIN : loss > LOSS_MAX ? LOSS_MAX : loss;
	return asked * log(loss);
}

static void count(struct reach_state *r, unsigned asked, unsigned answered)
{
	r->asked = r->asked * FADE + asked;
	r->answered = r->answered * FADE + answered;
}

/* What of a cell one of these sees. */
struct sight {
	unsigned asked, answered;
	double chance;             /* of silence by loss alone */
	struct wall first, last, planned; /* least end, greatest start; of answers or of silence */
	bool look;
};

static void take_answers(const struct events *v, struct reach_state *r, const struct sight *s)
{
	switch (r->now) {
	case REACH_NOW_NONE:
		r->now = ++r->ups >= UPS_MIN ? REACH_NOW_UP : REACH_NOW_NONE;
		break;
	case REACH_NOW_UP:
		r->ups++;
		break;
	case REACH_NOW_SUSPECT:
		r->back_first = s->first;
		r->now = REACH_NOW_UP;
		break;
	default:
		if (!r->answers) {
			r->answers = true;
			r->back_first = s->first;
			r->backs++;
		}
		/* Looks are close together: it takes rounds to say that it is over. */
		r->back += !s->look;
		r->back_asked += s->asked;
		r->back_answered += s->answered;
		if (r->back < v->o.clear_rounds)
			return;
		r->now = REACH_NOW_UP;
		break;
	}
	count(r, s->asked, s->answered);
	r->up_last = s->last;
	r->rounds = r->back = r->backs = 0;
	r->answers = false;
	r->back_asked = r->back_answered = 0;
	r->chance = 0;
}

static void take_silence(const struct events *v, struct reach_state *r, const struct sight *s)
{
	if (r->now == REACH_NOW_NONE) {
		count(r, s->asked, 0);
		return;
	}
	if (r->now == REACH_NOW_DOWN) {
		if (r->answers && s->chance < LIKELY) {
			r->answers = false;
			r->back = 0;
		}
		r->rounds++;
		return;
	}
	if (r->rounds++ == 0) {
		r->first = s->first;
		r->planned = s->planned;
	}
	r->chance += s->chance;
	if (r->rounds >= v->o.raise_rounds && r->chance <= HOLD_CHANCE)
		r->now = REACH_NOW_DOWN;
	else if (r->chance <= SUSPECT_CHANCE)
		r->now = REACH_NOW_SUSPECT;
	else
		count(r, s->asked, 0);
}

/* --- hosts ------------------------------------------------------------------------------------ */

static struct host_state *find_host(struct key_state *k, const struct cell_host *h)
{
	struct host_state *oldest = &k->host[0];

	for (unsigned i = 0; i < k->host_count; i++) {
		if (addr_equal(k->host[i].dst, h->dst))
			return &k->host[i];
		if (k->host[i].seen.ns < oldest->seen.ns)
			oldest = &k->host[i];
	}
	if (k->host_count < SERIES_HOSTS_MAX)
		oldest = &k->host[k->host_count++];
	*oldest = (struct host_state){.dst = h->dst};
	return oldest;
}

/* Returns the natural log of the chance that the silence of all of them is loss: of those that
 * answered so far, or, while all are silent, did before. */
static double hosts_cell(const struct events *v, struct key_state *k, const struct cell *c)
{
	double chance = 0;

	for (unsigned i = 0; i < c->host_count; i++) {
		const struct cell_host *h = &c->host[i];
		struct host_state *s = find_host(k, h);
		struct sight sight = {.asked = h->asked,
				      .answered = h->answered,
				      .chance = all_lost(&s->reach, h->asked),
				      .first = c->any_first,
				      .last = c->last,
				      .planned = c->planned,
				      .look = c->look};
		uint8_t before = s->reach.now;

		if (before == REACH_NOW_UP ||
		    (before != REACH_NOW_NONE && k->reach.now > REACH_NOW_UP))
			chance += sight.chance;
		s->target = h->target;
		s->seen = c->end;
		if (h->reached > 0)
			take_answers(v, &s->reach, &sight);
		else
			take_silence(v, &s->reach, &sight);
	}
	return chance;
}

/* --- the key ---------------------------------------------------------------------------------- */

static uint8_t most_classes(const struct key_state *k, const struct cell *c)
{
	unsigned filtered = c->by_reach[REACH_FILTERED];
	uint8_t best = CLASS_UNKNOWN;

	if (c->by_class[CLASS_FILTERED_AT_BORDER] > filtered)
		filtered = c->by_class[CLASS_FILTERED_AT_BORDER];
	if (2 * filtered > c->traces)
		return EVENT_OUTAGE_FILTERED;
	for (uint8_t i = CLASS_BORDER; i <= CLASS_INSIDE_SILENT; i++) {
		if (c->by_class[i] > c->by_class[best] || best == CLASS_UNKNOWN)
			best = c->by_class[i] > 0 ? i : best;
	}
	switch (best) {
	case CLASS_BORDER:
		/* Nothing is missing but the destination itself, or the way to it ends sooner. */
		return c->last_ttl >= k->inside_ttl ? EVENT_OUTAGE_SILENT : EVENT_OUTAGE_INSIDE;
	case CLASS_INSIDE_SILENT:
		return EVENT_OUTAGE_AT_BORDER;
	case CLASS_CUT_BEFORE_BORDER:
		return EVENT_OUTAGE_BEFORE_BORDER;
	default:
		return EVENT_OUTAGE_SILENT;
	}
}

static void note_inside(struct key_state *k, const struct cell *c)
{
	uint8_t last = 0;

	for (unsigned i = 0; i < c->hop_count; i++) {
		if (c->hops[i].node != NODE_DESTINATION)
			last = c->hops[i].ttl;
	}
	if (last > k->inside_ttl)
		k->inside_ttl = last;
}

static bool host_in_trouble(const struct key_state *k)
{
	for (unsigned i = 0; i < k->host_count; i++) {
		if (k->host[i].reach.now >= REACH_NOW_SUSPECT)
			return true;
	}
	return false;
}

int reach_cell(struct events *v, struct key_state *k, const struct cell *c)
{
	bool trouble = host_in_trouble(k);
	double chance = hosts_cell(v, k, c);
	struct reach_state *r = &k->reach;
	uint8_t before = r->now;
	bool up = c->hosts_reached > 0, was_up = r->rounds == 0 && !r->answers;
	struct sight s = {.asked = c->asked,
			  .answered = c->answered,
			  .chance = chance,
			  .first = up ? c->answered_first : c->any_first,
			  .last = up ? c->answered_last : c->last,
			  .planned = c->planned,
			  .look = c->look};
	struct wall held = r->up_last;
	int rc = 0;

	if (up) {
		bool fell = before == REACH_NOW_SUSPECT ||
			    (before == REACH_NOW_DOWN && !r->answers);

		/* A limit lets a few through now and then. */
		if (fell)
			r->faint = before == REACH_NOW_DOWN && 2 * c->answered <= c->asked;
		take_answers(v, r, &s);
		note_inside(k, c);
		if (fell && !r->faint)
			rc = flap_change(v, k, c, false, k->started, s.first);
	} else {
		/* Hosts are not looked at one by one when none of them answers. */
		bool again = before == REACH_NOW_DOWN && r->answers;

		take_silence(v, r, &s);
		k->down_class = most_classes(k, c);
		k->down_node = c->last_node;
		k->down_ttl = c->last_ttl;
		if ((before == REACH_NOW_UP && r->now != REACH_NOW_UP && was_up) ||
		    (again && !r->answers && !r->faint))
			rc = flap_change(v, k, c, false, held, s.first);
		else if (before == REACH_NOW_UP && r->now != REACH_NOW_UP)
			rc = flap_change(v, k, c, false, held, r->first);
	}
	if (!up || before != r->now || r->now != REACH_NOW_UP || trouble || host_in_trouble(k))
		k->vantage->reach_changed = true;
	return rc;
}

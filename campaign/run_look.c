// SPDX-License-Identifier: BSD-2-Clause
/*
 * Closer looks: while something is suspected in a prefix, and for a while after that, its targets
 * are measured between the rounds too, by several flows, as the plan's on_event says. A look is a
 * round of its own, and goes the same way: same prober, same rates, same store. It never overlaps
 * another round of its plan: it begins only where it should be over before the next one, and yields
 * where it is not. Whole paths, never only the hops around the border: a new way in may leave the
 * old one anywhere, and who we are is read off the first hops.
 *
 * Bounded: a prefix has its looks for CAMPAIGN_LOOK_TIMES times `for` in a row, whatever goes on
 * there, and then a rest. Nothing of it outlives the process: what is suspected still is suspected
 * anew.
 */
#include "campaign/run_inside.h"

#include <string.h>

/* Of what goes on at about the same time there is one look. */
static int64_t together_ns(const struct campaign_plan *p)
{
	return p->on_event_every_ns / 4;
}

static struct mono last_of(const struct campaign_plan *p, const struct run_closer *c)
{
	return mono_add(c->first, CAMPAIGN_LOOK_TIMES * p->on_event_for_ns);
}

static struct run_closer *find(struct run_looks *s, struct prefix prefix)
{
	for (unsigned i = 0; i < s->count; i++) {
		if (prefix_equal(s->at[i].prefix, prefix))
			return &s->at[i];
	}
	return NULL;
}

static struct run_closer *find_or_make(struct run_desk *d, struct prefix prefix)
{
	struct run_looks *s = &d->looks;
	struct run_closer *c = find(s, prefix);

	if (c != NULL)
		return c;
	if (s->count == RUN_CLOSER_PREFIXES) {
		if (!s->too_many)
			run_note(d->run, d, "something is suspected in more than %d networks: those "
				 "are looked at closer, the others not", RUN_CLOSER_PREFIXES);
		s->too_many = true;
		return NULL;
	}
	c = &s->at[s->count++];
	*c = (struct run_closer){.prefix = prefix, .first = d->run->now, .due = d->run->now};
	return c;
}

static void drop(struct run_looks *s, const struct run_closer *c)
{
	s->at[c - s->at] = s->at[--s->count];
	s->too_many = s->too_many && s->count > 0;
}

void run_look_suspect(struct run_desk *d, const struct series_key *key,
		      const struct events_now *now)
{
	const struct campaign_plan *p = d->book->plan;
	unsigned bit = 1u << key->method;
	struct run_closer *c;

	if (!p->on_event || d->run->o->once)
		return;
	c = now->suspected ? find_or_make(d, key->prefix) : find(&d->looks, key->prefix);
	if (c == NULL)
		return;
	if (!now->suspected) {
		c->suspected &= ~bit;
		return;
	}
	if (!(c->suspected & bit))
		c->due = d->run->now;
	c->suspected |= bit;
	if (!c->resting)
		c->until = mono_min(mono_add(d->run->now, p->on_event_for_ns),
				    last_of(p, c));
}

/* Those whose time is over go, or rest. */
static void pass_time(struct run_desk *d)
{
	const struct campaign_plan *p = d->book->plan;
	struct run_looks *s = &d->looks;

	for (unsigned i = s->count; i-- > 0;) {
		struct run_closer *c = &s->at[i];

		if (!mono_reached(d->run->now, c->until))
			continue;
		if (!c->resting && mono_reached(c->until, last_of(p, c))) {
			c->resting = true;
			c->until = mono_add(d->run->now, p->on_event_for_ns);
		} else {
			drop(s, c);
		}
	}
}

/* No slot of the grid, and not the moment of the one before. */
static struct wall moment_of(const struct run_desk *d, struct wall now)
{
	const struct campaign_plan *p = d->book->plan;
	struct wall at = {now.ns - now.ns % NS_PER_MS};

	if (at.ns == d->looks.last.ns)
		at.ns += NS_PER_MS;
	if ((at.ns - p->offset_ns) % p->every_ns == 0)
		at.ns += NS_PER_MS;
	return at;
}

/* Until when a look would have to wait; now or earlier: there is room for one. */
static struct mono wait_of(const struct run_desk *d)
{
	const struct campaign_plan *p = d->book->plan;
	struct mono now = d->run->now, due = {INT64_MAX};
	int64_t took = d->looks.took_ns + d->looks.took_ns / 4, least = 4 * run_round_margin(p);
	int64_t needs = took > least ? took : least;

	for (unsigned i = 0; i < d->looks.count; i++) {
		if (!d->looks.at[i].resting)
			due = mono_min(due, d->looks.at[i].due);
	}
	if (!mono_reached(now, due))
		return due;
	/* One that took longer than there ever is room for is tried with half of it. */
	if (needs > p->every_ns / 2)
		needs = p->every_ns / 2;
	return d->next.ns != 0 && mono_since(d->next, now) <= needs ? mono_add(d->next, 1) : now;
}

static void begin(struct run_desk *d)
{
	const struct campaign_plan *p = d->book->plan;
	struct mono now = d->run->now, soon = mono_add(now, together_ns(p));
	struct wall at = moment_of(d, wall_now());
	struct prefix only[RUN_CLOSER_PREFIXES];
	unsigned count = 0;

	for (unsigned i = 0; i < d->looks.count; i++) {
		struct run_closer *c = &d->looks.at[i];

		if (c->resting || !mono_reached(soon, c->due))
			continue;
		only[count++] = c->prefix;
		c->due = mono_add(now, p->on_event_every_ns);
	}
	d->looks.begun = now;
	d->looks.last = at;
	if (count == 0 || run_round_begin_look(d, at, only, count) != BP_ENOTFOUND)
		return;
	/* None of it is measured any more. */
	for (unsigned i = 0; i < count; i++)
		drop(&d->looks, find(&d->looks, only[i]));
}

void run_look_begin(struct run_desk *d)
{
	struct run *run = d->run;
	struct mono when;

	if (!d->book->plan->on_event)
		d->looks.count = 0;
	pass_time(d);
	/* A clock that stands before the last slot was set back: there are no rounds either. */
	if (d->looks.count == 0 || d->round != NULL || d->over ||
	    wall_now().ns <= d->schedule.last.ns)
		return;
	when = wait_of(d);
	if (mono_reached(run->now, when))
		begin(d);
	else if (when.ns != INT64_MAX)
		run_wake(run, when);
}

void run_look_measured(struct run_desk *d, const struct run_round *x)
{
	const struct campaign_plan *p = d->book->plan;
	struct run_looks *s = &d->looks;

	if (x->r.look) {
		if (x->end_why == ROUND_WHY_NONE || mono_since(d->run->now, s->begun) > s->took_ns)
			s->took_ns = mono_since(d->run->now, s->begun);
		return;
	}
	for (unsigned i = 0; i < s->count; i++)
		s->at[i].due = mono_add(d->run->now, p->on_event_every_ns);
}

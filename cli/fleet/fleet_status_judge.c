// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is amiss with a vantage point. What an agent says of itself is told, not believed: the
 * moment is the broker's, the refusals and what was taken last are the centre's.
 */
#include "cli/fleet/fleet_status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"

#define CLOCK_NS (2 * NS_PER_S)
#define BEHIND_LEAST_NS (600 * NS_PER_S)
#define DAY_NS (INT64_C(86400) * NS_PER_S)

const struct word status_words[] = {
	{"unheard", AMISS_UNHEARD}, {"silent", AMISS_SILENT}, {"unreadable", AMISS_UNREADABLE},
	{"clock", AMISS_CLOCK}, {"behind", AMISS_BEHIND}, {"lost", AMISS_LOST},
	{"refused", AMISS_REFUSED}, {"plan", AMISS_PLAN}, {"offline", AMISS_OFFLINE},
	{"twice", AMISS_TWICE}, {"denied", AMISS_DENIED}, {"connected", AMISS_CONNECTED},
	{"old", AMISS_OLD}, {"no plan", AMISS_NO_PLAN}, {"revoked", AMISS_REVOKED}, {NULL, 0},
};

/* "borderpath 1.2.3": true where a is of an earlier version than b. */
static bool is_older(const char *a, const char *b)
{
	unsigned x[3] = {0}, y[3] = {0};

	if (sscanf(a, "borderpath %u.%u.%u", &x[0], &x[1], &x[2]) < 2 ||
	    sscanf(b, "borderpath %u.%u.%u", &y[0], &y[1], &y[2]) < 2)
		return strcmp(a, b) != 0;
	for (int i = 0; i < 3; i++) {
		if (x[i] != y[i])
			return x[i] < y[i];
	}
	return false;
}

/* What its campaigns let one expect. */
struct expected {
	int64_t patience_ns;    /* how long a round may wait */
	struct wall since;      /* its plans are as they are; 0: it has none */
};

/* Its campaigns: whether one does not run, and what is to be expected. */
static void judge_plans(const struct fleet_report *r, struct status_vantage *v, struct expected *e)
{
	unsigned plans = 0;

	*e = (struct expected){.patience_ns = BEHIND_LEAST_NS};
	for (unsigned i = 0; i < r->view.deployed_count; i++) {
		const struct deployment *d = &r->view.deployed[i];
		const struct view_plan *p = view_plan_of(&r->view, v->key->name, d->campaign);
		const struct state_plan *has = state_plan_of(v->state, d->campaign);

		if (!deployment_has(d, v->key->name))
			continue;
		plans++;
		if (3 * d->every_ns > e->patience_ns)
			e->patience_ns = 3 * d->every_ns;
		if (p != NULL && p->created.ns > e->since.ns)
			e->since = p->created;
		/* It has a while to take a new one. */
		if (p == NULL || (v->state != NULL && p->created.ns < r->now.ns - STATE_SILENT_NS &&
				  (has == NULL || (uint64_t)has->running != p->revision)))
			v->amiss |= AMISS_PLAN;
		if (has != NULL && has->reason[0] != '\0')
			v->amiss |= AMISS_PLAN;
	}
	if (plans == 0)
		v->amiss |= AMISS_NO_PLAN;
}

/* Rounds are cut into batches ahead, some dozens: those wait for the centre, and are seen by what
 * it took last. */
static bool is_behind(const struct state *s, struct wall now, const struct expected *e)
{
	struct wall last = s->last_batch_at.ns > e->since.ns ? s->last_batch_at : e->since;

	return (s->spool_rounds > 0 && s->oldest.ns != 0 &&
		now.ns - s->oldest.ns > e->patience_ns) ||
	       (s->cut > s->confirmed && now.ns - last.ns > e->patience_ns);
}

static void judge_state(const struct fleet_report *r, struct status_vantage *v,
			const struct expected *e)
{
	const struct state *s = v->state;
	int64_t offset = state_clock_offset(s);

	if (s->wrong[0] != '\0')
		v->amiss |= AMISS_UNREADABLE;
	if (v->seen_ns > STATE_SILENT_NS)
		v->amiss |= AMISS_SILENT;
	if (offset > CLOCK_NS || offset < -CLOCK_NS)
		v->amiss |= AMISS_CLOCK;
	if (is_behind(s, r->now, e))
		v->amiss |= AMISS_BEHIND;
	if (s->lost_traces > 0 || s->lost_rounds > 0)
		v->amiss |= AMISS_LOST;
	if (s->refused_at.ns > r->now.ns - DAY_NS)
		v->amiss |= AMISS_REFUSED;
	if (strcmp(s->health, "offline") == 0)
		v->amiss |= AMISS_OFFLINE;
	if (s->denied > 0)
		v->amiss |= AMISS_DENIED;
	if (s->tool[0] != '\0' && is_older(s->tool, "borderpath " BP_VERSION))
		v->amiss |= AMISS_OLD;
}

static void judge_connections(const struct turned *t, struct status_vantage *v)
{
	char account[BUS_NAME_TEXT + 8];

	snprintf(account, sizeof(account), "V-%s", v->key->name);
	for (unsigned i = 0; i < t->open_count; i++) {
		if (strcmp(t->open[i].account, account) != 0)
			continue;
		if (v->open++ == 0)
			text_set(v->address, sizeof(v->address), t->open[i].address);
		else if (strcmp(v->address, t->open[i].address) != 0)
			text_set(v->other, sizeof(v->other), t->open[i].address);
	}
	if (v->other[0] != '\0')
		v->amiss |= AMISS_TWICE;
	for (unsigned i = 0; i < t->keys_count; i++) {
		if (strcmp(t->keys[i].nkey, v->key->nkey) == 0)
			v->log = &t->keys[i];
	}
	if (v->log != NULL && v->log->publishes + v->log->subscriptions > 0)
		v->amiss |= AMISS_DENIED;
}

static void judge_holding(const struct fleet_report *r, struct status_vantage *v)
{
	struct expected expected;

	judge_plans(r, v, &expected);
	if (v->seen_ns < 0)
		v->amiss |= AMISS_UNHEARD;
	if (v->state != NULL)
		judge_state(r, v, &expected);
	judge_connections(&r->turned, v);
}

/* Who went for good is no fault, as long as he is not here. */
static void judge_revoked(const struct fleet_report *r, struct status_vantage *v)
{
	judge_connections(&r->turned, v);
	v->amiss = AMISS_REVOKED | (v->open > 0 ? AMISS_CONNECTED : 0);
}

/* Another key of that name holds, or was revoked later. */
static bool is_followed(const struct roster *list, unsigned i)
{
	for (unsigned k = i + 1; k < list->count; k++) {
		if (strcmp(list->keys[k].name, list->keys[i].name) == 0)
			return true;
	}
	return false;
}

static void judge_all(struct fleet_report *r, bool revoked)
{
	const struct roster *list = &r->view.roster;

	for (unsigned i = 0; i < list->count; i++) {
		struct status_vantage *v = &r->vantages[r->count];

		if ((list->keys[i].revoked.ns != 0) != revoked || (revoked && is_followed(list, i)))
			continue;
		*v = (struct status_vantage){.key = &list->keys[i], .seen_ns = -1};
		v->state = states_find(&r->states, v->key->name);
		if (v->state != NULL && v->state->stamp.ns != 0)
			v->seen_ns = r->now.ns - v->state->stamp.ns;
		if (revoked)
			judge_revoked(r, v);
		else
			judge_holding(r, v);
		r->count++;
	}
}

const char *status_centre_word(const struct fleet_report *r)
{
	const struct state_collect *c = &r->states.collect;
	bool sent = false;

	for (unsigned i = 0; i < r->states.count; i++)
		sent = sent || r->states.items[i].cut > 0 || r->states.items[i].centre_known;
	if (c->stamp.ns == 0)
		return sent ? "unheard" : "none";
	if (r->now.ns - c->stamp.ns > STATE_COLLECT_SILENT_NS)
		return "silent";
	if (c->wrong[0] != '\0')
		return "unreadable";
	return c->store_answers ? "ok" : "store";
}

int status_judge(struct fleet_report *r)
{
	const struct roster *list = &r->view.roster;

	r->vantages = calloc(list->count + 1, sizeof(*r->vantages));
	if (r->vantages == NULL)
		return BP_ENOMEM;
	judge_all(r, false);
	r->holding = r->count;
	judge_all(r, true);
	r->centre = status_centre_word(r);
	for (unsigned i = 0; i < r->turned.keys_count; i++) {
		const struct roster_key *k = roster_of_key(list, r->turned.keys[i].nkey);

		r->strangers += k == NULL || k->revoked.ns != 0;
	}
	return 0;
}

static const struct status_vantage *vantage_of(const struct fleet_report *r, const char *name)
{
	for (unsigned i = 0; i < r->count; i++) {
		if (strcmp(r->vantages[i].key->name, name) == 0)
			return &r->vantages[i];
	}
	return NULL;
}

const char *status_keep(struct fleet_report *r, char *const *names, unsigned count)
{
	unsigned kept = 0, holding = 0;

	for (unsigned i = 0; i < count; i++) {
		if (vantage_of(r, names[i]) == NULL)
			return names[i];
	}
	for (unsigned i = 0; i < r->count; i++) {
		bool named = false;

		for (unsigned k = 0; k < count; k++)
			named = named || strcmp(r->vantages[i].key->name, names[k]) == 0;
		if (!named)
			continue;
		holding += i < r->holding;
		r->vantages[kept++] = r->vantages[i];
	}
	r->count = kept;
	r->holding = holding;
	r->some = true;
	return NULL;
}

bool status_has_fault(const struct status_vantage *v)
{
	return (v->amiss & ~(unsigned)AMISS_NEWS) != 0;
}

bool status_centre_has_fault(const struct fleet_report *r)
{
	return !r->some && strcmp(r->centre, "ok") != 0 && strcmp(r->centre, "none") != 0;
}

bool status_is_amiss(const struct fleet_report *r)
{
	if (status_centre_has_fault(r))
		return true;
	for (unsigned i = 0; i < r->count; i++) {
		if (status_has_fault(&r->vantages[i]))
			return true;
	}
	return false;
}

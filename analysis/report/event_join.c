// SPDX-License-Identifier: BSD-2-Clause
/* Which events are one to a reader. */
#include "analysis/report/event_join.h"

#include <string.h>

static bool same_state(const struct event_state *a, const struct event_state *b)
{
	return strcmp(a->what, b->what) == 0 && a->asn == b->asn && strcmp(a->org, b->org) == 0;
}

static bool same_moments(const struct event *a, const struct event *b)
{
	return a->at.ns == b->at.ns && a->not_before.ns == b->not_before.ns &&
	       a->not_after.ns == b->not_after.ns && a->until.ns == b->until.ns;
}

static bool same_points(const struct event *a, const struct event *b)
{
	if (strcmp(a->vantage, b->vantage) != 0 || a->vantage_count != b->vantage_count ||
	    a->seen_by != b->seen_by || a->seen_of != b->seen_of)
		return false;
	for (unsigned i = 0; i < a->vantage_count; i++) {
		if (strcmp(a->vantages[i], b->vantages[i]) != 0)
			return false;
	}
	return true;
}

/* A shift has a size of its own in each network, a flapping its own count. */
static bool may_join(const struct event *e)
{
	return (e->kind == EVENT_BORDER_SWITCH || e->kind == EVENT_PATH_CHANGE ||
		e->kind == EVENT_OUTAGE || e->kind == EVENT_RECOVERY) &&
	       e->scope != EVENT_SCOPE_HOST && e->scope != EVENT_SCOPE_VANTAGE &&
	       addr_is_set(e->prefix.addr) && e->prefix_count <= 1;
}

bool event_together(const struct event *a, const struct event *b)
{
	return may_join(a) && may_join(b) && a->kind == b->kind && a->status == b->status &&
	       a->withdrawn == b->withdrawn && a->scope == b->scope && a->outage == b->outage &&
	       a->networks == b->networks && a->ttl == b->ttl && a->method == b->method &&
	       same_moments(a, b) && same_points(a, b) && same_state(&a->from, &b->from) &&
	       same_state(&a->to, &b->to) && !prefix_equal(a->prefix, b->prefix);
}

/* In the order of addresses, as lists of networks are told. */
static void add_prefix(struct event *sum, struct prefix p)
{
	unsigned at = sum->prefix_count;

	if (at == EVENT_PREFIXES_MAX)
		return;
	while (at > 0 && addr_compare(sum->prefixes[at - 1].addr, p.addr) > 0) {
		sum->prefixes[at] = sum->prefixes[at - 1];
		at--;
	}
	sum->prefixes[at] = p;
	sum->prefix_count++;
}

void event_join(struct event *sum, const struct event *b)
{
	if (sum->prefix_count == 0)
		add_prefix(sum, sum->prefix);
	add_prefix(sum, b->prefix);
	sum->summary[0] = '\0';
}

unsigned event_run(const struct event *events, unsigned n)
{
	unsigned k = 1;

	while (k < n && k < EVENT_PREFIXES_MAX && event_together(&events[k - 1], &events[k]))
		k++;
	return k;
}

static bool saw(const struct event *e, const char *vantage)
{
	if (e->vantage[0] != '\0')
		return strcmp(e->vantage, vantage) == 0;
	/* More saw it than are named. */
	if (e->vantage_count == 0 || e->vantage_count < e->seen_by)
		return true;
	for (unsigned i = 0; i < e->vantage_count; i++) {
		if (strcmp(e->vantages[i], vantage) == 0)
			return true;
	}
	return false;
}

bool event_concerns(const struct event *e, struct prefix p, const char *vantage)
{
	if (vantage != NULL && !saw(e, vantage))
		return false;
	if (e->scope == EVENT_SCOPE_VANTAGE)
		return vantage != NULL;
	for (unsigned i = 0; i < e->prefix_count; i++) {
		if (prefix_equal(e->prefixes[i], p))
			return true;
	}
	return e->prefix_count == 0 &&
	       (!addr_is_set(e->prefix.addr) || prefix_equal(e->prefix, p));
}

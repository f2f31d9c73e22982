// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is known for the page: what each (campaign, vantage, prefix, method) showed when it was last
 * measured, and what was counted since the process began. A gap changes no value: that nobody
 * measured is told by the last round's moment and by the vantage point's health. Its shape on the
 * page is metrics_page.c's.
 */
#include "campaign/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "campaign/metrics_inside.h"
#include "core/text.h"

int metrics_new(struct metrics **out)
{
	struct metrics *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return BP_ENOMEM;
	*out = m;
	return 0;
}

void metrics_free(struct metrics *m)
{
	if (m == NULL)
		return;
	for (unsigned i = 0; i < m->group_count; i++)
		free(m->groups[i].keys);
	free(m->groups);
	free(m);
}

/* --- groups ----------------------------------------------------------------------------------- */

/* Where it is, or would be. */
static unsigned group_place(const struct metrics *m, const char *campaign, const char *vantage,
			    bool *found)
{
	unsigned i = 0;
	int c = 1;

	for (; i < m->group_count; i++) {
		c = strcmp(m->groups[i].campaign, campaign);
		if (c == 0)
			c = strcmp(m->groups[i].vantage, vantage);
		if (c >= 0)
			break;
	}
	*found = c == 0;
	return i;
}

static struct metrics_group *find_group(struct metrics *m, const char *campaign,
					const char *vantage)
{
	bool found;
	unsigned i = group_place(m, campaign, vantage, &found);

	return found ? &m->groups[i] : NULL;
}

static int add_group(struct metrics *m, unsigned at, const char *campaign, const char *vantage)
{
	unsigned room = m->group_room > 0 ? 2 * m->group_room : 4;
	struct metrics_group *g = m->groups;

	if (m->group_count == METRICS_GROUPS_MAX)
		return BP_ERANGE;
	if (m->group_count == m->group_room) {
		g = reallocarray(g, room, sizeof(*g));
		if (g == NULL)
			return BP_ENOMEM;
		m->groups = g;
		m->group_room = room;
	}
	g = &m->groups[at];
	memmove(g + 1, g, (m->group_count++ - at) * sizeof(*g));
	*g = (struct metrics_group){.duration_ns = -1};
	text_set(g->campaign, sizeof(g->campaign), campaign);
	text_set(g->vantage, sizeof(g->vantage), vantage);
	return 0;
}

static void set_ways(struct metrics_group *g, const struct profile *p)
{
	static const char *const none[] = {"mixed", "undetermined"};
	char ways[WAYS_MAX][VERDICT_ID_TEXT] = {{0}};
	unsigned n = 0;

	while (n < p->borders_count && n < VERDICT_BORDERS_MAX) {
		text_set(ways[n], sizeof(ways[n]), p->borders[n].id);
		n++;
	}
	text_set(ways[n], sizeof(ways[n]), "other");
	n++;
	for (unsigned i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		text_set(ways[n + i], sizeof(ways[n + i]), none[i]);
	/* What a key says is an index into them. */
	if (memcmp(ways, g->ways, sizeof(ways)) != 0)
		g->key_count = 0;
	memcpy(g->ways, ways, sizeof(ways));
	g->border_count = n;
	g->way_count = n + sizeof(none) / sizeof(none[0]);
}

int metrics_campaign(struct metrics *m, const char *campaign, const char *vantage,
		     const struct profile *p, int64_t every_ns, struct wall now)
{
	bool found;
	unsigned at = group_place(m, campaign, vantage, &found);
	int rc = found ? 0 : add_group(m, at, campaign, vantage);

	if (rc < 0)
		return rc;
	m->groups[at].own = true;
	if (m->groups[at].started.ns == 0)
		m->groups[at].started = now;
	for (unsigned i = 0; i < m->group_count; i++) {
		if (strcmp(m->groups[i].campaign, campaign) != 0)
			continue;
		set_ways(&m->groups[i], p);
		m->groups[i].every_ns = every_ns;
	}
	return 0;
}

/* The group of a vantage point; of another one than ours it is made, like ours. NULL: nobody named
 * the campaign, or there are too many. */
static struct metrics_group *take_group(struct metrics *m, const char *campaign,
					const char *vantage)
{
	bool found;
	unsigned at = group_place(m, campaign, vantage, &found);
	const struct metrics_group *like = NULL;

	if (found)
		return &m->groups[at];
	for (unsigned i = 0; i < m->group_count && like == NULL; i++) {
		if (strcmp(m->groups[i].campaign, campaign) == 0 && m->groups[i].own)
			like = &m->groups[i];
	}
	if (like == NULL || add_group(m, at, campaign, vantage) < 0)
		return NULL;
	for (unsigned i = 0; i < m->group_count; i++) {
		like = &m->groups[i];
		if (strcmp(like->campaign, campaign) == 0 && like->own)
			break;
	}
	memcpy(m->groups[at].ways, like->ways, sizeof(like->ways));
	m->groups[at].way_count = like->way_count;
	m->groups[at].border_count = like->border_count;
	m->groups[at].every_ns = like->every_ns;
	return &m->groups[at];
}

/* --- keys ------------------------------------------------------------------------------------- */

static int compare_key(const struct metrics_key *k, struct prefix prefix, uint8_t method)
{
	int c = addr_compare(k->prefix.addr, prefix.addr);

	if (c == 0)
		c = (k->prefix.len > prefix.len) - (k->prefix.len < prefix.len);
	return c != 0 ? c : (k->method > method) - (k->method < method);
}

/* NULL: there are too many, or there is no memory; or it is new and `make` says no. */
static struct metrics_key *take_key(struct metrics_group *g, struct prefix prefix, uint8_t method,
				    bool make)
{
	unsigned room = g->key_room > 0 ? 2 * g->key_room : 16, low = 0, high = g->key_count;
	struct metrics_key *k = g->keys;

	while (low < high) {
		unsigned mid = (low + high) / 2;
		int c = compare_key(&g->keys[mid], prefix, method);

		if (c == 0)
			return &g->keys[mid];
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (!make)
		return NULL;
	if (g->key_count == METRICS_KEYS_MAX) {
		g->leaving_out++;
		return NULL;
	}
	if (g->key_count == g->key_room) {
		k = reallocarray(k, room, sizeof(*k));
		if (k == NULL)
			return NULL;
		g->keys = k;
		g->key_room = room;
	}
	k = &g->keys[low];
	memmove(k + 1, k, (g->key_count++ - low) * sizeof(*k));
	*k = (struct metrics_key){.prefix = prefix, .method = method};
	return k;
}

/* One of them answered, or else what most say; of as many, the one of which more is known. */
static uint8_t reach_of(const struct cell *c)
{
	uint8_t best = REACH_UNKNOWN;

	if (c->by_reach[REACH_REACHED] > 0)
		return REACH_REACHED;
	for (uint8_t i = REACH_FILTERED; i <= REACH_SILENT; i++) {
		if (c->by_reach[i] > 0 &&
		    (best == REACH_UNKNOWN || c->by_reach[i] > c->by_reach[best]))
			best = i;
	}
	return best;
}

/* What most say; of as many, the one that is further inside. */
static uint8_t class_of(const struct cell *c)
{
	uint8_t best = CLASS_UNKNOWN;

	for (uint8_t i = CLASS_BORDER; i <= CLASS_NOT_INSIDE; i++) {
		if (c->by_class[i] > 0 &&
		    (best == CLASS_UNKNOWN || c->by_class[i] > c->by_class[best]))
			best = i;
	}
	return best;
}

static unsigned way_of(const struct metrics_group *g, const struct cell *c)
{
	switch (c->outcome) {
	case OUTCOME_BORDER:
		return c->border >= 0 && (unsigned)c->border < g->border_count - 1
			       ? (unsigned)c->border : g->border_count - 1;
	case OUTCOME_OTHER: return g->border_count - 1;
	case OUTCOME_MIXED: return g->border_count;
	default: return g->border_count + 1;
	}
}

static double loss_of(const struct cell *c)
{
	if (c->asked == 0)
		return c->by_reach[REACH_REACHED] > 0 ? -1 : 1;
	return c->answered < c->asked ? (double)(c->asked - c->answered) / c->asked : 0;
}

static void measured(const struct metrics_group *g, struct metrics_key *k, const struct cell *c)
{
	bool decided = c->outcome != OUTCOME_UNDETERMINED;

	k->way = way_of(g, c);
	k->reach = reach_of(c);
	k->class = class_of(c);
	k->confidence = decided ? c->confidence : -1;
	k->loss = loss_of(c);
	k->rtt_min_ns = c->rtt_min_ns;
	k->rtt_median_ns = c->rtt_median_ns;
}

void metrics_cell(struct metrics *m, const struct cell *c, const struct events_now *now)
{
	/* What is not in the network, reference hosts above all, has no prefix but its address. */
	bool is_measured = c->state == CELL_MEASURED && c->traces > 0 &&
			   c->outcome != OUTCOME_NONE;
	struct metrics_group *g = take_group(m, c->key->campaign, c->key->vantage);
	struct metrics_key *k;

	if (g == NULL)
		return;
	k = take_key(g, c->key->prefix, c->key->method, is_measured);
	if (k == NULL)
		return;
	if (is_measured)
		measured(g, k, c);
	k->active = now->active;
	k->idle = 0;
}

/* --- rounds ----------------------------------------------------------------------------------- */

/* What the plan no longer measures leaves the page. */
static void forget_idle(struct metrics_group *g)
{
	unsigned n = 0;

	for (unsigned i = 0; i < g->key_count; i++) {
		if (++g->keys[i].idle <= METRICS_IDLE_ROUNDS)
			g->keys[n++] = g->keys[i];
	}
	g->key_count = n;
	g->left_out = g->leaving_out;
	g->leaving_out = 0;
}

/* Whether it is the last one that was measured. Closer looks are no rounds of the schedule: they
 * must not hide that those are missing. */
static bool take_last(struct metrics_group *g, const struct round *r)
{
	if (r->start.ns != 0 && r->end.ns >= g->seen.ns) {
		g->seen = r->end;
		g->health = r->health;
	}
	if (r->look || r->done == 0 || r->end.ns < g->last.ns)
		return false;
	g->last = r->end;
	g->duration_ns = r->end.ns > r->start.ns ? r->end.ns - r->start.ns : 0;
	return true;
}

void metrics_round(struct metrics *m, const struct round *r)
{
	struct metrics_group *g = take_group(m, r->campaign, r->vantage);
	enum round_result result = RESULT_COMPLETE;

	if (g == NULL)
		return;
	if (r->look)
		result = RESULT_LOOK;
	else if (r->done == 0)
		result = RESULT_MISSED;
	else if (r->missed > 0)
		result = RESULT_PARTIAL;
	/* Slots of a long gap share a row. */
	g->rounds[result] += r->slots > 1 ? r->slots : 1;
	g->sent += r->sent;
	g->drops += r->drops > 0 ? (uint64_t)r->drops : 0;
	if (take_last(g, r))
		forget_idle(g);
}

void metrics_recall(struct metrics *m, const struct round *r)
{
	struct metrics_group *g = take_group(m, r->campaign, r->vantage);

	if (g != NULL)
		take_last(g, r);
}

/* --- the rest --------------------------------------------------------------------------------- */

void metrics_refused(struct metrics *m, const char *campaign, const char *vantage,
		     const struct refused *r)
{
	struct metrics_group *g = find_group(m, campaign, vantage);

	if (g == NULL)
		return;
	g->foreign += r->foreign;
	g->bad_token += r->bad_token;
	g->malformed += r->malformed;
	g->late += r->late;
	g->duplicate += r->duplicate;
}

/* By its kind and what its revisions share, which is a hash already: ev-<16 hex>-<revision>. */
static bool was_counted(struct metrics_group *g, const struct event *e)
{
	uint64_t hash = strncmp(e->id, "ev-", 3) == 0 ? strtoull(e->id + 3, NULL, 16) : 0;

	/* Odd, so that it is not an empty place. */
	hash = (hash ^ (uint64_t)e->kind << 56) * UINT64_C(0x9e3779b97f4a7c15) | 1;
	for (unsigned i = 0; i < METRICS_TOLD; i++) {
		if (g->told[i] == hash)
			return true;
	}
	g->told[g->told_next++ % METRICS_TOLD] = hash;
	return false;
}

void metrics_event(struct metrics *m, const char *campaign, const char *vantage,
		   const struct event *e)
{
	struct metrics_group *g = find_group(m, campaign, vantage);

	if (g == NULL || e->kind == EVENT_UNKNOWN || e->kind >= EVENT_KINDS || e->withdrawn ||
	    e->status == EVENT_PROVISIONAL || was_counted(g, e))
		return;
	g->events[e->kind]++;
}

void metrics_geo(struct metrics *m, const char *campaign, const char *vantage,
		 const struct geo *geo)
{
	static const enum geo_db which[] = {GEO_DB_ASN, GEO_DB_COUNTRY};
	struct metrics_group *g = find_group(m, campaign, vantage);
	struct geo_db_about about;

	for (unsigned i = 0; g != NULL && i < sizeof(which) / sizeof(which[0]); i++) {
		bool open = geo_about(geo, which[i], &about) == 0;

		g->built[i] = open ? about.built : (struct wall){0};
	}
}

void metrics_spool(struct metrics *m, const char *campaign, const char *vantage, uint64_t traces)
{
	struct metrics_group *g = find_group(m, campaign, vantage);

	if (g != NULL)
		g->spooled = traces;
}

static void follow(struct metrics_follow *f, uint64_t now)
{
	if (now < f->seen)
		f->before += f->seen;
	f->seen = now;
}

void metrics_alerts(struct metrics *m, const char *campaign, const char *vantage,
		    const struct alert_counts *c)
{
	struct metrics_group *g = find_group(m, campaign, vantage);

	if (g == NULL)
		return;
	for (unsigned i = 0; i < ALERT_HOOKS; i++) {
		follow(&g->ok[i], c->ok[i]);
		follow(&g->failed[i], c->failed[i]);
		follow(&g->dropped[i], c->dropped[i]);
		g->waiting[i] = c->waiting[i];
	}
}

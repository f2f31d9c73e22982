// SPDX-License-Identifier: BSD-2-Clause
/* BP_STATUS and BP_CENTRE, read. */
#include "cli/fleet/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/jsontree.h"
#include "core/text.h"

enum { STATES_MAX = 1024 };

static void take_text(const struct json_node *v, char *out, size_t size)
{
	if (node_text(v) != NULL)
		text_copy(out, size, v->text, v->n);
}

/* Not before 1970: differences stay in range. */
static void take_wall(const struct json_node *v, struct wall *out)
{
	struct wall t;

	if (node_text(v) != NULL && wall_parse(node_text(v), (struct wall){0}, &t) == 0 && t.ns > 0)
		*out = t;
}

static void take_count(const struct json_node *v, int64_t *out)
{
	node_int(v, 0, INT64_MAX, out);
}

/* "AS64500 Example" */
static void take_network(const struct json_node *of, const char *asn, const char *org, char *out,
			 size_t size)
{
	char name[64] = "";
	int64_t number = 0;

	if (!node_int(node_get(of, asn), 1, UINT32_MAX, &number))
		return;
	take_text(node_get(of, org), name, sizeof(name));
	snprintf(out, size, "AS%lld%s%s", (long long)number, name[0] != '\0' ? " " : "", name);
}

static void take_plans(const struct json_node *list, struct state *s)
{
	const struct json_node *v;
	unsigned i;

	if (!node_is(list, NODE_ARRAY))
		return;
	NODE_EACH(list, i, v) {
		struct state_plan *p = &s->plans[s->plans_count];

		if (s->plans_count == STATE_PLANS_MAX)
			return;
		take_text(node_get(v, "campaign"), p->campaign, sizeof(p->campaign));
		take_text(node_get(v, "state"), p->state, sizeof(p->state));
		take_text(node_get(v, "reason"), p->reason, sizeof(p->reason));
		take_count(node_get(v, "revision"), &p->revision);
		take_count(node_get(v, "running"), &p->running);
		take_wall(node_get(v, "next"), &p->next);
		s->plans_count++;
	}
}

static void take_agent(const struct json_node *top, struct state *s)
{
	const struct json_node *spool = node_get(top, "spool"), *batches = node_get(top, "batches");
	const struct json_node *health = node_get(top, "health"), *id = node_get(top, "identity");
	const struct json_node *built = node_get(top, "databases"), *wrong = node_get(top, "errors");

	take_text(node_get(top, "tool"), s->tool, sizeof(s->tool));
	take_wall(node_get(top, "at"), &s->at);
	take_plans(node_get(top, "plans"), s);
	take_count(node_get(spool, "rounds"), &s->spool_rounds);
	take_count(node_get(spool, "traces"), &s->spool_traces);
	take_count(node_get(spool, "bytes"), &s->spool_bytes);
	take_count(node_get(spool, "bytes_max"), &s->spool_bytes_max);
	take_count(node_get(spool, "lost_traces"), &s->lost_traces);
	take_count(node_get(spool, "lost_rounds"), &s->lost_rounds);
	take_wall(node_get(spool, "oldest"), &s->oldest);
	take_count(node_get(batches, "cut"), &s->cut);
	take_count(node_get(batches, "confirmed"), &s->confirmed);
	take_text(node_get(health, "state"), s->health, sizeof(s->health));
	take_count(node_get(health, "reference_asked"), &s->references_asked);
	take_count(node_get(health, "reference_answered"), &s->references_answered);
	take_text(node_get(id, "source"), s->address, sizeof(s->address));
	take_text(node_get(id, "public_addr"), s->address, sizeof(s->address));
	take_network(id, "egress_asn", "egress_org", s->egress, sizeof(s->egress));
	take_network(id, "transit_asn", "transit_org", s->transit, sizeof(s->transit));
	take_text(node_get(built, "asn_built"), s->asn_built, sizeof(s->asn_built));
	take_text(node_get(built, "country_built"), s->country_built, sizeof(s->country_built));
	take_count(node_get(wrong, "denied"), &s->denied);
	take_text(node_get(wrong, "last"), s->last_error, sizeof(s->last_error));
}

static void take_centre(const struct json_node *top, struct state *s)
{
	const struct json_node *refused = node_get(top, "refused"), *last;

	s->centre_known = true;
	take_wall(node_get(top, "last_batch_at"), &s->last_batch_at);
	for (int r = BATCH_OK + 1; r < BATCH_REFUSALS; r++)
		take_count(node_get(refused, batch_refusal_name(r)), &s->refused[r]);
	last = node_get(top, "last_refusal");
	take_wall(node_get(last, "at"), &s->refused_at);
	take_text(node_get(last, "why"), s->refused_why, sizeof(s->refused_why));
	take_text(node_get(last, "text"), s->refused_text, sizeof(s->refused_text));
}

/* --- buckets ---------------------------------------------------------------------------------- */

static struct state *state_of(struct states *s, const char *vantage)
{
	struct state *more;

	for (unsigned i = 0; i < s->count; i++) {
		if (strcmp(s->items[i].vantage, vantage) == 0)
			return &s->items[i];
	}
	if (s->count == STATES_MAX || !bus_name_ok(vantage))
		return NULL;
	more = reallocarray(s->items, s->count + 1, sizeof(*more));
	if (more == NULL)
		return NULL;
	s->items = more;
	more = &s->items[s->count++];
	*more = (struct state){0};
	text_set(more->vantage, sizeof(more->vantage), vantage);
	return more;
}

/* The member says it is what we take it for, and of whom. */
static bool is_of(const struct json_node *top, const char *type, const char *vantage, char *why,
		  size_t size)
{
	const char *word = node_text(node_get(top, "type")), *who = node_text(node_get(top, "vantage"));
	int64_t version = 0;

	if (word == NULL || strcmp(word, type) != 0)
		snprintf(why, size, "it is no %s", type);
	else if (!node_int(node_get(top, "version"), 1, INT32_MAX, &version) || version != 1)
		snprintf(why, size, "its version is unknown to this program");
	else if (who == NULL || strcmp(who, vantage) != 0)
		snprintf(why, size, "it says it is of another vantage point");
	else
		return true;
	return false;
}

static int on_status(void *arg, const struct bus_entry *e, struct bp_error *err)
{
	struct state *s = state_of(arg, e->key);
	struct json_node *top = json_tree(e->bytes, e->size, NULL);

	(void)err;
	if (s != NULL) {
		s->stamp = e->created;
		if (top == NULL)
			text_set(s->wrong, sizeof(s->wrong), "it is no JSON");
		else if (is_of(top, "status", e->key, s->wrong, sizeof(s->wrong)))
			take_agent(top, s);
	}
	free(top);
	return 0;
}

static void take_collect(const struct bus_entry *e, struct state_collect *c)
{
	struct json_node *top = json_tree(e->bytes, e->size, NULL);
	const char *type = node_text(node_get(top, "type"));
	int64_t version = 0;

	*c = (struct state_collect){.stamp = e->created};
	if (type == NULL || strcmp(type, "collect") != 0)
		text_set(c->wrong, sizeof(c->wrong), "it is no collector's");
	else if (!node_int(node_get(top, "version"), 1, INT32_MAX, &version) || version != 1)
		text_set(c->wrong, sizeof(c->wrong), "its version is unknown to this program");
	take_text(node_get(top, "tool"), c->tool, sizeof(c->tool));
	take_text(node_get(top, "store"), c->store, sizeof(c->store));
	take_text(node_get(top, "why"), c->why, sizeof(c->why));
	take_wall(node_get(top, "since"), &c->since);
	c->store_answers = node_is(node_get(top, "store_answers"), NODE_TRUE);
	free(top);
}

static int on_centre(void *arg, const struct bus_entry *e, struct bp_error *err)
{
	struct states *all = arg;
	struct json_node *top;
	struct state *s;
	char why[64];

	(void)err;
	if (strcmp(e->key, STATE_COLLECT_KEY) == 0) {
		take_collect(e, &all->collect);
		return 0;
	}
	s = state_of(all, e->key);
	top = json_tree(e->bytes, e->size, NULL);
	if (s != NULL && top != NULL && is_of(top, "centre", e->key, why, sizeof(why)))
		take_centre(top, s);
	free(top);
	return 0;
}

int states_read(struct bus *b, struct states *out, struct bp_error *err)
{
	struct states s = {0};
	int rc = bus_each(b, "BP_STATUS", on_status, &s, err);

	if (rc == 0)
		rc = bus_each(b, "BP_CENTRE", on_centre, &s, err);
	if (rc < 0)
		states_fini(&s);
	else
		*out = s;
	return rc;
}

void states_fini(struct states *s)
{
	free(s->items);
	*s = (struct states){0};
}

const struct state *states_find(const struct states *s, const char *vantage)
{
	for (unsigned i = 0; i < s->count; i++) {
		if (strcmp(s->items[i].vantage, vantage) == 0)
			return &s->items[i];
	}
	return NULL;
}

const struct state_plan *state_plan_of(const struct state *s, const char *campaign)
{
	for (unsigned i = 0; s != NULL && i < s->plans_count; i++) {
		if (strcmp(s->plans[i].campaign, campaign) == 0)
			return &s->plans[i];
	}
	return NULL;
}

const char *state_plan_word(const struct state *s, const char *campaign, uint64_t revision,
			    struct wall now)
{
	const struct state_plan *has = state_plan_of(s, campaign);

	if (revision == 0)
		return "missing";       /* the broker lost it: deploy again */
	if (s == NULL || s->stamp.ns == 0)
		return "unheard";
	if (now.ns - s->stamp.ns > STATE_SILENT_NS)
		return "silent";
	if (has == NULL || (uint64_t)has->revision < revision)
		return "waiting";
	if (has->reason[0] != '\0')
		return "refused";
	return (uint64_t)has->running == revision ? "running" : "waiting";
}

int64_t state_clock_offset(const struct state *s)
{
	return s->at.ns != 0 && s->stamp.ns != 0 ? s->at.ns - s->stamp.ns : 0;
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * Groups and points of an engine that has whole traces only: each is read, and reduced to what a
 * group or a point has. Groups are made vantage point by vantage point.
 */
#include "campaign/store_generic.h"

#include <stdlib.h>
#include <string.h>

#include "campaign/way.h"

static int no_memory(struct bp_error *err)
{
	return bp_fail(err, BP_ENOMEM, "out of memory");
}

/* --- points ----------------------------------------------------------------------------------- */

struct generic_reader {
	struct store_point_reader reader; /* first */
	const struct store_engine *engine;
	struct store_pieces *pieces;
	struct store_points to;
};

int generic_points_open(struct store *s, const struct store_select *select,
			const struct store_points *to, struct store_point_reader **out,
			struct bp_error *err)
{
	struct generic_reader *r = calloc(1, sizeof(*r));
	int rc;

	if (r == NULL)
		return no_memory(err);
	r->reader.engine = r->engine = s->engine;
	r->to = *to;
	rc = s->engine->pieces_open(s, select, 0, &r->pieces, err);
	if (rc < 0)
		free(r);
	else
		*out = &r->reader;
	return rc;
}

void generic_points_close(struct store_point_reader *reader)
{
	struct generic_reader *r = (struct generic_reader *)reader;

	r->engine->pieces_close(r->pieces);
	free(r);
}

int generic_points_next(struct store_point_reader *reader, struct wall *at, struct bp_error *err)
{
	struct generic_reader *r = (struct generic_reader *)reader;

	return r->engine->pieces_next(r->pieces, at, err);
}

static int give_round(struct generic_reader *r, const struct record *rec, struct bp_error *err)
{
	struct round round;
	int rc;

	if (r->to.on_round == NULL)
		return 0;
	rc = round_read(rec, &round, err);
	return rc < 0 ? rc : r->to.on_round(r->to.arg, &round, err);
}

static int take_record(void *arg, struct record *rec, int64_t example, struct bp_error *err)
{
	struct generic_reader *r = arg;
	bool ours = rec->verdict.judged && strcmp(rec->verdict.profile, r->to.profile->id) == 0;
	struct point p;

	if (rec->kind == RECORD_ROUND)
		return give_round(r, rec, err);
	if (rec->kind != RECORD_TRACE)
		return 0;
	if (point_of_trace(rec->trace, &rec->names, ours ? &rec->verdict : NULL, r->to.profile,
			   r->to.nodes, r->to.room, &p) < 0)
		return no_memory(err);
	p.example = example;
	return r->to.on_point(r->to.arg, &p, err);
}

int generic_points_give(struct store_point_reader *reader, struct bp_error *err)
{
	struct generic_reader *r = (struct generic_reader *)reader;

	return r->engine->pieces_give(r->pieces, take_record, r, err);
}

/* --- groups ----------------------------------------------------------------------------------- */

/* What makes a group one: all its traces have it. Compared by its bytes. */
struct group_key {
	struct addr src, dst;
	uint64_t way;
	int32_t flow, sport, dport;
	uint8_t method, reach;
};
struct group {
	uint32_t way, count, rtt_count;
	int64_t example, first_ns, last_ns;
};
struct rtt {
	uint32_t group;
	int64_t ns;
};

struct grouping {
	struct store *s;
	struct store_select select;
	const char *vantage;
	struct intern keys; /* of struct group_key */
	struct intern ways;
	struct group *groups; /* owned: of each key */
	struct rtt *rtts;     /* owned */
	uint32_t group_room, rtt_count, rtt_room;
	struct buf scratch;
	store_on_group *on_group;
	void *arg;
};

static int room_for(void **list, uint32_t *room, uint32_t wanted, size_t size)
{
	uint32_t more = *room > 0 ? *room : 1024;
	void *at;

	if (wanted <= *room)
		return 0;
	while (more < wanted && more < UINT32_MAX / 2)
		more *= 2;
	at = more >= wanted ? reallocarray(*list, more, size) : NULL;
	if (at == NULL)
		return BP_ENOMEM;
	*list = at;
	*room = more;
	return 0;
}

static int add_rtts(struct grouping *w, const struct trace *t, uint32_t number)
{
	const unsigned void_flags = REPLY_LATE | REPLY_DUP | REPLY_FTL | REPLY_CLOCK;
	void *list = w->rtts;
	int rc = room_for(&list, &w->rtt_room, w->rtt_count + t->entry_count, sizeof(*w->rtts));

	w->rtts = list;
	for (uint32_t i = 0; rc == 0 && i < t->entry_count; i++) {
		const struct trace_entry *e = &t->entries[i];

		if (e->reply.rtt_ns < 0 || (e->reply.flags & void_flags) != 0 ||
		    !trace_entry_is_destination(t, e))
			continue;
		w->rtts[w->rtt_count++] = (struct rtt){number, e->reply.rtt_ns};
		w->groups[number].rtt_count++;
	}
	return rc;
}

static int find_group(struct grouping *w, const struct trace *t, uint32_t *number)
{
	struct group_key k;
	uint32_t known = w->keys.count, way = 0;
	void *list = w->groups;
	int rc;

	/* Padding too. */
	memset(&k, 0, sizeof(k));
	k.src = t->src;
	k.dst = t->dst;
	k.way = way_of(t, w->s->way_key, &w->scratch);
	k.flow = t->flow;
	k.sport = t->sport;
	k.dport = t->dport;
	k.method = t->method;
	k.reach = t->reach;
	if (w->scratch.failed)
		return BP_ENOMEM;
	rc = diff_intern_put(&w->keys, &k, sizeof(k), number);
	if (rc == 0)
		rc = diff_intern_put(&w->ways, &k.way, sizeof(k.way), &way);
	if (rc == 0)
		rc = room_for(&list, &w->group_room, w->keys.count, sizeof(*w->groups));
	w->groups = list;
	if (rc == 0 && w->keys.count > known)
		w->groups[*number] = (struct group){.way = way};
	return rc;
}

static int group_trace(void *arg, struct record *rec, int64_t example, struct bp_error *err)
{
	struct grouping *w = arg;
	const struct trace *t = rec->trace;
	int64_t start;
	struct group *g;
	uint32_t number = 0;

	if (rec->kind != RECORD_TRACE || (t->stop == STOP_ERROR && t->entry_count == 0))
		return 0;
	start = t->start.ns;
	if (find_group(w, t, &number) < 0)
		return no_memory(err);
	g = &w->groups[number];
	if (g->count == 0 || (start != 0 && (g->first_ns == 0 || start < g->first_ns)))
		g->example = example;
	if (start != 0 && (g->first_ns == 0 || start < g->first_ns))
		g->first_ns = start;
	if (start > g->last_ns)
		g->last_ns = start;
	g->count++;
	return add_rtts(w, t, number) < 0 ? no_memory(err) : 0;
}

static int give_group(struct grouping *w, uint32_t number, const int64_t *rtts,
		      struct bp_error *err)
{
	const struct group_key *k = diff_intern_get(&w->keys, number);
	const struct group *g = &w->groups[number];
	const struct store_group out = {
		.vantage = w->vantage,
		.src = k->src,
		.dst = k->dst,
		.method = k->method,
		.reach = k->reach,
		.flow = k->flow,
		.sport = k->sport,
		.dport = k->dport,
		.way = k->way,
		.path = g->way,
		.example = g->example,
		.count = g->count,
		.first = {g->first_ns},
		.last = {g->last_ns},
		.rtt_ns = rtts,
		.rtt_count = g->rtt_count,
	};

	return w->on_group(w->arg, &out, err);
}

/* All that there are; then there are none. */
static int give_groups(struct grouping *w, struct bp_error *err)
{
	int64_t *sorted = malloc((w->rtt_count + 1) * sizeof(*sorted));
	uint32_t *ends = calloc(w->keys.count + 1, sizeof(*ends));
	int rc = sorted == NULL || ends == NULL ? no_memory(err) : 0;

	for (uint32_t i = 0; rc == 0 && i < w->keys.count; i++)
		ends[i + 1] = ends[i] + w->groups[i].rtt_count;
	/* ends[i] is where group i is filled next; afterwards, where it ends. */
	for (uint32_t i = 0; rc == 0 && i < w->rtt_count; i++)
		sorted[ends[w->rtts[i].group]++] = w->rtts[i].ns;
	for (uint32_t i = 0; rc == 0 && i < w->keys.count; i++)
		rc = give_group(w, i, sorted + ends[i] - w->groups[i].rtt_count, err);
	free(sorted);
	free(ends);
	diff_intern_fini(&w->keys);
	diff_intern_fini(&w->ways);
	w->rtt_count = 0;
	return rc;
}

static int group_vantage(void *arg, const char *vantage, struct bp_error *err)
{
	struct grouping *w = arg;
	const struct store_engine *e = w->s->engine;
	struct store_select select = w->select;
	struct store_pieces *pieces;
	struct wall at;
	int rc;

	if (select.vantage != NULL && strcmp(select.vantage, vantage) != 0)
		return 0;
	w->vantage = select.vantage = vantage;
	rc = e->pieces_open(w->s, &select, STORE_WANT_BARE | STORE_WANT_STEADY, &pieces, err);
	if (rc < 0)
		return rc;
	while ((rc = e->pieces_next(pieces, &at, err)) == 1) {
		rc = e->pieces_give(pieces, group_trace, w, err);
		if (rc < 0)
			break;
	}
	e->pieces_close(pieces);
	return rc < 0 ? rc : give_groups(w, err);
}

int generic_groups(struct store *s, const struct store_select *select, store_on_group *on_group,
		   void *arg, struct bp_error *err)
{
	struct grouping w = {.s = s, .on_group = on_group, .arg = arg};
	int rc;

	if (select != NULL)
		w.select = *select;
	buf_init(&w.scratch);
	rc = s->engine->vantages(s, group_vantage, &w, err);
	diff_intern_fini(&w.keys);
	diff_intern_fini(&w.ways);
	buf_fini(&w.scratch);
	free(w.groups);
	free(w.rtts);
	return rc;
}

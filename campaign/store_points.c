// SPDX-License-Identifier: BSD-2-Clause
/* From rows to points. */
#include "campaign/store_points.h"

#include <stdlib.h>
#include <string.h>

#include "campaign/body.h"
#include "core/record/jsonl.h"

enum { GOALS = 8192, JUDGES = 64 };

struct goal_info {
	int64_t id;
	struct addr dst;
	struct prefix prefix;
	uint8_t method;
	int32_t dport, flow;
	const char *target; /* of room */
	bool near;          /* over UDP an IPv6 target may answer from its /64 */
};

struct point_rows {
	const struct points_source *source;
	void *arg;
	const struct store_points *to;
	struct shapes *shapes;
	struct goal_info *goals; /* owned: GOALS, by row */
	int64_t judges[JUDGES];  /* rows of judges; negative: another profile's */
	struct trace *head;      /* owned: scratch */
};

static int no_memory(struct bp_error *err)
{
	return bp_fail(err, BP_ENOMEM, "out of memory");
}

int point_rows_name(struct point_rows *r, const char *text, const char **out, struct bp_error *err)
{
	struct intern *names = &r->to->room->names;
	uint32_t number;

	if (diff_intern_put(names, text, strlen(text) + 1, &number) < 0)
		return no_memory(err);
	*out = diff_intern_get(names, number);
	return 0;
}

static int delays_room(struct point_room *room, unsigned wanted)
{
	int64_t *more;

	if (wanted <= room->delays_room)
		return 0;
	more = reallocarray(room->delays, wanted, sizeof(*more));
	if (more == NULL)
		return BP_ENOMEM;
	room->delays = more;
	room->delays_room = wanted;
	return 0;
}

static struct prefix prefix_for(const struct profile *p, struct addr dst)
{
	struct prefix x = profile_judge_prefix(p, dst);

	return x.len == 0 ? prefix_of(dst, dst.family == 4 ? 32 : 128) : x;
}

/* --- what rows share -------------------------------------------------------------------------- */

/* Borrowed until the next call. */
static int find_goal(struct point_rows *r, int64_t id, const struct goal_info **out,
		     struct bp_error *err)
{
	struct goal_info *g = &r->goals[(uint64_t)id % GOALS];
	int rc;

	*out = g;
	if (g->id == id)
		return 0;
	rc = r->source->goal(r->arg, id, r->head, err);
	if (rc < 0)
		return rc;
	g->id = 0;
	g->dst = r->head->dst;
	g->method = r->head->method;
	g->dport = r->head->dport;
	g->flow = r->head->flow;
	g->prefix = prefix_for(r->to->profile, r->head->dst);
	g->near = r->head->method == METHOD_UDP && r->head->dst.family == 6;
	rc = point_rows_name(r, r->head->target, &g->target, err);
	if (rc == 0)
		g->id = id;
	return rc;
}

/* Whether a judgement is the profile's. */
static int is_ours(struct point_rows *r, int64_t judge, bool *out, struct bp_error *err)
{
	int64_t *slot = &r->judges[(uint64_t)judge % JUDGES];
	const char *profile;
	int rc;

	*out = false;
	if (judge == 0)
		return 0;
	if (*slot != judge && *slot != -judge) {
		rc = r->source->judge(r->arg, judge, &profile, err);
		if (rc < 0)
			return rc;
		*slot = strcmp(profile, r->to->profile->id) == 0 ? judge : -judge;
	}
	*out = *slot == judge;
	return 0;
}

/* --- a row ------------------------------------------------------------------------------------ */

static int compare_ns(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Least and median of the destination's times, least of the last hop outside. */
static int read_delays(struct point_rows *r, const struct shape *x, const uint8_t *body,
		       size_t n, struct point *p, struct bp_error *err)
{
	const uint32_t *slots = shapes_slots(r->shapes, x);
	unsigned count = 0;
	int64_t *delays;

	p->rtt_min_ns = p->rtt_median_ns = p->outside_rtt_ns = -1;
	if (delays_room(r->to->room, x->delays) < 0)
		return no_memory(err);
	delays = r->to->room->delays;
	for (unsigned i = 0; i < x->delays; i++) {
		int64_t ns = body_rtt(body, n, slots[i]);

		if (ns >= 0)
			delays[count++] = ns;
	}
	if (count > 0) {
		if (count > 1)
			qsort(delays, count, sizeof(*delays), compare_ns);
		p->rtt_min_ns = delays[0];
		p->rtt_median_ns = (delays[(count - 1) / 2] + delays[count / 2]) / 2;
	}
	for (unsigned i = 0; i < x->outside; i++) {
		int64_t ns = body_rtt(body, n, slots[x->delays + i]);

		if (ns >= 0 && (p->outside_rtt_ns < 0 || ns < p->outside_rtt_ns))
			p->outside_rtt_ns = ns;
	}
	return 0;
}

static int find_shape(struct point_rows *r, const struct points_row *row,
		      const struct goal_info *g, const struct shape **out, struct bp_error *err)
{
	struct shape_key key = {
		.path = row->path, .settings = row->settings, .verdict = row->verdict,
		.naming = row->naming, .geo = row->geo, .goal = g->near ? g->id : 0,
		.method = g->method, .family = g->dst.family,
		.epoch = shapes_epoch(r->shapes, row->start),
	};
	bool ours = false;
	int rc = 0;

	if (key.verdict != 0)
		rc = is_ours(r, row->judge, &ours, err);
	if (!ours)
		key.verdict = 0;
	return rc < 0 ? rc : shapes_find(r->shapes, &key, row->own, row->start, out, err);
}

int point_rows_give(struct point_rows *r, const struct points_row *row, struct bp_error *err)
{
	const struct goal_info *g;
	const struct shape *x;
	struct point p;
	int rc = find_goal(r, row->goal, &g, err);

	if (rc == 0 && (row->start.ns == INT64_MIN || row->end.ns == INT64_MIN))
		rc = r->source->shape.damaged(r->arg, row->own, err);
	if (rc == 0)
		rc = find_shape(r, row, g, &x, err);
	if (rc < 0)
		return rc;
	p = x->point;
	p.vantage = row->vantage;
	p.campaign = row->campaign;
	p.round = row->round;
	p.target = g->target;
	p.start = row->start;
	p.end = row->end.ns > row->start.ns ? row->end : row->start;
	p.dst = g->dst;
	p.prefix = g->prefix;
	p.dport = g->dport;
	p.flow = g->flow;
	p.hops = shapes_hops(r->shapes, x);
	p.example = row->example;
	if (x->outside_is_dst)
		p.outside = p.dst;
	rc = read_delays(r, x, row->body, row->body_size, &p, err);
	if (rc == 0)
		rc = r->source->id(r->arg, row->own, r->to->room->id, err);
	p.id = r->to->room->id;
	return rc < 0 ? rc : r->to->on_point(r->to->arg, &p, err);
}

int point_rows_round(const char *json, size_t n, struct round *out, struct bp_error *err)
{
	struct record rec;
	int rc;

	record_init(&rec);
	rc = jsonl_read(json, n, &rec, err);
	if (rc == 0)
		rc = round_read(&rec, out, err);
	record_fini(&rec);
	return rc;
}

/* --- what there is of it ---------------------------------------------------------------------- */

int point_rows_new(const struct points_source *source, void *arg, const struct store_points *to,
		   struct point_rows **out)
{
	struct point_rows *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return BP_ENOMEM;
	r->source = source;
	r->arg = arg;
	r->to = to;
	r->goals = calloc(GOALS, sizeof(*r->goals));
	r->head = trace_new(0);
	if (r->goals == NULL || r->head == NULL ||
	    shapes_new(&source->shape, arg, to, &r->shapes) < 0) {
		point_rows_free(r);
		return BP_ENOMEM;
	}
	*out = r;
	return 0;
}

void point_rows_free(struct point_rows *r)
{
	if (r == NULL)
		return;
	shapes_free(r->shapes);
	free(r->goals);
	free(r->head);
	free(r);
}

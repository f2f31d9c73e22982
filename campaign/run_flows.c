// SPDX-License-Identifier: BSD-2-Clause
/* Several flows of one target: kept until all are there, then one paths object with one verdict. */
#include "campaign/run_inside.h"

#include <stdlib.h>

#include "analysis/border.h"

static bool is_of(const struct run_flows *f, const struct run_line *l)
{
	if (l->plan.multipath > 0 || f->seq != 0)
		return f->seq == l->plan.seq;
	return addr_equal(f->dst, l->plan.dst) && f->method == l->plan.method &&
	       f->port == l->plan.dport;
}

static struct run_flows *find(struct run_round *x, const struct run_line *l)
{
	struct run_flows *f = x->flows;

	while (f != NULL && !is_of(f, l))
		f = f->next;
	return f;
}

static struct run_flows *find_or_make(struct run_round *x, const struct run_line *l)
{
	struct run_flows *f = find(x, l);

	if (f != NULL)
		return f;
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return NULL;
	f->dst = l->plan.dst;
	f->method = l->plan.method;
	f->port = l->plan.dport;
	f->seq = l->plan.multipath > 0 ? l->plan.seq : 0;
	paths_init(&f->paths);
	f->next = x->flows;
	x->flows = f;
	return f;
}

static void drop(struct run_round *x, struct run_flows *f)
{
	struct run_flows **at = &x->flows;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	paths_fini(&f->paths);
	free(f->verdicts);
	free(f);
}

static void write(struct run_round *x, struct run_flows *f)
{
	struct verdict *v = f->count > 0 ? calloc(1, sizeof(*v)) : NULL;
	struct buf json;

	buf_init(&json);
	if (v != NULL && f->paths.merged != NULL) {
		border_judge_flows(f->verdicts, f->count, v);
		paths_write_json(&json, &f->paths, v);
		run_round_object(x, &json);
	}
	buf_fini(&json);
	free(v);
	drop(x, f);
}

int run_flows_take(struct run_round *x, const struct run_line *l, const struct trace *t,
		   const struct verdict *v)
{
	struct run_flows *f;

	/* The only flow. */
	if (l->plan.multipath == 0 && l->from.last && l->plan.flow == 0)
		return 0;
	f = find_or_make(x, l);
	if (f == NULL)
		return BP_ENOMEM;
	if (f->count == f->room) {
		unsigned room = f->room > 0 ? 2 * f->room : 8;
		struct verdict *more = reallocarray(f->verdicts, room, sizeof(more[0]));

		if (more == NULL)
			return BP_ENOMEM;
		f->verdicts = more;
		f->room = room;
	}
	f->verdicts[f->count++] = *v;
	if (t->stop != STOP_ERROR && paths_add(&f->paths, t, v) < 0)
		return BP_ENOMEM;
	if (l->plan.multipath == 0 && l->from.last)
		f->wanted = l->plan.flow + 1u;
	if (f->wanted > 0 && f->count >= f->wanted)
		write(x, f);
	return 0;
}

void run_flows_search(struct run_round *x, const struct run_line *l, const struct frame_paths *p)
{
	struct run_flows *f = find(x, l);

	if (f == NULL)
		return;
	paths_searched(&f->paths, p);
	write(x, f);
}

void run_flows_forget(struct run_round *x, const struct run_line *l)
{
	struct run_flows *f = l->plan.multipath > 0 ? find(x, l) : NULL;

	if (f != NULL)
		drop(x, f);
}

void run_flows_flush(struct run_round *x)
{
	while (x->flows != NULL)
		write(x, x->flows);
}

void run_flows_drop(struct run_round *x)
{
	while (x->flows != NULL)
		drop(x, x->flows);
}

// SPDX-License-Identifier: BSD-2-Clause
/* Filling the two sets, and bringing them into an order of their own. */
#include "analysis/diff_set.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"

int diff_set_new(const struct profile *p, struct diff_set **out)
{
	struct diff_set *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return BP_ENOMEM;
	s->profile = p;
	if (diff_intern_put(&s->texts, "", 1, &(uint32_t){0}) < 0) {
		diff_set_free(s);
		return BP_ENOMEM;
	}
	*out = s;
	return 0;
}

void diff_set_free(struct diff_set *s)
{
	if (s == NULL)
		return;
	diff_intern_fini(&s->vantages);
	diff_intern_fini(&s->texts);
	diff_intern_fini(&s->ways);
	diff_intern_fini(&s->verdicts);
	diff_intern_fini(&s->sights);
	diff_intern_fini(&s->offline);
	diff_intern_fini(&s->targets);
	free(s->target_rank);
	free(s->items);
	free(s->rtts);
	free(s->rounds);
	free(s->scratch);
	free(s->vantage_rank);
	free(s->way_rank);
	free(s->verdict_rank);
	free(s);
}

/* --- filling ---------------------------------------------------------------------------------- */

/* Room for `more` beyond `count` things of `size` bytes. */
static int make_room(void **at, size_t *room, size_t count, size_t more, size_t size)
{
	size_t wanted = *room > 0 ? *room : 256;
	void *grown;

	if (count + more <= *room)
		return 0;
	while (wanted < count + more)
		wanted *= 2;
	grown = reallocarray(*at, wanted, size);
	if (grown == NULL)
		return BP_ENOMEM;
	*at = grown;
	*room = wanted;
	return 0;
}

static int items_room(struct diff_set *s, size_t delays)
{
	void *items = s->items, *rtts = s->rtts;
	int rc = make_room(&items, &s->room, s->count, 1, sizeof(*s->items));

	s->items = items;
	if (rc == 0)
		rc = make_room(&rtts, &s->rtt_room, s->rtt_count, delays, sizeof(*s->rtts));
	s->rtts = rtts;
	return rc;
}

static int text_put(struct intern *texts, const char *text, uint32_t *number)
{
	const char *t = text != NULL ? text : "";

	return diff_intern_put(texts, t, strlen(t) + 1, number);
}

static int vantage_put(struct diff_set *s, const char *name, uint32_t *number)
{
	int rc = 0;

	if (s->vantages.count == 0 || strcmp(set_vantage(s, s->last_vantage), name) != 0)
		rc = text_put(&s->vantages, name, &s->last_vantage);
	*number = s->last_vantage;
	return rc;
}

static struct prefix prefix_for(const struct profile *p, struct addr dst)
{
	struct prefix x = profile_judge_prefix(p, dst);

	return x.len == 0 && addr_is_set(dst) ? prefix_of(dst, (uint8_t)(8 * addr_size(dst))) : x;
}

int diff_set_add(struct diff_set *s, enum diff_when side, const struct diff_item *item)
{
	struct set_item *new;
	uint32_t vantage, round = 0, id = 0;
	int rc = items_room(s, item->rtt_count);

	if (rc == 0)
		rc = vantage_put(s, item->vantage != NULL ? item->vantage : "", &vantage);
	if (rc == 0 && item->round != NULL)
		rc = text_put(&s->texts, item->round, &round);
	if (rc == 0 && item->id != NULL)
		rc = text_put(&s->texts, item->id, &id);
	if (rc < 0)
		return rc;
	new = &s->items[s->count++];
	*new = (struct set_item){
		.prefix = prefix_for(s->profile, item->dst),
		.src = item->src, .dst = item->dst, .method = item->method,
		.reach = item->reach, .side = (uint8_t)side, .flow = item->flow,
		.sport = item->sport, .dport = item->dport, .vantage = vantage, .round = round,
		.id = id, .sight = item->sight, .count = item->count,
		.rtt_count = item->rtt_count, .rtt_at = s->rtt_count, .example = item->example,
		.first = item->first, .last = item->last,
	};
	if (item->rtt_count > 0)
		memcpy(&s->rtts[s->rtt_count], item->rtt_ns,
		       item->rtt_count * sizeof(*s->rtts));
	s->rtt_count += item->rtt_count;
	return 0;
}

int diff_set_sight(struct diff_set *s, const struct trace *t, const struct names *names,
		   const struct verdict *v, uint32_t *sight)
{
	struct set_sight x;
	int rc = sight_way(t, names, s->profile, &s->ways, &x.way);

	if (rc == 0)
		rc = sight_verdict(v, &s->verdicts, &x.verdict);
	return rc == 0 ? diff_intern_put(&s->sights, &x, sizeof(x), sight) : rc;
}

uint32_t diff_delays(const struct trace *t, int64_t *out)
{
	const unsigned void_flags = REPLY_LATE | REPLY_DUP | REPLY_FTL | REPLY_CLOCK;
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->entry_count; i++) {
		const struct trace_entry *e = &t->entries[i];

		if (e->reply.rtt_ns >= 0 && (e->reply.flags & void_flags) == 0 &&
		    trace_entry_is_destination(t, e))
			out[n++] = e->reply.rtt_ns;
	}
	return n;
}

int diff_set_trace(struct diff_set *s, enum diff_when side, const struct trace *t,
		   const struct names *names, const struct verdict *v)
{
	struct diff_item item = {
		.vantage = t->vantage, .round = t->round, .src = t->src, .dst = t->dst,
		.method = t->method, .reach = t->reach, .flow = t->flow, .sport = t->sport,
		.dport = t->dport, .count = 1, .first = t->start, .last = t->start, .id = t->id,
	};
	int rc;

	/* What did not measure says nothing of the path. */
	if (t->stop == STOP_ERROR && t->entry_count == 0)
		return 0;
	if (t->entry_count >= s->scratch_room) {
		int64_t *more = reallocarray(s->scratch, t->entry_count + 64, sizeof(*more));

		if (more == NULL)
			return BP_ENOMEM;
		s->scratch = more;
		s->scratch_room = t->entry_count + 64;
	}
	item.rtt_ns = s->scratch;
	item.rtt_count = diff_delays(t, s->scratch);
	rc = diff_set_sight(s, t, names, v, &item.sight);
	return rc == 0 ? diff_set_add(s, side, &item) : rc;
}

/* --- rounds ----------------------------------------------------------------------------------- */

static struct set_rounds *rounds_of(struct diff_set *s, uint32_t vantage)
{
	struct set_rounds *more;

	for (unsigned i = 0; i < s->rounds_count; i++) {
		if (s->rounds[i].vantage == vantage)
			return &s->rounds[i];
	}
	if (s->rounds_count == s->rounds_room) {
		s->rounds_room = s->rounds_room > 0 ? 2 * s->rounds_room : 16;
		more = reallocarray(s->rounds, s->rounds_room, sizeof(*more));
		if (more == NULL)
			return NULL;
		s->rounds = more;
	}
	s->rounds[s->rounds_count] = (struct set_rounds){.vantage = vantage};
	return &s->rounds[s->rounds_count++];
}

int diff_set_round(struct diff_set *s, enum diff_when side, const struct round *r)
{
	bool offline = r->health == ROUND_HEALTH_OFFLINE || r->why == ROUND_WHY_OFFLINE;
	bool missed = offline || (r->missed > 0 && r->done == 0);
	struct diff_rounds *x;
	struct set_rounds *of;
	uint32_t vantage, unused;

	if (text_put(&s->vantages, r->vantage, &vantage) < 0)
		return BP_ENOMEM;
	of = rounds_of(s, vantage);
	if (of == NULL)
		return BP_ENOMEM;
	x = &of->sides[side];
	x->rounds++;
	/* Why whole rounds are missing matters more than why parts are. */
	if (missed ? x->missed == 0 : r->missed > 0 && x->missed == 0 && x->partial == 0)
		x->why = offline ? (uint8_t)ROUND_WHY_OFFLINE : r->why;
	x->missed += missed;
	x->partial += !missed && r->missed > 0;
	return !offline || r->id[0] == '\0' ? 0 :
	       diff_intern_put(&s->offline, r->id, strlen(r->id) + 1, &unused);
}

/* --- order ------------------------------------------------------------------------------------ */

static int compare_u32(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

/* order: side, then targets, then vantage points. */
enum { ORDER_TARGET = 1, ORDER_VANTAGE = 33 };

bool set_same_key(const struct set_item *a, const struct set_item *b)
{
	return a->vantage == b->vantage && prefix_equal(a->prefix, b->prefix) &&
	       a->method == b->method;
}

bool set_same_target(const struct set_item *a, const struct set_item *b)
{
	return a->order >> ORDER_TARGET == b->order >> ORDER_TARGET;
}

bool set_same_flow(const struct set_item *a, const struct set_item *b)
{
	return (a->flow >= 0 || a->sport >= 0) && a->flow == b->flow && a->sport == b->sport &&
	       a->dport == b->dport && addr_equal(a->dst, b->dst) && addr_equal(a->src, b->src);
}

static int compare_i32(int32_t a, int32_t b)
{
	return (a > b) - (a < b);
}

/* What items of one target and side show; equal: they are one. */
static int by_shown(const struct diff_set *s, const struct set_item *a, const struct set_item *b)
{
	const struct set_sight *x = diff_intern_get(&s->sights, a->sight);
	const struct set_sight *y = diff_intern_get(&s->sights, b->sight);
	int c = compare_i32(a->flow, b->flow);

	if (c == 0)
		c = compare_i32(a->sport, b->sport);
	if (c == 0)
		c = compare_i32(a->dport, b->dport);
	if (c == 0)
		c = addr_compare(a->src, b->src);
	if (c == 0)
		c = a->reach - b->reach;
	if (c == 0)
		c = compare_u32(s->way_rank[x->way], s->way_rank[y->way]);
	return c != 0 ? c :
	       compare_u32(s->verdict_rank[x->verdict], s->verdict_rank[y->verdict]);
}

static int by_all(const void *a, const void *b, void *arg)
{
	const struct set_item *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return by_shown(arg, x, y);
}

/* Bytes in the order of the items: an address is its family, then its bytes. */
struct set_target { struct addr prefix; uint8_t len, method; struct addr dst; };
_Static_assert(sizeof(struct set_target) == 2 * sizeof(struct addr) + 2, "no padding");
/* Sorting compares numbers, not texts and addresses. */
static int order_items(struct diff_set *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct set_item *x = &s->items[i];
		struct set_target t = {x->prefix.addr, x->prefix.len, x->method, x->dst};
		uint32_t number;

		if (diff_intern_put(&s->targets, &t, sizeof(t), &number) < 0)
			return BP_ENOMEM;
		x->order = number;
	}
	if (diff_intern_ranks(&s->targets, &s->target_rank) < 0)
		return BP_ENOMEM;
	for (size_t i = 0; i < s->count; i++) {
		struct set_item *x = &s->items[i];

		x->order = (uint64_t)s->vantage_rank[x->vantage] << ORDER_VANTAGE |
			   (uint64_t)s->target_rank[x->order] << ORDER_TARGET | x->side;
	}
	return 0;
}

/* Whether b came before a: its id is the one to show. */
static bool is_earlier(const struct diff_set *s, const struct set_item *a,
		       const struct set_item *b)
{
	int c;

	if (a->first.ns != b->first.ns)
		return a->first.ns == 0 || (b->first.ns != 0 && b->first.ns < a->first.ns);
	c = strcmp(set_text(s, b->id), set_text(s, a->id));
	return c != 0 ? c < 0 : b->example < a->example;
}

static void merge(const struct diff_set *s, struct set_item *into, const struct set_item *item)
{
	if (is_earlier(s, into, item)) {
		into->id = item->id;
		into->example = item->example;
		into->first = item->first;
	}
	if (item->last.ns > into->last.ns)
		into->last = item->last;
	into->count += item->count;
	into->rtt_count += item->rtt_count;
}

/* Items are sorted: those that show the same become one, with their delays behind each other. */
static int merge_all(struct diff_set *s)
{
	int64_t *rtts = calloc(s->rtt_count + 1, sizeof(*rtts));
	size_t kept = 0, at = 0;

	if (rtts == NULL)
		return BP_ENOMEM;
	for (size_t i = 0; i < s->count; i++) {
		struct set_item item = s->items[i];

		if (item.rtt_count > 0)
			memcpy(&rtts[at], &s->rtts[item.rtt_at], item.rtt_count * sizeof(*rtts));
		item.rtt_at = at;
		at += item.rtt_count;
		if (kept > 0 && by_all(&s->items[kept - 1], &item, s) == 0)
			merge(s, &s->items[kept - 1], &item);
		else
			s->items[kept++] = item;
	}
	s->count = kept;
	free(s->rtts);
	s->rtts = rtts;
	return 0;
}

/* Targets did not fall silent: the vantage point did. */
static int leave_out_offline(struct diff_set *s)
{
	uint32_t known = s->offline.count, number;
	size_t kept = 0;

	for (size_t i = 0; known > 0 && i < s->count; i++) {
		const char *round = set_text(s, s->items[i].round);

		if (diff_intern_put(&s->offline, round, strlen(round) + 1, &number) < 0)
			return BP_ENOMEM;
		if (number >= known)
			s->items[kept++] = s->items[i];
	}
	if (known > 0)
		s->count = kept;
	return 0;
}

int diff_set_settle(struct diff_set *s)
{
	if (leave_out_offline(s) < 0 || diff_intern_ranks(&s->vantages, &s->vantage_rank) < 0 ||
	    diff_intern_ranks_any(&s->ways, &s->way_rank) < 0 ||
	    diff_intern_ranks_any(&s->verdicts, &s->verdict_rank) < 0)
		return BP_ENOMEM;
	if (s->count == 0)
		return 0;
	if (order_items(s) < 0)
		return BP_ENOMEM;
	qsort_r(s->items, s->count, sizeof(*s->items), by_all, s);
	return merge_all(s);
}

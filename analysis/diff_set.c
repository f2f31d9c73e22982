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
	diff_intern_fini(&s->left_out);
	diff_intern_fini(&s->sources);
	diff_intern_fini(&s->places);
	free(s->prefixes);
	free(s->order);
	free(s->place_rank);
	free(s->place_key);
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

static int source_put(struct diff_set *s, struct addr src)
{
	if (s->sources.count > 0 &&
	    addr_equal(*(const struct addr *)diff_intern_get(&s->sources, s->last_source), src))
		return 0;
	return diff_intern_put(&s->sources, &src, sizeof(src), &s->last_source);
}

static struct prefix prefix_for(const struct profile *p, struct addr dst)
{
	struct prefix x = profile_judge_prefix(p, dst);

	return x.len == 0 && addr_is_set(dst) ? prefix_of(dst, (uint8_t)(8 * addr_size(dst))) : x;
}

static int place_put(struct diff_set *s, const struct diff_item *item, uint32_t *number)
{
	struct set_place key = {.dst = item->dst, .method = item->method};
	uint32_t known = s->places.count;
	void *prefixes = s->prefixes;
	int rc = vantage_put(s, item->vantage != NULL ? item->vantage : "", &key.vantage);

	if (rc == 0)
		rc = make_room(&prefixes, &s->prefix_room, known, 1, sizeof(*s->prefixes));
	s->prefixes = prefixes;
	if (rc == 0)
		rc = diff_intern_put(&s->places, &key, sizeof(key), number);
	if (rc == 0 && *number == known)
		s->prefixes[known] = prefix_for(s->profile, item->dst);
	return rc;
}

int diff_set_add(struct diff_set *s, enum diff_when side, const struct diff_item *item)
{
	struct set_item *new;
	uint32_t place = 0, round = 0, id = 0;
	int rc = items_room(s, item->rtt_count);

	if (rc == 0)
		rc = place_put(s, item, &place);
	if (rc == 0)
		rc = source_put(s, item->src);
	if (rc == 0 && item->round != NULL)
		rc = text_put(&s->texts, item->round, &round);
	if (rc == 0 && item->id != NULL)
		rc = text_put(&s->texts, item->id, &id);
	if (rc < 0)
		return rc;
	new = &s->items[s->count++];
	*new = (struct set_item){
		.place = place, .src = s->last_source, .reach = item->reach, .side = (uint8_t)side,
		.flow = item->flow, .sport = item->sport, .dport = item->dport, .round = round,
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

	if (r->look)
		return r->id[0] == '\0' ? 0 :
		       diff_intern_put(&s->left_out, r->id, strlen(r->id) + 1, &unused);
	if (text_put(&s->vantages, r->vantage, &vantage) < 0)
		return BP_ENOMEM;
	of = rounds_of(s, vantage);
	if (of == NULL)
		return BP_ENOMEM;
	x = &of->sides[side];
	x->rounds++;
	if (r->planned.ns > x->last.ns) {
		x->slots++;
		x->first = x->first.ns == 0 ? r->planned : x->first;
		x->last = r->planned;
	}
	/* Why whole rounds are missing matters more than why parts are. */
	if (missed ? x->missed == 0 : r->missed > 0 && x->missed == 0 && x->partial == 0)
		x->why = offline ? (uint8_t)ROUND_WHY_OFFLINE : r->why;
	x->missed += missed;
	x->partial += !missed && r->missed > 0;
	return !offline || r->id[0] == '\0' ? 0 :
	       diff_intern_put(&s->left_out, r->id, strlen(r->id) + 1, &unused);
}

/* --- order ------------------------------------------------------------------------------------ */

static int compare_u32(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

/* What items of one target and side show; equal: they are one. */
static int by_shown(const struct diff_set *s, const struct set_item *a, const struct set_item *b)
{
	const struct set_sight *x = diff_intern_get(&s->sights, a->sight);
	const struct set_sight *y = diff_intern_get(&s->sights, b->sight);
	int c = set_compare_flow(a, b);

	if (c == 0 && a->src != b->src)
		c = memcmp(diff_intern_get(&s->sources, a->src),
			   diff_intern_get(&s->sources, b->src), sizeof(struct addr));
	if (c == 0)
		c = a->reach - b->reach;
	if (c == 0)
		c = compare_u32(s->way_rank[x->way], s->way_rank[y->way]);
	return c != 0 ? c :
	       compare_u32(s->verdict_rank[x->verdict], s->verdict_rank[y->verdict]);
}

/* Places in order: bytes that compare so (an address is its family, then its bytes). */
struct place_order {
	uint8_t vantage[4]; /* its rank, big-endian */
	struct addr prefix;
	uint8_t len, method;
	struct addr dst;
	uint8_t unused[2];
	uint32_t place;
};

static int by_place(const void *a, const void *b)
{
	return memcmp(a, b, offsetof(struct place_order, unused));
}

static int order_places(struct diff_set *s)
{
	struct place_order *all = calloc(s->places.count + 1, sizeof(*all));

	s->place_rank = calloc(s->places.count + 1, sizeof(*s->place_rank));
	s->place_key = calloc(s->places.count + 1, sizeof(*s->place_key));
	if (all == NULL || s->place_rank == NULL || s->place_key == NULL) {
		free(all);
		return BP_ENOMEM;
	}
	for (uint32_t i = 0; i < s->places.count; i++) {
		const struct set_place *p = diff_intern_get(&s->places, i);
		uint32_t rank = s->vantage_rank[p->vantage];

		all[i] = (struct place_order){
			{(uint8_t)(rank >> 24), (uint8_t)(rank >> 16), (uint8_t)(rank >> 8),
			 (uint8_t)rank},
			s->prefixes[i].addr, s->prefixes[i].len, p->method, p->dst, {0}, i};
	}
	qsort(all, s->places.count, sizeof(*all), by_place);
	for (uint32_t i = 0, key = 0; i < s->places.count; i++) {
		if (i > 0 && memcmp(&all[i], &all[i - 1], offsetof(struct place_order, dst)) != 0)
			key++;
		s->place_rank[all[i].place] = i;
		s->place_key[all[i].place] = key;
	}
	free(all);
	return 0;
}

/* An item where it is to be sorted: what mostly decides is at hand. */
struct sorting { uint64_t flow; uint32_t at; };
struct sorting_set { const struct diff_set *set; };

static int by_flow(const void *a, const void *b, void *arg)
{
	const struct sorting *x = a, *y = b;
	const struct sorting_set *in = arg;

	if (x->flow != y->flow)
		return x->flow < y->flow ? -1 : 1;
	return by_shown(in->set, &in->set->items[x->at], &in->set->items[y->at]);
}

/* Flow and source port, so that they compare as one unsigned number. */
static uint64_t sorting_flow(const struct set_item *x)
{
	const uint32_t least = UINT32_C(1) << 31;

	return (uint64_t)((uint32_t)x->flow ^ least) << 32 | ((uint32_t)x->sport ^ least);
}

static size_t bucket_of(const struct diff_set *s, const struct set_item *x)
{
	return 2 * (size_t)s->place_rank[x->place] + x->side;
}

/* By place and side, of which there are few: items are dealt to them, then each heap is sorted.
 * out: owned, of s->count. */
static int order_items(const struct diff_set *s, struct sorting **out)
{
	size_t buckets = 2 * (size_t)s->places.count, begin = 0;
	struct sorting *sorted = calloc(s->count, sizeof(*sorted));
	size_t *ends = calloc(buckets + 1, sizeof(*ends));
	struct sorting_set in = {s};

	if (sorted == NULL || ends == NULL) {
		free(sorted);
		free(ends);
		return BP_ENOMEM;
	}
	for (size_t i = 0; i < s->count; i++)
		ends[bucket_of(s, &s->items[i]) + 1]++;
	for (size_t i = 1; i <= buckets; i++)
		ends[i] += ends[i - 1];
	/* ends[i] is where heap i is filled next; afterwards, where it ends. */
	for (size_t i = 0; i < s->count; i++)
		sorted[ends[bucket_of(s, &s->items[i])]++] =
			(struct sorting){sorting_flow(&s->items[i]), (uint32_t)i};
	for (size_t i = 0; i < buckets; begin = ends[i++])
		qsort_r(&sorted[begin], ends[i] - begin, sizeof(*sorted), by_flow, &in);
	free(ends);
	*out = sorted;
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

static bool is_same(const struct diff_set *s, const struct set_item *a, const struct set_item *b)
{
	return a->place == b->place && a->side == b->side && by_shown(s, a, b) == 0;
}

/* In their order: those that show the same become one, with their delays behind each other. Items
 * stay where they are: there are many, and nobody needs them side by side. */
static int merge_all(struct diff_set *s, const struct sorting *sorted)
{
	int64_t *rtts = malloc((s->rtt_count + 1) * sizeof(*rtts));
	size_t at = 0;

	s->order = malloc(s->count * sizeof(*s->order));
	if (rtts == NULL || s->order == NULL) {
		free(rtts);
		return BP_ENOMEM;
	}
	for (size_t i = 0; i < s->count; i++) {
		struct set_item *item = &s->items[sorted[i].at], *last = NULL;

		if (item->rtt_count > 0)
			memcpy(&rtts[at], &s->rtts[item->rtt_at], item->rtt_count * sizeof(*rtts));
		item->rtt_at = at;
		at += item->rtt_count;
		if (s->order_count > 0)
			last = &s->items[s->order[s->order_count - 1]];
		if (last != NULL && is_same(s, last, item))
			merge(s, last, item);
		else
			s->order[s->order_count++] = sorted[i].at;
	}
	free(s->rtts);
	s->rtts = rtts;
	return 0;
}

/* Targets did not fall silent: the vantage point did. And closer looks are made where something
 * goes on: they have nothing to be compared with. */
static int leave_out_rounds(struct diff_set *s)
{
	uint32_t known = s->left_out.count, number;
	size_t kept = 0;

	for (size_t i = 0; known > 0 && i < s->count; i++) {
		const char *round = set_text(s, s->items[i].round);

		if (diff_intern_put(&s->left_out, round, strlen(round) + 1, &number) < 0)
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
	struct sorting *sorted = NULL;
	int rc;

	if (leave_out_rounds(s) < 0 || diff_intern_ranks(&s->vantages, &s->vantage_rank) < 0 ||
	    diff_intern_ranks_any(&s->ways, &s->way_rank) < 0 ||
	    diff_intern_ranks_any(&s->verdicts, &s->verdict_rank) < 0)
		return BP_ENOMEM;
	if (s->count == 0)
		return 0;
	if (s->count > UINT32_MAX || order_places(s) < 0 || order_items(s, &sorted) < 0)
		return BP_ENOMEM;
	rc = merge_all(s, sorted);
	free(sorted);
	return rc;
}

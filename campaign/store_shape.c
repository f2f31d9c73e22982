// SPDX-License-Identifier: BSD-2-Clause
/*
 * The table of shapes: a hash table that is emptied when it has grown to its bound, so that a year
 * takes no more memory than a week.
 */
#include "campaign/store_shape.h"

#include <stdlib.h>
#include <string.h>


/* Some 400 bytes each. */
enum { SHAPES_MAX = 1 << 18, LISTS_MAX = 1 << 24 };

/* number + 1 (0: free), and as much of the hash as tells most others apart without a look at
 * them. */
struct place { uint32_t number1, tag; };

struct shapes {
	const struct shape_source *source;
	void *arg;
	const struct store_points *to;
	struct shape *items;     /* owned, as all below */
	uint32_t count, room;
	struct place *table;
	uint32_t table_size;     /* a power of two */
	uint32_t *slots;
	uint32_t slot_count, slot_room;
	struct point_hop *hops;
	uint32_t hop_count, hop_room;
	struct wall *dates;      /* of the profile's labels, sorted */
	unsigned date_count;
	struct trace *t;         /* the trace at work; NULL before the first */
	struct names names;
	struct verdict verdict;
};

static int no_memory(struct bp_error *err)
{
	return bp_fail(err, BP_ENOMEM, "out of memory");
}

static int compare_wall(const void *a, const void *b)
{
	const struct wall *x = a, *y = b;

	return x->ns < y->ns ? -1 : x->ns > y->ns;
}

int shapes_new(const struct shape_source *source, void *arg, const struct store_points *to,
	       struct shapes **out)
{
	const struct profile *p = to->profile;
	struct shapes *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return BP_ENOMEM;
	t->source = source;
	t->arg = arg;
	t->to = to;
	names_init(&t->names);
	t->dates = calloc(2 * (size_t)p->labels_count + 1, sizeof(*t->dates));
	if (t->dates == NULL) {
		shapes_free(t);
		return BP_ENOMEM;
	}
	for (unsigned i = 0; i < p->labels_count; i++) {
		t->dates[t->date_count++] = p->labels[i].valid.since;
		t->dates[t->date_count++] = p->labels[i].valid.until;
	}
	qsort(t->dates, t->date_count, sizeof(*t->dates), compare_wall);
	*out = t;
	return 0;
}

void shapes_free(struct shapes *t)
{
	if (t == NULL)
		return;
	names_fini(&t->names);
	free(t->items);
	free(t->table);
	free(t->slots);
	free(t->hops);
	free(t->dates);
	free(t->t);
	free(t);
}

uint32_t shapes_epoch(const struct shapes *t, struct wall when)
{
	uint32_t n = 0;

	while (n < t->date_count && t->dates[n].ns <= when.ns)
		n++;
	return n;
}

const uint32_t *shapes_slots(const struct shapes *t, const struct shape *x)
{
	return t->slots + x->slot_at;
}

const struct point_hop *shapes_hops(const struct shapes *t, const struct shape *x)
{
	return t->hops + x->hop_at;
}

/* --- a shape from a whole trace --------------------------------------------------------------- */

/* The trace without its times; tx_ns of an entry is the slot of its round-trip time. */
static int load_trace(struct shapes *t, const void *row, struct wall start, struct bp_error *err)
{
	struct trace *x;
	int rc;

	free(t->t);
	t->t = NULL;
	rc = t->source->hops(t->arg, row, &t->t, err);
	if (rc < 0)
		return rc;
	x = t->t;
	x->start = start;
	for (uint32_t i = 0; i < x->entry_count; i++) {
		x->entries[i].tx_ns = i;
		x->entries[i].reply.ip_id = -1;
	}
	trace_sort(x);
	return trace_validate(x, x->size) < 0 ? t->source->damaged(t->arg, row, err) : 0;
}

static int grow(void **list, uint32_t *room, uint32_t wanted, size_t size)
{
	uint32_t more = *room > 0 ? *room : 1024;
	void *at;

	if (wanted <= *room)
		return 0;
	while (more < wanted)
		more *= 2;
	at = reallocarray(*list, more, size);
	if (at == NULL)
		return BP_ENOMEM;
	*list = at;
	*room = more;
	return 0;
}

/* Appends the slots of the entries that fit. */
static int add_slots(struct shapes *t, const struct shape *x, bool outside, uint16_t *count)
{
	const unsigned void_flags = REPLY_LATE | REPLY_DUP | REPLY_CLOCK;
	void *list = t->slots;
	int rc = grow(&list, &t->slot_room, t->slot_count + t->t->entry_count, sizeof(*t->slots));

	t->slots = list;
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < t->t->entry_count && *count < UINT16_MAX; i++) {
		const struct trace_entry *e = &t->t->entries[i];

		if (e->reply.rtt_ns < 0 || (e->reply.flags & void_flags) != 0)
			continue;
		if (outside ? e->ttl != x->point.outside_ttl ||
				      !addr_equal(e->reply.from, x->point.outside)
			    : (e->reply.flags & REPLY_FTL) != 0 ||
				      !trace_entry_is_destination(t->t, e))
			continue;
		t->slots[t->slot_count++] = (uint32_t)e->tx_ns;
		++*count;
	}
	return 0;
}

static int make(struct shapes *t, const struct shape_key *k, const void *row, struct wall start,
		struct shape *out, struct bp_error *err)
{
	struct shape x = {.key = *k, .slot_at = t->slot_count, .hop_at = t->hop_count};
	void *hops = t->hops;
	int rc = load_trace(t, row, start, err);

	if (rc < 0)
		return rc;
	names_fini(&t->names);
	names_init(&t->names);
	t->verdict.judged = false;
	rc = t->source->judgement(t->arg, row, k, t->t, &t->names, &t->verdict, err);
	if (rc < 0)
		return rc;
	rc = point_of_trace(t->t, &t->names, k->verdict != 0 ? &t->verdict : NULL, t->to->profile,
			    t->to->nodes, t->to->room, &x.point);
	if (rc == 0)
		rc = grow(&hops, &t->hop_room, t->hop_count + x.point.hop_count, sizeof(*t->hops));
	t->hops = hops;
	if (rc == 0)
		rc = add_slots(t, &x, false, &x.delays);
	if (rc == 0 && x.point.outside_ttl != 0)
		rc = add_slots(t, &x, true, &x.outside);
	if (rc < 0)
		return no_memory(err);
	if (x.point.hop_count > 0)
		memcpy(t->hops + t->hop_count, x.point.hops,
		       x.point.hop_count * sizeof(*t->hops));
	t->hop_count += x.point.hop_count;
	x.outside_is_dst = addr_is_set(x.point.outside) && addr_equal(x.point.outside, t->t->dst);
	*out = x;
	return 0;
}

/* --- the table -------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

static uint64_t hash_of(const struct shape_key *k)
{
	uint64_t few = (uint64_t)k->verdict << 32 ^ (uint64_t)k->settings << 16 ^
		       (uint64_t)k->naming << 24 ^ (uint64_t)k->geo << 8 ^ (uint64_t)k->goal ^
		       (uint64_t)k->epoch << 48 ^ (uint64_t)k->method << 4 ^ k->family;

	return mix(mix(1, (uint64_t)k->path), few);
}

static bool same(const struct shape_key *a, const struct shape_key *b)
{
	return a->path == b->path && a->verdict == b->verdict && a->settings == b->settings &&
	       a->naming == b->naming && a->geo == b->geo && a->goal == b->goal &&
	       a->epoch == b->epoch && a->method == b->method && a->family == b->family;
}

static void put(struct shapes *t, uint32_t number)
{
	uint64_t hash = t->items[number].hash, at = hash;

	while (t->table[at & (t->table_size - 1)].number1 != 0)
		at++;
	t->table[at & (t->table_size - 1)] = (struct place){number + 1, (uint32_t)(hash >> 32)};
}

/* Room for one more. */
static int make_room(struct shapes *t)
{
	uint32_t room = t->room > 0 ? 2 * t->room : 1024;
	struct place *table;
	struct shape *items;

	if (t->count == SHAPES_MAX || t->slot_count > LISTS_MAX || t->hop_count > LISTS_MAX) {
		memset(t->table, 0, t->table_size * sizeof(*t->table));
		t->count = t->slot_count = t->hop_count = 0;
	}
	if (t->count < t->room)
		return 0;
	items = reallocarray(t->items, room, sizeof(*items));
	if (items == NULL)
		return BP_ENOMEM;
	t->items = items;
	table = calloc(2 * (size_t)room, sizeof(*table));
	if (table == NULL)
		return BP_ENOMEM;
	free(t->table);
	t->table = table;
	t->table_size = 2 * room;
	t->room = room;
	for (uint32_t i = 0; i < t->count; i++)
		put(t, i);
	return 0;
}

int shapes_find(struct shapes *t, const struct shape_key *like, const void *row, struct wall start,
		const struct shape **out, struct bp_error *err)
{
	uint64_t hash = hash_of(like);
	struct shape fresh;
	int rc;

	for (uint64_t at = hash; t->table_size > 0; at++) {
		const struct place *place = &t->table[at & (t->table_size - 1)];

		if (place->number1 == 0)
			break;
		if (place->tag == (uint32_t)(hash >> 32) &&
		    same(&t->items[place->number1 - 1].key, like)) {
			*out = &t->items[place->number1 - 1];
			return 0;
		}
	}
	if (make_room(t) < 0)
		return no_memory(err);
	rc = make(t, like, row, start, &fresh, err);
	if (rc < 0)
		return rc;
	fresh.hash = hash;
	t->items[t->count++] = fresh;
	put(t, t->count - 1);
	*out = &t->items[t->count - 1];
	return 0;
}

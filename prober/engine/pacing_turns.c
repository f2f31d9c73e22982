// SPDX-License-Identifier: BSD-2-Clause
/* Doubly linked lines in one pool of places, and a hash to find whoever stands in them. */
#include "prober/engine/pacing_turns.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"

enum { LOOKED_AT = 16 }; /* places, for one whose owner has gone, each time that one is wanted */

/* Nobody is told to come back so late that this is not long past. */
#define GONE_NS (10 * NS_PER_S)

int turns_init(struct turns *t, uint32_t room)
{
	*t = (struct turns){.room = room, .used = 1, .hand = 1};
	if (room == 0)
		return 0;
	/* calloc: pages of places never used are never touched. */
	t->places = calloc((size_t)room + 1, sizeof(t->places[0]));
	t->by_hash = calloc(room, sizeof(t->by_hash[0]));
	if (t->places != NULL && t->by_hash != NULL)
		return 0;
	turns_fini(t);
	return BP_ENOMEM;
}

void turns_fini(struct turns *t)
{
	free(t->places);
	free(t->by_hash);
	memset(t, 0, sizeof(*t));
}

static uint32_t *chain_of(const struct turns *t, uint64_t who)
{
	/* Fibonacci hashing (Knuth, vol. 3, 6.4): the high bits are the mixed ones. */
	return &t->by_hash[(who * 0x9e3779b97f4a7c15u >> 32) & (t->room - 1)];
}

/* 0: has no place. */
static uint32_t find(const struct turns *t, uint64_t who)
{
	uint32_t i = 0;

	if (t->room > 0)
		i = *chain_of(t, who);
	while (i != 0 && t->places[i].who != who)
		i = t->places[i].chain;
	return i;
}

/* --- lines ------------------------------------------------------------------------------------ */

/* Before all who came later: nearly always that is the end. */
static void join(struct turns *t, struct turns_line *line, uint32_t i)
{
	struct turns_place *p = &t->places[i];
	uint32_t after = line->last;

	while (after != 0 && t->places[after].number > p->number)
		after = t->places[after].prev;
	p->line = line;
	p->prev = after;
	p->next = after != 0 ? t->places[after].next : line->first;
	*(p->prev != 0 ? &t->places[p->prev].next : &line->first) = i;
	*(p->next != 0 ? &t->places[p->next].prev : &line->last) = i;
}

static void part(struct turns *t, uint32_t i)
{
	struct turns_place *p = &t->places[i];

	*(p->prev != 0 ? &t->places[p->prev].next : &p->line->first) = p->next;
	*(p->next != 0 ? &t->places[p->next].prev : &p->line->last) = p->prev;
}

static void give_up(struct turns *t, uint32_t i)
{
	struct turns_place *p = &t->places[i];
	uint32_t *at = chain_of(t, p->who);

	part(t, i);
	while (*at != i)
		at = &t->places[*at].chain;
	*at = p->chain;
	*p = (struct turns_place){.next = t->free};
	t->free = i;
}

/* --- places ----------------------------------------------------------------------------------- */

/* Takes the place of somebody who has gone, where few looks find one. */
static void reclaim(struct turns *t, struct mono now)
{
	for (int k = 0; k < LOOKED_AT && t->free == 0; k++) {
		uint32_t i = t->hand;

		t->hand = i < t->room ? i + 1 : 1;
		if (t->places[i].line != NULL && mono_since(now, t->places[i].due) > GONE_NS)
			give_up(t, i);
	}
}

/* 0: there is none. */
static uint32_t settle(struct turns *t, uint64_t who, struct mono now)
{
	uint32_t i, *chain;

	if (t->free == 0 && t->used > t->room)
		reclaim(t, now);
	i = t->free;
	if (i != 0)
		t->free = t->places[i].next;
	else if (t->used <= t->room)
		i = t->used++;
	else
		return 0;
	chain = chain_of(t, who);
	t->places[i] = (struct turns_place){.who = who, .number = t->numbers++, .chain = *chain};
	*chain = i;
	return i;
}

uint32_t turns_ahead(struct turns *t, struct turns_line *line, uint64_t who, uint32_t most,
		     struct turns_patience p, struct mono now)
{
	uint32_t mine = find(t, who), ahead = 0;
	/* In another line he has waited too. */
	uint64_t number = mine != 0 ? t->places[mine].number : UINT64_MAX;

	for (uint32_t i = line->first, next; i != 0 && ahead < most; i = next) {
		int64_t late = mono_since(now, t->places[i].due);

		if (t->places[i].number >= number)
			break;
		next = t->places[i].next;
		if (late > p.kept_ns)
			give_up(t, i);
		else
			ahead += late <= p.expected_ns;
	}
	return ahead;
}

void turns_wait(struct turns *t, struct turns_line *line, uint64_t who, struct mono due,
		struct mono now)
{
	uint32_t i = find(t, who);

	if (i != 0 && t->places[i].line != line) {
		part(t, i);
		join(t, line, i);
	} else if (i == 0 && t->room > 0 && (i = settle(t, who, now)) != 0) {
		join(t, line, i);
	}
	if (i != 0)
		t->places[i].due = due;
}

void turns_leave(struct turns *t, uint64_t who)
{
	uint32_t i = find(t, who);

	if (i != 0)
		give_up(t, i);
}

void turns_clear(struct turns *t, struct turns_line *line)
{
	while (line->first != 0)
		give_up(t, line->first);
}

// SPDX-License-Identifier: BSD-2-Clause
/* Rounds that the store has, read again. Holds the names of those of one reading in memory, and of
 * those that are due all there is: of fifty that measure every minute a reading has 18,000. */
#include "campaign/fleet/collect_rounds.h"

#include <stdlib.h>
#include <string.h>

struct list {
	struct collect_rounds *seen;  /* what the last reading found */
	struct collect_round *found;
	struct round *due, one;
	size_t count, room, due_count, due_room;
};

static int by_id(const void *a, const void *b)
{
	const struct collect_round *x = a, *y = b;

	return strcmp(x->id, y->id);
}

static struct collect_round *find(struct collect_rounds *seen, const char *id)
{
	struct collect_round key = {.given = false};

	memcpy(key.id, id, sizeof(key.id));
	return seen->count == 0 ? NULL :
	       bsearch(&key, seen->found, seen->count, sizeof(*seen->found), by_id);
}

static void *more(void *array, size_t count, size_t *room, size_t size)
{
	size_t n = *room > 0 ? 2 * *room : 64;

	if (count < *room)
		return array;
	array = reallocarray(array, n, size);
	if (array != NULL)
		*room = n;
	return array;
}

static int on_record(void *arg, struct record *r, struct bp_error *err)
{
	struct list *l = arg;
	struct collect_round *before, *found;
	struct round *due;

	if (r->kind != RECORD_ROUND || round_read(r, &l->one, NULL) < 0 || l->one.look)
		return 0;
	found = more(l->found, l->count, &l->room, sizeof(*found));
	if (found == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	l->found = found;
	found = &l->found[l->count++];
	before = find(l->seen, l->one.id);
	memcpy(found->id, l->one.id, sizeof(found->id));
	found->given = before != NULL;
	if (before == NULL || before->given)
		return 0;
	due = more(l->due, l->due_count, &l->due_room, sizeof(*due));
	if (due == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	l->due = due;
	l->due[l->due_count++] = l->one;
	return 0;
}

int collect_rounds_again(struct store *s, const char *campaign, struct wall since,
			 struct collect_rounds *seen,
			 int (*on_round)(void *arg, const struct round *r, struct bp_error *err),
			 void *arg, struct bp_error *err)
{
	const struct store_select select = {.since = since, .campaign = campaign,
					    .rounds_only = true};
	struct list l = {.seen = seen};
	int rc = store_read(s, &select, on_record, &l, err);

	for (size_t i = 0; rc == 0 && i < l.due_count; i++) {
		find(seen, l.due[i].id)->given = true;
		rc = on_round(arg, &l.due[i], err);
	}
	if (rc >= 0) {
		if (l.count > 0)
			qsort(l.found, l.count, sizeof(*l.found), by_id);
		free(seen->found);
		seen->found = l.found;
		seen->count = l.count;
		l.found = NULL;
	}
	free(l.found);
	free(l.due);
	return rc;
}

void collect_rounds_fini(struct collect_rounds *seen)
{
	free(seen->found);
	*seen = (struct collect_rounds){0};
}

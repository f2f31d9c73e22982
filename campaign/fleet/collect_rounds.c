// SPDX-License-Identifier: BSD-2-Clause
/* Rounds that the store has, read again. Holds those of one reading in memory, no more. */
#include "campaign/fleet/collect_rounds.h"

#include <stdlib.h>
#include <string.h>

struct list {
	struct round *rounds;
	size_t count, room;
};

static int on_record(void *arg, struct record *r, struct bp_error *err)
{
	struct list *l = arg;
	struct round *more = l->rounds;

	if (r->kind != RECORD_ROUND)
		return 0;
	if (l->count == l->room) {
		l->room = l->room > 0 ? 2 * l->room : 64;
		more = reallocarray(l->rounds, l->room, sizeof(*more));
		if (more == NULL)
			return bp_fail(err, BP_ENOMEM, "out of memory");
		l->rounds = more;
	}
	if (round_read(r, &more[l->count], NULL) == 0 && !more[l->count].look)
		l->count++;
	return 0;
}

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

static int remember(struct collect_rounds *seen, const struct list *l, struct bp_error *err)
{
	struct collect_round *found = calloc(l->count + 1, sizeof(*found));

	if (found == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	for (size_t i = 0; i < l->count; i++) {
		const struct collect_round *before = find(seen, l->rounds[i].id);

		memcpy(found[i].id, l->rounds[i].id, sizeof(found[i].id));
		found[i].given = before != NULL && before->given;
	}
	qsort(found, l->count, sizeof(*found), by_id);
	free(seen->found);
	seen->found = found;
	seen->count = l->count;
	return 0;
}

int collect_rounds_again(struct store *s, const char *campaign, struct wall since,
			 struct collect_rounds *seen,
			 int (*on_round)(void *arg, const struct round *r, struct bp_error *err),
			 void *arg, struct bp_error *err)
{
	const struct store_select select = {.since = since, .campaign = campaign,
					    .rounds_only = true};
	struct list l = {0};
	int rc = store_read(s, &select, on_record, &l, err);

	for (size_t i = 0; rc == 0 && i < l.count; i++) {
		struct collect_round *before = find(seen, l.rounds[i].id);

		if (before == NULL || before->given)
			continue;
		before->given = true;
		rc = on_round(arg, &l.rounds[i], err);
	}
	if (rc >= 0)
		rc = remember(seen, &l, err);
	free(l.rounds);
	return rc;
}

void collect_rounds_fini(struct collect_rounds *seen)
{
	free(seen->found);
	*seen = (struct collect_rounds){0};
}

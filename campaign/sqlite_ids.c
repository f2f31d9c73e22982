// SPDX-License-Identifier: BSD-2-Clause
/*
 * The id of a trace without an index over all of them: RUN-SEQ[.SUB] leads to the segments of the
 * run whose numbers reach so far, and the ids of one segment fit into a small table. Ids of another
 * form (somebody else's) are texts in a table of their own.
 */
#include <stdlib.h>
#include <string.h>

#include "campaign/sqlite.h"
#include "core/text.h"

/* --- the ids of a segment --------------------------------------------------------------------- */

static uint64_t key_of(const struct trace_key *k)
{
	/* Never 0. */
	return (uint64_t)k->seq << 20 | (uint64_t)(k->sub + 2);
}

static struct id_slot *slot_of(const struct id_set *set, uint64_t key)
{
	uint64_t at = key * UINT64_C(0x9e3779b97f4a7c15) >> 32;

	for (;; at++) {
		struct id_slot *slot = &set->slots[at & (set->size - 1)];

		if (slot->key == 0 || slot->key == key)
			return slot;
	}
}

void id_set_fini(struct id_set *set)
{
	free(set->slots);
	*set = (struct id_set){0};
}

void id_set_clear(struct id_set *set)
{
	if (set->used > 0)
		memset(set->slots, 0, set->size * sizeof(*set->slots));
	set->used = 0;
	set->segment = 0;
}

static int id_set_grow(struct id_set *set)
{
	struct id_set bigger = {.size = set->size ? 2 * set->size : 1024, .segment = set->segment};

	bigger.slots = calloc(bigger.size, sizeof(*bigger.slots));
	if (bigger.slots == NULL)
		return BP_ENOMEM;
	for (uint32_t i = 0; i < set->size; i++) {
		if (set->slots[i].key != 0) {
			*slot_of(&bigger, set->slots[i].key) = set->slots[i];
			bigger.used++;
		}
	}
	free(set->slots);
	*set = bigger;
	return 0;
}

int id_set_put(struct id_set *set, const struct trace_key *k, int64_t n)
{
	struct id_slot *slot;

	if (4 * (uint64_t)(set->used + 1) > 3 * (uint64_t)set->size && id_set_grow(set) < 0)
		return BP_ENOMEM;
	slot = slot_of(set, key_of(k));
	if (slot->key == 0)
		set->used++;
	*slot = (struct id_slot){key_of(k), n};
	return 0;
}

int64_t id_set_find(const struct id_set *set, const struct trace_key *k)
{
	return set->size > 0 ? slot_of(set, key_of(k))->n : 0;
}

/* --- ids that are in the store ---------------------------------------------------------------- */

/* The ids of a segment into old_ids. */
static int load_segment(struct sqlite_store *s, int64_t segment, struct bp_error *err)
{
	int64_t first, last, base;
	sqlite3_stmt *st;
	int rc = sql_get(s, STMT_SEGMENT_GET, &st, err);

	if (rc < 0 || s->old_ids.segment == segment)
		return rc;
	id_set_clear(&s->old_ids);
	sqlite3_bind_int64(st, 1, segment);
	rc = sql_step(s, st, err);
	if (rc <= 0)
		return rc;
	first = sqlite3_column_int64(st, 0);
	last = sqlite3_column_int64(st, 1);
	base = sqlite3_column_int64(st, 11);
	sqlite3_reset(st);
	rc = sql_get(s, STMT_SEGMENT_IDS, &st, err);
	if (rc < 0)
		return rc;
	sqlite3_bind_int64(st, 1, first);
	sqlite3_bind_int64(st, 2, last);
	sqlite3_bind_int64(st, 3, segment);
	while ((rc = sql_step(s, st, err)) == 1) {
		bool sub = sqlite3_column_type(st, 2) != SQLITE_NULL;
		struct trace_key k = {.seq = base + sqlite3_column_int64(st, 1),
				      .sub = sub ? sqlite3_column_int64(st, 2) : -1};

		if (sqlite3_column_type(st, 1) != SQLITE_NULL && k.seq >= 0 &&
		    k.seq <= TRACE_KEY_SEQ_MAX && k.sub <= TRACE_KEY_SUB_MAX &&
		    id_set_put(&s->old_ids, &k, sqlite3_column_int64(st, 0)) < 0) {
			sqlite3_reset(st);
			return bp_fail(err, BP_ENOMEM, "out of memory");
		}
	}
	if (rc == 0)
		s->old_ids.segment = segment;
	return rc;
}

static int run_row(struct sqlite_store *s, const char *run, int64_t *out, struct bp_error *err)
{
	sqlite3_stmt *st;
	int rc = sql_get(s, STMT_TEXT_FIND, &st, err);

	if (rc < 0)
		return rc;
	bind_text(st, 1, run);
	rc = sql_step(s, st, err);
	*out = rc == 1 ? sqlite3_column_int64(st, 0) : 0;
	sqlite3_reset(st);
	return rc < 0 ? rc : 0;
}

int ids_find(struct sqlite_store *s, const struct trace_key *k, int64_t *out, struct bp_error *err)
{
	int64_t run = 0, segments[64], found = 0;
	unsigned count;
	sqlite3_stmt *st;
	int64_t after = 0;
	int rc = run_row(s, k->run, &run, err);

	if (rc < 0)
		return rc;
	/* What was loaded last is most likely the one: a file is read in order. */
	if (run != 0 && s->old_ids.segment != 0 && s->old_run == run)
		found = id_set_find(&s->old_ids, k);
	while (run != 0 && found == 0) {
		rc = sql_get(s, STMT_SEGMENTS_OF_RUN, &st, err);
		if (rc < 0)
			return rc;
		sqlite3_bind_int64(st, 1, run);
		sqlite3_bind_int64(st, 2, k->seq);
		sqlite3_bind_int64(st, 3, after);
		for (count = 0; count < 64 && (rc = sql_step(s, st, err)) == 1;)
			segments[count++] = sqlite3_column_int64(st, 0);
		sqlite3_reset(st);
		if (rc < 0)
			return rc;
		for (unsigned i = 0; i < count && found == 0; i++) {
			after = segments[i];
			rc = load_segment(s, segments[i], err);
			if (rc < 0)
				return rc;
			s->old_run = run;
			found = id_set_find(&s->old_ids, k);
		}
		if (count < 64)
			break;
	}
	*out = found;
	return 0;
}

int ids_top(struct sqlite_store *s, const char *run, int64_t *out, struct bp_error *err)
{
	int64_t row = 0;
	sqlite3_stmt *st;
	int rc = run_row(s, run, &row, err);

	*out = -1;
	if (rc < 0 || row == 0)
		return rc;
	rc = sql_get(s, STMT_RUN_TOP, &st, err);
	if (rc < 0)
		return rc;
	sqlite3_bind_int64(st, 1, row);
	rc = sql_step(s, st, err);
	if (rc == 1 && sqlite3_column_type(st, 0) != SQLITE_NULL)
		*out = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return rc < 0 ? rc : 0;
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * Tallies: how many traces of a segment, by hour, prefix, method and what the latest judgement says
 * of them. They answer "border per hour" and whatever else needs no single trace, without a look at
 * the traces, and are kept true in the transaction that changes what they count: counted along
 * while a segment is written, counted anew from its rows when these are judged again or dropped.
 */
#include <stdlib.h>
#include <string.h>

#include "campaign/body.h"
#include "campaign/sqlite.h"

static const int64_t HOUR_US = INT64_C(3600) * 1000000;

/* Equal bytes are the same tally. */
struct tally_key {
	int64_t hour_us;
	int32_t outcome; /* enum outcome; -1: not judged */
	uint8_t method, class;
	struct prefix prefix; /* /24 or /48 of the destination, as the goal's row has it */
	char border[VERDICT_ID_TEXT];
};

struct tally_count {
	int64_t traces, reached, rtt_n, rtt_min_us, rtt_sum_us;
};

static int no_memory(struct bp_error *err)
{
	return bp_fail(err, BP_ENOMEM, "out of memory");
}

void tallies_clear(struct tallies *t)
{
	diff_intern_fini(&t->keys);
	t->again_count = 0;
}

void tallies_fini(struct tallies *t)
{
	tallies_clear(t);
	free(t->counts);
	free(t->again);
}

/* --- of the segment under way ----------------------------------------------------------------- */

static int count_of(struct tallies *t, const struct tally_key *key, struct tally_count **out)
{
	uint32_t known = t->keys.count, number = 0;

	if (diff_intern_put(&t->keys, key, sizeof(*key), &number) < 0)
		return BP_ENOMEM;
	if (number >= t->room) {
		uint32_t room = t->room > 0 ? 2 * t->room : 64;
		struct tally_count *more = reallocarray(t->counts, room, sizeof(*more));

		if (more == NULL)
			return BP_ENOMEM;
		t->counts = more;
		t->room = room;
	}
	if (number == known)
		t->counts[number] = (struct tally_count){0};
	*out = &t->counts[number];
	return 0;
}

int tallies_add(struct sqlite_store *s, const struct trace *t, const struct flat_trace *f,
		const struct verdict *v, int64_t start_us, struct bp_error *err)
{
	struct tally_count *c;
	struct tally_key key;

	/* Without a time it is of no hour. */
	if (t->start.ns == 0)
		return 0;
	memset(&key, 0, sizeof(key));
	key.hour_us = start_us / HOUR_US * HOUR_US;
	key.outcome = v != NULL ? v->outcome : -1;
	key.class = v != NULL ? v->class : 0;
	key.method = t->method;
	key.prefix = f->prefix;
	if (v != NULL)
		memcpy(key.border, v->border, strnlen(v->border, sizeof(key.border) - 1));
	if (count_of(&s->tallies, &key, &c) < 0)
		return no_memory(err);
	c->traces++;
	c->reached += t->reach == REACH_REACHED;
	if (f->rtt_min_ns >= 0) {
		int64_t us = body_us(f->rtt_min_ns);

		c->rtt_min_us = c->rtt_n == 0 || us < c->rtt_min_us ? us : c->rtt_min_us;
		c->rtt_sum_us += us;
		c->rtt_n++;
	}
	return 0;
}

static int write_row(struct sqlite_store *s, sqlite3_stmt *st, const struct tally_key *key,
		     const struct tally_count *c, struct bp_error *err)
{
	char prefix[PREFIX_TEXT] = "";

	if (addr_is_set(key->prefix.addr))
		prefix_format(key->prefix, prefix);
	sqlite3_bind_int64(st, 2, key->hour_us);
	sqlite3_bind_text(st, 4, prefix, -1, SQLITE_STATIC);
	sqlite3_bind_int(st, 5, key->method);
	sqlite3_bind_int(st, 6, key->outcome);
	sqlite3_bind_text(st, 7, key->border, -1, SQLITE_STATIC);
	sqlite3_bind_int(st, 8, key->class);
	sqlite3_bind_int64(st, 9, c->traces);
	sqlite3_bind_int64(st, 10, c->reached);
	sqlite3_bind_int64(st, 11, c->rtt_n);
	sqlite3_bind_null(st, 12);
	sqlite3_bind_null(st, 13);
	if (c->rtt_n > 0) {
		sqlite3_bind_int64(st, 12, c->rtt_min_us);
		sqlite3_bind_int64(st, 13, c->rtt_sum_us);
	}
	return sql_step(s, st, err);
}

int tallies_write(struct sqlite_store *s, int64_t vantage, int64_t segment, struct bp_error *err)
{
	struct tallies *t = &s->tallies;
	sqlite3_stmt *st;
	int rc = sql_get(s, STMT_TALLY_ADD, &st, err);

	if (rc < 0)
		return rc;
	sqlite3_bind_int64(st, 1, vantage);
	sqlite3_bind_int64(st, 3, segment);
	for (uint32_t i = 0; i < t->keys.count && rc == 0; i++)
		rc = write_row(s, st, diff_intern_get(&t->keys, i), &t->counts[i], err);
	diff_intern_fini(&t->keys);
	return rc;
}

/* --- of segments that are there --------------------------------------------------------------- */

static int run(struct sqlite_store *s, enum stmt which, int64_t segment, struct bp_error *err)
{
	sqlite3_stmt *st;
	int rc = sql_get(s, which, &st, err);

	if (rc < 0)
		return rc;
	sqlite3_bind_int64(st, 1, segment);
	return sql_step(s, st, err);
}

int tallies_drop(struct sqlite_store *s, int64_t segment, struct bp_error *err)
{
	return run(s, STMT_TALLY_DROP, segment, err);
}

int tallies_fill(struct sqlite_store *s, int64_t segment, struct bp_error *err)
{
	return run(s, STMT_TALLY_FILL, segment, err);
}

int tallies_later(struct sqlite_store *s, int64_t segment, struct bp_error *err)
{
	struct tallies *t = &s->tallies;

	/* Judgements come in the order of the traces: mostly the last is it. */
	for (uint32_t i = t->again_count; i-- > 0;) {
		if (t->again[i] == segment)
			return 0;
	}
	if (t->again_count == t->again_room) {
		uint32_t room = t->again_room > 0 ? 2 * t->again_room : 64;
		int64_t *more = reallocarray(t->again, room, sizeof(*more));

		if (more == NULL)
			return no_memory(err);
		t->again = more;
		t->again_room = room;
	}
	t->again[t->again_count++] = segment;
	return 0;
}

int tallies_settle(struct sqlite_store *s, struct bp_error *err)
{
	struct tallies *t = &s->tallies;
	int rc = 0;

	for (uint32_t i = 0; i < t->again_count && rc == 0; i++) {
		rc = tallies_drop(s, t->again[i], err);
		if (rc == 0)
			rc = tallies_fill(s, t->again[i], err);
	}
	t->again_count = 0;
	return rc;
}

int tallies_all(struct sqlite_store *s, struct bp_error *err)
{
	sqlite3_stmt *st = NULL;
	int rc;

	if (sqlite3_prepare_v2(s->db, "SELECT id FROM segment ORDER BY id", -1, &st, NULL) !=
	    SQLITE_OK)
		return sql_fail(s, sqlite3_extended_errcode(s->db), err);
	while ((rc = sql_step(s, st, err)) == 1) {
		rc = tallies_fill(s, sqlite3_column_int64(st, 0), err);
		if (rc < 0)
			break;
	}
	sqlite3_finalize(st);
	return rc;
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the files of the PostgreSQL store share: the connection, statements, errors, the values that
 * repeat, what waits to be written. Private to campaign/postgres/; everybody else knows store.h.
 *
 * As in SQLite (campaign/sqlite.h) a value that repeats is a row of its own and a *segment* is what
 * traces share that were added together. Unlike there nothing is written before it must be: traces
 * wait in memory, and go in with one COPY when a round or the transaction ends. What tells values
 * apart is a hash of their bytes under the store's secret, so that collectors need not ask each
 * other: each adds what it does not know, and what another added meanwhile is found.
 *
 * A transaction sends what waits at its end, and takes locks in one order, so that collectors wait
 * for each other but not in a ring: vantage points (by their lock's number), then kinds of values
 * in the order of enum pg_kind, each by their hash. One that is so large that it sends twice may be
 * undone for a ring all the same (EDEADLK). Whose vantage point is locked may look which of its
 * traces are there already.
 */
#ifndef CAMPAIGN_POSTGRES_PG_H
#define CAMPAIGN_POSTGRES_PG_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "campaign/postgres/pg_wire.h"
#include "campaign/store_engine.h"
#include "core/record/flat.h"

enum {
	PG_STORE_VERSION = 1,
	PG_SEGMENT_BITS = 14, /* traces of a segment, as a power of two; store_trace's numbers */
	PG_SEGMENT_TRACES = 1 << PG_SEGMENT_BITS,
	PG_WAITING_TRACES = 16384, /* so much goes in before more is added */
	PG_WAITING_ROUNDS = 1024,
	PG_WAITING_BYTES = 64 << 20, /* of bodies and objects */
	PG_PREPARED_MAX = 64,
};

struct pg_news;	   /* pg_news.h: values and traces that wait */
struct pg_known;   /* pg_known.h: values that were read */
struct pg_judging; /* pg_judge.c */
struct pg_grouping; /* pg_groups.c */
struct pg_row;	    /* pg_group.h */

/* What is wanted of a selection, or of segments, beside traces. */
enum pg_want {
	PG_WANT_NAMES = 1u << 0,    /* ids, how addresses are named, the latest judgement */
	PG_WANT_JUDGED = 1u << 1,   /* which the latest judgement is */
	PG_WANT_OBJECTS = 1u << 2,  /* what stands behind traces */
	PG_WANT_STEADY = 1u << 3,   /* traces of neither offline rounds nor closer looks */
	PG_WANT_SEGMENTS = 1u << 4, /* no rounds, no objects of no segment */
	PG_WANT_RECORDS = PG_WANT_NAMES | PG_WANT_OBJECTS,
};

/* Names that a caller may keep until the store is closed. */
struct pg_vantage {
	struct pg_vantage *next;
	char name[TRACE_VANTAGE_TEXT];
};

struct pg_store {
	struct store store; /* first */
	char *url, *shown;  /* owned */
	enum store_mode mode;
	PGconn *link; /* NULL: lost */
	uint8_t hash_key[16];
	bool writing;	  /* between begin and commit */
	bool failed;	  /* a write failed: nothing more until undo */
	unsigned readers; /* pieces that are open, under one view of the store */
	unsigned cursors; /* so many were opened */
	int64_t now_us;	  /* of the transaction: judged_at */
	struct pg_news *news;
	struct pg_known *known;
	struct pg_judging *judging;  /* of this transaction; NULL: nothing was judged yet */
	struct pg_params params;     /* scratch of one statement */
	const char *prepared[PG_PREPARED_MAX]; /* of this connection: texts of statements */
	unsigned prepared_count;
	struct pg_vantage *vantages; /* owned */
	const void *asker;	     /* of pg_ahead_ask; NULL: nobody */
	PGresult *ahead;	     /* owned: its answer; NULL: it is under way */
	struct pg_grouping *grouping; /* owned; NULL before the first groups */
	const struct pg_row *at_hand; /* of whoever is being given one; NULL: none */
};

static inline struct pg_store *pg_of(struct store *s)
{
	return (struct pg_store *)s;
}

static inline int64_t pg_us_of(struct wall w)
{
	int64_t us = w.ns / NS_PER_US;

	return w.ns % NS_PER_US < 0 ? us - 1 : us;
}

/* --- pg_link.c: the connection and its errors ------------------------------------------------- */

/* Connects anew; what was open is closed. */
int pg_connect(struct pg_store *s, struct bp_error *err);
/* Connects anew where the connection was lost and no transaction was under way. */
int pg_ready(struct pg_store *s, struct bp_error *err);
/* Closes the connection: the next one who is ready has another. */
void pg_lose(struct pg_store *s);
/* "STORE: what happened" of the last result or the connection; res may be NULL. A connection that
 * is lost is closed. */
int pg_fail(struct pg_store *s, const PGresult *res, struct bp_error *err);
/* One statement with s->params (which are emptied), its result in binary. *out may be NULL: not
 * wanted; else the caller's (PQclear). */
int pg_query(struct pg_store *s, const char *sql, PGresult **out, struct bp_error *err);
/* The same, of a text that is a constant: it is prepared. */
int pg_query_constant(struct pg_store *s, const char *sql, PGresult **out, struct bp_error *err);
/* The same in two halves, so that the server works while we do: asks, and takes the answer later.
 * Of one asker (any pointer) at a time; what another statement finds under way it waits for. */
bool pg_ahead_free(const struct pg_store *s);
int pg_ahead_ask(struct pg_store *s, const void *asker, const char *sql, struct bp_error *err);
bool pg_ahead_is(const struct pg_store *s, const void *asker);
int pg_ahead_take(struct pg_store *s, PGresult **out, struct bp_error *err);
void pg_ahead_drop(struct pg_store *s, const void *asker);
/* Lets in what has come meanwhile: the server stops where nobody listens. */
void pg_ahead_listen(struct pg_store *s);
/* Several statements without parameters and results. */
int pg_exec(struct pg_store *s, const char *sql, struct bp_error *err);
/* COPY ... FROM STDIN (FORMAT binary) of rows without head and end. */
int pg_copy(struct pg_store *s, const char *sql, const struct buf *rows, struct bp_error *err);
int pg_no_memory(struct bp_error *err);
/* BP_EPARSE: a row of the store that is not as it must be. */
int pg_damaged(const struct pg_store *s, const char *what, int64_t id, struct bp_error *err);

/* --- pg_open.c, pg_schema.c ------------------------------------------------------------------- */

int pg_open(const char *url, enum store_mode mode, struct store **out, struct bp_error *err);
int pg_open_again(const struct store *of, struct store **out, struct bp_error *err);
void pg_close(struct store *s);
/* After a new connection: how it is used, whether it is a store of ours and of which version, its
 * secret. */
int pg_greet(struct pg_store *s, struct bp_error *err);

/* One row for each step: from version `from` to from + 1. */
struct pg_migration {
	int from;
	int (*step)(struct pg_store *s, struct bp_error *err);
};
extern const struct pg_migration pg_migrations[]; /* ends with {0, NULL} */
int pg_schema_create(struct pg_store *s, struct bp_error *err);

/* --- pg_write.c, pg_flush.c, pg_round.c ------------------------------------------------------- */

int pg_begin(struct store *s, struct bp_error *err);
int pg_commit(struct store *s, struct bp_error *err);
void pg_undo(struct store *s);
int pg_add_trace(struct store *s, const struct trace *t, const struct names *names,
		 const struct verdict *verdict, struct bp_error *err);
/* Whether something may be written now: else the error. */
int pg_check_order(const struct pg_store *s, struct bp_error *err);
/* Remembers that the transaction failed; returns rc. */
int pg_failed(struct pg_store *s, int rc);
/* Sends what waits. */
int pg_flush(struct pg_store *s, struct bp_error *err);
/* Takes the locks of vantage points until the end of the transaction. */
int pg_lock(struct pg_store *s, int64_t *keys, unsigned count, struct bp_error *err);
int64_t pg_lock_key(const struct pg_store *s, const char *vantage);

int pg_add_object(struct store *s, enum record_kind kind, struct wall at, const char *vantage,
		  const char *campaign, const char *round, const char *json, size_t n,
		  struct bp_error *err);
int pg_add_round(struct store *s, const struct round *r, bool *already, struct bp_error *err);

/* --- pg_batch.c ------------------------------------------------------------------------------- */

int pg_mark_batch(struct store *s, const char *vantage, const char *epoch, uint64_t seq,
		  bool *already, struct bp_error *err);
int pg_refuse_batch(struct store *s, const char *vantage, const char *epoch, uint64_t seq,
		    const char *reason, const void *bytes, size_t n, struct bp_error *err);
int pg_skip_batches(struct store *s, const char *vantage, const char *epoch, uint64_t through,
		    struct bp_error *err);
int pg_claim(struct store *s, const char *what, bool *mine, struct bp_error *err);
int pg_marks(struct store *s, store_on_mark *on_mark, void *arg, struct bp_error *err);

/* --- pg_read.c, pg_groups.c, pg_points.c, pg_round.c ------------------------------------------ */

int pg_read(struct store *s, const struct store_select *select, store_on_record *on_record,
	    void *arg, struct bp_error *err);
int pg_trace(struct store *s, int64_t example, struct record *out, struct bp_error *err);
int pg_trace_bare(struct store *s, int64_t example, struct trace **out, struct bp_error *err);
/* One pointer for one name, until pg_close. */
int pg_vantage_name(struct pg_store *s, const char *name, const char **out, struct bp_error *err);
int pg_groups(struct store *s, const struct store_select *select, store_on_group *on_group,
	      void *arg, struct bp_error *err);
void pg_grouping_free(struct pg_grouping *w);
int pg_points_open(struct store *s, const struct store_select *select,
		   const struct store_points *to, struct store_point_reader **out,
		   struct bp_error *err);
void pg_points_close(struct store_point_reader *r);
int pg_points_next(struct store_point_reader *r, struct wall *at, struct bp_error *err);
int pg_points_give(struct store_point_reader *r, struct bp_error *err);
int pg_vantages(struct store *s,
		int (*on_name)(void *arg, const char *vantage, struct bp_error *err), void *arg,
		struct bp_error *err);
int pg_last_planned(struct store *s, const char *campaign, const char *vantage, struct wall *out,
		    struct bp_error *err);
int pg_last_rounds(struct store *s, const char *campaign, const char *vantage, struct round *out,
		   unsigned max, struct bp_error *err);
int pg_slots(struct store *s, const char *campaign, const char *vantage, unsigned max,
	     int (*on_slot)(void *arg, struct wall planned, int64_t row, struct bp_error *err),
	     void *arg, struct bp_error *err);
int pg_round(struct store *s, int64_t row, struct round *out, struct bp_error *err);

/* --- pg_judge.c, pg_retire.c ------------------------------------------------------------------ */

int pg_add_judgement(struct store *s, const char *trace_id, const struct names *names,
		     const struct verdict *verdict, struct wall judged_at, struct bp_error *err);
void pg_judging_end(struct pg_store *s);
int pg_retire_some(struct store *s, const char *campaign, const char *vantage, struct wall before,
		   bool hourly, uint64_t *dropped, bool *more, struct bp_error *err);
int pg_retire_hours(struct store *s, const char *campaign, const char *vantage, struct wall before,
		    uint64_t *dropped, struct bp_error *err);

extern const struct store_engine pg_engine;

#endif

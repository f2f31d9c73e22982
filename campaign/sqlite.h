// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the files of the SQLite store share: the open store, its statements, interning, the segment
 * under way. Private to campaign/sqlite*.c; everybody else knows store.h.
 *
 * Tables are in the singular (doc/store.md has them all), views in the plural. A value that repeats
 * is a row of its own, found by its packed bytes ("key") and named by its row's number. A *segment*
 * is a run of rows of `trace` that follow each other and share vantage, campaign, round, run of the
 * prober and databases: what they share is in the segment's row, and an id is looked up through it.
 */
#ifndef CAMPAIGN_SQLITE_H
#define CAMPAIGN_SQLITE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "analysis/diff_intern.h"
#include "campaign/store_engine.h"
#include "campaign/trace_key.h"
#include "campaign/value.h"
#include "core/buf.h"
#include "core/record/flat.h"

enum {
	SQLITE_STORE_ID = 0x42505354, /* application_id: "BPST" */
	SQLITE_STORE_VERSION = 3,     /* user_version */
	SQLITE_PAGE_SIZE = 16384,     /* of new stores */
	SQLITE_BUSY_MS = 5000,
	SEGMENT_TRACES_MAX = 16384,
};

/* Statements that are kept prepared; their texts are in sqlite_sql.c. */
enum stmt {
	STMT_BEGIN,
	STMT_COMMIT,
	STMT_ROLLBACK,
	STMT_TEXT_FIND,
	STMT_TEXT_ADD,
	STMT_TEXT_GET,
	STMT_HOP_FIND,
	STMT_HOP_ADD,
	STMT_HOP_GET,
	STMT_PATH_FIND,
	STMT_PATH_ADD,
	STMT_PATH_GET,
	STMT_GOAL_FIND,
	STMT_GOAL_ADD,
	STMT_GOAL_GET,
	STMT_SETTINGS_FIND,
	STMT_SETTINGS_ADD,
	STMT_SETTINGS_GET,
	STMT_NAME_FIND,
	STMT_NAME_ADD,
	STMT_NAME_GET,
	STMT_GEO_FIND,
	STMT_GEO_ADD,
	STMT_GEO_GET,
	STMT_GEO_NAME_FIND,
	STMT_GEO_NAME_ADD,
	STMT_GEO_NAME_OF,
	STMT_NAMING_FIND,
	STMT_NAMING_ADD,
	STMT_NAMING_GET,
	STMT_NAMING_NAME_ADD,
	STMT_NAMING_NAMES,
	STMT_VERDICT_FIND,
	STMT_VERDICT_ADD,
	STMT_VERDICT_GET,
	STMT_JUDGE_ADD,
	STMT_JUDGE_GET,
	STMT_NTH_MAX,
	STMT_NTH_ADD,
	STMT_NEXT,
	STMT_EPOCH,
	STMT_LONGEST,
	STMT_RUN_TOP,
	STMT_SEGMENT_ADD,
	STMT_SEGMENT_GET,
	STMT_SEGMENTS_OF_RUN,
	STMT_SEGMENT_IDS,
	STMT_SEGMENT_OF_TRACE,
	STMT_TRACE_ADD,
	STMT_TRACES,
	STMT_TRACE_JUDGED,
	STMT_TRACE_JUDGE,
	STMT_TRACE_AT,
	STMT_GROUP_ROWS,
	STMT_FOREIGN_ADD,
	STMT_FOREIGN_GET,
	STMT_FOREIGN_FIND,
	STMT_JUDGEMENT_ADD,
	STMT_TALLY_ADD,
	STMT_TALLY_DROP,
	STMT_TALLY_FILL,
	STMT_OBJECT_ADD,
	STMT_OBJECTS,
	STMT_OBJECT_GET,
	STMT_ROUND_ADD,
	STMT_ROUND_GET,
	STMT_LAST_PLANNED,
	STMT_LAST_ROUNDS,
	STMT_SLOTS,
	STMT_COUNT,
};
extern const char *const stmt_sql[STMT_COUNT];

/* What a hash table of bounded size remembers of the rows that stand for values; 4 ways a set, the
 * oldest goes. A miss costs a look into the table. */
struct intern_slot {
	uint64_t hash[2];	 /* of kind and key; both 0: free */
	int64_t id, extra, more; /* of a path: its as_path, its path_hash */
};
struct intern_cache {
	struct intern_slot *slots; /* owned */
	uint32_t sets;		   /* a power of two */
};

/* What makes one key differ from another of the same bytes: its first byte in store.key. */
enum intern_kind {
	INTERN_NONE,
	INTERN_TEXT,
	INTERN_ADDR,
	INTERN_HOP,
	INTERN_PATH,
	INTERN_GOAL,
	INTERN_SETTINGS,
	INTERN_NAME,
	INTERN_GEO_NAME,
	INTERN_NAMING,
	INTERN_VERDICT,
};

/* id within a run -> row, of one segment. */
struct id_slot {
	uint64_t key;
	int64_t n;
}; /* key 0: free */
struct id_set {
	struct id_slot *slots; /* owned */
	uint32_t size, used;   /* a power of two; at most three quarters full */
	int64_t segment;       /* 0: none */
};

struct segment {
	bool open;
	int64_t id, first, count;
	char vantage[TRACE_VANTAGE_TEXT], campaign[TRACE_CAMPAIGN_TEXT], round[TRACE_ID_TEXT];
	char run[TRACE_ID_TEXT]; /* empty: none of our ids */
	bool named, judged;	 /* geo, judge are set */
	struct geo_source geo;
	char profile[64], profile_version[32];
	int64_t geo_id, judge_id; /* 0: none */
	int64_t base_us, start_min_us, start_max_us;
	int64_t seq_base, seq_min, seq_max;
};

/* What rows are read through (sqlite_cache.h). */
struct read_cache;

/* Marks of values that are in use. */
struct sweep;

/* Names that a caller may keep until the store is closed. */
struct vantage_name {
	struct vantage_name *next;
	int64_t id;
	char name[TRACE_VANTAGE_TEXT];
};

/* The row of `judge` that the last judgement made. */
struct judge_last {
	int64_t row, geo, at_us; /* row 0: none */
	char profile[64], profile_version[32];
};

/* Counts of the segment under way, and segments whose traces were judged anew in this transaction
 * (sqlite_tally.c). */
struct tally_count;
struct tallies {
	struct intern keys;
	struct tally_count *counts; /* owned: of each key; room for `room` */
	int64_t *again;		    /* owned */
	uint32_t room, again_count, again_room;
};

struct sqlite_store {
	struct store store; /* first */
	sqlite3 *db;
	char *path;
	enum store_mode mode;
	sqlite3_stmt *stmts[STMT_COUNT];
	uint8_t hash_key[16];
	bool writing; /* between begin and commit */
	bool failed;  /* a write failed: nothing more until undo */
	int64_t next_n, next_segment, epoch;
	int64_t now_us;	 /* of the transaction: judged_at */
	int64_t nth_max; /* -1: not asked yet */
	struct intern_cache values, paths;
	struct segment seg;
	struct judge_last judged;
	struct tallies tallies;
	struct id_set ids, old_ids; /* of the segment under way; of one that was before it */
	int64_t old_run;	    /* text of the run of old_ids */
	int64_t run_top;	    /* highest sequence number of seg.run in older segments */
	int64_t last_segment, last_segment_start_us; /* of the round under way; 0: none */
	struct buf key, body;			     /* scratch */
	uint32_t *order;			     /* scratch, order_room entries */
	uint32_t order_room;
	struct read_cache *cache;
	struct sqlite_grouping *grouping; /* of sqlite_groups: kept for the next time */
	struct vantage_name *vantages; /* owned */
	struct sweep *sweep;	       /* owned; under way (sqlite_sweep.c); NULL: none is */
};

/* --- sqlite_sql.c: statements and errors ------------------------------------------------------ */

/* "PATH: what happened", with the BP_E* of an SQLite result (BP_EIO with sys ENOSPC when full). */
int sql_fail(struct sqlite_store *s, int result, struct bp_error *err);
/* The statement, prepared and reset. */
int sql_get(struct sqlite_store *s, enum stmt which, sqlite3_stmt **out, struct bp_error *err);
/* Steps once: 1 a row, 0 done (and reset), negative an error (and reset). */
int sql_step(struct sqlite_store *s, sqlite3_stmt *st, struct bp_error *err);
/* One statement without parameters and results. */
int sql_exec(struct sqlite_store *s, const char *sql, struct bp_error *err);
int sql_run(struct sqlite_store *s, enum stmt which, struct bp_error *err);
/* One integer. */
int sql_int(struct sqlite_store *s, const char *sql, int64_t *out, struct bp_error *err);
/* NULL for empty text, for 0, for a negative number. */
void bind_text(sqlite3_stmt *st, int at, const char *text);
void bind_nonzero(sqlite3_stmt *st, int at, int64_t v);
void bind_known(sqlite3_stmt *st, int at, int64_t v);
void bind_blob(sqlite3_stmt *st, int at, const void *bytes, size_t n);

/* --- sqlite_open.c, sqlite_schema.c ----------------------------------------------------------- */

/* One row for each step: from version `from` to from + 1. */
struct migration {
	int from;
	int (*step)(struct sqlite_store *s, struct bp_error *err);
};
extern const struct migration migrations[]; /* ends with {0, NULL} */
/* Brings the store from `version` to SQLITE_STORE_VERSION, each step in a transaction. */
int sqlite_migrate(struct sqlite_store *s, int version, struct bp_error *err);
int schema_create(struct sqlite_store *s, struct bp_error *err);
/* What version 2 has beyond version 1: the table and the view of tallies, empty. */
int schema_add_tally(struct sqlite_store *s, struct bp_error *err);
/* What version 3 has beyond version 2: the column `look` of the view of rounds. */
int schema_add_look(struct sqlite_store *s, struct bp_error *err);

/* For salvage: whatever SQLite can open, without looking whether it is whole. */
int sqlite_open_damaged(const char *url, struct sqlite_store **out, struct bp_error *err);

/* --- sqlite_intern.c -------------------------------------------------------------------------- */

int intern_init(struct sqlite_store *s);
void intern_fini(struct sqlite_store *s);
/* Forgets everything: after an undo, or when rows were dropped. */
void intern_clear(struct sqlite_store *s);
/* Row numbers of values, made when they are new. 0 for empty text and no address. */
/* A hash of any bytes under the store's secret. */
int64_t intern_hash(const struct sqlite_store *s, const void *bytes, size_t n);
int intern_text(struct sqlite_store *s, const char *text, int64_t *out, struct bp_error *err);
int intern_addr(struct sqlite_store *s, struct addr a, int64_t *out, struct bp_error *err);
int intern_goal(struct sqlite_store *s, const struct trace *t, int64_t *out, struct bp_error *err);
int intern_settings(struct sqlite_store *s, const struct trace *t, int64_t *out,
		    struct bp_error *err);
/* The path of t; s->order is its order afterwards, f the computed columns, as_path the row of the
 * networks (0 none). `same_*`: whether the path's row has the same as this trace. */
struct path_row {
	int64_t id;
	uint32_t slots;
	bool same_hash, same_as_path;
};
int intern_path(struct sqlite_store *s, const struct trace *t, const struct flat_trace *f,
		int64_t as_path, struct path_row *out, struct bp_error *err);
int intern_geo(struct sqlite_store *s, const struct geo_source *g, int64_t *out,
	       struct bp_error *err);
/* How t's addresses are named. *own: not all of them as they are named by `geo` everywhere else. */
int intern_naming(struct sqlite_store *s, const struct trace *t, const struct names *names,
		  int64_t geo, int64_t as_path, int64_t *out, bool *own, struct bp_error *err);
int intern_verdict(struct sqlite_store *s, const struct trace *t, const struct verdict *v,
		   int64_t *out, struct bp_error *err);
int intern_judge(struct sqlite_store *s, const struct verdict *v, int64_t geo, int64_t at_us,
		 int64_t *out, struct bp_error *err);

/* --- what stands behind store.h (sqlite_engine.c), with its contracts ------------------------- */

struct sqlite_point_reader;

int sqlite_open(const char *url, enum store_mode mode, struct sqlite_store **out,
		struct bp_error *err);
int sqlite_open_again(const struct sqlite_store *of, struct sqlite_store **out,
		      struct bp_error *err);
void sqlite_close(struct sqlite_store *s);
int sqlite_begin(struct sqlite_store *s, struct bp_error *err);
int sqlite_add_trace(struct sqlite_store *s, const struct trace *t, const struct names *names,
		     const struct verdict *verdict, struct bp_error *err);
int sqlite_add_object(struct sqlite_store *s, enum record_kind kind, struct wall at,
		      const char *vantage, const char *campaign, const char *round,
		      const char *json, size_t n, struct bp_error *err);
int sqlite_add_round(struct sqlite_store *s, const struct round *r, bool *already,
		     struct bp_error *err);
int sqlite_commit(struct sqlite_store *s, struct bp_error *err);
void sqlite_undo(struct sqlite_store *s);
int sqlite_read(struct sqlite_store *s, const struct store_select *select,
		store_on_record *on_record, void *arg, struct bp_error *err);
int sqlite_groups(struct sqlite_store *s, const struct store_select *select,
		  store_on_group *on_group, void *arg, struct bp_error *err);
int sqlite_vantages(struct sqlite_store *s, store_on_name *on_name, void *arg,
		    struct bp_error *err);
int sqlite_trace(struct sqlite_store *s, int64_t example, struct record *out, struct bp_error *err);
int sqlite_trace_bare(struct sqlite_store *s, int64_t example, struct trace **out,
		      struct bp_error *err);
int sqlite_points_open(struct sqlite_store *s, const struct store_select *select,
		       const struct store_points *to, struct sqlite_point_reader **out,
		       struct bp_error *err);
void sqlite_points_close(struct sqlite_point_reader *r);
int sqlite_points_next(struct sqlite_point_reader *r, struct wall *at, struct bp_error *err);
int sqlite_points_give(struct sqlite_point_reader *r, struct bp_error *err);
int sqlite_last_planned(struct sqlite_store *s, const char *campaign, const char *vantage,
			struct wall *out, struct bp_error *err);
int sqlite_last_rounds(struct sqlite_store *s, const char *campaign, const char *vantage,
		       struct round *out, unsigned max, struct bp_error *err);
int sqlite_next_round(struct sqlite_store *s, int64_t after, int64_t *row, struct round *out,
		      struct bp_error *err);
int sqlite_backlog(struct sqlite_store *s, int64_t after, struct store_backlog *out,
		   struct bp_error *err);
int sqlite_slots(struct sqlite_store *s, const char *campaign, const char *vantage, unsigned max,
		 int (*on_slot)(void *arg, struct wall planned, int64_t row, struct bp_error *err),
		 void *arg, struct bp_error *err);
int sqlite_round(struct sqlite_store *s, int64_t row, struct round *out, struct bp_error *err);
int sqlite_add_judgement(struct sqlite_store *s, const char *trace_id, const struct names *names,
			 const struct verdict *verdict, struct wall judged_at,
			 struct bp_error *err);
/* row: traces of rounds behind it stay; INT64_MAX: of none. */
int sqlite_retire_some(struct sqlite_store *s, const char *campaign, const char *vantage,
		       struct wall before, int64_t row, bool hourly, uint64_t *dropped, bool *more,
		       struct bp_error *err);
int sqlite_retire_hours(struct sqlite_store *s, const char *campaign, const char *vantage,
			struct wall before, uint64_t *dropped, struct bp_error *err);
int sqlite_retire_rounds(struct sqlite_store *s, struct wall before, int64_t row,
			 uint64_t *dropped, bool *more, struct bp_error *err);

/* --- sqlite_sweep.c --------------------------------------------------------------------------- */

int sqlite_sweep_some(struct sqlite_store *s, uint64_t *dropped, bool *more, struct bp_error *err);
void sweep_free(struct sweep *w);

int sqlite_salvage(const char *from, const char *to, struct store_salvage *out,
		   struct bp_error *err);

/* --- sqlite_book.c ---------------------------------------------------------------------------- */

int sqlite_mark_batch(struct sqlite_store *s, const char *vantage, const char *epoch, uint64_t seq,
		      bool *already, struct bp_error *err);
int sqlite_refuse_batch(struct sqlite_store *s, const char *vantage, const char *epoch,
			uint64_t seq, const char *reason, const void *bytes, size_t n,
			struct bp_error *err);
int sqlite_skip_batches(struct sqlite_store *s, const char *vantage, const char *epoch,
			uint64_t through, struct bp_error *err);
int sqlite_marks(struct sqlite_store *s, store_on_mark *on_mark, void *arg, struct bp_error *err);

/* --- sqlite_write.c --------------------------------------------------------------------------- */

/* Writes the row of the segment under way, if there is one: its traces can be read then. */
int segment_end(struct sqlite_store *s, struct bp_error *err);

/* --- sqlite_tally.c --------------------------------------------------------------------------- */

/* Counts a trace of the segment under way; v NULL: not judged. */
int tallies_add(struct sqlite_store *s, const struct trace *t, const struct flat_trace *f,
		const struct verdict *v, int64_t start_us, struct bp_error *err);
/* Writes what was counted; vantage is its row, 0 none. */
int tallies_write(struct sqlite_store *s, int64_t vantage, int64_t segment, struct bp_error *err);
/* Takes the counts of a segment that is there away, while its row has the times it had when they
 * were made; counts its rows, of which there are no counts. */
int tallies_drop(struct sqlite_store *s, int64_t segment, struct bp_error *err);
int tallies_fill(struct sqlite_store *s, int64_t segment, struct bp_error *err);
/* Both, for what tallies_later named: before this transaction's commit. */
int tallies_later(struct sqlite_store *s, int64_t segment, struct bp_error *err);
int tallies_settle(struct sqlite_store *s, struct bp_error *err);
/* Fills those of all segments: there are none yet. */
int tallies_all(struct sqlite_store *s, struct bp_error *err);
void tallies_clear(struct tallies *t);
void tallies_fini(struct tallies *t);

/* --- sqlite_ids.c: the id of a trace ---------------------------------------------------------- */

void id_set_fini(struct id_set *set);
void id_set_clear(struct id_set *set);
int id_set_put(struct id_set *set, const struct trace_key *k, int64_t n);
int64_t id_set_find(const struct id_set *set, const struct trace_key *k); /* 0: not there */
/* The row of an id in segments that are in the store already; 0: none. */
int ids_find(struct sqlite_store *s, const struct trace_key *k, int64_t *out, struct bp_error *err);
/* The highest sequence number of a run; -1 none. */
int ids_top(struct sqlite_store *s, const char *run, int64_t *out, struct bp_error *err);

/* --- sqlite_read.c ---------------------------------------------------------------------------- */

void read_cache_free(struct read_cache *c);
void grouping_free(struct sqlite_grouping *w);
/* One row of `trace` (columns of STMT_TRACES) as a record. BP_EPARSE: damaged. */
int read_trace_row(struct sqlite_store *s, sqlite3_stmt *st, struct record *out,
		   struct bp_error *err);
/* The trace without its body: what was asked for, and its hops without times in the order of its
 * path, so that the i-th has the i-th slot. Owned by the caller. */
int read_hops_row(struct sqlite_store *s, sqlite3_stmt *st, struct trace **out,
		  struct bp_error *err);
/* Of such a row, whose segment has this base, run and first number: its start and end (ns
 * INT64_MIN: out of all bounds; 0: not known), its id. */
struct wall read_start(sqlite3_stmt *st, int64_t base_us);
struct wall read_end(sqlite3_stmt *st, int64_t base_us);
int read_id(struct sqlite_store *s, sqlite3_stmt *st, const char *run, int64_t seq_base,
	    char out[static TRACE_ID_TEXT], struct bp_error *err);
/* A row of `judgement`: the verdict (0: none) of the judge (0: not looked up) on t, which is in
 * `segment`, and the names it was judged by. */
struct judgement_row {
	int64_t verdict, judge, naming, segment;
};
int read_judgement(struct sqlite_store *s, const struct trace *t, const struct judgement_row *row,
		   struct names *names, struct verdict *out, struct bp_error *err);

#endif

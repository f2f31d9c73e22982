// SPDX-License-Identifier: BSD-2-Clause
/*
 * KEEP: the store. One row a trace, with summary columns computed when it is written and a compact
 * versioned body; interned paths, names and verdicts; rounds and gaps; judgements as rows of their
 * own that name the data that judged; flat views `traces`, `hops`, `rounds` (REPORTS) for SQL.
 * Behind this header: engines (campaign/store_engine.h): SQLite (campaign/sqlite*.c) and, where
 * the program has it, PostgreSQL (campaign/postgres/). Times in a body are microseconds:
 * nanoseconds are in JSON Lines only.
 *
 * A round is committed whole or not at all, and only then announced. The same round committed again
 * (same campaign, vantage and planned moment) is BP_OK and changes nothing (*already is set); but
 * one that was measured takes the place of one that never began: a clock that ran ahead may have
 * told of slots that were still to come.
 */
#ifndef CAMPAIGN_STORE_H
#define CAMPAIGN_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "analysis/point.h"
#include "core/addr.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/record/jsonl.h"
#include "core/record/names.h"
#include "core/record/round.h"
#include "core/record/trace.h"
#include "core/record/verdict.h"

struct store;

enum store_mode {
	STORE_READ,
	STORE_WRITE, /* made when it is not there; migrated when it is old */
};

/* "sqlite:FILE", or FILE when its first bytes are SQLite's; "postgresql://..." or "postgres://..."
 * as libpq reads it. NULL or empty: the default store, a file under the user's state directory
 * (XDG). STORE_READ: BP_ENOTFOUND when there is none, BP_EUNSUP for a newer or an older version
 * (says what to do). BP_EPERM read-only or refused, BP_EAGAIN locked for longer than a few seconds
 * or a server that cannot be reached now, BP_EPARSE damaged or no store of ours, BP_EIO; each with
 * one clear line, in which no password is. */
int store_open(const char *url, enum store_mode mode, struct store **out, struct bp_error *err);
/* The same store once more, to be read by another thread: of one store_open only one may. */
int store_open_again(const struct store *of, struct store **out, struct bp_error *err);
void store_close(struct store *s);
/* Whether a word of the command line is a store: by its scheme, or by the first bytes of the
 * file. */
bool store_is(const char *word);
/* Where it is, for messages: no password is in it. Borrowed. */
const char *store_path(const struct store *s);
/* The same of a word that names a store (or does not): "postgresql://u:secret@h/d" as
 * "postgresql://u@h/d"; where it is not plain what of it is the password, "postgresql://...". What
 * does not fit is cut. Returns out. */
enum { STORE_SHOWN_TEXT = 512 };
const char *store_shown(const char *word, char out[static STORE_SHOWN_TEXT]);

/* --- writing ---------------------------------------------------------------------------------- */

/* Opens the transaction of one round. BP_E* as of store_open; BP_EIO with sys ENOSPC when full. A
 * failure in any of these calls undoes the whole transaction: call store_undo, try again later. */
int store_begin(struct store *s, struct bp_error *err);
/* One trace of the round; names may be NULL, verdict too (or not judged). Borrowed. A trace whose
 * id is in the store already is passed over. */
int store_add_trace(struct store *s, const struct trace *t, const struct names *names,
		    const struct verdict *verdict, struct bp_error *err);
/* Any other object, as its JSON line (paths, event, run): kept whole and given back by
 * store_read. */
int store_add_object(struct store *s, enum record_kind kind, struct wall at, const char *vantage,
		     const char *campaign, const char *round, const char *json, size_t n,
		     struct bp_error *err);
/* The round itself; its traces are those added since store_begin with its id. */
int store_add_round(struct store *s, const struct round *r, bool *already, struct bp_error *err);
/* Commits durably: after 0 the round may be announced. BP_EAGAIN with sys EDEADLK, of this or any
 * of those above: others wrote the same values in another order; undo, and the same once more, at
 * once. */
int store_commit(struct store *s, struct bp_error *err);
void store_undo(struct store *s);

/* The book of batches that a collector takes in: of each vantage point and each epoch of its spool
 * (a text that names it), batches are numbered from 1. Within store_begin .. store_commit, and so
 * known if and only if what was added beside it is. *already: it was in; then nothing is to be
 * added. BP_EUNSUP: this kind of store keeps no such book. */
int store_mark_batch(struct store *s, const char *vantage, const char *epoch, uint64_t seq,
		     bool *already, struct bp_error *err);
/* The same for a batch that cannot be taken in: its bytes are set aside with the reason, and it
 * counts as in. Of each vantage point the latest bytes are kept, so many, each batch taken as a
 * page of 4096 at the least; of older ones the reason and the size. */
enum { STORE_REFUSED_BYTES = 16 << 20 };
int store_refuse_batch(struct store *s, const char *vantage, const char *epoch, uint64_t seq,
		       const char *reason, const void *bytes, size_t n, struct bp_error *err);
/* The vantage point says that it has none up to this one any more: they count as in. (Of a store
 * that was restored from a backup: what came behind it was forgotten by who had sent it.) */
int store_skip_batches(struct store *s, const char *vantage, const char *epoch, uint64_t through,
		       struct bp_error *err);
/* Of each vantage point and epoch, the highest seq such that all of 1..seq are in (0: the first is
 * missing). on_mark may not use the store; negative stops and is returned. */
int store_marks(struct store *s,
		int (*on_mark)(void *arg, const char *vantage, const char *epoch, uint64_t through,
			       struct bp_error *err),
		void *arg, struct bp_error *err);

/* Which store it is: 16 hex digits, the same for all who open it for writing, and for a copy of it;
 * another for every store that is made. BP_EUNSUP: not open for writing. */
enum { STORE_ID_TEXT = 17 };
int store_id(struct store *s, char out[static STORE_ID_TEXT], struct bp_error *err);

/* What only one of the processes that share a store may do (the events of a centre), by a name.
 * *mine: it is this one's, until the store is closed or its connection lost: to be asked again
 * every now and then, and false once it is another's. A store without a server is one process's:
 * always its. */
int store_claim(struct store *s, const char *what, bool *mine, struct bp_error *err);

/* --- reading ---------------------------------------------------------------------------------- */

struct store_select {
	struct wall since, until;     /* [since, until); 0: open */
	const char *vantage, *target, *border, *campaign; /* NULL: any */
	const char *round;            /* NULL: any; else it, and what began in it, by an index where
				       * since is not behind its beginning */
	struct prefix prefix;         /* addr not set: any */
	uint8_t method;               /* METHOD_UNKNOWN: any */
	bool rounds_only;             /* for store_read: neither traces nor objects but rounds */
	bool online;                  /* for store_read: no traces of rounds whose vantage point
				       * was offline; the rounds themselves, yes */
};
/* Streams what is selected, oldest first by the round (what was added together, by its first start;
 * within it as it was added): traces (names and the latest judgement filled), then the
 * paths object behind its traces, rounds behind what they hold. on_record may take parts of the
 * record by making them empty; negative stops and is returned. */
int store_read(struct store *s, const struct store_select *select,
	       int (*on_record)(void *arg, struct record *r, struct bp_error *err), void *arg,
	       struct bp_error *err);
/* Traces that show the same: one vantage, source, destination, method, flow, ports, reach and way.
 * For `diff`, which would else read 200,000 whole traces of two half hours (amended by the reader
 * of it). The groups of a selection may be finer than that, never coarser. */
struct store_group {
	const char *vantage;          /* one pointer for one name, until store_close */
	struct addr src, dst;
	uint8_t method, reach;        /* their enums */
	int32_t flow, sport, dport;   /* as in struct trace */
	/* Equal for equal ways: who answered at which TTL, with which ICMP type and code or TCP
	 * flags and which enum reply_flag. The answers of the destination's own address count as
	 * "the destination", so that its neighbours by the same routers have the same way. Within
	 * one store. */
	uint64_t way;
	/* A small number: of groups that come one behind the other from one vantage point, equal
	 * for those of one path, who have one way. Begins anew where the vantage point changes. */
	uint32_t path;
	int64_t example;              /* the one of them that started first, for store_trace */
	uint32_t count;
	struct wall first, last;      /* starts */
	/* Of the destination's answers in all of them (trace_entry_is_destination; not late, not a
	 * duplicate, neither REPLY_FTL nor REPLY_CLOCK), in no order. Borrowed until return. */
	const int64_t *rtt_ns;
	uint32_t rtt_count;
};
/* Streams the groups of what is selected, in no order; what could not be measured (STOP_ERROR, no
 * entry) is left out, and what was measured in a round whose vantage point was offline (its health
 * is ROUND_HEALTH_OFFLINE): it says nothing of the targets; and closer looks, which are made where
 * something goes on. on_group may call store_trace. Memory:
 * that of the groups of one vantage point, not of the traces. */
int store_groups(struct store *s, const struct store_select *select,
		 int (*on_group)(void *arg, const struct store_group *g, struct bp_error *err),
		 void *arg, struct bp_error *err);
/* The names of all vantage points that have traces, each once, always in the same order, and "" for
 * traces of none; select.vantage "" is those. One pointer for one name, until store_close. on_name
 * may use the store. */
int store_vantages(struct store *s,
		   int (*on_name)(void *arg, const char *vantage, struct bp_error *err), void *arg,
		   struct bp_error *err);
/* One trace of them as store_read gives it; out is initialised and empty. BP_ENOTFOUND: dropped
 * meanwhile. */
int store_trace(struct store *s, int64_t example, struct record *out, struct bp_error *err);
/* The same without id, names and verdict: for who names and judges it anew. *out is owned
 * (free). */
int store_trace_bare(struct store *s, int64_t example, struct trace **out, struct bp_error *err);
/* Each trace of a selection as a point (analysis/point.h), oldest first by the round as store_read,
 * without opening bodies beyond the times of one hop. nodes and room are the caller's; profile
 * gives the judge prefixes. on_round (NULL: not wanted) gets each round behind its points, gaps and
 * closer looks too. Negative stops and is returned. */
struct store_points {
	const struct profile *profile;
	struct nodes *nodes;
	struct point_room *room;
	int (*on_point)(void *arg, const struct point *p, struct bp_error *err);
	int (*on_round)(void *arg, const struct round *r, struct bp_error *err);
	void *arg;
};
int store_points(struct store *s, const struct store_select *select, const struct store_points *to,
		 struct bp_error *err);
/* The same piece by piece, for who merges several stores by time. A verdict by another profile than
 * to->profile is none. store_points_next: 1 and the moment of the next piece (traces that were
 * added together, by their first start; a round), 0 at the end, negative. store_points_give hands
 * it to `to`, after a store_points_next of 1. What select points to stays until the close. */
struct store_point_reader;
int store_points_open(struct store *s, const struct store_select *select,
		      const struct store_points *to, struct store_point_reader **out,
		      struct bp_error *err);
void store_points_close(struct store_point_reader *r);
int store_points_next(struct store_point_reader *r, struct wall *at, struct bp_error *err);
int store_points_give(struct store_point_reader *r, struct bp_error *err);
/* The latest slot (round.planned) of a campaign and vantage, closer looks aside; 0: none. */
int store_last_planned(struct store *s, const char *campaign, const char *vantage,
		       struct wall *out, struct bp_error *err);
/* The latest rounds of a campaign and vantage that began, newest first, at most max; closer looks
 * aside. Returns how many. */
int store_last_rounds(struct store *s, const char *campaign, const char *vantage,
		      struct round *out, unsigned max, struct bp_error *err);

/* The round that was committed next behind row `after` (0: the first), for who sends rounds on;
 * *row is its own. BP_ENOTFOUND: none; BP_EPARSE, BP_EUNSUP: it does not read (*row is set). Of
 * files only. */
int store_next_round(struct store *s, int64_t after, int64_t *row, struct round *out,
		     struct bp_error *err);
/* What was committed behind that row, and what all of the store takes. */
struct store_backlog {
	uint64_t rounds, traces;  /* traces: as the rounds say, dropped ones too */
	struct wall oldest;       /* the earliest start, or planned moment; 0: none */
	uint64_t bytes;           /* of the whole store, without what is free in its file */
};
int store_backlog(struct store *s, int64_t after, struct store_backlog *out, struct bp_error *err);

/* A plan's grid: slots at offset + n * every. */
struct store_grid {
	int64_t every_ns, offset_ns;
	struct wall since, until; /* slots in [since, until); since 0: open */
};
enum { STORE_HOLES_ROWS = 100000 };
/* The slots of a grid that have no row, though one of that grid stands before them: runs of them,
 * the newest first. Looks back at most STORE_HOLES_ROWS rows, and not behind a hole that begins at
 * a row of another grid, or of one that is not known (round.every_ns): those slots were another
 * plan's. on_hole may not use the store; negative stops and is returned. */
int store_holes(struct store *s, const char *campaign, const char *vantage,
		const struct store_grid *grid,
		int (*on_hole)(void *arg, struct wall first, uint64_t count, struct bp_error *err),
		void *arg, struct bp_error *err);

/* --- judging anew, keeping, mending ----------------------------------------------------------- */

/* Within store_begin .. store_commit: one more judgement of the trace with this id; the old ones
 * stay. BP_ENOTFOUND: no such trace. */
int store_add_judgement(struct store *s, const char *trace_id, const struct names *names,
			const struct verdict *verdict, struct wall judged_at, struct bp_error *err);
/* Drops traces of a campaign and a vantage point (NULL: of any, and those of none) that started
 * before `before` (rounds and hourly roll-ups stay), in transactions of bounded size. *dropped
 * counts. Roll-ups of what is dropped are made first when `hourly`; those of rounds whose vantage
 * point was offline, of closer looks, and of what could not be measured, are in none. */
int store_retire(struct store *s, const char *campaign, const char *vantage, struct wall before,
		 bool hourly, uint64_t *dropped, struct bp_error *err);
/* One transaction of that, for whoever has other things to do meanwhile. *more: there may be
 * another one to do. */
int store_retire_some(struct store *s, const char *campaign, const char *vantage,
		      struct wall before, bool hourly, uint64_t *dropped, bool *more,
		      struct bp_error *err);
/* The same with roll-ups, of all that a spool holds, but what rounds behind row `row`
 * (store_next_round) hold stays, however old it says it is: it is not elsewhere yet. Of files
 * only. */
int store_retire_sent(struct store *s, struct wall before, int64_t row, uint64_t *dropped,
		      bool *more, struct bp_error *err);
/* Drops their roll-ups of hours that began before `before`. *dropped counts them. */
int store_retire_hours(struct store *s, const char *campaign, const char *vantage,
		       struct wall before, uint64_t *dropped, struct bp_error *err);
/* Drops rounds of before `before` that stand before row `row` (store_next_round), and objects of
 * before it that belong to no trace, in one transaction of bounded size. For a spool whose rounds
 * are elsewhere by then: here they are as if they had never been. Of files only. */
int store_retire_rounds(struct store *s, struct wall before, int64_t row, uint64_t *dropped,
			bool *more, struct bp_error *err);
/* Drops values that nothing refers to any more (paths, hops, names, verdicts, texts): a piece of it
 * that takes some 50 ms, and goes on where the last one ended as long as the store is open; others
 * may write meanwhile. *more false: all of it was looked at. Of files only. */
int store_sweep_some(struct store *s, uint64_t *dropped, bool *more, struct bp_error *err);
/* Reads all that can be read of a damaged store into a new one at `to`. Counts of what came over
 * and of what did not. */
struct store_salvage { uint64_t traces, rounds, lost; };
int store_salvage(const char *from, const char *to, struct store_salvage *out,
		  struct bp_error *err);

#endif

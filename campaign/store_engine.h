// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a kind of store is to store.h: a constant table of functions, one row for each engine, with
 * the contracts of the functions of store.h that they stand behind. What an engine leaves NULL is
 * not supported. Which engines there are is the program's choice: store_engines is defined once for
 * each (cli/light, campaign/postgres).
 */
#ifndef CAMPAIGN_STORE_ENGINE_H
#define CAMPAIGN_STORE_ENGINE_H

#include "campaign/store.h"

/* The head of every engine's own store. */
struct store {
	const struct store_engine *engine;
	const char *shown;   /* the engine's: where it is, for messages; without a password */
	uint8_t way_key[16]; /* random, of an engine that keeps no ways */
};

/* The head of every engine's own reader of points. */
struct store_point_reader {
	const struct store_engine *engine;
};

typedef int store_on_record(void *arg, struct record *r, struct bp_error *err);
typedef int store_on_group(void *arg, const struct store_group *g, struct bp_error *err);
typedef int store_on_name(void *arg, const char *vantage, struct bp_error *err);
typedef int store_on_mark(void *arg, const char *vantage, const char *epoch, uint64_t through,
			  struct bp_error *err);

struct store_engine {
	const char *name;
	const char *const *schemes; /* "sqlite:", ...; ends with NULL */

	/* As store_open; *out has its engine and what is shown. */
	int (*open)(const char *url, enum store_mode mode, struct store **out,
		    struct bp_error *err);
	int (*open_again)(const struct store *of, struct store **out, struct bp_error *err);
	void (*close)(struct store *s);

	int (*begin)(struct store *s, struct bp_error *err);
	int (*add_trace)(struct store *s, const struct trace *t, const struct names *names,
			 const struct verdict *verdict, struct bp_error *err);
	int (*add_object)(struct store *s, enum record_kind kind, struct wall at,
			  const char *vantage, const char *campaign, const char *round,
			  const char *json, size_t n, struct bp_error *err);
	int (*add_round)(struct store *s, const struct round *r, bool *already,
			 struct bp_error *err);
	int (*commit)(struct store *s, struct bp_error *err);
	void (*undo)(struct store *s);

	int (*read)(struct store *s, const struct store_select *select, store_on_record *on_record,
		    void *arg, struct bp_error *err);
	int (*trace)(struct store *s, int64_t example, struct record *out, struct bp_error *err);
	int (*trace_bare)(struct store *s, int64_t example, struct trace **out,
			  struct bp_error *err);
	int (*groups)(struct store *s, const struct store_select *select, store_on_group *on_group,
		      void *arg, struct bp_error *err);
	int (*points_open)(struct store *s, const struct store_select *select,
			   const struct store_points *to, struct store_point_reader **out,
			   struct bp_error *err);
	void (*points_close)(struct store_point_reader *r);
	int (*points_next)(struct store_point_reader *r, struct wall *at, struct bp_error *err);
	int (*points_give)(struct store_point_reader *r, struct bp_error *err);

	int (*vantages)(struct store *s, store_on_name *on_name, void *arg, struct bp_error *err);

	int (*last_planned)(struct store *s, const char *campaign, const char *vantage,
			    struct wall *out, struct bp_error *err);
	int (*last_rounds)(struct store *s, const char *campaign, const char *vantage,
			   struct round *out, unsigned max, struct bp_error *err);
	/* NULL, both: BP_EUNSUP. */
	int (*next_round)(struct store *s, int64_t after, int64_t *row, struct round *out,
			  struct bp_error *err);
	int (*backlog)(struct store *s, int64_t after, struct store_backlog *out,
		       struct bp_error *err);
	/* Slots of the rounds of a campaign and vantage point, newest first, at most max. on_slot
	 * may call `round` with the row's number, and nothing else; 1 ends it. */
	int (*slots)(struct store *s, const char *campaign, const char *vantage, unsigned max,
		     int (*on_slot)(void *arg, struct wall planned, int64_t row,
				    struct bp_error *err),
		     void *arg, struct bp_error *err);
	int (*round)(struct store *s, int64_t row, struct round *out, struct bp_error *err);

	int (*add_judgement)(struct store *s, const char *trace_id, const struct names *names,
			     const struct verdict *verdict, struct wall judged_at,
			     struct bp_error *err);
	int (*retire_some)(struct store *s, const char *campaign, const char *vantage,
			   struct wall before, bool hourly, uint64_t *dropped, bool *more,
			   struct bp_error *err);
	/* NULL: BP_EUNSUP. */
	int (*retire_sent)(struct store *s, struct wall before, int64_t row, uint64_t *dropped,
			   bool *more, struct bp_error *err);
	int (*retire_hours)(struct store *s, const char *campaign, const char *vantage,
			    struct wall before, uint64_t *dropped, struct bp_error *err);
	/* NULL: BP_EUNSUP. */
	int (*salvage)(const char *from, const char *to, struct store_salvage *out,
		       struct bp_error *err);
	int (*mark_batch)(struct store *s, const char *vantage, const char *epoch, uint64_t seq,
			  bool *already, struct bp_error *err);
	int (*refuse_batch)(struct store *s, const char *vantage, const char *epoch, uint64_t seq,
			    const char *reason, const void *bytes, size_t n, struct bp_error *err);
	int (*skip_batches)(struct store *s, const char *vantage, const char *epoch,
			    uint64_t through, struct bp_error *err);
	int (*marks)(struct store *s, store_on_mark *on_mark, void *arg, struct bp_error *err);
	/* NULL: not in this engine. */
	int (*retire_rounds)(struct store *s, struct wall before, int64_t row, uint64_t *dropped,
			     bool *more, struct bp_error *err);
	int (*sweep_some)(struct store *s, uint64_t *dropped, bool *more, struct bp_error *err);
	/* The secret (16 bytes) that the store was made with; NULL: not open for writing. */
	const uint8_t *(*secret)(const struct store *s);
	/* NULL: always its own. */
	int (*claim)(struct store *s, const char *what, bool *mine, struct bp_error *err);
};

extern const struct store_engine sqlite_engine;
/* Of this program; ends with NULL. A word without a scheme is for the first. */
extern const struct store_engine *const store_engines[];

#endif

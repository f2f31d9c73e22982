// SPDX-License-Identifier: BSD-2-Clause
/*
 * What waits to be written: values that the store may not have yet, and traces, segments and
 * objects that point to them. A *reference* is the number of a value's row, when it is known, or
 * what stands for it until it is. Private to campaign/postgres/.
 */
#ifndef CAMPAIGN_POSTGRES_PG_NEWS_H
#define CAMPAIGN_POSTGRES_PG_NEWS_H

#include "campaign/postgres/pg.h"
#include "campaign/trace_key.h"

/* In the order in which they are sent: those that others point to first. */
enum pg_kind {
	PG_KIND_WORD,
	PG_KIND_GOAL,
	PG_KIND_SETTINGS,
	PG_KIND_HOP,
	PG_KIND_NAME,
	PG_KIND_GEO,
	PG_KIND_GEO_NAME,
	PG_KIND_PATH,
	PG_KIND_NAMING,
	PG_KIND_VERDICT,
	PG_KIND_JUDGE,
	PG_KINDS
};
enum {
	PG_COLUMNS_MAX = 14,
	PG_DAYS_MAX = 64, /* of one transaction: each is a table that it locks, with its indexes */
};

struct pg_hash {
	uint64_t h[2];
};

/* 0: none; above: the row; below: -1 - its place among the news of its kind. */
typedef int32_t pg_ref;

/* The news of one kind: their columns, one element for each; what points to others is made when
 * these have rows. */
struct pg_fresh {
	struct pg_hash *hashes; /* owned, as the next; room for `room` */
	int32_t *ids;		/* rows, once they were resolved */
	uint32_t count, room;
	struct pg_array columns[PG_COLUMNS_MAX];
};
/* Of geo_name, path, naming, judge: references beside the columns. */
struct pg_fresh_geo_name {
	pg_ref geo, name; /* what was said of it here */
	int32_t row;	  /* the name that it has, once it was resolved: what was said first */
};
struct pg_fresh_path {
	uint32_t at, count; /* in refs: hops */
	pg_ref as_path;
	int64_t path_hash;
	/* Of the row, once it was resolved: those of the first trace that took it. */
	int32_t row_as_path;
	int64_t row_path_hash;
};
struct pg_fresh_naming {
	uint32_t at, count; /* in refs: names */
	pg_ref geo, as_path;
};

/* How a trace's addresses are named: as its databases name them everywhere, or otherwise. Whether
 * so is known only when the values have rows. */
enum pg_own { PG_OWN_NO, PG_OWN_YES, PG_OWN_ASK };
struct pg_naming {
	bool named;
	uint8_t own; /* enum pg_own */
	pg_ref geo, as_path;
	uint32_t at, count; /* in refs, for YES and ASK: a name, then its geo_name, and so on */
};

struct pg_slot {
	struct pg_hash hash; /* both 0: free */
	int32_t id, extra;   /* of a path: its as_path; of a geo_name: id is the name */
	int64_t more;	     /* of a path: its path_hash */
};
struct pg_cache {
	struct pg_slot *slots;
	uint32_t sets;
};

struct pg_waiting_segment {
	pg_ref vantage, campaign, round, run, geo, judge;
	uint32_t first, count; /* traces, in news.traces; that were added */
	int64_t base_us, start_min_us, start_max_us, seq_base, seq_min, seq_max;
	uint32_t kept; /* of them, those that are not in the store already */
	bool undated;
	int32_t id;	      /* once it has one */
	struct trace_key key; /* its run; empty: none of our ids */
	int64_t lock;
};
struct pg_waiting_trace {
	int64_t start_us; /* PG_MINUS_INFINITY: none */
	int64_t took_us, path_hash, rtt_min_us, rtt_median_us, seq, sub;
	pg_ref goal, settings, path, verdict;
	int32_t path_as_path; /* of the path's row, where that is known */
	int64_t path_path_hash;
	struct pg_naming naming;
	pg_ref naming_ref;		    /* once it was decided; 0: none of its own */
	uint32_t body_at, body_size, id_at; /* in news.bytes; id_at: a foreign id, behind body */
	uint32_t id_size;		    /* 0: none */
	uint16_t nth;
	bool ended, ours, there; /* there: in the store already */
};
struct pg_waiting_object {
	struct pg_hash hash;
	int64_t at_us;
	pg_ref vantage, campaign, round;
	int32_t segment; /* in news.segments; -1: none */
	uint32_t after;	 /* in news.traces */
	uint32_t json_at, json_size;
	int16_t kind;
};
struct pg_waiting_round {
	pg_ref id, campaign, vantage;
	int64_t lock, planned_us, start_us, end_us; /* PG_MINUS_INFINITY: none */
	uint32_t expected, done, missed, traces;
	uint32_t json_at, json_size; /* in news.bytes */
	uint8_t why;
	bool offline, look;
};
struct pg_waiting_judgement {
	int32_t segment;
	int16_t nth;
	pg_ref judge, verdict;
	struct pg_naming naming;
	pg_ref naming_ref; /* not named: the row of the judgement before */
};

/* What the segment under way shares: of the trace that began it. */
struct pg_share {
	bool open, named, judged;
	char vantage[TRACE_VANTAGE_TEXT], campaign[TRACE_CAMPAIGN_TEXT], round[TRACE_ID_TEXT];
	char run[TRACE_ID_TEXT];
	struct geo_source geo;
	char profile[64], profile_version[32];
};

/* A table from hashes to numbers. */
struct pg_place {
	uint64_t hash;
	uint32_t number1; /* 0: free */
};
struct pg_places {
	struct pg_place *slots; /* owned */
	uint32_t size, used;
};

struct pg_news {
	struct pg_cache values, paths;
	struct pg_fresh fresh[PG_KINDS];
	struct pg_places places;	     /* of all kinds: kind << 26 | place */
	struct pg_fresh_geo_name *geo_names; /* owned, as all below */
	struct pg_fresh_path *paths_of;
	struct pg_fresh_naming *namings;
	pg_ref *judge_geos; /* beside the columns of judges */
	uint32_t geo_name_room, path_room, naming_room, judge_room;
	pg_ref *refs;
	uint32_t ref_count, ref_room;
	struct pg_share share;
	struct pg_waiting_segment *segments;
	struct pg_waiting_trace *traces;
	struct pg_waiting_object *objects;
	struct pg_waiting_round *rounds;
	struct pg_waiting_judgement *judgements;
	uint32_t segment_count, segment_room, trace_count, trace_room, object_count, object_room;
	uint32_t judgement_count, judgement_room, round_count, round_room;
	struct pg_places ids; /* of traces of ours: place in traces */
	struct buf bytes;
	struct buf key, rows; /* scratch */
	uint32_t *order;      /* scratch */
	uint32_t order_room;
	int64_t *locked; /* locks that the transaction has, sorted */
	uint32_t locked_count, locked_room;
	uint32_t days[64]; /* days since 2000 that have a partition, a ring */
	unsigned day_count;
	uint32_t touched[PG_DAYS_MAX]; /* of them, those of this transaction */
	unsigned touched_count;
};

/* --- pg_news.c -------------------------------------------------------------------------------- */

int pg_news_new(struct pg_news **out);
void pg_news_free(struct pg_news *n);
/* Enough waits: a flush, before there is more. */
bool pg_news_full(const struct pg_news *n);
/* Nothing waits; what is known stays. */
void pg_news_clear(struct pg_news *n);
/* Forgets what is known, too: after an undo, or on another connection. */
void pg_news_forget(struct pg_news *n);
/* Room for one more in an array of `size` each. BP_ENOMEM. */
int pg_room(void **list, uint32_t *room, uint32_t wanted, size_t size);

struct pg_hash pg_hash_of(const struct pg_store *s, const void *bytes, size_t n);
/* Of the id of a trace, for news.ids. */
uint64_t pg_id_hash(const struct pg_store *s, const char *id);
/* Empties the key and puts the kind there; the caller packs behind it. */
void pg_key_begin(struct pg_news *n, enum pg_kind kind);
/* Whether the value of a key is known or waits: 1 and *out; 0 and its hash; BP_ENOMEM. slot may be
 * NULL; else what the cache says of it, where it is known, NULL where it waits. */
int pg_find(struct pg_store *s, enum pg_kind kind, struct pg_hash *hash, pg_ref *out,
	    const struct pg_slot **slot);
/* A value that is neither: the caller fills its columns. */
int pg_fresh_add(struct pg_store *s, enum pg_kind kind, const struct pg_hash *hash, pg_ref *out);
/* The row of a reference, after pg_values_send. */
static inline int32_t pg_row(const struct pg_news *n, enum pg_kind kind, pg_ref ref)
{
	return ref >= 0 ? ref : n->fresh[kind].ids[-1 - ref];
}
void pg_remember(struct pg_cache *c, const struct pg_hash *h, int32_t id, int32_t extra,
		 int64_t more);
/* BP_ENOMEM. Nothing looks whether it is there. */
int pg_places_put(struct pg_places *p, uint64_t hash, uint32_t number);
void pg_places_clear(struct pg_places *p);
/* The next number with this hash; *at is 0 before the first. False: no more. */
bool pg_places_next(const struct pg_places *p, uint64_t hash, uint32_t *at, uint32_t *number);

/* --- pg_values.c: references of values -------------------------------------------------------- */

int pg_ref_word(struct pg_store *s, const char *text, pg_ref *out);
int pg_ref_goal(struct pg_store *s, const struct trace *t, pg_ref *out);
int pg_ref_settings(struct pg_store *s, const struct trace *t, pg_ref *out);
/* news.order is its order afterwards. *known: NULL where it waits; borrowed until the next. */
int pg_ref_path(struct pg_store *s, const struct trace *t, const struct flat_trace *f,
		pg_ref as_path, pg_ref *out, const struct pg_slot **known, uint32_t *slots);
int pg_ref_geo(struct pg_store *s, const struct geo_source *g, pg_ref *out);
/* What is to be decided of t's names later; and the decision, once names, geo_names and what else
 * it points to have rows: *own, and a reference for a naming. */
int pg_ref_names(struct pg_store *s, const struct trace *t, const struct names *names, pg_ref geo,
		 pg_ref as_path, struct pg_naming *out);
bool pg_naming_is_own(const struct pg_news *n, const struct pg_naming *naming);
int pg_ref_naming(struct pg_store *s, const struct pg_naming *naming, bool own, pg_ref *out);
int pg_ref_verdict(struct pg_store *s, const struct trace *t, const struct verdict *v, pg_ref *out);
int pg_ref_judge(struct pg_store *s, const struct verdict *v, const struct geo_source *g,
		 int64_t at_us, pg_ref *out);

/* --- pg_round.c ------------------------------------------------------------------------------- */

/* Sends the rounds that wait, behind all else. */
int pg_rounds_send(struct pg_store *s, struct bp_error *err);

/* --- pg_there.c ------------------------------------------------------------------------------- */

/* Locks the vantage points of all segments and rounds that wait. */
int pg_lock_waiting(struct pg_store *s, struct bp_error *err);
/* Marks the traces that are there already, and measures what is left of their segments. */
int pg_mark_there(struct pg_store *s, struct bp_error *err);

/* --- pg_send.c -------------------------------------------------------------------------------- */

/* Gives the values that wait their rows: of the kinds from .. to, both included. */
int pg_values_send(struct pg_store *s, enum pg_kind from, enum pg_kind to, struct bp_error *err);

#endif

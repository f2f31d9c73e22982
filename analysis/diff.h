// SPDX-License-Identifier: BSD-2-Clause
/*
 * What changed between two sets of traces: border, path, delay, reachability, per (vantage, judge
 * prefix, method) and per target. Sets of paths over flows and attempts are compared, never one
 * flow with another: what silence or load balancing explains is no change, small samples say so,
 * and what a vantage point did not measure is no outage. Pure but for memory; renders nothing for
 * people (analysis/report), writes {"type":"diff"}.
 *
 * A set is filled with traces, or with items that stand for many traces which show the same; both
 * give the same diff, in whatever order they come. Memory: some 200 bytes an item and 8 a delay;
 * each different path once (some 2 kB), each different verdict once (1 kB).
 */
#ifndef ANALYSIS_DIFF_H
#define ANALYSIS_DIFF_H

#include "core/buf.h"
#include "core/record/names.h"
#include "core/record/round.h"
#include "core/record/trace.h"
#include "core/record/verdict.h"
#include "geo/profile.h"

/* --- the two sets ---------------------------------------------------------------------------- */

enum diff_when { DIFF_BEFORE, DIFF_AFTER };

struct diff_set;

/* p gives the judge prefixes (verdicts are the caller's: judged by the same profile) and stays as
 * it is until diff_set_free. BP_ENOMEM, as from all that fills. */
int diff_set_new(const struct profile *p, struct diff_set **out);
void diff_set_free(struct diff_set *s);

/* One judged trace. What did not measure (STOP_ERROR without an entry) is passed over. names may be
 * NULL; a verdict that is NULL or not judged counts as undetermined. Nothing is borrowed beyond the
 * call. */
int diff_set_trace(struct diff_set *s, enum diff_when side, const struct trace *t,
		   const struct names *names, const struct verdict *v);

/* Traces that show the same: vantage, source, destination, method, flow, ports, reach, way and
 * verdict. */
struct diff_item {
	const char *vantage;
	const char *round;           /* NULL: not known */
	struct addr src, dst;
	uint8_t method, reach;       /* their enums */
	int32_t flow, sport, dport;  /* as in struct trace */
	uint32_t sight;              /* what was seen: of diff_set_sight */
	uint32_t count;              /* how many traces, > 0 */
	struct wall first, last;     /* starts; 0 not known */
	const char *id;              /* of the first of them; NULL: none, or by the next */
	int64_t example;             /* the caller's word for it, handed on; 0 none */
	const int64_t *rtt_ns;       /* of diff_delays, of all of them, in any order */
	uint32_t rtt_count;
};
int diff_set_add(struct diff_set *s, enum diff_when side, const struct diff_item *item);
/* What a trace shows, as a number for items: of its destination's address only that it is that, so
 * that it may stand for traces to others as well. */
int diff_set_sight(struct diff_set *s, const struct trace *t, const struct names *names,
		   const struct verdict *v, uint32_t *sight);
/* The destination's delays that are compared: in time, no duplicates, none that the clock or the
 * speed of light makes void. Returns how many; out has room for t->entry_count. */
uint32_t diff_delays(const struct trace *t, int64_t *out);

/* A round of a campaign that falls into that side. What was measured while its vantage point was
 * offline is not compared. */
int diff_set_round(struct diff_set *s, enum diff_when side, const struct round *r);

/* --- what changed ---------------------------------------------------------------------------- */

enum diff_change {
	DIFF_UNKNOWN, /* nothing to compare, or undetermined on a side */
	DIFF_SAME,
	DIFF_CHANGED,
	DIFF_TOO_FEW, /* a difference that so small a sample cannot tell from chance */
};
extern const struct word diff_change_words[];

enum diff_level { DIFF_LEVEL_NONE, DIFF_LEVEL_HOP, DIFF_LEVEL_AS };
extern const struct word diff_level_words[];

enum { DIFF_AS_MAX = 24 };

/* Of a verdict, what is compared. */
struct diff_verdict {
	bool judged;
	uint8_t outcome;           /* enum outcome */
	char border[VERDICT_ID_TEXT];
	uint32_t via_asn;
	char via_org[96];
	double confidence;
	uint8_t p_count;
	struct verdict_share p[VERDICT_BORDERS_MAX + 1];
};

/* One side of a row. */
struct diff_side {
	unsigned traces;           /* that measured something */
	unsigned decided;          /* of them: verdict is border, other, mixed or none */
	struct diff_verdict verdict; /* over all of them (border_judge_list); judged false: none */
	unsigned reach[5];         /* traces by enum reach */
	unsigned rtt_n;            /* destination's replies in time, of targets on both sides */
	int64_t rtt_min_ns, rtt_median_ns; /* -1: none */
	uint32_t as_path[DIFF_AS_MAX];     /* of the example trace: networks in order, each once */
	unsigned as_count;
	/* The trace that shows it, or the first of the first target and flow. */
	char example_id[TRACE_ID_TEXT];
	int64_t example;           /* of its item */
	struct wall first, last;   /* starts; 0 not known */
};

struct diff_row {
	char vantage[TRACE_VANTAGE_TEXT];
	struct prefix prefix;      /* judge prefix; outside the network the address alone */
	uint8_t method;            /* enum method */
	char target[TRACE_NAME_TEXT]; /* empty: all targets of the prefix together */
	struct diff_side before, after;
	enum diff_change border, path, rtt, reach;
	enum diff_level path_level; /* of a changed path: hops only, or networks too */
	uint8_t path_ttl;          /* the first TTL that differs; 0 none */
	int64_t shift_ns;          /* Hodges-Lehmann estimate of after - before; 0 without rtt */
	int64_t shift_low_ns, shift_high_ns; /* 95 %, rank based; equal to it for TOO_FEW */
	bool comparable;           /* both sides have traces and one aspect could be compared */
	bool changed;              /* one of the four did */
};

/* A border switch, summed over rows, for one sentence. */
struct diff_move {
	char from[VERDICT_ID_TEXT], to[VERDICT_ID_TEXT]; /* border id, "other" or "mixed" */
	uint32_t from_asn, to_asn; /* who carried it; 0 not known */
	char from_org[96], to_org[96];
	struct prefix *prefixes;   /* owned, distinct, sorted */
	unsigned prefix_count;
	unsigned vantages, vantages_of; /* vantage points that saw it, of those comparable there */
	struct wall not_before, not_after; /* last start at `from`, first at `to`; 0 not known */
};

/* One side of a vantage point: rounds of its campaigns, where the records tell of rounds. */
struct diff_rounds {
	unsigned rounds, missed;   /* in all; of them without a single measurement, or offline */
	unsigned partial;          /* measured in part */
	uint8_t why;               /* enum round_why of the first missed, else of a partial one */
	unsigned slots;            /* different planned moments, as they came */
	struct wall first, last;   /* of them; 0 not known */
};
struct diff_vantage {
	char name[TRACE_VANTAGE_TEXT];
	struct diff_rounds rounds[2]; /* by enum diff_when */
	bool counted;              /* has a comparable row */
};

enum diff_result { DIFF_RESULT_SAME, DIFF_RESULT_CHANGED, DIFF_RESULT_TROUBLE }; /* = exit code */

struct routes;

struct diff {
	struct diff_row *rows;     /* owned: one per key, sorted */
	unsigned row_count;
	struct diff_row *targets;  /* owned: one per key and target, sorted; where asked for */
	unsigned target_count;
	struct diff_move *moves;   /* owned */
	unsigned move_count;
	struct diff_vantage *points; /* owned: every vantage point with traces or rounds, by name */
	unsigned point_count;
	unsigned networks_of;      /* judge prefixes of the network, in the families seen */
	unsigned only_before, only_after; /* keys on one side alone */
	unsigned vantages;         /* with a comparable row */
	struct wall not_before, not_after; /* last start before, first start after; 0 not known */
	unsigned traces_before, traces_after;
	const struct routes *routes; /* borrowed: what routing tables say; NULL: none were given */
	enum diff_result result;
	char why[160];             /* for DIFF_RESULT_TROUBLE, one clause for people; else empty */
};

/* Compares; targets: also target by target. Once for a set. BP_ENOMEM. *out is filled and borrows
 * nothing; diff_fini frees it. */
int diff_compute(struct diff_set *s, bool targets, struct diff *out);
/* The diff of all that was in the sets of several diffs, with p as their profile: traces of a
 * vantage point were all in one of them, its rounds in one, which may be another; all are with
 * targets or none is. They are emptied, whatever comes of it. BP_ENOMEM. */
int diff_join(struct diff *parts, unsigned n, const struct profile *p, struct diff *out);
void diff_fini(struct diff *d);

/* A shift of its round-trip times under this is no news, however sure. */
int64_t diff_least_shift(const struct diff_row *row);

/* Appends {"type":"diff",...} and a newline. */
void diff_write_json(struct buf *out, const struct diff *d);

#endif

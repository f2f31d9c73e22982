// SPDX-License-Identifier: BSD-2-Clause
/*
 * What changed between two sets of traces: border, path, delay, reachability, per (vantage, judge
 * prefix, method) and per target. Sets of paths over flows and attempts are compared, never one
 * flow with another: what silence or load balancing explains is no change, and small samples say
 * so. Pure but for memory; renders nothing for people (analysis/report), writes {"type":"diff"}.
 */
#ifndef ANALYSIS_DIFF_H
#define ANALYSIS_DIFF_H

#include "core/buf.h"
#include "core/record/names.h"
#include "core/record/trace.h"
#include "core/record/verdict.h"
#include "geo/profile.h"

/* One judged trace. Borrowed while diff_compute runs and while the diff is used. names may be NULL;
 * a verdict that is not judged counts as undetermined. */
struct diff_item {
	const struct trace *trace;
	const struct names *names;
	const struct verdict *verdict;
};

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

/* One side of a row. */
struct diff_side {
	unsigned traces;           /* that measured something */
	unsigned decided;          /* of them: verdict is border, other, mixed or none */
	struct verdict verdict;    /* over all of them (border_judge_flows); judged false: none */
	unsigned reach[5];         /* traces by enum reach */
	unsigned rtt_n;            /* destination's replies in time, of targets on both sides */
	int64_t rtt_min_ns, rtt_median_ns; /* -1: none */
	uint32_t as_path[DIFF_AS_MAX];     /* of the example trace: networks in order, each once */
	unsigned as_count;
	const struct trace *example;       /* borrowed: the trace that shows it, or the first */
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

enum diff_result { DIFF_RESULT_SAME, DIFF_RESULT_CHANGED, DIFF_RESULT_TROUBLE }; /* = exit code */

struct diff {
	struct diff_row *rows;     /* owned: one per key, sorted */
	unsigned row_count;
	struct diff_row *targets;  /* owned: one per key and target, sorted */
	unsigned target_count;
	struct diff_move *moves;   /* owned */
	unsigned move_count;
	unsigned networks_of;      /* judge prefixes of the network, in the families seen */
	unsigned only_before, only_after; /* keys on one side alone */
	unsigned vantages;         /* with a comparable row */
	struct wall not_before, not_after; /* last start before, first start after; 0 not known */
	unsigned traces_before, traces_after;
	enum diff_result result;
	char why[160];             /* for DIFF_RESULT_TROUBLE, one clause for people; else empty */
};

/* Compares. p gives the judge prefixes (verdicts are the caller's: judged by the same profile).
 * BP_ENOMEM. *out is filled; diff_fini frees it. */
int diff_compute(const struct diff_item *before, unsigned before_count,
		 const struct diff_item *after, unsigned after_count, const struct profile *p,
		 struct diff *out);
void diff_fini(struct diff *d);

/* Appends {"type":"diff",...} and a newline. */
void diff_write_json(struct buf *out, const struct diff *d);

#endif

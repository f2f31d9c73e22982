// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a report says, as a value: by which border each prefix was entered from each vantage point
 * over a window, shares per hour with the uncertainty of the sample, delay and loss, ways in that
 * are left, rounds missed, events. Made of cells and events as they come; shown as text, JSON and
 * HTML (analysis/report/): every number on a page is in here. Pure.
 */
#ifndef ANALYSIS_REPORT_H
#define ANALYSIS_REPORT_H

#include "analysis/power.h"
#include "analysis/series.h"
#include "core/record/event.h"

enum report_band {
	REPORT_BAND_NOT_MEASURED, /* a missed round, or none at all: blank with a baseline */
	REPORT_BAND_OFFLINE,      /* the vantage point was down: blank with a tick */
	REPORT_BAND_SILENT,       /* measured, nobody inside answered, no border told: hollow */
	REPORT_BAND_UNDETERMINED,
	REPORT_BAND_BORDER,
	REPORT_BAND_OTHER,
	REPORT_BAND_MIXED,
	REPORT_BAND_NONE,         /* not into the network */
};

/* Rounds in a row that show the same, of one key. A gap between the last round of one span and the
 * first of the next that is longer than 1.5 times `every` is a span of REPORT_BAND_NOT_MEASURED.
 * Where there were more than REPORT_SPANS_MAX (fewer where rows are many), two, four... rounds in a
 * row count as what most of them show; none over a gap. */
enum { REPORT_SPANS_MAX = 1000 };
struct report_span {
	struct wall from, to;      /* first round's moment; the next span's, or the end */
	uint8_t band;              /* enum report_band */
	int border;                /* index for REPORT_BAND_BORDER; -1 */
	uint32_t borders;          /* bits by index, of mixed */
	bool unsure;               /* confidence under 0.9: half height */
	bool reached;              /* the destination answered in most rounds */
	uint8_t why;               /* enum round_why, of not measured */
	uint32_t rounds;
	double confidence;         /* mean */
};

/* A round of a key, or, where there are more than REPORT_POINTS_MAX, so many rounds in a row: least
 * of the minima, median of the medians. Lines are not drawn across gaps. */
struct report_point {
	struct wall at;
	int64_t rtt_min_ns, rtt_median_ns; /* -1: none answered */
	uint32_t asked, answered;
	int border;                /* index; -1: not one border */
	bool gap;                  /* rounds were missed between this one and the one before */
};

enum { REPORT_POINTS_MAX = 480 };

struct report_row {                /* one key; sorted by prefix, vantage, method, campaign */
	const char *vantage, *campaign;
	struct prefix prefix;
	uint8_t method;
	struct report_span *spans; unsigned span_count;
	struct report_point *points; unsigned point_count;
	uint32_t rounds, missed, offline; /* measured, missed, measured while offline */
	uint32_t looks;            /* closer looks beside them */
	int64_t every_ns;          /* distance of its rounds (median); 0 not known */
	int64_t rtt_min_ns, rtt_median_ns; /* least of minima; median of medians; -1 */
	uint64_t asked, answered;
	/* As it stands at the end: the last measured round that was not undetermined. */
	struct wall last;          /* 0: never measured */
	uint8_t band; int border; double confidence;
	uint32_t borders;          /* bits: the one, or those of mixed */
	uint32_t via_asn; const char *via_org;
	struct wall last_round;    /* measured, decided or not */
	uint8_t reach;             /* of most traces of that round */
	bool reached;              /* a destination answered in it */
	uint64_t by_border[SERIES_BORDERS_MAX], mixed, undetermined; /* rounds by outcome */
};

/* A prefix over time, all its keys together: how many of them show what. Moments are on a grid of
 * REPORT_SUMS_MAX steps; steps in a row that show the same are one. */
enum { REPORT_SUMS_MAX = 480 };
struct report_sum {
	struct wall from, to;
	uint16_t by_border[SERIES_BORDERS_MAX], mixed, undetermined, silent, none;
	uint32_t mixed_borders;    /* bits, of those mixed */
	uint16_t not_measured, offline;
	uint16_t unsure;           /* of by_border: confidence under 0.9 */
};
struct report_prefix {
	struct prefix prefix;
	unsigned keys;             /* rows of it: rows[first] and those behind */
	unsigned first;
	struct report_sum *sums; unsigned sum_count;
};

/* (vantage x prefix x method) rounds of an hour, or of the step the window calls for, by border.
 * A Wilson interval (95 %) to each share: report_wilson. Vantage points that were offline and
 * rounds missed are in none. */
struct report_share {
	struct wall from, to;
	uint32_t n;                /* keys measured and decided in it, each counted once by its
				    * most frequent outcome */
	uint32_t undetermined;     /* keys measured and not decided; not in n */
	uint32_t by_border[SERIES_BORDERS_MAX], mixed;
};
void report_wilson(uint32_t k, uint32_t n, double *low, double *high);
/* Drawn at half height: a way in that is told with a confidence under 0.9. */
bool report_unsure(uint8_t band, double confidence);
extern const struct word report_band_words[];
struct report;
/* "dandong", or "other" for the last index; "mixed" and the like are bands. */
const char *report_border_id(const struct report *r, int border);

/* A prefix and the ways in that were seen into it within the window (and at its end). */
struct report_ways {
	struct prefix prefix;
	uint32_t seen, now;        /* bits by border: in the window; at its end */
	unsigned seen_count, now_count;
	unsigned vantages;         /* that decided */
	unsigned watched;          /* of them, in two rounds or more: a change would be seen */
	bool down;                 /* nobody reaches it at the end, by healthy vantage points */
};

struct report_vantage {
	char name[TRACE_VANTAGE_TEXT];
	uint32_t rounds, missed, offline;
	struct wall last;          /* its last round; 0 */
	uint32_t egress_asn; char egress_org[96];
	uint32_t transit_asn; char transit_org[96];
	bool told;                 /* by records of rounds; else counted from what was measured */
	bool moved;                /* its identity changed within the window */
	bool counted;              /* measured something in the window while healthy */
	bool down;                 /* at the end: offline, or silent for 3 rounds */
	int64_t unheard_ns;        /* from its last round to as_of, over two of its intervals */
};

struct report {
	struct wall since, until;  /* the window: as asked for, else of the data */
	struct wall as_of;         /* the last round in it */
	int64_t step_ns;           /* of shares: an hour, more for windows over 14 days */
	const struct profile *profile;
	unsigned border_count;     /* with "other", the last */
	struct report_row *rows; unsigned row_count;
	struct report_prefix *prefixes; unsigned prefix_count; /* in order of rows */
	struct report_share *shares; unsigned share_count;
	struct report_ways *ways; unsigned way_count;
	struct report_vantage *vantages; unsigned vantage_count;
	struct event *events; unsigned event_count; /* the last revision of each, oldest first */
	uint64_t traces, rounds, missed;
	unsigned networks_of;      /* judge prefixes of the network (IPv4); 0 not known */
	int64_t every_ns;          /* the longest of the rows' */
	double decided;            /* share of measured rounds that were */
	struct power power;        /* what would have been seen in this window */
};

/* Fed as events are: cells in, events in; then made. Everything in the report is owned by the
 * maker, and valid until it is freed. */
struct report_maker;
int report_maker_new(const struct profile *p, const struct series *s, struct wall since,
		     struct wall until, struct report_maker **out);
void report_maker_free(struct report_maker *m);
int report_maker_cell(struct report_maker *m, const struct cell *c);
int report_maker_round(struct report_maker *m, const struct round *r);
int report_maker_event(struct report_maker *m, const struct event *e);
/* BP_ENOTFOUND: nothing was measured in the window. */
int report_make(struct report_maker *m, const struct report **out);

/* Nothing happened, where it would have been seen: no event, into each prefix the same way all the
 * time, and at least one was watched. */
bool report_quiet(const struct report *r);

/* The one object {"type":"report","version":1,...}, and a newline: every number that any page
 * shows. */
struct buf;
void report_write_json(struct buf *out, const struct report *r);

#endif

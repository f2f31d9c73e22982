// SPDX-License-Identifier: BSD-2-Clause
/*
 * Inside analysis/report*.c: what a report's maker keeps of each cell, and how the parts of the
 * report are made of it. For nobody else.
 */
#ifndef ANALYSIS_REPORT_INSIDE_H
#define ANALYSIS_REPORT_INSIDE_H

#include "analysis/report.h"

/* Of a cell, what a report shows. */
struct kept {
	struct wall planned;
	int64_t rtt_min_ns, rtt_median_ns; /* -1 */
	float confidence;
	uint32_t borders;        /* bits, of a border or mixed */
	uint16_t asked, answered;
	uint16_t traces;
	int8_t border;           /* index; -1 */
	uint8_t band;            /* enum report_band */
	uint8_t state, why;      /* enum cell_state, enum round_why */
	uint8_t reach;           /* of most traces */
	bool reached;            /* a destination answered */
};

struct key_cells {
	char vantage[TRACE_VANTAGE_TEXT], campaign[TRACE_CAMPAIGN_TEXT];
	struct prefix prefix;
	uint8_t method;
	bool used;
	struct kept *cells;      /* owned, in order of planned */
	unsigned count, room;
	int64_t every_ns;        /* as the cells told last */
	uint32_t looks;
	uint64_t look_traces;
	bool moved;
	uint32_t via_asn;        /* of the last decided cell */
	char via_org[96];
};

struct report_maker {
	const struct profile *profile;
	unsigned border_count;
	struct wall since, until; /* as asked for; 0: open */
	struct key_cells *keys;   /* owned, by number of the series' key */
	unsigned key_count;
	struct key_cells **order; /* owned: those used, sorted */
	struct report_vantage *vantages; /* owned, sorted by name */
	unsigned vantage_count, vantage_room;
	struct event *events;     /* owned, by first coming */
	unsigned event_count, event_room;
	uint64_t rounds, missed;  /* of round records */
	struct report report;
};

/* The row of a key; every_ns is filled. max_points, max_spans: of this row. BP_ENOMEM. */
int report_row_make(const struct key_cells *k, const struct report *r, unsigned max_points,
		    unsigned max_spans, struct report_row *out);
/* Prefixes with their sums, shares, ways, of the rows made. BP_ENOMEM. */
int report_sums_make(struct report_maker *m);
int report_shares_make(struct report_maker *m);
int report_ways_make(struct report_maker *m);
/* power_steps and power_switch of what was measured. BP_ENOMEM. */
int report_power_make(struct report_maker *m);

#endif

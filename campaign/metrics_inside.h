// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is known for the page, shared by campaign/metrics*.c and by nobody else: groups in the order
 * of their names, in each its keys in the order of prefixes and methods.
 */
#ifndef CAMPAIGN_METRICS_INSIDE_H
#define CAMPAIGN_METRICS_INSIDE_H

#include "campaign/metrics.h"

/* Ways in by index: the profile's borders, "other"; behind them what is none. */
enum { WAYS_MAX = SERIES_BORDERS_MAX + 2, EVENT_KINDS = EVENT_FLAPPING + 1, METRICS_TOLD = 256 };

enum round_result { RESULT_COMPLETE, RESULT_PARTIAL, RESULT_MISSED, RESULT_LOOK, RESULTS };

struct metrics_key {
	struct prefix prefix;
	uint8_t method, reach, class;
	unsigned way;            /* index into ways of the group */
	double confidence, loss; /* -1: none */
	int64_t rtt_min_ns, rtt_median_ns; /* -1: none */
	unsigned active;         /* bits 1 << enum event_kind */
	unsigned idle;           /* whole rounds since it was last in one */
};

/* A counter of somebody who may begin at 0 again. */
struct metrics_follow { uint64_t before, seen; };

struct metrics_group {
	char campaign[TRACE_CAMPAIGN_TEXT], vantage[TRACE_VANTAGE_TEXT];
	bool own;                /* of this process; others are known by their cells only */
	char ways[WAYS_MAX][VERDICT_ID_TEXT];
	unsigned way_count, border_count;
	int64_t every_ns;
	struct wall started;     /* 0: not ours */
	struct wall last;        /* end of the last round that was measured; 0: none was */
	int64_t duration_ns;     /* of it; -1 */
	struct wall seen;        /* end of what health is of */
	uint8_t health;          /* enum round_health */
	struct wall built[2];    /* by enum geo_db; 0: none is open, or it does not say */
	uint64_t spooled;
	uint64_t left_out, leaving_out; /* keys: in the last round, in the one that is coming in */
	uint64_t rounds[RESULTS], sent, drops;
	uint64_t foreign, bad_token, malformed, late, duplicate;
	uint64_t events[EVENT_KINDS];
	uint64_t told[METRICS_TOLD]; /* those counted of late, as hashes; a ring */
	unsigned told_next;
	struct metrics_follow ok[ALERT_HOOKS], failed[ALERT_HOOKS], dropped[ALERT_HOOKS];
	uint64_t waiting[ALERT_HOOKS];
	struct metrics_key *keys;
	unsigned key_count, key_room;
};

struct metrics {
	struct metrics_group *groups;
	unsigned group_count, group_room;
};

static inline uint64_t metrics_followed(const struct metrics_follow *f)
{
	return f->before + f->seen;
}

#endif

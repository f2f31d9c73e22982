// SPDX-License-Identifier: BSD-2-Clause
/*
 * How things stand in a campaign: per destination the latest round's verdict, path and round-trip
 * time, since when that verdict stands, and what differs from the round before. Fed with traces,
 * oldest first; what it says of a change is a hint for people at a screen, no finding: `diff`
 * weighs sets of paths. Bounded in memory. Knows no store, no schedule and no printing.
 */
#ifndef ANALYSIS_STANDING_H
#define ANALYSIS_STANDING_H

#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/clock.h"
#include "core/record/trace.h"
#include "core/record/verdict.h"

enum { STANDING_ROWS_MAX = 4096, STANDING_HOPS = 32, STANDING_TARGET_TEXT = 64 };

/* Bits of standing_row.changed. */
enum standing_change {
	STANDING_BORDER = 1u << 0, /* another border; `undetermined` between is no change */
	STANDING_PATH = 1u << 1,   /* another router at a TTL; silence is no change */
	STANDING_REACH = 1u << 2,  /* answers now, or no longer */
	STANDING_RTT = 1u << 3,    /* the median by over 5 ms and over a 20th */
};

/* One round of one destination, its flows together. */
struct standing_round {
	uint16_t flows;            /* traces; 0: none */
	bool failed;               /* not measured: STOP_ERROR for all flows */
	uint8_t outcome, class, reach;
	char border[VERDICT_ID_TEXT];
	uint32_t via_asn;
	char via_org[96];
	double confidence;
	int64_t rtt_min_ns, rtt_median_ns; /* of the flow with the lowest; -1: none */
	struct addr hop[STANDING_HOPS];    /* who answered first at TTL i + 1; none: nobody */
};

/* A verdict and since when it stands. */
struct standing_span {
	uint8_t outcome;
	char border[VERDICT_ID_TEXT];
	struct wall since;         /* 0: there is none yet */
	bool open;                 /* stood already in the first round that was seen */
};

struct standing_row {
	char target[STANDING_TARGET_TEXT]; /* as the plan names it */
	struct addr dst;
	uint8_t method;
	int32_t dport;
	char round[TRACE_ID_TEXT]; /* the last one it was measured in */
	struct wall at;            /* when that began here */
	struct standing_round now, before;
	struct standing_span span; /* of the verdict in `now` */
	struct standing_span was;  /* the determined verdict before that; since 0: none */
	unsigned changed;          /* bits of enum standing_change */
	struct standing_span settled[2]; /* span and was, as the round before left them */
};

struct standing {
	struct standing_row *rows; /* owned; in the order they came */
	unsigned count, room;
	uint32_t *index;           /* owned: places of rows by hash, + 1 */
	unsigned index_size;       /* a power of two */
	uint64_t beyond;           /* traces of destinations that no row is left for */
	bool failed;               /* a row is missing for want of memory */
};

/* A zeroed struct is empty. */
void standing_fini(struct standing *s);
/* One finished trace; v may be NULL or not judged. Traces of one round carry its id. */
void standing_take(struct standing *s, const struct trace *t, const struct verdict *v);
/* The rows by destination, method and port: count places in s->rows, to be freed. NULL: no
 * memory, or no row. */
uint32_t *standing_order(const struct standing *s);
/* Whether the verdicts of all rows of this round (NULL: of all) began to stand while we looked. */
bool standing_bounded(const struct standing *s, const char *round);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * Shifts of round-trip time: where a series moves from one level to another and stays there. Works
 * on numbers only: knows no trace, no store and no network. A point that was lost carries no value;
 * a gap stays a gap. Noise, a daily swell, single spikes and bursts of loss are not shifts. How it
 * works, what it reaches and on which data: doc/shifts.md.
 */
#ifndef ANALYSIS_SHIFT_H
#define ANALYSIS_SHIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/clock.h"

enum { SHIFT_LOST = -1 };  /* an RTT of a point that was probed and not answered; any negative is */

enum shift_setting {
	SHIFT_SUSTAINED,  /* the default: few alarms, a new level has to last */
	SHIFT_SENSITIVE,  /* short and small ones too */
};

enum shift_status {
	SHIFT_PROVISIONAL = 1,  /* what the points so far say: later ones may move or withdraw it */
	SHIFT_CONFIRMED,        /* no later point changes it */
};

struct shift {
	enum shift_status status;
	/* Counted from 0 over all points, lost ones too: where the new level begins, and the last
	 * answered point before it. */
	uint64_t index, last_index;
	/* Of those two points: the moment lies in [not_before, not_after]. */
	struct wall not_before, not_after;
	/* Medians of the two levels, each of the answered points up to its neighbouring shift, at
	 * most SHIFT_LEVEL of them; and of how many. */
	int64_t before_ns, after_ns;
	unsigned before_count, after_count;
	/* After - before: the Hodges-Lehmann estimate, and the 95 % interval that inverts the
	 * rank-sum test (rtt_shift_of). interval_known is false where there are too few points for
	 * one; low and high equal the estimate then. */
	int64_t shift_ns, low_ns, high_ns;
	bool interval_known;
	double p;           /* two-sided, of the Mann-Whitney test with ties, of the same points */
	double confidence;  /* 0 to 1: that a change is here. doc/shifts.md says from what */
};
enum { SHIFT_LEVEL = 64 };

/* In order of index. Owned by whoever made it; zeros are an empty one. */
struct shift_list {
	struct shift *items;
	size_t count, size;
};
void shift_list_fini(struct shift_list *list);
/* Empties, keeps the memory. */
void shift_list_clear(struct shift_list *list);

/* Room to work in: one for any number of series, one after the other; not for two threads. Memory
 * is bounded by the window (doc/shifts.md), not by the series. NULL without memory. */
struct shift_scratch;
struct shift_scratch *shift_scratch_new(void);
void shift_scratch_free(struct shift_scratch *w);

/*
 * All shifts of a series of n points in order of time, appended to out, all SHIFT_CONFIRMED. at
 * may be NULL: the moments are zeros then. Equal and uneven times are fine; they tell what comes
 * back at the same time of day and are not used otherwise. BP_ENOMEM: out is as it was.
 */
int shift_detect(struct shift_scratch *w, enum shift_setting setting, const struct wall *at,
		 const int64_t *rtt_ns, size_t n, struct shift_list *out);

/*
 * The same as points arrive. What all calls of shift_state_add and one of shift_state_flush append
 * is what shift_detect finds in the same points, in the same order. The state holds the last
 * answered points, fewer than two windows of them; an add allocates only while that grows.
 */
enum { SHIFT_WINDOW = 1024 };

struct shift_point { int64_t at_ns, rtt_ns; uint64_t index; };
struct shift_state {
	enum shift_setting setting;
	uint64_t next_index;         /* points added so far, lost ones too */
	struct shift_point *points;  /* owned; the last answered ones */
	unsigned count, size;
	unsigned next;               /* the count at which the next window is full */
	unsigned settled;            /* leading ones at which nothing more is told */
};
void shift_state_init(struct shift_state *s, enum shift_setting setting);
void shift_state_fini(struct shift_state *s);
/* One more point, not earlier than the last. Confirmed shifts are appended to out. BP_ENOMEM. */
int shift_state_add(struct shift_state *s, struct shift_scratch *w, struct wall at,
		    int64_t rtt_ns, struct shift_list *out);
/* What the points not yet settled say, appended to out as SHIFT_PROVISIONAL: what flush would say
 * now. Costs what a window costs (a third of a millisecond). The state is as it was. BP_ENOMEM. */
int shift_state_pending(const struct shift_state *s, struct shift_scratch *w,
			struct shift_list *out);
/* The series ended: what is left is confirmed and appended. The state is as after init. */
int shift_state_flush(struct shift_state *s, struct shift_scratch *w, struct shift_list *out);

/* Where on the path a shift of the target's RTT arises. */
enum shift_where {
	SHIFT_WHERE_UNKNOWN,     /* too few rounds on which both answered, or no clear answer */
	SHIFT_WHERE_ON_THE_WAY,  /* the last outside hop shifted as the target did */
	SHIFT_WHERE_BORDER,      /* the last outside hop is another one since, or only what lies
				  * between it and the first inside hop shifted */
	SHIFT_WHERE_INSIDE,      /* it stands still: the shift lies past the last outside hop */
};

/* The target's series and its path's, on the same n rounds; negative: no answer. */
struct shift_path {
	const int64_t *target_ns;
	const int64_t *outside_ns;   /* of the last outside hop */
	const int64_t *inside_ns;    /* of the first inside hop; NULL where not known */
	const uint64_t *outside_id;  /* who the last outside hop was, any number for an address; 0:
				      * not known. NULL: of none */
	size_t n;
};

/*
 * first is the index of path's round 0 in the series that s was found in. Differences are taken
 * round by round, so that what both have in common cancels, and tested around s->index over the
 * rounds of the two levels, at most SHIFT_WHERE_ROUNDS each side. BP_ENOMEM.
 */
enum { SHIFT_WHERE_ROUNDS = 48 };
int shift_where(const struct shift *s, const struct shift_path *path, uint64_t first,
		enum shift_where *out);
/* "unknown", "on_the_way", "border", "inside". */
const char *shift_where_word(enum shift_where where);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the rows of the rule table work on: the reduced path, the last two runs of networks before
 * the network, and the scores so far. Internal to border_judge; border.c drives, border_rules.c
 * holds the table.
 */
#ifndef ANALYSIS_BORDER_RULES_H
#define ANALYSIS_BORDER_RULES_H

#include "analysis/border.h"
#include "analysis/border_path.h"

/* Steps in a row that speak for the same side; those that speak for nobody do not end a run. */
struct border_run {
	int speaker;   /* border index, `other`, -1: there is no such run */
	unsigned hops; /* steps */
	bool way;      /* for `other`: a way that the profile lists, now or once */
	const struct border_hop *nearest; /* the hop nearest to the network */
	const struct border_hop *more[2]; /* the two before it; NULL where the run is shorter */
	const struct border_hop *farthest;
};

struct border_case {
	const struct trace *trace;
	const struct profile *profile;
	struct wall when; /* the time that the profile is asked for */
	bool time_known;  /* it is the record's */
	struct border_path path;
	struct border_run near, before; /* the last run before the network, and the one before it */
	unsigned gap;			/* TTLs between near.nearest and the first inside hop */
	unsigned unnamed_behind;	/* public hops of no network between the two */
	double score[BORDER_PATH_SPEAKERS]; /* sum of weights, log-odds */
	bool filtered;             /* the carrier refused the probes: more than adjacency */
	const char *rule;      /* id of the row at work */
	bool assumed_inside;       /* no destination told: taken from where the path ends */
	const char *undecided; /* row to name when the outcome is undetermined; NULL none yet */
	bool done;	       /* a row has decided alone: the rest is not asked */
	struct verdict *out;
};

/* Adds evidence by the row at work: weight for speaker (-1: a remark for nobody, weight 0) and a
 * clause for people. hop NULL: about the path. Evidence beyond the room still counts. */
void border_case_say(struct border_case *c, const struct border_hop *hop, int speaker,
		     double weight, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* The scores as probabilities: softmax. p has path.borders + 1 places. */
void border_case_p(const struct border_case *c, double *p);
/* Whether the last run, and the one before it, is a border's. */
bool border_case_near(const struct border_case *c);
bool border_case_before(const struct border_case *c);
/* "China Unicom (AS4837)", "AS4837", "the address space of Dandong / China". Returns out. */
enum { BORDER_NET_TEXT = 160 };
const char *border_case_net(const struct border_case *c, const struct border_hop *h,
			    char out[static BORDER_NET_TEXT]);

/* Adjacency alone is capped at 0.9: what is capped is never counted as 0.9. */
#define BORDER_ADJACENCY_MAX 0.89

/* Rows without weight, border_remarks.c. */
void border_apply_destination_outside(struct border_case *c);
void border_apply_destination_unknown(struct border_case *c);
void border_apply_nothing_answered(struct border_case *c);
void border_apply_time_unknown(struct border_case *c);
void border_apply_forged_answer(struct border_case *c);
void border_apply_skipped_hop(struct border_case *c);
void border_apply_customer_router(struct border_case *c);
void border_apply_other_time(struct border_case *c);

/* "dandong", "other"; "" for -1. */
const char *border_case_id(const struct border_case *c, int speaker);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * What one round sends: the plan's targets (or the profile's), resolved, unfolded and put in order,
 * as lines for borderpath-probe; reference hosts first. The do-not-probe lists leave out before
 * anything is counted. Knows no clock but the slot, no child and no result.
 *
 * A destination is measured once for each method and port. One that is named by itself is measured
 * as its own entry says, also where a prefix of another entry holds it.
 */
#ifndef CAMPAIGN_FEED_H
#define CAMPAIGN_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "campaign/hosts.h"
#include "campaign/lookup.h"
#include "campaign/plan.h"
#include "core/prefixset.h"
#include "geo/profile.h"
#include "prober/plan.h"

enum { FEED_LOOK_LINES = 256, FEED_LOOK_FLOWS = 4 };

struct feed;

/* What it is made from; all borrowed for the feed's life. */
struct feed_from {
	const struct campaign_plan *plan;
	const struct profile *profile;
	const struct hosts *hosts;        /* NULL: the first of each entry */
	struct lookup *lookup;            /* NULL: one for this feed alone, without a memory */
	const struct prefixset *avoid;    /* settled; NULL: nothing is left out */
	struct wall slot;                 /* entries that hold then */
	/* A closer look: only what lies in these prefixes, by so many flows each while that is
	 * FEED_LOOK_LINES lines at most; more where the plan says so. 0: all, as the plan says. */
	const struct prefix *only;
	unsigned only_count;
	uint16_t flows;
	/* One line each: what does not resolve, what a file says wrong. May be NULL. */
	void (*on_note)(void *arg, const char *text);
	void *arg;
};

/* Where a line comes from. */
struct feed_line {
	bool reference;
	unsigned target;  /* index in the plan's targets, or in the profile's; of a reference, in
			   * the plan's references */
	unsigned host;    /* index in the target's hosts */
	bool last;        /* of its destination's flows: no further line goes there */
};

/* Asks for names, and waits for them for LOOKUP_WAIT_MS at most. A name that does not resolve, or a
 * file that cannot be read, is no failure: it is counted (feed_unresolved) and told; a feed may
 * have nothing else. BP_ENOTFOUND: the plan names nothing to measure at that slot, or it is all
 * left out; BP_ENOMEM. */
int feed_new(const struct feed_from *from, struct feed **out, struct bp_error *err);
void feed_free(struct feed *f);
/* The next line (seq is the caller's to set), false after the last. A destination's flows come in
 * one piece; with multipath it is one line. */
bool feed_next(struct feed *f, struct plan_trace *line, struct feed_line *from);
/* Measurements in all (round.expected): the lines, those to reference hosts too, and those that
 * could not be resolved. */
uint64_t feed_expected(const struct feed *f);
uint64_t feed_unresolved(const struct feed *f);
/* Files of targets that could not be read; each is one that could not be resolved, too. */
unsigned feed_unread(const struct feed *f);
/* Destinations left out. */
uint64_t feed_avoided(const struct feed *f);

/* For those who foresee a round: its lines as ranges, in no order that counts. */
struct feed_row {
	struct prefix prefix;
	const struct prefixset *out;  /* what of it is left out, or has a row of its own */
	const struct campaign_how *how;
	bool reference;
};
uint32_t feed_rows(const struct feed *f);
void feed_row(const struct feed *f, uint32_t i, struct feed_row *out);

/* The run line that the plan asks for. */
void feed_run(const struct campaign_plan *p, struct plan_run *out);

#endif

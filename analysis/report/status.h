// SPDX-License-Identifier: BSD-2-Clause
/*
 * What there is to say of one campaign at one moment, for people and for scripts: whether it runs,
 * its last round and the next, a day's rounds, who the vantage point is, how things stand per
 * target, what waits and how large the store is. A value that its caller fills; asks nobody.
 */
#ifndef ANALYSIS_REPORT_STATUS_H
#define ANALYSIS_REPORT_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "analysis/report/style.h"
#include "analysis/report/tally.h"
#include "analysis/standing.h"
#include "core/record/round.h"
#include "geo/profile.h"

enum { STATUS_WHY_COUNT = ROUND_WHY_TARGETS + 1 };

/* The worst that holds; the later the worse. */
enum status_state {
	STATUS_UNKNOWN,
	STATUS_OK,
	STATUS_STARTING, /* no round yet, and a daemon runs */
	STATUS_WAITING,  /* rounds wait in the spool for over a minute */
	STATUS_OFFLINE,  /* in the last round the vantage point reached nobody */
	STATUS_STALE,    /* the last measured round is older than three times `every` */
	STATUS_NEVER,    /* nothing was ever measured, and no daemon runs */
	STATUS_OVER,     /* `until` has passed: no fault */
};

/* Rounds of a span of time. */
struct status_rounds {
	uint32_t measured;                /* in whole or in part */
	uint32_t missed;                  /* whole */
	uint32_t missed_why[STATUS_WHY_COUNT]; /* of those */
	uint64_t measurements, lost;      /* done, missed, in all of them */
	uint32_t looks;                   /* closer looks, in none of the above */
};

struct status {
	const char *plan, *campaign, *vantage, *store; /* borrowed: file, names, path */
	struct wall now;
	int64_t every_ns;
	int64_t pid;                      /* of the daemon; 0: none runs; -1: one does */
	bool hidden;                      /* lock, spool may not be read: pid, spool are void */
	bool over;                        /* `until` has passed */
	struct wall next;                 /* start of the next round by the schedule; 0: none */
	bool last_known, measured_known;
	struct round last;                /* the latest round there is */
	struct round measured;            /* the latest in which anything was measured */
	struct status_rounds day;         /* of the last 24 hours */
	uint8_t identity_changed;         /* bits of enum round_changed, when it last changed */
	struct wall identity_since;       /* the round of that change; 0: none in what was read */
	struct wall identity_read;        /* the oldest round that was looked at for it */
	const struct standing *standing;  /* borrowed; only rows of the round `measured` are
					   * told of */
	const struct tally *tally;         /* borrowed: many targets, in place of a line for
					   * each; NULL: a line for each */
	uint64_t spool_rounds, spool_bytes; /* that wait for the store; not the one under way */
	struct wall spool_oldest;         /* since when the first of them waits; 0: none */
	uint64_t spool_refused;           /* that the store will never take */
	int64_t store_bytes;              /* with its log; -1: there is no store yet */
};

extern const struct word status_state_words[];

void status_count_round(struct status_rounds *d, const struct round *r);
enum status_state status_state(const struct status *s);
/* Text for people; p for the names of borders. */
void report_status(struct buf *out, const struct style *style, const struct status *s,
		   const struct profile *p);
/* {"type":"status","version":1,...} and a newline (doc/record.md). */
void status_write_json(struct buf *out, const struct status *s, const struct profile *p);

/* Whether the last measured round differs from the one before in what is worth a message: a border,
 * whether a destination answers, who the vantage point is. A hint, as of standing.h. */
bool status_changed(const struct status *s);
/* Text for people, of what status_changed found. */
void report_changes(struct buf *out, const struct style *style, const struct status *s,
		    const struct profile *p);

/* Pieces that a live view shows too: "in 12 min", "3 min ago". */
void status_put_moment(struct buf *out, struct wall at, struct wall now);
/* "203.0.113.2, Hetzner (AS24940), carried on by X (AS1299)"; nothing known: "not known yet". */
void status_put_identity(struct buf *out, const struct style *style, const struct round *r);
/* "4 of 4 measured, vantage healthy (1 of 1 reference hosts answered)". */
void status_put_round(struct buf *out, const struct style *style, const struct round *r);
/* "was Dandong / China, +96.2 ms, other path", into a cell of size bytes that is empty. */
void status_put_change(char *cell, size_t size, const struct standing_row *r,
		       const struct profile *p);
/* The border, other way or outcome of one round, for people. */
const char *status_border(const struct profile *p, const struct standing_round *n);

#endif

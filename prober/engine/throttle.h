// SPDX-License-Identifier: BSD-2-Clause
/*
 * Loss that our own speed causes, noticed and backed off from: one loop of control for one thing
 * that may be too slow for us, the path of a whole run or one router that limits its answers.
 *
 * It takes a sample of the probes that somebody is expected to answer, waits for what becomes of
 * each, and then judges. Too much lost: the pace is cut, from what was really sent (so it works
 * without any limit set) to what got through. The next sample tells whether that helped. A limit
 * lets through the same number whatever is sent, so its share rises as the pace falls; loss that
 * does not come from our speed keeps its share. After THROTTLE_FRUITLESS cuts without a gain the
 * pace goes back to where it was, and that much loss is tolerated from then on. When nothing more
 * is lost the pace grows by a fifth of the last cut's a second, until it no longer holds anything.
 *
 * Pure: no clock, no memory of its own; knows neither probes nor addresses.
 */
#ifndef PROBER_ENGINE_THROTTLE_H
#define PROBER_ENGINE_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"

enum { THROTTLE_FRUITLESS = 4 };

enum throttle_kind { THROTTLE_RUN, THROTTLE_ROUTER };

struct throttle {
	int64_t interval_ns;    /* of a probe; 0: this holds nothing */
	int64_t cut_ns;         /* interval after the last cut: what the recovery is a share of */
	int64_t high_ns;        /* interval when nothing held it yet, as really sent */
	struct mono cut_at;     /* last cut; INT64_MIN never */
	struct mono recovered;  /* the interval is right for this moment */
	struct mono faster_at;  /* when its growth last became faster */
	struct mono begun, ended; /* when the sample's probes left */
	struct mono from, to;   /* probes that left in between by throttle_sent are of the sample */
	int64_t fits_ns;        /* interval of what got through at the last cut; 0: not known */
	struct mono doubt;      /* since when too much of it is lost, with nothing out; 0: not */
	struct mono lost_at;    /* last loss */
	struct mono answered_at; /* last answer */
	uint32_t silent;        /* lost since then */
	struct mono heard_from, heard_to; /* when its answers came */
	uint32_t sent, answered, late, lost; /* of the sample; late ones are not among answered */
	uint32_t told;          /* of those sent: by throttle_told */
	uint32_t passed;        /* probes that left with them, and nobody is expected to answer */
	uint32_t cuts;          /* in all */
	float kept;             /* share that got through when the last cut was decided; < 0: no
				 * series of cuts is on */
	float tolerated;        /* share lost at any speed */
	float background;       /* the caller's: share lost for reasons that something else looks
				 * after; only what goes beyond it is held against this thing */
	uint8_t fruitless;      /* cuts in a row that gained nothing */
	uint8_t kind;           /* enum throttle_kind */
	bool open;              /* the sample still takes probes */
};

void throttle_init(struct throttle *t, enum throttle_kind kind, struct mono now);
/* A probe left that somebody is expected to answer. Each is settled once, by one of the four
 * below; sent: when it left. */
void throttle_sent(struct throttle *t, struct mono now);
/* One left that nobody is expected to answer: it takes its part of the pace. */
static inline void throttle_passed(struct throttle *t) { t->passed += t->open; }
/* It was answered; late: an answer that took so long that the queue on the way is the trouble. */
void throttle_answered(struct throttle *t, struct mono sent, bool late, struct mono now);
/* It was not. */
void throttle_lost(struct throttle *t, struct mono sent, struct mono now);
/* A probe left at `sent` without throttle_sent, because nobody was known then, and is settled now:
 * it counts as sent and as answered or lost, if the sample is still open and no cut lies
 * between. */
void throttle_told(struct throttle *t, struct mono sent, bool answered, struct mono now);
/* Nobody will know. */
void throttle_forgotten(struct throttle *t, struct mono sent, struct mono now);
/* Whether so much of the sample is lost that a cut is to be expected once the rest is settled. Who
 * holds back until then spares the probes in between. */
bool throttle_suspects(struct throttle *t, struct mono now);
/* Whether the loss of a probe that left at `sent` is to be put down to our speed, as far as is
 * known now. */
bool throttle_is_cause(const struct throttle *t, struct mono sent);
/* Share that is lost at present, 0..1, as far as is known. */
float throttle_loss(const struct throttle *t);
/* Probes a second that this lets through at most; 0: it holds nothing. */
uint32_t throttle_pps(const struct throttle *t);

#endif

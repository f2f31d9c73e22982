// SPDX-License-Identifier: BSD-2-Clause
/*
 * Several hosts stand for a prefix: which of them is measured. A host that was silent for
 * HOSTS_SILENT_ROUNDS rounds while we were healthy is suspect: in the next round the others of its
 * list are asked too. One that answers takes its place (a dead host: told as a substitute); if none
 * does, nothing changes: the prefix is silent, not the host. A silent round of a vantage point that
 * is offline counts for nothing. A pure state machine; it is rebuilt from the store's last rounds.
 */
#ifndef CAMPAIGN_HOSTS_H
#define CAMPAIGN_HOSTS_H

#include <stdbool.h>
#include <stdint.h>

#include "campaign/plan.h"
#include "core/record/round.h"
#include "core/record/trace.h"

enum { HOSTS_SILENT_ROUNDS = 3 };

struct hosts;

/* One row for each entry of the plan with several hosts. BP_ENOMEM. p is borrowed. */
int hosts_new(const struct campaign_plan *p, struct hosts **out);
void hosts_free(struct hosts *h);
/* Which host of an entry is measured in the coming round; and whether the others are asked too. */
unsigned hosts_active(const struct hosts *h, unsigned target);
bool hosts_ask_all(const struct hosts *h, unsigned target);
/* A trace to the host of an entry was finished in this round. */
void hosts_take(struct hosts *h, unsigned target, unsigned host, const struct trace *t);
/* The round is over: decides, writes substitutes into r. */
void hosts_end(struct hosts *h, struct round *r);
/* What an earlier run decided, oldest first: substitutes of the rounds in the store. */
void hosts_restore(struct hosts *h, const struct round *rounds, unsigned count);

#endif

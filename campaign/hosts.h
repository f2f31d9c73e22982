// SPDX-License-Identifier: BSD-2-Clause
/*
 * Several hosts stand for a prefix: which of them is measured. A host that was silent for
 * HOSTS_SILENT_ROUNDS rounds while we were not offline is suspect: in the next round the others of
 * its list are asked too. One that answers takes its place (a dead host: told as a substitute, in
 * every round that it stands for the first of the list); if none does, nothing changes: the prefix
 * is silent, not the host, and all are asked again after twice as many rounds, at most
 * HOSTS_ASK_ROUNDS. A substitute stays until it is silent itself. A pure state machine; it is
 * rebuilt from the store's last rounds, which say all of it.
 */
#ifndef CAMPAIGN_HOSTS_H
#define CAMPAIGN_HOSTS_H

#include <stdbool.h>
#include <stdint.h>

#include "campaign/plan.h"
#include "core/record/round.h"
#include "core/record/trace.h"

enum { HOSTS_SILENT_ROUNDS = 3, HOSTS_ASK_ROUNDS = 96 };

struct hosts;

/* One row for each entry of the plan with several hosts. BP_ENOMEM. p is borrowed. */
int hosts_new(const struct campaign_plan *p, struct hosts **out);
void hosts_free(struct hosts *h);
/* Which host of an entry is measured in the coming round; and whether the others are asked too. */
unsigned hosts_active(const struct hosts *h, unsigned target);
bool hosts_ask_all(const struct hosts *h, unsigned target);
/* A trace to the host of an entry was finished in this round. One that was cut short or could
 * not be measured says nothing of the host. */
void hosts_take(struct hosts *h, unsigned target, unsigned host, const struct trace *t);
/* How it stands, into r: substitutes, and who is silent (the first ROUND_SUBSTITUTES_MAX of each).
 * For a round that begins: should it be cut off, what was known is not lost with it. */
void hosts_tell(const struct hosts *h, struct round *r);
/* The round is over, its health known: decides, and tells. */
void hosts_end(struct hosts *h, struct round *r);
/* What an earlier run decided: the rounds of the store, oldest first; gaps among them say
 * nothing. */
void hosts_restore(struct hosts *h, const struct round *rounds, unsigned count);

#endif

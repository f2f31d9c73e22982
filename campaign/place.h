// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where what belongs to a campaign lies: beside its store, STORE.spool/NAME/ is its spool and
 * STORE.spool/NAME.lock the lock of the process that runs it; NAME is what the ids of its rounds
 * begin with. And what can be read there without being that process. Makes and writes nothing.
 */
#ifndef CAMPAIGN_PLACE_H
#define CAMPAIGN_PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "campaign/plan.h"
#include "core/clock.h"
#include "core/record/round.h"

enum { PLACE_TEXT = PATH_MAX + ROUND_ID_TEXT + 16 };

/* CAMPAIGN-VANTAGE. Returns out. */
const char *place_name(const struct campaign_plan *p, char out[static ROUND_ID_TEXT]);
/* spool_dir NULL: beside the store. Return out. */
const char *place_spool(const char *store_path, const char *spool_dir,
			const struct campaign_plan *p, char out[static PLACE_TEXT]);
/* The lock is beside the store, whatever the spool: two processes would meet in the store. */
const char *place_lock(const char *store_path, const struct campaign_plan *p,
		       char out[static PLACE_TEXT]);

/* What is to be delivered to those who are told of events: STORE.spool/NAME.alerts/. */
const char *place_outbox(const char *store_path, const struct campaign_plan *p,
			 char out[static PLACE_TEXT]);

/* *pid: the process that holds a lock; 0: none; -1: one that does not say. BP_EPERM: it may not be
 * read by us. */
int place_holder(const char *lock, int64_t *pid);

/* What waits in a spool: journals of rounds that ended, and, where nobody runs, of those cut
 * off. */
struct place_waiting {
	uint64_t rounds, bytes, refused;
	struct wall oldest; /* since when the first of them waits; 0: none */
};
/* A spool that is not there is empty. BP_EPERM: it may not be read by us. */
int place_look(const char *spool, bool running, struct place_waiting *out);

#endif

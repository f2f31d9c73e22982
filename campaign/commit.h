// SPDX-License-Identifier: BSD-2-Clause
/*
 * From the spool into the store: one round, in one transaction. Shared by the daemon and by
 * `campaign recover`. Announces nothing.
 */
#ifndef CAMPAIGN_COMMIT_H
#define CAMPAIGN_COMMIT_H

#include <stdbool.h>

#include "campaign/spool.h"
#include "campaign/store.h"
#include "core/err.h"
#include "core/record/round.h"

struct commit_end {
	bool again;   /* an earlier store had it (spool_again) */
	bool already; /* the store had this round, and nothing was changed */
	bool content; /* on failure: it refuses what it is given, and would again */
};

/* breathe is called between records, for whoever has other things to look after; may be NULL. After
 * 0 the round is durable and the spool waits for it no longer. Else the store is as it was, and the
 * error the store's or the journal's. */
int commit_round(struct store *s, struct spool *from, const struct round *r,
		 void (*breathe)(void *arg), void *arg, struct commit_end *end,
		 struct bp_error *err);

#endif

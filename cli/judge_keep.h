// SPDX-License-Identifier: BSD-2-Clause
/*
 * Judgements that go back into the store their traces came from, as rows of their own: the old ones
 * stay. In transactions of bounded size, beside whoever reads or writes there. A store that takes
 * none is told once, and judging goes on.
 */
#ifndef CLI_JUDGE_KEEP_H
#define CLI_JUDGE_KEEP_H

#include <stdint.h>

#include "campaign/store.h"

/* A transaction holds the store for some 0.1 s, so that a campaign never waits for long. */
enum { JUDGE_KEEP_BATCH = 2048 };

struct judge_keep {
	struct store *store;  /* NULL: closed, or it takes none */
	unsigned waiting;     /* in the transaction that is open */
	uint64_t kept, lost;  /* committed; judged, but not kept */
};

/* A zeroed struct is closed. url as in store_open. */
void judge_keep_open(struct judge_keep *k, const char *url);
void judge_keep_add(struct judge_keep *k, const char *trace_id, const struct names *names,
		    const struct verdict *v, struct wall judged_at);
/* Commits what waits, and closes. */
void judge_keep_close(struct judge_keep *k);

#endif

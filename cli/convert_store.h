// SPDX-License-Identifier: BSD-2-Clause
/*
 * convert --to store: records into a store, in transactions that end with a round. What a store has
 * no place for is handed back; nothing that is there already comes twice.
 */
#ifndef CLI_CONVERT_STORE_H
#define CLI_CONVERT_STORE_H

#include "campaign/store.h"

struct convert_store {
	struct store *store;
	struct wall at; /* of the last trace, for what stands behind it */
	char vantage[TRACE_VANTAGE_TEXT], campaign[TRACE_CAMPAIGN_TEXT], round[TRACE_ID_TEXT];
	unsigned waiting; /* records in the transaction; 0: none is open */
	unsigned days;	  /* so often a trace in it was of another day than the one before it */
	int64_t day;
};

/* name: sqlite:FILE, a store's FILE, postgresql://... */
int convert_store_open(struct convert_store *c, const char *name, struct bp_error *err);
/* BP_EFOREIGN: no record for a store; BP_EPARSE: not what its type says; nothing was added. All
 * else is fatal: what was not committed is undone. */
int convert_store_add(struct convert_store *c, const struct record *r, struct bp_error *err);
/* Commits what waits, unless it failed before. */
int convert_store_close(struct convert_store *c, bool failed, struct bp_error *err);

#endif

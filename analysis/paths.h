// SPDX-License-Identifier: BSD-2-Clause
/*
 * Several flows of one target seen together: which addresses answered at which TTL, which links
 * connect them, and how many flows took each. Links are only between TTLs next to each other within
 * one flow: a silent hop makes a gap, never a link. Owns its arrays. Judges nothing; the caller
 * adds the verdict over the flows.
 */
#ifndef ANALYSIS_PATHS_H
#define ANALYSIS_PATHS_H

#include <stdint.h>

#include "core/buf.h"
#include "core/record/trace.h"
#include "core/record/verdict.h"

struct paths_node {
	uint8_t ttl;
	struct addr addr;
	uint32_t flows;
};

struct paths_link {
	uint8_t ttl; /* of `from`; `to` is at ttl + 1 */
	struct addr from, to;
	uint32_t flows;
};

/* How many flows a border (or "other", "mixed", "undetermined", "none") has. */
struct paths_share {
	char id[VERDICT_ID_TEXT];
	uint32_t flows;
};
enum { PATHS_SHARES_MAX = VERDICT_BORDERS_MAX + 4 };

struct paths {
	uint32_t flows, reached;           /* traces added; of them at the destination */
	uint32_t node_count, node_room, link_count, link_room;
	struct paths_node *nodes;          /* sorted by ttl, address */
	struct paths_link *links;          /* sorted by ttl, from, to */
	uint32_t share_count;
	struct paths_share shares[PATHS_SHARES_MAX]; /* in order of first appearance */
	struct trace *merged;              /* owned: all entries as if one trace, for one table */
};

void paths_init(struct paths *p);
void paths_fini(struct paths *p);
/* Adds the trace of one more flow and counts its own verdict. BP_ENOMEM. */
int paths_add(struct paths *p, const struct trace *t, const struct verdict *v);
/* Appends {"type":"paths",...} and a newline. verdict over the flows may be NULL. */
void paths_write_json(struct buf *out, const struct paths *p, const struct verdict *verdict);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * Several flows of one target seen together: which addresses answered at which TTL, which links
 * connect them, and how many flows took each. Links are only between TTLs next to each other within
 * one flow: a silent hop makes a gap, never a link; nor does one router that answers at two TTLs.
 * Owns its arrays. Judges nothing; the caller adds the verdict over the flows.
 */
#ifndef ANALYSIS_PATHS_H
#define ANALYSIS_PATHS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/json.h"
#include "core/record/frame.h"
#include "core/record/trace.h"
#include "core/record/verdict.h"

struct paths_node {
	uint8_t ttl;
	struct addr addr;
	uint32_t flows;    /* that pass it */
	uint32_t asked;    /* of those: answered by it, not taken to pass what all others passed */
	uint8_t balancing; /* enum balancing among the next hops; NONE: one, or nobody looked */
	bool split;        /* one flow was sent on to several next hops */
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
	bool searched;                     /* by multipath: the rest is valid */
	bool cut;                          /* as in struct frame_paths, as the next */
	uint8_t level;
	double confidence;
	uint8_t source_balancing;          /* enum balancing among the first hops */
};

void paths_init(struct paths *p);
void paths_fini(struct paths *p);
/* Adds the trace of one more flow and counts its own verdict. BP_ENOMEM. */
int paths_add(struct paths *p, const struct trace *t, const struct verdict *v);
/* The part of it that only a verdict is needed for; `flows` is the caller's to count. */
void paths_count_share(struct paths *p, const struct verdict *v);
/* After the last flow of a multipath target: what its search says of nodes and links. Links between
 * two TTLs of several nodes that packets took by chance go: nobody knows which of them exist. */
void paths_searched(struct paths *p, const struct frame_paths *f);
/* The 95 % interval of a share of k of n (E. B. Wilson, 1927); [0, 1] for n 0. */
void paths_interval(uint32_t k, uint32_t n, double *low, double *high);
/* Nodes at one TTL: their index is [*begin, returned + *begin). */
uint32_t paths_nodes_at(const struct paths *p, uint8_t ttl, uint32_t *begin);
/* How many links lead on from a node. */
unsigned paths_ways_from(const struct paths *p, const struct paths_node *node);
/* The members that depend on verdicts alone, as objects; key NULL: as a value of its own. */
void paths_put_shares(struct json_writer *w, const char *key, const struct paths *p);
void paths_put_counts(struct json_writer *w, const char *key, const struct paths *p);
/* Appends {"type":"paths",...} and a newline. verdict over the flows may be NULL. */
void paths_write_json(struct buf *out, const struct paths *p, const struct verdict *verdict);

#endif

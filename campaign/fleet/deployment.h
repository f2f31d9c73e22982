// SPDX-License-Identifier: BSD-2-Clause
/*
 * Campaigns as they were handed to a fleet: who runs them, when in the interval, which networks
 * they probe, and what share of the fleet's budget for a network each vantage point may use. It is
 * the key deployed.CAMPAIGN of BP_FLEET (doc/fleet-protocol.md). Values and arithmetic.
 */
#ifndef CAMPAIGN_FLEET_DEPLOYMENT_H
#define CAMPAIGN_FLEET_DEPLOYMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "campaign/fleet/bus.h"
#include "campaign/fleet/roster.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/prefixset.h"
#include "core/record/trace.h"

enum {
	DEPLOYMENT_VERSION = 1,
	DEPLOYMENTS_MAX = 256,          /* campaigns of a fleet */
	DEPLOYMENT_NETWORKS_MAX = 4096,
};

struct deployment_seat {
	char vantage[BUS_NAME_TEXT];
	unsigned slot;                  /* derive_offset's */
};

struct deployment {
	char campaign[TRACE_CAMPAIGN_TEXT];
	struct wall at;                 /* when it was last deployed */
	char tool[TRACE_TOOL_TEXT];
	int64_t every_ns, offset_ns, jitter_ns; /* as its plan has them */
	uint64_t prefix_mpps;           /* likewise, thousandths of a packet a second; 0: max */
	struct prefixset networks;      /* settled; none longer than /24 or /48 */
	struct deployment_seat *seats;  /* owned */
	unsigned seats_count;
	/* by deployment_settle: */
	uint64_t share_mpps;            /* of each vantage point, thousandths; not 0 */
	int64_t beat_ns;                /* what all intervals of its group are multiples of */
	int64_t shift_ns;               /* offset_ns, less what would undo the slots */
	unsigned slots;                 /* one more than the highest of its group */
	bool changed;                   /* since it was read, for who writes it */
};

void deployment_fini(struct deployment *d);
int deployment_read(const char *name, const char *bytes, size_t n, struct deployment *out,
		    struct bp_error *err);
void deployment_put(struct buf *out, const struct deployment *d);

/* Adds a prefix that is probed, widened to its network. BP_ENOMEM; settle it afterwards. */
int deployment_add_network(struct deployment *d, struct prefix p);
bool deployment_has(const struct deployment *d, const char *vantage);
/* Seats for exactly these; who has one keeps it, others get the lowest that are free. BP_ENOMEM. */
int deployment_seat(struct deployment *d, const char *const *vantages, unsigned count);

/*
 * Campaigns that meet in a network, by themselves or by way of others, are a group. Of each group:
 *
 * slots	no two seats have the same, so that no two rounds are due together, of whatever
 *		campaign. Who has had his the longest keeps it; another's is `changed`.
 * shares	together all vantage points have at most the budget, each the same part, and no
 *		more than the plan says: whole packets a second where it is one or more, else
 *		thousandths. One that runs several campaigns does so in one process, which spares a
 *		network for all of them at once: it counts once.
 *
 * BP_ERANGE, with the numbers: more campaigns or seats than there can be.
 */
int deployment_settle(struct deployment *all, unsigned count, uint32_t budget_pps,
		      struct bp_error *err);
/* Of seat i, settled. */
int64_t deployment_offset(const struct deployment *d, unsigned i);
int64_t deployment_jitter(const struct deployment *d);

#endif

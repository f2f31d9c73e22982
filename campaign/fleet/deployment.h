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
	uint32_t prefix_pps;            /* likewise; 0: max */
	struct prefixset networks;      /* settled; none longer than /24 or /48 */
	struct deployment_seat *seats;  /* owned */
	unsigned seats_count;
	uint32_t share_pps;             /* of each vantage point; by deployment_share */
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
/* One more than the highest slot that is taken. */
unsigned deployment_slots(const struct deployment *d);

/* Sets share_pps of each: of campaigns that meet in a network (by themselves, or by way of others)
 * all vantage points together get equal parts of the budget, each at most what the plan says. One
 * that runs several of them does so in one process, which spares a network for all of them at once:
 * it counts once. BP_ERANGE, with the numbers: less than one packet a second each. */
int deployment_share(struct deployment *all, unsigned count, uint32_t budget_pps,
		     struct bp_error *err);

#endif

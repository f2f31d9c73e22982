// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a vantage point says of itself (BP_STATUS), and what the centre says of it (BP_CENTRE), as
 * values (doc/fleet-protocol.md). Whoever has an agent's key wrote the first: it is bounded, and
 * believed in nothing that the broker or the centre knows better. Private to cli/fleet.
 */
#ifndef CLI_FLEET_STATE_H
#define CLI_FLEET_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "campaign/fleet/batch.h"
#include "campaign/fleet/bus.h"
#include "core/clock.h"
#include "core/err.h"

/* An agent speaks every half a minute. */
#define STATE_SILENT_NS (150 * NS_PER_S)
/* A collector does, too; nobody cuts it off but its own end. */
#define STATE_COLLECT_SILENT_NS (90 * NS_PER_S)
/* No vantage point can be called so. */
#define STATE_COLLECT_KEY "collect="

enum {
	STATE_PLANS_MAX = 32,
	STATE_REASON_TEXT = 256,
	STATE_WORD_TEXT = 24,
};

struct state_plan {
	char campaign[BUS_NAME_TEXT], state[STATE_WORD_TEXT], reason[STATE_REASON_TEXT];
	int64_t revision, running;
	struct wall next;
};

struct state {
	char vantage[BUS_NAME_TEXT];
	/* of the agent; stamp 0: it never said anything */
	struct wall stamp;               /* the broker's, of its last word */
	struct wall at;                  /* its own clock's, then */
	char wrong[STATE_REASON_TEXT];   /* why its word cannot be read; empty: it can */
	char tool[64];
	struct state_plan plans[STATE_PLANS_MAX];
	unsigned plans_count;
	int64_t spool_rounds, spool_traces, spool_bytes, spool_bytes_max, lost_traces, lost_rounds;
	struct wall oldest;
	int64_t cut, confirmed, denied;
	char health[STATE_WORD_TEXT], address[64], egress[96], transit[96];
	int64_t references_asked, references_answered;
	char asn_built[STATE_WORD_TEXT], country_built[STATE_WORD_TEXT];
	char last_error[STATE_REASON_TEXT];
	/* of the centre */
	bool centre_known;
	struct wall last_batch_at;
	int64_t refused[BATCH_REFUSALS];
	struct wall refused_at;
	char refused_why[STATE_WORD_TEXT], refused_text[STATE_REASON_TEXT];
};

/* What the collectors say of themselves, whichever spoke last; stamp 0: none ever did. */
struct state_collect {
	struct wall stamp;              /* the broker's */
	struct wall since;              /* the store is the fleet's */
	bool store_answers;
	char wrong[64];                 /* why it cannot be read; empty: it can */
	char tool[64], store[STATE_WORD_TEXT], why[STATE_REASON_TEXT];
};

struct states { struct state *items; unsigned count; struct state_collect collect; };

/* Both buckets. Owned: states_fini. */
int states_read(struct bus *b, struct states *out, struct bp_error *err);
void states_fini(struct states *s);
/* NULL: neither has said anything. */
const struct state *states_find(const struct states *s, const char *vantage);
const struct state_plan *state_plan_of(const struct state *s, const char *campaign);
/* What a vantage point makes of the revision that lies there for it (0: none does): "running", and
 * not only when it was last heard; "waiting", "refused", "silent", "unheard", "missing". s may be
 * NULL. */
const char *state_plan_word(const struct state *s, const char *campaign, uint64_t revision,
			    struct wall now);
/* Its clock against the broker's, when it last spoke; 0: not known. */
int64_t state_clock_offset(const struct state *s);

#endif

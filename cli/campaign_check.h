// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a plan would do, as facts: gathered by campaign_check.c, doubted by campaign_doubts.c, shown
 * by campaign_check_show.c. Nothing is sent; host names are looked up.
 */
#ifndef CLI_CAMPAIGN_CHECK_H
#define CLI_CAMPAIGN_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "campaign/feed.h"
#include "campaign/plan.h"
#include "cli/manners.h"
#include "core/buf.h"
#include "core/prefixset.h"
#include "geo/profile.h"

enum {
	CHECK_STARTS = 3,
	/* In the store, a trace of FORECAST_HOPS hops, indexes included (make bench-store). */
	CHECK_TRACE_BYTES = 190,
	/* A round's own row, with its object: tests/unit/campaign/run/test_year.c. */
	CHECK_ROUND_BYTES = 1000,
	CHECK_NETWORKS_SHOWN = 8, /* without -v */
};

/* Lines of text, each ended. */
struct check_lines { struct buf text; unsigned count; };

struct check {
	struct campaign_plan *plan;
	struct profile *profile;
	struct plan_run run;
	struct prefixset avoid;          /* all do-not-probe lists, this machine's own too */
	struct prefixset inside;         /* the profile's network */
	struct feed *feed;               /* the next round's */
	struct manners manners;
	struct forecast forecast;        /* of a round */
	struct prefix look_at;           /* none: no closer looks; else where they cost the most */
	struct forecast look;            /* of one there */
	uint64_t avoided, never;         /* destinations on users' lists; on this machine's alone */
	unsigned methods;                /* bits 1 << METHOD_* */
	unsigned standby;                /* hosts that stand by */
	struct wall starts[CHECK_STARTS]; /* 0: there is none */
	struct check_lines faults;       /* it cannot run so */
	struct check_lines warnings;
};

/* What else a plan is read with; NULL: nothing. */
struct check_with { const char *profile, *contact_path, *avoid_path, *store; };
/* Reads a plan, gathers what its next round would be, and doubts it; *out is zeroed before, and
 * must stay where it is. One line in err with the file. check_fini frees, also after a failure. */
int check_load(const char *file, const struct check_with *with, struct check *out,
	       struct bp_error *err);
void check_fini(struct check *c);
/* Forecasts anew with a cap per network (thousandths of a packet a second); warnings and faults are
 * what is to be said of that alone. BP_ENOMEM. */
int check_slower(struct check *c, uint64_t prefix_mpps);

/* Rounds a day. */
static inline double check_rounds(const struct check *c)
{
	return 86400e9 / (double)c->plan->every_ns;
}

/* Looks of one event: `for` long, every `every`. */
static inline uint64_t check_looks(const struct check *c)
{
	return (uint64_t)(c->plan->on_event_for_ns / c->plan->on_event_every_ns);
}

/* Traces that the store gets of a round: the probes' paths, and with multipath several of each. */
uint64_t check_traces(const struct check *c);

__attribute__((format(printf, 2, 3)))
void check_say(struct check_lines *lines, const char *fmt, ...);
/* A duration as a person says it: 90 s, 15 min, 6 h, 400 days. */
void check_put_duration(struct buf *out, int64_t ns);
/* What is wrong with it, and what is only bad manners. */
void check_doubt(struct check *c);
/* Of that, whether a round takes too long. */
void check_doubt_time(struct check *c);
/* What two plans do to each other. */
void check_doubt_pair(struct check *one, const struct check *other);

void check_show_text(struct buf *out, const struct check *c, unsigned verbose);
void check_show_json(struct buf *out, const struct check *c);
/* Of several plans together. BP_ENOMEM. */
int check_show_total(struct buf *out, const struct check *checks, unsigned count, bool json,
		     unsigned verbose);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * The plan of a campaign (INTERFACE "The plan of a campaign, YAML"): what is measured, how often, how
 * politely, who measures and where it is kept. Read by libcyaml through geo/yamldoc; every refusal
 * says file:line:column. Owns the grammar; schedules and measures nothing.
 */
#ifndef CAMPAIGN_PLAN_H
#define CAMPAIGN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "campaign/contact.h"
#include "core/addr.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/record/trace.h"

enum {
	CAMPAIGN_HOSTS_MAX = 16,      /* that stand for one entry */
	CAMPAIGN_REFERENCES_MAX = 16,
	CAMPAIGN_EVERY_MIN_S = 10,
	CAMPAIGN_URL_TEXT = 512,
};

/* How an entry is measured; 0 or METHOD_UNKNOWN: the plan's, then the profile's, then the default. */
struct campaign_how {
	uint8_t method;       /* enum method */
	uint16_t port;
	uint16_t flows;       /* flows 0..flows-1, judged together */
	uint8_t attempts, multipath, first_ttl, max_ttl, gap_limit;
	uint32_t wait_ms;
};

/* One entry of `targets`. */
struct campaign_target {
	char **hosts;         /* owned words: host, address, prefix or @FILE. The first is measured; the
			       * others stand by to take its place when it dies (only addresses and
			       * names) */
	unsigned hosts_count; /* >= 1 */
	char *name;           /* for people; NULL: the word itself */
	struct campaign_how how;
	struct wall since, until; /* 0: open */
	unsigned index;       /* in the YAML list, for messages */
};

struct campaign_plan {
	char file[256];                  /* as given, for messages */
	char campaign[TRACE_CAMPAIGN_TEXT];
	char vantage[TRACE_VANTAGE_TEXT]; /* the host's name when the plan has none */
	bool place_known;
	double lat, lon;
	struct addr public_addr;         /* vantage.address: where NAT hides it; none: not said */
	char *profile;                   /* owned; NAME or FILE; default "dprk" */
	int64_t every_ns, offset_ns, jitter_ns; /* jitter < every; default: a 20th of every, at most
					  * 30 s */
	struct wall since, until;        /* 0: open */
	bool targets_of_profile;
	struct campaign_target *targets; /* owned; empty when of the profile */
	unsigned targets_count;
	struct campaign_how how;         /* for all */
	uint32_t rate_pps, prefix_pps;   /* polite defaults of prober/plan.h */
	struct addr references[CAMPAIGN_REFERENCES_MAX];
	unsigned references_count;
	char store[CAMPAIGN_URL_TEXT];   /* sqlite:FILE, postgresql://...; empty: the default store */
	int64_t keep_traces_ns, keep_hourly_ns; /* 0: for ever */
	/* Read and checked; acted upon by the event engine. */
	bool on_event; int64_t on_event_every_ns, on_event_for_ns;
	bool alerts, metrics;
	bool contact_known;
	struct contact contact;
};

/* Reads FILE ("-" is stdin). BP_ENOTFOUND, BP_EPARSE and BP_ERANGE with name:line:column. *out is
 * owned: campaign_plan_free. */
int campaign_plan_load(const char *path, struct campaign_plan **out, struct bp_error *err);
int campaign_plan_parse(const char *name, const char *yaml, size_t n, struct campaign_plan **out,
			struct bp_error *err);
void campaign_plan_free(struct campaign_plan *p);

#endif

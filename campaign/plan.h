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
#include "geo/profile.h"

enum {
	CAMPAIGN_HOSTS_MAX = 16,      /* that stand for one entry */
	CAMPAIGN_REFERENCES_MAX = 16,
	CAMPAIGN_TARGETS_MAX = 4096,  /* entries; a prefix is one, and so is a file */
	CAMPAIGN_FLOWS_MAX = 1024,
	CAMPAIGN_EVERY_MIN_S = 1,
	CAMPAIGN_URL_TEXT = 512,
};

/* How an entry is measured; 0 or METHOD_UNKNOWN: the plan's, the profile's, or the default. */
struct campaign_how {
	uint8_t method;       /* enum method */
	uint16_t port;        /* host order */
	uint16_t flows;       /* flows 0..flows-1, judged together */
	uint8_t attempts, multipath, first_ttl, max_ttl;
	uint8_t gap_limit;    /* 255, which no path reaches, where the plan says 0: none */
	uint32_t wait_ms;
};

/* One entry of `targets`. */
struct campaign_target {
	/* Owned words: host, address, prefix or @FILE (relative to the plan's directory, made so
	 * already). The first is measured; the others, only addresses and names, stand by to take
	 * its place when it dies. */
	char **hosts;
	unsigned hosts_count; /* >= 1 */
	char *name;           /* for people; NULL: the word itself */
	struct campaign_how how;
	struct wall since, until; /* 0: open */
	unsigned index;       /* in the YAML list, for messages */
};

enum campaign_body { CAMPAIGN_BODY_EVENT, CAMPAIGN_BODY_ALERTMANAGER };

struct campaign_plan {
	char file[256];                  /* as given, for messages */
	char campaign[TRACE_CAMPAIGN_TEXT];
	char vantage[TRACE_VANTAGE_TEXT]; /* the host's name when the plan has none */
	bool place_known;
	double lat, lon;
	struct addr public_addr;         /* vantage.address: where NAT hides it; none: not said */
	char *profile;                   /* owned; NAME or FILE; default "dprk" */
	char *held;                      /* owned: all of the plan, where it holds its profile
					  * (profile: {...}; `profile` is its id then); else NULL */
	size_t held_n;
	int64_t every_ns, offset_ns, jitter_ns; /* jitter < every; default: a 20th of every, at most
					  * 30 s */
	struct wall since, until;        /* 0: open */
	bool targets_of_profile;
	struct campaign_target *targets; /* owned; empty when of the profile */
	unsigned targets_count;
	struct campaign_how how;         /* for all */
	uint32_t rate_pps;               /* 0: max, where this machine allows it; polite defaults of
					  * prober/plan.h */
	uint64_t prefix_mpps;            /* likewise, in thousandths */
	struct addr references[CAMPAIGN_REFERENCES_MAX];
	unsigned references_count;
	char store[CAMPAIGN_URL_TEXT];   /* sqlite:FILE, postgresql://...; empty: the default one */
	int64_t keep_traces_ns, keep_hourly_ns; /* 0: for ever */
	int64_t flapping_ns;             /* four changes within it are one flapping; 0: an hour */
	/* Empty: not said. */
	bool on_event; int64_t on_event_every_ns, on_event_for_ns;
	bool alerts, metrics;
	char webhook_url[CAMPAIGN_URL_TEXT], webhook_secret[CAMPAIGN_URL_TEXT];
	uint8_t webhook_body;            /* enum campaign_body */
	char alert_exec[CAMPAIGN_URL_TEXT];
	char metrics_listen[64], metrics_textfile[CAMPAIGN_URL_TEXT];
	bool contact_known;
	struct contact contact;
};

/* Reads FILE ("-" is stdin). BP_ENOTFOUND, BP_EPARSE and BP_ERANGE with name:line:column. *out is
 * owned: campaign_plan_free. */
int campaign_plan_load(const char *path, struct campaign_plan **out, struct bp_error *err);
int campaign_plan_parse(const char *name, const char *yaml, size_t n, struct campaign_plan **out,
			struct bp_error *err);
void campaign_plan_free(struct campaign_plan *p);
/* The profile that it holds or names; `instead` (may be NULL): of that name or file. As
 * profile_load. */
int campaign_plan_profile(const struct campaign_plan *p, const char *instead, struct profile **out,
			  struct bp_error *err);
/* Whether it is asked to learn of our own health, and not for itself. */
bool campaign_plan_is_reference(const struct campaign_plan *p, struct addr a);

/* How an entry is measured in the end: each value from the entry, else the plan, else the profile's
 * target (method and port only), else prober/plan.h's defaults. A port counts where its own level's
 * method, if it names one, is the one chosen. flows of a nearer level switch multipath off and the
 * other way round. Every field of *out is set, but multipath (0: off) and the port of icmp. */
void campaign_how_settle(const struct campaign_how *entry, const struct campaign_how *plan,
			 uint8_t profile_method, uint16_t profile_port, struct campaign_how *out);
/* metrics.listen: ADDRESS:PORT or [ADDRESS]:PORT. BP_EPARSE. */
int campaign_listen(const char *text, struct addr *address, uint16_t *port);
/* From the vantage point's name: the ports of its flows, the same from run to run. Needs
 * sodium_init. */
uint64_t campaign_seed(const char *vantage);

#endif

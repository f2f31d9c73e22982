// SPDX-License-Identifier: BSD-2-Clause
/*
 * The plan of a campaign as it is written: all values are text, as libcyaml loads them.
 * plan_build.c makes the typed struct campaign_plan of it and checks what the text means.
 * plan_schema.c names every key.
 */
#ifndef CAMPAIGN_PLAN_RAW_H
#define CAMPAIGN_PLAN_RAW_H

#include "campaign/plan.h"
#include "geo/yamldoc.h"

/* Optional texts are NULL when the key is not there. */
struct raw_how {
	const char *method, *port, *flows, *attempts, *multipath, *first_ttl, *max_ttl, *gap_limit,
		*wait;
};

struct raw_entry {
	const char *host;
	const char **hosts;
	unsigned hosts_count;
	const char *name;
	struct raw_how how;
	const char *since, *until, *source;
};

struct raw_vantage { const char *name, *lat, *lon, *address; };
struct raw_on_event { const char *every, *duration; };
struct raw_events { const char *flapping; };
struct raw_keep { const char *traces, *hourly; };
struct raw_webhook { const char *url, *secret_file, *format; };
struct raw_alerts { struct raw_webhook *webhook; const char *exec; };
struct raw_metrics { const char *listen, *textfile; };
struct raw_who { const char *who, *url, *mail; };

struct raw_campaign {
	const char *campaign, *profile, *every, *offset, *jitter, *since, *until;
	struct raw_vantage *vantage;
	struct raw_entry *targets;
	unsigned targets_count;
	struct raw_how how;
	const char *rate_pps, *per_prefix_rate_pps;
	struct raw_on_event *on_event;
	struct raw_events *events;
	const char **reference;
	unsigned reference_count;
	const char *store;
	struct raw_keep *keep;
	struct raw_alerts *alerts;
	struct raw_metrics *metrics;
	struct raw_who *contact;
};

extern const cyaml_schema_value_t campaign_plan_schema;

/* Fills p (zeroed, p->file set) from raw, copying every text. profile_alone: `targets` is a single
 * word. On failure p holds what campaign_plan_free frees. */
int campaign_plan_build(const struct yamldoc *doc, const struct raw_campaign *raw,
			bool profile_alone, struct campaign_plan *p, struct bp_error *err);
/* Checks between entries: a destination named twice, a reference host that is a target. */
int campaign_plan_cross(const struct yamldoc *doc, const struct campaign_plan *p,
			struct bp_error *err);

#endif

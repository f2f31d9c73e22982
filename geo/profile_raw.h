// SPDX-License-Identifier: BSD-2-Clause
/*
 * A profile as it is written: all values are text, as libcyaml loads them. profile_build.c makes
 * the typed struct profile of it and checks what the text means. The schema names every key.
 */
#ifndef GEO_PROFILE_RAW_H
#define GEO_PROFILE_RAW_H

#include "geo/profile.h"
#include "geo/yamldoc.h"

enum {
	PROFILE_BORDERS_MAX = 16, /* VERDICT_BORDERS_MAX: a verdict has room for no more */
	PROFILE_LIST_MAX = 4096,
	PROFILE_TEXT_MAX = 95,    /* names and labels fit the record's fields */
};

/* Optional texts are NULL when the key is not there. */
struct raw_valid { const char *since, *until, *source; };
struct raw_place { const char *lat, *lon; };
struct raw_judge { const char *v4, *v6; };
struct raw_asn { const char *asn, *org; struct raw_valid valid; };
struct raw_prefix { const char *prefix, *asn, *label; struct raw_valid valid; };

struct raw_network {
	const char *name;
	const char **asn;
	unsigned asn_count;
	const char **prefixes;
	unsigned prefixes_count;
	struct raw_judge *judge_by;
	struct raw_place *place;
	struct raw_valid valid;
};

struct raw_border {
	const char *id, *name, *short_name, *country, *color;
	struct raw_place *place;
	struct raw_asn *networks;
	unsigned networks_count;
	struct raw_prefix *prefixes;
	unsigned prefixes_count;
	struct raw_valid valid;
};

struct raw_label {
	const char *prefix, *label, *org, *asn, *country, *border, *role;
	struct raw_valid valid;
};

struct raw_target { const char *host, *name, *method, *port; struct raw_valid valid; };

struct raw_profile {
	const char *profile, *version, *timezone;
	struct raw_network network;
	struct raw_border *borders;
	unsigned borders_count;
	struct raw_border *others; /* id, name, networks, prefixes */
	unsigned others_count;
	struct raw_label *labels;
	unsigned labels_count;
	struct raw_target *targets;
	unsigned targets_count;
};

extern const cyaml_schema_value_t profile_schema;

/* Fills p (zeroed, p->owned not used) from raw, whose texts p borrows. On failure p holds what
 * profile_build_fini frees. */
int profile_build(const struct yamldoc *doc, const struct raw_profile *raw, struct profile *p,
		  struct bp_error *err);
/* Checks between entries: ids used twice, one AS or prefix at two borders at a time. */
int profile_cross_check(const struct yamldoc *doc, const struct profile *p, struct bp_error *err);
void profile_build_fini(struct profile *p);

#endif

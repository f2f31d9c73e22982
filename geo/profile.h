// SPDX-License-Identifier: BSD-2-Clause
/*
 * The profile: a network with few ways in, its borders, targets and labels, as data (YAML read by
 * libcyaml, INTERFACE "The profile"). Every entry may carry since, until and source; an old record
 * is judged by what held at its time. Owns the grammar and its errors (file:line:column: what);
 * refuses unknown keys and wrong types. Judges nothing.
 */
#ifndef GEO_PROFILE_H
#define GEO_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/record/trace.h"

/* When an entry holds: [since, until), 0 is open. */
struct validity { struct wall since, until; const char *source; };
bool validity_holds(const struct validity *v, struct wall when);

struct profile_network { uint32_t asn; const char *org; /* may be NULL */ struct validity valid; };
/* asn 0: none told. */
struct profile_prefix { struct prefix prefix; uint32_t asn; const char *label;
			struct validity valid; };
struct profile_place { bool known; double lat, lon; };

struct profile_border {
	/* name and short_name fall back on the id; color is always "#rrggbb"; country may be NULL */
	const char *id, *name, *short_name, *country, *color;
	struct profile_place place;
	struct profile_network *networks;
	unsigned networks_count;
	struct profile_prefix *prefixes; /* address space of this border's carriers or routers */
	unsigned prefixes_count;
	struct validity valid;
};

/* The overlay: what an address range is, where the tables are silent or wrong. */
struct profile_label {
	struct prefix prefix;
	const char *label;  /* for people */
	const char *org;    /* may be NULL */
	uint32_t asn;       /* 0: none told */
	const char *country; /* may be NULL */
	const char *border; /* id of the border it belongs to, or NULL */
	const char *role;   /* NULL, "exchange" (exchange LAN: skipped in AS logic), "customer" (a
	                     * customer's router on a carrier's space), "border_router" */
	struct validity valid;
};

struct profile_target {
	const char *host;    /* address, prefix or name */
	const char *name;    /* for people, may be NULL */
	uint8_t method;      /* enum method; METHOD_UNKNOWN: the command's default */
	uint16_t port;       /* 0: default */
	struct validity valid;
};

/* Ways in that no border names (a satellite carrier...): speak for "other", with a name. */
struct profile_other {
	const char *id, *name;
	struct profile_network *networks;
	unsigned networks_count;
	struct profile_prefix *prefixes;
	unsigned prefixes_count;
	struct validity valid;
};

struct profile {
	char file[256];
	const char *id, *version, *network_name, *timezone;
	uint32_t *asns; unsigned asns_count;
	struct profile_prefix *prefixes; unsigned prefixes_count; /* the network itself */
	uint8_t judge_v4, judge_v6;       /* prefix length verdicts are kept per */
	struct profile_place place;       /* of the network (its capital), for light-speed checks */
	struct profile_border *borders; unsigned borders_count;
	struct profile_other *others; unsigned others_count;
	struct profile_label *labels; unsigned labels_count;
	struct profile_target *targets; unsigned targets_count;
	void *owned;                      /* the parsed document; profile_free */
};

/* name_or_file: a path (contains '/' or ends in .yaml) or a name looked up as NAME.yaml in
 * profiles/ beside the program's build tree, $XDG_CONFIG_HOME/borderpath/profiles,
 * /etc/borderpath/profiles, PREFIX/share/borderpath/profiles. */
int profile_load(const char *name_or_file, struct profile **out, struct bp_error *err);
/* From memory; name is for messages. */
int profile_parse(const char *name, const char *yaml, size_t n, struct profile **out,
		  struct bp_error *err);
/* The same of what stands at `part` of a larger document, a plan that holds its profile. */
int profile_parse_part(const char *name, const char *yaml, size_t n, const char *part,
		       struct profile **out, struct bp_error *err);
/* Whether profile_load takes it for a path. */
bool profile_is_file(const char *name_or_file);
void profile_free(struct profile *p);

/* Whether a is inside the network at that time: by prefix only, never by a country. */
bool profile_inside(const struct profile *p, struct addr a, struct wall when);
/* The prefix verdicts are kept under (175.45.176.0/24), len 0 when outside. */
struct prefix profile_judge_prefix(const struct profile *p, struct addr a);
/* The narrowest label that holds, or NULL. */
const struct profile_label *profile_label(const struct profile *p, struct addr a, struct wall when);
/* Index into borders, or -1. By AS number; by prefix (narrowest). */
int profile_border_of_asn(const struct profile *p, uint32_t asn, struct wall when);
int profile_border_of_addr(const struct profile *p, struct addr a, struct wall when);
/* The same for `others`. Of all prefixes of borders and others the narrowest one decides, so at
 * most one of profile_border_of_addr and profile_other_of_addr is not -1. */
int profile_other_of_asn(const struct profile *p, uint32_t asn, struct wall when);
int profile_other_of_addr(const struct profile *p, struct addr a, struct wall when);
/* That narrowest prefix, or NULL. */
const struct profile_prefix *profile_prefix_of_addr(const struct profile *p, struct addr a,
						    struct wall when);

#endif

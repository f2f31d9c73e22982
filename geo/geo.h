// SPDX-License-Identifier: BSD-2-Clause
/*
 * NAME: what the databases and the overlay say of an address. Two MMDB files (ASN, country), both
 * key layouts (MaxMind's nested keys and the flat `country_code`), plus the profile's dated labels,
 * which cover what no table has. Owns opening, look-up, build dates, hashes. geo/mmdb.c is the only
 * file that includes maxminddb.h. Judges nothing.
 */
#ifndef GEO_GEO_H
#define GEO_GEO_H

#include "core/addr.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/record/names.h"

struct profile;
struct geo;

/* Opens the databases. A NULL path looks in the defaults (build/geodata beside the program,
 * $XDG_DATA_HOME/borderpath, /var/lib/borderpath, then /usr/share/GeoIP and /var/lib/GeoIP with
 * GeoLite2-*.mmdb names); a given path that does not open is an error, a default that is not there
 * or is damaged is not: geo then works without it and geo_warning says so. profile may be NULL:
 * no overlay. *out is owned; geo_close. */
int geo_open(const char *asn_path, const char *country_path, const struct profile *profile,
	     struct geo **out, struct bp_error *err);
void geo_close(struct geo *g);

/* Fills asn, org, country, label, source of one address at a time (the overlay is dated; when 0
 * means now). Never fails: what is not known stays empty. Cached per address by the caller. Several
 * threads may ask at a time. */
void geo_lookup(const struct geo *g, struct addr a, struct wall when, struct name *out);
/* Which data answers, for the record. The first call hashes the files (filehash.h: cached between
 * runs), so call it when a record is written, not for a look-up. Borrowed. */
const struct geo_source *geo_source(const struct geo *g);

/* Warnings for people, one line each: no database, data older than GEO_OLD_DAYS, an IPv4-only tree.
 * i from 0; NULL after the last. */
enum { GEO_OLD_DAYS = 180 };
const char *geo_warning(const struct geo *g, unsigned i);

/* What `geo status` tells of one database; texts are borrowed from g. */
enum geo_db { GEO_DB_ASN, GEO_DB_COUNTRY };
struct geo_db_about {
	const char *path, *type, *description;
	const char *layout;     /* whose keys */
	struct wall built;      /* 0: the file does not say */
	int64_t age_days;
	uint64_t bytes;
	uint8_t ip_version;     /* 4: answers nothing for IPv6 */
};
/* BP_ENOTFOUND: that database is not open. */
int geo_about(const struct geo *g, enum geo_db which, struct geo_db_about *out);
/* Reads the whole database (seconds). BP_ENOTFOUND, BP_EPARSE (damaged). */
int geo_verify(const struct geo *g, enum geo_db which, uint64_t *records, struct bp_error *err);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/* Two databases and the overlay as one question: who is this address. */
#include "geo/geo.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "geo/filehash.h"
#include "geo/mmdb.h"
#include "geo/overlay.h"
#include "geo/places.h"

enum { WARNINGS_MAX = 6, WARNING_TEXT = 1280 };

struct geo {
	struct mmdb *db[2];            /* by enum geo_db; NULL: without it */
	const struct profile *profile; /* borrowed; may be NULL */
	char warnings[WARNINGS_MAX][WARNING_TEXT];
	unsigned warnings_count;
	/* What look-ups and geo_source, whose handle is const, find out on the way. */
	struct learnt {
		struct geo_source source;
		bool hashed;
		_Atomic uint64_t damaged[2]; /* of all threads */
		char warning[2][WARNING_TEXT];
	} *learnt;
};

static const struct {
	enum mmdb_kind kind;
	enum places_db place;
	const char *option, *what;
} databases[] = {
	[GEO_DB_ASN] = {MMDB_KIND_ASN, PLACES_ASN, "--asn-db", "AS numbers"},
	[GEO_DB_COUNTRY] = {MMDB_KIND_COUNTRY, PLACES_COUNTRY, "--country-db", "countries"},
};

static void warn(struct geo *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void warn(struct geo *g, const char *fmt, ...)
{
	va_list ap;

	if (g->warnings_count == WARNINGS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(g->warnings[g->warnings_count++], WARNING_TEXT, fmt, ap);
	va_end(ap);
}

static int open_db(struct geo *g, enum geo_db which, const char *path, struct bp_error *err)
{
	char found[PLACES_PATH_MAX];
	struct bp_error why = {0};
	int rc;

	if (path != NULL) {
		rc = mmdb_open(path, databases[which].kind, &g->db[which], err);
		return rc < 0 ? bp_error_prefix(err, "%s", databases[which].option) : 0;
	}
	if (!places_find_db(databases[which].place, found)) {
		warn(g, "no database of %s: they stay unknown (make geodata, or %s FILE)",
		     databases[which].what, databases[which].option);
		return 0;
	}
	/* Nobody asked for this file by name: measure without it rather than not at all. */
	if (mmdb_open(found, databases[which].kind, &g->db[which], &why) < 0)
		warn(g, "%s; %s stay unknown", why.text, databases[which].what);
	return 0;
}

static void date_of(struct wall t, char out[static WALL_TEXT])
{
	wall_format(t, out);
	out[10] = '\0';
}

static void look_at(struct geo *g, enum geo_db which)
{
	char built[WALL_TEXT];
	struct geo_db_about about;

	if (geo_about(g, which, &about) < 0)
		return;
	date_of(about.built, built);
	if (about.built.ns == 0)
		warn(g, "%s does not say when it was built", about.path);
	else if (about.age_days > GEO_OLD_DAYS)
		warn(g, "%s is of %s, %" PRId64 " days old: networks may have moved (make geodata)",
		     about.path, built, about.age_days);
	if (about.ip_version == 4)
		warn(g, "%s holds IPv4 only: %s of IPv6 addresses stay unknown", about.path,
		     databases[which].what);
}

static void fill_source(const struct geo *g)
{
	struct geo_source *s = &g->learnt->source;
	struct geo_db_about about;

	if (geo_about(g, GEO_DB_ASN, &about) == 0) {
		text_set(s->asn_db, sizeof(s->asn_db), about.path);
		if (about.built.ns != 0)
			date_of(about.built, s->asn_built);
	}
	if (geo_about(g, GEO_DB_COUNTRY, &about) == 0) {
		text_set(s->country_db, sizeof(s->country_db), about.path);
		if (about.built.ns != 0)
			date_of(about.built, s->country_built);
	}
}

int geo_open(const char *asn_path, const char *country_path, const struct profile *profile,
	     struct geo **out, struct bp_error *err)
{
	struct geo *g = calloc(1, sizeof(*g));
	int rc;

	if (g != NULL)
		g->learnt = calloc(1, sizeof(*g->learnt));
	if (g == NULL || g->learnt == NULL) {
		free(g);
		return bp_fail(err, BP_ENOMEM, "out of memory");
	}
	g->profile = profile;
	rc = open_db(g, GEO_DB_ASN, asn_path, err);
	if (rc == 0)
		rc = open_db(g, GEO_DB_COUNTRY, country_path, err);
	if (rc < 0) {
		geo_close(g);
		return rc;
	}
	look_at(g, GEO_DB_ASN);
	look_at(g, GEO_DB_COUNTRY);
	fill_source(g);
	*out = g;
	return 0;
}

void geo_close(struct geo *g)
{
	if (g == NULL)
		return;
	mmdb_close(g->db[GEO_DB_ASN]);
	mmdb_close(g->db[GEO_DB_COUNTRY]);
	free(g->learnt);
	free(g);
}

/* Addresses that mean something else in every network: a table that names them is wrong (one free
 * country table has 192.168.0.0/16 in Australia). Documentation ranges are left to the tables: a
 * laboratory brings its own. */
static bool is_local(struct addr a)
{
	enum addr_kind kind = addr_kind(a);

	return kind == ADDR_KIND_PRIVATE || kind == ADDR_KIND_SHARED ||
	       kind == ADDR_KIND_LOOPBACK || kind == ADDR_KIND_LINK_LOCAL;
}

void geo_lookup(const struct geo *g, struct addr a, struct wall when, struct name *out)
{
	struct wall at = when.ns != 0 ? when : wall_now();
	int rc;

	*out = (struct name){.addr = a};
	if (!addr_is_set(a))
		return;
	if (g->db[GEO_DB_ASN] != NULL && !is_local(a)) {
		rc = mmdb_asn(g->db[GEO_DB_ASN], a, &out->asn, out->org, sizeof(out->org));
		if (rc == 0)
			out->source = NAME_SOURCE_ASN_DB;
		else if (rc == BP_EPARSE)
			g->learnt->damaged[GEO_DB_ASN]++;
	}
	if (g->db[GEO_DB_COUNTRY] != NULL && !is_local(a)) {
		rc = mmdb_country(g->db[GEO_DB_COUNTRY], a, out->country);
		if (rc == BP_EPARSE)
			g->learnt->damaged[GEO_DB_COUNTRY]++;
	}
	if (g->profile != NULL)
		overlay_apply(g->profile, a, at, out);
}

const struct geo_source *geo_source(const struct geo *g)
{
	struct geo_source *s = &g->learnt->source;
	struct geo_db_about about;

	if (g->learnt->hashed)
		return s;
	/* A file that went away meanwhile leaves its hash empty: our map of it is still whole. */
	if (geo_about(g, GEO_DB_ASN, &about) == 0)
		filehash_sha256(about.path, s->asn_sha256, NULL);
	if (geo_about(g, GEO_DB_COUNTRY, &about) == 0)
		filehash_sha256(about.path, s->country_sha256, NULL);
	g->learnt->hashed = true;
	return s;
}

const char *geo_warning(const struct geo *g, unsigned i)
{
	struct geo_db_about about;

	if (i < g->warnings_count)
		return g->warnings[i];
	i -= g->warnings_count;
	for (unsigned db = GEO_DB_ASN; db <= GEO_DB_COUNTRY; db++) {
		uint64_t n = g->learnt->damaged[db];

		if (n == 0 || geo_about(g, (enum geo_db)db, &about) < 0)
			continue;
		if (i-- > 0)
			continue;
		snprintf(g->learnt->warning[db], WARNING_TEXT,
			 "%s is damaged: %" PRIu64 " look-up%s failed, %s stay unknown there",
			 about.path, n, n == 1 ? "" : "s", databases[db].what);
		return g->learnt->warning[db];
	}
	return NULL;
}

int geo_about(const struct geo *g, enum geo_db which, struct geo_db_about *out)
{
	struct mmdb_about m;

	if (g->db[which] == NULL)
		return BP_ENOTFOUND;
	mmdb_tell(g->db[which], &m);
	*out = (struct geo_db_about){.path = m.path, .type = m.type, .description = m.description,
				     .layout = m.layout, .bytes = m.file_bytes,
				     .ip_version = m.ip_version};
	/* A file may say anything: what does not fit nanoseconds is no date. */
	if (m.built_epoch <= (uint64_t)(INT64_MAX / NS_PER_S)) {
		out->built.ns = (int64_t)m.built_epoch * NS_PER_S;
		if (out->built.ns != 0)
			out->age_days = (wall_now().ns - out->built.ns) / (86400 * NS_PER_S);
	}
	return 0;
}

int geo_verify(const struct geo *g, enum geo_db which, uint64_t *records, struct bp_error *err)
{
	if (g->db[which] == NULL)
		return bp_fail(err, BP_ENOTFOUND, "no database of %s", databases[which].what);
	return mmdb_verify(g->db[which], records, err);
}

// SPDX-License-Identifier: BSD-2-Clause
/*
 * One MMDB file (MaxMind's format), opened for AS numbers or for countries. Owns the map of the
 * file and the knowledge of which keys the makers use; a file whose keys are of another kind, or
 * whose tree or data is damaged where we look, is refused with a reason. mmdb.c is the only file
 * that includes maxminddb.h.
 */
#ifndef GEO_MMDB_H
#define GEO_MMDB_H

#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"

enum mmdb_kind { MMDB_KIND_ASN, MMDB_KIND_COUNTRY };

struct mmdb;

struct mmdb_about {
	const char *path;        /* as opened */
	const char *type;        /* database_type of the metadata */
	const char *description; /* the English one, "" if there is none */
	const char *layout;      /* whose keys: "maxmind", "flat", ... */
	uint64_t built_epoch;    /* seconds since 1970, as the file says */
	uint64_t file_bytes;
	uint32_t nodes;
	uint8_t ip_version;      /* 4: the tree refuses IPv6 */
};

/* Opens and looks at a sample of records: which layout, and whether they are whole. *out is owned
 * (mmdb_close). BP_ENOTFOUND, BP_EPERM, BP_EIO (the system), BP_EPARSE (no MMDB file, or damaged),
 * BP_EUNSUP (no key that we know, or an older format). */
int mmdb_open(const char *path, enum mmdb_kind kind, struct mmdb **out, struct bp_error *err);
void mmdb_close(struct mmdb *m);

/* BP_ENOTFOUND: no entry. BP_EUNSUP: IPv6 asked of an IPv4 tree. BP_EPARSE: damaged there. org gets
 * the empty string where the record has none. */
int mmdb_asn(const struct mmdb *m, struct addr a, uint32_t *asn, char *org, size_t org_size);
/* Two capital letters: `country`, else `registered_country`. Errors as above. */
int mmdb_country(const struct mmdb *m, struct addr a, char out[static 3]);

void mmdb_tell(const struct mmdb *m, struct mmdb_about *out);
/* Reads every record (a second for a million). *records is how many. BP_EPARSE: damaged. */
int mmdb_verify(const struct mmdb *m, uint64_t *records, struct bp_error *err);

#endif

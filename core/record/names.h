// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the databases and the overlay said of the addresses of one trace, and which databases. A
 * value: filled by analysis/annotate, carried in the record beside the raw trace.
 */
#ifndef CORE_RECORD_NAMES_H
#define CORE_RECORD_NAMES_H

#include <stdint.h>

#include "core/addr.h"
#include "core/record/trace.h"

enum name_source { NAME_SOURCE_NONE, NAME_SOURCE_ASN_DB, NAME_SOURCE_OVERLAY };

enum { NAME_ORG_TEXT = 96, NAME_LABEL_TEXT = 96, NAME_HOST_TEXT = 256, NAME_HASH_TEXT = 65 };

struct name {
	struct addr addr;
	uint32_t asn;               /* 0: no entry */
	uint8_t source;             /* enum name_source: where asn and org come from */
	char org[NAME_ORG_TEXT];    /* empty: none */
	char country[3];            /* ISO 3166-1 alpha-2; empty: none. A hint, never proof */
	char overlay_country[3];    /* what the overlay says where it differs; empty: none */
	char label[NAME_LABEL_TEXT]; /* from the overlay; empty: none */
	char host[NAME_HOST_TEXT];  /* reverse name or the imported one; empty: none */
};

/* Which data answered. Empty strings: no database. */
struct geo_source {
	char asn_db[256], country_db[256];       /* file names as opened */
	char asn_built[WALL_TEXT], country_built[WALL_TEXT]; /* YYYY-MM-DD */
	char asn_sha256[NAME_HASH_TEXT], country_sha256[NAME_HASH_TEXT];
};

bool geo_source_known(const struct geo_source *g);
bool geo_source_equal(const struct geo_source *a, const struct geo_source *b);

struct names {
	uint32_t count, room;
	struct name *items;        /* owned, sorted by addr_compare; names_fini frees */
	struct geo_source geo;
};

void names_init(struct names *n);
void names_fini(struct names *n);
/* The entry of an address, or NULL. Borrowed until the next names_put. */
const struct name *names_find(const struct names *n, struct addr a);
/* The entry of an address, made empty when new. NULL: out of memory. Moves what is behind it: for
 * thousands in no order there is names_append. */
struct name *names_put(struct names *n, struct addr a);
/* An empty entry at the end, whatever the order. Nothing but names_append and names_fini may follow
 * until names_settle. NULL: out of memory. */
struct name *names_append(struct names *n, struct addr a);
/* Puts them in order; of several entries of one address the first appended stays. BP_ENOMEM: they
 * are as they were. */
int names_settle(struct names *n);

extern const struct word name_source_words[];

#endif

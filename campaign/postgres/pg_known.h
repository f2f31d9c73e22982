// SPDX-License-Identifier: BSD-2-Clause
/*
 * Values that were read, by their rows, kept while the store is open: wanted first, then fetched
 * many at a time, then looked at. Private to campaign/postgres/.
 */
#ifndef CAMPAIGN_POSTGRES_PG_KNOWN_H
#define CAMPAIGN_POSTGRES_PG_KNOWN_H

#include "campaign/postgres/pg.h"

/* In the order in which they are fetched: those that lead to others first. */
enum pg_known_kind {
	PG_KNOWN_GOAL,
	PG_KNOWN_SETTINGS,
	PG_KNOWN_PATH, /* struct pg_path; wants its hops */
	PG_KNOWN_HOP,
	PG_KNOWN_VERDICT,
	PG_KNOWN_JUDGE,	 /* struct pg_judge */
	PG_KNOWN_NAMING, /* struct pg_named; wants its databases, its own names */
	PG_KNOWN_GEO,	 /* struct geo_source */
	PG_KNOWN_NAME,
	PG_KNOWN_KINDS
};

struct pg_path {
	int32_t slots, count;
	uint8_t stop, reach, reached_by, first_ttl, max_ttl;
	int64_t sent, received; /* -1: none */
	int32_t hops[];
};
struct pg_judge {
	char profile[64], profile_version[32];
	int64_t judged_us;
};
struct pg_named {
	int32_t geo, count;
	bool own;
	int32_t names[]; /* for own */
};

int pg_known_new(struct pg_known **out);
void pg_known_free(struct pg_known *k);
void pg_known_forget(struct pg_known *k);
/* Forgets all when it is too much and nobody holds it: before anything is wanted. */
void pg_known_trim(struct pg_known *k);
/* What is known stays where it is until as many releases; of NULL: nothing. */
void pg_known_hold(struct pg_known *k);
void pg_known_release(struct pg_known *k);

/* Of row 0 there is none. BP_ENOMEM. */
int pg_want(struct pg_store *s, enum pg_known_kind kind, int32_t id);
/* Whether its names by the databases geo were not asked after yet; from now on they were. (Of
 * several databases the last is remembered: what is asked twice is wanted once.) */
bool pg_want_names_of(struct pg_store *s, enum pg_known_kind kind, int32_t id, int32_t geo);
/* How the databases geo name an address. */
int pg_want_name(struct pg_store *s, int32_t geo, struct addr a);
/* All that is wanted, and what it leads to, but for pg_want_name's; those. */
int pg_fetch(struct pg_store *s, struct bp_error *err);
int pg_fetch_names(struct pg_store *s, struct bp_error *err);
/* A key, or one of the structs. NULL: there is no such row. Borrowed until a trim or forget. */
const void *pg_known_get(const struct pg_store *s, enum pg_known_kind kind, int32_t id, size_t *n);
/* The row of a name; 0: none. */
int32_t pg_known_name(const struct pg_store *s, int32_t geo, struct addr a);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * What traces of the store share, as values, kept while it is open. Private to campaign/sqlite*.c.
 * All: 0, BP_EPARSE (damaged: err names the row), BP_ENOMEM, and the errors of SQLite.
 */
#ifndef CAMPAIGN_SQLITE_CACHE_H
#define CAMPAIGN_SQLITE_CACHE_H

#include "campaign/sqlite.h"

enum cached {
	CACHED_TEXT,
	CACHED_GOAL,
	CACHED_SETTINGS,
	CACHED_VERDICT,
	CACHED_NAME,
	CACHED_KINDS
};

/* The key of a row (the text, for texts). Borrowed until the next call for this kind. */
int cached_blob(struct sqlite_store *s, enum cached kind, int64_t id, const void **bytes, int *size,
		struct bp_error *err);
/* Row 0 is the empty text. */
int cached_text(struct sqlite_store *s, int64_t id, char *out, size_t size, struct bp_error *err);

struct cached_path {
	int64_t id;
	uint32_t count, slots;
	uint8_t stop, reach, reached_by, first_ttl, max_ttl;
	int64_t sent, received;
	uint64_t way; /* as in struct store_group */
	int64_t hops[]; /* rows */
};
/* Borrowed until the next call. */
int cached_path(struct sqlite_store *s, int64_t id, const struct cached_path **out,
		struct bp_error *err);
/* The entry of a hop in a trace to dst, marked for body_read. */
int cached_hop(struct sqlite_store *s, int64_t id, struct addr dst, struct trace_entry *out,
	       struct bp_error *err);

struct cached_segment {
	int64_t id, first, last, geo, judge, base_us, seq_base; /* geo, judge 0: none */
	char vantage[TRACE_VANTAGE_TEXT], campaign[TRACE_CAMPAIGN_TEXT], round[TRACE_ID_TEXT];
	char run[TRACE_ID_TEXT];
};
/* Borrowed until the next call. */
int cached_segment(struct sqlite_store *s, int64_t id, const struct cached_segment **out,
		   struct bp_error *err);

int cached_geo(struct sqlite_store *s, int64_t id, struct geo_source *out, struct bp_error *err);
/* How the databases `geo` name an address; *out NULL: not at all. Borrowed until the next call. */
int cached_name(struct sqlite_store *s, int64_t geo, struct addr a, const struct name **out,
		struct bp_error *err);
/* BP_EPARSE with the row's name. */
int cached_damaged(struct sqlite_store *s, const char *what, int64_t id, struct bp_error *err);

#endif

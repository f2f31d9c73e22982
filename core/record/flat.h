// SPDX-License-Identifier: BSD-2-Clause
/*
 * The columns of the flat tables (REPORTS "Flat tables") that are computed, not copied: what the CSV
 * and the stores both say of a trace. Pure. The prefix of a row is the /24 or /48 of its destination.
 */
#ifndef CORE_RECORD_FLAT_H
#define CORE_RECORD_FLAT_H

#include <stdint.h>

#include "core/addr.h"
#include "core/record/names.h"
#include "core/record/trace.h"

enum { FLAT_AS_PATH_MAX = 32, FLAT_AS_PATH_TEXT = 12 * FLAT_AS_PATH_MAX };

struct flat_trace {
	struct prefix prefix;          /* of dst: /24 or /48; addr not set: no dst */
	int64_t rtt_min_ns, rtt_median_ns; /* over the destination's replies; -1: none */
	uint8_t hops;                  /* TTL of the destination, else of the last hop that answered;
					* 0: nobody did */
	uint64_t path_hash;            /* of who answered at which TTL (silent TTLs between count), not of
					* times: equal for equal paths, on every machine; 0: nobody did */
	uint32_t as_path[FLAT_AS_PATH_MAX]; /* networks in order of TTL, neighbours once, unknown ones
					* left out */
	uint8_t as_count;
};

/* names may be NULL: no as_path. */
void flat_trace(const struct trace *t, const struct names *names, struct flat_trace *out);
/* path_hash as 16 hex digits; as_path as numbers with spaces between. Return out. */
const char *flat_hash_text(uint64_t hash, char out[static 17]);
const char *flat_as_path_text(const struct flat_trace *f, char out[static FLAT_AS_PATH_TEXT]);

#endif

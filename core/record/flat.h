// SPDX-License-Identifier: BSD-2-Clause
/*
 * The columns of the flat tables (REPORTS "Flat tables") that are computed, not copied: what the
 * CSV and the stores both say of a trace. Pure.
 *
 * A path is cut where it says nothing new: behind the first TTL at which the destination answered,
 * and where its last answering TTLs are all of one and the same address (a filter that answers for
 * every TTL behind it), behind the first of these. So how far a tracer probed beyond the end does
 * not make another path of it.
 */
#ifndef CORE_RECORD_FLAT_H
#define CORE_RECORD_FLAT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/record/names.h"
#include "core/record/trace.h"

enum {
	FLAT_AS_PATH_MAX = 32,
	FLAT_AS_PATH_TEXT = 12 * FLAT_AS_PATH_MAX,
	FLAT_PER_TTL_MAX = 255, /* addresses of one TTL, the lowest; one byte counts them */
	FLAT_HASH_TEXT = 17,
};

struct flat_trace {
	struct prefix prefix; /* /24 or /48 of dst; addr not set: no dst */
	/* Over the destination's replies; -1: none. */
	int64_t rtt_min_ns, rtt_median_ns;
	/* Lowest TTL of the destination, else the last that answered, not cut; 0: nobody did. */
	uint8_t hops;
	/* Who answered at which TTL of the cut path (a silent TTL between counts), not when, how
	 * often or in what order: equal for equal paths, on every machine; 0: nobody did. The first
	 * 8 bytes, big endian, of BLAKE2b with a digest of 16 (RFC 7693) over: for each TTL that
	 * answered, rising, one byte TTL, one byte count of its addresses, then these, rising as by
	 * addr_compare: one byte family (4, 6), 4 or 16 bytes. */
	uint64_t path_hash;
	/* Networks of the cut path: at each TTL those that the last TTL with any did not have, the
	 * lower number first, neighbours once. Unknown ones are left out, so are those beyond the
	 * room. */
	uint32_t as_path[FLAT_AS_PATH_MAX];
	uint8_t as_count;
};

/* Where a path ends, and where it is cut. */
struct flat_end {
	uint8_t hops;         /* as in struct flat_trace */
	uint8_t cut;          /* the last TTL that tells something */
	bool reached;         /* `hops` is the destination's */
};
struct flat_end flat_end(const struct trace *t);

/* names may be NULL: no as_path. */
void flat_trace(const struct trace *t, const struct names *names, struct flat_trace *out);
/* path_hash as 16 hex digits; as_path as numbers with spaces between. Return out. */
const char *flat_hash_text(uint64_t hash, char out[static FLAT_HASH_TEXT]);
const char *flat_as_path_text(const struct flat_trace *f, char out[static FLAT_AS_PATH_TEXT]);

#endif

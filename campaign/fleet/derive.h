// SPDX-License-Identifier: BSD-2-Clause
/*
 * A fleet's plan as one vantage point is to run it: its own name and place, its moment in the
 * interval, its share of the budget; without what is the centre's (store, keep, alerts, metrics).
 * Text to text, by libyaml; what comes out is read back before it is handed out.
 */
#ifndef CAMPAIGN_FLEET_DERIVE_H
#define CAMPAIGN_FLEET_DERIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/buf.h"
#include "core/err.h"

struct derive {
	const char *vantage;
	bool place_known;
	bool keep_place;                /* of the plan, where no other is known; its address, too */
	double lat, lon;
	struct addr address;            /* the public one; none: not known */
	int64_t offset_ns, jitter_ns;
	uint64_t prefix_mpps;           /* thousandths of a packet a second; not 0 */
};

/* name: the source's, for messages. BP_EPARSE: the source is no plan; BP_EUNSUP: it names a file
 * that only this machine has. */
int derive_plan(const char *name, const char *yaml, size_t n, const struct derive *d,
		struct buf *out, struct bp_error *err);

/* Takes out of a plan what is the centre's. */
struct yaml_document_s;
void derive_drop(struct yaml_document_s *doc);

/* The slot-th moment of an interval, by halves: 0, 1/2, 1/4, 3/4, 1/8 ... So those who come later
 * move nobody, and of n slots the nearest are at least 1/(2n) apart. Intervals may differ: `beat`
 * divides each of them, and moments of one slot and of another are apart in every beat, by 1/(2n)
 * of it. Whole milliseconds; slots below DERIVE_SLOTS. */
enum { DERIVE_SLOTS = 1 << 16 };
int64_t derive_offset(int64_t every_ns, int64_t beat_ns, int64_t own_offset_ns, unsigned slot);
/* A jitter by which no two of `slots` slots can meet. */
int64_t derive_jitter(int64_t every_ns, int64_t beat_ns, int64_t own_jitter_ns, unsigned slots);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whether paths changed between two sets of traces of one key: per network (AS) and per hop. A
 * silent hop explains any difference at its TTL; an address that the other side shows for any flow
 * is load balancing. Two traces of the same flow may be compared directly; otherwise novelty on
 * the after side is weighed against the novelty that the before side has within itself.
 */
#ifndef ANALYSIS_DIFF_PATH_H
#define ANALYSIS_DIFF_PATH_H

#include "analysis/diff.h"

struct diff_path {
	enum diff_change change;
	enum diff_level level;
	uint8_t ttl;                           /* first that differs; 0 none */
	const struct diff_item *before, *after; /* the pair that shows it best; or the first ones */
};

/* The networks of a trace in order, each once in a row; returns how many (at most max). Addresses
 * without an AS, and exchanges by the profile's labels, are left out. */
unsigned diff_as_path(const struct diff_item *item, const struct profile *p, uint32_t *out,
		      unsigned max);

/* before and after: n >= 1 traces each of one key. BP_ENOMEM. */
int diff_paths(const struct diff_item *const *before, unsigned before_count,
	       const struct diff_item *const *after, unsigned after_count,
	       const struct profile *p, struct diff_path *out);

#endif

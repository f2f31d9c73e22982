// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whether paths changed between two sets of traces of one key: per network (AS) and per hop. A
 * silent hop explains any difference at its TTL; an address that the other side shows for any flow
 * is load balancing. Two traces of the same flow may be compared directly; otherwise novelty on
 * the after side is weighed against the novelty that the before side has within itself.
 */
#ifndef ANALYSIS_DIFF_PATH_H
#define ANALYSIS_DIFF_PATH_H

#include "analysis/diff_set.h"

struct diff_path {
	enum diff_change change;
	enum diff_level level;
	uint8_t ttl;                           /* first that differs; 0 none */
	const struct set_item *before, *after; /* the pair that shows it best; or the first ones */
};

/* before and after: n >= 1 items each of one key, in the order of a settled set. Of more than
 * DIFF_WAYS_MAX different ways a side those compared are chosen evenly over their order.
 * BP_ENOMEM. */
enum { DIFF_WAYS_MAX = 256 };
int diff_paths(const struct diff_set *s, const struct set_item *const *before,
	       unsigned before_count, const struct set_item *const *after, unsigned after_count,
	       struct diff_path *out);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/* Parts of sentences that both files of them use. */
#ifndef ANALYSIS_SENTENCE_INSIDE_H
#define ANALYSIS_SENTENCE_INSIDE_H

#include "core/addr.h"
#include "core/buf.h"
#include "geo/profile.h"

/* "three of the four networks of North Korea, namely A, B and C"; of 0: the list alone; n 0: the
 * network's name. */
void sentence_put_networks(struct buf *out, const struct prefix *list, unsigned n, unsigned of,
			   const struct profile *p);
/* "7 of 8 vantage points". */
void sentence_put_points(struct buf *out, unsigned n, unsigned of);
/* Its name, or what stands for none. */
void sentence_put_vantage(struct buf *out, const char *name);
/* "went from 282.0 to 186.0 ms (-96.0 ms, 95 % interval -99.0 to -92.0)". */
void sentence_put_shift(struct buf *out, int64_t before, int64_t after, int64_t by, int64_t low,
			int64_t high);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * Token buckets, kept as the virtual scheduling form of the generic cell rate algorithm (ITU-T
 * I.371, annex A): one time stamp a bucket, `full_at`, at which it would be full again. Exact in
 * whole nanoseconds, no timer; a bucket whose time has passed says nothing and may be forgotten.
 * That is what the tables of fixed size do. Knows neither routers nor prefixes, only keys.
 */
#ifndef PROBER_ENGINE_BUCKET_H
#define PROBER_ENGINE_BUCKET_H

#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/clock.h"

struct bucket {
	struct addr key;      /* none: free */
	int64_t interval_ns;  /* time for one token; 0: no limit */
	struct mono full_at;  /* full from then on */
	struct mono slowed;   /* when last; INT64_MIN: never */
	struct mono promised; /* the latest time that somebody was told to come back at */
};

/* When there is one more token, of a bucket that holds `burst`: it may lack all but one. */
struct mono bucket_ready_at(const struct bucket *b, int64_t burst);
/* Takes one, whether it is there or not. */
void bucket_take(struct bucket *b, struct mono now);
/* Changes the speed, of one that has a limit, and keeps the number of tokens. */
void bucket_set_interval(struct bucket *b, int64_t interval_ns, struct mono now);

struct bucket_table {
	struct bucket *items; /* owned */
	size_t room;
};

/* For `room` keys, or a few more. BP_ENOMEM. */
int bucket_table_init(struct bucket_table *t, uint32_t room);
void bucket_table_fini(struct bucket_table *t);
/* NULL: not there. */
struct bucket *bucket_table_find(const struct bucket_table *t, struct addr key);
/* Finds the key's bucket or makes a full one in the place whose loss matters least: a free one,
 * else the fullest. *before: what was in that place until now, which is the key's own bucket when
 * it was there. Other buckets stay where they are, but one of them may be that place. */
struct bucket *bucket_table_obtain(struct bucket_table *t, struct addr key, int64_t interval_ns,
				   struct mono now, struct bucket *before);

#endif

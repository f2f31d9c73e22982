// SPDX-License-Identifier: BSD-2-Clause
/*
 * Pieces of sentences: small numbers in words, moments in UTC and at the place, lists of prefixes,
 * carriers. Places' times come from the tz database, never from a constant.
 */
#ifndef ANALYSIS_WORDS_H
#define ANALYSIS_WORDS_H

#include "core/addr.h"
#include "core/buf.h"
#include "core/clock.h"
#include "geo/profile.h"

/* "three", up to twelve; digits beyond. */
void words_number(struct buf *out, unsigned n);
/* Decimals that a round-trip time is told with in milliseconds: three under 1 ms, two under 10,
 * else one. */
int words_ms_digits(int64_t ns);
enum { WORDS_MS = 32 };
/* "282.0", "0.043"; "-" where it is negative: not known. Returns out. */
const char *words_ms(int64_t ns, char out[static WORDS_MS]);
/* A difference, "+0.4" or "-96.0", never "-0.0": as fine as `level`, that which differs, is told. */
const char *words_ms_by(int64_t by_ns, int64_t level_ns, char out[static WORDS_MS]);

/* "175.45.176.0/24, 175.45.178.0/24 and 175.45.179.0/24". */
void words_prefixes(struct buf *out, const struct prefix *p, unsigned n);
/* "TransTeleCom (AS20485)", whatever of it is known, else `otherwise`. */
void words_carrier(struct buf *out, const char *org, uint32_t asn, const char *otherwise);
/* "Between 09:00 and 09:15 UTC on 1 October 2017 (17:30 to 17:45 in Pyongyang)": seconds are shown
 * when both lie in one minute. zone as in the tz database; NULL or empty: UTC alone. */
void words_interval(struct buf *out, struct wall from, struct wall to, const char *zone);
/* "Pyongyang" of "Asia/Pyongyang". */
void words_place(struct buf *out, const char *zone);
/* Seconds east of UTC there and then, by the tz database; false when the zone is not installed. */
bool words_offset(const char *zone, struct wall t, int *seconds);

/* What the profile calls a network; "" where it does not. */
const char *words_org(const struct profile *p, uint32_t asn);
/* The name of a border id ("Khasan / Russia"), "another way in" for other, the id when unknown. */
const char *words_border(const struct profile *p, const char *id);
/* Its "#rrggbb", or NULL. */
const char *words_border_color(const struct profile *p, const char *id);
/* What is measured and what is not, REPORTS "Always"; no newline. */
void words_always(struct buf *out, const struct profile *p, unsigned vantages);

#endif

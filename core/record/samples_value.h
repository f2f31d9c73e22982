// SPDX-License-Identifier: BSD-2-Clause
/*
 * The values of the cells of a series: numbers with a point or a comma, and times as people write
 * them. Knows no columns.
 */
#ifndef CORE_RECORD_SAMPLES_VALUE_H
#define CORE_RECORD_SAMPLES_VALUE_H

#include <stdbool.h>
#include <stdint.h>

/* value x 10^9, exactly for what has up to nine places. "12", "-0.5", "193,77", "1.5e2"; whole
 * field. BP_EPARSE; BP_ERANGE beyond 2^53 / 10^9 with an exponent, 9 x 10^9 without. */
int samples_number(const char *text, int64_t *out_e9);
/* "", "*", "-", "nan", "na", "n/a", "null", "none", "lost", "timeout", in any case. */
bool samples_is_lost(const char *text);

/* A time may have two readings: 03/04/2016 is one of March or of April. INT64_MIN: no such day. */
struct samples_time {
	int64_t ns;           /* since 1970, day before month where they are told by a slash */
	int64_t month_first_ns;
	bool two_ways;        /* it was written that way; else both are the same */
};
/* Seconds, milliseconds, microseconds or nanoseconds since 1970 (by their size), RFC 3339 with a
 * blank or without zone too, 2016/10/13 or 13/10/2016 (or . or -) with 7:56, 07:56:31, 7:56 PM.
 * BP_EPARSE, BP_ERANGE. */
int samples_time(const char *text, struct samples_time *out);

#endif

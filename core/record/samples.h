// SPDX-License-Identifier: BSD-2-Clause
/*
 * Anybody's series of delays, one or several in a file, read from CSV (core/csvread.h): which
 * columns hold the time and the round-trip time, in which unit and notation, is named or found. A
 * delay that is negative, empty, nan or * was not answered. What cannot be read is told with its
 * line and left out.
 */
#ifndef CORE_RECORD_SAMPLES_H
#define CORE_RECORD_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/clock.h"
#include "core/err.h"

enum samples_unit { SAMPLES_UNIT_UNKNOWN, SAMPLES_MS, SAMPLES_S, SAMPLES_US };

enum { SAMPLES_LOST = -1, SAMPLES_MAX = 100 * 1000 * 1000 };

struct samples_options {
	const char *time_col, *rtt_col;  /* a name of the header, or a number from 1; NULL: found.
					  * time_col "none": rows have no time */
	/* Columns that tell several series of one file apart, between commas; "none": it is one.
	 * NULL: found by their names (vantage, target, method and the like; addresses by network),
	 * unless nearly each row would be a series of its own. */
	const char *series_col;
	enum samples_unit unit;          /* of the delay; unknown: by the column's name, else by
					  * what the values are */
	/* A line for people: of a row that was left out, or (skipped is false) of what was guessed.
	 * May be NULL. */
	void (*say)(void *arg, bool skipped, const char *text);
	void *arg;
};

/* As they stand in the file, unless a time lies over an hour before the one above it: in order of
 * time then, equal ones as they stand. */
struct samples {
	struct wall *at;      /* owned, as the two below; NULL: without times */
	int64_t *rtt_ns;      /* SAMPLES_LOST: not answered */
	uint64_t *row;        /* of the file's data rows, from 0, those left out counted */
	size_t count;
	/* One series behind the other, in the order they first come: number i is of the points
	 * from first[i] to before first[i + 1]. */
	size_t *first;        /* owned, series_count + 1 */
	uint32_t series_count; /* at least 1 */
	char **names;         /* of the series, each owned too; NULL: there is one */
	uint64_t skipped;     /* rows that were left out */
	enum samples_unit unit;
};

/* Reads the whole file (name: for messages). BP_EPARSE: no column of delays, nothing that is one;
 * BP_ENOTFOUND: no column of that name; BP_ERANGE: over SAMPLES_MAX rows; BP_EIO, BP_ENOMEM. out is
 * to be given to samples_fini after success. */
int samples_read(FILE *file, const char *name, const struct samples_options *options,
		 struct samples *out, struct bp_error *err);
void samples_fini(struct samples *s);

#endif

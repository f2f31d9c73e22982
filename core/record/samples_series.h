// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which series a row of CSV belongs to: by the columns that say who measured, where to and how,
 * found by their names or named. Addresses are put together by network (/24, /48), as they are
 * everywhere. Used by samples.c alone.
 */
#ifndef CORE_RECORD_SAMPLES_SERIES_H
#define CORE_RECORD_SAMPLES_SERIES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/csvread.h"
#include "core/err.h"

enum { SERIES_COLUMNS_MAX = 8, SERIES_NAME_MAX = 200 };

struct samples_series {
	int columns[SERIES_COLUMNS_MAX];
	unsigned column_count;      /* 0: there is one series */
	bool named;                 /* by the caller: values as they stand, however many */
	void *tree;                 /* of names; owned */
	char **names;               /* by number; owned, each too */
	uint32_t count, room;
};

/* Of the row with the names. wanted: names of columns between commas, or numbers from 1; "none":
 * one series; NULL: found where a header names them. BP_ENOTFOUND: no such column. */
int samples_series_find(struct samples_series *s, const struct csv_reader *csv, bool header,
			const char *wanted, struct bp_error *err);
/* The number of the row's series, in the order they first come. BP_ENOMEM. */
int samples_series_of(struct samples_series *s, const struct csv_reader *csv, uint32_t *out);
void samples_series_fini(struct samples_series *s);

#endif

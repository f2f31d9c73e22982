// SPDX-License-Identifier: BSD-2-Clause
/*
 * Rows of anybody's CSV (RFC 4180, and what people make of it): fields between commas, semicolons
 * or tabs, which one being found from the first row; quoted fields with doubled quotes and newlines
 * (as blanks) in them; CR LF; a byte order mark. Knows no columns. Trusts no byte: rows and fields
 * are bounded, and what is wrong is told with its line.
 */
#ifndef CORE_CSVREAD_H
#define CORE_CSVREAD_H

#include <stdio.h>

#include "core/buf.h"
#include "core/err.h"

enum { CSV_FIELDS_MAX = 256, CSV_ROW_MAX = 1 << 20 };

struct csv_reader {
	FILE *file;              /* borrowed */
	const char *name;        /* of the file, for messages; borrowed */
	char delimiter;          /* 0: not known yet; a caller that knows it may set it */
	unsigned long line, row; /* of the row that was read last, from 1 */
	/* the row */
	unsigned count;
	const char *fields[CSV_FIELDS_MAX]; /* each ends with a NUL; clean UTF-8 */
	/* private */
	struct buf text;
	unsigned long next_line;
};

void csv_reader_init(struct csv_reader *r, FILE *file, const char *name);
void csv_reader_fini(struct csv_reader *r);
/* The next row that is not empty, into r->fields, which are borrowed until the next call. 0,
 * BP_EOF, BP_EPARSE, BP_ERANGE (too long, too many fields), BP_EIO, BP_ENOMEM: "NAME:LINE: what". */
int csv_read(struct csv_reader *r, struct bp_error *err);
/* The first field of the row that is one of these words, whatever their case; -1: none. The list
 * ends with NULL; earlier words win. */
int csv_column(const struct csv_reader *r, const char *const *words);

#endif

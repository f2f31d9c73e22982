// SPDX-License-Identifier: BSD-2-Clause
/*
 * A table for people: cells first, widths when all are known. Numbers are aligned right, nothing
 * stands behind the last cell of a line, and where the terminal is narrow whole columns go, the
 * least important first. Knows nothing of what the cells say. Owns its memory.
 */
#ifndef ANALYSIS_REPORT_TABLE_H
#define ANALYSIS_REPORT_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "analysis/report/style.h"

enum { TABLE_COLUMNS_MAX = 12, TABLE_CELL = 72, TABLE_COLOR_TEXT = 8 };

struct table_column {
	const char *title;
	bool right;
	uint8_t keep; /* 0: never left out; of the others the highest goes first */
};

struct table_row {
	char cell[TABLE_COLUMNS_MAX][TABLE_CELL];
	uint8_t face[TABLE_COLUMNS_MAX]; /* enum style_face */
	char color[TABLE_COLOR_TEXT];    /* "#RRGGBB" of the cell in color_column; empty: none */
};

struct table {
	const struct table_column *columns; /* borrowed */
	unsigned column_count;
	unsigned color_column;
	struct table_row *rows;             /* owned */
	unsigned count, room;
	bool failed;                        /* a row is missing for want of memory */
};

void table_init(struct table *t, const struct table_column *columns, unsigned column_count,
		unsigned color_column);
void table_fini(struct table *t);
/* A row of empty cells, borrowed until the next one is added; NULL: no memory. */
struct table_row *table_add(struct table *t);
/* The rows under a heading; nothing when there are none. fit: columns are left out until it is no
 * wider than the terminal. */
void table_draw(struct buf *out, const struct style *style, const struct table *t, bool fit);

#endif

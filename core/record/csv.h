// SPDX-License-Identifier: BSD-2-Clause
/*
 * The flat tables as CSV (REPORTS "Flat tables", doc/tables.md): `csv` is a row a trace, `csv-hops`
 * a row a probe, `csv-rounds` a row a round. RFC 4180 quoting, UTF-8, LF, a header line first. What
 * is not known is an empty cell. Texts are written as they are: nothing is put in front of one that
 * a spreadsheet would take for a formula, since that would change data. Written, not read.
 */
#ifndef CORE_RECORD_CSV_H
#define CORE_RECORD_CSV_H

/* The names of the columns, in order; end with NULL. The views of the stores have the same. */
extern const char *const csv_trace_columns[], *const csv_hop_columns[], *const csv_round_columns[];

#endif

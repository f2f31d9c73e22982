// SPDX-License-Identifier: BSD-2-Clause
/*
 * Values as PostgreSQL's binary formats have them: parameters of a statement, arrays as columns of
 * many rows, the rows of a COPY, and the fields of a result. Integers are big-endian; a value
 * stands behind its length of 4 bytes, -1: NULL. Source: PostgreSQL 15 documentation, 34.3 (libpq
 * command execution), 55.2 (COPY BINARY); src/backend/utils/adt/{arrayfuncs,network}.c (the send
 * and receive functions).
 */
#ifndef CAMPAIGN_POSTGRES_PG_WIRE_H
#define CAMPAIGN_POSTGRES_PG_WIRE_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/buf.h"

/* Numbers of types: src/include/catalog/pg_type.dat. They never change. */
enum pg_type {
	PG_BOOL = 16,
	PG_BYTEA = 17,
	PG_INT8 = 20,
	PG_INT2 = 21,
	PG_INT4 = 23,
	PG_TEXT = 25,
	PG_CIDR = 650,
	PG_FLOAT8 = 701,
	PG_INET = 869,
	PG_UUID = 2950,
	PG_BOOLS = 1000,
	PG_BYTEAS = 1001,
	PG_INT2S = 1005,
	PG_INT4S = 1007,
	PG_TEXTS = 1009,
	PG_INT8S = 1016,
	PG_FLOAT8S = 1022,
	PG_INETS = 1041,
	PG_CIDRS = 651,
	PG_UUIDS = 2951,
};

/* Microseconds from 1970 to 2000, where PostgreSQL counts from; what stands for "never known". */
#define PG_EPOCH_US INT64_C(946684800000000)
#define PG_MINUS_INFINITY INT64_MIN

/* Appended: the length and the value, as elements of arrays and fields of rows have it. What fails
 * for lack of memory sets out->failed. */
void pg_put_null(struct buf *out);
void pg_put_bool(struct buf *out, bool v);
void pg_put_i16(struct buf *out, int16_t v);
void pg_put_i32(struct buf *out, int32_t v);
void pg_put_i64(struct buf *out, int64_t v);
void pg_put_f64(struct buf *out, double v);
void pg_put_bytes(struct buf *out, const void *bytes, size_t n);
/* NULL for "". A byte that no text of PostgreSQL may have, 0, is not in one of ours. */
void pg_put_text(struct buf *out, const char *text);
/* The number of a row; NULL for 0. */
void pg_put_row(struct buf *out, int32_t row);
/* NULL when not set. */
void pg_put_addr(struct buf *out, struct addr a);
void pg_put_cidr(struct buf *out, struct prefix p);

/* Many values of one type: elements as above. A zeroed one is empty. */
struct pg_array {
	struct buf bytes;
	int32_t count;
};
void pg_array_fini(struct pg_array *a);
void pg_array_clear(struct pg_array *a);
/* As pg_put_row. */
void pg_array_row(struct pg_array *a, int32_t row);
/* Of qsort and bsearch, for numbers of rows. */
int pg_by_row(const void *a, const void *b);

enum { PG_PARAMS_MAX = 16 };
/* Parameters of a statement, in order. A zeroed one is empty. */
struct pg_params {
	struct buf bytes;
	int count;
	Oid types[PG_PARAMS_MAX];
	int at[PG_PARAMS_MAX], sizes[PG_PARAMS_MAX]; /* in bytes; size -1: NULL */
};
void pg_params_fini(struct pg_params *p);
void pg_params_clear(struct pg_params *p);
void pg_param_i32(struct pg_params *p, int32_t v);
void pg_param_i64(struct pg_params *p, int64_t v);
void pg_param_bool(struct pg_params *p, bool v);
/* NULL where text is NULL. */
void pg_param_text(struct pg_params *p, const char *text);
void pg_param_bytes(struct pg_params *p, enum pg_type type, const void *bytes, size_t n);
/* array is the type of the array, as PG_INT4S; its elements' type follows from it. */
void pg_param_array(struct pg_params *p, enum pg_type array, const struct pg_array *a);

/* Fields of a binary result; 0 and "" for NULL, and for what is not of this length. */
bool pg_is_null(const PGresult *r, int row, int column);
bool pg_get_bool(const PGresult *r, int row, int column);
int16_t pg_get_i16(const PGresult *r, int row, int column);
int32_t pg_get_i32(const PGresult *r, int row, int column);
int64_t pg_get_i64(const PGresult *r, int row, int column);
/* Borrowed from r. */
const void *pg_get_bytes(const PGresult *r, int row, int column, size_t *n);
const char *pg_get_text(const PGresult *r, int row, int column);

/* The numbers of a one-dimensional int4[] (its binary form): how many, or -1: it is none such, or
 * has more than max, or NULLs. */
int pg_read_i32s(const void *bytes, size_t n, int32_t *out, int max);

#endif

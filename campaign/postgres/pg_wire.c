// SPDX-License-Identifier: BSD-2-Clause
/* PostgreSQL's binary values, written and read. No connection. */
#include "campaign/postgres/pg_wire.h"

#include <limits.h>
#include <string.h>

#include "core/cur.h"

/* --- writing ---------------------------------------------------------------------------------- */

static uint8_t *put32(uint8_t *at, uint32_t v)
{
	*at++ = (uint8_t)(v >> 24);
	*at++ = (uint8_t)(v >> 16);
	*at++ = (uint8_t)(v >> 8);
	*at++ = (uint8_t)v;
	return at;
}

static void put_integer(struct buf *out, uint64_t v, unsigned width)
{
	char *room = buf_room(out, 4 + 8);
	uint8_t *at = (uint8_t *)room;

	if (room == NULL)
		return;
	at = put32(at, width);
	for (unsigned k = width; k-- > 0;)
		*at++ = (uint8_t)(v >> 8 * k);
	buf_wrote(out, (char *)at);
}

void pg_put_null(struct buf *out)
{
	char *room = buf_room(out, 4);

	if (room != NULL)
		buf_wrote(out, (char *)put32((uint8_t *)room, UINT32_MAX));
}

void pg_put_bool(struct buf *out, bool v)
{
	put_integer(out, v, 1);
}

void pg_put_i16(struct buf *out, int16_t v)
{
	put_integer(out, (uint64_t)v, 2);
}

void pg_put_i32(struct buf *out, int32_t v)
{
	put_integer(out, (uint64_t)v, 4);
}

void pg_put_i64(struct buf *out, int64_t v)
{
	put_integer(out, (uint64_t)v, 8);
}

void pg_put_f64(struct buf *out, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	put_integer(out, bits, 8);
}

void pg_put_bytes(struct buf *out, const void *bytes, size_t n)
{
	char *room = n <= INT32_MAX ? buf_room(out, 4 + n) : NULL;

	if (room == NULL) {
		out->failed = true;
		return;
	}
	put32((uint8_t *)room, (uint32_t)n);
	if (n > 0)
		memcpy(room + 4, bytes, n);
	buf_wrote(out, room + 4 + n);
}

void pg_put_text(struct buf *out, const char *text)
{
	if (text[0] == '\0')
		pg_put_null(out);
	else
		pg_put_bytes(out, text, strlen(text));
}

void pg_put_row(struct buf *out, int32_t row)
{
	if (row == 0)
		pg_put_null(out);
	else
		pg_put_i32(out, row);
}

/* Family, bits, whether a network, length, bytes (network_send). */
static void put_network(struct buf *out, struct addr a, unsigned bits, bool cidr)
{
	uint8_t bytes[4 + 16] = {a.family == 4 ? 2 : 3, (uint8_t)bits, cidr, (uint8_t)addr_size(a)};

	memcpy(bytes + 4, a.bytes, addr_size(a));
	pg_put_bytes(out, bytes, 4 + addr_size(a));
}

void pg_put_addr(struct buf *out, struct addr a)
{
	if (addr_is_set(a))
		put_network(out, a, (unsigned)(8 * addr_size(a)), false);
	else
		pg_put_null(out);
}

void pg_put_cidr(struct buf *out, struct prefix p)
{
	if (addr_is_set(p.addr))
		put_network(out, p.addr, p.len, true);
	else
		pg_put_null(out);
}

int pg_by_row(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

	return (x > y) - (x < y);
}

void pg_array_row(struct pg_array *a, int32_t row)
{
	a->count++;
	pg_put_row(&a->bytes, row);
}

void pg_array_fini(struct pg_array *a)
{
	buf_fini(&a->bytes);
	*a = (struct pg_array){0};
}

void pg_array_clear(struct pg_array *a)
{
	buf_clear(&a->bytes);
	a->count = 0;
}

/* --- parameters ------------------------------------------------------------------------------- */

void pg_params_fini(struct pg_params *p)
{
	buf_fini(&p->bytes);
	*p = (struct pg_params){0};
}

void pg_params_clear(struct pg_params *p)
{
	buf_clear(&p->bytes);
	p->count = 0;
}

static void param(struct pg_params *p, enum pg_type type, size_t at, size_t size)
{
	if (p->count == PG_PARAMS_MAX || at > INT_MAX || size > INT_MAX) {
		p->bytes.failed = true;
		return;
	}
	p->types[p->count] = type;
	p->at[p->count] = (int)at;
	p->sizes[p->count++] = (int)size;
}

void pg_param_bytes(struct pg_params *p, enum pg_type type, const void *bytes, size_t n)
{
	size_t at = p->bytes.used;

	buf_append(&p->bytes, bytes, n);
	param(p, type, at, n);
}

static void param_integer(struct pg_params *p, enum pg_type type, uint64_t v, unsigned width)
{
	uint8_t bytes[8];

	for (unsigned k = 0; k < width; k++)
		bytes[k] = (uint8_t)(v >> 8 * (width - 1 - k));
	pg_param_bytes(p, type, bytes, width);
}

void pg_param_i32(struct pg_params *p, int32_t v)
{
	param_integer(p, PG_INT4, (uint64_t)v, 4);
}

void pg_param_i64(struct pg_params *p, int64_t v)
{
	param_integer(p, PG_INT8, (uint64_t)v, 8);
}

void pg_param_bool(struct pg_params *p, bool v)
{
	param_integer(p, PG_BOOL, v, 1);
}

void pg_param_text(struct pg_params *p, const char *text)
{
	if (text == NULL) {
		param(p, PG_TEXT, p->bytes.used, 0);
		p->sizes[p->count - 1] = -1;
		return;
	}
	pg_param_bytes(p, PG_TEXT, text, strlen(text));
}

static enum pg_type element_of(enum pg_type array)
{
	switch (array) {
	case PG_BOOLS:
		return PG_BOOL;
	case PG_BYTEAS:
		return PG_BYTEA;
	case PG_INT2S:
		return PG_INT2;
	case PG_INT4S:
		return PG_INT4;
	case PG_TEXTS:
		return PG_TEXT;
	case PG_INT8S:
		return PG_INT8;
	case PG_FLOAT8S:
		return PG_FLOAT8;
	case PG_INETS:
		return PG_INET;
	case PG_CIDRS:
		return PG_CIDR;
	case PG_UUIDS:
		return PG_UUID;
	default:
		return array;
	}
}

/* Dimensions, whether there may be NULLs, type, length and first index of the one dimension,
 * elements (array_send). */
void pg_param_array(struct pg_params *p, enum pg_type array, const struct pg_array *a)
{
	uint8_t head[20], *at = head;
	size_t from = p->bytes.used;

	at = put32(at, a->count > 0);
	at = put32(at, 1);
	at = put32(at, element_of(array));
	if (a->count > 0) {
		at = put32(at, (uint32_t)a->count);
		at = put32(at, 1);
	}
	buf_append(&p->bytes, head, (size_t)(at - head));
	if (a->bytes.used > 0)
		buf_append(&p->bytes, a->bytes.bytes, a->bytes.used);
	p->bytes.failed |= a->bytes.failed;
	param(p, array, from, p->bytes.used - from);
}

/* --- results ---------------------------------------------------------------------------------- */

bool pg_is_null(const PGresult *r, int row, int column)
{
	return PQgetisnull(r, row, column) != 0;
}

static uint64_t get_integer(const PGresult *r, int row, int column, int width)
{
	const unsigned char *bytes = (const unsigned char *)PQgetvalue(r, row, column);
	uint64_t v = 0;

	if (PQgetlength(r, row, column) != width)
		return 0;
	for (int k = 0; k < width; k++)
		v = v << 8 | bytes[k];
	return v;
}

bool pg_get_bool(const PGresult *r, int row, int column)
{
	return get_integer(r, row, column, 1) != 0;
}

int16_t pg_get_i16(const PGresult *r, int row, int column)
{
	return (int16_t)get_integer(r, row, column, 2);
}

int32_t pg_get_i32(const PGresult *r, int row, int column)
{
	return (int32_t)get_integer(r, row, column, 4);
}

int64_t pg_get_i64(const PGresult *r, int row, int column)
{
	return (int64_t)get_integer(r, row, column, 8);
}

const void *pg_get_bytes(const PGresult *r, int row, int column, size_t *n)
{
	int size = PQgetlength(r, row, column);

	*n = size > 0 ? (size_t)size : 0;
	return PQgetvalue(r, row, column);
}

const char *pg_get_text(const PGresult *r, int row, int column)
{
	return PQgetvalue(r, row, column);
}

int pg_read_i32s(const void *bytes, size_t n, int32_t *out, int max)
{
	struct cur c = cur_of(bytes, n);
	uint32_t dimensions = cur_be32(&c), nulls = cur_be32(&c), type = cur_be32(&c), count = 0;

	if (dimensions > 1 || nulls != 0 || type != PG_INT4)
		return -1;
	if (dimensions == 1) {
		count = cur_be32(&c);
		cur_be32(&c);
	}
	if (c.failed || count > (uint32_t)max)
		return -1;
	for (uint32_t i = 0; i < count; i++) {
		if (cur_be32(&c) != 4)
			return -1;
		out[i] = (int32_t)cur_be32(&c);
	}
	return c.failed || cur_left(&c) > 0 ? -1 : (int)count;
}

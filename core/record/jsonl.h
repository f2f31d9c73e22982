// SPDX-License-Identifier: BSD-2-Clause
/*
 * The native record, JSON Lines (INTERFACE "The record"): lossless, versioned. Writing is by
 * core/json.h into a buffer; reading is by core/jsontree.h. Unknown fields are kept: a record read
 * from a line keeps that line, and writing it again changes the bytes of only what a second pass
 * owns (names, geo, verdict).
 */
#ifndef CORE_RECORD_JSONL_H
#define CORE_RECORD_JSONL_H

#include <stddef.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/record/names.h"
#include "core/record/trace.h"
#include "core/record/verdict.h"

/* Appends one line, newline included. names and verdict may be NULL (or not judged): left out. */
void jsonl_write_trace(struct buf *out, const struct trace *t, const struct names *names,
		       const struct verdict *verdict);

enum record_kind { RECORD_UNKNOWN, RECORD_TRACE, RECORD_PATHS, RECORD_ROUND, RECORD_EVENT,
		   RECORD_REPORT, RECORD_DIFF, RECORD_RUN };

/* One record read. Everything is owned; record_fini frees, record_init first. */
struct record {
	enum record_kind kind;
	struct trace *trace;     /* RECORD_TRACE */
	struct names names;      /* as in the line; count 0 when it had none */
	struct verdict verdict;  /* .judged false when it had none */
	char *line;              /* as read, without newline; NULL for other formats */
	size_t line_size;        /* bytes, without the terminating NUL */
	void *dom;               /* struct json_node, the tree of the line; NULL for traces */
};
void record_init(struct record *r);
void record_fini(struct record *r);

/* Reads one line (n bytes, with or without newline) of native JSON Lines into *out, which is
 * initialised and empty and stays so on failure. The order of members does not matter; null is "not
 * known". An object of a type that is not known gives RECORD_UNKNOWN with its dom. BP_EPARSE (err
 * says which field, and what was expected), BP_EUNSUP (a newer version), BP_EFOREIGN (JSON, but
 * without our "type"), BP_ENOMEM. */
int jsonl_read(const char *line, size_t n, struct record *out, struct bp_error *err);

/* A member and its value as JSON text. */
struct jsonl_member { const char *key; const char *value; };
/* As jsonl_write_record for a record with a line of its own, with further members that a second
 * pass owns: those that stand in the line are replaced in their places, none is added. */
int jsonl_write_members(struct buf *out, const struct record *r, const struct verdict *verdict,
			const struct jsonl_member *members, unsigned n);

/* Appends the record as a line, newline included. With a line of its own: that line byte for byte,
 * except that names and geo, and verdict, are replaced in their places by the given ones (added at
 * the end when there were none; NULL or not judged keeps what stands there). Members of a name's
 * entry that are not ours stay with their address. Without a line: as jsonl_write_trace, where
 * NULL means r's own. 0, BP_ENOMEM, BP_EINVAL (neither a line nor a trace). */
int jsonl_write_record(struct buf *out, const struct record *r, const struct names *names,
		       const struct verdict *verdict);

#endif

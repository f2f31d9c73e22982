// SPDX-License-Identifier: BSD-2-Clause
/*
 * scamper's JSON, one object a line as sc_warts2json writes it, and the envelope that M-Lab's
 * traceroute-caller puts around: reading one object, for the formats `scamper` and `warts`;
 * writing one. doc/record.md says what becomes of which field. A tracelb becomes several traces,
 * one a flow. Pings and the rest of scamper's measurements are not read.
 */
#ifndef CORE_RECORD_SCAMPER_H
#define CORE_RECORD_SCAMPER_H

#include <stddef.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/record/jsonl.h"

/* One flow of a tracelb, and how many entries there is room for. */
struct scamper_flow {
	struct trace *trace;
	uint32_t room;
};

/* What an object tells of those behind it, and what is left of the last one. All 0 at the start;
 * scamper_stream_fini frees. */
struct scamper_stream {
	char hostname[TRACE_VANTAGE_TEXT]; /* of the last cycle-start: who measured */
	struct scamper_flow *flows;        /* of the last tracelb; owned */
	unsigned flow_count, flow_at;
	struct names names;                /* of its nodes */
};
void scamper_stream_fini(struct scamper_stream *s);

/* Reads one object of n bytes into *out, which is initialised and empty and stays so on failure.
 * BP_EAGAIN: understood, and no record (the begin or end of a cycle, M-Lab's metadata).
 * BP_EPARSE, BP_ERANGE, BP_ETRUNC, BP_EUNSUP (another kind of measurement), BP_EFOREIGN, BP_ENOMEM:
 * err says which field, and what was expected. */
int scamper_read(struct scamper_stream *s, const char *object, size_t n, struct record *out,
		 struct bp_error *err);
/* The next trace of the last object, if it has more: 0, BP_EAGAIN (no more), BP_ENOMEM. */
int scamper_next(struct scamper_stream *s, struct record *out);
/* Appends one line. 0, BP_ENOMEM, BP_EFOREIGN (no trace, or without a destination). */
int scamper_write(struct buf *out, const struct record *rec, const struct names *names,
		  const struct verdict *verdict);

#endif

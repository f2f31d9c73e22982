// SPDX-License-Identifier: BSD-2-Clause
/*
 * What borderpath-probe writes on its stdout: frames, native byte order, for its parent on the
 * same machine only (the two programs are built and installed together; HELLO carries the check).
 * Binary, because naming and writing must not be what costs; the record for everyone else is
 * JSON Lines.
 *
 *   frame   = struct frame_head, then head.size bytes of body
 *   stream  = HELLO, then any of TRACE | PROGRESS | NOTE | HOP | PATHS, then END
 */
#ifndef CORE_RECORD_FRAME_H
#define CORE_RECORD_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/record/trace.h"

enum frame_type {
	FRAME_HELLO = 1,    /* struct frame_hello */
	FRAME_TRACE = 2,    /* struct trace block */
	FRAME_PROGRESS = 3, /* struct frame_progress */
	FRAME_NOTE = 4,     /* text for people, one line, not terminated: warnings */
	FRAME_END = 5,      /* struct frame_end */
	FRAME_HOP = 6,      /* struct addr: somebody answered for the first time, when asked for */
	FRAME_PATHS = 7,    /* struct frame_paths: after the last trace of a multipath target */
};

enum { FRAME_MAGIC = 0x31665062, FRAME_VERSION = 2 }; /* "bPf1" in memory */
enum { FRAME_SIZE_MAX = 32 * 1024 * 1024 };

struct frame_head {
	uint32_t magic;
	uint32_t type;
	uint32_t size;     /* of the body, bytes */
	uint32_t reserved; /* 0; keeps bodies 8-aligned in a packed buffer */
};

struct frame_hello {
	uint32_t version;
	uint32_t trace_size, entry_size; /* sizeof(struct trace), sizeof(struct trace_entry) */
	uint32_t pid;
	char tool[TRACE_TOOL_TEXT];
};

struct frame_progress {
	uint64_t planned, done, in_flight; /* targets; planned grows while the plan is being read */
	uint64_t sent, received, drops;
	uint64_t rate_pps;                 /* over the last second */
	uint64_t pace_pps;                 /* loss by our own speed holds us to it; 0: no */
	/* The last answer, for a live view: none when addr is not set. */
	uint64_t target_seq;
	struct addr from;
	uint8_t ttl;
	int64_t rtt_ns;
};

/* What multipath found of a target's branches, after the last of its traces. */
enum balancing { BALANCING_NONE, BALANCING_PER_FLOW, BALANCING_PER_PACKET };

struct frame_paths {
	uint64_t seq;                      /* of the target's line, as in its traces */
	uint32_t flows;                    /* traces handed over for it */
	uint8_t level;                     /* of confidence asked for, percent */
	uint8_t cut;                       /* 1: ended before the stopping rule was content */
	double confidence;                 /* that no branch is missing, by the rule, 0..1 */
	uint8_t balancing[TRACE_MAX_TTL + 1]; /* [ttl]: enum balancing among the next hops there */
};

struct frame_end {
	uint64_t done, sent, received, drops, send_errors;
	struct refused refused;
	uint32_t slowed_times, slowed_pps, repeated; /* as in struct trace, over the run */
	uint8_t interrupted, clock_stepped;
	int32_t code;        /* 0 or BP_E*: the run failed; text says why */
	char text[512];
};

#endif

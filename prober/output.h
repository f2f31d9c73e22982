// SPDX-License-Identifier: BSD-2-Clause
/*
 * Frames on their way to the parent. Appends whole frames to a buffer and writes what the pipe
 * takes without ever blocking a measurement: borderpath gives a pipe that does not block; to any
 * other at most PIPE_BUF bytes are written once poll has said that there is room.
 */
#ifndef PROBER_OUTPUT_H
#define PROBER_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/record/frame.h"

enum {
	OUTPUT_PIECE_SAFE = 4096, /* PIPE_BUF of Linux: POLLOUT promises as much */
	OUTPUT_PIECE = 64 * 1024,
	/* While probes are to be sent, less than this waits for more: each write wakes the reader,
	 * at the sender's cost. */
	OUTPUT_WORTH = 32 * 1024,
	OUTPUT_HIGH = 4 * 1024 * 1024, /* more waiting than this: start no new target */
};

struct output {
	int fd;
	size_t piece;     /* most to write at once */
	struct buf bytes;
	size_t at;        /* written so far of bytes */
	bool closed;      /* the reader went away, or memory did */
};

void output_init(struct output *o, int fd);
void output_fini(struct output *o);
void output_frame(struct output *o, enum frame_type type, const void *body, size_t size);
static inline size_t output_waiting(const struct output *o) { return o->bytes.used - o->at; }
/* Writes while there is room. */
void output_write(struct output *o);
/* Writes everything, waiting for the reader, but no longer than stall_ms without any progress. */
void output_drain(struct output *o, int stall_ms);

#endif

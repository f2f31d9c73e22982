// SPDX-License-Identifier: BSD-2-Clause
/*
 * One JSON object at a time out of a stream, in bounded memory: JSON Lines, objects one after
 * another over any number of lines, or one array of them, however large. Finds where an object
 * begins and ends, by its quotes and brackets, and no more: whether what is between is JSON is for
 * who parses it (core/jsontree.h) to say.
 */
#ifndef CORE_RECORD_JSONSTREAM_H
#define CORE_RECORD_JSONSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct record_reader;

/* Where the reading stands, inside struct record_reader; all 0 at the start. */
struct json_stream {
	uint64_t line;  /* newlines passed + 1 */
	unsigned arrays; /* open brackets around the objects */
	bool lines;     /* an object has ended where its line did: one a line, until shown wrong */
	bool ended;     /* the last byte that mattered was an object's last */
};

/* The next object outside of which there is none: its n bytes from '{' to '}', borrowed until the
 * next call, NUL-terminated (and may contain NUL). Commas, blanks and the brackets of an array
 * around objects are passed over, as is a UTF-8 byte order mark. r->line is the line where it
 * begins. An object is there as soon as its last byte is: a live stream is not held up.
 * BP_EOF, BP_EIO, BP_ENOMEM. What the caller should skip (record_skip), and go on to call again:
 * BP_EPARSE (something between the objects that is none; passed over up to the end of its line, or
 * in an array to the next object; or one that is cut short by the next), BP_ERANGE (over
 * RECORD_LINE_MAX; passed over whole), BP_ETRUNC (the stream ends inside it). */
int record_object(struct record_reader *r, const char **object, size_t *n, struct bp_error *err);

/* For detection, of a file's first n bytes: whether they begin with an object or an array, past a
 * byte order mark and blanks; and whether a text is among them, wherever. */
bool json_stream_begins(const char *head, size_t n);
bool json_stream_has(const char *head, size_t n, const char *text);

#endif

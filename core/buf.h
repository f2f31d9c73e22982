// SPDX-License-Identifier: BSD-2-Clause
/*
 * A growing byte buffer for output. The first failure to grow is sticky (`failed`), later appends
 * do nothing, so a writer appends a whole record and tests once. bytes are always NUL-terminated
 * once something was appended. Owns its memory.
 */
#ifndef CORE_BUF_H
#define CORE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *bytes;   /* owned; NULL while empty */
	size_t used;   /* without the NUL */
	size_t size;
	bool failed;
};

void buf_init(struct buf *b);
void buf_fini(struct buf *b);
/* Empties, keeps the memory. */
void buf_clear(struct buf *b);
/* Room for `more` bytes at the end, borrowed until the next call: write there, then buf_wrote
 * tells how far. NULL when it fails. */
char *buf_room(struct buf *b, size_t more);
void buf_wrote(struct buf *b, const char *end);
void buf_append(struct buf *b, const void *bytes, size_t n);
void buf_str(struct buf *b, const char *text);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));
/* Removes n bytes from the front (what was written out). */
void buf_consume(struct buf *b, size_t n);

#endif

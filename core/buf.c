// SPDX-License-Identifier: BSD-2-Clause
/* The growing output buffer. Owns growth and the sticky failure. */
#include "core/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b)
{
	*b = (struct buf){0};
}

void buf_fini(struct buf *b)
{
	free(b->bytes);
	*b = (struct buf){0};
}

void buf_clear(struct buf *b)
{
	b->used = 0;
	b->failed = false;
	if (b->bytes)
		b->bytes[0] = '\0';
}

static bool reserve(struct buf *b, size_t more)
{
	size_t want, size;
	char *bytes;

	if (b->failed || more > SIZE_MAX / 2 - b->used) {
		b->failed = true;
		return false;
	}
	want = b->used + more + 1;
	if (want <= b->size)
		return true;
	size = b->size ? b->size : 256;
	while (size < want)
		size *= 2;
	bytes = realloc(b->bytes, size);
	if (bytes == NULL) {
		b->failed = true;
		return false;
	}
	b->bytes = bytes;
	b->size = size;
	return true;
}

char *buf_room(struct buf *b, size_t more)
{
	return reserve(b, more) ? b->bytes + b->used : NULL;
}

void buf_wrote(struct buf *b, const char *end)
{
	b->used = (size_t)(end - b->bytes);
	b->bytes[b->used] = '\0';
}

void buf_append(struct buf *b, const void *bytes, size_t n)
{
	if (!reserve(b, n))
		return;
	if (n > 0)
		memcpy(b->bytes + b->used, bytes, n);
	b->used += n;
	b->bytes[b->used] = '\0';
}

void buf_str(struct buf *b, const char *text)
{
	buf_append(b, text, strlen(text));
}

void buf_char(struct buf *b, char c)
{
	buf_append(b, &c, 1);
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0 || !reserve(b, (size_t)n)) {
		b->failed = true;
		return;
	}
	vsnprintf(b->bytes + b->used, (size_t)n + 1, fmt, ap);
	b->used += (size_t)n;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void buf_consume(struct buf *b, size_t n)
{
	if (n >= b->used) {
		b->used = 0;
	} else {
		memmove(b->bytes, b->bytes + n, b->used - n);
		b->used -= n;
	}
	if (b->bytes)
		b->bytes[b->used] = '\0';
}

// SPDX-License-Identifier: BSD-2-Clause
/* Terminal drawing: escapes, widths, lines. Text is UTF-8; columns are what is counted. */
#include "analysis/report/style.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

void style_face(struct buf *out, const struct style *s, enum style_face face)
{
	static const char *const codes[] = {
		[FACE_PLAIN] = "0", [FACE_BOLD] = "1", [FACE_DIM] = "2", [FACE_GOOD] = "32",
		[FACE_WARN] = "33", [FACE_BAD] = "31"};

	if (s->color)
		buf_printf(out, "\033[%sm", codes[face]);
}

void style_color(struct buf *out, const struct style *s, const char *hex)
{
	unsigned r, g, b;

	if (!s->color || hex == NULL || sscanf(hex, "#%2x%2x%2x", &r, &g, &b) != 3)
		return;
	/* xterm's 6x6x6 cube: levels 0, 95, 135, ... 255. */
	buf_printf(out, "\033[38;5;%um", 16 + 36 * (r < 48 ? 0 : r < 115 ? 1 : (r - 35) / 40) +
		   6 * (g < 48 ? 0 : g < 115 ? 1 : (g - 35) / 40) +
		   (b < 48 ? 0 : b < 115 ? 1 : (b - 35) / 40));
}

void style_end(struct buf *out, const struct style *s)
{
	if (s->color)
		buf_str(out, "\033[0m");
}

/* Decodes one sequence of UTF-8 that core/text has already cleaned; 1 byte at least. */
static size_t decode(const char *text, wchar_t *out)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	unsigned c = n == 1 ? s[0] : s[0] & (0xffu >> (n + 1));

	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80) {
			*out = L'?';
			return 1;
		}
		c = c << 6 | (s[i] & 0x3f);
	}
	*out = (wchar_t)c;
	return n;
}

static unsigned columns_of(wchar_t c)
{
	int n = wcwidth(c);

	return n < 0 ? 1 : (unsigned)n;
}

unsigned style_columns(const char *text)
{
	unsigned columns = 0;
	wchar_t c;

	while (*text != '\0') {
		text += decode(text, &c);
		columns += columns_of(c);
	}
	return columns;
}

static void put(struct buf *out, const struct style *s, const char *text, size_t n)
{
	if (n > 1 && !s->utf8)
		buf_char(out, '?');
	else
		buf_append(out, text, n);
}

void style_text(struct buf *out, const struct style *s, const char *text)
{
	wchar_t c;

	while (*text != '\0') {
		size_t n = decode(text, &c);

		put(out, s, text, n);
		text += n;
	}
}

void style_pad(struct buf *out, const struct style *s, const char *text, unsigned columns)
{
	unsigned used = 0, all = style_columns(text);
	unsigned room = all > columns && columns > 0 ? columns - 1 : columns;
	wchar_t c;

	while (*text != '\0') {
		size_t n = decode(text, &c);

		if (used + columns_of(c) > room)
			break;
		put(out, s, text, n);
		used += columns_of(c);
		text += n;
	}
	if (*text != '\0' && used < columns) {
		buf_str(out, s->utf8 ? "\u2026" : "~");
		used++;
	}
	for (; used < columns; used++)
		buf_char(out, ' ');
}

/* Columns of the word (up to a blank or the end) at text, escapes not counted; *n is its bytes. */
static unsigned word_columns(const char *text, size_t *n)
{
	unsigned columns = 0;
	size_t at = 0;
	wchar_t c;

	while (text[at] != '\0' && text[at] != ' ' && text[at] != '\n') {
		if (text[at] == '\033') {
			at += strcspn(text + at, "m");
			at += text[at] != '\0';
			continue;
		}
		at += decode(text + at, &c);
		columns += columns_of(c);
	}
	*n = at;
	return columns;
}

void style_wrap(struct buf *out, const struct style *s, size_t start, unsigned indent)
{
	unsigned column = 0, blanks = 0;
	const char *at;
	char *text;

	/* Narrower than this nothing reads well, broken or not. */
	if (s->width < indent + 20 || out->failed || out->used == start)
		return;
	text = strdup(out->bytes + start);
	if (text == NULL)
		return;
	out->used = start;
	for (at = text; *at != '\0';) {
		size_t n;
		unsigned columns = word_columns(at, &n);

		if (column > 0 && blanks > 0 && column + blanks + columns > s->width) {
			buf_char(out, '\n');
			column = 0;
			blanks = indent;
		}
		for (column += blanks; blanks > 0; blanks--)
			buf_char(out, ' ');
		buf_append(out, at, n);
		column += columns;
		at += n;
		for (; *at == ' '; at++)
			blanks++;
		if (*at == '\n') {
			buf_char(out, '\n');
			column = blanks = 0;
			at++;
		}
	}
	free(text);
}

/* Bytes of the escape or character at text, and the columns it takes. */
static size_t step(const char *text, unsigned *columns)
{
	wchar_t c;
	size_t n;

	if (*text == '\033') {
		n = strcspn(text, "m");
		*columns = 0;
		return n + (text[n] != '\0');
	}
	n = decode(text, &c);
	*columns = *text == '\n' ? 0 : columns_of(c);
	return n;
}

unsigned style_rows(const char *text, unsigned width)
{
	unsigned rows = 0, column = 0;

	while (*text != '\0') {
		unsigned columns;
		size_t n = step(text, &columns);

		if (*text == '\n') {
			rows++;
			column = 0;
		} else if (column + columns > width) {
			rows++;
			column = columns;
		} else {
			column += columns;
		}
		text += n;
	}
	return rows;
}

void style_cut(struct buf *out, const struct style *s, size_t start)
{
	unsigned column = 0;
	char *at, *to;

	if (s->width == 0 || out->failed || out->used == start)
		return;
	for (at = to = out->bytes + start; *at != '\0';) {
		unsigned columns;
		size_t n = step(at, &columns);

		if (*at == '\n')
			column = 0;
		if (columns == 0 || column + columns <= s->width) {
			memmove(to, at, n);
			to += n;
		}
		column += columns;
		at += n;
	}
	*to = '\0';
	out->used = (size_t)(to - out->bytes);
}

void style_line(struct buf *out, const struct style *s, unsigned columns, bool heavy)
{
	const char *mark = s->utf8 ? (heavy ? "\u2501" : "\u2504") : (heavy ? "=" : "-");

	for (unsigned i = 0; i < columns; i++)
		buf_str(out, mark);
}

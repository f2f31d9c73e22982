// SPDX-License-Identifier: BSD-2-Clause
/*
 * How text for people is drawn: escapes, line characters, display widths. Decides nothing about
 * content. Colours are always doubled by words or signs.
 */
#ifndef ANALYSIS_REPORT_STYLE_H
#define ANALYSIS_REPORT_STYLE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"

struct style {
	bool color;     /* ANSI escapes allowed */
	bool utf8;      /* box characters and UTF-8 text allowed */
	unsigned width; /* columns of the terminal; 0: no terminal, as wide as needed */
};

enum style_face { FACE_PLAIN, FACE_BOLD, FACE_DIM, FACE_GOOD, FACE_WARN, FACE_BAD };

void style_face(struct buf *out, const struct style *s, enum style_face face);
/* Foreground from "#RRGGBB" (nearest of the 256-colour cube); nothing when hex is NULL or bad. */
void style_color(struct buf *out, const struct style *s, const char *hex);
void style_end(struct buf *out, const struct style *s);

/* Columns a UTF-8 text takes on a terminal (combining 0, wide 2). */
unsigned style_columns(const char *text);
/* Appends text in exactly `columns` columns: padded right, or cut with an ellipsis. Without utf8
 * every non-ASCII character becomes '?'. */
void style_pad(struct buf *out, const struct style *s, const char *text, unsigned columns);
/* Appends text as it is, made ASCII without utf8. */
void style_text(struct buf *out, const struct style *s, const char *text);
/* Breaks the lines of what was appended since `start` at spaces, so that none is wider than the
 * terminal; what goes on is indented. Without a terminal nothing is done. */
void style_wrap(struct buf *out, const struct style *s, size_t start, unsigned indent);
/* Cuts each line of what was appended since `start` to the width of the terminal; escapes take no
 * room and stay. Without a terminal nothing is done. */
void style_cut(struct buf *out, const struct style *s, size_t start);
/* Rows that lines (each with its newline) take on a terminal that breaks them at `width`
 * columns. */
unsigned style_rows(const char *text, unsigned width);
/* Appends `columns` of a horizontal line. */
void style_line(struct buf *out, const struct style *s, unsigned columns, bool heavy);

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * Small text helpers: bounded copies that keep UTF-8 whole, strict integers, and the table that
 * turns enums into the words of the interface and back.
 */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the well-formed UTF-8 sequence that begins the n >= 1 bytes at s (Unicode 15, table
 * 3-7); 0 when malformed or cut. */
size_t utf8_length(const unsigned char *s, size_t n);

/* The same of a character that may be shown as it is; 0 also when it would steer a terminal (C0,
 * DEL, C1: U+0080-U+009F), break a line (U+2028, U+2029), or turn the direction of what stands
 * behind it (U+202A-U+202E, U+2066-U+2069: Unicode 15 annex 9, CVE-2021-42574). */
size_t text_shown(const unsigned char *s, size_t n);

/* Copies up to size - 1 bytes of text (n bytes, need not be terminated), never cutting a UTF-8
 * sequence; malformed UTF-8 and what may not be shown become '?', one each. Always terminates.
 * Returns whether all fitted. */
bool text_copy(char *out, size_t size, const char *text, size_t n);
/* The same for a terminated string. */
bool text_set(char *out, size_t size, const char *text);

/* Whole string, decimal, no sign, no spaces. BP_EPARSE, BP_ERANGE. */
int text_to_u64(const char *text, uint64_t min, uint64_t max, uint64_t *out);

/* The same with up to three places behind a point, in thousandths: "0.8" is 800. */
int text_to_milli(const char *text, uint64_t min, uint64_t max, uint64_t *out);
/* What that reads, as short as it goes. Returns out. */
enum { TEXT_MILLI = 24 };
const char *text_milli(uint64_t thousandths, char out[static TEXT_MILLI]);

/* A word of the interface and its enum value. Tables end with {NULL, 0}. */
struct word { const char *word; int value; };
/* "unknown" when the value is not in the table. */
const char *word_of(const struct word *table, int value);
/* BP_ENOTFOUND when the word is not in the table. */
int word_value(const struct word *table, const char *word, int *out);

#endif

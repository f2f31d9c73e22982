// SPDX-License-Identifier: BSD-2-Clause
/* Bounded text, strict integers, enum words. Owns no policy. */
#include "core/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/err.h"

size_t utf8_length(const unsigned char *s, size_t n)
{
	size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 :
		     s[0] < 0xf5 ? 4 : 0;

	if (len == 0 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

size_t text_shown(const unsigned char *s, size_t n)
{
	size_t len = utf8_length(s, n);

	if (len == 1)
		return s[0] >= 0x20 && s[0] != 0x7f;
	if (len == 2 && s[0] == 0xc2 && s[1] < 0xa0)
		return 0;
	if (len == 3 && s[0] == 0xe2 && s[1] == 0x80 && s[2] >= 0xa8 && s[2] <= 0xae)
		return 0;
	if (len == 3 && s[0] == 0xe2 && s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9)
		return 0;
	return len;
}

bool text_copy(char *out, size_t size, const char *text, size_t n)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t used = 0, at = 0;

	while (at < n) {
		bool plain = s[at] >= 0x20 && s[at] < 0x7f; /* nearly all text is */
		size_t len = plain ? 1 : utf8_length(s + at, n - at);
		bool bad = !plain && text_shown(s + at, n - at) == 0;
		size_t put = bad ? 1 : len;

		if (used + put + 1 > size)
			break;
		if (bad)
			out[used] = '?';
		else if (plain)
			out[used] = text[at];
		else
			memcpy(out + used, s + at, len);
		used += put;
		at += len ? len : 1;
	}
	if (size > 0)
		out[used] = '\0';
	return at == n;
}

bool text_set(char *out, size_t size, const char *text)
{
	return text_copy(out, size, text, strlen(text));
}

int text_to_u64(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (*text == '\0')
		return BP_EPARSE;
	for (const char *s = text; *s != '\0'; s++) {
		uint64_t digit;

		if (*s < '0' || *s > '9')
			return BP_EPARSE;
		digit = (uint64_t)(*s - '0');
		if (v > (UINT64_MAX - digit) / 10)
			return BP_ERANGE;
		v = 10 * v + digit;
	}
	if (v < min || v > max)
		return BP_ERANGE;
	*out = v;
	return 0;
}

int text_to_milli(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	const char *point = strchr(text, '.');
	size_t whole = point != NULL ? (size_t)(point - text) : strlen(text);
	size_t places = point != NULL ? strlen(point + 1) : 0;
	char digits[TEXT_MILLI];

	if (whole == 0 || places > 3 || (point != NULL && places == 0))
		return BP_EPARSE;
	if (whole > sizeof(digits) - 4)
		return BP_ERANGE;
	memcpy(digits, text, whole);
	memset(digits + whole, '0', 3);
	if (point != NULL)
		memcpy(digits + whole, point + 1, places);
	digits[whole + 3] = '\0';
	return text_to_u64(digits, min, max, out);
}

const char *text_milli(uint64_t thousandths, char out[static TEXT_MILLI])
{
	unsigned part = (unsigned)(thousandths % 1000);
	int n = snprintf(out, TEXT_MILLI, "%" PRIu64, thousandths / 1000);

	if (part > 0)
		n += snprintf(out + n, TEXT_MILLI - (size_t)n, ".%03u", part);
	while (part > 0 && out[n - 1] == '0')
		out[--n] = '\0';
	return out;
}

const char *word_of(const struct word *table, int value)
{
	for (; table->word != NULL; table++) {
		if (table->value == value)
			return table->word;
	}
	return "unknown";
}

int word_value(const struct word *table, const char *word, int *out)
{
	for (; table->word != NULL; table++) {
		if (strcmp(table->word, word) == 0) {
			*out = table->value;
			return 0;
		}
	}
	return BP_ENOTFOUND;
}

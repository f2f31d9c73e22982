// SPDX-License-Identifier: BSD-2-Clause
/* RUN-SEQ[.SUB], read and written. */
#include "campaign/trace_key.h"

#include <string.h>

/* Decimal, as printf writes it: another way to write it would be another id. */
static bool parse_number(const char *text, size_t n, int64_t max, int64_t *out)
{
	int64_t v = 0;

	if (n == 0 || (n > 1 && text[0] == '0'))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		v = 10 * v + (text[i] - '0');
		if (v > max)
			return false;
	}
	*out = v;
	return true;
}

bool trace_key_parse(const char *id, struct trace_key *out)
{
	const char *dash = strrchr(id, '-'), *dot;
	struct trace_key k = {.sub = -1};

	if (dash == NULL || dash == id || (size_t)(dash - id) >= sizeof(k.run))
		return false;
	dot = strchr(dash + 1, '.');
	if (!parse_number(dash + 1, dot ? (size_t)(dot - dash - 1) : strlen(dash + 1),
			  TRACE_KEY_SEQ_MAX, &k.seq))
		return false;
	if (dot != NULL && !parse_number(dot + 1, strlen(dot + 1), TRACE_KEY_SUB_MAX, &k.sub))
		return false;
	memcpy(k.run, id, (size_t)(dash - id));
	*out = k;
	return true;
}

/* Millions of ids are written for one report: by hand this takes a tenth of what printf does. */
static char *put_number(char *at, int64_t v)
{
	char digits[20];
	unsigned n = 0;
	uint64_t left = v < 0 ? -(uint64_t)v : (uint64_t)v;

	if (v < 0)
		*at++ = '-';
	do {
		digits[n++] = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	while (n > 0)
		*at++ = digits[--n];
	return at;
}

void trace_key_text(const struct trace_key *k, char out[static TRACE_ID_TEXT])
{
	/* Longer than it may be: a damaged store's numbers are cut, not written past the end. */
	char text[TRACE_ID_TEXT + 48], *at = text + strlen(k->run);
	size_t n;

	memcpy(text, k->run, (size_t)(at - text));
	*at++ = '-';
	at = put_number(at, k->seq);
	if (k->sub >= 0) {
		*at++ = '.';
		at = put_number(at, k->sub);
	}
	n = (size_t)(at - text);
	n = n < TRACE_ID_TEXT ? n : TRACE_ID_TEXT - 1;
	memcpy(out, text, n);
	out[n] = '\0';
}

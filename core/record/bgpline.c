// SPDX-License-Identifier: BSD-2-Clause
/* Fields between bars, and the end of an AS path. */
#include "core/record/bgpline.h"

#include <string.h>

#include "core/text.h"

enum field { F_TYPE, F_TIME, F_KIND, F_PEER, F_PEER_AS, F_PREFIX, F_PATH, FIELDS };
/* A field that is a number, an address or a word is shorter. */
enum { SHORT = 80 };

struct span { const char *at; size_t n; };

/* The fields that matter; those behind are left alone. Returns how many there are. */
static unsigned split(const char *line, size_t n, struct span out[static FIELDS])
{
	const char *end = line + n;
	unsigned count = 0;

	while (count < FIELDS) {
		const char *bar = memchr(line, '|', (size_t)(end - line));

		out[count++] = (struct span){line, (size_t)((bar != NULL ? bar : end) - line)};
		if (bar == NULL)
			break;
		line = bar + 1;
	}
	return count;
}

static bool is(const struct span *s, const char *word)
{
	return s->n == strlen(word) && memcmp(s->at, word, s->n) == 0;
}

/* As a C string; false where it is too long, or has a NUL in it. */
static bool copy(const struct span *s, char out[static SHORT])
{
	if (s->n >= SHORT || memchr(s->at, '\0', s->n) != NULL)
		return false;
	memcpy(out, s->at, s->n);
	out[s->n] = '\0';
	return true;
}

static int bad(struct bp_error *err, int code, const char *what, const struct span *s)
{
	char text[SHORT];

	text_copy(text, sizeof(text), s->at, s->n);
	return bp_fail(err, code, "'%s' is no %s of a line of bgpdump -m", text, what);
}

static bool number(const struct span *s, uint64_t max, uint64_t *out)
{
	char text[SHORT];

	return copy(s, text) && text_to_u64(text, 0, max, out) == 0;
}

/* Seconds, with a fraction in the lines of extended time stamps. */
static bool take_time(const struct span *s, struct wall *out)
{
	const char *dot = memchr(s->at, '.', s->n);
	struct span whole = {s->at, dot != NULL ? (size_t)(dot - s->at) : s->n};
	int64_t ns = 0, unit = NS_PER_S / 10;
	uint64_t seconds;

	if (!number(&whole, INT64_MAX / NS_PER_S - 1, &seconds))
		return false;
	for (size_t i = whole.n + 1; i < s->n; i++, unit /= 10) {
		if (s->at[i] < '0' || s->at[i] > '9')
			return false;
		ns += (s->at[i] - '0') * unit;
	}
	out->ns = (int64_t)seconds * NS_PER_S + ns;
	return true;
}

/* --- paths ------------------------------------------------------------------------------------ */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The networks of one word: "4837", "{1,2}" (a set), "(65001 65002)" and "[65001,65002]" (of a
 * confederation). A set of one is that one; 0: several. */
static int take_word(const char **at, const char *end, uint32_t *as)
{
	const char *c = *at;
	char close = *c == '{' ? '}' : *c == '[' ? ']' : *c == '(' ? ')' : '\0';
	unsigned members = 0;

	*as = 0;
	c += close != '\0';
	for (;;) {
		uint64_t value = 0;
		const char *first = c;

		while (c < end && is_digit(*c) && value <= UINT32_MAX)
			value = value * 10 + (uint64_t)(*c++ - '0');
		if (c == first || value > UINT32_MAX)
			return BP_EPARSE;
		*as = members++ == 0 ? (uint32_t)value : 0;
		if (close == '\0')
			break;
		if (c < end && *c == close) {
			c++;
			break;
		}
		if (c == end || (*c != ',' && *c != ' '))
			return BP_EPARSE;
		c++;
	}
	if (c < end && *c != ' ')
		return BP_EPARSE;
	*at = c;
	return 0;
}

/* Networks of a confederation are inside one, which tells of itself by its own number. */
static int take_path(const struct span *s, struct bgp_line *out)
{
	const char *at = s->at, *end = s->at + s->n;
	uint32_t before = 0, last = 0;
	bool any = false;

	while (at < end) {
		bool inside = *at == '(' || *at == '[';
		uint32_t as;

		if (*at == ' ') {
			at++;
			continue;
		}
		if (take_word(&at, end, &as) < 0)
			return BP_EPARSE;
		if (inside)
			continue;
		if (any && as != last)
			before = last;
		last = as;
		any = true;
	}
	/* What a peer originates itself has no path, within its own network. */
	out->origin = any ? last : out->peer_as;
	out->upstream = before;
	return 0;
}

/* --- lines ------------------------------------------------------------------------------------ */

static uint8_t kind_of(const struct span *f, unsigned n)
{
	bool update = is(&f[F_TYPE], "BGP4MP") || is(&f[F_TYPE], "BGP4MP_ET");
	bool table = is(&f[F_TYPE], "TABLE_DUMP2") || is(&f[F_TYPE], "TABLE_DUMP");

	if (n <= F_PREFIX)
		return BGP_UNKNOWN;
	if (table)
		return is(&f[F_KIND], "B") || is(&f[F_KIND], "A") ? BGP_TABLE : BGP_UNKNOWN;
	if (update && is(&f[F_KIND], "A"))
		return BGP_ANNOUNCE;
	if (update && is(&f[F_KIND], "W"))
		return BGP_WITHDRAW;
	/* From one state to another: 6 is Established (RFC 4271, 8.2.2). */
	if (update && is(&f[F_KIND], "STATE") && n > F_PATH)
		return is(&f[F_PREFIX], "6") && !is(&f[F_PATH], "6") ? BGP_DOWN : BGP_UP;
	return BGP_UNKNOWN;
}

int bgpline_parse(const char *line, size_t n, struct bgp_line *out, struct bp_error *err)
{
	struct span f[FIELDS], whole = {line, n};
	struct bgp_line x = {0};
	char text[SHORT];
	uint64_t as;
	unsigned count;

	if (n >= BGPLINE_MAX)
		return bp_fail(err, BP_ERANGE, "longer than %d bytes", BGPLINE_MAX - 1);
	count = split(line, n, f);
	x.kind = kind_of(f, count);
	if (x.kind == BGP_UNKNOWN)
		return bad(err, BP_EPARSE, "beginning", &whole);
	if (!take_time(&f[F_TIME], &x.time))
		return bad(err, BP_EPARSE, "Unix time", &f[F_TIME]);
	if (!copy(&f[F_PEER], text) || addr_parse(text, &x.peer) < 0)
		return bad(err, BP_EPARSE, "peer's address", &f[F_PEER]);
	if (!number(&f[F_PEER_AS], UINT32_MAX, &as))
		return bad(err, BP_EPARSE, "peer's AS", &f[F_PEER_AS]);
	x.peer_as = (uint32_t)as;
	if (x.kind == BGP_UP || x.kind == BGP_DOWN) {
		*out = x;
		return 0;
	}
	if (!copy(&f[F_PREFIX], text) || strchr(text, '/') == NULL ||
	    prefix_parse(text, &x.prefix) < 0)
		return bad(err, BP_EPARSE, "prefix", &f[F_PREFIX]);
	if (x.kind != BGP_WITHDRAW &&
	    (count <= F_PATH || take_path(&f[F_PATH], &x) < 0))
		return bad(err, BP_EPARSE, "AS path", count > F_PATH ? &f[F_PATH] : &whole);
	*out = x;
	return 0;
}

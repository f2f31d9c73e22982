// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a line is: a hop, more of the hop before, labels, or nothing of a traceroute. Owns the
 * doubt: people post traces between prose, other programs' output and rulers.
 */
#include <ctype.h>
#include <string.h>

#include "core/record/traceroute_text.h"

const char *traceroute_unquote(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	while (end - at >= 2 && (*at == '>' || *at == '|') && (at[1] == ' ' || at[1] == '\t')) {
		at++;
		while (at < end && (*at == ' ' || *at == '\t'))
			at++;
	}
	return at;
}

void traceroute_plain_blanks(char *line, size_t n)
{
	char *at = line, *end = line + n;

	while ((at = memmem(at, (size_t)(end - at), "\xc2\xa0", 2)) != NULL) {
		memset(at, ' ', 2);
		at += 2;
	}
}

/* The hop number at the beginning, 1..255, and a blank behind it. */
static unsigned hop_number(const char **at, const char *end)
{
	const char *s = *at;
	unsigned v = 0;

	for (; s < end && isdigit((unsigned char)*s) && v < 1000; s++)
		v = 10 * v + (unsigned)(*s - '0');
	if (s == *at || v == 0 || v > 255 || (s < end && *s != ' ' && *s != '\t'))
		return 0;
	while (s < end && (*s == ' ' || *s == '\t'))
		s++;
	/* "3 ms" is a time that was wrapped to a line of its own. */
	if (end - s >= 2 && memcmp(s, "ms", 2) == 0 && (end - s == 2 || s[2] == ' '))
		return 0;
	*at = s;
	return v;
}

struct census {
	unsigned addrs, times, units, stars, marks, words;
};

static struct census count_kinds(const struct traceroute_line *p)
{
	struct census c = {0};

	for (unsigned i = 0; i < p->count; i++) {
		switch (p->tokens[i].kind) {
		case TOKEN_ADDR:
			c.addrs++;
			break;
		case TOKEN_TIME:
			c.times++;
			c.units += p->tokens[i].unit;
			break;
		case TOKEN_STAR:
			c.stars++;
			break;
		case TOKEN_MARK:
			c.marks++;
			break;
		case TOKEN_MPLS:
			break;
		case TOKEN_WORD:
			c.words++;
			break;
		}
	}
	return c;
}

bool traceroute_is_word(const struct token *t, const char *word)
{
	return t->kind == TOKEN_WORD && t->n == strlen(word) && memcmp(t->text, word, t->n) == 0;
}

/* A line with a hop number: a hop when it begins with a result and says of some probe how it fared.
 * What tracert says in words may stand behind. */
static enum line_kind numbered(const struct traceroute_line *p)
{
	struct census c = count_kinds(p);
	const struct token *first = p->tokens;

	if (p->count == 0)
		return LINE_NOISE;
	if (first->kind == TOKEN_WORD) {
		/* "5  Destination host unreachable." and a name that was wrapped before its address. */
		if (p->count == 1 && memchr(first->text, '.', first->n) != NULL)
			return LINE_HOST;
		return p->count >= 2 && p->tokens[1].kind == TOKEN_TIME && c.units > 0 ? LINE_HOP
										       : LINE_NOISE;
	}
	if (c.times + c.stars + c.marks == 0)
		return c.addrs == 1 && (c.words == 0 ||
					traceroute_is_word(&p->tokens[1], "reports:"))
			       ? LINE_HOP
			       : LINE_NOISE;
	/* Times alone are figures of anything unless they have units. */
	if (c.addrs == 0 && c.times > 0 && c.units == 0)
		return LINE_NOISE;
	return LINE_HOP;
}

/* A line without a number goes on with the open hop when it is results and nothing else. */
static enum line_kind unnumbered(const struct traceroute_line *p)
{
	struct census c = count_kinds(p);

	if (p->count == 0)
		return LINE_NOISE;
	if (p->count == 1 && p->tokens[0].kind == TOKEN_MPLS)
		return LINE_MPLS;
	if (c.words > 0)
		return LINE_NOISE;
	return c.addrs > 0 && c.times > 0		      ? LINE_MORE
	       : c.addrs == 0 && (c.units > 0 || c.stars > 0) ? LINE_MORE
							      : LINE_NOISE;
}

void traceroute_line(const char *line, size_t n, struct traceroute_line *out)
{
	const char *end = line + n, *at = traceroute_unquote(line, end);

	out->kind = LINE_NOISE;
	out->count = 0;
	if (memchr(line, '\0', n) != NULL)
		return;
	out->ttl = hop_number(&at, end);
	out->count = traceroute_tokens(at, (size_t)(end - at), out->tokens);
	out->kind = out->ttl > 0 ? numbered(out) : unnumbered(out);
}

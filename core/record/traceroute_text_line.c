// SPDX-License-Identifier: BSD-2-Clause
/*
 * One line of traceroute output as tokens. Owns the spelling of times, marks, labels and names of
 * the traceroutes people post; knows nothing of hops and traces.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "core/err.h"
#include "core/record/traceroute_text.h"

/* A cursor over text; never past end. */
struct scan {
	const char *at, *end;
};

static bool space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v' || c == ',' || c == ';';
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool equals(const char *text, size_t n, const char *word)
{
	return strlen(word) == n && strncasecmp(text, word, n) == 0;
}

/* An address as a whole: "1.2.3.4", "2001:db8::1", "fe80::1%eth0", with a dot or colon behind. */
static bool address(const char *text, size_t n, struct addr *out)
{
	char copy[ADDR_TEXT];
	const char *zone = memchr(text, '%', n);

	if (zone != NULL)
		n = (size_t)(zone - text);
	if (n > 0 && (text[n - 1] == '.' || (text[n - 1] == ':' && (n < 2 || text[n - 2] != ':'))))
		n--;
	if (n < 2 || n >= sizeof(copy) || memchr(text, '\0', n) != NULL)
		return false;
	memcpy(copy, text, n);
	copy[n] = '\0';
	return addr_parse(copy, out) == 0;
}

/* Digits, perhaps a fraction (a comma too: some locales print one). Advances over the number. */
static bool number(struct scan *s, double *out)
{
	const char *at = s->at;
	double v = 0, scale = 0.1;
	int count = 0;

	for (; at < s->end && digit(*at); at++, count++)
		v = 10 * v + (*at - '0');
	if (count == 0 || count > 9)
		return false;
	if (at + 1 < s->end && (*at == '.' || *at == ',') && digit(at[1])) {
		for (at++; at < s->end && digit(*at); at++, scale /= 10)
			v += (*at - '0') * scale;
	}
	s->at = at;
	*out = v;
	return true;
}

/* ns per unit, 0 when the word is no unit of time. */
static double unit_ns(const char *text, size_t n)
{
	static const struct {
		const char *word;
		double ns;
	} units[] = {
		{"ms", 1e6},   {"msec", 1e6},	   {"us", 1e3},
		{"usec", 1e3}, {"\xc2\xb5s", 1e3}, {"s", 1e9},
		{"sec", 1e9},  {"mc", 1e6},	   {"\xd0\xbc\xd1\x81", 1e6},
	};

	if (n > 0 && text[n - 1] == '.')
		n--;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (equals(text, n, units[i].word))
			return units[i].ns;
	}
	return 0;
}

static size_t word_length(const char *at, const char *end)
{
	const char *s = at;

	while (s < end && !space(*s) && *s != '(' && *s != '[' && *s != '<' && *s != '!')
		s++;
	return (size_t)(s - at);
}

/* Longest time that is an answer and not a mistake: ten minutes. */
#define RTT_MAX_NS 6e11

/* A number and its unit, attached or in the next word. */
static bool take_time(struct scan *s, struct token *t)
{
	struct scan try = *s;
	bool less = try.at < try.end && *try.at == '<';
	double v, ns = 1e6;
	size_t n;

	if (less)
		try.at++;
	if (!number(&try, &v))
		return false;
	n = word_length(try.at, try.end);
	t->unit = false;
	if (n > 0) {
		/* "12.3ms", also "12.3ms*" as some paste it. */
		if (n > 2 && try.at[n - 1] == '*')
			n--;
		ns = unit_ns(try.at, n);
		if (ns == 0)
			return false;
		try.at += n;
		t->unit = true;
	} else {
		struct scan after = try;

		while (after.at < after.end && (*after.at == ' ' || *after.at == '\t'))
			after.at++;
		n = word_length(after.at, after.end);
		if (n > 2 && after.at[n - 1] == '*')
			n--;
		if (unit_ns(after.at, n) > 0) {
			ns = unit_ns(after.at, n);
			after.at += n;
			try = after;
			t->unit = true;
		}
	}
	if (v * ns > RTT_MAX_NS)
		return false;
	t->kind = TOKEN_TIME;
	t->rtt_ns = less ? -1 : (int64_t)(v * ns + 0.5);
	s->at = try.at;
	return true;
}

/* "(...)" or "[...]" with an address in it, an AS number, labels, or a remark. */
static bool take_bracket(struct scan *s, struct token *t)
{
	char close = *s->at == '(' ? ')' : *s->at == '[' ? ']' : '>';
	const char *stop = memchr(s->at, close, (size_t)(s->end - s->at));
	const char *inside = s->at + 1;
	size_t n;

	if (stop == NULL) {
		/* A parenthesis cut off: what is in it still counts. */
		n = word_length(inside, s->end);
		stop = inside + n;
	} else {
		n = (size_t)(stop - inside);
	}
	t->text = inside;
	t->n = n;
	s->at = stop < s->end && *stop == close ? stop + 1 : stop;
	if (n >= 5 && strncasecmp(inside, "MPLS:", 5) == 0) {
		t->kind = TOKEN_MPLS;
		return true;
	}
	if (address(inside, n, &t->addr)) {
		t->kind = TOKEN_ADDR;
		return true;
	}
	/* [AS4837], [AS 4837], [*], (http), [open]: a remark, no result. */
	return false;
}

static bool take_mark(struct scan *s, struct token *t)
{
	const char *at = s->at + 1;

	if (at < s->end && *at == '<') {
		while (at < s->end && *at != '>' && !space(*at))
			at++;
		if (at < s->end && *at == '>')
			at++;
	} else {
		while (at < s->end && (isalnum((unsigned char)*at) || *at == '-'))
			at++;
	}
	t->kind = TOKEN_MARK;
	t->text = s->at;
	t->n = (size_t)(at - s->at);
	s->at = at;
	return true;
}

/* The next token; false when what stood here is none (the cursor has moved all the same). */
static bool take(struct scan *s, struct token *t)
{
	size_t n;

	*t = (struct token){.kind = TOKEN_WORD, .text = s->at, .rtt_ns = -1};
	if (*s->at == '*') {
		/* "***" is three of them. */
		t->kind = TOKEN_STAR;
		t->n = 1;
		s->at++;
		return true;
	}
	if (*s->at == '!')
		return take_mark(s, t);
	if ((digit(*s->at) || *s->at == '<') && take_time(s, t)) {
		t->n = (size_t)(s->at - t->text);
		return true;
	}
	if (*s->at == '(' || *s->at == '[' || *s->at == '<')
		return take_bracket(s, t);
	if (*s->at == '\'') {
		/* Linux -b: '-12', the number of hops back. */
		const char *stop = memchr(s->at + 1, '\'', (size_t)(s->end - s->at - 1));

		s->at = stop ? stop + 1 : s->end;
		return false;
	}
	n = word_length(s->at, s->end);
	t->n = n > 0 ? n : 1;
	s->at += t->n;
	if (address(t->text, t->n, &t->addr))
		t->kind = TOKEN_ADDR;
	else if (unit_ns(t->text, t->n) > 0)
		return false; /* the unit of a time that ended the line before */
	return true;
}

/* What may be a host's name: letters (of any language), digits, dots, hyphens, underscores. */
static bool host_like(const char *text, size_t n)
{
	bool alnum = false;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if (isalnum(c) || c >= 0x80)
			alnum = true;
		else if (c != '.' && c != '-' && c != '_')
			return false;
	}
	return alnum;
}

/* Joins a name with the address behind it, and an address with its own repetition. */
static bool join(struct token *before, const struct token *t)
{
	bool bracketed = t->text[-1] == '(' || t->text[-1] == '[';

	if (t->kind != TOKEN_ADDR)
		return false;
	if ((before->kind == TOKEN_WORD && host_like(before->text, before->n)) ||
	    (before->kind == TOKEN_ADDR && bracketed && before->host == NULL)) {
		struct token joined = *t;

		joined.host = before->text;
		joined.host_n = before->n;
		*before = joined;
		return true;
	}
	return before->kind == TOKEN_ADDR && addr_equal(before->addr, t->addr);
}

unsigned traceroute_tokens(const char *line, size_t n, struct token out[static TOKENS_MAX])
{
	struct scan s = {line, line + n};
	unsigned count = 0;
	struct token t;

	while (s.at < s.end && (space(*s.at) || *s.at == '\0'))
		s.at++;
	if ((size_t)(s.end - s.at) > 11 && strncasecmp(s.at, "MPLS Label=", 11) == 0) {
		out[0] = (struct token){.kind = TOKEN_MPLS,
					.text = s.at,
					.n = (size_t)(s.end - s.at),
					.rtt_ns = -1};
		return 1;
	}
	while (s.at < s.end && count < TOKENS_MAX) {
		if (space(*s.at) || *s.at == '\0') {
			s.at++;
			continue;
		}
		if (!take(&s, &t))
			continue;
		if (count > 0 && t.text > line && join(&out[count - 1], &t))
			continue;
		out[count++] = t;
	}
	return count;
}

/* The number behind the first `key` from *at on; advances behind it. */
static bool keyed(const char **at, const char *end, const char *key, uint32_t *out)
{
	size_t key_n = strlen(key);
	const char *s = *at;
	uint32_t v = 0;

	while ((size_t)(end - s) > key_n && strncasecmp(s, key, key_n) != 0)
		s++;
	if ((size_t)(end - s) <= key_n || !digit(s[key_n]))
		return false;
	for (s += key_n; s < end && digit(*s) && v < (1u << 24); s++)
		v = 10 * v + (uint32_t)(*s - '0');
	*out = v;
	*at = s;
	return true;
}

/* Three spellings: Linux "L=1,E=0,S=1,T=1", Juniper "Label=1 CoS=0 TTL=1 S=1", Cisco "Label 1 Exp 0". */
static bool mpls_entry(const char **at, const char *end, struct mpls *out)
{
	/* Juniper's first: "Label=" has an "L=" in it. */
	static const char *const keys[3][4] = {{"Label=", "CoS=", " S=", "TTL="},
					       {"L=", "E=", "S=", "T="},
					       {"Label ", "Exp ", "S ", "TTL "}};

	for (unsigned k = 0; k < 3; k++) {
		const char *s = *at, *stop;
		uint32_t v[4] = {0, 0, 0, 0};
		const char *from;

		if (!keyed(&s, end, keys[k][0], &v[0]))
			continue;
		stop = memchr(s, '/', (size_t)(end - s));
		stop = stop ? stop : end;
		for (unsigned i = 1; i < 4; i++) {
			from = s;
			keyed(&from, stop, keys[k][i], &v[i]);
		}
		if (v[0] > 0xfffff || v[1] > 7 || v[2] > 1 || v[3] > 255)
			return false;
		*out = (struct mpls){v[0], (uint8_t)v[1], (uint8_t)v[2], (uint8_t)v[3]};
		*at = stop;
		return true;
	}
	return false;
}

unsigned traceroute_mpls(const struct token *t, struct mpls out[static TRACE_MPLS_MAX])
{
	const char *at = t->text, *end = t->text + t->n;
	unsigned count = 0;

	while (count < TRACE_MPLS_MAX && at < end && mpls_entry(&at, end, &out[count]))
		count++;
	return count;
}

static bool decimal(const char **at, const char *end, unsigned max, unsigned *out)
{
	unsigned v = 0;
	const char *s = *at;

	for (; s < end && digit(*s) && v <= max; s++)
		v = 10 * v + (unsigned)(*s - '0');
	if (s == *at || v > max)
		return false;
	*at = s;
	*out = v;
	return true;
}

void traceroute_mark(const struct token *t, struct reply *r)
{
	int16_t unreachable = r->from.family == 6 ? 1 : 3;
	const char *at = t->text + 1, *end = t->text + t->n;
	unsigned a, b;
	char mark[8];

	/* "!" alone is BSD's remark that the answer's own TTL was 1 or less. */
	if (t->n < 2)
		return;
	if (*at == '<')
		at++;
	if (digit(*at)) {
		/* !<13> and !13 are a code; !<5-1> is type and code. */
		if (!decimal(&at, end, 255, &a))
			return;
		if (at < end && *at == '-' && at++ && decimal(&at, end, 255, &b)) {
			r->icmp_type = (int16_t)a;
			r->icmp_code = (int16_t)b;
			return;
		}
		r->icmp_type = unreachable;
		r->icmp_code = (int16_t)a;
		return;
	}
	if (*at == 'F') {
		r->icmp_type = r->from.family == 6 ? 2 : 3;
		r->icmp_code = r->from.family == 6 ? 0 : 4;
		at++;
		if (at < end && *at == '-' && at++ && decimal(&at, end, 65535, &a))
			r->mtu = (int32_t)a;
		return;
	}
	mark[0] = '!';
	mark[1] = *at;
	mark[2] = '\0';
	r->icmp_type = unreachable;
	r->icmp_code = -1;
	for (int16_t code = 0; t->n == 2 && code < 16; code++) {
		if (strcmp(icmp_mark(r->from.family, unreachable, code), mark) == 0) {
			r->icmp_code = code;
			return;
		}
	}
}

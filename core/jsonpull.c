// SPDX-License-Identifier: BSD-2-Clause
/* The JSON reader. Owns the grammar of RFC 8259 and the value of numbers; knows no record. */
#include "core/jsonpull.h"

#include "core/text.h"

static bool fault(struct pull *p, const char *what)
{
	if (p->fault == NULL)
		p->fault = what;
	return false;
}

/* The bytes end before the value does. */
static bool cut(struct pull *p, const char *what)
{
	p->cut |= p->fault == NULL;
	return fault(p, what);
}

static void skip_blanks(struct pull *p)
{
	while (p->at < p->end &&
	       (*p->at == ' ' || *p->at == '\n' || *p->at == '\r' || *p->at == '\t'))
		p->at++;
}

/* Text that needs no look: neither control, quote, backslash nor beyond ASCII. */
static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static int hex_digit(unsigned char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* The four digits of \uXXXX at s, or -1. */
static int hex4(const unsigned char *s, const unsigned char *end)
{
	int v = 0;

	if (end - s < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int d = hex_digit(s[i]);

		if (d < 0)
			return -1;
		v = 16 * v + d;
	}
	return v;
}

/* On a backslash: how many bytes the escape has; 0 when it is none. A surrogate counts with its
 * other half, and is none alone. */
static size_t escape_length(const unsigned char *s, const unsigned char *end)
{
	int unit;

	if (end - s < 2)
		return 0;
	if (s[1] != 'u')
		return s[1] != '\0' && strchr("\"\\/bfnrt", s[1]) != NULL ? 2 : 0;
	unit = hex4(s + 2, end);
	if (unit < 0 || (unit >= 0xdc00 && unit < 0xe000))
		return 0;
	if (unit < 0xd800 || unit >= 0xe000)
		return 6;
	if (end - s < 12 || s[6] != '\\' || s[7] != 'u')
		return 0;
	unit = hex4(s + 8, end);
	return unit >= 0xdc00 && unit < 0xe000 ? 12 : 0;
}

/* On the opening quote. */
static bool take_string(struct pull *p, struct pull_value *v)
{
	const unsigned char *s = p->at + 1;

	*v = (struct pull_value){.kind = PULL_STRING, .text = (const char *)s};
	for (;;) {
		size_t n;

		while (s < p->end && is_plain(*s))
			s++;
		p->at = s;
		if (s == p->end)
			return cut(p, "the text is not closed");
		if (*s == '"')
			break;
		if (*s == '\\') {
			v->escaped = true;
			n = escape_length(s, p->end);
			if (n == 0)
				return fault(p, "no such escape");
		} else {
			n = *s < 0x20 ? 0 : utf8_length(s, (size_t)(p->end - s));
			if (n == 0)
				return fault(p, *s < 0x20 ? "a control character in a text" :
							    "malformed UTF-8");
		}
		s += n;
	}
	v->n = (size_t)(s - (const unsigned char *)v->text);
	p->at = s + 1;
	return true;
}

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

/* At least one digit; NULL when there is none. */
static const unsigned char *skip_digits(const unsigned char *s, const unsigned char *end)
{
	const unsigned char *begin = s;

	while (s < end && is_digit(*s))
		s++;
	return s > begin ? s : NULL;
}

/* On a digit or a minus. */
static bool take_number(struct pull *p, struct pull_value *v)
{
	const unsigned char *begin = p->at, *s = begin + (*begin == '-');

	if (s < p->end && *s == '0')
		s++;
	else
		s = skip_digits(s, p->end);
	if (s != NULL && s < p->end && *s == '.')
		s = skip_digits(s + 1, p->end);
	if (s != NULL && s < p->end && (*s == 'e' || *s == 'E')) {
		s++;
		if (s < p->end && (*s == '+' || *s == '-'))
			s++;
		s = skip_digits(s, p->end);
	}
	if (s == NULL || (s < p->end && is_digit(*s)))
		return fault(p, "no number of JSON");
	*v = (struct pull_value){.kind = PULL_NUMBER,
				 .text = (const char *)begin,
				 .n = (size_t)(s - begin)};
	p->at = s;
	return true;
}

static bool take_word(struct pull *p, struct pull_value *v, const char *word, enum pull_kind kind)
{
	size_t n = strlen(word);

	if ((size_t)(p->end - p->at) < n || memcmp(p->at, word, n) != 0)
		return fault(p, "expected a value");
	*v = (struct pull_value){.kind = kind, .text = (const char *)p->at, .n = n};
	p->at += n;
	return true;
}

static bool enter(struct pull *p, struct pull_value *v, enum pull_kind kind)
{
	uint64_t bit;

	if (p->depth == PULL_DEPTH_MAX)
		return fault(p, "nested too deeply");
	*v = (struct pull_value){.kind = kind, .text = (const char *)p->at, .n = 1};
	bit = UINT64_C(1) << p->depth++;
	p->objects = kind == PULL_OBJECT ? p->objects | bit : p->objects & ~bit;
	p->fresh = true;
	p->at++;
	return true;
}

static bool take_value(struct pull *p, struct pull_value *v)
{
	skip_blanks(p);
	p->token = p->at;
	if (p->at == p->end)
		return cut(p, "it ends too early");
	switch (*p->at) {
	case '"':
		return take_string(p, v);
	case '{':
		return enter(p, v, PULL_OBJECT);
	case '[':
		return enter(p, v, PULL_ARRAY);
	case 't':
		return take_word(p, v, "true", PULL_TRUE);
	case 'f':
		return take_word(p, v, "false", PULL_FALSE);
	case 'n':
		return take_word(p, v, "null", PULL_NULL);
	case '\0':
		return fault(p, "a NUL byte");
	default:
		if (*p->at == '-' || is_digit(*p->at))
			return take_number(p, v);
		return fault(p, "expected a value");
	}
}

void pull_start(struct pull *p, const char *bytes, size_t n, struct pull_value *v)
{
	const unsigned char *s = (const unsigned char *)bytes;

	*p = (struct pull){.begin = s, .at = s, .end = s + n};
	*v = (struct pull_value){0};
	take_value(p, v);
}

/* What stands between members or elements: true when one more follows. */
static bool more(struct pull *p, unsigned char close)
{
	if (p->fault != NULL)
		return false;
	skip_blanks(p);
	p->token = p->at;
	if (p->at == p->end)
		return cut(p, "it ends too early");
	if (*p->at == close) {
		p->at++;
		p->depth--;
		p->fresh = false;
		return false;
	}
	if (!p->fresh) {
		if (*p->at != ',')
			return fault(p, "expected a comma, or the end of what is open");
		p->at++;
		skip_blanks(p);
		p->token = p->at;
	}
	p->fresh = false;
	return true;
}

bool pull_member(struct pull *p, struct pull_value *key, struct pull_value *v)
{
	if (!more(p, '}'))
		return false;
	if (p->at == p->end)
		return cut(p, "expected a member");
	if (*p->at != '"')
		return fault(p, "expected a member");
	if (!take_string(p, key))
		return false;
	if (p->at < p->end && *p->at != ':')
		skip_blanks(p);
	p->token = p->at;
	if (p->at == p->end)
		return cut(p, "expected a colon");
	if (*p->at != ':')
		return fault(p, "expected a colon");
	p->at++;
	return take_value(p, v);
}

bool pull_element(struct pull *p, struct pull_value *v)
{
	return more(p, ']') && take_value(p, v);
}

void pull_skip(struct pull *p, const struct pull_value *v)
{
	unsigned outside = p->depth - 1;
	struct pull_value key, inner;

	if (v->kind != PULL_OBJECT && v->kind != PULL_ARRAY)
		return;
	while (p->fault == NULL && p->depth > outside) {
		if (p->objects & (UINT64_C(1) << (p->depth - 1)))
			pull_member(p, &key, &inner);
		else
			pull_element(p, &inner);
	}
}

int pull_end(struct pull *p, struct bp_error *err)
{
	if (p->fault == NULL) {
		skip_blanks(p);
		p->token = p->at;
		if (p->at < p->end || p->depth > 0)
			fault(p, "more than one value");
	}
	if (p->fault == NULL)
		return 0;
	return bp_fail(err, BP_EPARSE, "not JSON at column %zu: %s", (size_t)(p->at - p->begin) + 1,
		       p->fault);
}

/* --- values ---------------------------------------------------------------------------------- */

/* The UTF-8 of a code point; how many bytes. */
static size_t put_utf8(uint32_t c, char out[static 4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 63));
		out[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 63));
	out[2] = (char)(0x80 | (c >> 6 & 63));
	out[3] = (char)(0x80 | (c & 63));
	return 4;
}

/* An escape that escape_length has accepted, as UTF-8. */
static size_t unescape(const unsigned char *s, size_t n, char out[static 4])
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *at;
	uint32_t c;

	if (n == 2) {
		at = strchr(from, s[1]);
		out[0] = at != NULL ? to[at - from] : (char)s[1];
		return 1;
	}
	c = (uint32_t)hex4(s + 2, s + n);
	if (n == 12)
		c = 0x10000 + ((c - 0xd800) << 10) + ((uint32_t)hex4(s + 8, s + n) - 0xdc00);
	return put_utf8(c, out);
}

size_t pull_decode(const struct pull_value *v, char *out)
{
	const unsigned char *s = (const unsigned char *)v->text, *end = s + v->n;
	char *begin = out, utf8[4];

	while (s < end) {
		size_t n = *s == '\\' ? escape_length(s, end) : 1, len;

		if (n > 1) {
			len = unescape(s, n, utf8);
			memcpy(out, utf8, len);
			out += len;
		} else {
			*out++ = (char)*s;
		}
		s += n > 0 ? n : 1;
	}
	return (size_t)(out - begin);
}

enum { TEXT_ROOM = 2048 };

bool pull_text(const struct pull_value *v, char *out, size_t size)
{
	char plain[TEXT_ROOM];
	struct pull_value begin = *v;

	if (v->kind != PULL_STRING) {
		text_copy(out, size, "", 0);
		return false;
	}
	if (!v->escaped) {
		text_copy(out, size, v->text, v->n);
		return true;
	}
	/* Far more than any field holds: an escape cut at its end is out of sight. */
	if (begin.n > sizeof(plain))
		begin.n = sizeof(plain);
	text_copy(out, size, plain, pull_decode(&begin, plain));
	return true;
}

/* mantissa * 10^power; digits beyond the 19th do not fit, and are rounded off. */
struct decimal {
	uint64_t mantissa;
	int64_t power;
	bool negative, rounded;
};

static void add_digit(struct decimal *d, unsigned digit, bool *half_up)
{
	if (d->mantissa < UINT64_C(1000000000000000000)) {
		d->mantissa = 10 * d->mantissa + digit;
		return;
	}
	d->power++;
	if (!d->rounded)
		*half_up = digit >= 5;
	d->rounded |= digit != 0;
}

static struct decimal decimal_of(const struct pull_value *v)
{
	const char *s = v->text, *end = s + v->n;
	struct decimal d = {0};
	bool half_up = false, negative_power = false;
	int64_t power = 0;

	d.negative = *s == '-';
	s += d.negative;
	for (; s < end && is_digit((unsigned char)*s); s++)
		add_digit(&d, (unsigned)(*s - '0'), &half_up);
	if (s < end && *s == '.') {
		for (s++; s < end && is_digit((unsigned char)*s); s++) {
			add_digit(&d, (unsigned)(*s - '0'), &half_up);
			d.power--;
		}
	}
	if (s < end) {
		s++;
		negative_power = *s == '-';
		s += *s == '-' || *s == '+';
		for (; s < end; s++) {
			if (power < 100000)
				power = 10 * power + (*s - '0');
		}
		d.power += negative_power ? -power : power;
	}
	d.mantissa += half_up;
	return d;
}

/* Multiplies or divides into an integer; *exact says whether nothing was rounded off. */
static bool scale(struct decimal d, unsigned places, int64_t *out, bool *exact)
{
	int64_t shift = d.power + places;
	uint64_t v = d.mantissa;
	unsigned last = 0;

	*exact = !d.rounded;
	for (; shift > 0 && v > 0; shift--) {
		if (v > UINT64_MAX / 10)
			return false;
		v *= 10;
	}
	for (; shift < 0 && (v > 0 || last > 0); shift++) {
		*exact &= last == 0;
		last = (unsigned)(v % 10);
		v /= 10;
	}
	*exact &= last == 0;
	v += last >= 5;
	if (v > (uint64_t)INT64_MAX)
		return false;
	*out = d.negative ? -(int64_t)v : (int64_t)v;
	return true;
}

bool pull_decimal(const struct pull_value *v, unsigned places, int64_t *out)
{
	bool exact;

	return v->kind == PULL_NUMBER && scale(decimal_of(v), places, out, &exact);
}

bool pull_int(const struct pull_value *v, int64_t min, int64_t max, int64_t *out)
{
	int64_t n;
	bool exact;

	if (v->kind != PULL_NUMBER || !scale(decimal_of(v), 0, &n, &exact) || !exact || n < min ||
	    n > max)
		return false;
	*out = n;
	return true;
}

// SPDX-License-Identifier: BSD-2-Clause
/* The JSON tree. Owns the block, and what is asked of a value; the grammar is yajl's. */
#include "core/jsontree.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "core/text.h"

struct build {
	struct json_node *nodes;
	uint32_t used;
	char *text; /* where the next text goes: never longer than what it is read from */
	const char *key; /* of the member to come */
	uint16_t key_n;
	uint32_t open[NODE_DEPTH_MAX]; /* index of each object and array that is not closed */
	unsigned depth;
	bool no_memory;
	const char *fault; /* NULL: none; ends the parsing */
	const char *twice; /* a member that came twice */
};

/* --- building -------------------------------------------------------------------------------- */

static const char *keep(struct build *b, const void *bytes, size_t n)
{
	char *begin = b->text;

	memcpy(begin, bytes, n);
	begin[n] = '\0';
	b->text += n + 1;
	return begin;
}

static int refuse(struct build *b, const char *fault)
{
	b->fault = fault;
	return 0;
}

static struct json_node *add(struct build *b, enum node_kind kind)
{
	struct json_node *node;

	/* A text alone is JSON, and no record. */
	if (b->depth == 0 && kind != NODE_OBJECT && kind != NODE_ARRAY) {
		refuse(b, "'[' or '{' expected");
		return NULL;
	}
	node = &b->nodes[b->used++];
	*node = (struct json_node){.key = b->key != NULL ? b->key : "", .key_n = b->key_n,
				   .text = "", .kind = (uint8_t)kind, .span = 1};
	b->key = NULL;
	b->key_n = 0;
	if (b->depth > 0)
		b->nodes[b->open[b->depth - 1]].count++;
	return node;
}

static int enter(struct build *b, enum node_kind kind)
{
	if (b->depth == NODE_DEPTH_MAX)
		return refuse(b, "nested too deeply");
	if (add(b, kind) == NULL)
		return 0;
	b->open[b->depth++] = b->used - 1;
	return 1;
}

static int by_key(const void *a, const void *b)
{
	const struct json_node *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

enum { FEW = 32 };

/* Members of the object that have a name in common: of few each is looked at beside each. */
static void find_twice(struct build *b, const struct json_node *object)
{
	const struct json_node **sorted, *few[FEW], *v;
	uint32_t i;

	sorted = object->count <= FEW ? few : calloc(object->count, sizeof(*sorted));
	if (sorted == NULL) {
		b->no_memory = true;
		return;
	}
	NODE_EACH(object, i, v)
		sorted[i] = v;
	if (object->count <= FEW) {
		for (i = 1; i < object->count; i++) {
			for (uint32_t k = 0; k < i; k++) {
				if (few[i]->key_n == few[k]->key_n &&
				    memcmp(few[i]->key, few[k]->key, few[i]->key_n) == 0 &&
				    strcmp(few[i]->key, few[k]->key) == 0)
					b->twice = few[i]->key;
			}
		}
		return;
	}
	qsort(sorted, object->count, sizeof(*sorted), by_key);
	for (i = 1; i < object->count; i++) {
		if (strcmp(sorted[i - 1]->key, sorted[i]->key) == 0)
			b->twice = sorted[i]->key;
	}
	free(sorted);
}

/* No double holds it. Only an exponent or hundreds of digits make it so. */
static bool is_too_large(const struct json_node *v)
{
	return (v->n > 300 || memchr(v->text, 'e', v->n) || memchr(v->text, 'E', v->n)) &&
	       isinf(strtod(v->text, NULL));
}

static int leave(struct build *b)
{
	struct json_node *node = &b->nodes[b->open[--b->depth]];

	node->span = b->used - b->open[b->depth];
	if (node->kind == NODE_OBJECT)
		find_twice(b, node);
	return b->twice == NULL && !b->no_memory;
}

/* --- yajl's callbacks: 0 ends the parsing ---------------------------------------------------- */

static int on_null(void *ctx)
{
	return add(ctx, NODE_NULL) != NULL;
}

static int on_bool(void *ctx, int value)
{
	return add(ctx, value ? NODE_TRUE : NODE_FALSE) != NULL;
}

static int on_number(void *ctx, const char *digits, size_t n)
{
	struct build *b = ctx;
	struct json_node *node = add(b, NODE_NUMBER);

	if (node == NULL)
		return 0;
	node->text = keep(b, digits, n);
	node->n = (uint32_t)n;
	return is_too_large(node) ? refuse(b, "real number overflow") : 1;
}

static int on_string(void *ctx, const unsigned char *text, size_t n)
{
	struct build *b = ctx;
	struct json_node *node = add(b, NODE_STRING);

	if (node == NULL)
		return 0;
	node->text = keep(b, text, n);
	node->n = (uint32_t)n;
	return 1;
}

static int on_key(void *ctx, const unsigned char *text, size_t n)
{
	struct build *b = ctx;

	if (memchr(text, '\0', n) != NULL)
		return refuse(b, "a NUL in a key");
	b->key = keep(b, text, n);
	b->key_n = (uint16_t)(n < UINT16_MAX ? n : UINT16_MAX);
	return 1;
}

static int on_start_map(void *ctx)
{
	return enter(ctx, NODE_OBJECT);
}

static int on_start_array(void *ctx)
{
	return enter(ctx, NODE_ARRAY);
}

static int on_end(void *ctx)
{
	return leave(ctx);
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_bool,
	/* As text: no digit is lost. */
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_start_map,
	.yajl_map_key = on_key,
	.yajl_end_map = on_end,
	.yajl_start_array = on_start_array,
	.yajl_end_array = on_end,
};

/* --- the whole ------------------------------------------------------------------------------- */

/* No more values than these begin, or stand between two. */
static size_t count_nodes(const char *bytes, size_t n)
{
	size_t count = 1;

	for (size_t i = 0; i < n; i++)
		count += (bytes[i] == ',') + (bytes[i] == '[') + (bytes[i] == '{');
	return count;
}

/* Where the first byte is that is no UTF-8; n: none. yajl lets overlong forms and surrogates pass,
 * and takes vertical tabs and form feeds for blanks: they are JSON nowhere. */
static size_t not_utf8(const unsigned char *s, size_t n)
{
	size_t i = 0, len;

	while (i < n) {
		if (s[i] == '\v' || s[i] == '\f')
			break;
		if (s[i] < 0x80) {
			i++;
			continue;
		}
		len = utf8_length(s + i, n - i);
		if (len == 0)
			break;
		i += len;
	}
	return i;
}

/* yajl's sentence without its period and newline. */
static void tell(yajl_handle h, size_t at, struct bp_error *err)
{
	unsigned char *text = yajl_get_error(h, 0, NULL, 0);
	size_t n = text != NULL ? strcspn((const char *)text, "\n") : 0;

	if (n > 0 && text[n - 1] == '.')
		n--;
	bp_fail(err, BP_EPARSE, "not JSON at column %zu: %.*s", at, (int)n,
		n > 0 ? (const char *)text : "");
	if (text != NULL)
		yajl_free_error(h, text);
}

static int parse(struct build *b, const char *bytes, size_t n, struct bp_error *err)
{
	yajl_handle h = yajl_alloc(&callbacks, NULL, b);
	bool whole;
	size_t at;

	if (h == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	/* What is wrong with a whole text is found in it; what is cut, at its end. */
	whole = yajl_parse(h, (const unsigned char *)bytes, n) == yajl_status_ok;
	at = yajl_get_bytes_consumed(h);
	if (whole && yajl_complete_parse(h) == yajl_status_ok && b->used > 0) {
		yajl_free(h);
		return 0;
	}
	if (b->no_memory)
		bp_fail(err, BP_ENOMEM, "out of memory");
	else if (b->twice != NULL)
		bp_fail(err, BP_EPARSE, "not JSON: duplicate member \"%.31s\"", b->twice);
	else if (b->fault != NULL)
		bp_fail(err, BP_EPARSE, "not JSON at column %zu: %s", at, b->fault);
	else if (whole)
		bp_fail(err, BP_ETRUNC, "not JSON at column %zu: premature end of input", n);
	else
		tell(h, at, err);
	yajl_free(h);
	return err != NULL ? err->code : BP_EPARSE;
}

struct json_node *json_tree(const char *bytes, size_t n, struct bp_error *err)
{
	size_t room = count_nodes(bytes, n), at;
	struct build b = {0};

	if (n >= UINT32_MAX / 2) {
		bp_fail(err, BP_ERANGE, "JSON of over 2 GB");
		return NULL;
	}
	at = not_utf8((const unsigned char *)bytes, n);
	if (at < n) {
		bp_fail(err, BP_EPARSE, "not JSON at column %zu: %s", at + 1,
			bytes[at] == '\v' || bytes[at] == '\f' ? "a control character" :
			"malformed UTF-8");
		return NULL;
	}
	/* Of text: each ends where a quote, a comma or a bracket stood. */
	b.nodes = malloc(room * sizeof(*b.nodes) + n + 2);
	if (b.nodes == NULL) {
		bp_fail(err, BP_ENOMEM, "out of memory");
		return NULL;
	}
	b.text = (char *)(b.nodes + room);
	if (parse(&b, bytes, n, err) == 0)
		return b.nodes;
	free(b.nodes);
	return NULL;
}

const struct json_node *node_get(const struct json_node *object, const char *key)
{
	const struct json_node *v;
	size_t n = strlen(key);
	uint32_t i;

	if (!node_is(object, NODE_OBJECT))
		return NULL;
	NODE_EACH(object, i, v)
	{
		if (v->key_n == n && memcmp(v->key, key, n) == 0)
			return v;
	}
	return NULL;
}

const char *node_text(const struct json_node *v)
{
	return node_is(v, NODE_STRING) ? v->text : NULL;
}

/* --- numbers --------------------------------------------------------------------------------- */

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

static struct decimal decimal_of(const struct json_node *v)
{
	const char *s = v->text, *end = s + v->n;
	struct decimal d = {0};
	bool half_up = false, negative_power = false;
	int64_t power = 0;

	d.negative = *s == '-';
	s += d.negative;
	for (; s < end && isdigit((unsigned char)*s); s++)
		add_digit(&d, (unsigned)(*s - '0'), &half_up);
	if (s < end && *s == '.') {
		for (s++; s < end && isdigit((unsigned char)*s); s++) {
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

bool node_decimal(const struct json_node *v, unsigned places, int64_t *out)
{
	bool exact;

	return node_is(v, NODE_NUMBER) && scale(decimal_of(v), places, out, &exact);
}

bool node_int(const struct json_node *v, int64_t min, int64_t max, int64_t *out)
{
	int64_t n;
	bool exact;

	if (!node_is(v, NODE_NUMBER) || !scale(decimal_of(v), 0, &n, &exact) || !exact || n < min ||
	    n > max)
		return false;
	*out = n;
	return true;
}

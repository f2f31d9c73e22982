// SPDX-License-Identifier: BSD-2-Clause
/* Checked values out of a parsed record, and the words for what is wrong with them. */
#include "core/record/jsonl_fields.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct json_node *fields_parse(const char *line, size_t n, struct bp_error *err)
{
	const char *nul = memchr(line, '\0', n);

	/* Told as what it is: the hole that a crash leaves in a file. */
	if (nul != NULL) {
		bp_fail(err, BP_EPARSE, "not JSON at column %zu: a NUL byte",
			(size_t)(nul - line) + 1);
		return NULL;
	}
	return json_tree(line, n, err);
}

/* key NULL: an array's element. */
void field_enter(struct fields *in, const char *key, size_t index)
{
	if (in->depth < FIELD_DEPTH) {
		in->path[in->depth].key = key;
		in->path[in->depth].index = index;
	}
	in->depth++;
}

void field_leave(struct fields *in)
{
	in->depth--;
}

void field_refuse(struct fields *in, int code, const char *key, const char *expected)
{
	char path[200], word[64];
	size_t used = 0;

	if (in->rc < 0)
		return;
	path[0] = '\0';
	for (unsigned i = 0; i < in->depth && i < FIELD_DEPTH && used < sizeof(path); i++) {
		if (in->path[i].key == NULL) {
			used += (size_t)snprintf(path + used, sizeof(path) - used, "[%zu]",
						 in->path[i].index);
			continue;
		}
		text_set(word, sizeof(word), in->path[i].key);
		used += (size_t)snprintf(path + used, sizeof(path) - used, "%s%s", i ? "." : "",
					 word);
	}
	text_set(word, sizeof(word), key ? key : "");
	in->rc = bp_fail(in->err, code, "%s%s%s%s%s", path, path[0] && word[0] ? "." : "", word,
			 path[0] || word[0] ? ": " : "", expected);
}

/* NULL when there is none, when it is null, or when the reading has failed. */
static const struct json_node *member(const struct fields *in, const struct json_node *object,
				      const char *key)
{
	const struct json_node *v = in->rc < 0 ? NULL : node_get(object, key);

	return v == NULL || node_is(v, NODE_NULL) ? NULL : v;
}

const struct json_node *field_object(struct fields *in, const struct json_node *object,
				     const char *key)
{
	const struct json_node *v = member(in, object, key);

	if (v != NULL && !node_is(v, NODE_OBJECT)) {
		field_refuse(in, BP_EPARSE, key, "expected an object");
		return NULL;
	}
	return v;
}

const struct json_node *field_array(struct fields *in, const struct json_node *object,
				    const char *key)
{
	const struct json_node *v = member(in, object, key);

	if (v != NULL && !node_is(v, NODE_ARRAY)) {
		field_refuse(in, BP_EPARSE, key, "expected an array");
		return NULL;
	}
	return v;
}

/* Integers may be written 5 or 5.0. Leaves *out alone when there is none. */
bool field_int(struct fields *in, const struct json_node *object, const char *key, int64_t min,
	       int64_t max, int64_t *out)
{
	const struct json_node *v = member(in, object, key);
	char expected[80];

	if (v == NULL)
		return false;
	if (node_int(v, min, max, out))
		return true;
	snprintf(expected, sizeof(expected), "expected an integer from %lld to %lld",
		 (long long)min, (long long)max);
	field_refuse(in, node_is(v, NODE_NUMBER) ? BP_ERANGE : BP_EPARSE, key, expected);
	return false;
}

bool field_real(struct fields *in, const struct json_node *object, const char *key, double min,
		double max, double *out)
{
	const struct json_node *v = member(in, object, key);
	char expected[80];
	double d;

	if (v == NULL)
		return false;
	d = node_is(v, NODE_NUMBER) ? strtod(v->text, NULL) : 0;
	if (node_is(v, NODE_NUMBER) && d >= min && d <= max) {
		*out = d;
		return true;
	}
	snprintf(expected, sizeof(expected), "expected a number from %g to %g", min, max);
	field_refuse(in, node_is(v, NODE_NUMBER) ? BP_ERANGE : BP_EPARSE, key, expected);
	return false;
}

bool field_bool(struct fields *in, const struct json_node *object, const char *key, bool *out)
{
	const struct json_node *v = member(in, object, key);

	if (v == NULL)
		return false;
	if (!node_is(v, NODE_TRUE) && !node_is(v, NODE_FALSE)) {
		field_refuse(in, BP_EPARSE, key, "expected true or false");
		return false;
	}
	*out = node_is(v, NODE_TRUE);
	return true;
}

const struct json_node *field_string(struct fields *in, const struct json_node *object,
				     const char *key)
{
	const struct json_node *v = member(in, object, key);

	if (v != NULL && !node_is(v, NODE_STRING)) {
		field_refuse(in, BP_EPARSE, key, "expected a string");
		return NULL;
	}
	if (v != NULL && strlen(node_text(v)) != v->n) {
		field_refuse(in, BP_EPARSE, key, "expected text without a NUL");
		return NULL;
	}
	return v;
}

/* A text of the measurement itself: cutting it would lose data, so too long is refused. */
void field_text(struct fields *in, const struct json_node *object, const char *key, char *out,
		size_t size)
{
	const struct json_node *v = field_string(in, object, key);
	char expected[80];

	if (v == NULL)
		return;
	if (v->n >= size) {
		snprintf(expected, sizeof(expected), "expected at most %zu bytes of text",
			 size - 1);
		field_refuse(in, BP_ERANGE, key, expected);
		return;
	}
	text_copy(out, size, node_text(v), v->n);
}

/* A text of a later pass, which can be made again: cut to what there is room for. */
void field_text_cut(struct fields *in, const struct json_node *object, const char *key, char *out,
		    size_t size)
{
	const struct json_node *v = field_string(in, object, key);

	if (v != NULL)
		text_copy(out, size, node_text(v), v->n);
}

void field_word(struct fields *in, const struct json_node *object, const char *key,
		const struct word *table, uint8_t *out)
{
	const struct json_node *v = field_string(in, object, key);
	char expected[200] = "expected one of";
	size_t used = strlen(expected);
	int value;

	if (v == NULL)
		return;
	if (word_value(table, node_text(v), &value) == 0) {
		*out = (uint8_t)value;
		return;
	}
	for (; table->word != NULL && used < sizeof(expected); table++)
		used += (size_t)snprintf(expected + used, sizeof(expected) - used, " %s",
					 table->word);
	field_refuse(in, BP_EPARSE, key, expected);
}

void field_addr(struct fields *in, const struct json_node *object, const char *key,
		struct addr *out)
{
	const struct json_node *v = field_string(in, object, key);

	if (v != NULL && addr_parse(node_text(v), out) < 0)
		field_refuse(in, BP_EPARSE, key, "expected an IPv4 or IPv6 address");
}

void field_wall(struct fields *in, const struct json_node *object, const char *key,
		struct wall *out)
{
	const struct json_node *v = field_string(in, object, key);
	const char *text = v ? node_text(v) : NULL;

	if (v == NULL)
		return;
	/* wall_parse knows "2h ago" and "now" too: not in a record. */
	if (strlen(text) < 10 || text[4] != '-' || wall_parse(text, *out, out) < 0)
		field_refuse(in, BP_EPARSE, key, "expected an RFC 3339 time");
}

void field_ns(struct fields *in, const struct json_node *object, const char *key,
	      double ns_per_unit, double min, int64_t *out)
{
	const struct json_node *v = member(in, object, key);
	unsigned places = ns_per_unit == 1e6 ? 6 : 3;
	int64_t ns;
	double d;

	if (v == NULL)
		return;
	if (node_decimal(v, places, &ns) && (double)ns >= min * ns_per_unit &&
	    (double)ns <= FIELD_NS_EXACT)
		*out = ns;
	else if (field_real(in, object, key, min, FIELD_NS_EXACT / ns_per_unit, &d))
		*out = llround(d * ns_per_unit);
}

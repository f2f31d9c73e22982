// SPDX-License-Identifier: BSD-2-Clause
/* Checked values out of a parsed record, and the words for what is wrong with them. */
#include "core/record/jsonl_fields.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

json_t *fields_parse(const char *line, size_t n, struct bp_error *err)
{
	const size_t flags = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL;
	const char *nul = memchr(line, '\0', n);
	char text[JSON_ERROR_TEXT_LENGTH];
	json_error_t e;
	json_t *dom;

	/* jansson 2.14 swallows a NUL behind a number. */
	if (nul != NULL) {
		bp_fail(err, BP_EPARSE, "not JSON at column %zu: a NUL byte",
			(size_t)(nul - line) + 1);
		return NULL;
	}
	dom = json_loadb(line, n, flags, &e);
	if (dom == NULL && json_error_code(&e) == json_error_numeric_overflow)
		dom = json_loadb(line, n, flags | JSON_DECODE_INT_AS_REAL, &e);
	if (dom != NULL)
		return dom;
	if (json_error_code(&e) == json_error_out_of_memory) {
		bp_fail(err, BP_ENOMEM, "out of memory");
		return NULL;
	}
	text_set(text, sizeof(text), e.text);
	bp_fail(err,
		json_error_code(&e) == json_error_premature_end_of_input ? BP_ETRUNC : BP_EPARSE,
		"not JSON at column %d: %s", e.column, text);
	return NULL;
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
static const json_t *member(const struct fields *in, const json_t *object, const char *key)
{
	const json_t *v = in->rc < 0 ? NULL : json_object_get(object, key);

	return v == NULL || json_is_null(v) ? NULL : v;
}

const json_t *field_object(struct fields *in, const json_t *object, const char *key)
{
	const json_t *v = member(in, object, key);

	if (v != NULL && !json_is_object(v)) {
		field_refuse(in, BP_EPARSE, key, "expected an object");
		return NULL;
	}
	return v;
}

const json_t *field_array(struct fields *in, const json_t *object, const char *key)
{
	const json_t *v = member(in, object, key);

	if (v != NULL && !json_is_array(v)) {
		field_refuse(in, BP_EPARSE, key, "expected an array");
		return NULL;
	}
	return v;
}

/* Integers may be written 5 or 5.0. Leaves *out alone when there is none. */
bool field_int(struct fields *in, const json_t *object, const char *key, int64_t min, int64_t max,
	       int64_t *out)
{
	const json_t *v = member(in, object, key);
	char expected[80];
	double d;

	if (v == NULL)
		return false;
	if (json_is_integer(v)) {
		int64_t i = json_integer_value(v);

		if (i >= min && i <= max) {
			*out = i;
			return true;
		}
	} else if (json_is_real(v)) {
		d = json_real_value(v);
		/* Above 2^53 a double is no exact integer any more. */
		if (d >= (double)min && d <= (double)max && fabs(d) <= 9007199254740992.0 &&
		    d == floor(d)) {
			*out = (int64_t)d;
			return true;
		}
	}
	snprintf(expected, sizeof(expected), "expected an integer from %lld to %lld",
		 (long long)min, (long long)max);
	field_refuse(in, json_is_number(v) ? BP_ERANGE : BP_EPARSE, key, expected);
	return false;
}

bool field_real(struct fields *in, const json_t *object, const char *key, double min, double max,
		double *out)
{
	const json_t *v = member(in, object, key);
	char expected[80];
	double d;

	if (v == NULL)
		return false;
	d = json_number_value(v);
	if (json_is_number(v) && d >= min && d <= max) {
		*out = d;
		return true;
	}
	snprintf(expected, sizeof(expected), "expected a number from %g to %g", min, max);
	field_refuse(in, json_is_number(v) ? BP_ERANGE : BP_EPARSE, key, expected);
	return false;
}

bool field_bool(struct fields *in, const json_t *object, const char *key, bool *out)
{
	const json_t *v = member(in, object, key);

	if (v == NULL)
		return false;
	if (!json_is_boolean(v)) {
		field_refuse(in, BP_EPARSE, key, "expected true or false");
		return false;
	}
	*out = json_is_true(v);
	return true;
}

const json_t *field_string(struct fields *in, const json_t *object, const char *key)
{
	const json_t *v = member(in, object, key);

	if (v != NULL && !json_is_string(v)) {
		field_refuse(in, BP_EPARSE, key, "expected a string");
		return NULL;
	}
	if (v != NULL && strlen(json_string_value(v)) != json_string_length(v)) {
		field_refuse(in, BP_EPARSE, key, "expected text without a NUL");
		return NULL;
	}
	return v;
}

/* A text of the measurement itself: cutting it would lose data, so too long is refused. */
void field_text(struct fields *in, const json_t *object, const char *key, char *out, size_t size)
{
	const json_t *v = field_string(in, object, key);
	char expected[80];

	if (v == NULL)
		return;
	if (json_string_length(v) >= size) {
		snprintf(expected, sizeof(expected), "expected at most %zu bytes of text",
			 size - 1);
		field_refuse(in, BP_ERANGE, key, expected);
		return;
	}
	text_copy(out, size, json_string_value(v), json_string_length(v));
}

/* A text of a later pass, which can be made again: cut to what there is room for. */
void field_text_cut(struct fields *in, const json_t *object, const char *key, char *out,
		    size_t size)
{
	const json_t *v = field_string(in, object, key);

	if (v != NULL)
		text_copy(out, size, json_string_value(v), json_string_length(v));
}

void field_word(struct fields *in, const json_t *object, const char *key, const struct word *table,
		uint8_t *out)
{
	const json_t *v = field_string(in, object, key);
	char expected[200] = "expected one of";
	size_t used = strlen(expected);
	int value;

	if (v == NULL)
		return;
	if (word_value(table, json_string_value(v), &value) == 0) {
		*out = (uint8_t)value;
		return;
	}
	for (; table->word != NULL && used < sizeof(expected); table++)
		used += (size_t)snprintf(expected + used, sizeof(expected) - used, " %s",
					 table->word);
	field_refuse(in, BP_EPARSE, key, expected);
}

void field_addr(struct fields *in, const json_t *object, const char *key, struct addr *out)
{
	const json_t *v = field_string(in, object, key);

	if (v != NULL && addr_parse(json_string_value(v), out) < 0)
		field_refuse(in, BP_EPARSE, key, "expected an IPv4 or IPv6 address");
}

void field_wall(struct fields *in, const json_t *object, const char *key, struct wall *out)
{
	const json_t *v = field_string(in, object, key);
	const char *text = v ? json_string_value(v) : NULL;

	if (v == NULL)
		return;
	/* wall_parse knows "2h ago" and "now" too: not in a record. */
	if (strlen(text) < 10 || text[4] != '-' || wall_parse(text, *out, out) < 0)
		field_refuse(in, BP_EPARSE, key, "expected an RFC 3339 time");
}

void field_ns(struct fields *in, const json_t *object, const char *key, double ns_per_unit,
	      double min, int64_t *out)
{
	double d;

	if (field_real(in, object, key, min, FIELD_NS_EXACT / ns_per_unit, &d))
		*out = llround(d * ns_per_unit);
}

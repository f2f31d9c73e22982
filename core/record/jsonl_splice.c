// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writes a record that was read from a line: the same bytes, except for the members that a second
 * pass owns (names, geo, verdict). Works on the text, so that every other member keeps its place,
 * its spelling and its precision. Relies on jsonl_read having accepted the line as JSON.
 */
#include <stdlib.h>
#include <string.h>

#include "core/record/jsonl.h"
#include "core/record/jsonl_write.h"

/* A piece of the line: one member of an object. */
struct member {
	const char *key, *key_end; /* with its quotes */
	const char *value, *value_end;
};

static const char *skip_space(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
		at++;
	return at;
}

/* `at` is on the opening quote; returns behind the closing one. */
static const char *skip_string(const char *at, const char *end)
{
	for (at++; at < end && *at != '"'; at++) {
		if (*at == '\\' && at + 1 < end)
			at++;
	}
	return at < end ? at + 1 : end;
}

static const char *skip_value(const char *at, const char *end)
{
	size_t depth = 0;

	while (at < end) {
		if (*at == '"') {
			at = skip_string(at, end);
		} else if (*at == '{' || *at == '[') {
			depth++;
			at++;
		} else if (depth > 0 && (*at == '}' || *at == ']')) {
			depth--;
			at++;
		} else if (depth == 0) {
			/* A number, a word, or what follows the value. */
			while (at < end && strchr(",}] \t\r\n", *at) == NULL)
				at++;
			return at;
		} else {
			at++;
		}
		if (depth == 0)
			return at;
	}
	return end;
}

/* The member at or after *at, which moves behind it; false at the object's end. Begin with *at on
 * the opening brace. */
static bool next_member(const char **at, const char *end, struct member *m)
{
	const char *s = skip_space(*at, end);

	if (s < end && (*s == '{' || *s == ','))
		s = skip_space(s + 1, end);
	if (s >= end || *s != '"')
		return false;
	m->key = s;
	m->key_end = skip_string(s, end);
	s = skip_space(m->key_end, end);
	if (s >= end || *s != ':')
		return false;
	m->value = skip_space(s + 1, end);
	m->value_end = skip_value(m->value, end);
	*at = m->value_end;
	return m->value_end > m->value;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* One character of a string's inside as ASCII; advances. -1: not ASCII. Keys of ours may have been
 * written with escapes by another program. */
static int next_ascii(const char **at, const char *end)
{
	const char *s = *at;
	int c = 0;

	if (*s != '\\') {
		*at = s + 1;
		return (unsigned char)*s < 0x80 ? *s : -1;
	}
	if (s + 1 < end && s[1] != 'u') {
		*at = s + 2;
		return strchr("\"\\/", s[1]) ? s[1] : -1;
	}
	if (end - s < 6)
		return -1;
	for (int i = 2; i < 6; i++) {
		int digit = hex_digit(s[i]);

		if (digit < 0)
			return -1;
		c = 16 * c + digit;
	}
	*at = s + 6;
	return c > 0 && c < 0x80 ? c : -1;
}

/* The key as text, or "" when it is none of ours (not ASCII, too long). */
static const char *key_text(const struct member *m, char *out, size_t size)
{
	const char *at = m->key + 1, *end = m->key_end - 1;
	size_t used = 0;

	while (at < end) {
		int c = next_ascii(&at, end);

		if (c < 0 || used + 1 >= size) {
			used = 0;
			break;
		}
		out[used++] = (char)c;
	}
	out[used] = '\0';
	return out;
}

static bool name_field_is_ours(const char *key)
{
	static const char *const ours[] = {"asn",   "org",    "country", "overlay_country",
					   "label", "source", "host"};

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		if (strcmp(key, ours[i]) == 0)
			return true;
	}
	return false;
}

/* Entries of the old "names" with members that are not ours. */
struct kept {
	struct addr addr;
	struct member entry;
};

static bool has_foreign(const struct member *entry)
{
	const char *at = entry->value;
	struct member m;
	char key[ADDR_TEXT];

	while (next_member(&at, entry->value_end, &m)) {
		if (!name_field_is_ours(key_text(&m, key, sizeof(key))))
			return true;
	}
	return false;
}

static int compare_kept(const void *a, const void *b)
{
	return addr_compare(((const struct kept *)a)->addr, ((const struct kept *)b)->addr);
}

/* Sorted by address, owned by the caller; NULL with *failed unset: none. */
static struct kept *keep_foreign(const struct member *old, size_t *count, bool *failed)
{
	const char *at = old->value;
	struct kept *kept = NULL, *grown;
	size_t n = 0, room = 0;
	struct member m;
	char key[ADDR_TEXT];
	struct addr a;

	while (next_member(&at, old->value_end, &m)) {
		if (!has_foreign(&m) || addr_parse(key_text(&m, key, sizeof(key)), &a) < 0)
			continue;
		if (n == room) {
			room = room ? 2 * room : 16;
			grown = reallocarray(kept, room, sizeof(*kept));
			if (grown == NULL) {
				free(kept);
				*failed = true;
				return NULL;
			}
			kept = grown;
		}
		kept[n++] = (struct kept){a, m};
	}
	if (n > 1)
		qsort(kept, n, sizeof(*kept), compare_kept);
	*count = n;
	return kept;
}

static void put_foreign(struct json_writer *w, const struct member *entry)
{
	const char *at = entry->value;
	struct member m;
	char key[ADDR_TEXT];

	while (next_member(&at, entry->value_end, &m)) {
		if (!name_field_is_ours(key_text(&m, key, sizeof(key))))
			json_put_raw(w, NULL, m.key, (size_t)(m.value_end - m.key));
	}
}

/* The new "names" as a member; old may be NULL. Both lists are sorted: one walk over each. */
static void put_names(struct json_writer *w, const struct names *names, const struct member *old)
{
	size_t kept_count = 0, k = 0;
	struct kept *kept = old ? keep_foreign(old, &kept_count, &w->out->failed) : NULL;

	json_begin_object(w, "names");
	for (uint32_t i = 0; i <= names->count; i++) {
		const struct name *n = i < names->count ? &names->items[i] : NULL;
		char text[ADDR_TEXT];

		for (; k < kept_count && (n == NULL || addr_compare(kept[k].addr, n->addr) < 0);
		     k++)
			json_put_raw(w, NULL, kept[k].entry.key,
				     (size_t)(kept[k].entry.value_end - kept[k].entry.key));
		if (n == NULL)
			break;
		json_begin_object(w, addr_format(n->addr, text));
		jsonl_put_name(w, n);
		for (; k < kept_count && addr_equal(kept[k].addr, n->addr); k++)
			put_foreign(w, &kept[k].entry);
		json_end(w);
	}
	json_end(w);
	free(kept);
}

/* What is to be replaced, and what has been. */
struct splice {
	const struct names *names;
	const struct verdict *verdict;
	const struct jsonl_member *members;
	unsigned member_count;
	bool names_done, geo_done, verdict_done;
};

static const char *new_value(const struct splice *s, const char *key)
{
	for (unsigned i = 0; i < s->member_count; i++) {
		if (strcmp(s->members[i].key, key) == 0)
			return s->members[i].value;
	}
	return NULL;
}

/* Appends the member, or its replacement. */
static void put_member(struct json_writer *w, struct splice *s, const struct member *m)
{
	const char *value;
	char key[16];

	key_text(m, key, sizeof(key));
	value = new_value(s, key);
	if (value != NULL) {
		json_put_raw(w, key, value, strlen(value));
	} else if (s->names != NULL && strcmp(key, "names") == 0) {
		put_names(w, s->names, *m->value == '{' ? m : NULL);
		s->names_done = true;
	} else if (s->names != NULL && strcmp(key, "geo") == 0) {
		jsonl_put_geo(w, &s->names->geo);
		s->geo_done = true;
	} else if (s->verdict != NULL && strcmp(key, "verdict") == 0) {
		jsonl_put_verdict(w, s->verdict);
		s->verdict_done = true;
	} else {
		json_put_raw(w, NULL, m->key, (size_t)(m->value_end - m->key));
	}
}

static void splice_line(struct buf *out, const struct record *r, struct splice *s)
{
	const char *at = r->line, *end = r->line + r->line_size;
	struct json_writer w;
	struct member m;

	json_start(&w, out);
	json_begin_object(&w, NULL);
	while (next_member(&at, end, &m))
		put_member(&w, s, &m);
	if (s->names != NULL && !s->names_done && s->names->count > 0)
		put_names(&w, s->names, NULL);
	if (s->names != NULL && !s->geo_done)
		jsonl_put_geo(&w, &s->names->geo);
	if (s->verdict != NULL && !s->verdict_done)
		jsonl_put_verdict(&w, s->verdict);
	json_end(&w);
	buf_char(out, '\n');
}

int jsonl_write_record(struct buf *out, const struct record *r, const struct names *names,
		       const struct verdict *verdict)
{
	struct splice s = {.names = names, .verdict = verdict && verdict->judged ? verdict : NULL};

	if (r->line == NULL && r->trace == NULL)
		return BP_EINVAL;
	if (r->line == NULL) {
		jsonl_write_trace(out, r->trace, names ? names : &r->names,
				  verdict ? verdict : &r->verdict);
	} else if (s.names == NULL && s.verdict == NULL) {
		buf_append(out, r->line, r->line_size);
		buf_char(out, '\n');
	} else {
		splice_line(out, r, &s);
	}
	return out->failed ? BP_ENOMEM : 0;
}

int jsonl_write_members(struct buf *out, const struct record *r, const struct verdict *verdict,
			const struct jsonl_member *members, unsigned n)
{
	struct splice s = {.verdict = verdict && verdict->judged ? verdict : NULL,
			   .members = members, .member_count = n};

	if (r->line == NULL)
		return BP_EINVAL;
	splice_line(out, r, &s);
	return out->failed ? BP_ENOMEM : 0;
}

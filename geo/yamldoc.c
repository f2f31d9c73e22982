// SPDX-License-Identifier: BSD-2-Clause
/* The marked tree: built from libyaml's events, one node per value. Recursion is bounded by
 * YAMLDOC_DEPTH_MAX; keys are kept with their own marks. */
#include "geo/yamldoc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "core/text.h"
#include "geo/yamldoc_node.h"

static int fail_at(const struct yamldoc *doc, struct bp_error *err, int code,
		   struct yamldoc_mark at, const char *what)
{
	return bp_fail(err, code, "%s:%u:%u: %s", doc->name, at.line, at.column, what);
}

static struct yamldoc_mark mark_of(const yaml_mark_t *m)
{
	return (struct yamldoc_mark){(uint32_t)m->line + 1, (uint32_t)m->column + 1};
}

/* What every event is checked for: the features that are refused. */
static const char *refused(const yaml_event_t *ev)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	switch (ev->type) {
	case YAML_ALIAS_EVENT:
		return "aliases (*name) are not supported, write the value out";
	case YAML_SCALAR_EVENT:
		anchor = ev->data.scalar.anchor;
		tag = ev->data.scalar.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = ev->data.sequence_start.anchor;
		tag = ev->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = ev->data.mapping_start.anchor;
		tag = ev->data.mapping_start.tag;
		break;
	default:
		break;
	}
	if (anchor != NULL)
		return "anchors (&name) are not supported";
	return tag != NULL ? "tags (!name) are not supported" : NULL;
}

static const char *bad_scalar(const yaml_event_t *ev)
{
	const unsigned char *text = ev->data.scalar.value;
	size_t n = ev->data.scalar.length;

	if (n > YAMLDOC_SCALAR_MAX)
		return "text of more than 4096 bytes";
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\n')
			return "a line break in a text (>- folds lines into one)";
		/* Escapes of terminals: C0, DEL, and C1 in UTF-8. */
		if (text[i] < 0x20 || text[i] == 0x7f ||
		    (text[i] == 0xc2 && i + 1 < n && text[i + 1] < 0xa0))
			return "a control character in a text";
	}
	return NULL;
}

struct reader {
	struct yamldoc *doc;
	yaml_parser_t parser;
	struct bp_error *err;
};

static int libyaml_failed(const struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	struct yamldoc_mark at = mark_of(&p->problem_mark);

	if (p->error == YAML_MEMORY_ERROR)
		return bp_fail(r->err, BP_ENOMEM, "%s: out of memory", r->doc->name);
	if (p->error == YAML_READER_ERROR) /* knows a byte offset only */
		return bp_fail(r->err, BP_EPARSE, "%s: byte %zu: %s (UTF-8 is expected)",
			       r->doc->name, p->problem_offset,
			       p->problem ? p->problem : "not readable");
	return fail_at(r->doc, r->err, BP_EPARSE, at,
		       p->problem ? p->problem : "not readable as YAML");
}

/* The next event; yaml_event_delete it. Refused features end here. */
static int next(struct reader *r, yaml_event_t *ev)
{
	const char *why;
	int rc;

	if (!yaml_parser_parse(&r->parser, ev))
		return libyaml_failed(r);
	why = refused(ev);
	if (why == NULL && ev->type == YAML_SCALAR_EVENT)
		why = bad_scalar(ev);
	if (why == NULL)
		return 0;
	rc = fail_at(r->doc, r->err, BP_EPARSE, mark_of(&ev->start_mark), why);
	yaml_event_delete(ev);
	return rc;
}

/* A new last child of parent; NULL when out of memory. Pointers to nodes do not survive this. */
static int add_node(struct reader *r, const yaml_event_t *ev, uint32_t parent, uint32_t *out)
{
	struct yamldoc *doc = r->doc;
	struct yamldoc_node *node;

	if (doc->count == YAMLDOC_NODES_MAX)
		return fail_at(doc, r->err, BP_ERANGE, mark_of(&ev->start_mark),
			       "more values than a file may have");
	if (doc->count == doc->room) {
		uint32_t room = doc->room ? 2 * doc->room : 64;

		node = reallocarray(doc->nodes, room, sizeof(*node));
		if (node == NULL)
			return bp_fail(r->err, BP_ENOMEM, "%s: out of memory", doc->name);
		doc->nodes = node;
		doc->room = room;
	}
	node = &doc->nodes[doc->count];
	*node = (struct yamldoc_node){.parent = parent, .at = mark_of(&ev->start_mark)};
	if (doc->count > 0) {
		struct yamldoc_node *up = &doc->nodes[parent];

		if (up->children++ == 0)
			up->first = doc->count;
		else
			doc->nodes[up->last].next = doc->count;
		up->last = doc->count;
	}
	*out = doc->count++;
	return 0;
}

static int read_value(struct reader *r, yaml_event_t *ev, uint32_t parent, unsigned depth,
		      uint32_t *out);

static int read_sequence(struct reader *r, uint32_t self, unsigned depth)
{
	yaml_event_t ev;
	int rc;

	for (;;) {
		uint32_t child = 0;
		bool end;

		rc = next(r, &ev);
		if (rc < 0)
			return rc;
		end = ev.type == YAML_SEQUENCE_END_EVENT;
		if (!end)
			rc = read_value(r, &ev, self, depth, &child);
		yaml_event_delete(&ev);
		if (end || rc < 0)
			return rc;
	}
}

/* Reads a key into the owned *key. */
static int read_key(struct reader *r, const yaml_event_t *ev, uint32_t self, char **key)
{
	struct yamldoc_mark at = mark_of(&ev->start_mark);
	const char *text = (const char *)ev->data.scalar.value;

	if (ev->type != YAML_SCALAR_EVENT)
		return fail_at(r->doc, r->err, BP_EPARSE, at, "a key must be a word");
	if (r->doc->nodes[self].children == YAMLDOC_KEYS_MAX)
		return fail_at(r->doc, r->err, BP_ERANGE, at, "too many keys in one group");
	for (uint32_t i = yamldoc_first(r->doc, self); i != 0; i = r->doc->nodes[i].next)
		if (strcmp(r->doc->nodes[i].key, text) == 0)
			return bp_fail(r->err, BP_EPARSE, "%s:%u:%u: key \"%.60s\" stands twice "
				       "(first in line %u)", r->doc->name, at.line, at.column, text,
				       r->doc->nodes[i].key_at.line);
	*key = strdup(text);
	return *key != NULL ? 0 : bp_fail(r->err, BP_ENOMEM, "%s: out of memory", r->doc->name);
}

static int read_mapping(struct reader *r, uint32_t self, unsigned depth)
{
	yaml_event_t ev;
	int rc;

	for (;;) {
		struct yamldoc_mark key_at;
		char *key = NULL;
		uint32_t child = 0;
		bool end;

		rc = next(r, &ev);
		if (rc < 0)
			return rc;
		key_at = mark_of(&ev.start_mark);
		end = ev.type == YAML_MAPPING_END_EVENT;
		if (!end)
			rc = read_key(r, &ev, self, &key);
		yaml_event_delete(&ev);
		if (end || rc < 0)
			return rc;
		rc = next(r, &ev);
		if (rc < 0) {
			free(key);
			return rc;
		}
		/* The key is in place before the value is read: a failure below frees it too. */
		rc = add_node(r, &ev, self, &child);
		if (rc < 0) {
			free(key);
		} else {
			r->doc->nodes[child].key = key;
			r->doc->nodes[child].key_at = key_at;
			rc = read_value(r, &ev, self, depth, &child);
		}
		yaml_event_delete(&ev);
		if (rc < 0)
			return rc;
	}
}

/* Fills a node from the event that starts it. In a mapping the node is there already (it holds the
 * key): *out says which, being the last one added. */
static int read_value(struct reader *r, yaml_event_t *ev, uint32_t parent, unsigned depth,
		      uint32_t *out)
{
	bool in_mapping = r->doc->count > 0 && r->doc->nodes[parent].kind == YAMLDOC_MAPPING;
	struct yamldoc_node *node;
	int rc;

	if (depth > YAMLDOC_DEPTH_MAX)
		return fail_at(r->doc, r->err, BP_ERANGE, mark_of(&ev->start_mark),
			       "nested too deeply");
	if (!in_mapping) {
		rc = add_node(r, ev, parent, out);
		if (rc < 0)
			return rc;
	}
	node = &r->doc->nodes[*out];
	switch (ev->type) {
	case YAML_SCALAR_EVENT:
		node->kind = YAMLDOC_SCALAR;
		node->bytes = (uint32_t)ev->data.scalar.length;
		return 0;
	case YAML_SEQUENCE_START_EVENT:
		node->kind = YAMLDOC_SEQUENCE;
		return read_sequence(r, *out, depth + 1);
	case YAML_MAPPING_START_EVENT:
		node->kind = YAMLDOC_MAPPING;
		return read_mapping(r, *out, depth + 1);
	default:
		return fail_at(r->doc, r->err, BP_EPARSE, mark_of(&ev->start_mark),
			       "not readable as YAML");
	}
}

/* STREAM-START DOCUMENT-START value DOCUMENT-END STREAM-END. */
static int read_stream(struct reader *r)
{
	bool have_value = false;
	yaml_event_t ev;
	int rc;

	for (;;) {
		uint32_t root;
		bool end;

		rc = next(r, &ev);
		if (rc < 0)
			return rc;
		end = ev.type == YAML_STREAM_END_EVENT;
		switch (ev.type) {
		case YAML_STREAM_START_EVENT:
		case YAML_DOCUMENT_END_EVENT:
		case YAML_STREAM_END_EVENT:
			break;
		case YAML_DOCUMENT_START_EVENT:
			if (have_value)
				rc = fail_at(r->doc, r->err, BP_EPARSE, mark_of(&ev.start_mark),
					     "a second document; a file holds one");
			break;
		default:
			rc = read_value(r, &ev, 0, 0, &root);
			have_value = true;
			break;
		}
		yaml_event_delete(&ev);
		if (rc < 0)
			return rc;
		if (end)
			break;
	}
	if (!have_value)
		return bp_fail(r->err, BP_EPARSE, "%s:1:1: empty: nothing is defined here",
			       r->doc->name);
	return 0;
}

int yamldoc_parse(struct yamldoc *doc, const char *name, const char *text, size_t n,
		  struct bp_error *err)
{
	struct reader r = {.doc = doc, .err = err};
	int rc;

	memset(doc, 0, sizeof(*doc));
	text_set(doc->name, sizeof(doc->name), name);
	if (n > YAMLDOC_BYTES_MAX)
		return bp_fail(err, BP_ERANGE, "%s: more than %d KiB is no settings file",
			       doc->name, YAMLDOC_BYTES_MAX / 1024);
	if (!yaml_parser_initialize(&r.parser))
		return bp_fail(err, BP_ENOMEM, "%s: out of memory", doc->name);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, n);
	/* libyaml would guess UTF-16 from two bytes; libcyaml sees the same text. */
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	rc = read_stream(&r);
	yaml_parser_delete(&r.parser);
	return rc;
}

void yamldoc_fini(struct yamldoc *doc)
{
	for (uint32_t i = 0; i < doc->count; i++)
		free(doc->nodes[i].key);
	free(doc->nodes);
	memset(doc, 0, sizeof(*doc));
}

/* The child by key (n bytes) or by index, or 0. */
static uint32_t child_named(const struct yamldoc *doc, uint32_t at, const char *key, size_t n)
{
	for (uint32_t i = yamldoc_first(doc, at); i != 0; i = doc->nodes[i].next)
		if (doc->nodes[i].key != NULL && strlen(doc->nodes[i].key) == n &&
		    memcmp(doc->nodes[i].key, key, n) == 0)
			return i;
	return 0;
}

static uint32_t child_numbered(const struct yamldoc *doc, uint32_t at, unsigned long number)
{
	for (uint32_t i = yamldoc_first(doc, at); i != 0; i = doc->nodes[i].next, number--)
		if (number == 0)
			return i;
	return 0;
}

static uint32_t find(const struct yamldoc *doc, const char *path)
{
	uint32_t at = 0;

	while (*path != '\0') {
		uint32_t child;

		if (*path == '.') {
			path++;
			continue;
		}
		if (*path == '[') {
			char *end;

			child = child_numbered(doc, at, strtoul(path + 1, &end, 10));
			path = *end == ']' ? end + 1 : end;
		} else {
			size_t n = strcspn(path, ".[");

			child = child_named(doc, at, path, n);
			path += n;
		}
		if (child == 0)
			break;
		at = child;
	}
	return at;
}

int yamldoc_fail(const struct yamldoc *doc, struct bp_error *err, int code, const char *path,
		 const char *fmt, ...)
{
	struct yamldoc_mark at = {1, 1};
	char what[BP_ERROR_TEXT];
	va_list ap;

	if (doc->count > 0)
		at = doc->nodes[find(doc, path)].at;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return bp_fail(err, code, "%s:%u:%u: %s", doc->name, at.line, at.column, what);
}

// SPDX-License-Identifier: BSD-2-Clause
/* The marked tree: built from libyaml's events, one node per value. Recursion is bounded by
 * YAMLDOC_DEPTH_MAX; keys are kept with their own marks. */
#include "geo/yamldoc.h"

#include <errno.h>
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

static int out_of_memory(const struct yamldoc *doc, struct bp_error *err)
{
	return bp_fail(err, BP_ENOMEM, "%s: out of memory", doc->name);
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
		return out_of_memory(r->doc, r->err);
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

/* A new node, nobody's child yet. Pointers to nodes do not survive this. */
static int new_node(struct yamldoc *doc, struct yamldoc_mark at, struct bp_error *err,
		    uint32_t *out)
{
	if (doc->count == YAMLDOC_NODES_MAX)
		return fail_at(doc, err, BP_ERANGE, at, "more values than a file may have");
	if (doc->count == doc->room) {
		uint32_t room = doc->room ? 2 * doc->room : 64;
		struct yamldoc_node *nodes = reallocarray(doc->nodes, room, sizeof(*nodes));

		if (nodes == NULL)
			return out_of_memory(doc, err);
		doc->nodes = nodes;
		doc->room = room;
	}
	doc->nodes[doc->count] = (struct yamldoc_node){.at = at};
	*out = doc->count++;
	return 0;
}

/* A new last child of parent. */
static int add_node(struct reader *r, const yaml_event_t *ev, uint32_t parent, uint32_t *out)
{
	struct yamldoc *doc = r->doc;
	struct yamldoc_node *up;
	int rc = new_node(doc, mark_of(&ev->start_mark), r->err, out);

	if (rc < 0 || *out == 0)
		return rc;
	up = &doc->nodes[parent];
	doc->nodes[*out].parent = parent;
	if (up->children++ == 0)
		up->first = *out;
	else
		doc->nodes[up->last].next = *out;
	up->last = *out;
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
	return *key != NULL ? 0 : out_of_memory(r->doc, r->err);
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
		node->text = strdup((const char *)ev->data.scalar.value);
		return node->text != NULL ? 0 : out_of_memory(r->doc, r->err);
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
	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* the mark some editors write */
		text += 3;
		n -= 3;
	}
	if (n > YAMLDOC_BYTES_MAX)
		return bp_fail(err, BP_ERANGE, "%s: more than %d KiB is no settings file",
			       doc->name, YAMLDOC_BYTES_MAX / 1024);
	if (!yaml_parser_initialize(&r.parser))
		return out_of_memory(doc, err);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, n);
	/* libyaml would guess UTF-16 from two bytes; libcyaml sees the same text. */
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	rc = read_stream(&r);
	yaml_parser_delete(&r.parser);
	return rc;
}

int yamldoc_read_file(const char *path, const char *what, char **out, size_t *out_n,
		      struct bp_error *err)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	size_t room = YAMLDOC_BYTES_MAX + 1, n;
	char *text;
	int rc = 0;

	if (f == NULL)
		return bp_fail_sys(err, errno, "cannot open %s %s", what, path);
	text = malloc(room);
	errno = 0;
	n = text != NULL ? fread(text, 1, room, f) : 0;
	if (text == NULL)
		rc = bp_fail(err, BP_ENOMEM, "%s: out of memory", path);
	else if (ferror(f))
		rc = bp_fail_sys(err, errno != 0 ? errno : EIO, "cannot read %s %s", what, path);
	if (f != stdin)
		fclose(f);
	if (rc < 0) {
		free(text);
		return rc;
	}
	*out = text;
	*out_n = n;
	return 0;
}

void yamldoc_fini(struct yamldoc *doc)
{
	for (uint32_t i = 0; i < doc->count; i++) {
		free(doc->nodes[i].key);
		free(doc->nodes[i].text);
	}
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

/* The value at path, or its nearest ancestor (*whole: false). */
static uint32_t find(const struct yamldoc *doc, const char *path, bool *whole)
{
	uint32_t at = 0;

	*whole = doc->count > 0;
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
		if (child == 0) {
			*whole = false;
			break;
		}
		at = child;
	}
	return at;
}

/* Node `at` becomes a list or a group with one child, which is what it was. */
static int push_down(struct yamldoc *doc, uint32_t at, uint8_t kind, const char *key,
		     struct bp_error *err)
{
	char *owned = key != NULL ? strdup(key) : NULL;
	struct yamldoc_node *up, *down;
	uint32_t child;
	int rc;

	if (key != NULL && owned == NULL)
		return out_of_memory(doc, err);
	rc = new_node(doc, doc->nodes[at].at, err, &child);
	if (rc < 0) {
		free(owned);
		return rc;
	}
	up = &doc->nodes[at];
	down = &doc->nodes[child];
	*down = (struct yamldoc_node){.parent = at, .first = up->first, .last = up->last,
				      .children = up->children, .bytes = up->bytes,
				      .kind = up->kind, .text = up->text, .key = owned,
				      .key_at = up->at, .at = up->at};
	for (uint32_t i = yamldoc_first(doc, child); i != 0; i = doc->nodes[i].next)
		doc->nodes[i].parent = child;
	up->first = up->last = child;
	up->children = 1;
	up->kind = kind;
	up->text = NULL;
	up->bytes = 0;
	return 0;
}

int yamldoc_group(struct yamldoc *doc, const char *path, const char *key, struct bp_error *err)
{
	size_t n = strlen(path);
	bool each = n > 2 && strcmp(path + n - 2, "[]") == 0, whole;
	char list[160];
	uint32_t at;
	int rc = 0;

	text_copy(list, sizeof(list), path, each ? n - 2 : n);
	at = find(doc, list, &whole);
	if (!whole)
		return 0;
	if (!each)
		return doc->nodes[at].kind == YAMLDOC_SCALAR ?
		       push_down(doc, at, YAMLDOC_MAPPING, key, err) : 0;
	if (doc->nodes[at].kind != YAMLDOC_SEQUENCE)
		return 0;
	for (uint32_t i = yamldoc_first(doc, at); rc == 0 && i != 0; i = doc->nodes[i].next)
		if (doc->nodes[i].kind == YAMLDOC_SCALAR)
			rc = push_down(doc, i, YAMLDOC_MAPPING, key, err);
	return rc;
}

int yamldoc_list(struct yamldoc *doc, const char *path, struct bp_error *err)
{
	bool whole;
	uint32_t at = find(doc, path, &whole);

	return whole && doc->nodes[at].kind != YAMLDOC_SEQUENCE ?
	       push_down(doc, at, YAMLDOC_SEQUENCE, NULL, err) : 0;
}

int yamldoc_fold(struct yamldoc *doc, const char *path, const char *key, struct bp_error *err)
{
	struct yamldoc_node *node;
	uint32_t at, child;
	bool whole;

	at = find(doc, path, &whole);
	if (!whole || doc->nodes[at].kind != YAMLDOC_MAPPING)
		return 0;
	child = child_named(doc, at, key, strlen(key));
	if (child == 0 || doc->nodes[child].kind != YAMLDOC_SCALAR)
		return yamldoc_fail(doc, err, BP_EPARSE, path, "key \"%s\" is missing in %s", key, path);
	/* Its children stay among the nodes, where nobody finds them, until the document goes. */
	node = &doc->nodes[at];
	node->kind = YAMLDOC_SCALAR;
	node->text = doc->nodes[child].text;
	node->bytes = doc->nodes[child].bytes;
	node->first = node->last = node->children = 0;
	doc->nodes[child].text = NULL;
	return 0;
}

int yamldoc_narrow(struct yamldoc *doc, const char *path, struct bp_error *err)
{
	struct yamldoc_node old;
	bool whole;
	uint32_t at = find(doc, path, &whole);

	if (!whole || at == 0)
		return yamldoc_fail(doc, err, BP_ENOTFOUND, path, "%s is not there", path);
	old = doc->nodes[0];
	doc->nodes[0] = doc->nodes[at];
	doc->nodes[at] = old;
	free(doc->nodes[0].key);
	doc->nodes[0].key = NULL;
	doc->nodes[0].parent = doc->nodes[0].next = 0;
	for (uint32_t i = yamldoc_first(doc, 0); i != 0; i = doc->nodes[i].next)
		doc->nodes[i].parent = 0;
	return 0;
}

bool yamldoc_is_group(const struct yamldoc *doc, const char *path)
{
	bool whole;
	uint32_t at = find(doc, path, &whole);

	return whole && doc->nodes[at].kind == YAMLDOC_MAPPING;
}

bool yamldoc_is_single(const struct yamldoc *doc, const char *path)
{
	bool whole;
	uint32_t at = find(doc, path, &whole);

	return whole && doc->nodes[at].kind == YAMLDOC_SCALAR;
}

uint32_t yamldoc_line(const struct yamldoc *doc, const char *path)
{
	bool whole;

	return doc->count > 0 ? doc->nodes[find(doc, path, &whole)].at.line : 1;
}

int yamldoc_fail(const struct yamldoc *doc, struct bp_error *err, int code, const char *path,
		 const char *fmt, ...)
{
	struct yamldoc_mark at = {1, 1};
	char what[BP_ERROR_TEXT];
	va_list ap;
	bool whole;

	if (doc->count > 0)
		at = doc->nodes[find(doc, path, &whole)].at;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return bp_fail(err, code, "%s:%u:%u: %s", doc->name, at.line, at.column, what);
}

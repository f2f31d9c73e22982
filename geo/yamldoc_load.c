// SPDX-License-Identifier: BSD-2-Clause
/* From the marked tree to structs: walks a libcyaml schema over the tree, so that each refusal has
 * its place and says what is expected, then lets libcyaml load. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/buf.h"
#include "core/text.h"
#include "geo/yamldoc.h"
#include "geo/yamldoc_node.h"

static const char *const kind_words[] = {
	[YAMLDOC_UNKNOWN] = "nothing", [YAMLDOC_SCALAR] = "a single value",
	[YAMLDOC_SEQUENCE] = "a list", [YAMLDOC_MAPPING] = "a group of keys"};

/* "borders.networks": where in the document, without indexes. */
static void where(const struct yamldoc *doc, uint32_t at, char *out, size_t size)
{
	const char *keys[YAMLDOC_DEPTH_MAX + 2];
	unsigned n = 0;
	size_t used = 0;

	for (; at != 0 && n < YAMLDOC_DEPTH_MAX + 2; at = doc->nodes[at].parent)
		if (doc->nodes[at].key != NULL)
			keys[n++] = doc->nodes[at].key;
	out[0] = '\0';
	while (n > 0 && used < size) {
		int w = snprintf(out + used, size - used, "%s%.40s", used > 0 ? "." : "",
				 keys[n - 1]);

		if (w < 0)
			return;
		used += (size_t)w;
		n--;
	}
	if (out[0] == '\0')
		snprintf(out, size, "the file");
}

static int refuse(const struct yamldoc *doc, struct yamldoc_mark at, struct bp_error *err,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static int refuse(const struct yamldoc *doc, struct yamldoc_mark at, struct bp_error *err,
		  const char *fmt, ...)
{
	char what[BP_ERROR_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return bp_fail(err, BP_EPARSE, "%s:%u:%u: %s", doc->name, at.line, at.column, what);
}

static int wrong_kind(const struct yamldoc *doc, uint32_t at, enum yamldoc_kind want,
		      struct bp_error *err)
{
	char place[128];

	where(doc, at, place, sizeof(place));
	return refuse(doc, doc->nodes[at].at, err, "%s is %s, expected %s", place,
		      kind_words[doc->nodes[at].kind], kind_words[want]);
}

static int unknown_key(const struct yamldoc *doc, uint32_t at, const cyaml_schema_field_t *fields,
		       struct bp_error *err)
{
	const struct yamldoc_node *node = &doc->nodes[at];
	struct buf known;
	char place[128];
	int rc;

	buf_init(&known);
	for (const cyaml_schema_field_t *f = fields; f->key != NULL; f++)
		buf_printf(&known, "%s%s", f == fields ? "" : ", ", f->key);
	where(doc, node->parent, place, sizeof(place));
	rc = refuse(doc, node->key_at, err, "unknown key \"%.60s\" in %s, expected one of: %s",
		    node->key, place, known.bytes != NULL ? known.bytes : "none");
	buf_fini(&known);
	return rc;
}

static int check(const struct yamldoc *doc, uint32_t at, const cyaml_schema_value_t *schema,
		 struct bp_error *err);

static int check_mapping(const struct yamldoc *doc, uint32_t at, const cyaml_schema_field_t *fields,
			 struct bp_error *err)
{
	char place[128];

	for (uint32_t i = yamldoc_first(doc, at); i != 0; i = doc->nodes[i].next) {
		const cyaml_schema_field_t *f = fields;
		int rc;

		while (f->key != NULL && strcmp(f->key, doc->nodes[i].key) != 0)
			f++;
		if (f->key == NULL)
			return unknown_key(doc, i, fields, err);
		rc = check(doc, i, &f->value, err);
		if (rc < 0)
			return rc;
	}
	for (const cyaml_schema_field_t *f = fields; f->key != NULL; f++) {
		bool there = false;

		for (uint32_t i = yamldoc_first(doc, at); i != 0 && !there; i = doc->nodes[i].next)
			there = strcmp(f->key, doc->nodes[i].key) == 0;
		if (there || (f->value.flags & CYAML_FLAG_OPTIONAL))
			continue;
		where(doc, at, place, sizeof(place));
		return refuse(doc, doc->nodes[at].at, err, "key \"%s\" is missing in %s", f->key,
			      place);
	}
	return 0;
}

static int check_sequence(const struct yamldoc *doc, uint32_t at,
			  const cyaml_schema_value_t *schema, struct bp_error *err)
{
	const struct yamldoc_node *node = &doc->nodes[at];
	char place[128];

	where(doc, at, place, sizeof(place));
	if (node->children < schema->sequence.min)
		return refuse(doc, node->at, err, "%s has %u entries, expected at least %u", place,
			      node->children, schema->sequence.min);
	if (node->children > schema->sequence.max)
		return refuse(doc, node->at, err, "%s has %u entries, expected at most %u", place,
			      node->children, schema->sequence.max);
	for (uint32_t i = yamldoc_first(doc, at); i != 0; i = doc->nodes[i].next) {
		int rc = check(doc, i, schema->sequence.entry, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int check_string(const struct yamldoc *doc, uint32_t at, const cyaml_schema_value_t *schema,
			struct bp_error *err)
{
	const struct yamldoc_node *node = &doc->nodes[at];
	char place[128];

	where(doc, at, place, sizeof(place));
	if (node->bytes < schema->string.min)
		return refuse(doc, node->at, err, "%s is empty", place);
	if (node->bytes > schema->string.max)
		return refuse(doc, node->at, err, "%s is %u bytes long, expected at most %u", place,
			      node->bytes, schema->string.max);
	return 0;
}

static int check(const struct yamldoc *doc, uint32_t at, const cyaml_schema_value_t *schema,
		 struct bp_error *err)
{
	static const struct { cyaml_type_e type; enum yamldoc_kind kind; } wanted[] = {
		{CYAML_STRING, YAMLDOC_SCALAR}, {CYAML_SEQUENCE, YAMLDOC_SEQUENCE},
		{CYAML_MAPPING, YAMLDOC_MAPPING}};

	for (unsigned i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (schema->type == wanted[i].type && doc->nodes[at].kind != wanted[i].kind)
			return wrong_kind(doc, at, wanted[i].kind, err);
	switch (schema->type) {
	case CYAML_STRING:
		return check_string(doc, at, schema, err);
	case CYAML_SEQUENCE:
		return check_sequence(doc, at, schema, err);
	case CYAML_MAPPING:
		return check_mapping(doc, at, schema->mapping.fields, err);
	default:
		return bp_fail(err, BP_EINVAL, "%s: a schema of strings, lists and groups only",
			       doc->name);
	}
}

/* The first line libcyaml logs is what went wrong; the rest is its backtrace. */
struct cyaml_says { char text[256]; };

__attribute__((format(printf, 3, 0)))
static void keep_first(cyaml_log_t level, void *arg, const char *fmt, va_list ap)
{
	struct cyaml_says *says = arg;

	(void)level;
	if (says->text[0] != '\0')
		return;
	vsnprintf(says->text, sizeof(says->text), fmt, ap);
	says->text[strcspn(says->text, "\n")] = '\0';
}

static cyaml_config_t config(struct cyaml_says *says)
{
	return (cyaml_config_t){.log_fn = keep_first, .log_ctx = says, .mem_fn = cyaml_mem,
				.log_level = CYAML_LOG_ERROR, .flags = CYAML_CFG_NO_ALIAS};
}

/* Double-quoted. Whatever is not ASCII is an escape: a line separator written as it is would be
 * folded into a space. */
static void write_text(struct buf *out, const char *text, size_t n)
{
	const unsigned char *s = (const unsigned char *)text;

	buf_char(out, '"');
	for (size_t i = 0; i < n;) {
		size_t length = utf8_length(s + i, n - i);
		uint32_t c = s[i] & (length < 2 ? 0x7fu : 0x7fu >> length);

		for (size_t k = 1; k < length; k++)
			c = c << 6 | (s[i + k] & 0x3fu);
		if (c >= 0x80)
			buf_printf(out, "\\U%08X", c);
		else if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", (int)c);
		else
			buf_char(out, (char)c);
		i += length > 0 ? length : 1;
	}
	buf_char(out, '"');
}

static void write_node(struct buf *out, const struct yamldoc *doc, uint32_t at)
{
	const struct yamldoc_node *node = &doc->nodes[at];
	bool group = node->kind == YAMLDOC_MAPPING;

	if (node->kind == YAMLDOC_SCALAR) {
		write_text(out, node->text, node->bytes);
		return;
	}
	buf_char(out, group ? '{' : '[');
	for (uint32_t i = yamldoc_first(doc, at); i != 0; i = doc->nodes[i].next) {
		if (group) {
			write_text(out, doc->nodes[i].key, strlen(doc->nodes[i].key));
			buf_str(out, ": ");
		}
		write_node(out, doc, i);
		buf_str(out, ",\n");
	}
	buf_char(out, group ? '}' : ']');
}

int yamldoc_load(const struct yamldoc *doc, const cyaml_schema_value_t *schema, void **out,
		 struct bp_error *err)
{
	struct cyaml_says says = {""};
	cyaml_config_t cfg = config(&says);
	cyaml_data_t *loaded = NULL;
	cyaml_err_t failed = CYAML_ERR_OOM;
	struct buf text;
	int rc = check(doc, 0, schema, err);

	if (rc < 0)
		return rc;
	buf_init(&text);
	write_node(&text, doc, 0);
	if (!text.failed)
		failed = cyaml_load_data((const uint8_t *)text.bytes, text.used, &cfg, schema,
					 &loaded, NULL);
	buf_fini(&text);
	if (failed == CYAML_ERR_OOM)
		return bp_fail(err, BP_ENOMEM, "%s: out of memory", doc->name);
	if (failed != CYAML_OK || loaded == NULL)
		return bp_fail(err, BP_EPARSE, "%s: %s", doc->name,
			       says.text[0] != '\0' ? says.text : cyaml_strerror(failed));
	*out = loaded;
	return 0;
}

void yamldoc_free_loaded(const cyaml_schema_value_t *schema, void *loaded)
{
	struct cyaml_says says = {""};
	cyaml_config_t cfg = config(&says);

	cyaml_free(&cfg, schema, loaded, 0);
}

// SPDX-License-Identifier: BSD-2-Clause
/* libyaml's documents, in a few words. */
#include "campaign/fleet/yamltree.h"

#include <string.h>

#include "core/err.h"

int yamltree_load(const char *yaml, size_t n, yaml_document_t *out)
{
	yaml_parser_t parser;
	int rc = 0;

	if (!yaml_parser_initialize(&parser))
		return BP_ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)yaml, n);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	if (!yaml_parser_load(&parser, out))
		rc = BP_EPARSE;
	else if (yaml_document_get_root_node(out) == NULL ||
		 yaml_document_get_root_node(out)->type != YAML_MAPPING_NODE)
		rc = BP_EPARSE;
	if (rc < 0 && parser.error == YAML_NO_ERROR)
		yaml_document_delete(out);
	yaml_parser_delete(&parser);
	return rc;
}

static int on_bytes(void *arg, unsigned char *bytes, size_t n)
{
	struct buf *out = arg;

	buf_append(out, bytes, n);
	return !out->failed;
}

bool yamltree_write_take(yaml_document_t *doc, struct buf *out)
{
	yaml_emitter_t emitter;
	bool ok;

	if (!yaml_emitter_initialize(&emitter)) {
		yaml_document_delete(doc);
		return false;
	}
	yaml_emitter_set_output(&emitter, on_bytes, out);
	yaml_emitter_set_unicode(&emitter, 1);
	yaml_emitter_set_width(&emitter, -1);
	ok = yaml_emitter_open(&emitter) && yaml_emitter_dump(&emitter, doc) &&
	     yaml_emitter_close(&emitter);
	yaml_emitter_delete(&emitter);
	return ok;
}

const char *yamltree_text(yaml_document_t *doc, int node)
{
	yaml_node_t *n = yaml_document_get_node(doc, node);

	if (n == NULL || n->type != YAML_SCALAR_NODE)
		return "";
	return (const char *)n->data.scalar.value;
}

int yamltree_find(yaml_document_t *doc, int group, const char *key)
{
	yaml_node_t *n = yaml_document_get_node(doc, group);
	yaml_node_pair_t *at = n->data.mapping.pairs.start;

	for (; at < n->data.mapping.pairs.top; at++) {
		if (strcmp(yamltree_text(doc, at->key), key) == 0)
			return at->value;
	}
	return 0;
}

void yamltree_drop(yaml_document_t *doc, int group, const char *key)
{
	yaml_node_t *n = yaml_document_get_node(doc, group);
	yaml_node_pair_t *from = n->data.mapping.pairs.start, *to = from;

	for (; from < n->data.mapping.pairs.top; from++) {
		if (strcmp(yamltree_text(doc, from->key), key) != 0)
			*to++ = *from;
	}
	n->data.mapping.pairs.top = to;
}

int yamltree_scalar(yaml_document_t *doc, const char *text)
{
	/* The tree's node is a copy; libyaml's prototype has no const. */
	return yaml_document_add_scalar(doc, NULL, (const yaml_char_t *)text, (int)strlen(text),
					YAML_ANY_SCALAR_STYLE);
}

bool yamltree_add(yaml_document_t *doc, int group, const char *key, int value)
{
	int name = yamltree_scalar(doc, key);

	return name != 0 && value != 0 &&
	       yaml_document_append_mapping_pair(doc, group, name, value);
}

bool yamltree_add_text(yaml_document_t *doc, int group, const char *key, const char *text)
{
	return yamltree_add(doc, group, key, yamltree_scalar(doc, text));
}

static int copy_list(yaml_document_t *to, yaml_document_t *from, int node)
{
	yaml_node_t *n = yaml_document_get_node(from, node);
	size_t count = (size_t)(n->data.sequence.items.top - n->data.sequence.items.start);
	int list = yaml_document_add_sequence(to, NULL, n->data.sequence.style);

	for (size_t i = 0; list != 0 && i < count; i++) {
		/* Nodes move when one is added. */
		int item = yaml_document_get_node(from, node)->data.sequence.items.start[i];

		item = yamltree_copy(to, from, item);
		if (item == 0 || !yaml_document_append_sequence_item(to, list, item))
			return 0;
	}
	return list;
}

static int copy_group(yaml_document_t *to, yaml_document_t *from, int node)
{
	yaml_node_t *n = yaml_document_get_node(from, node);
	size_t count = (size_t)(n->data.mapping.pairs.top - n->data.mapping.pairs.start);
	int group = yaml_document_add_mapping(to, NULL, n->data.mapping.style);

	for (size_t i = 0; group != 0 && i < count; i++) {
		yaml_node_pair_t pair =
			yaml_document_get_node(from, node)->data.mapping.pairs.start[i];
		int key = yamltree_copy(to, from, pair.key);
		int value = yamltree_copy(to, from, pair.value);

		if (key == 0 || value == 0 ||
		    !yaml_document_append_mapping_pair(to, group, key, value))
			return 0;
	}
	return group;
}

int yamltree_copy(yaml_document_t *to, yaml_document_t *from, int node)
{
	yaml_node_t *n = yaml_document_get_node(from, node);

	switch (n->type) {
	case YAML_SEQUENCE_NODE: return copy_list(to, from, node);
	case YAML_MAPPING_NODE: return copy_group(to, from, node);
	default:
		return yaml_document_add_scalar(to, NULL, n->data.scalar.value,
						(int)n->data.scalar.length,
						n->data.scalar.style);
	}
}

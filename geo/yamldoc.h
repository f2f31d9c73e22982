// SPDX-License-Identifier: BSD-2-Clause
/*
 * A YAML document with the position of every value: read by libyaml's events into a flat tree,
 * checked against a libcyaml schema, then loaded by libcyaml into structs. libcyaml alone knows
 * positions only roughly (a missing key is told at the last key seen, a doubled one at the first),
 * so the same const schema is walked here first and every refusal says file:line:column.
 * Refuses what a settings file does not need and an attacker likes: anchors, aliases, tags, more
 * than one document, deep nesting, control characters, anything over YAMLDOC_BYTES_MAX.
 */
#ifndef GEO_YAMLDOC_H
#define GEO_YAMLDOC_H

#include <stddef.h>
#include <stdint.h>

#include <cyaml/cyaml.h>

#include "core/err.h"

enum {
	YAMLDOC_BYTES_MAX = 1 << 20,
	YAMLDOC_NODES_MAX = 1 << 16,
	YAMLDOC_DEPTH_MAX = 12,
	YAMLDOC_KEYS_MAX = 64, /* in one mapping; lists are bounded by the nodes */
	YAMLDOC_SCALAR_MAX = 4096,
};

struct yamldoc_node;
struct yamldoc {
	char name[256];             /* for messages */
	struct yamldoc_node *nodes; /* owned; [0] is the root */
	uint32_t count, room;
};

/* Reads n bytes; name is for messages. BP_EPARSE with "name:line:column: what", BP_ERANGE for a
 * document over the limits, BP_ENOMEM. yamldoc_fini frees, also after a failure. */
int yamldoc_parse(struct yamldoc *doc, const char *name, const char *text, size_t n,
		  struct bp_error *err);
void yamldoc_fini(struct yamldoc *doc);

/* Checks the document against the schema (mappings, sequences and strings; a pointer to a mapping
 * at the top) and loads it with libcyaml. *out is owned: yamldoc_free_loaded with that schema. */
int yamldoc_load(const struct yamldoc *doc, const char *text, size_t n,
		 const cyaml_schema_value_t *schema, void **out, struct bp_error *err);
void yamldoc_free_loaded(const cyaml_schema_value_t *schema, void *loaded);

/* Fills err with "name:line:column: " and the format, at the value found by path, for instance
 * "borders[2].networks[0].since"; a path that is not there gives its nearest ancestor. Returns
 * code. */
int yamldoc_fail(const struct yamldoc *doc, struct bp_error *err, int code, const char *path,
		 const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif

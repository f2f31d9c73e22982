// SPDX-License-Identifier: BSD-2-Clause
/*
 * A YAML document with the position of every value: read by libyaml's events into a flat tree,
 * checked against a libcyaml schema, then loaded by libcyaml into structs. libcyaml alone knows
 * positions only roughly (a missing key is told at the last key seen, a doubled one at the first),
 * so the same const schema is walked here first and every refusal says file:line:column. libcyaml
 * is given the tree, written out again: short forms (yamldoc_group) are known here only.
 * Refuses what a settings file does not need and an attacker likes: anchors, aliases, tags, more
 * than one document, deep nesting, control characters, anything over YAMLDOC_BYTES_MAX.
 */
#ifndef GEO_YAMLDOC_H
#define GEO_YAMLDOC_H

#include <stdbool.h>
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

/* Reads n bytes (a byte order mark before them is passed over); name is for messages. BP_EPARSE
 * with "name:line:column: what", BP_ERANGE for a document over the limits, BP_ENOMEM. yamldoc_fini
 * frees, also after a failure. */
int yamldoc_parse(struct yamldoc *doc, const char *name, const char *text, size_t n,
		  struct bp_error *err);
void yamldoc_fini(struct yamldoc *doc);
/* The bytes of a file ("-" is stdin), no more of it than a document may have and one, so that
 * yamldoc_parse refuses what is longer. what ("profile") is for messages. *out is owned: free. */
int yamldoc_read_file(const char *path, const char *what, char **out, size_t *out_n,
		      struct bp_error *err);

/* Short forms, told before loading. A single value at path stands for the group {key: value}; where
 * path ends in "[]", so does each single value of that list. A value at path that is no list stands
 * for a list of one. A path that is not there is no failure. BP_ENOMEM, BP_ERANGE. */
int yamldoc_group(struct yamldoc *doc, const char *path, const char *key, struct bp_error *err);
int yamldoc_list(struct yamldoc *doc, const char *path, struct bp_error *err);
/* The opposite: a group at path is given up for the single value of its key. BP_EPARSE: it has
 * none. */
int yamldoc_fold(struct yamldoc *doc, const char *path, const char *key, struct bp_error *err);
/* What is at path becomes all of the document; its places stay those in the file. BP_ENOTFOUND. */
int yamldoc_narrow(struct yamldoc *doc, const char *path, struct bp_error *err);
/* Whether path is there and a single value; a group. */
bool yamldoc_is_single(const struct yamldoc *doc, const char *path);
bool yamldoc_is_group(const struct yamldoc *doc, const char *path);
/* The line of the value found by path (1 when nothing is there), for messages that name another
 * place. */
uint32_t yamldoc_line(const struct yamldoc *doc, const char *path);

/* Checks the document against the schema (mappings, sequences and strings; a pointer to a mapping
 * at the top) and loads it with libcyaml. *out is owned: yamldoc_free_loaded with that schema. */
int yamldoc_load(const struct yamldoc *doc, const cyaml_schema_value_t *schema, void **out,
		 struct bp_error *err);
void yamldoc_free_loaded(const cyaml_schema_value_t *schema, void *loaded);

/* Fills err with "name:line:column: " and the format, at the value found by path, for instance
 * "borders[2].networks[0].since"; a path that is not there gives its nearest ancestor. Returns
 * code. */
int yamldoc_fail(const struct yamldoc *doc, struct bp_error *err, int code, const char *path,
		 const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif

// SPDX-License-Identifier: BSD-2-Clause
/*
 * The nodes of a marked YAML document, shared by yamldoc.c (builds) and yamldoc_load.c (checks).
 * Nobody else looks inside: callers name values by path.
 */
#ifndef GEO_YAMLDOC_NODE_H
#define GEO_YAMLDOC_NODE_H

#include <stdint.h>

#include "geo/yamldoc.h"

struct yamldoc_mark { uint32_t line, column; }; /* from 1; columns count characters */

enum yamldoc_kind { YAMLDOC_UNKNOWN, YAMLDOC_SCALAR, YAMLDOC_SEQUENCE, YAMLDOC_MAPPING };

/* Indexes into doc->nodes; 0 is the root, which is nobody's child, and so means "none". */
struct yamldoc_node {
	uint32_t parent, first, last, next;
	uint32_t children;
	uint32_t bytes;              /* of a scalar's text */
	uint8_t kind;                /* enum yamldoc_kind */
	char *text;                  /* owned; of a scalar only */
	char *key;                   /* owned; in a mapping only */
	struct yamldoc_mark key_at, at;
};

static inline uint32_t yamldoc_first(const struct yamldoc *doc, uint32_t at)
{
	return doc->nodes[at].children > 0 ? doc->nodes[at].first : 0;
}

#endif

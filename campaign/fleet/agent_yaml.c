// SPDX-License-Identifier: BSD-2-Clause
/*
 * A plan as this machine runs it: what came from the broker, without what the centre decides or a
 * vantage point must not be told from afar (derive_drop), and with the vantage point's own name.
 * What the plan means is plan.h's.
 */
#include <string.h>

#include "campaign/fleet/agent_inside.h"
#include "campaign/fleet/derive.h"
#include "campaign/fleet/yamltree.h"

/* Of a group the place stays. */
static bool set_name(yaml_document_t *doc, const char *vantage)
{
	int old = yamltree_find(doc, YAMLTREE_ROOT, "vantage");
	int group = yaml_document_add_mapping(doc, NULL, YAML_BLOCK_MAPPING_STYLE);
	bool ok = group != 0 && yamltree_add_text(doc, group, "name", vantage);
	/* Nodes move when one is added: none is, from here on. */
	const yaml_node_t *from = old != 0 ? yaml_document_get_node(doc, old) : NULL;

	if (ok && from != NULL && from->type == YAML_MAPPING_NODE) {
		yaml_node_pair_t *at = from->data.mapping.pairs.start;

		for (; ok && at < from->data.mapping.pairs.top; at++) {
			if (strcmp(yamltree_text(doc, at->key), "name") != 0)
				ok = yaml_document_append_mapping_pair(doc, group, at->key,
								       at->value);
		}
	}
	yamltree_drop(doc, YAMLTREE_ROOT, "vantage");
	return ok && yamltree_add(doc, YAMLTREE_ROOT, "vantage", group);
}

int agent_yaml(const char *yaml, size_t n, const char *vantage, struct buf *out,
	       struct bp_error *err)
{
	yaml_document_t doc;
	int rc = yamltree_load(yaml, n, &doc);

	if (rc < 0)
		return bp_fail(err, rc, "the plan cannot be written for this vantage point");
	derive_drop(&doc);
	if (!set_name(&doc, vantage)) {
		yaml_document_delete(&doc);
		return bp_fail(err, BP_ENOMEM, "out of memory");
	}
	return yamltree_write_take(&doc, out) && !out->failed ?
		       0 : bp_fail(err, BP_ENOMEM, "out of memory");
}
